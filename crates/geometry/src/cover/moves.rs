//! The moves that take one point out of a ring and only ever add ground.
//!
//! A **drop** leaves out a point where the ring turns outward: the new line passes outside it. A
//! **slide** leaves out a whole line: the lines on both sides of it are drawn on until they meet.
//! The meeting point is put on whole millionths of a degree so that both ends of the old line stay
//! inside, which is checked exactly.

use crate::exact::{Spot, side};
use crate::point::LONGITUDE_MAX;

use super::outline::{Change, Node, Outline};

/// Millionths of a degree of the northernmost and southernmost points.
pub(super) const LATITUDE_MAX: i64 = 90_000_000;
/// How far from the meeting point of two lines a place on whole millionths is looked for.
const ROUNDING_MAX: i64 = 2;

/// One move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Move {
    /// Leaves out the node.
    Drop,
    /// Moves the node to a place and leaves out the one after it.
    Slide(Spot),
}

/// The cheapest move at a node and what ground it adds, in square millionths of a degree on the
/// scale of the node's latitude; `None` where none is possible.
pub(super) fn best_move(outline: &Outline, node: Node) -> Option<(f64, Move)> {
    if outline.sizes[outline.ring_of[node]] < 4 {
        return None;
    }
    let at = |node: Node| outline.spots[node];
    let (before, after) = (outline.prev[node], outline.next[node]);
    let (a, b, c, d) = (at(before), at(node), at(after), at(outline.next[after]));
    let bend = side(a, b, c);
    if bend <= 0 {
        return Some((ground(b, bend), Move::Drop));
    }
    if side(b, c, d) <= 0 {
        return None;
    }
    let corner = find_meeting(a, b, c, d)?;
    let added = side(b, corner, c) + side(a, corner, b).abs() + side(c, corner, d).abs();
    Some((ground(b, added), Move::Slide(corner)))
}

/// Ground of twice so many square millionths of a degree, on the scale of a place's latitude.
pub(super) fn ground(at: Spot, doubled: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a cost, not a coordinate")]
    let area = doubled.unsigned_abs() as f64 / 2.0;
    area * at.degrees().0.to_radians().cos()
}

/// Where the lines from `a` over `b` and from `d` over `c` meet, rounded so that `b` and `c` are on
/// or left of the lines to and from there.
fn find_meeting(a: Spot, b: Spot, c: Spot, d: Spot) -> Option<Spot> {
    let (along_x, along_y) = (b.x - a.x, b.y - a.y);
    let (back_x, back_y) = (c.x - d.x, c.y - d.y);
    let turn = i128::from(along_x) * i128::from(back_y) - i128::from(along_y) * i128::from(back_x);
    // To the left the two lines draw apart; in line they never meet.
    if turn >= 0 {
        return None;
    }
    let offset =
        i128::from(c.x - b.x) * i128::from(back_y) - i128::from(c.y - b.y) * i128::from(back_x);
    // Part of the line from a to b by which to go on beyond b.
    let round = |start: i64, along: i64| {
        let beyond = divide(offset.checked_mul(i128::from(along))?, turn);
        i64::try_from(beyond).ok().map(|beyond| start + beyond)
    };
    let near = Spot {
        x: round(b.x, along_x)?,
        y: round(b.y, along_y)?,
    };
    let reach = -ROUNDING_MAX..=ROUNDING_MAX;
    let around = reach
        .clone()
        .flat_map(|x| reach.clone().map(move |y| (x, y)));
    around
        .map(|(x, y)| Spot {
            x: near.x + x,
            y: near.y + y,
        })
        .filter(|&spot| {
            spot.y.abs() <= LATITUDE_MAX
                && spot.x.abs() <= i64::from(LONGITUDE_MAX)
                && side(a, b, spot) <= 0
                && side(c, d, spot) <= 0
                && side(b, c, spot) < 0
                && is_blunt(b, spot, c)
        })
        .min_by_key(|&spot| {
            (
                side(b, spot, c) + side(a, spot, b).abs() + side(c, spot, d).abs(),
                spot,
            )
        })
}

