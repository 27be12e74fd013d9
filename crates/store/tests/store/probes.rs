//! Link tests and pauses: what is due, who takes it, what was answered, what a policy is told.

use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::{DutyKind, Kind};
use balefire_domain::link_test::ProbeKind;
use balefire_store::lanes::LaneKey;
use balefire_store::probes::{ProbeKey, ProbeResult};
use uuid::Uuid;

use crate::round_trips::AWKWARD;
use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    a_question_that_is_due_is_taken_by_one_process,
    the_latest_answer_to_a_question_is_kept,
    a_test_orders_the_routes_and_is_no_traffic,
    a_pause_is_told_with_the_failing_routes_and_ends_once,
    the_end_of_a_pause_makes_the_lanes_due_that_it_held,
    a_clock_that_is_right_again_makes_the_lanes_due_that_it_held,
    a_duty_item_may_be_about_no_alert,
    the_database_says_its_time_where_it_has_a_clock_of_its_own,
}

fn key(kind: ProbeKind, target: &str) -> ProbeKey {
    ProbeKey {
        kind,
        provider: "ee".to_owned(),
        target: target.to_owned(),
    }
}

async fn a_question_that_is_due_is_taken_by_one_process(db: TestStore) {
    let test = key(ProbeKind::LinkTest, "ee-1-proxy");
    let beat = key(ProbeKind::Heartbeat, "ee-1-proxy");
    let mut tx = db.begin().await;
    tx.plan_probe(&test, T0).await.unwrap();
    tx.plan_probe(&test, T0 + seconds(9)).await.unwrap();
    tx.plan_probe(&beat, T0 + seconds(1)).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    let known = tx.list_probes().await.unwrap();
    let due: Vec<_> = known.iter().map(|p| (p.key.clone(), p.due_at)).collect();
    let want = [(beat.clone(), T0 + seconds(1)), (test.clone(), T0)];
    assert_eq!(due, want, "what is planned already stays");
    assert!(known.iter().all(|probe| probe.latest.is_none()));
    let next = T0 + seconds(180);
    assert!(tx.claim_probe(&test, T0, next).await.unwrap());
    assert!(!tx.claim_probe(&test, T0, next).await.unwrap(), "taken");
    assert!(
        !tx.claim_probe(&key(ProbeKind::Canary, "x"), T0, next)
            .await
            .unwrap()
    );
    let known = tx.list_probes().await.unwrap();
    assert_eq!((known[0].due_at, known[1].due_at), (T0 + seconds(1), next));
}

async fn the_latest_answer_to_a_question_is_kept(db: TestStore) {
    let test = key(ProbeKind::LinkTest, "ee-1-proxy/cbc_a");
    let answer = |offset, is_good| ProbeResult {
        at: T0 + seconds(offset),
        is_good,
        detail: AWKWARD.to_owned(),
        skew_us: is_good.then_some(-7),
        boot_id: is_good.then(|| "b1".to_owned()),
    };
    let mut tx = db.begin().await;
    // It was never planned: a person asked.
    for (given, want) in [
        (answer(10, true), answer(10, true)),
        (answer(20, false), answer(20, false)),
        (answer(15, true), answer(20, false)),
    ] {
        tx.save_probe_result(&test, &given).await.unwrap();
        let known = tx.list_probes().await.unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known[0].latest, Some(want));
        assert_eq!(known[0].due_at, T0 + seconds(10), "an answer plans nothing");
    }
}

async fn a_test_orders_the_routes_and_is_no_traffic(db: TestStore) {
    let mut tx = db.begin().await;
    let carried = tx.load_carried_at("ee", "a").await.unwrap();
    assert_eq!(carried, None);
    // the instant, whether it is a test, whether it went well; what fails then, and the traffic
    for (offset, is_test, is_good, fails, carried) in [
        (1, true, true, false, None),
        (2, true, false, true, None),
        (3, false, true, false, Some(3)),
        (4, true, false, true, Some(3)),
        (5, false, false, true, Some(3)),
        (6, true, true, false, Some(3)),
        (7, false, true, false, Some(7)),
    ] {
        tx.now = T0 + seconds(offset);
        if is_test {
            tx.save_route_test("ee", "a", is_good, "").await.unwrap();
        } else {
            tx.save_route_result("ee", "a", is_good, "").await.unwrap();
        }
        let standing = tx.load_conditions(&provider("ee")).await.unwrap();
        assert_eq!(standing.failing.contains("a"), fails, "after {offset}");
        assert!(!standing.is_paused);
        let known = tx.load_carried_at("ee", "a").await.unwrap();
        assert_eq!(known, carried.map(|s| T0 + seconds(s)), "after {offset}");
    }
}

async fn a_pause_is_told_with_the_failing_routes_and_ends_once(db: TestStore) {
    store_pending_alert(&db.store).await;
    let (ee, o2) = (provider("ee"), provider("o2"));
    let mut tx = db.begin().await;
    assert!(tx.pause_provider(&ee, AUTHOR, Some(AWKWARD)).await.unwrap());
    assert!(!tx.pause_provider(&ee, APPROVER, None).await.unwrap());
    tx.save_route_result("ee", "a", false, "").await.unwrap();
    tx.save_route_result("o2", "a", false, "").await.unwrap();
    let standing = tx.load_conditions(&provider("ee")).await.unwrap();
    assert!(standing.is_paused && standing.failing.contains("a"));
    assert_eq!(standing.failing.len(), 1);
    assert!(!tx.load_conditions(&o2).await.unwrap().is_paused);
    let pauses = tx.list_provider_pauses().await.unwrap();
    assert_eq!(pauses.len(), 1);
    assert_eq!((&pauses[0].provider, pauses[0].paused_by), (&ee, AUTHOR));
    assert_eq!(
        (pauses[0].paused_at, pauses[0].reason.as_deref()),
        (T0, Some(AWKWARD))
    );
    assert!(!tx.resume_provider(&o2).await.unwrap());
    assert!(tx.resume_provider(&ee).await.unwrap());
    assert!(!tx.resume_provider(&ee).await.unwrap());
    assert_eq!(tx.list_provider_pauses().await.unwrap(), []);
}

