//! A lane is stored so that the next transaction reads exactly what `step` made of it.

use std::cell::Cell;

use balefire_domain::lane::next_wake;
use balefire_domain::lane::{
    Delivery, Effect, HoldReason, Kind, Lane, LaneEvent, Policy, State, step,
};
use balefire_domain::outcome::Outcome;
use balefire_domain::time::Timestamp;
use balefire_store::lanes::{AnswerRecord, LaneKey};
use balefire_store::{Store, StoreError};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use crate::samples::*;
use crate::support::{Engine, T0, TestStore, begin};

on_both_engines! {
    a_lane_comes_back_after_every_step_of_a_retry_and_a_cancel,
    a_lane_that_was_changed_meanwhile_is_an_error_and_no_lost_update,
    a_late_acceptance_replaces_a_bad_end_once,
    what_an_attempt_was_answered_is_kept_beside_it,
    the_attempts_of_a_dead_process_are_found,
    waiting_lanes_are_those_in_backoff,
    cancels_wake_first_and_a_crowd_at_one_provider_hides_no_other,
    an_unknown_lane_is_absent,
    any_history_of_a_lane_comes_back,
}

/// What may happen in a lane, before it is known which attempts there are.
#[derive(Clone, Debug)]
enum Op {
    Issue(Kind),
    Due,
    Tick,
    Heal,
    Answer(prop::sample::Index, Outcome, i32),
    OwnerDied(prop::sample::Index),
    /// The clock moves; backwards too, as real ones do.
    Pass(i64),
    Configure(Option<HoldReason>, bool),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let index = || any::<prop::sample::Index>();
    let op = prop_oneof![
        1 => prop_oneof![Just(Kind::Alert), Just(Kind::Cancel)].prop_map(Op::Issue),
        6 => Just(Op::Due),
        1 => Just(Op::Tick),
        1 => Just(Op::Heal),
        5 => (index(), prop::sample::select(&Outcome::ALL[..]), -1000..=1000)
            .prop_map(|(which, outcome, jitter)| Op::Answer(which, outcome, jitter)),
        1 => index().prop_map(Op::OwnerDied),
        4 => prop::sample::select(&[-2_000_000, 0, 1, 1_000_000, 21_000_000, 36_000_000,
            61_000_000, 3_600_000_000, 3_900_000_000][..]).prop_map(Op::Pass),
        1 => (
            prop_oneof![
                3 => Just(None),
                1 => Just(Some(HoldReason::NoRoute)),
                1 => Just(Some(HoldReason::ProxiesDisabled)),
            ],
            any::<bool>(),
        )
            .prop_map(|(hold, resends)| Op::Configure(hold, resends)),
    ];
    prop::collection::vec(op, 1..25)
}

/// Plays a lane in memory and in the store at once.
struct Play<'a> {
    store: &'a Store,
    key: LaneKey,
    lane: Lane,
    policy: Policy,
    now: Timestamp,
    /// Ids of this lane's rows count from here.
    first_id: u32,
    ids: u32,
}

