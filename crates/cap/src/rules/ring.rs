//! Whether a polygon's ring is a shape (C10): one that can be read in one way only, with something
//! inside, and no line that meets another one.
//!
//! For dispatch the `geometry` crate judges this, and whether polygons overlap; here authors are
//! told the same of each ring. Both round to 6 decimals and calculate exactly, so they agree on
//! each ring. Lines are compared along one axis, those only that stand side by side, and at most
//! [`limits::CAP_LINE_PAIRS_MAX`] pairs of one ring: an honest outline needs far fewer.
//!
//! Over the antimeridian: a line of more than 270 degrees of longitude can only mean the short way
//! round, so such a ring is split there, and its author is told. A line of 180 to 270 degrees can
//! be read both ways, and a ring around a pole has no inside on a map: both are errors.

use balefire_domain::limits;

use super::judge::Judge;

/// Millionths of a degree in a turn around the Earth.
const TURN: i64 = 360_000_000;

/// A line that spans more goes the other way round, in millionths of a degree.
const CERTAIN: i64 = 270_000_000;

/// Latitude of the poles in millionths of a degree.
const POLE: i64 = 90_000_000;

/// A point in millionths of a degree: latitude, longitude.
type Point = (i64, i64);

/// Judges a closed ring of at least four pairs in range.
pub(super) fn check(pairs: &[(f64, f64)], path: &str, judge: &mut Judge) {
    if !judge.looks_for("polygon-meets-itself") {
        return;
    }
    let mut points: Vec<(usize, Point)> = pairs
        .iter()
        .map(|&(lat, lon)| (micro(lat), micro(lon)))
        .enumerate()
        .collect();
    points.dedup_by_key(|&mut (_, point)| point);
    if width(&points) > TURN / 2 {
        match unroll(&mut points) {
            Some(false) => {}
            Some(true) if width(&points) <= TURN / 2 => {
                let message = "the polygon goes over the antimeridian (longitude 180) and is \
                               split there; better send two polygons, one on each side";
                judge.find("polygon-over-antimeridian", path, message);
            }
            _ => {
                let message = "the polygon spans more than 180 degrees of longitude in a way that \
                               can be read twice, or goes around a pole; where it crosses the \
                               antimeridian (longitude 180), send two polygons, one on each side";
                judge.find("polygon-ambiguous", path, message);
                return;
            }
        }
    }
    // Longitudes 180 and -180 are one place.
    points.dedup_by_key(|&mut (_, point)| point);
    if points.len() < 4 || doubled_area(&points) == 0 {
        let message = "the polygon has no area, its points rounded to 6 decimals";
        judge.find("polygon-without-area", path, message);
        return;
    }
    match find_meeting(&points) {
        Meeting::None => {}
        Meeting::Between(a, b) => {
            let (a, b) = (a.min(b) + 1, a.max(b) + 1);
            let message = format!(
                "the polygon crosses or touches itself: the line from pair {a} meets the line \
                 from pair {b}"
            );
            judge.find("polygon-meets-itself", path, message);
        }
        Meeting::Unknown => {
            let message = "the polygon has too many lines side by side to look for crossings; \
                           simplify it";
            judge.find("polygon-too-tangled", path, message);
        }
    }
}

fn width(points: &[(usize, Point)]) -> i64 {
    let longitudes = || points.iter().map(|&(_, (_, lon))| lon);
    longitudes().max().unwrap_or(0) - longitudes().min().unwrap_or(0)
}

/// Makes longitudes run on over the antimeridian; says whether any line goes over it. `None` where
/// a line can be read both ways, or the ring goes around a pole.
fn unroll(points: &mut [(usize, Point)]) -> Option<bool> {
    let mut turn = 0;
    let mut goes_over = false;
    let mut previous: Option<Point> = None;
    for (_, point) in points {
        let (lat, lon) = *point;
        if let Some((lat_before, lon_before)) = previous {
            let wide = lon - lon_before;
            let is_along_pole = lat.abs() == POLE && lat_before.abs() == POLE;
            if wide.abs() > CERTAIN && !is_along_pole {
                turn -= TURN * wide.signum();
            } else if wide.abs() > TURN / 2 && !is_along_pole {
                return None;
            }
        }
        previous = Some((lat, lon));
        point.1 += turn;
        goes_over |= point.1.abs() > TURN / 2;
    }
    (turn == 0).then_some(goes_over)
}

