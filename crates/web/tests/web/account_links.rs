//! Links that the author application reads itself, and how many messages an address is sent.

use std::sync::Arc;
use std::time::Duration;

use balefire_app::link_tokens::LinkKey;
use balefire_domain::ids::UserId;
use balefire_domain::time::Clock as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::accounts::{last_mail, link_of, token_of};
use crate::support::TestWeb;
use crate::users::{PASSWORD, add, new_person, read, send_sms};

const HOST: &str = "https://a.example";
const ALICE: &str = "alice@agency.example";

async fn start() -> TestWeb {
    TestWeb::start_with(|state| {
        let mut settings = (*state.app.settings).clone();
        settings.link_key = Some(LinkKey::new("a secret of both", "a salt"));
        state.app.settings = Arc::new(settings);
    })
    .await
}

/// What the application reads of a token: a text, which is JSON again.
fn said(token: &str) -> Value {
    let payload = token.split('.').next().unwrap();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
    let text: String = serde_json::from_slice(&payload).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn every_link_says_what_the_application_reads_of_it() {
    let web = start().await;
    let user = add(&web, "alice").await;
    let now = web.clock.now().to_json_style();
    let mail = async |path: &str, body: Value, to: &str, place: &str| {
        let answer = web.post(path, &body).await;
        assert_eq!(answer.status, 204, "{path} {answer:?}");
        let link = link_of(&last_mail(&web, to).await);
        assert!(link.starts_with(&format!("{HOST}/{place}/")), "{link}");
        said(&token_of(&link))
    };
    let body = json!({ "to": ALICE, "admin_base_url": HOST });
    let path = format!("/user/{user}/email-verification");
    let token = mail(&path, body, ALICE, "verify-email").await;
    assert_eq!(token["user_id"], user.to_string());

    let body = json!({ "to": null, "email_auth_link_host": HOST });
    let path = format!("/user/{user}/email-code");
    let token = mail(&path, body, ALICE, "email-auth").await;
    assert_eq!(token["user_id"], user.to_string());
    let code = token["secret_code"].as_str().unwrap();
    let body = json!({ "code": code, "code_type": "email" });
    let verify = format!("/user/{user}/verify/code");
    assert_eq!(web.post(&verify, &body).await.status, 204);
    assert_eq!(web.post(&verify, &body).await.status, 400, "once");

    let body = json!({ "email": ALICE, "admin_base_url": HOST });
    let token = mail("/user/reset-password", body, ALICE, "new-password").await;
    assert_eq!(token["email"], ALICE);
    let made_at = token["created_at"].as_str().unwrap();
    assert_eq!(
        made_at.len(),
        "2026-11-23 04:09:02.000000".len(),
        "{made_at}"
    );
    assert!(
        made_at > now.replace('T', " ").trim_end_matches('Z'),
        "{made_at}"
    );

    let new = "alice@other.example";
    let path = format!("/user/{user}/change-email-verification");
    let body = json!({ "email": new });
    assert_eq!(web.post(&path, &body).await.status, 204);
    let link = link_of(&last_mail(&web, new).await);
    assert!(link.contains("/user-profile/email/confirm/"), "{link}");
    let want = json!({ "user_id": user, "email": new });
    assert_eq!(said(&token_of(&link)), want);
}

#[tokio::test]
async fn sec_27_a_link_that_the_application_could_make_sets_no_password() {
    let web = start().await;
    let user = add(&web, "alice").await;
    let body = json!({ "email": ALICE, "admin_base_url": HOST });
    assert_eq!(web.post("/user/reset-password", &body).await.status, 204);
    let right = token_of(&link_of(&last_mail(&web, ALICE).await));
    let path = format!("/user/{user}/email-verification");
    assert_eq!(web.post(&path, &json!({ "to": ALICE })).await.status, 204);
    let other = token_of(&link_of(&last_mail(&web, ALICE).await));
    let set = async |token: &str| {
        let path = format!("/user/{user}/update-password");
        let body = json!({ "_password": "another-Long-Pass-77", "_token": token });
        web.post(&path, &body).await.status.as_u16()
    };
    let mut forged = right.clone();
    let last = if forged.ends_with('A') { 'E' } else { 'A' };
    forged.pop();
    forged.push(last);
    for token in [other.as_str(), forged.as_str(), "", "a.b.c"] {
        assert_eq!(set(token).await, 400, "{token}");
    }
    assert_eq!(set(&right).await, 200);
    assert_eq!(set(&right).await, 400, "once");
    assert_ne!(PASSWORD, "another-Long-Pass-77");
    assert_eq!(read(&web, user).await["current_session_id"], Value::Null);
}

#[tokio::test]
async fn sec_27_what_went_to_an_old_place_opens_nothing_any_more() {
    let web = start().await;
    let user = add(&web, "alice").await;
    let reset = json!({ "email": ALICE, "admin_base_url": HOST });
    assert_eq!(web.post("/user/reset-password", &reset).await.status, 204);
    let link = token_of(&link_of(&last_mail(&web, ALICE).await));
    let path = format!("/user/{user}/email-code");
    assert_eq!(web.post(&path, &json!({ "to": null })).await.status, 204);
    let mailed = web.app.newest_code(user).await.unwrap().unwrap();
    web.clock.advance(Duration::from_secs(1));
    let texted = send_sms(&web, user).await;
    let verify = async |kind: &str, code: &str| {
        let body = json!({ "code": code, "code_type": kind });
        let path = format!("/user/{user}/verify/code");
        web.post(&path, &body).await.status.as_u16()
    };
    let update = format!("/user/{user}/update");
    let moved = json!({ "email_address": "alice@new.example" });
    assert_eq!(web.post(&update, &moved).await.status, 200);
    let body = json!({ "_password": "another-Long-Pass-77", "_token": link });
    let path = format!("/user/{user}/update-password");
    assert_eq!(web.post(&path, &body).await.status, 400, "the link");
    assert_eq!(verify("email", &mailed).await, 400, "the code by e-mail");
    // What went to the telephone is as good as before, until that is another.
    web.clock.advance(Duration::from_secs(61));
    assert_eq!(verify("sms", &texted).await, 204);
    let texted = send_sms(&web, user).await;
    let moved = json!({ "mobile_number": "07700 900222" });
    assert_eq!(web.post(&update, &moved).await.status, 200);
    assert_eq!(verify("sms", &texted).await, 400, "the code by SMS");
}

#[tokio::test]
async fn sec_27_a_link_that_proves_an_address_signs_nobody_in_whose_account_is_in_use() {
    let web = start().await;
    let code = async |user: UserId| {
        let path = format!("/user/{user}/email-verification");
        let body = json!({ "to": ALICE, "admin_base_url": HOST });
        assert_eq!(web.post(&path, &body).await.status, 204);
        let token = said(&token_of(&link_of(&last_mail(&web, ALICE).await)));
        let body = json!({ "code": token["secret_code"], "code_type": "email" });
        let path = format!("/user/{user}/verify/code");
        web.post(&path, &body).await.status.as_u16()
    };
    let mut body = new_person("alice");
    body["state"] = "pending".into();
    let made = web.post("/user", &body).await.json();
    let user: UserId = made["data"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(code(user).await, 204);
    let path = format!("/user/{user}/activate");
    assert_eq!(web.post(&path, &json!({})).await.status, 200);
    assert_eq!(code(user).await, 404);
}

#[tokio::test]
async fn sec_24_nobody_s_mailbox_is_filled_and_the_answer_does_not_say_so() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    let other = add(&web, "bob").await;
    let reset = async |email: &str| {
        let body = json!({ "email": email, "admin_base_url": HOST });
        let answer = web.post("/user/reset-password", &body).await;
        (answer.status.as_u16(), answer.text)
    };
    let sent = async || {
        let actions = web.audit_actions().await;
        actions.get("user.mail").copied().unwrap_or(0)
    };
    for _ in 0..3 {
        assert_eq!(reset(ALICE).await, (204, String::new()));
    }
    // However it is asked for, and in whichever letters.
    let registered = format!("/user/{other}/email-already-registered");
    for _ in 0..4 {
        let body = json!({ "email": "Alice@Agency.example" });
        assert_eq!(web.post(&registered, &body).await.status, 204);
    }
    let path = format!("/user/{user}/email-verification");
    let body = json!({ "to": ALICE, "admin_base_url": HOST });
    assert_eq!(web.post(&path, &body).await.status, 204);
    assert_eq!(reset(ALICE).await, (204, String::new()));
    assert_eq!(sent().await, 5);
    assert_eq!(web.log.with("mail.withheld").len(), 4);
    // Another address is another matter.
    assert_eq!(reset("bob@agency.example").await, (204, String::new()));
    assert_eq!(sent().await, 6);
    web.clock.advance(Duration::from_secs(3601));
    assert_eq!(reset(ALICE).await, (204, String::new()));
    assert_eq!(sent().await, 7);
}
