//! The queue of side effects: each job once, one worker at a time, and every duty item paged.

use std::collections::BTreeSet;

use balefire_domain::ids::{DutyItemId, InstanceId};
use balefire_domain::job::{Job, JobKind};
use balefire_domain::lane::{DutyKind, Effect};
use balefire_domain::limits::JOB_LEASE;
use balefire_domain::time::Timestamp;
use balefire_store::{Store, Tx};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::samples::*;
use crate::support::{Engine, T0, TestStore, bounded};

on_both_engines! {
    a_job_is_enqueued_once,
    a_job_is_one_worker_s_until_its_lease_ends,
    a_worker_that_lost_its_job_stores_nothing,
    workers_that_take_at_once_share_the_jobs,
    what_another_version_wrote_holds_up_nothing,
    no_item_opens_without_its_page_and_none_closes_without_its_end,
}

const ONE: InstanceId = InstanceId::new(Uuid::from_u128(0x11));
const TWO: InstanceId = InstanceId::new(Uuid::from_u128(0x22));

fn item(n: u128) -> DutyItemId {
    DutyItemId::new(Uuid::from_u128(n))
}

fn page(n: u128) -> Job {
    Job::Page {
        duty_item_id: item(n),
    }
}

async fn enqueue(store: &Store, jobs: impl IntoIterator<Item = Job>) {
    let mut tx = crate::support::begin(store).await;
    for job in jobs {
        assert!(tx.enqueue_job(&job).await.unwrap());
    }
    tx.commit().await.unwrap();
}

async fn at(db: &TestStore, now: Timestamp) -> Tx {
    db.store.begin("test", now).await.unwrap()
}

async fn a_job_is_enqueued_once(db: TestStore) {
    let mut tx = db.begin().await;
    assert!(tx.enqueue_job(&page(1)).await.unwrap());
    assert!(!tx.enqueue_job(&page(1)).await.unwrap());
    drop(tx);
    let mut tx = db.begin().await;
    let absent = tx.load_job_state(&page(1).key()).await.unwrap();
    assert_eq!(absent, None, "it goes with its transaction");
    assert!(tx.enqueue_job(&page(1)).await.unwrap());
    let claimed = tx.claim_jobs(JobKind::Page, ONE, 9, JOB_LEASE).await;
    let claimed = claimed.unwrap();
    assert!(tx.finish_job(&claimed[0], Some("7")).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert!(
        !tx.enqueue_job(&page(1)).await.unwrap(),
        "nor when it is done"
    );
    let state = tx.load_job_state(&page(1).key()).await.unwrap().unwrap();
    assert_eq!(
        (state.done_at, state.result.as_deref()),
        (Some(T0), Some("7"))
    );
}

async fn a_job_is_one_worker_s_until_its_lease_ends(db: TestStore) {
    enqueue(&db.store, [page(1), page(2)]).await;
    let mut tx = db.begin().await;
    assert_eq!(tx.list_due_job_kinds().await.unwrap(), [JobKind::Page]);
    let first = tx
        .claim_jobs(JobKind::Page, ONE, 1, JOB_LEASE)
        .await
        .unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].job, Some(page(1)));
    assert_eq!((first[0].tries, first[0].failures), (1, 0));
    assert_eq!(first[0].lease_ends_at, T0 + JOB_LEASE);
    let second = tx
        .claim_jobs(JobKind::Page, TWO, 9, JOB_LEASE)
        .await
        .unwrap();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].job, Some(page(2)));
    tx.commit().await.unwrap();

    let mut tx = at(&db, T0 + JOB_LEASE - seconds(1)).await;
    assert_eq!(tx.list_due_job_kinds().await.unwrap(), []);
    assert!(
        tx.claim_jobs(JobKind::Page, TWO, 9, JOB_LEASE)
            .await
            .unwrap()
            .is_empty()
    );
    drop(tx);
    let mut tx = at(&db, T0 + JOB_LEASE).await;
    assert!(
        tx.claim_jobs(JobKind::Ticket, TWO, 9, JOB_LEASE)
            .await
            .unwrap()
            .is_empty()
    );
    let again = tx
        .claim_jobs(JobKind::Page, TWO, 9, JOB_LEASE)
        .await
        .unwrap();
    let tries: Vec<_> = again.iter().map(|job| (job.owner, job.tries)).collect();
    assert_eq!(tries, [(TWO, 2), (TWO, 2)]);
}

