//! The directory of each row: `obs_dir` with the values of columns in it.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::datatypes::{Schema, SchemaRef};
use weir_base::text::Zone;
use weir_engine::error::ConnectorError;
use weir_formats::{EncodedRecords, Encoder, FormatOptions};

/// Checks the form of `obs_dir`.
pub(crate) fn check(text: &str) -> Result<(), String> {
    parse(text).map(drop)
}

/// A piece of the directory below the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(String),
}

/// Splits `bucket/dir` and the columns in `dir`.
fn parse(text: &str) -> Result<(String, Vec<Piece>), String> {
    let place = text.trim().trim_start_matches('/');
    let (bucket, directory) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() || bucket.contains("${") {
        return Err(format!("`{text}` is not of the form `bucket/dir`"));
    }
    let mut pieces = Vec::new();
    let mut rest = directory.trim_end_matches('/');
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            return Err(format!("`${{` without `}}` in `{text}`"));
        };
        if start > 0 {
            pieces.push(Piece::Text(rest[..start].to_string()));
        }
        pieces.push(Piece::Column(rest[start + 2..start + length].trim().to_string()));
        rest = &rest[start + length + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_string()));
    }
    Ok((bucket.to_string(), pieces))
}

/// `obs_dir`, checked against the columns of the stream.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub bucket: String,
    /// Text, or the index of a column.
    pieces: Vec<Result<String, usize>>,
}

impl Directory {
    /// Parses the option for the columns of a schema.
    pub fn new(text: &str, schema: &Schema) -> Result<Self, String> {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        Self::of_columns(text, &names)
    }

    /// Parses the option for declared columns.
    pub fn of_columns(text: &str, declared: &[&str]) -> Result<Self, String> {
        let (bucket, pieces) = parse(text)?;
        let resolve = |piece: Piece| match piece {
            Piece::Text(text) => Ok(Ok(text)),
            Piece::Column(name) => {
                let exact = declared.iter().position(|column| *column == name);
                exact
                    .or_else(|| declared.iter().position(|column| column.eq_ignore_ascii_case(&name)))
                    .map(Err)
                    .ok_or_else(|| format!("the stream has no column `{name}`"))
            }
        };
        Ok(Self { bucket, pieces: pieces.into_iter().map(resolve).collect::<Result<_, String>>()? })
    }

    /// Returns the part before the first column: all objects lie below it.
    pub fn root(&self) -> String {
        let text = match self.pieces.first() {
            Some(Ok(text)) => text.as_str(),
            _ => "",
        };
        match self.columns().next() {
            // The last folder may be half of a name.
            Some(_) => text.rsplit_once('/').map_or("", |(folder, _)| folder).to_string(),
            None => text.to_string(),
        }
    }

    fn columns(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| piece.as_ref().err().copied())
    }
}

/// Splits batches by directory.
pub(crate) struct Splitter {
    directory: Directory,
    /// Writes one column as text, for each column piece.
    encoders: Vec<Box<dyn Encoder>>,
}

impl Splitter {
    /// Makes a splitter of rows with the columns of `schema`.
    pub fn new(
        directory: Directory,
        schema: &SchemaRef,
        zone: Zone,
    ) -> Result<Self, weir_formats::FormatError> {
        let options = FormatOptions { zone, ..FormatOptions::default() };
        let encoder = |column| {
            weir_formats::encoder(Arc::new(Schema::new(vec![schema.field(column).clone()])), &options)
        };
        let encoders = directory.columns().map(encoder).collect::<Result<_, _>>()?;
        Ok(Self { directory, encoders })
    }

    /// Returns the rows of each directory; NULL is the empty text.
    pub fn split(&mut self, rows: &RecordBatch) -> Result<Vec<(String, RecordBatch)>, ConnectorError> {
        if self.encoders.is_empty() {
            return Ok(vec![(self.directory.root(), rows.clone())]);
        }
        let names = self.names(rows)?;
        let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
        let mut index = std::collections::HashMap::new();
        for (row, name) in names.into_iter().enumerate() {
            let group = *index.entry(name.clone()).or_insert_with(|| {
                groups.push((name, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(row as u32);
        }
        let take = |(name, rows_of): (String, Vec<u32>)| {
            let taken = arrow::compute::take_record_batch(rows, &UInt32Array::from(rows_of));
            taken.map(|taken| (name, taken)).map_err(|error| ConnectorError::permanent(error.to_string()))
        };
        groups.into_iter().map(take).collect()
    }

    fn names(&mut self, rows: &RecordBatch) -> Result<Vec<String>, ConnectorError> {
        let failed = |error: String| ConnectorError::permanent(format!("option `obs_dir`: {error}"));
        let mut values = Vec::with_capacity(self.encoders.len());
        for (encoder, column) in self.encoders.iter_mut().zip(self.directory.columns()) {
            let mut records = EncodedRecords::default();
            let column = rows.project(&[column]).map_err(|error| failed(error.to_string()))?;
            encoder.encode(&column, &mut records).map_err(|error| failed(error.to_string()))?;
            values.push(
                records.iter().map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>(),
            );
        }
        let name = |row: usize| {
            let mut values = values.iter();
            let piece = |piece: &Result<String, usize>| match piece {
                Ok(text) => text.clone(),
                Err(_) => values.next().map_or_else(String::new, |column| column[row].clone()),
            };
            self.directory.pieces.iter().map(piece).collect::<String>()
        };
        Ok((0..rows.num_rows()).map(name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringArray};
    use arrow::datatypes::{DataType, Field};

    #[test]
    fn splits_rows_by_the_values_of_columns() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("city", DataType::Utf8, true),
            Field::new("n", DataType::Int32, true),
        ]));
        let directory = Directory::new("b1/out/c=${CITY}/${n}x", &schema).unwrap();
        assert_eq!((directory.bucket.as_str(), directory.root().as_str()), ("b1", "out"));
        let city = StringArray::from(vec![Some("a"), None, Some("a")]);
        let rows = RecordBatch::try_new(
            schema.clone(),
            vec![Arc::new(city), Arc::new(Int32Array::from(vec![1, 2, 1]))],
        );
        let parts = Splitter::new(directory, &schema, Zone::UTC).unwrap().split(&rows.unwrap()).unwrap();
        let counts: Vec<_> = parts.iter().map(|(name, rows)| (name.as_str(), rows.num_rows())).collect();
        assert_eq!(counts, [("out/c=a/1x", 2), ("out/c=/2x", 1)]);
        assert!(Directory::new("b1/${x}", &schema).is_err());
        for text in ["", "/", "${city}/a", "b1/${city"] {
            assert!(check(text).is_err(), "{text}");
        }
        assert_eq!(Directory::new("b1", &schema).unwrap().root(), "");
        assert_eq!(Directory::new("b1/a/b/", &schema).unwrap().root(), "a/b");
    }
}
