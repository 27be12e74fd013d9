//! What else their client does with people's accounts: find, archive, elevate, reset, security
//! keys.

use std::time::Duration;

use balefire_app::users::{NewSignIn, NewUser};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{InstanceId, UserId};
use balefire_domain::job::{Job, JobKind};
use balefire_domain::notification::Notification;
use balefire_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::support::TestWeb;
use crate::users::{HOME, PASSWORD, add, password, post_from, read, send_sms, sign_in};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// Somebody who may become administrator.
async fn capable(web: &TestWeb, name: &str) -> UserId {
    let new = NewUser {
        name: name.to_owned(),
        email: format!("{name}@agency.example"),
        is_platform_admin: false,
        services: vec![],
    };
    let sign_in = NewSignIn {
        mobile: Some("+447700900333".to_owned()),
        password: Some(PASSWORD.to_owned()),
        permissions: None,
        is_admin_capable: true,
    };
    let made = web.app.create_user_with(Actor::CommandLine, new, sign_in);
    made.await.unwrap().id
}

/// The last message that waits to be sent to this address or number.
pub async fn last_mail(web: &TestWeb, to: &str) -> Notification {
    let open = web.app.secret_opener();
    let now = web.clock.now();
    let mut tx = web.app.store.begin("jobs", now).await.unwrap();
    let owner = InstanceId::new(web.app.entropy.uuid_v7(now));
    let mut own = Vec::new();
    for kind in [JobKind::Email, JobKind::Sms] {
        let jobs = tx
            .claim_jobs(kind, owner, 1_000, Duration::from_secs(1))
            .await;
        for job in jobs.unwrap() {
            let Some(Job::Email(told) | Job::Sms(told)) = job.job else {
                panic!("{job:?}");
            };
            let plain = open(&told.sealed).unwrap();
            let one: Notification = serde_json::from_str(&plain).unwrap();
            if one.to.reveal() == to {
                own.push(one);
            }
        }
    }
    // Nothing of that is kept; and what is sent next is sent later.
    drop(tx);
    web.clock.advance(Duration::from_secs(1));
    own.pop().unwrap_or_else(|| panic!("nothing to {to}"))
}

pub fn link_of(mail: &Notification) -> String {
    let values = mail.personalisation();
    let link = values.iter().find(|(name, _)| *name == "link");
    link.unwrap_or_else(|| panic!("no link: {mail:?}"))
        .1
        .clone()
}

