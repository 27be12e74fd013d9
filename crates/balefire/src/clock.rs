//! The only real clock.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use balefire_domain::time::{Clock, Timestamp};

/// The machine's clocks: the wall clock, and the monotonic one that checks it.
pub(crate) struct SystemClock;

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place (invariant 3)"
)]
static FIRST_ASKED: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place (invariant 3)"
        )]
        let now = SystemTime::now();
        let micros = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        };
        Timestamp::from_micros(micros)
    }

    fn monotonic(&self) -> Duration {
        FIRST_ASKED.elapsed()
    }
}
