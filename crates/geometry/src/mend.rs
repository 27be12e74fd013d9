//! Setting right what sources of areas get wrong: rings that touch or cross themselves, polygons
//! that overlap or repeat each other.
//!
//! Ground that a ring goes round in whichever direction counts once; what overlaps is joined, and
//! holes that come about are filled. Rings that then still touch themselves at a point are grown by
//! 0.1 to 1 metre, which closes the point. The result covers what it can of the rings that are
//! valid by themselves, and its area may differ by a sliver from the sum of the parts.

use geo::{Coord, LineString, MultiPolygon, Polygon, unary_union};

use crate::refusal::Refusal;
use crate::shape::{OpenRings, Shape};
use crate::smooth::{grow_once, guard};

/// Degrees by which lines that touch are grown together: 0.1, 0.3 and 1 metre.
const GROWTH_DEGREES: [f64; 4] = [0.0, 1e-6, 3e-6, 1e-5];

impl Shape {
    /// A valid shape for the ground within these rings of (latitude, longitude); `None` where none
    /// can be made, such as for numbers out of range. For sources of areas, never for an alert's
    /// own polygons, which are refused as they are.
    pub fn mend(polygons: &[Vec<(f64, f64)>]) -> Option<Self> {
        let is_on_earth = |&(lat, lon): &(f64, f64)| lat.abs() <= 90.0 && lon.abs() <= 180.0;
        if !polygons.iter().flatten().all(is_on_earth) {
            return None;
        }
        let parts: Vec<Polygon<f64>> = polygons
            .iter()
            .filter(|ring| ring.len() >= 3)
            .map(|ring| {
                let line = ring.iter().map(|&(lat, lon)| Coord { x: lon, y: lat });
                Polygon::new(LineString(line.collect()), Vec::new())
            })
            .collect();
        GROWTH_DEGREES.iter().find_map(|&growth| {
            let joined = guard(|| join(&parts, growth)).ok()?;
            let rings: Vec<Vec<(f64, f64)>> = joined
                .iter()
                .map(|part| part.exterior().0.iter().map(|at| (at.y, at.x)).collect())
                .collect();
            let shape = Self::validate_with(&without_specks(rings), OpenRings::Close).ok()?;
            (!shape.is_empty()).then_some(shape)
        })
    }
}

fn join(parts: &[Polygon<f64>], growth: f64) -> MultiPolygon<f64> {
    let joined = unary_union(parts);
    if growth == 0.0 {
        return joined;
    }
    let rings: Vec<Vec<Coord<f64>>> = joined
        .iter()
        .map(|part| part.exterior().0.clone())
        .collect();
    grow_once(&rings, growth)
}

/// Without rings that have no area once they are rounded.
fn without_specks(rings: Vec<Vec<(f64, f64)>>) -> Vec<Vec<(f64, f64)>> {
    let is_a_shape = |ring: &Vec<(f64, f64)>| {
        Shape::validate_with(std::slice::from_ref(ring), OpenRings::Close).map_or_else(
            |refusal| !matches!(refusal, Refusal::NoArea { .. }),
            |_| true,
        )
    };
    rings.into_iter().filter(is_a_shape).collect()
}
