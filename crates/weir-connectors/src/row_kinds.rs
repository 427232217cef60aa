//! The hidden column of a changelog, for sinks that show what happens to each row.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int8Type;
use weir_engine::error::ConnectorError;
use weir_engine::{ROW_KIND, RowKind};

/// Returns rows without the column of kinds, and the kinds; rows of a plan that only adds have none.
pub(crate) fn split(
    stream: &str,
    rows: &RecordBatch,
) -> Result<(RecordBatch, Option<Vec<RowKind>>), ConnectorError> {
    let fault = |what: &str| ConnectorError::permanent(format!("stream `{stream}`: {what}"));
    let Ok(column) = rows.schema().index_of(ROW_KIND) else { return Ok((rows.clone(), None)) };
    let values = rows.column(column).as_primitive_opt::<Int8Type>();
    let values = values.ok_or_else(|| fault("the kinds of rows are no Int8"))?;
    let kinds: Option<Vec<RowKind>> =
        values.values().iter().map(|value| RowKind::from_value(*value)).collect();
    let kinds = kinds.ok_or_else(|| fault("a row has an unknown kind"))?;
    let mut rows = rows.clone();
    rows.remove_column(column);
    Ok((rows, Some(kinds)))
}