/// It woke after its lease; somebody else has the job, or had it.
async fn a_worker_that_lost_its_job_stores_nothing(db: TestStore) {
    enqueue(&db.store, [page(1)]).await;
    let mut tx = db.begin().await;
    let stale = tx
        .claim_jobs(JobKind::Page, ONE, 9, JOB_LEASE)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let later = T0 + JOB_LEASE;
    let mut tx = at(&db, later).await;
    let fresh = tx
        .claim_jobs(JobKind::Page, ONE, 9, JOB_LEASE)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut tx = at(&db, later).await;
    let before = tx.load_job_state(&page(1).key()).await.unwrap();
    assert!(!tx.finish_job(&stale[0], Some("stale")).await.unwrap());
    assert!(!tx.put_off_job(&stale[0], later).await.unwrap());
    assert!(!tx.fail_job(&stale[0], later, "stale").await.unwrap());
    assert!(!tx.park_job(&stale[0], "stale").await.unwrap());
    assert_eq!(tx.load_job_state(&page(1).key()).await.unwrap(), before);

    let why = "x".repeat(5000);
    assert!(tx.fail_job(&fresh[0], later, &why).await.unwrap());
    let state = tx.load_job_state(&page(1).key()).await.unwrap().unwrap();
    assert_eq!(state.last_error.unwrap().len(), 300);
    let third = tx
        .claim_jobs(JobKind::Page, TWO, 9, JOB_LEASE)
        .await
        .unwrap();
    assert_eq!((third[0].tries, third[0].failures), (3, 1));
    assert!(tx.park_job(&third[0], "given up").await.unwrap());
    assert!(
        !tx.finish_job(&third[0], None).await.unwrap(),
        "it has ended"
    );
    let state = tx.load_job_state(&page(1).key()).await.unwrap().unwrap();
    assert!(state.is_parked && state.done_at == Some(later));
}

async fn workers_that_take_at_once_share_the_jobs(db: TestStore) {
    enqueue(&db.store, (0..60).map(page)).await;
    let mut workers = JoinSet::new();
    for n in 0..4_u128 {
        let store = db.database.open_store().await;
        workers.spawn(async move {
            let owner = InstanceId::new(Uuid::from_u128(n + 1));
            let mut taken = Vec::new();
            loop {
                let mut tx = store.begin("claim", T0).await.unwrap();
                let claimed = tx
                    .claim_jobs(JobKind::Page, owner, 3, JOB_LEASE)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                if claimed.is_empty() {
                    return taken;
                }
                taken.extend(claimed.into_iter().map(|job| job.key));
            }
        });
    }
    let taken: Vec<String> = workers.join_all().await.into_iter().flatten().collect();
    let distinct: BTreeSet<&String> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (60, 60));
}

/// What another worker is taking at this moment is left to it. SQLite's writers take turns.
#[tokio::test]
async fn a_worker_waits_for_nobody_on_postgres() {
    bounded(async { share(TestStore::open(Engine::Postgres).await).await }).await;
}

async fn share(db: TestStore) {
    enqueue(&db.store, [page(1), page(2)]).await;
    let mut slow = db.begin().await;
    let first = slow
        .claim_jobs(JobKind::Page, ONE, 1, JOB_LEASE)
        .await
        .unwrap();
    let mut quick = db.begin().await;
    let second = quick
        .claim_jobs(JobKind::Page, TWO, 9, JOB_LEASE)
        .await
        .unwrap();
    quick.commit().await.unwrap();
    slow.commit().await.unwrap();
    assert_eq!(first[0].job, Some(page(1)));
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].job, Some(page(2)));
}