impl<'a> Play<'a> {
    /// A lane of an alert of its own. The people are there.
    async fn begin(store: &'a Store, number: u32) -> Result<Play<'a>, StoreError> {
        let alert = pending_alert(alert_id(number));
        let key = LaneKey {
            alert_id: alert.id,
            provider: provider("ee"),
        };
        let mut tx = begin(store).await;
        tx.insert_alert(&alert).await?;
        tx.insert_lane(&key, T0 + seconds(3600)).await?;
        tx.commit().await?;
        Ok(Self {
            store,
            key,
            lane: Lane::new(T0 + seconds(3600)),
            policy: policy(),
            now: T0,
            first_id: number * 1000,
            ids: 0,
        })
    }

    fn next_id(&mut self) -> u32 {
        self.ids += 1;
        self.first_id + self.ids
    }

    async fn play(&mut self, op: &Op) -> Result<(), StoreError> {
        let event = match op {
            Op::Issue(kind) => {
                let seq = self.lane.target().map_or(1, |target| target.seq + 1);
                let id = delivery_id(self.next_id());
                LaneEvent::Issued(delivery(id, seq, *kind, self.now))
            }
            Op::Due => LaneEvent::Due {
                attempt: attempt_id(self.next_id()),
                by: INSTANCE,
            },
            Op::Tick => LaneEvent::Tick,
            Op::Heal => LaneEvent::ProviderHealed,
            Op::Answer(which, outcome, jitter_permille) => {
                if self.lane.attempts.is_empty() {
                    return Ok(());
                }
                LaneEvent::Answered {
                    attempt: which.get(&self.lane.attempts).id,
                    outcome: *outcome,
                    jitter_permille: *jitter_permille,
                }
            }
            Op::OwnerDied(which) => {
                if self.lane.attempts.is_empty() {
                    return Ok(());
                }
                LaneEvent::OwnerDied {
                    attempt: which.get(&self.lane.attempts).id,
                }
            }
            Op::Pass(micros) => {
                self.now = Timestamp::from_micros(self.now.micros() + micros);
                LaneEvent::Tick
            }
            Op::Configure(hold, resends_unknown_at_once) => {
                self.policy.hold = *hold;
                self.policy.resends_unknown_at_once = *resends_unknown_at_once;
                LaneEvent::Tick
            }
        };
        self.take(event).await
    }

    /// One transaction of the shell: lock, read, step, store.
    async fn take(&mut self, event: LaneEvent) -> Result<(), StoreError> {
        let mut tx = self.store.begin("step", self.now).await?;
        let read = tx.lock_lane(&self.key).await?.expect("the lane exists");
        assert_eq!(read, in_stored_order(&self.lane), "as it was stored");
        if let LaneEvent::Issued(new) = &event {
            let id = event_id(u32::try_from(new.id.uuid().as_u128() & 0xFFFF_FFFF).unwrap());
            tx.insert_event(&crate::samples::event(
                id,
                self.key.alert_id,
                new.seq,
                new.kind,
            ))
            .await?;
            tx.insert_delivery(&self.key, new, &frozen(id, new.kind))
                .await?;
        }
        self.lane = step(&read, event, self.now, &self.policy).lane;
        tx.save_lane(&self.key, &read, &self.lane).await?;
        tx.commit().await
    }

    /// The end of a play: the lane once more, when it wakes, and what a person reads of it.
    async fn check(&self) -> Result<(), StoreError> {
        let mut tx = self.store.begin("check", self.now).await?;
        let read = tx.lock_lane(&self.key).await?.expect("the lane exists");
        assert_eq!(read, in_stored_order(&self.lane), "as it was stored");

        let wake_at = next_wake(&self.lane, self.now);
        if let Some(wake_at) = wake_at {
            for (now, is_due) in [(wake_at, true), (wake_at - micro(), false)] {
                tx.now = now;
                let due = tx.list_due_lanes(1_000_000).await?;
                let is_listed = due.iter().any(|due| due.key == self.key);
                assert_eq!(is_listed, is_due, "wakes at {wake_at}");
            }
        }

        let histories = tx.list_delivery_histories(self.key.alert_id).await?;
        let told: Vec<_> = histories.iter().map(|h| h.delivery.clone()).collect();
        assert_eq!(told, self.lane.deliveries);
        let attempts = histories.iter().flat_map(|h| &h.attempts).count();
        assert_eq!(attempts, self.lane.attempts.len());
        Ok(())
    }
}

fn micro() -> std::time::Duration {
    std::time::Duration::from_micros(1)
}

/// Attempts come back by their opening, which a clock set back can put in another order than that
/// of the calls. No rule looks at the order.
fn in_stored_order(lane: &Lane) -> Lane {
    let mut lane = lane.clone();
    lane.attempts
        .sort_by_key(|attempt| (attempt.opened_at, attempt.id));
    lane
}

async fn any_history_of_a_lane_comes_back(db: TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    // A case is some 25 transactions, and those of PostgreSQL go over a socket.
    let cases = match db.database.engine {
        Engine::Sqlite => 150,
        Engine::Postgres => 40,
    };
    let runtime = tokio::runtime::Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let plays = Cell::new(0);
        let mut runner = TestRunner::new(Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        });
        runner.run(&ops(), |ops| {
            plays.set(plays.get() + 1);
            runtime
                .block_on(async {
                    let mut play = Play::begin(&db.store, plays.get()).await?;
                    play.play(&Op::Issue(Kind::Alert)).await?;
                    for op in &ops {
                        play.play(op).await?;
                    }
                    play.check().await
                })
                .map_err(|error| TestCaseError::fail(format!("{error:?}")))
        })
    });
    match checked.await.expect("the runner itself doesn't panic") {
        Ok(()) => {}
        Err(TestError::Fail(why, ops)) => panic!("{why}\n{ops:#?}"),
        Err(error @ TestError::Abort(_)) => panic!("{error}"),
    }
}

