//! What is stored comes back as it was.

use balefire_domain::alert::{Mode, ServiceState, Status};
use balefire_domain::audit::{Actor, Change, Whence};
use balefire_domain::channel::Channel;
use balefire_domain::entropy::Entropy as _;
use balefire_domain::ids::{ApiKeyId, AuditEntryId, DutyItemId, PublishTaskId, ServiceId, UserId};
use balefire_domain::lane::{DutyKind, Kind};
use balefire_domain::organisation::BROADCAST_ORGANISATION;
use balefire_domain::permission::{Permission, Permissions};
use balefire_domain::time::Timestamp;
use balefire_store::alerts::{Alert, CapIdentity};
use balefire_store::api_keys::{ApiKey, KeyKind};
use balefire_store::audit_entries::AuditEntry;
use balefire_store::events::Event;
use balefire_store::publish_tasks::PublishTask;
use balefire_store::repeatable_requests::RequestKey;
use balefire_store::service_certificates::ServiceCertificate;
use balefire_store::service_contacts::{Contact, ContactKind};
use balefire_store::services::{About, Service};
use balefire_store::users::User;
use balefire_test_support::entropy::SeededEntropy;
use serde_json::json;
use uuid::Uuid;

use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    a_service_comes_back_as_it_went_in,
    a_service_s_list_takes_each_entry_once_and_is_its_own,
    a_service_s_certificates_are_its_own_and_told_of_once,
    a_person_is_found_by_id_and_by_address,
    a_request_that_names_itself_is_noted_once,
    a_task_of_the_publisher_is_heard_of_and_removed,
    a_key_comes_back_and_is_revoked_once,
    an_alert_comes_back_with_all_fields_filled_and_with_all_absent,
    everything_that_may_change_of_an_alert_is_stored,
    an_alert_is_found_by_the_identity_of_its_document,
    the_editors_of_an_alert_are_those_who_made_its_versions,
    alerts_are_listed_by_what_the_clock_and_a_cancel_need,
    events_come_back_in_order,
    a_duty_item_is_open_once_for_a_subject_and_kind,
    audit_lines_come_back_in_order_and_are_never_changed,
    an_older_route_result_never_replaces_a_newer,
    instances_are_seen_and_declared_dead,
    texts_are_kept_to_the_byte,
    coordinates_are_kept_to_the_bit,
}

/// Any text, in scripts, lengths and with characters that SQL or JSON could trip over.
pub const AWKWARD: &str =
    "It's \"flooding\" -- \\ % _ $1 ?\r\n\tLlifogydd – ŵŷ ẁ 🌊\u{feff}\u{202e}e\u{301}";

