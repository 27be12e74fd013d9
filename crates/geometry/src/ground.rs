//! How much ground two shapes share, in square degrees.
//!
//! A square degree is not the same everywhere, so only ratios of measures taken in about the same
//! place mean anything: the part of a cell, or of a district, that an alert covers.
//!
//! Every edge of a ring stands for the ground below it, counted with the sign of its direction;
//! what two shapes share is the sum over all pairs of edges of the ground below both. That needs no
//! crossings, no order and no valid result in between, and so can't fail on any input. Many edges
//! are first parted: both shapes are clipped to a box, and the box is halved until few pairs are
//! left, one of the two is empty there, or one fills it. The work is bounded: past
//! `PAIRS_MAX` pairs what is left of a box is estimated from how much of it each shape covers.

use crate::ring::Ring;
use crate::shape::Shape;

/// Pairs of edges that are summed without halving the box once more.
const PAIRS_AT_ONCE_MAX: usize = 1_024;
/// Pairs of edges that one measure sums; some 0.3 s. (Two combs of 3,000 teeth across each other
/// have that many crossings; a thousand wards under a country's coast have a hundredth.)
pub(crate) const PAIRS_MAX: usize = 40_000_000;
/// How often a box is halved: to a part in a million of its width and height.
const HALVINGS_MAX: u32 = 40;
/// The part of a box's area by which a shape that fills it may miss for rounding.
const FILLED: f64 = 1.0 - 1e-12;

/// A place in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct At {
    pub lon: f64,
    pub lat: f64,
}

/// A box in degrees, its sides included. West is at most east: none lies across the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The smallest longitude.
    pub west: f64,
    /// The smallest latitude.
    pub south: f64,
    /// The largest longitude.
    pub east: f64,
    /// The largest latitude.
    pub north: f64,
}

/// Ground enclosed by rings, whose holes don't count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ground {
    /// Closed without repeating the first point; outer rings go round one way, holes the other.
    rings: Vec<Vec<At>>,
}

/// On which side of a line what lies is kept.
#[derive(Clone, Copy)]
enum Keep {
    East(f64),
    West(f64),
    North(f64),
    South(f64),
}

impl Bounds {
    /// Square degrees.
    pub fn square_degrees(&self) -> f64 {
        (self.east - self.west) * (self.north - self.south)
    }

    /// The box around both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    /// Whether they have a point in common.
    pub fn meets(&self, other: &Self) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }

    /// What both hold; `None` where they have no ground in common.
    fn shared_with(&self, other: &Self) -> Option<Self> {
        let shared = Self {
            west: self.west.max(other.west),
            south: self.south.max(other.south),
            east: self.east.min(other.east),
            north: self.north.min(other.north),
        };
        (shared.west < shared.east && shared.south < shared.north).then_some(shared)
    }

    /// Two halves, side by side along the longer side.
    fn halve(&self) -> [Self; 2] {
        let (lon, lat) = (
            f64::midpoint(self.west, self.east),
            f64::midpoint(self.south, self.north),
        );
        if self.east - self.west > self.north - self.south {
            [Self { east: lon, ..*self }, Self { west: lon, ..*self }]
        } else {
            [
                Self {
                    north: lat,
                    ..*self
                },
                Self {
                    south: lat,
                    ..*self
                },
            ]
        }
    }
}

impl Keep {
    /// How far inside a point lies; 0 on the line.
    fn depth(self, at: At) -> f64 {
        match self {
            Self::East(west) => at.lon - west,
            Self::West(east) => east - at.lon,
            Self::North(south) => at.lat - south,
            Self::South(north) => north - at.lat,
        }
    }

    /// Where a line from one side to the other meets this one, exactly on it.
    fn cross(self, from: At, to: At) -> At {
        let (a, b) = (self.depth(from), self.depth(to));
        let part = a / (a - b);
        let lon = from.lon + (to.lon - from.lon) * part;
        let lat = from.lat + (to.lat - from.lat) * part;
        match self {
            Self::East(lon) | Self::West(lon) => At { lon, lat },
            Self::North(lat) | Self::South(lat) => At { lon, lat },
        }
    }
}

