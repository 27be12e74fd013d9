//! Transactions that meet. Nothing here waits by the clock: whoever must wait is seen waiting, or
//! the race is run with so many tasks that it happens.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use balefire_domain::alert::Status;
use balefire_domain::lane::{Effect, Kind, LaneEvent, State, step};
use balefire_domain::outcome::Outcome;
use balefire_store::alerts::Alert;
use balefire_store::lanes::LaneKey;
use balefire_store::{Store, StoreError};
use balefire_test_support::poll::poll_until;
use tokio::task::JoinSet;

use crate::samples::*;
use crate::support::{Engine, T0, TestStore, begin};

on_both_engines! {
    sec_04_of_twenty_approvals_exactly_one_succeeds,
    of_twenty_claims_of_a_lane_exactly_one_opens_an_attempt,
    who_waited_for_a_lane_sees_what_was_committed_meanwhile,
    who_waited_for_an_alert_sees_what_was_committed_meanwhile,
    message_numbers_are_never_given_twice,
    a_transaction_that_is_dropped_changes_nothing,
    a_transaction_that_is_cut_off_anywhere_is_whole_or_absent_and_wedges_nothing,
    a_reader_sees_one_instant_and_is_not_held_up_by_a_writer,
    a_reader_writes_nothing,
}

/// Stores on the same database, each with connections of its own, as processes have.
async fn two_stores(db: &TestStore) -> [Store; 2] {
    [db.store.clone(), db.database.open_store().await]
}

/// Runs `task` twenty times at once, on two stores in turn; the answers.
async fn race<T, F>(db: &TestStore, task: impl Fn(Store, u32) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let stores = two_stores(db).await;
    let mut tasks = JoinSet::new();
    for (n, store) in (1..=20).zip(stores.iter().cycle()) {
        tasks.spawn(task(store.clone(), n));
    }
    tasks.join_all().await
}

/// An approval as the product does it; false when somebody else was first.
async fn approve(store: Store, n: u32) -> Result<bool, StoreError> {
    let mut tx = store.begin("approve", T0).await?;
    let mut alert = tx.lock_alert(ALERT).await?.expect("the alert exists");
    if alert.status != Status::PendingApproval {
        return Ok(false);
    }
    let seq = alert.next_seq;
    alert.next_seq += 1;
    alert.status = Status::Broadcasting;
    alert.approved_at = Some(T0);
    alert.approved_by = Some(APPROVER);
    alert.starts_at = Some(T0);
    alert.finishes_at = Some(T0 + seconds(3600));
    tx.update_alert(&alert).await?;
    tx.insert_event(&event(event_id(n), ALERT, seq, Kind::Alert))
        .await?;
    tx.commit().await?;
    Ok(true)
}

async fn sec_04_of_twenty_approvals_exactly_one_succeeds(db: TestStore) {
    store_pending_alert(&db.store).await;
    let approved = race(&db, approve).await;
    let approved: Vec<bool> = approved
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("losing is no error");
    assert_eq!(approved.iter().filter(|won| **won).count(), 1);
    let mut tx = db.begin().await;
    assert_eq!(tx.list_events(ALERT).await.unwrap().len(), 1);
    let alert = tx.load_alert(ALERT).await.unwrap().unwrap();
    assert_eq!((alert.status, alert.next_seq), (Status::Broadcasting, 2));
}

/// The shell's first transaction; whether an attempt is to be sent.
async fn claim(store: Store, key: LaneKey, n: u32) -> Result<bool, StoreError> {
    let mut tx = store.begin("claim", T0).await?;
    let was = tx.lock_lane(&key).await?.expect("the lane exists");
    let due = LaneEvent::Due {
        attempt: attempt_id(n),
        by: INSTANCE,
    };
    let step = step(&was, due, T0, &policy());
    tx.save_lane(&key, &was, &step.lane).await?;
    tx.commit().await?;
    let is_sent = |effect: &Effect| matches!(effect, Effect::Send(_));
    Ok(step.effects.iter().any(is_sent))
}

