//! The explorer in small bounds, and checks of the explorer itself.

use std::collections::HashSet;

use super::actions::Action;
use super::expected::{self, ATTEMPTS_MAX};
use super::world::World;
use super::{Fault, Property, Setup, act, actions, explore};

#[test]
fn the_products_own_rules_keep_every_promise_and_the_size_is_known() {
    let setup = Setup::new(None, ATTEMPTS_MAX[0]);
    let explored = explore(&setup);
    assert_eq!(explored.violated(), [], "{:#?}", explored.violations);
    for sight in setup.seen() {
        assert!(
            explored.seen.contains(sight),
            "{} is never seen",
            sight.as_str()
        );
    }
    let stored = include_str!("../../explorer.expected");
    let is = expected::line(ATTEMPTS_MAX[0], &explored);
    assert_eq!(expected::surprise(stored, &is), None);
}

#[test]
fn every_planted_fault_is_caught_by_the_properties_named_and_by_no_other() {
    for fault in Fault::ALL {
        let setup = Setup::new(Some(fault), fault.attempts_min());
        let explored = explore(&setup);
        assert_eq!(explored.violated(), fault.caught_by(), "{}", fault.as_str());
        for sight in setup.seen() {
            assert!(
                explored.seen.contains(sight),
                "{} is never seen",
                sight.as_str()
            );
        }
    }
}

#[test]
fn no_property_is_without_a_fault_that_trips_it() {
    for property in Property::ALL {
        let trips = |fault: &Fault| fault.caught_by().contains(&property);
        assert!(Fault::ALL.iter().any(trips), "{}", property.as_str());
    }
}

#[test]
fn a_trace_begins_with_the_approval_and_is_a_shortest_one() {
    let explored = explore(&Setup::new(Some(Fault::NoOrderGate), 1));
    let ghost = explored
        .violations
        .iter()
        .find(|v| v.property == Property::NoGhost);
    let trace = &ghost.expect("caught with one attempt").trace;
    // Approved, cancelled (moot: never sent), due, left, arrived.
    assert_eq!(trace.len(), 5, "{trace:#?}");
    assert!(trace[0].starts_with("the alert is approved"), "{trace:#?}");
    assert!(trace[4].contains("reaches the provider"), "{trace:#?}");
}

/// The normal form may forget only what makes no difference: whatever can follow a world as it is,
/// in normal form, can follow its normal form, and the other way round. Checked along walks that
/// never normalise, so that rounds, ids and closed attempts pile up as they do in the product.
#[test]
fn the_normal_form_forgets_nothing_that_matters() {
    let faults = Fault::ALL.into_iter().map(Some);
    for (fault, number) in std::iter::once(None).chain(faults).zip(1_u64..) {
        let setup = Setup::new(fault, 5);
        let mut dice = Dice(number);
        for _ in 0..60 {
            let mut world = World::start(&setup);
            for _ in 0..40 {
                let mut normal = world.clone();
                normal.normalise(&setup);
                let (from_raw, from_normal) = (after(&world, &setup), after(&normal, &setup));
                let lost: Vec<_> = from_raw.symmetric_difference(&from_normal).collect();
                assert!(lost.is_empty(), "{}: {lost:?}\n\n{world:?}", setup.name());
                let mut possible = Vec::new();
                actions::list(&world, &setup, &mut possible);
                world = act::act(&world, dice.pick(&possible), &setup);
            }
        }
    }
}

/// The normal forms that can follow, without those that change nothing.
fn after(world: &World, setup: &Setup) -> HashSet<World> {
    let mut normal = world.clone();
    normal.normalise(setup);
    let mut possible = Vec::new();
    actions::list(world, setup, &mut possible);
    let next = possible
        .into_iter()
        .map(|action| act::take(world, action, setup));
    next.filter(|next| *next != normal).collect()
}

/// A small fixed generator: the walks are the same in every run.
struct Dice(u64);

impl Dice {
    fn pick(&mut self, among: &[Action]) -> Action {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = (self.0 >> 33) % among.len() as u64;
        among[usize::try_from(index).expect("below the length")]
    }
}
