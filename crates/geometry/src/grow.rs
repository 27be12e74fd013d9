//! Growing rings by a distance in steps short enough for the engine.
//!
//! The engine computes every crossing of the grown lines. Where many lines lie within the distance
//! of each other that is every line with every other: a comb of 160 points took 14 s in one step.
//! Growing by a and then by b is growing by a + b, so the first step is as short as the lines are
//! apart; after it neighbours are one, and each next step can be twice as long.

use geo::{Coord, MultiPolygon};

use crate::smooth::grow_as_earlier;

/// How many points may lie in the same cell as a point, on average; a cell is as wide as a step.
const NEAR_POINTS_MAX: f64 = 64.0;
/// How many lines may cross the same cell as a line, on average.
const NEAR_LINES_MAX: f64 = 4.0;
/// Samples taken of the lines to count them.
const SAMPLES: u32 = 50_000;
/// How often one step is halved at most.
const HALVINGS_MAX: u32 = 24;
/// A ring isn't thinned to fewer points than this.
const THINNED_POINTS_MIN: usize = 8;
/// Distances between points that are not thinned further, in metres: the precision of the wire.
const THINNING_M_MIN: f64 = 0.1;

/// Every ring grown by `distance_m`, and those that meet joined. Falls short of the distance by at
/// most `loss_m`, and by a fiftieth of the distance at corners.
pub(crate) fn grow(rings: Vec<Vec<Coord<f64>>>, distance_m: f64, loss_m: f64) -> MultiPolygon<f64> {
    let loss = loss_m / distance_m;
    let (mut rings, mut grown) = (rings, MultiPolygon(Vec::new()));
    let (mut done_m, mut step_m) = (0.0, distance_m);
    while done_m < distance_m {
        let mut thinned = thin_all(&rings, step_m * loss);
        let mut halvings = 0;
        while halvings < HALVINGS_MAX && is_crowded(&thinned, step_m) {
            step_m /= 2.0;
            halvings += 1;
            thinned = thin_all(&rings, step_m * loss);
        }
        grown = grow_as_earlier(&thinned, step_m);
        rings = grown
            .iter()
            .map(|polygon| polygon.exterior().0.clone())
            .collect();
        done_m += step_m;
        step_m = (2.0 * step_m).min(distance_m - done_m);
    }
    grown
}

/// Whether growing by `step_m` would have too many lines meet.
fn is_crowded(rings: &[Vec<Coord<f64>>], step_m: f64) -> bool {
    let points: Vec<Coord<f64>> = rings.iter().flatten().copied().collect();
    if count_near(&points, step_m) > NEAR_POINTS_MAX {
        return true;
    }
    // Of two long lines side by side no points need be near. Samples along all lines stand for the
    // lines: one in a cell stands for so many parts of a line across it.
    let (samples, spacing_m) = sample_lines(rings);
    count_near(&samples, step_m) * spacing_m / step_m > NEAR_LINES_MAX
}

/// Points strewn evenly but without order along all lines, and the length that each stands for.
/// Without order, because lines as long as the spacing would all have theirs at the same place.
fn sample_lines(rings: &[Vec<Coord<f64>>]) -> (Vec<Coord<f64>>, f64) {
    let lines = || rings.iter().flat_map(|ring| ring.windows(2));
    let length = |line: &[Coord<f64>]| (line[1].x - line[0].x).hypot(line[1].y - line[0].y);
    let spacing_m = lines().map(length).sum::<f64>() / f64::from(SAMPLES);
    // A linear congruential generator (Knuth's MMIX): the same numbers each time.
    let mut state = 1_u64;
    let mut shift_m = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let top = u32::try_from(state >> 32).unwrap_or(0);
        f64::from(top) / f64::from(u32::MAX) * spacing_m
    };
    let (mut samples, mut start_m, mut next_m) = (Vec::new(), 0.0, shift_m());
    for line in lines() {
        let length_m = length(line);
        while next_m < length_m {
            samples.push(line[0] + (line[1] - line[0]) * (next_m / length_m));
            start_m += spacing_m;
            next_m = start_m + shift_m();
        }
        start_m -= length_m;
        next_m -= length_m;
    }
    (samples, spacing_m)
}

