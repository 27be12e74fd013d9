//! The author's web application from sign-in to sign-out, as `http.md` 1.4 lists its twenty calls,
//! against the real binary and the real networks.
//!
//! Every answer is compared by keys and types: with the recorded exchange where there is one, whose
//! differences (an author wrote this alert, a document that one) are named one by one, and else
//! with the shapes of `http.md` 1.2 and 1.3.

use balefire_app::authenticate::make_token;
use serde_json::{Value, json};

use crate::support::api::{Answer, call};
use crate::support::oracle::judge;
use crate::support::recording::Shape;
use crate::support::sandbox::{CLIENT_SECRET, Engine, Sandbox};
use crate::support::server::Server;
use crate::support::{documents, now, on_both_engines};

on_both_engines!(an_author_and_an_approver_take_an_alert_through);

const PASSWORD: &str = "a-long-Password-1234";
/// What a refusal says on these routes (2.4 and others).
const REFUSAL: &str = " object\n/message string\n/result string";
/// The names of those who did something to an alert (`http.md` 1.2).
const NAMES: &str = "/created_by string\n/submitted_by null\n/approved_by null\n\
                     /rejected_by null\n/cancelled_by null";
const AREAS: &str = "/areas object\n/areas/ids list\n/areas/ids/* string\n\
                     /areas/names list\n/areas/names/* string\n\
                     /areas/aggregate_names list\n/areas/aggregate_names/* string\n\
                     /areas/simple_polygons list\n/areas/simple_polygons/* list\n\
                     /areas/simple_polygons/*/* list\n/areas/simple_polygons/*/*/* number";

/// A person who was added; `name` is beside what was recorded (`http.md` 1.3).
fn new_person() -> Shape {
    Shape::recorded("1.1").and("/data/name string")
}

/// A member of the service who opened the link of the mail, and never signed in.
fn person() -> Shape {
    new_person()
        .without("/data/user_name")
        .and("/data/services/* string\n/data/permissions/* list\n/data/permissions/*/* string")
}

/// The versions of an alert, of which the first had no areas and the newest had.
fn versions() -> Shape {
    let version = " object\n/id string\n/broadcast_message_id string\n/reference string\n\
                   /service_id string\n/content string\n/created_at string\n\
                   /created_by_id string\n/created_by string\n/extra_content null\n\
                   /duration null\n/duration number";
    Shape::new(version).and(AREAS).within("", "/*")
}

/// Somebody who signed in before, and out.
fn signed_out() -> Shape {
    person().but(&["/data/logged_in_at string"])
}

fn signed_in() -> Shape {
    person().but(&[
        "/data/current_session_id string",
        "/data/logged_in_at string",
    ])
}

/// An alert that an author began: no document, no areas yet.
fn draft() -> Shape {
    let begun = Shape::recorded("2.1").without("/areas/");
    begun.but(&["/cap_event null", "/created_by_id string"])
}

/// The same with areas, which somebody changed.
fn written() -> Shape {
    let changes = [
        "/updated_at string",
        "/updated_by_id string",
        "/duration number",
    ];
    draft().but(&changes).and(AREAS)
}

fn submitted() -> Shape {
    written().but(&["/submitted_at string", "/submitted_by_id string"])
}

fn approved() -> Shape {
    let live = ["/approved_at string", "/approved_by_id string"];
    let times = ["/starts_at string", "/finishes_at string"];
    submitted().but(&live).but(&times)
}

