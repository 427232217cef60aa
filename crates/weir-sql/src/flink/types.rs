//! Types as Flink SQL writes them.

use arrow::datatypes::{DataType, TimeUnit};

use weir_functions::conversion::type_name;

use super::{NotInFlink, Translated, quoted};

/// Returns the name of a type.
pub(super) fn type_text(of: &DataType) -> Translated<String> {
    Ok(match of {
        DataType::Utf8 => "STRING".to_string(),
        DataType::Boolean => "BOOLEAN".to_string(),
        DataType::Int8 => "TINYINT".to_string(),
        DataType::Int16 => "SMALLINT".to_string(),
        DataType::Int32 => "INT".to_string(),
        DataType::Int64 => "BIGINT".to_string(),
        DataType::Float32 => "FLOAT".to_string(),
        DataType::Float64 => "DOUBLE".to_string(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::Date32 => "DATE".to_string(),
        DataType::Time32(TimeUnit::Millisecond) => "TIME(3)".to_string(),
        DataType::Timestamp(TimeUnit::Millisecond, None) => "TIMESTAMP(3)".to_string(),
        DataType::List(item) => format!("ARRAY<{}>", type_text(item.data_type())?),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                format!("MAP<{}, {}>", type_text(pair[0].data_type())?, type_text(pair[1].data_type())?)
            }
            other => return Err(unknown(other)),
        },
        DataType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| Ok(format!("{} {}", quoted(field.name()), type_text(field.data_type())?)))
                .collect::<Translated<Vec<_>>>()?;
            format!("ROW<{}>", fields.join(", "))
        }
        other => return Err(unknown(other)),
    })
}

fn unknown(of: &DataType) -> NotInFlink {
    NotInFlink::new(format!("a value of type {} has no type in Flink SQL", type_name(of)))
}
