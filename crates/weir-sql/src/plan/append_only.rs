//! Operators that take only rows that stay: noted while a query is planned, checked when all of the job is known.

use datafusion_expr::LogicalPlan;

use super::query::Planner;
use super::refuse::{Place, hinted};
use crate::CheckError;
use crate::changelog::{Cause, Changelogs};

/// An operator whose input must not change.
#[derive(Debug)]
pub(crate) struct AppendOnly {
    /// How a message calls the operator, such as "the window `TUMBLE`".
    operator: String,
    place: Place,
    input: LogicalPlan,
}

impl Planner<'_> {
    /// Notes that an operator takes only rows that stay.
    pub(super) fn needs_append_only(&self, operator: impl Into<String>, place: Place, input: &LogicalPlan) {
        let operator = operator.into();
        self.append_only.borrow_mut().push(AppendOnly { operator, place, input: input.clone() });
    }
}

impl AppendOnly {
    /// Refuses the operator when its input changes.
    pub(crate) fn check(&self, changelogs: &Changelogs<'_>) -> Result<(), CheckError> {
        let Some(cause) = changelogs.cause(&self.input) else { return Ok(()) };
        let hint = match cause {
            Cause::OuterJoin => "bound the times of the join on both sides, or make it an inner join",
            _ => "give the `GROUP BY` below it a window, or group without a window above it",
        };
        let cause = match cause {
            Cause::GroupBy => "the results of a `GROUP BY` without a window".to_string(),
            Cause::OuterJoin => "the results of an outer join without time bounds".to_string(),
            Cause::TempStream(name) => format!("the rows of the temp stream `{name}`"),
        };
        let text = format!("{} needs rows that stay, but {cause} change", self.operator);
        Err(hinted(self.place.refuse(text), Some(hint.to_string())))
    }
}