async fn the_end_of_a_pause_makes_the_lanes_due_that_it_held(db: TestStore) {
    let ee = provider("ee");
    store_live_lanes(&db.store, &["ee", "o2"]).await;
    let later = (T0 + seconds(10)).micros();
    for sql in [
        "UPDATE deliveries SET state = 'held', reason = 'paused'",
        &format!("UPDATE lanes SET wake_at = {later}"),
    ] {
        db.database.execute(sql).await.unwrap();
    }
    let mut tx = db.begin().await;
    assert!(!tx.has_due_lanes("ee").await.unwrap());
    tx.pause_provider(&ee, AUTHOR, None).await.unwrap();
    assert_eq!(tx.count_held_by_pause(&ee).await.unwrap(), 1);
    assert_eq!(tx.count_held_by_pause(&provider("three")).await.unwrap(), 0);
    // What waits for its next round is looked at, and held by the pause from then on.
    assert!(tx.has_due_lanes("ee").await.unwrap());
    tx.commit().await.unwrap();
    let slept = format!("UPDATE lanes SET wake_at = {later}");
    db.database.execute(&slept).await.unwrap();
    let mut tx = db.begin().await;
    assert!(!tx.has_due_lanes("ee").await.unwrap());
    assert!(tx.resume_provider(&ee).await.unwrap());
    assert!(tx.has_due_lanes("ee").await.unwrap());
    assert!(
        !tx.has_due_lanes("o2").await.unwrap(),
        "its own pause holds it"
    );
}

async fn a_clock_that_is_right_again_makes_the_lanes_due_that_it_held(db: TestStore) {
    store_live_lanes(&db.store, &["ee", "o2"]).await;
    let in_an_hour = (T0 + seconds(3600)).micros();
    for sql in [
        "UPDATE deliveries SET state = 'held', reason = 'clock' WHERE provider = 'ee'",
        &format!("UPDATE lanes SET wake_at = {in_an_hour}"),
    ] {
        db.database.execute(sql).await.unwrap();
    }
    let mut tx = db.begin().await;
    assert_eq!(tx.wake_lanes_held_by_clock().await.unwrap(), 1);
    assert!(tx.has_due_lanes("ee").await.unwrap());
    assert!(!tx.has_due_lanes("o2").await.unwrap());
    assert_eq!(tx.wake_lanes_held_by_clock().await.unwrap(), 0);
}

async fn a_duty_item_may_be_about_no_alert(db: TestStore) {
    let id = DutyItemId::new(Uuid::from_u128(1));
    let mut tx = db.begin().await;
    let opened = tx.open_duty_item(id, DutyKind::Clock, "process the one", None, None);
    assert!(opened.await.unwrap());
    let open = tx.list_open_duty_items(9).await.unwrap();
    assert_eq!((open.len(), open[0].alert_id), (1, None));
    for (kind, subject, was_open) in [
        (DutyKind::Clock, "process another", false),
        (DutyKind::ProviderPaused, "process the one", false),
        (DutyKind::Clock, "process the one", true),
        (DutyKind::Clock, "process the one", false),
    ] {
        let closed = tx.close_duty_item_of(kind, subject, "the clock");
        assert_eq!(closed.await.unwrap(), was_open, "{kind:?} {subject}");
    }
    assert_eq!(tx.list_open_duty_items(9).await.unwrap(), []);
}

async fn the_database_says_its_time_where_it_has_a_clock_of_its_own(db: TestStore) {
    let mut tx = db.begin().await;
    let first = tx.read_database_clock().await.unwrap();
    let second = tx.read_database_clock().await.unwrap();
    if db.store.engine() == "sqlite" {
        assert_eq!((first, second), (None, None));
    } else {
        let (first, second) = (first.unwrap(), second.unwrap());
        assert!(first < second, "it runs within a transaction too");
        assert!(first > T0, "it is the real one");
    }
}

/// A live alert with a lane and a delivery at each of these providers.
async fn store_live_lanes(store: &balefire_store::Store, providers: &[&str]) {
    store_pending_alert(store).await;
    let mut tx = crate::support::begin(store).await;
    let first = event(event_id(1), ALERT, 1, Kind::Alert);
    tx.insert_event(&first).await.unwrap();
    for (index, name) in providers.iter().enumerate() {
        let lane = LaneKey {
            alert_id: ALERT,
            provider: provider(name),
        };
        tx.insert_lane(&lane, T0 + seconds(3600)).await.unwrap();
        let id = delivery_id(u32::try_from(index).unwrap() + 1);
        let delivery = delivery(id, 1, Kind::Alert, T0);
        tx.insert_delivery(&lane, &delivery, &frozen(event_id(1), Kind::Alert))
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}
