//! What the networks logged, held against what the product says of itself.
//!
//! The networks' log files are the evidence: each request as it arrived, byte for byte, and what
//! was applied, in the order in which it happened. The rules, each a function below, hold for every
//! test, whatever went wrong in it:
//!
//! 1. a network applies each identifier at most once;
//! 2. a lane goes out in the order of `seq`: nothing arrives, and nothing is applied, after a
//!    younger event of its lane;
//! 3. nothing arrives after the alert's end (a cancel: five minutes more), and nothing is applied
//!    after its `not_after`;
//! 4. the stored part of one delivery is the same bytes in every attempt;
//! 5. whatever arrives has an attempt's row for exactly that delivery and route;
//! 6. a payload says what was approved, in the network's format: the alert's text, or, of an update
//!    and of what goes out in its place, the text that every update here has;
//! 7. a cancel, and an update, names every earlier delivery of its lane that was attempted, with
//!    the `sent` and the number that it went out with;
//! 8. what is acknowledged was applied;
//! 9. message numbers are never used twice;
//! 10. the API's course of each delivery says what its attempts say, that of an update under a name
//!     of its own;
//! 11. a link test, a heartbeat and a canary have identifiers of their own, each once, and change
//!     nothing at a network.
//!
//! Then the product judges its own record: `balefire history verify` must find nothing.

use std::collections::{BTreeMap, BTreeSet};

use balefire_domain::time::Timestamp;
use serde_json::Value;

use super::api::words;
use super::documents::{NEW_TEXT, TEXT};
use super::evidence::{Alert, Attempt, Delivery, Evidence, Request, gather};
use super::instant;
use super::sandbox::{PROVIDERS, Sandbox};
use super::server::Server;

/// How long a request may be on its way on a busy machine.
const TRAVEL_MS_MAX: i64 = 1_000;
/// A cancel is sent until so long after the alert's end (D30).
const CANCEL_MARGIN_MS: i64 = 5 * 60 * 1_000;
/// The headline that the product has where the configuration names none.
const HEADLINE: &str = "GOV.UK Emergency Alert";

/// Judges a test's world by every rule, and hands the evidence on for what is this test's own.
pub(crate) async fn judge(sandbox: &Sandbox, server: &Server) -> Evidence {
    let evidence = judge_without_server(sandbox).await;
    for alert in &evidence.alerts {
        let path = format!(
            "/service/{}/broadcast-message/{}/provider-statuses",
            alert.service, alert.id
        );
        let statuses = server.as_client(&path).await;
        let findings = check_course(alert, &statuses);
        assert!(
            findings.is_empty(),
            "{findings:#?}\n{statuses:#}\n{alert:#?}"
        );
    }
    evidence
}

/// The same where no server runs that could be asked for the course of the deliveries.
pub(crate) async fn judge_without_server(sandbox: &Sandbox) -> Evidence {
    let evidence = gather(sandbox).await;
    let findings = evidence.findings();
    assert!(findings.is_empty(), "{findings:#?}\n{evidence:#?}");
    super::history::must_hold(sandbox).await;
    evidence
}

/// Judges, and asserts that not one request came.
pub(crate) async fn nothing_was_sent(sandbox: &Sandbox) {
    let evidence = judge_without_server(sandbox).await;
    assert!(evidence.requests.is_empty(), "{:#?}", evidence.requests);
}

impl Evidence {
    /// What breaks a rule.
    pub(crate) fn findings(&self) -> Vec<String> {
        let rules = [
            Self::applied_once,
            Self::in_order,
            Self::in_time,
            Self::same_bytes,
            Self::intended,
            Self::as_approved,
            Self::references,
            Self::acknowledged_means_applied,
            Self::numbers_are_fresh,
            Self::probes_change_nothing,
        ];
        rules.iter().flat_map(|rule| rule(self)).collect()
    }

    fn applied_once(&self) -> Vec<String> {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for request in self
            .requests
            .iter()
            .filter(|request| request.applied.is_some())
        {
            *counts
                .entry((request.provider(), request.identifier()))
                .or_default() += 1;
        }
        let twice = counts.into_iter().filter(|(_, count)| *count > 1);
        twice
            .map(|((provider, id), count)| format!("1: {provider} applied {id} {count} times"))
            .collect()
    }

    fn in_order(&self) -> Vec<String> {
        let mut lanes: BTreeMap<_, Vec<(&Delivery, &Request)>> = BTreeMap::new();
        for (alert, delivery, request) in self.known() {
            let lane = (&*alert.id, &*delivery.provider);
            lanes.entry(lane).or_default().push((delivery, request));
        }
        lanes
            .into_values()
            .flat_map(|lane| in_order_of(&lane))
            .collect()
    }
}

