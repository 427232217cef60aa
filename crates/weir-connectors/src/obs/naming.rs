//! The names of output objects and of the sub-directories by time. Pure.

use weir_base::text::format_timestamp;

/// Sub-directories by the time of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RollingInterval {
    Year,
    Month,
    Day,
    Hour,
    Minute,
}

impl RollingInterval {
    /// Parses the value of `rolling_interval`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.trim() {
            "yyyy" => Self::Year,
            "yyyy/MM" => Self::Month,
            "yyyy/MM/dd" => Self::Day,
            "yyyy/MM/dd/HH" => Self::Hour,
            "yyyy/MM/dd/HH/mm" => Self::Minute,
            _ => return None,
        })
    }

    /// Returns the sub-directory of a wall clock, such as `2018-09-10_16-05`.
    pub fn directory(self, wall_ms: i64) -> String {
        // `yyyy-MM-dd HH:mm:ss`
        let text = format_timestamp(wall_ms).replace(' ', "_").replace(':', "-");
        let length = match self {
            Self::Year => 4,
            Self::Month => 7,
            Self::Day => 10,
            Self::Hour => 13,
            Self::Minute => 16,
        };
        text.chars().take(length).collect()
    }
}

/// Gives out numbers of objects; those of different subtasks never meet.
#[derive(Debug, Clone)]
pub(crate) struct Numbers {
    subtask: u64,
    parallelism: u64,
    next: u64,
}

impl Numbers {
    /// Begins above `used`, the greatest number in use.
    pub fn new(subtask: usize, parallelism: usize, used: u64) -> Self {
        let (subtask, parallelism) = (subtask as u64, (parallelism as u64).max(1));
        // Numbers of this subtask are n * parallelism + subtask + 1.
        let next = match used.checked_sub(subtask + 1) {
            None => 0,
            Some(above) => above / parallelism + 1,
        };
        Self { subtask, parallelism, next }
    }

    /// Returns the next number.
    pub fn take(&mut self) -> u64 {
        let number = self.next * self.parallelism + self.subtask + 1;
        self.next += 1;
        number
    }

    /// Returns the greatest number given out, or an upper bound of those in use.
    pub fn used(&self) -> u64 {
        match self.next {
            0 => 0,
            next => (next - 1) * self.parallelism + self.subtask + 1,
        }
    }
}

/// Returns the number of an object named `prefix.N`.
pub(crate) fn number_of(file_name: &str, prefix: &str) -> Option<u64> {
    file_name.strip_prefix(prefix)?.strip_prefix('.')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_by_time() {
        let wall = 1_536_595_500_000; // 2018-09-10 16:05:00
        for (pattern, directory) in [
            ("yyyy", "2018"),
            ("yyyy/MM", "2018-09"),
            ("yyyy/MM/dd", "2018-09-10"),
            ("yyyy/MM/dd/HH", "2018-09-10_16"),
            ("yyyy/MM/dd/HH/mm", "2018-09-10_16-05"),
        ] {
            assert_eq!(RollingInterval::parse(pattern).unwrap().directory(wall), directory);
        }
        assert_eq!(RollingInterval::parse("HH"), None);
    }

    #[test]
    fn numbers_never_meet() {
        let mut all = Vec::new();
        for subtask in 0..3 {
            let mut numbers = Numbers::new(subtask, 3, 0);
            assert_eq!(numbers.used(), 0);
            all.extend((0..4).map(|_| numbers.take()));
        }
        all.sort_unstable();
        assert_eq!(all, (1..=12).collect::<Vec<u64>>());
        for used in 0..20 {
            for subtask in 0..4 {
                let first = Numbers::new(subtask, 4, used).take();
                assert!(first > used && first <= used + 4, "{first} above {used}");
                assert_eq!((first - 1) % 4, subtask as u64);
            }
        }
        assert_eq!(number_of("temp.12", "temp"), Some(12));
        assert_eq!(number_of("temp.x", "temp"), None);
        assert_eq!(number_of("temporary.1", "temp"), None);
    }
}
