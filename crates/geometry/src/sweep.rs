//! One pass over lines from south to north that finds the first two which may not be together.
//!
//! Time is O(n log n) for any input, valid or not: the pass ends at the first conflict, so the
//! number of crossings doesn't matter. Arithmetic is exact (whole millionths of a degree).
//!
//! The pass keeps the lines that the current parallel cuts, from west to east. It stops at points
//! in order of latitude, then longitude: lines that end there leave, lines that begin there enter,
//! and lines that have become neighbours are looked at. Two lines that cross are neighbours just
//! before they do. On the way east, a line either enters its polygon or leaves it; that sequence
//! alone tells overlap, containment and covering, so that touching (which is allowed between
//! polygons) needs no rule of its own.

use crate::point::{Point, turn};
use crate::status::{Cursor, Status};

/// One line of a ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The end that comes first in the pass.
    pub south: Point,
    /// The end that comes last.
    pub north: Point,
    /// Which polygon the line belongs to; unique within one pass.
    pub polygon: usize,
    /// Which line of its ring it is, from 0.
    pub index: usize,
    /// What happens when it is crossed on the way east.
    pub side: Side,
}

/// What crossing a line on the way east does. The order is the one in which lines that lie on one
/// another stand, west to east.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    LeavesInner,
    LeavesOuter,
    EntersOuter,
    EntersInner,
}

/// Which lines may not be together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// All lines are of one ring, with so many lines: they share nothing but the points where one
    /// ends and the next begins.
    Simple { lines: usize },
    /// Rings are simple. Outer polygons share no ground, and inner ones lie in outer ones.
    Nested,
}

/// The positions of two lines that break the rule; the same one twice where it stands alone.
pub(crate) type Conflict = (usize, usize);

/// The first conflict, or `None` where all lines obey the rule.
pub(crate) fn find_conflict(lines: &[Line], rule: Rule) -> Option<Conflict> {
    let mut stops: Vec<(Point, bool, usize)> = Vec::with_capacity(lines.len() * 2);
    for (id, line) in lines.iter().enumerate() {
        stops.push((line.south, true, id));
        stops.push((line.north, false, id));
    }
    stops.sort_unstable(); // At one point, `false` comes first: lines end before others begin.
    let mut pass = Pass {
        lines,
        rule,
        status: Status::default(),
    };
    for stop in stops.chunk_by(|a, b| a.0 == b.0) {
        if let Some(conflict) = pass.take_stop(stop) {
            return Some(conflict);
        }
    }
    None
}

struct Pass<'a> {
    lines: &'a [Line],
    rule: Rule,
    status: Status,
}

