//! The pass over the ground against slow and simple checks, on rings drawn on a small grid, where
//! touching, shared corners and lines on one another are the rule.

use balefire_geometry::{Refusal, Shape};
use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::{LineString, Polygon, Relate};
use proptest::prelude::*;

type Cell = (i64, i64);

fn shape_of(rings: &[Vec<Cell>]) -> Result<Shape, Refusal> {
    // A millionth of a degree per cell: the finest that there is.
    #[expect(clippy::cast_precision_loss, reason = "single digits")]
    let degrees = |&(lat, lon): &Cell| (lat as f64 / 1e6, lon as f64 / 1e6);
    let polygons: Vec<Vec<(f64, f64)>> = rings
        .iter()
        .map(|ring| ring.iter().map(degrees).collect())
        .collect();
    Shape::validate(&polygons)
}

fn polygon_of(ring: &[Cell]) -> Polygon<f64> {
    #[expect(clippy::cast_precision_loss, reason = "single digits")]
    let points: Vec<(f64, f64)> = ring
        .iter()
        .map(|&(lat, lon)| (lon as f64, lat as f64))
        .collect();
    Polygon::new(LineString::from(points), Vec::new())
}

fn cross(a: Cell, b: Cell, c: Cell) -> i64 {
    ((b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)).signum()
}

fn is_on(a: Cell, b: Cell, c: Cell) -> bool {
    let within = |low: i64, high: i64, at: i64| low.min(high) <= at && at <= low.max(high);
    cross(a, b, c) == 0 && within(a.0, b.0, c.0) && within(a.1, b.1, c.1)
}

fn meet(a: (Cell, Cell), b: (Cell, Cell)) -> bool {
    let crossing = cross(a.0, a.1, b.0) * cross(a.0, a.1, b.1) < 0
        && cross(b.0, b.1, a.0) * cross(b.0, b.1, a.1) < 0;
    let touching = is_on(a.0, a.1, b.0) || is_on(a.0, a.1, b.1) || is_on(b.0, b.1, a.0);
    crossing || touching || is_on(b.0, b.1, a.1)
}

/// Every pair of lines, one by one.
fn is_simple(ring: &[Cell]) -> bool {
    let lines: Vec<(Cell, Cell)> = ring.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let count = lines.len();
    let apart = |i: usize, j: usize| {
        if (i + 1) % count == j {
            !is_on(lines[i].0, lines[i].1, lines[j].1) && !is_on(lines[j].0, lines[j].1, lines[i].0)
        } else {
            (j + 1) % count == i || !meet(lines[i], lines[j])
        }
    };
    count >= 3 && (0..count).all(|i| (0..count).all(|j| i == j || apart(i, j)))
}

fn ring(size: i64, points_max: usize) -> impl Strategy<Value = Vec<Cell>> {
    proptest::collection::vec((0..size, 0..size), 3..points_max).prop_map(|mut ring| {
        ring.dedup();
        ring.push(ring[0]);
        ring.dedup();
        ring
    })
}

fn simple_ring(size: i64, points_max: usize) -> impl Strategy<Value = Vec<Cell>> {
    ring(size, points_max).prop_filter("not simple", |ring| ring.len() > 3 && is_simple(ring))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 5_000, max_local_rejects: 4_000_000, max_global_rejects: 4_000_000,
        failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_ring_is_accepted_exactly_when_no_two_of_its_lines_meet(ring in ring(6, 9)) {
        prop_assume!(ring.len() >= 4);
        let answer = shape_of(std::slice::from_ref(&ring));
        prop_assert_eq!(answer.is_ok(), is_simple(&ring), "{:?}: {:?}", ring, answer);
    }

    #[test]
    fn two_polygons_overlap_exactly_when_their_insides_meet(
        a in simple_ring(6, 7), b in simple_ring(6, 7)
    ) {
        let matrix = polygon_of(&a).relate(&polygon_of(&b));
        let apart = matrix.get(CoordPos::Inside, CoordPos::Inside) == Dimensions::Empty;
        let answer = shape_of(&[a.clone(), b.clone()]);
        prop_assert_eq!(answer.is_ok(), apart, "{:?} {:?}: {:?}", a, b, answer);
    }

    #[test]
    fn a_polygon_covers_another_exactly_when_the_relation_says_so(
        a in simple_ring(6, 6), b in simple_ring(6, 5)
    ) {
        let want = polygon_of(&a).relate(&polygon_of(&b)).is_covers();
        let (big, small) = (shape_of(std::slice::from_ref(&a)), shape_of(std::slice::from_ref(&b)));
        let covers = big.expect("simple").covers(&small.expect("simple"));
        prop_assert_eq!(covers, want, "{:?} {:?}", a, b);
    }

    #[test]
    fn several_polygons_overlap_exactly_when_two_of_them_do(
        rings in proptest::collection::vec(
            (simple_ring(4, 6), 0_i64..4, 0_i64..4), 2..6)
    ) {
        let rings: Vec<Vec<Cell>> = rings.into_iter().map(|(ring, lat, lon)| {
            ring.into_iter().map(|at| (at.0 + 2 * lat, at.1 + 2 * lon)).collect()
        }).collect();
        let meets = |a: &[Cell], b: &[Cell]| polygon_of(a).relate(&polygon_of(b))
            .get(CoordPos::Inside, CoordPos::Inside) != Dimensions::Empty;
        let overlap = (0..rings.len())
            .any(|i| (0..i).any(|j| meets(&rings[i], &rings[j])));
        match shape_of(&rings) {
            Ok(_) => prop_assert!(!overlap, "{:?}", rings),
            Err(Refusal::Overlap { polygon, other }) => {
                let meet = meets(&rings[polygon], &rings[other]);
                prop_assert!(meet, "{polygon} {other} {:?}", rings);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
