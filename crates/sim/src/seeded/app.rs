//! The app's side of a run: approvals, cancels and the end of alerts, each in one transaction over
//! the alert and all of its lanes, in the app's order of locks; and the people who ask for them,
//! who ask again until they are told that it is done.

use std::sync::Arc;
use std::time::Duration;

use balefire_dispatcher::clock_guard::ClockGuard;
use balefire_dispatcher::ports::{
    Database as _, Frozen, LaneKey, StoreError, Stored, Transaction as _,
};
use balefire_domain::entropy::Entropy as _;
use balefire_domain::ids::{AlertId, DeliveryId, DutyItemId, EventId};
use balefire_domain::lane::policy::ends_at;
use balefire_domain::lane::{
    Conditions, Delivery, HoldReason, Kind, Lane, LaneEvent, Policy, State, step,
};
use balefire_domain::provider::{Format, Profile, ProviderName};
use balefire_domain::time::{Clock as _, Timestamp};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::database::{SimDatabase, SimTx};
use super::hazard::{Fault, Hazard};
use super::planted::Fault as Planted;
use super::process::Life;
use super::random::{Dice, SeededEntropy};
use super::tables::AlertRow;
use super::world::World;

/// How long a person waits for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(8);
/// How long a person waits before asking again.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(700);

/// The process that serves a person at the moment.
#[derive(Clone)]
pub struct Serving {
    /// Its life.
    pub life: Arc<Life>,
    /// Its clock's guard.
    pub guard: Arc<ClockGuard>,
    /// What wakes its dispatcher.
    pub wake: Arc<Notify>,
}

/// One alert, and the people who want something of it.
pub struct Desk {
    /// The run.
    pub world: Arc<World>,
    /// Which of the plan's alerts.
    pub number: usize,
    /// Its id: whoever asks again means the same alert.
    pub id: AlertId,
    /// Randomness for the ids of its deliveries.
    pub entropy: Arc<SeededEntropy>,
}

impl Desk {
    /// The desk of the plan's alert `number`.
    pub fn new(world: &Arc<World>, number: usize) -> Self {
        let labels = [8, number as u64];
        let entropy = SeededEntropy::new(world.options.seed, &labels, true);
        let id = AlertId::new(entropy.uuid_v7(world.time.now()));
        Self {
            world: Arc::clone(world),
            number,
            id,
            entropy: Arc::new(entropy),
        }
    }

