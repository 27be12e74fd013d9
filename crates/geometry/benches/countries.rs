//! The countries of the United Kingdom to 250 points, beside GEOS in the same run: `cargo bench -p
//! balefire-geometry --bench countries -- PYTHON`, where PYTHON is the program of an environment
//! with shapely 2.1.2 and pyproj 3.7.2. Without it only this side is measured.
//!
//! Prints CSV: country, points before and after, milliseconds here, GEOS's points and
//! milliseconds, and how many times as long it takes here; the quickest of several runs on both
//! sides. What GEOS does is the earlier system's smoothing, which covers less and grows Scotland
//! by 29 %. Reads `../shared/geography/countries-uk-2019.geojson`, and says so where it isn't
//! there.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::collections::HashMap;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use balefire_geometry::read::{Holes, geojson};

const RUNS: usize = 7;
const COUNTRIES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/geography/countries-uk-2019.geojson"
);
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/geos_peer.py");

/// Points and milliseconds by country, as the peer tells them.
fn ask_peer(python: &str) -> HashMap<String, (String, f64)> {
    let runs = RUNS.to_string();
    let output = Command::new(python)
        .args([PEER, COUNTRIES, runs.as_str()])
        .output()
        .expect("the Python that was named");
    assert!(output.status.success(), "the peer failed: {output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    let row = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let ms = words[1].parse().expect("milliseconds");
        (words[0].replace('_', " "), (words[2].to_owned(), ms))
    };
    text.lines().map(row).collect()
}

fn main() {
    let Ok(text) = std::fs::read(COUNTRIES) else {
        println!("not measured: {COUNTRIES} is not there");
        return;
    };
    let python = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let peer = python.map(|python| ask_peer(&python)).unwrap_or_default();
    let countries: serde_json::Value = serde_json::from_slice(&text).expect("GeoJSON");
    println!("country,points,points_after,ms,geos_points,geos_ms,times_as_long");
    let (mut all_ms, mut all_geos_ms) = (0.0, 0.0);
    for feature in countries["features"].as_array().expect("features") {
        let name = feature["properties"]["ctry19nm"].as_str().expect("a name");
        let reading = geojson::read(feature.to_string().as_bytes(), Holes::Fill);
        let shape = reading.expect("valid").shape;
        let (mut ms, mut points) = (f64::INFINITY, 0);
        for _ in 0..RUNS {
            let start = Instant::now();
            let sent = black_box(black_box(&shape).for_broadcast());
            ms = ms.min(start.elapsed().as_secs_f64() * 1e3);
            points = sent.shape.point_count();
        }
        let (geos_points, geos_ms) = peer.get(name).cloned().unwrap_or((String::new(), f64::NAN));
        (all_ms, all_geos_ms) = (all_ms + ms, all_geos_ms + geos_ms);
        let (before, times) = (shape.point_count(), ms / geos_ms);
        println!("{name},{before},{points},{ms:.1},{geos_points},{geos_ms:.1},{times:.2}");
    }
    println!(
        "all,,,{all_ms:.1},,{all_geos_ms:.1},{:.2}",
        all_ms / all_geos_ms
    );
}