async fn a_service_comes_back_as_it_went_in(db: TestStore) {
    let bare = service();
    let full = Service {
        id: ServiceId::new(Uuid::from_u128(11)),
        name: AWKWARD.into(),
        state: ServiceState::Archived,
        mode: Mode::Training,
        channel: Channel::Government,
        providers: Some(vec![provider("o2"), provider("ee")]),
        may_broadcast: false,
        demands_signature: true,
        created_at: Timestamp::from_micros(T0.micros() + 1),
        is_set_up: false,
        about: About {
            version: 7,
            notes: Some(AWKWARD.into()),
            organisation_id: Some(BROADCAST_ORGANISATION),
            organisation_type: Some("central".into()),
            created_by: Some(AUTHOR),
            went_live_at: Some(Timestamp::from_micros(T0.micros() + 3)),
            went_live_by: Some(APPROVER),
            has_email_auth: true,
        },
    };
    let none = Service {
        id: ServiceId::new(Uuid::from_u128(12)),
        providers: Some(vec![]),
        created_at: Timestamp::from_micros(T0.micros() + 2),
        ..service()
    };
    let all = [bare, full, none];
    let mut tx = db.begin().await;
    for (id, email) in [(AUTHOR, "a@example.org"), (APPROVER, "b@example.org")] {
        tx.insert_user(&user(id, email)).await.unwrap();
    }
    for service in &all {
        tx.insert_service(service).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    assert_eq!(tx.list_services().await.unwrap(), all);
    for service in &all {
        assert_eq!(
            tx.load_service(service.id).await.unwrap().as_ref(),
            Some(service)
        );
    }
    let unknown = ServiceId::new(Uuid::from_u128(99));
    assert_eq!(tx.load_service(unknown).await.unwrap(), None);

    let changed = Service {
        id: SERVICE,
        created_at: service().created_at,
        about: About {
            created_by: None,
            ..all[1].about.clone()
        },
        ..all[1].clone()
    };
    tx.update_service(&changed).await.unwrap();
    assert_eq!(tx.load_service(SERVICE).await.unwrap(), Some(changed));
}

async fn a_service_s_list_takes_each_entry_once_and_is_its_own(db: TestStore) {
    let contact = |kind, value: &str| Contact {
        kind,
        value: value.to_owned(),
    };
    let host = contact(ContactKind::Host, "gov.uk");
    let number = contact(ContactKind::Number, "+448001234567");
    let other = Service {
        id: ServiceId::new(Uuid::from_u128(11)),
        ..service()
    };
    let mut tx = db.begin().await;
    tx.insert_service(&service()).await.unwrap();
    tx.insert_service(&other).await.unwrap();
    for (entry, is_new) in [(&number, true), (&host, true), (&number, false)] {
        assert_eq!(tx.insert_contact(SERVICE, entry).await.unwrap(), is_new);
    }
    assert!(tx.insert_contact(other.id, &host).await.unwrap());
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let list = tx.list_contacts(SERVICE).await.unwrap();
    assert_eq!(list, [host.clone(), number.clone()]);
    assert!(tx.delete_contact(SERVICE, &host).await.unwrap());
    assert!(!tx.delete_contact(SERVICE, &host).await.unwrap());
    assert_eq!(tx.list_contacts(SERVICE).await.unwrap(), [number]);
    assert_eq!(tx.list_contacts(other.id).await.unwrap(), [host]);
}

async fn a_service_s_certificates_are_its_own_and_told_of_once(db: TestStore) {
    let certificate = |service_id, name: &str, until: i64| ServiceCertificate {
        service_id,
        fingerprint: name.repeat(64),
        pem: AWKWARD.to_owned(),
        valid_until: Timestamp::from_micros(T0.micros() + until),
    };
    let other = Service {
        id: ServiceId::new(Uuid::from_u128(11)),
        ..service()
    };
    let (a, b) = (certificate(SERVICE, "a", 20), certificate(SERVICE, "b", 10));
    let c = certificate(other.id, "a", 20);
    let mut tx = db.begin().await;
    tx.insert_service(&service()).await.unwrap();
    tx.insert_service(&other).await.unwrap();
    for (row, is_new) in [(&a, true), (&b, true), (&a, false), (&c, true)] {
        assert_eq!(tx.insert_service_certificate(row).await.unwrap(), is_new);
    }
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let listed = tx.list_service_certificates(SERVICE).await.unwrap();
    assert_eq!(listed, [a.clone(), b.clone()]);
    let before = Timestamp::from_micros(T0.micros() + 19);
    let ending = tx.list_ending_certificates(before, 10).await.unwrap();
    assert_eq!(ending, std::slice::from_ref(&b));
    let after = Timestamp::from_micros(T0.micros() + 20);
    assert_eq!(
        tx.list_ending_certificates(after, 2).await.unwrap().len(),
        2
    );
    let name = &a.fingerprint;
    assert!(!tx.was_warned_of(name, 7).await.unwrap());
    assert!(tx.note_certificate_warning(name, 7).await.unwrap());
    assert!(!tx.note_certificate_warning(name, 7).await.unwrap());
    assert!(tx.was_warned_of(name, 7).await.unwrap());
    assert!(!tx.was_warned_of(name, 1).await.unwrap());
    assert!(tx.delete_service_certificate(SERVICE, name).await.unwrap());
    assert!(!tx.delete_service_certificate(SERVICE, name).await.unwrap());
    assert_eq!(tx.list_service_certificates(SERVICE).await.unwrap(), [b]);
    assert_eq!(tx.list_service_certificates(other.id).await.unwrap(), [c]);
}

async fn a_request_that_names_itself_is_noted_once(db: TestStore) {
    store_pending_alert(&db.store).await;
    let request = RequestKey {
        caller: "POST /service/x".to_owned(),
        key: AWKWARD.to_owned(),
        digest: "d".to_owned(),
    };
    let mut tx = db.begin().await;
    tx.insert_repeatable_request(&request, ALERT).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let found = tx.load_repeatable_request(&request.caller, AWKWARD).await;
    assert_eq!(found.unwrap(), Some(("d".to_owned(), ALERT)));
    let elsewhere = tx.load_repeatable_request("POST /service/y", AWKWARD).await;
    assert_eq!(elsewhere.unwrap(), None);
    let again = tx.insert_repeatable_request(&request, ALERT).await;
    assert!(again.unwrap_err().is_unique_violation());
    drop(tx);

    let mut late = db
        .store
        .begin("test", T0 + seconds(8 * 86_400))
        .await
        .unwrap();
    let found = late.load_repeatable_request(&request.caller, AWKWARD).await;
    assert_eq!(found.unwrap(), None, "after a week it is forgotten");
    let anew = late.insert_repeatable_request(&request, ALERT).await;
    anew.unwrap();
}

async fn a_task_of_the_publisher_is_heard_of_and_removed(db: TestStore) {
    let id = PublishTaskId::new(Uuid::from_u128(7));
    let mut tx = db.begin().await;
    assert!(!tx.finish_publish_task(id).await.unwrap());
    assert!(!tx.save_published_file(id, "x").await.unwrap());
    tx.insert_publish_task(id, AWKWARD).await.unwrap();
    assert_eq!(tx.list_open_publish_tasks(10).await.unwrap().len(), 1);
    assert_eq!(tx.list_open_publish_tasks(0).await.unwrap().len(), 0);
    assert!(tx.save_published_file(id, "alerts/index").await.unwrap());
    tx.commit().await.unwrap();

    let later = T0 + seconds(60);
    let mut tx = db.store.begin("test", later).await.unwrap();
    assert!(tx.finish_publish_task(id).await.unwrap());
    let task = tx.load_publish_task(id).await.unwrap().unwrap();
    let want = PublishTask {
        id,
        task_id: AWKWARD.to_owned(),
        last_file: Some("alerts/index".to_owned()),
        started_at: T0,
        active_at: later,
        finished_at: Some(later),
    };
    assert_eq!(task, want);
    assert_eq!(tx.list_open_publish_tasks(10).await.unwrap(), []);
    assert_eq!(tx.delete_publish_tasks(T0).await.unwrap(), 0);
    assert_eq!(tx.delete_publish_tasks(later).await.unwrap(), 1);
    assert_eq!(tx.load_publish_task(id).await.unwrap(), None);
}

async fn a_person_is_found_by_id_and_by_address(db: TestStore) {
    let person = User {
        is_platform_admin: true,
        name: AWKWARD.into(),
        ..user(AUTHOR, "a.uthor+1@example.gov.uk")
    };
    let mut tx = db.begin().await;
    tx.insert_service(&service()).await.unwrap();
    tx.insert_user(&person).await.unwrap();
    assert!(!tx.is_member(AUTHOR, SERVICE).await.unwrap());
    let may: Permissions = [Permission::ApproveBroadcasts, Permission::ManageUsers].into();
    tx.insert_membership(AUTHOR, SERVICE, &may).await.unwrap();
    let kept = tx.load_permissions(AUTHOR, SERVICE).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&may));
    assert!(
        tx.set_permissions(AUTHOR, SERVICE, &Permissions::new())
            .await
            .unwrap()
    );
    let standing = tx.load_standing(AUTHOR, SERVICE).await.unwrap().unwrap();
    assert_eq!(standing.permissions, Some(Permissions::new()));
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let by_address = tx.load_user_by_email("a.uthor+1@example.gov.uk").await;
    assert_eq!(by_address.unwrap().as_ref(), Some(&person));
    assert_eq!(tx.load_user(AUTHOR).await.unwrap(), Some(person));
    assert_eq!(tx.load_user(APPROVER).await.unwrap(), None);
    let nobody = tx.load_user_by_email("nobody@example.gov.uk").await;
    assert_eq!(nobody.unwrap(), None);
    assert!(tx.is_member(AUTHOR, SERVICE).await.unwrap());
    assert!(!tx.is_member(APPROVER, SERVICE).await.unwrap());
    let elsewhere = ServiceId::new(Uuid::from_u128(99));
    assert!(!tx.is_member(AUTHOR, elsewhere).await.unwrap());
}