impl Ground {
    /// The ground of a shape.
    pub fn of(shape: &Shape) -> Self {
        Self::with_holes(shape, &Shape::default())
    }

    /// The ground of a shape without that of `holes`, which lie within it.
    pub fn with_holes(shape: &Shape, holes: &Shape) -> Self {
        let outer = shape.rings().iter().map(|ring| chain(ring, true));
        let inner = holes.rings().iter().map(|ring| chain(ring, false));
        Self {
            rings: outer.chain(inner).collect(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty()
    }

    /// The box around it; `None` when it is empty.
    pub fn bounds(&self) -> Option<Bounds> {
        let points = self.rings.iter().flatten();
        points
            .map(|at| Bounds {
                west: at.lon,
                south: at.lat,
                east: at.lon,
                north: at.lat,
            })
            .reduce(|all, one| all.with(&one))
    }

    /// Square degrees.
    pub fn square_degrees(&self) -> f64 {
        edges(&self.rings)
            .map(|(from, to)| (from.lon - to.lon) * f64::midpoint(from.lat, to.lat))
            .sum::<f64>()
            .max(0.0)
    }

    /// Square degrees that both cover.
    pub fn shared_with(&self, other: &Self) -> f64 {
        self.shared_with_at_most(other, &mut { PAIRS_MAX })
    }

    /// The same within what is left of the work that a larger measure may do.
    pub(crate) fn shared_with_at_most(&self, other: &Self, pairs_left: &mut usize) -> f64 {
        let boxes = self.bounds().zip(other.bounds());
        let Some(within) = boxes.and_then(|(own, its)| own.shared_with(&its)) else {
            return 0.0;
        };
        share(self, other, within, HALVINGS_MAX, pairs_left)
    }

    /// What of it lies within a box. Edges along the box's sides may be there twice, in opposite
    /// directions: they enclose nothing.
    pub(crate) fn clip(&self, within: &Bounds) -> Self {
        let sides = [
            Keep::East(within.west),
            Keep::West(within.east),
            Keep::North(within.south),
            Keep::South(within.north),
        ];
        let clip_one = |ring: &Vec<At>| {
            let mut left = ring.clone();
            for side in sides {
                if left.iter().any(|&at| side.depth(at) < 0.0) {
                    left = clip_ring(&left, side);
                }
            }
            (left.len() > 2).then_some(left)
        };
        Self {
            rings: self.rings.iter().filter_map(clip_one).collect(),
        }
    }

    fn point_count(&self) -> usize {
        self.rings.iter().map(Vec::len).sum()
    }
}

/// The points of a ring without the closing one, against the clock when `is_outer`.
fn chain(ring: &Ring, is_outer: bool) -> Vec<At> {
    let points = ring.points().iter().skip(1).map(|point| At {
        lon: point.lon.degrees(),
        lat: point.lat.degrees(),
    });
    if ring.is_clockwise() == is_outer {
        points.rev().collect()
    } else {
        points.collect()
    }
}

fn edges(rings: &[Vec<At>]) -> impl Iterator<Item = (At, At)> + '_ {
    rings.iter().flat_map(|ring| {
        let next = ring.iter().cycle().skip(1);
        ring.iter().copied().zip(next.copied())
    })
}

/// Sutherland and Hodgman's clipping at one line. Of points that follow each other along the line
/// only the first and the last are kept, so that what lies outside leaves no more than two.
fn clip_ring(ring: &[At], side: Keep) -> Vec<At> {
    let mut left: Vec<At> = Vec::with_capacity(ring.len());
    let mut push = |at: At| {
        let is_on = |at: &At| side.depth(*at) == 0.0;
        if let [.., before, last] = left.as_mut_slice()
            && is_on(&at)
            && is_on(before)
            && is_on(last)
        {
            *last = at;
            return;
        }
        left.push(at);
    };
    for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (before, after) = (side.depth(*from), side.depth(*to));
        if before >= 0.0 {
            push(*from);
        }
        if (before < 0.0 && after > 0.0) || (before > 0.0 && after < 0.0) {
            push(side.cross(*from, *to));
        }
    }
    if left.iter().all(|&at| side.depth(at) == 0.0) {
        left.clear();
    }
    left
}

