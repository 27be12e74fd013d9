//! How the existing API tells the course of a delivery (`provider-statuses`, D32).

use super::state::{Attempt, Delivery, Kind, MootReason, State};
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// One line of a delivery's course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `sending`, `returned-ack` or `returned-error`.
    pub status: &'static str,
    /// When.
    pub created_at: Timestamp,
    /// What went wrong, for `returned-error`.
    pub exception: Option<String>,
}

/// The course of one delivery, oldest first: `sending` when its first attempt opened,
/// `returned-error` after each round in which no route answered well, `returned-ack` when it was
/// accepted, whatever had become of it by then. Empty before the first attempt.
///
/// `attempts` are those of this delivery, each with the detail kept beside it.
pub fn statuses(delivery: &Delivery, attempts: &[(Attempt, String)]) -> Vec<Status> {
    let Some(first) = attempts.iter().map(|(attempt, _)| attempt.opened_at).min() else {
        return Vec::new();
    };
    let mut course = vec![Status {
        status: "sending",
        created_at: first,
        exception: None,
    }];
    for round in 1..delivery.round {
        course.extend(round_status(round, attempts));
    }
    let accepted_at = attempts
        .iter()
        .filter(|(attempt, _)| attempt.is_accepted())
        .filter_map(|(attempt, _)| attempt.closed.map(|closed| closed.at))
        .min();
    if let Some(created_at) = accepted_at {
        course.push(Status {
            status: "returned-ack",
            created_at,
            exception: None,
        });
    } else if let State::Moot { reason, at } = delivery.state {
        course.push(Status {
            status: "returned-error",
            created_at: at,
            exception: Some(moot_words(delivery.kind, reason).to_owned()),
        });
    }
    course.sort_by_key(|status| status.created_at);
    course
}

fn moot_words(kind: Kind, reason: MootReason) -> &'static str {
    match (kind, reason) {
        (Kind::Update, _) => "nothing to update at this provider: sent as an alert",
        (_, MootReason::EndedWithoutAnswer) => "ended without an answer",
        (_, MootReason::NeverSent | MootReason::UnknownReference) => {
            "nothing to cancel at this provider"
        }
    }
}

/// The end of a round that accepted nothing, in the words of its attempts.
fn round_status(round: u32, attempts: &[(Attempt, String)]) -> Option<Status> {
    let of_round = || {
        attempts
            .iter()
            .filter(|(attempt, _)| attempt.round == round)
    };
    if of_round().any(|(attempt, _)| attempt.is_accepted()) {
        return None;
    }
    let created_at = of_round()
        .filter_map(|(attempt, _)| attempt.closed.map(|c| c.at))
        .max()?;
    let exception = of_round()
        .map(|(attempt, detail)| {
            let outcome = attempt
                .closed
                .map_or(Outcome::Unknown, |closed| closed.outcome);
            format!("{}: {} ({detail})", attempt.route, outcome.as_str())
        })
        .collect::<Vec<_>>()
        .join("; ");
    Some(Status {
        status: "returned-error",
        created_at,
        exception: Some(exception),
    })
}
