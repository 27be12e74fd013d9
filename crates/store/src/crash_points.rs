//! Named places at which a process dies on command, for `cargo xtask torture`.
//!
//! Compiled in by the feature `crash-points` alone; the product has none of them.
//! `BALEFIRE_CRASH_AT` names a place; the process ends there as by kill -9: without unwinding,
//! without flushing, without a goodbye. `BALEFIRE_CRASH_NTH` says at which of its visits (1, where
//! absent).
//!
//! Every transaction has two places by itself: `<its name>.before_commit` and
//! `<its name>.committed`.

/// The places that the torture ends processes at. Each is reached by one of its scenes.
pub const CRASH_POINTS: [&str; 39] = [
    "submit_cap.before_commit",
    "submit_cap.committed",
    "update_alert.before_commit",
    "update_alert.committed",
    "approve.before_commit",
    "approve.committed",
    "update_by_cap.before_commit",
    "update_by_cap.committed",
    "approve_update.before_commit",
    "approve_update.committed",
    "update.rendered",
    "cancel.before_commit",
    "cancel.committed",
    "cancel_by_cap.before_commit",
    "cancel_by_cap.committed",
    "dispatch.open.before_commit",
    "attempt.opened",
    "attempt.answered",
    "dispatch.settle.before_commit",
    "dispatch.settle.committed",
    "cancel.rendered",
    "dispatch.play.before_commit",
    "dispatch.play.committed",
    "orphan.found",
    "instance.enter.before_commit",
    "instance.enter.committed",
    "instance.beat.before_commit",
    "instance.beat.committed",
    "instance.leave.before_commit",
    "instance.leave.committed",
    "complete_alert.before_commit",
    "complete_alert.committed",
    "claim_jobs.committed",
    "jobs.record.before_commit",
    "jobs.record.committed",
    "probe.store.before_commit",
    "probe.store.committed",
    "migrate.begun",
    "migrate.applied",
];

/// A place at which the process may die. Without the feature it is nothing.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn crash_point(_name: &str) {}

#[cfg(feature = "crash-points")]
pub use armed::crash_point;

/// A place of a transaction: its name and `before_commit` or `committed`.
#[cfg(not(feature = "crash-points"))]
#[inline]
pub(crate) const fn crash_point_of(_transaction: &str, _place: &str) {}

#[cfg(feature = "crash-points")]
pub(crate) fn crash_point_of(transaction: &str, place: &str) {
    crash_point(&format!("{transaction}.{place}"));
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        at: Option<String>,
        nth: u64,
    }

    static ARMED: LazyLock<Armed> = LazyLock::new(|| Armed {
        at: std::env::var("BALEFIRE_CRASH_AT").ok(),
        nth: std::env::var("BALEFIRE_CRASH_NTH")
            .ok()
            .and_then(|nth| nth.parse().ok())
            .unwrap_or(1),
    });
    static VISITS: AtomicU64 = AtomicU64::new(0);

    /// A place at which the process may die.
    pub fn crash_point(name: &str) {
        let is_armed = ARMED.at.as_deref() == Some(name);
        if is_armed && VISITS.fetch_add(1, Ordering::SeqCst) + 1 == ARMED.nth {
            std::process::abort();
        }
    }
}