async fn a_key_comes_back_and_is_revoked_once(db: TestStore) {
    let key = |n: u128, kind| ApiKey {
        id: ApiKeyId::new(Uuid::from_u128(n)),
        kind,
        created_at: Timestamp::from_micros(T0.micros() + i64::try_from(n).unwrap()),
        ..api_key()
    };
    let mut keys = vec![
        key(21, KeyKind::Normal),
        key(22, KeyKind::Test),
        ApiKey {
            revoked_at: Some(T0 + seconds(1)),
            is_revoked_by_mode: true,
            ..key(23, KeyKind::Team)
        },
    ];
    let mut tx = db.begin().await;
    tx.insert_service(&service()).await.unwrap();
    for key in &keys {
        tx.insert_api_key(key).await.unwrap();
    }
    tx.commit().await.unwrap();

    let later = T0 + seconds(5);
    let mut tx = db.store.begin("revoke", later).await.unwrap();
    assert_eq!(tx.list_api_keys(SERVICE).await.unwrap(), keys);
    assert!(tx.revoke_api_key(keys[0].id).await.unwrap());
    assert!(
        !tx.revoke_api_key(keys[0].id).await.unwrap(),
        "revoked before"
    );
    assert!(!tx.revoke_api_key(keys[2].id).await.unwrap());
    keys[0].revoked_at = Some(later);
    keys[0].updated_at = Some(later);
    keys[0].version = 2;
    assert_eq!(tx.list_api_keys(SERVICE).await.unwrap(), keys);
    let loaded = tx.load_api_key(keys[0].id).await.unwrap();
    assert_eq!(loaded.as_ref(), Some(&keys[0]));
    assert_eq!(tx.load_api_key(KEY).await.unwrap(), None);
}

