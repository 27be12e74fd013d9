//! The explorer in small bounds, and checks of the explorer itself. The whole table is the
//! explorer's own run (`cargo run -p balefire-sim --bin explore`), which CI makes too.

use std::collections::HashSet;

use super::actions::Action;
use super::pair::NEIGHBOURS;
use super::world::World;
use super::{Property, Setup, act, actions, expected, explore, run, variants};

#[test]
fn the_products_own_rules_keep_every_promise_and_the_size_is_known() {
    let variant = variants::named("G").expect("it is in the table");
    let setup = Setup::new(&variant, variant.attempts);
    let run = run::run(&setup);
    assert!(run.surprises.is_empty(), "{:#?}", run.surprises);
    let stored = include_str!("../../explorer.expected");
    let is = expected::line(&setup, &run.explored);
    assert_eq!(expected::surprise(stored, &is), None);
}

#[test]
fn with_two_attempts_nothing_is_violated_that_the_variant_may_keep() {
    for variant in variants::all() {
        let explored = explore(&Setup::new(&variant, 2));
        for property in explored.violated() {
            let name = (variant.name, property.as_str());
            assert!(variant.violated.contains(&property), "{name:?}");
        }
    }
}

#[test]
fn the_table_has_every_letter_and_no_name_twice() {
    let names: Vec<&str> = variants::all().iter().map(|variant| variant.name).collect();
    let letters: String = names
        .iter()
        .filter(|name| name.len() == 1)
        .copied()
        .collect();
    assert_eq!(letters, "ABCDEFGHIJKLMNOPQRSTUVW");
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    assert!(names.iter().all(|name| !name.contains(' ')), "{names:?}");
}

#[test]
fn every_stored_line_is_of_a_variant_or_of_a_neighbour_that_there_is() {
    for line in expected::entries(include_str!("../../explorer.expected")) {
        let name = line.split(' ').next().unwrap_or(line);
        let is_neighbour = NEIGHBOURS.iter().any(|neighbour| neighbour.name == name);
        assert!(is_neighbour || variants::named(name).is_some(), "{line}");
    }
}

#[test]
fn no_property_is_without_a_variant_that_trips_it() {
    for property in Property::ALL {
        let trips = |variant: &variants::Variant| variant.violated.contains(&property);
        assert!(variants::all().iter().any(trips), "{}", property.as_str());
    }
}

#[test]
fn a_trace_begins_with_the_approval_and_is_a_shortest_one() {
    let variant = variants::named("no-order-gate").expect("it is in the table");
    let explored = explore(&Setup::new(&variant, 1));
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
    for (variant, number) in variants::all().iter().zip(1_u64..) {
        let setup = Setup::new(variant, 5);
        let mut dice = Dice(number);
        for _ in 0..60 {
            let mut world = World::start(&setup);
            for _ in 0..40 {
                let mut normal = world.clone();
                normal.normalise(&setup);
                let (from_raw, from_normal) = (after(&world, &setup), after(&normal, &setup));
                let lost: Vec<_> = from_raw.symmetric_difference(&from_normal).collect();
                assert!(lost.is_empty(), "{}: {lost:?}\n\n{world:?}", variant.name);
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
