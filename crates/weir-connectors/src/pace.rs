//! Spreads records over time: so many a second, or as fast as they are taken.

use std::sync::Arc;
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::time::Timestamp;

/// Time between two batches of a paced source; short enough to look steady.
const TICK: Duration = Duration::from_millis(50);

/// Tells how many records may be read now.
pub(crate) struct Pacer {
    clock: Arc<dyn Clock>,
    /// Records a second, or `None` without a limit.
    rate: Option<f64>,
    /// The instant of the first question.
    start: Option<Timestamp>,
    taken: u64,
}

impl Pacer {
    pub fn new(clock: Arc<dyn Clock>, rate: Option<f64>) -> Self {
        Self { clock, rate, start: None, taken: 0 }
    }

    pub fn is_paced(&self) -> bool {
        self.rate.is_some()
    }

    /// Waits until records may be read and returns how many, at most `most`. Cancel safe.
    pub async fn allowance(&mut self, most: usize) -> usize {
        let Some(rate) = self.rate else { return most };
        loop {
            let now = self.clock.now();
            let start = *self.start.get_or_insert(now);
            // The first record is due at once.
            let due = (now.since(start).as_secs_f64() * rate) as u64 + 1;
            let allowed = due.saturating_sub(self.taken);
            let worthwhile = if self.taken == 0 { 1 } else { ((rate * TICK.as_secs_f64()) as u64).max(1) };
            if allowed >= worthwhile.min(most as u64) {
                return usize::try_from(allowed).unwrap_or(most).min(most);
            }
            let missing = (self.taken + worthwhile - 1) as f64 / rate - now.since(start).as_secs_f64();
            self.clock.sleep(Duration::from_secs_f64(missing.clamp(0.001, 1.0))).await;
        }
    }

    /// Counts records that were read.
    pub fn took(&mut self, records: u64) {
        self.taken += records;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_base::clock::ManualClock;

    #[tokio::test]
    async fn allows_what_is_due() {
        let clock = ManualClock::new(Timestamp(0));
        let mut pacer = Pacer::new(Arc::new(clock.clone()), Some(100.0));
        assert_eq!(pacer.allowance(1000).await, 1);
        pacer.took(1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(pacer.allowance(1000).await, 100);
        assert_eq!(pacer.allowance(10).await, 10);
        let mut unpaced = Pacer::new(Arc::new(clock), None);
        assert_eq!(unpaced.allowance(7).await, 7);
    }
}
