//! What is accepted but may surprise: a name for each kind, which tools and people can look for.

use crate::Message;

/// A remark about a job that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// Where, what will happen and what to do.
    pub message: Message,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningKind {
    /// Event time without `SET WATERMARK`.
    NoWatermark,
    /// Groups or rows that are kept until they were idle.
    StateUntilIdle,
    /// A join that keeps both inputs.
    JoinWithoutBounds,
    /// A join whose time bounds exclude each other.
    JoinWithoutMatch,
    /// A match that may not end.
    EndlessMatch,
    /// `SKIP TO FIRST` a row that would begin the same match again.
    RepeatedMatch,
    /// A definition of a variable that the pattern has not.
    UnusedDefinition,
    /// `{{` in a value that begins no global variable.
    NotAVariable,
    /// An option without effect.
    UnusedOption,
    /// A stream or table that is not read, filled or looked up.
    UnusedStream,
}

impl WarningKind {
    /// All kinds, in the order of the reference page.
    pub const ALL: [WarningKind; 10] = [
        WarningKind::NoWatermark,
        WarningKind::StateUntilIdle,
        WarningKind::JoinWithoutBounds,
        WarningKind::JoinWithoutMatch,
        WarningKind::EndlessMatch,
        WarningKind::RepeatedMatch,
        WarningKind::UnusedDefinition,
        WarningKind::NotAVariable,
        WarningKind::UnusedOption,
        WarningKind::UnusedStream,
    ];

    /// Returns the name, which stays the same from release to release.
    pub fn name(self) -> &'static str {
        match self {
            WarningKind::NoWatermark => "no_watermark",
            WarningKind::StateUntilIdle => "state_until_idle",
            WarningKind::JoinWithoutBounds => "join_without_bounds",
            WarningKind::JoinWithoutMatch => "join_without_match",
            WarningKind::EndlessMatch => "endless_match",
            WarningKind::RepeatedMatch => "repeated_match",
            WarningKind::UnusedDefinition => "unused_definition",
            WarningKind::NotAVariable => "not_a_variable",
            WarningKind::UnusedOption => "unused_option",
            WarningKind::UnusedStream => "unused_stream",
        }
    }

    /// Makes a warning.
    pub(crate) fn warning(self, message: Message) -> Warning {
        Warning { kind: self, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page is written by hand; it must not miss a kind, nor tell of one that is gone.
    #[test]
    fn the_reference_page_tells_of_every_kind() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/warnings.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        let told: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
        assert_eq!(told, WarningKind::ALL.map(WarningKind::name));
    }
}
