//! How many people, or phones, are within a shape: cells of known counts, each counted by the part
//! of it that the shape covers. People are taken to be spread evenly within a cell.

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{ParentNode, RTree, RTreeNode};

use crate::ground::{Bounds, Ground, PAIRS_MAX};

/// A cell of known count.
#[derive(Clone, Debug)]
pub struct Cell {
    /// People, or phones, in it: finite and not negative.
    pub count: f64,
    /// Its ground.
    pub ground: CellGround,
}

/// Where a cell is.
#[derive(Clone, Debug)]
pub enum CellGround {
    /// A box, as grids have them.
    Box(Bounds),
    /// Any other ground.
    Ground(Ground),
}

/// What is known of a shape.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reached {
    /// People, or phones.
    pub count: f64,
    /// The part of the shape that lies in cells, 0 to 1: of the rest nothing is known.
    pub known_part: f64,
    /// Cells that the shape meets.
    pub cells: usize,
}

/// Cells, found by place.
#[derive(Debug)]
pub struct Population {
    tree: RTree<Entry>,
    total: f64,
}

type Entry = GeomWithData<Rectangle<[f64; 2]>, Cell>;

struct Sum {
    count: f64,
    square_degrees: f64,
    cells: usize,
    /// What is left of the work for all cells together.
    pairs_left: usize,
}

impl CellGround {
    /// The box around it; `None` when it is empty.
    pub fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::Box(bounds) => Some(*bounds),
            Self::Ground(ground) => ground.bounds(),
        }
    }

    /// Square degrees.
    pub fn square_degrees(&self) -> f64 {
        match self {
            Self::Box(bounds) => bounds.square_degrees(),
            Self::Ground(ground) => ground.square_degrees(),
        }
    }
}

impl Population {
    /// Indexes cells. One without ground counts for nothing.
    pub fn new(cells: Vec<Cell>) -> Self {
        let total = cells.iter().map(|cell| cell.count).sum();
        let entry = |cell: Cell| {
            let bounds = cell.ground.bounds()?;
            let (low, high) = ([bounds.west, bounds.south], [bounds.east, bounds.north]);
            (cell.ground.square_degrees() > 0.0)
                .then(|| GeomWithData::new(Rectangle::from_corners(low, high), cell))
        };
        Self {
            tree: RTree::bulk_load(cells.into_iter().filter_map(entry).collect()),
            total,
        }
    }

    /// How many there are in all cells.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// How many cells there are.
    pub fn cell_count(&self) -> usize {
        self.tree.size()
    }

    /// Who is within `ground`: the sum over all cells of count × shared area / the cell's area.
    pub fn within(&self, ground: &Ground) -> Reached {
        let mut sum = Sum {
            count: 0.0,
            square_degrees: 0.0,
            cells: 0,
            pairs_left: PAIRS_MAX,
        };
        if self.tree.size() > 0 {
            add_node(self.tree.root(), ground, &mut sum);
        }
        let whole = ground.square_degrees();
        Reached {
            count: sum.count,
            known_part: if whole > 0.0 {
                (sum.square_degrees / whole).min(1.0)
            } else {
                0.0
            },
            cells: sum.cells,
        }
    }
}

/// On the way down the tree the ground is clipped to each box, so that a cell is held against the
/// few lines that are near it, whatever the size of the whole.
fn add_node(node: &ParentNode<Entry>, ground: &Ground, sum: &mut Sum) {
    let envelope = node.envelope();
    let (low, high) = (envelope.lower(), envelope.upper());
    let here = ground.clip(&Bounds {
        west: low[0],
        south: low[1],
        east: high[0],
        north: high[1],
    });
    if here.is_empty() {
        return;
    }
    for child in node.children() {
        match child {
            RTreeNode::Parent(parent) => add_node(parent, &here, sum),
            RTreeNode::Leaf(entry) => add_cell(&entry.data, &here, sum),
        }
    }
}

