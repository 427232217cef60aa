//! A clock that panics when it is told to: a fault of the service that comes in any call with a credential.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Timestamp;

/// The clock of the system, once with a fault.
#[derive(Debug, Default)]
pub struct FaultyClock {
    is_armed: AtomicBool,
}

impl FaultyClock {
    /// Makes the next look at the clock panic.
    pub fn arm(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }
}

impl Clock for FaultyClock {
    fn now(&self) -> Timestamp {
        assert!(!self.is_armed.swap(false, Ordering::SeqCst), "a clock that panics");
        SystemClock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}
