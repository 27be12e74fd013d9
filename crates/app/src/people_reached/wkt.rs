//! Reading an area in well-known text: POLYGON and MULTIPOLYGON, longitude before latitude.

use balefire_domain::limits::POINTS_MAX;
use balefire_geometry::ground::Ground;
use balefire_geometry::{OpenRings, Shape};

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

type Ring = Vec<(f64, f64)>;

/// The ground that a text is for. Holes don't count to it.
pub fn read_wkt(text: &str) -> Result<Ground, WktRefusal> {
    let (outsides, holes) = read_rings(text)?;
    let not_valid = |_| WktRefusal::NotValid;
    let shape = Shape::validate_with(&outsides, OpenRings::Refuse).map_err(not_valid)?;
    let mut all_holes = Vec::new();
    for (outside, holes) in outsides.iter().zip(holes) {
        let around = Shape::validate(std::slice::from_ref(outside)).map_err(not_valid)?;
        let own = Shape::validate(&holes).map_err(not_valid)?;
        if !around.covers(&own) {
            return Err(WktRefusal::NotValid);
        }
        all_holes.extend(holes);
    }
    let holes = Shape::validate(&all_holes).map_err(not_valid)?;
    Ok(Ground::with_holes(&shape, &holes))
}

/// The outer rings, and the holes of each.
pub(super) fn read_rings(text: &str) -> Result<(Vec<Ring>, Vec<Vec<Ring>>), WktRefusal> {
    let mut reader = Reader::new(text);
    let kind = reader.word().to_ascii_uppercase();
    let polygons = match kind.as_str() {
        "POLYGON" => {
            reader.skip_dimensions();
            if reader.take_empty() {
                Vec::new()
            } else {
                vec![reader.polygon()?]
            }
        }
        "MULTIPOLYGON" => {
            reader.skip_dimensions();
            if reader.take_empty() {
                Vec::new()
            } else {
                reader.list(Reader::polygon)?
            }
        }
        kind if OTHER_KINDS.contains(&kind) => return Err(WktRefusal::NotPolygons),
        _ => return Err(WktRefusal::NotWkt),
    };
    if !reader.rest.trim().is_empty() {
        return Err(WktRefusal::NotWkt);
    }
    let split = |mut rings: Vec<Ring>| {
        let outside = if rings.is_empty() {
            Vec::new()
        } else {
            rings.remove(0)
        };
        (outside, rings)
    };
    Ok(polygons.into_iter().map(split).unzip())
}

struct Reader<'t> {
    rest: &'t str,
    points: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            points: 0,
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// The letters that come next.
    fn word(&mut self) -> &'t str {
        self.skip_blanks();
        let is_letter = |c: char| c.is_ascii_alphabetic();
        let end = self.rest.find(|c| !is_letter(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// `Z`, `M` and `ZM` say that points have further numbers, which are left out.
    fn skip_dimensions(&mut self) {
        let before = self.rest;
        if !matches!(self.word().to_ascii_uppercase().as_str(), "Z" | "M" | "ZM") {
            self.rest = before;
        }
    }

    fn take_empty(&mut self) -> bool {
        let before = self.rest;
        let is_empty = self.word().eq_ignore_ascii_case("EMPTY");
        if !is_empty {
            self.rest = before;
        }
        is_empty
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A list in brackets with commas between. Lists are nested three deep at most.
    fn list<T>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, WktRefusal>,
    ) -> Result<Vec<T>, WktRefusal> {
        if !self.take('(') {
            return Err(WktRefusal::NotWkt);
        }
        let mut read_so_far = vec![read(self)?];
        while self.take(',') {
            read_so_far.push(read(self)?);
        }
        if self.take(')') {
            Ok(read_so_far)
        } else {
            Err(WktRefusal::NotWkt)
        }
    }

    fn polygon(&mut self) -> Result<Vec<Ring>, WktRefusal> {
        self.list(|reader| reader.list(Self::point))
    }

    /// Latitude and longitude of a point: the text has the longitude first.
    fn point(&mut self) -> Result<(f64, f64), WktRefusal> {
        self.points += 1;
        if self.points > POINTS_MAX {
            return Err(WktRefusal::NotValid);
        }
        let mut numbers = [0.0; 4];
        let mut count = 0;
        while let Some(number) = self.number()? {
            *numbers.get_mut(count).ok_or(WktRefusal::NotWkt)? = number;
            count += 1;
        }
        if count < 2 {
            return Err(WktRefusal::NotWkt);
        }
        Ok((numbers[1], numbers[0]))
    }

    fn number(&mut self) -> Result<Option<f64>, WktRefusal> {
        self.skip_blanks();
        let is_of_a_number =
            |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_of_a_number(c));
        let (number, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if number.is_empty() {
            return Ok(None);
        }
        self.rest = rest;
        number.parse().map(Some).map_err(|_| WktRefusal::NotWkt)
    }
}

#[cfg(test)]
mod tests {
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
