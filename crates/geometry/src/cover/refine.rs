//! Choosing where points are worth most: points are taken out where they cost least ground, and
//! the lines around are drawn tight again after each; then some are put where they win most, in
//! exchange for those that cost least.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::exact::side;

use super::Goal;
use super::corner::{corner, straight};
use super::ground::Ground;
use super::line::line;
use super::merge::{Merge, best_merge, join, ring_ground};
use super::outline::{Node, Outline};
use super::swap::{Swap, make};

/// Part of the ground that a swap must win to be worth its while.
const WORTHWHILE: f64 = 1e-7;
/// Part of the ground that a pass over all lines must win for another one.
const WORTH_A_PASS: f64 = 1e-4;
/// Passes over all lines before points are taken out, and after.
const PASSES_BEFORE_MAX: usize = 2;
/// Passes over all lines after points were taken out.
const PASSES_AFTER_MAX: usize = 12;
/// Passes over all lines after points were put in.
const PASSES_BETWEEN_MAX: usize = 3;
/// Exchanges of points.
const EXCHANGES_MAX: usize = 12;
/// Exchanges without a gain after which no more are tried.
const EXCHANGES_IN_VAIN_MAX: usize = 3;
/// Part of the points that are exchanged at once, in turn: one in so many.
const EXCHANGED: [usize; 3] = [5, 10, 20];
/// The ground added, in terms of the bound on it, beyond which exchanges are in vain.
const NEAR_ENOUGH: f64 = 1.5;
/// One in so many points between two looks at which rings to join.
const MERGES_RENEWED: usize = 20;
/// Lines and points that are looked at: about a second's work.
const LOOKED_AT_MAX: u64 = 20_000_000;
/// Nodes before and after a change whose lines are drawn tight again.
const NODES_AROUND: usize = 3;

/// A removal at a node of a version, or a merge of a ring, with its price: the cheapest first.
type Offer = Reverse<(u64, usize, u32, Kind)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Removal,
    Merge,
}

struct Refine<'a> {
    outline: Outline,
    ground: &'a Ground,
    goal: Goal,
    offers: BinaryHeap<Offer>,
    /// The removals that are offered, by node.
    swaps: HashMap<Node, Swap>,
    /// What was looked at before.
    looked_at: u64,
}

/// The outline with as many points as the goal has, and little ground added: no more than it says,
/// or about as little as is found. `None` where so few points can't be had within the work that is
/// permitted.
pub(super) fn refine(outline: Outline, ground: &Ground, goal: Goal) -> Option<Outline> {
    let mut work = Refine {
        looked_at: outline.looked_at.get(),
        outline,
        ground,
        goal,
        offers: BinaryHeap::new(),
        swaps: HashMap::new(),
    };
    work.outline.index();
    work.settle(PASSES_BEFORE_MAX);
    work.shrink();
    let mut best: Option<(f64, Outline)> = None;
    let mut in_vain = 0;
    for round in 0..=EXCHANGES_MAX {
        work.settle(PASSES_AFTER_MAX);
        if work.outline.point_count() > goal.points {
            break;
        }
        let growth = work.growth();
        in_vain += 1;
        if best
            .as_ref()
            .is_none_or(|(least, _)| growth < least - WORTH_A_PASS)
        {
            in_vain = 0;
            best = Some((growth, work.outline.clone()));
        }
        let is_near = (goal.growth..goal.growth * NEAR_ENOUGH).contains(&growth);
        if !is_near || in_vain == EXCHANGES_IN_VAIN_MAX || work.is_spent() {
            break;
        }
        work.exchange(goal.points / EXCHANGED[round % EXCHANGED.len()]);
    }
    best.map(|(_, outline)| outline)
}

