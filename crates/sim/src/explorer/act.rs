//! What an action does to the world.

use std::time::Duration;

use balefire_domain::ids::InstanceId;
use balefire_domain::lane::{Attempt, Kind, LaneEvent, State};
use balefire_domain::outcome::Outcome;
use balefire_domain::time::Timestamp;
use uuid::Uuid;

use super::actions::Action;
use super::normal::numbered;
use super::setup::{QUARANTINE, Setup};
use super::world::{NOW, Reply, Request, World};

/// How long before an end a leap stops, so that what begins there is cut off by it.
const BEFORE_THE_END: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);
/// Which process it is decides nothing in `step`.
const WORKER: InstanceId = InstanceId::new(Uuid::from_u128(1));

/// The world after `action`, in its normal form.
pub fn take(world: &World, action: Action, setup: &Setup) -> World {
    let mut next = act(world, action, setup);
    next.normalise(setup);
    next
}

/// The world after `action`, as it is.
pub fn act(world: &World, action: Action, setup: &Setup) -> World {
    let mut next = world.clone();
    match action {
        Action::Second => next.pass(SECOND),
        Action::Leap => leap(&mut next, world.next_end().unwrap_or(NOW)),
        Action::Update => next.issue_update(setup),
        Action::Cancel => next.issue(Kind::Cancel, setup),
        Action::Due {
            is_second_site_first,
        } => {
            let event = LaneEvent::Due {
                attempt: numbered(world.flights.len() as u128 + 1),
                by: WORKER,
            };
            next.play_with(event, is_second_site_first, setup);
        }
        Action::Sweep => next.play(LaneEvent::Tick, setup),
        Action::Heal => next.play(LaneEvent::ProviderHealed, setup),
        Action::Repeat => {
            let event = LaneEvent::Answered {
                attempt: numbered(0),
                outcome: Outcome::Unknown,
                jitter_permille: 0,
            };
            next.play(event, setup);
        }
        Action::Leave(index) => next.flights[index].request = Request::OnTheWay,
        Action::WriteNothing(index) => {
            next.flights[index].request = Request::Gone;
            next.answer(index, Outcome::Refused, setup);
        }
        Action::Arrive(index) => next.arrive(index, setup),
        Action::Refuse(index) => {
            next.flights[index].request = Request::Gone;
            next.reply(index, Outcome::Refused);
        }
        Action::AnswerUnknown(index) => next.reply(index, Outcome::Unknown),
        Action::AnswerForeign(index) => {
            let is_believed = setup.environment().trusts_foreign_identifier;
            let outcome = if is_believed {
                Outcome::Accepted
            } else {
                Outcome::Unknown
            };
            next.reply(index, outcome);
        }
        Action::LoseRequest(index) => next.flights[index].request = Request::Gone,
        Action::LoseReply(index) => next.flights[index].reply = Reply::Gone,
        Action::Receive(index) => receive(&mut next, index, setup),
        Action::TimeOut(index) => next.answer(index, Outcome::Unknown, setup),
        Action::Crash(index) => crash(&mut next, index),
        Action::DeclareDead(index) => {
            let attempt = next.flights[index].attempt;
            next.play(LaneEvent::OwnerDied { attempt }, setup);
        }
        Action::Forget(index) => forget(&mut next, index, setup),
    }
    next
}

/// Nothing happens until shortly before `end`.
pub fn leap(world: &mut World, end: Timestamp) {
    world.pass((end - BEFORE_THE_END).since(NOW));
}

fn receive(world: &mut World, index: usize, setup: &Setup) {
    let Reply::Sent(outcome) = world.flights[index].reply else {
        return;
    };
    world.flights[index].reply = Reply::Gone;
    world.answer(index, outcome, setup);
}

/// What has not left never leaves; what has left goes on, and nobody hears of it.
fn crash(world: &mut World, index: usize) {
    let flight = &mut world.flights[index];
    flight.is_owner_alive = false;
    flight.reply = Reply::Gone;
    if flight.request == Request::AtWorker {
        flight.request = Request::Gone;
    }
}

/// The lane as it was before the intent: the attempt's row and the delivery's state.
fn forget(world: &mut World, index: usize, setup: &Setup) {
    let forgotten = world.flights[index].attempt;
    let attempts = &mut world.lane.attempts;
    let Some(place) = attempts.iter().position(|a| a.id == forgotten) else {
        return;
    };
    let owner = attempts.remove(place).delivery;
    let is_another_open = world.lane.attempts_of(owner).any(Attempt::is_open);
    for delivery in &mut world.lane.deliveries {
        if delivery.id == owner && !delivery.state.is_terminal() && !is_another_open {
            delivery.state = State::Ready;
        }
    }
    world.is_intent_forgotten = true;
    world.lane.is_tainted |= setup.environment().taints;
    if setup.environment().quarantines {
        world.quarantine_until = NOW + QUARANTINE;
    }
}