/// Millionths of a degree, of degrees in range.
#[expect(
    clippy::cast_possible_truncation,
    reason = "at most 180 million in either direction"
)]
fn micro(degrees: f64) -> i64 {
    (degrees * 1e6).round() as i64
}

/// Twice the area in square millionths of a degree; only its being zero means anything.
fn doubled_area(points: &[(usize, Point)]) -> i128 {
    points
        .windows(2)
        .map(|pair| {
            let ((_, a), (_, b)) = (pair[0], pair[1]);
            i128::from(a.0) * i128::from(b.1) - i128::from(b.0) * i128::from(a.1)
        })
        .sum()
}

/// What was found of the lines of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meeting {
    None,
    /// The numbers of the pairs where the two lines begin, from 0.
    Between(usize, usize),
    /// There was no end of it.
    Unknown,
}

/// One line of the ring, its ends in order along the axis of the pass.
#[derive(Clone, Copy)]
struct Line {
    low: Point,
    high: Point,
    /// Its place in the ring.
    index: usize,
    /// Number of the pair where it begins.
    pair: usize,
}

/// Goes through the lines in order of one axis and compares each with those that reach into it.
fn find_meeting(points: &[(usize, Point)]) -> Meeting {
    let mut lines = lines_along_longer_axis(points);
    let count = lines.len();
    lines.sort_unstable_by_key(|line| line.low);
    let mut side_by_side: Vec<Line> = Vec::new();
    let mut looked_at = 0;
    for line in lines {
        looked_at += side_by_side.len();
        if looked_at > limits::CAP_LINE_PAIRS_MAX {
            return Meeting::Unknown;
        }
        side_by_side.retain(|other| other.high.0 >= line.low.0);
        for other in &side_by_side {
            if may_not_meet(&line, other, count) {
                return Meeting::Between(line.pair, other.pair);
            }
        }
        side_by_side.push(line);
    }
    Meeting::None
}

fn lines_along_longer_axis(points: &[(usize, Point)]) -> Vec<Line> {
    let extent = |of: fn(Point) -> i64| {
        let values = || points.iter().map(|&(_, point)| of(point));
        values().max().unwrap_or(0) - values().min().unwrap_or(0)
    };
    let is_wide = extent(|point| point.1) > extent(|point| point.0);
    let turned = |(lat, lon): Point| if is_wide { (lon, lat) } else { (lat, lon) };
    points
        .windows(2)
        .enumerate()
        .map(|(index, ends)| {
            let (a, b) = (turned(ends[0].1), turned(ends[1].1));
            Line {
                low: a.min(b),
                high: a.max(b),
                index,
                pair: ends[0].0,
            }
        })
        .collect()
}

/// Lines that follow one another share their common point and nothing more; others share nothing.
fn may_not_meet(a: &Line, b: &Line, count: usize) -> bool {
    let across = |line: &Line| {
        let (x, y) = (line.low.1, line.high.1);
        (x.min(y), x.max(y))
    };
    let (of_a, of_b) = (across(a), across(b));
    if of_a.1 < of_b.0 || of_b.1 < of_a.0 {
        return false;
    }
    let (ends_of_b, ends_of_a) = (sides(a, b), sides(b, a));
    let lie_in_line = ends_of_b == (0, 0);
    let follow = (a.index + 1) % count == b.index || (b.index + 1) % count == a.index;
    if follow {
        return lie_in_line && a.low.max(b.low) < a.high.min(b.high);
    }
    if lie_in_line {
        return a.low.max(b.low) <= a.high.min(b.high);
    }
    ends_of_b.0 * ends_of_b.1 <= 0 && ends_of_a.0 * ends_of_a.1 <= 0
}

