//! Slits: a ring with a hole becomes one ring that goes in along a slit, around the hole and out
//! again. The slit is the narrowest that six decimals permit (0.1 to 0.3 m); a hole's ground stays
//! out, and nothing outside the polygon comes in.

use crate::exact::{Spot, meet, open_spots, side};
use crate::refusal::Refusal;
use crate::ring::Ring;
use crate::shape::OpenRings;
use crate::sweep::{Line, Rule, find_conflict};

/// Points of a hole from which a slit may start.
const STARTS_MAX: usize = 64;
/// Slits that are tried for one hole, the shortest first.
const SLITS_TRIED_MAX: usize = 100;
/// Millionths of a degree that the two sides of a slit may lie apart at their ends.
const APART_MAX: i64 = 3;

/// A polygon with holes as one closed ring in pairs of latitude and longitude. Refuses an exterior
/// or a hole that is no valid ring, and holes that cross, touch or leave the exterior or one
/// another: `polygon` is the number that the refusal names. A hole without area is left out.
pub(crate) fn slit_polygon(
    polygon: usize,
    exterior: &[(f64, f64)],
    holes: &[Vec<(f64, f64)>],
) -> Result<Vec<(f64, f64)>, Refusal> {
    if holes.is_empty() {
        return Ok(exterior.to_vec());
    }
    let outer = Ring::validate(polygon, exterior, OpenRings::Refuse)?;
    let mut inner = Vec::new();
    for (index, hole) in holes.iter().enumerate() {
        match Ring::validate(polygon, hole, OpenRings::Refuse) {
            Ok(ring) => inner.push(ring),
            Err(Refusal::NoArea { .. }) => {}
            Err(_) => {
                return Err(Refusal::HoleInvalid {
                    polygon,
                    hole: index,
                });
            }
        }
    }
    let mut lines: Vec<Line> = outer.lines(0, false).collect();
    for (index, ring) in inner.iter().enumerate() {
        lines.extend(ring.lines(index + 1, true));
    }
    if find_conflict(&lines, Rule::Nested).is_some() {
        return Err(Refusal::HolesMeet { polygon });
    }
    let mut ring = open_spots(&outer);
    // A hole goes clockwise, so that the ground is to its left as it is to the exterior's.
    let mut left: Vec<Vec<Spot>> = inner
        .iter()
        .map(|hole| {
            let mut spots = open_spots(hole);
            spots.reverse();
            spots
        })
        .collect();
    // From the west: between a hole and what lies west of it no other hole is left.
    left.sort_by_key(|hole| std::cmp::Reverse(hole.iter().min().copied()));
    while let Some(hole) = left.pop() {
        ring = slit(&ring, &hole, &left).ok_or(Refusal::HolesMeet { polygon })?;
    }
    ring.push(ring[0]);
    Ok(ring.iter().map(|spot| spot.degrees()).collect())
}

/// The ring with one hole slit; `None` where no slit can be found.
fn slit(ring: &[Spot], hole: &[Spot], others: &[Vec<Spot>]) -> Option<Vec<Spot>> {
    let step = hole.len().div_ceil(STARTS_MAX);
    let mut ways: Vec<(i64, usize, usize)> = Vec::new();
    for start in (0..hole.len()).step_by(step) {
        for (end, spot) in ring.iter().enumerate() {
            let (x, y) = (spot.x - hole[start].x, spot.y - hole[start].y);
            ways.push((x * x + y * y, start, end));
        }
    }
    let tried = SLITS_TRIED_MAX.min(ways.len());
    if tried < ways.len() {
        ways.select_nth_unstable(tried);
    }
    ways.truncate(tried);
    ways.sort_unstable();
    let lines = Lines {
        rings: [ring, hole]
            .into_iter()
            .chain(others.iter().map(Vec::as_slice))
            .collect(),
    };
    ways.into_iter()
        .find_map(|(_, start, end)| lines.open(ring, hole, start, end))
}

/// All lines that a slit may not touch.
struct Lines<'a> {
    rings: Vec<&'a [Spot]>,
}

impl Lines<'_> {
    /// Opens a slit from `ring[end]` to `hole[start]`.
    fn open(&self, ring: &[Spot], hole: &[Spot], start: usize, end: usize) -> Option<Vec<Spot>> {
        let (from, to) = (ring[end], hole[start]);
        if self.touches(from, to, &[from, to]) {
            return None;
        }
        let next = ring[(end + 1) % ring.len()];
        let before = hole[(start + hole.len() - 1) % hole.len()];
        // The way back lies to the right of the way in; both of its ends lie on the ground.
        let back_to = |spot: &Spot| side(from, to, *spot) < 0 && side(from, next, *spot) >= 0;
        let back_from = |spot: &Spot| side(from, to, *spot) < 0 && side(before, to, *spot) >= 0;
        for way_out in around(to).filter(back_from) {
            if meet(before, way_out, from, to) || self.touches(before, way_out, &[before, to]) {
                continue;
            }
            for back in around(from).filter(back_to) {
                let ends = [from, to, next, before];
                let is_free = !meet(way_out, back, from, to)
                    && !meet(back, next, from, to)
                    && !meet(before, way_out, back, next)
                    && !self.touches(way_out, back, &ends)
                    && !self.touches(back, next, &[from, next]);
                if is_free {
                    let mut slit: Vec<Spot> = ring[..=end].to_vec();
                    slit.extend(hole[start..].iter().chain(&hole[..start]));
                    slit.extend([way_out, back]);
                    slit.extend(&ring[end + 1..]);
                    return Some(slit);
                }
            }
        }
        None
    }

    /// Whether a line meets any other, those that end at one of `ends` left out.
    fn touches(&self, a: Spot, b: Spot, ends: &[Spot]) -> bool {
        self.rings.iter().any(|ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter().zip(next).any(|(&c, &d)| {
                if ends.contains(&c) || ends.contains(&d) {
                    // What ends there may not lie along the line.
                    let far = if ends.contains(&c) { d } else { c };
                    return !ends.contains(&far) && crate::exact::is_on(a, b, far);
                }
                meet(a, b, c, d)
            })
        })
    }
}

/// The positions around one, the nearest first.
fn around(spot: Spot) -> impl Iterator<Item = Spot> {
    let mut offsets: Vec<(i64, i64)> = (-APART_MAX..=APART_MAX)
        .flat_map(|x| (-APART_MAX..=APART_MAX).map(move |y| (x, y)))
        .filter(|&offset| offset != (0, 0))
        .collect();
    offsets.sort_unstable_by_key(|(x, y)| x * x + y * y);
    offsets.into_iter().map(move |(x, y)| Spot {
        x: spot.x + x,
        y: spot.y + y,
    })
}
