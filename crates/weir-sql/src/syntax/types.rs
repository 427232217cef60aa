//! Data types: their spelling, and what they are in Arrow and in the syntax tree of a query.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, Fields, TimeUnit};
use sqlparser::ast::{
    ArrayElemTypeDef, DataType as SqlType, ExactNumberInfo, Ident, StructBracketKind, StructField,
    TimezoneInfo,
};
use weir_functions::collection::map_type;

use super::cursor::Parser;
use super::token::TokenKind;
use crate::CheckError;
use crate::suggest::nearest;

const TYPES: &str = "a type: `STRING`, `BOOLEAN`, `TINYINT`, `SMALLINT`, `INT`, `BIGINT`, `FLOAT`, `DOUBLE`, `DECIMAL`, \
                     `DATE`, `TIME`, `TIMESTAMP`, `ARRAY[...]`, `MAP[..., ...]` or `ROW<...>`";

/// Types of other systems, and what they are called here.
const TYPES_ELSEWHERE: [(&str, &str); 12] = [
    ("TEXT", "STRING"),
    ("VARCHAR2", "STRING"),
    ("NVARCHAR", "STRING"),
    ("CHARACTER", "STRING"),
    ("JSON", "STRING"),
    ("DATETIME", "TIMESTAMP"),
    ("TIMESTAMP_LTZ", "TIMESTAMP"),
    ("TIMESTAMPTZ", "TIMESTAMP"),
    ("NUMBER", "DECIMAL"),
    ("INT64", "BIGINT"),
    ("FLOAT64", "DOUBLE"),
    ("STRUCT", "ROW<...>"),
];

/// Returns the type that was probably meant by a word.
fn type_meant(word: &str) -> Option<&'static str> {
    let elsewhere = TYPES_ELSEWHERE.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    let names = || TYPES.split('`').skip(1).step_by(2);
    elsewhere.map(|(_, meant)| *meant).or_else(|| nearest(word, names()))
}

/// What `DECIMAL` without arguments means.
const DEFAULT_DECIMAL: (u8, i8) = (DECIMAL128_MAX_PRECISION, 18);

