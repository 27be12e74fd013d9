//! One run, from its first alert to the last check.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use balefire_dispatcher::clock_guard::ClockGuard;
use balefire_dispatcher::link_tests::{LinkTestSettings, LinkTests};
use balefire_dispatcher::ports::Stored;
use balefire_dispatcher::{DispatchSettings, Dispatcher};
use balefire_domain::entropy::Entropy;
use balefire_domain::lane::Delivery;
use balefire_domain::link_test::HEARTBEAT_PERIOD;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Clock;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::app::{Desk, Serving, complete_alerts};
use super::database::SimDatabase;
use super::hazard::{Hazard, Reached};
use super::liveness::{self, Orphans};
use super::network::{SimWayOut, instance_name};
use super::options::{Engine, Options};
use super::planted::Fault;
use super::process::{Life, LifeClock, SkewedClock};
use super::properties::Property;
use super::random::{Dice, SeededEntropy};
use super::trace::Keeping;
use super::trouble;
use super::world::{Violation, World};

/// How far a clock may be from the true time: two of them, and a proxy's, then differ by less than
/// the skew of 5 s.
const APART_MAX_US: i64 = 2_400_000;
/// How long after everything must have settled a run ends in any case.
const LAST_WAIT: Duration = Duration::from_secs(120);
/// Lines of a trace at most.
const LINES_MAX: usize = 20_000;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The plan.
    pub options: Options,
    /// The first promise that did not hold.
    pub violation: Option<Violation>,
    /// The faults that were met.
    pub reached: Reached,
    /// The hash of all that happened, where it was kept.
    pub hash: u64,
    /// All that happened, where it was kept.
    pub lines: Vec<String>,
    /// What became of each provider's attempts, in order.
    pub attempts: BTreeMap<ProviderName, Vec<String>>,
}

/// A process that is started again whenever it ends.
pub struct Process {
    /// Which, from 0.
    pub index: usize,
    /// Its present life, while it has one.
    pub serving: Mutex<Option<Serving>>,
    /// Its present life, told to end or not.
    pub life: Mutex<Option<Arc<Life>>>,
    /// Tells it to end and start again.
    pub restart: Notify,
    /// Ends its down time.
    pub healed: Notify,
}

impl Process {
    /// Its present life.
    pub fn serving(&self) -> Option<Serving> {
        self.serving
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, serving: Option<Serving>) {
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = serving;
    }
}

/// Runs a plan, with one rule left out where `planted` names it.
pub fn run(options: &Options, planted: Option<Fault>, keeping: Keeping) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without a driver for sockets needs nothing");
    let options = options.clone();
    runtime.block_on(async {
        let world = Arc::new(World::new(options, planted, keeping));
        let survivors = live(&world).await;
        finish(&world, &survivors)
    })
}

/// Lives through the run; who is alive at its end.
async fn live(world: &Arc<World>) -> BTreeSet<(usize, u64)> {
    let mut parts = JoinSet::new();
    let processes: Vec<Arc<Process>> = (0..world.options.processes)
        .map(|index| {
            Arc::new(Process {
                index,
                serving: Mutex::new(None),
                life: Mutex::new(None),
                restart: Notify::new(),
                healed: Notify::new(),
            })
        })
        .collect();
    for process in &processes {
        parts.spawn(keep_alive(Arc::clone(world), Arc::clone(process)));
    }
    trouble::begin(world, &processes, &mut parts);
    let open_desks = Arc::new(AtomicUsize::new(world.options.alerts.len()));
    for number in 0..world.options.alerts.len() {
        let (world, processes) = (Arc::clone(world), processes.clone());
        let open_desks = Arc::clone(&open_desks);
        parts.spawn(async move {
            serve(&world, &processes, number).await;
            open_desks.fetch_sub(1, Ordering::Relaxed);
        });
    }
    watch(world, &processes, &open_desks).await;
    let survivors = processes
        .iter()
        .filter_map(|process| process.serving())
        .map(|serving| (serving.life.process, serving.life.number))
        .collect();
    parts.shutdown().await;
    world.stop();
    survivors
}

