//! What the public site reads, and what its publisher tells.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use balefire_app::Settings;
use balefire_app::authenticate::make_token;
use balefire_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;

impl TestWeb {
    /// Sends as one of the clients.
    async fn send_as(&self, client: &str, method: &str, path: &str, body: &Value) -> Answer {
        let secret = match client {
            "notify-admin" => ADMIN_SECRET,
            "govuk-alerts" => GOVUK_SECRET,
            _ => PUBLISHER_SECRET,
        };
        let token = make_token(client, secret, self.clock.now());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    async fn public(&self, path: &str) -> Vec<Value> {
        let answer = self.send_as("govuk-alerts", "GET", path, &json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["alerts"].as_array().unwrap().clone()
    }

    async fn publisher(&self, method: &str, verb: &str, body: &Value) -> Answer {
        let path = format!("/publish_task_progress/{verb}");
        self.send_as("govuk-alerts-publish", method, &path, body)
            .await
    }
}

fn references(alerts: &[Value]) -> Vec<&str> {
    alerts
        .iter()
        .filter_map(|alert| alert["reference"].as_str())
        .collect()
}

#[tokio::test]
async fn the_public_reads_what_was_approved_and_nothing_else() {
    let web = TestWeb::start().await;
    for path in ["/govuk-alerts", "/govuk-alerts/all"] {
        assert_eq!(web.public(path).await, [Value::Null; 0]);
    }
    let first = web
        .post_cap(&web.live.normal, &alert("first"))
        .await
        .alert();
    let second = web
        .post_cap(&web.live.normal, &alert("second"))
        .await
        .alert();
    web.post_cap(&web.live.normal, &alert("waits")).await;
    let stubbed = web
        .post_cap(&web.live.test, &alert("stubbed"))
        .await
        .alert();
    for id in [first, stubbed] {
        web.change_status(id, "broadcasting", web.live.approver)
            .await;
    }
    web.clock.advance(Duration::from_secs(60));
    web.change_status(second, "broadcasting", web.live.approver)
        .await;
    let shown = web.public("/govuk-alerts").await;
    assert_eq!(references(&shown), ["second", "first"], "the newest first");
    assert_eq!(shown[0]["channel"], "severe");
    assert_eq!(shown[0]["status"], "broadcasting");
    assert!(shown[0].get("updated_at").is_some());
    let all = web.public("/govuk-alerts/all").await;
    assert_eq!(references(&all), ["second", "first"]);
    assert!(all[0].get("updated_at").is_none());
}

#[tokio::test]
async fn the_site_says_that_it_shows_an_end() {
    let web = TestWeb::start().await;
    let ended = web
        .post_cap(&web.live.normal, &alert("ended"))
        .await
        .alert();
    let lives = web
        .post_cap(&web.live.normal, &alert("lives"))
        .await
        .alert();
    for id in [ended, lives] {
        web.change_status(id, "broadcasting", web.live.approver)
            .await;
    }
    web.change_status(ended, "cancelled", web.live.approver)
        .await;
    let acknowledged = async |id| {
        let path = alert_path(web.live.id, id);
        web.get(&path).await.json()["finished_govuk_acknowledged"].clone()
    };
    assert_eq!(acknowledged(ended).await, false);
    let path = "/govuk-alerts/acknowledge";
    let answer = web.send_as("govuk-alerts", "POST", path, &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));
    assert_eq!(acknowledged(ended).await, true);
    assert_eq!(acknowledged(lives).await, false);
}

#[tokio::test]
async fn only_its_own_client_reads_a_group_of_routes() {
    let web = TestWeb::start().await;
    for (client, path, want) in [
        ("notify-admin", "/govuk-alerts", 401),
        ("govuk-alerts-publish", "/govuk-alerts", 401),
        ("govuk-alerts", "/govuk-alerts", 200),
        (
            "notify-admin",
            "/publish_task_progress/get-publish-tasks",
            401,
        ),
        (
            "govuk-alerts",
            "/publish_task_progress/get-publish-tasks",
            401,
        ),
        (
            "govuk-alerts-publish",
            "/publish_task_progress/get-publish-tasks",
            200,
        ),
    ] {
        let answer = web.send_as(client, "GET", path, &json!({})).await;
        assert_eq!(answer.status, want, "{client} {path}");
    }
}

#[tokio::test]
async fn the_publisher_tells_its_progress_and_silence_is_failure() {
    let web = TestWeb::start().await;
    let name = "publish-dynamic_dramatiq_1795406942";
    let added = web
        .publisher("POST", "add-publish", &json!({ "task_id": name }))
        .await;
    let started = added.json();
    assert_eq!(started["task_id"], name);
    assert_eq!(started["started_at"], "Mon, 23 Nov 2026 04:09:02 GMT");
    assert_eq!(started["finished_at"], Value::Null);
    let id = json!({ "id": started["id"] });
    let tasks = web
        .publisher("GET", "get-publish-tasks", &json!({}))
        .await
        .json();
    assert_eq!(
        tasks,
        json!({ "ongoing": { "publish-dynamic": [name] }, "failed": {} })
    );

    web.clock.advance(Duration::from_secs(20));
    let file = json!({ "id": started["id"], "file": "alerts/current-alerts" });
    let told = web.publisher("POST", "update-publish", &file).await.json();
    assert_eq!(told["last_published_file"], "alerts/current-alerts");
    assert_eq!(told["last_activity_at"], "Mon, 23 Nov 2026 04:09:22 GMT");

    web.clock.advance(Duration::from_secs(31));
    let tasks = web
        .publisher("GET", "get-publish-tasks", &json!({}))
        .await
        .json();
    assert_eq!(
        tasks,
        json!({ "ongoing": {}, "failed": { "publish-dynamic": [name] } })
    );
    let done = web.publisher("POST", "finish-publish", &id).await.json();
    assert_eq!(done["finished_at"], "Mon, 23 Nov 2026 04:09:53 GMT");
    assert_eq!(web.publisher("POST", "get-publish", &id).await.json(), done);
    let tasks = web
        .publisher("GET", "get-publish-tasks", &json!({}))
        .await
        .json();
    assert_eq!(tasks, json!({ "ongoing": {}, "failed": {} }));

    let unknown = json!({ "id": web.live.id });
    for verb in ["get-publish", "finish-publish"] {
        let answer = web.publisher("POST", verb, &unknown).await;
        answer.assert_internal_error(404, "No result found");
    }
    let long = json!({ "task_id": "x".repeat(1_001) });
    assert_eq!(
        web.publisher("POST", "add-publish", &long).await.status,
        400
    );

    let kept = web.publisher("DELETE", "purge/1", &json!({})).await.json();
    assert_eq!(kept["message"], "Removed 0 tasks of the publisher");
    web.clock.advance(Duration::from_secs(86_401));
    let purged = web.publisher("DELETE", "purge/1", &json!({})).await.json();
    assert_eq!(purged["message"], "Removed 1 tasks of the publisher");
    assert_eq!(
        web.publisher("DELETE", "purge/x", &json!({})).await.status,
        404
    );
}

#[tokio::test]
async fn routes_for_tests_are_not_there_in_staging_and_live() {
    let web = TestWeb::start_with(|state| {
        let settings = Settings {
            has_test_routes: false,
            ..Settings::clone(&state.app.settings)
        };
        state.app.settings = Arc::new(settings);
    })
    .await;
    let answer = web.publisher("DELETE", "purge/1", &json!({})).await;
    assert_eq!(answer.status, 404);
}
