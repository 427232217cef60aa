//! In which zone the event times of temp streams are wall clocks.
//!
//! The wall clocks of windows are of UTC, those of every other column of the zone of the job. A temp stream takes over
//! the clock of what fills its event time.

use std::collections::BTreeSet;

use weir_functions::window::has_utc_clock;

use crate::syntax::ast::Name;
use crate::{CheckError, Insert, Job, Target};

/// Returns the temp streams whose event times all come from windows, in lower case.
pub(super) fn utc_temps(job: &Job) -> BTreeSet<String> {
    let temps = job.temps.iter().enumerate().filter(|(index, _)| {
        let mut clocks = job.inserts.iter().filter_map(|insert| utc_clock(job, insert, *index)).peekable();
        clocks.peek().is_some() && clocks.all(|is_utc| is_utc)
    });
    temps.map(|(_, temp)| temp.name.to_lowercase()).collect()
}

/// Returns the refusal of a temp stream whose event times are of two zones. `targets` are those of the INSERTs.
pub(super) fn mixed<'a>(
    job: &Job,
    targets: impl Iterator<Item = &'a Name> + Clone,
    time_zone: &str,
) -> Option<CheckError> {
    if time_zone == "UTC" {
        return None;
    }
    (0..job.temps.len()).find_map(|temp| {
        let mut clocks = job.inserts.iter().zip(targets.clone());
        let first = clocks.find_map(|(insert, _)| utc_clock(job, insert, temp))?;
        let (_, name) =
            clocks.find(|(insert, _)| utc_clock(job, insert, temp).is_some_and(|is_utc| is_utc != first))?;
        let text = format!(
            "the event times of `{}` would be of two zones: those of windows are of UTC, others of {time_zone}",
            name.value
        );
        let hint = "fill one temp stream from windows and another from the rest";
        Some(CheckError::new(name.position, name.length, text).hint(hint))
    })
}

/// Tells whether an INSERT fills the event time of a temp stream with wall clocks of UTC; `None` when it fills another
/// stream, or one without event time.
fn utc_clock(job: &Job, insert: &Insert, temp: usize) -> Option<bool> {
    let filled = job.temps[temp].time.rowtime.filter(|_| insert.target == Target::Temp(temp))?;
    Some(has_utc_clock(insert.plan.schema().field(filled)))
}
