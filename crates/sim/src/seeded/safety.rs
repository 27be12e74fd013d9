//! The promises about order, truth and time, judged at the moment at which something happens: at
//! every commit of a lane, every request that leaves, every message that is applied.

use std::collections::BTreeSet;

use balefire_dispatcher::ports::{LaneKey, SendRequest};
use balefire_domain::lane::{Attempt, Kind, Lane, MootReason, State as Stand};
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use super::hazard::{Fault, Hazard};
use super::options::ProviderKind;
use super::oracle::{Applied, Message, Sent};
use super::properties::Property;
use super::world::{State, World};

/// At every commit of a lane.
pub fn check_commit(state: &mut State, world: &World, key: &LaneKey, was: &Lane, is: &Lane) {
    let checks = [
        (Property::S5, one_flight(is)),
        (Property::S9, settled_stays(was, is)),
        (Property::S4, acknowledged_is_applied(state, key, was, is)),
        (Property::S8, opened_in_time(was, is)),
        (Property::L5, has_time_to_wake(state, key)),
    ];
    for (property, wrong) in checks {
        if let Some(wrong) = wrong {
            let detail = format!("{}: {wrong}", state.lane_name(key));
            state.violate(property, world.time.elapsed_us(), detail);
        }
    }
    count_commit(state, world, was, is);
}

/// S5.
fn one_flight(is: &Lane) -> Option<String> {
    let open: Vec<&Attempt> = is.attempts.iter().filter(|a| a.is_open()).collect();
    let seqs: BTreeSet<u32> = open.iter().map(|attempt| attempt.seq).collect();
    if seqs.len() > 1 {
        return Some(format!("events {seqs:?} are in flight at once"));
    }
    let slots: BTreeSet<u8> = open.iter().map(|attempt| attempt.slot).collect();
    (slots.len() < open.len()).then(|| format!("{} attempts are open in one slot", open.len()))
}

/// S9: terminal states, definite outcomes and the lane's rows.
fn settled_stays(was: &Lane, is: &Lane) -> Option<String> {
    for known in &was.deliveries {
        let Some(now) = is.deliveries.iter().find(|d| d.id == known.id) else {
            return Some(format!("event {} is gone", known.seq));
        };
        if known.state.is_terminal() && known.state != now.state {
            let (seq, from, to) = (known.seq, known.state.as_str(), now.state.as_str());
            return Some(format!("event {seq} was {from} and is {to}"));
        }
    }
    for known in &was.attempts {
        let now = is.attempts.iter().find(|a| a.id == known.id);
        let Some(now) = now else {
            return Some(format!("an attempt of event {} is gone", known.seq));
        };
        if known.is_accepted() && !now.is_accepted() {
            return Some(format!("an acceptance of event {} was lost", known.seq));
        }
        if !known.is_open() && now.is_open() {
            return Some(format!("an attempt of event {} was reopened", known.seq));
        }
    }
    None
}

/// S4.
fn acknowledged_is_applied(state: &State, key: &LaneKey, was: &Lane, is: &Lane) -> Option<String> {
    let cbc = &state.cbcs[&key.provider];
    let news = is.deliveries.iter().filter(|d| !was.deliveries.contains(d));
    let mut acknowledged = news.filter(|d| matches!(d.state, Stand::Acknowledged { .. }));
    let wrong = acknowledged.find(|d| !cbc.has_applied(d.id))?;
    Some(format!(
        "event {} is acknowledged, and was never applied",
        wrong.seq
    ))
}

/// S8, the part that the database sees.
fn opened_in_time(was: &Lane, is: &Lane) -> Option<String> {
    let is_new = |attempt: &&Attempt| !was.attempts.iter().any(|known| known.id == attempt.id);
    for attempt in is.attempts.iter().filter(is_new) {
        let ends_at = is
            .deliveries
            .iter()
            .find(|d| d.id == attempt.delivery)?
            .ends_at;
        if attempt.opened_at >= ends_at || attempt.deadline_at > ends_at {
            return Some(format!(
                "an attempt of event {} outlives its end",
                attempt.seq
            ));
        }
    }
    None
}