impl Parser<'_> {
    /// Parses a type.
    pub(super) fn data_type(&mut self) -> Result<DataType, CheckError> {
        self.nested(Self::data_type_inside)
    }

    fn data_type_inside(&mut self) -> Result<DataType, CheckError> {
        let token = self.peek();
        if token.kind != TokenKind::Word {
            return Err(self.expected(TYPES));
        }
        let data_type = match token.text.to_ascii_uppercase().as_str() {
            "STRING" => DataType::Utf8,
            "VARCHAR" | "CHAR" => {
                self.take();
                self.numbers_in_brackets(1)?;
                return Ok(DataType::Utf8);
            }
            "BOOLEAN" | "BOOL" => DataType::Boolean,
            "TINYINT" => DataType::Int8,
            "SMALLINT" | "SHORT" => DataType::Int16,
            "INT" | "INTEGER" => DataType::Int32,
            "BIGINT" | "LONG" => DataType::Int64,
            "FLOAT" | "REAL" => DataType::Float32,
            "DOUBLE" => {
                self.take();
                self.take_word("PRECISION");
                return Ok(DataType::Float64);
            }
            "DECIMAL" | "DEC" | "NUMERIC" => return self.decimal(),
            "DATE" => DataType::Date32,
            "TIME" => DataType::Time32(TimeUnit::Millisecond),
            "TIMESTAMP" => {
                self.take();
                // Every precision is accepted and means milliseconds. `TIMESTAMP BY` follows a column list, never a type.
                self.numbers_in_brackets(1)?;
                return Ok(DataType::Timestamp(TimeUnit::Millisecond, None));
            }
            "ARRAY" => return self.array_type(),
            "MAP" => return self.map_type(),
            "ROW" => return self.row_type(),
            "INTERVAL" => {
                return Err(token
                    .error("`INTERVAL` is not a type of columns")
                    .hint("intervals occur only in expressions"));
            }
            _ => {
                let hint = match type_meant(token.text) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("expected {TYPES}"),
                };
                return Err(token.error(format!("unknown type {}", token.describe())).hint(hint));
            }
        };
        self.take();
        Ok(data_type)
    }

    fn decimal(&mut self) -> Result<DataType, CheckError> {
        self.take();
        let start = self.peek();
        let (precision, scale) = match self.numbers_in_brackets(2)?[..] {
            [] => return Ok(DataType::Decimal128(DEFAULT_DECIMAL.0, DEFAULT_DECIMAL.1)),
            [precision] => (precision, 0),
            [precision, scale, ..] => (precision, scale),
        };
        match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(precision @ 1..=DECIMAL128_MAX_PRECISION), Ok(small)) if scale <= u64::from(precision) => {
                Ok(DataType::Decimal128(precision, small))
            }
            _ => Err(start
                .error(format!("`DECIMAL({precision}, {scale})` does not exist"))
                .hint("expected a precision from 1 to 38 and a scale not above it")),
        }
    }

    /// Parses up to `most` numbers in round brackets, if there are brackets.
    fn numbers_in_brackets(&mut self, most: usize) -> Result<Vec<u64>, CheckError> {
        let mut numbers = Vec::new();
        if !self.take_symbol("(") {
            return Ok(numbers);
        }
        loop {
            let token = self.peek();
            match token.text.parse() {
                Ok(number) if token.kind == TokenKind::Number => numbers.push(number),
                _ => return Err(self.expected("a whole number")),
            }
            self.take();
            if numbers.len() == most || !self.take_symbol(",") {
                self.expect_symbol(")")?;
                return Ok(numbers);
            }
        }
    }

    fn array_type(&mut self) -> Result<DataType, CheckError> {
        self.take();
        let close = self.open_bracket()?;
        let element = self.data_type()?;
        self.expect_symbol(close)?;
        Ok(DataType::List(Arc::new(Field::new_list_field(element, true))))
    }

    fn map_type(&mut self) -> Result<DataType, CheckError> {
        self.take();
        let close = self.open_bracket()?;
        let key_token = self.peek();
        let key = self.data_type()?;
        if key.is_nested() {
            return Err(key_token
                .error("the key of a `MAP` must be a primitive type")
                .hint("expected, for example, `STRING`"));
        }
        self.expect_symbol(",")?;
        let value = self.data_type()?;
        self.expect_symbol(close)?;
        Ok(map_type(&key, &value))
    }

    fn row_type(&mut self) -> Result<DataType, CheckError> {
        self.take();
        let close = match self.take_symbol("(") {
            true => ")",
            false => {
                self.expect_symbol("<")?;
                ">"
            }
        };
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let name = self.name("a field name")?;
            if fields.iter().any(|field| field.name().eq_ignore_ascii_case(&name.value)) {
                let text = format!("field `{}` is declared twice", name.value);
                return Err(CheckError::new(name.position, name.length, text)
                    .hint("expected a name of its own for each field"));
            }
            fields.push(Field::new(name.value, self.data_type()?, true));
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect_symbol_or(close, "`,` or ")?;
        Ok(DataType::Struct(Fields::from(fields)))
    }

    /// Takes `[` or `<` and returns what closes it.
    fn open_bracket(&mut self) -> Result<&'static str, CheckError> {
        if self.take_symbol("[") {
            return Ok("]");
        }
        match self.take_symbol("<") {
            true => Ok(">"),
            false => Err(self.expected("`[` or `<`")),
        }
    }
}

/// Returns the type as a syntax tree holds it.
pub(crate) fn sql_type(data_type: &DataType) -> SqlType {
    match data_type {
        DataType::Boolean => SqlType::Boolean,
        DataType::Int8 => SqlType::TinyInt(None),
        DataType::Int16 => SqlType::SmallInt(None),
        DataType::Int32 => SqlType::Int(None),
        DataType::Int64 => SqlType::BigInt(None),
        DataType::Float32 => SqlType::Real,
        DataType::Float64 => SqlType::Double(ExactNumberInfo::None),
        DataType::Decimal128(precision, scale) => {
            SqlType::Decimal(ExactNumberInfo::PrecisionAndScale(u64::from(*precision), i64::from(*scale)))
        }
        DataType::Date32 => SqlType::Date,
        DataType::Time32(_) => SqlType::Time(None, TimezoneInfo::None),
        DataType::Timestamp(_, _) => SqlType::Timestamp(None, TimezoneInfo::None),
        DataType::List(element) => {
            SqlType::Array(ArrayElemTypeDef::SquareBracket(Box::new(sql_type(element.data_type())), None))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => SqlType::Map(
                Box::new(sql_type(fields[0].data_type())),
                Box::new(sql_type(fields[1].data_type())),
            ),
            _ => SqlType::String(None),
        },
        DataType::Struct(fields) => SqlType::Struct(
            fields
                .iter()
                .map(|field| StructField {
                    field_name: Some(Ident::new(field.name())),
                    field_type: sql_type(field.data_type()),
                    options: None,
                })
                .collect(),
            StructBracketKind::AngleBrackets,
        ),
        // The type parser makes no other type than text here.
        _ => SqlType::String(None),
    }
}

