//! Making one ring of two: a small ring is joined to a line of another one, or both are replaced
//! by what goes tightly around them.

use crate::exact::{Spot, side};

use super::outline::{Change, Node, Outline};

/// Points of a ring that is joined to another.
const JOINED_POINTS_MAX: usize = 32;
/// Lines of other rings that a ring may be joined to.
const LINES_TRIED_MAX: usize = 12;

/// How two rings become one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Merge {
    /// The ring is taken in by putting these places after the node.
    Attach {
        /// The ring.
        ring: usize,
        /// Where the line of the other ring starts.
        line: Node,
        /// What comes between the two ends of the line.
        path: Vec<Spot>,
    },
    /// Both rings are replaced by the one around them.
    Enclose {
        /// The two.
        rings: [usize; 2],
        /// The new one.
        around: Vec<Spot>,
    },
}

/// The cheapest way to join a ring to another: ground added per point saved, the ground itself,
/// and the way.
pub(super) fn best_merge(outline: &Outline, ring: usize) -> Option<(f64, f64, Merge)> {
    let size = outline.sizes[ring];
    if size == 0 || size > JOINED_POINTS_MAX {
        return None;
    }
    let own = spots_of(outline, ring);
    let own_ground = ring_ground(&own);
    let mut offers: Vec<(f64, f64, Merge)> = Vec::new();
    let mut offer = |saved: usize, added: f64, merge: Merge| {
        #[expect(clippy::cast_precision_loss, reason = "a few points")]
        let price = added / saved.max(1) as f64;
        offers.push((price, added, merge));
    };
    let mut near = outline.lines_near(ring, LINES_TRIED_MAX);
    near.sort_by_cached_key(|&line| distance(outline, line, &own));
    near.truncate(LINES_TRIED_MAX);
    let mut others: Vec<usize> = Vec::new();
    for &line in &near {
        let other = outline.ring_of[line];
        let (from, to) = (outline.spots[line], outline.spots[outline.next[line]]);
        if let Some(path) = path_around(&own, from, to) {
            let mut ring_path = vec![to, from];
            ring_path.extend(&path);
            let added = (ring_ground(&ring_path) - own_ground).max(0.0);
            // The ring's points and its closing one go, those of the path come.
            if path.len() <= size {
                let merge = Merge::Attach { ring, line, path };
                offer(size + 1 - merge_len(&merge), added, merge);
            }
        }
        if outline.sizes[other] <= JOINED_POINTS_MAX && !others.contains(&other) {
            others.push(other);
            let theirs = spots_of(outline, other);
            let around = hull(own.iter().chain(&theirs).copied().collect());
            let added = ring_ground(&around) - own_ground - ring_ground(&theirs);
            let before = size + theirs.len() + 1;
            if around.len() < before {
                let saved = before - around.len();
                let rings = [ring, other];
                offer(saved, added.max(0.0), Merge::Enclose { rings, around });
            }
        }
    }
    offers.sort_by(|a, b| a.0.total_cmp(&b.0));
    offers
        .into_iter()
        .find(|(_, _, merge)| taken_by(outline, merge).is_some())
}

fn merge_len(merge: &Merge) -> usize {
    match merge {
        Merge::Attach { path, .. } => path.len(),
        Merge::Enclose { around, .. } => around.len(),
    }
}

/// The rings that the merge takes in beside its own; `None` where something is in the way.
fn taken_by(outline: &Outline, merge: &Merge) -> Option<Vec<usize>> {
    match merge {
        Merge::Attach { ring, line, path } => {
            let (line, end) = (*line, outline.next[*line]);
            let (from, to) = (outline.spots[line], outline.spots[end]);
            let mut whole = vec![from];
            whole.extend(path);
            whole.push(to);
            let closed: Vec<Spot> = whole.iter().copied().chain([from]).collect();
            outline.judge(&Change {
                path: &whole,
                reach: &whole,
                ends: Some((line, end)),
                is_gone: &|other| other == line || outline.ring_of[other] == *ring,
                takes_in: &|spot| is_inside(&closed, spot),
            })
        }
        Merge::Enclose { rings, around } => {
            let closed: Vec<Spot> = around.iter().chain(around.first()).copied().collect();
            outline.judge(&Change {
                path: &closed,
                reach: around,
                ends: None,
                is_gone: &|line| rings.contains(&outline.ring_of[line]),
                takes_in: &|spot| is_inside(&closed, spot),
            })
        }
    }
}

