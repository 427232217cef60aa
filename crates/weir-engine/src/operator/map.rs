//! Filter and projection.

use arrow::array::RecordBatch;

use super::{Evaluator, Operator, OperatorContext, OperatorError, OperatorSpec, Output};

/// Keeps the rows that pass a filter and computes new columns.
#[derive(Debug)]
pub struct Map {
    evaluator: Evaluator,
}

impl Map {
    /// Makes the operator.
    pub fn new(evaluator: Evaluator) -> Self {
        Self { evaluator }
    }
}

impl Operator for Map {
    fn process(
        &mut self,
        _input: usize,
        batch: RecordBatch,
        output: &mut Output,
    ) -> Result<(), OperatorError> {
        if let Some(rows) = self.evaluator.evaluate(batch, output)? {
            output.emit(rows);
        }
        Ok(())
    }
}

impl OperatorSpec for Evaluator {
    fn name(&self) -> &'static str {
        "Calc"
    }

    fn operator(&self, _context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Map::new(self.clone())))
    }
}
