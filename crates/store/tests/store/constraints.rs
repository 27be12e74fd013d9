//! The schema refuses what the code must never write, whoever asks.

use balefire_domain::alert::Status;
use balefire_domain::lane::Kind;
use balefire_domain::permission::Permissions;
use balefire_store::alerts::{Alert, CapIdentity};

use crate::samples::*;
use crate::support::TestStore;

on_both_engines! {
    a_second_open_attempt_in_a_lane_is_refused,
    a_delivery_whose_columns_contradict_its_state_is_refused,
    an_attempt_whose_columns_contradict_each_other_is_refused,
    an_alert_whose_columns_contradict_its_status_is_refused,
    an_alert_without_an_author_and_a_key_is_refused,
    a_document_makes_one_alert_for_real_and_one_in_training,
    words_outside_of_their_lists_are_refused,
    a_row_that_others_name_is_never_removed,
    a_person_s_address_is_taken_once,
    a_cancel_s_payload_is_stored_once,
    an_update_s_payload_is_replaced_once,
    a_row_that_balefire_never_writes_is_told_and_not_guessed_at,
}

const OPEN_FIRST: &str = "INSERT INTO attempts (id, delivery_id, alert_id, provider, seq, slot, \
    route, round, opened_at, deadline_at, drained_at, opened_by, detail) \
    SELECT 'first', d.id, d.alert_id, d.provider, d.seq, 0, 'primary/a', 1, 1, 2, 3, i.id, '' \
    FROM deliveries d CROSS JOIN instances i";
const OPEN_SECOND: &str = "INSERT INTO attempts (id, delivery_id, alert_id, provider, seq, slot, \
    route, round, opened_at, deadline_at, drained_at, opened_by, detail) \
    SELECT 'second', d.id, d.alert_id, d.provider, d.seq, 0, 'primary/b', 1, 1, 2, 3, i.id, '' \
    FROM deliveries d CROSS JOIN instances i";

async fn a_second_open_attempt_in_a_lane_is_refused(db: TestStore) {
    store_ready_lane(&db.store).await;
    let database = &db.database;
    assert_eq!(database.execute(OPEN_FIRST).await.unwrap(), 1);
    let error = database.execute(OPEN_SECOND).await.unwrap_err();
    let is_unique = error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation);
    assert!(is_unique, "{error}");

    let close = "UPDATE attempts SET closed_at = 2, outcome = 'refused'";
    assert_eq!(database.execute(close).await.unwrap(), 1);
    let opened = database.execute(OPEN_SECOND).await.unwrap();
    assert_eq!(opened, 1, "a closed attempt is no obstacle");
    let reopen = "UPDATE attempts SET closed_at = NULL, outcome = NULL WHERE id = 'first'";
    assert!(database.execute(reopen).await.is_err());
}

async fn a_delivery_whose_columns_contradict_its_state_is_refused(db: TestStore) {
    store_ready_lane(&db.store).await;
    for set in [
        "state = 'acknowledged'",
        "state = 'superseded'",
        "state = 'expired'",
        "state = 'moot', reason = 'never_sent'",
        "state = 'moot', ended_at = 1",
        "state = 'held'",
        "state = 'backoff'",
        "state = 'ready', ended_at = 1",
        "state = 'in_flight', ended_at = 1",
        "state = 'ready', reason = 'drain'",
        "state = 'acknowledged', ended_at = 1, reason = 'drain'",
        "state = 'sent'",
        "kind = 'replace'",
        "seq = 0",
        "round = 0",
        "message_number = 0",
        "message_number = 4294967296",
        "payload = NULL",
    ] {
        let sql = format!("UPDATE deliveries SET {set}");
        db.assert_refused_by_check(&sql).await;
    }
    for set in [
        "state = 'backoff', due_at = 1",
        "state = 'held', reason = 'drain', due_at = 1",
        "state = 'held', reason = 'no_route', due_at = NULL",
        "state = 'ready', reason = NULL, due_at = NULL",
        "message_number = 4294967295",
        "kind = 'cancel', payload = NULL",
        "state = 'moot', reason = 'never_sent', ended_at = 1",
    ] {
        let sql = format!("UPDATE deliveries SET {set}");
        assert_eq!(db.database.execute(&sql).await.expect(set), 1, "{set}");
    }
}

