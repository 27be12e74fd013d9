//! The main job of the recording, section by section: submit, approve, send, cancel. Ours answers
//! with the same statuses, keys and types; what a decision answers differently is named.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use balefire_app::authenticate::make_token;
use balefire_domain::outcome::Outcome;
use balefire_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::documents::{alert, cancel, changed, circle, triple};
use crate::recorded::{NUMBERS, Recorded, WITHOUT_JSON, recorded, said};
use crate::support::*;

/// Checks answers against the recording, and that none of it was left out.
struct Script {
    recorded: BTreeMap<String, Recorded>,
    seen: BTreeSet<&'static str>,
}

impl Script {
    fn new() -> Self {
        Self {
            recorded: recorded(),
            seen: BTreeSet::new(),
        }
    }

    #[track_caller]
    fn check(&mut self, number: &'static str, answer: &Answer) {
        self.check_but(number, answer, &[]);
    }

    /// `decided`: what we answer where the recording has null (D10).
    #[track_caller]
    fn check_but(&mut self, number: &'static str, answer: &Answer, decided: &[&str]) {
        assert!(self.seen.insert(number), "{number} twice");
        let recorded = &self.recorded[number];
        assert_eq!(
            answer.status.as_u16(),
            recorded.status,
            "{number} {answer:?}"
        );
        let mut want = recorded.shape.clone();
        for key in decided {
            assert!(want.remove(&format!("/{key} null")), "{number} {key}");
            want.insert(format!("/{key} string"));
        }
        assert_eq!(said(recorded.status, &answer.json()), want, "{number}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let compact = format!("{}\n", answer.json());
        assert_eq!(
            answer.text, compact,
            "{number}: compact, sorted, with a newline"
        );
    }
}

#[tokio::test]
async fn the_main_job_is_answered_as_it_was_recorded() {
    let web = TestWeb::start().await;
    let mut script = Script::new();
    let (live, by) = (web.live.id, web.live.approver);
    let tick = || web.clock.advance(Duration::from_millis(10));

    let submitted = web.post_cap(&web.live.normal, &alert("first")).await;
    script.check("2.1", &submitted);
    let created_at = web.clock.now();
    let id = submitted.alert();
    let told = submitted.json();
    assert_eq!(told["created_at"], created_at.to_json_style());
    assert_eq!(
        told["content"],
        "The river is over its banks. Go uphill now. "
    );
    assert_eq!(told["areas"]["names"], json!(["Low streets"]));
    assert_eq!(
        told["areas"]["simple_polygons"][0][0],
        json!([51.996, -2.168])
    );
    assert_eq!(told["status"], "pending-approval");

    let read = web.get(&alert_path(live, id)).await;
    script.check("2.2", &read);
    assert_eq!(read.json(), told);
    let list = web.get(&alerts_path(live)).await;
    assert_eq!(list.json(), json!({ "broadcast_messages": [told] }));

    let outsider = web.change_status(id, "broadcasting", web.outsider).await;
    script.check("2.3", &outsider);
    let text = format!(
        "User {} cannot update broadcast_message {id} from other service",
        web.outsider
    );
    assert_eq!(outsider.message(), text);

    let completed = web.change_status(id, "completed", by).await;
    script.check("2.4", &completed);
    let text = format!("Cannot move broadcast_message {id} from pending-approval to completed");
    assert_eq!(completed.message(), text);

    let nonsense = web.change_status(id, "nonsense", by).await;
    script.check("2.5", &nonsense);
    assert_eq!(
        nonsense.message(),
        "status nonsense is not one of [draft, pending-approval, rejected, broadcasting, \
         completed, cancelled, technical-failure, returned]"
    );

    let nobody = balefire_domain::ids::AlertId::new(live.uuid());
    let unknown = web.change_status(nobody, "broadcasting", by).await;
    script.check("2.6", &unknown);
    assert_eq!(unknown.message(), "No result found");

    let times = json!({
        "starts_at": "2026-11-23T04:09:02.011698+00:00",
        "finishes_at": "2026-11-24T02:39:02.011725+00:00",
    });
    tick();
    let timed = web.post(&alert_path(live, id), &times).await;
    script.check("2.7", &timed);
    assert_eq!(timed.json()["finishes_at"], "2026-11-24T02:39:02.011725Z");

    tick();
    let approved = web.change_status(id, "broadcasting", by).await;
    script.check("2.8", &approved);
    assert_eq!(approved.json()["approved_by_id"], json!(by));
    assert_eq!(approved.json()["starts_at"], "2026-11-23T04:09:02.011698Z");
    assert_eq!(
        approved.json()["finishes_at"],
        "2026-11-24T02:39:02.011725Z"
    );

    let before = web.get(&statuses_path(live, id)).await;
    assert_eq!(before.text, "{}\n", "nothing was sent yet");
    web.send_all(id, Outcome::Accepted, "200").await;
    let sent = web.get(&statuses_path(live, id)).await;
    script.check("2.9", &sent);
    let entry = |status: &str, at: &str| json!({ "created_at": at, "error_detail": null, "status": status });
    let at = "Mon, 23 Nov 2026 04:09:02 GMT";
    let course = json!({
        "alert": [entry("sending", at), entry("returned-ack", at)],
        "cancel": [],
    });
    let all = json!({ "ee": course, "o2": course, "three": course, "vodafone": course });
    assert_eq!(sent.json(), all);

    let messages = web
        .get(&format!("{}/provider-messages", alert_path(live, id)))
        .await;
    script.check("2.10", &messages);
    let told = messages.json();
    let told = told["messages"].as_array().unwrap();
    let states: BTreeSet<_> = told
        .iter()
        .map(|one| (one["provider"].as_str(), one["status"].as_str()))
        .collect();
    let all = ["ee", "o2", "three", "vodafone"].map(|name| (Some(name), Some("returned-ack")));
    assert_eq!(states, BTreeSet::from(all));

    let again = web.change_status(id, "broadcasting", by).await;
    script.check("2.11", &again);
    let text = format!("Cannot move broadcast_message {id} from broadcasting to broadcasting");
    assert_eq!(again.message(), text);

    let body = json!({ "status": "pending-approval", "created_by": by });
    let path = format!("{}/check-status", alert_path(live, id));
    let checked = web.post(&path, &body).await;
    script.check("2.12", &checked);
    assert_eq!(
        checked.message(),
        "This alert is live, it cannot be edited or submitted again."
    );

    let edited = web
        .post(&alert_path(live, id), &json!({ "content": "edited" }))
        .await;
    script.check("2.13", &edited);
    let text = format!("Cannot update broadcast_message {id} while it has status broadcasting");
    assert_eq!(edited.message(), text);

    let mut request = web.request("GET", "/govuk-alerts", "");
    let token = make_token("govuk-alerts", GOVUK_SECRET, web.clock.now());
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let public = web.send(request).await;
    script.check("2.14", &public);
    assert_eq!(public.json()["alerts"][0]["id"], id.to_string());

    let mut request = web.request("GET", &alert_path(live, id), "");
    let token = make_token("govuk-alerts", GOVUK_SECRET, web.clock.now());
    let value = format!("Bearer {token}").parse().unwrap();
    request.headers_mut().insert("authorization", value);
    let wrong_client = web.send(request).await;
    script.check("2.15", &wrong_client);
    assert_eq!(
        wrong_client.message(),
        "Unauthorized: not allowed to perform this action"
    );
    assert_eq!(wrong_client.headers["www-authenticate"], "Bearer");

    let by_test_key = web
        .post_cap(&web.live.test, &cancel(&triple("first")))
        .await;
    script.check("2.16", &by_test_key);
    by_test_key.assert_public_error(403, "AuthError");
    assert_eq!(
        by_test_key.message(),
        "Cannot cancel a live broadcast with a test API key"
    );

    web.clock.advance(Duration::from_secs(2));
    let cancelled = web
        .post_cap(&web.live.normal, &cancel(&triple("first")))
        .await;
    script.check("2.17", &cancelled);
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(cancelled.alert(), id);

    web.send_all(id, Outcome::Accepted, "200").await;
    let statuses = web.get(&statuses_path(live, id)).await;
    script.check("2.18", &statuses);
    let later = "Mon, 23 Nov 2026 04:09:04 GMT";
    assert_eq!(
        statuses.json()["ee"]["cancel"],
        json!([entry("sending", later), entry("returned-ack", later)])
    );

    let again = web
        .post_cap(&web.live.normal, &cancel(&triple("first")))
        .await;
    script.check("2.19", &again);
    again.assert_public_error(404, "NoResultFound");

    let second = web.post_cap(&web.live.normal, &alert("second")).await;
    script.check("2.20", &second);
    let rejected = web
        .post_cap(&web.live.normal, &cancel(&triple("second")))
        .await;
    script.check("2.21", &rejected);
    assert_eq!(rejected.alert(), second.alert());
    assert_eq!(
        rejected.json()["rejected_by_api_key_id"],
        json!(web.live.normal.id)
    );

    let stubbed = web.post_cap(&web.live.test, &alert("third")).await;
    script.check("2.22", &stubbed);
    let id = stubbed.alert();
    let approved = web.change_status(id, "broadcasting", by).await;
    script.check_but("2.23", &approved, &["starts_at", "finishes_at"]);
    let statuses = web.get(&statuses_path(live, id)).await;
    script.check("2.24", &statuses);
    assert_eq!(statuses.text, "{}\n", "a stubbed alert goes nowhere");

    let fourth = web.post_cap(&web.live.normal, &alert("fourth")).await;
    script.check("2.25", &fourth);
    let mut body = json!({ "status": "rejected", "created_by": by, "rejection_reason": "" });
    let path = format!("{}/status-with-reason", alert_path(live, fourth.alert()));
    let unexplained = web.post(&path, &body).await;
    script.check("2.26", &unexplained);
    assert_eq!(
        unexplained.message(),
        "Enter the reason for rejecting the alert."
    );
    body["rejection_reason"] = json!("Wrong area");
    let rejected = web.post(&path, &body).await;
    script.check("2.27", &rejected);
    assert_eq!(rejected.json()["rejection_reason"], "Wrong area");
    assert_eq!(rejected.json()["rejected_by_id"], json!(by));

    let fifth = web
        .post_cap(&web.live.normal, &alert("fifth"))
        .await
        .alert();
    let approved = web.change_status(fifth, "broadcasting", by).await;
    script.check_but("2.28", &approved, &["starts_at", "finishes_at"]);
    assert_eq!(
        approved.json()["finishes_at"],
        "2026-11-24T02:39:04.020000Z",
        "2.28, where the earlier system sent nothing: the channel's longest (D10)"
    );
    let statuses = web.get(&statuses_path(live, fifth)).await;
    script.check("2.29", &statuses);

    let large = alert("large").replace(crate::documents::RING, &circle(300, 54.4, -2.9));
    let simplified = web.post_cap(&web.live.normal, &large).await;
    script.check("2.30", &simplified);
    let points = simplified.json()["areas"]["simple_polygons"][0]
        .as_array()
        .unwrap()
        .len();
    assert!((4..=250).contains(&points), "{points} points");

    let mut options = web.cap_request(&web.live.normal, "");
    *options.method_mut() = "OPTIONS".parse().unwrap();
    let options = web.send(options).await;
    assert_eq!(options.status, script.recorded[WITHOUT_JSON].status);
    script.seen.insert(WITHOUT_JSON);
    assert_eq!(options.headers["allow"], "OPTIONS, POST");
    assert_eq!(options.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(options.text, "");

    let revoked = web.app.revoke_key(
        balefire_domain::audit::Actor::CommandLine,
        web.live.normal.id,
    );
    revoked.await.unwrap();
    let refused = web.post_cap(&web.live.normal, &alert("sixth")).await;
    script.check("1.13", &refused);
    assert_eq!(refused.message(), "Invalid token: API key revoked");

    assert_eq!(script.seen, NUMBERS.into_iter().collect());
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn an_answer_about_an_alert_has_exactly_its_thirty_keys() {
    let web = TestWeb::start().await;
    let told = web.post_cap(&web.live.normal, &alert("keys")).await.json();
    assert_eq!(told.as_object().unwrap().len(), 30);
    let id = told["id"].as_str().unwrap().parse().unwrap();
    let change = json!({
        "duration": "PT8H30M", "extra_content": "More", "created_by": web.live.author,
    });
    let told = web.post(&alert_path(web.live.id, id), &change).await.json();
    assert_eq!(told.as_object().unwrap().len(), 30);
    assert_eq!(told["duration"], json!(30_600.0));
    assert!(told["duration"].is_f64(), "seconds as a float");
    assert_eq!(told["extra_content"], "More");
    assert_eq!(told["updated_by_id"], json!(web.live.author));
}

#[tokio::test]
async fn a_document_that_comes_twice_is_answered_with_the_first_alert() {
    let web = TestWeb::start().await;
    let first = web.post_cap(&web.live.normal, &alert("twice")).await;
    assert_eq!(first.status, 201);
    let stored = web.stored().await;
    let again = web.post_cap(&web.live.normal, &alert("twice")).await;
    assert_eq!((again.status.as_u16(), &again.text), (200, &first.text));
    let other = changed("Go uphill now", "Stay where you are").replace("changed", "twice");
    let other = web.post_cap(&web.live.normal, &other).await;
    other.assert_public_error(400, "BadRequestError");
    assert!(
        other.message().contains(&first.alert().to_string()),
        "{other:?}"
    );
    assert_eq!(web.stored().await, stored);
    let stubbed = web.post_cap(&web.live.test, &alert("twice")).await;
    assert_eq!(stubbed.status, 201, "what is stubbed is another alert");
}

#[tokio::test]
async fn providers_that_refuse_show_each_round_and_the_reason() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("refused"))
        .await
        .alert();
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    web.send_all(id, Outcome::Refused, "no room in the network")
        .await;
    let told = web.get(&statuses_path(web.live.id, id)).await.json();
    let ee = &told["ee"]["alert"];
    assert_eq!(ee[0]["status"], "sending");
    assert_eq!(ee[1]["status"], "returned-error");
    let exception = ee[1]["error_detail"]["exception"].as_str().unwrap();
    assert!(exception.contains("no room in the network"), "{exception}");
    assert_keys(&ee[1], &["created_at", "error_detail", "status"]);
    assert_eq!(told["ee"]["cancel"], json!([]));
}

#[tokio::test]
async fn health_needs_no_token_and_no_database() {
    let web = TestWeb::start().await;
    web.app.store.close().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/_api_status"),
        ("POST", "/_api_status"),
    ] {
        let request = axum::http::Request::builder().method(method).uri(path);
        let answer = web
            .send(request.body(axum::body::Body::empty()).unwrap())
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, "{\"status\":\"ok\"}\n")
        );
    }
}

