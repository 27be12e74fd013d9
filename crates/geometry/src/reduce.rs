//! From a large shape to a simpler one that covers it: grow, join, shrink, leave points out.
//!
//! The constants are those of the earlier system, whose result didn't always cover what was asked
//! for: a simplified line may cut off more than the growth adds. So covering is checked, exactly,
//! on the rounded result, and a result that doesn't cover is not used; and a line may cut off no
//! more than the growth. The growth follows the perimeter, which is long for coasts with many
//! folds and for many small polygons: where that would more than double the ground, less of the
//! perimeter counts.

use balefire_domain::limits::POINTS_UNCHANGED_MAX;
use geo::{Coord, MultiPolygon};

use crate::broadcast::Obstacle;
use crate::frame::{Degrees, EARTH_RADIUS_M, Frame, cut_at_antimeridian, is_measurable, length_m};
use crate::grow::grow;
use crate::ring::Ring;
use crate::shape::{OpenRings, Shape};
use crate::simplify::{Tolerance, simplify};
use crate::smooth::{perimeter_m, shrink};

/// Metres by which a cell's signal is taken to go beyond the area that it is sent for.
const BLEED_M: f64 = 1_500.0;
/// Metres of perimeter for one metre of growth.
const PERIMETER_PER_BUFFER: f64 = 1_000.0;
/// Metres of perimeter for one metre of tolerance.
const PERIMETER_PER_TOLERANCE: f64 = 1_620.0;
/// Metres that the smoothed shape is larger than the one asked for, apart from the tolerance.
const MARGIN_M: f64 = 15.0;

/// How far a point may be from the one before it to be left out before smoothing, as a part of
/// what the smoothed shape is larger by.
const THINNING: f64 = 0.25;

/// One way to simplify.
struct Try {
    /// Tolerances by which the smoothed shape is larger than usual.
    widening: f64,
    /// Part of the growth that a line may cut off.
    cut: f64,
    /// Part of the usual tolerance by which a line may pass outside.
    bulge: f64,
}

const fn attempt(widening: f64, cut: f64, bulge: f64) -> Try {
    Try {
        widening,
        cut,
        bulge,
    }
}

/// Tried one after the other until the result covers what was asked for: first in the hope that
/// little is lost to corners, then with less to lose, then larger.
const TRIES: [Try; 8] = [
    attempt(0.0, 1.0, 1.0),
    attempt(0.0, 0.6, 1.0),
    attempt(0.0, 0.3, 0.5),
    attempt(0.0, 0.1, 0.25),
    attempt(0.5, 0.6, 1.0),
    attempt(1.0, 0.5, 1.0),
    attempt(2.0, 0.3, 1.0),
    attempt(4.0, 0.2, 1.0),
];
/// Bulges tried when a result covers but still has more points than a shape that passes unchanged.
const WIDER_BULGES: [f64; 2] = [1.5, 2.0];
/// Parts of the perimeter that growth and tolerance are taken from, one after the other, while the
/// result is too large: many small polygons far apart have a long perimeter.
const SCALES: [f64; 4] = [1.0, 0.25, 0.062_5, 0.015_625];
/// Ground that is added without asking for less, as a part of the area asked for. (Scotland with
/// its islands and lochs grows by 0.3.)
const GROWN_PART_MAX: f64 = 1.0;
/// How often a ring may be as long as the box around it before the rest of its length is taken for
/// folds that don't count. (The coasts of the United Kingdom have less than 3.)
const FOLDS_MAX: f64 = 8.0;
/// How often rings may be as long as the boxes around them before smoothing would take too long.
/// (A comb of 5,000 teeth has 3,000 and takes a quarter of a second.)
const CROWDED_FOLDS_MIN: f64 = 4_000.0;
/// How often the tolerance of a single ring is halved where it makes the ring invalid.
const HALVINGS_MAX: u32 = 6;

