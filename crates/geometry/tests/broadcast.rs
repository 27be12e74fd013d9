//! The shape that is sent in place of a large one.

use std::f64::consts::TAU;

use balefire_domain::limits::{POINTS_UNCHANGED_MAX, POLYGONS_MAX, POLYGONS_UNCHANGED_MAX};
use balefire_geometry::fewer::{GROWTH_LARGE_MAX, UNCOVERED_PART_MAX, Wanted};
use balefire_geometry::{Broadcast, Obstacle, Reduction, Shape};
use proptest::prelude::*;

type Pairs = Vec<(f64, f64)>;

fn square(lat: f64, lon: f64, side: f64) -> Pairs {
    let (north, east) = (lat + side, lon + side);
    vec![
        (lat, lon),
        (lat, east),
        (north, east),
        (north, lon),
        (lat, lon),
    ]
}

/// A star around a place: one point per radius, as far from it as the radius says (degrees of
/// latitude; degrees of longitude are stretched so that it is round on the ground).
fn star(lat: f64, lon: f64, radii: &[f64]) -> Pairs {
    let stretch = 1.0 / lat.to_radians().cos();
    let step = TAU / f64::from(u32::try_from(radii.len()).expect("few"));
    let mut ring: Pairs = Vec::with_capacity(radii.len() + 1);
    let mut angle = 0.0_f64;
    for radius in radii {
        ring.push((
            lat + radius * angle.sin(),
            lon + radius * stretch * angle.cos(),
        ));
        angle += step;
    }
    ring.push(ring[0]);
    ring
}

/// Radii of a coast: three waves of different length.
fn coast(points: u32, radius: f64) -> Vec<f64> {
    let wave = |step: u32| {
        let angle = TAU * f64::from(step) / f64::from(points);
        1.0 + 0.2 * (7.0 * angle).sin() + 0.03 * (61.0 * angle).sin() + 0.01 * (397.0 * angle).cos()
    };
    (0..points).map(|step| radius * wave(step)).collect()
}

fn valid(polygons: &[Pairs]) -> Shape {
    Shape::validate(polygons).expect("a valid shape")
}

/// What must hold of any broadcast shape; returns it.
fn check(shape: &Shape) -> Broadcast {
    let broadcast = shape.for_broadcast();
    let sent = &broadcast.shape;
    assert!(sent.covers(shape), "everything asked for is sent");
    let pairs: Vec<Pairs> = sent
        .to_pairs()
        .iter()
        .map(|ring| ring.iter().map(|pair| (pair[0], pair[1])).collect())
        .collect();
    assert_eq!(
        Shape::validate(&pairs).as_ref(),
        Ok(sent),
        "valid, and the same on the wire"
    );
    if broadcast.is_changed() {
        assert!(sent.point_count() < shape.point_count());
        let grown = sent.area_m2() - shape.area_m2();
        assert!(
            (broadcast.grown_area_m2() - grown).abs() < 1.0 && grown >= 0.0,
            "{grown}"
        );
    } else {
        assert_eq!(sent, shape);
        assert!(broadcast.grown_area_m2().abs() < f64::EPSILON);
    }
    broadcast
}

#[test]
fn a_shape_within_the_limits_is_sent_as_it_is() {
    let ring = star(54.0, -1.9, &coast(249, 0.5));
    assert_eq!(ring.len(), POINTS_UNCHANGED_MAX);
    assert_eq!(check(&valid(&[ring])).reduction, Reduction::NotNeeded);
    let squares: Vec<Pairs> = (0..12)
        .map(|step| square(50.0, f64::from(step) / 10.0, 0.001))
        .collect();
    assert_eq!(squares.len(), POLYGONS_UNCHANGED_MAX);
    assert_eq!(check(&valid(&squares)).reduction, Reduction::NotNeeded);
    assert_eq!(check(&Shape::default()).reduction, Reduction::NotNeeded);
}

#[test]
fn one_point_or_one_polygon_more_is_simplified() {
    let ring = star(54.0, -1.9, &coast(250, 0.5));
    assert!(check(&valid(&[ring])).is_changed());
    let squares: Vec<Pairs> = (0..13)
        .map(|step| square(50.0, f64::from(step) / 1000.0, 0.000_5))
        .collect();
    let broadcast = check(&valid(&squares));
    assert!(broadcast.is_changed());
    assert_eq!(broadcast.shape.polygon_count(), POLYGONS_UNCHANGED_MAX);
}

#[test]
fn small_far_polygons_stay_covered() {
    // A coast and fourteen gardens of 10 m by 7 m out at sea.
    let mut polygons = vec![star(54.0, 3.0, &coast(2_000, 0.5))];
    polygons.extend((0..14).map(|step| square(55.5, f64::from(step) / 2.0, 0.000_1)));
    let broadcast = check(&valid(&polygons));
    assert!(broadcast.is_changed());
    assert!(broadcast.grown_area_m2() < 0.05 * valid(&polygons).area_m2());
}

