//! Rings wider than half the earth: which are understood, and how they are cut.
//!
//! What is accepted: a ring with lines over the antimeridian, each of which spans more than
//! [`CERTAIN_DEGREES`] when it is read the long way round, so that only the short way can be meant;
//! it becomes one polygon on each side. And a ring drawn flat from -180 to 180, like Antarctica
//! with its line along the pole; it becomes two polygons that touch at longitude 0. What is refused
//! by name: a line of 180 to 270 degrees, and a ring around a pole without a line along it.

use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon, Rect};

use crate::frame::{Degrees, cut_at_antimeridian};
use crate::refusal::Refusal;
use crate::ring::Ring;
use crate::shape::OpenRings;
use crate::smooth::guard;

/// A line that spans more than this goes the other way round.
pub(crate) const CERTAIN_DEGREES: f64 = 270.0;
/// The widest line that is taken as it is drawn.
const DRAWN_DEGREES_MAX: f64 = 180.0;
type Pairs = Vec<(f64, f64)>;

/// The valid rings that a ring wider than 180 degrees stands for.
pub(crate) fn split_wide(
    polygon: usize,
    pairs: &[(f64, f64)],
    open_rings: OpenRings,
) -> Result<Vec<Ring>, Refusal> {
    let ambiguous = || Refusal::CrossesAntimeridian { polygon };
    let mut closed = pairs.to_vec();
    if open_rings == OpenRings::Close && closed.first() != closed.last() {
        closed.extend(closed.first().copied());
    }
    let unrolled = unroll(&closed).ok_or_else(ambiguous)?;
    let (west, east) = span(&unrolled);
    let crosses = unrolled.iter().any(|at| at.x.abs() > DRAWN_DEGREES_MAX);
    if crosses && east - west > DRAWN_DEGREES_MAX {
        return Err(ambiguous());
    }
    // The whole ring must be a valid one: cutting would hide where it crosses itself.
    let middle = if crosses {
        f64::midpoint(west, east)
    } else {
        0.0
    };
    let centred: Pairs = unrolled.iter().map(|at| (at.y, at.x - middle)).collect();
    Ring::validate_drawn(polygon, &centred)?;
    let parts = guard(|| {
        if crosses {
            cut_at_antimeridian(unrolled)
        } else {
            cut_at_greenwich(unrolled)
        }
    })
    .map_err(|_| ambiguous())?;
    let mut rings = Vec::new();
    for part in parts {
        let pairs: Pairs = part.iter().map(|at| (at.y, at.x)).collect();
        match Ring::validate(polygon, &pairs, OpenRings::Refuse) {
            Ok(ring) => rings.push(ring),
            // A tip that only touches the meridian.
            Err(Refusal::NoArea { .. } | Refusal::TooFewPoints { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    if rings.is_empty() {
        return Err(Refusal::NoArea { polygon });
    }
    Ok(rings)
}

/// Longitudes that run on; `None` where a line can't be told from one that goes the other way
/// round, or the ring goes around a pole.
fn unroll(pairs: &[(f64, f64)]) -> Option<Vec<Degrees>> {
    let mut turn = 0.0;
    let mut unrolled: Vec<Degrees> = Vec::with_capacity(pairs.len());
    let mut previous: Option<(f64, f64)> = None;
    for &(lat, lon) in pairs {
        if let Some((lat_before, lon_before)) = previous {
            let wide = lon - lon_before;
            let along_pole = lat.abs() >= 90.0 && lat_before.abs() >= 90.0;
            if wide.abs() > CERTAIN_DEGREES && !along_pole {
                turn -= 360.0_f64.copysign(wide);
            } else if wide.abs() > DRAWN_DEGREES_MAX && !along_pole {
                return None;
            }
        }
        unrolled.push(Coord {
            x: lon + turn,
            y: lat,
        });
        previous = Some((lat, lon));
    }
    (turn == 0.0).then_some(unrolled)
}

fn span(ring: &[Degrees]) -> (f64, f64) {
    ring.iter().fold((f64::MAX, f64::MIN), |span, at| {
        (span.0.min(at.x), span.1.max(at.x))
    })
}

fn cut_at_greenwich(ring: Vec<Degrees>) -> Vec<Vec<Degrees>> {
    let whole = MultiPolygon(vec![Polygon::new(LineString(ring), Vec::new())]);
    let half = |west: f64| {
        let (east, clip) = (west + 180.0, (west, west + 180.0));
        let half = Rect::new(Coord { x: west, y: -90.0 }, Coord { x: east, y: 90.0 });
        let parts = whole.intersection(&MultiPolygon(vec![half.to_polygon()]));
        parts.0.into_iter().map(move |part| {
            let (ring, _) = part.into_inner();
            let on_edge = |at: Coord<f64>| Coord {
                x: at.x.clamp(clip.0, clip.1),
                y: at.y.clamp(-90.0, 90.0),
            };
            ring.0.into_iter().map(on_edge).collect()
        })
    };
    [-180.0, 0.0].into_iter().flat_map(half).collect()
}
