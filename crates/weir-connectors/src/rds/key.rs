//! Keys of a look-up as values of the database.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use weir_base::text::Zone;
use weir_functions::conversion::type_name;

use super::address::Dialect;

/// What a column of the database holds, as far as comparing and reading goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// PostgreSQL `CHAR(n)`, which compares without its trailing blanks.
    PaddedText,
    Number,
    Boolean,
    Date,
    Time,
    /// A wall clock.
    DateTime,
    /// An instant, shown as a wall clock of the zone of the connection, which is UTC.
    Instant,
    /// Anything that can only be compared by its text.
    Other,
}

impl Kind {
    /// Returns the kind of a type by the name it has in the database.
    pub fn of(dialect: Dialect, type_name: &str) -> Self {
        let name = type_name.to_ascii_uppercase();
        let name = name.strip_suffix(" UNSIGNED").unwrap_or(&name);
        match (dialect, name) {
            (_, "TEXT" | "VARCHAR" | "ENUM" | "NAME") if dialect == Dialect::MySql || name != "ENUM" => {
                Kind::Text
            }
            (Dialect::PostgreSql, "CHAR" | "BPCHAR") => Kind::PaddedText,
            (Dialect::MySql, "CHAR" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" | "SET") => Kind::Text,
            (Dialect::PostgreSql, "INT2" | "INT4" | "INT8" | "FLOAT4" | "FLOAT8" | "NUMERIC" | "OID")
            | (
                Dialect::MySql,
                "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "FLOAT" | "DOUBLE" | "DECIMAL"
                | "YEAR",
            ) => Kind::Number,
            (Dialect::PostgreSql, "BOOL") | (Dialect::MySql, "BOOLEAN") => Kind::Boolean,
            (_, "DATE") => Kind::Date,
            (_, "TIME") => Kind::Time,
            (Dialect::PostgreSql, "TIMESTAMP") | (Dialect::MySql, "DATETIME") => Kind::DateTime,
            (Dialect::PostgreSql, "TIMESTAMPTZ") | (Dialect::MySql, "TIMESTAMP") => Kind::Instant,
            _ => Kind::Other,
        }
    }
}

/// How keys of one column are compared with the column of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyForm {
    pub dialect: Dialect,
    pub declared: DataType,
    pub kind: Kind,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeyValue {
    Integer(i64),
    Float(f64),
    Text(String),
}

impl KeyForm {
    /// Makes the form, or says why such keys cannot be compared.
    pub fn new(dialect: Dialect, declared: &DataType, kind: Kind) -> Result<Self, String> {
        let fits = match declared {
            // Every value has a text.
            DataType::Utf8 => true,
            DataType::Boolean => kind == Kind::Boolean || (dialect == Dialect::MySql && kind == Kind::Number),
            DataType::Date32 => kind == Kind::Date,
            DataType::Time32(_) => kind == Kind::Time,
            DataType::Timestamp(..) => matches!(kind, Kind::DateTime | Kind::Instant | Kind::Date),
            of if of.is_numeric() => {
                kind == Kind::Number || (dialect == Dialect::MySql && kind == Kind::Boolean)
            }
            _ => false,
        };
        match fits {
            true => Ok(Self { dialect, declared: declared.clone(), kind }),
            false => {
                Err(format!("is {} here and cannot be compared with its type there", type_name(declared)))
            }
        }
    }

    /// Returns whether the text of the column is compared, for which no index on the column itself serves.
    pub fn by_text(&self) -> bool {
        self.declared == DataType::Utf8 && !matches!(self.kind, Kind::Text | Kind::PaddedText)
    }

    /// Returns the type to which PostgreSQL converts the texts of keys.
    pub fn postgres_type(&self) -> &'static str {
        match &self.declared {
            DataType::Boolean => "bool",
            DataType::Int8 | DataType::Int16 => "int2",
            DataType::Int32 => "int4",
            DataType::Int64 => "int8",
            DataType::Float32 => "float4",
            DataType::Float64 => "float8",
            DataType::Decimal128(..) => "numeric",
            DataType::Date32 => "date",
            DataType::Time32(_) => "time",
            DataType::Timestamp(..) if self.kind == Kind::Instant => "timestamptz",
            DataType::Timestamp(..) => "timestamp",
            _ if self.kind == Kind::PaddedText => "bpchar",
            _ => "text",
        }
    }

    /// Returns the place of a value in a statement of MySQL.
    pub fn mysql_place(&self) -> String {
        match &self.declared {
            DataType::Decimal128(precision, scale) => format!("CAST(? AS DECIMAL({precision},{scale}))"),
            DataType::Date32 => "CAST(? AS DATE)".to_string(),
            DataType::Time32(_) => "CAST(? AS TIME(3))".to_string(),
            DataType::Timestamp(..) => "CAST(? AS DATETIME(3))".to_string(),
            _ => "?".to_string(),
        }
    }

