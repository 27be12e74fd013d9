//! The rings while points are taken out of them: each a circle of nodes, and a grid to find the
//! lines near a place.

use std::cell::{Cell, RefCell};

use crate::exact::{Spot, is_on, meet};

use super::grid::{Grid, corners};

/// A line is named by the node it starts from.
pub(super) type Node = usize;

/// Rings with their inside to the left.
#[derive(Clone)]
pub(super) struct Outline {
    pub spots: Vec<Spot>,
    pub next: Vec<Node>,
    pub prev: Vec<Node>,
    pub ring_of: Vec<usize>,
    pub is_alive: Vec<bool>,
    /// Counts the changes at a node and its neighbours.
    pub version: Vec<u32>,
    /// Points of each ring, the closing one left out; 0 for a ring that is gone.
    pub sizes: Vec<usize>,
    /// One node of each ring.
    pub heads: Vec<Node>,
    /// How many lines were looked at so far.
    pub looked_at: Cell<u64>,
    /// The look at which each line was seen last: a line is in many cells.
    seen: RefCell<Vec<u32>>,
    looks: Cell<u32>,
    grid: Grid,
    /// The nodes in `heads` by place, and such as were.
    tips: Grid,
}

/// What a change would do to its surroundings.
pub(super) struct Change<'a> {
    /// The new lines, one after the other.
    pub path: &'a [Spot],
    /// Corners around the new ground.
    pub reach: &'a [Spot],
    /// The nodes at the ends of the path, which stay; `None` where the path is a ring.
    pub ends: Option<(Node, Node)>,
    /// Whether a line goes away.
    pub is_gone: &'a dyn Fn(Node) -> bool,
    /// Whether a place within the box around `reach` that no new line touches is on the new ground.
    pub takes_in: &'a dyn Fn(Spot) -> bool,
}

impl Outline {
    pub fn new(rings: &[Vec<Spot>]) -> Self {
        let mut outline = Self {
            spots: Vec::new(),
            next: Vec::new(),
            prev: Vec::new(),
            ring_of: Vec::new(),
            is_alive: Vec::new(),
            version: Vec::new(),
            sizes: Vec::new(),
            heads: Vec::new(),
            looked_at: Cell::new(0),
            seen: RefCell::default(),
            looks: Cell::new(0),
            grid: Grid::default(),
            tips: Grid::default(),
        };
        for (index, ring) in rings.iter().enumerate() {
            let first = outline.spots.len();
            let count = ring.len();
            for (offset, &spot) in ring.iter().enumerate() {
                outline.spots.push(spot);
                outline.next.push(first + (offset + 1) % count);
                outline.prev.push(first + (offset + count - 1) % count);
                outline.ring_of.push(index);
                outline.is_alive.push(true);
                outline.version.push(0);
            }
            outline.sizes.push(count);
            outline.heads.push(first);
        }
        outline.index();
        outline
    }

    /// Points of all rings, closing points included.
    pub fn point_count(&self) -> usize {
        self.sizes.iter().sum::<usize>() + self.ring_count()
    }

    pub fn ring_count(&self) -> usize {
        self.sizes.iter().filter(|&&size| size > 0).count()
    }

