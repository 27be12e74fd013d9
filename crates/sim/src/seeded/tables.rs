//! The rows of the simulated database, and the locks on them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use balefire_dispatcher::ports::{
    AnswerRecord, Frozen, LaneKey, Probe, ProbeKey, StoreError, Stored,
};
use balefire_domain::ids::{AlertId, AttemptId, DeliveryId, InstanceId};
use balefire_domain::lane::next_wake;
use balefire_domain::lane::{Attempt, Delivery, DutyKind, Kind, Lane, State};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use tokio::sync::oneshot;

/// A lane's rows: itself, its deliveries, its attempts.
#[derive(Clone, Debug)]
pub struct LaneRows {
    /// What `step` judges.
    pub lane: Lane,
    /// What is frozen with each delivery.
    pub frozen: BTreeMap<DeliveryId, Frozen>,
    /// What each attempt was answered.
    pub answers: BTreeMap<AttemptId, AnswerRecord>,
    /// When the sweep looks at it.
    pub wake_at: Option<Timestamp>,
    /// Its latest delivery is a cancel.
    pub is_cancelling: bool,
}

/// An alert's row, as far as dispatch depends on it.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// Which of the plan's alerts it is, from 0.
    pub number: usize,
    /// When it ends.
    pub finishes_at: Timestamp,
    /// The next event's place.
    pub next_seq: u32,
    /// How many updates of it were committed.
    pub updates: usize,
    /// Its cancel was committed.
    pub is_cancelled: bool,
    /// Its end was noticed.
    pub is_completed: bool,
}

/// A process's row.
#[derive(Clone, Debug)]
pub struct InstanceRow {
    /// Its name.
    pub name: String,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// Since when it is dead.
    pub ended_at: Option<Timestamp>,
}

/// A duty item.
#[derive(Clone, Debug)]
pub struct DutyRow {
    /// What is wrong.
    pub kind: DutyKind,
    /// With what.
    pub subject: String,
    /// It was closed.
    pub is_closed: bool,
}

/// What was committed.
#[derive(Debug, Default)]
pub struct Tables {
    /// The alerts.
    pub alerts: BTreeMap<AlertId, AlertRow>,
    /// The lanes.
    pub lanes: BTreeMap<LaneKey, LaneRows>,
    /// The processes.
    pub instances: BTreeMap<InstanceId, InstanceRow>,
    /// How each route worked last.
    pub routes: BTreeMap<(String, String), (Timestamp, bool)>,
    /// Link tests and heartbeats.
    pub probes: BTreeMap<ProbeKey, Probe>,
    /// When each route last brought something through.
    pub carried: BTreeMap<(String, String), Timestamp>,
    /// How far the database's clock is ahead, in microseconds.
    pub clock_ahead_us: i64,
    /// The providers that a person has paused.
    pub paused: BTreeSet<ProviderName>,
    /// Until when everything is held back after a failover.
    pub quarantine_until: Option<Timestamp>,
    /// The duty items.
    pub duty_items: Vec<DutyRow>,
    /// The last message number that was given out.
    pub message_number: u32,
}

/// The name of something that a transaction locks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockName {
    /// SQLite's one writer.
    Writer,
    /// An alert's row.
    Alert(AlertId),
    /// A lane's row.
    Lane(LaneKey),
}

#[derive(Debug, Default)]
struct Lock {
    holder: Option<u64>,
    waiting: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// Who holds which lock, and who waits for it, first come, first served.
#[derive(Debug, Default)]
pub struct Locks {
    by_name: BTreeMap<LockName, Lock>,
    /// Transactions that the database has ended by itself.
    ended: BTreeSet<u64>,
}

/// What comes of asking for a lock.
pub enum Claim {
    /// It is held now.
    Held,
    /// Somebody else holds it, and this tells when it is ours.
    Waits {
        /// Who holds it.
        holder: u64,
        /// Tells when it is ours.
        told: oneshot::Receiver<()>,
    },
}

impl Locks {
    /// Asks for a lock.
    pub fn claim(&mut self, name: LockName, by: u64) -> Claim {
        let lock = self.by_name.entry(name).or_default();
        match lock.holder {
            None => {
                lock.holder = Some(by);
                Claim::Held
            }
            Some(holder) if holder == by => Claim::Held,
            Some(holder) => {
                let (tell, told) = oneshot::channel();
                lock.waiting.push_back((by, tell));
                Claim::Waits { holder, told }
            }
        }
    }

    /// Gives back all that a transaction holds, and what it waits for.
    pub fn release(&mut self, by: u64) {
        for lock in self.by_name.values_mut() {
            lock.waiting.retain(|(waiting, _)| *waiting != by);
            if lock.holder != Some(by) {
                continue;
            }
            lock.holder = None;
            while let Some((next, tell)) = lock.waiting.pop_front() {
                if tell.send(()).is_ok() {
                    lock.holder = Some(next);
                    break;
                }
            }
        }
        self.by_name
            .retain(|_, lock| lock.holder.is_some() || !lock.waiting.is_empty());
    }

