//! Services, their settings, keys and members, as the author application sets them.

use std::time::Duration;

use balefire_domain::alert::ServiceState;
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::{Permission, Permissions};
use balefire_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::documents::{alert, cancel, triple};
use crate::recorded::{recorded_set_up, said};
use crate::support::*;

fn service_path(id: ServiceId, rest: &str) -> String {
    format!("/service/{id}{rest}")
}

fn settings(mode: &str, channel: &str, providers: impl Into<Value>) -> Value {
    let providers: Value = providers.into();
    json!({
        "service_mode": mode, "broadcast_channel": channel, "provider_restriction": providers,
    })
}

/// The answer of a recorded exchange, by status, keys and types.
#[track_caller]
fn check_recorded(number: &str, answer: &Answer) {
    let recorded = &recorded_set_up()[number];
    assert_eq!(
        answer.status.as_u16(),
        recorded.status,
        "{number} {answer:?}"
    );
    assert_eq!(
        said(recorded.status, &answer.json()),
        recorded.shape,
        "{number}"
    );
}

async fn begin(web: &TestWeb, name: &str, by: UserId) -> Answer {
    let body = json!({
        "name": name, "user_id": by, "restricted": true, "active": true, "created_by": by,
    });
    web.post("/service", &body).await
}

fn id_of(answer: &Answer) -> ServiceId {
    let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
    id.parse().unwrap()
}

