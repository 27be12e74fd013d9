//! The frame in which a shape is worked on: longitudes that run on without a jump, and a
//! transverse Mercator projection centred on the shape.

use std::f64::consts::PI;

use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon, Rect};

use crate::point::{LONGITUDE_MAX, MICRODEGREES, Point};
use crate::projection::TransverseMercator;
use crate::ring::Ring;
use crate::shape::Shape;

/// Millionths of a degree once around the earth.
const AROUND: i64 = 2 * LONGITUDE_MAX as i64;
/// Metres in a degree of latitude, on a sphere: for tolerances, not for areas.
const DEGREE_M: f64 = EARTH_RADIUS_M * PI / 180.0;
/// The mean radius of the earth, in metres.
pub(crate) const EARTH_RADIUS_M: f64 = 6_371_009.0;
/// Metres east or west of the middle beyond which distances are off by more than 15 %.
const WIDTH_M_MAX: f64 = 3_400_000.0;
/// A position in degrees whose longitude may lie beyond 180: x is longitude, y latitude.
pub(crate) type Degrees = Coord<f64>;

/// Degrees around one meridian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Millionths of a degree.
    centre: i64,
    /// The way to metres and back.
    pub projection: TransverseMercator,
}

impl Frame {
    /// The frame in the middle of the narrowest band of longitude that holds the shape.
    pub fn around(shape: &Shape) -> Self {
        Self::of_bands(shape.rings().iter().map(band).collect())
    }

    /// The frame in the middle of one ring.
    pub fn around_ring(ring: &Ring) -> Self {
        Self::of_bands(vec![band(ring)])
    }

    fn of_bands(mut bands: Vec<(i64, i64)>) -> Self {
        bands.sort_unstable();
        // The middle of the band is opposite the middle of the widest gap between polygons.
        let mut east_end = bands.first().map_or(0, |band| band.0);
        let (mut gap_width, mut gap_end) = (-1, 0);
        let first_again = bands.first().map(|band| (band.0 + AROUND, band.1 + AROUND));
        for &(west, east) in bands.iter().chain(&first_again) {
            if west - east_end > gap_width {
                (gap_width, gap_end) = (west - east_end, west);
            }
            east_end = east_end.max(east);
        }
        let centre = gap_end + (AROUND - gap_width) / 2;
        let centre = (centre + AROUND / 2).rem_euclid(AROUND) - AROUND / 2;
        Self {
            centre,
            projection: TransverseMercator::centred_on(micro_to_degrees(centre)),
        }
    }

    /// The points of a ring in degrees, none more than 180 from the centre.
    pub fn unroll(self, ring: &Ring) -> Vec<Degrees> {
        let unroll = |point: &Point| {
            let from_centre = i64::from(point.lon.micro()) - self.centre;
            let near = (from_centre + AROUND / 2).rem_euclid(AROUND) - AROUND / 2;
            Coord {
                x: micro_to_degrees(self.centre + near),
                y: point.lat.degrees(),
            }
        };
        ring.points().iter().map(unroll).collect()
    }

    /// Projects rings to metres, with points put into lines longer than `step_m` so that they
    /// stay where they are straight in degrees.
    pub fn project(self, rings: &[Vec<Degrees>], step_m: f64) -> Vec<Vec<Coord<f64>>> {
        rings
            .iter()
            .map(|ring| self.project_ring(ring, step_m))
            .collect()
    }

    fn project_ring(self, ring: &[Degrees], step_m: f64) -> Vec<Coord<f64>> {
        let mut projected = Vec::with_capacity(ring.len());
        for pair in ring.windows(2) {
            let steps = (distance_m(pair[0], pair[1]) / step_m).ceil().max(1.0);
            let mut step = 0.0;
            while step < steps {
                let at = pair[0] + (pair[1] - pair[0]) * (step / steps);
                projected.push(self.projection.project(at.y, at.x));
                step += 1.0;
            }
        }
        projected.extend(projected.first().copied());
        projected
    }

    /// Metres back to degrees near the centre.
    pub fn unproject(self, ring: &[Coord<f64>]) -> Vec<Degrees> {
        let unproject = |&at: &Coord<f64>| {
            let (lat, lon) = self.projection.unproject(at);
            Coord { x: lon, y: lat }
        };
        ring.iter().map(unproject).collect()
    }
}

/// Cuts a ring where it goes over the antimeridian and brings the parts back to -180 to 180.
pub(crate) fn cut_at_antimeridian(ring: Vec<Degrees>) -> Vec<Vec<Degrees>> {
    if ring.iter().all(|at| at.x.abs() <= 180.0) {
        return vec![ring];
    }
    let whole = MultiPolygon(vec![Polygon::new(LineString(ring), Vec::new())]);
    let turns = [-360.0, 0.0, 360.0];
    let part = |turn: f64| {
        let (west, east) = (turn - 180.0, turn + 180.0);
        let world = Rect::new(Coord { x: west, y: -90.0 }, Coord { x: east, y: 90.0 });
        let parts = whole.intersection(&MultiPolygon(vec![world.to_polygon()]));
        parts.0.into_iter().map(move |part| {
            let (ring, _) = part.into_inner();
            // Clipping is exact to a billionth of a degree: what hangs over is put on the line.
            ring.0
                .into_iter()
                .map(|at| Coord {
                    x: (at.x - turn).clamp(-180.0, 180.0),
                    y: at.y,
                })
                .collect()
        })
    };
    turns.into_iter().flat_map(part).collect()
}