async fn of_twenty_claims_of_a_lane_exactly_one_opens_an_attempt(db: TestStore) {
    let key = store_ready_lane(&db.store).await;
    // In the first round the connections are still being made; then the tasks meet in earnest.
    for round in 0..5 {
        let claim = |store, n| claim(store, key.clone(), 100 * round + n);
        let claimed = race(&db, claim).await;
        let claimed: Vec<bool> = claimed
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("losing is no error");
        assert_eq!(claimed.iter().filter(|won| **won).count(), 1);

        let mut tx = db.begin().await;
        let was = tx.lock_lane(&key).await.unwrap().unwrap();
        assert_eq!(was.attempts.len(), usize::try_from(round).unwrap() + 1);
        assert_eq!(was.deliveries[0].state, State::InFlight);
        let event = LaneEvent::OwnerDied {
            attempt: was.open_attempt().unwrap().id,
        };
        let is = step(&was, event, T0, &policy()).lane;
        assert_eq!(is.deliveries[0].state, State::Ready);
        tx.save_lane(&key, &was, &is).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Until somebody waits for a lock of this database. On SQLite nobody can look: there the second
/// writer has been asked for once, which is as far as it gets.
async fn someone_waits(db: &TestStore) {
    let Some(postgres) = &db.database.postgres else {
        return;
    };
    poll_until(Duration::from_secs(10), "a session waits", async || {
        let waiting = postgres.run_as_superuser(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND wait_event_type = 'Lock'",
        );
        (waiting.trim() != "0").then_some(())
    })
    .await;
}

async fn who_waited_for_a_lane_sees_what_was_committed_meanwhile(db: TestStore) {
    let key = store_ready_lane(&db.store).await;
    for store in two_stores(&db).await {
        let mut first = db.begin().await;
        let was = first.lock_lane(&key).await.unwrap().unwrap();
        let mut second = JoinSet::new();
        let waiting_key = key.clone();
        second.spawn(async move {
            let mut tx = begin(&store).await;
            tx.lock_lane(&waiting_key).await.unwrap().unwrap()
        });
        someone_waits(&db).await;
        assert!(second.try_join_next().is_none(), "it waits");
        let attempt = attempt_id(u32::try_from(was.attempts.len()).unwrap());
        let event = LaneEvent::Due {
            attempt,
            by: INSTANCE,
        };
        let is = step(&was, event, T0, &policy()).lane;
        let event = LaneEvent::Answered {
            attempt,
            outcome: Outcome::Refused,
            jitter_permille: 0,
        };
        let is = step(&is, event, T0, &policy()).lane;
        assert_ne!(is, was);
        first.save_lane(&key, &was, &open_only(&is)).await.unwrap();
        first.save_lane(&key, &open_only(&is), &is).await.unwrap();
        first.commit().await.unwrap();
        assert_eq!(second.join_all().await, [is]);
    }
}

/// The lane as it was when its last attempt had just been opened.
fn open_only(lane: &balefire_domain::lane::Lane) -> balefire_domain::lane::Lane {
    let mut lane = lane.clone();
    lane.attempts.last_mut().expect("an attempt").closed = None;
    lane.deliveries[0].state = State::InFlight;
    lane.deliveries[0].round = 1;
    lane
}

async fn who_waited_for_an_alert_sees_what_was_committed_meanwhile(db: TestStore) {
    store_pending_alert(&db.store).await;
    for (version, store) in (2..).zip(two_stores(&db).await) {
        let mut first = db.begin().await;
        let alert = first.lock_alert(ALERT).await.unwrap().unwrap();
        let mut second = JoinSet::new();
        second.spawn(async move {
            let mut tx = begin(&store).await;
            let alert = tx.lock_alert(ALERT).await.unwrap().unwrap();
            (alert.version, tx.list_editors(ALERT).await.unwrap())
        });
        someone_waits(&db).await;
        assert!(second.try_join_next().is_none(), "it waits");
        let edited = Alert { version, ..alert };
        first.update_alert(&edited).await.unwrap();
        first
            .insert_alert_version(&edited, Some(APPROVER))
            .await
            .unwrap();
        first.commit().await.unwrap();
        let seen = second.join_all().await;
        assert_eq!(seen, [(version, [AUTHOR, APPROVER].into())]);
    }
}

async fn message_numbers_are_never_given_twice(db: TestStore) {
    let numbers = race(&db, |store, n| async move {
        let mut tx = begin(&store).await;
        let number = tx.next_message_number().await.unwrap();
        // Some are given back: a gap is fine.
        if n % 4 == 0 {
            return None;
        }
        tx.commit().await.unwrap();
        Some(number)
    })
    .await;
    let kept: Vec<u32> = numbers.into_iter().flatten().collect();
    let distinct: BTreeSet<u32> = kept.iter().copied().collect();
    assert_eq!((kept.len(), distinct.len()), (15, 15), "{kept:?}");
    assert!(distinct.iter().all(|number| *number >= 1));
    let next = db.begin().await.next_message_number().await.unwrap();
    assert!(distinct.iter().all(|number| *number < next));
}

async fn a_transaction_that_is_dropped_changes_nothing(db: TestStore) {
    for _ in 0..3 {
        let mut tx = db.begin().await;
        insert_people(&mut tx).await.unwrap();
        tx.insert_alert(&bare_alert(ALERT)).await.unwrap();
        tx.next_message_number().await.unwrap();
        drop(tx);
    }
    // After an error in it, too.
    let mut tx = db.begin().await;
    tx.insert_service(&service()).await.unwrap();
    assert!(tx.insert_service(&service()).await.is_err());
    drop(tx);
    let mut tx = db.begin().await;
    assert_eq!(tx.list_services().await.unwrap(), []);
    assert_eq!(tx.next_message_number().await.unwrap(), 1);
}

/// Polls `future` until it has not been ready `pauses` times, then drops it where it stands.
async fn cut_off<T>(future: impl Future<Output = T>, mut pauses: u32) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if pauses == 0 => Poll::Ready(None),
        Poll::Pending => {
            pauses -= 1;
            Poll::Pending
        }
    })
    .await
}

