//! `/v3`: a person acts, for whom a client vouches, and refusals are problems.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::outcome::Outcome;
use balefire_domain::time::Clock as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::documents::alert;
use crate::support::*;

/// A request with the token that opens it, and what a test spoils of that.
pub struct Call {
    method: &'static str,
    target: String,
    body: String,
    pub claims: Value,
    typ: Option<String>,
    pub secret: String,
}

/// Claims in which one is there twice, first as `first`.
struct Twice<'c> {
    claims: &'c Value,
    name: &'static str,
    first: &'c Value,
}

impl Serialize for Twice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.name, self.first)?;
        for (name, value) in self.claims.as_object().unwrap() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn digest(body: &str) -> String {
    let digest = Sha256::digest(body);
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

impl Call {
    pub fn new(
        web: &TestWeb,
        by: UserId,
        method: &'static str,
        target: &str,
        body: &Value,
    ) -> Self {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let digest = digest(&body);
        let now = web.clock.now().seconds();
        Self {
            method,
            target: target.to_owned(),
            body,
            claims: json!({
                "iss": "notify-admin", "sub": by, "aud": "balefire", "iat": now, "exp": now + 60,
                "jti": web.app.entropy.uuid_v4(), "htm": method, "htu": target, "sha256": digest,
            }),
            typ: Some("balefire-assertion+jwt".to_owned()),
            secret: ADMIN_SECRET.to_owned(),
        }
    }

    /// Says something else, for which the token is made too.
    pub fn set_body(&mut self, body: &str) {
        body.clone_into(&mut self.body);
        self.claims["sha256"] = json!(digest(body));
    }

    /// The token, with a claim that is there twice.
    pub fn token_with_twice(&self, name: &'static str, first: &Value) -> String {
        self.sign(&Twice {
            claims: &self.claims,
            name,
            first,
        })
    }

    pub fn token(&self) -> String {
        self.sign(&self.claims)
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        let header = Header {
            typ: self.typ.clone(),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(self.secret.as_bytes());
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    }

    pub fn request(&self) -> Request<Body> {
        Request::builder()
            .method(self.method)
            .uri(&self.target)
            .header("authorization", format!("Bearer {}", self.token()))
            .body(Body::from(self.body.clone()))
            .unwrap()
    }
}

impl TestWeb {
    pub async fn ask(
        &self,
        by: UserId,
        method: &'static str,
        target: &str,
        body: &Value,
    ) -> Answer {
        let call = Call::new(self, by, method, target, body);
        self.send(call.request()).await
    }

    pub async fn see(&self, by: UserId, id: AlertId) -> Value {
        let answer = self.ask(by, "GET", &self.v3(id, ""), &Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub fn v3(&self, id: AlertId, verb: &str) -> String {
        format!("/v3/services/{}/alerts/{id}{verb}", self.live.id)
    }

    pub async fn pending(&self, name: &str) -> AlertId {
        self.post_cap(&self.live.normal, &alert(name)).await.alert()
    }
}

pub fn seen(shown: &Value) -> Value {
    json!({ "version": shown["version"], "hash": shown["hash"] })
}

pub fn assert_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let told = answer.json();
    assert_eq!(told["status"], status);
    let detail = told["detail"].as_str().unwrap();
    assert!(!detail.starts_with(['"', '{']), "words, not JSON: {detail}");
    assert!(
        told["title"].is_string() && !told["detail"].as_str().unwrap().is_empty(),
        "{told}"
    );
}

#[tokio::test]
async fn what_was_read_is_approved_sent_seen_and_stopped() {
    let web = TestWeb::start().await;
    let (author, approver) = (web.live.author, web.live.approver);
    let id = web.pending("flood").await;
    let read = web.see(approver, id).await;
    let approved = web
        .ask(approver, "POST", &web.v3(id, "/approve"), &seen(&read))
        .await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    assert_eq!(approved.json()["status"], "broadcasting");
    web.send_all(id, Outcome::Accepted, "").await;
    let course = web
        .ask(author, "GET", &web.v3(id, "/deliveries"), &Value::Null)
        .await
        .json();
    let deliveries = course["deliveries"].as_array().unwrap();
    assert_eq!(deliveries.len(), 4);
    for delivery in deliveries {
        assert_eq!(delivery["state"], "acknowledged");
        assert_eq!(delivery["attempts"][0]["outcome"], "accepted");
    }
    let items = web
        .ask(author, "GET", &web.v3(id, "/duty-items"), &Value::Null)
        .await;
    assert_eq!(items.json(), json!({ "duty_items": [] }));
    let networks = web
        .ask(author, "GET", "/v3/providers", &Value::Null)
        .await
        .json();
    assert_eq!(networks["providers"].as_array().unwrap().len(), 4);
    // One person is enough to stop it, and says nothing more.
    let stopped = web
        .ask(author, "POST", &web.v3(id, "/cancel"), &Value::Null)
        .await;
    assert_eq!(stopped.json()["status"], "cancelled", "{}", stopped.text);
}

#[tokio::test]
async fn sec_02_an_approval_of_something_else_than_is_there_now_is_a_conflict() {
    let web = TestWeb::start().await;
    let approver = web.live.approver;
    let id = web.pending("flood").await;
    let read = web.see(approver, id).await;
    let edit = json!({ "content": "Stay at home", "created_by": web.live.author });
    assert_eq!(
        web.post(&alert_path(web.live.id, id), &edit).await.status,
        200
    );
    let path = web.v3(id, "/approve");
    assert_problem(&web.ask(approver, "POST", &path, &seen(&read)).await, 409);
    let now = web.see(approver, id).await;
    assert_ne!(read["hash"], now["hash"]);
    for wrong in [
        json!({ "version": now["version"], "hash": read["hash"] }),
        json!({ "version": read["version"], "hash": now["hash"] }),
    ] {
        assert_problem(&web.ask(approver, "POST", &path, &wrong).await, 409);
    }
    for missing in [
        json!({ "version": now["version"] }),
        json!({ "hash": now["hash"] }),
        json!({}),
    ] {
        assert_problem(&web.ask(approver, "POST", &path, &missing).await, 400);
    }
    // Who wrote it may not say yes, whatever they name.
    let own = web.ask(web.live.author, "POST", &path, &seen(&now)).await;
    assert_problem(&own, 403);
    assert_eq!(
        web.ask(approver, "POST", &path, &seen(&now)).await.status,
        200
    );
    assert_problem(&web.ask(approver, "POST", &path, &seen(&now)).await, 409);
}

#[tokio::test]
async fn sec_09_a_token_opens_its_own_request_and_nothing_else() {
    type Spoil = fn(&mut Call);
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let target = web.v3(id, "/reject");
    let body = json!({ "reason": "not now" });
    let call = || Call::new(&web, web.live.approver, "POST", &target, &body);
    let spoilt: [(&str, Spoil); 18] = [
        ("another body", |c| {
            c.body = json!({ "reason": "never" }).to_string();
        }),
        ("another path", |c| {
            c.target = c.target.replace("reject", "cancel");
        }),
        ("a query", |c| c.target.push_str("?x=y")),
        ("another method in the token", |c| {
            c.claims["htm"] = json!("GET");
        }),
        ("another audience", |c| c.claims["aud"] = json!("another")),
        ("no audience", |c| c.claims["aud"] = json!(null)),
        ("a long life", |c| {
            c.claims["exp"] = json!(c.claims["iat"].as_i64().unwrap() + 61);
        }),
        ("from yesterday", |c| {
            c.claims["iat"] = json!(c.claims["iat"].as_i64().unwrap() - 86_400);
            c.claims["exp"] = json!(c.claims["exp"].as_i64().unwrap() - 86_400);
        }),
        ("from tomorrow", |c| {
            c.claims["iat"] = json!(c.claims["iat"].as_i64().unwrap() + 86_400);
            c.claims["exp"] = json!(c.claims["exp"].as_i64().unwrap() + 86_400);
        }),
        ("no end", |c| c.claims["exp"] = json!(null)),
        ("a short name", |c| c.claims["jti"] = json!("1")),
        ("another client's name", |c| {
            c.claims["iss"] = json!("govuk-alerts");
        }),
        ("nobody's name", |c| c.claims["iss"] = json!("somebody")),
        ("another secret", |c| c.secret = "a guess".to_owned()),
        ("no type", |c| c.typ = None),
        ("the type of the earlier routes", |c| {
            c.typ = Some("JWT".to_owned());
        }),
        ("nobody", |c| {
            c.claims["sub"] = json!("00000000-0000-0000-0000-000000000009");
        }),
        ("a session that is none", |c| {
            c.claims["sid"] = json!("gone");
        }),
    ];
    for (name, spoil) in spoilt {
        let mut call = call();
        spoil(&mut call);
        let answer = web.send(call.request()).await;
        assert_problem(&answer, 401);
        assert!(!answer.text.contains(&call.token()), "{name}");
    }
    assert_eq!(
        web.see(web.live.approver, id).await["status"],
        "pending-approval"
    );
    assert_eq!(web.send(call().request()).await.status, 200);
}

#[tokio::test]
async fn sec_16_no_other_algorithm_and_no_token_of_the_earlier_routes_opens_v3() {
    let web = TestWeb::start().await;
    let call = Call::new(&web, web.live.author, "GET", "/v3/providers", &Value::Null);
    let signed = call.token();
    let (_, rest) = signed.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    for header in [
        r#"{"alg":"none","typ":"balefire-assertion+jwt"}"#,
        r#"{"alg":"HS512","typ":"balefire-assertion+jwt"}"#,
        r#"{"alg":"RS256","typ":"balefire-assertion+jwt"}"#,
        r#"{"typ":"balefire-assertion+jwt"}"#,
    ] {
        let header = URL_SAFE_NO_PAD.encode(header);
        for signature in ["", signature] {
            let mut request = call.request();
            let token = format!("Bearer {header}.{claims}.{signature}");
            request
                .headers_mut()
                .insert("authorization", token.try_into().unwrap());
            assert_problem(&web.send(request).await, 401);
        }
    }
    assert_problem(&web.get("/v3/providers").await, 401);
    // Nor the other way round: a token for one request of one person opens no earlier route.
    let mut earlier = web.request("GET", &alerts_path(web.live.id), "");
    let token = format!("Bearer {signed}");
    earlier
        .headers_mut()
        .insert("authorization", token.try_into().unwrap());
    assert_eq!(web.send(earlier).await.status, 403);
}

#[tokio::test]
async fn sec_18_a_token_that_changed_something_is_used_up() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let body = json!({ "reason": "not now" });
    let call = Call::new(
        &web,
        web.live.approver,
        "POST",
        &web.v3(id, "/reject"),
        &body,
    );
    assert_eq!(web.send(call.request()).await.status, 200);
    let again = web.send(call.request()).await;
    assert_problem(&again, 401);
    assert!(again.text.contains("used before"), "{}", again.text);
    // Past its end and the skew it is forgotten, and does not count any more either.
    web.clock.advance(Duration::from_secs(120));
    assert_problem(&web.send(call.request()).await, 401);
    // What only reads may be asked again.
    let read = Call::new(
        &web,
        web.live.approver,
        "GET",
        &web.v3(id, ""),
        &Value::Null,
    );
    for _ in 0..2 {
        assert_eq!(web.send(read.request()).await.status, 200);
    }
}

#[tokio::test]
async fn sec_47_what_is_another_service_s_does_not_exist() {
    let web = TestWeb::start().await;
    let own = web.pending("flood").await;
    let foreign = web
        .post_cap(&web.other.normal, &alert("theirs"))
        .await
        .alert();
    let (live, other) = (web.live.id, web.other.id);
    let member = web.live.author;
    for (by, service, id) in [
        (member, other, foreign),
        (member, live, foreign),
        (member, other, own),
        (web.outsider, live, own),
    ] {
        let base = format!("/v3/services/{service}/alerts/{id}");
        for verb in ["", "/deliveries", "/duty-items"] {
            let answer = web
                .ask(by, "GET", &format!("{base}{verb}"), &Value::Null)
                .await;
            assert_problem(&answer, 404);
        }
        let seen = json!({ "version": 1, "hash": "0".repeat(64) });
        for (verb, body) in [
            ("submit", json!({})),
            ("approve", seen),
            ("reject", json!({ "reason": "x" })),
            ("cancel", json!({})),
        ] {
            let answer = web.ask(by, "POST", &format!("{base}/{verb}"), &body).await;
            assert_problem(&answer, 404);
        }
    }
    let list = format!("/v3/services/{other}/alerts");
    assert_problem(&web.ask(member, "GET", &list, &Value::Null).await, 404);
    let item = format!("/v3/duty-items/{live}/close");
    assert_problem(&web.ask(member, "POST", &item, &json!({})).await, 404);
    // A platform administrator views and stops, and nothing else.
    let admin = web.platform_admin;
    let read = web.see(admin, own).await;
    let approve = web
        .ask(admin, "POST", &web.v3(own, "/approve"), &seen(&read))
        .await;
    assert!(
        approve.status == 403 || approve.status == 404,
        "{}",
        approve.text
    );
    assert_eq!(web.see(member, own).await["status"], "pending-approval");
}

#[tokio::test]
async fn a_list_has_pages_that_miss_nothing() {
    let web = TestWeb::start().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(json!(web.pending(&format!("flood-{number}")).await));
        web.clock.advance(Duration::from_millis(1));
    }
    made.reverse();
    let mut found: Vec<Value> = Vec::new();
    let mut next = Some(format!("/v3/services/{}/alerts?limit=3", web.live.id));
    while let Some(target) = next {
        let page = web
            .ask(web.live.author, "GET", &target, &Value::Null)
            .await
            .json();
        let alerts = page["alerts"].as_array().unwrap();
        assert!(alerts.len() <= 3);
        found.extend(alerts.iter().map(|alert| alert["id"].clone()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(found, made);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=x",
        "before=1",
        "limit",
    ] {
        let target = format!("/v3/services/{}/alerts?{query}", web.live.id);
        assert_problem(
            &web.ask(web.live.author, "GET", &target, &Value::Null).await,
            400,
        );
    }
}

#[tokio::test]
async fn a_name_of_a_request_is_its_person_s_own() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let target = web.v3(id, "/cancel");
    let keyed = |by: UserId| {
        let mut request = Call::new(&web, by, "POST", &target, &Value::Null).request();
        request
            .headers_mut()
            .insert("idempotency-key", "stop".try_into().unwrap());
        request
    };
    let reject = json!({ "reason": "x" });
    let rejected = web
        .ask(web.live.approver, "POST", &web.v3(id, "/reject"), &reject)
        .await;
    assert_eq!(rejected.status, 200);
    let live = web.pending("live").await;
    let target_live = web.v3(live, "/cancel");
    assert_problem(&web.send(keyed(web.live.author)).await, 409);
    let read = web.see(web.live.approver, live).await;
    let path = web.v3(live, "/approve");
    web.ask(web.live.approver, "POST", &path, &seen(&read))
        .await;
    let stop = |by: UserId| {
        let mut request = Call::new(&web, by, "POST", &target_live, &Value::Null).request();
        request
            .headers_mut()
            .insert("idempotency-key", "stop".try_into().unwrap());
        request
    };
    for _ in 0..2 {
        assert_eq!(web.send(stop(web.live.author)).await.status, 200);
    }
    // Another person's request of the same name is another request, and is refused.
    assert_problem(&web.send(stop(web.live.approver)).await, 409);
    assert_problem(&web.send(stop(web.outsider)).await, 404);
}

#[tokio::test]
async fn who_acts_on_v3_is_asserted_by_nobody_and_members_read_what_was_done() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let path = web.v3(id, "/reject");
    let body = json!({ "reason": "not now" });
    web.clock.advance(Duration::from_millis(1));
    assert_eq!(
        web.ask(web.live.approver, "POST", &path, &body)
            .await
            .status,
        200
    );
    let trail = format!("/v3/services/{}/audit", web.live.id);
    let entries = web
        .ask(web.live.author, "GET", &trail, &Value::Null)
        .await
        .json();
    let latest = &entries["entries"][0];
    assert_eq!(latest["action"], "alert.reject", "{entries}");
    assert_eq!(latest["object"], format!("alert {id}"));
    assert_eq!(latest["actor"], format!("user {}", web.live.approver));
    assert_eq!(latest["asserted_by"], Value::Null);
    assert!(latest["request_id"].is_string(), "{latest}");
    assert_problem(
        &web.ask(web.outsider, "GET", &trail, &Value::Null).await,
        404,
    );
}

#[tokio::test]
async fn the_document_is_served() {
    let web = TestWeb::start().await;
    let request = Request::builder()
        .uri("/v3/openapi.json")
        .body(Body::empty())
        .unwrap();
    let answer = web.send(request).await;
    assert_eq!(answer.json(), balefire_web::openapi());
}

#[tokio::test]
async fn an_alert_on_the_air_shows_where_it_went_and_not_where_a_new_one_would_go() {
    let web = TestWeb::start().await;
    let id = web.pending("frozen").await;
    let waits = web.see(web.live.author, id).await;
    let approved = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    let live = web.see(web.live.author, id).await;
    for key in ["channel", "networks", "hash"] {
        assert_eq!(live[key], waits[key], "{key}");
    }
    web.execute("UPDATE services SET channel = 'government', providers = '[\"ee\"]'")
        .await;
    let later = web.see(web.live.author, id).await;
    for key in ["channel", "networks", "hash"] {
        assert_eq!(later[key], live[key], "{key}");
    }
    let next = web.pending("next").await;
    let next = web.see(web.live.author, next).await;
    assert_eq!(next["channel"], "government");
    assert_eq!(next["networks"], json!(["ee"]));
}