pub fn token_of(link: &str) -> String {
    let last = link.rsplit('/').next().unwrap();
    last.split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn people_are_found_by_their_address() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let ask = async |path: &str, email: &str| {
        let answer = web.post(path, &json!({ "email": email })).await;
        (answer.status.as_u16(), answer.json())
    };
    let email = "ALICE@agency.example";
    for (path, known, unknown) in [
        ("/user/email-in-use", json!(true), json!(false)),
        ("/user/email-in-db", json!(true), json!(false)),
    ] {
        assert_eq!(ask(path, email).await, (200, known));
        assert_eq!(ask(path, "bob@agency.example").await, (200, unknown));
        let malformed = json!({ "errors": ["Enter a valid email address"] });
        assert_eq!(ask(path, "nobody").await, (400, malformed));
    }
    let (_, found) = ask("/user/email-or-none", email).await;
    assert_eq!(found["data"]["id"], user.to_string());
    let (_, none) = ask("/user/email-or-none", "bob@agency.example").await;
    assert_eq!(none, json!({ "data": null }));
    let (_, found) = ask("/user/find-users-by-email", "LICE@").await;
    let want = json!({ "data": [{
        "id": user, "name": "alice", "email_address": "alice@agency.example",
        "mobile_number": "+447700900111",
    }] });
    assert_eq!(found, want);
    // A sign of the database's own stands for itself.
    let (_, found) = ask("/user/find-users-by-email", "%").await;
    assert_eq!(found, json!({ "data": [] }));
    let by_query = web.get("/user/email?email=alice%40agency.example").await;
    assert_eq!(by_query.json()["data"]["id"], user.to_string());
    assert_eq!(web.get("/user/email?email=x").await.status, 400);
    let (status, _) = ask("/user/invited", "bob@agency.example").await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn sec_08_an_administrator_is_made_by_another_one_for_one_session() {
    let web = TestWeb::start().await;
    let (ann, bob) = (capable(&web, "ann").await, capable(&web, "bob").await);
    let plain = add(&web, "alice").await;
    let elevate = async |user: UserId, by: UserId| {
        let body = json!({ "approved_by": by });
        let answer = web.post(&format!("/user/{user}/elevate"), &body).await;
        answer.status.as_u16()
    };
    let redeem = async |user: UserId| {
        let path = format!("/user/{user}/redeem-elevation");
        web.post(&path, &json!({})).await.status.as_u16()
    };
    let is_admin = async |user| read(&web, user).await["platform_admin"].clone();
    assert_eq!(redeem(ann).await, 403, "nobody approved it");
    assert_eq!(elevate(ann, ann).await, 422, "nobody approves their own");
    assert_eq!(elevate(ann, plain).await, 422, "the approver may not");
    assert_eq!(elevate(plain, ann).await, 422, "they may not");
    assert_eq!(redeem(ann).await, 403, "none of that counted");
    sign_in(&web, ann, HOME).await;
    assert_eq!(elevate(ann, bob).await, 200);
    assert_eq!(is_admin(ann).await, false);
    web.clock.advance(Duration::from_secs(3600));
    assert_eq!(redeem(ann).await, 403, "it lapsed");
    assert_eq!(elevate(ann, bob).await, 200);
    assert_eq!(redeem(ann).await, 200);
    assert_eq!(is_admin(ann).await, true);
    assert_eq!(redeem(ann).await, 403, "it is good once");
    // It ends with the session, and a new one.
    let out = json!({ "current_session_id": null });
    web.post(&format!("/user/{ann}/update"), &out).await;
    assert_eq!(is_admin(ann).await, false);
    for hours in [0, 6] {
        assert_eq!(elevate(ann, bob).await, 200);
        assert_eq!(redeem(ann).await, 200);
        if hours == 0 {
            sign_in(&web, ann, HOME).await;
        }
        web.clock.advance(Duration::from_secs(hours * 3600));
        assert_eq!(is_admin(ann).await, false, "after {hours} hours");
    }
    // Who is administrator by command stays it.
    sign_in_ended(&web, web.platform_admin).await;
    assert_eq!(is_admin(web.platform_admin).await, true);
}

async fn sign_in_ended(web: &TestWeb, user: UserId) {
    let out = json!({ "current_session_id": null });
    web.post(&format!("/user/{user}/update"), &out).await;
}

#[tokio::test]
async fn sec_27_a_link_sets_a_password_once_and_ends_the_session() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    sign_in(&web, user, HOME).await;
    let body = json!({ "email": "alice@agency.example", "admin_base_url": "https://a.example" });
    assert_eq!(web.post("/user/reset-password", &body).await.status, 204);
    let unknown = json!({ "email": "bob@agency.example", "admin_base_url": "https://a.example" });
    assert_eq!(web.post("/user/reset-password", &unknown).await.status, 204);
    let link = link_of(&last_mail(&web, "alice@agency.example").await);
    assert!(
        link.starts_with("https://a.example/new-password/"),
        "{link}"
    );
    let token = token_of(&link);
    let path = format!("/user/{user}/update-password");
    let set = async |password: &str, token: &str| {
        let body = json!({ "_password": password, "_token": token });
        let answer = web.post(&path, &body).await;
        let field = answer.json()["errors"][0]["field"].clone();
        (answer.status.as_u16(), field)
    };
    let forged = token.replace('.', ".x");
    assert_eq!(
        set("another-Long-Pass-77", &forged).await,
        (400, json!("_token"))
    );
    assert_eq!(
        set(PASSWORD, &token).await,
        (400, json!("_password")),
        "used before"
    );
    assert_eq!(set("short", &token).await, (400, json!("_password")));
    let other = add(&web, "bob").await;
    let theirs = format!("/user/{other}/update-password");
    let body = json!({ "_password": "another-Long-Pass-77", "_token": token });
    assert_eq!(web.post(&theirs, &body).await.status, 400);
    assert_eq!(
        set("another-Long-Pass-77", &token).await,
        (200, Value::Null)
    );
    assert_eq!(read(&web, user).await["current_session_id"], Value::Null);
    assert_eq!(
        set("a-third-Long-Pass-88", &token).await,
        (400, json!("_token"))
    );
    assert_eq!(password(&web, user, PASSWORD, HOME).await.status, 400);
    assert_eq!(
        password(&web, user, "another-Long-Pass-77", HOME)
            .await
            .status,
        204
    );
    // Too old.
    web.clock.advance(Duration::from_secs(1));
    let body = json!({ "email": "alice@agency.example" });
    assert_eq!(web.post("/user/reset-password", &body).await.status, 204);
    let link = link_of(&last_mail(&web, "alice@agency.example").await);
    assert!(
        link.starts_with("https://alerts.example/new-password/"),
        "{link}"
    );
    web.clock.advance(Duration::from_secs(3600));
    let late = set("a-third-Long-Pass-88", &token_of(&link)).await;
    assert_eq!(late, (400, json!("_token")));
}

