//! A join with a dimension table.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Field, SchemaRef};
use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

/// Looks rows of a table up for each row of the input, as the table is when the row comes.
///
/// The output has the columns of the input, then all columns of the table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LookupJoin {
    /// The rows of the stream.
    pub input: Arc<LogicalPlan>,
    /// The declared name of the table.
    pub table: String,
    /// Columns of the table, in ascending order and each once, and what each is equal to: an expression over the
    /// input, of the type of the column.
    pub keys: Vec<(usize, Expr)>,
    /// Whether a row without a match is kept, with NULL in the columns of the table.
    pub outer: bool,
    schema: DFSchemaRef,
}

impl LookupJoin {
    /// Makes the node. `names` are those of the columns of the table in the output, which the input does not have.
    pub fn try_new(
        input: LogicalPlan,
        table: (&str, &SchemaRef),
        names: &[String],
        keys: Vec<(usize, Expr)>,
        outer: bool,
    ) -> Result<Self> {
        let (table, columns) = table;
        if columns.fields().len() != names.len() {
            return internal_err!("`{table}` has {} columns, not {}", columns.fields().len(), names.len());
        }
        let mut fields: Vec<_> =
            input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))).collect();
        fields.extend(
            columns
                .fields()
                .iter()
                .zip(names)
                .map(|(field, name)| (None, Arc::new(Field::new(name, field.data_type().clone(), true)))),
        );
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(Self { input: Arc::new(input), table: table.to_string(), keys, outer, schema })
    }
}

impl PartialOrd for LookupJoin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self == other {
            true => Some(Ordering::Equal),
            false => None,
        }
    }
}

impl UserDefinedLogicalNodeCore for LookupJoin {
    fn name(&self) -> &'static str {
        "LookupJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.keys.iter().map(|(_, key)| key.clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupJoin: {} on ", self.table)?;
        let width = self.input.schema().fields().len();
        for (index, (column, key)) in self.keys.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            write!(f, "{} = {key}", self.schema.field(width + column).name())?;
        }
        f.write_str(if self.outer { ", outer" } else { "" })
    }

    fn with_exprs_and_inputs(&self, expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Ok([input]) = <[LogicalPlan; 1]>::try_from(inputs) else {
            return internal_err!("`LookupJoin` has one input");
        };
        if expressions.len() != self.keys.len() {
            return internal_err!("`LookupJoin` has {} keys", self.keys.len());
        }
        let width = self.input.schema().fields().len();
        let own = self.schema.iter().skip(width).map(|(_, field)| (None, Arc::clone(field)));
        let of_input =
            input.schema().iter().map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)));
        let fields = of_input.chain(own).collect();
        let schema = DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?;
        let keys = self.keys.iter().map(|(column, _)| *column).zip(expressions).collect();
        let table = self.table.clone();
        Ok(Self { input: Arc::new(input), table, keys, outer: self.outer, schema: Arc::new(schema) })
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        Some(vec![output.iter().copied().filter(|index| *index < width).collect()])
    }
}
