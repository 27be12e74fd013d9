//! Smoothing in metres: grow, join what now meets, shrink again. Near neighbours become one,
//! inlets and holes close. The engine (`geo`) is reached from nowhere but here and `frame`, and
//! always under `guard`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use geo::algorithm::buffer::{BufferStyle, LineJoin};
use geo::algorithm::line_measures::{Euclidean, LengthMeasurable};
use geo::{Area, Buffer, Coord, LineString, MultiPolygon, Polygon, unary_union};

/// Largest angle between two points of a round corner, in radians. The engine rounds the number
/// of points down, so that up to twice this angle comes out.
const CORNER_RADIANS: f64 = std::f64::consts::FRAC_PI_8 / 2.0;
/// The same where the earlier system's corners are wanted: 4 lines per quarter circle.
const EARLIER_CORNER_RADIANS: f64 = std::f64::consts::FRAC_PI_8;
/// Square metres of a piece that is an artefact of the arithmetic.
const ARTEFACT_M2_MAX: f64 = 1.0;

/// The engine panicked; what it was given is left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EngineFailed;

/// Runs `work`, turning a panic of the geometry engine into an error.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Result<T, EngineFailed> {
    // Nothing is shared with the outside: `work` only reads, and its result is thrown away.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| EngineFailed)
}

/// Every ring grown by `distance_m`, and those that meet joined.
pub(crate) fn grow_once(rings: &[Vec<Coord<f64>>], distance_m: f64) -> MultiPolygon<f64> {
    grow_rounded(rings, &round(distance_m, CORNER_RADIANS))
}

/// The same with the earlier system's corners.
pub(crate) fn grow_as_earlier(rings: &[Vec<Coord<f64>>], distance_m: f64) -> MultiPolygon<f64> {
    grow_rounded(rings, &round(distance_m, EARLIER_CORNER_RADIANS))
}

fn grow_rounded(rings: &[Vec<Coord<f64>>], style: &BufferStyle<f64>) -> MultiPolygon<f64> {
    let grow_one = |ring: &Vec<Coord<f64>>| {
        let polygon = Polygon::new(LineString(ring.clone()), Vec::new());
        polygon.buffer_with_style(style.clone())
    };
    let grown: Vec<MultiPolygon<f64>> = rings.iter().map(grow_one).collect();
    fill_holes(&unary_union(&grown))
}

/// Everything shrunk by `distance_m` (grown where it is negative), without holes and artefacts.
pub(crate) fn shrink(grown: &MultiPolygon<f64>, distance_m: f64) -> MultiPolygon<f64> {
    let mut shrunk =
        fill_holes(&grown.buffer_with_style(round(-distance_m, EARLIER_CORNER_RADIANS)));
    shrunk
        .0
        .retain(|polygon| polygon.unsigned_area() > ARTEFACT_M2_MAX);
    shrunk
}

/// Metres around all polygons.
pub(crate) fn perimeter_m(polygons: &MultiPolygon<f64>) -> f64 {
    polygons
        .iter()
        .map(|polygon| polygon.exterior().length(&Euclidean))
        .sum()
}

/// Metres around one closed ring.
pub(crate) fn ring_length_m(ring: &[Coord<f64>]) -> f64 {
    LineString(ring.to_vec()).length(&Euclidean)
}

fn round(distance_m: f64, corner_radians: f64) -> BufferStyle<f64> {
    BufferStyle::new(distance_m).line_join(LineJoin::Round(corner_radians))
}

