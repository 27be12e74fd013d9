//! A request that names itself may be sent again: it is done once.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;
use crate::v3::{Call, assert_problem};

impl TestWeb {
    fn keyed(&self, key: &str, path: &str, body: &Value) -> Request<Body> {
        let mut request = self.request("POST", path, body.to_string());
        let key = key.try_into().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        request
    }

    async fn send_keyed(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(self.keyed(key, path, body)).await
    }

    fn draft(&self, reference: &str) -> Value {
        json!({
            "service_id": self.live.id, "created_by": self.live.author,
            "reference": reference, "content": "Go to high ground",
        })
    }
}

#[tokio::test]
async fn a_draft_is_written_once_however_often_it_is_sent() {
    let web = TestWeb::start().await;
    let path = alerts_path(web.live.id);
    let first = web.send_keyed("a", &path, &web.draft("flood")).await;
    assert_eq!(first.status, 201);
    let again = web.send_keyed("a", &path, &web.draft("flood")).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(again.json(), first.json());
    // Another name is another request, and without a name each is a new one.
    assert_eq!(
        web.send_keyed("b", &path, &web.draft("flood")).await.status,
        201
    );
    assert_eq!(web.post(&path, &web.draft("flood")).await.status, 201);
    // What says something else under the same name is a mistake of the client's.
    let other = web.send_keyed("a", &path, &web.draft("fire")).await;
    assert_eq!(other.status, 422, "{}", other.text);
    let list = web.get(&path).await.json();
    assert_eq!(list["broadcast_messages"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_move_is_made_once_and_a_refused_one_is_not_remembered() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("flood"))
        .await
        .alert();
    let path = status_path(web.live.id, id);
    let approve = json!({ "status": "broadcasting", "created_by": web.live.approver });
    let refused = json!({ "status": "completed", "created_by": web.live.approver });
    for _ in 0..2 {
        assert_eq!(web.send_keyed("wrong", &path, &refused).await.status, 400);
    }
    // Two at once: one approves, and both are answered that it is approved.
    let (one, two) = tokio::join!(
        web.send_keyed("yes", &path, &approve),
        web.send_keyed("yes", &path, &approve)
    );
    for answer in [one, two, web.send_keyed("yes", &path, &approve).await] {
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["status"], "broadcasting");
    }
    // Without the name a second approval is refused, as ever.
    assert_eq!(web.post(&path, &approve).await.status, 400);
    let cancel = json!({ "status": "cancelled", "created_by": web.live.author });
    for _ in 0..2 {
        let answer = web.send_keyed("stop", &path, &cancel).await;
        assert_eq!(answer.json()["status"], "cancelled", "{}", answer.text);
    }
    // The repetition of the approval tells how things are now, and approves nothing.
    let late = web.send_keyed("yes", &path, &approve).await;
    assert_eq!(late.json()["status"], "cancelled");
}

#[tokio::test]
async fn a_name_that_approved_an_alert_does_not_keep_it_from_being_stopped() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("flood"))
        .await
        .alert();
    let path = status_path(web.live.id, id);
    for status in ["broadcasting", "cancelled", "cancelled"] {
        let body = json!({ "status": status, "created_by": web.live.approver });
        let answer = web.send_keyed("one for all", &path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["status"], status);
    }
}

#[tokio::test]
async fn a_name_is_one_short_printable_text() {
    let web = TestWeb::start().await;
    let path = alerts_path(web.live.id);
    for key in ["", &"x".repeat(256), "caf\u{e9}", "a\tb"] {
        let answer = web.send_keyed(key, &path, &web.draft("flood")).await;
        assert_eq!(answer.status, 400, "{key}: {}", answer.text);
    }
    let mut twice = web.keyed("a", &path, &web.draft("flood"));
    twice
        .headers_mut()
        .append("idempotency-key", "b".try_into().unwrap());
    assert_eq!(web.send(twice).await.status, 400);
    let longest = "x".repeat(255);
    assert_eq!(
        web.send_keyed(&longest, &path, &web.draft("flood"))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn sec_47_a_name_tells_nothing_to_who_does_not_belong_there_any_more() {
    let web = TestWeb::start().await;
    let by = web.live.author;
    let path = alerts_path(web.live.id);
    let draft = web.draft("only members may read this");
    let made = web.send_keyed("a", &path, &draft).await;
    assert_eq!(made.status, 201);
    let moved = status_path(web.live.id, made.alert());
    let discard = json!({ "status": "rejected", "created_by": by });
    assert_eq!(web.send_keyed("b", &moved, &discard).await.status, 200);
    let id = web.pending("flood").await;
    let reject = web.v3(id, "/reject");
    let reason = json!({ "reason": "no" });
    let current = || {
        let mut request = Call::new(&web, by, "POST", &reject, &reason).request();
        let key = "c".try_into().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        request
    };
    for _ in 0..2 {
        assert_eq!(web.send(current()).await.status, 200);
    }
    let member = format!("/service/{}/users/{by}", web.live.id);
    let gone = web.send(web.request("DELETE", &member, "")).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    for (key, path, body) in [("a", &path, &draft), ("b", &moved, &discard)] {
        let again = web.send_keyed(key, path, body).await;
        assert_eq!(again.status, 400, "{again:?}");
        assert!(!again.text.contains("only members"), "{}", again.text);
    }
    assert_problem(&web.send(current()).await, 404);
}
