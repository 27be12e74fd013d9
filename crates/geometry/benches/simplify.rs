//! How long the geometry of one alert takes, in milliseconds: `cargo bench -p balefire-geometry`.
//!
//! The inputs are the worst of their kind: the largest that the limits permit, and shaped so that
//! a quadratic step would show.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::Instant;

use balefire_geometry::{Refusal, Shape};

type Pairs = Vec<(f64, f64)>;

/// A ring of so many points around a place, with waves of two lengths.
fn star(lat: f64, lon: f64, points: u32, radius: f64) -> Pairs {
    let point = |step: u32| {
        let angle = TAU * f64::from(step % points) / f64::from(points);
        let waves = 0.2 * (7.0 * angle).sin() + 0.05 * (f64::from(points / 5) * angle).sin();
        let out = radius * (1.0 + waves);
        (lat + out * angle.sin(), lon + out * 1.7 * angle.cos())
    };
    (0..=points).map(point).collect()
}

/// A comb: teeth as long as the shape, side by side.
fn comb(lat: f64, lon: f64, teeth: u32, width: f64, height: f64) -> Pairs {
    let step = width / f64::from(teeth);
    let mut ring: Pairs = (0..teeth)
        .flat_map(|tooth| {
            let at = lon + f64::from(tooth) * step;
            [(lat, at), (lat + height, at + step * 0.5)]
        })
        .collect();
    ring.extend([
        (lat, lon + width),
        (lat - 0.1, lon + width),
        (lat - 0.1, lon),
        (lat, lon),
    ]);
    ring
}

/// Every point joined to the one across: each line crosses each other.
fn spokes(points: u32) -> Pairs {
    let point = |step: u32| {
        let angle = TAU * f64::from(step % points) * 0.499_9;
        (54.0 + angle.sin(), angle.cos())
    };
    (0..=points).map(point).collect()
}

/// Slanted strips side by side, so that the boxes around them all overlap.
fn strips(count: u32, points: u32) -> Vec<Pairs> {
    let strip = |number: u32| {
        let low = f64::from(number) / f64::from(count);
        let half = points / 2;
        let along = |step: u32| f64::from(step) / f64::from(half);
        let there = (0..half).map(|step| (along(step), low + along(step)));
        let width = 0.5 / f64::from(count);
        let back = (0..half)
            .rev()
            .map(|step| (along(step), low + along(step) + width));
        let mut ring: Pairs = there.chain(back).collect();
        ring.push(ring[0]);
        ring
    };
    (0..count).map(strip).collect()
}

/// Squares in a grid that share all their edges.
fn chessboard(side: u32) -> Vec<Pairs> {
    let square = |cell: u32| {
        let (lat, lon) = (f64::from(cell / side) * 0.01, f64::from(cell % side) * 0.01);
        let (north, east) = (lat + 0.01, lon + 0.01);
        vec![
            (lat, lon),
            (lat, east),
            (north, east),
            (north, lon),
            (lat, lon),
        ]
    };
    (0..side * side).map(square).collect()
}

fn measure(name: &str, polygons: &[Pairs]) {
    let points: usize = polygons.iter().map(Vec::len).sum();
    let start = Instant::now();
    let shape: Result<Shape, Refusal> = black_box(Shape::validate(black_box(polygons)));
    let validated_ms = start.elapsed().as_secs_f64() * 1e3;
    let line = format!("{name:34} {:5} polygons {points:6} points", polygons.len());
    match shape {
        Err(refusal) => println!("{line}: {validated_ms:8.2} ms, {refusal}"),
        Ok(shape) => {
            let start = Instant::now();
            let sent = black_box(shape.for_broadcast());
            let sent_ms = start.elapsed().as_secs_f64() * 1e3;
            let left = sent.shape.point_count();
            let how = format!("{left} points, {:?}", sent.reduction);
            println!("{line}: {validated_ms:8.2} ms, broadcast {sent_ms:8.2} ms, {how}");
        }
    }
}

fn main() {
    measure("a star", &[star(54.0, -1.9, 2_000, 0.9)]);
    measure("a large star", &[star(54.0, -1.9, 49_998, 0.9)]);
    measure("a small star", &[star(54.0, -1.9, 49_998, 0.05)]);
    measure("a tiny star", &[star(54.0, -1.9, 49_998, 0.005)]);
    measure("a comb", &[comb(54.0, -1.9, 24_990, 1.0, 1.0)]);
    measure(
        "a comb of 10,000 points",
        &[comb(54.0, -1.9, 4_990, 1.0, 1.0)],
    );
    measure("a wide comb", &[comb(0.0, -40.0, 24_990, 80.0, 10.0)]);
    measure("a comb of 2,000 points", &[comb(54.0, -1.9, 990, 1.0, 1.0)]);
    measure("spokes, all crossing", &[spokes(49_999)]);
    measure("slanted strips", &strips(1_000, 48));
    measure("squares that touch", &chessboard(31));
    let stars: Vec<Pairs> = (0..1_000_u32)
        .map(|cell| {
            star(
                f64::from(cell / 32) * 0.03,
                f64::from(cell % 32) * 0.06,
                48,
                0.01,
            )
        })
        .collect();
    measure("stars side by side", &stars);
    let far: Vec<Pairs> = (0..1_000_u32)
        .map(|cell| {
            star(
                f64::from(cell / 32) - 16.0,
                f64::from(cell % 32) - 16.0,
                48,
                0.01,
            )
        })
        .collect();
    measure("stars far apart", &far);
}
