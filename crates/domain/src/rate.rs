//! How often a key may ask: so many times a minute, and as many at once after a minute's rest.
//!
//! A bucket that fills evenly. What may never wait, a CAP Cancel, is for the caller to let through.

use std::time::Duration;

/// Parts of a request: the level is counted in them.
const PARTS: u64 = 1_000_000;
/// Microseconds of a minute.
const MINUTE_US: u64 = 60_000_000;

/// What a key has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests, in millionths.
    left: u64,
    /// When that was so, on the monotonic clock.
    at: Duration,
}

impl Allowance {
    /// A key that has rested.
    pub fn full(per_minute: u32, now: Duration) -> Self {
        Self {
            left: u64::from(per_minute) * PARTS,
            at: now,
        }
    }

    /// Takes one request. `Err`: there is none, and how long until there is one.
    pub fn take(&mut self, per_minute: u32, now: Duration) -> Result<(), Duration> {
        let most = u64::from(per_minute) * PARTS;
        let passed = now.saturating_sub(self.at).as_micros();
        let gained = passed * u128::from(most) / u128::from(MINUTE_US);
        self.left = u64::try_from(gained)
            .unwrap_or(u64::MAX)
            .saturating_add(self.left)
            .min(most);
        self.at = self.at.max(now);
        if let Some(left) = self.left.checked_sub(PARTS) {
            self.left = left;
            return Ok(());
        }
        let missing = u128::from(PARTS - self.left);
        let wait_us = (missing * u128::from(MINUTE_US)).div_ceil(u128::from(most.max(1)));
        Err(Duration::from_micros(
            u64::try_from(wait_us).unwrap_or(u64::MAX),
        ))
    }

    /// Whether the key has rested long enough to be forgotten.
    pub fn is_full(&self, now: Duration) -> bool {
        now.saturating_sub(self.at) >= Duration::from_micros(MINUTE_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_minute_s_requests_may_come_at_once_and_then_evenly() {
        let start = 100 * SECOND;
        let mut allowance = Allowance::full(6, start);
        for _ in 0..6 {
            assert_eq!(allowance.take(6, start), Ok(()));
        }
        assert_eq!(allowance.take(6, start), Err(10 * SECOND));
        assert_eq!(allowance.take(6, start + 4 * SECOND), Err(6 * SECOND));
        assert_eq!(allowance.take(6, start + 10 * SECOND), Ok(()));
        assert_eq!(allowance.take(6, start + 10 * SECOND), Err(10 * SECOND));
        assert!(!allowance.is_full(start + 69 * SECOND));
        assert!(allowance.is_full(start + 70 * SECOND));
        for _ in 0..6 {
            assert_eq!(allowance.take(6, start + 1_000 * SECOND), Ok(()));
        }
        assert!(
            allowance.take(6, start + 1_000 * SECOND).is_err(),
            "no more than a minute's"
        );
    }

    #[test]
    fn no_hour_gives_more_than_its_minutes_and_one_minute_s_start() {
        for per_minute in [1, 7, 60, 1_000] {
            let mut allowance = Allowance::full(per_minute, Duration::ZERO);
            let asked = (0..3_600_000).step_by(17);
            let taken = asked
                .map(Duration::from_millis)
                .filter(|now| allowance.take(per_minute, *now).is_ok())
                .count();
            assert!(taken <= 61 * per_minute as usize, "{per_minute}: {taken}");
            assert!(taken >= 60 * per_minute as usize, "{per_minute}: {taken}");
        }
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let mut allowance = Allowance::full(1, 10 * SECOND);
        assert_eq!(allowance.take(1, 10 * SECOND), Ok(()));
        assert_eq!(allowance.take(1, 5 * SECOND), Err(60 * SECOND));
        assert_eq!(allowance.take(1, 10 * SECOND), Err(60 * SECOND));
    }
}
