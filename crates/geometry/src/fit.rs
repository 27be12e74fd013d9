//! A shape as one provider's broadcast centre takes it: so many polygons and points, so many
//! decimals.

use balefire_domain::provider::Limits;

use crate::frame::{Degrees, Frame, cut_at_antimeridian};
use crate::ring::Ring;
use crate::shape::Shape;
use crate::simplify::{Tolerance, simplify};

/// Decimals of a degree that every shape has at most.
const DECIMALS: u8 = 6;
/// Metres of a degree of latitude.
const DEGREE_M: f64 = 111_320.0;
/// The first tolerance, in metres; each next one is twice as wide.
const TOLERANCE_M_MIN: f64 = 2.0;
/// How many tolerances are tried: the last is 32 kilometres.
const TRIES: i32 = 15;
/// Part of the growth that a line may cut off.
const CUT: f64 = 0.9;

/// Why a shape can't be made to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the area has {polygons} polygons and {points} points, and no simpler one that covers it has \
     at most {} and {} with {} decimals", limits.polygons, limits.points, limits.decimals
)]
pub struct Unfit {
    /// Polygons of the area.
    pub polygons: usize,
    /// Points of the area, closing points counted.
    pub points: usize,
    /// What the provider takes.
    pub limits: Limits,
}

impl Shape {
    /// Whether the shape is within `limits` as it is.
    pub fn fits(&self, limits: &Limits) -> bool {
        self.is_within(limits) && (limits.decimals >= DECIMALS || self.is_of(limits.decimals))
    }

    /// The shape within `limits`: this one where it fits, else the least grown of a row of simpler
    /// ones that covers it and fits (D12). Takes longer the larger the shape; one of 250 points
    /// takes some milliseconds.
    pub fn fit(&self, limits: &Limits) -> Result<Self, Unfit> {
        if self.fits(limits) {
            return Ok(self.clone());
        }
        let rounding_m = DEGREE_M * 10_f64.powi(-i32::from(limits.decimals));
        (0..TRIES)
            .map(|step| TOLERANCE_M_MIN * 2_f64.powi(step))
            .filter(|tolerance_m| limits.decimals >= DECIMALS || *tolerance_m >= rounding_m)
            .find_map(|tolerance_m| self.simpler(tolerance_m, rounding_m, limits))
            .ok_or(Unfit {
                polygons: self.polygon_count(),
                points: self.point_count(),
                limits: *limits,
            })
    }

    fn simpler(&self, tolerance_m: f64, rounding_m: f64, limits: &Limits) -> Option<Self> {
        let grown = self.grown_by(tolerance_m + rounding_m).ok()?;
        let tolerance = Tolerance {
            cut_m: CUT * tolerance_m,
            bulge_m: tolerance_m,
        };
        let rings = grown
            .rings()
            .iter()
            .flat_map(|ring| simplify_ring(ring, tolerance));
        let rounded: Vec<Vec<(f64, f64)>> = rings
            .map(|ring| ring.iter().map(|at| round(at, limits.decimals)).collect())
            .collect();
        let simpler = Self::validate(&rounded).ok()?;
        (simpler.is_within(limits) && simpler.covers(self)).then_some(simpler)
    }

    fn is_within(&self, limits: &Limits) -> bool {
        self.polygon_count() <= limits.polygons && self.point_count() <= limits.points
    }

    fn is_of(&self, decimals: u8) -> bool {
        self.rings()
            .iter()
            .flat_map(Ring::to_pairs)
            .all(|(lat, lon)| (lat, lon) == round(&Degrees { x: lon, y: lat }, decimals))
    }
}

fn simplify_ring(ring: &Ring, tolerance: Tolerance) -> Vec<Vec<Degrees>> {
    let mut degrees = Frame::around_ring(ring).unroll(ring);
    if ring.is_clockwise() {
        degrees.reverse();
    }
    cut_at_antimeridian(simplify(&degrees, tolerance))
}

/// A pair of latitude and longitude with so many decimals.
fn round(at: &Degrees, decimals: u8) -> (f64, f64) {
    let scale = 10_f64.powi(i32::from(decimals));
    let rounded = |degrees: f64| (degrees * scale).round() / scale;
    (rounded(at.y), rounded(at.x))
}
