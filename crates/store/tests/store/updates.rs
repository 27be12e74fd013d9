//! Updates of alerts: what is stored of them, what the schema refuses, and who is first.

use balefire_domain::alert::Status;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::lane::Kind;
use balefire_domain::update::UpdateState;
use balefire_store::alert_updates::AlertUpdate;
use balefire_store::alerts::{Alert, CapIdentity};
use balefire_store::{Store, StoreError, Tx};
use tokio::task::JoinSet;

use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    an_update_is_read_back_as_it_was_written_with_what_it_says,
    one_update_waits_at_a_time_and_is_ended_once,
    a_document_is_known_by_its_identity_and_finds_its_alert,
    an_update_whose_columns_contradict_its_state_is_refused,
    an_approval_and_a_cancel_at_once_never_both_have_the_update,
}

fn identity(identifier: &str) -> CapIdentity {
    CapIdentity {
        identifier: identifier.to_owned(),
        ..cap_identity()
    }
}

fn proposal(alert: AlertId, version: u32, cap: Option<CapIdentity>) -> AlertUpdate {
    AlertUpdate {
        alert_id: alert,
        version,
        service_id: SERVICE,
        is_stubbed: false,
        state: UpdateState::Open,
        created_at: T0,
        created_by: Some(AUTHOR),
        api_key_id: Some(KEY),
        content: "Stay  away".into(),
        text: "Stay away".into(),
        extra_content: Some("more".into()),
        areas: serde_json::json!({ "names": ["hill"] }),
        second: Some(second()),
        cap_event: Some("Flood".into()),
        cap,
        ended_at: None,
        ended_by: None,
        rejection_reason: None,
    }
}

/// An alert on the air, with its event.
async fn store_live_alert(store: &Store) {
    let mut tx = crate::support::begin(store).await;
    insert_people(&mut tx).await.unwrap();
    let alert = pending_alert(ALERT);
    tx.insert_alert(&alert).await.unwrap();
    let live = Alert {
        status: Status::Broadcasting,
        next_seq: 2,
        approved_at: Some(T0),
        starts_at: Some(T0),
        finishes_at: Some(T0 + seconds(3600)),
        ..alert
    };
    tx.update_alert(&live).await.unwrap();
    let event = event(event_id(1), ALERT, 1, Kind::Alert);
    tx.insert_event(&event).await.unwrap();
    tx.commit().await.unwrap();
}

async fn propose(tx: &mut Tx, update: &AlertUpdate) -> Result<(), StoreError> {
    tx.insert_alert_update(update, Some("flood-1")).await
}

async fn an_update_is_read_back_as_it_was_written_with_what_it_says(db: TestStore) {
    store_live_alert(&db.store).await;
    let full = proposal(ALERT, 2, Some(identity("u")));
    let mut tx = db.begin().await;
    assert_eq!(tx.load_open_update(ALERT).await.unwrap(), None);
    propose(&mut tx, &full).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert_eq!(
        tx.load_open_update(ALERT).await.unwrap(),
        Some(full.clone())
    );
    assert_eq!(tx.latest_version(ALERT).await.unwrap(), 2);
    assert_eq!(tx.latest_version(alert_id(9)).await.unwrap(), 0);
    let by: UserId = APPROVER;
    tx.end_update(&full, UpdateState::Rejected, Some(by), Some("no"))
        .await
        .unwrap();
    let sparse = AlertUpdate {
        created_by: None,
        api_key_id: None,
        extra_content: None,
        second: None,
        cap_event: None,
        cap: None,
        state: UpdateState::Edited,
        ended_at: Some(T0),
        ..proposal(ALERT, 3, None)
    };
    propose(&mut tx, &sparse).await.unwrap();
    tx.commit().await.unwrap();
    let rejected = AlertUpdate {
        state: UpdateState::Rejected,
        ended_at: Some(T0),
        ended_by: Some(by),
        rejection_reason: Some("no".into()),
        ..full
    };
    let mut tx = db.begin().await;
    assert_eq!(
        tx.list_updates(ALERT).await.unwrap(),
        [rejected.clone(), sparse]
    );
    let mut alert = tx.load_alert(ALERT).await.unwrap().unwrap();
    alert.take(&rejected);
    tx.update_alert(&alert).await.unwrap();
    let taken = tx.load_alert(ALERT).await.unwrap().unwrap();
    assert_eq!(taken, alert, "everything that an update changes is stored");
    assert_eq!((taken.version, taken.text.as_str()), (2, "Stay away"));
    assert_eq!(taken.cap_event.as_deref(), Some("Flood"));
}

async fn one_update_waits_at_a_time_and_is_ended_once(db: TestStore) {
    store_live_alert(&db.store).await;
    let (first, second) = (proposal(ALERT, 2, None), proposal(ALERT, 3, None));
    let mut tx = db.begin().await;
    propose(&mut tx, &first).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    let error = propose(&mut tx, &second).await.unwrap_err();
    assert!(error.is_unique_violation(), "{error}");
    drop(tx);
    let mut tx = db.begin().await;
    tx.end_update(&first, UpdateState::Replaced, None, None)
        .await
        .unwrap();
    propose(&mut tx, &second).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    let again = tx
        .end_update(&first, UpdateState::Withdrawn, None, None)
        .await;
    assert!(again.is_err(), "what has ended stays as it ended");
    drop(tx);
    let mut tx = db.begin().await;
    let open = tx.load_open_update(ALERT).await.unwrap().unwrap();
    assert_eq!(open.version, 3);
}