async fn people(db: &TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

impl Play<'_> {
    /// Opens an attempt and answers it.
    async fn try_once(&mut self, outcome: Outcome) {
        self.play(&Op::Due).await.unwrap();
        let attempt = self.lane.open_attempt().expect("an attempt was due").id;
        self.answer(attempt, outcome).await;
    }

    async fn answer(&mut self, attempt: balefire_domain::ids::AttemptId, outcome: Outcome) {
        let jitter_permille = 0;
        self.take(LaneEvent::Answered {
            attempt,
            outcome,
            jitter_permille,
        })
        .await
        .unwrap();
    }

    fn state(&self, seq: u32) -> State {
        let of_seq = |delivery: &&Delivery| delivery.seq == seq;
        let found = self.lane.deliveries.iter().find(of_seq);
        found.expect("it was issued").state
    }
}

async fn a_lane_comes_back_after_every_step_of_a_retry_and_a_cancel(db: TestStore) {
    people(&db).await;
    let mut play = Play::begin(&db.store, 1).await.unwrap();
    play.play(&Op::Issue(Kind::Alert)).await.unwrap();
    assert_eq!(play.state(1), State::Ready);
    play.try_once(Outcome::Refused).await;
    play.try_once(Outcome::Unknown).await;
    assert!(matches!(play.state(1), State::Backoff { .. }));
    play.play(&Op::Issue(Kind::Cancel)).await.unwrap();
    assert!(matches!(play.state(1), State::Superseded { .. }));
    assert!(matches!(play.state(2), State::Held { .. }), "it drains");
    play.play(&Op::Pass(36_000_000)).await.unwrap();
    assert_eq!(play.state(2), State::Ready);
    play.try_once(Outcome::UnknownReference).await;
    assert!(matches!(play.state(2), State::Moot { .. }));
    play.check().await.unwrap();
}

async fn a_lane_that_was_changed_meanwhile_is_an_error_and_no_lost_update(db: TestStore) {
    people(&db).await;
    for (number, op) in (1..).zip([
        Op::Due,
        Op::Configure(Some(HoldReason::NoRoute), true),
        Op::Pass(61_000_000),
        Op::Pass(3_600_000_000),
    ]) {
        let mut play = Play::begin(&db.store, number).await.unwrap();
        play.play(&Op::Issue(Kind::Alert)).await.unwrap();
        let stale = play.lane.clone();
        play.play(&op).await.unwrap();

        // Somebody who read the lane before that, and held no lock, would now send.
        let attempt = attempt_id(play.next_id());
        let due = LaneEvent::Due {
            attempt,
            by: INSTANCE,
        };
        let is = step(&stale, due, T0, &policy()).lane;
        assert!(is.open_attempt().is_some());
        let mut tx = db.begin().await;
        let saved = tx.save_lane(&play.key, &stale, &is).await;
        assert!(saved.is_err(), "after {op:?}");
        drop(tx);
        play.check().await.unwrap();
    }
}

