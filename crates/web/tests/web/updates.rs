//! Updates (D14, ADR 17): what a CAP Update becomes, who may say yes to it, and what stays as it is
//! until somebody does.

use std::sync::Arc;
use std::time::Duration;

use balefire_app::Settings;
use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::audit::Actor;
use balefire_domain::ids::AlertId;
use balefire_domain::lane::Kind;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::ProviderName;
use balefire_domain::update::UpdateState;
use balefire_store::alert_updates::AlertUpdate;
use balefire_store::events::Event;
use serde_json::{Value, json};

use crate::documents::{alert, cancel, in_languages, triple, update, update_triple};
use crate::support::*;

const OLD: &str = "The river is over its banks. Go uphill now. ";
const NEW: &str = "The bridge is closed too. Stay uphill.";

/// A live alert of the live service, by CAP, under the identifier `first`.
async fn live_alert(web: &TestWeb) -> AlertId {
    let id = web
        .post_cap(&web.live.normal, &alert("first"))
        .await
        .alert();
    let approved = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    id
}

/// The same, and an Update of it that waits.
async fn proposed(web: &TestWeb) -> AlertId {
    let id = live_alert(web).await;
    let document = update("second", &triple("first"), NEW);
    let answer = web.post_cap(&web.live.normal, &document).await;
    assert_eq!((answer.status.as_u16(), answer.alert()), (201, id));
    id
}

async fn updates(web: &TestWeb, alert: AlertId) -> Vec<(u32, UpdateState)> {
    let told = |update: AlertUpdate| (update.version, update.state);
    let mut tx = web.app.store.begin_read("updates", START).await.unwrap();
    let found = tx.list_updates(alert).await.unwrap();
    found.into_iter().map(told).collect()
}

async fn events(web: &TestWeb, alert: AlertId) -> Vec<Event> {
    let mut tx = web.app.store.begin_read("events", START).await.unwrap();
    tx.list_events(alert).await.unwrap()
}

/// Every delivery of a provider: its kind and its payload.
async fn lane(web: &TestWeb, alert: AlertId, provider: &str) -> Vec<(u32, Kind, Option<Value>)> {
    let mut told = Vec::new();
    for history in web.app.list_deliveries(alert).await.unwrap() {
        if history.provider.as_str() != provider {
            continue;
        }
        let delivery = history.delivery;
        let mut tx = web.app.store.begin_read("frozen", START).await.unwrap();
        let frozen = tx.load_frozen(delivery.id).await.unwrap().unwrap();
        let payload = frozen
            .payload
            .map(|text| serde_json::from_str(&text).unwrap());
        told.push((delivery.seq, delivery.kind, payload));
    }
    told
}