/// An alert with every field filled, each with a value of its own.
fn full_alert(n: u32) -> Alert {
    let at = |offset| Some(T0 + seconds(offset));
    Alert {
        status: Status::Cancelled,
        is_stubbed: true,
        version: u32::MAX,
        next_seq: u32::MAX - 1,
        reference: Some("reference".into()),
        content: AWKWARD.into(),
        text: "text".into(),
        extra_content: Some("extra".into()),
        second: Some(second()),
        areas: json!({ "names": ["a", "ŵ"], "simple_polygons": [[[51.5, -0.123_456_789]]] }),
        duration_us: Some(i64::MAX),
        starts_at: at(1),
        finishes_at: at(2),
        cap_event: Some("event".into()),
        cap: Some(cap_identity()),
        updated_at: at(3),
        submitted_at: at(4),
        approved_at: at(5),
        cancelled_at: at(6),
        rejected_at: at(7),
        updated_by: Some(UserId::new(Uuid::from_u128(31))),
        submitted_by: Some(UserId::new(Uuid::from_u128(32))),
        approved_by: Some(UserId::new(Uuid::from_u128(33))),
        cancelled_by: Some(UserId::new(Uuid::from_u128(34))),
        rejected_by: Some(UserId::new(Uuid::from_u128(35))),
        api_key_id: Some(KEY),
        cancelled_by_api_key_id: Some(ApiKeyId::new(Uuid::from_u128(36))),
        rejected_by_api_key_id: Some(ApiKeyId::new(Uuid::from_u128(37))),
        rejection_reason: Some("reason".into()),
        ..bare_alert(alert_id(n))
    }
}

/// The people and keys that [`full_alert`] names.
async fn insert_named_people(tx: &mut balefire_store::Tx) {
    insert_people(tx).await.unwrap();
    for n in 31..=35_u128 {
        let person = user(
            UserId::new(Uuid::from_u128(n)),
            &format!("p{n}@example.gov.uk"),
        );
        tx.insert_user(&person).await.unwrap();
    }
    for n in 36..=37_u128 {
        let id = ApiKeyId::new(Uuid::from_u128(n));
        tx.insert_api_key(&ApiKey { id, ..api_key() })
            .await
            .unwrap();
    }
}