/// How many others lie in the same cell of a grid, on average.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and then all are near"
)]
#[expect(
    clippy::cast_precision_loss,
    reason = "an average of at most some 10^5 points"
)]
fn count_near(points: &[Coord<f64>], cell_m: f64) -> f64 {
    let cell = |at: &Coord<f64>| {
        (
            (at.x / cell_m).floor() as i64,
            (at.y / cell_m).floor() as i64,
        )
    };
    let mut cells: Vec<(i64, i64)> = points.iter().map(cell).collect();
    cells.sort_unstable();
    let pairs = cells
        .chunk_by(|a, b| a == b)
        .map(|same| same.len() * (same.len() - 1));
    pairs.sum::<usize>() as f64 / points.len().max(1) as f64
}

fn thin_all(rings: &[Vec<Coord<f64>>], distance_m: f64) -> Vec<Vec<Coord<f64>>> {
    let thin_one = |ring: &Vec<Coord<f64>>| {
        // A ring smaller than the distance would vanish: thin it less.
        let mut distance_m = distance_m;
        while distance_m > THINNING_M_MIN {
            let thinned = thin(ring, distance_m);
            if thinned.len() >= THINNED_POINTS_MIN {
                return thinned;
            }
            distance_m /= 2.0;
        }
        ring.clone()
    };
    rings.iter().map(thin_one).collect()
}

/// A ring without the points that lie within `distance_m` of the last one kept. The line it makes
/// is nowhere farther than that from the ring.
fn thin(ring: &[Coord<f64>], distance_m: f64) -> Vec<Coord<f64>> {
    let Some((&last, before)) = ring.split_last() else {
        return Vec::new();
    };
    let mut thinned: Vec<Coord<f64>> = Vec::new();
    for &at in before {
        let is_far = |kept: &Coord<f64>| (at.x - kept.x).hypot(at.y - kept.y) > distance_m;
        if thinned.last().is_none_or(is_far) {
            thinned.push(at);
        }
    }
    thinned.push(last);
    thinned
}

#[cfg(test)]
mod tests {
    use geo::Area;

    use super::*;

    fn ring(corners: &[(f64, f64)]) -> Vec<Coord<f64>> {
        corners
            .iter()
            .chain(&corners[..1])
            .map(|&(x, y)| Coord { x, y })
            .collect()
    }

    /// So many teeth, 10 km long, on a base of 10 km by 1 km.
    fn comb(teeth: u32) -> Vec<Coord<f64>> {
        let width = 10_000.0 / f64::from(teeth);
        let tooth = |number: u32| {
            let west = f64::from(number) * width;
            [(west, 11_000.0), (west + width / 2.0, 1_000.0)]
        };
        let mut corners: Vec<(f64, f64)> = (0..teeth).flat_map(tooth).collect();
        corners.extend([(10_000.0, 0.0), (0.0, 0.0)]);
        corners.reverse();
        ring(&corners)
    }

    #[test]
    fn growing_in_steps_gives_what_growing_at_once_gives() {
        let comb = comb(20);
        assert!(
            is_crowded(std::slice::from_ref(&comb), 6_000.0),
            "else this proves nothing"
        );
        let steps = grow(vec![comb.clone()], 6_000.0, 0.0);
        let once = grow_as_earlier(&[comb], 6_000.0);
        assert_eq!((steps.0.len(), once.0.len()), (1, 1));
        let error = steps.unsigned_area() / once.unsigned_area() - 1.0;
        assert!(error.abs() < 0.01, "{error}");
    }

    #[test]
    fn lines_are_near_when_their_ends_are_far() {
        let long = |y: f64| ring(&[(0.0, y), (1e6, y), (1e6, y + 1.0), (0.0, y + 1.0)]);
        let rings: Vec<Vec<Coord<f64>>> = (0..20).map(|n| long(f64::from(n) * 100.0)).collect();
        assert!(
            is_crowded(&rings, 1_000.0),
            "20 lines twice within a kilometre"
        );
        assert!(!is_crowded(&rings, 50.0), "one line twice within 50 metres");
    }

    #[test]
    fn a_thinned_ring_keeps_within_its_distance_and_never_vanishes() {
        let jagged: Vec<(f64, f64)> = (0..1_000)
            .map(|step| {
                let angle = f64::from(step) * std::f64::consts::TAU / 1_000.0;
                (
                    1_000.0 * angle.cos() + f64::from(step % 2),
                    1_000.0 * angle.sin(),
                )
            })
            .collect();
        let ring = ring(&jagged);
        for (distance_m, points) in [(0.0, 1_001..1_002), (100.0, 55..65), (1e9, 8..40)] {
            let thinned = thin_all(std::slice::from_ref(&ring), distance_m);
            assert!(
                points.contains(&thinned[0].len()),
                "{distance_m}: {}",
                thinned[0].len()
            );
            assert_eq!(thinned[0].first(), thinned[0].last());
        }
    }
}
