//! `balefire areas simplify`: the shape that can be broadcast in place of a large one.

use std::f64::consts::TAU;

use balefire_geometry::read::{Holes, geojson};
use serde_json::{Value, json};

use crate::support::sandbox::{Engine, Sandbox};

type Ring = Vec<[f64; 2]>;

/// A coast of many points with waves of two lengths.
fn coast(lon: f64, lat: f64, points: u32, radius: f64) -> Ring {
    let point = |step: u32| {
        let angle = TAU * f64::from(step % points) / f64::from(points);
        let waves = 0.1 * (9.0 * angle).sin() + 0.03 * (101.0 * angle).sin();
        let out = radius * (1.0 + waves);
        [lon + 1.7 * out * angle.cos(), lat + out * angle.sin()]
    };
    (0..=points).map(point).collect()
}

fn feature(polygons: &[Vec<Ring>]) -> Value {
    json!({ "type": "Feature", "properties": { "name": "somewhere" },
        "geometry": { "type": "MultiPolygon", "coordinates": polygons } })
}

/// What must hold of what is printed for a shape.
fn check(asked: &Value, printed: &Value) {
    assert_eq!(printed["type"], "Feature", "{printed}");
    let geometry = &printed["geometry"];
    let coordinates = geometry["coordinates"].as_array().expect("coordinates");
    let polygons: Vec<&Value> = match geometry["type"].as_str() {
        Some("Polygon") => vec![&geometry["coordinates"]],
        Some("MultiPolygon") => coordinates.iter().collect(),
        other => panic!("{other:?}"),
    };
    let rings = |polygon: &&Value| polygon.as_array().map_or(0, Vec::len);
    assert!(
        polygons.iter().all(|polygon| rings(polygon) == 1),
        "no holes"
    );
    let points: usize = polygons
        .iter()
        .map(|polygon| polygon[0].as_array().map_or(0, Vec::len))
        .sum();
    let said = &printed["properties"];
    assert_eq!(said["points"], points, "closing points counted");
    assert!(points <= 250, "{points} points");
    let read = |value: &Value| {
        let reading = geojson::read(value.to_string().as_bytes(), Holes::Fill);
        reading.expect("a valid shape").shape
    };
    let (asked, made) = (read(asked), read(printed));
    let figure = |name: &str| said[name].as_f64().expect("a number");
    let near = |got: f64, want: f64| (got - want).abs() <= 1e-6 * asked.area_m2();
    assert!(near(figure("area_m2"), made.area_m2()), "{said}");
    let shared_m2 = asked.intersection_area_m2(&made).expect("comparable");
    assert!(
        near(figure("grown_by_m2"), made.area_m2() - shared_m2),
        "{said}"
    );
    assert!(figure("grown_by_m2") <= 0.15 * asked.area_m2(), "{said}");
    assert_eq!(said["covers"], true);
    assert!(
        asked.area_m2() - shared_m2 <= 1e-4 * asked.area_m2(),
        "{said}"
    );
}

#[tokio::test]
async fn a_large_shape_becomes_one_feature_of_few_points_that_covers_it() {
    let sandbox = Sandbox::new(Engine::Sqlite).await;
    let lake = {
        let mut ring = coast(-1.9, 54.0, 40, 0.1);
        ring.reverse();
        ring
    };
    let asked = feature(&[
        vec![coast(-1.9, 54.0, 2_000, 0.9), lake],
        vec![coast(1.0, 55.2, 60, 0.05)],
        vec![coast(1.3, 55.3, 60, 0.05)],
    ]);
    let path = sandbox.write("coast.geojson", &asked.to_string());
    let path = path.display().to_string();
    let ran = sandbox
        .run(&["areas", "simplify", &path, "--holes", "fill"])
        .await;
    check(&asked, &ran.must_succeed().json());
    let refused = sandbox
        .run(&["areas", "simplify", &path, "--holes", "refuse"])
        .await;
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (Some(1), ""),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("hole"), "{refused:?}");

    // What is small passes unchanged, but for its rounding (D22).
    let small = feature(&[vec![vec![
        [0.0, 50.0],
        [1.0, 50.0],
        [0.5, 51.000_000_4],
        [0.0, 50.0],
    ]]]);
    let path = sandbox.write("small.geojson", &small.to_string());
    let same = sandbox
        .run(&["areas", "simplify", &path.display().to_string()])
        .await;
    let same = same.must_succeed().json();
    assert_eq!(
        (
            &same["properties"]["points"],
            &same["properties"]["grown_by_m2"]
        ),
        (&json!(4), &json!(0.0))
    );
    assert!(
        same["geometry"].to_string().contains("[0.5,51.0]"),
        "{same}"
    );
}

#[tokio::test]
async fn what_is_no_shape_is_refused_with_the_place() {
    let sandbox = Sandbox::new(Engine::Sqlite).await;
    let crossing = feature(&[vec![vec![
        [0.0, 50.0],
        [1.0, 51.0],
        [1.0, 50.0],
        [0.0, 50.5],
        [0.0, 50.0],
    ]]]);
    let beyond = feature(&[vec![vec![
        [0.0, 50.0],
        [1.0, 95.0],
        [1.0, 50.0],
        [0.0, 50.0],
    ]]]);
    let empty = json!({ "type": "FeatureCollection", "features": [] });
    for (name, text, words) in [
        ("crossing", crossing.to_string(), "crosses"),
        ("beyond", beyond.to_string(), "latitude"),
        ("empty", empty.to_string(), "no polygon"),
        ("cut off", "{\"type\":".to_owned(), "can't be taken"),
    ] {
        let path = sandbox.write("bad.geojson", &text).display().to_string();
        let ran = sandbox.run(&["areas", "simplify", &path]).await;
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(1), ""),
            "{name}: {ran:?}"
        );
        assert!(ran.stderr.contains(words), "{name}: {ran:?}");
    }
    let missing = sandbox.run(&["areas", "simplify", "nowhere.geojson"]).await;
    assert_eq!(missing.code, Some(1), "{missing:?}");
}

#[tokio::test]
async fn the_countries_of_the_united_kingdom_hold_every_bound() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/geography/countries-uk-2019.geojson"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: shared/geography/countries-uk-2019.geojson is not there");
        return;
    };
    let sandbox = Sandbox::new(Engine::Sqlite).await;
    let countries: Value = serde_json::from_str(&text).expect("GeoJSON");
    for country in countries["features"].as_array().expect("features") {
        let path = sandbox.write("country.geojson", &country.to_string());
        let ran = sandbox
            .run(&["areas", "simplify", &path.display().to_string()])
            .await;
        check(country, &ran.must_succeed().json());
    }
}
