use balefire_domain::limits::AREAS_PER_LIBRARY_MAX;
use serde_json::json;

use super::*;

fn fields() -> Fields {
    Fields {
        id: "code".to_owned(),
        name: "name".to_owned(),
        parent: Some("over".to_owned()),
        level: LevelOf::All(Level::Other),
    }
}

fn square(lon: f64, lat: f64) -> serde_json::Value {
    let (e, n) = (lon + 1.0, lat + 1.0);
    json!([[[lon, lat], [e, lat], [e, n], [lon, n], [lon, lat]]])
}

fn feature(code: &str, geometry: &serde_json::Value) -> serde_json::Value {
    json!({ "type": "Feature", "properties": { "code": code, "name": code },
        "geometry": geometry })
}

fn polygon(lon: f64, lat: f64) -> serde_json::Value {
    json!({ "type": "Polygon", "coordinates": square(lon, lat) })
}

fn collection(features: &[serde_json::Value]) -> Vec<u8> {
    json!({ "type": "FeatureCollection", "features": features })
        .to_string()
        .into_bytes()
}

#[test]
fn what_is_wrong_with_a_feature_is_said_of_it_and_the_others_are_read() {
    let bow = json!({ "type": "Polygon",
        "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]] });
    let deep = json!({ "type": "Polygon", "coordinates": [square(0.0, 0.0)] });
    let mut nameless = feature("G", &polygon(9.0, 50.0));
    nameless["properties"]["name"] = json!(7);
    let text = collection(&[
        feature("A", &polygon(0.0, 50.0)),
        feature("B", &polygon(50.0, 95.0)),
        feature("A", &polygon(2.0, 50.0)),
        feature("C", &json!({ "type": "Point", "coordinates": [0, 0] })),
        feature("D", &json!(null)),
        feature("E", &deep),
        json!({ "type": "Feature", "properties": {}, "geometry": polygon(0.0, 0.0) }),
        feature("F", &json!({ "type": "MultiPolygon", "coordinates": [] })),
        nameless,
        feature("", &polygon(0.0, 0.0)),
        feature(
            "H",
            &json!({ "type": "Polygon", "coordinates": [[["a", 1]]] }),
        ),
        feature("I", &polygon(20.0, 50.0)),
        json!({ "type": "Nonsense" }),
        feature("bow", &bow),
    ]);
    let read = read_areas(&text, &fields()).expect("it is GeoJSON");
    let ids: Vec<&str> = read.areas.iter().map(|area| area.id.as_str()).collect();
    assert_eq!(ids, ["A", "I", "bow"], "what crosses itself is set right");
    assert_eq!(read.mended, 1);
    // The number, the id, and words of what is said.
    let want = [
        (2, Some("B"), "latitude"),
        (3, Some("A"), "feature 1 has the same id"),
        (4, Some("C"), "it is a Point"),
        (5, Some("D"), "no geometry"),
        (6, Some("E"), "not those of a Polygon"),
        (7, None, "it has no `code`"),
        (8, Some("F"), "no polygon"),
        (9, Some("G"), "its `name` is no text"),
        (10, None, "1 to 255 characters"),
        (11, Some("H"), "not those of a Polygon"),
        (13, None, "it has no `code`"),
    ];
    assert_eq!(read.faults.count, want.len(), "{:#?}", read.faults);
    for (fault, (number, id, words)) in read.faults.told.iter().zip(want) {
        assert_eq!((fault.number, fault.id.as_deref()), (number, id), "{fault}");
        assert!(fault.what.contains(words), "{fault}");
    }
}

#[test]
fn what_is_no_collection_of_features_is_refused_with_its_place() {
    for (text, words) in [
        ("", "EOF"),
        ("[]", "FeatureCollection"),
        ("{}", "no GeoJSON FeatureCollection"),
        (r#"{"type":"FeatureCollection"}"#, "no list `features`"),
        (
            r#"{"type":"Feature","features":[]}"#,
            "no GeoJSON FeatureCollection",
        ),
        (
            r#"{"type":"FeatureCollection","features":7}"#,
            "a list of features",
        ),
        (
            r#"{"type":"FeatureCollection","features":[],"features":[]}"#,
            "two lists",
        ),
        (
            "{\"type\":\"FeatureCollection\",\"features\":[\n{\"type\":\"Feature\",\"geometry\":\
             {\"type\":\"Polygon\",\"coordinates\":[[[NaN,1]]]}}]}",
            "line 2",
        ),
        (r#"{"type":"FeatureCollection","features":[]}x"#, "trailing"),
        (
            r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::27700"}},"features":[]}"#,
            "EPSG::27700: convert",
        ),
        (
            "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"\u{1}\"}]}",
            "line 1",
        ),
    ] {
        let why = read_areas(text.as_bytes(), &fields()).expect_err(text);
        assert!(why.contains(words), "{text}: {why}");
    }
    let not_text = b"{\"type\":\"\xff\"}";
    assert!(read_areas(not_text, &fields()).is_err());
}

#[test]
fn nesting_however_deep_ends_the_reading_and_not_the_process() {
    let levels = 500_000;
    for place in [
        "\"geometry\":",
        "\"properties\":",
        "\"geometry\":{\"coordinates\":",
    ] {
        let open = "[".repeat(levels);
        let text = format!(
            "{{\"type\":\"FeatureCollection\",\"features\":[{{\"type\":\"Feature\",{place}{open}"
        );
        assert!(read_areas(text.as_bytes(), &fields()).is_err(), "{place}");
        let shut = "]".repeat(levels);
        let text = format!(
            "{{\"type\":\"FeatureCollection\",\"features\":[{{\"type\":\"Feature\",\
             \"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{open}{shut}}}}}]}}"
        );
        let read = read_areas(text.as_bytes(), &fields());
        assert!(read.is_err() || !read.is_ok_and(|read| read.faults.is_empty()));
    }
}

#[test]
fn properties_of_any_size_are_refused_before_they_are_built() {
    let mut large = feature("L", &polygon(0.0, 50.0));
    large["properties"]["list"] = json!(vec![0; 600_000]);
    let mut deep = feature("D", &polygon(2.0, 50.0)).to_string();
    let nested = format!("\"nested\":{}{},\"code\"", "[".repeat(500), "]".repeat(500));
    deep = deep.replacen("\"code\"", &nested, 1);
    let own_id = format!("\"id\":\"{}\",", "x".repeat(5_000));
    let long = feature("I", &polygon(4.0, 50.0)).to_string();
    let long = long.replacen('{', &format!("{{{own_id}"), 1);
    let fine = feature("F", &polygon(6.0, 50.0));
    let text =
        format!("{{\"type\":\"FeatureCollection\",\"features\":[{large},{deep},{long},{fine}]}}");
    let read = read_areas(text.as_bytes(), &fields()).expect("it is GeoJSON");
    let ids: Vec<&str> = read.areas.iter().map(|area| area.id.as_str()).collect();
    assert_eq!(ids, ["F"]);
    for (fault, words) in read.faults.told.iter().zip([
        "`properties` has more than 1048576 bytes",
        "`properties` can't be read",
        "`id` has more than 4096 bytes",
    ]) {
        assert!(fault.what.contains(words), "{fault}");
    }
    let crs = format!(
        "{{\"type\":\"FeatureCollection\",\"crs\":[{}0],\"features\":[]}}",
        "0,".repeat(100_000)
    );
    let why = read_areas(crs.as_bytes(), &fields()).expect_err("too large");
    assert!(why.contains("`crs` has more than"), "{why}");
}

#[test]
fn nothing_of_a_file_plays_tricks_with_the_terminal_that_shows_it() {
    let tricks = ['\u{1b}', '\u{202e}', '\u{2028}', '\u{85}'];
    let mut features = Vec::new();
    for (index, trick) in tricks.into_iter().enumerate() {
        let mut named = feature(&index.to_string(), &polygon(0.0, 50.0));
        named["properties"]["name"] = json!(format!("a{trick}b"));
        features.push(named);
        features.push(feature(&format!("i{index}{trick}x"), &polygon(0.0, 50.0)));
        let kind = json!({ "type": format!("Point{trick}"), "coordinates": [0, 0] });
        features.push(feature(&format!("k{index}"), &kind));
    }
    // Persian is written with a joiner that is not seen.
    let mut persian = feature("fa", &polygon(2.0, 50.0));
    persian["properties"]["name"] = json!("می\u{200c}خواهم");
    features.push(persian);
    let read = read_areas(&collection(&features), &fields()).expect("it is GeoJSON");
    let ids: Vec<&str> = read.areas.iter().map(|area| area.id.as_str()).collect();
    assert_eq!(ids, ["fa"]);
    assert_eq!(read.faults.count, 3 * tricks.len());
    for fault in &read.faults.told {
        assert!(!fault.to_string().contains(tricks), "{fault:?}");
        assert!(fault.what.contains("U+"), "{fault:?}");
    }
    let crs = json!({ "type": "FeatureCollection", "features": [],
        "crs": { "properties": { "name": "\u{1b}[2J" } } });
    let why = read_areas(crs.to_string().as_bytes(), &fields()).expect_err("another system");
    assert!(why.contains("U+001B[2J"), "{why:?}");
}

#[test]
fn a_million_features_are_refused_at_the_bound() {
    let mut text = String::from("{\"type\":\"FeatureCollection\",\"features\":[");
    text.push_str(&"{\"type\":\"Feature\"},".repeat(1_000_000));
    text.push_str("{}]}");
    let why = read_areas(text.as_bytes(), &fields()).expect_err("too many");
    let bound = AREAS_PER_LIBRARY_MAX.to_string();
    assert!(why.contains(&bound), "{why}");
}

#[test]
fn ids_names_parents_and_levels_are_read_from_their_fields() {
    let mut one = feature("A", &polygon(0.0, 50.0));
    one["properties"] = json!({ "code": 7, "name": " Ynys Môn ", "over": "W", "kind": "ward" });
    let mut other = feature("B", &polygon(2.0, 50.0));
    other["properties"]["over"] = json!(null);
    other["properties"]["kind"] = json!("county");
    let text = collection(&[one, other]);
    let by_field = Fields {
        level: LevelOf::Field("kind".to_owned()),
        ..fields()
    };
    let read = read_areas(&text, &by_field).expect("it is GeoJSON");
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    let [one, other] = read.areas.as_slice() else {
        panic!("two areas");
    };
    assert_eq!((one.id.as_str(), one.name.as_str()), ("7", "Ynys Môn"));
    assert_eq!((one.parent.as_deref(), one.level), (Some("W"), Level::Ward));
    assert_eq!(
        (other.parent.as_deref(), other.level),
        (None, Level::County)
    );
    let by_own_id = Fields {
        id: "id".to_owned(),
        ..fields()
    };
    let mut own = feature("A", &polygon(0.0, 50.0));
    own["id"] = json!("own");
    let read = read_areas(&collection(&[own]), &by_own_id).expect("it is GeoJSON");
    assert_eq!(read.areas[0].id, "own");
}

#[test]
fn what_is_stored_says_the_same_whenever_it_is_read() {
    let text = collection(&[
        feature("A", &polygon(0.0, 50.0)),
        feature("B", &polygon(2.0, 50.0)),
    ]);
    let new = |text: &[u8]| {
        let read = read_areas(text, &fields()).expect("it is GeoJSON");
        let sent = simplify_all(&read.areas, &|_| {});
        NewLibrary::new("x", "file", &read.areas, &sent)
    };
    let (one, again) = (new(&text), new(&text));
    assert_eq!(one.digest, again.digest);
    let other = new(&collection(&[feature("A", &polygon(0.0, 50.0))]));
    assert_ne!(one.digest, other.digest);
    let shape = stored_shape(&one.areas[0].polygons).expect("its own polygons");
    assert_eq!(shape.point_count(), 5);
    assert!(one.areas[0].simple_polygons.is_none(), "it is small");
}

/// The four countries of the United Kingdom, where the design's data is at hand.
#[test]
fn the_uks_countries_simplify_to_few_points_and_are_covered() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/geography/countries-uk-2019.geojson"
    );
    let Ok(text) = std::fs::read(path) else {
        println!("not checked: {path} is not here");
        return;
    };
    let fields = Fields {
        id: "ctry19cd".to_owned(),
        name: "ctry19nm".to_owned(),
        parent: None,
        level: LevelOf::All(Level::Other),
    };
    let read = read_areas(&text, &fields).expect("it is GeoJSON");
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    let points: Vec<usize> = read
        .areas
        .iter()
        .map(|area| area.shape.point_count())
        .collect();
    assert_eq!(points, [2_377, 351, 4_800, 815]);
    for (area, sent) in read.areas.iter().zip(simplify_all(&read.areas, &|_| {})) {
        assert!(
            sent.shape.point_count() < 250,
            "{}: {}",
            area.id,
            sent.shape.point_count()
        );
        assert!(sent.shape.covers(&area.shape), "{}", area.id);
    }
}
