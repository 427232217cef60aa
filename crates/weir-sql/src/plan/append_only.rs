//! Operators that take only rows that stay: noted while a query is planned, checked when all of the job is known.

use datafusion_expr::LogicalPlan;

use super::bound::TimeAttribute;
use super::query::Planner;
use super::refuse::{Place, hinted};
use crate::changelog::{Cause, Changelogs};
use crate::{CheckError, Warning, WarningKind};

/// An operator whose input must not change.
#[derive(Debug)]
pub(crate) struct AppendOnly {
    /// How a message calls the operator, such as "the window `TUMBLE`".
    operator: String,
    /// The time that tells it when its input is complete.
    time: Option<TimeAttribute>,
    place: Place,
    input: LogicalPlan,
}

impl Planner<'_> {
    /// Notes that an operator takes only rows that stay.
    pub(super) fn needs_append_only(
        &self,
        operator: impl Into<String>,
        time: Option<TimeAttribute>,
        place: Place,
        input: &LogicalPlan,
    ) {
        let operator = operator.into();
        self.append_only.borrow_mut().push(AppendOnly { operator, time, place, input: input.clone() });
    }
}

impl AppendOnly {
    /// Returns the rows that the operator takes when it drops those that are late.
    pub(crate) fn input_in_event_time(&self) -> Option<&LogicalPlan> {
        (self.time == Some(TimeAttribute::Rowtime)).then_some(&self.input)
    }

    /// Warns that rows of a source are late as soon as they are out of order.
    pub(crate) fn without_watermark(&self, source: &str) -> Warning {
        let text = format!(
            "{} depends on the event time of `{source}`, which has no `SET WATERMARK`: a row that is older than one before \
             it is late and dropped",
            self.operator
        );
        let hint = "say after `TIMESTAMP BY` how late rows may be, such as `SET WATERMARK (RANGE INTERVAL '1' SECOND, \
                    INTERVAL '10' SECOND)`";
        WarningKind::NoWatermark.warning(hinted(self.place.refuse(text), Some(hint.to_string())).message)
    }

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
