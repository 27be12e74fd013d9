//! S5, S6 and S8: attempts, and the requests that came of them.

use super::facts::{AttemptFact, History, RequestFact};
use super::order::named;
use super::report::{Finding, Judged, Terms};

/// S5: the attempts of a lane that are open at one time are all of one `seq`, and one per slot.
///
/// A late acceptance moves an attempt's end: where an accepted attempt seems to overlap the next of
/// its own `seq`, it can't be told from the record when it first ended.
pub(super) fn s5_no_conflicting_flight(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for (index, first) in history.attempts.iter().enumerate() {
        for second in &history.attempts[index + 1..] {
            if first.provider != second.provider || is_excused(first, second) {
                continue;
            }
            let is_conflict = first.seq != second.seq || first.slot == second.slot;
            let (early, late) = if first.opened_at <= second.opened_at {
                (first, second)
            } else {
                (second, first)
            };
            let overlap = early.closed.is_none_or(|closed| {
                terms.is_surely_after(closed.at, late.opened_at) && !is_late_acceptance(early, late)
            });
            judged.holds(!(is_conflict && overlap), || Finding {
                provider: Some(late.provider.clone()),
                seq: Some(late.seq),
                at: Some(late.opened_at),
                ..Finding::of_alert(
                    history,
                    format!(
                        "attempt {} was opened while attempt {} of seq {} was open",
                        late.id, early.id, early.seq
                    ),
                )
            });
        }
    }
    judged
}

fn is_excused(first: &AttemptFact, second: &AttemptFact) -> bool {
    let is_one_message = first.seq == second.seq;
    is_one_message && (first.is_accepted() || second.is_accepted()) && {
        let early = if first.opened_at <= second.opened_at {
            first
        } else {
            second
        };
        early.is_accepted()
    }
}

/// `early` was drained before `late` opened, and its acceptance became known afterwards.
fn is_late_acceptance(early: &AttemptFact, late: &AttemptFact) -> bool {
    early.is_accepted() && early.drained_at <= late.opened_at
}

/// S6: each request has an attempt of its delivery over its route, opened before it came.
pub(super) fn s6_intent_first(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for delivery in &history.deliveries {
        let requests: Vec<&RequestFact> = history.requests_of(delivery.id).collect();
        for request in &requests {
            let route = request.route();
            let over_route = |attempt: &&AttemptFact| attempt.route == route;
            let intents = history.attempts_of(delivery.id).filter(over_route);
            let earlier = requests
                .iter()
                .filter(|other| other.route() == route && other.place.at <= request.place.at)
                .count();
            let opened = intents
                .filter(|attempt| !terms.is_surely_after(attempt.opened_at, request.place.at))
                .count();
            judged.holds(opened >= earlier, || {
                let what = format!(
                    "{} came over {route} {earlier} times, and {opened} attempts were stored by \
                     then",
                    named(delivery)
                );
                Finding::of(history, delivery, request.place.at, what)
            });
        }
    }
    judged
}

/// S8: no attempt opens and no request comes after the delivery's end; nothing is applied after
/// its `not_after`, nor when its attempts are drained.
pub(super) fn s8_deadline(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for delivery in &history.deliveries {
        for attempt in history.attempts_of(delivery.id) {
            let is_in_time =
                attempt.opened_at < delivery.ends_at && attempt.deadline_at <= delivery.ends_at;
            judged.holds(is_in_time, || {
                let what = format!(
                    "an attempt of {} was opened for until {}, and it ended at {}",
                    named(delivery),
                    attempt.deadline_at,
                    delivery.ends_at
                );
                Finding::of(history, delivery, attempt.opened_at, what)
            });
        }
        for request in history.requests_of(delivery.id) {
            let latest = delivery.ends_at + terms.travel;
            judged.holds(!terms.is_surely_after(request.place.at, latest), || {
                let what = format!(
                    "{} came to {} after its end, {}",
                    named(delivery),
                    request.function,
                    delivery.ends_at
                );
                Finding::of(history, delivery, request.place.at, what)
            });
            let Some(applied) = request.applied else {
                continue;
            };
            let drained = history
                .attempts_of(delivery.id)
                .map(|attempt| attempt.drained_at)
                .max();
            // A request without any attempt is S6's.
            let Some(latest) = request.not_after.or(drained) else {
                continue;
            };
            judged.holds(!terms.is_surely_after(applied.place.at, latest), || {
                let what = format!(
                    "{} was applied after {latest}, the latest that it might be",
                    named(delivery)
                );
                Finding::of(history, delivery, applied.place.at, what)
            });
        }
    }
    judged
}
