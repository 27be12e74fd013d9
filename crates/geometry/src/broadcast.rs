//! The shape that goes on the air: the one asked for where it is small enough, else a simpler one
//! that covers it.
//!
//! Covering is checked, exactly, on the rounded result; a result that doesn't cover is not used.
//! Smoothing with the constants below is that of the earlier system, which didn't always cover
//! what was asked for: its simplification may cut off more than its growth adds. Here the cut is
//! held below the growth.

use balefire_domain::limits::{POINTS_UNCHANGED_MAX, POLYGONS_UNCHANGED_MAX};

use crate::frame::{Degrees, Frame, cut_at_antimeridian};
use crate::ring::Ring;
use crate::shape::{OpenRings, Shape};
use crate::simplify::{Tolerance, simplify};
use crate::smooth::{CORNER_LOSS, count_near_pairs, grow, guard, perimeter_m, shrink};

/// Metres by which a cell's signal is taken to go beyond the area that it is sent for.
const BLEED_M: f64 = 1_500.0;
/// Metres of perimeter for one metre of growth.
const PERIMETER_PER_BUFFER: f64 = 1_000.0;
/// Metres of perimeter for one metre of tolerance.
const PERIMETER_PER_TOLERANCE: f64 = 1_620.0;
/// Metres that the smoothed shape is larger than the one asked for, apart from the tolerance.
const MARGIN_M: f64 = 15.0;

/// Widening of the smoothed shape, in tolerances, tried one after the other.
const WIDENINGS: [f64; 4] = [0.0, 0.5, 1.0, 2.0];
/// Tolerances, as parts of the usual one, tried with each widening.
const TOLERANCE_FACTORS: [f64; 3] = [1.0, 0.5, 0.25];
/// How often the tolerance of a single ring is halved where it makes the ring invalid.
const HALVINGS_MAX: u32 = 6;
/// Pairs of points close to each other that one smoothing may have.
const NEAR_PAIRS_MAX: u64 = 200_000_000;
/// Metres east or west of the shape's middle beyond which distances are off by more than 15 %.
const WIDTH_M_MAX: f64 = 3_400_000.0;

/// The shape to send in place of one that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Broadcast {
    /// What is sent. It covers what was asked for.
    pub shape: Shape,
    /// How it came about.
    pub reduction: Reduction,
}

/// Whether a shape was simplified.
#[derive(Clone, Debug, PartialEq)]
pub enum Reduction {
    /// It is small enough to be sent as it is (D22).
    NotNeeded,
    /// It was smoothed and simplified.
    Done {
        /// Square metres that are sent beyond those asked for.
        grown_area_m2: f64,
        /// Which try was the first to cover what was asked for, from 1.
        tries: u32,
    },
    /// It is sent as it is, although it is large.
    NotPossible(Obstacle),
}

/// Why a large shape is sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// It lies too far east or west of its own middle to be measured in metres.
    #[error("the area reaches too far around the earth to be simplified")]
    TooWide,
    /// Smoothing would take too long.
    #[error("the area has too many points close together to be simplified")]
    TooCrowded,
    /// No try covered what was asked for with fewer points.
    #[error("no simpler area covers the whole of it")]
    NoSimplerCover,
    /// The engine failed on it.
    #[error("the area could not be simplified")]
    EngineFailed,
}

impl Broadcast {
    /// Whether what is sent differs from what was asked for.
    pub fn is_changed(&self) -> bool {
        matches!(self.reduction, Reduction::Done { .. })
    }

    /// Square metres that are sent beyond those asked for.
    pub fn grown_area_m2(&self) -> f64 {
        match self.reduction {
            Reduction::Done { grown_area_m2, .. } => grown_area_m2,
            Reduction::NotNeeded | Reduction::NotPossible(_) => 0.0,
        }
    }
}

impl Shape {
    /// The shape to broadcast for this one (D22). At most 12 polygons and 250 points are sent as
    /// they are; more are smoothed and simplified, if the result is valid, covers every point of
    /// this shape and has fewer points. Nothing small is dropped. Can't fail: a shape that can't
    /// be simplified is sent as it is, and says why.
    pub fn for_broadcast(&self) -> Broadcast {
        let fits = self.polygon_count() <= POLYGONS_UNCHANGED_MAX
            && self.point_count() <= POINTS_UNCHANGED_MAX;
        if fits {
            return Broadcast {
                shape: self.clone(),
                reduction: Reduction::NotNeeded,
            };
        }
        match guard(|| reduce(self)).unwrap_or(Err(Obstacle::EngineFailed)) {
            Ok((shape, tries)) => {
                let grown_area_m2 = (shape.area_m2() - self.area_m2()).max(0.0);
                Broadcast {
                    shape,
                    reduction: Reduction::Done {
                        grown_area_m2,
                        tries,
                    },
                }
            }
            Err(why) => Broadcast {
                shape: self.clone(),
                reduction: Reduction::NotPossible(why),
            },
        }
    }
}

/// Metres by which a shape with so many metres of perimeter is grown first.
pub(crate) fn outward_m(perimeter_m: f64) -> f64 {
    BLEED_M / 3.0 + perimeter_m / PERIMETER_PER_BUFFER
}

/// Metres by which a simplified line may miss a point, for so many metres of perimeter.
pub(crate) fn tolerance_m(perimeter_m: f64) -> f64 {
    perimeter_m / PERIMETER_PER_TOLERANCE
}

fn reduce(shape: &Shape) -> Result<(Shape, u32), Obstacle> {
    let frame = Frame::around(shape);
    let degrees: Vec<Vec<Degrees>> = shape.rings().iter().map(|r| frame.unroll(r)).collect();
    let metres = frame.project(&degrees);
    // Written so that a coordinate that is not a number is too wide as well.
    if !metres.iter().flatten().all(|at| at.x.abs() <= WIDTH_M_MAX) {
        return Err(Obstacle::TooWide);
    }
    let perimeter = metres.iter().flat_map(|ring| ring.windows(2));
    let perimeter: f64 = perimeter
        .map(|p| (p[1].x - p[0].x).hypot(p[1].y - p[0].y))
        .sum();
    let outward_m = outward_m(perimeter);
    if count_near_pairs(&metres, outward_m) > NEAR_PAIRS_MAX {
        return Err(Obstacle::TooCrowded);
    }
    let grown = grow(&metres, outward_m);
    let usual_m = tolerance_m(perimeter);
    let mut tries = 0;
    for widening in WIDENINGS {
        let net_m = usual_m * (0.5 + widening) + MARGIN_M;
        let smoothed = shrink(&grown, outward_m - net_m);
        let bulge_m = tolerance_m(perimeter_m(&smoothed));
        // Where corners fall short the growth is less; what is left of it may be cut off.
        let cut_m = (net_m - CORNER_LOSS * outward_m).clamp(0.0, bulge_m);
        for factor in TOLERANCE_FACTORS {
            tries += 1;
            let tolerance = Tolerance { cut_m, bulge_m }.times(factor);
            let rings = smoothed
                .iter()
                .map(|polygon| frame.unproject(&polygon.exterior().0));
            let rings: Vec<_> = rings
                .flat_map(|ring| simplify_ring(&ring, tolerance))
                .collect();
            let Ok(candidate) = Shape::validate(&rings) else {
                continue;
            };
            if candidate.point_count() < shape.point_count() && candidate.covers(shape) {
                return Ok((candidate, tries));
            }
        }
    }
    Err(Obstacle::NoSimplerCover)
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
