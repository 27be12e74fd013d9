//! S4 and S9: what the record says has happened, and that it stays so.

use super::facts::{AttemptFact, History, ended_at};
use super::order::named;
use super::report::{Finding, Judged, Terms};
use crate::alert::Status;
use crate::lane::State;

/// S4: an acknowledged delivery has an accepted attempt, and the provider applied it.
pub(super) fn s4_no_false_acknowledgement(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for delivery in &history.deliveries {
        let State::Acknowledged { at } = delivery.state else {
            continue;
        };
        let has_answer = history
            .attempts_of(delivery.id)
            .any(AttemptFact::is_accepted);
        judged.holds(has_answer, || {
            let what = format!(
                "{} is acknowledged, and no attempt of it was accepted",
                named(delivery)
            );
            Finding::of(history, delivery, at, what)
        });
        if !terms.has_log || at >= terms.until {
            continue;
        }
        let is_applied = history.requests_of(delivery.id).any(|request| {
            request
                .applied
                .is_some_and(|applied| !terms.is_surely_after(applied.place.at, at))
        });
        judged.holds(is_applied, || {
            let what = format!(
                "{} was acknowledged, and the provider's log has not applied it by then",
                named(delivery)
            );
            Finding::of(history, delivery, at, what)
        });
    }
    judged
}

/// What moves an alert to another status.
const MOVES: [&str; 5] = [
    "alert.move",
    "alert.approve",
    "alert.reject",
    "alert.cancel",
    "alert.complete",
];

/// S9: what has ended stays so, an acceptance is never lost, and numbers only rise.
pub(super) fn s9_monotone(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    judge_numbers(history, &mut judged);
    judge_deliveries(history, terms, &mut judged);
    judge_trail(history, &mut judged);
    judged
}

fn judge_numbers(history: &History, judged: &mut Judged) {
    let next_seq = history.alert.next_seq;
    for (event, seq) in history.events.iter().zip(1..) {
        judged.holds(event.seq == seq && event.seq < next_seq, || Finding {
            seq: Some(event.seq),
            at: Some(event.created_at),
            ..Finding::of_alert(
                history,
                format!(
                    "the event is number {seq} and has seq {}; the alert's next is {next_seq}",
                    event.seq
                ),
            )
        });
    }
}

fn judge_deliveries(history: &History, terms: &Terms, judged: &mut Judged) {
    for delivery in &history.deliveries {
        let ended = ended_at(delivery.state);
        for attempt in history.attempts_of(delivery.id) {
            let is_late = ended.is_some_and(|at| terms.is_surely_after(attempt.opened_at, at));
            judged.holds(!is_late, || {
                let what = format!(
                    "{} was tried again after it had ended ({})",
                    named(delivery),
                    delivery.state.as_str()
                );
                Finding::of(history, delivery, attempt.opened_at, what)
            });
            judged.holds(!attempt.is_accepted() || ended.is_some(), || {
                let what = format!(
                    "{} was accepted and is {} now: the acknowledgement was lost",
                    named(delivery),
                    delivery.state.as_str()
                );
                Finding::of(history, delivery, attempt.opened_at, what)
            });
        }
        if let State::Superseded { at } = delivery.state {
            let has_successor = history
                .lane(&delivery.provider)
                .any(|other| other.seq > delivery.seq);
            judged.holds(has_successor, || {
                let what = format!("{} is superseded by nothing", named(delivery));
                Finding::of(history, delivery, at, what)
            });
        }
    }
}

/// The audit trail of an alert agrees with its status, and has no move after its end.
fn judge_trail(history: &History, judged: &mut Judged) {
    let count = |action: &str| history.audit.iter().filter(|e| e.action == action).count();
    let ends = match history.alert.status {
        Status::Cancelled => (1, 0),
        Status::Completed => (0, 1),
        Status::Draft
        | Status::PendingApproval
        | Status::Rejected
        | Status::Returned
        | Status::Broadcasting
        | Status::TechnicalFailure => (0, 0),
    };
    judged.holds(
        (count("alert.cancel"), count("alert.complete")) == ends,
        || {
            let what = format!(
                "the alert is {} now, and the audit trail has it cancelled {} and completed {} \
                 times",
                history.alert.status.as_str(),
                count("alert.cancel"),
                count("alert.complete")
            );
            Finding::of_alert(history, what)
        },
    );
    let mut moves = history
        .audit
        .iter()
        .filter(|entry| MOVES.contains(&entry.action.as_str()));
    let end = moves.find(|e| matches!(e.action.as_str(), "alert.cancel" | "alert.complete"));
    let after = end.and(moves.next());
    judged.holds(after.is_none(), || {
        let after = after.expect("it was found");
        Finding {
            at: Some(after.at),
            ..Finding::of_alert(
                history,
                format!("{} by {} came after its end", after.action, after.actor),
            )
        }
    });
}
