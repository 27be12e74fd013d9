//! The author's web application from sign-in to sign-out, as `http.md` 1.4 lists its twenty calls,
//! against the real binary and the real networks. What it indexes must be there.

use std::collections::BTreeSet;

use balefire_app::authenticate::make_token;
use serde_json::{Value, json};

use crate::support::api::{Answer, call};
use crate::support::oracle::judge;
use crate::support::sandbox::{CLIENT_SECRET, Engine, Sandbox};
use crate::support::server::Server;
use crate::support::{documents, now, on_both_engines};

on_both_engines!(an_author_and_an_approver_take_an_alert_through);

const PASSWORD: &str = "a-long-Password-1234";
const FIXTURE: &str = include_str!("../../../web/tests/web/recorded.txt");
/// The keys of a person, beside `name`, which is only ours (`http.md` 1.3).
const PERSON: [&str; 18] = [
    "id",
    "name",
    "email_address",
    "auth_type",
    "current_session_id",
    "failed_login_count",
    "email_access_validated_at",
    "logged_in_at",
    "mobile_number",
    "organisations",
    "password_changed_at",
    "permissions",
    "platform_admin",
    "platform_admin_capable",
    "platform_admin_redemption",
    "services",
    "can_use_webauthn",
    "state",
];

/// The application, which trusts itself to say who acts.
struct Client<'s> {
    server: &'s Server,
}

impl Client<'_> {
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let token = make_token("notify-admin", CLIENT_SECRET, now());
        let token = format!("Bearer {token}");
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let url = format!("{}{path}", self.server.url);
        call(method, &url, &headers, body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, &Value::Null).await.must_be(200)
    }

    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        self.ask("POST", path, &body).await.must_be(status)
    }

    /// Done, and nothing more is said.
    async fn do_quietly(&self, path: &str, body: Value) {
        let answer = self.ask("POST", path, &body).await;
        assert_eq!(
            (answer.status, answer.text()),
            (204, String::new()),
            "{path}"
        );
    }

    async fn add_person(&self, name: &str) -> String {
        let body = json!({
            "name": name, "email_address": format!("{name}@agency.example"),
            "password": PASSWORD, "mobile_number": "+447700900111", "auth_type": "sms_auth",
        });
        let made = self.post("/user", body, 201).await;
        let user = id_of(&made["data"]);
        // As once the link in the mail was opened: until then they are nobody to a service.
        let path = format!("/user/{user}/activate");
        self.post(&path, json!({}), 200).await;
        user
    }

    /// A live service with an author and an approver, as its set-up pages make it.
    async fn set_up(&self, author: &str, approver: &str) -> String {
        let body = json!({
            "name": "Floods", "user_id": author, "created_by": author,
            "restricted": true, "active": true,
        });
        let service = id_of(&self.post("/service", body, 201).await["data"]);
        let permissions = |words: &[&str]| -> Value {
            let list = words.iter().map(|word| json!({ "permission": word }));
            json!({ "permissions": list.collect::<Vec<_>>(), "folder_permissions": [] })
        };
        let path = format!("/service/{service}/users/{approver}");
        self.post(&path, permissions(&["view_activity"]), 201).await;
        let settings = json!({
            "service_mode": "live", "broadcast_channel": "severe", "provider_restriction": ["all"],
        });
        let path = format!("/service/{service}/set-as-broadcast-service");
        let live = self.post(&path, settings, 200).await;
        assert_eq!(live["data"]["broadcast_channel"], "severe");
        // Going live took what they might do: it is given anew.
        for (person, words) in [
            (author, ["create_broadcasts", "view_activity"]),
            (approver, ["approve_broadcasts", "view_activity"]),
        ] {
            let path = format!("/user/{person}/service/{service}/permission");
            self.do_quietly(&path, permissions(&words)).await;
        }
        service
    }

    /// Calls 4 to 8, and what every page asks for: 1 to 3. The person as they then are.
    async fn sign_in(&self, name: &str, service: &str) -> Value {
        let email = json!({ "email": format!("{name}@agency.example") });
        let found = self.post("/user/email", email, 200).await;
        let user = id_of(&found["data"]);
        let path = format!("/user/{user}/verify/password");
        self.do_quietly(&path, json!({ "password": PASSWORD }))
            .await;
        let path = format!("/user/{user}/sms-code");
        self.do_quietly(&path, json!({ "to": null })).await;
        let code = self
            .server
            .open("GET", &format!("/verify-code/{user}"))
            .await;
        let code = code.text();
        assert!(
            code.len() == 7 && code.bytes().all(|b| b.is_ascii_digit()),
            "{code}"
        );
        let path = format!("/user/{user}/verify/code");
        let body = json!({ "code": code, "code_type": "sms" });
        self.do_quietly(&path, body).await;
        let event = json!({ "event_type": "sucessful_login", "data": { "user_id": user } });
        self.post("/events", event, 201).await;
        self.open_page(&user, service).await
    }

    /// What every page begins with.
    async fn open_page(&self, user: &str, service: &str) -> Value {
        self.get("/feature-toggle?feature_toggle_name=service_is_not_live")
            .await;
        let service = self.get(&format!("/service/{service}")).await;
        assert_eq!(service["data"]["restricted"], false);
        let person = self.get(&format!("/user/{user}")).await["data"].take();
        let keys: BTreeSet<&str> = person
            .as_object()
            .expect("a person")
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, BTreeSet::from(PERSON));
        assert!(person["current_session_id"].is_string(), "{person}");
        person
    }

    async fn sign_out(&self, user: &str) {
        let path = format!("/user/{user}/update");
        let out = self
            .post(&path, json!({ "current_session_id": null }), 200)
            .await;
        assert_eq!(out["data"]["current_session_id"], Value::Null);
    }
}

