//! The rings while points are taken out of them: each a circle of nodes, and a grid to find the
//! lines near a place.

use crate::exact::{Spot, is_on, meet};

/// A line is named by the node it starts from.
pub(super) type Node = usize;

/// Rings with their inside to the left.
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
    grid: Grid,
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
    /// Whether a place that no new line touches is on the new ground.
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
            grid: Grid::default(),
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
    }

    /// Takes a node out of its ring.
    pub fn remove(&mut self, node: Node) {
        let (before, after) = (self.prev[node], self.next[node]);
        self.is_alive[node] = false;
        self.next[before] = after;
        self.prev[after] = before;
        let ring = self.ring_of[node];
        self.sizes[ring] -= 1;
        self.heads[ring] = before;
        self.touch(before);
        self.touch(after);
        self.grid.add(before, self.spots[before], self.spots[after]);
    }

    /// Moves a node.
    pub fn shift(&mut self, node: Node, to: Spot) {
        self.spots[node] = to;
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
        let mut taken = Vec::new();
        let own = change.ends.map(|(from, _)| self.ring_of[from]);
        let is_free = self.grid.visit(corners(change.reach), |node| {
            if !self.is_alive[node] || (change.is_gone)(node) {
                return true;
            }
            if self.is_touched(node, change) {
                return false;
            }
            let ring = self.ring_of[node];
            if Some(ring) != own && !taken.contains(&ring) && (change.takes_in)(self.spots[node]) {
                taken.push(ring);
            }
            true
        });
        is_free.then_some(taken)
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
            self.grid.visit((low, high), |node| {
                if self.is_alive[node] && self.ring_of[node] != ring && !found.contains(&node) {
                    found.push(node);
                }
                found.len() < 8 * limit
            });
            if found.len() >= limit {
                break;
            }
            reach *= 2;
        }
        found
    }
}

/// The south-west and north-east corners around places.
fn corners(spots: &[Spot]) -> (Spot, Spot) {
    let first = spots.first().copied().unwrap_or(Spot { x: 0, y: 0 });
    spots.iter().fold((first, first), |(low, high), spot| {
        (
            Spot {
                x: low.x.min(spot.x),
                y: low.y.min(spot.y),
            },
            Spot {
                x: high.x.max(spot.x),
                y: high.y.max(spot.y),
            },
        )
    })
}

/// Lines by the square cells that they pass through. Lines that are gone stay until the next
/// grid is made; whoever asks looks whether they are still there.
#[derive(Default)]
struct Grid {
    low: Spot2,
    cell: i64,
    columns: usize,
    rows: usize,
    lines: Vec<Vec<Node>>,
}

#[derive(Clone, Copy, Default)]
struct Spot2 {
    x: i64,
    y: i64,
}

impl Grid {
    /// An empty grid with about one cell per line.
    fn around(spots: impl Iterator<Item = Spot>, lines: usize) -> Self {
        let spots: Vec<Spot> = spots.collect();
        let (low, high) = corners(&spots);
        let (width, height) = (high.x - low.x + 1, high.y - low.y + 1);
        let count = i64::try_from(lines.max(1)).unwrap_or(i64::MAX);
        // Square cells: width/cell * height/cell = count, and no more than that many on a side.
        let cell = (width * height / count)
            .isqrt()
            .max(width.max(height) / count)
            .max(1);
        let cells = |length: i64| usize::try_from(length / cell + 1).unwrap_or(1);
        let (columns, rows) = (cells(width), cells(height));
        Self {
            low: Spot2 { x: low.x, y: low.y },
            cell,
            columns,
            rows,
            lines: vec![Vec::new(); columns * rows],
        }
    }

    fn column(&self, x: i64) -> usize {
        let column = ((x - self.low.x) / self.cell).max(0);
        usize::try_from(column).unwrap_or(0).min(self.columns - 1)
    }

    fn row(&self, y: i64) -> usize {
        let row = ((y - self.low.y) / self.cell).max(0);
        usize::try_from(row).unwrap_or(0).min(self.rows - 1)
    }

    fn is_within(&self, low: Spot, high: Spot) -> bool {
        let (width, height) = (self.columns, self.rows);
        let end = |start: i64, cells: usize| {
            start.saturating_add(self.cell * i64::try_from(cells).unwrap_or(i64::MAX / self.cell))
        };
        low.x <= self.low.x
            && low.y <= self.low.y
            && high.x >= end(self.low.x, width)
            && high.y >= end(self.low.y, height)
    }

    fn add(&mut self, node: Node, from: Spot, to: Spot) {
        let (south, north) = if from.y <= to.y {
            (from, to)
        } else {
            (to, from)
        };
        for row in self.row(south.y)..=self.row(north.y) {
            let start = self.low.y + i64::try_from(row).unwrap_or(0) * self.cell;
            let x_at = |y: i64| {
                if north.y == south.y {
                    return north.x;
                }
                let part = i128::from(north.x - south.x) * i128::from(y - south.y);
                let x = part / i128::from(north.y - south.y);
                south.x + i64::try_from(x).unwrap_or(0)
            };
            // The parts outside the grid belong to the cells on its edge.
            let low_y = if row == 0 {
                south.y
            } else {
                start.max(south.y)
            };
            let high_y = if row + 1 == self.rows {
                north.y
            } else {
                (start + self.cell).min(north.y)
            };
            let ends = if north.y == south.y {
                (south.x, north.x)
            } else {
                (x_at(low_y), x_at(high_y))
            };
            let (west, east) = (ends.0.min(ends.1) - 1, ends.0.max(ends.1) + 1);
            for column in self.column(west)..=self.column(east) {
                self.lines[row * self.columns + column].push(node);
            }
        }
    }

    /// Shows the lines in the cells of a box, some more than once, until `look` says false;
    /// whether it never did.
    fn visit(&self, (low, high): (Spot, Spot), mut look: impl FnMut(Node) -> bool) -> bool {
        (self.row(low.y)..=self.row(high.y)).all(|row| {
            (self.column(low.x)..=self.column(high.x)).all(|column| {
                let lines = &self.lines[row * self.columns + column];
                lines.iter().all(|&node| look(node))
            })
        })
    }
}