/// Rule 2 in one lane.
fn in_order_of(lane: &[(&Delivery, &Request)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (delivery, request) in lane {
        for (younger, later) in lane {
            if younger.seq <= delivery.seq {
                continue;
            }
            if request.place > later.place {
                findings.push(format!(
                    "2: {} {} arrived after {} {}",
                    delivery.kind, delivery.id, younger.kind, younger.id
                ));
            }
            if let (Some((own, _)), Some((other, _))) = (request.applied, later.applied)
                && own > other
            {
                findings.push(format!(
                    "2: {} was applied after {}",
                    delivery.id, younger.id
                ));
            }
        }
    }
    findings
}

impl Evidence {
    fn in_time(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (alert, delivery, request) in self.known() {
            let margin = if delivery.kind == "cancel" {
                CANCEL_MARGIN_MS
            } else {
                0
            };
            let end = alert.finishes_at.map(|at| at.micros() / 1_000 + margin);
            if end.is_none_or(|end| request.at_ms > end + TRAVEL_MS_MAX) {
                findings.push(format!("3: {} arrived after the alert's end", delivery.id));
            }
            if let (Some(not_after), Some((_, at_ms))) =
                (request.payload.get("not_after"), request.applied)
                && at_ms > instant(not_after).micros() / 1_000
            {
                findings.push(format!("3: {} was applied after not_after", delivery.id));
            }
        }
        findings
    }

    fn same_bytes(&self) -> Vec<String> {
        let mut stored: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for request in &self.requests {
            stored
                .entry(request.identifier())
                .or_default()
                .insert(request.stored());
        }
        let differ = stored.into_iter().filter(|(_, bytes)| bytes.len() > 1);
        differ
            .map(|(id, bytes)| format!("4: {id} went out with other bytes: {bytes:?}"))
            .collect()
    }

    fn intended(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut came: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for request in &self.requests {
            *came
                .entry((request.identifier(), request.route()))
                .or_default() += 1;
        }
        let known: BTreeMap<&str, &Delivery> = self
            .deliveries()
            .map(|(_, delivery)| (&*delivery.id, delivery))
            .collect();
        for ((id, function), count) in came {
            let Some(delivery) = known.get(id) else {
                findings.push(format!("5: nobody meant to send {id}"));
                continue;
            };
            let rows = delivery
                .attempts
                .iter()
                .filter(|attempt| attempt.route == function);
            let rows = rows.count();
            if count > rows {
                findings.push(format!(
                    "5: {id} came to {function} {count} times and has {rows} attempts there"
                ));
            }
        }
        findings
    }

    fn as_approved(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (alert, delivery, request) in self.known() {
            let mut must = |key: &str, want: Option<String>| {
                let is = request.payload[key].as_str().map(str::to_owned);
                if is != want {
                    findings.push(format!("6: {} has {key} {is:?}, not {want:?}", delivery.id));
                }
            };
            let format = format_of(&delivery.provider);
            let text = |text: &str| Some(text.to_owned());
            // Before anything of the lane was sent an update is an alert.
            let is_first = delivery.kind == "update" && !alert.is_tried_below(delivery);
            let message_type = if is_first { "alert" } else { &delivery.kind };
            must("message_type", text(message_type));
            must("message_format", text(format));
            must("sent", alert.sent_at(delivery).map(Timestamp::to_cap));
            if delivery.kind != "cancel" {
                must("expires", alert.finishes_at.map(Timestamp::to_cap));
                must("channel", text(&alert.channel));
                must("headline", text(HEADLINE));
                let is_update = alert.updated_at(delivery).is_some();
                must("description", text(if is_update { NEW_TEXT } else { TEXT }));
                let english = if format == "ibag" { "English" } else { "en-GB" };
                must("language", text(english));
            }
            let lane = format!("{}/{}", alert.id, delivery.provider);
            let named = request.payload.get("lane").and_then(Value::as_str);
            let seq = request.payload.get("seq").and_then(Value::as_u64);
            let is_placed = named.is_none_or(|named| named == lane)
                && seq.is_none_or(|seq| seq == delivery.seq)
                && request.provider() == delivery.provider;
            if !is_placed {
                findings.push(format!("6: {} went to the wrong lane", delivery.id));
            }
            let number = request
                .payload
                .get("message_number")
                .and_then(Value::as_str);
            let is_number = |number: &str| {
                number.len() == 8 && number.bytes().all(|b| b"0123456789abcdef".contains(&b))
            };
            if number.map(is_number) != (format == "ibag").then_some(true) {
                findings.push(format!("6: {} has message_number {number:?}", delivery.id));
            }
        }
        findings
    }

    fn references(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let names = |request: &Request| request.payload.get("references").is_some();
        for (alert, cancel, request) in self.known() {
            if cancel.kind != "cancel" && !names(request) {
                continue;
            }
            let list = request.payload["references"].as_array();
            let list = list.cloned().unwrap_or_default();
            let text = |reference: &Value, key: &str| {
                reference[key].as_str().unwrap_or_default().to_owned()
            };
            let named: Vec<String> = list.iter().map(|r| text(r, "message_id")).collect();
            let earlier = alert
                .deliveries
                .iter()
                .filter(|d| d.provider == cancel.provider && d.seq < cancel.seq);
            let tried = earlier.clone().filter(|d| !d.attempts.is_empty());
            let tried: Vec<String> = tried.map(|d| d.id.clone()).collect();
            let all: Vec<String> = earlier.map(|d| d.id.clone()).collect();
            // After a failover what has no attempt may have left all the same, and is named too.
            let is_right = named == tried || (self.has_failed_over && named == all);
            if !is_right {
                findings.push(format!("7: {} names {named:?}, not {tried:?}", cancel.id));
            }
            for reference in &list {
                let of = text(reference, "message_id");
                let named = alert.deliveries.iter().find(|d| d.id == of);
                let sent_at = named.and_then(|named| alert.sent_at(named));
                if Some(text(reference, "sent")) != sent_at.map(Timestamp::to_cap) {
                    findings.push(format!("7: {} names a wrong sent of {of}", cancel.id));
                }
                for went_out in self.requests_of(&of) {
                    for key in ["sent", "message_number"] {
                        if reference.get(key) != went_out.payload.get(key) {
                            findings.push(format!("7: {} names another {key} of {of}", cancel.id));
                        }
                    }
                }
            }
        }
        findings
    }

    fn acknowledged_means_applied(&self) -> Vec<String> {
        let applied = self
            .requests
            .iter()
            .filter(|request| request.applied.is_some());
        let applied: BTreeSet<&str> = applied.map(Request::identifier).collect();
        self.deliveries()
            .filter(|(_, d)| d.state == "acknowledged" && !applied.contains(&*d.id))
            .map(|(_, d)| {
                format!(
                    "8: {} is acknowledged and {} never applied it",
                    d.id, d.provider
                )
            })
            .collect()
    }

    fn numbers_are_fresh(&self) -> Vec<String> {
        let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for request in self.requests.iter().chain(&self.probes) {
            if let Some(number) = request
                .payload
                .get("message_number")
                .and_then(Value::as_str)
            {
                users
                    .entry(number)
                    .or_default()
                    .insert(request.identifier());
            }
        }
        let shared = users.into_iter().filter(|(_, ids)| ids.len() > 1);
        shared
            .map(|(number, ids)| format!("9: {number} is the number of {ids:?}"))
            .collect()
    }
}

impl Evidence {
    fn probes_change_nothing(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut seen: BTreeSet<&str> = self.requests.iter().map(Request::identifier).collect();
        for probe in &self.probes {
            let id = probe.identifier();
            if !seen.insert(id) {
                findings.push(format!("11: {id} is not the probe's own"));
            }
            if probe.applied.is_some() {
                findings.push(format!("11: the probe {id} was applied"));
            }
        }
        findings
    }
}

impl Alert {
    fn is_tried_below(&self, delivery: &Delivery) -> bool {
        self.deliveries.iter().any(|d| {
            d.provider == delivery.provider && d.seq < delivery.seq && !d.attempts.is_empty()
        })
    }

    /// Under which name the API tells the course of a delivery.
    fn course_of<'a>(&self, delivery: &'a Delivery) -> &'a str {
        match self.updated_at(delivery) {
            Some(_) => "update",
            None => &delivery.kind,
        }
    }
}

