//! People and their signing in, as their client asks.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use balefire_domain::ids::UserId;
use serde_json::{Value, json};

use crate::recorded::{OF_PEOPLE, recorded, said};
use crate::support::{Answer, TestWeb};

pub const PASSWORD: &str = "a-long-Password-1234";
pub const HOME: &str = "192.0.2.10";
const ELSEWHERE: &str = "198.51.100.66";

/// As the author's client adds somebody.
pub fn new_person(name: &str) -> Value {
    json!({
        "name": name, "email_address": format!("{name}@agency.example"),
        "password": PASSWORD, "mobile_number": "+447700900111", "logged_in_at": null,
        "state": "active", "failed_login_count": 0, "permissions": {}, "auth_type": "sms_auth",
    })
}

pub async fn add(web: &TestWeb, name: &str) -> UserId {
    let answer = web.post("/user", &new_person(name)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["data"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn from(web: &TestWeb, address: &str, path: &str, body: &Value) -> Request<Body> {
    let mut request = web.request("POST", path, body.to_string());
    let value = format!("203.0.113.99, {address}").parse().unwrap();
    request.headers_mut().insert("x-forwarded-for", value);
    request
}

pub async fn post_from(web: &TestWeb, address: &str, path: &str, body: &Value) -> Answer {
    web.send(from(web, address, path, body)).await
}

pub async fn password(web: &TestWeb, user: UserId, password: &str, address: &str) -> Answer {
    let path = format!("/user/{user}/verify/password");
    post_from(web, address, &path, &json!({ "password": password })).await
}

pub async fn send_sms(web: &TestWeb, user: UserId) -> String {
    let path = format!("/user/{user}/sms-code");
    let answer = web.post(&path, &json!({ "to": null })).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    web.app.newest_code(user).await.unwrap().unwrap()
}

async fn code(web: &TestWeb, user: UserId, code: &str, address: &str) -> Answer {
    let path = format!("/user/{user}/verify/code");
    let body = json!({ "code": code, "code_type": "sms" });
    post_from(web, address, &path, &body).await
}

pub async fn sign_in(web: &TestWeb, user: UserId, address: &str) {
    let answer = password(web, user, PASSWORD, address).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    // Codes made at the same instant have no order.
    web.clock.advance(Duration::from_secs(1));
    let given = send_sms(web, user).await;
    let answer = code(web, user, &given, address).await;
    assert_eq!(answer.status, 204, "{answer:?}");
}

pub async fn read(web: &TestWeb, user: UserId) -> Value {
    web.get(&format!("/user/{user}")).await.json()["data"].take()
}

#[tokio::test]
async fn a_person_signs_in_by_password_and_code_and_out_again() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let found = web
        .post("/user/email", &json!({ "email": "Alice@Agency.example" }))
        .await;
    assert_eq!(found.json()["data"]["id"], user.to_string());
    assert_eq!(found.json()["data"]["current_session_id"], Value::Null);
    sign_in(&web, user, HOME).await;
    let first = read(&web, user).await;
    assert!(first["current_session_id"].is_string() && first["logged_in_at"].is_string());
    sign_in(&web, user, HOME).await;
    let second = read(&web, user).await;
    assert_ne!(first["current_session_id"], second["current_session_id"]);
    let out = json!({ "current_session_id": null });
    let answer = web.post(&format!("/user/{user}/update"), &out).await;
    assert_eq!(answer.json()["data"]["current_session_id"], Value::Null);
    assert_eq!(read(&web, user).await["current_session_id"], Value::Null);
    let actions = web.audit_actions().await;
    assert_eq!(actions["user.sign_in"], 2);
    assert_eq!(actions["user.sign_out"], 1);
}

#[tokio::test]
async fn a_new_person_is_answered_as_it_was_recorded() {
    let web = TestWeb::start().await;
    let names = ["alice.author", "bob.approver", "carol.outsider"];
    for (number, name) in OF_PEOPLE.into_iter().zip(names) {
        let body = json!({
            "name": name, "email_address": format!("{name}@agency.example"),
            "password": PASSWORD, "mobile_number": "+447700900111", "logged_in_at": null,
            "state": "active", "failed_login_count": 0, "permissions": {},
            "auth_type": "email_auth",
        });
        let answer = web.post("/user", &body).await;
        let want = &recorded()[number];
        assert_eq!(answer.status.as_u16(), want.status);
        let mut shape = want.shape.clone();
        // Beside what was recorded, as http.md has it.
        shape.insert("/data/name string".to_owned());
        assert_eq!(said(want.status, &answer.json()), shape);
    }
}

#[tokio::test]
async fn a_new_person_is_refused_field_by_field() {
    let web = TestWeb::start().await;
    add(&web, "alice").await;
    for (field, value, want) in [
        ("name", " ", "Enter a name of at most 255 characters"),
        ("email_address", "nobody", "Enter a valid email address"),
        (
            "email_address",
            "ALICE@agency.example",
            "Email address is already in use",
        ),
        ("mobile_number", "12", "Enter a valid mobile number"),
        ("password", "Password1234!", "too common"),
        ("password", "short", "not strong enough"),
    ] {
        let mut body = new_person("bob");
        body[field] = value.into();
        let answer = web.post("/user", &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let want = json!({ "message": { field: [want] }, "result": "error" });
        assert_eq!(answer.json(), want);
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_in_the_words_that_clients_know() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let answer = password(&web, user, "wrong", HOME).await;
    assert_eq!(answer.status, 400);
    let want = json!({ "message": { "password": ["Incorrect password"] }, "result": "error" });
    assert_eq!(answer.json(), want);
    assert_eq!(read(&web, user).await["failed_login_count"], 1);
    // Somebody without a password is refused likewise.
    let answer = password(&web, web.outsider, "wrong", ELSEWHERE).await;
    assert_eq!(answer.json(), want);
}

#[tokio::test]
async fn sec_24_tries_wait_longer_and_longer_and_the_answer_says_for_how_long() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    for wait in [0, 0, 1, 2, 4, 8, 16, 32, 60, 60] {
        if wait > 0 {
            let early = password(&web, user, PASSWORD, HOME).await;
            early.assert_internal_error(429, "Too many requests");
            assert_eq!(early.headers["retry-after"], wait.to_string());
            web.clock.advance(Duration::from_secs(wait));
        }
        let answer = password(&web, user, "wrong", HOME).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    // Locked: the right password is as wrong as any other, for an hour.
    assert_eq!(read(&web, user).await["failed_login_count"], 10);
    web.clock.advance(Duration::from_secs(60));
    let locked = password(&web, user, PASSWORD, ELSEWHERE).await;
    assert_eq!(
        locked.json()["message"]["password"][0],
        "Incorrect password"
    );
    let given = send_sms(&web, user).await;
    web.clock.advance(Duration::from_secs(60));
    let answer = code(&web, user, &given, HOME).await;
    answer.assert_internal_error(404, "Code not found");
    web.clock.advance(Duration::from_secs(3600));
    assert_eq!(read(&web, user).await["failed_login_count"], 0);
    sign_in(&web, user, HOME).await;
}

#[tokio::test]
async fn sec_24_strangers_lock_nobody_out_of_where_they_signed_in_before() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    sign_in(&web, user, HOME).await;
    for n in 0..12 {
        let address = format!("198.51.100.{n}");
        password(&web, user, "wrong", &address).await;
        web.clock.advance(Duration::from_secs(61));
    }
    let stranger = password(&web, user, PASSWORD, "198.51.100.99").await;
    assert_eq!(
        stranger.json()["message"]["password"][0],
        "Incorrect password"
    );
    // Without a pause, and at once.
    sign_in(&web, user, HOME).await;
}

#[tokio::test]
async fn sec_24_one_address_can_not_try_one_account_after_the_other() {
    let web = TestWeb::start().await;
    let (alice, bob) = (add(&web, "alice").await, add(&web, "bob").await);
    for user in [alice, bob] {
        assert_eq!(password(&web, user, "wrong", ELSEWHERE).await.status, 400);
    }
    let body = json!({ "email": "nobody@agency.example" });
    let early = post_from(&web, ELSEWHERE, "/user/email", &body).await;
    early.assert_internal_error(429, "Too many requests");
    web.clock.advance(Duration::from_secs(1));
    let answer = post_from(&web, ELSEWHERE, "/user/email", &body).await;
    answer.assert_internal_error(404, "No result found");
    // That was a failure too.
    let early = password(&web, alice, PASSWORD, ELSEWHERE).await;
    assert_eq!(early.headers["retry-after"], "2");
    sign_in(&web, bob, HOME).await;
}

#[tokio::test]
async fn sec_24_tries_at_the_same_time_see_each_other() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let tries = (0..20).map(|_| password(&web, user, "wrong", ELSEWHERE));
    let answers = futures_util::future::join_all(tries).await;
    let looked_at = answers.iter().filter(|one| one.status == 400).count();
    assert_eq!(looked_at, 2, "{answers:?}");
}

#[tokio::test]
async fn sec_27_a_code_is_seven_digits_good_once_and_for_half_an_hour() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let given = send_sms(&web, user).await;
    assert!(
        given.len() == 7 && given.bytes().all(|byte| byte.is_ascii_digit()),
        "{given}"
    );
    code(&web, user, "0000000", HOME)
        .await
        .assert_internal_error(404, "Code not found");
    assert_eq!(code(&web, user, &given, HOME).await.status, 204);
    code(&web, user, &given, HOME)
        .await
        .assert_internal_error(400, "Code has been used");
    let late = send_sms(&web, user).await;
    web.clock.advance(Duration::from_secs(30 * 60));
    code(&web, user, &late, HOME)
        .await
        .assert_internal_error(400, "Code has expired");
    // Another person's code, and a code of another kind, are none.
    let bob = add(&web, "bob").await;
    let theirs = send_sms(&web, bob).await;
    web.clock.advance(Duration::from_secs(61));
    code(&web, user, &theirs, HOME)
        .await
        .assert_internal_error(404, "Code not found");
    let body = json!({ "code": theirs, "code_type": "email" });
    let path = format!("/user/{bob}/verify/code");
    let answer = post_from(&web, "192.0.2.77", &path, &body).await;
    answer.assert_internal_error(404, "Code not found");
}

#[tokio::test]
async fn a_sixth_code_is_not_sent() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        web.clock.advance(Duration::from_secs(1));
        codes.push(send_sms(&web, user).await);
    }
    assert_eq!(send_sms(&web, user).await, codes[4]);
    assert_eq!(web.audit_actions().await["user.send_code"], 5);
    // The oldest is as good as the newest.
    assert_eq!(code(&web, user, &codes[0], HOME).await.status, 204);
}