/// One alert's people.
async fn serve(world: &Arc<World>, processes: &[Arc<Process>], number: usize) {
    let plan = world.options.alerts[number];
    let desk = Desk::new(world, number);
    let asked = AtomicUsize::new(number);
    let serving = || {
        let next = asked.fetch_add(1, Ordering::Relaxed) % processes.len();
        processes[next].serving()
    };
    world.time.until_ms(plan.approved_ms).await;
    if world.options.has(Hazard::Races) {
        tokio::join!(desk.approve(serving), desk.approve(serving));
    } else {
        desk.approve(serving).await;
    }
    if world.options.has(Hazard::Suspension) {
        world.state().suspended.insert(desk.id);
    }
    let approved_us = world.time.elapsed_us();
    let until = |after_ms: u64| {
        let left_us = approved_us + us(after_ms) - world.time.elapsed_us();
        sleep(Duration::from_micros(u64::try_from(left_us).unwrap_or(0)))
    };
    // An update that comes after the cancel finds the alert cancelled.
    let updates = plan.updated_after_ms.into_iter().flatten();
    for (number, after_ms) in (1..).zip(updates) {
        if plan
            .cancelled_after_ms
            .is_some_and(|cancelled| cancelled <= after_ms)
        {
            break;
        }
        until(after_ms).await;
        if world.options.has(Hazard::Races) {
            tokio::join!(desk.update(number, serving), desk.update(number, serving));
        } else {
            desk.update(number, serving).await;
        }
    }
    let Some(after_ms) = plan.cancelled_after_ms else {
        return;
    };
    until(after_ms).await;
    let updates = plan.updated_after_ms.into_iter().flatten();
    let last_ms = updates.filter(|at_ms| *at_ms < after_ms).max().unwrap_or(0);
    if after_ms - last_ms < 1000 {
        world.state().reached.count(super::hazard::Fault::F33);
    }
    if world.options.has(Hazard::Races) {
        tokio::join!(desk.cancel(serving), desk.cancel(serving));
    } else {
        desk.cancel(serving).await;
    }
}

/// Waits for the healing, then until all is settled, and checks each second.
async fn watch(world: &Arc<World>, processes: &[Arc<Process>], open_desks: &AtomicUsize) {
    let is_violated = || world.state().violation.is_some();
    while world.time.elapsed_us() < us(world.options.healed_ms) {
        let left_us = us(world.options.healed_ms) - world.time.elapsed_us();
        let left = Duration::from_micros(u64::try_from(left_us).unwrap_or(0));
        sleep(left.min(Duration::from_secs(1))).await;
        liveness::check_troubled(&mut world.state(), world);
        if is_violated() {
            return;
        }
    }
    world.heal();
    for process in processes {
        let life = process.life.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(life) = &*life {
            life.go_on();
            life.clock.jump(0);
        }
        drop(life);
        process.healed.notify_waiters();
    }
    let within = liveness::settled_within(world, Duration::from_secs(100_000)) + LAST_WAIT;
    let until_us = world.time.elapsed_us() + i64::try_from(within.as_micros()).unwrap_or(0);
    let mut orphans = Orphans::default();
    while world.time.elapsed_us() < until_us && !is_violated() {
        sleep(Duration::from_secs(1)).await;
        let mut state = world.state();
        liveness::check_quiet(&mut state, world, &mut orphans);
        let is_settled = state.tables.lanes.iter().all(|(key, rows)| {
            // A cancel of what the provider has forgotten waits for its time to run out.
            let may_wait = |d: &Delivery| liveness::may_wait_for_its_end(&state, &key.provider, d);
            let mut deliveries = rows.lane.deliveries.iter();
            deliveries.all(|d| d.state.is_terminal() || may_wait(d))
        });
        if is_settled && state.in_network == 0 && open_desks.load(Ordering::Relaxed) == 0 {
            break;
        }
    }
}

fn us(ms: u64) -> i64 {
    i64::try_from(ms * 1000).unwrap_or(i64::MAX)
}

