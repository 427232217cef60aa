//! The ways in which a golden job runs.

use std::fmt;

/// One way to run a golden job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One subtask, no checkpoints.
    Plain,
    /// A checkpoint every few records; the run is slowed down so that there are some.
    Checkpoints,
    /// Killed (-9) several times at random points and resumed each time.
    Killed,
    /// As killed, and each life has another number of subtasks.
    Rescaled,
    /// Two subtasks, no checkpoints.
    Two,
    /// Four subtasks, no checkpoints.
    Four,
}

impl Mode {
    /// Returns the numbers of subtasks that the lives of a run may have.
    pub fn parallelism(self) -> &'static [usize] {
        match self {
            Self::Plain | Self::Checkpoints | Self::Killed => &[1],
            Self::Rescaled => &[1, 2, 4],
            Self::Two => &[2],
            Self::Four => &[4],
        }
    }

    /// Returns whether rows come out in the order of the input: several subtasks write in no particular order.
    pub fn keeps_order(self) -> bool {
        self.parallelism() == [1]
    }

    /// Returns whether checkpoints are taken.
    pub fn has_checkpoints(self) -> bool {
        matches!(self, Self::Checkpoints | Self::Killed | Self::Rescaled)
    }

    /// Returns whether the run is killed on the way.
    pub fn is_killed(self) -> bool {
        matches!(self, Self::Killed | Self::Rescaled)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => write!(f, "plain"),
            Self::Checkpoints => write!(f, "with checkpoints"),
            Self::Killed => write!(f, "killed and resumed"),
            Self::Rescaled => write!(f, "killed and resumed at another parallelism"),
            Self::Two => write!(f, "parallelism 2"),
            Self::Four => write!(f, "parallelism 4"),
        }
    }
}

/// Returns the ways in which every golden job runs.
pub fn all_modes() -> [Mode; 6] {
    [Mode::Plain, Mode::Checkpoints, Mode::Killed, Mode::Rescaled, Mode::Two, Mode::Four]
}
