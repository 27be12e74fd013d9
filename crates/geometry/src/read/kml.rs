//! KML: every `Polygon` in the document, wherever it stands (`Placemark`, `Folder`,
//! `MultiGeometry`), with its inner boundaries. Coordinates are longitude, latitude and an
//! altitude that is left out. Points and lines are passed over: a KML file of a drawing program
//! has them as labels.

use roxmltree::{Document, Node, ParsingOptions};

use balefire_domain::limits::XML_NODES_MAX;

use super::kml_scan::refuse_hostile;
use super::{Holes, ReadRefusal, Reading, Sketch, form, refuse_long};

type Pairs = Vec<(f64, f64)>;

/// Reads a document of at most [`super::BYTES_MAX`] bytes, which is UTF-8. XML is read as hostile:
/// no document type, no entities but the five of XML, bounded depth, nodes and tags.
pub fn read(text: &str, holes: Holes) -> Result<Reading, ReadRefusal> {
    refuse_long(text.len())?;
    refuse_hostile(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: XML_NODES_MAX,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let place = format!("line {}, column {}", error.pos().row, error.pos().col);
        form(&place, &format!("not XML that can be read: {error}"))
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "kml" {
        return Err(form(&place_of(root), "the root element must be `kml`"));
    }
    let mut sketch = Sketch::default();
    for node in root.descendants() {
        if is(node, "Polygon") {
            add_polygon(&mut sketch, node)?;
        }
    }
    sketch.finish(holes)
}

fn add_polygon(sketch: &mut Sketch, polygon: Node) -> Result<(), ReadRefusal> {
    let rings_of = |boundary: &'static str| {
        let boundaries = polygon.children().filter(move |&node| is(node, boundary));
        boundaries.flat_map(|node| node.children().filter(|&node| is(node, "LinearRing")))
    };
    let mut rings: Vec<Pairs> = Vec::new();
    for ring in rings_of("outerBoundaryIs").chain(rings_of("innerBoundaryIs")) {
        rings.push(read_ring(sketch, ring)?);
    }
    if rings_of("outerBoundaryIs").count() != 1 {
        let rule = "a Polygon has one outerBoundaryIs with one LinearRing";
        return Err(form(&place_of(polygon), rule));
    }
    sketch.add(place_of(polygon), rings);
    Ok(())
}

fn read_ring(sketch: &mut Sketch, ring: Node) -> Result<Pairs, ReadRefusal> {
    let place = place_of(ring);
    sketch.count_ring(&place)?;
    let Some(coordinates) = ring.children().find(|&node| is(node, "coordinates")) else {
        return Err(form(&place, "a LinearRing has `coordinates`"));
    };
    let mut pairs = Vec::new();
    let texts = coordinates.children().filter_map(|node| node.text());
    for tuple in texts.flat_map(str::split_whitespace) {
        sketch.count_point(&place)?;
        let mut numbers = tuple.split(',').map(str::parse::<f64>);
        let (Some(Ok(lon)), Some(Ok(lat))) = (numbers.next(), numbers.next()) else {
            let place = format!("{}, tuple {}", place_of(coordinates), pairs.len() + 1);
            return Err(form(
                &place,
                "not longitude,latitude or longitude,latitude,altitude",
            ));
        };
        sketch.altitudes += usize::from(numbers.next().is_some());
        pairs.push((lat, lon));
    }
    Ok(pairs)
}

fn is(node: Node, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn place_of(node: Node) -> String {
    let at = node.document().text_pos_at(node.range().start);
    format!("line {}, column {}", at.row, at.col)
}