fn cancelled() -> Shape {
    approved().but(&["/cancelled_at string", "/cancelled_by_id string"])
}

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

    async fn get(&self, path: &str, shape: Shape) -> Value {
        let answer = self.ask("GET", path, &Value::Null).await;
        compare(path, &answer, 200, &shape)
    }

    async fn post(&self, path: &str, body: Value, status: u16, shape: Shape) -> Value {
        let answer = self.ask("POST", path, &body).await;
        compare(path, &answer, status, &shape)
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
        let made = self.post("/user", body, 201, new_person()).await;
        let user = id_of(&made["data"]);
        // As once the link in the mail was opened: until then they are nobody to a service.
        let path = format!("/user/{user}/activate");
        let active = new_person().without("/data/user_name");
        self.post(&path, json!({}), 200, active).await;
        user
    }

    /// A live service with an author and an approver, as its set-up pages make it.
    async fn set_up(&self, author: &str, approver: &str) -> String {
        let body = json!({
            "name": "Floods", "user_id": author, "created_by": author,
            "restricted": true, "active": true,
        });
        let service = id_of(
            &self
                .post("/service", body, 201, Shape::recorded("1.4"))
                .await["data"],
        );
        let permissions = |words: &[&str]| -> Value {
            let list = words.iter().map(|word| json!({ "permission": word }));
            json!({ "permissions": list.collect::<Vec<_>>(), "folder_permissions": [] })
        };
        let path = format!("/service/{service}/users/{approver}");
        let member = permissions(&["view_activity"]);
        self.post(&path, member, 201, Shape::recorded("1.5")).await;
        let settings = json!({
            "service_mode": "live", "broadcast_channel": "severe", "provider_restriction": ["all"],
        });
        let path = format!("/service/{service}/set-as-broadcast-service");
        let live = self
            .post(&path, settings, 200, Shape::recorded("1.8"))
            .await;
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
    async fn sign_in(&self, name: &str, service: &str, before: Shape) -> Value {
        let email = json!({ "email": format!("{name}@agency.example") });
        let found = self.post("/user/email", email, 200, before).await;
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
        let kept = Shape::new(
            " object\n/data object\n/data/id string\n/data/event_type string\n\
             /data/created_at string\n/data/data object\n/data/data/user_id string",
        );
        self.post("/events", event, 201, kept).await;
        self.open_page(&user, service).await
    }

    /// What every page begins with.
    async fn open_page(&self, user: &str, service: &str) -> Value {
        let toggle = "/feature-toggle?feature_toggle_name=service_is_not_live";
        self.get(toggle, Shape::new(" object")).await;
        let path = format!("/service/{service}");
        let service = self.get(&path, Shape::recorded("1.11")).await;
        assert_eq!(service["data"]["restricted"], false);
        let path = format!("/user/{user}");
        self.get(&path, signed_in()).await["data"].take()
    }

    async fn sign_out(&self, user: &str) {
        let path = format!("/user/{user}/update");
        let out = self
            .post(
                &path,
                json!({ "current_session_id": null }),
                200,
                signed_out(),
            )
            .await;
        assert_eq!(out["data"]["id"], user);
    }
}

fn id_of(value: &Value) -> String {
    let id = value["id"].as_str();
    id.unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}

/// An answer's status, keys and types; where keys are ids or names of networks, see `Shape`.
#[track_caller]
fn compare(path: &str, answer: &Answer, status: u16, shape: &Shape) -> Value {
    let told = answer.must_be(status);
    shape.must_be_of(path, &told);
    assert_eq!(answer.headers["content-type"], "application/json", "{path}");
    told
}