async fn a_late_acceptance_replaces_a_bad_end_once(db: TestStore) {
    people(&db).await;
    let mut play = Play::begin(&db.store, 1).await.unwrap();
    play.play(&Op::Issue(Kind::Alert)).await.unwrap();
    play.try_once(Outcome::Unknown).await;
    let first = play.lane.attempts[0].id;
    play.try_once(Outcome::Refused).await;
    play.answer(first, Outcome::Accepted).await;
    assert!(matches!(play.state(1), State::Acknowledged { .. }));
    let acknowledged = play.lane.clone();
    for late in [Outcome::Refused, Outcome::Unknown, Outcome::Duplicate] {
        play.now = play.now + seconds(1);
        play.answer(first, late).await;
    }
    assert_eq!(play.lane, acknowledged);
    play.check().await.unwrap();

    // Not even who forgot to lock takes an acceptance back.
    let mut worse = acknowledged.clone();
    worse.attempts[0].closed = Some(balefire_domain::lane::Closed {
        at: play.now,
        outcome: Outcome::Refused,
    });
    let mut reopened = acknowledged.clone();
    reopened.attempts[0].closed = None;
    let mut unacknowledged = acknowledged.clone();
    unacknowledged.deliveries[0].state = State::Ready;
    for (is, what) in [
        (worse, "worse"),
        (reopened, "reopened"),
        (unacknowledged, "unacknowledged"),
    ] {
        let mut tx = db.begin().await;
        let saved = tx.save_lane(&play.key, &acknowledged, &is).await;
        assert!(saved.is_err(), "{what}");
    }
    play.check().await.unwrap();
}

async fn what_an_attempt_was_answered_is_kept_beside_it(db: TestStore) {
    people(&db).await;
    let mut play = Play::begin(&db.store, 1).await.unwrap();
    play.play(&Op::Issue(Kind::Alert)).await.unwrap();
    play.try_once(Outcome::Refused).await;
    let attempt = play.lane.attempts[0].id;
    let mut tx = db.begin().await;
    let answer = AnswerRecord {
        detail: "the proxy answered 503".into(),
        http_status: Some(503),
        answer_sha256: Some("a".repeat(64)),
    };
    tx.save_answer(attempt, &answer).await.unwrap();
    assert!(tx.save_answer(attempt_id(999), &answer).await.is_err());
    let histories = tx.list_delivery_histories(play.key.alert_id).await.unwrap();
    let want = [(play.lane.attempts[0].clone(), answer.detail)];
    assert_eq!(histories[0].attempts, want);
    assert_eq!(histories[0].provider, play.key.provider);
    drop(tx);
    let mut tx = db.begin().await;
    let bare = AnswerRecord::default();
    tx.save_answer(attempt, &bare).await.unwrap();
    tx.commit().await.unwrap();
    play.check().await.unwrap();
}

async fn the_attempts_of_a_dead_process_are_found(db: TestStore) {
    people(&db).await;
    let mut play = Play::begin(&db.store, 1).await.unwrap();
    play.play(&Op::Issue(Kind::Alert)).await.unwrap();
    play.try_once(Outcome::Refused).await;
    play.play(&Op::Due).await.unwrap();
    let open = play.lane.open_attempt().unwrap().id;
    let orphans = async |limit| {
        let mut tx = db.begin().await;
        tx.list_orphaned_attempts(limit).await.unwrap()
    };
    assert_eq!(orphans(10).await, [], "its process lives");
    let mut tx = db.begin().await;
    tx.end_instance(INSTANCE).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(orphans(10).await, [(play.key.clone(), open)]);
    assert_eq!(orphans(0).await, []);
    play.take(LaneEvent::OwnerDied { attempt: open })
        .await
        .unwrap();
    assert_eq!(orphans(10).await, [], "closed");
}