async fn a_transaction_that_is_cut_off_anywhere_is_whole_or_absent_and_wedges_nothing(
    db: TestStore,
) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    let (mut number, mut was_cut_off, mut was_whole) = (0, 0, 0);
    for _sweep in 0..5 {
        for pauses in 0.. {
            number += 1;
            let alert = pending_alert(alert_id(number));
            let write = async {
                let mut tx = begin(&db.store).await;
                tx.insert_alert(&alert).await?;
                tx.lock_alert(alert.id).await?;
                let event = event(event_id(number), alert.id, 1, Kind::Alert);
                tx.insert_event(&event).await?;
                tx.commit().await
            };
            let done = cut_off(write, pauses).await;

            // The next writer gets its turn at once.
            let mut tx = begin(&db.store).await;
            tx.next_message_number().await.unwrap();
            tx.commit().await.unwrap();
            if let Some(result) = done {
                result.expect("nothing refuses it");
                let mut tx = begin(&db.store).await;
                assert_eq!(tx.load_alert(alert.id).await.unwrap(), Some(alert));
                was_whole += 1;
                break;
            }
            was_cut_off += 1;
        }
    }
    assert!(was_cut_off >= 5, "cut off {was_cut_off} times");
    let (alerts, events) = (
        db.database.count("SELECT count(*) FROM alerts").await,
        db.database.count("SELECT count(*) FROM events").await,
    );
    // One that was cut off in its commit may be there, but then with its event.
    assert_eq!(alerts, events);
    assert!((was_whole..=was_whole + was_cut_off).contains(&alerts));
}

async fn a_reader_sees_one_instant_and_is_not_held_up_by_a_writer(db: TestStore) {
    store_pending_alert(&db.store).await;
    let mut writer = db.begin().await;
    let alert = writer.lock_alert(ALERT).await.unwrap().unwrap();
    let edited = Alert {
        version: 2,
        ..alert
    };
    writer.update_alert(&edited).await.unwrap();
    writer
        .insert_alert_version(&edited, Some(APPROVER))
        .await
        .unwrap();
    let mut reader = db.store.begin_read("read", T0).await.unwrap();
    let seen = reader.load_alert(ALERT).await.unwrap().unwrap();
    assert_eq!(seen.version, 1, "what isn't committed isn't seen");
    writer.commit().await.unwrap();
    let editors = reader.list_editors(ALERT).await.unwrap();
    assert_eq!(editors, [AUTHOR].into(), "the instant of the first look");
    drop(reader);
    let mut reader = db.store.begin_read("read", T0).await.unwrap();
    let seen = reader.load_alert(ALERT).await.unwrap().unwrap();
    assert_eq!(seen.version, 2);
}

async fn a_reader_writes_nothing(db: TestStore) {
    store_pending_alert(&db.store).await;
    let mut reader = db.store.begin_read("read", T0).await.unwrap();
    let written = reader.next_message_number().await;
    assert!(written.is_err(), "{written:?}");
    drop(reader);
    // The connection is as good as before, for readers and for writers.
    let mut reader = db.store.begin_read("read", T0).await.unwrap();
    assert!(reader.load_alert(ALERT).await.unwrap().is_some());
    drop(reader);
    assert_eq!(db.begin().await.next_message_number().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_asks_to_repeat_the_transaction_on_postgres() {
    crate::support::bounded(async {
        let db = TestStore::open(Engine::Postgres).await;
        let mut tx = db.begin().await;
        insert_people(&mut tx).await.unwrap();
        for n in [1, 2] {
            tx.insert_alert(&bare_alert(alert_id(n))).await.unwrap();
        }
        tx.commit().await.unwrap();
        let (mut one, mut two) = (db.begin().await, db.begin().await);
        one.lock_alert(alert_id(1)).await.unwrap();
        two.lock_alert(alert_id(2)).await.unwrap();
        let crossed = tokio::join!(
            async {
                let locked = one.lock_alert(alert_id(2)).await;
                drop(one);
                locked
            },
            async {
                let locked = two.lock_alert(alert_id(1)).await;
                drop(two);
                locked
            }
        );
        let errors: Vec<StoreError> = [crossed.0.err(), crossed.1.err()]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(errors.len(), 1, "one of the two gives way");
        assert!(errors[0].is_transient(), "{:?}", errors[0]);
        assert!(!errors[0].is_unavailable() && !errors[0].is_unique_violation());
    })
    .await;
}
