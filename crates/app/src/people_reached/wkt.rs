//! The ground of a POLYGON or MULTIPOLYGON in well-known text, its holes left out, and the refusals
//! that clients know.

use balefire_geometry::ground::Ground;
use balefire_geometry::read::wkt;
use balefire_geometry::{ReadRefusal, Refusal, Shape};

/// Why a text gives no area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WktRefusal {
    /// It is no well-known text.
    #[error("Invalid WKT string")]
    NotWkt,
    /// It is one of something else.
    #[error("Area must be a Polygon or MultiPolygon")]
    NotPolygons,
    /// Rings that cross themselves, holes outside, polygons that overlap, places off the earth.
    #[error("Provided WKT area is not valid")]
    NotValid,
}

/// What is no polygon.
const OTHER_KINDS: [&str; 13] = [
    "POINT",
    "LINESTRING",
    "MULTIPOINT",
    "MULTILINESTRING",
    "GEOMETRYCOLLECTION",
    "LINEARRING",
    "CIRCULARSTRING",
    "COMPOUNDCURVE",
    "CURVEPOLYGON",
    "MULTICURVE",
    "MULTISURFACE",
    "POLYHEDRALSURFACE",
    "TRIANGLE",
];

pub(super) use wkt::Pairs as Ring;

/// The ground that a text is for. Holes don't count to it.
pub(super) fn read_wkt(text: &str) -> Result<Ground, WktRefusal> {
    let (shape, holes) = read_shapes(text)?;
    Ok(Ground::with_holes(&shape, &holes))
}

/// What a text is for, and the holes in it.
pub(super) fn read_shapes(text: &str) -> Result<(Shape, Shape), WktRefusal> {
    let (outsides, holes) = read_rings(text)?;
    shapes_of(&outsides, &holes).map_err(|_| WktRefusal::NotValid)
}

/// Outer rings, and the holes of each, as valid shapes; or what is wrong with them.
pub(super) fn shapes_of(outsides: &[Ring], holes: &[Vec<Ring>]) -> Result<(Shape, Shape), String> {
    let of_holes = |refusal: Refusal| format!("its holes: {refusal}");
    let shape = Shape::validate(outsides).map_err(|refusal| refusal.to_string())?;
    let has_holes = |(_, holes): &(&Ring, &Vec<Ring>)| !holes.is_empty();
    for (outside, own) in outsides.iter().zip(holes).filter(has_holes) {
        let around = Shape::validate(std::slice::from_ref(outside)).map_err(of_holes)?;
        let own = Shape::validate(own).map_err(of_holes)?;
        if !around.covers(&own) {
            return Err("a hole of it lies outside".to_owned());
        }
    }
    let holes = Shape::validate(&holes.concat()).map_err(of_holes)?;
    Ok((shape, holes))
}

/// The outer rings, and the holes of each.
fn read_rings(text: &str) -> Result<(Vec<Ring>, Vec<Vec<Ring>>), WktRefusal> {
    let text = text.trim_start();
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let end = text.find(|c| !is_letter(c)).unwrap_or(text.len());
    match text[..end].to_ascii_uppercase().as_str() {
        "POLYGON" | "MULTIPOLYGON" => {}
        kind if OTHER_KINDS.contains(&kind) => return Err(WktRefusal::NotPolygons),
        _ => return Err(WktRefusal::NotWkt),
    }
    let polygons = wkt::rings(text).map_err(|refusal| match refusal {
        ReadRefusal::Form { .. } => WktRefusal::NotWkt,
        ReadRefusal::TooLong { .. } | ReadRefusal::Shape { .. } => WktRefusal::NotValid,
    })?;
    Ok(polygons.into_iter().unzip())
}

/// The outside of a polygon's rings, and its holes.
pub(super) fn part(mut rings: Vec<Ring>) -> (Ring, Vec<Ring>) {
    if rings.is_empty() {
        return (Ring::new(), rings);
    }
    (rings.remove(0), rings)
}

#[cfg(test)]
mod tests {
    use balefire_domain::limits::POINTS_MAX;

    use super::*;