/// Whether distances are off by at most 15 % for all of these, and none is not a number.
pub(crate) fn is_measurable(projected: &[Vec<Coord<f64>>]) -> bool {
    projected
        .iter()
        .flatten()
        .all(|at| at.x.abs() <= WIDTH_M_MAX)
}

/// About how many metres from one position to another.
pub(crate) fn distance_m(from: Degrees, to: Degrees) -> f64 {
    let narrowing = f64::midpoint(from.y, to.y).to_radians().cos();
    DEGREE_M * ((to.x - from.x) * narrowing).hypot(to.y - from.y)
}

/// Metres east and north of `origin`, on the scale of the ground at `at`.
pub(crate) fn offset_m(origin: Degrees, at: Degrees, scale_lat_degrees: f64) -> Coord<f64> {
    let narrowing = scale_lat_degrees.to_radians().cos();
    Coord {
        x: DEGREE_M * narrowing * (at.x - origin.x),
        y: DEGREE_M * (at.y - origin.y),
    }
}

fn band(ring: &Ring) -> (i64, i64) {
    let longitudes = || {
        ring.points()
            .iter()
            .map(|point| i64::from(point.lon.micro()))
    };
    (
        longitudes().min().unwrap_or(0),
        longitudes().max().unwrap_or(0),
    )
}

#[expect(clippy::cast_precision_loss, reason = "at most 5.4e8, far below 2^53")]
fn micro_to_degrees(micro: i64) -> f64 {
    micro as f64 / MICRODEGREES
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shape of small squares at these longitudes.
    fn squares(longitudes: &[f64]) -> Shape {
        let square = |&lon: &f64| {
            let (west, east) = (lon, lon + 1.0);
            vec![
                (0.0, west),
                (0.0, east),
                (1.0, east),
                (1.0, west),
                (0.0, west),
            ]
        };
        Shape::validate(&longitudes.iter().map(square).collect::<Vec<_>>()).expect("squares apart")
    }

    #[test]
    fn the_centre_is_the_middle_of_the_narrowest_band() {
        let cases: &[(&str, &[f64], f64)] = &[
            ("nothing", &[], 0.0),
            ("one square", &[10.0], 10.5),
            ("two", &[10.0, 20.0], 15.5),
            ("on both sides of the meridian", &[-4.0, 3.0], 0.0),
            ("on both sides of the antimeridian", &[-176.0, 173.0], 179.0),
            ("at the antimeridian", &[-180.0, 179.0], 180.0),
            ("all over one half", &[100.0, -170.0, 150.0], 145.5),
        ];
        for &(name, longitudes, want) in cases {
            let frame = Frame::around(&squares(longitudes));
            let apart = (micro_to_degrees(frame.centre) - want).rem_euclid(360.0);
            let is_empty = longitudes.is_empty();
            assert!(
                is_empty || apart.min(360.0 - apart) < 1e-6,
                "{name}: {}",
                frame.centre
            );
        }
    }

    #[test]
    fn longitudes_run_on_over_the_antimeridian() {
        let shape = squares(&[-180.0, 179.0]);
        let frame = Frame::around(&shape);
        let ends: Vec<f64> = shape
            .rings()
            .iter()
            .flat_map(|ring| frame.unroll(ring))
            .map(|at| at.x)
            .collect();
        let low = ends.iter().copied().fold(f64::MAX, f64::min);
        let high = ends.iter().copied().fold(f64::MIN, f64::max);
        assert!(
            (high - low - 2.0).abs() < 1e-9,
            "two degrees wide: {low} to {high}"
        );
    }

    #[test]
    fn a_ring_over_the_antimeridian_is_cut_in_two() {
        let corners = [
            (179.0, 0.0),
            (181.0, 0.0),
            (181.0, 1.0),
            (179.0, 1.0),
            (179.0, 0.0),
        ];
        let ring: Vec<Degrees> = corners.iter().map(|&(x, y)| Coord { x, y }).collect();
        for turn in [0.0, -360.0] {
            let ring = ring
                .iter()
                .map(|at| Coord {
                    x: at.x + turn,
                    y: at.y,
                })
                .collect();
            let mut parts = cut_at_antimeridian(ring);
            parts.sort_by(|a, b| a[0].x.total_cmp(&b[0].x));
            let range = |part: &Vec<Degrees>| {
                part.iter().fold((f64::MAX, f64::MIN), |range, at| {
                    (range.0.min(at.x), range.1.max(at.x))
                })
            };
            let ranges: Vec<(f64, f64)> = parts.iter().map(range).collect();
            assert_eq!(ranges.len(), 2, "{ranges:?}");
            for ((low, high), want) in ranges.into_iter().zip([(-180.0, -179.0), (179.0, 180.0)]) {
                assert!(
                    (low - want.0).abs() < 1e-6 && (high - want.1).abs() < 1e-6,
                    "{low} {high}"
                );
            }
        }
    }
}
