//! Cells of known counts, from a table (CSV) or from GeoJSON.
//!
//! A table has a line of names, then a cell a line. Its columns, in any order: `count`, and where
//! the cell is: `lat` and `lon` of its middle with `size_m` (metres) or `size_degrees`; or `west`,
//! `south`, `east` and `north` in degrees; or `wkt`, a polygon. Other columns are left out.

use std::collections::HashMap;

use balefire_domain::limits::POPULATION_CELLS_MAX;
use balefire_domain::shown::shown;
use balefire_geometry::ground::{Bounds, Ground};
use balefire_geometry::{Point, Shape};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wkt::{Ring, part, read_shapes, shapes_of};
use crate::area_libraries::{Fault, Faults, Feature, Polygons, Position, read_features};

/// Counts above this are no count of people.
const COUNT_MAX: f64 = 1e10;
/// The largest cell, in degrees.
const SIZE_DEGREES_MAX: f64 = 90.0;
/// Characters of the file that a message shows.
const SHOWN_CHARS_MAX: usize = 40;
/// Bytes of one line of a table.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A cell as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredCell {
    /// People, or phones.
    pub n: f64,
    /// West, south, east and north in degrees, where it is a box.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub sides: Option<[f64; 4]>,
    /// Outer rings of `[lat, lon]`, where it is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polygons: Vec<Vec<(f64, f64)>>,
    /// The holes in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Vec<(f64, f64)>>,
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct ReadCells {
    /// The cells, in the order of the file.
    pub cells: Vec<StoredCell>,
    /// What is wrong with others.
    pub faults: Faults,
}

impl StoredCell {
    /// West, south, east, north around it.
    pub(crate) fn bounds(&self) -> [f64; 4] {
        if let Some(sides) = self.sides {
            return sides;
        }
        let mut around = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for &(lat, lon) in self.polygons.iter().flatten() {
            around = [
                around[0].min(lon),
                around[1].min(lat),
                around[2].max(lon),
                around[3].max(lat),
            ];
        }
        around
    }
}

/// Reads a file of cells: GeoJSON where its first character is a brace, else a table. The error is
/// what keeps it from being read at all.
pub fn read_cells(text: &[u8], count_field: &str) -> Result<ReadCells, String> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut read = ReadCells::default();
    let mut seen: HashMap<[u64; 4], usize> = HashMap::new();
    let mut take = |number: usize, cell: Result<StoredCell, String>| {
        let cell =
            cell.and_then(
                |cell| match seen.insert(cell.bounds().map(f64::to_bits), number) {
                    Some(first) if cell.sides.is_some() => {
                        Err(format!("it is where cell {first} is: it would count twice"))
                    }
                    Some(_) | None => Ok(cell),
                },
            );
        match cell {
            Ok(cell) => read.cells.push(cell),
            Err(what) => read.faults.push(Fault {
                number,
                id: None,
                what,
            }),
        }
        if number > POPULATION_CELLS_MAX {
            return Err(format!("it has more than {POPULATION_CELLS_MAX} cells"));
        }
        Ok(())
    };
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        read_features(text, |number, feature| {
            take(
                number,
                feature.and_then(|own| feature_cell(own, count_field)),
            )
        })?;
    } else {
        read_table(text, count_field, take)?;
    }
    Ok(read)
}

fn feature_cell(feature: Feature, count_field: &str) -> Result<StoredCell, String> {
    let n = match feature.properties.get(count_field) {
        Some(Value::String(text)) => read_count(text)?,
        Some(count) => check_count(
            count
                .as_f64()
                .ok_or_else(|| format!("its `{count_field}` is no number"))?,
        )?,
        None => {
            return Err(format!(
                "it has no `{count_field}`, which is to be its count"
            ));
        }
    };
    polygon_cell(n, &feature.polygons?)
}

fn polygon_cell(n: f64, polygons: &Polygons) -> Result<StoredCell, String> {
    if let [polygon] = polygons.as_slice()
        && let [ring] = polygon.as_slice()
        && let Some(sides) = sides_of(ring)
    {
        return box_cell(n, sides);
    }
    let ring = |ring: &Vec<Position>| ring.iter().map(|at| (at.1, at.0)).collect();
    let rings = polygons
        .iter()
        .map(|rings| part(rings.iter().map(ring).collect()));
    let (outsides, holes): (Vec<Ring>, Vec<Vec<Ring>>) = rings.unzip();
    shape_cell(n, &shapes_of(&outsides, &holes)?)
}