fn format_of(provider: &str) -> &'static str {
    let known = PROVIDERS.iter().find(|(name, _)| *name == provider);
    // Other providers of a test say it with their names.
    let named = if provider.starts_with("ibag") {
        "ibag"
    } else {
        "cap"
    };
    known.map_or(named, |(_, format)| format)
}

/// The course that the API tells, against the attempts (D32).
pub(crate) fn check_course(alert: &Alert, statuses: &Value) -> Vec<String> {
    let attempted: BTreeSet<&str> = alert
        .deliveries
        .iter()
        .filter(|delivery| !delivery.attempts.is_empty())
        .map(|delivery| delivery.provider.as_str())
        .collect();
    let told: BTreeSet<&str> = statuses
        .as_object()
        .map(|told| told.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let mut findings = Vec::new();
    if attempted != told {
        findings.push(format!(
            "10: {attempted:?} were attempted, {told:?} are told"
        ));
        return findings;
    }
    for delivery in alert
        .deliveries
        .iter()
        .filter(|d| told.contains(d.provider.as_str()))
    {
        let is_accepted = |attempt: &Attempt| {
            matches!(attempt.outcome.as_deref(), Some("accepted" | "duplicate"))
        };
        let key = alert.course_of(delivery);
        let course = words(statuses, &delivery.provider, key);
        let has_ack = course.last().is_some_and(|word| word == "returned-ack");
        let begins = course.first().map(String::as_str);
        let should_begin = (!delivery.attempts.is_empty()).then_some("sending");
        let is_lone = alert
            .deliveries
            .iter()
            .filter(|d| d.provider == delivery.provider && alert.course_of(d) == key)
            .count()
            == 1;
        if is_lone
            && (begins != should_begin || has_ack != delivery.attempts.iter().any(is_accepted))
        {
            findings.push(format!(
                "10: {} {} is told as {course:?}",
                delivery.kind, delivery.id
            ));
        }
    }
    findings
}