impl Pass<'_> {
    fn take_stop(&mut self, stop: &[(Point, bool, usize)]) -> Option<Conflict> {
        let point = stop.first()?.0;
        for &(_, begins, id) in stop {
            let neighbours = if begins {
                self.insert(id)
            } else {
                self.remove(id)
            };
            for (west, east) in neighbours {
                if let (Some(west), Some(east)) = (west, east)
                    && self.may_not_meet(west, east)
                {
                    return Some((west, east));
                }
            }
        }
        match self.rule {
            Rule::Simple { .. } => None,
            Rule::Nested => self.find_wrong_order(point),
        }
    }

    /// Adds a line; returns the pairs of neighbours that this makes.
    fn insert(&mut self, id: usize) -> [(Option<usize>, Option<usize>); 2] {
        let line = &self.lines[id];
        let cursor = self
            .status
            .seek(|other| self.stands_west_of(other, line, id));
        let (west, east) = (self.status.before(cursor), self.status.at(cursor));
        self.status.insert(cursor, id);
        [(west, Some(id)), (Some(id), east)]
    }

    /// Takes a line out; returns the pair of neighbours that this makes.
    fn remove(&mut self, id: usize) -> [(Option<usize>, Option<usize>); 2] {
        let Some(cursor) = self.find(id) else {
            return [(None, None); 2];
        };
        let next = self.status.remove(cursor);
        let (west, east) = (self.status.before(next), self.status.at(next));
        [(west, east), (None, None)]
    }

    fn find(&self, id: usize) -> Option<Cursor> {
        let north = self.lines[id].north;
        let mut cursor = self.status.seek(|other| self.is_west_of(other, north));
        while let Some(found) = self.status.at(cursor) {
            if found == id {
                return Some(cursor);
            }
            cursor = self.status.after(cursor);
        }
        None
    }

    fn is_west_of(&self, id: usize, point: Point) -> bool {
        turn(self.lines[id].south, self.lines[id].north, point) > 0
    }

    /// Whether `other`, which is cut by the current parallel, stands west of a line that begins.
    fn stands_west_of(&self, other: usize, line: &Line, id: usize) -> bool {
        let there = &self.lines[other];
        let at_start = turn(there.south, there.north, line.south);
        let side = if at_start == 0 {
            turn(there.south, there.north, line.north)
        } else {
            at_start
        };
        side > 0 || (side == 0 && (there.side, other) < (line.side, id))
    }

    fn may_not_meet(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.lines[a], &self.lines[b]);
        match self.rule {
            Rule::Nested => cross(a, b),
            Rule::Simple { lines } => {
                let follows = |p: &Line, q: &Line| (p.index + 1) % lines == q.index;
                if follows(a, b) || follows(b, a) {
                    share_a_stretch(a, b)
                } else {
                    share_a_point(a, b)
                }
            }
        }
    }

    /// Looks at every pair of neighbours at or beside `point`.
    fn find_wrong_order(&self, point: Point) -> Option<Conflict> {
        let mut cursor = self.status.seek(|other| self.is_west_of(other, point));
        let mut west = self.status.before(cursor);
        loop {
            let east = self.status.at(cursor);
            let sides = (
                west.map(|id| &self.lines[id]),
                east.map(|id| &self.lines[id]),
            );
            if !may_follow(sides.0, sides.1) {
                return west.or(east).zip(east.or(west));
            }
            let through = |id: usize| turn(self.lines[id].south, self.lines[id].north, point) == 0;
            if !east.is_some_and(through) {
                return None;
            }
            west = east;
            cursor = self.status.after(cursor);
        }
    }
}

/// Whether `east` may come next after `west`: outside, then in one outer polygon, then in one
/// inner polygon, and back the same way.
fn may_follow(west: Option<&Line>, east: Option<&Line>) -> bool {
    use Side::{EntersInner, EntersOuter, LeavesInner, LeavesOuter};
    let same = west.map(|line| line.polygon) == east.map(|line| line.polygon);
    match (west.map(|line| line.side), east.map(|line| line.side)) {
        (None | Some(LeavesOuter), None | Some(EntersOuter))
        | (Some(EntersOuter | LeavesInner), Some(EntersInner))
        | (Some(LeavesInner), Some(LeavesOuter)) => true,
        (Some(EntersOuter), Some(LeavesOuter)) | (Some(EntersInner), Some(LeavesInner)) => same,
        _ => false,
    }
}

/// On which side of `a` the two ends of `b` lie.
fn turns(a: &Line, b: &Line) -> (i64, i64) {
    (
        turn(a.south, a.north, b.south).signum(),
        turn(a.south, a.north, b.north).signum(),
    )
}

/// Whether each line has an end on either side of the other.
fn cross(a: &Line, b: &Line) -> bool {
    let (ends_of_b, ends_of_a) = (turns(a, b), turns(b, a));
    ends_of_b.0 * ends_of_b.1 < 0 && ends_of_a.0 * ends_of_a.1 < 0
}

fn share_a_point(a: &Line, b: &Line) -> bool {
    let (ends_of_b, ends_of_a) = (turns(a, b), turns(b, a));
    if ends_of_b == (0, 0) {
        return a.south.max(b.south) <= a.north.min(b.north);
    }
    ends_of_b.0 * ends_of_b.1 <= 0 && ends_of_a.0 * ends_of_a.1 <= 0
}

fn share_a_stretch(a: &Line, b: &Line) -> bool {
    turns(a, b) == (0, 0) && a.south.max(b.south) < a.north.min(b.north)
}