    #[test]
    fn polygons_are_read_and_everything_else_is_refused_by_its_kind() {
        use WktRefusal::{NotPolygons, NotValid, NotWkt};
        let square = "(0 50, 1 50, 1 51, 0 51, 0 50)";
        let hole = "(0.25 50.25, 0.75 50.25, 0.75 50.75, 0.25 50.75, 0.25 50.25)";
        let other = "(2 50, 3 50, 3 51, 2 51, 2 50)";
        // The text, and its square degrees.
        for (text, want) in [
            (format!("POLYGON ({square})"), Ok(1.0)),
            (format!("polygon({square})"), Ok(1.0)),
            (format!("  POLYGON\n(\t{square} ) "), Ok(1.0)),
            (format!("POLYGON ({square}, {hole})"), Ok(0.75)),
            (format!("MULTIPOLYGON (({square}))"), Ok(1.0)),
            (format!("MULTIPOLYGON (({square}), ({other}))"), Ok(2.0)),
            (
                format!("MULTIPOLYGON (({square}, {hole}), ({other}))"),
                Ok(1.75),
            ),
            (
                "POLYGON Z ((0 50 7, 1 50 7, 1 51 7, 0 50 7))".to_owned(),
                Ok(0.5),
            ),
            ("POLYGON ((0 5e1, 1.0 +50, 1 51, 0 50))".to_owned(), Ok(0.5)),
            ("POLYGON EMPTY".to_owned(), Ok(0.0)),
            ("MULTIPOLYGON EMPTY".to_owned(), Ok(0.0)),
            ("POINT (0 50)".to_owned(), Err(NotPolygons)),
            ("GEOMETRYCOLLECTION EMPTY".to_owned(), Err(NotPolygons)),
            ("LineString (0 50, 1 50)".to_owned(), Err(NotPolygons)),
            (format!("SRID=4326;POLYGON ({square})"), Err(NotWkt)),
            ("MULTIPOLYGON (EMPTY)".to_owned(), Ok(0.0)),
            (String::new(), Err(NotWkt)),
            ("nonsense".to_owned(), Err(NotWkt)),
            ("POLYGON".to_owned(), Err(NotWkt)),
            (format!("POLYGON {square}"), Err(NotWkt)),
            (format!("POLYGON ({square}"), Err(NotWkt)),
            (format!("POLYGON ({square}) x"), Err(NotWkt)),
            ("POLYGON ((0, 1, 2, 0))".to_owned(), Err(NotWkt)),
            (
                "POLYGON ((0 NaN, 1 50, 1 51, 0 50))".to_owned(),
                Err(NotWkt),
            ),
            (
                "POLYGON ((0 50 1 2 3, 1 50, 1 51, 0 50))".to_owned(),
                Err(NotWkt),
            ),
            (
                "POLYGON ((0 5-0, 1 50, 1 51, 0 50))".to_owned(),
                Err(NotWkt),
            ),
            ("POLYGON ((0 50, 1 50, 1 51))".to_owned(), Err(NotValid)),
            ("POLYGON ((0 50, 1 50, 0 50))".to_owned(), Err(NotValid)),
            (
                "POLYGON ((0 50, 1 51, 1 50, 0 51, 0 50))".to_owned(),
                Err(NotValid),
            ),
            (
                "POLYGON ((0 95, 1 95, 1 96, 0 95))".to_owned(),
                Err(NotValid),
            ),
            (
                "POLYGON ((0 1e999, 1 50, 1 51, 0 50))".to_owned(),
                Err(NotValid),
            ),
            (
                format!("MULTIPOLYGON (({square}), ({square}))"),
                Err(NotValid),
            ),
            (format!("POLYGON ({square}, {other})"), Err(NotValid)),
        ] {
            let got = read_wkt(&text).map(|ground| ground.square_degrees());
            match (got, want) {
                (Ok(got), Ok(want)) => assert!((got - want).abs() < 1e-9, "{text}: {got}"),
                (got, want) => assert_eq!(got, want, "{text}"),
            }
        }
    }

    #[test]
    fn a_text_of_too_many_points_or_brackets_is_refused_at_once() {
        let many = format!("POLYGON (({}0 50))", "0 50, ".repeat(POINTS_MAX));
        assert_eq!(read_wkt(&many), Err(WktRefusal::NotValid));
        let deep = format!("POLYGON {}", "(".repeat(1_000_000));
        assert_eq!(read_wkt(&deep), Err(WktRefusal::NotWkt));
    }
}