async fn an_alert_comes_back_with_all_fields_filled_and_with_all_absent(db: TestStore) {
    let bare = bare_alert(alert_id(1));
    let by_key = Alert {
        created_by: None,
        api_key_id: Some(KEY),
        created_at: T0 + seconds(1),
        ..bare_alert(alert_id(2))
    };
    let full = Alert {
        created_at: T0 + seconds(2),
        ..full_alert(3)
    };
    let mut tx = db.begin().await;
    insert_named_people(&mut tx).await;
    for alert in [&bare, &by_key, &full] {
        tx.insert_alert(alert).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    for alert in [&bare, &by_key, &full] {
        assert_eq!(tx.load_alert(alert.id).await.unwrap().as_ref(), Some(alert));
        assert_eq!(tx.lock_alert(alert.id).await.unwrap().as_ref(), Some(alert));
    }
    assert_eq!(
        tx.list_alerts(SERVICE).await.unwrap(),
        [bare, by_key, full],
        "oldest first"
    );
    assert_eq!(tx.load_alert(alert_id(9)).await.unwrap(), None);
    assert_eq!(tx.lock_alert(alert_id(9)).await.unwrap(), None);
}

async fn everything_that_may_change_of_an_alert_is_stored(db: TestStore) {
    let full = full_alert(1);
    // Filled, then emptied again, as when a rejected alert goes back to draft.
    let emptied = Alert {
        is_stubbed: true,
        cap: full.cap.clone(),
        cap_event: full.cap_event.clone(),
        api_key_id: full.api_key_id,
        ..bare_alert(full.id)
    };
    let mut tx = db.begin().await;
    insert_named_people(&mut tx).await;
    tx.insert_alert(&emptied).await.unwrap();
    for alert in [&full, &emptied] {
        tx.update_alert(alert).await.unwrap();
        let loaded = tx.load_alert(alert.id).await.unwrap();
        assert_eq!(loaded.as_ref(), Some(alert));
    }
    for status in Status::ALL {
        let alert = Alert {
            status,
            ..full.clone()
        };
        tx.update_alert(&alert).await.unwrap();
        assert_eq!(tx.load_alert(alert.id).await.unwrap(), Some(alert));
    }
    let unknown = bare_alert(alert_id(9));
    let error = tx.update_alert(&unknown).await.unwrap_err();
    assert!(error.to_string().contains("0 rows"), "{error}");
}

async fn an_alert_is_found_by_the_identity_of_its_document(db: TestStore) {
    let alert = Alert {
        cap: Some(cap_identity()),
        ..bare_alert(ALERT)
    };
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.insert_alert(&alert).await.unwrap();
    let same = cap_identity();
    let found = tx.load_alert_by_cap(SERVICE, &same, false).await.unwrap();
    assert_eq!(found, Some(alert));

    // The digest is no part of the identity: it tells a repetition from a contradiction.
    let other_digest = CapIdentity {
        digest: "1".repeat(64),
        ..cap_identity()
    };
    let found = tx.load_alert_by_cap(SERVICE, &other_digest, false).await;
    assert_eq!(found.unwrap().map(|alert| alert.id), Some(ALERT));

    let elsewhere = ServiceId::new(Uuid::from_u128(99));
    let others = [
        (elsewhere, cap_identity(), false),
        (SERVICE, cap_identity(), true),
        (
            SERVICE,
            CapIdentity {
                sender: "other".into(),
                ..cap_identity()
            },
            false,
        ),
        (
            SERVICE,
            CapIdentity {
                identifier: "other".into(),
                ..cap_identity()
            },
            false,
        ),
        (
            SERVICE,
            CapIdentity {
                sent: T0,
                ..cap_identity()
            },
            false,
        ),
    ];
    for (service, cap, is_stubbed) in others {
        let found = tx.load_alert_by_cap(service, &cap, is_stubbed).await;
        assert_eq!(found.unwrap(), None, "{service} {cap:?} {is_stubbed}");
    }
}

async fn the_editors_of_an_alert_are_those_who_made_its_versions(db: TestStore) {
    let mut alert = bare_alert(ALERT);
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.insert_alert(&alert).await.unwrap();
    assert_eq!(tx.list_editors(ALERT).await.unwrap(), [AUTHOR].into());
    for (version, editor) in [(2, Some(AUTHOR)), (3, None), (4, Some(APPROVER))] {
        alert.version = version;
        tx.insert_alert_version(&alert, editor).await.unwrap();
    }
    let editors = tx.list_editors(ALERT).await.unwrap();
    assert_eq!(editors, [AUTHOR, APPROVER].into());
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let again = tx.insert_alert_version(&alert, None).await.unwrap_err();
    assert!(again.is_unique_violation(), "a version is written once");
}

async fn alerts_are_listed_by_what_the_clock_and_a_cancel_need(db: TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    for (n, status) in (1..).zip(Status::ALL) {
        let alert = Alert {
            created_at: T0 + seconds(u64::from(n)),
            ..bare_alert(alert_id(n))
        };
        tx.insert_alert(&alert).await.unwrap();
        let moved = Alert {
            status,
            approved_at: Some(T0),
            cancelled_at: Some(T0),
            starts_at: Some(T0),
            finishes_at: Some(T0 + seconds(100)),
            ..alert
        };
        tx.update_alert(&moved).await.unwrap();
    }
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let cancellable = tx.list_cancellable_alerts(SERVICE).await.unwrap();
    let statuses: Vec<Status> = cancellable.iter().map(|alert| alert.status).collect();
    let want: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|status| status.after_cap_cancel().is_some())
        .collect();
    assert_eq!(statuses, want, "SQL and the rules list the same states");
    assert!(tx.has_broadcasting_alert(SERVICE).await.unwrap());
    let elsewhere = ServiceId::new(Uuid::from_u128(99));
    assert!(!tx.has_broadcasting_alert(elsewhere).await.unwrap());

    let broadcasting = alert_id(4);
    for (now, want) in [
        (T0 + seconds(99), vec![]),
        (T0 + seconds(100), vec![broadcasting]),
        (T0 + seconds(101), vec![broadcasting]),
    ] {
        tx.now = now;
        assert_eq!(tx.list_alerts_over(10).await.unwrap(), want, "{now}");
    }
    assert_eq!(tx.list_alerts_over(0).await.unwrap(), []);
}

