//! Several explorations side by side, and what is surprising about each.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::properties::Property;
use super::search::{Explored, explore};
use super::setup::Setup;

/// One exploration, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Run {
    /// What was explored.
    pub setup: Setup,
    /// What was found.
    pub explored: Explored,
    /// How long it took.
    pub took: Duration,
    /// What differs from what the variant must show.
    pub surprises: Vec<String>,
}

/// Explores all of `setups` on so many threads, each told to `tell` as it ends, in any order. What
/// comes back is in the order of `setups`.
pub fn run_all(setups: &[Setup], threads: usize, tell: &(impl Fn(&Run) + Sync)) -> Vec<Run> {
    // The longest first, so that no thread begins one when the others are done.
    let mut order: Vec<usize> = (0..setups.len()).collect();
    order.sort_by_key(|&index| usize::MAX - setups[index].attempts_max);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = run(&setups[index]);
                    tell(&run);
                    let mut done = done
                        .lock()
                        .expect("no thread panics while it holds the lock");
                    done.push((index, run));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("every thread has ended well");
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, run)| run).collect()
}

/// Explores one variant.
pub fn run(setup: &Setup) -> Run {
    let (explored, took) = timed(|| explore(setup));
    Run {
        surprises: surprises(setup, &explored),
        setup: setup.clone(),
        explored,
        took,
    }
}

fn surprises(setup: &Setup, explored: &Explored) -> Vec<String> {
    let (variant, found) = (&setup.variant, explored.violated());
    let name = variant.name;
    let mut surprises = Vec::new();
    for property in Property::ALL {
        let promise = property.promise();
        match (
            variant.violated.contains(&property),
            found.contains(&property),
        ) {
            (false, true) => surprises.push(format!("{name}: broken: {promise}")),
            (true, false) => surprises.push(format!(
                "{name}: no longer caught by {}: {promise}. The check went blind, or the fault is \
                 no longer planted",
                property.as_str(),
            )),
            (true, true) | (false, false) => {}
        }
    }
    for sight in variant.seen.iter().filter(|s| !explored.seen.contains(s)) {
        surprises.push(format!("{name}: never seen: {}", sight.as_str()));
    }
    for sight in variant
        .never_seen
        .iter()
        .filter(|s| explored.seen.contains(s))
    {
        surprises.push(format!("{name}: must not be seen: {}", sight.as_str()));
    }
    surprises
}

#[expect(clippy::disallowed_methods, reason = "only tells how long a run took")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    // tidy-allow(clock): tells how long a run took; no rule sees it
    let start = std::time::Instant::now();
    (work(), start.elapsed())
}
