//! Reads parts of values: `a.b.c`, `array[i]`, `map[key]`, `row.field`.

use arrow::datatypes::DataType;
use sqlparser::ast::{AccessExpr, Expr as SqlExpr, Ident, Subscript, Value, ValueWithSpan};
use weir_functions::collection;
use weir_functions::conversion::type_name;

use super::bound::Bound;
use super::convert::convert;
use super::expr::Binder;
use super::refuse::{Checked, Place, did_you_mean, hinted};
use super::types::{common, is_integer};
use crate::suggest::listed;

impl Binder<'_> {
    /// Resolves `a.b.c`: the stream `a` wins over a column `a`.
    pub(super) fn path(&self, names: &[Ident]) -> Checked<Bound> {
        let (mut of, mut names) = (None, names);
        if let [first, rest @ ..] = names
            && !rest.is_empty()
            && self.scope.is_qualifier(&first.value)
        {
            (of, names) = (Some(first.value.as_str()), rest);
        }
        let [first, fields @ ..] = names else {
            return Err(self.otherwise.refuse("a name is expected here"));
        };
        let scope = if of.is_some() { self.scope } else { self.plain() };
        let is_column = scope.find(of, first, self.otherwise)?.is_some();
        if !is_column && !fields.is_empty() && of.is_none() {
            let place = Place::of(first.span, self.otherwise);
            let known = scope.columns.iter().filter_map(|column| column.name.as_deref());
            let hint = did_you_mean(&first.value, known.chain(self.scope.qualifiers())).or_else(|| {
                let inputs = self.scope.qualifiers();
                let what = if self.plain.is_some() { "the variables are" } else { "`FROM` has" };
                (!inputs.is_empty()).then(|| format!("{what} {}", listed(inputs)))
            });
            let input =
                if self.plain.is_some() { "a variable of the pattern" } else { "the stream read here" };
            let text = format!("`{}` is neither {input} nor one of its columns", first.value);
            return Err(hinted(place.refuse(text), hint));
        }
        let mut value = self.column(of, first, self.otherwise)?;
        for field in fields {
            value = self.field(value, field)?;
        }
        Ok(value)
    }

    fn field(&self, value: Bound, name: &Ident) -> Checked<Bound> {
        let place = Place::of(name.span, self.otherwise);
        let DataType::Struct(fields) = &value.data_type else {
            let of = type_name(&value.data_type);
            return Err(place.refuse(format!("`.{}` needs a ROW, not {of}", name.value)));
        };
        let found = fields.iter().position(|field| field.name().eq_ignore_ascii_case(&name.value));
        match found {
            Some(index) => Ok(Bound::call(collection::row_field(&fields[index], index), vec![value.expr])),
            None => {
                let hint = did_you_mean(&name.value, fields.iter().map(|field| field.name().as_str()));
                Err(hinted(place.refuse(format!("field `{}` is not in the ROW", name.value)), hint))
            }
        }
    }

    pub(super) fn access(&self, root: &SqlExpr, chain: &[AccessExpr]) -> Checked<Bound> {
        // `t.address.city` may come as a chain of dots: names before the first subscript are a path.
        let mut value = None;
        let mut rest = chain;
        if let SqlExpr::Identifier(first) = root {
            let dots = chain.iter().map_while(|step| match step {
                AccessExpr::Dot(SqlExpr::Identifier(name)) => Some(name.clone()),
                _ => None,
            });
            let names: Vec<Ident> = std::iter::once(first.clone()).chain(dots).collect();
            rest = &chain[names.len() - 1..];
            value = Some(self.path(&names)?);
        }
        let mut value = match value {
            Some(value) => value,
            None => self.expression(root)?,
        };
        for step in rest {
            value = match step {
                AccessExpr::Dot(SqlExpr::Identifier(name)) => self.field(value, name)?,
                AccessExpr::Dot(SqlExpr::Value(ValueWithSpan {
                    value: Value::SingleQuotedString(name),
                    span,
                })) => self.field(value, &Ident::with_span(*span, name.clone()))?,
                AccessExpr::Subscript(Subscript::Index { index }) => self.subscript(value, index)?,
                other => {
                    return Err(self.otherwise.refuse(format!("`{other}` is not a field or a subscript")));
                }
            };
        }
        Ok(value)
    }

    fn subscript(&self, value: Bound, index: &SqlExpr) -> Checked<Bound> {
        let place = self.at(index);
        let subscript = self.expression(index)?;
        let given = type_name(&subscript.data_type);
        if let DataType::List(item) = &value.data_type {
            let is_index = is_integer(&subscript.data_type) || subscript.data_type == DataType::Null;
            let position = if is_index { convert(subscript, &DataType::Int64) } else { None };
            let position = position.ok_or_else(|| {
                place.refuse(format!("the subscript of an ARRAY must be an integer, not {given}"))
            })?;
            return Ok(Bound::call(
                collection::array_element(item.data_type()),
                vec![value.expr, position.expr],
            ));
        }
        let Some((key_type, value_type)) = collection::map_types(&value.data_type) else {
            let of = type_name(&value.data_type);
            return Err(place.refuse(format!("a subscript needs an ARRAY or a MAP, not {of}")));
        };
        let fits = common(&key_type, &subscript.data_type).is_some();
        let key = if fits { convert(subscript, &key_type) } else { None };
        let key = key.ok_or_else(|| {
            place.refuse(format!("the keys of this MAP are of type {}, not {given}", type_name(&key_type)))
        })?;
        Ok(Bound::call(collection::map_value(&value_type), vec![value.expr, key.expr]))
    }
}