fn finish(world: &World, survivors: &BTreeSet<(usize, u64)>) -> Ran {
    let mut state = world.state();
    if state.violation.is_none() {
        liveness::check_end(&mut state, world, survivors);
    }
    let mut attempts: BTreeMap<ProviderName, Vec<String>> = BTreeMap::new();
    for (key, rows) in &state.tables.lanes {
        let of = attempts.entry(key.provider.clone()).or_default();
        let number = state.alert_names.get(&key.alert_id).copied().unwrap_or(0);
        for attempt in &rows.lane.attempts {
            let outcome = attempt
                .closed
                .map_or("open", |closed| closed.outcome.as_str());
            let (seq, route, round) = (attempt.seq, &attempt.route, attempt.round);
            of.push(format!(
                "alert {number}, event {seq}, {route}, round {round}: {outcome}"
            ));
        }
        for delivery in &rows.lane.deliveries {
            let (seq, word) = (delivery.seq, delivery.state.as_str());
            of.push(format!("alert {number}, event {seq} is {word}"));
        }
    }
    for of in attempts.values_mut() {
        of.sort();
    }
    let mut lines = std::mem::take(&mut state.trace.lines);
    lines.truncate(LINES_MAX);
    Ran {
        options: world.options.clone(),
        violation: state.violation.clone(),
        reached: state.reached.clone(),
        hash: state.trace.hash(),
        lines,
        attempts,
    }
}

/// Starts a process again whenever it ends.
async fn keep_alive(world: Arc<World>, process: Arc<Process>) {
    let mut number = 0;
    loop {
        number += 1;
        live_once(&world, &process, number).await;
        let mut dice = Dice::of(world.options.seed, &[10, process.index as u64, number]);
        let down_ms = dice.pick(&[50, 50, 500, 3_000, 20_000]);
        let down = Duration::from_millis(dice.between(1, down_ms));
        // When all is healed, whoever is down starts again.
        tokio::select! {
            biased;
            () = process.healed.notified() => {}
            () = sleep(if world.is_healed() { Duration::from_millis(50) } else { down }) => {}
        }
    }
}

async fn live_once(world: &Arc<World>, process: &Arc<Process>, number: u64) {
    let life = Arc::new(Life::begin(
        process.index,
        number,
        clock(world, process.index),
    ));
    let wake = Arc::new(Notify::new());
    let (end, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let parts = Parts::of(world, &life, &wake);
    let mut beside = JoinSet::new();
    parts.begin(&end, &mut tasks, &mut beside);
    let labels = [11, process.index as u64, number];
    let entropy = Arc::new(SeededEntropy::new(world.options.seed, &labels, true));
    beside.spawn(complete_alerts(
        Arc::clone(world),
        Arc::clone(&life),
        Arc::clone(&parts.guard),
        entropy,
    ));
    let name = process.index + 1;
    world.note(|| format!("process {name} starts"));
    let serving = Serving {
        life: Arc::clone(&life),
        guard: Arc::clone(&parts.guard),
        wake,
    };
    process.set(Some(serving));
    *process.life.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&life));
    loop {
        tokio::select! {
            biased;
            () = life.died() => break,
            ended = tasks.join_next() => {
                let was_told = end.is_cancelled();
                match ended {
                    Some(Ok(Ok(()))) if !was_told => {
                        world.violate(Property::Alive, format!("process {name} ended by itself"));
                    }
                    Some(Err(error)) => {
                        world.violate(Property::Alive, format!("process {name} broke: {error}"));
                    }
                    Some(Ok(_)) | None => world.note(|| format!("process {name} ends")),
                }
                break;
            }
            () = process.restart.notified(), if !world.is_healed() => {
                world.note(|| format!("process {name} is told to end"));
                process.set(None);
                end.cancel();
            }
        }
    }
    life.kill();
    process.set(None);
}

/// What a process is put together of, as the product does it.
struct Parts {
    guard: Arc<ClockGuard>,
    dispatcher: Arc<Dispatcher<SimDatabase, SimWayOut>>,
    link_tests: Arc<LinkTests<SimDatabase, SimWayOut>>,
    database: SimDatabase,
    entropy: Arc<SeededEntropy>,
}

