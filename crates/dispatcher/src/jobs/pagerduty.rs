//! Pages through PagerDuty's Events API v2. The duty item's id is the deduplication key: however
//! often a page is sent, one incident opens, and its end closes that one.

use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::Kind;
use balefire_domain::page;
use balefire_domain::time::Timestamp;
use balefire_gateway::Endpoint;
use balefire_store::duty_items::DutyItem;
use http::Method;
use serde_json::{Value, json};

use super::Caller;

/// Where pages go. It has no `Debug`: the routing key is a secret.
#[derive(Clone)]
pub struct PagerDuty {
    /// `pages.endpoint_url`.
    pub endpoint: Endpoint,
    /// `pages.routing_key`.
    pub routing_key: String,
    /// Who speaks: the environment's word.
    pub environment: String,
}

impl PagerDuty {
    /// Opens an item's incident, or finds it open. The error is a sentence for a person.
    pub(super) async fn trigger(&self, caller: &Caller, item: &DutyItem) -> Result<(), String> {
        let provider = item.provider.as_deref();
        let event = json!({
            "routing_key": self.routing_key,
            "event_action": "trigger",
            "dedup_key": item.id,
            "client": "Balefire",
            "payload": {
                "summary": page::summary(&item.kind, provider, item.about),
                "source": format!("balefire {}", self.environment),
                "severity": page::severity(&item.kind).as_str(),
                "timestamp": item.opened_at.to_json_style(),
                "component": provider,
                "class": item.kind,
                "custom_details": {
                    "duty_item": item.id,
                    "subject": item.subject,
                    "about": item.about.map(Kind::as_str),
                    "alert": item.alert_id,
                    "delivery": item.delivery_id,
                    "next_attempt": item.next_attempt_at.map(Timestamp::to_json_style),
                    "runbook": format!("docs/runbook.md, {}", item.kind),
                    "close": format!("balefire item close {} --as YOUR-ADDRESS", item.id),
                },
            },
        });
        self.send(caller, &event).await
    }

    /// Closes an item's incident, where it is open.
    pub(super) async fn resolve(&self, caller: &Caller, item: DutyItemId) -> Result<(), String> {
        let event = json!({
            "routing_key": self.routing_key, "event_action": "resolve", "dedup_key": item,
        });
        self.send(caller, &event).await
    }

    async fn send(&self, caller: &Caller, event: &Value) -> Result<(), String> {
        let url = format!("{}/v2/enqueue", self.endpoint);
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let answer = caller.call(Method::POST, url, headers, Some(event)).await?;
        match answer.status {
            // What the service took it says by this status; nothing in the body matters.
            202 => Ok(()),
            400 => Err("the page service answered 400: look at pages.routing_key".to_owned()),
            404 => Err("the page service answered 404: look at pages.endpoint_url".to_owned()),
            other => Err(format!("the page service answered {other} instead of 202")),
        }
    }
}
