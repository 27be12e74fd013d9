//! One run's world: what every part of it shares.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use balefire_dispatcher::planted::Planted;
use balefire_dispatcher::ports::LaneKey;
use balefire_domain::ids::{AlertId, DeliveryId};
use balefire_domain::lane::Lane;
use balefire_domain::provider::ProviderName;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::hazard::{Fault, Hazard, Reached};
use super::options::{Engine, Options, ProviderKind, provider_name};
use super::oracle::{Cbc, Oracle};
use super::planted;
use super::process::{Life, TrueTime};
use super::properties::Property;
use super::random::Dice;
use super::safety;
use super::tables::{LaneRows, Locks, Tables};
use super::trace::{Keeping, Trace, attempt_words, delivery_words};

/// Processes of one run at most; a transaction's number tells whose it is.
const PROCESSES_MAX: u64 = 8;

/// How long a process may stand still in a transaction (`idle_in_transaction_session_timeout`).
const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(10);
/// Commits that a failover may forget, at most.
const REPLACED_MAX: usize = 200;

/// Moments at which a crash is worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// An approval is about to be committed.
    BeforeApproval,
    /// An approval was committed, and nobody was woken.
    AfterApproval,
    /// Anything else is about to be committed.
    BeforeCommit,
    /// It was committed.
    AfterCommit,
    /// An intent is durable, and no byte has left.
    BeforeBytes,
    /// The bytes have left.
    AfterBytes,
    /// The answer is here, and not stored.
    AfterAnswer,
}

impl Point {
    const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeApproval => "before an approval is committed",
            Self::AfterApproval => "after an approval, before its wake-up",
            Self::BeforeCommit => "before a commit",
            Self::AfterCommit => "after a commit",
            Self::BeforeBytes => "after the intent, before the first byte",
            Self::AfterBytes => "after the bytes have left",
            Self::AfterAnswer => "with an answer that is not stored",
        }
    }
}

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// When, in microseconds from the start.
    pub at_us: i64,
    /// What happened.
    pub detail: String,
}

/// Everything that changes.
#[derive(Debug)]
pub struct State {
    /// What the database has committed.
    pub tables: Tables,
    /// Its locks.
    pub locks: Locks,
    /// The providers' centres.
    pub cbcs: BTreeMap<ProviderName, Cbc>,
    /// What was sent and answered.
    pub oracle: Oracle,
    /// The first promise that did not hold.
    pub violation: Option<Violation>,
    /// The faults that were met.
    pub reached: Reached,
    /// What happened.
    pub trace: Trace,
    /// Requests that may still be applied.
    pub in_network: usize,
    /// Short names of alerts, in the order of their approvals.
    pub alert_names: BTreeMap<AlertId, usize>,
    /// How many requests set out over each route.
    pub requests: BTreeMap<String, u64>,
    /// Providers that were found down altogether.
    pub dark: BTreeSet<ProviderName>,
    /// What the latest commits of lanes replaced, newest last: a failover may forget them.
    pub replaced: VecDeque<(i64, LaneKey, LaneRows)>,
    /// A failover forgot something.
    pub has_failed_over: bool,
    /// Services that were suspended after the approval, by their alert.
    pub suspended: BTreeSet<AlertId>,
}

/// The run.
pub struct World {
    /// The plan.
    pub options: Options,
    /// The true time.
    pub time: TrueTime,
    /// The rule that is left out, where one is.
    pub planted: Option<planted::Fault>,
    state: Mutex<State>,
    tasks: Mutex<JoinSet<()>>,
    transactions: AtomicU64,
    points: AtomicU64,
    is_database_away: AtomicBool,
    is_healed: AtomicBool,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(options: Options, planted: Option<planted::Fault>, keeping: Keeping) -> Self {
        let cbcs = (0..options.providers.len())
            .map(|index| (provider_name(index), Cbc::new(&options, index)))
            .collect();
        Self {
            time: TrueTime::begin(),
            planted,
            state: Mutex::new(State {
                tables: Tables::default(),
                locks: Locks::default(),
                cbcs,
                oracle: Oracle::default(),
                violation: None,
                reached: Reached::default(),
                trace: Trace::new(keeping),
                in_network: 0,
                alert_names: BTreeMap::new(),
                requests: BTreeMap::new(),
                dark: BTreeSet::new(),
                replaced: VecDeque::new(),
                has_failed_over: false,
                suspended: BTreeSet::new(),
            }),
            tasks: Mutex::new(JoinSet::new()),
            transactions: AtomicU64::new(1),
            points: AtomicU64::new(0),
            is_database_away: AtomicBool::new(false),
            is_healed: AtomicBool::new(false),
            options,
        }
    }

