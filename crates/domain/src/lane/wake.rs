//! When a lane must be looked at again without anything having happened.

use super::policy::HELD_LOOK_AFTER;
use super::state::{Delivery, HoldReason, Lane, State};
use crate::time::Timestamp;

/// When the lane must be looked at again without anything having happened; `None` when all is
/// settled. Stored as `lanes.wake_at`, which the sweep reads.
pub fn next_wake(lane: &Lane, now: Timestamp) -> Option<Timestamp> {
    let open = lane.open_attempts().map(|attempt| attempt.drained_at);
    let waiting = lane.deliveries.iter().filter(|d| !d.state.is_terminal());
    let is_sending = lane.open_attempt().is_some();
    waiting
        .flat_map(|d| wakes_of(d, now, is_sending))
        .chain(open)
        .min()
}

fn wakes_of(
    delivery: &Delivery,
    now: Timestamp,
    is_sending: bool,
) -> impl Iterator<Item = Timestamp> {
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
    // An open attempt is judged when it closes, not when the alert ends, and so is what waits for
    // its delivery.
    let waits = match delivery.state {
        State::InFlight => true,
        State::Held { reason, .. } => reason == HoldReason::Replaces && is_sending,
        State::Ready
        | State::Backoff { .. }
        | State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. }
        | State::Moot { .. } => false,
    };
    let ends_at = (!waits).then_some(delivery.ends_at);
    [by_state, delivery.stuck_at(), ends_at]
        .into_iter()
        .flatten()
}
