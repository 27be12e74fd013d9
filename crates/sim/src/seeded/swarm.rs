//! Many runs: over seeds and threads, the comparison of S12, the smallest plan that still fails,
//! and the planted faults.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::hazard::{Fault, Reached};
use super::options::{Options, provider_name};
use super::planted;
use super::properties::Property;
use super::run::{Ran, run};
use super::trace::Keeping;
use super::world::Violation;

/// Every so many seeds one is run twice, and its traces are compared.
const REPEATED_EVERY: u64 = 100;
/// Every so many seeds one is run with a provider hung and with the same provider whole.
const COMPARED_EVERY: u64 = 50;
/// Of 10,000 runs so many must reach each fault.
pub const REACHED_MIN_PER_10_000: u64 = 100;

/// What came of many runs.
#[derive(Clone, Debug, Default)]
pub struct Swarm {
    /// How many ran.
    pub runs: u64,
    /// How many of them were run twice.
    pub repeated: u64,
    /// How many were compared with a hung provider.
    pub compared: u64,
    /// In how many each fault was met.
    pub reached: Reached,
    /// The first seed that failed, and how.
    pub failure: Option<(u64, Violation)>,
}

impl Swarm {
    /// The faults that too few runs met.
    pub fn short(&self) -> Vec<(Fault, u64)> {
        let least = self.runs * REACHED_MIN_PER_10_000 / 10_000;
        let faults = Fault::ALL
            .iter()
            .map(|fault| (*fault, self.reached.of(*fault)));
        faults.filter(|(_, runs)| *runs < least).collect()
    }
}

/// Runs one seed with all of its checks.
pub fn check_seed(seed: u64) -> (Ran, bool, bool) {
    let options = Options::of(seed);
    let is_repeated = seed.is_multiple_of(REPEATED_EVERY);
    let is_compared = seed % COMPARED_EVERY == COMPARED_EVERY / 2;
    let keeping = if is_repeated {
        Keeping::Hash
    } else {
        Keeping::Nothing
    };
    let mut ran = guarded(&options, None, keeping);
    if is_repeated && ran.violation.is_none() {
        let again = guarded(&options, None, keeping);
        if again.hash != ran.hash {
            ran.violation = Some(violation(
                Property::Repeatable,
                "run twice, its traces differ".to_owned(),
            ));
        }
    }
    if is_compared && ran.violation.is_none() {
        ran.violation = compare(seed);
    }
    (ran, is_repeated, is_compared)
}

fn violation(property: Property, detail: String) -> Violation {
    Violation {
        property,
        at_us: 0,
        detail,
    }
}

/// A run; a panic of the simulator or of the product's loops is a failure like any other.
fn guarded(options: &Options, planted: Option<planted::Fault>, keeping: Keeping) -> Ran {
    match catch_unwind(AssertUnwindSafe(|| run(options, planted, keeping))) {
        Ok(ran) => ran,
        Err(_) => Ran {
            options: options.clone(),
            violation: Some(violation(Property::Alive, "the run panicked".to_owned())),
            reached: Reached::default(),
            hash: 0,
            lines: Vec::new(),
            attempts: std::collections::BTreeMap::new(),
        },
    }
}

/// S12: what the others do must not depend on one provider.
pub fn compare(seed: u64) -> Option<Violation> {
    let whole = guarded(&Options::steady(seed, None), None, Keeping::Nothing);
    let hung = guarded(&Options::steady(seed, Some(0)), None, Keeping::Nothing);
    if hung.violation.is_some() {
        return hung.violation;
    }
    let first = provider_name(0);
    for (provider, attempts) in &whole.attempts {
        if *provider == first {
            continue;
        }
        let other = hung.attempts.get(provider);
        if other != Some(attempts) {
            let with = other.map_or_else(String::new, |other| other.join("; "));
            let without = attempts.join("; ");
            let detail =
                format!("{provider} with {first} hung: {with}. With {first} whole: {without}");
            return Some(violation(Property::S12, detail));
        }
    }
    whole.violation
}

/// Runs `count` seeds from `first` on, on so many threads; stops at the first failure. `tell` hears
/// of every run that ended.
pub fn swarm(first: u64, count: u64, threads: usize, tell: &(dyn Fn(u64) + Sync)) -> Swarm {
    let next = AtomicU64::new(0);
    let is_over = AtomicBool::new(false);
    let swarm = Mutex::new(Swarm::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let offset = next.fetch_add(1, Ordering::Relaxed);
                    if offset >= count {
                        return;
                    }
                    let seed = first + offset;
                    let (ran, is_repeated, is_compared) = check_seed(seed);
                    let mut swarm = swarm.lock().unwrap_or_else(PoisonError::into_inner);
                    swarm.runs += 1;
                    swarm.repeated += u64::from(is_repeated);
                    swarm.compared += u64::from(is_compared);
                    swarm.reached.add(&ran.reached);
                    if let Some(violation) = ran.violation {
                        is_over.store(true, Ordering::Relaxed);
                        let is_earlier = |known: &(u64, Violation)| known.0 > seed;
                        if swarm.failure.as_ref().is_none_or(is_earlier) {
                            swarm.failure = Some((seed, violation));
                        }
                    }
                    let runs = swarm.runs;
                    drop(swarm);
                    tell(runs);
                }
            });
        }
    });
    swarm.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The plan that still breaks the same promise with the fewest hazards, left out one at a time.
pub fn smallest(options: &Options, property: Property) -> Options {
    let fails = |options: &Options| {
        let ran = guarded(options, None, Keeping::Nothing);
        ran.violation
            .is_some_and(|violation| violation.property == property)
    };
    let mut smallest = options.clone();
    let mut left: BTreeSet<_> = smallest.hazards.clone();
    while let Some(hazard) = left.pop_first() {
        let without = smallest.without(hazard);
        if fails(&without) {
            smallest = without;
        }
    }
    for number in (0..smallest.alerts.len()).rev() {
        let mut without = smallest.clone();
        without.alerts.remove(number);
        if !without.alerts.is_empty() && fails(&without) {
            smallest = without;
        }
    }
    smallest
}

/// A planted fault, and how it was caught.
#[derive(Clone, Debug)]
pub struct Caught {
    /// What was left out.
    pub fault: planted::Fault,
    /// The seed at which a promise noticed, and which one; `None` when none did.
    pub by: Option<(u64, Property)>,
}

/// Runs seeds from `first` on, at most `count` for each planted fault, until a promise notices.
pub fn catch_planted(first: u64, count: u64, threads: usize) -> Vec<Caught> {
    let next = AtomicU64::new(0);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let index = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(0);
                    let Some(fault) = planted::Fault::ALL.get(index) else {
                        return;
                    };
                    let by = (first..first + count).find_map(|seed| {
                        let ran = guarded(&Options::of(seed), Some(*fault), Keeping::Nothing);
                        ran.violation.map(|violation| (seed, violation.property))
                    });
                    let caught = Caught { fault: *fault, by };
                    all.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(caught);
                }
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_by_key(|caught| caught.fault);
    all
}
