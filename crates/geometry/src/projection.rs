//! Transverse Mercator by Krüger's series to the fourth order of the third flattening.
//!
//! The central meridian is that of the shape itself, so there are no zones: it works in any
//! country, in either hemisphere and on both sides of the antimeridian. Within 30 degrees of the
//! central meridian the series is exact to well below a millimetre. Coordinates are
//! `geo::Coord<f64>` in metres, x east and y north.

use geo::Coord;

use crate::area::{FLATTENING, SEMI_MAJOR_M};

/// A transverse Mercator projection with a scale of 1 on its central meridian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransverseMercator {
    /// Degrees of longitude of the central meridian.
    centre_degrees: f64,
    /// Scale on the central meridian.
    scale: f64,
}

/// The third flattening.
const N: f64 = FLATTENING / (2.0 - FLATTENING);
const N2: f64 = N * N;
const N3: f64 = N2 * N;
const N4: f64 = N2 * N2;
/// The radius of a circle as long as a meridian.
const RADIUS_M: f64 = SEMI_MAJOR_M / (1.0 + N) * (1.0 + N2 / 4.0 + N4 / 64.0);
/// From the conformal sphere to the projection.
const FORWARD: [f64; 4] = [
    N / 2.0 - 2.0 / 3.0 * N2 + 5.0 / 16.0 * N3 + 41.0 / 180.0 * N4,
    13.0 / 48.0 * N2 - 3.0 / 5.0 * N3 + 557.0 / 1440.0 * N4,
    61.0 / 240.0 * N3 - 103.0 / 140.0 * N4,
    49_561.0 / 161_280.0 * N4,
];
/// From the projection to the conformal sphere.
const BACKWARD: [f64; 4] = [
    N / 2.0 - 2.0 / 3.0 * N2 + 37.0 / 96.0 * N3 - N4 / 360.0,
    N2 / 48.0 + N3 / 15.0 - 437.0 / 1440.0 * N4,
    17.0 / 480.0 * N3 - 37.0 / 840.0 * N4,
    4397.0 / 161_280.0 * N4,
];
/// From conformal to geographic latitude.
const LATITUDE: [f64; 4] = [
    2.0 * N - 2.0 / 3.0 * N2 - 2.0 * N3 + 116.0 / 45.0 * N4,
    7.0 / 3.0 * N2 - 8.0 / 5.0 * N3 - 227.0 / 45.0 * N4,
    56.0 / 15.0 * N3 - 136.0 / 35.0 * N4,
    4279.0 / 630.0 * N4,
];

/// The even numbers that go with the four coefficients of a series.
const EVEN: [f64; 4] = [2.0, 4.0, 6.0, 8.0];

impl TransverseMercator {
    /// A projection with a scale of 1 on the meridian `centre_degrees`.
    pub fn centred_on(centre_degrees: f64) -> Self {
        Self {
            centre_degrees,
            scale: 1.0,
        }
    }

    /// Metres east of the central meridian and north of the equator. `lon_degrees` may lie beyond
    /// 180: only its distance from the centre counts.
    pub fn project(self, lat_degrees: f64, lon_degrees: f64) -> Coord<f64> {
        let (lat, lon) = (
            lat_degrees.to_radians(),
            (lon_degrees - self.centre_degrees).to_radians(),
        );
        let e = 2.0 * N.sqrt() / (1.0 + N);
        let sine = lat.sin();
        let tangent = (sine.atanh() - e * (e * sine).atanh()).sinh();
        let xi = tangent.atan2(lon.cos());
        let eta = (lon.sin() / tangent.hypot(1.0)).atanh();
        let (mut north, mut east) = (xi, eta);
        for (coefficient, even) in FORWARD.iter().zip(EVEN) {
            north += coefficient * (even * xi).sin() * (even * eta).cosh();
            east += coefficient * (even * xi).cos() * (even * eta).sinh();
        }
        Coord {
            x: self.scale * RADIUS_M * east,
            y: self.scale * RADIUS_M * north,
        }
    }

    /// Latitude and longitude in degrees, the longitude within 180 of the centre.
    pub fn unproject(self, at: Coord<f64>) -> (f64, f64) {
        let (north, east) = (
            at.y / (self.scale * RADIUS_M),
            at.x / (self.scale * RADIUS_M),
        );
        let (mut xi, mut eta) = (north, east);
        for (coefficient, even) in BACKWARD.iter().zip(EVEN) {
            xi -= coefficient * (even * north).sin() * (even * east).cosh();
            eta -= coefficient * (even * north).cos() * (even * east).sinh();
        }
        let conformal = xi.sin().atan2(eta.sinh().hypot(xi.cos()));
        let lon = eta.sinh().atan2(xi.cos());
        let correction = |(coefficient, even): (&f64, f64)| coefficient * (even * conformal).sin();
        let lat = conformal + LATITUDE.iter().zip(EVEN).map(correction).sum::<f64>();
        (lat.to_degrees(), self.centre_degrees + lon.to_degrees())
    }
}

#[cfg(test)]
impl TransverseMercator {
    /// The projection of a UTM zone, without its false origin.
    pub(crate) fn utm(zone: u8) -> Self {
        Self {
            centre_degrees: f64::from(zone) * 6.0 - 183.0,
            scale: 0.9996,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places_are_where_the_tables_have_them() {
        // A quarter of a meridian of WGS 84, and the published origin of the easting of a zone.
        let quarter = TransverseMercator::centred_on(0.0).project(90.0, 0.0);
        assert!((quarter.y - 10_001_965.729_3).abs() < 1e-3, "{quarter:?}");
        // Half a degree of longitude along the equator, where the scale is known in closed form.
        let equator = TransverseMercator::utm(30).project(0.0, -3.0);
        assert!(
            equator.x.abs() < 1e-9 && equator.y.abs() < 1e-9,
            "{equator:?}"
        );
        // CN Tower in Toronto, zone 17: 630 084 m E, 4 833 438 m N at 43°38'33.24"N 79°23'13.7"W.
        let tower = TransverseMercator::utm(17).project(43.642_566_7, -79.387_138_9);
        assert!((tower.x + 500_000.0 - 630_084.0).abs() < 1.0, "{tower:?}");
        assert!((tower.y - 4_833_438.0).abs() < 1.0, "{tower:?}");
    }

    #[test]
    fn there_and_back_is_the_same_place_everywhere_within_thirty_degrees() {
        for centre in [-179.5, -3.0, 0.0, 178.0] {
            let projection = TransverseMercator::centred_on(centre);
            for lat in [-89.9, -60.0, -0.1, 0.0, 35.0, 54.0, 71.2, 89.999] {
                for away in [-30.0, -4.0, -0.000_001, 0.0, 1.5, 29.0] {
                    let (back_lat, back_lon) =
                        projection.unproject(projection.project(lat, centre + away));
                    assert!(
                        (back_lat - lat).abs() < 1e-10,
                        "{centre} {lat} {away}: {back_lat}"
                    );
                    let error = (back_lon - centre - away) * lat.to_radians().cos();
                    assert!(error.abs() < 1e-10, "{centre} {lat} {away}: {back_lon}");
                }
            }
        }
    }
}
