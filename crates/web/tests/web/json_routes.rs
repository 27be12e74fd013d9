//! Create and update by JSON: their schema, their texts, their rules.

use balefire_domain::alert::ServiceState;
use balefire_domain::ids::{AlertId, UserId};
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;

fn new_alert(web: &TestWeb) -> Value {
    json!({
        "service_id": web.live.id,
        "created_by": web.live.author,
        "reference": "The river",
        "content": "Go uphill now.",
    })
}

fn ring() -> Value {
    json!([[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]])
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

fn without(mut body: Value, key: &str) -> Value {
    body.as_object_mut().unwrap().remove(key);
    body
}

async fn draft(web: &TestWeb) -> AlertId {
    let answer = web.post(&alerts_path(web.live.id), &new_alert(web)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.alert()
}

#[tokio::test]
async fn a_new_alert_is_a_draft_with_what_was_given() {
    let web = TestWeb::start().await;
    let mut body = new_alert(&web);
    for (key, value) in [
        ("personalisation", json!({ "thing": "dropped" })),
        ("duration", json!("PT4H")),
        ("starts_at", json!("2026-11-23 04:10:00")),
        ("finishes_at", json!("2026-11-23T07:10:00+01:00")),
        (
            "areas",
            json!({ "ids": ["a"], "names": ["A"], "aggregate_names": ["A"], "simple_polygons": [ring()] }),
        ),
    ] {
        body[key] = value;
    }
    let answer = web.post(&alerts_path(web.live.id), &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = answer.json();
    assert_eq!(told["status"], "draft");
    assert_eq!(told["reference"], "The river");
    assert_eq!(told["content"], "Go uphill now.");
    assert_eq!(told["areas"], body["areas"]);
    assert_eq!(told["starts_at"], "2026-11-23T04:10:00.000000Z");
    assert_eq!(
        told["finishes_at"], "2026-11-23T06:10:00.000000Z",
        "offsets are converted"
    );
    assert_eq!(
        (&told["duration"], &told["personalisation"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(told["created_by_id"], json!(web.live.author));
    assert_eq!(told["cap_event"], Value::Null);
    let minimal = web
        .post(&alerts_path(web.live.id), &new_alert(&web))
        .await
        .json();
    assert_eq!(minimal["areas"], json!({}));
}

#[tokio::test]
async fn a_body_that_breaks_the_schema_is_told_so_in_shape_one_and_stores_nothing() {
    let web = TestWeb::start().await;
    let stored = web.stored().await;
    let good = || new_alert(&web);
    let date = "is not a valid date";
    let rows: Vec<(Value, String)> = vec![
        (json!([]), "The body is not of type object".to_owned()),
        (json!("x"), "The body is not of type object".to_owned()),
        (
            without(good(), "service_id"),
            "service_id is a required property".to_owned(),
        ),
        (
            without(good(), "created_by"),
            "created_by is a required property".to_owned(),
        ),
        (
            without(good(), "reference"),
            "reference is a required property".to_owned(),
        ),
        (
            without(good(), "content"),
            "content is a required property".to_owned(),
        ),
        (
            with(good(), "content", Value::Null),
            "content must not be null".to_owned(),
        ),
        (
            with(good(), "created_by", json!("me")),
            "created_by is not a valid UUID".to_owned(),
        ),
        (
            with(good(), "created_by", json!(5)),
            "created_by is not a valid UUID".to_owned(),
        ),
        (
            with(good(), "template_id", json!("x")),
            "template_id is not a valid UUID".to_owned(),
        ),
        (
            with(good(), "service_id", json!(web.other.id)),
            "service_id is not the service of the path".to_owned(),
        ),
        (
            with(good(), "content", json!("")),
            "content is too short".to_owned(),
        ),
        (
            with(good(), "reference", json!("")),
            "reference is too short".to_owned(),
        ),
        (
            with(good(), "reference", json!("é".repeat(256))),
            "reference is too long: at most 255 characters".to_owned(),
        ),
        (
            with(good(), "content", json!(5)),
            "content 5 is not of type string".to_owned(),
        ),
        (
            with(good(), "status", json!("draft")),
            "Additional properties are not allowed (status was unexpected)".to_owned(),
        ),
        (
            with(with(good(), "b", json!(1)), "a", json!(1)),
            "Additional properties are not allowed (a, b were unexpected)".to_owned(),
        ),
        (
            with(good(), "personalisation", json!([])),
            "personalisation […] is not of type object".to_owned(),
        ),
        (
            with(good(), "starts_at", json!("tomorrow")),
            format!("starts_at {date}"),
        ),
        (
            with(good(), "finishes_at", json!("2026-13-01T00:00:00Z")),
            format!("finishes_at {date}"),
        ),
        (
            with(good(), "finishes_at", json!(5)),
            format!("finishes_at {date}"),
        ),
        (
            with(good(), "areas", json!("all")),
            "areas is not of type object".to_owned(),
        ),
        (
            with(good(), "areas", json!({ "wkt": "" })),
            "areas Additional properties are not allowed (wkt was unexpected)".to_owned(),
        ),
        (
            with(good(), "areas", json!({ "simple_polygons": [[["a", 1]]] })),
            "areas polygon 1, point 1 is not a pair of numbers, latitude and longitude".to_owned(),
        ),
    ];
    for (body, says) in rows {
        let answer = web.post(&alerts_path(web.live.id), &body).await;
        answer.assert_public_error(400, "ValidationError");
        let is_told = answer
            .messages()
            .lines()
            .any(|line| line.starts_with(&says));
        assert!(is_told, "{says}: {answer:?}");
        assert_eq!(web.stored().await, stored, "{says}");
    }
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_400_on_every_route() {
    let web = TestWeb::start().await;
    let id = draft(&web).await;
    let stored = web.stored().await;
    let paths = [
        alerts_path(web.live.id),
        alert_path(web.live.id, id),
        status_path(web.live.id, id),
    ];
    let deep = "[".repeat(10_000);
    let bodies: [(&[u8], &str); 9] = [
        (b"", "EOF"),
        (b"{", "EOF"),
        (b"not JSON", "expected"),
        (b"{\"a\":1,\"a\":2}", "the key a is there twice"),
        (
            b"{\"areas\":{\"ids\":[],\"ids\":[]}}",
            "the key ids is there twice",
        ),
        (b"{\"content\":\"x\\u0000y\"}", "U+0000"),
        (b"{\"content\":\"\xff\"}", "invalid unicode"),
        (b"{\"content\":1e999}", "out of range"),
        (deep.as_bytes(), "recursion limit"),
    ];
    for path in &paths {
        for (body, says) in bodies {
            let request = web.request("POST", path, body.to_vec());
            let answer = web.send(request).await;
            answer.assert_public_error(400, "BadRequestError");
            assert!(answer.message().contains(says), "{answer:?}");
        }
    }
    assert_eq!(web.stored().await, stored);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn any_content_type_will_do_for_json_that_can_be_read() {
    let web = TestWeb::start().await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/json; charset=utf-8"),
    ] {
        let body = new_alert(&web).to_string();
        let mut request = web.request("POST", &alerts_path(web.live.id), body);
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            let value = content_type.parse().unwrap();
            request.headers_mut().insert("content-type", value);
        }
        assert_eq!(web.send(request).await.status, 201, "{content_type:?}");
    }
}

#[tokio::test]
async fn rules_that_are_no_schema_are_told_in_shape_two() {
    let web = TestWeb::start().await;
    let nobody = UserId::new(web.live.id.uuid());
    let stored = web.stored_alerts().await;
    let good = || new_alert(&web);
    let member = format!(
        "User {} cannot create a broadcast_message of another service",
        web.outsider
    );
    let overlap = json!({ "simple_polygons": [ring(), ring()] });
    let open =
        json!({ "simple_polygons": [[[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.2, -1.9]]] });
    let template = with(good(), "template_id", json!(nobody));
    let only_template = without(without(template.clone(), "content"), "reference");
    let gsm = "Content must be 1,395 characters or fewer";
    let ucs = "Content must be 615 characters or fewer (because it could not be GSM7 encoded)";
    let rows: Vec<(Value, u16, &str)> = vec![
        (template, 404, "No result found"),
        (only_template, 404, "No result found"),
        (
            with(good(), "created_by", json!(nobody)),
            404,
            "No result found",
        ),
        (
            with(good(), "created_by", json!(web.outsider)),
            400,
            &member,
        ),
        (with(good(), "content", json!("a".repeat(1_396))), 400, gsm),
        (with(good(), "content", json!("ŵ".repeat(616))), 400, ucs),
        (
            with(good(), "content", json!("a😀")),
            400,
            "Content: the character 😀 (U+1F600) at position 2 can't be shown by every phone: \
             remove it",
        ),
        (
            with(good(), "areas", overlap),
            400,
            "areas: polygons 1 and 2 overlap; polygons may touch but not share ground",
        ),
        (
            with(good(), "areas", open),
            400,
            "areas: polygon 1 is not closed: its last point must be equal to its first",
        ),
        (
            with(
                good(),
                "areas",
                json!({ "simple_polygons": [[[95.0, 0.0], [1, 1], [2, 1], [95.0, 0.0]]] }),
            ),
            400,
            "areas: polygon 1, point 1: latitude 95 is outside -90 to 90",
        ),
    ];
    for (body, status, message) in rows {
        let answer = web.post(&alerts_path(web.live.id), &body).await;
        answer.assert_internal_error(status, message);
        assert_eq!(web.stored_alerts().await, stored, "{message}");
    }
    web.set_state(web.live.id, ServiceState::Suspended).await;
    let answer = web.post(&alerts_path(web.live.id), &good()).await;
    let text = "Creating broadcast message is not allowed: service is inactive";
    answer.assert_internal_error(403, text);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn a_change_replaces_what_it_names_and_nothing_else() {
    let web = TestWeb::start().await;
    let id = draft(&web).await;
    let path = alert_path(web.live.id, id);
    let before = web.get(&path).await.json();
    let areas = json!({ "ids": ["a"], "names": ["A"], "simple_polygons": [ring()] });
    let rows = [
        ("reference", json!("Another name"), json!("Another name")),
        (
            "content",
            json!("Stay  where you are."),
            json!("Stay  where you are."),
        ),
        ("extra_content", json!("More"), json!("More")),
        ("duration", json!("PT8H30M"), json!(30_600.0)),
        ("duration", json!("P1DT0.5S"), json!(86_400.5)),
        (
            "starts_at",
            json!("2026-11-23T04:10:00Z"),
            json!("2026-11-23T04:10:00.000000Z"),
        ),
        (
            "finishes_at",
            json!("2026-11-23 05:10:00"),
            json!("2026-11-23T05:10:00.000000Z"),
        ),
        ("areas", areas.clone(), areas),
    ];
    let mut want = before;
    for (key, given, told) in rows {
        let body = json!({ key: given, "created_by": web.live.author });
        let answer = web.post(&path, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        want[key] = told;
        let mut is = answer.json();
        assert_eq!(is["updated_by_id"], json!(web.live.author));
        for stamp in ["updated_at", "updated_by_id"] {
            is[stamp] = want[stamp].clone();
        }
        assert_eq!(is, want, "{key}");
    }
    let nothing = json!({
        "reference": null, "content": null, "duration": null, "starts_at": null,
        "finishes_at": null, "areas": null, "extra_content": null, "created_by": null,
        "personalisation": null,
    });
    let answer = web.post(&path, &nothing).await;
    assert_eq!(answer.status, 200);
    for key in [
        "reference",
        "content",
        "duration",
        "starts_at",
        "areas",
        "extra_content",
    ] {
        assert_eq!(
            answer.json()[key],
            want[key],
            "null is as good as absent: {key}"
        );
    }
}

#[tokio::test]
async fn a_change_that_is_wrong_is_refused_in_the_words_of_the_existing_api() {
    let web = TestWeb::start().await;
    let id = draft(&web).await;
    let path = alert_path(web.live.id, id);
    let stored = web.stored().await;
    let duration = "duration is not a valid duration";
    for (body, says) in [
        (
            json!({ "status": "x" }),
            "Additional properties are not allowed (status was unexpected)",
        ),
        (
            json!({ "service_id": web.live.id }),
            "Additional properties are not allowed (service_id was unexpected)",
        ),
        (json!({ "content": "" }), "content is too short"),
        (json!({ "reference": "" }), "reference is too short"),
        (json!({ "duration": "long" }), duration),
        (json!({ "duration": "-PT1H" }), duration),
        (json!({ "duration": "P1Y" }), duration),
        (json!({ "duration": 3600 }), duration),
        (
            json!({ "created_by": "" }),
            "created_by is not a valid UUID",
        ),
        (
            json!({ "extra_content": [] }),
            "extra_content […] is not of type string",
        ),
        (
            json!({ "extra_content": "a".repeat(20_001) }),
            "extra_content is too long: at most 20000 characters",
        ),
    ] {
        let answer = web.post(&path, &body).await;
        answer.assert_public_error(400, "ValidationError");
        assert!(answer.message().starts_with(says), "{answer:?}");
    }
    let half = format!("Cannot update broadcast_message {id}, area IDs or polygons are missing.");
    for areas in [
        json!({ "ids": ["a"] }),
        json!({ "simple_polygons": [ring()], "names": ["A"] }),
    ] {
        let answer = web.post(&path, &json!({ "areas": areas })).await;
        answer.assert_internal_error(400, &half);
    }
    let neither = web
        .post(&path, &json!({ "areas": { "names": ["A"] } }))
        .await;
    assert_eq!(
        neither.json()["areas"],
        json!({}),
        "neither of the two: the areas stay"
    );
    let stored_since = web.stored_alerts().await;
    let outsider = format!(
        "User {} cannot update broadcast_message {id} from other service",
        web.outsider
    );
    let answer = web
        .post(&path, &json!({ "created_by": web.outsider }))
        .await;
    answer.assert_internal_error(400, &outsider);
    let nobody = UserId::new(web.live.id.uuid());
    let answer = web.post(&path, &json!({ "created_by": nobody })).await;
    answer.assert_internal_error(404, "No result found");
    let answer = web
        .post(&path, &json!({ "content": "a".repeat(1_396) }))
        .await;
    answer.assert_internal_error(400, "Content must be 1,395 characters or fewer");
    assert_eq!(web.stored_alerts().await, stored_since);
    assert_ne!(stored, stored_since, "an update is audited");
    web.set_state(web.live.id, ServiceState::Suspended).await;
    let answer = web.post(&path, &json!({ "content": "x" })).await;
    let text = "Updating broadcast message is not allowed: service is inactive ";
    answer.assert_internal_error(403, text);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn an_edit_of_a_draft_that_may_be_real_names_its_editor() {
    let web = TestWeb::start().await;
    let path = alert_path(web.live.id, draft(&web).await);
    let answer = web.post(&path, &json!({ "content": "Edited" })).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.message().contains("without created_by"),
        "{answer:?}"
    );
    let body = json!({ "content": "Edited", "created_by": web.live.author });
    assert_eq!(web.post(&path, &body).await.status, 200);
}

#[tokio::test]
async fn an_edit_of_what_waits_for_approval_names_its_editor() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("pending"))
        .await
        .alert();
    let path = alert_path(web.live.id, id);
    let answer = web.post(&path, &json!({ "content": "Edited" })).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.message().contains("without created_by"),
        "{answer:?}"
    );
    let times = json!({ "finishes_at": "2026-11-23T06:00:00Z", "duration": "PT1H" });
    assert_eq!(
        web.post(&path, &times).await.status,
        200,
        "times need no person"
    );
    let body = json!({ "content": "Edited", "created_by": web.live.author });
    assert_eq!(web.post(&path, &body).await.status, 200);
    let own = web.change_status(id, "broadcasting", web.live.author).await;
    let text = format!(
        "User {} cannot approve their own broadcast_message {id}",
        web.live.author
    );
    own.assert_internal_error(400, &text);
}

#[tokio::test]
async fn what_is_unknown_is_404_and_another_method_405_in_shape_two() {
    let web = TestWeb::start().await;
    let id = draft(&web).await;
    let (service, alert) = (web.live.id, id);
    for path in [
        "/nothing".to_owned(),
        "/v2".to_owned(),
        "/v2/nothing".to_owned(),
        "/v2/broadcast/".to_owned(),
        "/_api_status/".to_owned(),
        format!("/service/{service}/nothing"),
        format!("{}/", alerts_path(service)),
        format!("{}/nothing", alert_path(service, alert)),
    ] {
        for method in ["GET", "POST"] {
            let answer = web.send(web.request(method, &path, "")).await;
            let text = "There is nothing at this address: check the path";
            answer.assert_internal_error(404, text);
        }
    }
    for (method, path, allow) in [
        ("GET", "/v2/broadcast".to_owned(), "POST,OPTIONS"),
        ("PUT", "/v2/broadcast".to_owned(), "POST,OPTIONS"),
        ("POST", "/".to_owned(), "GET,HEAD"),
        ("DELETE", "/_api_status".to_owned(), "GET,HEAD,POST"),
        ("POST", "/_api_status/ready".to_owned(), "GET,HEAD"),
        ("PUT", alerts_path(service), "GET,HEAD,POST"),
        ("DELETE", alert_path(service, alert), "GET,HEAD,POST"),
        ("GET", status_path(service, alert), "POST"),
        ("POST", statuses_path(service, alert), "GET,HEAD"),
        ("OPTIONS", alerts_path(service), "GET,HEAD,POST"),
    ] {
        let answer = web.send(web.request(method, &path, "")).await;
        let text = "This address does not answer to this method: see the header Allow";
        answer.assert_internal_error(405, text);
        assert_eq!(answer.headers["allow"], allow, "{method} {path}");
    }
}

#[tokio::test]
async fn every_answer_has_its_id_and_the_headers_of_every_answer() {
    let web = TestWeb::start().await;
    let answers = [
        web.get("/").await,
        web.get("/nothing").await,
        web.get(&alerts_path(web.live.id)).await,
        web.post_cap(&web.live.team, "x").await,
        web.send(web.request("PUT", "/", "")).await,
    ];
    let mut ids = std::collections::BTreeSet::new();
    for answer in answers {
        let headers = &answer.headers;
        assert_eq!(headers["server"], "balefire");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert!(
            headers["strict-transport-security"]
                .to_str()
                .unwrap()
                .starts_with("max-age=")
        );
        let id = headers["x-eas-trace-id"].to_str().unwrap().to_owned();
        assert_eq!(web.log.with(&id).len(), 1, "one line for each request");
        assert!(ids.insert(id));
    }
    let line = web.log.with(&ids.into_iter().next().unwrap()).remove(0);
    for field in [
        "event=\"http.request\"",
        "method=",
        "path=",
        "status=",
        "ms=",
    ] {
        assert!(line.contains(field), "{line}");
    }
}
