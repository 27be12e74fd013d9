//! Two persons on `/v3`: what one asks for is done when another approves it, and not otherwise.

use std::time::Duration;

use balefire_domain::ids::UserId;
use balefire_domain::permission::Permission;
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;
use crate::v3::assert_problem;

const ACTIONS: &str = "/v3/admin-actions";

/// Who manages the live service, and may act as administrator besides: nobody but another person
/// keeps them from approving what they ask for.
async fn asker(web: &TestWeb) -> UserId {
    let manages = [Permission::ManageUsers, Permission::ManageApiKeys];
    let id = web.somebody("asker", Some(&manages), false).await;
    web.execute("UPDATE users SET is_admin_capable = true WHERE name = 'asker'")
        .await;
    id
}

fn wanted(web: &TestWeb, kind: &str) -> Value {
    let data = match kind {
        "invite_user" => json!({ "email_address": "dan@rivers.gov.uk",
            "permissions": ["create_broadcasts", "view_activity"] }),
        "edit_permissions" => json!({ "user_id": web.live.author,
            "permissions": ["approve_broadcasts", "view_activity"] }),
        "create_api_key" => json!({ "key_name": "gauges", "key_type": "normal" }),
        _ => json!({}),
    };
    let service = (kind != "elevate_platform_admin").then_some(web.live.id);
    json!({ "action_type": kind, "action_data": data, "service_id": service })
}

async fn propose(web: &TestWeb, kind: &str, by: UserId) -> String {
    // The trail is read in the order of its milliseconds.
    web.clock.advance(Duration::from_millis(1));
    let asked = web.ask(by, "POST", ACTIONS, &wanted(web, kind)).await;
    assert_eq!(asked.status, 201, "{}", asked.text);
    asked.json()["id"].as_str().unwrap().to_owned()
}

async fn decide(web: &TestWeb, id: &str, verb: &str, by: UserId) -> Answer {
    let target = format!("{ACTIONS}/{id}/{verb}");
    web.clock.advance(Duration::from_millis(1));
    web.ask(by, "POST", &target, &Value::Null).await
}

async fn status_of(web: &TestWeb, id: &str, by: UserId) -> Value {
    let target = format!("{ACTIONS}/{id}");
    let read = web.ask(by, "GET", &target, &Value::Null).await;
    assert_eq!(read.status, 200, "{}", read.text);
    read.json()["status"].clone()
}

/// Everything that an action could have changed: members, invitations, keys and accounts.
async fn ground(web: &TestWeb) -> String {
    let of = |table: &str| match table {
        "memberships" => "SELECT group_concat(user_id || permissions) FROM memberships",
        "invitations" => "SELECT count(*) || '' FROM invitations",
        "api_keys" => "SELECT count(*) || '' FROM api_keys",
        _ => "SELECT group_concat(id || is_platform_admin || coalesce(admin_until, 0)) FROM users",
    };
    let mut text = String::new();
    for table in ["memberships", "invitations", "api_keys", "users"] {
        text += &web.query_text(of(table)).await;
    }
    text
}

const KINDS: [&str; 4] = [
    "invite_user",
    "edit_permissions",
    "create_api_key",
    "elevate_platform_admin",
];

#[tokio::test]
async fn sec_08_v3_does_nothing_until_another_person_approves_it_and_then_does_it_once() {
    for kind in KINDS {
        let web = TestWeb::start().await;
        let (asker, other) = (asker(&web).await, web.platform_admin);
        let before = ground(&web).await;
        let id = propose(&web, kind, asker).await;
        let twice = web.ask(asker, "POST", ACTIONS, &wanted(&web, kind)).await;
        assert_problem(&twice, 409);
        // Whoever asked, a member, a stranger.
        assert_problem(&decide(&web, &id, "approve", asker).await, 403);
        for by in [web.live.approver, web.outsider, web.other.author] {
            for verb in ["approve", "reject"] {
                assert_problem(&decide(&web, &id, verb, by).await, 404);
            }
        }
        // The body says nothing of who acts.
        let target = format!("{ACTIONS}/{id}/approve");
        let forged = json!({ "reviewed_by": other });
        assert_problem(&web.ask(asker, "POST", &target, &forged).await, 400);
        assert_eq!(status_of(&web, &id, asker).await, "pending", "{kind}");
        assert_eq!(ground(&web).await, before, "{kind}");

        let done = decide(&web, &id, "approve", other).await;
        assert_eq!(done.status, 200, "{kind} {}", done.text);
        assert_eq!(done.json()["admin_action"]["reviewed_by"], json!(other));
        assert_ne!(ground(&web).await, before, "{kind}");
        let after = ground(&web).await;
        for verb in ["approve", "reject"] {
            assert_problem(&decide(&web, &id, verb, other).await, 409);
        }
        assert_eq!(ground(&web).await, after, "{kind}");
        let told = done.json();
        assert_eq!(told["invitation_id"].is_string(), kind == "invite_user");
        assert_eq!(told["api_key"].is_object(), kind == "create_api_key");
        let is_elevation = kind == "elevate_platform_admin";
        assert_eq!(told["elevation_until"].is_string(), is_elevation);
        assert_eq!(web.log.errors(), [""; 0]);
    }
}

