//! How many documents a second are read and judged, with all rules: `cargo bench -p balefire-cap`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use balefire_cap::check;

const FLOOD: &str = include_str!("../tests/fixtures/flood-alert.xml");

/// How long each size is measured.
const MEASURED: Duration = Duration::from_secs(2);

fn main() {
    for (name, document) in [
        ("2 KB", small()),
        ("100 KB", large(100_000)),
        ("4 MB", large(4_000_000)),
    ] {
        let report = check(document.as_bytes());
        assert!(report.is_accepted, "{:?}", report.findings);
        measure(name, document.as_bytes());
    }
}

/// The fixture as it is: two areas of one polygon each.
fn small() -> String {
    FLOOD.to_owned()
}

/// The fixture with areas added up to a size in bytes; real points, 25 to a polygon.
fn large(bytes: usize) -> String {
    let mut areas = String::new();
    let mut number = 0;
    while areas.len() + FLOOD.len() < bytes && number < 900 {
        number += 1;
        let mut ring = String::new();
        for point in 0..24_u32 {
            let angle = f64::from(point) / 24.0 * std::f64::consts::TAU;
            let (lat, lon) = (52.0 + angle.sin() / 10.0, -2.0 + angle.cos() / 10.0);
            write!(ring, "{lat:.6},{lon:.6} ").expect("writing to a string can't fail");
        }
        let first = ring.split(' ').next().unwrap_or_default().to_owned();
        let name = format!("<areaDesc>Reach {number}</areaDesc>");
        areas.extend([
            "<area>",
            &name,
            "<polygon>",
            &ring,
            &first,
            "</polygon></area>",
        ]);
    }
    // Base64 comes in fours.
    let padding = bytes.saturating_sub(areas.len() + FLOOD.len()) / 4 * 4;
    let resource = format!(
        "<resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType>\
         <uri>map.png</uri><derefUri>{}</derefUri></resource><area>",
        "A".repeat(padding)
    );
    FLOOD
        .replacen("<area>", &resource, 1)
        .replace("</info>", &format!("{areas}</info>"))
}

#[expect(clippy::disallowed_methods, reason = "a bench measures the real time")]
#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn measure(name: &str, document: &[u8]) {
    let start = Instant::now();
    let mut runs = 0_u32;
    while start.elapsed() < MEASURED {
        black_box(check(black_box(document)));
        runs += 1;
    }
    let per_second = f64::from(runs) / start.elapsed().as_secs_f64();
    let micros = 1_000_000.0 / per_second;
    println!(
        "{name} ({} bytes): {per_second:.0} documents/s, {micros:.0} µs each",
        document.len()
    );
}
