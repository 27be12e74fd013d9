//! GeoJSON, WKT, KML and CAP circles: what is read, what is refused, where and in which words.

use balefire_geometry::read::{BYTES_MAX, cap_circle, geojson, kml, wkt};
use balefire_geometry::{Holes, ReadRefusal, Reading, Remark, Shape};

const SQUARE: &str = "[[0,50],[1,50],[1,51],[0,51],[0,50]]";
const HOLE: &str = "[[0.4,50.4],[0.6,50.4],[0.6,50.6],[0.4,50.6],[0.4,50.4]]";

fn read(text: &str) -> Result<Reading, ReadRefusal> {
    geojson::read(text.as_bytes(), Holes::Cut)
}

fn square() -> Shape {
    let ring = vec![
        (50.0, 0.0),
        (50.0, 1.0),
        (51.0, 1.0),
        (51.0, 0.0),
        (50.0, 0.0),
    ];
    Shape::validate(&[ring]).expect("a square")
}

#[test]
fn the_same_square_comes_from_every_form() {
    let polygon = format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#);
    let feature = format!(r#"{{"type":"Feature","properties":null,"geometry":{polygon}}}"#);
    let kml_of = |inside: &str| {
        format!(
            "<?xml version=\"1.0\"?><kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\
             <Placemark><Point><coordinates>1,2</coordinates></Point></Placemark><Placemark>\
             {inside}</Placemark></Document></kml>"
        )
    };
    let boundary = "<Polygon><outerBoundaryIs><LinearRing><coordinates>\n 0,50,9 1,50 1,51\n\
                    0,51 0,50 </coordinates></LinearRing></outerBoundaryIs></Polygon>";
    let readings = [
        read(&polygon),
        read(&format!(
            r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}]]}}"#
        )),
        read(&feature),
        read(&format!(
            r#"{{"type":"FeatureCollection","features":[{feature}]}}"#
        )),
        read(&format!(
            r#"{{"type":"GeometryCollection","geometries":[{polygon}]}}"#
        )),
        wkt::read("POLYGON((0 50,1 50,1 51,0 51,0 50))", Holes::Cut),
        wkt::read(
            " srid=4326; multipolygon z (((0 50 1, 1 50 1,1 51 2,0 51 3,0 5e1 4)))",
            Holes::Cut,
        ),
        wkt::read(
            "GEOMETRYCOLLECTION(POLYGON EMPTY,POLYGON((0 50,1 50,1 51,0 51,0 50)))",
            Holes::Cut,
        ),
        kml::read(&kml_of(boundary), Holes::Cut),
        kml::read(
            &kml_of(&format!("<MultiGeometry>{boundary}</MultiGeometry>")),
            Holes::Cut,
        ),
    ];
    for (number, reading) in readings.into_iter().enumerate() {
        let reading = reading.expect("it can be read");
        assert_eq!(reading.shape, square(), "form {number}");
        let altitudes = match number {
            6 => Some(Remark::AltitudesIgnored { points: 5 }),
            8 | 9 => Some(Remark::AltitudesIgnored { points: 1 }),
            _ => None,
        };
        assert_eq!(reading.remarks, Vec::from_iter(altitudes), "form {number}");
    }
}