#[tokio::test]
async fn sec_08_of_two_approvals_at_once_one_makes_the_key() {
    let web = TestWeb::start().await;
    let id = propose(&web, "create_api_key", asker(&web).await).await;
    let second = web.somebody("second", None, true).await;
    let (one, two) = tokio::join!(
        decide(&web, &id, "approve", web.platform_admin),
        decide(&web, &id, "approve", second),
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let made = web
        .query_text("SELECT count(*) || '' FROM api_keys WHERE name = 'gauges'")
        .await;
    assert_eq!(made, "1");
}

#[tokio::test]
async fn sec_28_a_key_that_was_approved_is_told_to_its_approver_and_to_nothing_else() {
    let web = TestWeb::start().await;
    let asker = asker(&web).await;
    let id = propose(&web, "create_api_key", asker).await;
    let done = decide(&web, &id, "approve", web.platform_admin)
        .await
        .json();
    let key = Key {
        id: done["api_key"]["id"].as_str().unwrap().parse().unwrap(),
        service: web.live.id,
        secret: done["api_key"]["secret"].as_str().unwrap().to_owned(),
    };
    assert_eq!(web.post_cap(&key, &alert("gauge")).await.status, 201);
    let details = web.last_details("key.create").await;
    assert_eq!(details["covered_by"], json!(id));
    assert_eq!(details["asked_by"], json!(asker));
    assert!(!web.stored().await.contains(&key.secret), "the trail");
    assert!(web.log.with(&key.secret).is_empty(), "the log");
    let sealed = web
        .query_text("SELECT secret FROM api_keys WHERE name = 'gauges'")
        .await;
    assert!(!sealed.contains(&key.secret), "the table");
    for by in [asker, web.platform_admin] {
        for target in [format!("{ACTIONS}/{id}"), ACTIONS.to_owned()] {
            let read = web.ask(by, "GET", &target, &Value::Null).await;
            assert!(!read.text.contains(&key.secret), "{target}");
        }
    }
}

#[tokio::test]
async fn what_a_person_may_and_is_sent_is_what_was_approved() {
    let web = TestWeb::start().await;
    let (asker, other) = (asker(&web).await, web.platform_admin);
    let id = propose(&web, "edit_permissions", asker).await;
    assert_eq!(decide(&web, &id, "approve", other).await.status, 200);
    let mut tx = web.app.store.begin_read("a test", START).await.unwrap();
    let held = tx.load_permissions(web.live.author, web.live.id).await;
    let want = [Permission::ViewActivity, Permission::ApproveBroadcasts];
    assert_eq!(held.unwrap(), Some(want.into()));
    drop(tx);
    let said = web.last_details("user.set_permissions").await;
    assert_eq!(said["covered_by"], json!(id));

    let id = propose(&web, "invite_user", asker).await;
    assert_eq!(decide(&web, &id, "approve", other).await.status, 200);
    let said = web.last_details("invitation.create").await;
    assert_eq!(said["covered_by"], json!(id));
    let host = "SELECT payload FROM jobs ORDER BY created_at DESC, id DESC";
    let payload: Value = serde_json::from_str(&web.query_text(host).await).unwrap();
    let plain = (web.app.secret_opener())(payload["sealed"].as_str().unwrap()).unwrap();
    assert!(
        plain.contains("https://alerts.example/invitation/"),
        "{plain}"
    );

    let id = propose(&web, "elevate_platform_admin", asker).await;
    assert_eq!(decide(&web, &id, "approve", other).await.status, 200);
    let redeem = format!("/user/{asker}/redeem-elevation");
    assert_eq!(web.post(&redeem, &Value::Null).await.status, 200);
    assert_eq!(web.post(&redeem, &Value::Null).await.status, 403, "once");
}

#[tokio::test]
async fn sec_59_what_is_not_approved_in_time_is_never_done() {
    for (kind, seconds) in [
        ("elevate_platform_admin", 3_600),
        ("create_api_key", 7 * 24 * 3_600),
    ] {
        let web = TestWeb::start().await;
        let asker = asker(&web).await;
        let id = propose(&web, kind, asker).await;
        let before = ground(&web).await;
        web.clock.advance(Duration::from_secs(seconds - 1));
        assert_eq!(status_of(&web, &id, asker).await, "pending", "{kind}");
        web.clock.advance(Duration::from_secs(1));
        let late = decide(&web, &id, "approve", web.platform_admin).await;
        assert_problem(&late, 409);
        assert_eq!(status_of(&web, &id, asker).await, "invalidated", "{kind}");
        assert_eq!(ground(&web).await, before, "{kind}");
    }
}

#[tokio::test]
async fn sec_08_who_may_not_do_it_any_more_gets_it_done_by_nobody() {
    let web = TestWeb::start().await;
    let manages = [Permission::ManageApiKeys];
    let asker = web.somebody("manager", Some(&manages), false).await;
    let id = propose(&web, "create_api_key", asker).await;
    let none = json!({ "permissions": [{ "permission": "view_activity" }] });
    let path = format!("/user/{asker}/service/{}/permission", web.live.id);
    assert_eq!(web.post(&path, &none).await.status, 204);
    let before = ground(&web).await;
    assert_problem(&decide(&web, &id, "approve", web.platform_admin).await, 409);
    assert_eq!(ground(&web).await, before);
    // Nor may they ask.
    web.clock.advance(Duration::from_millis(1));
    let again = web
        .ask(asker, "POST", ACTIONS, &wanted(&web, "create_api_key"))
        .await;
    assert_problem(&again, 403);
    let outside = web
        .ask(
            web.outsider,
            "POST",
            ACTIONS,
            &wanted(&web, "create_api_key"),
        )
        .await;
    assert_problem(&outside, 404);
    let refused: Vec<String> = web
        .refusals()
        .await
        .into_iter()
        .map(|one| one.action)
        .collect();
    assert_eq!(
        refused,
        ["admin_action.review.refused", "admin_action.create.refused"]
    );
}

#[tokio::test]
async fn what_can_t_be_done_waits_on_and_nothing_of_it_is_done() {
    let web = TestWeb::start().await;
    let asker = asker(&web).await;
    let mut stranger = wanted(&web, "invite_user");
    stranger["action_data"]["email_address"] = json!("dan@example.com");
    let mut nobody = wanted(&web, "edit_permissions");
    nobody["action_data"]["user_id"] = json!(web.outsider);
    for body in [stranger, nobody] {
        let asked = web.ask(asker, "POST", ACTIONS, &body).await.json();
        let id = asked["id"].as_str().unwrap();
        let before = ground(&web).await;
        assert_problem(&decide(&web, id, "approve", web.platform_admin).await, 422);
        assert_eq!(status_of(&web, id, asker).await, "pending", "{body}");
        assert_eq!(ground(&web).await, before, "{body}");
        assert_eq!(decide(&web, id, "reject", asker).await.status, 200);
    }
    for (field, value, status) in [
        ("action_type", json!("rename_service"), 400),
        ("action_type", json!(null), 400),
        ("created_by", json!(web.platform_admin), 400),
        ("status", json!("approved"), 400),
        ("action_data", json!([]), 400),
        ("action_data", json!({ "key_name": "x" }), 422),
        (
            "action_data",
            json!({ "key_name": "x".repeat(20_000), "key_type": "test" }),
            400,
        ),
        ("service_id", json!(null), 422),
        ("service_id", json!(web.live.author), 404),
    ] {
        let mut body = wanted(&web, "create_api_key");
        body[field] = value;
        assert_problem(
            &web.ask(web.live.author, "POST", ACTIONS, &body).await,
            status,
        );
    }
    let mut elevation = wanted(&web, "elevate_platform_admin");
    elevation["service_id"] = json!(web.live.id);
    assert_problem(&web.ask(asker, "POST", ACTIONS, &elevation).await, 422);
}

#[tokio::test]
async fn whoever_lists_what_waits_sees_what_is_theirs_to_know() {
    let web = TestWeb::start().await;
    let asker = asker(&web).await;
    for kind in KINDS {
        propose(&web, kind, asker).await;
        web.clock.advance(Duration::from_millis(1));
    }
    let users = [Permission::ManageUsers];
    let manager = web.somebody("users", Some(&users), false).await;
    for (by, want) in [
        (asker, &KINDS[..]),
        (web.platform_admin, &KINDS[..]),
        (manager, &KINDS[..2]),
        (web.live.author, &[]),
        (web.other.author, &[]),
    ] {
        let listed = web.ask(by, "GET", ACTIONS, &Value::Null).await.json();
        let kinds: Vec<&str> = listed["admin_actions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|action| action["action_type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, want, "{by}");
    }
}

/// The last entry's `covered_by` of this action.
async fn covered_by(web: &TestWeb, action: &str) -> Value {
    web.last_details(action).await["covered_by"].clone()
}

#[tokio::test]
async fn sec_08_the_trail_says_which_approval_covers_a_change_by_the_client() {
    let web = TestWeb::start().await;
    let (asker, other) = (asker(&web).await, web.platform_admin);
    let member = web.somebody("member", Some(&[]), false).await;
    let path = format!("/user/{member}/service/{}/permission", web.live.id);
    let give = async |words: &[&str]| {
        let list: Vec<Value> = words
            .iter()
            .map(|word| json!({ "permission": word }))
            .collect();
        web.clock.advance(Duration::from_millis(1));
        let given = web.post(&path, &json!({ "permissions": list })).await;
        assert_eq!(given.status, 204, "{given:?}");
        covered_by(&web, "user.set_permissions").await
    };
    let approved = async |kind: &str, data: Value| {
        let body = json!({ "created_by": asker, "action_type": kind, "action_data": data,
            "service_id": web.live.id });
        let id = web.post("/admin-action", &body).await.json()["id"].clone();
        let review = format!("/admin-action/{}/review", id.as_str().unwrap());
        let yes = json!({ "reviewed_by": other, "status": "approved" });
        assert_eq!(web.post(&review, &yes).await.status, 200);
        id
    };
    assert_eq!(give(&["create_broadcasts"]).await, Value::Null);
    assert_eq!(give(&[]).await, Value::Null);
    let data = json!({ "user_id": member, "permissions": ["create_broadcasts"] });
    let id = approved("edit_permissions", data).await;
    // What takes no second person uses nothing up; what was not approved is not covered.
    assert_eq!(give(&["view_activity"]).await, Value::Null);
    assert_eq!(give(&["approve_broadcasts"]).await, Value::Null);
    assert_eq!(give(&["create_broadcasts", "view_activity"]).await, id);
    assert_eq!(give(&[]).await, Value::Null);
    assert_eq!(give(&["create_broadcasts"]).await, Value::Null, "used up");

    let elevate = format!("/user/{asker}/elevate");
    let by = json!({ "approved_by": other });
    assert_eq!(web.post(&elevate, &by).await.status, 200);
    assert_eq!(covered_by(&web, "user.elevate").await, Value::Null);
    let id = approved("elevate_platform_admin", json!({})).await;
    web.clock.advance(Duration::from_millis(1));
    assert_eq!(web.post(&elevate, &by).await.status, 200);
    assert_eq!(covered_by(&web, "user.elevate").await, id);

    // What /v3 has done covers nothing on the earlier routes.
    let id = propose(&web, "create_api_key", asker).await;
    assert_eq!(decide(&web, &id, "approve", other).await.status, 200);
    let key = json!({ "name": "gauges", "key_type": "normal", "created_by": asker });
    web.clock.advance(Duration::from_millis(1));
    let made = web
        .post(&format!("/service/{}/api-key", web.live.id), &key)
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(covered_by(&web, "key.create").await, Value::Null);
}
