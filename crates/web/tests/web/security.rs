//! Rows of the catalogue of threats that no other test here is named after, each tried as whoever
//! wants to get round the rule would. `docs/security.md` has the whole table.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::permission::Permission;
use balefire_web::{Caller, routes};
use serde_json::{Value, json};

use crate::support::*;
use crate::users::{PASSWORD, add, password};
use crate::v3::{Call, assert_problem, seen};

const EVERYTHING: &[Permission] = &Permission::ALL;

/// Tries to approve what stands there now, both ways; whether somebody succeeded.
async fn approves(web: &TestWeb, id: AlertId, by: UserId) -> bool {
    let read = seen(&web.see(web.live.approver, id).await);
    let current = web.ask(by, "POST", &web.v3(id, "/approve"), &read).await;
    if current.status == 200 {
        return true;
    }
    assert!([403, 404].contains(&current.status.as_u16()), "{current:?}");
    let earlier = web.change_status(id, "broadcasting", by).await;
    assert!([200, 400].contains(&earlier.status.as_u16()), "{earlier:?}");
    earlier.status == 200
}

#[tokio::test]
async fn sec_01_nobody_approves_what_they_wrote_changed_or_submitted() {
    let web = TestWeb::start().await;
    let people = ["writes", "edits", "adds", "submits", "approves"];
    let mut ids = Vec::new();
    for name in people {
        ids.push(web.somebody(name, Some(EVERYTHING), false).await);
    }
    let [writer, editor, adder, submitter, approver] = ids[..] else {
        unreachable!("five people");
    };
    let by_hand = json!({
        "service_id": web.live.id, "created_by": writer, "reference": "r", "content": "Go uphill.",
        "areas": { "names": ["A"], "simple_polygons":
            [[[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]]] },
    });
    let by_hand = web.post(&alerts_path(web.live.id), &by_hand).await.alert();
    let by_key = web.pending("by-key").await;
    for (id, hands) in [
        (by_hand, vec![writer, editor, adder, submitter]),
        (by_key, vec![editor, adder]),
    ] {
        for (by, change) in [
            (editor, json!({ "content": "Go downhill." })),
            (adder, json!({ "extra_content": "Take water." })),
        ] {
            let mut change = change;
            change["created_by"] = json!(by);
            let edited = web.post(&alert_path(web.live.id, id), &change).await;
            assert_eq!(edited.status, 200, "{edited:?}");
        }
        if id == by_hand {
            let asked = web.change_status(id, "pending-approval", submitter).await;
            assert_eq!(asked.status, 200, "{asked:?}");
        }
        for by in hands {
            assert!(!approves(&web, id, by).await, "{id} {by}");
        }
        // A name that nobody has, and one from elsewhere.
        for by in [UserId::new(web.live.id.uuid()), web.other.approver] {
            let body = json!({ "status": "broadcasting", "created_by": by });
            let asked = web.post(&status_path(web.live.id, id), &body).await;
            assert!(asked.status.is_client_error(), "{asked:?}");
        }
        assert!(approves(&web, id, approver).await, "{id}");
    }
}

#[tokio::test]
async fn sec_03_no_route_of_v3_changes_what_waits_for_approval() {
    const VERBS: [&str; 4] = ["/submit", "/approve", "/reject", "/cancel"];
    let web = TestWeb::start().await;
    let of_alerts = routes().filter(|route| {
        route.caller == Caller::Person && route.method != "GET" && route.path.contains("{alert}")
    });
    let mut found = 0;
    for route in of_alerts {
        let is_move = VERBS.iter().any(|verb| route.path.ends_with(verb));
        assert!(
            is_move,
            "{} {}: a move changes no text",
            route.method, route.path
        );
        found += 1;
    }
    assert_eq!(found, VERBS.len());
    let id = web.pending("flood").await;
    let before = web.see(web.live.approver, id).await;
    for method in ["PUT", "PATCH", "POST", "DELETE"] {
        let change = json!({ "content": "Stay." });
        let call = Call::new(&web, web.live.author, method, &web.v3(id, ""), &change);
        let answer = web.send(call.request()).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
    }
    assert_eq!(web.see(web.live.approver, id).await, before);
}

