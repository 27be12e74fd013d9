//! S13: what a cancel leaves behind.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{AttemptFact, DeliveryFact, History, Place, ended_at};
use super::order::memory;
use super::report::{Finding, Judged, Terms};
use crate::lane::{Kind, MootReason, State};
use crate::provider::ProviderName;
use crate::time::Timestamp;

/// S13: once a lane's cancel has ended and nothing is under way, the alert is not on the air there.
pub(super) fn s13_cancel_safety(history: &History, terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    let providers: BTreeSet<&ProviderName> =
        history.deliveries.iter().map(|d| &d.provider).collect();
    for provider in providers {
        let Some(cancel) = history.lane(provider).max_by_key(|d| d.seq) else {
            continue;
        };
        let (Kind::Cancel, Some(at)) = (cancel.kind, ended_at(cancel.state)) else {
            continue;
        };
        judge_record(history, cancel, at, &mut judged);
        if terms.has_log && at < terms.until {
            judge_log(history, cancel, at, terms, &mut judged);
        }
    }
    judged
}

/// What the database alone shows: a cancel that ended as needless was needless, and no other ended
/// unacknowledged.
fn judge_record(history: &History, cancel: &DeliveryFact, at: Timestamp, judged: &mut Judged) {
    let State::Moot { reason, .. } = cancel.state else {
        let is_acknowledged = matches!(cancel.state, State::Acknowledged { .. });
        judged.holds(is_acknowledged, || {
            let what = format!("the lane's last cancel is {}", cancel.state.as_str());
            Finding::of(history, cancel, at, what)
        });
        return;
    };
    let lower = || {
        history
            .attempts
            .iter()
            .filter(|a| a.provider == cancel.provider && a.seq < cancel.seq)
    };
    let is_needless = match reason {
        MootReason::NeverSent => lower().next().is_none(),
        MootReason::UnknownReference => !may_stand(history, lower()) || is_over(history, at),
        MootReason::EndedWithoutAnswer => is_over(history, at),
    };
    judged.holds(is_needless, || {
        let what = format!(
            "the cancel ended as needless ({}), and the alert was sent and its time not over",
            reason.as_str()
        );
        Finding::of(history, cancel, at, what)
    });
}

/// Whether one of these attempts put a text on the air that no later cancel among them can have
/// taken off.
fn may_stand<'a>(history: &'a History, attempts: impl Iterator<Item = &'a AttemptFact>) -> bool {
    let kind = |attempt: &AttemptFact| history.delivery(attempt.delivery).map(|d| d.kind);
    let attempts: Vec<&AttemptFact> = attempts.collect();
    attempts.iter().any(|text| {
        let may_be_off = attempts
            .iter()
            .any(|a| kind(a) == Some(Kind::Cancel) && a.seq > text.seq && a.may_be_applied());
        text.is_accepted() && kind(text).is_some_and(Kind::carries_text) && !may_be_off
    })
}

fn is_over(history: &History, at: Timestamp) -> bool {
    history.alert.finishes_at.is_some_and(|end| at >= end)
}

/// What the provider's log shows: after what it applied last, the alert is off the air.
fn judge_log(
    history: &History,
    cancel: &DeliveryFact,
    at: Timestamp,
    terms: &Terms,
    judged: &mut Judged,
) {
    let may_yet_come = history.attempts.iter().any(|attempt| {
        attempt.provider == cancel.provider
            && attempt.closed.is_none()
            && attempt.drained_at > terms.until
    });
    if may_yet_come || is_over(history, at) {
        return;
    }
    let mut last: BTreeMap<(&str, &str), (Place, &DeliveryFact)> = BTreeMap::new();
    for (delivery, request, place) in history.applied() {
        if delivery.provider != cancel.provider {
            continue;
        }
        let site = memory(delivery, request, terms);
        let is_latest = last
            .get(&site)
            .is_none_or(|(known, _)| is_later(place, *known));
        if is_latest {
            last.insert(site, (place, delivery));
        }
    }
    for (place, delivery) in last.into_values() {
        judged.holds(delivery.kind == Kind::Cancel, || {
            let what = format!(
                "the cancel ended at {at}, and what the provider applied last is the {} {}",
                delivery.kind.as_str(),
                delivery.id
            );
            Finding::of(history, cancel, place.at, what)
        });
    }
}

/// Between two logs only the clocks can tell, and the nearer call is left open by S1.
fn is_later(one: Place, other: Place) -> bool {
    if one.log == other.log {
        one.line > other.line
    } else {
        one.at > other.at
    }
}