#[cfg(test)]
mod tests {
    use weir_functions::conversion::type_name;

    use super::*;

    fn parse(text: &str) -> Result<DataType, CheckError> {
        let mut parser = Parser::new(text, None);
        let data_type = parser.data_type()?;
        assert_eq!(parser.peek().kind, TokenKind::End, "{text}");
        Ok(data_type)
    }

    #[test]
    fn synonyms_are_one_type() {
        for (texts, expected) in [
            (&["STRING", "varchar", "VARCHAR(20)", "CHAR(1)", "char"][..], "STRING"),
            (&["BOOLEAN", "bool"], "BOOLEAN"),
            (&["SMALLINT", "SHORT"], "SMALLINT"),
            (&["INT", "INTEGER"], "INT"),
            (&["BIGINT", "LONG"], "BIGINT"),
            (&["FLOAT", "REAL"], "FLOAT"),
            (&["DOUBLE", "DOUBLE PRECISION"], "DOUBLE"),
            (&["DECIMAL", "DEC", "NUMERIC(38,18)"], "DECIMAL(38,18)"),
            (&["DECIMAL(10)", "DEC(10, 0)"], "DECIMAL(10,0)"),
            (&["TIMESTAMP", "TIMESTAMP(3)", "TIMESTAMP(9)"], "TIMESTAMP"),
            (&["ARRAY[INT]", "ARRAY<INT>"], "ARRAY[INT]"),
            (&["MAP[STRING, DOUBLE]", "MAP<CHAR, DOUBLE>"], "MAP[STRING, DOUBLE]"),
        ] {
            for text in texts {
                assert_eq!(type_name(&parse(text).unwrap()), expected, "{text}");
            }
        }
    }

    #[test]
    fn types_nest() {
        let text = "ARRAY[ROW<id STRING, v MAP[STRING, ARRAY[DECIMAL(5,2)]], t TIME, d DATE, f FLOAT>]";
        let data_type = parse(text).unwrap();
        assert_eq!(type_name(&data_type), text);
        assert_eq!(
            sql_type(&data_type).to_string(),
            "STRUCT<id STRING, v Map(STRING, DECIMAL(5,2)[]), t TIME, d DATE, f REAL>[]"
        );
        assert_eq!(parse("ARRAY<ARRAY<INT>>").map(|t| type_name(&t)), Ok("ARRAY[ARRAY[INT]]".to_string()));
    }

    #[test]
    fn wrong_types_are_refused_where_they_stand() {
        for (text, column, complaint) in [
            ("TEXT", 1, "unknown type `TEXT`"),
            ("INTERVAL", 1, "`INTERVAL` is not a type of columns"),
            ("DECIMAL(39)", 8, "`DECIMAL(39, 0)` does not exist"),
            ("DECIMAL(5, 6)", 8, "`DECIMAL(5, 6)` does not exist"),
            ("DECIMAL(1, 2, 3)", 13, "unexpected `,`"),
            ("MAP[ARRAY[INT], INT]", 5, "the key of a `MAP` must be a primitive type"),
            ("ROW<a INT, A INT>", 12, "field `A` is declared twice"),
            ("ARRAY(INT)", 6, "unexpected `(`"),
            ("ARRAY[INT>", 10, "unexpected `>`"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.message.position.column, error.message.text.as_str()),
                (column, complaint),
                "{text}"
            );
        }
        assert!(parse(&"ARRAY[".repeat(100)).unwrap_err().message.text.contains("nested too deep"));
    }
}