#[test]
fn a_detailed_coast_becomes_a_few_hundred_points_anywhere_on_earth() {
    let places = [
        (54.0, -1.9),
        (0.0, 20.0),
        (-41.0, 174.0),
        (-77.8, 166.0),
        (78.2, 15.6),
        (60.2, 25.0),
    ];
    for (lat, lon) in places {
        let shape = valid(&[star(lat, lon, &coast(2_000, 0.9))]);
        let broadcast = check(&shape);
        assert!(
            broadcast.is_changed(),
            "{lat} {lon}: {:?}",
            broadcast.reduction
        );
        let points = broadcast.shape.point_count();
        assert!(
            points <= POINTS_UNCHANGED_MAX,
            "{lat} {lon}: {points} points"
        );
        let grown = broadcast.grown_area_m2() / shape.area_m2();
        assert!(grown < 0.15, "{lat} {lon}: grown by {grown}");
    }
}

/// A star that is cut in two at the antimeridian, as it has to be sent.
fn cut_star(lat: f64, radius: f64) -> [Pairs; 2] {
    let half = |sign: f64| {
        let mut ring: Pairs = star(lat, 0.0, &coast(1_000, radius))
            .into_iter()
            .filter(|at| at.1 * sign > 0.0)
            .map(|(lat, lon)| (lat, lon - 180.0 * sign))
            .collect();
        if sign > 0.0 {
            // The eastern half begins in the middle of the star: start it at the bottom.
            let bottom = (1..ring.len())
                .find(|&at| ring[at].0 < ring[at - 1].0 - radius)
                .unwrap_or(0);
            ring.rotate_left(bottom);
        }
        let (first, last) = (ring[0], ring[ring.len() - 1]);
        ring.extend([(last.0, -180.0 * sign), (first.0, -180.0 * sign), first]);
        ring
    };
    [half(1.0), half(-1.0)]
}

#[test]
fn a_shape_on_both_sides_of_the_antimeridian_is_simplified_on_both() {
    let shape = valid(&cut_star(-17.0, 0.8));
    assert_eq!(shape.polygon_count(), 2);
    let broadcast = check(&shape);
    assert!(broadcast.is_changed(), "{:?}", broadcast.reduction);
    assert_eq!(broadcast.shape.polygon_count(), 2);
    assert!(broadcast.shape.point_count() <= POINTS_UNCHANGED_MAX);
}

#[test]
fn what_can_not_be_simplified_within_its_bounds_keeps_them_and_says_so() {
    // Thirteen squares around the earth and thirteen far triangles: to join two adds too much.
    let belt: Vec<Pairs> = (0..13)
        .map(|step| square(0.0, f64::from(step) * 20.0 - 130.0, 1.0))
        .collect();
    let far: Vec<Pairs> = (0..13)
        .map(|step| {
            let lon = f64::from(step);
            vec![(0.0, lon), (0.0, lon + 0.1), (0.1, lon), (0.0, lon)]
        })
        .collect();
    for polygons in [belt, far] {
        let reduction = check(&valid(&polygons)).reduction;
        assert_eq!(reduction, Reduction::NotPossible(Obstacle::NoSimplerCover));
    }
    // A thousand islands: 250 points would add many times their ground.
    let far: Vec<Pairs> = (0..1_000_u32)
        .map(|cell| square(f64::from(cell / 32), f64::from(cell % 32), 0.01))
        .collect();
    let islands = valid(&far);
    let broadcast = check(&islands);
    let grown = broadcast.grown_area_m2() / islands.area_m2();
    assert!(grown <= islands.growth_max(), "{grown}");
    assert!(broadcast.shape.point_count() > POINTS_UNCHANGED_MAX);
    // The command that must keep to 250 points says how much that adds.
    let wanted = Wanted {
        points: POINTS_UNCHANGED_MAX,
        polygons: POLYGONS_MAX,
        growth: islands.growth_max(),
    };
    let few = islands.fewer_points(wanted).expect("a cover");
    assert!(few.shape.point_count() <= POINTS_UNCHANGED_MAX && few.shape.covers(&islands));
    assert!(few.grown_m2 > islands.growth_max() * islands.area_m2());
}

/// So many teeth, as long as the shape is wide.
fn comb(teeth: u32, size: f64) -> Pairs {
    let width = size / f64::from(teeth);
    let tooth = |number: u32| {
        let west = f64::from(number) * width;
        [(size, west), (2.0 * size, west + width / 2.0)]
    };
    let mut ring: Pairs = (0..teeth).flat_map(tooth).collect();
    ring.extend([(size, size), (0.0, size), (0.0, 0.0), (size, 0.0)]);
    ring
}