    /// Everything that changes. Never kept across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the world itself do something, whoever asked for it may be dead by then.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = tasks.try_join_next() {
            ended.expect("the simulated world does not panic");
        }
        tasks.spawn(task);
    }

    /// Ends what the world itself still does.
    pub fn stop(&self) {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
    }

    /// A number for a transaction of this process.
    pub fn next_transaction(&self, process: usize) -> u64 {
        let number = self.transactions.fetch_add(1, Ordering::Relaxed);
        number * PROCESSES_MAX + process as u64
    }

    /// Whose transaction it is.
    pub fn process_of(transaction: u64) -> usize {
        usize::try_from(transaction % PROCESSES_MAX).expect("below the bound")
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.is_healed.store(true, Ordering::Relaxed);
        self.state().tables.clock_ahead_us = 0;
        self.set_database_away(false);
        self.note(|| "from here on nothing goes wrong".to_owned());
    }

    /// Whether nothing goes wrong any more.
    pub fn is_healed(&self) -> bool {
        self.is_healed.load(Ordering::Relaxed)
    }

    /// The database ends what a process that stands still has begun.
    pub fn end_transactions_of(&self, process: usize) {
        self.state()
            .locks
            .end_all(|tx| Self::process_of(tx) == process);
    }

    /// The database fails over to a standby that lacks the commits of lanes of the last `lost`.
    /// All transactions end; what follows from a new timeline is in force at once: everything is
    /// held back until what was in flight is over, and the lanes are tainted.
    pub fn fail_over(&self, lost: Duration) {
        let at_us = self.time.elapsed_us();
        let since_us = at_us - i64::try_from(lost.as_micros()).unwrap_or(0);
        let mut state = self.state();
        state.locks.end_all(|_| true);
        let mut forgotten = 0;
        while state
            .replaced
            .back()
            .is_some_and(|(at, ..)| *at >= since_us)
        {
            let Some((_, key, was)) = state.replaced.pop_back() else {
                break;
            };
            state.note(at_us, || {
                format!("the failover forgets a commit of {}", key.provider)
            });
            state.tables.lanes.insert(key, was);
            forgotten += 1;
        }
        if forgotten > 0 {
            state.reached.count(Fault::F41);
        }
        state.has_failed_over = true;
        let figures = &self.options.figures;
        let drain = figures.clock_skew + self.options.upstream_timeout;
        let now = self.time.now();
        let until = now + figures.attempt_deadline + drain + figures.clock_skew;
        state.tables.quarantine_until = Some(until);
        for rows in state.tables.lanes.values_mut() {
            if rows.lane.deliveries.iter().any(|d| !d.state.is_terminal()) {
                rows.lane.is_tainted = true;
                rows.wake_at = Some(rows.wake_at.map_or(now, |at| at.min(now)));
            }
        }
        state.note(at_us, || "the database fails over".to_owned());
    }

    /// Whether the database can't be reached.
    pub fn is_database_away(&self) -> bool {
        self.is_database_away.load(Ordering::Relaxed)
    }

    /// Takes the database away, or brings it back.
    pub fn set_database_away(&self, is_away: bool) {
        if self.is_database_away.swap(is_away, Ordering::Relaxed) != is_away {
            let word = if is_away { "away" } else { "back" };
            self.note(|| format!("the database is {word}"));
        }
    }

    /// Whether this rule is left out.
    pub fn has_planted(&self, fault: planted::Fault) -> bool {
        self.planted == Some(fault)
    }

    /// What is left out of `step` and of the dispatcher.
    pub fn planted_rules(&self) -> Planted {
        self.planted
            .map_or_else(Planted::default, planted::Fault::rules)
    }

    /// Whether a hazard strikes here: `weight` of a thousand of the plan's rate. The dice are
    /// rolled whatever the plan says, so that a hazard that is left out changes nothing else.
    pub fn strikes(&self, dice: &mut Dice, hazard: Hazard, weight: u64) -> bool {
        let permille = (self.options.rate_permille * weight).div_ceil(1000);
        dice.chance(permille) && self.options.has(hazard) && !self.is_healed()
    }

    /// Makes a process stand still for so long; whether it was running.
    pub fn hold_still(self: &Arc<Self>, life: &Arc<Life>, still: Duration) -> bool {
        if life.is_still() || life.is_dead() {
            return false;
        }
        let name = life.process + 1;
        self.note(|| format!("process {name} stands still for {still:?}"));
        life.stop();
        let (world, life) = (Arc::clone(self), Arc::clone(life));
        self.spawn(async move {
            sleep(still.min(IDLE_IN_TRANSACTION_MAX)).await;
            if still > IDLE_IN_TRANSACTION_MAX && life.is_still() {
                if world.options.engine == Engine::RowLocks {
                    world.end_transactions_of(life.process);
                }
                sleep(still.saturating_sub(IDLE_IN_TRANSACTION_MAX)).await;
            }
            if life.is_still() {
                life.go_on();
                world.note(|| format!("process {name} goes on"));
            }
        });
        true
    }

    /// Kills a process here, or makes it stand still, where the plan has it.
    pub fn may_crash(self: &Arc<Self>, life: &Arc<Life>, point: Point) {
        let number = self.points.fetch_add(1, Ordering::Relaxed);
        let labels = [3, life.process as u64, life.number, number];
        let mut dice = Dice::of(self.options.seed, &labels);
        let weight = match point {
            Point::BeforeApproval | Point::AfterApproval => 600,
            Point::BeforeCommit | Point::AfterCommit => 30,
            Point::BeforeBytes | Point::AfterBytes | Point::AfterAnswer => 150,
        };
        let still = Duration::from_millis(dice.between(1_000, 60_000));
        let pauses = if point == Point::AfterBytes {
            1_500
        } else {
            75
        };
        if self.strikes(&mut dice, Hazard::Pauses, pauses) && self.hold_still(life, still) {
            return;
        }
        if !self.strikes(&mut dice, Hazard::PointedCrashes, weight) || life.is_dead() {
            return;
        }
        match point {
            Point::BeforeApproval => self.state().reached.count(Fault::F1),
            Point::AfterApproval => self.state().reached.count(Fault::F3),
            Point::BeforeCommit
            | Point::AfterCommit
            | Point::BeforeBytes
            | Point::AfterBytes
            | Point::AfterAnswer => {}
        }
        self.kill(life, point.as_str());
    }

    /// Kills a process.
    pub fn kill(&self, life: &Life, when: &str) {
        self.note(|| format!("process {} dies {when}", life.process + 1));
        life.kill();
    }

    /// Writes down what happens.
    pub fn note(&self, what: impl FnOnce() -> String) {
        let at_us = self.time.elapsed_us();
        self.state().note(at_us, what);
    }

    /// A promise did not hold.
    pub fn violate(&self, property: Property, detail: String) {
        let at_us = self.time.elapsed_us();
        self.state().violate(property, at_us, detail);
    }
}