async fn an_attempt_whose_columns_contradict_each_other_is_refused(db: TestStore) {
    store_ready_lane(&db.store).await;
    db.database.execute(OPEN_FIRST).await.unwrap();
    for set in [
        "closed_at = 2",
        "outcome = 'accepted'",
        "closed_at = 2, outcome = 'perhaps'",
        "slot = 2",
        "deadline_at = 0",
        "drained_at = 1",
    ] {
        let sql = format!("UPDATE attempts SET {set}");
        db.assert_refused_by_check(&sql).await;
    }
}

async fn an_alert_whose_columns_contradict_its_status_is_refused(db: TestStore) {
    store_pending_alert(&db.store).await;
    for set in [
        "status = 'cancelled'",
        "status = 'broadcasting'",
        "status = 'broadcasting', approved_at = 1, starts_at = 1",
        "status = 'broadcasting', approved_at = 1, finishes_at = 1",
        "status = 'broadcasting', starts_at = 1, finishes_at = 1",
        "status = 'sent'",
        "version = 0",
        "next_seq = 0",
    ] {
        let sql = format!("UPDATE alerts SET {set}");
        db.assert_refused_by_check(&sql).await;
    }
    // The store's own way is no exception.
    let cancelled = Alert {
        status: Status::Cancelled,
        ..pending_alert(ALERT)
    };
    assert!(db.begin().await.update_alert(&cancelled).await.is_err());
    let stored = db.begin().await.load_alert(ALERT).await.unwrap();
    assert_eq!(stored, Some(pending_alert(ALERT)));
}

async fn an_alert_without_an_author_and_a_key_is_refused(db: TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    let nobodys = Alert {
        created_by: None,
        api_key_id: None,
        ..bare_alert(ALERT)
    };
    let error = tx.insert_alert(&nobodys).await.unwrap_err();
    assert!(!error.is_unique_violation() && !error.is_unavailable());
}

async fn a_document_makes_one_alert_for_real_and_one_in_training(db: TestStore) {
    let made = |n, is_stubbed, cap| Alert {
        is_stubbed,
        cap: Some(cap),
        ..bare_alert(alert_id(n))
    };
    let other_digest = CapIdentity {
        digest: "1".repeat(64),
        ..cap_identity()
    };
    let other_sent = CapIdentity {
        sent: crate::support::T0,
        ..cap_identity()
    };
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.insert_alert(&bare_alert(alert_id(10))).await.unwrap();
    tx.insert_alert(&bare_alert(alert_id(11))).await.unwrap();
    tx.commit().await.unwrap();
    for (alert, is_new) in [
        (made(1, false, cap_identity()), true),
        (made(2, false, cap_identity()), false),
        (made(3, false, other_digest), false),
        (made(4, true, cap_identity()), true),
        (made(5, true, cap_identity()), false),
        (made(6, false, other_sent), true),
    ] {
        let mut tx = db.begin().await;
        let inserted = tx.insert_alert(&alert).await;
        match inserted {
            Ok(()) => tx.commit().await.unwrap(),
            Err(ref error) => assert!(error.is_unique_violation(), "{error:?}"),
        }
        assert_eq!(inserted.is_ok(), is_new, "{:?}", alert.id);
    }
}

async fn words_outside_of_their_lists_are_refused(db: TestStore) {
    let key = store_ready_lane(&db.store).await;
    assert_eq!(key.provider.as_str(), "ee");
    for sql in [
        "UPDATE services SET state = 'asleep'",
        "UPDATE services SET mode = 'both'",
        "UPDATE services SET channel = 'loud'",
        "INSERT INTO service_contacts (service_id, kind, value, created_at) \
            SELECT id, 'fax', '1', 1 FROM services",
        "INSERT INTO certificate_warnings (fingerprint, days, warned_at) VALUES ('x', 2, 1)",
        "UPDATE api_keys SET kind = 'master'",
        "UPDATE api_keys SET is_revoked_by_mode = TRUE",
        "UPDATE events SET kind = 'replace'",
        "UPDATE events SET seq = 0",
        "INSERT INTO duty_items (id, kind, subject, alert_id, opened_at, closed_at) \
            SELECT 'x', 'stuck', 'x', id, 1, 2 FROM alerts",
        "INSERT INTO duty_items (id, kind, subject, alert_id, opened_at, closed_by) \
            SELECT 'x', 'stuck', 'x', id, 1, 'nobody' FROM alerts",
    ] {
        db.assert_refused_by_check(sql).await;
    }
}