    /// Ends a transaction from the database's side.
    pub fn end(&mut self, by: u64) {
        self.ended.insert(by);
        self.release(by);
    }

    /// Ends every transaction that holds something, of those that are named.
    pub fn end_all(&mut self, is_named: impl Fn(u64) -> bool) {
        let holders: BTreeSet<u64> = self
            .by_name
            .values()
            .filter_map(|lock| lock.holder)
            .filter(|holder| is_named(*holder))
            .collect();
        for holder in holders {
            self.end(holder);
        }
    }

    /// Whether the database has ended this transaction.
    pub fn has_ended(&self, by: u64) -> bool {
        self.ended.contains(&by)
    }
}

/// A conditional write that found something else than was read.
pub fn wrong_rows(statement: &'static str) -> StoreError {
    StoreError::RowCount {
        statement,
        expected: 1,
        actual: 0,
    }
}

impl LaneRows {
    /// A lane without deliveries.
    pub const fn new(finishes_at: Timestamp) -> Self {
        Self {
            lane: Lane::new(finishes_at),
            frozen: BTreeMap::new(),
            answers: BTreeMap::new(),
            wake_at: None,
            is_cancelling: false,
        }
    }

    /// Stores a new delivery as `ready`.
    pub fn insert_delivery(&mut self, delivery: &Delivery, frozen: &Frozen) -> Stored<()> {
        let is_known = |d: &Delivery| d.seq == delivery.seq || d.id == delivery.id;
        if self.lane.deliveries.iter().any(is_known) {
            return Err(wrong_rows("deliveries: unique"));
        }
        self.lane.deliveries.push(as_inserted(delivery));
        self.frozen.insert(delivery.id, frozen.clone());
        Ok(())
    }

    /// Stores the difference between what was read and what became of it, every part on condition
    /// that it still stands as it was read.
    pub fn save(&mut self, was: &Lane, is: &Lane, now: Timestamp, rules: Rules) -> Stored<()> {
        for attempt in &is.attempts {
            match was.attempts.iter().find(|known| known.id == attempt.id) {
                None => self.insert_attempt(attempt, rules)?,
                Some(known) if known != attempt => self.close_attempt(known, attempt, rules)?,
                Some(_) => {}
            }
        }
        for delivery in &is.deliveries {
            let known = was.deliveries.iter().find(|known| known.id == delivery.id);
            let known = known.cloned().unwrap_or_else(|| as_inserted(delivery));
            if known != *delivery {
                self.update_delivery(&known, delivery)?;
            }
        }
        self.wake_at = next_wake(is, now);
        self.is_cancelling = is
            .active()
            .is_some_and(|active| active.kind == Kind::Cancel);
        Ok(())
    }

    fn insert_attempt(&mut self, attempt: &Attempt, rules: Rules) -> Stored<()> {
        let is_open = |other: &Attempt| other.is_open() && other.slot == attempt.slot;
        if rules.one_open && attempt.is_open() && self.lane.attempts.iter().any(is_open) {
            return Err(wrong_rows("attempts_one_open"));
        }
        self.lane.attempts.push(attempt.clone());
        Ok(())
    }

    fn close_attempt(&mut self, was: &Attempt, is: &Attempt, rules: Rules) -> Stored<()> {
        let stored = self.lane.attempts.iter_mut().find(|a| a.id == is.id);
        let admits = |stored: &Attempt| {
            if was.is_open() {
                stored.is_open()
            } else {
                !stored.is_open() && (!stored.is_accepted() || !rules.keeps_acceptance)
            }
        };
        match stored {
            Some(stored) if is.closed.is_some() && admits(stored) => {
                stored.closed = is.closed;
                Ok(())
            }
            Some(_) | None => Err(wrong_rows("store.attempts.close")),
        }
    }

    fn update_delivery(&mut self, was: &Delivery, is: &Delivery) -> Stored<()> {
        let stored = self.lane.deliveries.iter_mut().find(|d| d.id == is.id);
        match stored {
            Some(stored) if !stored.state.is_terminal() && stored == was => {
                *stored = is.clone();
                Ok(())
            }
            Some(_) | None => Err(wrong_rows("store.deliveries.update")),
        }
    }
}

/// What the schema enforces; planted faults leave a rule out.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The unique index over open attempts.
    pub one_open: bool,
    /// The condition under which a closed attempt may change.
    pub keeps_acceptance: bool,
}

fn as_inserted(delivery: &Delivery) -> Delivery {
    Delivery {
        state: State::Ready,
        round: 1,
        is_stuck: false,
        ..delivery.clone()
    }
}