fn id_of(value: &Value) -> String {
    let id = value["id"].as_str();
    id.unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}

/// The keys that were recorded of an alert.
fn recorded_alert() -> BTreeSet<&'static str> {
    let block = FIXTURE.split("# ").find(|block| block.starts_with("2.8 "));
    let lines = block.expect("2.8 was recorded").lines().skip(1);
    lines
        .filter_map(|line| line.strip_prefix('/')?.split_once(' '))
        .map(|(path, _)| path)
        .filter(|path| !path.contains('/'))
        .collect()
}

#[track_caller]
fn must_be_an_alert(alert: &Value, more: &[&str]) {
    let object = alert.as_object().expect("an alert");
    let mut want: BTreeSet<&str> = recorded_alert();
    want.extend(more);
    let keys: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(keys, want);
}

async fn an_author_and_an_approver_take_an_alert_through(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let client = Client { server: &server };
    let author = client.add_person("alice").await;
    let approver = client.add_person("bob").await;
    let service = client.set_up(&author, &approver).await;
    let alerts = format!("/service/{service}/broadcast-message");

    let signed_in = client.sign_in("alice", &service).await;
    let id = write_and_submit(&client, &alerts, &service, &author).await;
    client.sign_out(&author).await;

    client.sign_in("bob", &service).await;
    let path = format!("{alerts}/{id}");
    approve(&client, &path, &approver).await;
    sandbox.acknowledged(&id, 4).await;
    let course = client.get(&format!("{path}/provider-statuses")).await;
    for network in ["ee", "o2", "three", "vodafone"] {
        let entries = course[network]["alert"].as_array().expect("a course");
        let last = entries.last().expect("an entry");
        assert_eq!(last["status"], "returned-ack", "{course}");
    }
    let stop = json!({ "status": "cancelled", "created_by": approver });
    let checks = client
        .post(&format!("{path}/check-status"), stop.clone(), 200)
        .await;
    assert_eq!(checks, json!({}));
    let stopped = client.post(&format!("{path}/status"), stop, 200).await;
    assert_eq!(stopped["status"], "cancelled");
    assert!(stopped["cancelled_at"].is_string());
    sandbox.acknowledged(&id, 8).await;
    client.sign_out(&approver).await;

    // Signing in anew made a new session, and signing out ended it.
    let again = client.sign_in("alice", &service).await;
    assert_ne!(again["current_session_id"], signed_in["current_session_id"]);
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 8);
    server.end().await;
}