#[tokio::test]
async fn sec_23_a_password_is_changed_by_the_old_one_and_never_taken_twice() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let path = format!("/user/{user}/update-password");
    let change = async |old: &str, new: &str| {
        let body = json!({ "_oldpassword": old, "_password": new });
        post_from(&web, HOME, &path, &body).await
    };
    let wrong = change("wrong", "another-Long-Pass-77").await;
    let want = json!({ "errors": [{ "field": "_oldpassword", "message": "Incorrect password" }] });
    assert_eq!((wrong.status.as_u16(), wrong.json()), (400, want));
    assert_eq!(change(PASSWORD, "another-Long-Pass-77").await.status, 200);
    let again = change("another-Long-Pass-77", PASSWORD).await;
    let want = json!({ "errors": [{ "field": "_password", "message": "used before" }] });
    assert_eq!(again.json(), want);
    let check = format!("/user/{user}/check-password-validity");
    for (password, want) in [
        (PASSWORD, Some("used before")),
        ("another-Long-Pass-77", Some("used before")),
        ("Password1234!", Some("too common")),
        ("short", Some("not strong enough")),
        ("a-third-Long-Pass-88", None),
    ] {
        let answer = web.post(&check, &json!({ "_password": password })).await;
        match want {
            Some(want) => assert_eq!(answer.json(), json!({ "errors": [want] })),
            None => assert_eq!(answer.status, 200),
        }
    }
    let purge = web.request(
        "DELETE",
        &format!("/user/{user}/purge-password-history"),
        "",
    );
    assert_eq!(web.send(purge).await.status, 200);
    let answer = web.post(&check, &json!({ "_password": PASSWORD })).await;
    assert_eq!(answer.status, 200);
    for body in [
        json!({ "_password": "x" }),
        json!({ "_password": "x", "_token": "x", "_oldpassword": "x" }),
    ] {
        assert_eq!(web.post(&path, &body).await.status, 400);
    }
}

#[tokio::test]
async fn a_code_by_e_mail_is_a_link_where_the_client_says_where_it_leads() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let path = format!("/user/{user}/email-code");
    assert_eq!(web.post(&path, &json!({ "to": null })).await.status, 204);
    let code = web.app.newest_code(user).await.unwrap().unwrap();
    let mail = last_mail(&web, "alice@agency.example").await;
    assert!(mail.words().body.contains(&code), "{code}");
    let body = json!({ "to": null, "email_auth_link_host": "https://a.example", "next": "/x?y=1" });
    assert_eq!(web.post(&path, &body).await.status, 204);
    let link = link_of(&last_mail(&web, "alice@agency.example").await);
    assert!(link.starts_with("https://a.example/email-auth/"), "{link}");
    assert!(link.ends_with("?next=/x%3Fy%3D1"), "{link}");
    for host in [
        "javascript:alert(1)",
        "https://a.example/\r\nx",
        "https://",
        "a.example",
    ] {
        let body = json!({ "email_auth_link_host": host });
        assert_eq!(web.post(&path, &body).await.status, 400, "{host}");
    }
    let body = json!({ "code": code, "code_type": "email" });
    let answer = post_from(&web, HOME, &format!("/user/{user}/verify/code"), &body).await;
    assert_eq!(answer.status, 204);
    let new = json!({ "to": "+447700900999" });
    let path = format!("/user/{user}/sms-code-new-auth");
    assert_eq!(web.post(&path, &new).await.status, 204);
    last_mail(&web, "+447700900999").await;
    assert_eq!(web.post(&path, &json!({ "to": "12" })).await.status, 400);
    let path = format!("/user/{user}/email-code-new-auth");
    assert_eq!(web.post(&path, &json!({})).await.status, 400);
}

