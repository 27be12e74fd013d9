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
//! 6. a payload says what was approved, in the network's format;
//! 7. a cancel names every earlier delivery of its lane that was attempted, with the `sent` and the
//!    number that it went out with;
//! 8. what is acknowledged was applied;
//! 9. message numbers are never used twice;
//! 10. the API's course of each delivery says what its attempts say.

use std::collections::{BTreeMap, BTreeSet};

use balefire_domain::time::Timestamp;
use serde_json::Value;

use super::api::words;
use super::documents::TEXT;
use super::instant;
use super::sandbox::{PROVIDERS, Sandbox};
use super::server::Server;

/// How long a request may be on its way on a busy machine.
const TRAVEL_MS_MAX: i64 = 1_000;
/// A cancel is sent until so long after the alert's end (D30).
const CANCEL_MARGIN_MS: i64 = 5 * 60 * 1_000;
/// The headline that the product has where the configuration names none.
const HEADLINE: &str = "GOV.UK Emergency Alert";

/// A request as a network got it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Its place among everything that the networks logged.
    pub(crate) place: usize,
    pub(crate) at_ms: i64,
    pub(crate) function: String,
    /// The payload, byte for byte.
    pub(crate) raw: String,
    pub(crate) payload: Value,
    /// Where in the log, and when, it was applied.
    pub(crate) applied: Option<(usize, i64)>,
}

/// A delivery as the product tells it.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) attempts: Vec<Attempt>,
}

/// An attempt as the product tells it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) route: String,
    pub(crate) outcome: Option<String>,
}

/// An alert as the product tells it.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) channel: String,
    pub(crate) approved_at: Option<Timestamp>,
    pub(crate) cancelled_at: Option<Timestamp>,
    pub(crate) finishes_at: Option<Timestamp>,
    pub(crate) deliveries: Vec<Delivery>,
}

/// Everything that there is to judge by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) requests: Vec<Request>,
    pub(crate) alerts: Vec<Alert>,
}

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
    // The networks first: whatever they have seen has its attempt in the product by now.
    let requests = read_requests(&sandbox.networks.logs());
    let evidence = Evidence {
        requests,
        alerts: read_alerts(sandbox).await,
    };
    let findings = evidence.findings();
    assert!(findings.is_empty(), "{findings:#?}\n{evidence:#?}");
    evidence
}