impl Parts {
    fn of(world: &Arc<World>, life: &Arc<Life>, wake: &Arc<Notify>) -> Self {
        let options = &world.options;
        let database = SimDatabase {
            world: Arc::clone(world),
            life: Arc::clone(life),
        };
        let entropy = |part: u64| {
            let labels = [12, life.process as u64, life.number, part];
            Arc::new(SeededEntropy::new(
                options.seed,
                &labels,
                !options.is_steady,
            ))
        };
        let name = instance_name(life.process);
        let guard = Arc::new(ClockGuard::new(
            Arc::new(LifeClock(Arc::clone(life))),
            options.figures.clock_skew,
            options.engine == Engine::RowLocks,
            &name,
        ));
        let clock: Arc<dyn Clock> = Arc::<ClockGuard>::clone(&guard);
        let way_out = SimWayOut {
            world: Arc::clone(world),
            life: Arc::clone(life),
            clock: Arc::clone(&clock),
        };
        let settings = DispatchSettings {
            profiles: options.profiles(),
            is_cbc_enabled: true,
            figures: options.figures,
            is_hedging: options.is_hedging,
            instance_name: name,
        };
        let dispatcher = Dispatcher::new(
            database.clone(),
            way_out.clone(),
            Arc::clone(&clock),
            entropy(1),
            settings,
            Arc::clone(wake),
        );
        let link_tests = LinkTests::new(
            database.clone(),
            way_out,
            clock,
            entropy(2),
            link_test_settings(options),
            Arc::clone(wake),
        );
        Self {
            guard,
            dispatcher: Arc::new(dispatcher.with_planted(world.planted_rules())),
            link_tests: Arc::new(link_tests),
            database,
            entropy: entropy(3),
        }
    }

    /// Begins its loops: the dispatcher's among `tasks`, the others `beside` it.
    fn begin(
        &self,
        end: &CancellationToken,
        tasks: &mut JoinSet<Stored<()>>,
        beside: &mut JoinSet<()>,
    ) {
        let (guard, database) = (Arc::clone(&self.guard), self.database.clone());
        let (dispatcher, its_end) = (Arc::clone(&self.dispatcher), end.clone());
        tasks.spawn(async move {
            guard.probe(&database).await;
            dispatcher.run(its_end).await
        });
        let (guard, database) = (Arc::clone(&self.guard), self.database.clone());
        let entropy: Arc<dyn Entropy> = Arc::<SeededEntropy>::clone(&self.entropy);
        beside.spawn(guard.run(database, entropy, end.clone()));
        beside.spawn(Arc::clone(&self.link_tests).run(end.clone()));
    }
}

fn link_test_settings(options: &Options) -> LinkTestSettings {
    let profiles = options.profiles();
    let period = if options.has(Hazard::LinkTestStorm) {
        Duration::from_secs(1)
    } else {
        options.link_test_period
    };
    LinkTestSettings {
        periods: profiles.keys().map(|name| (name.clone(), period)).collect(),
        heartbeat_period: if options.is_steady {
            Duration::ZERO
        } else {
            HEARTBEAT_PERIOD
        },
        canary: None,
        is_cbc_enabled: true,
        figures: options.figures,
        profiles,
    }
}

/// The clock of a process's machine: the same in all of its lives.
fn clock(world: &World, process: usize) -> SkewedClock {
    let mut dice = Dice::of(world.options.seed, &[13, process as u64]);
    let offset_us = i64::try_from(dice.below(4_800_000)).unwrap_or(0) - APART_MAX_US;
    let drift_ppm = i64::try_from(dice.below(100_000)).unwrap_or(0) - 50_000;
    let options = &world.options;
    SkewedClock::new(
        world.time,
        if options.has(Hazard::ClockSkew) {
            offset_us
        } else {
            0
        },
        if options.has(Hazard::ClockDrift) {
            drift_ppm
        } else {
            0
        },
        APART_MAX_US,
    )
}
