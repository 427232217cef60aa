//! Checks calls of functions by name.

use arrow::datatypes::{DataType, Field};
use datafusion_expr::{Expr, Operator};
use sqlparser::ast::{
    DuplicateTreatment, Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};
use weir_functions::conversion::type_name;
use weir_functions::temporal::Unit;
use weir_functions::{Context, Parameter, collection, interval};

use super::bound::Bound;
use super::convert::convert;
use super::expr::{Binder, Stage, null_of, unified};
use super::matching::is_of_patterns;
use super::refuse::{Checked, Place, did_you_mean, hinted};
use super::types::{TIMESTAMP, is_integer, is_numeric, is_temporal};
use super::{aggregate, grouping, operator, window};

/// The names of the functions that have a shape of their own.
const SHAPED: &[&str] = &[
    "COALESCE",
    "NULLIF",
    "MOD",
    "CARDINALITY",
    "ELEMENT",
    "ROW",
    "ARRAY",
    "MAP",
    "TRIM",
    "TIMESTAMPADD",
    "TIMESTAMPDIFF",
];

/// The arguments of a call as written.
pub(super) struct Written<'a> {
    pub(super) arguments: Vec<&'a SqlExpr>,
    /// `COUNT(*)`.
    pub(super) star: bool,
    pub(super) distinct: bool,
}

