//! `cargo xtask countries`: the countries that Balefire brings along, from Natural Earth as the npm
//! package `world-atlas` redistributes it, into `crates/balefire/data/countries.geojson`.
//!
//! The package is fetched by npm's own client, which checks its digest. TopoJSON stores each border
//! once, as differences between whole numbers; GeoJSON, as it is written here, has a ring for every
//! polygon, three decimals (110 m; the source's own grid is some 400 m), and no holes: lakes and
//! enclaves are part of an alert for the country around them. Countries keep the numeric code of
//! ISO 3166-1 as their id; those that have none there get one of their name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// The package, exactly.
const PACKAGE: &str = "world-atlas@2.0.2";
/// Of its three scales the middle one: 1:50 million.
const FILE: &str = "package/countries-50m.json";
/// Where the countries go.
const TARGET: &str = "crates/balefire/data/countries.geojson";
/// Degrees by which a point of an arc may lie beside the line that is left without it: about the
/// source's own grid. Arcs are thinned once, so that neighbours keep one border.
const THINNED_DEGREES_MAX: f64 = 0.005;
/// The eastern ends of the windows of 180 degrees into which wide rings are cut.
const WINDOWS: [f64; 6] = [-360.0, -180.0, 0.0, 180.0, 360.0, 540.0];

type Position = (f64, f64);

/// Fetches, converts and writes.
pub fn run(root: &Path) -> anyhow::Result<bool> {
    let folder = root.join("target").join("countries");
    std::fs::create_dir_all(&folder)?;
    let archive = fetch(&folder)?;
    unpack(&folder, &archive)?;
    let text = std::fs::read(folder.join(FILE)).context(FILE)?;
    let topology: Value = serde_json::from_slice(&text).context(FILE)?;
    let written = convert(&topology)?;
    std::fs::write(root.join(TARGET), &written).context(TARGET)?;
    super::say(&format!("{TARGET}: {} bytes\n", written.len()));
    Ok(true)
}

/// The name of the file that npm put into the folder.
fn fetch(folder: &Path) -> anyhow::Result<String> {
    let packed = Command::new("npm")
        .args(["pack", PACKAGE, "--silent"])
        .current_dir(folder)
        .output()
        .context("npm is needed to fetch world-atlas: install Debian's package npm")?;
    ensure!(
        packed.status.success(),
        "npm pack {PACKAGE} failed: {}",
        String::from_utf8_lossy(&packed.stderr)
    );
    let said = String::from_utf8(packed.stdout)?;
    let name = said.lines().last().unwrap_or_default().trim().to_owned();
    ensure!(!name.is_empty(), "npm pack named no file");
    Ok(name)
}

fn unpack(folder: &Path, archive: &str) -> anyhow::Result<()> {
    let unpacked = Command::new("tar")
        .args(["xzf", archive, FILE])
        .current_dir(folder)
        .status()
        .context("tar is needed to unpack it")?;
    ensure!(unpacked.success(), "tar can't unpack {archive}");
    Ok(())
}

fn convert(topology: &Value) -> anyhow::Result<String> {
    let arcs = decode_arcs(topology)?;
    let countries = topology
        .pointer("/objects/countries/geometries")
        .and_then(Value::as_array)
        .context("there are no countries in it")?;
    let mut out = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    let mut ids = BTreeSet::new();
    for (index, country) in countries.iter().enumerate() {
        let name = country.pointer("/properties/name").and_then(Value::as_str);
        let name = name.with_context(|| format!("country {index} has no name"))?;
        let id = id_of(country, name, &mut ids);
        let rings = outsides(country, &arcs).with_context(|| name.to_owned())?;
        let comma = if index > 0 { "," } else { "" };
        let (id, name) = (Value::from(id), Value::from(name));
        write!(
            out,
            "{comma}\n{{\"type\":\"Feature\",\"properties\":{{\"id\":{id},\"name\":{name}}},\
             \"geometry\":{{\"type\":\"MultiPolygon\",\"coordinates\":["
        )?;
        write_rings(&mut out, &rings)?;
        out.push_str("]}}");
    }
    out.push_str("\n]}\n");
    Ok(out)
}

/// A country's code, or one of its name where it has none or shares it.
fn id_of(country: &Value, name: &str, ids: &mut BTreeSet<String>) -> String {
    let code = country.get("id").and_then(Value::as_str).unwrap_or("");
    if !code.is_empty() && ids.insert(code.to_owned()) {
        return code.to_owned();
    }
    let letters = name.to_lowercase();
    let words = letters.split(|c: char| !c.is_alphanumeric());
    let id = words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    ids.insert(id.clone());
    id
}

