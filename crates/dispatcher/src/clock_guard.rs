//! Watches this process's clock (D35).
//!
//! [`ClockGuard`] is a clock like the one it wraps, which also knows whether it may be believed:
//! whoever is given it asks [`Clock::is_trusted`] before it sends, expires or takes anything for
//! drained. Each look compares the wall clock with the monotonic one, so that a jump is found
//! before anything is decided by it; a loop probes each second, and asks the database's clock each
//! ten seconds, each second while there is doubt. `domain::clock_guard` judges.
//!
//! What it deliberately doesn't do: it never sets or corrects a clock, and what was stored by a
//! wrong one stays as it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use balefire_domain::clock_guard::{Change, ClockJudge, DatabaseReading, Doubt, Reading};
use balefire_domain::entropy::Entropy;
use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::DutyKind;
use balefire_domain::time::{Clock, Timestamp};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ports::{Database, ProbeTransaction, Stored, Transaction};
use crate::sweep::bounded;

/// How often the two hands are compared.
const PROBE_PERIOD: Duration = Duration::from_secs(1);
/// How often the database's clock is asked while there is no doubt.
const DATABASE_PERIOD: Duration = Duration::from_secs(10);

/// A clock that knows whether it may be believed.
pub struct ClockGuard {
    clock: Arc<dyn Clock>,
    judge: Mutex<ClockJudge>,
    /// `process <instance name>`: what its duty item is about.
    subject: String,
}

/// What the database was told of this clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Trusted,
    Doubted,
}

impl ClockGuard {
    /// A guard of `clock`, in doubt until its first good probe. `clock_skew` is what the
    /// configuration permits; `has_database_clock`: the database runs on a clock of its own.
    pub fn new(
        clock: Arc<dyn Clock>,
        clock_skew: Duration,
        has_database_clock: bool,
        instance_name: &str,
    ) -> Self {
        Self {
            clock,
            judge: Mutex::new(ClockJudge::new(clock_skew, has_database_clock)),
            subject: format!("process {instance_name}"),
        }
    }

    /// Compares the clocks now, with the database's where it answers.
    pub async fn probe<D>(&self, database: &D)
    where
        D: Database,
        D::Transaction: ProbeTransaction,
    {
        let answered = bounded("clock.read", self.ask(database)).await;
        let database = answered.unwrap_or_else(|error| {
            tracing::warn!(
                event = "clock.not_read",
                error = &error as &dyn std::error::Error,
                "the database's clock could not be asked; the next probe tries again"
            );
            None
        });
        self.read(database);
    }

    /// Probes until `end` is cancelled, and keeps a duty item open while there is doubt.
    pub async fn run<D>(
        self: Arc<Self>,
        database: D,
        entropy: Arc<dyn Entropy>,
        end: CancellationToken,
    ) where
        D: Database,
        D::Transaction: ProbeTransaction,
    {
        let mut told = Told::Nothing;
        let mut asked_at = None;
        let mut tick = interval(PROBE_PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = end.cancelled() => return,
                _ = tick.tick() => {}
            }
            let now = self.clock.monotonic();
            let is_time = asked_at.is_none_or(|at| now.saturating_sub(at) >= DATABASE_PERIOD);
            if is_time || !self.is_trusted() {
                asked_at = Some(now);
                self.probe(&database).await;
            } else {
                self.read(None);
            }
            self.tell(&database, entropy.as_ref(), &mut told).await;
        }
    }

    fn read(&self, database: Option<DatabaseReading>) {
        let reading = Reading {
            monotonic: self.clock.monotonic(),
            wall: self.clock.now(),
            database,
        };
        let change = self.lock().read(&reading);
        self.log(change);
    }

    /// How far the database's clock is from ours.
    async fn ask<D>(&self, database: &D) -> Stored<Option<DatabaseReading>>
    where
        D: Database,
        D::Transaction: ProbeTransaction,
    {
        let mut tx = database.begin_read("clock.read", self.clock.now()).await?;
        let (asked_at, began) = (self.clock.now(), self.clock.monotonic());
        let said = tx.read_database_clock().await?;
        let uncertainty = self.clock.monotonic().saturating_sub(began) / 2;
        Ok(said.map(|said| DatabaseReading {
            ahead_micros: said
                .micros()
                .saturating_sub((asked_at + uncertainty).micros()),
            uncertainty,
        }))
    }

    /// Opens or closes the duty item, where the database does not know yet.
    async fn tell<D>(&self, database: &D, entropy: &dyn Entropy, told: &mut Told)
    where
        D: Database,
        D::Transaction: ProbeTransaction,
    {
        let news = match self.lock().doubt() {
            None => Told::Trusted,
            Some(Doubt::Unproven) => return,
            Some(Doubt::Jumped(_) | Doubt::DatabaseDiffers(_)) => Told::Doubted,
        };
        if news == *told {
            return;
        }
        match bounded("clock.tell", self.tell_once(database, entropy, news)).await {
            Ok(()) => *told = news,
            Err(error) => tracing::warn!(
                event = "clock.not_told",
                error = &error as &dyn std::error::Error,
                "the database failed; the next second tries again"
            ),
        }
    }

    async fn tell_once<D>(&self, database: &D, entropy: &dyn Entropy, news: Told) -> Stored<()>
    where
        D: Database,
        D::Transaction: ProbeTransaction,
    {
        let (kind, now) = (DutyKind::Clock, self.clock.now());
        let mut tx = database.begin("clock.tell", now).await?;
        if news == Told::Trusted {
            tx.close_duty_item_of(kind, &self.subject, "the clock")
                .await?;
            // When they wake was reckoned by the wrong clock.
            tx.wake_lanes_held_by_clock().await?;
            return tx.commit().await;
        }
        let id = DutyItemId::new(entropy.uuid_v7(now));
        let is_new = tx
            .open_duty_item(id, kind, &self.subject, None, None)
            .await?;
        tx.commit().await?;
        if is_new {
            tracing::error!(
                event = "duty_item.opened",
                subject = self.subject,
                kind = kind.as_str(),
                advice = kind.advice(),
                "a person on duty is needed"
            );
        }
        Ok(())
    }

    fn log(&self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Believed) => {
                tracing::info!(event = "clock.believed", "the clocks agree");
            }
            Some(Change::Doubted(why)) => {
                let (what, micros) = match why {
                    Doubt::Unproven => ("never compared with the database's", 0),
                    Doubt::Jumped(micros) => ("it moved against the monotonic clock", micros),
                    Doubt::DatabaseDiffers(micros) => ("the database's clock is ahead", micros),
                };
                tracing::error!(
                    event = "clock.doubted",
                    subject = self.subject,
                    why = what,
                    ms = micros / 1000,
                    "the clock is in doubt: nothing is sent, expired or taken for drained until \
                     the clocks agree again"
                );
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, ClockJudge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ClockGuard {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn is_trusted(&self) -> bool {
        let (monotonic, wall) = (self.clock.monotonic(), self.clock.now());
        let mut judge = self.lock();
        let change = judge.glance(wall, monotonic);
        let is_trusted = judge.is_trusted();
        drop(judge);
        self.log(change);
        is_trusted
    }
}