impl Binder<'_> {
    /// Checks a call.
    pub(super) fn function(&self, call: &Function) -> Checked<Bound> {
        let place = self.at(&call.name);
        let name = call.name.to_string().trim_matches('`').to_ascii_uppercase();
        if let Some(window) = &call.over {
            return self.over(&name, call, window, place);
        }
        let written = self.written(call, &name, place)?;
        if let Some((shape, function)) = window::parse_name(&name) {
            return self.window_function(shape, function, &name, &written, place);
        }
        if aggregate::is_aggregate(&name) {
            return match self.stage {
                Stage::Group(..) | Stage::Select(_) | Stage::Pattern(_) => {
                    self.aggregate(&name, &written, place)
                }
                Stage::Row(why) => {
                    let error = place.refuse(format!("the aggregate `{name}` is not allowed {why}"));
                    let hint =
                        (why == "in `WHERE`").then(|| "conditions on groups stand in `HAVING`".to_string());
                    Err(hinted(error, hint))
                }
            };
        }
        if grouping::FUNCTIONS.contains(&name.as_str()) {
            return self.grouping_function(&name, &written, place);
        }
        if written.star || written.distinct {
            return Err(place.refuse(format!("`{name}` takes neither `*` nor `DISTINCT`")));
        }
        if is_of_patterns(&name) {
            return self.of_pattern(&name, &written, place);
        }
        self.call(&name, &written.arguments, place)
    }

    pub(super) fn written<'b>(&self, call: &'b Function, name: &str, place: Place) -> Checked<Written<'b>> {
        if call.filter.is_some() || call.null_treatment.is_some() || !call.within_group.is_empty() {
            return Err(
                place.unavailable(&format!("`FILTER`, `IGNORE NULLS` or `WITHIN GROUP` after `{name}`"))
            );
        }
        let list = match &call.args {
            FunctionArguments::None => {
                return Ok(Written { arguments: vec![], star: false, distinct: false });
            }
            FunctionArguments::Subquery(_) => return Err(place.unavailable("a sub-query as an argument")),
            FunctionArguments::List(list) => list,
        };
        if !list.clauses.is_empty() {
            return Err(place.unavailable(&format!("a clause inside the parentheses of `{name}`")));
        }
        let mut written = Written {
            arguments: Vec::with_capacity(list.args.len()),
            star: false,
            distinct: list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
        };
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => written.arguments.push(expr),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => written.star = true,
                other => return Err(place.unavailable(&format!("the argument `{other}`"))),
            }
        }
        Ok(written)
    }

    /// Checks a call of a scalar function with plain arguments.
    pub(super) fn call(&self, name: &str, arguments: &[&SqlExpr], place: Place) -> Checked<Bound> {
        match name {
            "COALESCE" => return self.coalesce(arguments, place),
            "NULLIF" => return self.null_if(arguments, place),
            "MOD" => {
                let [left, right] = self.exactly::<2>(name, arguments, place)?;
                return operator::modulo(left, right, "MOD", place);
            }
            "CARDINALITY" | "ELEMENT" => return self.of_collection(name, arguments, place),
            "ROW" => return self.row(arguments, place),
            "ARRAY" => return self.array(arguments, place),
            "MAP" => return self.map(arguments, place),
            "TRIM" => {
                let [value] = self.exactly::<1>(name, arguments, place)?;
                let value = operator::text(value, "`TRIM`", place)?;
                let trim = weir_functions::text::trim(weir_functions::text::TrimSide::Both);
                return Ok(Bound::call(trim, vec![value.expr, Bound::text(" ").expr]));
            }
            "TIMESTAMPADD" => return self.timestamp_add(arguments, place),
            "TIMESTAMPDIFF" => return self.timestamp_diff(arguments, place),
            _ => {}
        }
        let Some(function) = weir_functions::find(name) else { return Err(unknown(name, place)) };
        let (least, most) = function.arity();
        if arguments.len() < least || most.is_some_and(|most| arguments.len() > most) {
            let error = place.refuse(format!("`{name}` does not take {}", counted(arguments.len())));
            return Err(hinted(error, Some(format!("it is called as `{}`", function.synopsis))));
        }
        let mut values = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            let value = self.expression(argument)?;
            let Some(parameter) = function.parameter(index) else { continue };
            let place = self.at(*argument);
            let mut value = fit(value, parameter, name, index, place)?;
            if matches!(parameter, Parameter::Regex | Parameter::DatePattern) {
                value.expr = super::fold::fold(value.expr);
                let literal = operator::literal_text(&value.expr);
                literal
                    .map_or(Ok(()), |text| parameter.check_literal(text))
                    .map_err(|text| place.refuse(text))?;
            }
            values.push(value);
        }
        let types: Vec<DataType> = values.iter().map(|value| value.data_type.clone()).collect();
        let context = Context { time_zone: self.options.time_zone.clone() };
        let call = function.call(&types, &context);
        Ok(Bound::call(call, values.into_iter().map(|value| value.expr).collect()))
    }

    /// Checks as many arguments as a function has.
    fn exactly<const N: usize>(
        &self,
        name: &str,
        arguments: &[&SqlExpr],
        place: Place,
    ) -> Checked<[Bound; N]> {
        let values =
            arguments.iter().map(|argument| self.expression(argument)).collect::<Checked<Vec<_>>>()?;
        values.try_into().map_err(|values: Vec<Bound>| {
            place.refuse(format!("`{name}` takes {}, not {}", counted(N), values.len()))
        })
    }

    fn coalesce(&self, arguments: &[&SqlExpr], place: Place) -> Checked<Bound> {
        if arguments.is_empty() {
            return Err(place.refuse("`COALESCE` needs at least one argument"));
        }
        let values = arguments
            .iter()
            .map(|argument| Ok((self.expression(argument)?, self.at(*argument))))
            .collect::<Checked<Vec<_>>>()?;
        let (mut values, data_type) = unified(values, "the arguments of `COALESCE`", place)?;
        let last = values.pop();
        if values.is_empty() {
            return Ok(Bound::new(last.unwrap_or_default(), data_type));
        }
        let branches =
            values.into_iter().map(|value| (Box::new(value.clone().is_not_null()), Box::new(value)));
        let case = datafusion_expr::expr::Case::new(None, branches.collect(), last.map(Box::new));
        Ok(Bound::new(Expr::Case(case), data_type))
    }

    fn null_if(&self, arguments: &[&SqlExpr], place: Place) -> Checked<Bound> {
        let [value, other] = self.exactly::<2>("NULLIF", arguments, place)?;
        let data_type = value.data_type.clone();
        let equal = operator::compare(value.clone(), Operator::Eq, other, place)?;
        let null = null_of(&data_type).ok_or_else(|| place.refuse("`NULLIF` does not apply to this type"))?;
        let branch = (Box::new(equal.expr), Box::new(null));
        let case = datafusion_expr::expr::Case::new(None, vec![branch], Some(Box::new(value.expr)));
        Ok(Bound::new(Expr::Case(case), data_type))
    }

    fn of_collection(&self, name: &str, arguments: &[&SqlExpr], place: Place) -> Checked<Bound> {
        let [value] = self.exactly::<1>(name, arguments, place)?;
        let call = match &value.data_type {
            DataType::List(_) | DataType::Map(..) if name == "CARDINALITY" => collection::cardinality(),
            DataType::List(item) => collection::element(item.data_type()),
            other => {
                return Err(place.refuse(format!("`{name}` does not apply to {}", type_name(other))));
            }
        };
        Ok(Bound::call(call, vec![value.expr]))
    }

    /// Checks `ARRAY[...]`.
    pub(super) fn array(&self, elements: &[&SqlExpr], place: Place) -> Checked<Bound> {
        if elements.is_empty() {
            return Err(place.refuse("`ARRAY[...]` needs at least one element"));
        }
        let values = elements
            .iter()
            .map(|element| Ok((self.expression(element)?, self.at(*element))))
            .collect::<Checked<Vec<_>>>()?;
        let (values, item) = unified(values, "the elements of an ARRAY", place)?;
        Ok(Bound::call(collection::make_array(&item, values.len()), values))
    }

    /// Checks `MAP[k1, v1, ...]`.
    pub(super) fn map(&self, entries: &[&SqlExpr], place: Place) -> Checked<Bound> {
        if entries.is_empty() || !entries.len().is_multiple_of(2) {
            return Err(place.refuse("`MAP[...]` needs keys and values in pairs"));
        }
        let mut keys = Vec::with_capacity(entries.len() / 2);
        let mut values = Vec::with_capacity(entries.len() / 2);
        for pair in entries.chunks_exact(2) {
            keys.push((self.expression(pair[0])?, self.at(pair[0])));
            values.push((self.expression(pair[1])?, self.at(pair[1])));
        }
        let (keys, key) = unified(keys, "the keys of a MAP", place)?;
        let (values, value) = unified(values, "the values of a MAP", place)?;
        let arguments: Vec<Expr> =
            keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
        Ok(Bound::call(collection::make_map(&key, &value, arguments.len()), arguments))
    }

    /// Checks `ROW(...)`; its fields have no names of their own.
    pub(super) fn row(&self, values: &[&SqlExpr], place: Place) -> Checked<Bound> {
        if values.is_empty() {
            return Err(place.refuse("`ROW(...)` needs at least one field"));
        }
        let mut fields = Vec::with_capacity(values.len());
        let mut columns = Vec::with_capacity(values.len());
        for (index, sql) in values.iter().enumerate() {
            let value = self.expression(sql)?;
            if value.data_type == DataType::Null {
                return Err(self.at(*sql).refuse("a NULL in a ROW needs a type; write `CAST(NULL AS ...)`"));
            }
            fields.push(Field::new(format!("EXPR${index}"), value.data_type, true));
            columns.push(value.expr);
        }
        Ok(Bound::call(collection::make_row(fields.into()), columns))
    }

    fn unit(&self, name: &str, sql: &SqlExpr) -> Checked<Unit> {
        let place = self.at(sql);
        let unit = match sql {
            SqlExpr::Identifier(unit) => {
                // The units of ODBC are called `SQL_TSI_DAY` and so on.
                let name = unit.value.to_ascii_uppercase();
                Unit::parse(name.strip_prefix("SQL_TSI_").unwrap_or(&name))
            }
            SqlExpr::Value(value) => value.value.clone().into_string().and_then(|unit| Unit::parse(&unit)),
            _ => None,
        };
        let unit = unit.filter(|unit| !matches!(unit, Unit::DayOfWeek | Unit::DayOfYear));
        unit.ok_or_else(|| {
            let error = place.refuse(format!("the first argument of `{name}` must be a unit of time"));
            hinted(
                error,
                Some(
                    "expected `YEAR`, `QUARTER`, `MONTH`, `WEEK`, `DAY`, `HOUR`, `MINUTE` or `SECOND`".into(),
                ),
            )
        })
    }

    fn timestamp_add(&self, arguments: &[&SqlExpr], place: Place) -> Checked<Bound> {
        let [unit, count, time] = arguments else {
            return Err(place.refuse(format!("`TIMESTAMPADD` takes 3 arguments, not {}", arguments.len())));
        };
        let unit = self.unit("TIMESTAMPADD", unit)?;
        let count = fit(self.expression(count)?, Parameter::Integer, "TIMESTAMPADD", 1, self.at(*count))?;
        let time = fit(self.expression(time)?, Parameter::Time, "TIMESTAMPADD", 2, self.at(*time))?;
        match interval::timestamp_add(unit, &time.data_type) {
            Some(call) => Ok(Bound::call(call, vec![count.expr, time.expr])),
            None => Err(place.refuse(format!("this unit cannot be added to {}", type_name(&time.data_type)))),
        }
    }

    fn timestamp_diff(&self, arguments: &[&SqlExpr], place: Place) -> Checked<Bound> {
        let [unit, from, to] = arguments else {
            return Err(place.refuse(format!("`TIMESTAMPDIFF` takes 3 arguments, not {}", arguments.len())));
        };
        let unit = self.unit("TIMESTAMPDIFF", unit)?;
        let call =
            interval::timestamp_diff(unit).ok_or_else(|| place.refuse("this unit cannot be counted"))?;
        let mut times = Vec::with_capacity(2);
        for (index, sql) in [from, to].into_iter().enumerate() {
            let time =
                fit(self.expression(sql)?, Parameter::Time, "TIMESTAMPDIFF", index + 1, self.at(*sql))?;
            let time = convert(time, &TIMESTAMP).ok_or_else(|| place.refuse("a time is expected here"))?;
            times.push(time.expr);
        }
        Ok(Bound::call(call, times))
    }
}

fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_string(),
        1 => "1 argument".to_string(),
        more => format!("{more} arguments"),
    }
}

/// Tells whether a name is that of a function of the language, in any case.
pub(crate) fn is_built_in(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    window::parse_name(&name).is_some()
        || aggregate::is_aggregate(&name)
        || grouping::FUNCTIONS.contains(&name.as_str())
        || SHAPED.contains(&name.as_str())
        || weir_functions::all().any(|function| function.name == name)
}

/// Functions of other systems, and what does their work here.
const FUNCTIONS_ELSEWHERE: [(&str, &str); 16] = [
    ("NVL", "`COALESCE`"),
    ("IFNULL", "`COALESCE`"),
    ("ISNULL", "`IS NULL`, or `COALESCE`"),
    ("IF", "`CASE WHEN ... THEN ... ELSE ... END`"),
    ("IIF", "`CASE WHEN ... THEN ... ELSE ... END`"),
    ("DECODE", "`CASE ... WHEN ... THEN ... END`"),
    ("LEN", "`CHAR_LENGTH`"),
    ("SUBSTR", "`SUBSTRING`"),
    ("INSTR", "`POSITION(part IN text)`"),
    ("NOW", "`CURRENT_TIMESTAMP`"),
    ("SYSDATE", "`CURRENT_TIMESTAMP`"),
    ("GETDATE", "`CURRENT_TIMESTAMP`"),
    ("TO_CHAR", "`DATE_FORMAT`, or `CAST(... AS STRING)`"),
    ("TO_NUMBER", "`CAST(... AS DOUBLE)`"),
    ("DATEDIFF", "`TIMESTAMPDIFF`"),
    ("STRING_AGG", "`COLLECT`"),
];

