//! Latitude, longitude and the point they make, in whole millionths of a degree.
//!
//! Six decimals are what goes on the air (about 0.11 m), so a point holds exactly these and no
//! more: two points are equal when they are the same on the wire, and every predicate on them is
//! exact integer arithmetic. Metres are floating-point coordinates of another type and can't be
//! given where a point is wanted.

/// Millionths in one degree: the precision of the wire.
pub(crate) const MICRODEGREES: f64 = 1e6;
/// The largest longitude, in millionths of a degree.
pub(crate) const LONGITUDE_MAX: i32 = 180_000_000;

/// A latitude from -90 to 90 degrees, rounded to 6 decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Latitude(i32);

/// A longitude from -180 to 180 degrees, rounded to 6 decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Longitude(i32);

/// A point on the ground (WGS 84). Ordered by latitude, then longitude: south to north.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// How far north.
    pub lat: Latitude,
    /// How far east.
    pub lon: Longitude,
}

impl Latitude {
    /// `None` when `degrees` isn't a finite number from -90 to 90.
    pub fn from_degrees(degrees: f64) -> Option<Self> {
        (-90.0..=90.0)
            .contains(&degrees)
            .then(|| Self(round_to_microdegrees(degrees)))
    }

    /// Degrees; prints with at most 6 decimals.
    pub fn degrees(self) -> f64 {
        f64::from(self.0) / MICRODEGREES
    }

    /// Millionths of a degree.
    pub(crate) fn micro(self) -> i32 {
        self.0
    }
}

impl Longitude {
    /// `None` when `degrees` isn't a finite number from -180 to 180.
    pub fn from_degrees(degrees: f64) -> Option<Self> {
        (-180.0..=180.0)
            .contains(&degrees)
            .then(|| Self(round_to_microdegrees(degrees)))
    }

    /// Degrees; prints with at most 6 decimals.
    pub fn degrees(self) -> f64 {
        f64::from(self.0) / MICRODEGREES
    }

    /// Millionths of a degree.
    pub(crate) fn micro(self) -> i32 {
        self.0
    }
}

impl Point {
    /// A point from degrees, latitude first; `None` when either is out of its range.
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Self> {
        Some(Self {
            lat: Latitude::from_degrees(lat)?,
            lon: Longitude::from_degrees(lon)?,
        })
    }
}

/// Which way the path a, b, c turns: positive when `c` is east of the line from `a` north to `b`,
/// zero when the three are in line. Exact: the products stay below 2^57.
pub(crate) fn turn(a: Point, b: Point, c: Point) -> i64 {
    let north = |p: Point, q: Point| i64::from(q.lat.0) - i64::from(p.lat.0);
    let east = |p: Point, q: Point| i64::from(q.lon.0) - i64::from(p.lon.0);
    north(a, b) * east(a, c) - east(a, b) * north(a, c)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "callers pass at most 180: 1.8e8 fits in i32"
)]
fn round_to_microdegrees(degrees: f64) -> i32 {
    debug_assert!(degrees.abs() <= 180.0);
    (degrees * MICRODEGREES).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_kept_to_six_decimals_and_refused_outside_their_range() {
        // One row per rule: what comes in, latitude out, longitude out.
        let cases = [
            (53.105_690_4, Some(53.105_69), Some(53.105_69)),
            (-0.000_000_6, Some(-0.000_001), Some(-0.000_001)),
            (90.0, Some(90.0), Some(90.0)),
            (90.000_000_1, None, Some(90.0)),
            (-180.0, None, Some(-180.0)),
            (180.000_000_1, None, None),
            (f64::NAN, None, None),
            (f64::NEG_INFINITY, None, None),
        ];
        for (degrees, lat, lon) in cases {
            assert_eq!(
                Latitude::from_degrees(degrees).map(Latitude::degrees),
                lat,
                "{degrees}"
            );
            assert_eq!(
                Longitude::from_degrees(degrees).map(Longitude::degrees),
                lon,
                "{degrees}"
            );
        }
    }

    #[test]
    fn a_turn_is_exact_over_the_whole_earth() {
        let at = |lat, lon| Point::from_degrees(lat, lon).expect("a place on earth");
        let (south, north) = (at(-90.0, -180.0), at(90.0, 180.0));
        assert_eq!(turn(south, north, at(0.0, 0.0)), 0, "in line");
        assert!(turn(south, north, at(0.0, 0.000_001)) > 0, "east");
        assert!(turn(south, north, at(0.0, -0.000_001)) < 0, "west");
    }
}
