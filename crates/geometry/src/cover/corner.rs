//! The best single corner between two nodes of an outline: as far inside as the ground permits.

use crate::exact::{Spot, side};

use super::grid::corners;
use super::ground::{Ground, turns_around};
use super::moves::find_crossing;
use super::outline::{Node, Outline};
use super::swap::{Swap, ground_at, judge, piece};

/// Places tried for one corner.
const PLACES_TRIED_MAX: usize = 8;

/// Two places that a line to the new corner passes over.
type Sight = (Spot, Spot);

/// Where the corner may be.
enum Places {
    /// As near outside the straight way as what lies there permits, if anywhere.
    Outside(Option<Spot>),
    /// Inside it, where two sights meet, the deepest first.
    Inside(Vec<(Sight, Sight)>),
}

/// The best way to put at most one corner between two nodes that adds less than `most`.
pub(super) fn corner(
    outline: &Outline,
    ground: &Ground,
    (from, to): (Node, Node),
    most: f64,
) -> Option<Swap> {
    if from == to {
        return None;
    }
    let old = piece(outline, from, to);
    let swap = |between: Vec<Spot>| Swap::new(outline, (from, to), between);
    let is_possible = |swap: &Swap| swap.added < most && judge(outline, ground, swap).is_some();
    let straight = swap(Vec::new());
    let is_deep_enough = |depth: f64| straight.added - ground_at(old[0], depth) < most;
    match find_places(ground, &old, is_deep_enough) {
        Places::Outside(place) => place.map(|spot| swap(vec![spot])).filter(is_possible),
        Places::Inside(places) => {
            let places = places.into_iter().filter_map(meeting);
            let mut bent = places.map(|spot| swap(vec![spot]));
            let bent = bent.find(is_possible);
            bent.or_else(|| (old.len() > 2 && is_possible(&straight)).then_some(straight))
        }
    }
}

/// Nothing between two nodes, if that is possible.
pub(super) fn straight(outline: &Outline, ground: &Ground, ends: (Node, Node)) -> Option<Swap> {
    let swap = Swap::new(outline, ends, Vec::new());
    judge(outline, ground, &swap).is_some().then_some(swap)
}

fn find_places(ground: &Ground, old: &[Spot], is_deep_enough: impl Fn(f64) -> bool) -> Places {
    let (u, w) = (old[0], old[old.len() - 1]);
    let mut outside = if old.len() > 2 {
        ground.points_within(old)
    } else {
        Vec::new()
    };
    outside.retain(|&spot| side(u, w, spot) < 0);
    if let Some(&first) = outside.first() {
        return Places::Outside(find_outside((u, w), first, &outside));
    }
    Places::Inside(find_inside(ground, old, is_deep_enough))
}

/// The corner to the right of the way from `u` to `w` that has all places on its left.
fn find_outside((u, w): (Spot, Spot), first: Spot, places: &[Spot]) -> Option<Spot> {
    let farther = |far: Spot, place: &Spot| {
        if side(u, far, *place) < 0 {
            *place
        } else {
            far
        }
    };
    let from_u = places.iter().fold(first, farther);
    let farther = |far: Spot, place: &Spot| {
        if side(far, w, *place) < 0 {
            *place
        } else {
            far
        }
    };
    let from_w = places.iter().fold(first, farther);
    if from_u == from_w {
        return Some(from_u);
    }
    find_crossing((u, from_u), (from_w, w), |spot| {
        let holds = side(u, spot, from_u) >= 0 && side(spot, w, from_w) >= 0;
        (holds && side(u, w, spot) < 0).then(|| side(u, spot, w))
    })
}

/// The sights over the ground's points to the left of the straight way: the corner between two of
/// them is as deep as it can be.
fn find_inside(
    ground: &Ground,
    old: &[Spot],
    is_deep_enough: impl Fn(f64) -> bool,
) -> Vec<(Sight, Sight)> {
    let (u, w) = (old[0], old[old.len() - 1]);
    let (low, high) = reach_of(old);
    let mut left = ground.points_in(low, high);
    // What lies between the piece and the straight way is no ground of this ring.
    let is_bent_left = old.iter().any(|&spot| side(u, w, spot) > 0);
    left.retain(|&spot| side(u, w, spot) > 0 && (!is_bent_left || turns_around(old, spot) >= 0));
    // In the order in which a line around `u` comes by them.
    left.sort_unstable_by(|&p, &q| 0.cmp(&side(u, p, q)).then_with(|| p.cmp(&q)));
    let mut places: Vec<(f64, Sight, Sight)> = Vec::new();
    let mut offer = |p: Spot, q: Spot| {
        let depth = depth((u, w), p, q);
        if is_deep_enough(depth) {
            places.push((depth, (u, p), (q, w)));
        }
    };
    let mut nearest: Option<Spot> = None;
    for spot in left {
        let is_nearest = nearest.is_none_or(|near| side(w, spot, near) < 0);
        if let Some(near) = nearest
            && side(u, near, spot) != 0
        {
            offer(spot, near);
        }
        if is_nearest {
            offer(spot, spot);
            nearest = Some(spot);
        }
    }
    places.sort_by(|a, b| b.0.total_cmp(&a.0));
    places.truncate(PLACES_TRIED_MAX);
    let sights = places.into_iter().map(|(_, from, to)| (from, to));
    sights.collect()
}

/// The box in which the points count for a piece.
fn reach_of(old: &[Spot]) -> (Spot, Spot) {
    let (low, high) = corners(old);
    let margin = (high.x - low.x).max(high.y - low.y) / 2;
    let by = |spot: Spot, margin: i64| Spot {
        x: spot.x + margin,
        y: spot.y + margin,
    };
    (by(low, -margin), by(high, margin))
}

/// How deep left of the way from `u` to `w` the sights over `p` and over `q` meet: twice the ground
/// between.
#[expect(clippy::cast_precision_loss, reason = "an order, not a coordinate")]
fn depth((u, w): (Spot, Spot), p: Spot, q: Spot) -> f64 {
    let (along, back) = (side(u, w, p) as f64, side(u, w, q) as f64);
    let way = |from: Spot, to: Spot| ((to.x - from.x) as f64, (to.y - from.y) as f64);
    let (there, here, base) = (way(u, p), way(w, q), way(u, w));
    let turn = here.0 * there.1 - here.1 * there.0;
    if turn == 0.0 {
        return along.min(back);
    }
    (base.1 * here.0 - base.0 * here.1) / turn * along
}

/// The whole millionths where two sights to the left of the straight way meet.
fn meeting(((u, p), (q, w)): (Sight, Sight)) -> Option<Spot> {
    if p == q {
        return Some(p);
    }
    find_crossing((u, p), (q, w), |spot| {
        let holds = side(u, spot, p) >= 0 && side(spot, w, q) >= 0;
        (holds && side(u, w, spot) > 0).then(|| side(u, spot, w))
    })
}