fn share(a: &Ground, b: &Ground, within: Bounds, halvings: u32, pairs_left: &mut usize) -> f64 {
    let (a, b) = (a.clip(&within), b.clip(&within));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (a_area, b_area) = (a.square_degrees(), b.square_degrees());
    let box_area = within.square_degrees();
    if a_area >= FILLED * box_area {
        return b_area;
    }
    if b_area >= FILLED * box_area {
        return a_area;
    }
    let pairs = a.point_count() * b.point_count();
    *pairs_left = pairs_left.saturating_sub(pairs.min(PAIRS_AT_ONCE_MAX));
    if pairs <= PAIRS_AT_ONCE_MAX {
        return sum_pairs(&a, &b, within.south).clamp(0.0, a_area.min(b_area));
    }
    if halvings == 0 || *pairs_left == 0 {
        return a_area * (b_area / box_area);
    }
    let halves = within.halve();
    halves
        .into_iter()
        .map(|half| share(&a, &b, half, halvings - 1, pairs_left))
        .sum()
}

/// The ground below both edges of every pair, above `base_lat`.
fn sum_pairs(a: &Ground, b: &Ground, base_lat: f64) -> f64 {
    let mut sum = 0.0;
    for (a_from, a_to) in edges(&a.rings) {
        for (b_from, b_to) in edges(&b.rings) {
            sum += below_both((a_from, a_to), (b_from, b_to), base_lat);
        }
    }
    sum
}

fn below_both(a: (At, At), b: (At, At), base_lat: f64) -> f64 {
    let (a_west, a_east, a_sign) = west_to_east(a);
    let (b_west, b_east, b_sign) = west_to_east(b);
    let (west, east) = (a_west.lon.max(b_west.lon), a_east.lon.min(b_east.lon));
    if west >= east {
        return 0.0;
    }
    let a_lats = (lat_at(a_west, a_east, west), lat_at(a_west, a_east, east));
    let b_lats = (lat_at(b_west, b_east, west), lat_at(b_west, b_east, east));
    let apart = (a_lats.0 - b_lats.0, a_lats.1 - b_lats.1);
    let lower = (a_lats.0.min(b_lats.0), a_lats.1.min(b_lats.1));
    let mean = if apart.0 * apart.1 >= 0.0 {
        f64::midpoint(lower.0, lower.1)
    } else {
        // They cross: up to there one is lower, then the other.
        let part = apart.0 / (apart.0 - apart.1);
        let crossing = a_lats.0 + (a_lats.1 - a_lats.0) * part;
        part * f64::midpoint(lower.0, crossing) + (1.0 - part) * f64::midpoint(crossing, lower.1)
    };
    a_sign * b_sign * (mean - base_lat) * (east - west)
}

fn west_to_east((from, to): (At, At)) -> (At, At, f64) {
    if from.lon <= to.lon {
        (from, to, 1.0)
    } else {
        (to, from, -1.0)
    }
}

fn lat_at(west: At, east: At, lon: f64) -> f64 {
    if lon <= west.lon {
        return west.lat;
    }
    if lon >= east.lon {
        return east.lat;
    }
    west.lat + (east.lat - west.lat) * ((lon - west.lon) / (east.lon - west.lon))
}

#[cfg(test)]
#[path = "ground_tests.rs"]
mod tests;
