//! A position in content, as kept in checkpoints: `offset:records`.

use std::fmt;

use weir_engine::error::ConnectorError;
use weir_engine::source::Split;

/// Where to read on in a split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Bytes of decompressed content before it.
    pub offset: u64,
    /// Records before it.
    pub records: u64,
}

impl Position {
    /// Reads the position of a split.
    pub fn of(split: &Split) -> Result<Self, ConnectorError> {
        let Some(text) = &split.position else { return Ok(Self::default()) };
        let numbers = text.split_once(':').and_then(|(offset, records)| {
            Some(Self { offset: offset.parse().ok()?, records: records.parse().ok()? })
        });
        numbers.ok_or_else(|| {
            let text =
                format!("`{}`: the stored position `{text}` is not of the form `offset:records`", split.id);
            ConnectorError::permanent(text)
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.offset, self.records)
    }
}
