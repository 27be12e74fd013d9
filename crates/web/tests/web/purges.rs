//! What tests of an author application leave behind, and how it goes.

use std::sync::Arc;

use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::Permission;
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;
use crate::users::{HOME, add, new_person, password, sign_in};

async fn purge(web: &TestWeb, path: &str) -> Answer {
    web.send(web.request("DELETE", path, "")).await
}

fn message(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["message"].as_str().unwrap().to_owned()
}

async fn begin(web: &TestWeb, name: &str, by: UserId) -> ServiceId {
    let body = json!({
        "name": name, "user_id": by, "restricted": true, "active": true, "created_by": by,
    });
    let begun = web.post("/service", &body).await;
    assert_eq!(begun.status, 201, "{begun:?}");
    begun.json()["data"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

async fn make_key(web: &TestWeb, service: ServiceId, by: UserId, name: &str) -> Key {
    let body = json!({ "name": name, "created_by": by, "key_type": "normal" });
    let made = web
        .post(&format!("/service/{service}/api-key"), &body)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let keys = web.app.list_keys(service).await.unwrap().unwrap();
    Key {
        id: keys.iter().find(|key| key.name == name).unwrap().id,
        service,
        secret: made.json()["data"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_person_s_services_go_with_all_that_is_theirs_except_where_an_alert_is_on_the_air() {
    let web = TestWeb::start().await;
    let by = web.outsider;
    let gone = begin(&web, "Gone", by).await;
    let key = make_key(&web, gone, by, "used").await;
    assert_eq!(web.post_cap(&key, &alert("stubbed")).await.status, 201);
    let template = json!({
        "reference": "Flood", "template_type": "broadcast", "content": "Go uphill.",
        "service": gone, "created_by": by,
    });
    let made = web
        .post(&format!("/service/{gone}/template"), &template)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let kept = begin(&web, "Kept", by).await;
    let key = make_key(&web, kept, by, "used").await;
    let live = web.post_cap(&key, &alert("live")).await.alert();
    let member = json!({
        "permissions": [{ "permission": "approve_broadcasts" }], "folder_permissions": [],
    });
    let approver = web.live.approver;
    let added = web
        .post(&format!("/service/{kept}/users/{approver}"), &member)
        .await;
    assert_eq!(added.status, 201, "{added:?}");
    let approval = json!({ "status": "broadcasting", "created_by": approver });
    let approved = web.post(&status_path(kept, live), &approval).await;
    assert_eq!(approved.status, 200, "{approved:?}");

    let path = format!("/service/purge-services-created/{by}");
    assert!(message(&purge(&web, &path).await).starts_with("Purged 1 services"));
    let answer = web.get(&format!("/service/{gone}")).await;
    answer.assert_internal_error(404, "No result found");
    assert_eq!(web.get(&format!("/service/{kept}")).await.status, 200);
    assert_eq!(web.get(&alert_path(kept, live)).await.status, 200);
    // What nobody of theirs began is nobody's to purge.
    let own = web.get(&format!("/service/{}", web.live.id)).await;
    assert_eq!(own.status, 200);
    begin(&web, "Gone", by).await;
    assert_eq!(web.audit_actions().await["service.purge"], 2);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn the_people_that_tests_made_up_can_be_made_again() {
    let web = TestWeb::start().await;
    let mut body = new_person("alice");
    body["email_address"] = json!("emergency-alerts-fake-1@agency.example");
    let made = web.post("/user", &body).await;
    let user: UserId = made.json()["data"]["id"].as_str().unwrap().parse().unwrap();
    sign_in(&web, user, HOME).await;
    let other = add(&web, "bob").await;
    let path = "/service/purge-users-created-by-tests";
    assert_eq!(
        message(&purge(&web, path).await),
        "Purged 1 users created by tests"
    );
    let email = json!({ "email": "emergency-alerts-fake-1@agency.example" });
    assert_eq!(web.post("/user/email", &email).await.status, 404);
    assert_eq!(
        web.get(&format!("/user/{other}")).await.json()["data"]["state"],
        "active"
    );
    assert_eq!(web.post("/user", &body).await.status, 201);
    assert_eq!(
        message(&purge(&web, path).await),
        "Purged 1 users created by tests"
    );
}

#[tokio::test]
async fn nobody_waits_once_the_failures_are_forgotten() {
    let web = TestWeb::start().await;
    let user = add(&web, "alice").await;
    while password(&web, user, "wrong", HOME).await.status != 429 {}
    let path = "/service/purge-failed-logins-created-by-tests";
    let told = message(&purge(&web, path).await);
    assert!(
        told.ends_with(" failed logins") && !told.contains(" 0 "),
        "{told}"
    );
    assert_eq!(password(&web, user, "wrong", HOME).await.status, 400);
}

#[tokio::test]
async fn a_service_s_keys_are_revoked_and_those_go_that_no_alert_names() {
    let web = TestWeb::start().await;
    let by = web
        .somebody("keys", Some(&[Permission::ManageApiKeys]), false)
        .await;
    let unused = make_key(&web, web.live.id, by, "unused").await;
    web.post_cap(&web.live.normal, &alert("named")).await;
    let path = format!("/service/{}/api-key/purge", web.live.id);
    assert_eq!(message(&purge(&web, &path).await), "Purged 3 API keys");
    let keys = web.app.list_keys(web.live.id).await.unwrap().unwrap();
    let left: Vec<_> = keys.iter().map(|key| key.id).collect();
    assert_eq!(left, [web.live.normal.id]);
    for key in [&unused, &web.live.normal] {
        assert_eq!(web.post_cap(key, &alert("after")).await.status, 403);
    }
    let nowhere = "/service/00000000-0000-4000-8000-000000000000/api-key/purge";
    let answer = purge(&web, nowhere).await;
    answer.assert_internal_error(404, "No result found");
    let theirs = web.post_cap(&web.other.normal, &alert("theirs")).await;
    assert_eq!(theirs.status, 201);
}

#[tokio::test]
async fn no_purge_exists_where_the_public_sees_it() {
    let public = TestWeb::start_with(|state| {
        let mut settings = (*state.app.settings).clone();
        settings.has_test_routes = false;
        state.app.settings = Arc::new(settings);
    })
    .await;
    let stored = public.stored().await;
    let id = public.live.id;
    for route in balefire_web::test_routes() {
        let path = ["{service}", "{user}"]
            .iter()
            .fold(route.path.to_owned(), |path, name| {
                path.replace(name, &id.to_string())
            })
            .replace("{days}", "0");
        let answer = public.send(public.request(route.method, &path, "")).await;
        // A path that is also another route's says that it answers to other methods.
        assert!(
            matches!(answer.status.as_u16(), 404 | 405),
            "{path} {answer:?}"
        );
        assert_ne!(answer.json()["message"], Value::Null);
    }
    assert_eq!(public.stored().await, stored);
}
