//! Boxes, points, shared ground, unions, growth, circles and the antimeridian.

use balefire_geometry::{Point, Refusal, Shape};

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

fn valid(polygons: &[Pairs]) -> Shape {
    Shape::validate(polygons).expect("a valid shape")
}

fn at(lat: f64, lon: f64) -> Point {
    Point::from_degrees(lat, lon).expect("a place on earth")
}

fn nearly(got: f64, want: f64, part: f64, what: &str) {
    assert!(
        (got / want - 1.0).abs() < part,
        "{what}: {got}, wanted {want}"
    );
}

#[test]
fn a_point_is_inside_on_the_edge_or_outside() {
    let shape = valid(&[
        vec![
            (0.0, 0.0),
            (0.0, 4.0),
            (4.0, 4.0),
            (2.0, 2.0),
            (4.0, 0.0),
            (0.0, 0.0),
        ],
        square(10.0, 10.0, 1.0),
    ]);
    for (lat, lon, want) in [
        (1.0, 1.0, true),
        (2.0, 2.0, true),
        (2.000_001, 2.0, false),
        (3.0, 3.5, true),
        (3.0, 2.0, false),
        (0.0, 2.0, true),
        (4.0, 4.0, true),
        (4.0, 2.0, false),
        (0.0, -0.000_001, false),
        (0.0, 5.0, false),
        (10.5, 10.5, true),
        (10.5, 9.0, false),
    ] {
        assert_eq!(shape.contains(at(lat, lon)), want, "{lat} {lon}");
    }
    let bounds = shape.bounds().expect("it has polygons");
    let corners = [at(bounds.south, bounds.west), at(bounds.north, bounds.east)];
    assert_eq!(corners, [at(0.0, 0.0), at(11.0, 11.0)]);
}

#[test]
fn shared_ground_is_measured_and_touching_is_none() {
    let one = valid(&[square(50.0, 0.0, 1.0)]);
    for (name, other, part) in [
        ("itself", square(50.0, 0.0, 1.0), 1.0),
        ("a half", square(50.0, 0.5, 1.0), 0.5),
        ("within", square(50.0, 0.0, 0.5), 0.2513),
        ("an edge", square(50.0, 1.0, 1.0), 0.0),
        ("a corner", square(51.0, 1.0, 1.0), 0.0),
        ("far", square(53.0, 1.0, 1.0), 0.0),
    ] {
        let other = valid(&[other]);
        let shared = one.intersection_area_m2(&other).expect("the engine works") / one.area_m2();
        assert!((shared - part).abs() < 1e-3, "{name}: {shared}");
        assert_eq!(one.overlaps(&other), part > 0.0, "{name}");
        let outside = one.area_outside_m2(&other).expect("the engine works") / one.area_m2();
        assert!((outside + shared - 1.0).abs() < 1e-9, "{name}: {outside}");
    }
}

#[test]
fn a_union_joins_what_overlaps_and_keeps_the_rest() {
    let (a, b) = (
        valid(&[square(50.0, 0.0, 1.0)]),
        valid(&[square(50.0, 1.0, 1.0)]),
    );
    let touching = Shape::union(&[a.clone(), b.clone()]).expect("they touch");
    assert_eq!(touching.polygon_count(), 2, "point for point as they were");
    let over = valid(&[square(50.5, 0.5, 1.0)]);
    let joined = Shape::union(&[a.clone(), b.clone(), over.clone()]).expect("they overlap");
    assert_eq!(joined.polygon_count(), 1);
    let shared = over
        .intersection_area_m2(&touching)
        .expect("the engine works");
    let area_m2 = a.area_m2() + b.area_m2() + over.area_m2() - shared;
    nearly(joined.area_m2(), area_m2, 1e-6, "area");
    // A ring of four bars that overlap at their corners: the court stays out.
    let bar = |south: f64, west: f64, height: f64, width: f64| {
        valid(&[vec![
            (south, west),
            (south, west + width),
            (south + height, west + width),
            (south + height, west),
            (south, west),
        ]])
    };
    let bars = [
        bar(0.0, 0.0, 0.1, 1.0),
        bar(0.9, 0.0, 0.1, 1.0),
        bar(0.0, 0.0, 1.0, 0.1),
        bar(0.0, 0.9, 1.0, 0.1),
    ];
    let court = Shape::union(&bars).expect("they overlap");
    assert!(!court.contains(at(0.5, 0.5)), "the court is not part of it");
    nearly(
        court.area_m2(),
        valid(&[square(0.0, 0.0, 1.0)]).area_m2() * 0.36,
        1e-3,
        "area",
    );
}

