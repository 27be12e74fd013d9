//! Putting other lines in the place of some, where that keeps the ground covered.

use crate::exact::{Spot, is_on, meet, side};
use crate::point::LONGITUDE_MAX;

use super::ground::{Ground, turns_around};
use super::moves::LATITUDE_MAX;
use super::outline::{Change, Node, Outline};

/// A piece of the outline from one node to another, and what would take its place.
#[derive(Clone, Debug)]
pub(super) struct Swap {
    pub from: Node,
    pub to: Node,
    /// What comes between the two.
    pub between: Vec<Spot>,
    /// Ground added, in square millionths of a degree on the scale of the place's latitude; less
    /// than 0 for ground won.
    pub added: f64,
}

impl Swap {
    pub fn new(outline: &Outline, (from, to): (Node, Node), between: Vec<Spot>) -> Self {
        let old = piece(outline, from, to);
        let path = path_between(outline, (from, to), &between);
        Self {
            from,
            to,
            between,
            added: scaled(old[0], doubled_ground(&path) - doubled_ground(&old)),
        }
    }
}

/// Twice the ground inside a closed way, less what is outside of one that goes clockwise.
fn doubled_ground(round: &[Spot]) -> i64 {
    let pairs = round.windows(2);
    pairs.map(|pair| side(round[0], pair[0], pair[1])).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a cost, not a coordinate")]
fn scaled(at: Spot, doubled: i64) -> f64 {
    ground_at(at, doubled as f64)
}

/// Ground of twice so many square millionths of a degree, on the scale of a place's latitude.
pub(super) fn ground_at(at: Spot, doubled: f64) -> f64 {
    doubled / 2.0 * at.degrees().0.to_radians().cos()
}

/// The nodes after one node up to another of its ring.
fn nodes_up_to(outline: &Outline, from: Node, to: Node) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut node = from;
    for _ in 0..outline.sizes[outline.ring_of[from]] {
        if node == to {
            break;
        }
        node = outline.next[node];
        nodes.push(node);
    }
    nodes
}

/// The spots from one node to another.
pub(super) fn piece(outline: &Outline, from: Node, to: Node) -> Vec<Spot> {
    let after = nodes_up_to(outline, from, to);
    let nodes = [from].into_iter().chain(after);
    nodes.map(|node| outline.spots[node]).collect()
}

fn path_between(outline: &Outline, (from, to): (Node, Node), between: &[Spot]) -> Vec<Spot> {
    let mut path = vec![outline.spots[from]];
    path.extend(between);
    path.push(outline.spots[to]);
    path
}

/// The rings that a swap takes in; `None` where it would leave ground out, or touch another line.
pub(super) fn judge(outline: &Outline, ground: &Ground, swap: &Swap) -> Option<Vec<usize>> {
    let old = piece(outline, swap.from, swap.to);
    let path = path_between(outline, (swap.from, swap.to), &swap.between);
    let points_left = outline.sizes[outline.ring_of[swap.from]] + path.len() - old.len();
    let is_on_globe =
        |spot: &Spot| spot.y.abs() <= LATITUDE_MAX && spot.x.abs() <= i64::from(LONGITUDE_MAX);
    if points_left < 3 || !path.iter().all(is_on_globe) || meets_itself(&path) {
        return None;
    }
    let before = outline.spots[outline.prev[swap.from]];
    let after = outline.spots[outline.next[swap.to]];
    let mut gone = nodes_up_to(outline, swap.from, swap.to);
    gone.pop();
    let round: Vec<Spot> = old.iter().chain(path.iter().rev()).copied().collect();
    let taken = outline.judge(&Change {
        path: &path,
        reach: &round,
        ends: Some((swap.from, swap.to)),
        is_gone: &|line| line == swap.from || gone.contains(&line),
        takes_in: &|spot| turns_around(&round, spot) < 0,
    })?;
    ground.permits(before, &old, &path, after).then_some(taken)
}

fn meets_itself(path: &[Spot]) -> bool {
    let lines: Vec<&[Spot]> = path.windows(2).collect();
    lines.iter().enumerate().any(|(index, line)| {
        line[0] == line[1]
            || lines[index + 1..].iter().enumerate().any(|(gap, other)| {
                if gap == 0 {
                    is_on(line[0], line[1], other[1]) || is_on(other[0], other[1], line[0])
                } else {
                    meet(line[0], line[1], other[0], other[1])
                }
            })
    })
}

/// Makes the swap if it is possible; whether it did.
pub(super) fn make(outline: &mut Outline, ground: &Ground, swap: &Swap) -> bool {
    let Some(taken) = judge(outline, ground, swap) else {
        return false;
    };
    for ring in taken {
        outline.remove_ring(ring);
    }
    outline.replace(swap.from, swap.to, &swap.between);
    true
}
