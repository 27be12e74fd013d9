//! Tickets in Zendesk: found, made and added to.
//!
//! A ticket carries its alert's id as `external_id`, so that one whose answer was lost is found
//! again, and as `Idempotency-Key`, so that a request that arrives twice makes one.

use balefire_domain::ids::AlertId;
use balefire_gateway::{Endpoint, HttpAnswer};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::Caller;

/// What every ticket is marked with.
const TAG: &str = "balefire";

/// Where tickets are made, and as whom. It has no `Debug`: the key is a secret.
#[derive(Clone)]
pub struct Zendesk {
    /// `tickets.endpoint_url`.
    pub endpoint: Endpoint,
    /// `tickets.email`.
    pub email: String,
    /// `tickets.key`.
    pub key: String,
}

impl Zendesk {
    /// The ticket of an alert, where one was made. The error is a sentence for a person.
    pub(super) async fn find(
        &self,
        caller: &Caller,
        alert: AlertId,
    ) -> Result<Option<u64>, String> {
        let path = format!("/api/v2/tickets.json?external_id={alert}");
        let answer = self.call(caller, Method::GET, &path, None, None).await?;
        let body = expect(&answer, 200)?;
        let list = body["tickets"]
            .as_array()
            .ok_or("the ticket service's answer has no list of tickets")?;
        let external_id = alert.to_string();
        let own = list.iter().find(|t| t["external_id"] == external_id);
        match own {
            None => Ok(None),
            Some(ticket) => id(ticket).map(Some),
        }
    }

    /// Makes the ticket of an alert; its number.
    pub(super) async fn make(
        &self,
        caller: &Caller,
        alert: AlertId,
        subject: &str,
        body: &str,
    ) -> Result<u64, String> {
        let ticket = json!({ "ticket": {
            "subject": subject, "comment": { "body": body }, "type": "incident",
            "priority": "normal", "tags": [TAG], "external_id": alert,
        }});
        let path = "/api/v2/tickets.json";
        let once = Some(alert);
        let answer = self
            .call(caller, Method::POST, path, Some(&ticket), once)
            .await?;
        id(&expect(&answer, 201)?["ticket"])
    }

    /// Adds a comment to a ticket.
    pub(super) async fn comment(
        &self,
        caller: &Caller,
        ticket: u64,
        body: &str,
    ) -> Result<(), String> {
        let comment = json!({ "ticket": { "comment": { "body": body } } });
        let path = format!("/api/v2/tickets/{ticket}.json");
        let answer = self
            .call(caller, Method::PUT, &path, Some(&comment), None)
            .await?;
        expect(&answer, 200).map(drop)
    }

    async fn call(
        &self,
        caller: &Caller,
        method: Method,
        path: &str,
        body: Option<&Value>,
        once: Option<AlertId>,
    ) -> Result<HttpAnswer, String> {
        let token = BASE64_STANDARD.encode(format!("{}/token:{}", self.email, self.key));
        let mut headers = vec![
            ("Authorization".to_owned(), format!("Basic {token}")),
            ("Accept".to_owned(), "application/json".to_owned()),
        ];
        if body.is_some() {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        if let Some(alert) = once {
            headers.push(("Idempotency-Key".to_owned(), alert.to_string()));
        }
        let url = format!("{}{path}", self.endpoint);
        caller.call(method, url, headers, body).await
    }
}

/// The JSON of an answer that has this status.
fn expect(answer: &HttpAnswer, status: u16) -> Result<Value, String> {
    if answer.status != status {
        let hint = match answer.status {
            401 | 403 => ": look at tickets.email and tickets.key",
            404 => ": look at tickets.endpoint_url",
            _ => "",
        };
        let got = answer.status;
        return Err(format!(
            "the ticket service answered {got} instead of {status}{hint}"
        ));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| format!("the ticket service answered {status} without JSON"))
}

fn id(ticket: &Value) -> Result<u64, String> {
    ticket["id"]
        .as_u64()
        .ok_or_else(|| "the ticket service's answer names no ticket".to_owned())
}