fn unknown(name: &str, place: Place) -> crate::CheckError {
    let known = weir_functions::all().map(|function| function.name);
    let known = known.chain(SHAPED.iter().copied()).chain(aggregate::NAMES.iter().copied());
    let known = known.chain(grouping::FUNCTIONS.iter().copied());
    let elsewhere = FUNCTIONS_ELSEWHERE.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    let hint = elsewhere.map(|(_, instead)| format!("use {instead}")).or_else(|| did_you_mean(name, known));
    hinted(place.refuse(format!("function `{name}` is not available")), hint)
}

/// Converts an argument to what a parameter takes.
fn fit(value: Bound, parameter: Parameter, name: &str, index: usize, place: Place) -> Checked<Bound> {
    let given = type_name(&value.data_type);
    let of = value.data_type.clone();
    let (number, text, null) = (is_numeric(&of), of == DataType::Utf8, of == DataType::Null);
    let target = match parameter {
        Parameter::Text | Parameter::Regex | Parameter::DatePattern if text || null => Some(DataType::Utf8),
        Parameter::Integer | Parameter::BigInt if is_integer(&of) || null => Some(DataType::Int64),
        Parameter::IntegerOrText if is_integer(&of) => Some(DataType::Int64),
        Parameter::Double if number || null => Some(DataType::Float64),
        Parameter::Number if null => Some(DataType::Int32),
        Parameter::Number | Parameter::NumberOrText if number => Some(of.clone()),
        Parameter::IntegerOrText | Parameter::NumberOrText if text || null => Some(DataType::Utf8),
        Parameter::Time if is_temporal(&of) => Some(of.clone()),
        Parameter::Day if is_temporal(&of) && !matches!(of, DataType::Time32(_)) => Some(of.clone()),
        Parameter::Time | Parameter::Day if null => Some(TIMESTAMP),
        _ => None,
    };
    target.and_then(|target| convert(value, &target)).ok_or_else(|| {
        place.refuse(format!(
            "argument {} of `{name}` must be {}, not {given}",
            index + 1,
            parameter.wanted()
        ))
    })
}
