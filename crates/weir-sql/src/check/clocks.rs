//! In which zone the event times of temp streams are wall clocks.
//!
//! The wall clocks of windows are of UTC, those of every other column of the zone of the job. A temp stream takes over
//! the clock of what fills its event time.

use std::collections::HashMap;

use weir_functions::window::has_utc_clock;

use super::stream::schema_with_time;
use crate::syntax::ast::Name;
use crate::{CheckError, Insert, Job, Target, TempStream};

/// The clocks of temp streams, as far as the INSERTs that fill them are planned.
#[derive(Default)]
pub(super) struct Clocks {
    /// For each temp stream that something fills: whether all that fills it has wall clocks of UTC.
    utc: HashMap<usize, bool>,
}

impl Clocks {
    /// Gives the temp stream that an INSERT fills the clock of its event time.
    pub(super) fn take_over(&mut self, temps: &mut [TempStream], insert: &Insert) {
        let Target::Temp(index) = insert.target else { return };
        let Some(filled) = utc_clock(temps, insert, index) else { return };
        let is_utc = self.utc.entry(index).or_insert(true);
        *is_utc &= filled;
        let temp = &mut temps[index];
        temp.schema = schema_with_time(&temp.declared, &temp.time, *is_utc);
    }
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
        let first = clocks.find_map(|(insert, _)| utc_clock(&job.temps, insert, temp))?;
        let (_, name) =
            clocks.find(|(insert, _)| utc_clock(&job.temps, insert, temp).is_some_and(|is_utc| is_utc != first))?;
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
fn utc_clock(temps: &[TempStream], insert: &Insert, temp: usize) -> Option<bool> {
    let filled = temps[temp].time.rowtime.filter(|_| insert.target == Target::Temp(temp))?;
    Some(has_utc_clock(insert.plan.schema().field(filled)))
}