#[tokio::test]
async fn what_is_stored_of_a_code_is_not_the_code() {
    let web = TestWeb::start_with(|state| {
        let settings = balefire_app::Settings {
            has_test_routes: false,
            ..(*state.app.settings).clone()
        };
        state.app.settings = std::sync::Arc::new(settings);
    })
    .await;
    let user = add(&web, "alice").await;
    let path = format!("/user/{user}/sms-code");
    web.post(&path, &json!({ "to": null })).await;
    let mut tx = web
        .app
        .store
        .begin_read("codes", crate::support::START)
        .await
        .unwrap();
    let codes = tx.list_verify_codes(user, 10).await.unwrap();
    assert_eq!((codes.len(), codes[0].sealed.clone()), (1, None));
}

#[tokio::test]
async fn a_person_is_changed_by_themself_or_by_who_manages_them() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let path = format!("/user/{user}/update");
    let own = json!({ "name": "Alice B", "mobile_number": "07700 900222", "updated_by": user });
    let answer = web.post(&path, &own).await;
    assert_eq!(answer.json()["data"]["mobile_number"], "07700900222");
    for by in [web.outsider, web.live.author, web.platform_admin] {
        let body = json!({ "name": "Eve", "updated_by": by });
        assert_eq!(web.post(&path, &body).await.status, 403);
    }
    for (body, want) in [
        (
            json!({ "email_address": "x" }),
            "Enter a valid email address",
        ),
        (
            json!({ "email_address": "outsider@example.com" }),
            "Email address is already in use",
        ),
        (
            json!({ "mobile_number": null }),
            "Enter a mobile number to send the codes to",
        ),
    ] {
        let answer = web.post(&path, &body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), json!({ "errors": [want] }));
    }
    assert_eq!(read(&web, user).await["name"], "Alice B");
}