/// Whether the corner at `at` is no spike: on the ground its angle is 60 degrees or more.
#[expect(clippy::cast_precision_loss, reason = "an angle, not a coordinate")]
fn is_blunt(from: Spot, at: Spot, to: Spot) -> bool {
    let narrowing = at.degrees().0.to_radians().cos();
    let way = |end: Spot| ((end.x - at.x) as f64 * narrowing, (end.y - at.y) as f64);
    let (a, b) = (way(from), way(to));
    let cosine = (a.0 * b.0 + a.1 * b.1) / (a.0.hypot(a.1) * b.0.hypot(b.1));
    cosine <= 0.5
}

/// Rounded to the nearest.
fn divide(dividend: i128, divisor: i128) -> i128 {
    let (dividend, divisor) = (dividend * divisor.signum(), divisor.abs());
    (dividend + divisor / 2).div_euclid(divisor)
}

/// Makes the move if nothing is in its way; whether it did.
pub(super) fn make(outline: &mut Outline, node: Node, found: Move) -> bool {
    let (before, after) = (outline.prev[node], outline.next[node]);
    let far = outline.next[after];
    let at = |node: Node| outline.spots[node];
    let (a, b, c, d) = (at(before), at(node), at(after), at(far));
    let taken = match found {
        Move::Drop => outline.judge(&Change {
            path: &[a, c],
            reach: &[a, b, c],
            ends: Some((before, after)),
            is_gone: &|line| line == before || line == node,
            takes_in: &|spot| {
                side(a, b, spot) <= 0 && side(b, c, spot) <= 0 && side(a, c, spot) >= 0
            },
        }),
        Move::Slide(corner) => outline.judge(&Change {
            path: &[a, corner, d],
            reach: &[a, b, c, corner, d],
            ends: Some((before, far)),
            is_gone: &|line| line == before || line == node || line == after,
            takes_in: &|spot| {
                side(b, c, spot) <= 0 && side(a, corner, spot) >= 0 && side(corner, d, spot) >= 0
            },
        }),
    };
    let Some(taken) = taken else { return false };
    for ring in taken {
        outline.remove_ring(ring);
    }
    match found {
        Move::Drop => outline.remove(node),
        Move::Slide(corner) => {
            outline.shift(node, corner);
            outline.remove(after);
        }
    }
    true
}

/// A place on whole millionths near where two lines meet: the one with the least cost of those that
/// have one.
pub(super) fn find_crossing(
    (a, b): (Spot, Spot),
    (c, d): (Spot, Spot),
    cost: impl Fn(Spot) -> Option<i64>,
) -> Option<Spot> {
    let (along_x, along_y) = (b.x - a.x, b.y - a.y);
    let (back_x, back_y) = (c.x - d.x, c.y - d.y);
    let turn = i128::from(along_x) * i128::from(back_y) - i128::from(along_y) * i128::from(back_x);
    if turn == 0 {
        return None;
    }
    let offset =
        i128::from(c.x - b.x) * i128::from(back_y) - i128::from(c.y - b.y) * i128::from(back_x);
    let round = |start: i64, along: i64| {
        let beyond = divide(offset.checked_mul(i128::from(along))?, turn);
        i64::try_from(beyond)
            .ok()
            .map(|beyond| start.saturating_add(beyond))
    };
    let near = Spot {
        x: round(b.x, along_x)?,
        y: round(b.y, along_y)?,
    };
    if near.y.abs() > LATITUDE_MAX || near.x.abs() > i64::from(LONGITUDE_MAX) {
        return None;
    }
    let reach = -ROUNDING_MAX..=ROUNDING_MAX;
    let around = reach
        .clone()
        .flat_map(|x| reach.clone().map(move |y| (x, y)));
    around
        .map(|(x, y)| Spot {
            x: near.x + x,
            y: near.y + y,
        })
        .filter_map(|spot| cost(spot).map(|cost| (cost, spot)))
        .min()
        .map(|(_, spot)| spot)
}
