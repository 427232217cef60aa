//! Reading records that are one JSON object each.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, SchemaRef};

use super::cursor::Cursor;
use super::paths::column_paths;
use super::plan::ObjectPlan;
use super::problem::Problem;
use super::values::Targets;
use crate::column::{Column, finish_batch};
use crate::decode::{Decoder, Dirty};
use crate::options::{FormatError, FormatOptions};

pub(crate) struct JsonDecoder {
    schema: SchemaRef,
    plan: ObjectPlan,
    /// The columns of path `$`.
    whole: Vec<usize>,
    targets: Targets,
    /// Rows and text bytes per column of the last batch: what the next one will probably need.
    last_sizes: Vec<(usize, usize)>,
}

impl JsonDecoder {
    pub fn new(schema: SchemaRef, options: &FormatOptions) -> Result<Self, FormatError> {
        let paths = column_paths(&schema, options.json_config.as_deref())?;
        let (plan, whole) = ObjectPlan::of_record(&paths);
        for column in &whole {
            let field = schema.field(*column);
            if *field.data_type() != DataType::Utf8 {
                return Err(FormatError::column(field.name(), "path `$` needs a STRING column"));
            }
        }
        let fields: Vec<&Field> = schema.fields().iter().map(AsRef::as_ref).collect();
        let columns = fields.iter().map(|field| Column::new(field)).collect::<Result<Vec<_>, _>>()?;
        let last_sizes = vec![(0, 0); columns.len()];
        let targets = Targets::new(columns, &fields, options.zone);
        Ok(Self { plan, whole, targets, last_sizes, schema })
    }

    fn read(&mut self, record: &[u8]) -> Result<(), Problem> {
        if let Err(error) = std::str::from_utf8(record) {
            return Err(Problem::syntax("invalid UTF-8", error.valid_up_to()));
        }
        let mut cursor = Cursor::new(record);
        if cursor.peek() != Some(b'{') {
            return Err(cursor.problem("expected `{`"));
        }
        self.plan.read(&mut cursor, &mut self.targets)?;
        if cursor.peek().is_some() {
            return Err(cursor.problem("more text after the object"));
        }
        for column in &self.whole {
            self.targets.push_whole(*column, record.trim_ascii())?;
        }
        let rows = self.targets.rows;
        for column in &mut self.targets.columns {
            if column.len() == rows {
                column.push_null();
            }
        }
        Ok(())
    }
}

impl Decoder for JsonDecoder {
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty> {
        if self.targets.rows == 0 {
            for (column, (rows, bytes)) in self.targets.columns.iter_mut().zip(&self.last_sizes) {
                column.reserve(*rows, *bytes);
            }
        }
        match self.read(record) {
            Ok(()) => {
                self.targets.rows += 1;
                Ok(())
            }
            Err(problem) => {
                let rows = self.targets.rows;
                self.targets.columns.iter_mut().for_each(|column| column.truncate(rows));
                Err(Dirty { reason: problem.reason() })
            }
        }
    }

    fn rows(&self) -> usize {
        self.targets.rows
    }

    fn flush(&mut self) -> RecordBatch {
        self.last_sizes =
            self.targets.columns.iter().map(|column| (column.len(), column.text_bytes())).collect();
        let rows = std::mem::take(&mut self.targets.rows);
        finish_batch(&self.schema, &mut self.targets.columns, rows)
    }
}