/// Each arc's points: differences of whole numbers, scaled.
fn decode_arcs(topology: &Value) -> anyhow::Result<Vec<Vec<Position>>> {
    let numbers = |pointer: &str| -> anyhow::Result<Vec<f64>> {
        let list = topology.pointer(pointer).and_then(Value::as_array);
        let list = list.with_context(|| format!("there is no {pointer} in it"))?;
        list.iter()
            .map(|number| number.as_f64().context("no number"))
            .collect()
    };
    let (scale, translate) = (
        numbers("/transform/scale")?,
        numbers("/transform/translate")?,
    );
    let arcs = topology.get("arcs").and_then(Value::as_array);
    let decode = |arc: &Value| -> anyhow::Result<Vec<Position>> {
        let (mut x, mut y) = (0.0, 0.0);
        let steps = arc.as_array().context("an arc is a list")?;
        let places = steps.iter().map(|step| {
            x += step[0].as_f64().context("no number")?;
            y += step[1].as_f64().context("no number")?;
            Ok((x * scale[0] + translate[0], y * scale[1] + translate[1]))
        });
        Ok(thin(&places.collect::<anyhow::Result<Vec<Position>>>()?))
    };
    arcs.context("there are no arcs in it")?
        .iter()
        .map(decode)
        .collect()
}

/// Douglas and Peucker's thinning of an arc, whose ends stay; a ring of one arc keeps four points.
fn thin(arc: &[Position]) -> Vec<Position> {
    if arc.len() < 6 {
        return arc.to_vec();
    }
    let mut is_kept = vec![false; arc.len()];
    let quarter = arc.len() / 4;
    let fixed = [0, quarter, 2 * quarter, 3 * quarter, arc.len() - 1];
    let mut spans: Vec<(usize, usize)> = fixed.windows(2).map(|pair| (pair[0], pair[1])).collect();
    for &index in &fixed {
        is_kept[index] = true;
    }
    while let Some((from, to)) = spans.pop() {
        let beside = |index: usize| distance(arc[index], arc[from], arc[to]);
        let farthest = (from + 1..to).max_by(|&a, &b| beside(a).total_cmp(&beside(b)));
        if let Some(index) = farthest.filter(|&index| beside(index) > THINNED_DEGREES_MAX) {
            is_kept[index] = true;
            spans.extend([(from, index), (index, to)]);
        }
    }
    let kept = arc.iter().zip(is_kept).filter(|(_, is_kept)| *is_kept);
    kept.map(|(at, _)| *at).collect()
}

