//! How a graph describes an operator.

use std::sync::Arc;
use std::time::Duration;

use weir_base::clock::Clock;

use super::{Operator, OperatorError};

/// What operators are given by their surroundings.
#[derive(Clone)]
pub struct OperatorContext {
    /// The clock: that of the machine, or in repeatable runs one that counts records.
    pub clock: Arc<dyn Clock>,
    /// After this time without a row an input no longer holds back the watermark.
    pub idle_timeout: Option<Duration>,
}

/// The description of an operator; each subtask makes its own operator from it.
pub trait OperatorSpec: Send + Sync + 'static {
    /// Returns the name shown to people, such as `GroupWindow`.
    fn name(&self) -> &'static str;

    /// Says for people what the operator keeps and when that goes; `None` when it keeps nothing.
    fn keeps(&self) -> Option<String> {
        None
    }

    /// Makes the operator of one subtask, with no state yet.
    fn operator(&self, context: &OperatorContext) -> Result<Box<dyn Operator>, OperatorError>;
}
