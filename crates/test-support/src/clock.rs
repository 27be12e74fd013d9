//! A clock that moves only when a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use balefire_domain::time::{Clock, Timestamp};

/// A clock for tests. Clones share one instant, so a test keeps one clone and hands out another.
///
/// It may be set backwards: real wall clocks jump too (D35).
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.micros())))
    }

    /// Moves the clock to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }

    /// Moves the clock forwards by `step`, cut to whole microseconds. Answers the new instant.
    pub fn advance(&self, step: Duration) -> Timestamp {
        let micros = i64::try_from(step.as_micros()).expect("a test's step is below 292,000 years");
        Timestamp::from_micros(self.0.fetch_add(micros, Ordering::SeqCst) + micros)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_only_when_told_and_its_clones_move_with_it() {
        let clock = ManualClock::at(Timestamp::from_seconds(100));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        assert_eq!(shared.now(), Timestamp::from_seconds(100));
        assert_eq!(
            clock.advance(Duration::from_secs(5)),
            Timestamp::from_seconds(105)
        );
        assert_eq!(shared.now(), Timestamp::from_seconds(105));
        clock.set(Timestamp::from_seconds(7));
        assert_eq!(
            shared.now(),
            Timestamp::from_seconds(7),
            "a clock may jump backwards"
        );
    }
}