/// Degrees between a point and a line of a certain length.
fn distance(at: Position, from: Position, to: Position) -> f64 {
    let (east, north) = (to.0 - from.0, to.1 - from.1);
    let squared = east * east + north * north;
    let along = (at.0 - from.0) * east + (at.1 - from.1) * north;
    let part = if squared > 0.0 {
        (along / squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (at.0 - from.0 - part * east).hypot(at.1 - from.1 - part * north)
}

/// The outer ring of every polygon.
fn outsides(country: &Value, arcs: &[Vec<Position>]) -> anyhow::Result<Vec<Vec<Position>>> {
    let polygons: Vec<&Value> = match country["type"].as_str() {
        Some("Polygon") => vec![&country["arcs"]],
        Some("MultiPolygon") => country["arcs"]
            .as_array()
            .context("no list")?
            .iter()
            .collect(),
        kind => bail!("it is a {kind:?}"),
    };
    let mut rings = Vec::new();
    for polygon in polygons {
        let own = polygon.as_array().context("a polygon is a list of rings")?;
        let own: Vec<Vec<Position>> = own
            .iter()
            .map(|ring| follow(ring, arcs).map(run_on))
            .collect::<anyhow::Result<_>>()?;
        // Around a pole there are two rings, its coast and a tiny one; else the first is outside.
        let coasts = own.iter().filter(|ring| goes_round(ring));
        let coast = coasts.max_by_key(|ring| ring.len());
        let outside = coast.or(own.first()).context("a polygon has a ring")?;
        rings.extend(cut(outside.clone()));
    }
    Ok(rings)
}

/// A ring of arcs, each of which begins where the one before it ends. A negative number is an arc
/// the other way round.
fn follow(numbers: &Value, arcs: &[Vec<Position>]) -> anyhow::Result<Vec<Position>> {
    let mut ring: Vec<Position> = Vec::new();
    for number in numbers.as_array().context("a ring is a list of arcs")? {
        let number = number.as_i64().context("an arc's number is whole")?;
        let index = usize::try_from(if number < 0 { !number } else { number })?;
        let arc = arcs.get(index).context("there is no such arc")?;
        let skip = usize::from(!ring.is_empty());
        if number < 0 {
            ring.extend(arc.iter().rev().skip(skip));
        } else {
            ring.extend(arc.iter().skip(skip));
        }
    }
    ring.dedup();
    Ok(ring)
}

/// A ring as pieces that a flat map can hold. In the source rings run on over the antimeridian, and
/// around the pole.
fn cut(mut ring: Vec<Position>) -> Vec<Vec<Position>> {
    let (start, end) = (ring[0].0, ring[ring.len() - 1].0);
    if goes_round(&ring) {
        // It ends once around the earth: the ground goes on to the pole.
        let pole = if ring[0].1 < 0.0 { -90.0 } else { 90.0 };
        ring.extend([(end, pole), (start, pole), ring[0]]);
    }
    let west = ring.iter().map(|at| at.0).fold(f64::MAX, f64::min);
    let east = ring.iter().map(|at| at.0).fold(f64::MIN, f64::max);
    if west >= -180.0 && east <= 180.0 && east - west < 180.0 {
        return vec![close(ring)];
    }
    let piece = |window: f64| {
        let piece = clip(&clip(&ring, window - 180.0, 1.0), window, -1.0);
        let home = |(lon, lat): Position| (lon - home_turn(window), lat);
        close(piece.into_iter().map(home).collect())
    };
    let pieces = WINDOWS.into_iter().map(piece);
    pieces.filter(|piece| piece.len() > 3).collect()
}

/// A ring whose longitudes run on without a jump.
fn run_on(mut ring: Vec<Position>) -> Vec<Position> {
    for index in 1..ring.len() {
        let step = ring[index].0 - ring[index - 1].0;
        ring[index].0 -= (step / 360.0).round() * 360.0;
    }
    ring.dedup();
    ring
}

/// Whether a ring ends once around the earth from where it began.
fn goes_round(ring: &[Position]) -> bool {
    let ends = ring.first().zip(ring.last());
    ends.is_some_and(|(first, last)| (last.0 - first.0).abs() > 180.0)
}

/// By how much a window's longitudes lie beyond where they belong.
fn home_turn(window: f64) -> f64 {
    ((window - 90.0) / 360.0).round() * 360.0
}

/// What of a ring lies east of a meridian, or west of it where `side` is -1.
fn clip(ring: &[Position], meridian: f64, side: f64) -> Vec<Position> {
    let depth = |at: Position| (at.0 - meridian) * side;
    let mut left = Vec::new();
    for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (before, after) = (depth(*from), depth(*to));
        if before >= 0.0 {
            left.push(*from);
        }
        if before * after < 0.0 {
            let part = before / (before - after);
            left.push((meridian, from.1 + (to.1 - from.1) * part));
        }
    }
    left
}

fn close(mut ring: Vec<Position>) -> Vec<Position> {
    ring.dedup();
    if ring.first() != ring.last() {
        ring.extend(ring.first().copied());
    }
    ring
}

fn write_rings(out: &mut String, rings: &[Vec<Position>]) -> anyhow::Result<()> {
    for (number, ring) in rings.iter().enumerate() {
        out.push_str(if number > 0 { ",[[" } else { "[[" });
        for (place, (lon, lat)) in ring.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(out, "{comma}[{},{}]", short(*lon), short(*lat))?;
        }
        out.push_str("]]");
    }
    Ok(())
}

/// A number with DECIMALS decimals at most.
fn short(degrees: f64) -> String {
    let text = format!("{degrees:.DECIMALS$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// Decimals that are written.
const DECIMALS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arcs_become_rings_whichever_way_they_run() {
        let topology = json!({
            "transform": { "scale": [0.5, 0.5], "translate": [10, 50] },
            "arcs": [[[0, 0], [2, 0], [0, 2]], [[0, 0], [0, 2], [2, 0]]],
            "objects": { "countries": { "geometries": [
                { "type": "Polygon", "arcs": [[0, -2]], "id": "001",
                  "properties": { "name": "Square" } },
                { "type": "MultiPolygon", "arcs": [[[0, -2]]],
                  "properties": { "name": "St. Nobody's" } },
            ] } },
        });
        let text = convert(&topology).expect("it converts");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let ring = json!([[[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]]);
        for (index, id) in ["001", "st-nobody-s"].into_iter().enumerate() {
            let feature = &read["features"][index];
            assert_eq!(feature["geometry"]["coordinates"], ring);
            assert_eq!(feature["properties"]["id"], id);
        }
    }

    #[test]
    fn a_ring_around_a_pole_and_one_over_the_antimeridian_become_pieces() {
        let around = [
            (-180.0, -80.0),
            (-60.0, -70.0),
            (60.0, -70.0),
            (175.0, -79.0),
            (-180.0, -80.0),
        ];
        let halves = cut(run_on(around.to_vec()));
        assert_eq!(halves.len(), 2, "{halves:?}");
        for half in &halves {
            assert!(half.iter().any(|at| at.1 <= -90.0), "{half:?}");
        }
        let over = [
            (179.0, 10.0),
            (-179.0, 10.0),
            (-179.0, 11.0),
            (179.0, 11.0),
            (179.0, 10.0),
        ];
        let pieces = cut(run_on(over.to_vec()));
        assert_eq!(pieces.len(), 2, "{pieces:?}");
        for piece in halves.iter().chain(&pieces) {
            assert!(piece.iter().all(|at| at.0.abs() <= 180.0), "{piece:?}");
            assert_eq!(piece.first(), piece.last());
        }
    }
}