#[tokio::test]
async fn an_address_is_proved_by_mail() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let path = |what: &str| format!("/user/{user}/{what}");
    let base = "https://a.example";
    let body = json!({ "to": "new@agency.example", "admin_base_url": base });
    let answer = web.post(&path("email-verification"), &body).await;
    assert_eq!(answer.status, 204);
    let link = link_of(&last_mail(&web, "new@agency.example").await);
    assert!(
        link.starts_with("https://a.example/verify-email/"),
        "{link}"
    );
    let body = json!({ "email": "fresh@agency.example" });
    let answer = web.post(&path("change-email-verification"), &body).await;
    assert_eq!(answer.status, 204);
    last_mail(&web, "fresh@agency.example").await;
    for (email, want) in [
        ("x", "Enter a valid email address"),
        ("outsider@example.com", "Email address is already in use"),
    ] {
        let body = json!({ "email": email });
        let answer = web.post(&path("change-email-verification"), &body).await;
        assert_eq!(answer.json(), json!({ "errors": [want] }));
    }
    let body = json!({ "email": "alice@agency.example" });
    let answer = web.post(&path("email-already-registered"), &body).await;
    assert_eq!(answer.status, 204);
    let words = last_mail(&web, "alice@agency.example").await.words();
    assert!(
        words.body.contains("https://alerts.example/sign-in"),
        "{words:?}"
    );
}

