//! One closed ring, and the rules that concern it alone.

use crate::point::{LONGITUDE_MAX, Point, turn};
use crate::refusal::{Axis, Refusal};
use crate::shape::OpenRings;
use crate::sweep::{Line, Rule, Side, find_conflict};

/// The exterior of one polygon: a closed ring that neither crosses nor touches itself, with ground
/// inside. At least 4 points, the last equal to the first, no two others equal. The order of the
/// points (clockwise or not) is as received.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ring {
    points: Vec<Point>,
}

/// A point of a ring with its number among those received.
type Numbered = (usize, Point);

impl Ring {
    /// The points, the closing one included.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points in pairs of latitude and longitude, in degrees.
    pub fn to_pairs(&self) -> Vec<(f64, f64)> {
        let points = self.points.iter();
        points
            .map(|point| (point.lat.degrees(), point.lon.degrees()))
            .collect()
    }

    /// Reads a ring back that was valid when it was stored.
    pub(crate) fn restore(polygon: usize, pairs: &[(f64, f64)]) -> Result<Self, Refusal> {
        let points = read_points(polygon, pairs)?;
        let ring = Self {
            points: points.into_iter().map(|(_, point)| point).collect(),
        };
        if pairs.first() != pairs.last() {
            return Err(Refusal::NotClosed { polygon });
        }
        if ring.points.len() < 4 || ring.doubled_area() == 0 {
            return Err(Refusal::NoArea { polygon });
        }
        Ok(ring)
    }

    /// Checks one ring as received, in pairs of latitude and longitude.
    pub(crate) fn validate(
        polygon: usize,
        pairs: &[(f64, f64)],
        open_rings: OpenRings,
    ) -> Result<Self, Refusal> {
        Self::check(polygon, pairs, open_rings, refuse_wide)
    }

    /// Checks one closed ring that may be wider than half the earth, as it is drawn.
    pub(crate) fn validate_drawn(polygon: usize, pairs: &[(f64, f64)]) -> Result<Self, Refusal> {
        Self::check(polygon, pairs, OpenRings::Refuse, |_, _| Ok(()))
    }

    fn check(
        polygon: usize,
        pairs: &[(f64, f64)],
        open_rings: OpenRings,
        refuse_wide: fn(usize, &[Numbered]) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let mut points = read_points(polygon, pairs)?;
        let is_open = pairs.first() != pairs.last();
        if let (true, OpenRings::Close, Some(&(_, first))) = (is_open, open_rings, points.first()) {
            points.push((pairs.len(), first));
        }
        if points.len() < 4 {
            return Err(Refusal::TooFewPoints {
                polygon,
                count: pairs.len(),
            });
        }
        if is_open && open_rings == OpenRings::Refuse {
            return Err(Refusal::NotClosed { polygon });
        }
        // A point that only repeats the one before it says nothing; rounding makes such points.
        points.dedup_by_key(|&mut (_, point)| point);
        refuse_wide(polygon, &points)?;
        let ring = Self {
            points: points.iter().map(|&(_, point)| point).collect(),
        };
        if ring.points.len() < 4 || ring.doubled_area() == 0 {
            return Err(Refusal::NoArea { polygon });
        }
        refuse_meeting_itself(polygon, &points, &ring)?;
        Ok(ring)
    }

    /// Twice the area in square millionths of a degree, positive when the ring has its inside to
    /// the east of a line that goes north. Only its sign and its being zero mean anything.
    fn doubled_area(&self) -> i128 {
        let Some(&first) = self.points.first() else {
            return 0;
        };
        self.points
            .windows(2)
            .map(|pair| i128::from(turn(first, pair[0], pair[1])))
            .sum()
    }

    /// Whether the ring goes round clockwise on a map with north up.
    pub(crate) fn is_clockwise(&self) -> bool {
        self.doubled_area() > 0
    }

    /// The ring as lines for a pass over the ground.
    pub(crate) fn lines(&self, polygon: usize, is_inner: bool) -> impl Iterator<Item = Line> + '_ {
        let clockwise = self.is_clockwise();
        self.points
            .windows(2)
            .enumerate()
            .map(move |(index, pair)| {
                let goes_north = pair[0] < pair[1];
                let side = match (clockwise == goes_north, is_inner) {
                    (true, true) => Side::EntersInner,
                    (true, false) => Side::EntersOuter,
                    (false, true) => Side::LeavesInner,
                    (false, false) => Side::LeavesOuter,
                };
                let (south, north) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
                Line {
                    south,
                    north,
                    polygon,
                    index,
                    side,
                }
            })
    }
}

fn read_points(polygon: usize, pairs: &[(f64, f64)]) -> Result<Vec<Numbered>, Refusal> {
    let read = |(point, &(lat, lon)): (usize, &(f64, f64))| {
        for (axis, degrees) in [(Axis::Latitude, lat), (Axis::Longitude, lon)] {
            if !degrees.is_finite() {
                return Err(Refusal::NotFinite {
                    polygon,
                    point,
                    axis,
                });
            }
            if degrees.abs() > axis.limit_degrees() {
                return Err(Refusal::OutOfRange {
                    polygon,
                    point,
                    axis,
                    degrees,
                });
            }
        }
        let read = Point::from_degrees(lat, lon).expect("both numbers were just found in range");
        Ok((point, read))
    };
    pairs.iter().enumerate().map(read).collect()
}

fn refuse_wide(polygon: usize, points: &[Numbered]) -> Result<(), Refusal> {
    let east = points
        .iter()
        .map(|&(_, point)| point.lon.micro())
        .max()
        .unwrap_or(0);
    let west = points
        .iter()
        .map(|&(_, point)| point.lon.micro())
        .min()
        .unwrap_or(0);
    if i64::from(east) - i64::from(west) > i64::from(LONGITUDE_MAX) {
        return Err(Refusal::CrossesAntimeridian { polygon });
    }
    Ok(())
}

fn refuse_meeting_itself(polygon: usize, points: &[Numbered], ring: &Ring) -> Result<(), Refusal> {
    let meets = |a: usize, b: usize| {
        let (line, other_line) = (points[a.min(b)].0, points[a.max(b)].0);
        Refusal::MeetsItself {
            polygon,
            line,
            other_line,
        }
    };
    let count = points.len() - 1;
    let mut sorted: Vec<(Point, usize)> = points[..count]
        .iter()
        .enumerate()
        .map(|(index, &(_, point))| (point, index))
        .collect();
    sorted.sort_unstable();
    if let Some(same) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(meets(same[0].1, same[1].1));
    }
    let lines: Vec<Line> = ring.lines(polygon, false).collect();
    match find_conflict(&lines, Rule::Simple { lines: lines.len() }) {
        Some((a, b)) => Err(meets(lines[a].index, lines[b].index)),
        None => Ok(()),
    }
}