impl Refine<'_> {
    fn is_spent(&self) -> bool {
        let lines = self.outline.looked_at.get() - self.looked_at;
        self.ground.looked_at.get() + lines > LOOKED_AT_MAX
    }

    /// Ground added so far, as a part of what was asked for.
    fn growth(&self) -> f64 {
        let outline = &self.outline;
        let rings = (0..outline.sizes.len()).filter(|&ring| outline.sizes[ring] > 0);
        let all: f64 = rings
            .map(|ring| {
                let spots: Vec<_> = outline.ring(ring).map(|node| outline.spots[node]).collect();
                ring_ground(&spots)
            })
            .sum();
        all / self.ground.size - 1.0
    }

    /// What a swap must add less than to win ground.
    fn worthwhile(&self) -> f64 {
        -WORTHWHILE * self.ground.size
    }

    /// Draws lines tight until little is won.
    fn settle(&mut self, passes: usize) {
        for _ in 0..passes {
            let nodes: Vec<Node> = self.outline.nodes().collect();
            let won: f64 = nodes.into_iter().map(|node| self.tighten(node)).sum();
            self.outline.index();
            if won < WORTH_A_PASS * self.ground.size || self.is_spent() {
                return;
            }
        }
    }

    /// Draws the lines at a node tight; the ground that this wins.
    fn tighten(&mut self, node: Node) -> f64 {
        if !self.outline.is_alive[node] || self.is_spent() {
            return 0.0;
        }
        let most = self.worthwhile();
        let (before, after) = (self.outline.prev[node], self.outline.next[node]);
        let swap = corner(&self.outline, self.ground, (before, after), most)
            .or_else(|| line(&self.outline, self.ground, (node, after), most));
        match swap {
            Some(swap) if make(&mut self.outline, self.ground, &swap) => -swap.added,
            _ => 0.0,
        }
    }

    /// The cheapest way to lose a point at a node, by ground added per point.
    fn removal(&self, node: Node) -> Option<(f64, Swap)> {
        let outline = &self.outline;
        if !outline.is_alive[node] || outline.sizes[outline.ring_of[node]] < 4 {
            return None;
        }
        let (before, after) = (outline.prev[node], outline.next[node]);
        let at = |node: Node| outline.spots[node];
        let ends = (before, outline.next[after]);
        let joined = corner(outline, self.ground, ends, f64::INFINITY).map(|swap| {
            let saved = if swap.between.is_empty() { 2.0 } else { 1.0 };
            (swap.added / saved, swap)
        });
        let dropped = (side(at(before), at(node), at(after)) <= 0)
            .then(|| straight(outline, self.ground, (before, after)))
            .flatten()
            .map(|swap| (swap.added, swap));
        let both = [joined, dropped].into_iter().flatten();
        both.min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn offer_removal(&mut self, node: Node) {
        if let Some((price, swap)) = self.removal(node) {
            let version = self.outline.version[node];
            self.swaps.insert(node, swap);
            let price = price.max(0.0).to_bits();
            self.offers
                .push(Reverse((price, node, version, Kind::Removal)));
        }
    }

    fn offer_merge(&mut self, ring: usize) {
        if let Some((price, _, _)) = best_merge(&self.outline, ring) {
            self.offers
                .push(Reverse((price.to_bits(), ring, 0, Kind::Merge)));
        }
    }

    fn offer_removals(&mut self) {
        for node in self.outline.nodes().collect::<Vec<_>>() {
            if self.is_spent() {
                return;
            }
            self.offer_removal(node);
        }
    }

    fn offer_merges(&mut self) {
        self.outline.index();
        self.offers
            .retain(|Reverse((_, _, _, kind))| *kind != Kind::Merge);
        for ring in 0..self.outline.sizes.len() {
            if self.is_spent() {
                return;
            }
            self.offer_merge(ring);
        }
    }

    /// Takes points out until there are few enough.
    fn shrink(&mut self) {
        self.offers.clear();
        self.offer_removals();
        let mut is_fresh = true;
        loop {
            let count = self.outline.point_count();
            if count <= self.goal.points || self.is_spent() {
                return;
            }
            self.offer_merges();
            let until = (count - count / MERGES_RENEWED - 1).max(self.goal.points);
            self.take_out(until);
            if self.outline.point_count() < count {
                is_fresh = false;
            } else if is_fresh {
                return;
            } else {
                // What couldn't be had before may be possible now.
                self.offer_removals();
                is_fresh = true;
            }
        }
    }

    /// Takes what is offered until so few points are left, or nothing is.
    fn take_out(&mut self, until: usize) {
        while self.outline.point_count() > until && !self.is_spent() {
            let Some(Reverse((price, id, version, kind))) = self.offers.pop() else {
                return;
            };
            match kind {
                Kind::Removal => self.take_removal(id, version),
                Kind::Merge => self.take_merge(id, f64::from_bits(price)),
            }
        }
    }

    fn take_removal(&mut self, node: Node, version: u32) {
        if !self.outline.is_alive[node] || self.outline.version[node] != version {
            return;
        }
        let Some(swap) = self.swaps.remove(&node) else {
            return;
        };
        if make(&mut self.outline, self.ground, &swap) {
            self.tighten_around(swap.from);
        } else {
            // Something has come into its way: what is possible now waits its turn.
            self.offer_removal(node);
        }
    }

    fn take_merge(&mut self, ring: usize, price: f64) {
        let Some((price_now, _, merge)) = best_merge(&self.outline, ring) else {
            return;
        };
        if price_now > price {
            let offer = (price_now.to_bits(), ring, 0, Kind::Merge);
            self.offers.push(Reverse(offer));
            return;
        }
        if !join(&mut self.outline, &merge) {
            return;
        }
        let (node, ring) = match merge {
            Merge::Attach { line, .. } => (line, self.outline.ring_of[line]),
            Merge::Enclose { .. } => {
                let ring = self.outline.sizes.len() - 1;
                (self.outline.heads[ring], ring)
            }
        };
        self.tighten_around(node);
        self.offer_merge(ring);
    }

    /// Draws the lines around a node tight, and offers them anew.
    fn tighten_around(&mut self, node: Node) {
        let near = self.around(node);
        for &node in &near {
            self.tighten(node);
        }
        // The node itself may be gone by now.
        let still = near.into_iter().filter(|&node| self.outline.is_alive[node]);
        let middle: Vec<Node> = still.collect();
        if let Some(&node) = middle.get(middle.len() / 2) {
            for near in self.around(node) {
                self.offer_removal(near);
            }
        }
    }

    /// A node and some before and after it, each once.
    fn around(&self, node: Node) -> Vec<Node> {
        let mut near = node;
        for _ in 0..NODES_AROUND {
            near = self.outline.prev[near];
        }
        let count = (2 * NODES_AROUND + 2).min(self.outline.sizes[self.outline.ring_of[node]]);
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(near);
            near = self.outline.next[near];
        }
        nodes
    }

    /// Puts points where they win most, and takes as many out where they cost least.
    fn exchange(&mut self, count: usize) {
        let until = self.outline.point_count() + count;
        let mut is_changed = vec![false; self.outline.spots.len()];
        for swap in self.find_gains() {
            if self.outline.point_count() >= until {
                break;
            }
            let nodes = [swap.from, self.outline.next[swap.from], swap.to];
            let is_there = |&node: &Node| {
                self.outline.is_alive[node] && !is_changed.get(node).copied().unwrap_or(true)
            };
            if nodes.iter().all(is_there) && make(&mut self.outline, self.ground, &swap) {
                for node in nodes {
                    is_changed[node] = true;
                }
            }
        }
        self.outline.index();
        self.settle(PASSES_BETWEEN_MAX);
        self.shrink();
    }

    /// The ways to win ground by one more point, the best first.
    fn find_gains(&self) -> Vec<Swap> {
        let most = self.worthwhile();
        let mut all: Vec<Swap> = Vec::new();
        for node in self.outline.nodes() {
            let after = self.outline.next[node];
            all.extend(corner(&self.outline, self.ground, (node, after), most));
            all.extend(line(&self.outline, self.ground, (node, node), most));
        }
        all.sort_by(|a, b| a.added.total_cmp(&b.added));
        all
    }
}
