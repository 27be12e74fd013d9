//! The simulated networks' own clock.

use std::time::{SystemTime, UNIX_EPOCH};

use balefire_domain::time::Timestamp;

/// The wall clock's instant.
#[expect(
    clippy::disallowed_methods,
    reason = "a network has a clock of its own, which Balefire does not set (D35)"
)]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}