async fn make_key(web: &TestWeb, service: ServiceId, by: UserId, name: &str, kind: &str) -> Key {
    let path = service_path(service, "/api-key");
    let body = json!({ "name": name, "created_by": by, "key_type": kind });
    let made = web.post(&path, &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let listed = web.get(&service_path(service, "/api-keys")).await.json();
    let listed = listed["apiKeys"].as_array().unwrap().clone();
    let key = listed.iter().find(|key| key["name"] == name).unwrap();
    Key {
        id: key["id"].as_str().unwrap().parse().unwrap(),
        service,
        secret: made.json()["data"].as_str().unwrap().to_owned(),
    }
}

#[tokio::test]
async fn a_service_is_set_up_as_it_was_recorded() {
    let web = TestWeb::start().await;
    let (ann, ben) = (web.outsider, web.other.author);
    let tick = || web.clock.advance(Duration::from_millis(1_500));

    // Whoever makes a key of a live service is an administrator, where it has no manager.
    web.execute("UPDATE users SET is_admin_capable = true WHERE name = 'outsider'")
        .await;
    let begun = begin(&web, "Peer Service", ann).await;
    check_recorded("1.4", &begun);
    let id = id_of(&begun);
    let told = begun.json()["data"].clone();
    let date = web.clock.now().to_json_style();
    assert_eq!(told["created_at"], date.trim_end_matches('Z'));
    assert_eq!(
        (&told["restricted"], &told["active"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(told["permissions"], json!(["broadcast"]));

    let rights = ["create_broadcasts", "approve_broadcasts", "view_activity"];
    let rights: Vec<Value> = rights
        .iter()
        .map(|one| json!({ "permission": one }))
        .collect();
    let body = json!({ "permissions": rights, "folder_permissions": [] });
    let path = service_path(id, &format!("/users/{ben}"));
    check_recorded("1.5", &web.post(&path, &body).await);

    tick();
    let path = service_path(id, "/api-key");
    let body = json!({ "name": "early key", "created_by": ann, "key_type": "normal" });
    let early = web.post(&path, &body).await;
    check_recorded("1.6", &early);
    assert_eq!(early.json()["data"].as_str().unwrap().len(), 36);
    let listed = web.get(&service_path(id, "/api-keys")).await.json();
    let early = Key {
        id: listed["apiKeys"][0]["id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
        service: id,
        secret: early.json()["data"].as_str().unwrap().to_owned(),
    };
    let stubbed = web.post_cap(&early, &alert("stubbed")).await;
    check_recorded("1.7", &stubbed);

    tick();
    let all = json!(["ee", "o2", "three", "vodafone"]);
    let path = service_path(id, "/set-as-broadcast-service");
    let live = web
        .post(&path, &settings("live", "severe", all.clone()))
        .await;
    check_recorded("1.8", &live);
    let told = live.json()["data"].clone();
    assert_eq!(told["allowed_broadcast_provider"], all);
    assert_eq!(told["organisation"], "38e4bf69-93b0-445d-acee-53ea53fe02df");
    let now = web.clock.now().to_json_style().replace('T', " ");
    assert_eq!(told["go_live_at"], now.trim_end_matches('Z'));

    tick();
    for kind in ["normal", "test", "team"] {
        let path = service_path(id, "/api-key");
        let body = json!({ "name": kind, "created_by": ann, "key_type": kind });
        check_recorded("1.9", &web.post(&path, &body).await);
    }
    let keys = web.get(&service_path(id, "/api-keys")).await;
    check_recorded("1.10", &keys);
    let early_shown = &keys.json()["apiKeys"][0];
    assert_eq!(early_shown["expiry_date"], early_shown["updated_at"]);
    let date = early_shown["expiry_date"].as_str().unwrap().to_owned();
    assert!(date.ends_with("+00:00") && date.len() == 25, "{date}");
    let one = early_shown["id"].as_str().unwrap();
    let one = web
        .get(&service_path(id, &format!("/api-keys/{one}")))
        .await;
    assert_eq!(one.json()["apiKeys"], json!([early_shown]));
    assert!(!keys.text.contains(&early.secret), "a secret is told once");

    let read = web.get(&service_path(id, "")).await;
    check_recorded("1.11", &read);
    assert_eq!(read.json()["data"], told);
    check_recorded(
        "1.12",
        &web.get(&service_path(id, "/broadcast-providers")).await,
    );
    check_recorded("1.13", &web.post_cap(&early, &alert("late")).await);
    assert_eq!(web.log.errors(), [""; 0]);
}

/// Everything that setting a service up touches: the service, who may what in it, its keys.
async fn touched(web: &TestWeb, id: ServiceId) -> (Value, Vec<(UserId, Permissions)>, Value) {
    let service = web.get(&service_path(id, "")).await.json();
    let now = web.clock.now();
    let mut tx = web.app.store.begin_read("touched", now).await.unwrap();
    let members = tx.list_members(id).await.unwrap();
    let members = members
        .into_iter()
        .map(|own| (own.user_id, own.permissions));
    let members = members.collect();
    let keys = web.get(&service_path(id, "/api-keys")).await.json();
    (service, members, keys)
}

#[tokio::test]
async fn every_mode_channel_and_restriction_is_taken_and_nothing_else() {
    let web = TestWeb::start().await;
    let path = service_path(web.live.id, "/set-as-broadcast-service");
    for mode in ["training", "live"] {
        for channel in ["operator", "test", "severe", "government"] {
            let all = json!(["ee", "o2", "three", "vodafone"]);
            for (given, shown) in [
                (json!(["three"]), json!(["three"])),
                (json!(["vodafone", "ee", "ee"]), json!(["ee", "vodafone"])),
                (json!("o2"), json!(["o2"])),
                (json!("all"), all.clone()),
                (json!(["all"]), all.clone()),
                (all.clone(), all.clone()),
            ] {
                let set = web.post(&path, &settings(mode, channel, given)).await;
                assert_eq!(set.status, 200, "{set:?}");
                let told = &set.json()["data"];
                assert_eq!(told["restricted"], mode == "training");
                assert_eq!(told["broadcast_channel"], channel);
                assert_eq!(told["allowed_broadcast_provider"], shown);
                assert_eq!(told["go_live_at"].is_null(), mode == "training");
            }
        }
    }
    let before = touched(&web, web.live.id).await;
    let good = || settings("live", "severe", json!(["ee"]));
    let mut bodies = vec![json!({}), json!([]), json!(null), json!("live")];
    for field in ["service_mode", "broadcast_channel", "provider_restriction"] {
        for wrong in [
            json!(null),
            json!(""),
            json!("nonsense"),
            json!("Live"),
            json!(1),
            json!(true),
            json!([]),
            json!(["ee", "nonsense"]),
            json!([1]),
            json!({ "ee": 1 }),
        ] {
            let mut body = good();
            body[field] = wrong;
            bodies.push(body);
        }
        let mut body = good();
        body.as_object_mut().unwrap().remove(field);
        bodies.push(body);
    }
    let mut more = good();
    more["go_live_at"] = json!("2020-01-01T00:00:00Z");
    bodies.push(more);
    for body in bodies {
        let refused = web.post(&path, &body).await;
        refused.assert_public_error(400, "ValidationError");
    }
    assert_eq!(touched(&web, web.live.id).await, before);
    let nobody = service_path(
        ServiceId::new(web.live.author.uuid()),
        "/set-as-broadcast-service",
    );
    let unknown = web.post(&nobody, &good()).await;
    unknown.assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn going_live_takes_rights_and_keys_of_this_service_alone() {
    let web = TestWeb::start().await;
    let (training, other) = (web.training.id, web.other.id);
    let path = service_path(training, "/set-as-broadcast-service");
    let others = touched(&web, other).await;
    web.clock.advance(Duration::from_secs(60));
    web.app
        .revoke_key(
            balefire_domain::audit::Actor::CommandLine,
            web.training.team.id,
        )
        .await
        .unwrap();
    let (_, before, keys) = touched(&web, training).await;
    assert!(
        before.iter().all(|(_, rights)| rights.len() > 1),
        "{before:?}"
    );
    let revoked_before = keys["apiKeys"][2].clone();

    web.clock.advance(Duration::from_secs(60));
    let first = web
        .post(&path, &settings("live", "test", json!(["ee"])))
        .await;
    let (service, members, keys) = touched(&web, training).await;
    assert_eq!(first.json(), service);
    let view: Permissions = [Permission::ViewActivity].into();
    assert!(
        members.iter().all(|(_, rights)| *rights == view),
        "{members:?}"
    );
    assert_eq!(
        keys["apiKeys"][2], revoked_before,
        "what ended before keeps its date"
    );
    for key in &keys["apiKeys"].as_array().unwrap()[..2] {
        assert_eq!(key["expiry_date"], key["updated_at"]);
        assert_ne!(key["expiry_date"], revoked_before["expiry_date"]);
    }
    assert_eq!(touched(&web, other).await, others);

    // Again: no error, live since the same instant; who was given rights meanwhile keeps them.
    let rights: Permissions = [Permission::ApproveBroadcasts].into();
    let now = web.clock.now();
    let mut tx = web.app.store.begin("give", now).await.unwrap();
    tx.set_all_permissions(training, &rights).await.unwrap();
    tx.commit().await.unwrap();
    web.clock.advance(Duration::from_secs(60));
    let again = web
        .post(&path, &settings("live", "severe", json!("all")))
        .await;
    let (was, is) = (first.json(), again.json());
    assert_eq!(is["data"]["go_live_at"], was["data"]["go_live_at"]);
    let (_, members, same_keys) = touched(&web, training).await;
    assert!(members.iter().all(|(_, own)| *own == rights), "{members:?}");
    assert_eq!(same_keys, keys);
    let back = web
        .post(&path, &settings("training", "severe", json!("all")))
        .await;
    assert_eq!(back.json()["data"]["go_live_at"], Value::Null);
    let (_, members, _) = touched(&web, training).await;
    assert!(members.iter().all(|(_, own)| *own == rights), "{members:?}");
}

#[tokio::test]
async fn a_failure_in_the_middle_of_setting_up_leaves_everything_as_it_was() {
    let web = TestWeb::start().await;
    let id = web.training.id;
    let before = (touched(&web, id).await, web.stored().await);
    // The organisation that it must join is gone: members and keys were changed by then.
    web.execute("DELETE FROM organisations").await;
    let path = service_path(id, "/set-as-broadcast-service");
    let failed = web
        .post(&path, &settings("live", "severe", json!("all")))
        .await;
    assert_eq!(failed.status, 500, "{failed:?}");
    assert_eq!((touched(&web, id).await, web.stored().await), before);
}

#[tokio::test]
async fn a_key_that_setting_up_revoked_may_still_stop_what_is_on_the_air() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("on-air"))
        .await
        .alert();
    let approved = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    let path = service_path(web.live.id, "/set-as-broadcast-service");
    let set = web
        .post(&path, &settings("training", "severe", json!("all")))
        .await;
    assert_eq!(set.status, 200, "{set:?}");
    let posted = web.post_cap(&web.live.normal, &alert("new")).await;
    assert_eq!(posted.status, 403, "{posted:?}");
    let stopped = web
        .post_cap(&web.live.normal, &cancel(&triple("on-air")))
        .await;
    assert_eq!(stopped.status, 201, "{stopped:?}");
    let again = web
        .post_cap(&web.live.normal, &cancel(&triple("on-air")))
        .await;
    assert_eq!(
        again.status, 403,
        "nothing is on the air any more: {again:?}"
    );
}

#[tokio::test]
async fn a_service_begins_in_training_with_a_name_of_its_own() {
    let web = TestWeb::start().await;
    let by = web.outsider;
    let id = id_of(&begin(&web, "Rivers", by).await);
    let taken = begin(&web, "Rivers", by).await;
    let message = json!({ "name": ["Duplicate service name 'Rivers'"] });
    assert_eq!(taken.status, 400);
    assert_eq!(
        taken.json(),
        json!({ "message": message, "result": "error" })
    );
    let nobody = web
        .post("/service", &json!({ "name": "x", "created_by": by }))
        .await;
    let message = json!({ "user_id": ["Missing data for required field."] });
    assert_eq!(nobody.status, 400);
    assert_eq!(
        nobody.json(),
        json!({ "message": message, "result": "error" })
    );
    let body = |name: &str| json!({ "name": name, "user_id": by, "created_by": by });
    for name in ["", "  ", &"x".repeat(256)] {
        let refused = web.post("/service", &body(name)).await;
        refused.assert_public_error(400, "ValidationError");
    }
    for field in ["id", "state", "mode", "go_live_at", "version"] {
        let mut more = body("More");
        more[field] = json!("live");
        let refused = web.post("/service", &more).await;
        refused.assert_public_error(400, "ValidationError");
    }
    let mut live = body("Live");
    live["restricted"] = json!(false);
    assert_eq!(web.post("/service", &live).await.status, 400);
    let unknown = json!({ "name": "x", "user_id": id, "created_by": by });
    let unknown = web.post("/service", &unknown).await;
    unknown.assert_internal_error(404, "No result found");

    // It can't go live by the command that changes the mode alone: it has no channel.
    let actor = balefire_domain::audit::Actor::CommandLine;
    let mode = balefire_domain::alert::Mode::Live;
    assert!(web.app.set_service_mode(actor, id, mode).await.is_err());
    let (_, members, _) = touched(&web, id).await;
    let [(user, rights)] = &members[..] else {
        panic!("{members:?}");
    };
    assert_eq!(*user, by);
    assert!(
        !rights.iter().any(|own| own.needs_second_person()),
        "{rights:?}"
    );
}

#[tokio::test]
async fn sec_48_settings_change_by_their_names_and_the_mode_never() {
    let web = TestWeb::start().await;
    let id = web.live.id;
    let path = service_path(id, "");
    let change = json!({
        "name": " Coast ", "notes": "mind the tide", "organisation_type": "local",
        "permissions": ["email_auth"], "active": false, "restricted": false,
        "created_by": web.platform_admin,
    });
    let told = web.post(&path, &change).await;
    assert_eq!(told.status, 200, "{told:?}");
    let told = &told.json()["data"];
    assert_eq!(told["name"], "Coast");
    assert_eq!(told["notes"], "mind the tide");
    assert_eq!(told["organisation_type"], "local");
    assert_eq!(told["permissions"], json!(["email_auth"]));
    assert_eq!(
        (&told["active"], &told["restricted"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        told["created_by"],
        Value::Null,
        "who changes it did not make it"
    );
    for wrong in [
        json!({ "restricted": "yes" }),
        json!({ "permissions": ["broadcast", "sms"] }),
        json!({ "permissions": "broadcast" }),
        json!({ "organisation_type": "secret" }),
        json!({ "notes": 5 }),
        json!({ "notes": "x".repeat(10_001) }),
        json!({ "broadcast_channel": "government" }),
        json!({ "allowed_broadcast_provider": ["ee"] }),
        json!({ "organisation": "38e4bf69-93b0-445d-acee-53ea53fe02df" }),
        json!({ "go_live_at": null }),
        json!({ "id": web.other.id }),
    ] {
        let refused = web.post(&path, &wrong).await;
        refused.assert_public_error(400, "ValidationError");
    }
    let trains = web.post(&path, &json!({ "restricted": true })).await;
    assert_eq!(trains.status, 400, "{trains:?}");
    let taken = web.post(&path, &json!({ "name": "other" })).await;
    let message = json!({ "name": ["Duplicate service name 'other'"] });
    assert_eq!(
        taken.json(),
        json!({ "message": message, "result": "error" })
    );
    let own = web
        .post(&path, &json!({ "name": "Coast", "active": true }))
        .await;
    assert_eq!(own.status, 200, "its own name is free");
    assert_eq!(own.json()["data"]["active"], true);
    let nobody = web.post(&path, &json!({ "created_by": web.live.id })).await;
    nobody.assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn services_are_listed_by_member_state_and_name() {
    let web = TestWeb::start().await;
    web.set_state(web.training.id, ServiceState::Suspended)
        .await;
    let names = |answer: &Answer| {
        let list = answer.json()["data"].as_array().unwrap().clone();
        let mut names: Vec<String> = list
            .iter()
            .map(|own| own["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let by = web.training.author;
    for (query, want) in [
        (String::new(), vec!["live", "other", "training"]),
        ("?only_active=True".to_owned(), vec!["live", "other"]),
        (
            "?only_active=False".to_owned(),
            vec!["live", "other", "training"],
        ),
        (format!("?user_id={by}"), vec!["training"]),
        (format!("?only_active=True&user_id={by}"), vec![]),
        (format!("?user_id={}", web.outsider), vec![]),
    ] {
        let listed = web.get(&format!("/service{query}")).await;
        assert_eq!(names(&listed), want, "{query}");
    }
    assert_eq!(web.get("/service?user_id=x").await.status, 400);
    let find = "/service/find-services-by-name?service_name=";
    assert_eq!(names(&web.get(&format!("{find}I%4E")).await), ["training"]);
    assert_eq!(names(&web.get(&format!("{find}nothing")).await), [""; 0]);
    let message = json!({ "service_name": ["Can't be empty"] });
    for path in [find, "/service/find-services-by-name"] {
        let refused = web.get(path).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            refused.json(),
            json!({ "message": message, "result": "error" })
        );
    }
    let contacts = web.get(&service_path(web.live.id, "/email-contacts")).await;
    assert_eq!(contacts.json(), json!({ "data": [] }));
}

#[tokio::test]
async fn sec_20_a_key_is_told_once_is_the_service_s_own_and_ends_at_once() {
    let web = TestWeb::start().await;
    let id = web.live.id;
    let manages = [Permission::ManageApiKeys];
    let by = web.somebody("manager", Some(&manages), false).await;
    let key = make_key(&web, id, by, "gauges", "normal").await;
    assert_eq!(web.post_cap(&key, &alert("a")).await.status, 201);
    let stored = web.stored().await;
    assert!(!stored.contains(&key.secret) && web.log.with(&key.secret).is_empty());

    let path = |service| service_path(service, &format!("/api-key/revoke/{}", key.id));
    let foreign = web.post(&path(web.other.id), &Value::Null).await;
    foreign.assert_internal_error(404, "No result found");
    let show = service_path(web.other.id, &format!("/api-keys/{}", key.id));
    web.get(&show)
        .await
        .assert_internal_error(404, "No result found");
    assert_eq!(web.post_cap(&key, &alert("b")).await.status, 201);
    for _ in 0..2 {
        assert_eq!(web.post(&path(id), &Value::Null).await.status, 202);
    }
    assert_eq!(web.post_cap(&key, &alert("c")).await.status, 403);
    let keys = web.get(&service_path(id, "/api-keys")).await.json();
    let keys = keys["apiKeys"].as_array().unwrap().clone();
    let shown = keys.iter().find(|key| key["name"] == "gauges").unwrap();
    assert_eq!(shown["version"], 2);

    let path = service_path(id, "/api-key");
    let body = |by: UserId| json!({ "name": "k", "key_type": "normal", "created_by": by });
    let outsider = web.post(&path, &body(web.outsider)).await;
    assert_eq!(outsider.status, 400, "{outsider:?}");
    let unknown = web.post(&path, &body(UserId::new(id.uuid()))).await;
    unknown.assert_internal_error(404, "No result found");
    let mut elsewhere = body(by);
    elsewhere["service"] = json!(web.other.id);
    web.post(&path, &elsewhere)
        .await
        .assert_public_error(400, "ValidationError");
    for (field, wrong) in [
        ("key_type", json!("admin")),
        ("name", json!("")),
        ("secret", json!(1)),
    ] {
        let mut bad = body(by);
        bad[field] = wrong;
        web.post(&path, &bad)
            .await
            .assert_public_error(400, "ValidationError");
    }
}

#[tokio::test]
async fn members_come_once_and_the_last_one_stays() {
    let web = TestWeb::start().await;
    let (id, user) = (web.live.id, web.outsider);
    let path = |user: UserId| service_path(id, &format!("/users/{user}"));
    let body = json!({ "permissions": [{ "permission": "manage_users" }] });
    assert_eq!(web.post(&path(user), &body).await.status, 201);
    let (_, members, _) = touched(&web, id).await;
    assert!(members.contains(&(user, [Permission::ManageUsers].into())));
    let twice = web.post(&path(user), &body).await;
    let message = format!("User id: {user} already part of service id: {id}");
    twice.assert_internal_error(400, &message);
    let nobody = UserId::new(id.uuid());
    let unknown = web.post(&path(nobody), &body).await;
    unknown.assert_internal_error(404, "No result found");
    for wrong in [
        json!({}),
        json!({ "permissions": "manage_users" }),
        json!({ "permissions": ["manage_users"] }),
        json!({ "permissions": [{ "permission": "platform_admin" }] }),
        json!({ "permissions": [], "folder_permissions": ["x"] }),
        json!({ "permissions": [], "is_platform_admin": true }),
    ] {
        let refused = web.post(&path(web.other.author), &wrong).await;
        refused.assert_public_error(400, "ValidationError");
    }
    let remove = |user: UserId| web.send(web.request("DELETE", &path(user), ""));
    remove(web.other.author)
        .await
        .assert_internal_error(404, "User not found");
    for gone in [user, web.live.approver] {
        assert_eq!(remove(gone).await.status, 204);
    }
    let last = remove(web.live.author).await;
    last.assert_internal_error(400, "You cannot remove the only user for a service");
    let (_, members, _) = touched(&web, id).await;
    assert_eq!(members.len(), 1);
}

#[tokio::test]
async fn an_archived_service_ends_its_keys_and_frees_its_name() {
    let web = TestWeb::start().await;
    let id = web.live.id;
    let archive = service_path(id, "/archive");
    for _ in 0..2 {
        assert_eq!(web.post(&archive, &Value::Null).await.status, 204);
    }
    let told = web.get(&service_path(id, "")).await.json();
    let day = web.clock.now().to_json_style()[..10].to_owned();
    assert_eq!(told["data"]["name"], format!("_archived_{day}_live"));
    assert_eq!(told["data"]["active"], false);
    let (_, _, keys) = touched(&web, id).await;
    let keys = keys["apiKeys"].as_array().unwrap().clone();
    assert!(
        keys.iter().all(|key| !key["expiry_date"].is_null()),
        "{keys:?}"
    );
    assert_eq!(begin(&web, "live", web.outsider).await.status, 201);
    let resumed = web
        .post(&service_path(id, ""), &json!({ "active": true }))
        .await;
    assert_eq!(resumed.status, 400, "{resumed:?}");
    let set_up = service_path(id, "/set-as-broadcast-service");
    let set_up = web
        .post(&set_up, &settings("live", "severe", json!("all")))
        .await;
    assert_eq!(set_up.status, 400, "{set_up:?}");
    let body = json!({ "name": "k", "key_type": "normal", "created_by": web.live.author });
    let key = web.post(&service_path(id, "/api-key"), &body).await;
    assert_eq!(key.status, 400, "{key:?}");
}
