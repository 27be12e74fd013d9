//! The end that an answer brings its delivery.

use super::policy::Policy;
use super::sites;
use super::state::{Attempt, Delivery, Kind, Lane, MootReason, State};
use crate::ids::DeliveryId;
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// The state in which this answer ends its delivery, if it does. The answer stands among the
/// lane's attempts already.
pub(super) fn of_answer(
    lane: &Lane,
    id: DeliveryId,
    outcome: Outcome,
    policy: &Policy,
    at: Timestamp,
) -> Option<State> {
    let delivery = lane.deliveries.iter().find(|d| d.id == id)?;
    match (delivery.kind, outcome) {
        (_, Outcome::Refused | Outcome::Unknown) | (Kind::Alert, Outcome::UnknownReference) => None,
        (Kind::Alert | Kind::Update, Outcome::Accepted | Outcome::Duplicate) => {
            Some(State::Acknowledged { at })
        }
        (Kind::Update, Outcome::UnknownReference) => {
            end_of_denied_update(lane, delivery, policy, at)
        }
        (Kind::Cancel, _) => sites::cancel_end(lane, delivery, policy, at),
    }
}

/// An update that names nothing the provider knows is moot (T10), unless the provider took an
/// earlier text: then that is no answer (T10'). Nor is it one while another attempt of it is under
/// way, nor from one of several sites, nor where something newer counts.
fn end_of_denied_update(
    lane: &Lane,
    update: &Delivery,
    policy: &Policy,
    at: Timestamp,
) -> Option<State> {
    let is_an_answer = policy.has_shared_sites
        && lane.target().is_some_and(|target| target.id == update.id)
        && !lane.attempts_of(update.id).any(Attempt::is_open)
        && lane.standing_below(update.seq, None).next().is_none();
    is_an_answer.then_some(State::Moot {
        reason: MootReason::UnknownReference,
        at,
    })
}