async fn an_author_and_an_approver_take_an_alert_through(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let client = Client { server: &server };
    let author = client.add_person("alice").await;
    let approver = client.add_person("bob").await;
    let service = client.set_up(&author, &approver).await;
    let alerts = format!("/service/{service}/broadcast-message");

    let signed_in = client.sign_in("alice", &service, person()).await;
    let id = write_and_submit(&client, &alerts, &service, &author).await;
    client.sign_out(&author).await;

    client.sign_in("bob", &service, person()).await;
    let path = format!("{alerts}/{id}");
    approve(&client, &path, &approver).await;
    sandbox.acknowledged(&id, 4).await;
    let course = client
        .get(&format!("{path}/provider-statuses"), Shape::recorded("2.9"))
        .await;
    for network in ["ee", "o2", "three", "vodafone"] {
        let entries = course[network]["alert"].as_array().expect("a course");
        let last = entries.last().expect("an entry");
        assert_eq!(last["status"], "returned-ack", "{course}");
    }
    let stop = json!({ "status": "cancelled", "created_by": approver });
    client
        .post(
            &format!("{path}/check-status"),
            stop.clone(),
            200,
            Shape::new(" object"),
        )
        .await;
    let stopped = client
        .post(&format!("{path}/status"), stop, 200, cancelled())
        .await;
    assert_eq!(stopped["status"], "cancelled");
    sandbox.acknowledged(&id, 8).await;
    let course = format!("{path}/provider-statuses");
    client.get(&course, Shape::recorded("2.18")).await;
    let page = format!("{alerts}/message={id}");
    let names = "/created_by string\n/submitted_by string\n/updated_by string\n\
                 /approved_by string\n/rejected_by null\n/cancelled_by string\n/edit_reason null";
    client.get(&page, cancelled().and(names)).await;
    let line = cancelled().and(NAMES).and("/sending_error bool").but(&[
        "/submitted_by string",
        "/approved_by string",
        "/cancelled_by string",
    ]);
    let board = line.within("/broadcast_messages", "/*");
    client.get(&format!("{alerts}/messages"), board).await;
    client.sign_out(&approver).await;

    // Signing in anew made a new session, and signing out ended it.
    let again = client.sign_in("alice", &service, signed_out()).await;
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
    let empty = Shape::new(" object\n/broadcast_messages list");
    client.get(&format!("{alerts}/messages"), empty).await;
    let wkt = "POLYGON((0.24 53.1, 0.26 53.1, 0.26 53.11, 0.24 53.1))";
    let areas = json!({ "areas": wkt });
    client
        .post("/populations", areas, 200, Shape::new(" number"))
        .await;
    let begun = json!({
        "service_id": service, "created_by": author, "reference": "flood",
        "content": documents::TEXT,
    });
    let made = client.post(alerts, begun, 201, draft()).await;
    let id = id_of(&made);
    let path = format!("{alerts}/{id}");
    let ring = json!([[53.1, 0.24], [53.11, 0.24], [53.11, 0.26], [53.1, 0.24]]);
    let areas = json!({
        "ids": ["riverside"], "names": ["Riverside"], "aggregate_names": ["Riverside"],
        "simple_polygons": [ring],
    });
    let change = json!({ "areas": areas, "duration": "PT4H", "created_by": author });
    client.post(&path, change, 200, written()).await;
    let submit = json!({ "status": "pending-approval", "created_by": author });
    client
        .post(
            &format!("{path}/check-status"),
            submit.clone(),
            200,
            Shape::new(" object"),
        )
        .await;
    client
        .post(&format!("{path}/status"), submit.clone(), 200, submitted())
        .await;
    let refused = Shape::new(REFUSAL);
    client
        .post(&format!("{path}/check-status"), submit, 400, refused)
        .await;
    let history = format!("/service/{service}/broadcast-message-history/{id}/versions");
    client.get(&history, versions()).await;
    let reasons = format!("/service/{service}/broadcast-message-edit-reasons/{id}");
    client
        .get(&format!("{reasons}/edit-reasons"), Shape::new(" list"))
        .await;
    let latest = format!("{reasons}/latest-edit-reason");
    client.get(&latest, Shape::new(" object")).await;
    // Who wrote it may not put it on the air.
    let own = json!({ "status": "broadcasting", "created_by": author });
    client
        .post(&format!("{path}/status"), own, 400, Shape::new(REFUSAL))
        .await;
    id
}

/// The order at approval: check-status, the times, status.
async fn approve(client: &Client<'_>, path: &str, approver: &str) {
    let (alerts, id) = path.rsplit_once('/').expect("a path");
    let names = "/created_by string\n/submitted_by string\n/updated_by string\n\
                 /approved_by null\n/rejected_by null\n/cancelled_by null\n/edit_reason null";
    let page = format!("{alerts}/message={id}");
    let page = client.get(&page, submitted().and(names)).await;
    assert_eq!(page["submitted_by"], "alice");
    let yes = json!({ "status": "broadcasting", "created_by": approver });
    client
        .post(
            &format!("{path}/check-status"),
            yes.clone(),
            200,
            Shape::new(" object"),
        )
        .await;
    let start = now();
    let end = start + std::time::Duration::from_secs(4 * 3600);
    let times = json!({ "starts_at": start.to_json_style(), "finishes_at": end.to_json_style() });
    let timed = submitted().but(&["/starts_at string", "/finishes_at string"]);
    client.post(path, times, 200, timed).await;
    let live = client
        .post(&format!("{path}/status"), yes, 200, approved())
        .await;
    assert_eq!(live["status"], "broadcasting");
}
