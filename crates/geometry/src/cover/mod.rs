//! Fewer points that cover: a shape is reduced by moves that only ever add ground, the cheapest
//! first, until as few points are left as are wanted.
//!
//! Everything is exact on whole millionths of a degree, in latitude and longitude as they are sent:
//! there is no projection, no zone and no size beyond which it fails, and what is on one side of
//! the antimeridian or of a pole stays there. Because each move adds ground and none is made that
//! would touch another line, the result is valid and covers what was asked for by construction;
//! the caller checks both nevertheless.

mod corner;
mod grid;
mod ground;
mod line;
mod merge;
mod moves;
mod outline;
mod refine;
mod swap;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::exact::{Spot, open_spots};
use crate::shape::Shape;

use ground::Ground;
use merge::{Merge, best_merge, hull, is_current, join};
use moves::{Move, best_move, make};
use outline::{Node, Outline};

/// How many times as many points as are wanted [`refine`] begins with.
const POINTS_REFINED: usize = 5;

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// Points to be left, closing points included.
    pub points: usize,
    /// Polygons to be left.
    pub polygons: usize,
    /// Ground that may be added, as a part of what is there.
    pub growth: f64,
}

/// A shape with fewer points that covers this one: the goal's, if it can be reached by adding no
/// more ground than the goal says; else as few as that permits.
pub(crate) fn reduce(shape: &Shape, goal: Goal) -> Option<Shape> {
    let rings: Vec<Vec<Spot>> = shape.rings().iter().map(open_spots).collect();
    let mut work = Work::new(&rings, goal);
    work.run();
    to_shape(&work.outline)
}

/// A shape that covers this one and has the goal's points, with less ground added than [`reduce`]
/// needs, and in more time: lines are drawn tight around the ground again after each point that
/// is taken out. `None` where it isn't found with a bounded amount of work.
pub(crate) fn refine(shape: &Shape, goal: Goal) -> Option<Shape> {
    let rings: Vec<Vec<Spot>> = shape.rings().iter().map(open_spots).collect();
    let first = Goal {
        points: goal.points * POINTS_REFINED,
        growth: f64::INFINITY,
        ..goal
    };
    let mut work = Work::new(&rings, first);
    work.run();
    to_shape(&refine::refine(work.outline, &Ground::new(&rings), goal)?)
}

/// The convex shape around everything with at most so many points.
pub(crate) fn enclose(shape: &Shape, points: usize) -> Option<Shape> {
    let spots = shape.rings().iter().flat_map(open_spots).collect();
    let goal = Goal {
        points,
        polygons: 1,
        growth: f64::INFINITY,
    };
    let mut work = Work::new(&[hull(spots)], goal);
    work.run();
    to_shape(&work.outline)
}

fn to_shape(outline: &Outline) -> Option<Shape> {
    let ring = |ring: usize| -> Vec<(f64, f64)> {
        let mut pairs: Vec<(f64, f64)> = outline
            .ring(ring)
            .map(|node| outline.spots[node].degrees())
            .collect();
        pairs.extend(pairs.first().copied());
        pairs
    };
    let rings = (0..outline.sizes.len()).filter(|&ring| outline.sizes[ring] > 0);
    Shape::validate(&rings.map(ring).collect::<Vec<_>>()).ok()
}

/// A move or a merge with its price, the cheapest first.
type Offer = Reverse<(u64, Node, u32, Kind)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Move,
    Merge,
}

struct Work {
    outline: Outline,
    goal: Goal,
    /// Ground that may still be added.
    left: f64,
    offers: BinaryHeap<Offer>,
    /// Merges by the ring that is joined.
    merges: Vec<Option<(f64, Merge)>>,
}

impl Work {
    fn new(rings: &[Vec<Spot>], goal: Goal) -> Self {
        let ground: f64 = rings.iter().map(|ring| merge::ring_ground(ring)).sum();
        Self {
            outline: Outline::new(rings),
            goal,
            left: ground * goal.growth,
            offers: BinaryHeap::new(),
            merges: Vec::new(),
        }
    }