/// L5.
fn has_time_to_wake(state: &State, key: &LaneKey) -> Option<String> {
    let rows = &state.tables.lanes[key];
    let mut deliveries = rows.lane.deliveries.iter();
    let waiting = deliveries.find(|d| !d.state.is_terminal())?;
    let (seq, word) = (waiting.seq, waiting.state.as_str());
    rows.wake_at
        .is_none()
        .then(|| format!("event {seq} is {word}, and nothing will look at it"))
}

/// The faults that a commit shows.
fn count_commit(state: &mut State, world: &World, was: &Lane, is: &Lane) {
    for attempt in &is.attempts {
        if attempt
            .closed
            .is_some_and(|closed| closed.outcome == Outcome::Unknown)
        {
            state.oracle.ever_unknown.insert(attempt.delivery);
        }
    }
    for delivery in is.deliveries.iter().filter(|d| !was.deliveries.contains(d)) {
        match (delivery.kind, delivery.state) {
            (Kind::Alert, Stand::Expired { .. })
                if world.options.has(Hazard::AllProvidersDown) && !world.is_healed() =>
            {
                state.reached.count(Fault::F24);
            }
            (
                Kind::Cancel,
                Stand::Moot {
                    reason: MootReason::NeverSent,
                    ..
                },
            ) => state.reached.count(Fault::F30),
            (Kind::Cancel, Stand::Held { .. } | Stand::Ready)
                if !was.deliveries.iter().any(|d| d.id == delivery.id) =>
            {
                let now = delivery.created_at;
                if was.attempts.iter().any(|a| a.is_undrained(now)) {
                    state.reached.count(Fault::F31);
                }
            }
            _ => {}
        }
    }
}

/// At every request that leaves.
pub fn check_sent(
    state: &mut State,
    world: &World,
    request: &SendRequest,
    sent: &Sent,
    wall: Timestamp,
) {
    let checks = [
        (Property::S6, intent_is_durable(state, sent)),
        (Property::S7, is_approved(state, sent)),
        (Property::S8, leaves_in_time(state, request, wall)),
        (Property::S10, has_same_bytes(state, sent)),
    ];
    for (property, wrong) in checks {
        if let Some(wrong) = wrong {
            let detail = format!("event {} over {}: {wrong}", request.seq, sent.route);
            state.violate(property, world.time.elapsed_us(), detail);
        }
    }
}

/// S6: as many requests as intents, at most.
fn intent_is_durable(state: &State, sent: &Sent) -> Option<String> {
    let is_its = |attempt: &&Attempt| {
        attempt.delivery == sent.id
            && attempt.route == sent.route
            && attempt.deadline_at.micros() == sent.deadline_us
    };
    let intents = state.lane_of(sent.id).map_or(0, |(_, rows)| {
        rows.lane.attempts.iter().filter(is_its).count()
    });
    let is_same = |other: &&Sent| {
        other.id == sent.id && other.route == sent.route && other.deadline_us == sent.deadline_us
    };
    let before = state.oracle.sent.iter().filter(is_same).count();
    if state.has_failed_over && before >= intents {
        return None; // It was durable, and the failover forgot it.
    }
    if intents == 0 {
        return Some("no intent of it is stored".to_owned());
    }
    (before >= intents).then(|| "its one intent has been used already".to_owned())
}

/// S7: the bytes are those that were frozen with the approved event.
fn is_approved(state: &State, sent: &Sent) -> Option<String> {
    let frozen = state
        .lane_of(sent.id)
        .and_then(|(_, rows)| rows.frozen[&sent.id].payload.as_deref().map(str::to_owned));
    match frozen {
        None if state.has_failed_over => None, // A cancel's bytes, rendered and forgotten.
        None => Some("no such delivery was approved".to_owned()),
        // They were rendered, and forgotten.
        Some(_) if state.has_failed_over && is_rendered_late(state, sent) => None,
        Some(frozen) if frozen != *sent.payload => Some("these bytes were not approved".to_owned()),
        Some(_) => None,
    }
}