/// The exteriors alone; what lay in a hole of another is part of it now.
fn fill_holes(polygons: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let exterior = |polygon: &Polygon<f64>| Polygon::new(polygon.exterior().clone(), Vec::new());
    let exteriors: Vec<Polygon<f64>> = polygons.iter().map(exterior).collect();
    unary_union(&exteriors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::earlier::{inward_m, outward_m, tolerance_m};
    use crate::frame::Degrees;
    use crate::grow::grow;
    use crate::projection::TransverseMercator;
    use crate::simplify::{Tolerance, simplify};
    use std::f64::consts::PI;

    struct Golden {
        name: &'static str,
        corners: &'static [(f64, f64)],
        side: f64,
        perimeter_m: f64,
        area_m2: f64,
        outward_m: f64,
        inward_m: f64,
        tolerance_m: f64,
        simple_m2: f64,
    }

    /// The earlier system's figures (shapely 2.1.2, UTM zone 30).
    const GOLDEN: [Golden; 3] = [
        Golden {
            name: "a square of 0.1 degrees",
            corners: &[(54.0, -1.9)],
            side: 0.1,
            perimeter_m: 35_348.9,
            area_m2: 72_854_022.1,
            outward_m: 535.35,
            inward_m: 509.44,
            tolerance_m: 21.820,
            simple_m2: 73_288_194.6,
        },
        Golden {
            name: "a square of 0.01 degrees",
            corners: &[(54.0, -1.9)],
            side: 0.01,
            perimeter_m: 3_536.3,
            area_m2: 729_314.5,
            outward_m: 503.54,
            inward_m: 487.44,
            tolerance_m: 2.183,
            simple_m2: 784_461.3,
        },
        Golden {
            name: "two squares of 0.05 degrees",
            corners: &[(57.1, -2.2), (57.1, -2.13)],
            side: 0.05,
            perimeter_m: 34_373.5,
            area_m2: 33_700_325.9,
            outward_m: 534.37,
            inward_m: 508.76,
            tolerance_m: 21.218,
            simple_m2: 34_073_913.0,
        },
    ];

    /// The area after a simplification as the earlier system did it, as far inside as outside.
    fn simple_m2(smoothed: &MultiPolygon<f64>) -> f64 {
        let (utm, side) = (
            TransverseMercator::utm(30),
            tolerance_m(perimeter_m(smoothed)),
        );
        let simple = |polygon: &Polygon<f64>| {
            let degrees: Vec<Degrees> = polygon
                .exterior()
                .0
                .iter()
                .map(|&at| {
                    let (lat, lon) = utm.unproject(at);
                    Coord { x: lon, y: lat }
                })
                .collect();
            let left = simplify(
                &degrees,
                Tolerance {
                    cut_m: side,
                    bulge_m: side,
                },
            );
            let left = left.iter().map(|at| utm.project(at.y, at.x)).collect();
            Polygon::new(LineString(left), vec![])
        };
        smoothed
            .iter()
            .map(simple)
            .map(|polygon| polygon.unsigned_area())
            .sum()
    }

    fn within(name: &str, what: &str, got: f64, want: f64, part: f64) {
        assert!(
            (got / want - 1.0).abs() < part,
            "{name}: {what} {got}, wanted {want}"
        );
    }

    #[test]
    fn squares_are_smoothed_as_the_earlier_system_did() {
        for golden in &GOLDEN {
            let square = |&(lat, lon): &(f64, f64)| -> Vec<Coord<f64>> {
                let (n, e) = (lat + golden.side, lon + golden.side);
                let ring = [(lat, lon), (lat, e), (n, e), (n, lon), (lat, lon)];
                ring.iter()
                    .map(|at| TransverseMercator::utm(30).project(at.0, at.1))
                    .collect()
            };
            let rings: Vec<Vec<Coord<f64>>> = golden.corners.iter().map(square).collect();
            let polygon = |ring: &Vec<Coord<f64>>| Polygon::new(LineString(ring.clone()), vec![]);
            let polygons: MultiPolygon<f64> = rings.iter().map(polygon).collect();
            let perimeter = perimeter_m(&polygons);
            within(
                golden.name,
                "perimeter",
                perimeter,
                golden.perimeter_m,
                1e-5,
            );
            within(
                golden.name,
                "area",
                polygons.unsigned_area(),
                golden.area_m2,
                1e-5,
            );
            within(
                golden.name,
                "outward",
                outward_m(perimeter),
                golden.outward_m,
                1e-4,
            );
            within(
                golden.name,
                "tolerance",
                tolerance_m(perimeter),
                golden.tolerance_m,
                1e-4,
            );
            let inward = inward_m(perimeter);
            within(golden.name, "inward", inward, golden.inward_m, 1e-4);
            let smoothed = shrink(&grow(rings, outward_m(perimeter), 0.0), inward);
            // Steiner's formula for convex shapes grown by a distance, but for round corners.
            let net = outward_m(perimeter) - inward;
            let pieces: f64 = golden.corners.iter().map(|_| PI * net * net).sum();
            let steiner = polygons.unsigned_area() + perimeter * net + pieces;
            within(
                golden.name,
                "smoothed",
                smoothed.unsigned_area(),
                steiner,
                1e-2,
            );
            // Which points are left depends on where a simplification begins.
            within(
                golden.name,
                "simple",
                simple_m2(&smoothed),
                golden.simple_m2,
                1e-2,
            );
            assert_eq!(smoothed.0.len(), golden.corners.len(), "{}", golden.name);
        }
    }

    #[test]
    fn holes_close_and_neighbours_join() {
        let box_of = |west: f64, south: f64, width: f64| -> Vec<Coord<f64>> {
            let (east, north) = (west + width, south + width);
            [
                (west, south),
                (east, south),
                (east, north),
                (west, north),
                (west, south),
            ]
            .map(|(x, y)| Coord { x, y })
            .to_vec()
        };
        let joined = shrink(
            &grow(
                vec![box_of(0.0, 0.0, 5e3), box_of(5.5e3, 0.0, 5e3)],
                500.0,
                0.0,
            ),
            485.0,
        );
        assert_eq!(joined.0.len(), 1, "500 m apart, grown by 500 m each");
        let apart = shrink(
            &grow(
                vec![box_of(0.0, 0.0, 5e3), box_of(6.5e3, 0.0, 5e3)],
                500.0,
                0.0,
            ),
            485.0,
        );
        assert_eq!(apart.0.len(), 2, "1,500 m apart");
        // A ring of squares around a hole of 20 km with a square in it.
        let mut rings = vec![box_of(10e3, 10e3, 2e3)];
        for step in 0..11 {
            let along = f64::from(step) * 2e3;
            rings.extend([box_of(along, 0.0, 2e3), box_of(along, 20e3, 2e3)]);
            rings.extend([box_of(0.0, along, 2e3), box_of(20e3, along, 2e3)]);
        }
        let filled = shrink(&grow(rings, 500.0, 0.0), 485.0);
        assert_eq!(filled.0.len(), 1);
        assert!(filled.0[0].interiors().is_empty());
        assert!((filled.unsigned_area() / (22e3 * 22e3) - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_panic_of_the_engine_is_an_error() {
        assert_eq!(guard(|| 1), Ok(1));
        assert_eq!(
            guard(|| -> u8 { panic!("as the engine does on an empty hole") }),
            Err(EngineFailed)
        );
    }
}
