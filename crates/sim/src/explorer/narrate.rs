//! A way through the states as lines that a person can follow.

use balefire_domain::lane::{HoldReason, MootReason, State};

use super::act;
use super::actions::Action;
use super::setup::Setup;
use super::world::{Reply, Request, World};

/// Plays `way` from the start and tells each action and what the lane and the provider look like
/// after it.
pub fn narrate(way: &[Action], setup: &Setup) -> Vec<String> {
    let mut world = World::start(setup);
    let mut lines = vec![format!("the alert is approved [{}]", summary(&world))];
    for &action in way {
        let next = act::take(&world, action, setup);
        lines.push(format!(
            "{} [{}]",
            tell(&world, action, setup),
            summary(&next)
        ));
        world = next;
    }
    lines
}

fn tell(world: &World, action: Action, setup: &Setup) -> String {
    let name = |index: usize| {
        let flight = &world.flights[index];
        // The normal form forgets where a request went once it is gone.
        let is_told = setup.environment().separate_sites && flight.request != Request::Gone;
        let site = match (is_told, flight.site) {
            (false, _) => "",
            (true, 0) => " to site a",
            (true, _) => " to site b",
        };
        format!("attempt {} ({}{site})", index + 1, word(world, flight.seq))
    };
    match action {
        Action::Second => "a second passes".to_owned(),
        Action::Leap => "nothing happens until shortly before the next end".to_owned(),
        Action::Update => "an update is approved".to_owned(),
        Action::Cancel => "the cancel is approved".to_owned(),
        Action::Due {
            is_second_site_first: false,
        } => "the lane is due".to_owned(),
        Action::Due {
            is_second_site_first: true,
        } => "the lane is due, site b first".to_owned(),
        Action::Sweep => "the sweep looks at the lane".to_owned(),
        Action::Heal => "another send through the provider succeeded".to_owned(),
        Action::Repeat => "an answer that is no news is recorded".to_owned(),
        Action::Leave(i) => format!("{} leaves", name(i)),
        Action::WriteNothing(i) => format!("{} is past its deadline: refused, unsent", name(i)),
        Action::Arrive(i) => format!("{} reaches the provider", name(i)),
        Action::Refuse(i) => format!("{} is refused by the provider", name(i)),
        Action::AnswerUnknown(i) => format!("{} is answered by a 5xx and goes on", name(i)),
        Action::AnswerForeign(i) => {
            format!(
                "{} is answered with another identifier and goes on",
                name(i)
            )
        }
        Action::LoseRequest(i) => format!("{} is lost on the way", name(i)),
        Action::LoseReply(i) => format!("the answer to {} is lost", name(i)),
        Action::Receive(i) => {
            let outcome = match world.flights[i].reply {
                Reply::Sent(outcome) => outcome.as_str(),
                Reply::Awaited | Reply::Gone => "none",
            };
            format!("the answer to {} is received: {outcome}", name(i))
        }
        Action::TimeOut(i) => format!("{} times out", name(i)),
        Action::Crash(i) => format!("the process of {} dies", name(i)),
        Action::DeclareDead(i) => format!("the owner of {} is declared dead", name(i)),
        Action::Forget(i) => format!("a failover forgets the intent of {}", name(i)),
    }
}

/// `alert`, `cancel`, and with its place among its kind from the second on.
fn word(world: &World, seq: u32) -> String {
    let known = &world.lane.deliveries;
    let Some(kind) = known.iter().find(|d| d.seq == seq).map(|d| d.kind) else {
        return format!("delivery {seq}");
    };
    let place = known
        .iter()
        .filter(|d| d.kind == kind && d.seq <= seq)
        .count();
    if place == 1 {
        kind.as_str().to_owned()
    } else {
        format!("{} {place}", kind.as_str())
    }
}

fn summary(world: &World) -> String {
    let mut parts: Vec<String> = world
        .lane
        .deliveries
        .iter()
        .map(|d| format!("{} {}", word(world, d.seq), state_words(d.state)))
        .collect();
    let on_air = world.sites.iter().fold(0, |bits, site| bits | site.on_air);
    parts.push(match (world.applied, on_air, world.is_applied_again) {
        (0, _, _) => "never applied".to_owned(),
        (_, 0, _) => "off the air".to_owned(),
        (_, _, again) => {
            let bits = (1..16).filter(|seq| on_air & (1 << seq) != 0);
            let which: Vec<String> = bits.map(|seq| word(world, seq)).collect();
            let which = match which.as_slice() {
                [only] if only == "alert" => "on the air".to_owned(),
                all => format!("on the air: {}", all.join(" and ")),
            };
            format!("{which}{}", if again { ", applied twice" } else { "" })
        }
    });
    parts.join(", ")
}

fn state_words(state: State) -> String {
    let detail = match state {
        State::Held {
            reason: HoldReason::Drain,
            ..
        } => " for the drain",
        State::Held {
            reason: HoldReason::Replaces,
            ..
        } => " for its cancel",
        State::Held {
            reason: HoldReason::Quarantine,
            ..
        } => " in quarantine",
        State::Moot {
            reason: MootReason::NeverSent,
            ..
        } => ": never sent",
        State::Moot {
            reason: MootReason::UnknownReference,
            ..
        } => ": unknown reference",
        State::Moot {
            reason: MootReason::EndedWithoutAnswer,
            ..
        } => ": ended without answer",
        State::Ready
        | State::InFlight
        | State::Backoff { .. }
        | State::Held { .. }
        | State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. } => "",
    };
    format!("{}{detail}", state.as_str())
}