/// A cancel's bytes, and an update's form, are rendered at the first attempt: a failover may forget
/// that, and afterwards a tainted lane names more.
fn is_rendered_late(state: &State, sent: &Sent) -> bool {
    let rows = state.lane_of(sent.id).map(|(_, rows)| rows);
    let mut deliveries = rows.into_iter().flat_map(|rows| &rows.lane.deliveries);
    deliveries.any(|d| d.id == sent.id && d.kind != Kind::Alert)
}

/// S8, by the clock of the process that sends.
fn leaves_in_time(state: &State, request: &SendRequest, wall: Timestamp) -> Option<String> {
    let rows = state.lane_of(request.delivery)?.1;
    let delivery = rows
        .lane
        .deliveries
        .iter()
        .find(|d| d.id == request.delivery)?;
    if wall >= delivery.ends_at {
        return Some("it leaves after its end".to_owned());
    }
    (wall >= request.deadline_at).then(|| "it leaves after its deadline".to_owned())
}

/// S10.
fn has_same_bytes(state: &State, sent: &Sent) -> Option<String> {
    if state.has_failed_over && is_rendered_late(state, sent) {
        return None; // They were rendered, forgotten, and rendered again.
    }
    let mut others = state.oracle.sent.iter().filter(|other| other.id == sent.id);
    others
        .any(|other| other.payload != sent.payload)
        .then(|| "an earlier attempt had other bytes".to_owned())
}

/// When a centre has applied a message.
pub fn check_applied(
    state: &mut State,
    world: &World,
    provider: &ProviderName,
    message: &Message,
    group: usize,
) {
    let checks = [
        (Property::S1, in_order(state, provider, message, group)),
        (Property::S2, once(state, world, provider, message, group)),
        (Property::S3, no_ghost(state, message)),
    ];
    for (property, wrong) in checks {
        if let Some(wrong) = wrong {
            let detail = format!("{provider} applies event {}: {wrong}", message.seq);
            state.violate(property, world.time.elapsed_us(), detail);
        }
    }
    if state.dark.contains(provider) {
        state.reached.count(Fault::F23);
    }
}

/// S1.
fn in_order(
    state: &State,
    provider: &ProviderName,
    message: &Message,
    group: usize,
) -> Option<String> {
    // A cancel whose acceptance a failover forgot is sent again, after its replacement too. It
    // names only what it took off before.
    let cbc = &state.cbcs[provider];
    let again = cbc.applied.iter().filter(|a| a.id == message.id).count() > 1;
    if state.has_failed_over && again && message.kind == Kind::Cancel {
        return None;
    }
    let applied = cbc.applied.iter().filter(|a| a.group == group);
    let later = applied.filter(|a| a.lane == message.lane && a.seq > message.seq);
    let later = later.map(|applied| applied.seq).max()?;
    Some(format!("event {later} was applied before"))
}

/// S2.
fn once(
    state: &State,
    world: &World,
    provider: &ProviderName,
    message: &Message,
    group: usize,
) -> Option<String> {
    let cbc = &state.cbcs[provider];
    let is_same = |a: &&Applied| a.lane == message.lane && a.seq == message.seq && a.group == group;
    let times = cbc.applied.iter().filter(is_same).count();
    if times < 2 || cbc.has_forgotten {
        return None;
    }
    let is_excused = State::kind_of(&world.options, provider) == ProviderKind::Forgetting
        && (state.has_failed_over
            || state.oracle.ever_unknown.contains(&message.id)
            || state.oracle.doubled.contains_key(&message.id));
    (!is_excused).then(|| format!("that is the {times}. time"))
}

/// S3.
fn no_ghost(state: &State, message: &Message) -> Option<String> {
    let (_, rows) = state.lane_of(message.id)?;
    let mut later = rows.lane.deliveries.iter().filter(|d| d.seq > message.seq);
    let is_closed = |state| matches!(state, Stand::Acknowledged { .. } | Stand::Moot { .. });
    let closed = later.find(|d| is_closed(d.state))?;
    let (seq, word) = (closed.seq, closed.state.as_str());
    Some(format!("event {seq} is {word} already"))
}