#[tokio::test]
async fn an_account_begins_is_freed_and_ends() {
    let web = TestWeb::start().await;
    let mut body = crate::users::new_person("alice");
    body["state"] = "pending".into();
    let made = web.post("/user", &body).await.json();
    let user: UserId = made["data"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(made["data"]["state"], "pending");
    let path = |what: &str| format!("/user/{user}/{what}");
    let answer = web.post(&path("activate"), &json!({})).await;
    assert_eq!(answer.json()["data"]["state"], "active");
    assert_eq!(web.post(&path("activate"), &json!({})).await.status, 400);
    for _ in 0..10 {
        password(&web, user, "wrong", HOME).await;
        web.clock.advance(Duration::from_secs(61));
    }
    assert_eq!(read(&web, user).await["failed_login_count"], 10);
    let answer = web
        .post(&path("reset-failed-login-count"), &json!({}))
        .await;
    assert_eq!(answer.json()["data"]["failed_login_count"], 0);
    sign_in(&web, user, HOME).await;
    assert_eq!(web.post(&path("archive"), &json!({})).await.status, 204);
    let ended = read(&web, user).await;
    assert_eq!(ended["state"], "inactive");
    assert_eq!(ended["current_session_id"], Value::Null);
    web.clock.advance(Duration::from_secs(61));
    assert_eq!(password(&web, user, PASSWORD, HOME).await.status, 400);
    let again = web.post(&path("activate"), &json!({})).await;
    assert_eq!(again.status, 404, "what ended does not begin again");
    assert_eq!(read(&web, user).await["state"], "inactive");
    add(&web, "alice").await;
    // The last of a service stays.
    let (author, approver) = (web.live.author, web.live.approver);
    let end = async |user: UserId| {
        let path = format!("/user/{user}/archive");
        web.post(&path, &json!({})).await.status.as_u16()
    };
    assert_eq!(end(author).await, 204);
    assert_eq!(end(approver).await, 400);
}

#[tokio::test]
async fn sec_25_who_may_something_else_than_before_signs_in_again() {
    let web = TestWeb::start().await;
    let (user, service) = (web.live.author, web.live.id);
    let path = format!("/user/{user}/service/{service}/permission");
    let session = json!({ "current_session_id": NOBODY });
    web.post(&format!("/user/{user}/update"), &session).await;
    let body =
        json!({ "permissions": [{ "permission": "manage_users" }], "folder_permissions": [] });
    assert_eq!(web.post(&path, &body).await.status, 204);
    let person = read(&web, user).await;
    let want = json!(["manage_users", "view_activity"]);
    assert_eq!(person["permissions"][service.to_string()], want);
    assert_eq!(person["current_session_id"], Value::Null);
    for (path, body, status) in [
        (
            path.clone(),
            json!({ "permissions": [{ "permission": "platform_admin" }] }),
            400,
        ),
        (path.clone(), json!({ "permissions": "all" }), 400),
        (
            path,
            json!({ "permissions": [], "folder_permissions": ["x"] }),
            400,
        ),
        (
            format!("/user/{user}/service/{}/permission", web.other.id),
            json!({ "permissions": [] }),
            404,
        ),
        (
            format!("/user/{}/service/{service}/permission", web.outsider),
            json!({ "permissions": [] }),
            404,
        ),
    ] {
        assert_eq!(
            web.post(&path, &body).await.status.as_u16(),
            status,
            "{path} {body}"
        );
    }
}

#[tokio::test]
async fn security_keys_are_kept_renamed_and_never_the_last_taken_away() {
    let web = TestWeb::start().await;
    let (user, other) = (add(&web, "alice").await, add(&web, "bob").await);
    let path = format!("/user/{user}/webauthn");
    let new = |name: &str| json!({ "name": name, "credential_data": "ZGF0YQ==", "registration_response": "cmVzcA==" });
    let made = web.post(&path, &new("blue")).await;
    assert_eq!(made.status, 201);
    let first = made.json()["data"]["id"].as_str().unwrap().to_owned();
    let count = web.get(&format!("{path}/check-credentials")).await;
    assert_eq!(count.json(), json!({ "data": "1" }));
    let own = format!("{path}/{first}");
    let theirs = format!("/user/{other}/webauthn/{first}");
    let delete = async |path: &str| {
        web.send(web.request("DELETE", path, ""))
            .await
            .status
            .as_u16()
    };
    assert_eq!(delete(&own).await, 400, "it is the last");
    assert_eq!(web.post(&path, &new("red")).await.status, 201);
    assert_eq!(delete(&theirs).await, 404);
    let green = json!({ "name": "green" });
    assert_eq!(web.post(&theirs, &green).await.status, 404);
    assert_eq!(web.post(&own, &green).await.json()["data"]["name"], "green");
    let list = web.get(&path).await.json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains("cmVzcA"), "{list}");
    // A sign-in with it, by both names of the route.
    let body = json!({ "successful": true, "webauthn_credential_id": first });
    for what in ["complete", "verify"] {
        let login = format!("/user/{user}/{what}/webauthn-login");
        assert_eq!(post_from(&web, HOME, &login, &body).await.status, 204);
        let foreign = format!("/user/{other}/{what}/webauthn-login");
        assert_eq!(post_from(&web, HOME, &foreign, &body).await.status, 404);
    }
    assert!(read(&web, user).await["current_session_id"].is_string());
    let failed = json!({ "successful": false });
    let login = format!("/user/{other}/complete/webauthn-login");
    for _ in 0..10 {
        assert_eq!(post_from(&web, HOME, &login, &failed).await.status, 403);
        web.clock.advance(Duration::from_secs(61));
    }
    let locked = post_from(&web, HOME, &login, &json!({ "successful": true })).await;
    locked.assert_internal_error(403, "Maximum login count exceeded");
    assert_eq!(delete(&own).await, 204);
}

#[tokio::test]
async fn the_newest_code_is_readable_for_tests_and_nowhere_else() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let path = format!("/verify-code/{user}");
    assert_eq!(web.get(&path).await.status, 404);
    let code = send_sms(&web, user).await;
    assert_eq!(web.get(&path).await.text, code);
    let public = TestWeb::start_with(|state| {
        let settings = balefire_app::Settings {
            has_test_routes: false,
            ..(*state.app.settings).clone()
        };
        state.app.settings = std::sync::Arc::new(settings);
    })
    .await;
    let answer = public.get(&path).await;
    assert!(answer.status == 404 && answer.message().starts_with("There is nothing"));
}

#[tokio::test]
async fn an_address_asks_how_often_it_failed() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let count = web.get("/failed-logins/fetch-for-requester").await.json();
    assert_eq!(count["data"]["failed_login_count"], 0);
    let path = format!("/user/{user}/verify/password");
    for _ in 0..2 {
        web.post(&path, &json!({ "password": "wrong" })).await;
    }
    let count = web.get("/failed-logins/fetch-for-requester").await.json();
    assert_eq!(count["data"]["failed_login_count"], 2);
    let check = "/failed-logins/check-failed-login-for-requester";
    assert_eq!(web.get(check).await.status, 429);
    web.clock.advance(Duration::from_secs(1));
    assert_eq!(web.get(check).await.status, 200);
}
