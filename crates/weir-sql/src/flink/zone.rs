//! The time zone of a job. Flink's own session is in UTC, so that its windows are; what depends on the zone of the job is
//! computed from UTC.

use weir_base::text::Zone;

use super::FlinkOptions;
use super::literal::{interval, text_constant};

const SECONDS: &str = "yyyy-MM-dd HH:mm:ss";

/// Returns the wall clock of the job for the wall clock of UTC, a TIMESTAMP(3).
pub(super) fn wall_of_utc(utc: &str, options: &FlinkOptions) -> String {
    match options.zone() {
        Zone::UTC => utc.to_string(),
        Zone::Fixed(seconds) => format!("({utc} + {})", interval(i64::from(seconds) * 1_000)),
        Zone::Named(zone) => converted(utc, "UTC", zone.name()),
    }
}

/// Returns the wall clock of UTC for that of the job.
pub(super) fn utc_of_wall(wall: &str, options: &FlinkOptions) -> String {
    match options.zone() {
        Zone::UTC => wall.to_string(),
        Zone::Fixed(seconds) => format!("({wall} - {})", interval(i64::from(seconds) * 1_000)),
        Zone::Named(zone) => converted(wall, zone.name(), "UTC"),
    }
}

/// Flink converts texts without milliseconds only, so these are put back.
fn converted(wall: &str, from: &str, to: &str) -> String {
    let seconds = format!(
        "CONVERT_TZ(DATE_FORMAT({wall}, '{SECONDS}'), {}, {})",
        text_constant(from),
        text_constant(to)
    );
    format!("TO_TIMESTAMP({seconds} || DATE_FORMAT({wall}, '.SSS'), '{SECONDS}.SSS')")
}

/// Returns the TIMESTAMP(3) of UTC for milliseconds since the epoch.
pub(super) fn utc_of_millis(millis: &str) -> String {
    format!("CAST(TO_TIMESTAMP_LTZ({millis}, 3) AS TIMESTAMP(3))")
}

/// Returns the seconds since the epoch of a TIMESTAMP of UTC, rounded down.
pub(super) fn seconds_of_utc(utc: &str) -> String {
    format!("EXTRACT(EPOCH FROM FLOOR({utc} TO SECOND))")
}

/// Returns the milliseconds since the epoch of a TIMESTAMP of UTC.
pub(super) fn millis_of_utc(utc: &str) -> String {
    format!("({} * 1000 + EXTRACT(MILLISECOND FROM {utc}))", seconds_of_utc(utc))
}