    /// Approves, asking `serving` for a process each time, until it is done.
    pub async fn approve(&self, serving: impl Fn() -> Option<Serving>) {
        loop {
            if let Some(by) = serving()
                && by.guard.is_trusted()
                && let Some(Ok(is_new)) = asked(&by, self.approve_at(&by)).await
            {
                if is_new {
                    self.wake(&by.wake);
                } else {
                    self.world.state().reached.count(Fault::F34);
                }
                return;
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    /// Approves the update `number` (from 1), in the same way.
    pub async fn update(&self, number: usize, serving: impl Fn() -> Option<Serving>) {
        loop {
            if let Some(by) = serving()
                && by.guard.is_trusted()
                && let Some(Ok(())) = asked(&by, self.update_at(&by, number)).await
            {
                self.wake(&by.wake);
                return;
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    /// Cancels, in the same way.
    pub async fn cancel(&self, serving: impl Fn() -> Option<Serving>) {
        loop {
            if let Some(by) = serving()
                && let Some(Ok(())) = asked(&by, self.cancel_at(&by)).await
            {
                self.wake(&by.wake);
                return;
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    fn wake(&self, wake: &Arc<Notify>) {
        let world = &self.world;
        let mut dice = Dice::of(world.options.seed, &[9, self.number as u64]);
        if world.strikes(&mut dice, Hazard::LostWakeUps, 2_000) {
            return world.note(|| "the wake-up is lost".to_owned());
        }
        wake.notify_one();
        if world.strikes(&mut dice, Hazard::WakeUpStorm, 4_000) {
            world.state().reached.count(Fault::F63);
            let wake = Arc::clone(wake);
            world.spawn(async move {
                for _ in 0..100 {
                    wake.notify_one();
                    sleep(Duration::from_millis(1)).await;
                }
            });
        }
    }

    async fn approve_at(&self, by: &Serving) -> Stored<bool> {
        let life = &by.life;
        let database = database(&self.world, life);
        let mut tx = database.begin("approve_alert", life.clock.now()).await?;
        if tx.lock_alert(self.id).await?.is_some() {
            return Ok(false);
        }
        let lasts = self.world.options.alerts[self.number].lasts_ms;
        let now = tx.now();
        let finishes_at = now + Duration::from_millis(lasts);
        for profile in self.world.options.profiles().values() {
            self.deliver_alert(&mut tx, by, profile, finishes_at)
                .await?;
        }
        let row = AlertRow {
            number: self.number,
            finishes_at,
            next_seq: 2,
            updates: 0,
            is_cancelled: false,
            is_completed: false,
        };
        tx.save_alert(self.id, row).await?;
        self.world
            .state()
            .alert_names
            .insert(self.id, self.number + 1);
        let number = self.number + 1;
        self.world.note(|| {
            format!(
                "alert {number} is being approved by process {}",
                life.process + 1
            )
        });
        tx.commit().await?;
        Ok(true)
    }

    async fn deliver_alert(
        &self,
        tx: &mut SimTx,
        by: &Serving,
        profile: &Profile,
        finishes_at: Timestamp,
    ) -> Stored<()> {
        let key = LaneKey {
            alert_id: self.id,
            provider: profile.name.clone(),
        };
        tx.insert_lane(&key, finishes_at).await?;
        let lane = Lane::new(finishes_at);
        let delivery = self.delivery(Kind::Alert, 1, tx.now(), finishes_at);
        let message_number = match profile.format {
            Format::Cap => None,
            Format::Ibag => Some(tx.next_message_number().await?),
        };
        let frozen = Frozen {
            event_id: EventId::new(self.entropy.uuid_v7(tx.now())),
            sent_at: tx.now(),
            message_number,
            payload: Some(text_payload(delivery.id, 0)),
        };
        self.issue(tx, by, &key, &lane, delivery, &frozen).await
    }

    async fn update_at(&self, by: &Serving, number: usize) -> Stored<()> {
        let life = &by.life;
        let database = database(&self.world, life);
        let mut tx = database.begin("approve_update", life.clock.now()).await?;
        let Some(mut alert) = tx.lock_alert(self.id).await? else {
            return Ok(());
        };
        let is_over = alert.is_cancelled || alert.is_completed || tx.now() >= alert.finishes_at;
        if is_over || alert.updates >= number {
            return Ok(());
        }
        let profiles = self.world.options.profiles();
        let event_id = EventId::new(self.entropy.uuid_v7(tx.now()));
        for key in tx.list_lanes(self.id).await? {
            let kinds: &[Kind] = if profiles[&key.provider].capabilities.update {
                &[Kind::Update]
            } else {
                &[Kind::Cancel, Kind::Alert]
            };
            for kind in kinds {
                self.issue_above(&mut tx, by, &key, (*kind, event_id, alert.next_seq, number))
                    .await?;
            }
        }
        alert.next_seq += 1;
        alert.updates = number;
        tx.save_alert(self.id, alert).await?;
        let alert_number = self.number + 1;
        self.world.note(|| {
            let process = life.process + 1;
            format!(
                "update {number} of alert {alert_number} is being approved by process {process}"
            )
        });
        tx.commit().await
    }

    /// Issues what an event asks of one lane: its kind, the event, its place, and its text.
    async fn issue_above(
        &self,
        tx: &mut SimTx,
        by: &Serving,
        key: &LaneKey,
        (kind, event_id, seq, text): (Kind, EventId, u32, usize),
    ) -> Stored<()> {
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(());
        };
        let first = lane.deliveries.first().map(|first| first.id);
        let known = match first {
            None => None,
            Some(first) => tx.load_frozen(first).await?,
        };
        let message_number = match known.and_then(|known| known.message_number) {
            None => None,
            Some(_) => Some(tx.next_message_number().await?),
        };
        let above = lane.target().map_or(1, |target| target.seq + 1);
        let now = tx.now();
        let delivery = self.delivery(kind, seq.max(above), now, lane.finishes_at);
        let frozen = Frozen {
            event_id,
            sent_at: now,
            message_number,
            payload: kind.carries_text().then(|| text_payload(delivery.id, text)),
        };
        self.issue(tx, by, key, &lane, delivery, &frozen).await
    }

    async fn cancel_at(&self, by: &Serving) -> Stored<()> {
        let life = &by.life;
        let database = database(&self.world, life);
        let mut tx = database.begin("cancel_alert", life.clock.now()).await?;
        let Some(mut alert) = tx.lock_alert(self.id).await? else {
            return Ok(());
        };
        if alert.is_cancelled || alert.is_completed {
            return Ok(());
        }
        let (seq, now) = (alert.next_seq, tx.now());
        let keys = tx.list_lanes(self.id).await?;
        let forgotten = usize::from(self.world.has_planted(Planted::CancelToTodaysProviders));
        for key in keys.iter().skip(forgotten) {
            let event_id = EventId::new(self.entropy.uuid_v7(now));
            self.issue_above(&mut tx, by, key, (Kind::Cancel, event_id, seq, 0))
                .await?;
        }
        alert.next_seq += 1;
        alert.is_cancelled = true;
        tx.save_alert(self.id, alert).await?;
        let number = self.number + 1;
        self.world.note(|| {
            format!(
                "alert {number} is being cancelled by process {}",
                life.process + 1
            )
        });
        tx.commit().await
    }

    fn delivery(&self, kind: Kind, seq: u32, now: Timestamp, finishes_at: Timestamp) -> Delivery {
        Delivery {
            id: DeliveryId::new(self.entropy.uuid_v4()),
            seq,
            kind,
            state: State::Ready,
            round: 1,
            created_at: now,
            ends_at: ends_at(kind, finishes_at),
            is_stuck: false,
        }
    }

    async fn issue(
        &self,
        tx: &mut SimTx,
        by: &Serving,
        key: &LaneKey,
        lane: &Lane,
        delivery: Delivery,
        frozen: &Frozen,
    ) -> Stored<()> {
        tx.insert_delivery(key, &delivery, frozen).await?;
        if by.guard.was_ahead_at(tx.now()) {
            return Err(StoreError::timed_out("the clock was set back"));
        }
        let policy = policy(&self.world, &key.provider, by.guard.is_trusted());
        let mut known = lane.clone();
        known.deliveries.push(delivery.clone());
        let moved = step(lane, LaneEvent::Issued(delivery), tx.now(), &policy);
        tx.save_lane(key, &known, &moved.lane).await?;
        let (entropy, now) = (Arc::clone(&self.entropy), tx.now());
        let mint = || DutyItemId::new(entropy.uuid_v7(now));
        tx.apply_duties(key, &moved.effects, &mint).await.map(drop)
    }
}

/// The stored payload of a text: the alert's own is number 0, an update's its own number.
fn text_payload(identifier: DeliveryId, text: usize) -> String {
    format!(
        "{{\"message_type\":\"alert\",\"identifier\":\"{identifier}\",\
         \"message_format\":\"cap\",\"headline\":\"A\",\"description\":\"{text}\"}}"
    )
}

/// What a person is told, or nothing: the process died, or took too long.
async fn asked<T>(by: &Serving, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = by.life.died() => None,
        done = timeout(ANSWER_MAX, async {
            by.life.pass().await;
            work.await
        }) => done.ok(),
    }
}

fn database(world: &Arc<World>, life: &Arc<Life>) -> SimDatabase {
    SimDatabase {
        world: Arc::clone(world),
        life: Arc::clone(life),
    }
}

fn policy(world: &World, provider: &ProviderName, is_trusted: bool) -> Policy {
    let profiles = world.options.profiles();
    let figures = &world.options.figures;
    let conditions = Conditions {
        hold: (!is_trusted).then_some(HoldReason::Clock),
        ..Conditions::default()
    };
    let mut policy = Policy::of(figures, profiles.get(provider), true, &conditions);
    policy.planted = world.planted_rules().lane;
    policy
}

/// Completes alerts whose end has come, each second, as one process's schedule does.
pub async fn complete_alerts(
    world: Arc<World>,
    life: Arc<Life>,
    guard: Arc<ClockGuard>,
    entropy: Arc<SeededEntropy>,
) {
    loop {
        sleep(Duration::from_secs(1)).await;
        life.pass().await;
        if !guard.is_trusted() {
            continue;
        }
        let now = life.clock.now();
        let is_over =
            |row: &AlertRow| !row.is_completed && !row.is_cancelled && now >= row.finishes_at;
        let over: Vec<AlertId> = {
            let state = world.state();
            let alerts = state.tables.alerts.iter();
            alerts
                .filter(|(_, row)| is_over(row))
                .map(|(id, _)| *id)
                .collect()
        };
        for id in over {
            // What fails is tried again in a second.
            let _ = timeout(ANSWER_MAX, complete(&world, &life, &guard, &entropy, id)).await;
        }
    }
}

async fn complete(
    world: &Arc<World>,
    life: &Arc<Life>,
    guard: &ClockGuard,
    entropy: &Arc<SeededEntropy>,
    id: AlertId,
) -> Stored<()> {
    let database = database(world, life);
    let mut tx = database.begin("complete_alert", life.clock.now()).await?;
    let Some(mut alert) = tx.lock_alert(id).await? else {
        return Ok(());
    };
    if alert.is_completed || alert.is_cancelled || guard.was_ahead_at(tx.now()) {
        return Ok(());
    }
    for key in tx.list_lanes(id).await? {
        let Some(lane) = tx.lock_lane(&key).await? else {
            continue;
        };
        let moved = step(
            &lane,
            LaneEvent::Tick,
            tx.now(),
            &policy(world, &key.provider, true),
        );
        tx.save_lane(&key, &lane, &moved.lane).await?;
        let (entropy, now) = (Arc::clone(entropy), tx.now());
        let mint = || DutyItemId::new(entropy.uuid_v7(now));
        tx.apply_duties(&key, &moved.effects, &mint).await?;
    }
    alert.is_completed = true;
    tx.save_alert(id, alert).await?;
    tx.commit().await
}
