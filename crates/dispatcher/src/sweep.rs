//! The loop: it takes up lanes when something was committed, each second in any case, and until it
//! is told to end.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use balefire_domain::limits::LANES_PER_SWEEP_MAX;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, Sleep, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::Dispatcher;
use crate::lane_task::Cause;
use crate::ports::{Database, DueLane, LaneKey, StoreError, Stored, Transaction, WayOut};
use crate::wake_lane::Waiting;

/// The sweep's period: how late a lane wakes at most when no wake-up reached us.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);
/// How often this process says that it lives (D26).
const BEAT_PERIOD: Duration = Duration::from_secs(5);
/// How long one step with the database may take before it counts as failed: a connection whose
/// peer vanished would otherwise keep its step for ever.
const STEP_MAX: Duration = Duration::from_secs(10);
/// How old the latest sweep may be while the loop counts as alive.
const ALIVE_MAX: Duration = Duration::from_secs(5);
/// How long open attempts are awaited at the end; what is left is closed by who starts next.
const DRAIN_MAX: Duration = Duration::from_secs(25);
/// Lanes of one provider that a wake-up takes up at most; the tick takes up the others.
const LANES_PER_WAKE_UP_MAX: usize = 64;
/// While so many lanes are due at every provider, wake-ups are followed at most once in
/// [`CROWD_PAUSE`]: each lists them all, and most have their turn already. What waits at some
/// providers alone is no crowd, and delays nobody.
const CROWD: usize = 48;
const CROWD_PAUSE: Duration = Duration::from_millis(50);
/// How long after an answer what waits for its provider is woken, for all answers meanwhile
/// together: most wake nothing, and each look asks the database.
const HEAL_AFTER: Duration = Duration::from_millis(100);
/// Turns of one provider under way at once; the sweep takes up the rest when there is room.
const TURNS_MAX: usize = 4 * LANES_PER_SWEEP_MAX;

/// A step with the database, of bounded length.
pub(crate) async fn bounded<T>(
    name: &'static str,
    step: impl Future<Output = Stored<T>>,
) -> Stored<T> {
    match timeout(STEP_MAX, step).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::timed_out(name)),
    }
}

/// The end of a lane's turn.
struct Ended {
    key: LaneKey,
}

/// Another turn of a lane, and what is known of it.
struct Again {
    cause: Cause,
    is_cancelling: bool,
}

/// The lanes whose turns are under way.
#[derive(Default)]
struct Turns {
    tasks: JoinSet<Ended>,
    running: BTreeSet<LaneKey>,
    /// How many of them each provider has.
    crowds: BTreeMap<ProviderName, usize>,
    /// Woken while their turn was under way: they get another.
    again: BTreeMap<LaneKey, Again>,
    /// Who waits for the end of a lane's turn.
    waiting: BTreeMap<LaneKey, Vec<oneshot::Sender<()>>>,
    /// While it lasts, wake-ups wait.
    pause: Option<Pin<Box<Sleep>>>,
    /// At its end what waits for the providers that answered is woken.
    heal: Option<Pin<Box<Sleep>>>,
}