impl State {
    /// Writes down what happens.
    pub fn note(&mut self, at_us: i64, what: impl FnOnce() -> String) {
        self.trace.note(at_us, what);
    }

    /// A promise did not hold. The first one counts.
    pub fn violate(&mut self, property: Property, at_us: i64, detail: String) {
        self.note(at_us, || {
            format!("VIOLATED {}: {detail}", property.as_str())
        });
        self.violation.get_or_insert(Violation {
            property,
            at_us,
            detail,
        });
    }

    /// `alert 1 at pa`.
    pub fn lane_name(&self, key: &LaneKey) -> String {
        let number = self.alert_names.get(&key.alert_id);
        let number = number.map_or_else(|| "?".to_owned(), usize::to_string);
        format!("alert {number} at {}", key.provider)
    }

    /// Commits a lane's rows: whatever changed is noted and judged.
    pub fn commit_lane(&mut self, world: &World, key: &LaneKey, rows: LaneRows) {
        let at_us = world.time.elapsed_us();
        let was = self.tables.lanes.insert(key.clone(), rows);
        let known = was
            .as_ref()
            .map_or_else(|| Lane::new(world.time.now()), |rows| rows.lane.clone());
        let rows = &self.tables.lanes[key];
        let is = rows.lane.clone();
        match was {
            Some(was) if is.deliveries.len() == known.deliveries.len() => {
                self.replaced.push_back((at_us, key.clone(), was));
            }
            // Approvals and cancels are not forgotten here.
            Some(_) | None => self.replaced.clear(),
        }
        if self.replaced.len() > REPLACED_MAX {
            self.replaced.pop_front();
        }
        self.note_changes(at_us, key, &known, &is);
        safety::check_commit(self, world, key, &known, &is);
    }

    fn note_changes(&mut self, at_us: i64, key: &LaneKey, was: &Lane, is: &Lane) {
        if self.trace.keeping == Keeping::Nothing {
            return;
        }
        let name = self.lane_name(key);
        for attempt in &is.attempts {
            let known = was.attempts.iter().find(|known| known.id == attempt.id);
            if known != Some(attempt) {
                self.note(at_us, || format!("{name}: {}", attempt_words(attempt)));
            }
        }
        for delivery in &is.deliveries {
            let known = was.deliveries.iter().find(|known| known.id == delivery.id);
            if known.map(|known| known.state) != Some(delivery.state) {
                self.note(at_us, || format!("{name}: {}", delivery_words(delivery)));
            }
        }
    }

    /// The kind of a provider.
    pub fn kind_of(options: &Options, provider: &ProviderName) -> ProviderKind {
        let index = (0..options.providers.len()).find(|index| provider_name(*index) == *provider);
        options.providers[index.expect("every lane's provider is in the plan")].0
    }

    /// The rows of the lane that has this delivery.
    pub fn lane_of(&self, delivery: DeliveryId) -> Option<(&LaneKey, &LaneRows)> {
        let mut lanes = self.tables.lanes.iter();
        lanes.find(|(_, rows)| rows.frozen.contains_key(&delivery))
    }
}