#[test]
fn folds_and_scatter_do_not_blow_the_area_up() {
    // A perimeter that is long for its ground would grow it by kilometres.
    let villages: Vec<Pairs> = (0..60_u32)
        .map(|cell| star(f64::from(cell / 10), f64::from(cell % 10), &coast(60, 0.03)))
        .collect();
    for (name, polygons) in [
        ("a comb", vec![comb(200, 1.0)]),
        ("villages far apart", villages),
    ] {
        let shape = valid(&polygons);
        let broadcast = check(&shape);
        let grown = broadcast.grown_area_m2() / shape.area_m2();
        assert!(broadcast.is_changed(), "{name}: {:?}", broadcast.reduction);
        assert!(
            grown <= 1.0,
            "{name}: grown by {grown}, {:?}",
            broadcast.reduction
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn any_star_anywhere_stays_covered(
        lat in -88.0_f64..88.0,
        lon in -175.0_f64..175.0,
        size in 0.000_1_f64..1.5,
        radii in proptest::collection::vec(0.3_f64..1.0, 251..700),
    ) {
        let radii: Vec<f64> = radii.iter().map(|part| part * size).collect();
        let ring = star(lat, lon, &radii);
        prop_assume!(ring.iter().all(|at| at.0.abs() <= 89.9 && at.1.abs() <= 180.0));
        if let Ok(shape) = Shape::validate(&[ring]) {
            check(&shape);
        }
    }

    #[test]
    fn any_scatter_of_small_polygons_stays_covered(
        seeds in proptest::collection::vec((0.0_f64..0.9, 0.0_f64..0.9, 0.000_01_f64..0.1), 13..60),
        lat in -70.0_f64..70.0,
        spread in 0.01_f64..1.0,
    ) {
        // One square per cell of a grid of 8 by 8, so that none overlap.
        let polygons: Vec<Pairs> = (0_u32..)
            .zip(&seeds)
            .map(|(cell, &(south, west, side))| {
                let (row, column) = (f64::from(cell / 8), f64::from(cell % 8));
                square(lat + (row + south) * spread, (column + west) * spread, side * spread)
            })
            .collect();
        if let Ok(shape) = Shape::validate(&polygons) {
            check(&shape);
        }
    }
}

/// Any number at all, those that geometry likes least most often.
fn any_degrees() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-180_i32..=180).prop_map(f64::from),
        2 => -180.0_f64..180.0,
        1 => proptest::sample::select(vec![
            f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, -0.0,
            90.0, -90.0,
            180.0, -180.0, 1e-7, 89.999_999_9,
        ]),
        1 => any::<f64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_list_of_numbers_makes_anything_panic(
        polygons in proptest::collection::vec(
            (proptest::collection::vec((any_degrees(), any_degrees()), 0..8), any::<bool>()),
            0..20,
        ),
    ) {
        let polygons: Vec<Pairs> = polygons.into_iter().map(|(mut ring, is_closed)| {
            if is_closed && let Some(&first) = ring.first() {
                ring.push(first);
            }
            ring
        }).collect();
        for ring in &polygons {
            if let Ok(shape) = Shape::validate(std::slice::from_ref(ring)) {
                check(&shape);
            }
        }
        match Shape::validate(&polygons) {
            Ok(shape) => { check(&shape); }
            Err(refusal) => prop_assert!(!refusal.to_string().is_empty()),
        }
    }
}

/// The countries of the United Kingdom, where the workspace has them; else `None`.
fn countries() -> Option<serde_json::Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/geography/countries-uk-2019.geojson"
    );
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).expect("GeoJSON"))
}

#[test]
fn the_countries_of_the_united_kingdom_are_covered_with_few_points() {
    let Some(countries) = countries() else {
        println!("skipped: shared/geography/countries-uk-2019.geojson is not there");
        return;
    };
    let features = countries["features"].as_array().expect("features");
    assert_eq!(features.len(), 4);
    for feature in features {
        let name = &feature["properties"]["ctry19nm"];
        let exterior = |polygon: &serde_json::Value| -> Pairs {
            let number = |pair: &serde_json::Value, at: usize| pair[at].as_f64().expect("a number");
            let ring = polygon[0].as_array().expect("a ring");
            ring.iter()
                .map(|pair| (number(pair, 1), number(pair, 0)))
                .collect()
        };
        let polygons = feature["geometry"]["coordinates"]
            .as_array()
            .expect("polygons");
        let shape = valid(&polygons.iter().map(exterior).collect::<Vec<Pairs>>());
        let stated_m2 = feature["properties"]["st_areashape"]
            .as_f64()
            .expect("an area");
        let area = shape.area_m2() / stated_m2;
        assert!(
            (area - 1.0).abs() < 0.02,
            "{name}: {area} of its stated area"
        );
        let broadcast = check(&shape);
        assert!(broadcast.is_changed(), "{name}: {:?}", broadcast.reduction);
        let points = broadcast.shape.point_count();
        assert!(points <= POINTS_UNCHANGED_MAX, "{name}: {points} points");
        let growth = broadcast.grown_area_m2() / shape.area_m2();
        assert!(growth <= GROWTH_LARGE_MAX, "{name} grew by {growth}");
        let outside_m2 = shape.area_outside_m2(&broadcast.shape).expect("comparable");
        let uncovered = outside_m2 / shape.area_m2();
        assert!(
            uncovered <= UNCOVERED_PART_MAX,
            "{name}: {uncovered} left out"
        );
    }
}
