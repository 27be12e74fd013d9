//! Who may call: every text and status of the table in `http.md` 1.1, in the shape of the route.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use balefire_app::authenticate::make_token;
use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{ApiKeyId, ServiceId};
use balefire_domain::time::{Clock as _, Timestamp};
use balefire_store::api_keys::{ApiKey, KeyKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::documents::{alert, cancel, triple};
use crate::support::*;

const GENERAL: &str = "Invalid token: make sure your API token matches the example at \
                       https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header";
const CLOCK: &str = "Error: Your system clock must be accurate to within 30 seconds";
const ALGORITHM: &str = "Invalid token: algorithm used is not HS256";

fn forged(header: &str, claims: &str) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!(
        "Bearer {}.{}.{}",
        part(header),
        part(claims),
        part("no signature")
    )
}

/// `Authorization`, where there is one; status; text.
type Case = (Option<String>, u16, &'static str);

/// What no route takes.
fn cases(issuer: &str, secret: &str, now: Timestamp) -> Vec<Case> {
    let bearer = |token: String| Some(format!("Bearer {token}"));
    let at = |seconds: i64| {
        let at = Timestamp::from_seconds(now.seconds() + seconds);
        bearer(make_token(issuer, secret, at))
    };
    let iat = now.seconds();
    let good = make_token(issuer, secret, now);
    let claims = format!(r#"{{"iss":"{issuer}","iat":{iat}}}"#);
    let alg = |alg: &str| {
        Some(forged(
            &format!(r#"{{"typ":"JWT","alg":"{alg}"}}"#),
            &claims,
        ))
    };
    let with_claims = |claims: &str| Some(forged(r#"{"alg":"HS256"}"#, claims));
    let not_found = "Invalid token: API key not found";
    vec![
        (
            None,
            401,
            "Unauthorized: authentication token must be provided",
        ),
        (
            Some(String::new()),
            401,
            "Unauthorized: authentication token must be provided",
        ),
        (
            Some(format!("Basic {good}")),
            401,
            "Unauthorized: authentication bearer scheme must be used",
        ),
        (
            Some(good),
            401,
            "Unauthorized: authentication bearer scheme must be used",
        ),
        (bearer("abc".to_owned()), 403, GENERAL),
        (bearer("a.b.c".to_owned()), 403, GENERAL),
        (bearer("x".repeat(10_000)), 403, GENERAL),
        (alg("none"), 403, ALGORITHM),
        (alg("RS256"), 403, ALGORITHM),
        (alg("HS512"), 403, ALGORITHM),
        (
            with_claims(&format!(r#"{{"iat":{iat}}}"#)),
            403,
            "Invalid token: iss field not provided",
        ),
        (
            with_claims(&format!(r#"{{"iss":"{issuer}"}}"#)),
            403,
            GENERAL,
        ),
        (
            with_claims(&format!(r#"{{"iss":"{issuer}","iat":"{iat}"}}"#)),
            403,
            GENERAL,
        ),
        (
            with_claims(&format!(r#"{{"iss":"{issuer}","iat":{iat}.5}}"#)),
            403,
            GENERAL,
        ),
        (
            with_claims(&format!(r#"{{"iss":"x","iss":"{issuer}","iat":{iat}}}"#)),
            403,
            GENERAL,
        ),
        (with_claims(&claims), 403, not_found),
        (
            bearer(make_token(issuer, "another secret", now)),
            403,
            not_found,
        ),
        (at(-31), 403, CLOCK),
        (at(31), 403, CLOCK),
    ]
}

fn with_authorization(mut request: Request<Body>, value: Option<String>) -> Request<Body> {
    request.headers_mut().remove("authorization");
    if let Some(value) = value {
        let value = value.parse().unwrap();
        request.headers_mut().insert("authorization", value);
    }
    request
}

#[tokio::test]
async fn the_internal_routes_refuse_with_the_text_of_the_table() {
    let web = TestWeb::start().await;
    let stored = web.stored().await;
    let id = balefire_domain::ids::AlertId::new(web.live.id.uuid());
    let routes = [
        ("GET", alerts_path(web.live.id)),
        ("POST", alerts_path(web.live.id)),
        ("GET", alert_path(web.live.id, id)),
        ("POST", alert_path(web.live.id, id)),
        ("POST", status_path(web.live.id, id)),
        ("GET", statuses_path(web.live.id, id)),
    ];
    let mut cases = cases("notify-admin", ADMIN_SECRET, web.clock.now());
    let unknown = make_token("somebody", ADMIN_SECRET, web.clock.now());
    let wrong = "Unauthorized: not allowed to perform this action";
    cases.push((Some(format!("Bearer {unknown}")), 401, wrong));
    for (value, status, text) in cases {
        for (method, path) in &routes {
            let request = with_authorization(web.request(method, path, "{}"), value.clone());
            let answer = web.send(request).await;
            assert_eq!(
                answer.status, status,
                "{method} {path} {value:?} {answer:?}"
            );
            let want = json!({ "message": { "token": [text] }, "result": "error" });
            assert_eq!(answer.json(), want);
            let challenge = answer.headers.get("www-authenticate");
            assert_eq!(challenge.is_some(), status == 401, "{answer:?}");
        }
    }
    assert_eq!(web.stored().await, stored);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn the_public_route_refuses_with_the_text_of_the_table() {
    let web = TestWeb::start().await;
    let stored = web.stored().await;
    let key = &web.live.normal;
    let now = web.clock.now();
    let mut cases = cases(&key.service.to_string(), &key.secret, now);
    let signed_as = |issuer: &str| Some(format!("Bearer {}", make_token(issuer, &key.secret, now)));
    cases.push((
        signed_as("notify-admin"),
        403,
        "Invalid token: service id is not the right data type",
    ));
    let nobody = web.live.author.to_string();
    cases.push((signed_as(&nobody), 403, "Invalid token: service not found"));
    cases.push((
        signed_as(&web.other.id.to_string()),
        403,
        "Invalid token: API key not found",
    ));
    for (value, status, text) in cases {
        for method in ["POST", "OPTIONS"] {
            let mut request = web.cap_request(key, alert("refused"));
            *request.method_mut() = method.parse().unwrap();
            let answer = web.send(with_authorization(request, value.clone())).await;
            answer.assert_public_error(status, "AuthError");
            assert_eq!(answer.message(), text, "{value:?}");
            let challenge = answer.headers.get("www-authenticate");
            assert_eq!(challenge.is_some(), status == 401, "{answer:?}");
        }
    }
    assert_eq!(web.stored().await, stored);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn a_token_counts_for_thirty_seconds_and_the_scheme_in_any_case() {
    let web = TestWeb::start().await;
    for (scheme, offset) in [
        ("Bearer", 0),
        ("bearer", 30),
        ("BEARER", -30),
        ("bEaReR", 7),
    ] {
        let at = Timestamp::from_seconds(web.clock.now().seconds() + offset);
        let value = format!("{scheme} {}", make_token("notify-admin", ADMIN_SECRET, at));
        let request = web.request("GET", &alerts_path(web.live.id), "");
        let answer = web.send(with_authorization(request, Some(value))).await;
        assert_eq!(answer.status, 200, "{scheme} {offset}");
    }
}

#[tokio::test]
async fn a_service_without_keys_and_one_that_is_archived_have_their_texts() {
    let web = TestWeb::start().await;
    let new = balefire_app::services::NewService {
        name: "keyless".to_owned(),
        mode: balefire_domain::alert::Mode::Live,
        channel: balefire_domain::channel::Channel::Test,
        providers: None,
    };
    let keyless = web
        .app
        .create_service(Actor::CommandLine, new)
        .await
        .unwrap()
        .id;
    let token = make_token(&keyless.to_string(), "any", web.clock.now());
    let request = web.cap_request(&web.live.normal, alert("keyless"));
    let answer = web
        .send(with_authorization(request, Some(format!("Bearer {token}"))))
        .await;
    answer.assert_public_error(403, "AuthError");
    assert_eq!(answer.message(), "Invalid token: service has no API keys");

    web.set_state(web.live.id, ServiceState::Archived).await;
    let answer = web.post_cap(&web.live.normal, &alert("archived")).await;
    answer.assert_public_error(403, "AuthError");
    assert_eq!(answer.message(), "Invalid token: service is archived");
}

#[tokio::test]
async fn a_team_key_may_ask_for_the_methods_and_nothing_else() {
    let web = TestWeb::start().await;
    let stored = web.stored().await;
    // The key's type comes before content type and body.
    let mut request = web.cap_request(&web.live.team, "not XML");
    request.headers_mut().remove("content-type");
    let answer = web.send(request).await;
    answer.assert_public_error(403, "AuthError");
    assert_eq!(
        answer.message(),
        "Cannot send broadcasts with a team API key"
    );
    let mut request = web.cap_request(&web.live.team, "");
    *request.method_mut() = "OPTIONS".parse().unwrap();
    assert_eq!(web.send(request).await.status, 200);
    assert_eq!(web.stored().await, stored);
}

#[tokio::test]
async fn a_service_without_the_permission_is_told_before_its_content_type_is_looked_at() {
    let web = TestWeb::start().await;
    let now = web.clock.now();
    let mut forbidden = web.app.load_service(web.live.id).await.unwrap().unwrap();
    forbidden.id = ServiceId::new(web.app.entropy.uuid_v7(now));
    forbidden.may_broadcast = false;
    let mut tx = web.app.store.begin("forbid", now).await.unwrap();
    tx.insert_service(&forbidden).await.unwrap();
    tx.commit().await.unwrap();
    let made = web
        .app
        .create_key(
            Actor::CommandLine,
            forbidden.id,
            "key".to_owned(),
            KeyKind::Normal,
        )
        .await
        .unwrap()
        .unwrap();
    let key = Key {
        id: made.key.id,
        service: forbidden.id,
        secret: made.secret,
    };
    let mut request = web.cap_request(&key, "not XML");
    request.headers_mut().remove("content-type");
    let answer = web.send(request).await;
    answer.assert_public_error(400, "BadRequestError");
    let text = "Service is not allowed to send broadcast messages";
    assert_eq!(answer.message(), text);
    let body = json!({
        "service_id": forbidden.id, "created_by": web.live.author,
        "reference": "r", "content": "c",
    });
    let answer = web.post(&alerts_path(forbidden.id), &body).await;
    answer.assert_internal_error(400, text);
}

#[tokio::test]
async fn a_suspended_service_may_cancel_and_nothing_else() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("before"))
        .await
        .alert();
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    web.set_state(web.live.id, ServiceState::Suspended).await;
    let answer = web.post_cap(&web.live.normal, &alert("after")).await;
    answer.assert_public_error(403, "AuthError");
    assert!(answer.message().contains("suspended"), "{answer:?}");
    // XML and structure are looked at before, rules after.
    let broken = web.post_cap(&web.live.normal, "<alert").await;
    broken.assert_public_error(400, "BadRequestError");
    let ruleless = alert("after").replace("Public", "Private");
    web.post_cap(&web.live.normal, &ruleless)
        .await
        .assert_public_error(403, "AuthError");
    let cancelled = web
        .post_cap(&web.live.normal, &cancel(&triple("before")))
        .await;
    assert_eq!(cancelled.status, 201);
    assert_eq!(cancelled.json()["status"], "cancelled");
}

#[tokio::test]
async fn where_there_are_route_secrets_only_the_proxy_gets_in() {
    let web = TestWeb::start_with(|state| {
        state.limits.route_secrets = vec!["one-route-secret".to_owned(), "another".to_owned()];
    })
    .await;
    let internal = || web.request("GET", &alerts_path(web.live.id), "");
    let public = || web.cap_request(&web.live.normal, alert("by-proxy"));
    let forwarded = |mut request: Request<Body>, secret: &str| {
        let value = secret.parse().unwrap();
        request.headers_mut().insert("x-custom-forwarder", value);
        request
    };
    for secret in ["one-route-secret", "another"] {
        assert_eq!(web.send(forwarded(internal(), secret)).await.status, 200);
    }
    assert_eq!(web.send(forwarded(public(), "another")).await.status, 201);
    let refused = [
        web.send(internal()).await,
        web.send(forwarded(internal(), "guessed")).await,
    ];
    for answer in refused {
        assert_eq!(answer.status, 403);
        assert!(
            answer.json()["message"]["token"][0].is_string(),
            "{answer:?}"
        );
    }
    web.send(public())
        .await
        .assert_public_error(403, "AuthError");
    let wrong = web.send(forwarded(public(), "guessed")).await;
    wrong.assert_public_error(403, "AuthError");
    assert_eq!(
        web.get("/_api_status").await.status,
        200,
        "health needs none"
    );
    assert_eq!(web.log.with("route-secret").len(), 0);
    assert_eq!(web.log.with("another").len(), 0);
}

#[tokio::test]
async fn a_key_that_a_change_of_mode_revoked_may_still_stop_what_is_on_the_air() {
    let web = TestWeb::start().await;
    let now = web.clock.now();
    let secret = "00000000-0000-4000-8000-000000000001";
    let revoked = ApiKey {
        id: ApiKeyId::new(web.app.entropy.uuid_v7(now)),
        service_id: web.live.id,
        name: "revoked".to_owned(),
        kind: KeyKind::Normal,
        secret: web.app.secret_key.seal(secret, &*web.app.entropy),
        created_at: now,
        revoked_at: Some(now),
        is_revoked_by_mode: true,
        created_by: None,
        updated_at: None,
        version: 1,
    };
    let mut tx = web.app.store.begin("revoke", now).await.unwrap();
    tx.insert_api_key(&revoked).await.unwrap();
    tx.commit().await.unwrap();
    let key = Key {
        id: revoked.id,
        service: web.live.id,
        secret: secret.to_owned(),
    };
    let dead = web.post_cap(&key, &cancel(&triple("on-air"))).await;
    assert_eq!(dead.message(), "Invalid token: API key revoked");

    let id = web
        .post_cap(&web.live.normal, &alert("on-air"))
        .await
        .alert();
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    let alert_refused = web.post_cap(&key, &alert("another")).await;
    alert_refused.assert_public_error(403, "AuthError");
    assert_eq!(alert_refused.message(), "Invalid token: API key revoked");
    let cancelled = web.post_cap(&key, &cancel(&triple("on-air"))).await;
    assert_eq!(cancelled.json()["status"], "cancelled");
}

#[tokio::test]
async fn sec_28_no_token_and_no_secret_reaches_the_log() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("logged"))
        .await
        .alert();
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    web.clock.advance(Duration::from_secs(1));
    web.get(&alerts_path(web.live.id)).await;
    for secret in [
        &web.admin_token(),
        &web.live.normal.secret,
        ADMIN_SECRET,
        "over its banks",
        "eyJ",
    ] {
        assert_eq!(web.log.with(secret), [""; 0], "{secret}");
    }
    assert_eq!(web.log.with("http.request").len(), 3);
}