async fn what_another_version_wrote_holds_up_nothing(db: TestStore) {
    enqueue(&db.store, [page(1)]).await;
    for (id, kind) in [("page 2", "page"), ("webhook 1", "webhook")] {
        let sql = format!(
            "INSERT INTO jobs (id, kind, payload, due_at, created_at, tries) \
             VALUES ('{id}', '{kind}', '{{\"kind\":\"tomorrow\"}}', 0, 0, 0)"
        );
        assert_eq!(db.database.execute(&sql).await.unwrap(), 1);
    }
    let mut tx = db.begin().await;
    assert_eq!(tx.list_due_job_kinds().await.unwrap(), [JobKind::Page]);
    let claimed = tx
        .claim_jobs(JobKind::Page, ONE, 9, JOB_LEASE)
        .await
        .unwrap();
    let jobs: Vec<_> = claimed.into_iter().map(|job| job.job).collect();
    assert_eq!(jobs, [None, Some(page(1))]);
}

async fn no_item_opens_without_its_page_and_none_closes_without_its_end(db: TestStore) {
    store_pending_alert(&db.store).await;
    let mut tx = db.begin().await;
    let stuck = DutyKind::Stuck;
    for (n, kind, subject) in [
        (1, stuck, "delivery 1"),
        (2, stuck, "delivery 2"),
        (3, DutyKind::Clock, "clock"),
    ] {
        let opened = tx.open_duty_item(item(n), kind, subject, Some(ALERT), Some("ee"));
        assert!(opened.await.unwrap());
    }
    let opened = tx.open_duty_item(item(4), stuck, "delivery 1", None, None);
    assert!(!opened.await.unwrap(), "one is open");
    // A step of the lane opens its items in the same way.
    let key = balefire_store::lanes::LaneKey {
        alert_id: ALERT,
        provider: provider("ee"),
    };
    let effect = Effect::OpenDutyItem {
        kind: DutyKind::CancelUnanswered,
        delivery: delivery_id(1),
    };
    let opened = tx.apply_duties(&key, &[effect], &|| item(5)).await.unwrap();
    assert_eq!(opened.len(), 1);
    let pages = "SELECT count(*) FROM jobs WHERE kind = 'page'";
    tx.commit().await.unwrap();
    assert_eq!(db.database.count(pages).await, 4);

    let mut tx = db.begin().await;
    tx.close_answered_duty_items("delivery 1", "its end")
        .await
        .unwrap();
    assert!(tx.close_duty_item(item(2), "user x").await.unwrap());
    assert!(!tx.close_duty_item(item(2), "user y").await.unwrap());
    assert!(!tx.close_duty_item(item(99), "user y").await.unwrap());
    assert!(
        tx.close_duty_item_of(DutyKind::Clock, "clock", "itself")
            .await
            .unwrap()
    );
    assert!(
        !tx.close_duty_item_of(DutyKind::Clock, "clock", "itself")
            .await
            .unwrap()
    );
    let closed = tx.load_duty_item(item(2)).await.unwrap().unwrap();
    assert_eq!(closed.closed_by.as_deref(), Some("user x"));
    assert_eq!(tx.load_duty_item(item(99)).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    for (n, has_end) in [(1, true), (2, true), (3, true), (5, false)] {
        let end = Job::PageResolve {
            duty_item_id: item(n),
        };
        let end = tx.load_job_state(&end.key()).await.unwrap();
        assert_eq!(end.is_some(), has_end, "item {n}");
    }
    let latest = tx.list_latest_duty_items(2).await.unwrap();
    let latest: Vec<_> = latest.into_iter().map(|item| item.id).collect();
    assert_eq!(latest, [item(5), item(3)]);
    let open = tx.list_open_duty_items(9).await.unwrap();
    assert_eq!(open.len(), 1);
}