/// Waits for nothing: asserts that not one request came.
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
        ];
        rules.iter().flat_map(|rule| rule(self)).collect()
    }

    /// The requests of a delivery, in the order in which they came.
    pub(crate) fn requests_of(&self, delivery: &str) -> Vec<&Request> {
        let of = |request: &&Request| request.identifier() == delivery;
        self.requests.iter().filter(of).collect()
    }

    /// The deliveries of an alert.
    #[track_caller]
    pub(crate) fn deliveries_of(&self, alert: &str) -> &[Delivery] {
        let found = self.alerts.iter().find(|known| known.id == alert);
        &found.expect("the alert is known").deliveries
    }

    /// An alert's delivery of this kind to a provider.
    #[track_caller]
    pub(crate) fn delivery(&self, alert: &str, provider: &str, kind: &str) -> &Delivery {
        let mut found = self.deliveries_of(alert).iter();
        let found = found.find(|d| d.provider == provider && d.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind} to {provider}"))
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
        let mut findings = Vec::new();
        for (_, delivery, request) in self.known() {
            for (_, younger, later) in self.known() {
                let is_same_lane = self.lane(delivery) == self.lane(younger);
                if !is_same_lane || younger.seq <= delivery.seq {
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
        let mut came: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for request in &self.requests {
            *came
                .entry((request.identifier(), &request.function))
                .or_default() += 1;
        }
        for ((id, function), count) in came {
            let delivery = self.deliveries().find(|(_, delivery)| delivery.id == id);
            let Some((_, delivery)) = delivery else {
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
            must("message_type", text(&delivery.kind));
            must("message_format", text(format));
            if delivery.kind == "alert" {
                must("sent", alert.approved_at.map(Timestamp::to_cap));
                must("expires", alert.finishes_at.map(Timestamp::to_cap));
                must("channel", text(&alert.channel));
                must("headline", text(HEADLINE));
                must("description", text(TEXT));
                let english = if format == "ibag" { "English" } else { "en-GB" };
                must("language", text(english));
            } else {
                must("sent", alert.cancelled_at.map(Timestamp::to_cap));
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
        for (alert, cancel, request) in self.known().filter(|(_, d, _)| d.kind == "cancel") {
            let list = request.payload["references"].as_array();
            let list = list.cloned().unwrap_or_default();
            let text = |reference: &Value, key: &str| {
                reference[key].as_str().unwrap_or_default().to_owned()
            };
            let named: Vec<String> = list.iter().map(|r| text(r, "message_id")).collect();
            let is_earlier = |d: &&Delivery| {
                d.provider == cancel.provider && d.seq < cancel.seq && !d.attempts.is_empty()
            };
            let earlier = alert.deliveries.iter().filter(is_earlier);
            let earlier: Vec<String> = earlier.map(|d| d.id.clone()).collect();
            if named != earlier {
                findings.push(format!("7: {} names {named:?}, not {earlier:?}", cancel.id));
            }
            for reference in &list {
                let of = text(reference, "message_id");
                let kind = self
                    .deliveries()
                    .find(|(_, d)| d.id == of)
                    .map(|(_, d)| d.kind.clone());
                let sent_at = match kind.as_deref() {
                    Some("alert") => alert.approved_at,
                    _ => alert.cancelled_at,
                };
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
        let is_false = |d: &Delivery| {
            let is_applied = |request: &&Request| request.applied.is_some();
            d.state == "acknowledged"
                && self
                    .requests_of(&d.id)
                    .iter()
                    .filter(|r| is_applied(r))
                    .count()
                    == 0
        };
        self.deliveries()
            .filter(|(_, delivery)| is_false(delivery))
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
        for request in &self.requests {
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

    fn deliveries(&self) -> impl Iterator<Item = (&Alert, &Delivery)> {
        let of = |alert| move |delivery| (alert, delivery);
        self.alerts
            .iter()
            .flat_map(move |alert| alert.deliveries.iter().map(of(alert)))
    }

    fn lane(&self, delivery: &Delivery) -> (&str, String) {
        let owner = self.deliveries().find(|(_, d)| d.id == delivery.id);
        let alert = owner.map_or("", |(alert, _)| alert.id.as_str());
        (alert, delivery.provider.clone())
    }

    /// Each request with its delivery.
    fn known(&self) -> impl Iterator<Item = (&Alert, &Delivery, &Request)> {
        self.requests.iter().filter_map(|request| {
            let id = request.identifier();
            let (alert, delivery) = self.deliveries().find(|(_, d)| d.id == id)?;
            Some((alert, delivery, request))
        })
    }
}

impl Request {
    pub(crate) fn identifier(&self) -> &str {
        self.payload["identifier"].as_str().unwrap_or_default()
    }

    pub(crate) fn provider(&self) -> &str {
        self.function.split('-').next().unwrap_or_default()
    }

    /// What is stored with the delivery: all before what the gateway adds (D27).
    fn stored(&self) -> &str {
        let added = self.raw.find(",\"not_after\":\"");
        added.map_or(self.raw.trim_end_matches('}'), |at| &self.raw[..at])
    }
}

fn format_of(provider: &str) -> &'static str {
    let known = PROVIDERS.iter().find(|(name, _)| *name == provider);
    known.map_or("", |(_, format)| format)
}

/// The course that the API tells, against the attempts (D32).
fn check_course(alert: &Alert, statuses: &Value) -> Vec<String> {
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
        let course = words(statuses, &delivery.provider, &delivery.kind);
        let has_ack = course.last().is_some_and(|word| word == "returned-ack");
        let begins = course.first().map(String::as_str);
        let should_begin = (!delivery.attempts.is_empty()).then_some("sending");
        let is_lone = alert
            .deliveries
            .iter()
            .filter(|d| d.provider == delivery.provider && d.kind == delivery.kind)
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

/// The networks' log files, in order.
pub(crate) fn read_requests(logs: &[String]) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    let mut place = 0;
    for log in logs {
        let first = requests.len();
        for line in log.lines() {
            place += 1;
            let value: Value = serde_json::from_str(line).expect("a line of JSON");
            let at_ms = value["at_ms"].as_i64().expect("an instant");
            let n = usize::try_from(value["n"].as_u64().expect("a number")).expect("small");
            let Some(function) = value["function"].as_str() else {
                // What became of request n, whose line came before.
                let is_applied = value["applied"] == true;
                requests[first + n - 1].applied = is_applied.then_some((place, at_ms));
                continue;
            };
            let (_, rest) = line.split_once("\"payload\":").expect("a payload");
            let (raw, _) = rest.rsplit_once(",\"kind\":").expect("a kind");
            requests.push(Request {
                place,
                at_ms,
                function: function.to_owned(),
                raw: raw.to_owned(),
                payload: value["payload"].clone(),
                applied: None,
            });
        }
    }
    requests
}

async fn read_alerts(sandbox: &Sandbox) -> Vec<Alert> {
    let services = sandbox.json(&["service", "list"]).await;
    let list = sandbox.json(&["alert", "list"]).await;
    let mut alerts = Vec::new();
    for alert in list.as_array().expect("a list") {
        let text = |key: &str| alert[key].as_str().expect("a text").to_owned();
        let at = |key: &str| (!alert[key].is_null()).then(|| instant(&alert[key]));
        let mut known = services.as_array().expect("a list").iter();
        let service = known.find(|service| service["id"] == alert["service_id"]);
        let service = service.expect("an alert belongs to a service");
        let deliveries = sandbox.deliveries(&text("id")).await;
        alerts.push(Alert {
            id: text("id"),
            service: text("service_id"),
            channel: service["channel"].as_str().expect("a text").to_owned(),
            approved_at: at("approved_at"),
            cancelled_at: at("cancelled_at"),
            finishes_at: at("finishes_at"),
            deliveries: deliveries.iter().map(read_delivery).collect(),
        });
    }
    alerts
}

fn read_delivery(delivery: &Value) -> Delivery {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let attempts = delivery["attempts"].as_array().expect("a list").iter();
    Delivery {
        id: text(&delivery["id"]),
        provider: text(&delivery["provider"]),
        seq: delivery["seq"].as_u64().expect("a number"),
        kind: text(&delivery["kind"]),
        state: text(&delivery["state"]),
        attempts: attempts
            .map(|attempt| Attempt {
                route: text(&attempt["route"]),
                outcome: attempt["outcome"].as_str().map(str::to_owned),
            })
            .collect(),
    }
}
