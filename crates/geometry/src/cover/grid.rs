//! A grid of square cells to find the lines near a place.

use std::ops::RangeInclusive;

use crate::exact::Spot;

use super::outline::Node;

/// The south-west and north-east corners around places.
pub(super) fn corners(spots: &[Spot]) -> (Spot, Spot) {
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
#[derive(Clone, Default)]
pub(super) struct Grid {
    low: Spot2,
    pub cell: i64,
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
    pub fn around(spots: impl Iterator<Item = Spot>, lines: usize) -> Self {
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

    pub fn is_within(&self, low: Spot, high: Spot) -> bool {
        let (width, height) = (self.columns, self.rows);
        let end = |start: i64, cells: usize| {
            start.saturating_add(self.cell * i64::try_from(cells).unwrap_or(i64::MAX / self.cell))
        };
        low.x <= self.low.x
            && low.y <= self.low.y
            && high.x >= end(self.low.x, width)
            && high.y >= end(self.low.y, height)
    }

    /// Adds a point by its place alone: it is shown once.
    pub fn add_spot(&mut self, node: Node, at: Spot) {
        let cell = self.row(at.y) * self.columns + self.column(at.x);
        self.lines[cell].push(node);
    }

    pub fn add(&mut self, node: Node, from: Spot, to: Spot) {
        for row in self.row(from.y.min(to.y))..=self.row(from.y.max(to.y)) {
            for column in self.columns_along(row, from, to) {
                self.lines[row * self.columns + column].push(node);
            }
        }
    }

    /// The cells of a row that a line passes through.
    fn columns_along(&self, row: usize, from: Spot, to: Spot) -> RangeInclusive<usize> {
        let (south, north) = if from.y <= to.y {
            (from, to)
        } else {
            (to, from)
        };
        let x_at = |y: i64| {
            let part = i128::from(north.x - south.x) * i128::from(y - south.y);
            let x = part / i128::from(north.y - south.y);
            south.x + i64::try_from(x).unwrap_or(0)
        };
        let start = self.low.y + i64::try_from(row).unwrap_or(0) * self.cell;
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
        let (one, other) = if north.y == south.y {
            (south.x, north.x)
        } else {
            (x_at(low_y), x_at(high_y))
        };
        self.column(one.min(other) - 1)..=self.column(one.max(other) + 1)
    }

    /// Shows what is in the cells that a line passes through, some more than once, until `look`
    /// says false; whether it never did.
    pub fn visit_along(
        &self,
        (from, to): (Spot, Spot),
        look: &mut dyn FnMut(Node) -> bool,
    ) -> bool {
        (self.row(from.y.min(to.y))..=self.row(from.y.max(to.y))).all(|row| {
            self.columns_along(row, from, to).all(|column| {
                let lines = &self.lines[row * self.columns + column];
                lines.iter().all(|&node| look(node))
            })
        })
    }

    /// Shows the lines in the cells of a box, some more than once, until `look` says false;
    /// whether it never did.
    pub fn visit(&self, (low, high): (Spot, Spot), mut look: impl FnMut(Node) -> bool) -> bool {
        (self.row(low.y)..=self.row(high.y)).all(|row| {
            (self.column(low.x)..=self.column(high.x)).all(|column| {
                let lines = &self.lines[row * self.columns + column];
                lines.iter().all(|&node| look(node))
            })
        })
    }
}