/// Joins the rings if nothing is in the way; whether it did.
pub(super) fn join(outline: &mut Outline, merge: &Merge) -> bool {
    let Some(taken) = taken_by(outline, merge) else {
        return false;
    };
    for ring in taken {
        outline.remove_ring(ring);
    }
    match merge {
        Merge::Attach { ring, line, path } => {
            outline.remove_ring(*ring);
            outline.insert(*line, outline.next[*line], path);
        }
        Merge::Enclose { rings, around } => {
            for ring in rings {
                outline.remove_ring(*ring);
            }
            outline.add_ring(around);
        }
    }
    true
}

/// Whether a merge is still about what is there.
pub(super) fn is_current(outline: &Outline, merge: &Merge) -> bool {
    match merge {
        Merge::Attach { ring, line, .. } => outline.sizes[*ring] > 0 && outline.is_alive[*line],
        Merge::Enclose { rings, .. } => rings.iter().all(|&ring| outline.sizes[ring] > 0),
    }
}

fn spots_of(outline: &Outline, ring: usize) -> Vec<Spot> {
    outline.ring(ring).map(|node| outline.spots[node]).collect()
}

/// How far the middle of a line is from a ring's first points, squared.
fn distance(outline: &Outline, line: Node, ring: &[Spot]) -> i64 {
    let (from, to) = (outline.spots[line], outline.spots[outline.next[line]]);
    let ends = [
        from,
        Spot {
            x: i64::midpoint(from.x, to.x),
            y: i64::midpoint(from.y, to.y),
        },
        to,
    ];
    let apart = |a: &Spot, b: &Spot| (a.x - b.x).pow(2) + (a.y - b.y).pow(2);
    let all = ring
        .iter()
        .flat_map(|a| ends.iter().map(move |b| apart(a, b)));
    all.min().unwrap_or(i64::MAX)
}

/// What comes between the ends of a line so that a ring to its right is taken in; `None` where the
/// ring isn't wholly to its right.
fn path_around(ring: &[Spot], from: Spot, to: Spot) -> Option<Vec<Spot>> {
    if ring.iter().any(|&spot| side(from, to, spot) >= 0) {
        return None;
    }
    let mut around = hull(ring.iter().copied().chain([from, to]).collect());
    // Counterclockwise around: from `from` outward and back to `to`, and the line backwards.
    let start = around.iter().position(|&spot| spot == from)?;
    around.rotate_left(start);
    (around.last() == Some(&to)).then(|| around[1..around.len() - 1].to_vec())
}

/// The convex ring around places, counterclockwise, without points in line.
pub(super) fn hull(mut spots: Vec<Spot>) -> Vec<Spot> {
    spots.sort_unstable();
    spots.dedup();
    let half = |spots: &mut dyn Iterator<Item = &Spot>| {
        let mut chain: Vec<Spot> = Vec::new();
        for &spot in spots {
            while let [.., a, b] = chain[..]
                && side(a, b, spot) <= 0
            {
                chain.pop();
            }
            chain.push(spot);
        }
        chain.pop();
        chain
    };
    let mut around = half(&mut spots.iter());
    around.extend(half(&mut spots.iter().rev()));
    around
}

/// Whether a place is inside or on a convex closed ring that goes counterclockwise.
fn is_inside(closed: &[Spot], spot: Spot) -> bool {
    closed
        .windows(2)
        .all(|pair| side(pair[0], pair[1], spot) >= 0)
}

/// Ground inside a ring, as `moves::ground` measures it: in square millionths of a degree on the
/// scale of its latitudes (Lambert's cylinder, which keeps areas).
#[expect(clippy::cast_precision_loss, reason = "a cost, not a coordinate")]
pub(super) fn ring_ground(ring: &[Spot]) -> f64 {
    let height = |spot: &Spot| spot.degrees().0.to_radians().sin().to_degrees() * 1e6;
    let next = ring.iter().cycle().skip(1);
    let below = ring
        .iter()
        .zip(next)
        .map(|(from, to)| (to.x - from.x) as f64 * f64::midpoint(height(from), height(to)));
    below.sum::<f64>().abs()
}