/// A cell as it is stored: rounded, and parted where it goes over the antimeridian.
fn shape_cell(n: f64, (shape, holes): &(Shape, Shape)) -> Result<StoredCell, String> {
    if shape.is_empty() {
        return Err("it has no polygon".to_owned());
    }
    let rings = |shape: &Shape| -> Vec<Ring> {
        let ring = |ring: &Vec<[f64; 2]>| ring.iter().map(|at| (at[0], at[1])).collect();
        shape.to_pairs().iter().map(ring).collect()
    };
    Ok(StoredCell {
        n,
        sides: None,
        polygons: rings(shape),
        holes: rings(holes),
    })
}

/// The sides of a ring that is a box.
#[expect(
    clippy::float_cmp,
    reason = "corners of a box repeat the very numbers of each other"
)]
fn sides_of(ring: &[Position]) -> Option<[f64; 4]> {
    let [a, b, c, d, again] = ring else {
        return None;
    };
    let goes_round = (a.0 == b.0 && b.1 == c.1 && c.0 == d.0 && d.1 == a.1)
        || (a.1 == b.1 && b.0 == c.0 && c.1 == d.1 && d.0 == a.0);
    (goes_round && a == again).then(|| [a.0.min(c.0), a.1.min(c.1), a.0.max(c.0), a.1.max(c.1)])
}

fn box_cell(n: f64, sides: [f64; 4]) -> Result<StoredCell, String> {
    let [west, south, east, north] = sides;
    let corners = (
        Point::from_degrees(south, west),
        Point::from_degrees(north, east),
    );
    if corners.0.is_none() || corners.1.is_none() {
        return Err(format!(
            "its sides {west} {south} {east} {north} are not on the earth: latitudes go from -90 \
             to 90, longitudes from -180 to 180"
        ));
    }
    let (width, height) = (east - west, north - south);
    if width <= 0.0 || height <= 0.0 || width > SIZE_DEGREES_MAX || height > SIZE_DEGREES_MAX {
        return Err(format!(
            "it must be above 0 and at most {SIZE_DEGREES_MAX} degrees wide and high"
        ));
    }
    Ok(StoredCell {
        n,
        sides: Some(sides),
        polygons: Vec::new(),
        holes: Vec::new(),
    })
}

fn read_count(text: &str) -> Result<f64, String> {
    let count = text.trim().parse();
    count
        .map_err(|_| "its count is no number".to_owned())
        .and_then(check_count)
}

fn check_count(count: f64) -> Result<f64, String> {
    if (0.0..=COUNT_MAX).contains(&count) {
        Ok(count)
    } else {
        Err("its count must be a number from 0 to 10,000,000,000".to_owned())
    }
}

/// Where the columns of a table are.
struct Columns {
    count: usize,
    place: Place,
    last: usize,
}

enum Place {
    Middle { lat: usize, lon: usize, size: Size },
    Sides([usize; 4]),
    Wkt(usize),
}

enum Size {
    Metres(usize),
    Degrees(usize),
}

impl Columns {
    fn read(line: &[String], count_field: &str) -> Result<Self, String> {
        let find = |name: &str| {
            line.iter()
                .position(|column| column.trim().eq_ignore_ascii_case(name))
        };
        let need = |name: &str| {
            find(name).ok_or_else(|| format!("its first line names no column `{name}`"))
        };
        let count = need(count_field)?;
        let place = if let Some(wkt) = find("wkt") {
            Place::Wkt(wkt)
        } else if find("west").is_some() {
            Place::Sides([need("west")?, need("south")?, need("east")?, need("north")?])
        } else {
            let size = match (find("size_m"), find("size_degrees")) {
                (Some(column), None) => Size::Metres(column),
                (None, Some(column)) => Size::Degrees(column),
                (Some(_), Some(_)) => {
                    return Err("it has both `size_m` and `size_degrees`: leave one out".to_owned());
                }
                (None, None) => {
                    return Err(
                        "its first line must name how large the cells are: `size_m` in metres or \
                         `size_degrees`, beside `lat` and `lon`; or `west`, `south`, `east` and \
                         `north`; or `wkt`"
                            .to_owned(),
                    );
                }
            };
            Place::Middle {
                lat: need("lat")?,
                lon: need("lon")?,
                size,
            }
        };
        Ok(Self {
            count,
            place,
            last: line.len(),
        })
    }