async fn a_row_that_others_name_is_never_removed(db: TestStore) {
    store_ready_lane(&db.store).await;
    db.database.execute(OPEN_FIRST).await.unwrap();
    for table in [
        "services",
        "users",
        "alerts",
        "events",
        "lanes",
        "deliveries",
        "instances",
    ] {
        let sql = format!("DELETE FROM {table}");
        let error = db.database.execute(&sql).await.expect_err(&sql);
        let is_foreign = error
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation);
        assert!(is_foreign, "{sql}: {error}");
    }
    let mut tx = db.begin().await;
    let orphan = event(event_id(9), alert_id(99), 1, Kind::Alert);
    assert!(tx.insert_event(&orphan).await.is_err());
}

async fn a_person_s_address_is_taken_once(db: TestStore) {
    let mut tx = db.begin().await;
    tx.insert_user(&user(AUTHOR, "one@example.gov.uk"))
        .await
        .unwrap();
    let again = user(APPROVER, "one@example.gov.uk");
    let error = tx.insert_user(&again).await.unwrap_err();
    assert!(error.is_unique_violation(), "{error}");
    drop(tx);
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.insert_membership(AUTHOR, SERVICE, &Permissions::new())
        .await
        .unwrap();
    let again = tx
        .insert_membership(AUTHOR, SERVICE, &Permissions::new())
        .await
        .unwrap_err();
    assert!(again.is_unique_violation(), "{again}");
}

async fn a_cancel_s_payload_is_stored_once(db: TestStore) {
    let key = store_ready_lane(&db.store).await;
    let mut tx = db.begin().await;
    tx.insert_event(&event(event_id(2), ALERT, 2, Kind::Cancel))
        .await
        .unwrap();
    let cancel = delivery(delivery_id(2), 2, Kind::Cancel, crate::support::T0);
    tx.insert_delivery(&key, &cancel, &frozen(event_id(2), Kind::Cancel))
        .await
        .unwrap();
    tx.save_payload(cancel.id, "{\"n\":1}").await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    for (id, payload) in [
        (cancel.id, "{\"n\":2}"),
        (delivery_id(1), "{\"n\":2}"),
        (delivery_id(9), "{\"n\":2}"),
    ] {
        let refused = tx.save_payload(id, payload).await.unwrap_err();
        assert!(refused.to_string().contains("0 rows"), "{refused}");
    }
    let stored = tx.load_frozen(cancel.id).await.unwrap().unwrap();
    assert_eq!(stored.payload.as_deref(), Some("{\"n\":1}"));
    assert_eq!(tx.load_frozen(delivery_id(9)).await.unwrap(), None);
}

async fn an_update_s_payload_is_replaced_once(db: TestStore) {
    let key = store_ready_lane(&db.store).await;
    let mut tx = db.begin().await;
    tx.insert_event(&event(event_id(2), ALERT, 2, Kind::Update))
        .await
        .unwrap();
    let update = delivery(delivery_id(2), 2, Kind::Update, crate::support::T0);
    let stored = frozen(event_id(2), Kind::Update);
    tx.insert_delivery(&key, &update, &stored).await.unwrap();
    let was = stored.payload.as_deref().expect("it was approved");
    tx.replace_payload(update.id, was, "{\"n\":1}")
        .await
        .unwrap();
    // Neither a second time, nor an alert's, nor nobody's.
    for id in [update.id, delivery_id(1), delivery_id(9)] {
        let refused = tx.replace_payload(id, was, "{\"n\":2}").await.unwrap_err();
        assert!(refused.to_string().contains("0 rows"), "{refused}");
    }
    let stored = tx.load_frozen(update.id).await.unwrap().unwrap();
    assert_eq!(stored.payload.as_deref(), Some("{\"n\":1}"));
}

async fn a_row_that_balefire_never_writes_is_told_and_not_guessed_at(db: TestStore) {
    store_pending_alert(&db.store).await;
    for (sql, column) in [
        ("UPDATE alerts SET areas = 'Leave the valley'", "areas"),
        (
            "UPDATE alerts SET areas = '{}', version = 4294967296",
            "version",
        ),
    ] {
        db.database.execute(sql).await.expect(sql);
        let error = db.begin().await.load_alert(ALERT).await.unwrap_err();
        let balefire_store::StoreError::Inconsistency { column: told, .. } = &error else {
            panic!("{sql}: {error:?}");
        };
        assert_eq!(told, column, "{sql}");
        // It goes into the log, where no alert's text may stand.
        assert!(!error.to_string().contains("valley"), "{error}");
    }
}
