//! Two providers of one alert: what becomes of one makes no difference to the other (S12).
//!
//! `step` takes one lane, so that no rule can look at another. What two lanes do share is walked
//! through here: the clock, the person's cancel, the process that carries both. Every state that
//! one lane reaches beside the other must be one that it reaches alone, and the other way round.

use std::collections::{HashSet, VecDeque};

use super::act;
use super::actions::{self, Action};
use super::expected::verdict;
use super::setup::{Conduct, Setup};
use super::world::{NOW, World};
use super::{fingerprint, search, variants};

/// More pairs than this are a mistake in the environment; the run stops with a panic.
const PAIRS_MAX: usize = 5_000_000;

/// What a walk through two lanes found.
#[derive(Clone, Debug)]
pub struct Paired {
    /// Distinct pairs of states.
    pub pairs: usize,
    /// What can happen in one of them and changes something.
    pub transitions: usize,
    /// The fingerprints of the states of each lane.
    pub lanes: [HashSet<u128>; 2],
}

/// A provider beside one that follows the product's rules.
#[derive(Clone, Copy, Debug)]
pub struct Neighbour {
    /// The name in the output.
    pub name: &'static str,
    /// Its variant.
    pub variant: &'static str,
    /// What it does.
    pub conduct: Conduct,
    /// How many attempts its lane opens at most …
    pub attempts: usize,
    /// … and how many the other's.
    pub attempts_beside: usize,
}

/// The neighbours that the explorer tries.
pub const NEIGHBOURS: [Neighbour; 5] = [
    neighbour("beside-any", "G", Conduct::Any, [2, 1]),
    neighbour("beside-separate-sites", "K", Conduct::Any, [1, 1]),
    neighbour("beside-hung", "G", Conduct::Hung, [1, 2]),
    neighbour("beside-refusing", "G", Conduct::Refusing, [1, 2]),
    neighbour("beside-erring", "G", Conduct::Erring, [1, 2]),
];

const fn neighbour(
    name: &'static str,
    variant: &'static str,
    conduct: Conduct,
    [attempts, attempts_beside]: [usize; 2],
) -> Neighbour {
    Neighbour {
        name,
        variant,
        conduct,
        attempts,
        attempts_beside,
    }
}

impl Neighbour {
    /// Its lane, and the other.
    pub fn setups(&self) -> [Setup; 2] {
        let setup = |variant, attempts| {
            let variant = variants::named(variant).expect("NEIGHBOURS names variants");
            Setup::new(&variant, attempts)
        };
        [
            setup(self.variant, self.attempts).with_conduct(self.conduct),
            setup("G", self.attempts_beside),
        ]
    }
}

/// What a neighbour does to the states of the other lane, and the other lane to its.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Which.
    pub neighbour: Neighbour,
    /// What was found.
    pub paired: Paired,
    /// Each lane reaches exactly the states that it reaches alone.
    pub is_independent: bool,
}

/// Walks through every pair of states, and through each lane alone.
pub fn compare(neighbour: Neighbour) -> Beside {
    let setups = neighbour.setups();
    let paired = explore(&setups);
    let is_independent = setups.each_ref().map(search::reachable) == paired.lanes;
    Beside {
        neighbour,
        paired,
        is_independent,
    }
}

impl Beside {
    /// How it is written down.
    pub fn line(&self) -> String {
        let Neighbour {
            name,
            attempts,
            attempts_beside,
            ..
        } = self.neighbour;
        let Paired {
            pairs,
            transitions,
            lanes,
        } = &self.paired;
        format!(
            "{name} attempts={attempts}+{attempts_beside} pairs={pairs} transitions={transitions} \
             states={}+{} independent={}",
            lanes[0].len(),
            lanes[1].len(),
            verdict(!self.is_independent)
        )
    }

    /// What is wrong with it.
    pub fn surprise(&self) -> Option<String> {
        let name = self.neighbour.name;
        (!self.is_independent).then(|| {
            format!("{name}: a provider's states depend on what another provider does (S12)")
        })
    }
}

type Pair = [World; 2];

/// What happens to both at once, or to one of them.
#[derive(Clone, Copy)]
enum Joint {
    /// A second passes.
    Second,
    /// Nothing happens until shortly before the next end.
    Leap,
    /// The cancel is approved, which makes a delivery in each lane.
    Cancel,
    /// The process that carries every attempt out dies.
    Crash,
    /// The provider, its network or the shell, for this lane.
    Of(usize, Action),
}

