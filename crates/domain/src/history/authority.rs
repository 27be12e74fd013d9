//! S7, S11 and S14: by whose word something goes out, and that it can.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::{AuditFact, DeliveryFact, EventFact, History};
use super::order::named;
use super::report::{Finding, Judged, Terms};
use crate::alert::Status;
use crate::lane::Kind;

/// How far a coordinate that goes out may be from the one approved: half of the sixth decimal.
const DEGREES_ROUNDED: f64 = 0.000_000_6;

/// S7: each event that has deliveries was approved, by somebody who had no part in the version, and
/// what is sent is what was approved. An update is a version of its own: its people are those who
/// proposed it. A cancel needs one person or key.
pub(super) fn s7_authorised(history: &History, _terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    for event in &history.events {
        match event.kind {
            Kind::Alert | Kind::Update => judge_approval(history, event, &mut judged),
            Kind::Cancel => {
                let entry = entry_of(history, event);
                judged.holds(entry.is_some(), || {
                    about(history, event, "the cancel has no audit entry of its time")
                });
            }
        }
    }
    for delivery in &history.deliveries {
        let Some(event) = history.event_of(delivery) else {
            judged.holds(false, || {
                let what = format!("{} is of another alert's event", named(delivery));
                Finding::of(history, delivery, delivery.created_at, what)
            });
            continue;
        };
        if delivery.kind.carries_text() {
            judged.holds(is_as_approved(delivery, event), || {
                let what = format!(
                    "the payload of {} is not what was approved",
                    named(delivery)
                );
                Finding::of(history, delivery, delivery.created_at, what)
            });
        }
    }
    judged
}

/// The act that made an event, as the audit trail has it.
fn entry_of<'a>(history: &'a History, event: &EventFact) -> Option<&'a AuditFact> {
    let action = match event.kind {
        Kind::Alert => "alert.approve",
        Kind::Update => "alert.approve_update",
        Kind::Cancel => "alert.cancel",
    };
    history
        .audit
        .iter()
        .find(|entry| entry.action == action && entry.at == event.created_at)
}

fn about(history: &History, event: &EventFact, what: &str) -> Finding {
    Finding {
        seq: Some(event.seq),
        at: Some(event.created_at),
        ..Finding::of_alert(history, what)
    }
}

fn judge_approval(history: &History, event: &EventFact, judged: &mut Judged) {
    let entry = entry_of(history, event);
    judged.holds(entry.is_some(), || {
        about(history, event, "the event has no approval of its time")
    });
    let Some(entry) = entry else { return };
    let version = entry.details["version"].as_u64().unwrap_or(u64::MAX);
    let is_update = event.kind == Kind::Update;
    let is_judged = |number: u32| {
        let number = u64::from(number);
        number == version || (!is_update && number < version)
    };
    let first = [history.alert.created_by, history.alert.submitted_by];
    let first = first.into_iter().flatten().filter(|_| !is_update);
    let versions = history.versions.iter();
    let parties: BTreeSet<String> = versions
        .filter(|(number, _)| is_judged(*number))
        .filter_map(|(_, editor)| *editor)
        .chain(first)
        .map(|user| format!("user {user}"))
        .collect();
    // Only a person approves.
    let is_second = entry.actor.starts_with("user ") && !parties.contains(&entry.actor);
    judged.holds(is_second, || {
        let what = format!(
            "it was approved by {}, who is no second person",
            entry.actor
        );
        about(history, event, &what)
    });
    let is_same = entry.details["hash"].as_str() == Some(event.content_hash.as_str())
        && event
            .frozen_hash
            .as_ref()
            .is_none_or(|hash| *hash == event.content_hash);
    judged.holds(is_same, || {
        about(
            history,
            event,
            "what the event holds is not what was approved",
        )
    });
}

