//! The drain: what was sent earlier must be over before something else leaves (D24, D25).

use super::policy::Policy;
use super::state::{Attempt, Delivery, Kind, Lane};
use crate::time::Timestamp;

/// Until when an earlier attempt may still be applied, where that bars this delivery.
///
/// An attempt of a lower `seq` always bars. One of the same delivery bars only where the provider
/// might apply the same identifier twice.
pub(super) fn until(
    lane: &Lane,
    delivery: &Delivery,
    policy: &Policy,
    now: Timestamp,
) -> Option<Timestamp> {
    let planted = policy.planted;
    let bars = |attempt: &&Attempt| {
        if attempt.seq == delivery.seq {
            return !policy.resends_unknown_at_once && !planted.no_drain();
        }
        let is_hasty = planted.update_no_drain() && delivery.kind == Kind::Update;
        attempt.seq < delivery.seq
            && !is_hasty
            && !planted.no_drain()
            && (attempt.is_open() || !planted.drain_open_only())
    };
    lane.attempts
        .iter()
        .filter(|attempt| attempt.is_undrained(now))
        .filter(bars)
        .map(|attempt| attempt.drained_at)
        .max()
}
