//! Breadth first through every reachable state, and backwards from the settled ones.

use std::collections::{HashMap, HashSet, VecDeque};

use super::act;
use super::actions::{self, Action};
use super::fingerprint;
use super::moves::Moves;
use super::narrate::narrate;
use super::properties::{Property, Sight};
use super::setup::Setup;
use super::world::World;

/// More states than this are a mistake in the environment; the run stops with a panic. Bounds the
/// memory at about 3.5 GiB (measured: 360 bytes a state).
pub const STATES_MAX: usize = 10_000_000;

/// What a run found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Distinct states in normal form.
    pub states: usize,
    /// Actions that led from one of them to another.
    pub transitions: usize,
    /// Each violated property once.
    pub violations: Vec<Violation>,
    /// What was seen to happen.
    pub seen: Vec<Sight>,
    /// Every move of a delivery.
    pub moves: Moves,
}

/// A property that does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// A shortest way there, one line an action.
    pub trace: Vec<String>,
}

impl Explored {
    /// The violated properties, in their order.
    pub fn violated(&self) -> Vec<Property> {
        self.violations
            .iter()
            .map(|violation| violation.property)
            .collect()
    }
}

/// Visits every state that `setup` can reach.
pub fn explore(setup: &Setup) -> Explored {
    let mut search = Search::default();
    let start = World::start(setup);
    search.reach(&start, None, setup);
    let mut frontier = VecDeque::from([start]);
    let mut possible = Vec::new();
    let mut from = 0;
    while let Some(world) = frontier.pop_front() {
        actions::list(&world, setup, &mut possible);
        for &action in &possible {
            let next = act::take(&world, action, setup);
            if next == world {
                continue;
            }
            search.transitions += 1;
            search.moves.note(&world, action, &next);
            let (to, is_new) = search.reach(&next, Some((from, action)), setup);
            if actions::is_progress(&world, action) {
                search.progress.push((from, to));
            }
            if is_new {
                frontier.push_back(next);
            }
        }
        from += 1;
    }
    search.finish(setup)
}

/// The fingerprints of every state that `setup` can reach.
pub fn reachable(setup: &Setup) -> HashSet<u128> {
    let start = World::start(setup);
    let mut known = HashSet::from([fingerprint::of(&start)]);
    let mut frontier = VecDeque::from([start]);
    let mut possible = Vec::new();
    while let Some(world) = frontier.pop_front() {
        actions::list(&world, setup, &mut possible);
        for &action in &possible {
            let next = act::take(&world, action, setup);
            if known.insert(fingerprint::of(&next)) {
                frontier.push_back(next);
            }
        }
    }
    known
}

/// A state's number, in the order in which it was found.
type Number = u32;

#[derive(Default)]
struct Search {
    numbers: HashMap<u128, Number>,
    found_by: Vec<Option<(Number, Action)>>,
    is_settled: Vec<bool>,
    has_attempts_left: Vec<bool>,
    progress: Vec<(Number, Number)>,
    transitions: usize,
    first_violation: [Option<Number>; Property::ALL.len()],
    is_seen: [bool; Sight::ALL.len()],
    moves: Moves,
}

impl Search {
    /// The number of a state, and whether it is new.
    fn reach(
        &mut self,
        world: &World,
        by: Option<(Number, Action)>,
        setup: &Setup,
    ) -> (Number, bool) {
        let next = Number::try_from(self.found_by.len()).expect("STATES_MAX is below 2^32");
        let number = *self.numbers.entry(fingerprint::of(world)).or_insert(next);
        if number != next {
            return (number, false);
        }
        assert!(
            self.found_by.len() < STATES_MAX,
            "more than {STATES_MAX} states"
        );
        self.found_by.push(by);
        self.is_settled.push(world.is_settled());
        self.has_attempts_left
            .push(world.flights.len() + 2 <= setup.attempts_max);
        for (first, property) in self.first_violation.iter_mut().zip(Property::ALL) {
            if first.is_none() && !property.holds(world, setup) {
                *first = Some(number);
            }
        }
        for (is_seen, sight) in self.is_seen.iter_mut().zip(Sight::ALL) {
            *is_seen |= sight.is_seen(world);
        }
        (number, true)
    }

    fn finish(mut self, setup: &Setup) -> Explored {
        self.first_violation[Property::Settles as usize] = self.first_wedged();
        let violations = Property::ALL
            .into_iter()
            .zip(self.first_violation)
            .filter_map(|(property, first)| {
                let trace = narrate(&self.way_to(first?), setup);
                Some(Violation { property, trace })
            })
            .collect();
        let seen = Sight::ALL.into_iter().zip(self.is_seen);
        Explored {
            states: self.found_by.len(),
            transitions: self.transitions,
            moves: self.moves,
            violations,
            seen: seen
                .filter_map(|(sight, is_seen)| is_seen.then_some(sight))
                .collect(),
        }
    }

    /// The first state with attempts left from which progress reaches no settled state.
    fn first_wedged(&self) -> Option<Number> {
        let before = Predecessors::new(self.found_by.len(), &self.progress);
        let mut can_settle = self.is_settled.clone();
        let mut open: Vec<usize> = (0..can_settle.len()).filter(|&n| can_settle[n]).collect();
        while let Some(number) = open.pop() {
            for &earlier in before.of(number) {
                let earlier = earlier as usize;
                if !can_settle[earlier] {
                    can_settle[earlier] = true;
                    open.push(earlier);
                }
            }
        }
        let wedged = (0..can_settle.len()).find(|&n| !can_settle[n] && self.has_attempts_left[n]);
        wedged.map(|number| Number::try_from(number).expect("STATES_MAX is below 2^32"))
    }

    fn way_to(&self, mut number: Number) -> Vec<Action> {
        let mut way = Vec::new();
        while let Some((earlier, action)) = self.found_by[number as usize] {
            way.push(action);
            number = earlier;
        }
        way.reverse();
        way
    }
}

/// The edges turned round, grouped by where they end.
struct Predecessors {
    starts: Vec<usize>,
    earlier: Vec<Number>,
}

impl Predecessors {
    fn new(states: usize, edges: &[(Number, Number)]) -> Self {
        let mut starts = vec![0; states + 1];
        for &(_, to) in edges {
            starts[to as usize + 1] += 1;
        }
        for state in 0..states {
            starts[state + 1] += starts[state];
        }
        let mut free = starts.clone();
        let mut earlier = vec![0; edges.len()];
        for &(from, to) in edges {
            earlier[free[to as usize]] = from;
            free[to as usize] += 1;
        }
        Self { starts, earlier }
    }

    fn of(&self, state: usize) -> &[Number] {
        &self.earlier[self.starts[state]..self.starts[state + 1]]
    }
}
