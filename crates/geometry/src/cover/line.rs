//! The best line to take the place of a convex corner, or of a line between two: as close to the
//! ground as it can be.

use crate::exact::{Spot, side};

use super::ground::Ground;
use super::merge::hull;
use super::moves::find_crossing;
use super::outline::{Node, Outline};
use super::swap::{Swap, judge, piece};

/// Lines tried in one place.
const LINES_TRIED_MAX: usize = 8;
/// How many times as long as the line before the new corner it may be drawn on to.
const DRAWN_ON_MAX: f64 = 100.0;

/// The lines on both sides of what is replaced: from `u` to `a`, and from `b` to `w`.
#[derive(Clone, Copy)]
struct Sides {
    u: Spot,
    a: Spot,
    b: Spot,
    w: Spot,
}

/// The best line to take the place of the corner at a node (`first` and `second` alike), or of the
/// line between two neighbours, that adds less than `most`.
pub(super) fn line(
    outline: &Outline,
    ground: &Ground,
    (first, second): (Node, Node),
    most: f64,
) -> Option<Swap> {
    let (from, to) = (outline.prev[first], outline.next[second]);
    if from == to || from == second {
        return None;
    }
    let at = |node: Node| outline.spots[node];
    let sides = Sides {
        u: at(from),
        a: at(first),
        b: at(second),
        w: at(to),
    };
    if !sides.is_convex() {
        return None;
    }
    let mut inside = ground.points_within(&piece(outline, from, to));
    inside.extend([sides.u, sides.w]);
    let lines = find_lines(sides, &hull(inside));
    let ends = lines.into_iter().filter_map(|line| sides.cut(line));
    let mut swaps: Vec<Swap> = ends
        .map(|(one, other)| Swap::new(outline, (from, to), vec![one, other]))
        .filter(|swap| swap.added < most)
        .collect();
    swaps.sort_by(|a, b| a.added.total_cmp(&b.added));
    swaps.truncate(LINES_TRIED_MAX);
    let is_possible = |swap: &Swap| judge(outline, ground, swap).is_some();
    swaps.into_iter().find(is_possible)
}

/// Lines with all of a convex ring on their left: those on its sides, and those through a corner
/// that has the middle of the new line.
fn find_lines(sides: Sides, around: &[Spot]) -> Vec<(Spot, Spot)> {
    let Sides { u, w, .. } = sides;
    let count = around.len();
    let mut lines = Vec::new();
    for index in 0..count {
        let (before, at) = (around[(index + count - 1) % count], around[index]);
        let after = around[(index + 1) % count];
        if side(u, w, at) < 0 || side(u, w, after) < 0 {
            lines.push((at, after));
        }
        if at == u || at == w {
            continue;
        }
        if let Some((from, to)) = sides.middle_at(at)
            && side(from, to, before) >= 0
            && side(from, to, after) >= 0
        {
            let beyond = Spot {
                x: at.x + (to.x - from.x),
                y: at.y + (to.y - from.y),
            };
            lines.push((at, beyond));
        }
    }
    lines
}

impl Sides {
    fn is_convex(self) -> bool {
        let Self { u, a, b, w } = self;
        if a == b {
            side(u, a, w) > 0
        } else {
            side(u, a, b) > 0 && side(a, b, w) > 0
        }
    }

    /// The ends of the line over `p` and `q` on the lines on both sides, so that it has `p` and
    /// `q` on its left, and keeps to the left of those lines.
    fn cut(self, (p, q): (Spot, Spot)) -> Option<(Spot, Spot)> {
        let Self { u, a, b, w } = self;
        let one = find_crossing((u, a), (p, q), |spot| {
            let holds = side(u, spot, p) >= 0 && side(spot, q, p) >= 0 && side(u, a, spot) <= 0;
            holds.then(|| side(u, spot, w))
        })?;
        let other = find_crossing((b, w), (p, q), |spot| {
            let holds = side(spot, w, q) >= 0 && side(b, w, spot) <= 0;
            let is_left = side(one, spot, q) >= 0 && side(one, spot, p) >= 0;
            (holds && is_left).then(|| side(one, spot, w))
        })?;
        let is_forward = is_alike((u, a), (u, one))
            && is_alike((b, w), (other, w))
            && is_alike((p, q), (one, other));
        is_forward.then_some((one, other))
    }

    /// The ends on the lines on both sides of the line that has `p` in its middle.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a proposal, checked on whole numbers"
    )]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most a hundred times a line"
    )]
    fn middle_at(self, p: Spot) -> Option<(Spot, Spot)> {
        let Self { u, a, b, w } = self;
        let along = ((a.x - u.x) as f64, (a.y - u.y) as f64);
        let back = ((w.x - b.x) as f64, (w.y - b.y) as f64);
        // u + s * along + b + t * back = 2 * p
        let rest = ((2 * p.x - u.x - b.x) as f64, (2 * p.y - u.y - b.y) as f64);
        let turn = along.0 * back.1 - along.1 * back.0;
        let part = (rest.0 * back.1 - rest.1 * back.0) / turn;
        if turn.abs() < 1.0 || !(0.0..DRAWN_ON_MAX).contains(&part) {
            return None;
        }
        let one = Spot {
            x: u.x + (part * along.0).round() as i64,
            y: u.y + (part * along.1).round() as i64,
        };
        let other = Spot {
            x: 2 * p.x - one.x,
            y: 2 * p.y - one.y,
        };
        Some((one, other))
    }
}

/// Whether two ways go to the same side.
fn is_alike((a, b): (Spot, Spot), (c, d): (Spot, Spot)) -> bool {
    let along = i128::from(b.x - a.x) * i128::from(d.x - c.x);
    along + i128::from(b.y - a.y) * i128::from(d.y - c.y) > 0
}