/// Calls 9 to 12, and what an alert's page shows beside it.
async fn write_and_submit(
    client: &Client<'_>,
    alerts: &str,
    service: &str,
    author: &str,
) -> String {
    let board = client.get(&format!("{alerts}/messages")).await;
    assert_eq!(board, json!({ "broadcast_messages": [] }));
    let wkt = "POLYGON((0.24 53.1, 0.26 53.1, 0.26 53.11, 0.24 53.1))";
    let phones = client
        .post("/populations", json!({ "areas": wkt }), 200)
        .await;
    assert!(phones.is_number(), "{phones}");
    let draft = json!({
        "service_id": service, "created_by": author, "reference": "flood",
        "content": documents::TEXT,
    });
    let made = client.post(alerts, draft, 201).await;
    must_be_an_alert(&made, &[]);
    let id = id_of(&made);
    let path = format!("{alerts}/{id}");
    let ring = json!([[53.1, 0.24], [53.11, 0.24], [53.11, 0.26], [53.1, 0.24]]);
    let areas = json!({
        "ids": ["riverside"], "names": ["Riverside"], "aggregate_names": ["Riverside"],
        "simple_polygons": [ring],
    });
    let change = json!({ "areas": areas, "duration": "PT4H", "created_by": author });
    let changed = client.post(&path, change, 200).await;
    must_be_an_alert(&changed, &[]);
    let submit = json!({ "status": "pending-approval", "created_by": author });
    let checks = client
        .post(&format!("{path}/check-status"), submit.clone(), 200)
        .await;
    assert_eq!(checks, json!({}));
    let submitted = client
        .post(&format!("{path}/status"), submit.clone(), 200)
        .await;
    assert_eq!(submitted["status"], "pending-approval");
    let again = client
        .post(&format!("{path}/check-status"), submit, 400)
        .await;
    assert_eq!(again["result"], "error");
    let history = format!("/service/{service}/broadcast-message-history/{id}/versions");
    assert!(
        !client
            .get(&history)
            .await
            .as_array()
            .expect("a list")
            .is_empty()
    );
    let reasons = format!("/service/{service}/broadcast-message-edit-reasons/{id}");
    assert_eq!(
        client.get(&format!("{reasons}/edit-reasons")).await,
        json!([])
    );
    assert_eq!(
        client.get(&format!("{reasons}/latest-edit-reason")).await,
        json!({})
    );
    // Who wrote it may not put it on the air.
    let own = json!({ "status": "broadcasting", "created_by": author });
    client.post(&format!("{path}/status"), own, 400).await;
    id
}

/// The order at approval: check-status, the times, status.
async fn approve(client: &Client<'_>, path: &str, approver: &str) {
    let (alerts, id) = path.rsplit_once('/').expect("a path");
    let page = client.get(&format!("{alerts}/message={id}")).await;
    let names = [
        "created_by",
        "submitted_by",
        "updated_by",
        "approved_by",
        "rejected_by",
        "cancelled_by",
        "edit_reason",
    ];
    must_be_an_alert(&page, &names);
    assert_eq!(page["submitted_by"], "alice");
    let yes = json!({ "status": "broadcasting", "created_by": approver });
    client
        .post(&format!("{path}/check-status"), yes.clone(), 200)
        .await;
    let start = now();
    let end = start + std::time::Duration::from_secs(4 * 3600);
    let times = json!({ "starts_at": start.to_json_style(), "finishes_at": end.to_json_style() });
    client.post(path, times, 200).await;
    let approved = client.post(&format!("{path}/status"), yes, 200).await;
    must_be_an_alert(&approved, &[]);
    assert_eq!(approved["status"], "broadcasting");
}
