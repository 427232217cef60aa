//! Grouping sets: every row once for each set, with the keys that the set rolls up set to NULL.

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;

use super::{Evaluator, Operator, OperatorContext, OperatorError, OperatorSpec, Output};

/// The grouping sets of a GROUP BY, as the planner describes them.
#[derive(Debug, Clone)]
pub struct ExpandSpec {
    /// Computes the keys: gives the columns of the output, the number of the set left out.
    pub evaluator: Evaluator,
    /// For each set the columns that it sets to NULL.
    pub rolled_up: Vec<Vec<usize>>,
    /// Where the number of the set, an Int32 that counts from 0, stands among the columns given out.
    pub set_position: usize,
    /// Columns given out.
    pub output: SchemaRef,
}

impl OperatorSpec for ExpandSpec {
    fn name(&self) -> &'static str {
        "Expand"
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Expand { spec: self.clone() }))
    }
}

/// Repeats rows. The rows made of one input row follow each other, in the order of the sets.
struct Expand {
    spec: ExpandSpec,
}

impl Operator for Expand {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        let Some(batch) = self.spec.evaluator.evaluate(batch, output)? else { return Ok(()) };
        let sets = self.spec.rolled_up.len();
        // A batch has far fewer rows than a u32 counts, and sets are limited.
        let rows = batch.num_rows() as u32;
        let all: UInt32Array = (0..rows).flat_map(|row| std::iter::repeat_n(row, sets)).collect();
        let mut columns = Vec::with_capacity(batch.num_columns() + 1);
        for (at, column) in batch.columns().iter().enumerate() {
            let kept: Vec<bool> = self.spec.rolled_up.iter().map(|set| !set.contains(&at)).collect();
            if kept.iter().all(|kept| *kept) {
                columns.push(take(column.as_ref(), &all, None)?);
                continue;
            }
            let some: UInt32Array =
                (0..rows).flat_map(|row| kept.iter().map(move |kept| kept.then_some(row))).collect();
            columns.push(take(column.as_ref(), &some, None)?);
        }
        let numbers = (0..rows).flat_map(|_| 0..sets as i32).collect::<Int32Array>();
        columns.insert(self.spec.set_position, Arc::new(numbers));
        output.emit(RecordBatch::try_new(self.spec.output.clone(), columns)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use weir_base::clock::ManualClock;

    use super::*;
    use crate::operator::Element;

    #[test]
    fn each_row_comes_once_for_each_set_with_the_keys_of_the_others_null() {
        let input = vec![
            Field::new("n", DataType::Int64, true),
            Field::new("a", DataType::Utf8, true),
            Field::new("b", DataType::Utf8, true),
        ];
        let set = Field::new("set", DataType::Int32, false);
        let output = Arc::new(Schema::new([input.clone(), vec![set]].concat()));
        let spec = ExpandSpec {
            evaluator: Evaluator::new(None, None),
            rolled_up: vec![vec![], vec![2], vec![1, 2]],
            set_position: 3,
            output: output.clone(),
        };
        let context =
            OperatorContext { clock: Arc::new(ManualClock::default()), idle_timeout: Some(Duration::ZERO) };
        let texts = |values: &[Option<&str>]| Arc::new(StringArray::from(values.to_vec()));
        let rows = RecordBatch::try_new(
            Arc::new(Schema::new(input)),
            vec![
                Arc::new(Int64Array::from(vec![7, 8])),
                texts(&[Some("x"), Some("y")]),
                texts(&[Some("p"), None]),
            ],
        );
        let mut given = Output::default();
        spec.operator(&context).unwrap().process(0, rows.unwrap(), &mut given).unwrap();
        let expected = RecordBatch::try_new(
            output,
            vec![
                Arc::new(Int64Array::from(vec![7, 7, 7, 8, 8, 8])),
                texts(&[Some("x"), Some("x"), None, Some("y"), Some("y"), None]),
                texts(&[Some("p"), None, None, None, None, None]),
                Arc::new(Int32Array::from(vec![0, 1, 2, 0, 1, 2])),
            ],
        );
        let [Element::Batch(found)] = given.elements.as_slice() else { panic!("one batch") };
        assert_eq!(found, &expected.unwrap());
    }
}
