//! Invitations, organisations, and what one administrator asks for and another approves.

use std::time::Duration;

use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::Permission;
use serde_json::{Value, json};

use crate::support::*;

const HOST: &str = "https://admin.example.gov.uk";

/// Somebody who manages the live service, and may not alert.
async fn manager(web: &TestWeb) -> UserId {
    let manages = [Permission::ManageUsers, Permission::ManageApiKeys];
    web.somebody("manager", Some(&manages), false).await
}

async fn ask(web: &TestWeb, kind: &str, data: Value, by: UserId) -> Answer {
    let service = web.live.id;
    let body = json!({
        "created_by": by, "action_type": kind, "action_data": data, "service_id": service,
    });
    web.post("/admin-action", &body).await
}

async fn review(web: &TestWeb, id: &str, status: &str, by: UserId) -> Answer {
    let body = json!({ "reviewed_by": by, "status": status });
    web.post(&format!("/admin-action/{id}/review"), &body).await
}

fn id_of(answer: &Answer) -> String {
    assert!(answer.status.is_success(), "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_plain(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.json(), json!({ "errors": [message] }));
}

#[tokio::test]
async fn sec_08_who_asks_for_something_never_approves_it() {
    let web = TestWeb::start().await;
    let (asker, other) = (manager(&web).await, web.platform_admin);
    let key = json!({ "key_type": "normal", "key_name": "gauges" });
    let id = id_of(&ask(&web, "create_api_key", key.clone(), asker).await);
    let twice = ask(&web, "create_api_key", key.clone(), asker).await;
    assert_plain(&twice, 409, "A similar action is already pending");
    let pending = web.get("/admin-action/pending").await.json();
    assert_eq!(pending["pending"][0]["id"], *id);
    assert_eq!(pending["services"][web.live.id.to_string()]["name"], "live");
    assert_eq!(pending["users"][asker.to_string()]["id"], json!(asker));

    // Its creator, a stranger and a member try.
    let own = review(&web, &id, "approved", asker).await;
    assert_plain(&own, 403, "You cannot approve your own action");
    let message = "Only a platform administrator can review an action";
    for by in [web.outsider, web.live.approver] {
        for status in ["approved", "rejected"] {
            assert_plain(&review(&web, &id, status, by).await, 403, message);
        }
    }
    let nobody = UserId::new(web.live.id.uuid());
    let unknown = review(&web, &id, "approved", nobody).await;
    unknown.assert_internal_error(404, "No result found");
    let wrong = review(&web, &id, "pending", other).await;
    wrong.assert_public_error(400, "ValidationError");
    assert_eq!(
        web.get(&format!("/admin-action/{id}")).await.json()["status"],
        "pending"
    );

    let approved = review(&web, &id, "approved", other).await.json();
    assert_eq!(approved["status"], "approved");
    assert_eq!(approved["reviewed_by"], json!(other));
    let late = review(&web, &id, "rejected", other).await;
    assert_plain(&late, 400, "The action is not pending");

    // The key that was approved is covered, once, and no other is.
    for (kind, name, covered) in [
        ("test", "gauges", false),
        ("normal", "other", false),
        ("normal", "gauges", true),
        ("normal", "gauges", false),
    ] {
        web.clock.advance(Duration::from_millis(5));
        let body = json!({ "name": name, "key_type": kind, "created_by": other });
        let path = format!("/service/{}/api-key", web.live.id);
        assert_eq!(web.post(&path, &body).await.status, 201);
        let made = web.last_details("key.create").await;
        assert_eq!(made["covered_by"] == *id, covered, "{kind} {name} {made}");
    }
    // An administrator's own: another has to agree.
    let mine = id_of(
        &ask(
            &web,
            "invite_user",
            json!({ "email_address": "a@x" }),
            other,
        )
        .await,
    );
    let own = review(&web, &mine, "approved", other).await;
    assert_plain(&own, 403, "You cannot approve your own action");
    assert_eq!(review(&web, &mine, "rejected", other).await.status, 200);
}

#[tokio::test]
async fn sec_08_an_approval_is_no_right_of_whoever_carries_it_out() {
    let web = TestWeb::start().await;
    let asker = manager(&web).await;
    let approved = async |kind: &str, data: Value| {
        let id = id_of(&ask(&web, kind, data, asker).await);
        let yes = review(&web, &id, "approved", web.platform_admin).await;
        assert_eq!(yes.status, 200, "{yes:?}");
    };
    let viewer = json!({ "email_address": "dan@x.gov.uk", "permissions": ["view_activity"] });
    approved("invite_user", viewer).await;
    let key = json!({ "key_type": "normal", "key_name": "gauges" });
    approved("create_api_key", key).await;
    let id = web.live.id;
    let invite_by = async |by: UserId| {
        let body = json!({
            "service": id, "email_address": "dan@x.gov.uk", "from_user": by,
            "permissions": "manage_users,manage_api_keys", "auth_type": "email_auth",
            "invite_link_host": HOST, "folder_permissions": [],
        });
        web.post(&format!("/service/{id}/invite"), &body).await
    };
    let order_by = async |by: UserId| {
        let body = json!({ "name": "gauges", "key_type": "normal", "created_by": by });
        web.post(&format!("/service/{id}/api-key"), &body).await
    };
    for by in [web.outsider, web.live.author] {
        assert_eq!(invite_by(by).await.status, 400);
        assert_eq!(order_by(by).await.status, 400);
    }
    // Who asked and who approved may by themselves.
    for by in [asker, web.platform_admin] {
        assert_eq!(invite_by(by).await.status, 201);
        assert_eq!(order_by(by).await.status, 201);
    }
}

#[tokio::test]
async fn what_nobody_approves_in_time_lapses() {
    let web = TestWeb::start().await;
    let (asker, other) = (web.platform_admin, web.live.author);
    let id = id_of(&ask(&web, "elevate_platform_admin", json!({}), asker).await);
    web.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        web.get("/admin-action/pending").await.json()["pending"],
        json!([])
    );
    let shown = web.get(&format!("/admin-action/{id}")).await.json();
    assert_eq!(shown["status"], "invalidated");
    let late = review(&web, &id, "approved", other).await;
    assert_plain(&late, 400, "The action is not pending");
    // It stands in nobody's way.
    let again = ask(&web, "elevate_platform_admin", json!({}), asker).await;
    assert_eq!(again.status, 201, "{again:?}");
    for wrong in [
        json!({}),
        json!({ "created_by": asker, "action_type": "x" }),
        json!({ "created_by": asker, "action_type": "x", "action_data": [] }),
        json!({ "created_by": asker, "action_type": "", "action_data": {} }),
        json!({ "created_by": asker, "action_type": "x", "action_data": {}, "status": "approved" }),
        json!({ "created_by": asker, "action_type": "x", "action_data": { "x": "y".repeat(20_000) } }),
    ] {
        let refused = web.post("/admin-action", &wrong).await;
        refused.assert_public_error(400, "ValidationError");
    }
    let stranger = ask(&web, "create_api_key", json!({}), web.outsider).await;
    assert_eq!(stranger.status, 403, "{stranger:?}");
    let purged = web
        .send(web.request("DELETE", &format!("/admin-action/purge/{asker}"), ""))
        .await;
    assert_eq!(purged.status, 200);
    let gone = web.get(&format!("/admin-action/{id}")).await;
    gone.assert_internal_error(404, "No result found");
}

