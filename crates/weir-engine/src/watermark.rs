//! Watermarks: how a source makes them and how an operator combines those of its inputs.

use std::time::Duration;

use weir_base::time::{Timestamp, millis};

/// When a watermark is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// After every n-th row.
    Rows(u64),
    /// With the first row, and whenever event time has grown by this much since the last one sent.
    Range(Duration),
}

/// When watermarks are sent and how far they stay behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strategy {
    /// When one is sent.
    pub interval: Interval,
    /// The greatest delay of a row that is not yet late.
    pub delay: Duration,
}

/// Makes the watermarks of one split. A function of the rows alone.
#[derive(Debug, Clone)]
pub struct Generator {
    strategy: Strategy,
    delay: i64,
    max: i64,
    rows: u64,
    sent_at: Option<i64>,
    current: Timestamp,
}

/// The state of a [`Generator`], kept in checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GeneratorState {
    max: i64,
    rows: u64,
    sent_at: Option<i64>,
    current: Timestamp,
}

impl Generator {
    /// Makes a generator that has seen no row.
    pub fn new(strategy: Strategy) -> Self {
        Self {
            strategy,
            delay: millis(strategy.delay),
            max: i64::MIN,
            rows: 0,
            sent_at: None,
            current: Timestamp::MIN,
        }
    }

    /// Returns the last watermark sent.
    pub fn current(&self) -> Timestamp {
        self.current
    }

    /// Takes the event time of the next row.
    #[inline]
    pub fn observe(&mut self, time: i64) {
        self.max = self.max.max(time);
        self.rows += 1;
        let due = match self.strategy.interval {
            Interval::Rows(n) => self.rows.is_multiple_of(n.max(1)),
            Interval::Range(p) => self.sent_at.is_none_or(|sent| self.max.saturating_sub(sent) >= millis(p)),
        };
        if due {
            self.sent_at = Some(self.max);
            self.current = self.current.max(Timestamp(self.max.saturating_sub(self.delay)));
        }
    }

    /// Ends the split: the watermark becomes infinite.
    pub fn finish(&mut self) {
        self.current = Timestamp::MAX;
    }

    /// Returns the state for a checkpoint.
    pub fn state(&self) -> GeneratorState {
        GeneratorState { max: self.max, rows: self.rows, sent_at: self.sent_at, current: self.current }
    }

    /// Continues from a state.
    pub fn restore(&mut self, state: GeneratorState) {
        self.max = state.max;
        self.rows = state.rows;
        self.sent_at = state.sent_at;
        self.current = state.current;
    }
}

/// Combines the watermarks of several inputs: the minimum over those that are not idle.
#[derive(Debug)]
pub struct Combiner {
    inputs: Vec<(Timestamp, bool)>,
    current: Timestamp,
}

impl Combiner {
    /// Makes a combiner of `inputs` inputs that have sent nothing.
    pub fn new(inputs: usize) -> Self {
        Self { inputs: vec![(Timestamp::MIN, false); inputs], current: Timestamp::MIN }
    }

    /// Takes a watermark of an input; wakes it when it was idle. Returns the combined watermark when it grew.
    pub fn update(&mut self, input: usize, watermark: Timestamp) -> Option<Timestamp> {
        let entry = &mut self.inputs[input];
        entry.0 = entry.0.max(watermark);
        entry.1 = false;
        self.advance()
    }

    /// Leaves an input out until it sends again. Returns the combined watermark when it grew.
    pub fn idle(&mut self, input: usize) -> Option<Timestamp> {
        self.inputs[input].1 = true;
        self.advance()
    }

    /// Takes an idle input in again.
    pub fn wake(&mut self, input: usize) {
        self.inputs[input].1 = false;
    }

    /// Returns whether every input that has not ended is idle.
    pub fn all_idle(&self) -> bool {
        self.inputs.iter().all(|(watermark, idle)| *idle || *watermark == Timestamp::MAX)
            && self.inputs.iter().any(|(_, idle)| *idle)
    }

    /// Returns the combined watermark.
    pub fn current(&self) -> Timestamp {
        self.current
    }

    /// Returns the minimum over all inputs but one, ignoring idle ones.
    pub fn minimum_of_others(&self, input: usize) -> Timestamp {
        self.minimum_where(|other| other != input)
    }

    /// Returns the minimum over some inputs, ignoring idle ones.
    pub fn minimum_where(&self, counts: impl Fn(usize) -> bool) -> Timestamp {
        self.inputs
            .iter()
            .enumerate()
            .filter(|(i, (_, idle))| counts(*i) && !idle)
            .map(|(_, (watermark, _))| *watermark)
            .min()
            .unwrap_or(Timestamp::MAX)
    }

    fn advance(&mut self) -> Option<Timestamp> {
        let minimum = self.inputs.iter().filter(|(_, idle)| !idle).map(|(watermark, _)| *watermark).min();
        let has_idle = self.inputs.iter().any(|(watermark, idle)| *idle && *watermark < Timestamp::MAX);
        match minimum {
            // The end has come only when no input can wake again.
            Some(Timestamp::MAX) if has_idle => None,
            Some(watermark) if watermark > self.current => {
                self.current = watermark;
                Some(watermark)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strategy(interval: Interval, delay_ms: u64) -> Strategy {
        Strategy { interval, delay: Duration::from_millis(delay_ms) }
    }

    #[test]
    fn rows_strategy_sends_after_every_nth_row_and_never_goes_back() {
        let mut generator = Generator::new(strategy(Interval::Rows(2), 5));
        generator.observe(100);
        assert_eq!(generator.current(), Timestamp::MIN);
        generator.observe(50);
        assert_eq!(generator.current(), Timestamp(95));
        generator.observe(60);
        generator.observe(70);
        assert_eq!(generator.current(), Timestamp(95));
    }

    #[test]
    fn range_strategy_sends_with_the_first_row_and_after_growth() {
        let mut generator = Generator::new(strategy(Interval::Range(Duration::from_millis(10)), 1));
        generator.observe(100);
        assert_eq!(generator.current(), Timestamp(99));
        generator.observe(109);
        assert_eq!(generator.current(), Timestamp(99));
        generator.observe(110);
        assert_eq!(generator.current(), Timestamp(109));
    }

    #[test]
    fn combiner_is_the_minimum_of_inputs_that_are_not_idle() {
        let mut combiner = Combiner::new(2);
        assert_eq!(combiner.update(0, Timestamp(10)), None);
        assert_eq!(combiner.idle(1), Some(Timestamp(10)));
        assert_eq!(combiner.update(1, Timestamp(4)), None, "a watermark never goes back");
        assert_eq!(combiner.update(0, Timestamp(20)), None);
        assert_eq!(combiner.update(1, Timestamp(15)), Some(Timestamp(15)));
    }

    #[test]
    fn ended_inputs_do_not_end_an_idle_one() {
        let mut combiner = Combiner::new(2);
        combiner.update(0, Timestamp(10));
        assert_eq!(combiner.update(1, Timestamp::MAX), Some(Timestamp(10)));
        assert_eq!(combiner.idle(0), None);
        assert_eq!(combiner.current(), Timestamp(10));
        assert_eq!(combiner.update(0, Timestamp(12)), Some(Timestamp(12)));
        assert_eq!(combiner.update(0, Timestamp::MAX), Some(Timestamp::MAX));
    }
}