fn add_cell(cell: &Cell, ground: &Ground, sum: &mut Sum) {
    let shared = match &cell.ground {
        CellGround::Box(bounds) => ground.clip(bounds).square_degrees(),
        CellGround::Ground(own) => own.shared_with_at_most(ground, &mut sum.pairs_left),
    };
    if shared <= 0.0 {
        return;
    }
    let part = (shared / cell.ground.square_degrees()).min(1.0);
    sum.count += cell.count * part;
    sum.square_degrees += shared;
    sum.cells += 1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    fn bounds(south: f64, west: f64, side: f64) -> Bounds {
        Bounds {
            west,
            south,
            east: west + side,
            north: south + side,
        }
    }

    fn shape(south: f64, west: f64, side: f64) -> Shape {
        let (n, e) = (south + side, west + side);
        let ring = vec![(south, west), (south, e), (n, e), (n, west), (south, west)];
        Shape::validate(&[ring]).expect("a square")
    }

    /// 100 by 100 cells of a tenth of a degree from 0° N 0° E, as boxes or as polygons.
    fn grid(as_boxes: bool) -> Population {
        let cell = |n: u32| {
            let (south, west) = (f64::from(n / 100) / 10.0, f64::from(n % 100) / 10.0);
            Cell {
                count: f64::from(n % 7),
                ground: if as_boxes {
                    CellGround::Box(bounds(south, west, 0.1))
                } else {
                    CellGround::Ground(Ground::of(&shape(south, west, 0.1)))
                },
            }
        };
        Population::new((0..10_000).map(cell).collect())
    }

    #[test]
    fn each_cell_counts_by_the_part_of_it_that_is_covered() {
        let cell = Cell {
            count: 1_000.0,
            ground: CellGround::Box(bounds(50.0, 0.0, 1.0)),
        };
        let one = Population::new(vec![cell]);
        for (south, west, side, count, known_part) in [
            (50.0, 0.0, 1.0, 1_000.0, 1.0),
            (50.0, 0.0, 0.5, 250.0, 1.0),
            (49.0, -1.0, 3.0, 1_000.0, 1.0 / 9.0),
            (50.5, 0.5, 1.0, 250.0, 0.25),
            (60.0, 0.0, 1.0, 0.0, 0.0),
        ] {
            let reached = one.within(&Ground::of(&shape(south, west, side)));
            assert!(
                (reached.count - count).abs() < 1e-6,
                "{south} {west} {side}: {reached:?}"
            );
            assert!(
                (reached.known_part - known_part).abs() < 1e-9,
                "{reached:?}"
            );
        }
    }

    #[test]
    fn many_cells_are_summed_as_one_by_one() {
        for as_boxes in [true, false] {
            let grid = grid(as_boxes);
            for (south, west, side) in [(0.0, 0.0, 10.0), (3.33, 4.44, 2.2), (-5.0, -5.0, 7.05)] {
                let ground = Ground::of(&shape(south, west, side));
                let mut want = 0.0;
                for n in 0_u32..10_000 {
                    let (lat, lon) = (f64::from(n / 100) / 10.0, f64::from(n % 100) / 10.0);
                    let span = |from: f64, to: f64, low: f64| {
                        ((from + 0.1).min(to) - from.max(low)).max(0.0) * 10.0
                    };
                    want += f64::from(n % 7)
                        * span(lat, south + side, south)
                        * span(lon, west + side, west);
                }
                let got = grid.within(&ground).count;
                assert!(
                    (got - want).abs() < 1e-3 * want,
                    "{as_boxes} {south}: {got}, {want}"
                );
            }
        }
    }

    #[test]
    fn nobody_is_counted_where_nothing_is_known() {
        let nobody = Population::new(Vec::new());
        assert_eq!(
            nobody.within(&Ground::of(&shape(0.0, 0.0, 1.0))),
            Reached::default()
        );
        assert_eq!(grid(true).within(&Ground::default()), Reached::default());
    }
}
