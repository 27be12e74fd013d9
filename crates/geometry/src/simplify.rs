//! Leaving out points of a ring within a tolerance (Douglas and Peucker), in degrees as the ring
//! is sent, measured in metres.
//!
//! The tolerance has two sides, because losing ground that an alert was asked for is worse than
//! adding some: a line may pass outside a point it leaves out by more than it may pass inside.

use geo::Coord;

use crate::frame::{Degrees, distance_m, offset_m};

/// How far a line may pass from the points it replaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Metres of ground lost.
    pub cut_m: f64,
    /// Metres of ground added.
    pub bulge_m: f64,
}

/// The ring with fewer points; it goes counterclockwise (its inside to the left), is closed, and
/// so is the result. Some of its points may be all that is left, down to two.
pub(crate) fn simplify(ring: &[Degrees], tolerance: Tolerance) -> Vec<Degrees> {
    let Some((&first, _)) = ring.split_first() else {
        return Vec::new();
    };
    let from_first = |index: &usize| distance_m(first, ring[*index]);
    let farthest = (0..ring.len()).max_by(|a, b| from_first(a).total_cmp(&from_first(b)));
    let (middle, last) = (farthest.unwrap_or(0), ring.len() - 1);

    let mut kept = vec![false; ring.len()];
    for anchor in [0, middle, last] {
        kept[anchor] = true;
    }
    let mut spans = vec![(0, middle), (middle, last)];
    while let Some((from, to)) = spans.pop() {
        if let Some(worst) = find_worst(ring, from, to, tolerance) {
            kept[worst] = true;
            spans.extend([(from, worst), (worst, to)]);
        }
    }
    ring.iter()
        .zip(kept)
        .filter(|(_, is_kept)| *is_kept)
        .map(|(&at, _)| at)
        .collect()
}

/// The point between two others that the line between them misses by most, measured in
/// tolerances, if by more than one.
fn find_worst(ring: &[Degrees], from: usize, to: usize, tolerance: Tolerance) -> Option<usize> {
    let missed = |index: usize| {
        let (side, distance) = miss_m(ring[from], ring[to], ring[index]);
        if side < 0.0 {
            distance / tolerance.cut_m
        } else {
            distance / tolerance.bulge_m
        }
    };
    (from + 1..to)
        .map(|index| (index, missed(index)))
        .filter(|&(_, missed)| missed > 1.0)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(index, _)| index)
}

/// On which side of the line `at` lies (negative: right, outside it) and how far from it.
fn miss_m(from: Degrees, to: Degrees, at: Degrees) -> (f64, f64) {
    let (line, point) = (offset_m(from, to, at.y), offset_m(from, at, at.y));
    let length2 = line.x * line.x + line.y * line.y;
    let along = if length2 > 0.0 {
        (point.x * line.x + point.y * line.y) / length2
    } else {
        0.0
    };
    let foot = line * along.clamp(0.0, 1.0);
    let apart: Coord<f64> = point - foot;
    (line.x * point.y - line.y * point.x, apart.x.hypot(apart.y))
}