/// Metres by which a shape with so many metres of perimeter is grown first.
pub(crate) fn outward_m(perimeter_m: f64) -> f64 {
    BLEED_M / 3.0 + perimeter_m / PERIMETER_PER_BUFFER
}

/// Metres by which a simplified line may miss a point, for so many metres of perimeter.
pub(crate) fn tolerance_m(perimeter_m: f64) -> f64 {
    perimeter_m / PERIMETER_PER_TOLERANCE
}

/// Metres by which the smoothed shape is larger than the one asked for.
fn growth_m(tolerance_m: f64) -> f64 {
    tolerance_m / 2.0 + MARGIN_M
}

/// A valid shape with fewer points that covers `shape`, and which try found it, from 1.
pub(crate) fn reduce(shape: &Shape) -> Result<(Shape, u32), Obstacle> {
    let area_m2 = shape.area_m2();
    let mut tries = 0;
    let mut best: Option<(f64, Shape, u32)> = None;
    for scale in SCALES {
        let ground = Ground::grow_around(shape, scale)?;
        if let Some(candidate) = simplify_ground(shape, &ground, &mut tries) {
            let grown_m2 = candidate.area_m2() - area_m2;
            if best.as_ref().is_none_or(|best| grown_m2 < best.0) {
                best = Some((grown_m2, candidate, tries));
            }
            if grown_m2 <= GROWN_PART_MAX * area_m2 {
                break;
            }
        }
        if ground.outward_m < 1.1 * outward_m(0.0) {
            break; // A smaller scale changes nothing.
        }
    }
    best.map(|(_, shape, tries)| (shape, tries))
        .ok_or(Obstacle::NoSimplerCover)
}

/// The first simpler shape that covers `shape`; with at most as many points as pass unchanged, if
/// a wider tolerance gives that.
fn simplify_ground(shape: &Shape, ground: &Ground, tries: &mut u32) -> Option<Shape> {
    let is_better = |candidate: &Shape| {
        candidate.point_count() < shape.point_count() && candidate.covers(shape)
    };
    let mut smoothed = ground.smooth(0.0);
    for attempt in &TRIES {
        *tries += 1;
        if smoothed.widening < attempt.widening {
            smoothed = ground.smooth(attempt.widening);
        }
        let simplified = smoothed
            .simplify(attempt.cut, attempt.bulge)
            .filter(is_better);
        let Some(first) = simplified else { continue };
        if first.point_count() <= POINTS_UNCHANGED_MAX {
            return Some(first);
        }
        let wider = WIDER_BULGES
            .iter()
            .filter_map(|&b| smoothed.simplify(attempt.cut, b));
        let small = |wider: &Shape| wider.point_count() <= POINTS_UNCHANGED_MAX;
        return wider.filter(small).find(is_better).or(Some(first));
    }
    None
}

/// A shape grown in metres.
struct Ground {
    frame: Frame,
    grown: MultiPolygon<f64>,
    scale: f64,
    outward_m: f64,
    tolerance_m: f64,
}

/// A smoothed shape, back in degrees.
struct Smoothed {
    rings: Vec<Vec<Degrees>>,
    widening: f64,
    /// The usual tolerance: all the growth may be cut off.
    tolerance: Tolerance,
}

