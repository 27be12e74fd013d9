//! The figures for whoever watches: what they count, and what they leave out.

use balefire_domain::ids::DutyItemId;
use balefire_domain::job::Job;
use balefire_domain::lane::{DutyKind, Kind};
use balefire_store::gauges::{Gauges, Waiting};
use balefire_store::lanes::LaneKey;
use uuid::Uuid;

use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    an_empty_database_has_nothing_to_tell,
    what_goes_on_is_counted_and_what_is_over_is_not,
}

async fn gauges(db: &TestStore) -> Gauges {
    let mut tx = db.store.begin_read("test", T0).await.unwrap();
    tx.read_gauges().await.unwrap()
}

async fn an_empty_database_has_nothing_to_tell(db: TestStore) {
    assert_eq!(gauges(&db).await, Gauges::default());
}

fn waiting(kind: &str, count: u32) -> Vec<Waiting> {
    vec![Waiting {
        kind: kind.to_owned(),
        count,
        since: T0,
    }]
}

async fn what_goes_on_is_counted_and_what_is_over_is_not(db: TestStore) {
    let LaneKey { alert_id, .. } = store_ready_lane(&db.store).await;
    let item = DutyItemId::new(Uuid::from_u128(9));
    let mut tx = db.begin().await;
    let subject = format!("alert {alert_id}");
    assert!(
        tx.open_duty_item(item, DutyKind::Stuck, &subject, Some(alert_id), Some("ee"))
            .await
            .unwrap()
    );
    let resolve = Job::PageResolve { duty_item_id: item };
    assert!(tx.enqueue_job(&resolve).await.unwrap());
    tx.save_route_result("ee", "ee-1", true, "").await.unwrap();
    tx.save_route_result("ee", "ee-2", false, "").await.unwrap();
    tx.save_route_result("o2", "o2-1", false, "").await.unwrap();
    tx.commit().await.unwrap();
    let word = |state: &str| vec![("ee".to_owned(), state.to_owned(), 1)];
    let ready = Gauges {
        deliveries: word("ready"),
        lanes_waiting: vec![("ee".to_owned(), 1)],
        unacknowledged: waiting(Kind::Alert.as_str(), 1),
        jobs: [waiting("page", 1), waiting("page_resolve", 1)].concat(),
        duty_items: vec![("stuck".to_owned(), 1)],
        carried_at: vec![("ee".to_owned(), T0)],
        paused: vec![],
        probes: vec![],
    };
    assert_eq!(gauges(&db).await, ready);

    // Taken: it stays to be seen while its alert is live, and not a moment longer.
    for sql in [
        "UPDATE deliveries SET state = 'acknowledged', ended_at = created_at",
        "UPDATE lanes SET wake_at = NULL",
        "UPDATE jobs SET done_at = created_at",
        "UPDATE duty_items SET closed_at = opened_at, closed_by = 'test'",
        "UPDATE alerts SET status = 'broadcasting', approved_at = 1, starts_at = 1, finishes_at = 2",
    ] {
        db.database.execute(sql).await.unwrap();
    }
    let taken = Gauges {
        deliveries: word("acknowledged"),
        carried_at: ready.carried_at.clone(),
        ..Gauges::default()
    };
    assert_eq!(gauges(&db).await, taken);
    let over = "UPDATE alerts SET status = 'completed'";
    db.database.execute(over).await.unwrap();
    let over = Gauges {
        deliveries: vec![],
        ..taken
    };
    assert_eq!(gauges(&db).await, over);
}
