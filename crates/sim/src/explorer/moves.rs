//! Every move of a delivery that was seen: the table of states in `docs/delivery.md` is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use balefire_domain::lane::{Kind, State};
use balefire_domain::outcome::Outcome;

use super::actions::Action;
use super::world::{Reply, World};

/// From which state, to which state, of which kind of delivery, for which causes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves(BTreeMap<(Kind, String, String), BTreeSet<&'static str>>);

impl Moves {
    /// Notes what `action` did to the deliveries of the lane.
    pub fn note(&mut self, before: &World, action: Action, after: &World) {
        let deliveries = before.lane.deliveries.iter().zip(&after.lane.deliveries);
        let issued = after
            .lane
            .deliveries
            .iter()
            .skip(before.lane.deliveries.len());
        for is in issued {
            let entry = (is.kind, "–".to_owned(), name(is.state));
            self.0.entry(entry).or_default().insert("it is issued");
        }
        for (was, is) in deliveries {
            if was.state == is.state {
                continue;
            }
            let (from, to) = (name(was.state), name(is.state));
            if from != to {
                let causes = self.0.entry((was.kind, from, to)).or_default();
                causes.insert(cause(before, action));
            }
        }
    }

    /// The moves as a table in Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from("| delivery | from | to | because |\n|---|---|---|---|\n");
        for ((kind, from, to), causes) in &self.0 {
            let causes: Vec<&str> = causes.iter().copied().collect();
            let kind = kind.as_str();
            writeln!(text, "| {kind} | {from} | {to} | {} |", causes.join("; "))
                .expect("a String takes all");
        }
        text
    }

    /// Takes over what another run saw.
    pub fn extend(&mut self, other: &Self) {
        for (entry, causes) in &other.0 {
            self.0.entry(entry.clone()).or_default().extend(causes);
        }
    }
}

fn name(state: State) -> String {
    match state {
        State::Held { reason, .. } => format!("held ({})", reason.as_str()),
        State::Moot { reason, .. } => format!("moot ({})", reason.as_str()),
        State::Ready
        | State::InFlight
        | State::Backoff { .. }
        | State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. } => state.as_str().to_owned(),
    }
}

fn cause(world: &World, action: Action) -> &'static str {
    match action {
        Action::Update => "an update is issued",
        Action::Cancel => "a cancel is issued",
        Action::Due { .. } => "it is due and has a permit",
        Action::Sweep => "the sweep",
        Action::Heal => "something else got through to the provider",
        Action::WriteNothing(_) => "the answer: refused",
        Action::TimeOut(_) => "the answer: unknown",
        Action::DeclareDead(_) => "its process is dead",
        Action::Receive(index) => answer(world.flights[index].reply),
        Action::Second
        | Action::Leap
        | Action::Repeat
        | Action::Leave(_)
        | Action::Arrive(_)
        | Action::Refuse(_)
        | Action::AnswerUnknown(_)
        | Action::AnswerForeign(_)
        | Action::LoseRequest(_)
        | Action::LoseReply(_)
        | Action::Crash(_)
        | Action::Forget(_) => "the lane is judged anew",
    }
}

fn answer(reply: Reply) -> &'static str {
    match reply {
        Reply::Sent(Outcome::Accepted) => "the answer: accepted",
        Reply::Sent(Outcome::Duplicate) => "the answer: duplicate",
        Reply::Sent(Outcome::Refused) => "the answer: refused",
        Reply::Sent(Outcome::Unknown) => "the answer: unknown",
        Reply::Sent(Outcome::UnknownReference) => "the answer: unknown_reference",
        Reply::Awaited | Reply::Gone => "the lane is judged anew",
    }
}
