//! GeoJSON (RFC 7946): Polygon, MultiPolygon, GeometryCollection, Feature and FeatureCollection.
//! Points and lines have no ground and are refused by name. The order of a ring's points
//! (clockwise or not) and all other members are ignored.

use serde_json::Value;

use super::{DEPTH_MAX, Holes, ReadRefusal, Reading, Sketch, form, refuse_long};

type Pairs = Vec<(f64, f64)>;

/// Reads a document of at most [`super::BYTES_MAX`] bytes.
pub fn read(bytes: &[u8], holes: Holes) -> Result<Reading, ReadRefusal> {
    refuse_long(bytes.len())?;
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        form(&place, &format!("not JSON: {error}"))
    })?;
    read_value(&value, holes)
}

/// Reads JSON that is already parsed: any GeoJSON object. The bound on bytes is the caller's.
pub fn read_value(value: &Value, holes: Holes) -> Result<Reading, ReadRefusal> {
    let mut sketch = Sketch::default();
    add_object(&mut sketch, value, "", 0)?;
    sketch.finish(holes)
}

fn add_object(
    sketch: &mut Sketch,
    value: &Value,
    place: &str,
    depth: usize,
) -> Result<(), ReadRefusal> {
    let shown = if place.is_empty() {
        "the document"
    } else {
        place
    };
    if depth > DEPTH_MAX {
        return Err(form(shown, "collections nested too deeply"));
    }
    let inside = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    let kind = value.get("type").and_then(Value::as_str);
    match kind {
        Some("FeatureCollection") => add_all(sketch, value, "features", &inside, shown, depth),
        Some("GeometryCollection") => add_all(sketch, value, "geometries", &inside, shown, depth),
        Some("Feature") => match value.get("geometry") {
            None | Some(Value::Null) => {
                sketch.no_geometry += 1;
                Ok(())
            }
            Some(geometry) => add_object(sketch, geometry, &inside("geometry"), depth + 1),
        },
        Some("Polygon") => {
            let place = inside("coordinates");
            add_polygon(
                sketch,
                value.get("coordinates").unwrap_or(&Value::Null),
                place,
            )
        }
        Some("MultiPolygon") => {
            let place = inside("coordinates");
            let polygons = list(value.get("coordinates"), &place, "polygons")?;
            for (index, polygon) in polygons.iter().enumerate() {
                add_polygon(sketch, polygon, format!("{place}[{index}]"))?;
            }
            Ok(())
        }
        Some(kind @ ("Point" | "MultiPoint" | "LineString" | "MultiLineString")) => Err(form(
            shown,
            &format!("a {kind} has no ground; a Polygon or MultiPolygon is wanted"),
        )),
        Some(_) => Err(form(shown, "its `type` is none of GeoJSON's")),
        None => Err(form(shown, "not a GeoJSON object: it has no `type`")),
    }
}

fn add_all(
    sketch: &mut Sketch,
    value: &Value,
    member: &str,
    inside: &dyn Fn(&str) -> String,
    shown: &str,
    depth: usize,
) -> Result<(), ReadRefusal> {
    let place = inside(member);
    let Some(members) = value.get(member).and_then(Value::as_array) else {
        return Err(form(shown, &format!("`{member}` is not a list")));
    };
    for (index, member) in members.iter().enumerate() {
        add_object(sketch, member, &format!("{place}[{index}]"), depth + 1)?;
    }
    Ok(())
}

fn add_polygon(sketch: &mut Sketch, value: &Value, place: String) -> Result<(), ReadRefusal> {
    let mut rings: Vec<Pairs> = Vec::new();
    for (index, ring) in list(Some(value), &place, "rings")?.iter().enumerate() {
        let ring_place = format!("{place}[{index}]");
        sketch.count_ring(&ring_place)?;
        let positions = list(Some(ring), &ring_place, "positions")?;
        let mut pairs = Vec::new();
        for (number, position) in positions.iter().enumerate() {
            sketch.count_point(&ring_place)?;
            let pair = read_position(sketch, position).ok_or_else(|| {
                let place = format!("{ring_place}[{number}]");
                form(
                    &place,
                    "not a position: two or more numbers, longitude first",
                )
            })?;
            pairs.push(pair);
        }
        rings.push(pairs);
    }
    sketch.add(place, rings);
    Ok(())
}

fn read_position(sketch: &mut Sketch, position: &Value) -> Option<(f64, f64)> {
    let numbers = position.as_array()?;
    let (lon, lat) = (numbers.first()?.as_f64()?, numbers.get(1)?.as_f64()?);
    if numbers.len() > 2 {
        sketch.altitudes += 1;
    }
    Some((lat, lon))
}

fn list<'a>(
    value: Option<&'a Value>,
    place: &str,
    what: &str,
) -> Result<&'a Vec<Value>, ReadRefusal> {
    let list = value.and_then(Value::as_array);
    list.ok_or_else(|| form(place, &format!("not a list of {what}")))
}
