//! What a person's "try this now" comes to (R110): every rule holds as it does for a sweep.
//!
//! A replay ends the wait of a back-off and nothing else. It goes through [`step`], so it can send
//! nothing that the lane would not send by itself a little later, and it never touches what has
//! ended.

use super::event::{Effect, LaneEvent};
use super::policy::Policy;
use super::state::{Lane, State};
use super::step::step;
use crate::ids::{AttemptId, DeliveryId, InstanceId};
use crate::time::Timestamp;
use uuid::Uuid;

/// What comes of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It is sent now, over this route.
    Sends {
        /// The route's name.
        route: String,
        /// The lane to store: its back-off has ended.
        lane: Lane,
        /// What to do in the same transaction.
        effects: Vec<Effect>,
    },
    /// It goes on by itself, and nothing that a person does here makes it faster: the state says
    /// what it waits for.
    Waits(State),
    /// It has ended; nothing of it is ever sent again.
    Ended(State),
    /// There is no such delivery in this lane.
    Unknown,
}

/// What a replay of this delivery would do at `now`. Changes nothing by itself.
pub fn replay(lane: &Lane, id: DeliveryId, now: Timestamp, policy: &Policy) -> Replay {
    let healed = step(lane, LaneEvent::ProviderHealed, now, policy);
    let Some(delivery) = healed.lane.deliveries.iter().find(|d| d.id == id) else {
        return Replay::Unknown;
    };
    if delivery.state.is_terminal() {
        return Replay::Ended(delivery.state);
    }
    // Only asked: no process has this name, and the attempt is never stored.
    let due = LaneEvent::Due {
        attempt: AttemptId::new(Uuid::nil()),
        by: InstanceId::new(Uuid::nil()),
    };
    let sends = step(&healed.lane, due, now, policy)
        .effects
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Send(attempt) if attempt.delivery == id && attempt.slot == 0 => Some(attempt),
            _ => None,
        });
    match sends {
        Some(attempt) => Replay::Sends {
            route: attempt.route,
            lane: healed.lane,
            effects: healed.effects,
        },
        None => Replay::Waits(delivery.state),
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::{HoldReason, Kind};
    use super::super::tests::{Play, T0, s};
    use super::*;
    use crate::outcome::Outcome::{Accepted, Refused};

    fn of(play: &Play, seq: u32) -> Replay {
        let delivery = play.lane.deliveries.iter().find(|d| d.seq == seq);
        let id = delivery.expect("issued").id;
        replay(&play.lane, id, play.now, &play.policy)
    }

    #[test]
    fn a_back_off_is_ended() {
        let mut play = Play::alert();
        play.try_once(Refused);
        play.try_once(Refused);
        assert!(matches!(play.state(1), State::Backoff { .. }));
        assert!(matches!(of(&play, 1), Replay::Sends { route, .. } if route == "1"));
    }

    #[test]
    fn what_is_under_way_or_held_goes_on_by_itself() {
        let mut play = Play::alert();
        play.due().expect("ready");
        assert_eq!(of(&play, 1), Replay::Waits(State::InFlight));
        let mut play = Play::alert();
        play.policy.hold = Some(HoldReason::Paused);
        assert!(matches!(of(&play, 1), Replay::Waits(State::Held { .. })));
    }

    #[test]
    fn what_has_ended_stays_so() {
        let mut play = Play::alert();
        play.try_once(Accepted);
        assert!(matches!(
            of(&play, 1),
            Replay::Ended(State::Acknowledged { .. })
        ));
        let mut play = Play::alert();
        play.try_once(Refused);
        play.issue(Kind::Cancel);
        assert!(matches!(
            of(&play, 1),
            Replay::Ended(State::Superseded { .. })
        ));
        assert!(matches!(of(&play, 2), Replay::Sends { .. }));
        let mut play = Play::alert();
        play.try_once(Refused);
        play.now = T0 + s(3600);
        assert!(matches!(of(&play, 1), Replay::Ended(State::Expired { .. })));
    }
}
