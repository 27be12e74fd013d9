//! WKT: `POLYGON`, `MULTIPOLYGON` and `GEOMETRYCOLLECTION` of these, longitude first, with an
//! optional `SRID=4326;` in front and `Z`, `M` or `ZM` (whose numbers are left out).

use super::{DEPTH_MAX, Holes, ReadRefusal, Reading, Sketch, form, refuse_long};

/// Pairs of latitude and longitude.
pub type Pairs = Vec<(f64, f64)>;

/// Reads a text of at most [`super::BYTES_MAX`] bytes.
pub fn read(text: &str, holes: Holes) -> Result<Reading, ReadRefusal> {
    sketch(text)?.finish(holes)
}

/// The outer ring of each polygon and its holes, as they are written, for who wants the holes as
/// such: in pairs of latitude and longitude, bounded as [`read`] bounds them, and not judged.
pub fn rings(text: &str) -> Result<Vec<(Pairs, Vec<Pairs>)>, ReadRefusal> {
    let polygons = sketch(text)?.polygons.into_iter();
    Ok(polygons
        .map(|drawn| (drawn.exterior, drawn.holes))
        .collect())
}

fn sketch(text: &str) -> Result<Sketch, ReadRefusal> {
    refuse_long(text.len())?;
    let mut sketch = Sketch::default();
    let mut text = Text { text, at: 0 };
    if text.take_prefix("SRID=") {
        if !text.take_prefix("4326") {
            return Err(text.refuse("only SRID 4326 (WGS 84, degrees) can be read"));
        }
        text.want(';')?;
    }
    add_geometry(&mut sketch, &mut text, 0)?;
    text.skip_space();
    if text.at < text.text.len() {
        return Err(text.refuse("nothing more is wanted here"));
    }
    Ok(sketch)
}

fn add_geometry(sketch: &mut Sketch, text: &mut Text, depth: usize) -> Result<(), ReadRefusal> {
    if depth > DEPTH_MAX {
        return Err(text.refuse("collections nested too deeply"));
    }
    let place = text.place();
    let kind = text.take_word().to_ascii_uppercase();
    let before = text.at;
    let word = text.take_word().to_ascii_uppercase();
    if !matches!(word.as_str(), "" | "Z" | "M" | "ZM") {
        text.at = before;
    }
    if text.take_prefix("EMPTY") {
        return Ok(());
    }
    match kind.as_str() {
        "POLYGON" => add_polygon(sketch, text, place),
        "MULTIPOLYGON" => text.take_list(|text| {
            let place = text.place();
            add_polygon(sketch, text, place)
        }),
        "GEOMETRYCOLLECTION" => text.take_list(|text| add_geometry(sketch, text, depth + 1)),
        _ => Err(form(
            &place,
            "POLYGON, MULTIPOLYGON or GEOMETRYCOLLECTION is wanted",
        )),
    }
}

fn add_polygon(sketch: &mut Sketch, text: &mut Text, place: String) -> Result<(), ReadRefusal> {
    let mut rings: Vec<Pairs> = Vec::new();
    text.take_list(|text| {
        sketch.count_ring(&place)?;
        let mut pairs = Vec::new();
        text.take_list(|text| {
            sketch.count_point(&place)?;
            let (lon, lat) = (text.take_number()?, text.take_number()?);
            let mut further = 0;
            while further < 2 && !text.is_next(&[',', ')']) {
                text.take_number()?;
                further += 1;
            }
            sketch.altitudes += usize::from(further > 0);
            pairs.push((lat, lon));
            Ok(())
        })?;
        rings.push(pairs);
        Ok(())
    })?;
    sketch.add(place, rings);
    Ok(())
}

/// The text and how far it is read, in bytes.
struct Text<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Text<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn place(&mut self) -> String {
        self.skip_space();
        format!("byte {}", self.at + 1)
    }

    fn refuse(&mut self, rule: &str) -> ReadRefusal {
        form(&self.place(), rule)
    }

    fn is_next(&mut self, any: &[char]) -> bool {
        self.skip_space();
        self.rest().starts_with(any)
    }

    fn take_prefix(&mut self, prefix: &str) -> bool {
        self.skip_space();
        let found = self.rest().get(..prefix.len());
        let is_there = found.is_some_and(|found| found.eq_ignore_ascii_case(prefix));
        if is_there {
            self.at += prefix.len();
        }
        is_there
    }

    fn want(&mut self, wanted: char) -> Result<(), ReadRefusal> {
        if self.is_next(&[wanted]) {
            self.at += wanted.len_utf8();
            return Ok(());
        }
        Err(self.refuse(&format!("`{wanted}` is wanted here")))
    }

    fn take_while(&mut self, belongs: fn(char) -> bool) -> &'a str {
        self.skip_space();
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn take_word(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_alphabetic())
    }

    fn take_number(&mut self) -> Result<f64, ReadRefusal> {
        let place = self.place();
        let number = self.take_while(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        number
            .parse()
            .map_err(|_| form(&place, "a number is wanted here"))
    }

    /// `( item , item … )`
    fn take_list(
        &mut self,
        mut take_item: impl FnMut(&mut Self) -> Result<(), ReadRefusal>,
    ) -> Result<(), ReadRefusal> {
        if self.take_prefix("EMPTY") {
            return Ok(());
        }
        self.want('(')?;
        loop {
            take_item(self)?;
            if !self.is_next(&[',']) {
                return self.want(')');
            }
            self.at += 1;
        }
    }
}