    /// Returns the values of keys as their texts.
    pub fn texts(&self, keys: &ArrayRef, zone: &Zone) -> Result<Vec<String>, ArrowError> {
        let is_instant = self.kind == Kind::Instant && self.declared != DataType::Utf8;
        let keys = match is_instant {
            true => {
                let walls = keys.as_primitive::<TimestampMillisecondType>();
                let instants: TimestampMillisecondArray = walls.unary(|wall| zone.wall_to_instant(wall));
                Arc::new(instants) as ArrayRef
            }
            false => Arc::clone(keys),
        };
        let texts = cast(&keys, &DataType::Utf8)?;
        let suffix = if is_instant && self.dialect == Dialect::PostgreSql { "Z" } else { "" };
        Ok(texts.as_string::<i32>().iter().flatten().map(|text| format!("{text}{suffix}")).collect())
    }

    /// Returns the values of keys; numbers stay numbers.
    pub fn values(&self, keys: &ArrayRef, zone: &Zone) -> Result<Vec<KeyValue>, ArrowError> {
        Ok(match &self.declared {
            of if of.is_integer() || *of == DataType::Boolean => {
                let integers = cast(keys, &DataType::Int64)?;
                let integers = integers.as_primitive::<Int64Type>();
                integers.values().iter().map(|value| KeyValue::Integer(*value)).collect()
            }
            DataType::Float32 | DataType::Float64 => {
                let floats = cast(keys, &DataType::Float64)?;
                floats
                    .as_primitive::<Float64Type>()
                    .values()
                    .iter()
                    .map(|value| KeyValue::Float(*value))
                    .collect()
            }
            _ => self.texts(keys, zone)?.into_iter().map(KeyValue::Text).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, Decimal128Array, Int16Array, StringArray};
    use arrow::datatypes::TimeUnit;

    use super::*;

    const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

    #[test]
    fn strings_fit_every_type_and_others_their_own_kind() {
        let fits = |declared: &DataType, kind| KeyForm::new(Dialect::PostgreSql, declared, kind).is_ok();
        assert!(fits(&DataType::Utf8, Kind::Other) && fits(&DataType::Utf8, Kind::Number));
        assert!(fits(&DataType::Int32, Kind::Number) && !fits(&DataType::Int32, Kind::Text));
        assert!(!fits(&DataType::Boolean, Kind::Number));
        assert!(KeyForm::new(Dialect::MySql, &DataType::Boolean, Kind::Number).is_ok());
        let form = KeyForm::new(Dialect::PostgreSql, &DataType::Utf8, Kind::of(Dialect::PostgreSql, "UUID"));
        assert!(form.unwrap().by_text());
        let form = KeyForm::new(Dialect::MySql, &DataType::Utf8, Kind::of(Dialect::MySql, "ENUM"));
        assert!(!form.unwrap().by_text());
    }

    #[test]
    fn instants_are_told_in_utc() {
        let zone = Zone::parse("+08:00").unwrap();
        let wall: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1_710_486_489_123]));
        let texts = |dialect, kind| {
            KeyForm::new(dialect, &TIMESTAMP, kind).unwrap().texts(&wall, &zone).unwrap().remove(0)
        };
        assert_eq!(texts(Dialect::PostgreSql, Kind::DateTime), "2024-03-15T07:08:09.123");
        assert_eq!(texts(Dialect::PostgreSql, Kind::Instant), "2024-03-14T23:08:09.123Z");
        assert_eq!(texts(Dialect::MySql, Kind::Instant), "2024-03-14T23:08:09.123");
    }

    #[test]
    fn values_for_mysql() {
        let values = |declared: DataType, kind, keys: ArrayRef| {
            KeyForm::new(Dialect::MySql, &declared, kind).unwrap().values(&keys, &Zone::UTC).unwrap()
        };
        let integers = values(DataType::Int16, Kind::Number, Arc::new(Int16Array::from(vec![-7])));
        assert_eq!(integers, [KeyValue::Integer(-7)]);
        let booleans = values(DataType::Boolean, Kind::Boolean, Arc::new(BooleanArray::from(vec![true])));
        assert_eq!(booleans, [KeyValue::Integer(1)]);
        let decimal = Decimal128Array::from(vec![-1205]).with_precision_and_scale(6, 2).unwrap();
        let decimals = values(DataType::Decimal128(6, 2), Kind::Number, Arc::new(decimal));
        assert_eq!(decimals, [KeyValue::Text("-12.05".to_string())]);
        let strings = values(DataType::Utf8, Kind::Text, Arc::new(StringArray::from(vec!["a'b"])));
        assert_eq!(strings, [KeyValue::Text("a'b".to_string())]);
    }
}
