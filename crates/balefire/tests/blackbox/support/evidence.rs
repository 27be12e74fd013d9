//! The evidence: what the networks logged, and what the product tells of its alerts.

use std::collections::BTreeMap;

use balefire_domain::time::Timestamp;
use serde_json::Value;

use super::sandbox::Sandbox;
use super::{SOON, instant, poll_until};

/// A request as a network got it.
#[derive(Clone, Debug, PartialEq)]
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
    pub(crate) created_at: Timestamp,
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
    /// Of deliveries.
    pub(crate) requests: Vec<Request>,
    /// Link tests, heartbeats and canaries, which belong to no delivery.
    pub(crate) probes: Vec<Request>,
    pub(crate) alerts: Vec<Alert>,
    /// Whether the database failed over: what it knows of attempts may then be too little.
    pub(crate) has_failed_over: bool,
}

/// What there is to judge by, at one moment: nothing came while the product was asked.
pub(crate) async fn gather(sandbox: &Sandbox) -> Evidence {
    poll_until(SOON, "a moment in which nothing comes", async || {
        let logs = sandbox.networks.logs();
        let alerts = read_alerts(sandbox).await;
        let items = sandbox.json(&["item", "list", "--all"]).await;
        let mut items = items.as_array().expect("a list").iter();
        let evidence = Evidence {
            has_failed_over: items.any(|item| item["kind"] == "database_failed_over"),
            ..Evidence::of(&logs, alerts)
        };
        // Tests and heartbeats may come at any time.
        let again = Evidence::of(&sandbox.networks.logs(), vec![]);
        (again.requests == evidence.requests).then_some(evidence)
    })
    .await
}

impl Evidence {
    /// What the networks logged, and what the product says.
    pub(crate) fn of(logs: &[String], alerts: Vec<Alert>) -> Self {
        let (probes, requests) = read_requests(logs).into_iter().partition(Request::is_probe);
        Self {
            requests,
            probes,
            alerts,
            has_failed_over: false,
        }
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

    pub(crate) fn deliveries(&self) -> impl Iterator<Item = (&Alert, &Delivery)> {
        let of = |alert| move |delivery| (alert, delivery);
        self.alerts
            .iter()
            .flat_map(move |alert| alert.deliveries.iter().map(of(alert)))
    }

    /// Each request with its delivery.
    pub(crate) fn known(&self) -> impl Iterator<Item = (&Alert, &Delivery, &Request)> {
        let of_id: BTreeMap<&str, (&Alert, &Delivery)> = self
            .deliveries()
            .map(|(alert, d)| (&*d.id, (alert, d)))
            .collect();
        self.requests.iter().filter_map(move |request| {
            let (alert, delivery) = of_id.get(request.identifier())?;
            Some((*alert, *delivery, request))
        })
    }
}

impl Alert {
    /// When the update was approved that a delivery is of; `None` where it is of the alert itself
    /// or of its cancel. A cancel directly below an alert makes room for that one.
    pub(crate) fn updated_at(&self, delivery: &Delivery) -> Option<Timestamp> {
        let beside = |seq: u64| {
            let mut lane = self.deliveries.iter();
            lane.find(|d| d.provider == delivery.provider && d.seq == seq)
        };
        match &*delivery.kind {
            "update" => Some(delivery.created_at),
            // In the place of an update that named nothing the network knew.
            "alert" if delivery.seq > 1 => {
                let below = beside(delivery.seq - 1).filter(|d| d.kind == "update");
                Some(below.unwrap_or(delivery).created_at)
            }
            "alert" => None,
            _ => {
                let above = beside(delivery.seq + 1).filter(|d| d.kind == "alert");
                above.map(|alert| alert.created_at)
            }
        }
    }

    /// The time that a delivery goes out with.
    pub(crate) fn sent_at(&self, delivery: &Delivery) -> Option<Timestamp> {
        let own = if delivery.kind == "cancel" {
            self.cancelled_at
        } else {
            self.approved_at
        };
        self.updated_at(delivery).or(own)
    }
}

impl Request {
    pub(crate) fn identifier(&self) -> &str {
        self.payload["identifier"].as_str().unwrap_or_default()
    }

    /// A link test or a heartbeat by its type, a canary by having nothing but an identifier.
    fn is_probe(&self) -> bool {
        match self.payload.get("message_type").and_then(Value::as_str) {
            Some(word) => word == "test" || word == "heartbeat",
            None => self.payload.as_object().is_some_and(|keys| keys.len() == 1),
        }
    }

    pub(crate) fn provider(&self) -> &str {
        self.function.split('-').next().unwrap_or_default()
    }

    /// The route's name: the proxy, and the site that it was asked to use.
    pub(crate) fn route(&self) -> String {
        match self.payload["cbc_target"].as_str() {
            None => self.function.clone(),
            Some(site) => format!("{}/{site}", self.function),
        }
    }

    /// What is stored with the delivery: all before what the gateway adds (D27).
    pub(crate) fn stored(&self) -> &str {
        let added = [",\"cbc_target\":\"", ",\"not_after\":\""];
        let added = added.iter().filter_map(|added| self.raw.find(added)).min();
        added.map_or(self.raw.trim_end_matches('}'), |at| &self.raw[..at])
    }
}

/// The networks' log files, in order.
fn read_requests(logs: &[String]) -> Vec<Request> {
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
        created_at: instant(&delivery["created_at"]),
        attempts: attempts
            .map(|attempt| Attempt {
                route: text(&attempt["route"]),
                outcome: attempt["outcome"].as_str().map(str::to_owned),
            })
            .collect(),
    }
}