async fn invite(web: &TestWeb, service: ServiceId, email: &str, by: UserId) -> Answer {
    let body = json!({
        "service": service, "email_address": email, "from_user": by,
        "permissions": "create_broadcasts,view_activity", "auth_type": "email_auth",
        "invite_link_host": HOST, "folder_permissions": [],
    });
    web.post(&format!("/service/{service}/invite"), &body).await
}

/// The token of the link that was last sent.
async fn sent_token(web: &TestWeb) -> String {
    let payload = web
        .query_text("SELECT payload FROM jobs ORDER BY created_at DESC, id DESC")
        .await;
    let told: Value = serde_json::from_str(&payload).unwrap();
    let sealed = told["sealed"].as_str().unwrap();
    let plain = (web.app.secret_opener())(sealed).unwrap();
    let message: Value = serde_json::from_str(&plain).unwrap();
    let link = message["message"]["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{HOST}/")), "{link}");
    link.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_is_accepted_once_and_its_link_is_good_for_two_days() {
    let web = TestWeb::start().await;
    let (id, by) = (web.live.id, manager(&web).await);
    let made = invite(&web, id, "Dan@Rivers.gov.uk", by).await;
    assert_eq!(made.status, 201, "{made:?}");
    let data = made.json()["data"].clone();
    assert_eq!(data["email_address"], "dan@rivers.gov.uk");
    assert_eq!(data["permissions"], "view_activity,create_broadcasts");
    assert_eq!(
        (&data["status"], &data["auth_type"]),
        (&json!("pending"), &json!("email_auth"))
    );
    let details = web.last_details("invitation.create").await;
    assert_eq!(details["covered_by"], Value::Null);
    assert_eq!(details["needs_second_person"], true);
    let token = sent_token(&web).await;
    assert!(
        !web.stored().await.contains(&token),
        "only its hash is stored"
    );

    let check = format!("/invite/service/check/{token}");
    assert_eq!(web.get(&check).await.json()["data"], data);
    let one = data["id"].as_str().unwrap();
    for path in [
        format!("/service/{id}/invite/{one}"),
        format!("/invite/service/{one}"),
    ] {
        assert_eq!(web.get(&path).await.json()["data"], data, "{path}");
    }
    let listed = web.get(&format!("/service/{id}/invite")).await.json();
    assert_eq!(listed, json!({ "data": [data] }));
    let asked = json!({ "email": "dan@rivers.gov.uk" });
    let invited = web.post("/user/invited", &asked).await.json();
    assert_eq!(invited, json!({ "data": data }), "one rendering everywhere");
    for path in [
        format!("/service/{}/invite/{one}", web.other.id),
        format!("/invite/organisation/{one}"),
    ] {
        web.get(&path)
            .await
            .assert_internal_error(404, "No result found");
    }
    let foreign = format!("/service/{}/invite/{one}", web.other.id);
    let cancel = json!({ "status": "cancelled" });
    web.post(&foreign, &cancel)
        .await
        .assert_internal_error(404, "No result found");
    for wrong in [
        format!("/invite/service/check/{}", "0".repeat(64)),
        "/invite/service/check/x".to_owned(),
        format!("/invite/organisation/check/{token}"),
    ] {
        assert_eq!(web.get(&wrong).await.status, 400, "{wrong}");
    }

    let path = format!("/service/{id}/invite/{one}");
    let accept = json!({ "status": "accepted" });
    assert_eq!(
        web.post(&path, &accept).await.json()["data"]["status"],
        "accepted"
    );
    assert_eq!(
        web.post(&path, &cancel).await.status,
        400,
        "it was accepted"
    );
    assert_eq!(web.get(&check).await.json()["data"]["status"], "accepted");
    web.clock.advance(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(web.get(&check).await.status, 400, "the link is over");

    let second = invite(&web, id, "eve@rivers.gov.uk", by).await.json();
    let path = format!(
        "/service/{id}/invite/{}",
        second["data"]["id"].as_str().unwrap()
    );
    web.clock.advance(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(
        web.post(&path, &accept).await.status,
        400,
        "two days are over"
    );
    assert_eq!(web.get(&path).await.json()["data"]["status"], "expired");
}

#[tokio::test]
async fn only_the_public_sector_is_invited_and_by_who_belongs_there() {
    let web = TestWeb::start().await;
    let (id, by) = (web.live.id, manager(&web).await);
    for email in [
        "dan@example.com",
        "dan@notgov.uk",
        "dan",
        "a b@x.gov.uk",
        "",
    ] {
        assert_eq!(invite(&web, id, email, by).await.status, 400, "{email}");
    }
    let outsider = invite(&web, id, "dan@x.gov.uk", web.outsider).await;
    assert_eq!(outsider.status, 400, "{outsider:?}");
    assert_eq!(
        invite(&web, id, "dan@x.gov.uk", web.platform_admin)
            .await
            .status,
        201
    );

    // An organisation's own domain counts too.
    let new = json!({ "name": "Rivers Trust", "crown": false, "organisation_type": "other" });
    let own = web.post("/organisations", &new).await;
    let organisation = id_of(&own);
    let path = format!("/organisations/{organisation}");
    let change = json!({ "domains": ["Trust.Example"], "notes": "ours" });
    assert_eq!(web.post(&path, &change).await.status, 204);
    assert_eq!(
        web.get(&path).await.json()["domains"],
        json!(["trust.example"])
    );
    let by_domain = web
        .get("/organisations/by-domain?domain=mail.trust.example")
        .await;
    assert_eq!(id_of(&by_domain), organisation);
    assert_eq!(
        web.get("/organisations/by-domain?domain=a@b.uk")
            .await
            .status,
        400
    );
    assert_eq!(
        web.get("/organisations/by-domain?domain=other.example")
            .await
            .status,
        404
    );
    let invited = invite(&web, id, "dan@mail.trust.example", by).await;
    assert_eq!(invited.status, 201, "{invited:?}");
    let taken = web.post("/organisations", &new).await;
    taken.assert_internal_error(400, "Organisation name already exists");

    let body = json!({
        "email_address": "fay@trust.example", "invited_by": web.platform_admin,
        "invite_link_host": HOST,
    });
    let invites = format!("/organisation/{organisation}/invite");
    web.clock.advance(Duration::from_millis(1));
    let made = web.post(&invites, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let check = format!("/invite/organisation/check/{}", sent_token(&web).await);
    assert_eq!(web.get(&check).await.json(), made.json());
    let mut nowhere = body.clone();
    nowhere["invite_link_host"] = json!("javascript:alert(1)");
    assert_eq!(web.post(&invites, &nowhere).await.status, 400);

    // Members and services keep it from being archived.
    let member = format!("{path}/users/{}", web.outsider);
    assert_eq!(web.post(&member, &Value::Null).await.status, 200);
    let people = web.get(&format!("{path}/users")).await.json();
    assert_eq!(people["data"][0]["id"], json!(web.outsider));
    let archive = format!("{path}/archive");
    let message = "Cannot archive an organisation with team members or services";
    web.post(&archive, &Value::Null)
        .await
        .assert_internal_error(400, message);
    assert_eq!(
        web.send(web.request("DELETE", &member, "")).await.status,
        204
    );
    let again = web.send(web.request("DELETE", &member, "")).await;
    again.assert_internal_error(404, "User not found");
    let join = json!({ "service_id": id });
    assert_eq!(
        web.get(&format!("/service/{id}/organisation")).await.json(),
        json!({})
    );
    assert_eq!(
        web.post(&format!("{path}/service"), &join).await.status,
        204
    );
    let of_service = web.get(&format!("/service/{id}/organisation")).await;
    assert_eq!(id_of(&of_service), organisation);
    assert_eq!(of_service.json()["count_of_live_services"], 1);
    let services = web.get(&format!("{path}/services")).await.json();
    assert_eq!(services[0]["name"], "live");
    web.post(&archive, &Value::Null)
        .await
        .assert_internal_error(400, message);
    let counts = web
        .get("/_api_status/live-service-and-organisation-counts")
        .await;
    assert_eq!(counts.json(), json!({ "organisations": 1, "services": 2 }));
    assert_eq!(web.get("/_api_status/full").await.json()["status"], "ok");
}

#[tokio::test]
async fn a_service_tells_its_history_and_its_members_without_secrets() {
    let web = TestWeb::start().await;
    let id = web.live.id;
    let path = format!("/service/{id}");
    web.post(&path, &json!({ "name": "Coast" })).await;
    let history = web.get(&format!("{path}/history")).await;
    let data = history.json()["data"].clone();
    let names: Vec<&Value> = data["service_history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["name"])
        .collect();
    assert_eq!(names, ["Coast", "live"]);
    assert_eq!(data["service_history"][0]["version"], 2);
    assert_eq!(data["api_key_history"].as_array().unwrap().len(), 3);
    let events = data["events"].as_array().unwrap().clone();
    let change = events
        .iter()
        .find(|own| own["event_type"] == "service.change")
        .unwrap();
    assert_eq!(change["data"]["before"]["name"], "live");
    assert_eq!(change["data"]["after"]["name"], "Coast");
    for key in [&web.live.normal, &web.live.test] {
        assert!(!history.text.contains(&key.secret));
    }
    let members = web.get(&format!("{path}/users")).await.json();
    let ids: Vec<&Value> = members["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["id"])
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&&json!(web.live.author)));
}