#[test]
fn a_shape_grown_by_a_distance_has_steiners_area() {
    for lat in [-70.0, 0.0, 54.0] {
        let shape = valid(&[square(lat, 20.0, 0.1)]);
        for metres in [10.0, 500.0, 5_000.0] {
            let grown = shape.grown_by(metres).expect("it can be grown");
            assert!(grown.covers(&shape), "{lat} {metres}");
            let bounds = grown.bounds().expect("a polygon");
            let reach_m = (bounds.north - bounds.south - 0.1) / 2.0 * 111_200.0;
            nearly(reach_m, metres, 0.02, "how far it reaches north and south");
            assert!(bounds.west < 20.0 && bounds.east > 20.1);
        }
    }
    let pole = valid(&[square(89.9, 20.0, 0.05)]);
    assert!(pole.grown_by(20_000.0).is_err(), "it reaches the pole");
    assert!(pole.grown_by(f64::NAN).is_err());
    let fiji = valid(&[square(-17.0, 179.9, 0.1)])
        .grown_by(5_000.0)
        .expect("grown");
    assert_eq!(
        fiji.polygon_count(),
        2,
        "one on each side of the antimeridian"
    );
}

#[test]
fn a_circle_is_covered_by_65_points_anywhere_on_earth() {
    for (lat, lon) in [
        (54.0, -1.9),
        (0.0, 0.0),
        (-77.8, 166.0),
        (89.5, 10.0),
        (-33.0, 151.0),
    ] {
        for radius_m in [100.0, 3_000.0, 38_000.0] {
            let circle = Shape::circle(at(lat, lon), radius_m).expect("a circle");
            assert_eq!(circle.point_count(), 65);
            let area = circle.area_m2() / (std::f64::consts::PI * radius_m * radius_m);
            assert!((1.0..1.012).contains(&area), "{lat} {radius_m}: {area}");
            // The rim, drawn by another formula: a sphere's great circles on the local radius.
            for step in 0..360 {
                let bearing = f64::from(step).to_radians();
                let rim = geo::Destination::destination(
                    &geo::Geodesic,
                    geo::Point::new(lon, lat),
                    bearing.to_degrees(),
                    radius_m,
                );
                assert!(
                    circle.contains(at(rim.y(), rim.x())),
                    "{lat} {radius_m} {step}"
                );
            }
        }
    }
    let fiji = Shape::circle(at(-17.0, 179.99), 38_000.0).expect("a circle");
    assert_eq!(fiji.polygon_count(), 2);
    for (lat, radius_m, why) in [
        (
            89.9,
            38_000.0,
            "a circle of 38000 m there reaches a pole; send a polygon",
        ),
        (
            0.0,
            0.0,
            "a circle's radius is 0 m; it must be from 10 to 2000000 m",
        ),
        (
            0.0,
            f64::NAN,
            "a circle's radius is NaN m; it must be from 10 to 2000000 m",
        ),
    ] {
        let refusal = Shape::circle(at(lat, 0.0), radius_m).expect_err("no circle");
        assert_eq!(refusal.to_string(), why);
    }
}

#[test]
fn a_ring_over_the_antimeridian_becomes_one_polygon_on_each_side() {
    let ring = vec![
        (0.0, 179.0),
        (0.0, -179.0),
        (1.0, -179.0),
        (1.0, 179.0),
        (0.0, 179.0),
    ];
    let shape = valid(&[ring]);
    assert_eq!(shape.polygon_count(), 2);
    nearly(
        shape.area_m2(),
        valid(&[square(0.0, 0.0, 1.0)]).area_m2() * 2.0,
        1e-9,
        "area",
    );
    assert!(shape.contains(at(0.5, 180.0)) && shape.contains(at(0.5, -180.0)));
    assert!(shape.contains(at(0.5, 179.5)) && shape.contains(at(0.5, -179.5)));
    assert!(!shape.contains(at(0.5, 178.5)) && !shape.contains(at(0.5, 0.0)));
    // A coast that goes over it four times.
    let coast = vec![
        (0.0, 179.0),
        (0.0, -179.0),
        (1.0, 179.5),
        (2.0, -179.0),
        (3.0, 179.0),
        (0.0, 179.0),
    ];
    assert_eq!(valid(&[coast]).polygon_count(), 3);
}

#[test]
fn antarctica_is_taken_as_it_is_drawn_and_what_can_be_read_twice_is_refused() {
    let antarctica = vec![
        (-90.0, -180.0),
        (-90.0, 180.0),
        (-75.0, 180.0),
        (-70.0, 90.0),
        (-72.0, 0.0),
        (-71.0, -90.0),
        (-75.0, -180.0),
        (-90.0, -180.0),
    ];
    let shape = valid(&[antarctica]);
    assert_eq!(shape.polygon_count(), 2);
    assert!(shape.contains(at(-89.0, 1.0)) && shape.contains(at(-80.0, -170.0)));
    let refused = |ring: Pairs| Shape::validate(&[ring]).expect_err("refused");
    let around_the_pole = vec![(80.0, 0.0), (80.0, 120.0), (80.0, -120.0), (80.0, 0.0)];
    assert_eq!(
        refused(around_the_pole),
        Refusal::CrossesAntimeridian { polygon: 0 }
    );
    let bow_tie = vec![
        (0.0, 179.0),
        (2.0, -179.0),
        (1.0, 179.5),
        (0.5, -179.0),
        (0.0, 179.0),
    ];
    assert!(matches!(refused(bow_tie), Refusal::MeetsItself { .. }));
}