    fn is_done(&self) -> bool {
        self.outline.point_count() <= self.goal.points
            && self.outline.ring_count() <= self.goal.polygons
    }

    /// Whether only polygons are too many.
    fn merges_only(&self) -> bool {
        self.outline.point_count() <= self.goal.points
    }

    fn run(&mut self) {
        // Each round ends with half the points, with none to be had, or done.
        loop {
            let before = self.outline.point_count();
            self.round();
            if self.is_done() || self.outline.point_count() == before {
                return;
            }
        }
    }

    /// Makes the cheapest moves until half of the points are gone.
    fn round(&mut self) {
        let start = self.outline.point_count();
        self.outline.index();
        self.offers.clear();
        let nodes: Vec<Node> = self.outline.nodes().collect();
        for node in nodes {
            self.offer_move(node);
        }
        self.merges = vec![None; self.outline.sizes.len()];
        for ring in 0..self.outline.sizes.len() {
            self.offer_merge(ring);
        }
        while !self.is_done() && self.outline.point_count() * 2 > start {
            let Some(Reverse((price, id, version, kind))) = self.offers.pop() else {
                return;
            };
            match kind {
                Kind::Move => self.take_move(id, version),
                Kind::Merge => self.take_merge(id, f64::from_bits(price)),
            }
        }
    }

    fn offer_move(&mut self, node: Node) {
        if let Some((price, _)) = best_move(&self.outline, node)
            && price <= self.left
        {
            let version = self.outline.version[node];
            self.offers
                .push(Reverse((price.to_bits(), node, version, Kind::Move)));
        }
    }

    fn offer_merge(&mut self, ring: usize) {
        if let Some((price, added, merge)) = best_merge(&self.outline, ring)
            && added <= self.left
        {
            self.merges.resize(self.outline.sizes.len(), None);
            self.merges[ring] = Some((added, merge));
            self.offers
                .push(Reverse((price.to_bits(), ring, 0, Kind::Merge)));
        }
    }

    fn take_move(&mut self, node: Node, version: u32) {
        let is_stale = !self.outline.is_alive[node] || self.outline.version[node] != version;
        if is_stale || self.merges_only() {
            return;
        }
        let Some((price, found)) = best_move(&self.outline, node) else {
            return;
        };
        if price > self.left || !make(&mut self.outline, node, found) {
            return;
        }
        self.left -= price;
        let (before, after) = (self.outline.prev[node], self.outline.next[node]);
        let around = match found {
            Move::Drop => [self.outline.prev[before], before, after],
            Move::Slide(_) => [before, node, after],
        };
        let far = self.outline.prev[around[0]];
        for near in around.into_iter().chain([far]) {
            self.offer_move(near);
        }
    }

    fn take_merge(&mut self, ring: usize, price: f64) {
        let Some((_, merge)) = self.merges.get_mut(ring).and_then(Option::take) else {
            return;
        };
        // What has become dearer since waits its turn.
        let Some((price_now, added, now)) = best_merge(&self.outline, ring) else {
            return;
        };
        if now != merge && price_now > price {
            self.offer_merge(ring);
            return;
        }
        if added > self.left || !is_current(&self.outline, &now) {
            return;
        }
        if !join(&mut self.outline, &now) {
            return;
        }
        self.left -= added;
        let grown = match now {
            Merge::Attach { line, path, .. } => {
                let mut node = line;
                for _ in 0..path.len() + 2 {
                    self.offer_move(node);
                    node = self.outline.next[node];
                }
                self.outline.ring_of[line]
            }
            Merge::Enclose { .. } => {
                let ring = self.outline.sizes.len() - 1;
                let nodes: Vec<Node> = self.outline.ring(ring).collect();
                for node in nodes {
                    self.offer_move(node);
                }
                ring
            }
        };
        self.offer_merge(grown);
    }
}