/// On which side of `a` the ends of `b` lie: -1, 0 or 1 each.
fn sides(a: &Line, b: &Line) -> (i64, i64) {
    let turn = |point: Point| {
        // Differences are at most two turns, so that their products fit.
        let along = (a.high.0 - a.low.0, a.high.1 - a.low.1);
        let to = (point.0 - a.low.0, point.1 - a.low.1);
        (along.0 * to.1 - along.1 * to.0).signum()
    };
    (turn(b.low), turn(b.high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::severity::Use;

    /// A ring, and the code of what is found.
    type Row<'a> = (&'a [(f64, f64)], Option<&'a str>);

    fn found(pairs: &[(f64, f64)]) -> Option<(&'static str, String)> {
        let mut judge = Judge::new(Use::Check, None);
        check(pairs, "p", &mut judge);
        let finding = judge.into_list().into_iter().next()?;
        Some((finding.code, finding.message))
    }

    #[test]
    fn rings_that_are_no_shapes_are_named() {
        let meets = Some("polygon-meets-itself");
        let flat = Some("polygon-without-area");
        // One row per kind of ring.
        let cases: [Row; 15] = [
            (&[(1.0, 2.0), (1.0, 3.0), (2.0, 3.0), (1.0, 2.0)], None),
            // Nearly flat, but not quite.
            (
                &[(0.0, 0.0), (0.0, 1.0), (0.000_001, 2.0), (0.0, 0.0)],
                None,
            ),
            // A bow tie that leans to one side, so that it has an area.
            (
                &[(0.0, 0.0), (2.0, 3.0), (2.0, 0.0), (0.0, 1.0), (0.0, 0.0)],
                meets,
            ),
            // Touches itself at one point.
            (
                &[
                    (0.0, 0.0),
                    (0.0, 4.0),
                    (2.0, 4.0),
                    (0.0, 2.0),
                    (2.0, 0.0),
                    (0.0, 0.0),
                ],
                meets,
            ),
            // The same point twice.
            (
                &[
                    (0.0, 0.0),
                    (1.0, 1.0),
                    (0.0, 2.0),
                    (2.0, 2.0),
                    (1.0, 1.0),
                    (2.0, 0.0),
                    (0.0, 0.0),
                ],
                meets,
            ),
            // A spike: there and back on one line.
            (
                &[(0.0, 0.0), (0.0, 2.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)],
                meets,
            ),
            // A repeated point is none.
            (
                &[(0.0, 0.0), (0.0, 1.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)],
                None,
            ),
            (&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (0.0, 0.0)], flat),
            (&[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)], flat),
            // Rounds to a line.
            (
                &[(0.0, 0.0), (0.0, 1.0), (0.000_000_1, 1.0), (0.0, 0.0)],
                flat,
            ),
            // The short way over the antimeridian, and lines that can be read both ways.
            (
                &[(0.0, -170.0), (0.0, 170.0), (1.0, 170.0), (0.0, -170.0)],
                Some("polygon-over-antimeridian"),
            ),
            (
                &[(0.0, -120.0), (0.0, 120.0), (1.0, 120.0), (0.0, -120.0)],
                Some("polygon-ambiguous"),
            ),
            // Around the south pole, without a line along it and with one.
            (
                &[
                    (-80.0, -180.0),
                    (-80.0, -60.0),
                    (-80.0, 60.0),
                    (-80.0, 180.0),
                    (-80.0, -180.0),
                ],
                Some("polygon-ambiguous"),
            ),
            (
                &[
                    (-80.0, -180.0),
                    (-80.0, 0.0),
                    (-80.0, 180.0),
                    (-90.0, 180.0),
                    (-90.0, -180.0),
                    (-80.0, -180.0),
                ],
                None,
            ),
            (&[(0.0, -90.0), (0.0, 90.0), (1.0, 0.0), (0.0, -90.0)], None),
        ];
        for (pairs, want) in cases {
            assert_eq!(found(pairs).map(|(code, _)| code), want, "{pairs:?}");
        }
    }

    #[test]
    fn a_crossing_is_named_by_its_pairs() {
        let (_, message) = found(&[(0.0, 0.0), (2.0, 3.0), (2.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
            .expect("it crosses itself");
        assert!(
            message.contains("from pair 1 meets the line from pair 3"),
            "{message}"
        );
    }

    #[test]
    fn a_ring_without_end_is_given_up_in_time() {
        // A comb: every line stands beside every other.
        let teeth = limits::POINTS_MAX / 2 - 2;
        let mut ring = Vec::new();
        for tooth in 0..teeth {
            let at = f64::from(u32::try_from(tooth).expect("a small number")) * 0.000_2;
            ring.push((0.0, at));
            ring.push((80.0, at + 0.000_1));
        }
        ring.extend([(81.0, 6.0), (81.0, -1.0), (0.0, -1.0), (0.0, 0.0)]);
        assert_eq!(
            found(&ring).map(|(code, _)| code),
            Some("polygon-too-tangled")
        );
    }
}