async fn a_document_is_known_by_its_identity_and_finds_its_alert(db: TestStore) {
    store_live_alert(&db.store).await;
    let known = identity("u");
    let mut tx = db.begin().await;
    propose(&mut tx, &proposal(ALERT, 2, Some(known.clone())))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    let found = tx.find_update_by_cap(SERVICE, &known, false).await.unwrap();
    assert_eq!(found, Some((ALERT, known.digest.clone())));
    let sent = CapIdentity {
        sent: T0,
        ..known.clone()
    };
    for (cap, is_stubbed) in [(&known, true), (&identity("other"), false), (&sent, false)] {
        let found = tx.find_update_by_cap(SERVICE, cap, is_stubbed).await;
        assert_eq!(found.unwrap(), None, "{cap:?} {is_stubbed}");
    }
    let candidates = tx.list_cancellable_alerts(SERVICE).await.unwrap();
    let [candidate] = &candidates[..] else {
        panic!("one alert")
    };
    assert_eq!(candidate.message, None);
    assert_eq!(candidate.updates.len(), 1);
    assert_eq!(candidate.updates[0].identifier, "u");
    let update = proposal(ALERT, 2, None);
    tx.end_update(&update, UpdateState::Withdrawn, None, None)
        .await
        .unwrap();
    let twice = propose(&mut tx, &proposal(ALERT, 3, Some(known))).await;
    assert!(
        twice.unwrap_err().is_unique_violation(),
        "it may be about one alert only"
    );
}

async fn an_update_whose_columns_contradict_its_state_is_refused(db: TestStore) {
    store_live_alert(&db.store).await;
    let mut tx = db.begin().await;
    propose(&mut tx, &proposal(ALERT, 2, Some(identity("u"))))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    for set in [
        "state = 'approved', ended_at = 1",
        "state = 'rejected', ended_at = 1",
        "state = 'withdrawn'",
        "ended_at = 1",
        "state = 'taken', ended_at = 1",
        "state = 'withdrawn', ended_at = 1, rejection_reason = 'no'",
        "cap_digest = NULL",
        "version = 1",
    ] {
        db.assert_refused_by_check(&format!("UPDATE alert_updates SET {set}"))
            .await;
    }
    let orphan = "UPDATE alert_updates SET version = 7";
    assert!(
        db.database.execute(orphan).await.is_err(),
        "it is a version"
    );
}

/// What an act of the race came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Approved,
    Cancelled,
    TooLate,
}

/// An approval of the update, or a cancel of the alert, as the product does them.
async fn act(store: Store, n: u32) -> Result<Came, StoreError> {
    let mut tx = store.begin("act", T0).await?;
    let mut alert = tx.lock_alert(ALERT).await?.expect("the alert exists");
    let open = tx.load_open_update(ALERT).await?;
    if alert.status != Status::Broadcasting {
        return Ok(Came::TooLate);
    }
    let seq = alert.next_seq;
    alert.next_seq += 1;
    let came = match (n % 2, open) {
        (0, None) => return Ok(Came::TooLate),
        (0, Some(update)) => {
            tx.end_update(&update, UpdateState::Approved, Some(APPROVER), None)
                .await?;
            alert.take(&update);
            let event = event(event_id(n), ALERT, seq, Kind::Update);
            tx.insert_event(&event).await?;
            Came::Approved
        }
        (_, open) => {
            if let Some(update) = open {
                tx.end_update(&update, UpdateState::Withdrawn, None, None)
                    .await?;
            }
            alert.status = Status::Cancelled;
            alert.cancelled_at = Some(T0);
            let event = event(event_id(n), ALERT, seq, Kind::Cancel);
            tx.insert_event(&event).await?;
            Came::Cancelled
        }
    };
    tx.update_alert(&alert).await?;
    tx.commit().await?;
    Ok(came)
}

async fn an_approval_and_a_cancel_at_once_never_both_have_the_update(db: TestStore) {
    store_live_alert(&db.store).await;
    let mut tx = db.begin().await;
    propose(&mut tx, &proposal(ALERT, 2, None)).await.unwrap();
    tx.commit().await.unwrap();
    let stores = [db.store.clone(), db.database.open_store().await];
    let mut tasks = JoinSet::new();
    for (n, store) in (2..22).zip(stores.iter().cycle()) {
        tasks.spawn(act(store.clone(), n));
    }
    let came = tasks.join_all().await;
    let came: Vec<Came> = came
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("losing is no error");
    let count = |what| came.iter().filter(|came| **came == what).count();
    assert_eq!(count(Came::Cancelled), 1, "{came:?}");
    let is_approved = count(Came::Approved) == 1;
    assert!(count(Came::Approved) <= 1, "{came:?}");
    let mut tx = db.begin().await;
    let events = tx.list_events(ALERT).await.unwrap();
    let kinds: Vec<Kind> = events.iter().map(|event| event.kind).collect();
    let mut want = vec![Kind::Alert, Kind::Cancel];
    if is_approved {
        want.insert(1, Kind::Update);
    }
    assert_eq!(
        kinds, want,
        "an update is approved before the cancel or never"
    );
    let ended = tx.list_updates(ALERT).await.unwrap()[0].state;
    let want = if is_approved {
        UpdateState::Approved
    } else {
        UpdateState::Withdrawn
    };
    assert_eq!(ended, want);
}