/// Visits every pair of states that the two can reach together.
///
/// # Panics
/// When there are more than five million.
pub fn explore(setups: &[Setup; 2]) -> Paired {
    let start = [World::start(&setups[0]), World::start(&setups[1])];
    let mut found = Paired {
        pairs: 1,
        transitions: 0,
        lanes: [0, 1].map(|lane| HashSet::from([fingerprint::of(&start[lane])])),
    };
    let mut known = HashSet::from([fingerprint::of(&start)]);
    let mut frontier = VecDeque::from([start]);
    let mut possible = Vec::new();
    while let Some(pair) = frontier.pop_front() {
        list(&pair, setups, &mut possible);
        for &joint in &possible {
            let next = take(&pair, joint, setups);
            if next == pair {
                continue;
            }
            found.transitions += 1;
            if !known.insert(fingerprint::of(&next)) {
                continue;
            }
            assert!(known.len() <= PAIRS_MAX, "more than {PAIRS_MAX} pairs");
            for (states, world) in found.lanes.iter_mut().zip(&next) {
                states.insert(fingerprint::of(world));
            }
            frontier.push_back(next);
        }
    }
    found.pairs = known.len();
    found
}

fn list(pair: &Pair, setups: &[Setup; 2], possible: &mut Vec<Joint>) {
    possible.clear();
    possible.extend([Joint::Second, Joint::Crash]);
    let mut of_lane = Vec::new();
    for (lane, (world, setup)) in pair.iter().zip(setups).enumerate() {
        actions::list(world, setup, &mut of_lane);
        possible.extend(of_lane.iter().filter_map(|&action| match action {
            Action::Second => None,
            // One of them is listed twice where both lanes can: it leads to the same pair.
            Action::Leap => Some(Joint::Leap),
            Action::Cancel => Some(Joint::Cancel),
            other => Some(Joint::Of(lane, other)),
        }));
    }
}

fn take(pair: &Pair, joint: Joint, setups: &[Setup; 2]) -> Pair {
    let mut next = pair.clone();
    match joint {
        Joint::Second => act_on_both(&mut next, Action::Second, setups),
        Joint::Cancel => act_on_both(&mut next, Action::Cancel, setups),
        Joint::Leap => {
            let end = pair.iter().find_map(World::next_end).unwrap_or(NOW);
            for world in &mut next {
                act::leap(world, end);
            }
        }
        Joint::Crash => {
            for (world, setup) in next.iter_mut().zip(setups) {
                for flight in 0..world.flights.len() {
                    if world.is_open(flight) {
                        *world = act::act(world, Action::Crash(flight), setup);
                    }
                }
            }
        }
        Joint::Of(lane, action) => next[lane] = act::act(&pair[lane], action, &setups[lane]),
    }
    for (world, setup) in next.iter_mut().zip(setups) {
        world.normalise(setup);
    }
    next
}

fn act_on_both(pair: &mut Pair, action: Action, setups: &[Setup; 2]) {
    for (world, setup) in pair.iter_mut().zip(setups) {
        *world = act::act(world, action, setup);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_does_changes_nothing_at_the_other() {
        let full = search::reachable(&NEIGHBOURS[0].setups()[1]).len();
        for neighbour in NEIGHBOURS {
            let small = Neighbour {
                attempts: 1,
                attempts_beside: 1,
                ..neighbour
            };
            let beside = compare(small);
            assert_eq!(beside.surprise(), None, "{}", beside.line());
            let is_less = beside.paired.lanes[0].len() < full;
            assert_eq!(
                is_less,
                neighbour.conduct != Conduct::Any,
                "{}",
                beside.line()
            );
        }
    }

    #[test]
    fn a_lane_that_misses_a_state_is_not_independent() {
        let mut beside = compare(Neighbour {
            attempts: 1,
            attempts_beside: 1,
            ..NEIGHBOURS[2]
        });
        beside.is_independent = false;
        assert!(beside.surprise().is_some_and(|text| text.contains("S12")));
        assert!(beside.line().ends_with("independent=VIOLATED"));
    }
}
