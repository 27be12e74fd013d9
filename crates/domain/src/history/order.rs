//! S1 to S3: what the providers applied, and in which order.

use std::collections::BTreeMap;

use super::facts::{AttemptFact, DeliveryFact, History, Place, RequestFact, ended_at};
use super::report::{Finding, Judged, Terms};
use crate::ids::DeliveryId;
use crate::lane::State;
use crate::outcome::Outcome;

/// Whether `late` came after `early` beyond doubt.
fn is_after(late: Place, early: Place, terms: &Terms) -> bool {
    if late.log == early.log {
        late.line > early.line
    } else {
        terms.is_surely_after(late.at, early.at)
    }
}

/// Where the provider keeps what it applied: for all of it together, or site by site.
pub(super) fn memory<'a>(
    delivery: &'a DeliveryFact,
    request: &'a RequestFact,
    terms: &Terms,
) -> (&'a str, &'a str) {
    let provider = delivery.provider.as_str();
    if terms.separate_sites.contains(&delivery.provider) {
        (
            provider,
            request.site.as_deref().unwrap_or(&request.function),
        )
    } else {
        (provider, "")
    }
}

/// S1: at one provider nothing of an alert is applied after something of a higher `seq`.
pub(super) fn s1_order(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for (delivery, request, place) in history.applied() {
        let own = memory(delivery, request, terms);
        let overtaken = history.applied().find(|(other, at_other, earlier)| {
            memory(other, at_other, terms) == own
                && other.seq > delivery.seq
                && is_after(place, *earlier, terms)
        });
        judged.holds(overtaken.is_none(), || {
            let what = format!(
                "{} was applied after {}",
                named(delivery),
                overtaken.map_or(String::new(), |(other, ..)| named(other))
            );
            Finding::of(history, delivery, place.at, what)
        });
    }
    judged
}

/// S2: a provider applies each identifier once. Where it does not promise that, as often as
/// attempts of ours ended without a definite answer, and once more.
pub(super) fn s2_at_most_once(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    let mut times: BTreeMap<(DeliveryId, &str), Vec<Place>> = BTreeMap::new();
    for (delivery, request, place) in history.applied() {
        let (_, site) = memory(delivery, request, terms);
        times.entry((delivery.id, site)).or_default().push(place);
    }
    for ((id, _), places) in times {
        let Some(delivery) = history.delivery(id) else {
            continue;
        };
        let allowed = if terms.applies_once.contains(&delivery.provider) {
            1
        } else {
            1 + history.attempts_of(id).filter(|a| is_doubtful(a)).count()
        };
        judged.holds(places.len() <= allowed, || {
            let what = format!("{} was applied {} times", named(delivery), places.len());
            Finding::of(history, delivery, places[allowed].at, what)
        });
    }
    judged
}

/// Its answer was lost, or may have been: it may have been applied unseen. A late acceptance was
/// unknown before.
fn is_doubtful(attempt: &AttemptFact) -> bool {
    match attempt.closed {
        None => true,
        Some(closed) => closed.outcome == Outcome::Unknown || closed.at > attempt.deadline_at,
    }
}

/// S3: nothing is applied once a delivery of a higher `seq` is done with; and no attempt of a
/// higher `seq` opens while something lower may still be applied.
pub(super) fn s3_no_ghost(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for later in &history.attempts {
        let earlier = history
            .attempts
            .iter()
            .filter(|a| a.provider == later.provider && a.seq < later.seq);
        for attempt in earlier {
            let is_drained = attempt.drained_at <= later.opened_at
                || attempt.closed.is_some_and(|closed| {
                    closed.outcome != Outcome::Unknown
                        && !terms.is_surely_after(closed.at, later.opened_at)
                });
            judged.holds(is_drained, || Finding {
                provider: Some(later.provider.clone()),
                seq: Some(later.seq),
                at: Some(later.opened_at),
                ..Finding::of_alert(
                    history,
                    format!(
                        "an attempt was opened while an attempt of seq {} might still be applied, \
                         until {}",
                        attempt.seq, attempt.drained_at
                    ),
                )
            });
        }
    }
    for (delivery, _, place) in history.applied() {
        let ended = history
            .lane(&delivery.provider)
            .filter(|other| other.seq > delivery.seq)
            .filter(|other| is_done(other.state))
            .filter_map(|other| Some((other, ended_at(other.state)?)))
            .find(|(_, at)| terms.is_surely_after(place.at, *at));
        judged.holds(ended.is_none(), || {
            let (other, at) = ended.expect("it was found");
            let what = format!(
                "{} was applied although {} had ended at {at}",
                named(delivery),
                named(other)
            );
            Finding::of(history, delivery, place.at, what)
        });
    }
    judged
}

/// What people were told is done with: acknowledged, or nothing to do. What was superseded or has
/// expired promises nothing of what lies below it.
const fn is_done(state: State) -> bool {
    matches!(state, State::Acknowledged { .. } | State::Moot { .. })
}

/// A delivery in words.
pub(super) fn named(delivery: &DeliveryFact) -> String {
    format!(
        "the {} {} (seq {})",
        delivery.kind.as_str(),
        delivery.id,
        delivery.seq
    )
}