    fn cell(&self, line: &[String]) -> Result<StoredCell, String> {
        if line.len() != self.last {
            let (got, want) = (line.len(), self.last);
            return Err(format!("it has {got} columns, and the first line {want}"));
        }
        let n = read_count(&line[self.count])?;
        let number = |column: usize| {
            let text = line[column].trim();
            let number: Option<f64> = text.parse().ok().filter(|number: &f64| number.is_finite());
            number.ok_or_else(|| format!("`{}` is no number", shown(text, SHOWN_CHARS_MAX)))
        };
        match &self.place {
            Place::Wkt(column) => wkt_cell(n, &line[*column]),
            Place::Sides(columns) => {
                let [west, south, east, north] = *columns;
                let sides = [number(west)?, number(south)?, number(east)?, number(north)?];
                box_cell(n, sides)
            }
            Place::Middle { lat, lon, size } => {
                let (lat, lon) = (number(*lat)?, number(*lon)?);
                let (height, width) = match size {
                    Size::Degrees(column) => (number(*column)?, number(*column)?),
                    Size::Metres(column) => degrees_of_metres(number(*column)?, lat),
                };
                let (up, side) = (height / 2.0, width / 2.0);
                box_cell(n, [lon - side, lat - up, lon + side, lat + up])
            }
        }
    }
}

fn wkt_cell(n: f64, text: &str) -> Result<StoredCell, String> {
    shape_cell(
        n,
        &read_shapes(text).map_err(|refusal| refusal.to_string())?,
    )
}

/// Degrees of latitude and of longitude in so many metres at a latitude (WGS 84).
fn degrees_of_metres(metres: f64, lat: f64) -> (f64, f64) {
    let at = lat.to_radians();
    let north = 111_132.92 - 559.82 * (2.0 * at).cos() + 1.175 * (4.0 * at).cos();
    let east = 111_412.84 * at.cos() - 93.5 * (3.0 * at).cos() + 0.118 * (5.0 * at).cos();
    (metres / north, metres / east)
}

fn read_table(
    text: &[u8],
    count_field: &str,
    mut take: impl FnMut(usize, Result<StoredCell, String>) -> Result<(), String>,
) -> Result<(), String> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        format!("it is neither GeoJSON nor a table in UTF-8: byte {at} is no character")
    })?;
    let mut lines = Lines { rest: text };
    let first = lines.next_line()?.ok_or("it is empty")?;
    if first.len() == 1 && first[0].contains(';') {
        return Err("its columns must have commas between, not semicolons".to_owned());
    }
    let columns = Columns::read(&first, count_field)?;
    let mut number = 0;
    while let Some(line) = lines.next_line()? {
        if line.len() == 1 && line[0].trim().is_empty() {
            continue;
        }
        number += 1;
        take(number, columns.cell(&line))?;
    }
    Ok(())
}

/// The lines of a table (RFC 4180): commas between, quotes around what has commas.
struct Lines<'t> {
    rest: &'t str,
}

impl Lines<'_> {
    fn next_line(&mut self) -> Result<Option<Vec<String>>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (mut line, mut column, mut is_quoted) = (Vec::new(), String::new(), false);
        let mut chars = self.rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if at > LINE_BYTES_MAX {
                return Err(format!(
                    "a line is longer than {LINE_BYTES_MAX} bytes: does a quote not end?"
                ));
            }
            match c {
                '"' if is_quoted && chars.peek().is_some_and(|&(_, next)| next == '"') => {
                    column.push('"');
                    chars.next();
                }
                '"' => is_quoted = !is_quoted,
                ',' if !is_quoted => line.push(std::mem::take(&mut column)),
                '\n' if !is_quoted => {
                    self.rest = &self.rest[at + 1..];
                    line.push(column.trim_end_matches('\r').to_owned());
                    return Ok(Some(line));
                }
                c => column.push(c),
            }
        }
        self.rest = "";
        line.push(column);
        Ok(Some(line))
    }
}

/// The cell as it counts.
pub(super) fn ground_of(cell: &StoredCell) -> Option<balefire_geometry::population::CellGround> {
    use balefire_geometry::population::CellGround;
    if let Some([west, south, east, north]) = cell.sides {
        return Some(CellGround::Box(Bounds {
            west,
            south,
            east,
            north,
        }));
    }
    let shape = Shape::restore(&cell.polygons).ok()?;
    let holes = Shape::restore(&cell.holes).ok()?;
    Some(CellGround::Ground(Ground::with_holes(&shape, &holes)))
}
