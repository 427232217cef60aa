//! One row for each element of a collection: `UNNEST` and `LATERAL TABLE`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, UserDefinedLogicalNodeCore};

/// Repeats each row of the input for every element of a collection computed from it.
///
/// The output has the columns of the input, then those of an element: one, or a column for each field of a ROW, or
/// key and value of a map entry, then the place of the element from 1 when that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unnest {
    /// The rows.
    pub input: Arc<LogicalPlan>,
    /// An array or a map.
    pub collection: Expr,
    /// Whether a row without elements is kept, with NULL in the columns of the element.
    pub outer: bool,
    /// Whether the place of the element follows.
    pub ordinality: bool,
    schema: DFSchemaRef,
}

impl Unnest {
    /// Makes the node; `names` are those of the columns that it adds, which the input does not have.
    pub fn try_new(
        input: LogicalPlan,
        collection: Expr,
        outer: bool,
        ordinality: bool,
        names: &[String],
    ) -> Result<Self> {
        let types = element_types(&collection.get_type(input.schema())?, ordinality)?;
        if types.len() != names.len() {
            return internal_err!("an element has {} columns, not {}", types.len(), names.len());
        }
        let mut fields: Vec<_> =
            input.schema().iter().map(|(q, field)| (q.cloned(), field.clone())).collect();
        fields.extend(names.iter().zip(types).map(|(name, of)| {
            let field: FieldRef = Arc::new(Field::new(name, of, true));
            (None, field)
        }));
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(Self { input: Arc::new(input), collection, outer, ordinality, schema })
    }

    fn names(&self) -> Vec<String> {
        let added = self.schema.fields().iter().skip(self.input.schema().fields().len());
        added.map(|field| field.name().clone()).collect()
    }
}

/// Returns the types of the columns that an element of a collection gives.
pub(crate) fn element_types(collection: &DataType, ordinality: bool) -> Result<Vec<DataType>> {
    let item = match collection {
        DataType::List(item) => item.data_type(),
        DataType::Map(entries, _) => entries.data_type(),
        other => return internal_err!("{other} has no elements"),
    };
    let mut types = match item {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        item => vec![item.clone()],
    };
    if ordinality {
        types.push(DataType::Int32);
    }
    Ok(types)
}

impl PartialOrd for Unnest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self == other {
            true => Some(Ordering::Equal),
            false => None,
        }
    }
}

impl UserDefinedLogicalNodeCore for Unnest {
    fn name(&self) -> &'static str {
        "Unnest"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.collection.clone()]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unnest: {}", self.collection)?;
        f.write_str(if self.ordinality { ", with ordinality" } else { "" })?;
        f.write_str(if self.outer { ", outer" } else { "" })
    }

    fn with_exprs_and_inputs(&self, expressions: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        match (<[Expr; 1]>::try_from(expressions), <[LogicalPlan; 1]>::try_from(inputs)) {
            (Ok([collection]), Ok([input])) => {
                Self::try_new(input, collection, self.outer, self.ordinality, &self.names())
            }
            _ => internal_err!("`Unnest` has one expression and one input"),
        }
    }

    fn necessary_children_exprs(&self, output: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        Some(vec![output.iter().copied().filter(|index| *index < width).collect()])
    }
}
