//! The simulated database: transactions over rows in memory.
//!
//! A transaction works on copies of the lanes that it locked. A commit is carried out by the
//! database itself, not by the process that asked for it: once asked for, it goes on whether or not
//! the process lives or waits to hear of it, and the locks are held until then. A process that
//! stands still in the middle of a transaction loses it after ten seconds, as PostgreSQL is told to
//! do; with one writer it keeps the database to itself.

use std::sync::Arc;
use std::time::Duration;

use balefire_dispatcher::ports::{Database, LaneKey, StoreError, Stored};
use balefire_domain::ids::{AlertId, DeliveryId};
use balefire_domain::time::Timestamp;
use tokio::time::{sleep, timeout};

use super::hazard::{Fault, Hazard};
use super::options::Engine;
use super::process::Life;
use super::random::{Dice, label};
use super::tables::{AlertRow, Claim, LaneRows, LockName, wrong_rows};
use super::world::World;
use super::writes::{Work, Write};

/// How long a lock is waited for (`lock_timeout`, `busy_timeout`).
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// The database as one process sees it.
#[derive(Clone)]
pub struct SimDatabase {
    /// The run.
    pub world: Arc<World>,
    /// The process.
    pub life: Arc<Life>,
}

/// A transaction.
pub struct SimTx {
    pub(super) world: Arc<World>,
    pub(super) life: Arc<Life>,
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) now: Timestamp,
    pub(super) dice: Dice,
    pub(super) work: Work,
    /// The database holds its locks from here on, not this process.
    pub(super) is_over: bool,
}

impl Database for SimDatabase {
    type Transaction = SimTx;

    async fn begin(&self, name: &'static str, now: Timestamp) -> Stored<SimTx> {
        let mut tx = self.transaction(name, now);
        tx.pass().await?;
        tx.wait_as_slow().await;
        if tx.world.options.engine == Engine::OneWriter {
            tx.lock(LockName::Writer).await?;
        }
        Ok(tx)
    }

    async fn begin_read(&self, name: &'static str, now: Timestamp) -> Stored<SimTx> {
        let tx = self.transaction(name, now);
        tx.pass().await?;
        Ok(tx)
    }
}

impl SimDatabase {
    fn transaction(&self, name: &'static str, now: Timestamp) -> SimTx {
        let id = self.world.next_transaction(self.life.process);
        let labels = [
            2,
            self.life.process as u64,
            self.life.number,
            id,
            label(name),
        ];
        SimTx {
            world: Arc::clone(&self.world),
            life: Arc::clone(&self.life),
            id,
            name,
            now,
            dice: Dice::of(self.world.options.seed, &labels),
            work: Work::default(),
            is_over: false,
        }
    }
}

impl SimTx {
    /// Before every statement: the process runs, and the database is there.
    pub(super) async fn pass(&self) -> Stored<()> {
        self.life.pass().await;
        let is_away = self.world.is_database_away();
        if is_away {
            sleep(Duration::from_millis(20)).await;
            self.life.pass().await;
        }
        if is_away || self.world.state().locks.has_ended(self.id) {
            return Err(StoreError::timed_out(self.name));
        }
        Ok(())
    }

    pub(super) async fn statement(&mut self) -> Stored<()> {
        self.pass().await?;
        if self
            .world
            .strikes(&mut self.dice, Hazard::FailedStatements, 5)
        {
            self.world
                .note(|| format!("{}: a statement fails", self.name));
            self.world.state().locks.end(self.id);
            return Err(StoreError::timed_out(self.name));
        }
        if self.world.strikes(&mut self.dice, Hazard::Panics, 20) && self.name == "dispatch.open" {
            let mut state = self.world.state();
            state.reached.count(Fault::F53);
            drop(state);
            self.world.note(|| "the code of a lane panics".to_owned());
            std::panic::panic_any(PlannedPanic);
        }
        Ok(())
    }

    async fn wait_as_slow(&mut self) {
        if self.world.options.has(Hazard::SlowDatabase) && !self.world.is_healed() {
            let ms = if self.dice.chance(50) {
                self.dice.between(0, 12_000)
            } else {
                self.dice.between(0, 300)
            };
            sleep(Duration::from_millis(ms)).await;
        } else if !self.world.options.is_steady {
            sleep(Duration::from_millis(self.dice.below(3))).await;
        }
    }

    /// Takes a lock, or waits for it.
    pub async fn lock(&mut self, name: LockName) -> Stored<()> {
        let is_lane = matches!(name, LockName::Lane(_));
        let claim = self.world.state().locks.claim(name, self.id);
        let Claim::Waits { holder, told } = claim else {
            return Ok(());
        };
        if is_lane && World::process_of(holder) != self.life.process {
            self.world.state().reached.count(Fault::F10);
        }
        let told = timeout(LOCK_WAIT_MAX, told).await;
        self.life.pass().await;
        match told {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(StoreError::timed_out(self.name)),
        }
    }

    /// An alert's row, locked.
    pub async fn lock_alert(&mut self, id: AlertId) -> Stored<Option<AlertRow>> {
        self.statement().await?;
        self.lock(LockName::Alert(id)).await?;
        Ok(self.world.state().tables.alerts.get(&id).cloned())
    }

    /// The lanes of an alert, in the order in which to lock them.
    pub async fn list_lanes(&mut self, alert: AlertId) -> Stored<Vec<LaneKey>> {
        self.statement().await?;
        let state = self.world.state();
        let keys = state.tables.lanes.keys();
        Ok(keys.filter(|key| key.alert_id == alert).cloned().collect())
    }

    /// Stores a new lane.
    pub async fn insert_lane(&mut self, key: &LaneKey, finishes_at: Timestamp) -> Stored<()> {
        self.statement().await?;
        self.lock(LockName::Lane(key.clone())).await?;
        let is_known = self.world.state().tables.lanes.contains_key(key);
        if is_known || self.work.lanes.contains_key(key) {
            return Err(wrong_rows("lanes: primary key"));
        }
        self.work
            .lanes
            .insert(key.clone(), LaneRows::new(finishes_at));
        Ok(())
    }

    /// Stores an alert's row.
    pub async fn save_alert(&mut self, id: AlertId, row: AlertRow) -> Stored<()> {
        self.statement().await?;
        self.work.writes.push(Write::Alert(id, row));
        Ok(())
    }

    pub(super) fn rows(&mut self, key: &LaneKey) -> Stored<&mut LaneRows> {
        self.work
            .lanes
            .get_mut(key)
            .ok_or_else(|| wrong_rows("a lane that was not locked"))
    }

    pub(super) fn rows_of_delivery(&mut self, id: DeliveryId) -> Option<&mut LaneRows> {
        let mut lanes = self.work.lanes.values_mut();
        lanes.find(|rows| rows.frozen.contains_key(&id))
    }
}

impl Drop for SimTx {
    fn drop(&mut self) {
        if !self.is_over {
            self.world.state().locks.release(self.id);
        }
    }
}

/// What a planned panic carries, so that it is told from a real one.
#[derive(Debug)]
pub struct PlannedPanic;