    /// The nodes of a ring, in order.
    pub fn ring(&self, ring: usize) -> impl Iterator<Item = Node> + '_ {
        let mut node = self.heads[ring];
        (0..self.sizes[ring]).map(move |_| {
            let this = node;
            node = self.next[node];
            this
        })
    }

    /// All nodes that are still there.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        (0..self.spots.len()).filter(|&node| self.is_alive[node])
    }

    /// Sorts all lines into a new grid, as fine as they are many.
    pub fn index(&mut self) {
        let mut grid = Grid::around(
            self.nodes().map(|node| self.spots[node]),
            self.sizes.iter().sum(),
        );
        for node in self.nodes() {
            grid.add(node, self.spots[node], self.spots[self.next[node]]);
        }
        self.grid = grid;
        let rings: Vec<usize> = (0..self.sizes.len())
            .filter(|&ring| self.sizes[ring] > 0)
            .collect();
        let heads = rings.iter().map(|&ring| self.heads[ring]);
        self.tips = Grid::around(heads.clone().map(|head| self.spots[head]), rings.len());
        for head in heads {
            self.tips.add_spot(head, self.spots[head]);
        }
    }

    fn lead(&mut self, ring: usize, head: Node) {
        self.heads[ring] = head;
        self.tips.add_spot(head, self.spots[head]);
    }

    /// Takes a node out of its ring.
    pub fn remove(&mut self, node: Node) {
        let (before, after) = (self.prev[node], self.next[node]);
        self.is_alive[node] = false;
        self.next[before] = after;
        self.prev[after] = before;
        let ring = self.ring_of[node];
        self.sizes[ring] -= 1;
        if self.heads[ring] == node {
            self.lead(ring, before);
        }
        self.touch(before);
        self.touch(after);
        self.grid.add(before, self.spots[before], self.spots[after]);
    }

    /// Moves a node.
    pub fn shift(&mut self, node: Node, to: Spot) {
        self.spots[node] = to;
        if self.heads[self.ring_of[node]] == node {
            self.tips.add_spot(node, to);
        }
        let (before, after) = (self.prev[node], self.next[node]);
        self.touch(node);
        self.grid.add(before, self.spots[before], to);
        self.grid.add(node, to, self.spots[after]);
    }

    /// Takes a ring out.
    pub fn remove_ring(&mut self, ring: usize) {
        let nodes: Vec<Node> = self.ring(ring).collect();
        for node in nodes {
            self.is_alive[node] = false;
        }
        self.sizes[ring] = 0;
    }

    /// Puts new nodes between two neighbours.
    pub fn insert(&mut self, from: Node, to: Node, path: &[Spot]) {
        let ring = self.ring_of[from];
        let mut before = from;
        for &spot in path {
            let node = self.add_node(ring, spot);
            self.link(before, node);
            before = node;
        }
        self.link(before, to);
        self.sizes[ring] += path.len();
        self.touch(from);
        self.touch(to);
    }

    /// Puts new nodes in the place of those between two.
    pub fn replace(&mut self, from: Node, to: Node, path: &[Spot]) {
        let ring = self.ring_of[from];
        let mut node = self.next[from];
        while node != to {
            self.is_alive[node] = false;
            self.sizes[ring] -= 1;
            node = self.next[node];
        }
        self.lead(ring, from);
        self.insert(from, to, path);
    }

    /// A new ring.
    pub fn add_ring(&mut self, spots: &[Spot]) {
        let (ring, first) = (self.sizes.len(), self.spots.len());
        self.sizes.push(spots.len());
        self.heads.push(first);
        for &spot in spots {
            self.add_node(ring, spot);
        }
        for offset in 0..spots.len() {
            self.link(first + offset, first + (offset + 1) % spots.len());
        }
        self.lead(ring, first);
    }

    fn add_node(&mut self, ring: usize, spot: Spot) -> Node {
        self.spots.push(spot);
        self.next.push(0);
        self.prev.push(0);
        self.ring_of.push(ring);
        self.is_alive.push(true);
        self.version.push(0);
        self.spots.len() - 1
    }

    fn link(&mut self, from: Node, to: Node) {
        self.next[from] = to;
        self.prev[to] = from;
        self.grid.add(from, self.spots[from], self.spots[to]);
    }

    fn touch(&mut self, node: Node) {
        for near in [self.prev[node], node, self.next[node]] {
            self.version[near] = self.version[near].wrapping_add(1);
        }
        // A slide looks two nodes ahead.
        let far = self.prev[self.prev[node]];
        self.version[far] = self.version[far].wrapping_add(1);
    }

    /// The rings that the change takes in; `None` where it would touch a line that stays.
    pub fn judge(&self, change: &Change) -> Option<Vec<usize>> {
        let stays_clear = |node| (change.is_gone)(node) || !self.is_touched(node, change);
        let is_free = self.visit(
            |look| {
                let mut lines = change.path.windows(2);
                lines.all(|line| self.grid.visit_along((line[0], line[1]), &mut *look))
            },
            stays_clear,
        );
        if !is_free {
            return None;
        }
        // What the path doesn't touch is taken in as a whole or not at all.
        let own = change.ends.map(|(from, _)| self.ring_of[from]);
        let (low, high) = corners(change.reach);
        let mut taken = Vec::new();
        self.tips.visit((low, high), |head| {
            let (ring, at) = (self.ring_of[head], self.spots[head]);
            let is_other = self.sizes[ring] > 0 && self.heads[ring] == head && Some(ring) != own;
            let is_near = (low.x..=high.x).contains(&at.x) && (low.y..=high.y).contains(&at.y);
            let is_new = is_other && is_near && !taken.contains(&ring);
            if is_new && !(change.is_gone)(head) && (change.takes_in)(at) {
                taken.push(ring);
            }
            true
        });
        Some(taken)
    }

    /// Shows each line that a walk through the grid comes by once, until `look` says false;
    /// whether it never did.
    fn visit(
        &self,
        walk: impl FnOnce(&mut dyn FnMut(Node) -> bool) -> bool,
        mut look: impl FnMut(Node) -> bool,
    ) -> bool {
        let mut seen = self.seen.borrow_mut();
        seen.resize(self.spots.len(), 0);
        let mut this = self.looks.get().wrapping_add(1);
        if this == 0 {
            seen.fill(0);
            this = 1;
        }
        self.looks.set(this);
        let mut shown = 0;
        let is_free = walk(&mut |node| {
            shown += 1;
            if seen[node] == this || !self.is_alive[node] {
                return true;
            }
            seen[node] = this;
            look(node)
        });
        self.looked_at.set(self.looked_at.get() + shown);
        is_free
    }

    fn is_touched(&self, node: Node, change: &Change) -> bool {
        let after = self.next[node];
        let (from, to) = (self.spots[node], self.spots[after]);
        let last = change.path.len() - 2;
        change.path.windows(2).enumerate().any(|(at, pair)| {
            if let Some((start, end)) = change.ends {
                // The neighbours at the ends of the path share a node with it.
                let far = if at == 0 && after == start {
                    Some(from)
                } else if at == last && node == end {
                    Some(to)
                } else {
                    None
                };
                if let Some(far) = far {
                    let near = if at == 0 && after == start {
                        pair[1]
                    } else {
                        pair[0]
                    };
                    return is_on(pair[0], pair[1], far) || is_on(from, to, near);
                }
            }
            meet(pair[0], pair[1], from, to)
        })
    }

    /// Lines of other rings near a ring, at most `limit` or a little more.
    pub fn lines_near(&self, ring: usize, limit: usize) -> Vec<Node> {
        let spots: Vec<Spot> = self.ring(ring).map(|node| self.spots[node]).collect();
        let (mut low, mut high) = corners(&spots);
        let mut found = Vec::new();
        let mut reach = ((high.x - low.x).max(high.y - low.y) / 4)
            .max(self.grid.cell / 2)
            .max(1);
        while !self.grid.is_within(low, high) {
            (low.x, low.y) = (low.x - reach, low.y - reach);
            (high.x, high.y) = (high.x + reach, high.y + reach);
            found.clear();
            self.visit(
                |look| self.grid.visit((low, high), look),
                |node| {
                    if self.ring_of[node] != ring {
                        found.push(node);
                    }
                    found.len() < 8 * limit
                },
            );
            if found.len() >= limit {
                break;
            }
            reach *= 2;
        }
        found
    }
}
