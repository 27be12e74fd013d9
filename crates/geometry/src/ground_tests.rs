use geo::{Area, BooleanOps, Coord, LineString, MultiPolygon, Polygon};
use proptest::prelude::*;

use super::*;

fn square(south: f64, west: f64, side: f64) -> Vec<(f64, f64)> {
    let (north, east) = (south + side, west + side);
    vec![
        (south, west),
        (south, east),
        (north, east),
        (north, west),
        (south, west),
    ]
}

fn shape(rings: &[Vec<(f64, f64)>]) -> Shape {
    Shape::validate(rings).expect("valid rings")
}

fn close(got: f64, want: f64, what: &str) {
    let error = (got - want).abs();
    assert!(
        error <= 1e-9 * want.abs().max(1e-6),
        "{what}: {got}, wanted {want}"
    );
}

#[test]
fn squares_share_what_a_child_would_count() {
    let one = Ground::of(&shape(&[square(50.0, 0.0, 1.0)]));
    // The other square's south-west corner and side, and what they share.
    for (south, west, side, want) in [
        (50.0, 0.0, 1.0, 1.0),
        (50.0, 0.5, 1.0, 0.5),
        (50.5, 0.5, 1.0, 0.25),
        (50.25, 0.25, 0.5, 0.25),
        (49.0, -1.0, 3.0, 1.0),
        (51.0, 0.0, 1.0, 0.0),
        (50.0, 1.0, 1.0, 0.0),
        (50.999_999, 0.999_999, 1.0, 1e-12),
        (10.0, 10.0, 1.0, 0.0),
    ] {
        let other = Ground::of(&shape(&[square(south, west, side)]));
        close(
            one.shared_with(&other),
            want,
            &format!("{south} {west} {side}"),
        );
        close(
            other.shared_with(&one),
            want,
            &format!("the other way, {south} {west} {side}"),
        );
    }
    assert!(one.shared_with(&Ground::default()).abs() < f64::EPSILON);
}

#[test]
fn what_lies_in_a_hole_is_not_shared() {
    let block = Ground::with_holes(
        &shape(&[square(0.0, 0.0, 3.0)]),
        &shape(&[square(1.0, 1.0, 1.0)]),
    );
    close(block.square_degrees(), 8.0, "the block");
    let row = Ground::of(&shape(&[vec![
        (1.0, -1.0),
        (1.0, 4.0),
        (2.0, 4.0),
        (2.0, -1.0),
        (1.0, -1.0),
    ]]));
    close(block.shared_with(&row), 2.0, "a row through its middle");
    let middle = Ground::of(&shape(&[square(1.25, 1.25, 0.5)]));
    close(block.shared_with(&middle), 0.0, "in the hole");
}

/// A star of so many points around a place.
fn star(lat: f64, lon: f64, radii: &[f64]) -> Vec<(f64, f64)> {
    let turn = std::f64::consts::TAU / f64::from(u32::try_from(radii.len()).expect("few"));
    let mut ring: Vec<(f64, f64)> = radii
        .iter()
        .zip(0_u32..)
        .map(|(radius, step)| {
            let angle = turn * f64::from(step);
            (lat + radius * angle.sin(), lon + radius * angle.cos())
        })
        .collect();
    ring.push(ring[0]);
    ring
}

fn engine(shape: &Shape) -> MultiPolygon<f64> {
    let polygon = |ring: &Ring| {
        let points = ring.points().iter().map(|at| Coord {
            x: at.lon.degrees(),
            y: at.lat.degrees(),
        });
        Polygon::new(LineString(points.collect()), Vec::new())
    };
    shape.rings().iter().map(polygon).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Held against `geo`, whose way is another: it finds crossings and builds the shared shape.
    #[test]
    fn stars_share_what_another_engine_finds(
        a in prop::collection::vec(0.2_f64..2.0, 5..200),
        b in prop::collection::vec(0.2_f64..2.0, 5..200),
        apart in -2.0_f64..2.0,
    ) {
        let (a, b) = (star(10.0, 10.0, &a), star(10.0 + apart, 10.0 - apart / 2.0, &b));
        let (Ok(a), Ok(b)) = (Shape::validate(&[a]), Shape::validate(&[b])) else {
            return Ok(());
        };
        let want = engine(&a).intersection(&engine(&b)).unsigned_area();
        let got = Ground::of(&a).shared_with(&Ground::of(&b));
        prop_assert!((got - want).abs() < 1e-6, "{} {}", got, want);
    }
}

/// A comb whose teeth point north, or east.
fn comb(teeth: u32, points_north: bool) -> Vec<(f64, f64)> {
    let step = 10.0 / f64::from(teeth);
    let mut ring: Vec<(f64, f64)> = (0..teeth)
        .flat_map(|tooth| {
            let at = f64::from(tooth) * step;
            [(0.0, at), (10.0, at + step / 2.0)]
        })
        .collect();
    ring.extend([(0.0, 10.0), (-0.5, 10.0), (-0.5, 0.0), (0.0, 0.0)]);
    if points_north {
        ring
    } else {
        ring.into_iter().map(|(lat, lon)| (lon, lat)).collect()
    }
}

#[test]
fn the_worst_of_shapes_take_bounded_work_and_are_estimated_well() {
    let small = |north| Ground::of(&shape(&[comb(500, north)]));
    let exact = small(true).shared_with(&small(false));
    // A quarter of the ground between the teeth, a half where a comb's back is.
    assert!((exact - 25.0).abs() < 3.0, "{exact}");
    let large = |north| Ground::of(&shape(&[comb(24_000, north)]));
    let estimated = large(true).shared_with(&large(false));
    assert!(
        (estimated / exact - 1.0).abs() < 0.02,
        "{estimated}, {exact}"
    );
}
