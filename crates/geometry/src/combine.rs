//! Shapes made of others: joined, and grown by a distance.

use geo::{Coord, LineString, MultiPolygon, Polygon, unary_union};

use crate::cut::slit_polygon;
use crate::frame::{EARTH_RADIUS_M, Frame, cut_at_antimeridian, is_measurable};
use crate::refusal::Refusal;
use crate::ring::Ring;
use crate::shape::Shape;
use crate::smooth::{grow_once, guard};

/// Why a shape can't be made of others.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unmade {
    /// The geometry engine failed.
    #[error("the geometry engine failed on these shapes")]
    EngineFailed,
    /// A polygon is too wide to be measured in metres, or what is grown reaches a pole.
    #[error("the shape is too wide, or too near a pole, to be grown by a distance")]
    TooWide,
    /// The distance is not a number of metres above zero and at most [`GROWTH_M_MAX`].
    #[error("the distance must be above 0 and at most {GROWTH_M_MAX} metres")]
    Distance,
    /// What came out is no valid shape.
    #[error("what came out is no valid shape: {0}")]
    Invalid(Refusal),
}

/// Metres by which a shape may be grown.
pub const GROWTH_M_MAX: f64 = 500_000.0;
/// Degrees by which polygons are grown to join them where joining them as they are leaves lines
/// that touch: 0, 0.2 m, 1 m, 5 m.
const JOINING_DEGREES: [f64; 4] = [0.0, 2e-6, 1e-5, 5e-5];
/// Part of the distance by which a line may bend in the projection.
const BEND: f64 = 0.02;

impl Shape {
    /// The ground of all these shapes. Shapes that share none stay as they are, point for point;
    /// others are joined, exactly but for the rounding of new corners to 6 decimals (0.06 m). What
    /// is left as a hole between them is kept out by a slit (see [`crate::read::Holes::Cut`]).
    pub fn union(shapes: &[Self]) -> Result<Self, Unmade> {
        let pairs: Vec<Vec<(f64, f64)>> = shapes
            .iter()
            .flat_map(|shape| shape.rings().iter().map(Ring::to_pairs))
            .collect();
        match Self::validate(&pairs) {
            Ok(shape) => return Ok(shape),
            Err(Refusal::Overlap { .. }) => {}
            Err(refusal) => return Err(Unmade::Invalid(refusal)),
        }
        let polygons: Vec<Polygon<f64>> = shapes.iter().flat_map(Self::to_polygons).collect();
        let mut last = Unmade::EngineFailed;
        for degrees in JOINING_DEGREES {
            let joined = guard(|| join(&polygons, degrees)).map_err(|_| Unmade::EngineFailed)?;
            match from_polygons(&joined) {
                Ok(shape) => return Ok(shape),
                Err(refusal) => last = Unmade::Invalid(refusal),
            }
        }
        Err(last)
    }

    /// Everything within so many metres of the shape (its bleed): round corners of 4 points per
    /// quarter circle, neighbours joined, holes filled. Distances hold within 2 % for polygons of
    /// up to 1,200 km on either side of their middle and within 15 % up to 3,400 km; wider ones
    /// are refused, as is what reaches a pole.
    pub fn grown_by(&self, metres: f64) -> Result<Self, Unmade> {
        if !(metres > 0.0 && metres <= GROWTH_M_MAX) {
            return Err(Unmade::Distance);
        }
        let grown = guard(|| -> Result<Vec<Polygon<f64>>, Unmade> {
            let mut polygons = Vec::new();
            for ring in self.rings() {
                polygons.extend(grow_ring(ring, metres)?);
            }
            Ok(polygons)
        });
        let polygons = grown.map_err(|_| Unmade::EngineFailed)??;
        let mut last = Unmade::EngineFailed;
        for degrees in JOINING_DEGREES {
            let joined = guard(|| join(&polygons, degrees)).map_err(|_| Unmade::EngineFailed)?;
            let exteriors = joined
                .into_iter()
                .map(|polygon| Polygon::new(polygon.exterior().clone(), Vec::new()));
            match from_polygons(&MultiPolygon(exteriors.collect())) {
                Ok(shape) => return Ok(shape),
                Err(refusal) => last = Unmade::Invalid(refusal),
            }
        }
        Err(last)
    }
}

fn join(polygons: &[Polygon<f64>], degrees: f64) -> MultiPolygon<f64> {
    if degrees == 0.0 {
        return unary_union(polygons);
    }
    let rings: Vec<Vec<Coord<f64>>> = polygons
        .iter()
        .map(|polygon| polygon.exterior().0.clone())
        .collect();
    grow_once(&rings, degrees)
}

/// One ring grown, in degrees between -180 and 180.
fn grow_ring(ring: &Ring, metres: f64) -> Result<Vec<Polygon<f64>>, Unmade> {
    let frame = Frame::around_ring(ring);
    let degrees = frame.unroll(ring);
    let step_m = (BEND * 8.0 * EARTH_RADIUS_M * metres).sqrt();
    let projected = frame.project(&[degrees], step_m);
    if !is_measurable(&projected) {
        return Err(Unmade::TooWide);
    }
    let reaches_a_pole = ring
        .points()
        .iter()
        .any(|point| point.lat.degrees().abs() + metres / 110_000.0 >= 90.0);
    if reaches_a_pole {
        return Err(Unmade::TooWide);
    }
    let grown = grow_once(&projected, metres);
    let parts = grown.iter().flat_map(|polygon| {
        let ring = frame.unproject(&polygon.exterior().0);
        cut_at_antimeridian(ring).into_iter()
    });
    Ok(parts
        .map(|ring| Polygon::new(LineString(ring), Vec::new()))
        .collect())
}

/// A valid shape of polygons in degrees, their holes kept out by slits.
pub(crate) fn from_polygons(polygons: &MultiPolygon<f64>) -> Result<Shape, Refusal> {
    let pairs = |ring: &LineString<f64>| -> Vec<(f64, f64)> {
        // The engine's corners may hang over by a billionth of a degree.
        let on_earth = |at: &Coord<f64>| (at.y.clamp(-90.0, 90.0), at.x.clamp(-180.0, 180.0));
        ring.0.iter().map(on_earth).collect()
    };
    let mut rings = Vec::new();
    for (index, polygon) in polygons.iter().enumerate() {
        let exterior = pairs(polygon.exterior());
        let holes: Vec<Vec<(f64, f64)>> = polygon.interiors().iter().map(pairs).collect();
        match slit_polygon(index, &exterior, &holes) {
            Ok(ring) => rings.push(ring),
            // Slivers between polygons that nearly share an edge vanish in rounding.
            Err(Refusal::NoArea { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Shape::validate(&rings)
}
