//! CAP 1.2, clause 3.2.4: `circle` is "latitude,longitude radius", the radius in kilometres.

use crate::point::Point;
use crate::refusal::Refusal;
use crate::shape::Shape;

use super::{ReadRefusal, form};

/// Bytes of one circle; real ones have under 40.
const CIRCLE_BYTES_MAX: usize = 200;
const METRES_PER_KILOMETRE: f64 = 1_000.0;

/// The shape that covers a CAP circle (see [`Shape::circle`]).
pub fn read(text: &str) -> Result<Shape, ReadRefusal> {
    let (centre, radius_m) = read_circle(text)
        .ok_or_else(|| form("circle", "latitude,longitude and a radius in km are wanted"))?;
    let shape = Shape::circle(centre, radius_m);
    shape.map_err(|refusal: Refusal| ReadRefusal::Shape {
        place: "circle".to_owned(),
        refusal,
    })
}

fn read_circle(text: &str) -> Option<(Point, f64)> {
    let mut words = text
        .get(..CIRCLE_BYTES_MAX)
        .unwrap_or(text)
        .split_whitespace();
    if text.len() > CIRCLE_BYTES_MAX {
        return None;
    }
    let (place, radius) = (words.next()?, words.next()?);
    let (lat, lon) = place.split_once(',')?;
    let centre = Point::from_degrees(lat.parse().ok()?, lon.parse().ok()?)?;
    let kilometres: f64 = radius.parse().ok()?;
    words
        .next()
        .is_none()
        .then_some((centre, kilometres * METRES_PER_KILOMETRE))
}