async fn events_come_back_in_order(db: TestStore) {
    store_pending_alert(&db.store).await;
    let first = Event {
        areas: json!({ "names": ["ŵ"], "simple_polygons": [[[51.5, -0.123_456_789]]] }),
        text: AWKWARD.into(),
        channel: Channel::Government,
        ..event(event_id(1), ALERT, 1, Kind::Alert)
    };
    let second = event(event_id(2), ALERT, 2, Kind::Cancel);
    let mut tx = db.begin().await;
    tx.insert_event(&second).await.unwrap();
    tx.insert_event(&first).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert_eq!(tx.list_events(ALERT).await.unwrap(), [first, second]);
    assert_eq!(tx.list_events(alert_id(9)).await.unwrap(), []);
    let again = event(event_id(3), ALERT, 2, Kind::Cancel);
    let error = tx.insert_event(&again).await.unwrap_err();
    assert!(error.is_unique_violation(), "a seq is given once: {error}");
}

async fn a_duty_item_is_open_once_for_a_subject_and_kind(db: TestStore) {
    store_pending_alert(&db.store).await;
    let id = |n: u128| DutyItemId::new(Uuid::from_u128(n));
    let mut tx = db.begin().await;
    for (n, kind, subject, provider, is_new) in [
        (1, DutyKind::Stuck, "delivery 1", Some("ee"), true),
        (2, DutyKind::Stuck, "delivery 1", Some("ee"), false),
        (3, DutyKind::Unroutable, "delivery 1", None, true),
        (4, DutyKind::Stuck, "delivery 2", None, true),
        (5, DutyKind::CancelUnanswered, "delivery 1", None, true),
    ] {
        let opened = tx.open_duty_item(id(n), kind, subject, Some(ALERT), provider);
        assert_eq!(opened.await.unwrap(), is_new, "item {n}");
    }
    let item = &tx.list_duty_items(ALERT).await.unwrap()[0];
    assert_eq!(item.id, id(1));
    assert_eq!((&*item.kind, &*item.subject), ("stuck", "delivery 1"));
    assert_eq!(item.provider.as_deref(), Some("ee"));
    assert_eq!((item.opened_at, item.closed_at), (T0, None));
    assert_eq!(tx.list_open_duty_items(3).await.unwrap().len(), 3);
    tx.commit().await.unwrap();

    let mut tx = db.store.begin("close", T0 + seconds(9)).await.unwrap();
    tx.close_answered_duty_items("delivery 1", "delivery 1 was acknowledged")
        .await
        .unwrap();
    let open = tx.list_open_duty_items(10).await.unwrap();
    let open: Vec<_> = open.into_iter().map(|item| item.id).collect();
    assert_eq!(open, [id(4), id(5)], "what needs a person stays open");
    let reopened = tx.open_duty_item(id(6), DutyKind::Stuck, "delivery 1", Some(ALERT), None);
    assert!(reopened.await.unwrap(), "a closed item is no obstacle");
    let items = tx.list_duty_items(ALERT).await.unwrap();
    let closed: Vec<_> = items.iter().map(|item| (item.id, item.closed_at)).collect();
    let at = Some(T0 + seconds(9));
    let want = [
        (id(1), at),
        (id(3), at),
        (id(4), None),
        (id(5), None),
        (id(6), None),
    ];
    assert_eq!(closed, want, "an alert's items stay on record");
}

