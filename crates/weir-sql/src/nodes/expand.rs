//! Every row once for each grouping: `GROUPING SETS`, `CUBE` and `ROLLUP`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};

/// The column with the number of the grouping, from 0.
pub(crate) const GROUPING: &str = "__grouping";

/// Returns the name of the column of a key.
pub(crate) fn key_name(key: usize) -> String {
    format!("__key_{key}")
}

/// Repeats each row of the input for every grouping.
///
/// The output has the columns of the input, which the arguments of aggregates read, then a column for each key, NULL
/// where the grouping rolls it up, then the number of the grouping, an INT that counts from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expand {
    /// The rows.
    pub input: Arc<LogicalPlan>,
    /// The keys that not every grouping has.
    pub keys: Vec<Expr>,
    /// For each grouping the keys that it rolls up.
    pub rolled_up: Vec<Vec<usize>>,
    schema: DFSchemaRef,
}

impl Expand {
    /// Makes the node.
    pub fn try_new(input: LogicalPlan, keys: Vec<Expr>, rolled_up: Vec<Vec<usize>>) -> Result<Self> {
        let mut fields: Vec<_> =
            input.schema().iter().map(|(q, field)| (q.cloned(), field.clone())).collect();
        for (at, key) in keys.iter().enumerate() {
            let of = key.get_type(input.schema())?;
            fields.push((None, Arc::new(Field::new(key_name(at), of, true))));
        }
        fields.push((None, Arc::new(Field::new(GROUPING, DataType::Int32, true))));
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(Self { input: Arc::new(input), keys, rolled_up, schema })
    }
}

impl PartialOrd for Expand {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self == other {
            true => Some(Ordering::Equal),
            false => None,
        }
    }
}

impl UserDefinedLogicalNodeCore for Expand {
    fn name(&self) -> &'static str {
        "Expand"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.keys.clone()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sets = self.rolled_up.iter().map(|rolled_up| {
            let kept = self.keys.iter().enumerate().filter(|(key, _)| !rolled_up.contains(key));
            let kept: Vec<String> = kept.map(|(_, key)| key.to_string()).collect();
            format!("({})", kept.join(", "))
        });
        write!(f, "Expand: {}", sets.collect::<Vec<_>>().join(", "))
    }

    fn with_exprs_and_inputs(&self, expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match <[LogicalPlan; 1]>::try_from(inputs) {
            Ok([input]) => Self::try_new(input, expressions, self.rolled_up.clone()),
            Err(_) => internal_err!("`Expand` has one input"),
        }
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        Some(vec![output.iter().copied().filter(|index| *index < width).collect()])
    }
}
