//! Smoothing and simplifying as the earlier system did, with its constants: for comparison.
//!
//! Its result doesn't always cover what was asked for, and grows coasts with many folds by a third
//! and more, so that nothing is sent of it: see `broadcast`. Here it stands so that what the
//! earlier system sent can be made again, measured in metres around the shape's own meridian.

use crate::combine::Unmade;
use crate::frame::{Degrees, Frame, cut_at_antimeridian, is_measurable};
use crate::grow::grow;
use crate::shape::Shape;
use crate::simplify::{Tolerance, simplify};
use crate::smooth::{guard, perimeter_m, ring_length_m, shrink};

/// Metres by which a cell's signal is taken to go beyond the area that it is sent for.
const BLEED_M: f64 = 1_500.0;
/// Metres of perimeter for one metre of growth.
const PERIMETER_PER_BUFFER: f64 = 1_000.0;
/// Metres of perimeter for one metre of tolerance.
const PERIMETER_PER_TOLERANCE: f64 = 1_620.0;
/// Metres that the smoothed shape is larger than the one asked for, apart from the tolerance.
const MARGIN_M: f64 = 15.0;

/// Metres by which a shape with so many metres of perimeter is grown first.
pub(crate) fn outward_m(perimeter_m: f64) -> f64 {
    BLEED_M / 3.0 + perimeter_m / PERIMETER_PER_BUFFER
}

/// Metres by which a simplified line may miss a point, for so many metres of perimeter.
pub(crate) fn tolerance_m(perimeter_m: f64) -> f64 {
    perimeter_m / PERIMETER_PER_TOLERANCE
}

/// Metres by which the grown shape is shrunk again.
pub(crate) fn inward_m(perimeter_m: f64) -> f64 {
    outward_m(perimeter_m) - tolerance_m(perimeter_m) / 2.0 - MARGIN_M
}

/// What the earlier system would have made of a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Smoothed {
    /// The shape after smoothing and simplifying; it may leave out ground that was asked for.
    pub shape: Shape,
    /// Points after smoothing, closing points included, before simplifying.
    pub smooth_points: usize,
}

impl Shape {
    /// Smooths and simplifies as the earlier system did. Takes seconds for the largest shapes.
    pub fn smoothed(&self) -> Result<Smoothed, Unmade> {
        guard(|| smooth(self)).map_err(|_| Unmade::EngineFailed)?
    }
}

fn smooth(shape: &Shape) -> Result<Smoothed, Unmade> {
    let frame = Frame::around(shape);
    let degrees: Vec<Vec<Degrees>> = shape.rings().iter().map(|r| frame.unroll(r)).collect();
    let metres = frame.project(&degrees, f64::INFINITY);
    if !is_measurable(&metres) {
        return Err(Unmade::TooWide);
    }
    let perimeter: f64 = metres.iter().map(|ring| ring_length_m(ring)).sum();
    let grown = grow(metres, outward_m(perimeter), 0.0);
    let smoothed = shrink(&grown, inward_m(perimeter));
    let tolerance = tolerance_m(perimeter_m(&smoothed));
    let tolerance = Tolerance {
        cut_m: tolerance,
        bulge_m: tolerance,
    };
    let mut rings: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut smooth_points = 0;
    for polygon in &smoothed {
        smooth_points += polygon.exterior().0.len();
        let ring = frame.unproject(&polygon.exterior().0);
        for part in cut_at_antimeridian(simplify(&ring, tolerance)) {
            rings.push(part.iter().map(|at| (at.y, at.x)).collect());
        }
    }
    let shape = Shape::validate(&rings).map_err(Unmade::Invalid)?;
    Ok(Smoothed {
        shape,
        smooth_points,
    })
}