#[tokio::test]
async fn sec_04_of_many_decisions_at_once_one_counts() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let read = seen(&web.see(web.live.approver, id).await);
    let mut by = Vec::new();
    for number in 0..6 {
        let name = format!("one-{number}");
        by.push(web.somebody(&name, Some(EVERYTHING), false).await);
    }
    let (approve, reject) = (web.v3(id, "/approve"), web.v3(id, "/reject"));
    let reason = json!({ "reason": "no" });
    let yes = |who: usize| web.ask(by[who], "POST", &approve, &read);
    let no = |who: usize| web.ask(by[who], "POST", &reject, &reason);
    let asked = tokio::join!(yes(0), no(1), yes(2), no(3), yes(4), no(5));
    let done: [Answer; 6] = asked.into();
    let counted = done.iter().filter(|one| one.status == 200).count();
    assert_eq!(counted, 1, "{done:?}");
    for refused in done.iter().filter(|one| one.status != 200) {
        assert_problem(refused, 409);
    }
    let mut tx = web.app.store.begin_read("a test", START).await.unwrap();
    let events = tx.list_events(id).await.unwrap().len();
    drop(tx);
    let status = web.see(by[0], id).await["status"].clone();
    assert_eq!(events == 1, status == "broadcasting", "{status}");
}

async fn on_air(web: &TestWeb, name: &str) -> AlertId {
    let id = web.pending(name).await;
    let approved = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    id
}

async fn set_mode(web: &TestWeb, mode: Mode) {
    let set = web
        .app
        .set_service_mode(Actor::CommandLine, web.live.id, mode);
    set.await.unwrap();
}

#[tokio::test]
async fn sec_10_the_way_to_a_cancel_is_open_to_one_person_whatever_became_of_the_service() {
    let web = TestWeb::start().await;
    let viewer = web
        .somebody("viewer", Some(&[Permission::ViewActivity]), false)
        .await;
    let states = ["as it was", "suspended", "in training"];
    for (number, state) in states.into_iter().enumerate() {
        let first = on_air(&web, &format!("first-{number}")).await;
        let second = on_air(&web, &format!("second-{number}")).await;
        match state {
            "suspended" => web.set_state(web.live.id, ServiceState::Suspended).await,
            "in training" => set_mode(&web, Mode::Training).await,
            _ => {}
        }
        for by in [web.other.approver, web.outsider] {
            let tried = web.change_status(first, "cancelled", by).await;
            assert_eq!(tried.status, 400, "{state} {tried:?}");
            let cancel = web.v3(first, "/cancel");
            assert_problem(&web.ask(by, "POST", &cancel, &json!({})).await, 404);
        }
        let stopped = web.change_status(first, "cancelled", viewer).await;
        assert_eq!(stopped.status, 200, "{state} {stopped:?}");
        let by = web.platform_admin;
        let stopped = web
            .ask(by, "POST", &web.v3(second, "/cancel"), &json!({}))
            .await;
        assert_eq!(stopped.status, 200, "{state} {stopped:?}");
        web.set_state(web.live.id, ServiceState::Active).await;
        set_mode(&web, Mode::Live).await;
    }
}