/// Ends when wake-ups may be followed again; at once where nothing holds them up.
async fn end_of(pause: &mut Option<Pin<Box<Sleep>>>) {
    if let Some(lasting) = pause {
        lasting.await;
        *pause = None;
    }
}

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// Dispatches until `end` is cancelled, then awaits the open attempts. Errors when this process
    /// could not enter the database at the start; later failures of the database are logged, and
    /// the next sweep tries again.
    pub async fn run(self: Arc<Self>, end: CancellationToken) -> Stored<()> {
        bounded("instance.enter", self.enter()).await?;
        let mut recovery = JoinSet::new();
        // Of its own: it waits for rows that another process may hold.
        recovery.spawn(Arc::clone(&self).recover());
        let mut turns = Turns::default();
        let mut sweep = interval(SWEEP_PERIOD);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // The order of the choices is fixed, so that a run of the simulator can be repeated,
            // and none is starved: what has ended was taken in before any choice is made; the tick
            // and the heal, which come at times of their own, stand before the wake-up.
            let done = tokio::select! {
                biased;
                () = end.cancelled() => break,
                _ = recovery.join_next() => break,
                _ = sweep.tick(), if !self.planted.no_sweep() => {
                    self.take_up(&mut turns, LANES_PER_SWEEP_MAX).await
                }
                () = self.heal.notified(), if turns.heal.is_none() => {
                    turns.heal = Some(Box::pin(sleep(HEAL_AFTER)));
                    Ok(())
                }
                () = end_of(&mut turns.heal), if turns.heal.is_some() => {
                    self.take_up_healed(&mut turns).await
                }
                () = async {
                    end_of(&mut turns.pause).await;
                    self.wake.notified().await;
                } => self.take_up(&mut turns, LANES_PER_WAKE_UP_MAX).await,
                Some(ended) = turns.tasks.join_next() => {
                    self.end_turn(&mut turns, ended);
                    Ok(())
                }
            };
            self.take_in(&mut turns);
            if let Err(error) = done {
                tracing::error!(
                    event = "sweep.failed",
                    error = &error as &dyn std::error::Error,
                    "the database failed; the next sweep tries again"
                );
            }
        }
        self.is_ending.store(true, Ordering::Relaxed);
        self.drain(turns).await;
        recovery.shutdown().await;
        bounded("instance.leave", self.leave()).await
    }

    /// Whether the loop is alive: its latest sweep succeeded within the last seconds.
    pub fn is_alive(&self) -> bool {
        let swept_at = Timestamp::from_micros(self.swept_at_us.load(Ordering::Relaxed));
        self.clock.now().since(swept_at) < ALIVE_MAX
    }

    /// Until it is aborted, which is after what was open at the end was awaited: whoever is
    /// declared dead meanwhile has its attempts sent again.
    async fn recover(self: Arc<Self>) {
        let mut beat = interval(BEAT_PERIOD);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            let beaten = bounded("instance.beat", self.beat()).await;
            // At the end this process only goes on saying that it lives.
            let closed = if self.is_ending.load(Ordering::Relaxed) {
                Ok(())
            } else {
                self.close_orphans().await
            };
            for error in [beaten.err(), closed.err()].into_iter().flatten() {
                tracing::error!(
                    event = "recovery.failed",
                    error = &error as &dyn std::error::Error,
                    "the database failed; the next beat tries again"
                );
            }
        }
    }

    /// Takes up what is due, of every provider at most `limit` lanes.
    async fn take_up(self: &Arc<Self>, turns: &mut Turns, limit: usize) -> Stored<()> {
        let due = bounded("list_due", async {
            let mut tx = self.store.begin_read("list_due", self.clock.now()).await?;
            tx.list_due_lanes(limit).await
        })
        .await?;
        self.swept_at_us
            .store(self.clock.now().micros(), Ordering::Relaxed);
        turns.pause = self.is_crowded(&due).then(|| Box::pin(sleep(CROWD_PAUSE)));
        for lane in due {
            self.begin_turn(turns, lane.key, lane.is_cancelling, Cause::Due);
        }
        for Waiting { key, until } in self.take_waiting() {
            if turns.running.contains(&key) {
                turns.waiting.entry(key).or_default().push(until);
            }
        }
        Ok(())
    }

    fn is_crowded(&self, due: &[DueLane]) -> bool {
        let mut providers = self.settings.profiles.keys();
        providers.all(|provider| {
            let of_it = due.iter().filter(|lane| lane.key.provider == *provider);
            of_it.count() >= CROWD
        })
    }

    /// Wakes what waits for the providers that answered.
    async fn take_up_healed(self: &Arc<Self>, turns: &mut Turns) -> Stored<()> {
        let healed = self.take_healed();
        let waiting = bounded("list_waiting", self.list_waiting(&healed)).await;
        if waiting.is_err() {
            for provider in &healed {
                self.note_healed(provider);
            }
        }
        for lane in waiting? {
            self.begin_turn(turns, lane.key, lane.is_cancelling, Cause::Healed);
        }
        Ok(())
    }

    async fn list_waiting(&self, healed: &BTreeSet<ProviderName>) -> Stored<Vec<DueLane>> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("list_waiting", now).await?;
        let mut waiting = Vec::new();
        for provider in healed {
            waiting.extend(tx.list_waiting_lanes(provider, LANES_PER_SWEEP_MAX).await?);
        }
        Ok(waiting)
    }

    fn begin_turn(
        self: &Arc<Self>,
        turns: &mut Turns,
        key: LaneKey,
        is_cancelling: bool,
        cause: Cause,
    ) {
        // By a clock in doubt nothing can be decided, and another process may have a better one.
        if !self.clock.is_trusted() {
            return;
        }
        if turns.running.contains(&key) {
            let again = turns.again.entry(key).or_insert(Again {
                cause,
                is_cancelling,
            });
            if cause == Cause::Healed {
                again.cause = cause;
            }
            again.is_cancelling |= is_cancelling;
            return;
        }
        let crowd = turns.crowds.entry(key.provider.clone()).or_default();
        if *crowd >= TURNS_MAX && !is_cancelling {
            return;
        }
        *crowd += 1;
        turns.running.insert(key.clone());
        let this = Arc::clone(self);
        turns.tasks.spawn(async move {
            this.guarded_turn(&key, is_cancelling, cause).await;
            Ended { key }
        });
    }

    /// A turn whose panic and failure end nothing but itself.
    async fn guarded_turn(self: &Arc<Self>, key: &LaneKey, is_cancelling: bool, cause: Cause) {
        let turn = AssertUnwindSafe(self.run_lane(key, is_cancelling, cause));
        let failure = match turn.catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                if error.is_of_the_data() {
                    self.tell_unreadable(key).await;
                }
                Some(error)
            }
            Err(_) => match AssertUnwindSafe(self.after_panic(key)).catch_unwind().await {
                Ok(told) => told.err(),
                Err(_) => None, // The panic was logged; the sweep comes back to the lane.
            },
        };
        if let Some(error) = failure {
            tracing::error!(
                event = "lane.failed", alert.id = %key.alert_id, provider = %key.provider,
                error = &error as &dyn std::error::Error,
                "the database failed in a lane's turn; the next sweep tries again"
            );
        }
    }

    /// Takes in every turn that has ended.
    fn take_in(self: &Arc<Self>, turns: &mut Turns) {
        while let Some(ended) = turns.tasks.try_join_next() {
            self.end_turn(turns, ended);
        }
    }

    fn end_turn(self: &Arc<Self>, turns: &mut Turns, ended: Result<Ended, tokio::task::JoinError>) {
        let ended = ended.expect("a turn catches its own panics and nobody aborts it");
        turns.running.remove(&ended.key);
        if let Some(crowd) = turns.crowds.get_mut(&ended.key.provider) {
            *crowd -= 1;
        }
        if let Some(again) = turns.again.remove(&ended.key) {
            self.begin_turn(turns, ended.key.clone(), again.is_cancelling, again.cause);
        }
        if !turns.running.contains(&ended.key) {
            turns.waiting.remove(&ended.key);
        }
    }

    async fn drain(&self, mut turns: Turns) {
        let all_ended = async { while turns.tasks.join_next().await.is_some() {} };
        let _ = timeout(DRAIN_MAX, all_ended).await;
        if !turns.tasks.is_empty() {
            tracing::warn!(
                event = "dispatcher.cut_off",
                open = turns.tasks.len(),
                "attempts are still open at the end; whoever starts next closes them as unknown"
            );
        }
    }
}
