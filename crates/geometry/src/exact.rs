//! Predicates on whole millionths of a degree, without any tolerance.

use crate::point::{MICRODEGREES, Point};
use crate::ring::Ring;

/// A position in whole millionths of a degree. Its longitude may run on beyond 180 degrees, so
/// that a shape over the antimeridian is in one piece; up to 720 degrees every product here fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Spot {
    /// East.
    pub x: i64,
    /// North.
    pub y: i64,
}

impl Spot {
    pub fn of(point: Point) -> Self {
        Self {
            x: i64::from(point.lon.micro()),
            y: i64::from(point.lat.micro()),
        }
    }

    /// Latitude and longitude in degrees.
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    pub fn degrees(self) -> (f64, f64) {
        (self.y as f64 / MICRODEGREES, self.x as f64 / MICRODEGREES)
    }
}

/// Twice the area of the triangle: positive when `c` is to the left of the way from `a` to `b`.
pub(crate) fn side(a: Spot, b: Spot, c: Spot) -> i64 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Whether `at`, which is in line with `a` and `b`, lies between them or on one.
fn is_between(a: Spot, b: Spot, at: Spot) -> bool {
    (a.x.min(b.x)..=a.x.max(b.x)).contains(&at.x) && (a.y.min(b.y)..=a.y.max(b.y)).contains(&at.y)
}

/// Whether `at` lies on the line from `a` to `b`.
pub(crate) fn is_on(a: Spot, b: Spot, at: Spot) -> bool {
    is_between(a, b, at) && side(a, b, at) == 0
}

/// Whether two lines have a point in common, ends included.
pub(crate) fn meet(a: Spot, b: Spot, c: Spot, d: Spot) -> bool {
    if a.x.max(b.x) < c.x.min(d.x)
        || c.x.max(d.x) < a.x.min(b.x)
        || a.y.max(b.y) < c.y.min(d.y)
        || c.y.max(d.y) < a.y.min(b.y)
    {
        return false;
    }
    let (c_side, d_side) = (side(a, b, c).signum(), side(a, b, d).signum());
    let (a_side, b_side) = (side(c, d, a).signum(), side(c, d, b).signum());
    if c_side * d_side < 0 && a_side * b_side < 0 {
        return true;
    }
    (c_side == 0 && is_between(a, b, c))
        || (d_side == 0 && is_between(a, b, d))
        || (a_side == 0 && is_between(c, d, a))
        || (b_side == 0 && is_between(c, d, b))
}

/// A ring's points, counterclockwise, the closing one left out.
pub(crate) fn open_spots(ring: &Ring) -> Vec<Spot> {
    let points = ring.points();
    let mut spots: Vec<Spot> = points[1..].iter().map(|&point| Spot::of(point)).collect();
    if ring.is_clockwise() {
        spots.reverse();
    }
    spots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: i64, y: i64) -> Spot {
        Spot { x, y }
    }

    #[test]
    fn lines_meet_where_they_cross_touch_or_lie_on_one_another() {
        let cases = [
            ("a cross", at(0, 0), at(4, 4), at(0, 4), at(4, 0), true),
            (
                "an end on a line",
                at(0, 0),
                at(4, 0),
                at(2, 0),
                at(2, 5),
                true,
            ),
            ("end on end", at(0, 0), at(4, 0), at(4, 0), at(9, 9), true),
            (
                "in line, overlapping",
                at(0, 0),
                at(4, 4),
                at(2, 2),
                at(6, 6),
                true,
            ),
            (
                "in line, apart",
                at(0, 0),
                at(4, 4),
                at(5, 5),
                at(6, 6),
                false,
            ),
            (
                "side by side",
                at(0, 0),
                at(4, 0),
                at(0, 1),
                at(4, 1),
                false,
            ),
            (
                "boxes meet, lines don't",
                at(0, 0),
                at(4, 4),
                at(3, 0),
                at(4, 1),
                false,
            ),
        ];
        for (name, a, b, c, d, want) in cases {
            assert_eq!(meet(a, b, c, d), want, "{name}");
            assert_eq!(meet(d, c, a, b), want, "{name}, the other way round");
        }
    }
}