#[tokio::test]
async fn readiness_tells_of_the_database_and_the_dispatcher() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    let is_alive = Arc::new(AtomicBool::new(true));
    let told = is_alive.clone();
    let web = TestWeb::start_with(|state| {
        state.readiness = Arc::new(move || told.load(Ordering::SeqCst));
    })
    .await;
    let ready = |status: &str, database: &str, dispatcher: &str| -> Value {
        json!({
            "status": status, "database": database, "dispatcher": dispatcher, "clock": "ok",
        })
    };
    let answer = web.get("/_api_status/ready").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, ready("ok", "ok", "ok"))
    );
    is_alive.store(false, Ordering::SeqCst);
    let answer = web.get("/_api_status/ready").await;
    let want = ready("unavailable", "ok", "stopped");
    assert_eq!((answer.status.as_u16(), answer.json()), (503, want));
    is_alive.store(true, Ordering::SeqCst);
    web.app.store.close().await;
    let answer = web.get("/_api_status/ready").await;
    let want = ready("unavailable", "unavailable", "ok");
    assert_eq!((answer.status.as_u16(), answer.json()), (503, want));
}

#[tokio::test]
async fn a_process_that_ends_answers_questions_and_takes_nothing_in() {
    use std::sync::Arc;

    let web = TestWeb::start_with(|state| state.is_ending = Arc::new(|| true)).await;
    assert_eq!(web.get("/_api_status").await.status.as_u16(), 200);
    for path in ["/v2/broadcast", "/service/x/broadcast-message"] {
        let answer = web.post(path, &json!({})).await;
        assert_eq!(answer.status.as_u16(), 503, "{path}");
    }
}