#[test]
fn a_hole_is_refused_cut_or_filled_as_the_caller_says() {
    let text = format!(r#"{{"type":"Polygon","coordinates":[{SQUARE},{HOLE}]}}"#);
    let read = |holes| geojson::read(text.as_bytes(), holes);
    let refusal = read(Holes::Refuse).expect_err("refused").to_string();
    assert_eq!(
        refusal,
        "coordinates: a polygon with holes, which an alert can't have"
    );
    let filled = read(Holes::Fill).expect("filled");
    assert_eq!(filled.shape, square());
    assert_eq!(filled.remarks, [Remark::HolesFilled { holes: 1 }]);
    let cut = read(Holes::Cut).expect("cut");
    assert_eq!(cut.remarks, [Remark::HolesCut { holes: 1 }]);
    assert_eq!(
        (cut.shape.polygon_count(), cut.shape.point_count()),
        (1, 11)
    );
    assert!(square().covers(&cut.shape), "nothing outside comes in");
    let hole: Vec<(f64, f64)> = vec![
        (50.4, 0.4),
        (50.4, 0.6),
        (50.6, 0.6),
        (50.6, 0.4),
        (50.4, 0.4),
    ];
    let hole = Shape::validate(&[hole]).expect("a square");
    assert!(!cut.shape.overlaps(&hole), "the hole's ground stays out");
    let lost = square().area_m2() - hole.area_m2() - cut.shape.area_m2();
    assert!(
        lost > 0.0 && lost / square().area_m2() < 1e-5,
        "{lost} m2 lost to the slit"
    );
}

#[test]
fn many_holes_are_cut_without_one_slit_meeting_another() {
    let mut rings = vec!["[[0,0],[10,0],[10,10],[0,10],[0,0]]".to_owned()];
    for cell in 0..81 {
        let (x, y) = (f64::from(cell % 9) + 0.7, f64::from(cell / 9) + 0.7);
        let (east, north) = (x + 0.6, y + 0.6);
        rings.push(format!(
            "[[{x},{y}],[{east},{y}],[{east},{north}],[{x},{north}],[{x},{y}]]"
        ));
    }
    let text = format!(
        r#"{{"type":"Polygon","coordinates":[{}]}}"#,
        rings.join(",")
    );
    let shape = read(&text).expect("it can be cut").shape;
    assert_eq!(shape.point_count(), 5 + 81 * 6);
    let whole = Shape::validate(&[vec![
        (0.0, 0.0),
        (0.0, 10.0),
        (10.0, 10.0),
        (10.0, 0.0),
        (0.0, 0.0),
    ]]);
    let whole = whole.expect("a square");
    assert!(whole.covers(&shape));
    let part = shape.area_m2() / whole.area_m2();
    assert!((part - (1.0 - 81.0 * 0.0036)).abs() < 1e-3, "{part}");
}

#[test]
fn a_refusal_of_geojson_says_where_and_which_rule() {
    let polygon = |rings: &str| format!(r#"{{"type":"Polygon","coordinates":{rings}}}"#);
    let in_collection = |geometry: &str| {
        format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{geometry}}}]}}"#
        )
    };
    let deep = format!(
        "{}{}{}",
        r#"{"type":"GeometryCollection","geometries":["#.repeat(20),
        polygon(&format!("[{SQUARE}]")),
        "]}".repeat(20)
    );
    let many = format!("[{}]", vec![SQUARE; 1_001].join(","));
    let cases = [
        (
            "{",
            "line 1, column 1: not JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("[]", "the document: not a GeoJSON object: it has no `type`"),
        (
            r#"{"type":"Sphere"}"#,
            "the document: its `type` is none of GeoJSON's",
        ),
        (
            &in_collection(r#"{"type":"Point","coordinates":[0,0]}"#),
            "features[0].geometry: a Point has no ground; a Polygon or MultiPolygon is wanted",
        ),
        (&polygon("7"), "coordinates: not a list of rings"),
        (&polygon("[7]"), "coordinates[0]: not a list of positions"),
        (
            &in_collection(&polygon(r#"[[[0,50],["a",50]]]"#)),
            "features[0].geometry.coordinates[0][1]: not a position: two or more numbers, \
             longitude first",
        ),
        (
            &polygon("[[[0,50],[1,50],[1,51],[0,51]]]"),
            "coordinates: polygon 1 is not closed: its last point must be equal to its first",
        ),
        (
            &polygon("[[[50,0],[50,91],[51,91],[50,0]]]"),
            "coordinates: polygon 1, point 2: latitude 91 is outside -90 to 90",
        ),
        (
            &polygon(&many),
            "coordinates[1000]: Too many polygons (1001); the maximum is 1000",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(read(text).expect_err("refused").to_string(), want);
    }
    assert!(
        read(&deep)
            .expect_err("refused")
            .to_string()
            .ends_with("collections nested too deeply")
    );
    let long = vec![b' '; BYTES_MAX + 1];
    assert!(matches!(
        geojson::read(&long, Holes::Cut),
        Err(ReadRefusal::TooLong { .. })
    ));
    let none = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null}]}"#;
    let reading = read(none).expect("it can be read");
    assert_eq!(reading.remarks, [Remark::NoGeometry { features: 1 }]);
    assert!(reading.shape.is_empty());
}

#[test]
fn a_refusal_of_wkt_says_at_which_byte() {
    let deep = "GEOMETRYCOLLECTION(".repeat(10_000);
    for (text, want) in [
        (
            "",
            "byte 1: POLYGON, MULTIPOLYGON or GEOMETRYCOLLECTION is wanted",
        ),
        (
            "POINT(1 2)",
            "byte 1: POLYGON, MULTIPOLYGON or GEOMETRYCOLLECTION is wanted",
        ),
        (
            "SRID=27700;POLYGON((",
            "byte 6: only SRID 4326 (WGS 84, degrees) can be read",
        ),
        ("POLYGON", "byte 8: `(` is wanted here"),
        ("POLYGON((0 50,1 x", "byte 17: a number is wanted here"),
        ("POLYGON((0 50 1 2 3", "byte 19: `)` is wanted here"),
        (
            "POLYGON((0 50,1 50,1 51,0 50)) x",
            "byte 32: nothing more is wanted here",
        ),
        (&deep, "byte 324: collections nested too deeply"),
    ] {
        assert_eq!(
            wkt::read(text, Holes::Cut)
                .expect_err("refused")
                .to_string(),
            want
        );
    }
}

#[test]
fn kml_is_read_as_hostile() {
    let attributes = format!("<kml {}/>", "a=\"b\" ".repeat(1_000));
    let deep = format!("<kml>{}", "<Folder>".repeat(200_000));
    let cases = [
        (
            "<!DOCTYPE kml [<!ENTITY a \"b\">]><kml>&a;</kml>",
            "a document type is not permitted",
        ),
        (
            "<?xml-stylesheet href=\"x\"?><kml/>",
            "a processing instruction is not permitted",
        ),
        (attributes.as_str(), "the tag is too long"),
        (deep.as_str(), "nested too deeply"),
        ("<kml>&a;</kml>", "not XML that can be read"),
        ("<kml", "not XML that can be read"),
        ("<gpx/>", "the root element must be `kml`"),
        (
            "<kml><Polygon/></kml>",
            "a Polygon has one outerBoundaryIs with one LinearRing",
        ),
    ];
    for (text, want) in cases {
        let refusal = kml::read(text, Holes::Cut)
            .expect_err("refused")
            .to_string();
        assert!(refusal.contains(want), "{refusal}");
    }
}

#[test]
fn a_cap_circle_is_a_place_and_kilometres() {
    let circle = cap_circle::read("54.0,-1.9 3.5").expect("a circle");
    assert_eq!(circle.point_count(), 65);
    let radius_m = (circle.area_m2() / std::f64::consts::PI).sqrt();
    assert!((radius_m / 3_500.0 - 1.0).abs() < 2e-3, "{radius_m}");
    for text in [
        "",
        "54.0 -1.9 3.5",
        "54.0,-1.9",
        "54,-1 3 4",
        "91,0 3",
        "54,-1 0",
        "54,-1 NaN",
    ] {
        assert!(cap_circle::read(text).is_err(), "{text}");
    }
}