#[tokio::test]
async fn what_is_no_person_is_not_found() {
    let web = TestWeb::start().await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for path in [format!("/user/{nobody}"), "/user/nobody".to_owned()] {
        web.get(&path)
            .await
            .assert_internal_error(404, "No result found");
    }
    for (path, body) in [
        ("update", json!({ "name": "x" })),
        ("verify/password", json!({ "password": "x" })),
        ("sms-code", json!({})),
        ("email-code", json!({})),
    ] {
        let answer = web.post(&format!("/user/{nobody}/{path}"), &body).await;
        answer.assert_internal_error(404, "No result found");
    }
}

#[tokio::test]
async fn a_switch_that_nobody_set_is_an_empty_object_and_events_are_kept() {
    let web = TestWeb::start().await;
    let answer = web
        .get("/feature-toggle?feature_toggle_name=service_is_not_live")
        .await;
    assert_eq!(answer.json(), json!({}));
    assert_eq!(web.get("/feature-toggle").await.status, 400);
    let event = json!({ "event_type": "sucessful_login", "data": { "ip_address": "192.0.2.1" } });
    let answer = web.post("/events", &event).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["data"]["event_type"], "sucessful_login");
    assert_eq!(web.audit_actions().await["client.event"], 1);
    let report = json!({ "type": "csp-violation", "url": "https://alerts.example", "body": {} });
    assert_eq!(web.post("/reports", &report).await.status, 201);
    assert_eq!(web.log.with("client.report").len(), 1);
}

#[tokio::test]
async fn the_services_of_a_person_are_listed_and_so_are_their_rights() {
    let web = TestWeb::start().await;
    let author = web.live.author;
    let answer = web
        .get(&format!("/user/{author}/organisations-and-services"))
        .await;
    let want = json!({ "organisations": [], "services": [{
        "id": web.live.id, "name": "live", "restricted": false, "organisation": null,
    }] });
    assert_eq!(answer.json(), want);
    let person = read(&web, author).await;
    assert_eq!(person["services"], json!([web.live.id]));
    let rights = person["permissions"][web.live.id.to_string()]
        .as_array()
        .unwrap();
    assert!(rights.contains(&json!("create_broadcasts")), "{rights:?}");
    let all = web.get("/user").await.json();
    let all = all["data"].as_array().unwrap();
    assert!(all.contains(&person), "{all:?}");
}