async fn audit_lines_come_back_in_order_and_are_never_changed(db: TestStore) {
    let entry = |n: u128, actor, service_id| AuditEntry {
        id: AuditEntryId::new(Uuid::from_u128(n)),
        actor,
        action: "alert.approve",
        object: format!("alert {ALERT}"),
        service_id,
        details: json!({ "version": 2, "note": AWKWARD }),
        change: Change::NONE,
        whence: Whence::default(),
        refusal: None,
    };
    let actors = [
        Actor::User(AUTHOR),
        Actor::ApiKey(KEY),
        Actor::CommandLine,
        Actor::Clock,
    ];
    for (n, actor) in (1..).zip(actors) {
        let mut tx = db.begin().await;
        tx.now = T0 + seconds(u64::try_from(n).unwrap());
        let service = (n == 1).then_some(SERVICE);
        tx.insert_audit_entry(&entry(n, actor, service))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let lines = async || db.begin().await.list_audit_entries(10).await.unwrap();
    let stored = lines().await;
    let told: Vec<_> = stored.iter().map(|line| (line.at, &*line.actor)).collect();
    let described: Vec<_> = actors.into_iter().map(Actor::describe).collect();
    let want: Vec<_> = (1..).map(|n| T0 + seconds(n)).zip(&described).collect();
    assert!(
        told.iter()
            .zip(&want)
            .all(|(a, b)| a.0 == b.0 && a.1 == b.1)
    );
    assert_eq!(told.len(), actors.len());
    assert_eq!(stored[0].action, "alert.approve");
    assert_eq!(stored[0].object, format!("alert {ALERT}"));
    assert_eq!(stored[0].details, json!({ "version": 2, "note": AWKWARD }));
    assert_eq!(
        db.begin().await.list_audit_entries(2).await.unwrap().len(),
        2
    );

    for sql in [
        "UPDATE audit_entries SET actor = 'nobody'",
        "UPDATE audit_entries SET actor = 'nobody' WHERE object = 'no such object'",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE action = 'alert.approve'",
    ] {
        // SQLite's triggers look at rows, so a change of no row is nothing to refuse there.
        let changed = db.database.execute(sql).await;
        assert!(
            !matches!(changed, Ok(1..)),
            "{sql} changed {changed:?} rows"
        );
    }
    for sql in [
        "UPDATE audit_entries SET actor = 'nobody'",
        "DELETE FROM audit_entries",
    ] {
        let error = db.database.execute(sql).await.expect_err(sql).to_string();
        assert!(error.contains("audit entries are never"), "{sql}: {error}");
    }
    assert_eq!(lines().await, stored);
}

async fn an_older_route_result_never_replaces_a_newer(db: TestStore) {
    let mut tx = db.begin().await;
    for (offset, is_good, want_good) in [
        (10, false, false),
        (20, true, true),
        (15, false, true),
        (20, false, false),
        (19, true, false),
        (21, true, true),
    ] {
        tx.now = T0 + seconds(offset);
        tx.save_route_result("ee", "primary/a", is_good, &format!("at {offset}"))
            .await
            .unwrap();
        let known = tx.list_route_results().await.unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].is_good, want_good, "after {offset}: {known:?}");
    }
    tx.save_route_result("ee", "primary/b", false, "no answer")
        .await
        .unwrap();
    tx.save_route_result("o2", "primary/a", false, AWKWARD)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let known = tx.list_route_results().await.unwrap();
    let names: Vec<_> = known.iter().map(|r| (&*r.provider, &*r.route)).collect();
    let want = [
        ("ee", "primary/a"),
        ("ee", "primary/b"),
        ("o2", "primary/a"),
    ];
    assert_eq!(names, want);
    assert_eq!(
        (known[0].at, &*known[0].detail),
        (T0 + seconds(21), "at 21")
    );
    assert_eq!(known[2].detail, AWKWARD);
    for (provider, failing) in [("ee", vec!["primary/b"]), ("three", vec![])] {
        let want = failing.into_iter().map(str::to_owned).collect();
        assert_eq!(
            tx.load_conditions(&balefire_domain::provider::ProviderName::new(provider).unwrap())
                .await
                .unwrap()
                .failing,
            want
        );
    }
}

