//! HTTP calls, through the product's own small client.

use std::time::Duration;

use balefire_app::authenticate::make_token;
use balefire_gateway::{HttpCall, HttpClient};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::sandbox::{CLIENT_SECRET, SITE_SECRET};
use super::server::Server;
use super::team::{Key, Team};
use super::{SOON, now};

/// The answers, sorted, where one of twenty is taken and the others come too late.
pub(crate) const ONE_OF_TWENTY: [u16; 20] = {
    let mut statuses = [400; 20];
    statuses[0] = 200;
    statuses
};

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {}", self.text()),
        }
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn must_be(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }
}

/// Calls once; every status is an answer.
pub(crate) async fn call(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Answer {
    match try_call(method, url, headers, body).await {
        Ok(answer) => answer,
        Err(why) => panic!("{method} {url}: {why}"),
    }
}

/// The same where there may be no answer.
pub(crate) async fn try_call(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<Answer, String> {
    let client = HttpClient::new(Duration::from_secs(5), None).expect("it needs no file");
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let asked = HttpCall {
        method: Method::from_bytes(method.as_bytes()).expect("a method"),
        url: url.to_owned(),
        headers: headers.iter().map(own).collect(),
        body: Bytes::from(body),
        timeout: SOON,
    };
    let answer = client.call(asked).await.map_err(|why| why.to_string())?;
    Ok(Answer {
        status: answer.status,
        headers: answer.headers,
        body: answer.body,
    })
}

impl Server {
    /// A call without a token.
    pub(crate) async fn open(&self, method: &str, path: &str) -> Answer {
        call(method, &format!("{}{path}", self.url), &[], String::new()).await
    }

    /// A document posted with a service's key.
    pub(crate) async fn post_cap(&self, team: &Team, key: &Key, document: String) -> Answer {
        let token = format!("Bearer {}", make_token(&team.service, &key.secret, now()));
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/cap+xml"),
        ];
        let url = format!("{}/v2/broadcast", self.url);
        call("POST", &url, &headers, document).await
    }

    /// The methods that a service's key may use.
    pub(crate) async fn options(&self, team: &Team, key: &Key) -> Answer {
        let token = format!("Bearer {}", make_token(&team.service, &key.secret, now()));
        let url = format!("{}/v2/broadcast", self.url);
        let headers = [("authorization", token.as_str())];
        call("OPTIONS", &url, &headers, String::new()).await
    }

    /// A read of the author's web application, asked for by another client.
    pub(crate) async fn as_another_client(&self, team: &Team, path: &str) -> Answer {
        self.as_public_site(&format!(
            "/service/{}/broadcast-message{path}",
            team.service
        ))
        .await
    }

    /// A read of the public site.
    pub(crate) async fn as_public_site(&self, path: &str) -> Answer {
        let token = format!("Bearer {}", make_token("govuk-alerts", SITE_SECRET, now()));
        let headers = [("authorization", token.as_str())];
        call(
            "GET",
            &format!("{}{path}", self.url),
            &headers,
            String::new(),
        )
        .await
    }

    /// A call of the author's web application. `path` stands below the service's alerts.
    pub(crate) async fn admin(
        &self,
        method: &str,
        team: &Team,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let token = format!(
            "Bearer {}",
            make_token("notify-admin", CLIENT_SECRET, now())
        );
        let mut headers = vec![("authorization", token.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let url = format!(
            "{}/service/{}/broadcast-message{path}",
            self.url, team.service
        );
        let body = body.map(Value::to_string).unwrap_or_default();
        call(method, &url, &headers, body).await
    }

    /// Submits an alert with the team's key; its id.
    pub(crate) async fn submit(&self, team: &Team, identifier: &str) -> String {
        let document = super::documents::alert(identifier);
        let alert = self.post_cap(team, &team.key, document).await.must_be(201);
        alert["id"].as_str().expect("an id").to_owned()
    }

    /// Asks for another status, as the approver.
    pub(crate) async fn move_to(&self, team: &Team, alert: &str, status: &str) -> Answer {
        let body = json!({ "status": status, "created_by": team.approver.id });
        self.admin("POST", team, &format!("/{alert}/status"), Some(&body))
            .await
    }

    /// Asks for another status twenty times at once; the answers' statuses, sorted.
    pub(crate) async fn move_twenty_times(
        &self,
        team: &Team,
        alert: &str,
        status: &str,
    ) -> Vec<u16> {
        let token = format!(
            "Bearer {}",
            make_token("notify-admin", CLIENT_SECRET, now())
        );
        let body = json!({ "status": status, "created_by": team.approver.id }).to_string();
        let path = format!("service/{}/broadcast-message/{alert}/status", team.service);
        let url = format!("{}/{path}", self.url);
        let mut asked = JoinSet::new();
        for _ in 0..ONE_OF_TWENTY.len() {
            let (url, body, token) = (url.clone(), body.clone(), token.clone());
            asked.spawn(async move {
                let headers = [
                    ("authorization", token.as_str()),
                    ("content-type", "application/json"),
                ];
                call("POST", &url, &headers, body).await.status
            });
        }
        let mut statuses = asked.join_all().await;
        statuses.sort_unstable();
        statuses
    }

    /// Submits and approves an alert; its id.
    pub(crate) async fn broadcast(&self, team: &Team, identifier: &str) -> String {
        let alert = self.submit(team, identifier).await;
        self.move_to(team, &alert, "broadcasting")
            .await
            .must_be(200);
        alert
    }

    /// Cancels an alert by a document.
    pub(crate) async fn cancel(&self, team: &Team, identifier: &str) {
        let document = super::documents::cancel(identifier);
        let alert = self.post_cap(team, &team.key, document).await.must_be(201);
        assert_eq!(alert["status"], "cancelled");
    }

    /// What the author's web application reads at a path; 200 it must be.
    pub(crate) async fn as_client(&self, path: &str) -> Value {
        let token = format!(
            "Bearer {}",
            make_token("notify-admin", CLIENT_SECRET, now())
        );
        let headers = [("authorization", token.as_str())];
        let url = format!("{}{path}", self.url);
        call("GET", &url, &headers, String::new())
            .await
            .must_be(200)
    }

    /// The alert as the author's web application reads it.
    pub(crate) async fn read(&self, team: &Team, alert: &str) -> Value {
        self.admin("GET", team, &format!("/{alert}"), None)
            .await
            .must_be(200)
    }

    /// The course of the alert's deliveries.
    pub(crate) async fn statuses(&self, team: &Team, alert: &str) -> Value {
        self.admin("GET", team, &format!("/{alert}/provider-statuses"), None)
            .await
            .must_be(200)
    }
}

/// The words of one course, such as `["sending", "returned-ack"]`.
pub(crate) fn words(statuses: &Value, provider: &str, kind: &str) -> Vec<String> {
    let course = statuses[provider][kind].as_array();
    let course = course.unwrap_or_else(|| panic!("no {kind} of {provider}: {statuses}"));
    let word = |entry: &Value| entry["status"].as_str().expect("a status").to_owned();
    course.iter().map(word).collect()
}