/// The payload says the event's text, times and channel, and its polygons, or simpler ones that
/// cover them; and in a second language what the event does, or nothing where it can't be carried.
fn is_as_approved(delivery: &DeliveryFact, event: &EventFact) -> bool {
    let payload = delivery.payload.as_deref().unwrap_or_default();
    let Ok(read) = serde_json::from_str::<Value>(payload) else {
        return false;
    };
    let says = |key: &str, want: &str| read[key].as_str() == Some(want);
    says("description", &event.text)
        && says("sent", &event.created_at.to_cap())
        && says("expires", &event.finishes_at.to_cap())
        && says("channel", event.channel.as_str())
        && has_no_other_second(&read["second"], event)
        && (has_polygons(&read["areas"], &event.polygons) || delivery.covers_approved)
}

fn has_no_other_second(second: &Value, event: &EventFact) -> bool {
    let approved = event.second.as_ref().map(|second| second.text.as_str());
    second.is_null() || (approved.is_some() && second["description"].as_str() == approved)
}

fn has_polygons(areas: &Value, polygons: &[Vec<[f64; 2]>]) -> bool {
    let areas = areas.as_array().map(Vec::as_slice).unwrap_or_default();
    areas.len() == polygons.len()
        && areas.iter().zip(polygons).all(|(area, ring)| {
            let points: Vec<[f64; 2]> =
                serde_json::from_value(area["polygon"].clone()).unwrap_or_default();
            points.len() == ring.len()
                && points.iter().zip(ring).all(|(sent, approved)| {
                    (sent[0] - approved[0]).abs() < DEGREES_ROUNDED
                        && (sent[1] - approved[1]).abs() < DEGREES_ROUNDED
                })
        })
}

/// S11: an alert that was approved has its event, and that a delivery for each provider that the
/// approval names; so has each of its updates; a cancelled one also a cancel for each of its lanes.
pub(super) fn s11_approved_is_dispatchable(history: &History, _terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    let is_approved = match history.alert.status {
        Status::Broadcasting | Status::Completed | Status::Cancelled => true,
        Status::Draft
        | Status::PendingApproval
        | Status::Rejected
        | Status::Returned
        | Status::TechnicalFailure => false,
    };
    if !is_approved || history.alert.is_stubbed {
        judged.holds(history.events.is_empty(), || {
            Finding::of_alert(history, "an alert that is never sent has events")
        });
        return judged;
    }
    let first = history.events.first().filter(|e| e.kind == Kind::Alert);
    judged.holds(first.is_some(), || {
        Finding::of_alert(history, "the alert is approved and has no event")
    });
    let Some(first) = first else { return judged };
    let approved = entry_of(history, first);
    let named = approved.and_then(|entry| entry.details["providers"].as_array());
    let wanted: BTreeSet<&str> = named
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let reached = |event: &EventFact| -> BTreeSet<&str> {
        let own = |d: &&DeliveryFact| d.event == event.id;
        let deliveries = history.deliveries.iter().filter(own);
        deliveries.map(|d| d.provider.as_str()).collect()
    };
    for event in history.events.iter().filter(|e| e.kind != Kind::Cancel) {
        let has = reached(event);
        judged.holds(has == wanted, || {
            let what = format!("it was approved for {wanted:?} and has deliveries for {has:?}");
            about(history, event, &what)
        });
    }
    if history.alert.status == Status::Cancelled {
        let cancel = history.events.iter().find(|e| e.kind == Kind::Cancel);
        let is_complete = cancel.is_some_and(|event| reached(event) == wanted);
        judged.holds(is_complete, || {
            Finding::of_alert(
                history,
                "the alert is cancelled, and not every lane has a cancel",
            )
        });
    }
    judged
}

/// S14: what the audit trail has of the alert is of the alert's own service, and so is the key that
/// made it.
pub(super) fn s14_tenancy(history: &History, _terms: &Terms) -> Judged {
    let mut judged = Judged::default();
    let own = history.alert.service;
    for entry in &history.audit {
        judged.holds(entry.service == Some(own), || Finding {
            at: Some(entry.at),
            ..Finding::of_alert(
                history,
                format!(
                    "{} by {} was for another service",
                    entry.action, entry.actor
                ),
            )
        });
    }
    if let Some(service) = history.alert.key_service {
        judged.holds(service == own, || {
            Finding::of_alert(history, "it was made with the key of another service")
        });
    }
    judged
}