async fn instances_are_seen_and_declared_dead(db: TestStore) {
    let id = |n: u128| balefire_domain::ids::InstanceId::new(Uuid::from_u128(n));
    let mut tx = db.begin().await;
    assert_eq!(tx.insert_instance(id(1), "a").await.unwrap(), 0);
    assert_eq!(tx.insert_instance(id(2), "b").await.unwrap(), 0);
    assert_eq!(tx.insert_instance(id(3), "a").await.unwrap(), 1);
    assert!(!tx.see_instance(id(1)).await.unwrap(), "its name was taken");
    tx.now = T0 + seconds(20);
    assert!(tx.see_instance(id(3)).await.unwrap());
    let ended = tx.end_unseen_instances(T0 + seconds(5)).await.unwrap();
    assert_eq!(ended, 1, "b was not seen");
    assert_eq!(tx.list_living_instances().await.unwrap(), ["a"]);
    assert!(!tx.see_instance(id(2)).await.unwrap());
    tx.end_instance(id(3)).await.unwrap();
    tx.end_instance(id(3)).await.unwrap();
    assert_eq!(tx.list_living_instances().await.unwrap(), [""; 0]);
    assert!(!tx.see_instance(id(9)).await.unwrap(), "never entered");
}

async fn texts_are_kept_to_the_byte(db: TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    let long = "ŵ".repeat(100_000);
    for (n, text) in (1..).zip([" ", "\n", "12", "1e5", "null", "{}", AWKWARD, &long]) {
        let alert = Alert {
            content: text.to_owned(),
            text: text.to_owned(),
            reference: Some(text.to_owned()),
            ..bare_alert(alert_id(n))
        };
        tx.insert_alert(&alert).await.unwrap();
        let loaded = tx.load_alert(alert.id).await.unwrap();
        assert_eq!(loaded, Some(alert));
    }
    let far = Alert {
        created_at: Timestamp::from_micros(i64::MIN),
        starts_at: Some(Timestamp::from_micros(i64::MAX)),
        duration_us: Some(i64::MIN),
        ..bare_alert(ALERT)
    };
    tx.insert_alert(&far).await.unwrap();
    assert_eq!(tx.load_alert(ALERT).await.unwrap(), Some(far));
}

async fn coordinates_are_kept_to_the_bit(db: TestStore) {
    // What is approved is hashed: a coordinate that drifts in storage is another alert.
    let entropy = SeededEntropy::new(1);
    let degrees = |max: f64| {
        let bits = u32::try_from(entropy.random() & 0xFFFF_FFFF).unwrap();
        let fine = u32::try_from(entropy.random() & 0xFFFF_FFFF).unwrap();
        max * (f64::from(bits) + f64::from(fine) / 4_294_967_296.0) / 4_294_967_296.0
    };
    let ring: Vec<[f64; 2]> = (0..2000)
        .map(|_| [degrees(90.0), -degrees(180.0)])
        .collect();
    let alert = Alert {
        areas: json!({ "simple_polygons": [ring] }),
        ..bare_alert(ALERT)
    };
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.insert_alert(&alert).await.unwrap();
    let loaded = tx.load_alert(ALERT).await.unwrap().unwrap();
    let drifted = ring
        .iter()
        .zip(loaded.areas["simple_polygons"][0].as_array().unwrap())
        .filter(|(was, is)| json!(was) != **is)
        .count();
    assert_eq!(drifted, 0, "of {} points", ring.len());
}
