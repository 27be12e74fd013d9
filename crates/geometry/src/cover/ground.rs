//! The ground that was asked for, and whether a change of the outline keeps all of it covered.

use std::cell::Cell;

use crate::exact::{Spot, is_on, meet, side};

use super::grid::{Grid, corners};
use super::merge::ring_ground;
use super::outline::Node;

/// How much finer the grid is than one cell for each line: coasts fill few cells.
const CELLS_PER_LINE: usize = 4;

/// The lines that were asked for, by place.
pub(super) struct Ground {
    spots: Vec<Spot>,
    next: Vec<Node>,
    lines: Grid,
    points: Grid,
    /// How many lines and points were looked at so far.
    pub looked_at: Cell<u64>,
    /// How much ground it is, as `ring_ground` measures.
    pub size: f64,
}

impl Ground {
    pub fn new(rings: &[Vec<Spot>]) -> Self {
        let mut spots: Vec<Spot> = Vec::new();
        let mut next: Vec<Node> = Vec::new();
        for ring in rings {
            let first = spots.len();
            next.extend((0..ring.len()).map(|offset| first + (offset + 1) % ring.len()));
            spots.extend(ring);
        }
        let empty = || Grid::around(spots.iter().copied(), CELLS_PER_LINE * spots.len());
        let (mut lines, mut points) = (empty(), empty());
        for (node, &spot) in spots.iter().enumerate() {
            lines.add(node, spot, spots[next[node]]);
            points.add_spot(node, spot);
        }
        Self {
            spots,
            next,
            lines,
            points,
            looked_at: Cell::new(0),
            size: rings.iter().map(|ring| ring_ground(ring)).sum(),
        }
    }

    /// The points of the lines within a box.
    pub fn points_in(&self, low: Spot, high: Spot) -> Vec<Spot> {
        let mut found = Vec::new();
        self.points.visit((low, high), |node| {
            self.count();
            let spot = self.spots[node];
            if (low.x..=high.x).contains(&spot.x) && (low.y..=high.y).contains(&spot.y) {
                found.push(spot);
            }
            true
        });
        found
    }

    /// The points that a piece of the outline and the straight way between its ends enclose, and
    /// those on the piece.
    pub fn points_within(&self, old: &[Spot]) -> Vec<Spot> {
        let (low, high) = corners(old);
        let mut points = self.points_in(low, high);
        points.retain(|&spot| {
            turns_around(old, spot) > 0 || old.windows(2).any(|pair| is_on(pair[0], pair[1], spot))
        });
        points
    }

    /// Whether all ground stays covered where `path` takes the place of `old`; both start and end
    /// at the same places, and `before` and `after` are what comes before and after them.
    pub fn permits(&self, before: Spot, old: &[Spot], path: &[Spot], after: Spot) -> bool {
        let (west_south, east_north) = corners(path);
        let stays_left = self.lines.visit((west_south, east_north), |node| {
            self.count();
            let (from, to) = (self.spots[node], self.spots[self.next[node]]);
            let is_near = from.x.max(to.x) >= west_south.x
                && from.x.min(to.x) <= east_north.x
                && from.y.max(to.y) >= west_south.y
                && from.y.min(to.y) <= east_north.y;
            !is_near
                || is_left_of(path, from, to) && is_within_corners(before, path, after, from, to)
        });
        if !stays_left {
            return false;
        }
        let round: Vec<Spot> = old.iter().chain(path.iter().rev()).copied().collect();
        let (low, high) = corners(old);
        self.points.visit((low, high), |node| {
            self.count();
            let spot = self.spots[node];
            !(low.x..=high.x).contains(&spot.x)
                || !(low.y..=high.y).contains(&spot.y)
                || turns_around(&round, spot) <= 0
        })
    }

    fn count(&self) {
        self.looked_at.set(self.looked_at.get() + 1);
    }
}

/// How often a closed way goes counterclockwise around a place; 0 for one that lies on it.
pub(super) fn turns_around(round: &[Spot], at: Spot) -> i32 {
    let mut turns = 0;
    let after = round.iter().cycle().skip(1);
    for (&from, &to) in round.iter().zip(after) {
        if is_on(from, to, at) {
            return 0;
        }
        if from.y <= at.y && at.y < to.y && side(from, to, at) > 0 {
            turns += 1;
        } else if to.y <= at.y && at.y < from.y && side(from, to, at) < 0 {
            turns -= 1;
        }
    }
    turns
}

/// Whether a line is nowhere right of the lines of a path that it meets; what it does at their
/// ends is for `is_within_corners` to say.
fn is_left_of(path: &[Spot], from: Spot, to: Spot) -> bool {
    path.windows(2).all(|pair| {
        let (p, q) = (pair[0], pair[1]);
        if !meet(p, q, from, to) {
            return true;
        }
        let (from_side, to_side) = (side(p, q, from), side(p, q, to));
        if from_side == 0 && to_side == 0 {
            let along = (q.x - p.x) * (to.x - from.x) + (q.y - p.y) * (to.y - from.y);
            return along > 0 || from == q || to == p;
        }
        (from_side >= 0 && to_side >= 0) || is_on(from, to, p) || is_on(from, to, q)
    })
}

/// Whether a line that goes through a corner of a path stays within its inside there.
fn is_within_corners(before: Spot, path: &[Spot], after: Spot, from: Spot, to: Spot) -> bool {
    (0..path.len()).all(|index| {
        let at = path[index];
        if !is_on(from, to, at) {
            return true;
        }
        let a = if index == 0 { before } else { path[index - 1] };
        let b = path.get(index + 1).copied().unwrap_or(after);
        [from, to].into_iter().filter(|&end| end != at).all(|end| {
            let (first, second) = (side(a, at, end) >= 0, side(at, b, end) >= 0);
            if side(a, at, b) > 0 {
                first && second
            } else {
                first || second
            }
        })
    })
}