#[tokio::test]
async fn sec_15_what_waits_when_its_service_is_stopped_is_approved_by_nobody() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let by = web.live.approver;
    let read = seen(&web.see(by, id).await);
    for state in [ServiceState::Suspended, ServiceState::Archived] {
        web.set_state(web.live.id, state).await;
        let earlier = web.change_status(id, "broadcasting", by).await;
        assert!(earlier.status.is_client_error(), "{state:?} {earlier:?}");
        let current = web.ask(by, "POST", &web.v3(id, "/approve"), &read).await;
        assert_problem(&current, 403);
    }
    let mut tx = web.app.store.begin_read("a test", START).await.unwrap();
    assert!(tx.list_events(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn sec_19_what_is_there_twice_is_refused_in_tokens_and_in_bodies() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let call = Call::new(&web, web.live.author, "GET", "/v3/providers", &Value::Null);
    for (name, first) in [
        ("sub", json!(web.live.approver)),
        ("iss", json!("govuk-alerts")),
        ("aud", json!("another")),
        ("exp", json!(0)),
        ("htu", json!("/v3/anything")),
        ("jti", json!("another-name-of-it")),
    ] {
        let mut request = call.request();
        let value = format!("Bearer {}", call.token_with_twice(name, &first));
        request
            .headers_mut()
            .insert("authorization", value.parse().unwrap());
        assert_problem(&web.send(request).await, 401);
    }
    assert_eq!(web.send(call.request()).await.status, 200);
    // In bodies, at any depth.
    let by = web.live.approver;
    let twice = format!(r#"{{"status":"draft","status":"broadcasting","created_by":"{by}"}}"#);
    let path = status_path(web.live.id, id);
    let answer = web.send(web.request("POST", &path, twice)).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let nested = r#"{"content":"x","areas":{"names":["A"],"names":["B"]}}"#;
    let path = alert_path(web.live.id, id);
    let answer = web.send(web.request("POST", &path, nested)).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    let mut call = Call::new(&web, by, "POST", &web.v3(id, "/reject"), &Value::Null);
    call.set_body(r#"{"reason":"a","reason":"b"}"#);
    assert_problem(&web.send(call.request()).await, 400);
    assert_eq!(web.see(by, id).await["status"], "pending-approval");
}

#[tokio::test]
async fn sec_22_who_has_no_secret_is_told_nothing_but_that() {
    type Spoil = fn(&mut Call);
    let web = TestWeb::start().await;
    let call = || Call::new(&web, web.live.author, "GET", "/v3/providers", &Value::Null);
    // Whatever is wrong with the client, the answer is one and the same.
    let spoilt: [Spoil; 4] = [
        |c| c.secret = "a guess".to_owned(),
        |c| c.claims["iss"] = json!("nobody"),
        |c| c.claims["iss"] = json!("govuk-alerts"),
        |c| c.claims["iss"] = json!("00000000-0000-4000-8000-00000000abcd"),
    ];
    let mut answers = Vec::new();
    for spoil in spoilt {
        let mut call = call();
        spoil(&mut call);
        let answer = web.send(call.request()).await;
        assert_problem(&answer, 401);
        answers.push(answer.text);
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "{answers:?}"
    );
    // And so it is of people: unknown, ended, elsewhere signed in.
    let ended = web.somebody("ended", None, false).await;
    web.app.archive_account(ended).await.unwrap();
    let mut answers = Vec::new();
    for (who, session) in [
        (UserId::new(web.live.id.uuid()), Value::Null),
        (ended, Value::Null),
        (web.live.author, json!("another")),
    ] {
        let mut call = call();
        call.claims["sub"] = json!(who);
        call.claims["sid"] = session;
        let answer = web.send(call.request()).await;
        assert_problem(&answer, 401);
        answers.push(answer.text);
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "{answers:?}"
    );
}

#[tokio::test]
async fn sec_21_a_wrong_password_and_an_account_without_one_are_answered_alike() {
    let web = TestWeb::start().await;
    let known = add(&web, "known").await;
    let without = web.somebody("without", None, false).await;
    let ended = add(&web, "ended").await;
    web.app.archive_account(ended).await.unwrap();
    let mut answers = Vec::new();
    let tries = [
        (known, "a wrong guess"),
        (without, "a wrong guess"),
        (without, PASSWORD),
        (ended, PASSWORD),
    ];
    for (number, (who, guess)) in tries.into_iter().enumerate() {
        let address = format!("198.51.100.{number}");
        let answer = password(&web, who, guess, &address).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        answers.push(answer.text);
        web.clock.advance(Duration::from_secs(120));
    }
    assert!(
        answers.windows(2).all(|two| two[0] == two[1]),
        "{answers:?}"
    );
}

#[tokio::test]
async fn sec_42_no_body_is_too_deep_too_long_or_too_odd_to_be_answered() {
    let web = TestWeb::start().await;
    let (author, service) = (web.live.author, web.live.id);
    let nested = [r#"{"a":"#.repeat(2_000), "}".repeat(2_000)];
    let bodies = [
        format!("{}{}", "[".repeat(20_000), "]".repeat(20_000)),
        format!(r#"{{"action_data":{}1{}}}"#, nested[0], nested[1]),
        r#"{"version":1e999}"#.to_owned(),
        r#"{"version":-1,"hash":"x"}"#.to_owned(),
        r#"{"version":18446744073709551616,"hash":"x"}"#.to_owned(),
        r#"{"reason":7}"#.to_owned(),
        r#"{"reason":"x","surprise":true}"#.to_owned(),
        r#"{"__proto__":{},"constructor":1}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        "{".to_owned(),
        format!(r#"{{"reason":"{}"}}"#, "x".repeat(BODY_BYTES_MAX)),
    ];
    let id = web.pending("flood").await;
    let before = web.see(author, id).await;
    for path in [
        web.v3(id, "/approve"),
        web.v3(id, "/reject"),
        "/v3/admin-actions".to_owned(),
        format!("/v3/duty-items/{service}/close"),
    ] {
        for body in &bodies {
            let mut call = Call::new(&web, author, "POST", &path, &Value::Null);
            call.set_body(body);
            let answer = web.send(call.request()).await;
            let said = format!("{path} {body:.60}: {} {:.200}", answer.status, answer.text);
            assert!(answer.status.is_client_error(), "{said}");
            let kind = &answer.headers["content-type"];
            assert_eq!(kind, "application/problem+json", "{said}");
        }
    }
    assert_eq!(web.see(author, id).await, before);
    assert_eq!(web.log.errors(), [""; 0]);
}

const ODD: [&str; 8] = [
    "'; DROP TABLE alerts; --",
    "' OR '1'='1",
    "\") OR 1=1 --",
    "$1",
    "%",
    "_%",
    "\\",
    "1 UNION SELECT secret FROM api_keys",
];

#[tokio::test]
async fn sec_44_what_is_sql_elsewhere_is_text_here() {
    let web = TestWeb::start().await;
    let (service, by) = (web.live.id, web.live.author);
    let stored = web.stored().await;
    for text in ODD {
        let asked = json!({ "email": text });
        let found = web.post("/user/find-users-by-email", &asked).await;
        let is_nobody = found.status == 400 || found.json()["data"] == json!([]);
        assert!(is_nobody, "{text}: {found:?}");
        for route in ["/user/email-in-db", "/user/email-or-none"] {
            let found = web.post(route, &asked).await;
            let is_nobody = found.status.is_client_error()
                || found.json() == json!(false)
                || found.json()["data"] == Value::Null;
            assert!(is_nobody, "{route} {text}: {found:?}");
        }
        let escaped = text.bytes().fold(String::new(), |mut escaped, byte| {
            write!(escaped, "%{byte:02x}").unwrap();
            escaped
        });
        let path = format!("/service/find-services-by-name?service_name={escaped}");
        assert_eq!(web.get(&path).await.json()["data"], json!([]), "{text}");
        for path in [
            format!("/service/{escaped}/broadcast-message"),
            format!("/service/{service}/broadcast-message/{escaped}"),
            format!("/user/{escaped}"),
        ] {
            assert_eq!(web.get(&path).await.status, 404, "{path}");
        }
        let toggle = format!("/feature-toggle?feature_toggle_name={escaped}");
        assert_eq!(web.get(&toggle).await.json(), json!({}), "{text}");
    }
    assert_eq!(web.stored().await, stored);
    // What is kept comes back as it was written.
    for text in ODD {
        let body = json!({
            "service_id": service, "created_by": by, "reference": text, "content": "Go uphill.",
        });
        let made = web.post(&alerts_path(service), &body).await;
        assert_eq!(made.json()["reference"], text);
        let read = web.get(&alert_path(service, made.alert())).await.json();
        assert_eq!(read["reference"], text);
    }
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn sec_59_who_is_removed_is_out_at_once() {
    let web = TestWeb::start().await;
    let id = web.pending("flood").await;
    let leaves = web.somebody("leaves", Some(EVERYTHING), false).await;
    let shrinks = web.somebody("shrinks", Some(EVERYTHING), false).await;
    let ends = web.somebody("ends", Some(EVERYTHING), false).await;
    let read = seen(&web.see(web.live.approver, id).await);
    // Each holds a token that was made before.
    let approve = web.v3(id, "/approve");
    let held = [leaves, shrinks, ends].map(|by| Call::new(&web, by, "POST", &approve, &read));
    let member = format!("/service/{}/users/{leaves}", web.live.id);
    let gone = web.send(web.request("DELETE", &member, "")).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let path = format!("/user/{shrinks}/service/{}/permission", web.live.id);
    let view = json!({ "permissions": [{ "permission": "view_activity" }] });
    assert_eq!(web.post(&path, &view).await.status, 204);
    let archive = format!("/user/{ends}/archive");
    assert_eq!(web.post(&archive, &Value::Null).await.status, 204);
    for (call, status) in held.iter().zip([404, 403, 401]) {
        assert_problem(&web.send(call.request()).await, status);
    }
    for by in [leaves, shrinks, ends] {
        let tried = web.change_status(id, "broadcasting", by).await;
        assert_eq!(tried.status, 400, "{tried:?}");
    }
    let now = web.see(web.live.approver, id).await;
    assert_eq!(now["status"], "pending-approval");
}

/// Names of functions in a folder's sources.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, names);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let found = source.split("fn ").skip(1).filter_map(|rest| {
                let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric())?;
                Some(rest[..end].to_owned())
            });
            names.extend(found);
        }
    }
}

#[test]
fn the_page_of_threats_has_every_row_and_names_tests_that_exist() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let mut names = BTreeSet::new();
    collect(&root.join("crates"), &mut names);
    let (mut rows, mut wrong) = (BTreeSet::new(), Vec::new());
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let first = line.split('|').nth(1).unwrap().trim();
        for range in first.split(", ") {
            let (from, to) = range.split_once('–').unwrap_or((range, range));
            if let (Ok(from), Ok(to)) = (from.parse::<u32>(), to.parse::<u32>()) {
                rows.extend(from..=to);
            }
        }
        let cited = line.split('`').skip(1).step_by(2);
        for name in cited.filter(|name| name.matches('_').count() > 2 && !name.contains('.')) {
            let has_row = name.strip_prefix("sec_").is_none_or(|rest| {
                rest.get(..2)
                    .is_some_and(|row| row.parse().is_ok_and(|row: u32| rows.contains(&row)))
            });
            if !names.contains(name) || !has_row {
                wrong.push(name.to_owned());
            }
        }
    }
    assert_eq!(wrong, [""; 0], "no such tests, or of another row");
    assert_eq!(rows, (1..=60).collect());
    // And what is tried of a row stands in the page.
    let tried = names.iter().filter(|name| name.starts_with("sec_"));
    let rows_tried: BTreeSet<&str> = tried.filter_map(|name| name.get(..6)).collect();
    for row in rows_tried {
        assert!(
            page.contains(&format!("`{row}_")),
            "{row} is tried, and cited nowhere"
        );
    }
}
