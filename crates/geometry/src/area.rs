//! Areas on the WGS 84 ellipsoid, for lines that are straight in latitude and longitude.
//!
//! The ground between the equator and a line is an integral over longitude of a function of
//! latitude that has a closed form; along a line latitude changes evenly, so five Gauss points per
//! line are exact to far below a square metre. No projection, no limit on size.

use crate::frame::Degrees;
use crate::ring::Ring;

/// The equatorial radius of WGS 84, in metres.
pub(crate) const SEMI_MAJOR_M: f64 = 6_378_137.0;
/// The flattening of WGS 84.
pub(crate) const FLATTENING: f64 = 1.0 / 298.257_223_563;

/// Positions and weights of five-point Gauss–Legendre quadrature on 0 to 1.
const GAUSS: [(f64, f64); 5] = [
    (0.046_910_077_030_668, 0.118_463_442_528_094_5),
    (0.230_765_344_947_158_45, 0.239_314_335_249_683_23),
    (0.5, 0.284_444_444_444_444_4),
    (0.769_234_655_052_841_6, 0.239_314_335_249_683_23),
    (0.953_089_922_969_332, 0.118_463_442_528_094_5),
];

/// Square metres inside a ring.
pub(crate) fn ring_area_m2(ring: &Ring) -> f64 {
    let points = ring.points().iter();
    let degrees: Vec<Degrees> = points
        .map(|point| Degrees {
            x: point.lon.degrees(),
            y: point.lat.degrees(),
        })
        .collect();
    degrees_area_m2(&degrees)
}

/// Square metres inside a closed ring in degrees, x east and y north.
pub(crate) fn degrees_area_m2(ring: &[Degrees]) -> f64 {
    let sum: f64 = ring
        .windows(2)
        .map(|pair| {
            let (from, to) = (pair[0].y, pair[1].y);
            let width = (pair[1].x - pair[0].x).to_radians();
            let height = |&(at, weight): &(f64, f64)| {
                weight * area_to_equator((from + (to - from) * at).to_radians())
            };
            width * GAUSS.iter().map(height).sum::<f64>()
        })
        .sum();
    sum.abs()
}

/// Square metres per radian of longitude between the equator and a latitude.
fn area_to_equator(lat_radians: f64) -> f64 {
    let e2 = FLATTENING * (2.0 - FLATTENING);
    let e = e2.sqrt();
    let semi_minor_m = SEMI_MAJOR_M * (1.0 - FLATTENING);
    let sine = lat_radians.sin();
    semi_minor_m * semi_minor_m / 2.0 * (sine / (1.0 - e2 * sine * sine) + (e * sine).atanh() / e)
}

#[cfg(test)]
mod tests {
    use crate::projection::TransverseMercator;
    use crate::shape::Shape;

    fn area_km2(ring: &[(f64, f64)]) -> f64 {
        Shape::validate(&[ring.to_vec()])
            .expect("a valid ring")
            .area_m2()
            / 1e6
    }

    #[test]
    fn the_eighth_of_the_earth_is_an_eighth_of_its_published_surface() {
        // WGS 84: 510 065 621.724 km2 (NIMA TR8350.2 gives the axes it follows from).
        let octant = [
            (0.0, 0.0),
            (0.0, 90.0),
            (90.0, 90.0),
            (90.0, 0.0),
            (0.0, 0.0),
        ];
        for (name, sign) in [("north", 1.0), ("south", -1.0)] {
            let ring: Vec<(f64, f64)> = octant.iter().map(|at| (at.0 * sign, at.1)).collect();
            let error = area_km2(&ring) / (510_065_621.724 / 8.0) - 1.0;
            assert!(error.abs() < 1e-9, "{name}: {error}");
        }
    }

    #[test]
    fn a_small_square_has_the_area_that_its_projection_has() {
        for lat in [-80.0, -33.0, 0.0, 54.0, 89.5] {
            let (north, east) = (lat + 0.01, 20.01);
            let ring = [
                (lat, 20.0),
                (lat, east),
                (north, east),
                (north, 20.0),
                (lat, 20.0),
            ];
            let projection = TransverseMercator::centred_on(20.005);
            let metres: Vec<_> = ring
                .iter()
                .map(|at| projection.project(at.0, at.1))
                .collect();
            let cross = metres.windows(2).map(|p| p[0].x * p[1].y - p[1].x * p[0].y);
            let projected_km2 = cross.sum::<f64>() / 2e6;
            let error = area_km2(&ring) / projected_km2 - 1.0;
            assert!(error.abs() < 1e-5, "{lat}: {error}");
        }
    }
}