#[tokio::test]
async fn an_update_of_a_live_alert_changes_nothing_until_it_is_approved() {
    let web = TestWeb::start().await;
    let id = live_alert(&web).await;
    let before = web.get(&alert_path(web.live.id, id)).await;
    let document = update("second", &triple("first"), NEW);
    let answer = web.post_cap(&web.live.normal, &document).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(
        answer.json(),
        before.json(),
        "it is told as it is on the air"
    );
    let after = web.get(&alert_path(web.live.id, id)).await;
    assert_eq!(after.text, before.text);
    let list = web.get(&alerts_path(web.live.id)).await;
    assert!(
        !list.text.contains("bridge"),
        "nothing of a proposal is public"
    );
    assert_eq!(updates(&web, id).await, [(2, UpdateState::Open)]);
    assert_eq!(events(&web, id).await.len(), 1);

    web.clock.advance(Duration::from_secs(60));
    let approved = web
        .decide_update(id, "broadcasting", 2, web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    assert_eq!(approved.json()["content"], NEW);
    assert_eq!(approved.json()["status"], "broadcasting");
    for key in [
        "finishes_at",
        "approved_at",
        "approved_by_id",
        "reference",
        "starts_at",
    ] {
        assert_eq!(approved.json()[key], before.json()[key], "{key} stays");
    }
    assert_eq!(updates(&web, id).await, [(2, UpdateState::Approved)]);
    let [first, second] = &events(&web, id).await[..] else {
        panic!("two events")
    };
    assert_eq!((second.seq, second.kind), (2, Kind::Update));
    assert_eq!(
        (second.finishes_at, second.channel),
        (first.finishes_at, first.channel)
    );
    assert_eq!((first.text.trim(), second.text.as_str()), (OLD.trim(), NEW));
    let audit = web.audit_actions().await;
    assert_eq!(audit["alert.propose_update"], 1);
    assert_eq!(audit["alert.approve_update"], 1);
}

#[tokio::test]
async fn each_provider_gets_what_it_can_take() {
    let web = TestWeb::start_with(|state| {
        let mut settings = Settings::clone(&state.app.settings);
        settings.profiles[0].capabilities.update = true;
        state.app.settings = Arc::new(settings);
    })
    .await;
    let id = proposed(&web).await;
    web.send_all(id, Outcome::Accepted, "200").await;
    web.decide_update(id, "broadcasting", 2, web.live.approver)
        .await;

    let told = lane(&web, id, "ee").await;
    let kinds: Vec<_> = told.iter().map(|(seq, kind, _)| (*seq, *kind)).collect();
    assert_eq!(kinds, [(1, Kind::Alert), (2, Kind::Update)]);
    let stored = told[1].2.as_ref().unwrap();
    assert_eq!(
        stored["message_type"], "alert",
        "only its first attempt can tell"
    );
    assert_eq!(stored["description"], NEW);

    for provider in ["o2", "three", "vodafone"] {
        let told = lane(&web, id, provider).await;
        let kinds: Vec<_> = told.iter().map(|(seq, kind, _)| (*seq, *kind)).collect();
        let want = [(1, Kind::Alert), (2, Kind::Cancel), (3, Kind::Alert)];
        assert_eq!(kinds, want, "{provider}");
        assert_eq!(
            told[1].2, None,
            "what it names is known at its first attempt"
        );
        let payload = told[2].2.as_ref().unwrap();
        assert_eq!(payload["description"], NEW);
        let number = payload.get("message_number").is_some();
        assert_eq!(number, provider == "vodafone");
    }
    let statuses = web
        .get(&format!(
            "{}/provider-statuses",
            alert_path(web.live.id, id)
        ))
        .await;
    assert_keys(&statuses.json()["ee"], &["alert", "cancel", "update"]);
    assert_eq!(
        statuses.json()["o2"]["cancel"],
        json!([]),
        "nobody cancelled it"
    );
}

#[tokio::test]
async fn a_lane_whose_provider_is_gone_waits_with_both() {
    let web = TestWeb::start().await;
    let id = proposed(&web).await;
    let mut app = web.app.clone();
    let mut settings = Settings::clone(&app.settings);
    settings
        .profiles
        .retain(|profile| profile.format.as_str() == "cap");
    app.settings = Arc::new(settings);
    let asked = balefire_app::move_alert::Move {
        to: balefire_domain::alert::Status::Broadcasting,
        by: web.live.approver,
        reason: None,
        seen: balefire_domain::approval::Seen {
            version: Some(2),
            hash: None,
        },
        request: None,
    };
    app.move_alert(web.live.id, id, &asked).await.unwrap();
    let told = lane(&web, id, "vodafone").await;
    assert_eq!(told.len(), 3);
    let payload = told[2].2.as_ref().unwrap();
    assert_eq!(
        payload["message_format"], "ibag",
        "as its lane was told before"
    );
    assert!(payload["message_number"].is_string());
    let mut tx = web.app.store.begin_read("numbers", START).await.unwrap();
    let vodafone = ProviderName::new("vodafone").unwrap();
    let histories = tx.list_delivery_histories(id).await.unwrap();
    let mut numbers = Vec::new();
    for history in histories.iter().filter(|h| h.provider == vodafone) {
        let frozen = tx.load_frozen(history.delivery.id).await.unwrap().unwrap();
        numbers.push(frozen.message_number.expect("every ibag message has one"));
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[tokio::test]
async fn an_update_is_approved_by_a_second_person_who_names_what_they_read() {
    let web = TestWeb::start().await;
    let (author, approver) = (web.live.author, web.live.approver);
    let id = live_alert(&web).await;
    let change = balefire_app::propose_update::UpdateChange {
        content: Some(NEW.to_owned()),
        areas: None,
        by: author,
    };
    let made = web
        .app
        .propose_update(web.live.id, id, &change, false)
        .await;
    let made = made.unwrap();
    let before = web.stored_alerts().await;

    let own = web.decide_update(id, "broadcasting", 2, author).await;
    let why = format!("User {author} cannot approve their own broadcast_message {id}");
    own.assert_internal_error(400, &why);
    let outsider = web.decide_update(id, "broadcasting", 2, web.outsider).await;
    assert_eq!(outsider.status, 400);
    for version in [1, 3] {
        let stale = web
            .decide_update(id, "broadcasting", version, approver)
            .await;
        assert_eq!(stale.status, 409, "{stale:?}");
    }
    let unnamed = web.change_status(id, "broadcasting", approver).await;
    assert_eq!(unnamed.status, 409, "{unnamed:?}");
    assert!(unnamed.message().contains("by its version"), "{unnamed:?}");
    let path = status_path(web.live.id, id);
    let mut body = json!({ "status": "broadcasting", "created_by": approver, "version": 2,
        "hash": "0".repeat(64) });
    assert_eq!(web.post(&path, &body).await.status, 409);
    for (version, hash) in [
        (json!(0), json!("a")),
        (json!("2"), json!("a")),
        (json!(2), json!(7)),
    ] {
        let odd = json!({ "status": "broadcasting", "created_by": approver, "version": version,
            "hash": hash });
        web.post(&path, &odd)
            .await
            .assert_public_error(400, "ValidationError");
    }
    assert_eq!(
        web.stored_alerts().await,
        before,
        "a refused yes leaves nothing behind"
    );

    body["hash"] = json!(made.hash);
    assert_eq!(web.post(&path, &body).await.status, 200);
    let again = web.post(&path, &body).await;
    let why = format!("Cannot move broadcast_message {id} from broadcasting to broadcasting");
    again.assert_internal_error(400, &why);
}

#[tokio::test]
async fn a_newer_proposal_takes_the_place_of_the_one_that_waits() {
    let web = TestWeb::start().await;
    let id = proposed(&web).await;
    let references = format!("{} {}", triple("first"), update_triple("second"));
    let third = update("third", &references, "Come down again.");
    assert_eq!(web.post_cap(&web.live.normal, &third).await.status, 201);
    let want = [(2, UpdateState::Replaced), (3, UpdateState::Open)];
    assert_eq!(updates(&web, id).await, want);
    let stale = web
        .decide_update(id, "broadcasting", 2, web.live.approver)
        .await;
    assert_eq!(stale.status, 409);
    let approved = web
        .decide_update(id, "broadcasting", 3, web.live.approver)
        .await;
    assert_eq!(approved.json()["content"], "Come down again.");
}

#[tokio::test]
async fn a_rejected_update_leaves_the_alert_on_the_air() {
    let web = TestWeb::start().await;
    let id = proposed(&web).await;
    let stale = web
        .decide_update(id, "rejected", 1, web.live.approver)
        .await;
    assert_eq!(stale.status, 409);
    let path = status_path(web.live.id, id);
    let body = json!({ "status": "rejected", "created_by": web.live.approver,
        "rejection_reason": "no" });
    let rejected = web.post(&path, &body).await;
    assert_eq!(rejected.status, 200, "{rejected:?}");
    assert_eq!(rejected.json()["status"], "broadcasting");
    assert_eq!(rejected.json()["content"], OLD);
    assert_eq!(rejected.json()["rejection_reason"], Value::Null);
    assert_eq!(updates(&web, id).await, [(2, UpdateState::Rejected)]);
    let again = web.post(&path, &body).await;
    let why = format!("Cannot move broadcast_message {id} from broadcasting to rejected");
    again.assert_internal_error(400, &why);
}

#[tokio::test]
async fn a_cancel_withdraws_a_proposal_and_may_name_it() {
    let web = TestWeb::start().await;
    let id = proposed(&web).await;
    let document = cancel(&update_triple("second"));
    let cancelled = web.post_cap(&web.live.normal, &document).await;
    assert_eq!((cancelled.status.as_u16(), cancelled.alert()), (201, id));
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(updates(&web, id).await, [(2, UpdateState::Withdrawn)]);
    assert_eq!(web.audit_actions().await["alert.withdraw_update"], 1);
    let late = web
        .decide_update(id, "broadcasting", 2, web.live.approver)
        .await;
    assert_eq!(late.status, 400, "{late:?}");
}

#[tokio::test]
async fn the_end_of_an_alert_withdraws_a_proposal() {
    let web = TestWeb::start().await;
    let id = proposed(&web).await;
    // Its end has come, and the clock's work has not been done yet.
    web.clock.advance(Duration::from_secs(23 * 3600));
    let late = web
        .decide_update(id, "broadcasting", 2, web.live.approver)
        .await;
    assert_eq!(late.status, 400, "{late:?}");
    assert!(late.message().contains("is over"), "{late:?}");
    let another = update("third", &triple("first"), "Too late.");
    let another = web.post_cap(&web.live.normal, &another).await;
    another.assert_public_error(404, "NoResultFound");
    assert_eq!(web.app.complete_alerts().await.unwrap(), 1);
    assert_eq!(updates(&web, id).await, [(2, UpdateState::Withdrawn)]);
}

#[tokio::test]
async fn a_repeated_update_is_answered_the_same_whatever_became_of_it() {
    let web = TestWeb::start().await;
    let id = proposed(&web).await;
    let document = update("second", &triple("first"), NEW);
    let before = web.stored().await;
    let again = web.post_cap(&web.live.normal, &document).await;
    assert_eq!((again.status.as_u16(), again.alert()), (200, id));
    assert_eq!(web.stored().await, before);

    let other = update("second", &triple("first"), "Something else.");
    let other = web.post_cap(&web.live.normal, &other).await;
    other.assert_public_error(400, "BadRequestError");
    assert!(other.messages().contains(&id.to_string()), "{other:?}");
    let as_alert = alert("second").replace("<sent>2026-11-23T04:00", "<sent>2026-11-23T04:05");
    let as_alert = web.post_cap(&web.live.normal, &as_alert).await;
    as_alert.assert_public_error(400, "BadRequestError");

    web.change_status(id, "cancelled", web.live.approver).await;
    let after_all = web.post_cap(&web.live.normal, &document).await;
    assert_eq!((after_all.status.as_u16(), after_all.alert()), (200, id));
}

#[tokio::test]
async fn an_update_finds_its_alert_as_a_cancel_does() {
    let web = TestWeb::start().await;
    let id = live_alert(&web).await;
    let unknown = update("u1", &triple("nobody-s"), NEW);
    let unknown = web.post_cap(&web.live.normal, &unknown).await;
    unknown.assert_public_error(404, "NoResultFound");
    let elsewhere = web
        .post_cap(&web.other.normal, &update("u2", &triple("first"), NEW))
        .await;
    elsewhere.assert_public_error(404, "NoResultFound");
    let by_test_key = web
        .post_cap(&web.live.test, &update("u3", &triple("first"), NEW))
        .await;
    by_test_key.assert_public_error(403, "AuthError");
    assert_eq!(
        by_test_key.message(),
        "Cannot update a live broadcast with a test API key, or from training"
    );
    assert_eq!(updates(&web, id).await, [], "none of these left anything");

    let loose = update("u4", &triple("first").replace("04:00:00", "03:00:00"), NEW);
    let loose = web.post_cap(&web.live.normal, &loose).await;
    assert_eq!((loose.status.as_u16(), loose.alert()), (201, id));
    assert_eq!(web.log.with("alert.update_by_identifier").len(), 1);

    web.set_state(web.live.id, ServiceState::Suspended).await;
    let suspended = update("u5", &triple("first"), NEW);
    let suspended = web.post_cap(&web.live.normal, &suspended).await;
    suspended.assert_public_error(403, "AuthError");
    let cancelled = web.change_status(id, "cancelled", web.live.approver).await;
    assert_eq!(cancelled.status, 200, "a cancel still is possible");
}

#[tokio::test]
async fn an_update_of_what_waits_is_an_edit_of_it() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("first"))
        .await
        .alert();
    let edited = update("second", &triple("first"), NEW);
    let edited = web.post_cap(&web.live.normal, &edited).await;
    assert_eq!((edited.status.as_u16(), edited.alert()), (201, id));
    assert_eq!(edited.json()["content"], NEW);
    assert_eq!(edited.json()["status"], "pending-approval");
    assert_eq!(
        edited.json()["reference"],
        "first",
        "the name that people know stays"
    );
    assert_eq!(updates(&web, id).await, [(2, UpdateState::Edited)]);
    let stale = web
        .decide_update(id, "broadcasting", 1, web.live.approver)
        .await;
    assert_eq!(
        stale.status, 409,
        "who read the first version approves no other"
    );

    web.change_status(id, "returned", web.live.approver).await;
    let again = update("third", &update_triple("second"), "Come down again.");
    let again = web.post_cap(&web.live.normal, &again).await;
    assert_eq!(
        again.json()["status"],
        "pending-approval",
        "it is submitted again"
    );
    let approved = web
        .decide_update(id, "broadcasting", 3, web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    let [only] = &events(&web, id).await[..] else {
        panic!("one event")
    };
    assert_eq!(
        (only.seq, only.kind, only.text.as_str()),
        (1, Kind::Alert, "Come down again.")
    );
}

#[tokio::test]
async fn in_training_an_update_is_approved_by_its_author_and_goes_nowhere() {
    let web = TestWeb::start().await;
    let (service, author) = (web.training.id, web.training.author);
    let id = web
        .post_cap(&web.training.normal, &alert("first"))
        .await
        .alert();
    let path = status_path(service, id);
    let yes = json!({ "status": "broadcasting", "created_by": author });
    assert_eq!(web.post(&path, &yes).await.status, 200);
    let change = balefire_app::propose_update::UpdateChange {
        content: Some(NEW.to_owned()),
        areas: None,
        by: author,
    };
    web.app
        .propose_update(service, id, &change, false)
        .await
        .unwrap();
    let yes = json!({ "status": "broadcasting", "created_by": author, "version": 2 });
    let approved = web.post(&path, &yes).await;
    assert_eq!(approved.json()["content"], NEW, "{approved:?}");
    assert_eq!(events(&web, id).await, []);
}

/// An exercise of a service whose real alert is still on the air must not prepare a text for it.
#[tokio::test]
async fn an_update_made_in_training_touches_nothing_real() {
    let web = TestWeb::start().await;
    let id = live_alert(&web).await;
    let waits = web
        .post_cap(&web.live.normal, &alert("waits"))
        .await
        .alert();
    let to_training = web
        .app
        .set_service_mode(Actor::CommandLine, web.live.id, Mode::Training);
    to_training.await.unwrap();
    for (identifier, named) in [("u1", "first"), ("u2", "waits")] {
        let exercise = update(identifier, &triple(named), "Exercise: the dam broke.");
        let refused = web.post_cap(&web.live.normal, &exercise).await;
        refused.assert_public_error(403, "AuthError");
        assert!(refused.message().contains("training"), "{refused:?}");
    }
    assert_eq!(updates(&web, id).await, []);
    assert_eq!(updates(&web, waits).await, []);
    let stopped = web
        .post_cap(&web.live.normal, &cancel(&triple("first")))
        .await;
    assert_eq!(stopped.status, 201, "a cancel still is possible");
}

#[tokio::test]
async fn what_is_only_tried_is_not_logged_as_proposed() {
    let web = TestWeb::start().await;
    let id = live_alert(&web).await;
    let change = balefire_app::propose_update::UpdateChange {
        content: Some(NEW.to_owned()),
        areas: None,
        by: web.live.author,
    };
    for (is_dry_run, logged) in [(true, 0), (false, 1)] {
        let made = web.app.propose_update(web.live.id, id, &change, is_dry_run);
        assert_eq!(made.await.unwrap().update.version, 2);
        let told = web.log.with("alert.update_proposed");
        assert_eq!(told.len(), logged, "{told:?}");
    }
    let by_cap = update("second", &triple("first"), "Stay there.");
    assert_eq!(web.post_cap(&web.live.normal, &by_cap).await.status, 201);
    assert_eq!(web.log.with("alert.update_proposed").len(), 2);
}

#[tokio::test]
async fn an_update_takes_its_own_second_language_to_who_can_carry_it() {
    let web = TestWeb::start_with(|state| {
        let mut settings = Settings::clone(&state.app.settings);
        settings.profiles[0].capabilities.second_language = true;
        state.app.settings = Arc::new(settings);
    })
    .await;
    let approver = web.live.approver;
    let document = in_languages(&["en-GB", "cy-GB"]);
    let id = web.post_cap(&web.live.normal, &document).await.alert();
    web.change_status(id, "broadcasting", approver).await;
    let scope = "<scope>Public</scope>";
    let named = format!("{scope}<references>{}</references>", triple("changed"));
    let newer = document
        .replace("<identifier>changed", "<identifier>second")
        .replace("<msgType>Alert", "<msgType>Update")
        .replace(scope, &named)
        .replace("text in cy-GB", "Ewch i fyny");
    let posted = web.post_cap(&web.live.normal, &newer).await;
    assert_eq!(
        (posted.status.as_u16(), posted.alert()),
        (201, id),
        "{posted:?}"
    );
    let said = |told: &(u32, Kind, Option<Value>)| told.2.as_ref().unwrap()["second"].clone();

    // A change of the Welsh alone, too, is an update, and has a hash of its own.
    let live = web.app.find_alert(id).await.unwrap().unwrap();
    let service = web.app.load_service(web.live.id).await.unwrap().unwrap();
    let waits = web
        .app
        .load_proposal(&live, &service)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(waits.update.text, live.text);
    assert_ne!(waits.hash, web.app.content_hash(&live, &service));
    web.decide_update(id, "broadcasting", 2, approver).await;
    let told = lane(&web, id, "ee").await;
    assert_eq!(said(&told[2])["description"], "Ewch i fyny");
    assert!(said(&lane(&web, id, "o2").await[2]).is_null());
    let events = events(&web, id).await;
    assert_eq!(
        events[1].second.as_ref().map(|s| s.text.as_str()),
        Some("Ewch i fyny")
    );

    // An author's new area keeps both; a new text in one language is sent alone.
    for (version, content, want) in [(3, None, Some("Ewch i fyny")), (4, Some(NEW), None)] {
        let ring = json!([[53.1, 0.2], [53.2, 0.3], [53.1, 0.3], [53.1, 0.2]]);
        let change = balefire_app::propose_update::UpdateChange {
            content: content.map(str::to_owned),
            areas: Some(json!({ "names": [], "simple_polygons": [ring] })),
            by: web.live.author,
        };
        let made = web
            .app
            .propose_update(web.live.id, id, &change, false)
            .await;
        made.unwrap();
        let answer = web
            .decide_update(id, "broadcasting", version, approver)
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = lane(&web, id, "ee").await;
        assert_eq!(said(told.last().unwrap())["description"].as_str(), want);
        let shown = answer.json();
        assert_eq!(shown["second_language"]["content"].as_str(), want);
    }
    let history = web.app.load_history(id).await.unwrap().unwrap();
    let hashes = history
        .events
        .iter()
        .map(|e| (e.frozen_hash.as_ref(), &e.content_hash));
    assert!(hashes.clone().count() == 4 && hashes.clone().all(|(f, c)| f == Some(c)));
}
