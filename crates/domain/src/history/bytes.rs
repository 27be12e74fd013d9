//! S10 and S12: each delivery goes out with its own bytes, in its own lane.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::{DeliveryFact, History};
use super::order::named;
use super::report::{Finding, Judged, Terms};
use crate::lane::Kind;

/// S10: every request of a delivery is the stored payload, which names the delivery; and that of an
/// update names every earlier message of its lane that was attempted.
pub(super) fn s10_same_bytes(history: &History, _terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for delivery in &history.deliveries {
        let is_tried = history.attempts_of(delivery.id).next().is_some();
        let Some(payload) = &delivery.payload else {
            judged.holds(!is_tried, || {
                let what = format!(
                    "{} was tried and its payload is not stored",
                    named(delivery)
                );
                Finding::of(history, delivery, delivery.created_at, what)
            });
            continue;
        };
        let read: Value = serde_json::from_str(payload).unwrap_or_default();
        let is_own = read["identifier"].as_str() == Some(delivery.id.to_string().as_str())
            && is_of_kind(history, delivery, &read["message_type"]);
        judged.holds(is_own, || {
            let what = format!("the payload of {} is another message's", named(delivery));
            Finding::of(history, delivery, delivery.created_at, what)
        });
        if read["message_type"] == Kind::Update.as_str() {
            let names_all = names_all_below(history, delivery, &read["references"]);
            judged.holds(names_all, || {
                let what = format!("{} does not name what it updates", named(delivery));
                Finding::of(history, delivery, delivery.created_at, what)
            });
        }
        let stored = payload.trim_end_matches('}');
        for request in history.requests_of(delivery.id) {
            judged.holds(request.stored.trim_end_matches('}') == stored, || {
                let what = format!(
                    "{} came to {} with other bytes than are stored",
                    named(delivery),
                    request.function
                );
                Finding::of(history, delivery, request.place.at, what)
            });
        }
    }
    judged
}

/// Whether a stored payload is of its delivery's kind. An update is stored as an alert; its first
/// attempt makes an update of it, where anything below it was attempted or may be forgotten.
fn is_of_kind(history: &History, delivery: &DeliveryFact, message_type: &Value) -> bool {
    let message_type = message_type.as_str().unwrap_or_default();
    if delivery.kind != Kind::Update {
        return message_type == delivery.kind.as_str();
    }
    let is_tried = history.attempts_of(delivery.id).next().is_some();
    let mut attempts = history.attempts.iter();
    let is_touched_below =
        attempts.any(|a| a.provider == delivery.provider && a.seq < delivery.seq);
    match (is_tried, is_touched_below) {
        (true, true) => message_type == "update",
        (true, false) => matches!(message_type, "alert" | "update"),
        (false, _) => message_type == "alert",
    }
}

/// Whether these references have every earlier delivery of the lane of which an attempt is known.
fn names_all_below(history: &History, delivery: &DeliveryFact, references: &Value) -> bool {
    let listed = references.as_array().into_iter().flatten();
    let listed = listed.filter_map(|reference| reference["message_id"].as_str());
    let listed: BTreeSet<&str> = listed.collect();
    let mut lower = history
        .lane(&delivery.provider)
        .filter(|d| d.seq < delivery.seq && history.attempts_of(d.id).next().is_some());
    lower.all(|d| listed.contains(d.id.to_string().as_str()))
}

/// S12, as far as one history shows it: attempts and requests stand in the lane of their delivery.
pub(super) fn s12_isolation(history: &History, _terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for attempt in &history.attempts {
        let Some(delivery) = history.delivery(attempt.delivery) else {
            judged.holds(false, || Finding {
                provider: Some(attempt.provider.clone()),
                seq: Some(attempt.seq),
                at: Some(attempt.opened_at),
                ..Finding::of_alert(history, "an attempt is of another alert's delivery")
            });
            continue;
        };
        let is_own = attempt.provider == delivery.provider && attempt.seq == delivery.seq;
        judged.holds(is_own, || {
            let what = format!(
                "an attempt of {} stands in the lane of {}, seq {}",
                named(delivery),
                attempt.provider,
                attempt.seq
            );
            Finding::of(history, delivery, attempt.opened_at, what)
        });
    }
    for request in &history.requests {
        let Some(delivery) = history.delivery(request.delivery) else {
            continue;
        };
        let lane = format!("{}/{}", history.alert.id, delivery.provider);
        let is_own = request.lane.as_ref().is_none_or(|named| *named == lane)
            && request.seq.is_none_or(|seq| seq == u64::from(delivery.seq));
        judged.holds(is_own, || {
            let what = format!("{} came with another lane or seq", named(delivery));
            Finding::of(history, delivery, request.place.at, what)
        });
    }
    judged
}
