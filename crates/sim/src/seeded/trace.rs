//! What happened in a run, in plain words.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use balefire_domain::lane::{Attempt, Delivery, State as Stand};

/// How much of what happens is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing.
    Nothing,
    /// A hash of all of it.
    Hash,
    /// Every line.
    Lines,
}

/// What happened, in plain words.
#[derive(Debug)]
pub struct Trace {
    /// How much is kept.
    pub keeping: Keeping,
    hasher: DefaultHasher,
    /// The lines, where they are kept.
    pub lines: Vec<String>,
}

impl Trace {
    /// A trace of which so much is kept.
    pub fn new(keeping: Keeping) -> Self {
        Self {
            keeping,
            hasher: DefaultHasher::new(),
            lines: Vec::new(),
        }
    }

    /// Writes down what happened then, in microseconds from the start.
    pub fn note(&mut self, at_us: i64, what: impl FnOnce() -> String) {
        if self.keeping == Keeping::Nothing {
            return;
        }
        let line = what();
        (at_us, &line).hash(&mut self.hasher);
        if self.keeping == Keeping::Lines {
            let (seconds, ms) = (at_us / 1_000_000, at_us / 1000 % 1000);
            let mut dated = String::new();
            write!(dated, "{seconds:>6}.{ms:03}  {line}").expect("a String takes all");
            self.lines.push(dated);
        }
    }

    /// The hash of all that happened.
    pub fn hash(&self) -> u64 {
        self.hasher.finish()
    }
}

/// An attempt in words.
pub fn attempt_words(attempt: &Attempt) -> String {
    let (seq, route, round) = (attempt.seq, &attempt.route, attempt.round);
    match attempt.closed {
        None => format!("intent stored: event {seq} over {route}, round {round}"),
        Some(closed) => {
            let outcome = closed.outcome.as_str();
            format!("attempt of event {seq} over {route}, round {round}, is {outcome}")
        }
    }
}

/// A delivery in words.
pub fn delivery_words(delivery: &Delivery) -> String {
    let (kind, seq) = (delivery.kind.as_str(), delivery.seq);
    let why = match delivery.state {
        Stand::Held { reason, .. } => format!(" ({})", reason.as_str()),
        Stand::Moot { reason, .. } => format!(" ({})", reason.as_str()),
        Stand::Ready
        | Stand::InFlight
        | Stand::Backoff { .. }
        | Stand::Acknowledged { .. }
        | Stand::Superseded { .. }
        | Stand::Expired { .. } => String::new(),
    };
    format!("{kind} (event {seq}) is {}{why}", delivery.state.as_str())
}
