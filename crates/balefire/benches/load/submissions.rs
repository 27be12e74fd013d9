//! Documents from agencies: how many a second, and how long the slowest take.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::figures::{memory_kib, ms_since, rounded, spread, start};
use crate::http::Client;
use crate::process::Place;
use crate::scene::{Scene, document};

const CLIENTS: usize = 8;
/// A run ends at whichever comes first.
const MS_MAX: f64 = 10_000.0;
const PER_CLIENT_MAX: usize = 2_000;
const POINTS: u32 = 2_000;

/// A small document, and one whose polygon has 2,000 points.
pub(crate) fn measure(place: &Place<'_>, into: &Path) -> Result<Value> {
    let scene = Scene::start(place, "submissions", &crate::scene::slow(""))?;
    let mut rows = String::from("document,ms,requests\n");
    let small = run(&scene, "small", &document("{n}"), &mut rows)?;
    let polygon = run(
        &scene,
        "polygon",
        &with_points(&document("{n}"))?,
        &mut rows,
    )?;
    let file = into.join(format!("submissions-{}.csv", place.engine().name()));
    std::fs::write(&file, rows).with_context(|| format!("can't write {}", file.display()))?;
    let (rss, highest) = memory_kib(scene.process())?;
    Ok(json!({
        "concurrency": CLIENTS, "small": small, "points_2000": polygon,
        "memory_after_kib": rss, "memory_highest_kib": highest,
    }))
}

fn run(scene: &Scene, name: &str, document: &str, rows: &mut String) -> Result<Value> {
    let started = start();
    let lengths = std::thread::scope(|scope| -> Result<Vec<Vec<f64>>> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || submit(scene, name, client, document)))
            .collect();
        let joined = clients
            .into_iter()
            .map(|client| client.join().expect("no client panics"));
        joined.collect()
    })?;
    let seconds = ms_since(started) / 1000.0;
    let lengths = lengths.concat();
    // Ten thousand lengths, told to a tenth of a millisecond.
    let mut requests = BTreeMap::<String, u32>::new();
    for ms in &lengths {
        *requests.entry(format!("{ms:07.1}")).or_default() += 1;
    }
    for (ms, count) in requests {
        writeln!(rows, "{name},{},{count}", ms.parse::<f64>()?)?;
    }
    let count = u32::try_from(lengths.len()).map_or(0.0, f64::from);
    Ok(json!({
        "bytes": document.len(), "requests_per_second": rounded(count / seconds),
        "ms": spread(&lengths),
    }))
}

/// One client on one connection: the next document goes when the last one is answered.
fn submit(scene: &Scene, name: &str, client: usize, document: &str) -> Result<Vec<f64>> {
    let mut connection = Client::connect(&scene.address)?;
    let (run, mut lengths) = (start(), Vec::new());
    while ms_since(run) < MS_MAX && lengths.len() < PER_CLIENT_MAX {
        let document = document.replace("{n}", &format!("{name}-{client}-{}", lengths.len()));
        let started = start();
        scene.submit(&mut connection, &document)?;
        lengths.push(ms_since(started));
    }
    Ok(lengths)
}

/// The document with a coast-like polygon: a ring of 20 km whose radius goes in and out.
fn with_points(document: &str) -> Result<String> {
    let mut ring = String::new();
    for point in 0..POINTS - 1 {
        let angle = f64::from(point) / f64::from(POINTS - 1) * std::f64::consts::TAU;
        let radius = 0.1 + 0.01 * (angle * 40.0).sin();
        let (lat, lon) = (
            53.1 + angle.sin() * radius,
            0.1 + angle.cos() * radius * 1.6,
        );
        write!(ring, "{lat:.6},{lon:.6} ")?;
    }
    let first = ring.split(' ').next().unwrap_or_default().to_owned();
    let (head, rest) = document
        .split_once("<polygon>")
        .context("the sample has a polygon")?;
    let (_, tail) = rest
        .split_once("</polygon>")
        .context("the sample's polygon ends")?;
    Ok(format!("{head}<polygon>{ring}{first}</polygon>{tail}"))
}