async fn waiting_lanes_are_those_in_backoff(db: TestStore) {
    people(&db).await;
    let mut waiting = Play::begin(&db.store, 1).await.unwrap();
    waiting.play(&Op::Issue(Kind::Alert)).await.unwrap();
    waiting.try_once(Outcome::Refused).await;
    waiting.try_once(Outcome::Refused).await;
    let mut ready = Play::begin(&db.store, 2).await.unwrap();
    ready.play(&Op::Issue(Kind::Alert)).await.unwrap();
    let mut tx = db.begin().await;
    for (name, limit, want) in [
        ("ee", 10, vec![waiting.key.clone()]),
        ("ee", 0, vec![]),
        ("o2", 10, vec![]),
    ] {
        let listed = tx.list_waiting_lanes(&provider(name), limit).await;
        let listed = listed.unwrap().into_iter().map(|lane| lane.key);
        assert_eq!(listed.collect::<Vec<_>>(), want, "{name}, {limit}");
    }
    assert_eq!(waiting.key.to_string(), format!("{}/ee", alert_id(1)));
}

async fn cancels_wake_first_and_a_crowd_at_one_provider_hides_no_other(db: TestStore) {
    people(&db).await;
    // Alert, provider, since when it waits, whether a cancel was issued.
    let lanes = [
        (1, "ee", 30, false),
        (2, "ee", 10, false),
        (3, "ee", 40, true),
        (4, "ee", 20, false),
        (5, "o2", 50, false),
        (6, "o2", 61, false),
    ];
    let mut keys = Vec::new();
    for (number, name, waits_since, is_cancelled) in lanes {
        let mut play = Play::begin(&db.store, number).await.unwrap();
        play.key.provider = provider(name);
        let mut tx = db.begin().await;
        // The play's own lane is at ee; a second one is as good at o2.
        if name != "ee" {
            tx.insert_lane(&play.key, T0 + seconds(3600)).await.unwrap();
        }
        tx.commit().await.unwrap();
        play.now = T0 + seconds(waits_since);
        play.play(&Op::Issue(Kind::Alert)).await.unwrap();
        if is_cancelled {
            // Touched, so that the cancel is not moot.
            play.try_once(Outcome::Refused).await;
            play.play(&Op::Issue(Kind::Cancel)).await.unwrap();
        }
        keys.push(play.key);
    }
    let mut tx = db.begin().await;
    tx.now = T0 + seconds(60);
    for (limit, want) in [(10, vec![3, 2, 4, 1, 5]), (2, vec![3, 2, 5]), (0, vec![])] {
        let due = tx.list_due_lanes(limit).await.unwrap();
        let is_cancelling: Vec<bool> = due.iter().map(|due| due.is_cancelling).collect();
        let found: Vec<_> = due.into_iter().map(|due| due.key).collect();
        let key_of = |number: &usize| keys[number - 1].clone();
        let wanted: Vec<_> = want.iter().map(key_of).collect();
        assert_eq!(found, wanted, "at most {limit} each");
        let wanted: Vec<bool> = want.iter().map(|number| *number == 3).collect();
        assert_eq!(is_cancelling, wanted, "at most {limit} each");
    }
}

async fn an_unknown_lane_is_absent(db: TestStore) {
    people(&db).await;
    let play = Play::begin(&db.store, 1).await.unwrap();
    let mut tx = db.begin().await;
    let o2 = LaneKey {
        provider: provider("o2"),
        ..play.key.clone()
    };
    assert_eq!(tx.lock_lane(&o2).await.unwrap(), None);
    assert_eq!(tx.list_lanes(alert_id(9)).await.unwrap(), []);
    tx.insert_lane(&o2, T0).await.unwrap();
    let listed = tx.list_lanes(play.key.alert_id).await.unwrap();
    assert_eq!(listed, [play.key.clone(), o2.clone()], "in provider order");
    let empty = Lane::new(T0);
    let lane = tx.lock_lane(&o2).await.unwrap();
    assert_eq!(lane.as_ref(), Some(&empty));
    // Nothing was stored of a lane that has no row.
    let three = LaneKey {
        provider: provider("three"),
        ..play.key
    };
    assert!(tx.save_lane(&three, &empty, &empty).await.is_err());
    let sent = step(&empty, LaneEvent::Tick, T0, &policy()).effects;
    assert!(!sent.iter().any(|effect| matches!(effect, Effect::Send(_))));
}
