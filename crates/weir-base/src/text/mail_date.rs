//! The dates of e-mails: RFC 2822, section 3.3.

use chrono::{DateTime, Datelike};

/// Parses `Fri, 15 Mar 2024 09:54:00 +0000` (day of the week, seconds and comments optional) to
/// milliseconds since the epoch. Years are those that a DATE can have, 0000 to 9999.
pub fn parse_mail_date(text: &str) -> Option<i64> {
    let date = DateTime::parse_from_rfc2822(text.trim_ascii()).ok()?;
    (0..=9_999).contains(&date.year()).then(|| date.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_rfc_2822() {
        for (text, instant) in [
            ("Fri, 15 Mar 2024 09:54:00 +0000", Some(1_710_496_440_000)),
            (" 15 Mar 2024 17:54:00 +0800 (CST)", Some(1_710_496_440_000)),
            ("Fri, 15 Mar 2024 04:54 EST", Some(1_710_496_440_000)),
            ("Fri, 15 mar 24 09:54:00 GMT", Some(1_710_496_440_000)),
            ("Thu, 1 Jan 1970 00:00:00 -0000", Some(0)),
            // The day of the week is wrong.
            ("Mon, 15 Mar 2024 09:54:00 +0000", None),
            ("Fri, 15 Mar 2024 09:54:00", None),
            ("Fri, 31 Feb 2024 09:54:00 +0000", None),
            ("1 Jan 10000 00:00:00 +0000", None),
            ("1 Jan 99999999999999999999 00:00:00 +0000", None),
            ("2024-03-15 09:54:00", None),
            ("", None),
        ] {
            assert_eq!(parse_mail_date(text), instant, "{text}");
        }
    }
}
