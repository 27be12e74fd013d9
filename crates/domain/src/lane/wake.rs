//! When a lane must be looked at again without anything having happened.

use super::policy::HELD_LOOK_AFTER;
use super::state::{Delivery, HoldReason, Lane, State};
use crate::time::Timestamp;

/// When the lane must be looked at again without anything having happened; `None` when all is
/// settled. Stored as `lanes.wake_at`, which the sweep reads.
pub fn next_wake(lane: &Lane, now: Timestamp) -> Option<Timestamp> {
    let open = lane.open_attempts().map(|attempt| attempt.drained_at);
    let waiting = lane.deliveries.iter().filter(|d| !d.state.is_terminal());
    waiting.flat_map(|d| wakes_of(d, now)).chain(open).min()
}

fn wakes_of(delivery: &Delivery, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let by_state = match delivery.state {
        State::Ready => Some(now),
        State::Backoff { due_at } => Some(due_at),
        // Our own clock can't say when: at once, for whoever has a better one.
        State::Held {
            reason: HoldReason::Clock,
            ..
        } => Some(Timestamp::from_micros(0)),
        // The end of its cancel judges it anew.
        State::Held {
            reason: HoldReason::Replaces,
            ..
        }
        | State::InFlight // Its open attempts say when.
        | State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. }
        | State::Moot { .. } => None,
        State::Held { until, .. } => Some(until.unwrap_or(now + HELD_LOOK_AFTER)),
    };
    // An open attempt is judged when it closes, not when the alert ends.
    let ends_at = (delivery.state != State::InFlight).then_some(delivery.ends_at);
    [by_state, delivery.stuck_at(), ends_at]
        .into_iter()
        .flatten()
}