impl Ground {
    fn grow_around(shape: &Shape, scale: f64) -> Result<Self, Obstacle> {
        let frame = Frame::around(shape);
        let degrees: Vec<Vec<Degrees>> = shape.rings().iter().map(|r| frame.unroll(r)).collect();
        // Lines that are straight in degrees bend in the projection, by the square of their
        // length: steps of this length keep the bend below a twentieth of the growth up to 60
        // degrees north.
        let length_m: f64 = degrees.iter().map(|ring| length_m(ring)).sum::<f64>() * scale;
        let step_m = (0.2 * EARTH_RADIUS_M * growth_m(tolerance_m(length_m))).sqrt();
        let metres = frame.project(&degrees, step_m);
        if !is_measurable(&metres) {
            return Err(Obstacle::TooWide);
        }
        let (unfolded_m, folds) = measure(&metres);
        if folds > CROWDED_FOLDS_MIN {
            return Err(Obstacle::TooCrowded);
        }
        let perimeter_m = scale * unfolded_m;
        let (outward_m, tolerance_m) = (outward_m(perimeter_m), tolerance_m(perimeter_m));
        let grown = grow(metres, outward_m, THINNING * growth_m(tolerance_m));
        Ok(Self {
            frame,
            grown,
            scale,
            outward_m,
            tolerance_m,
        })
    }

    fn smooth(&self, widening: f64) -> Smoothed {
        let growth_m = growth_m(self.tolerance_m) + widening * self.tolerance_m;
        let smoothed = shrink(&self.grown, self.outward_m - growth_m);
        let bulge_m = tolerance_m(self.scale * perimeter_m(&smoothed));
        let rings = smoothed
            .iter()
            .map(|polygon| self.frame.unproject(&polygon.exterior().0));
        let tolerance = Tolerance {
            cut_m: growth_m.min(bulge_m),
            bulge_m,
        };
        Smoothed {
            rings: rings.collect(),
            widening,
            tolerance,
        }
    }
}

impl Smoothed {
    /// The simplified shape; `None` where its polygons overlap.
    fn simplify(&self, cut: f64, bulge: f64) -> Option<Shape> {
        let Tolerance { cut_m, bulge_m } = self.tolerance;
        let tolerance = Tolerance {
            cut_m: cut_m * cut,
            bulge_m: bulge_m * bulge,
        };
        let rings = self
            .rings
            .iter()
            .flat_map(|ring| simplify_ring(ring, tolerance));
        Shape::validate(&rings.collect::<Vec<_>>()).ok()
    }
}

/// Metres around all rings, folds beyond `FOLDS_MAX` left out; and how often they are as long, all
/// told, as the boxes around them.
fn measure(rings: &[Vec<Coord<f64>>]) -> (f64, f64) {
    let (mut unfolded_m, mut length_m, mut around_m) = (0.0, 0.0, 0.0);
    for ring in rings {
        let length: f64 = ring
            .windows(2)
            .map(|p| (p[1].x - p[0].x).hypot(p[1].y - p[0].y))
            .sum();
        let around = 2.0 * (span_m(ring, |at| at.x) + span_m(ring, |at| at.y));
        unfolded_m += length.min(FOLDS_MAX * around);
        length_m += length;
        around_m += around;
    }
    (
        unfolded_m,
        if around_m > 0.0 {
            length_m / around_m
        } else {
            0.0
        },
    )
}

fn span_m(ring: &[Coord<f64>], along: fn(&Coord<f64>) -> f64) -> f64 {
    let values = || ring.iter().map(along);
    values().fold(f64::MIN, f64::max) - values().fold(f64::MAX, f64::min)
}

/// A ring simplified as far as it stays a valid one, in pairs of latitude and longitude; two
/// where it goes over the antimeridian.
fn simplify_ring(ring: &[Degrees], tolerance: Tolerance) -> Vec<Vec<(f64, f64)>> {
    let mut factor = 1.0;
    for _ in 0..HALVINGS_MAX {
        let parts = cut_at_antimeridian(simplify(ring, tolerance.times(factor)));
        let pairs = |part: &Vec<Degrees>| part.iter().map(|at| (at.y, at.x)).collect();
        let parts: Vec<Vec<(f64, f64)>> = parts.iter().map(pairs).collect();
        if parts
            .iter()
            .all(|part| Ring::validate(0, part, OpenRings::Refuse).is_ok())
        {
            return parts;
        }
        factor /= 2.0;
    }
    vec![ring.iter().map(|at| (at.y, at.x)).collect()]
}
