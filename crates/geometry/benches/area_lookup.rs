//! How long lookups in a library of areas take: `cargo bench -p balefire-geometry --bench
//! area_lookup`. Prints CSV: what, how many areas and points, lookups, then microseconds each
//! (mean, p50, p99, slowest).
//!
//! 10,000 areas of 151 points each cover a country-sized block without gaps between their boxes, as
//! wards do; places are strewn evenly over it, so that most lie in one area and near others' boxes.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::Instant;

use balefire_geometry::area_index::{AreaIndex, IndexedArea};
use balefire_geometry::ground::{Bounds, Ground};
use balefire_geometry::population::{Cell, CellGround, Population};
use balefire_geometry::{Point, Shape};

const SIDE: u32 = 100;
const POINTS: u32 = 150;
const CELL_DEGREES: f64 = 0.08;
const LOOKUPS: u32 = 100_000;

/// A ring of waves that reaches beyond its own cell of the grid.
fn ward(lat: f64, lon: f64, points: u32) -> Vec<(f64, f64)> {
    let point = |step: u32| {
        let angle = TAU * f64::from(step % points) / f64::from(points);
        let out = CELL_DEGREES * (0.5 + 0.08 * (9.0 * angle).sin() + 0.02 * (31.0 * angle).cos());
        (lat + out * angle.sin(), lon + out * angle.cos())
    };
    (0..=points).map(point).collect()
}

fn library() -> AreaIndex<()> {
    let area = |n: u32| {
        let (row, column) = (f64::from(n / SIDE), f64::from(n % SIDE));
        let ring = ward(
            50.0 + row * CELL_DEGREES,
            -6.0 + column * CELL_DEGREES,
            POINTS,
        );
        IndexedArea {
            id: format!("E{n:05}"),
            name: format!("Ward {n}"),
            shape: Shape::validate(&[ring]).expect("a valid ring"),
            data: (),
        }
    };
    AreaIndex::new((0..SIDE * SIDE).map(area).collect())
}

/// Places strewn evenly but without order (a Weyl sequence).
fn places() -> impl Iterator<Item = Point> {
    let span = f64::from(SIDE) * CELL_DEGREES;
    (0..LOOKUPS).map(move |n| {
        let part = |step: f64| (f64::from(n) * step).fract();
        let (lat, lon) = (part(0.754_877_666), part(0.569_840_291));
        Point::from_degrees(50.0 + lat * span, -6.0 + lon * span).expect("on earth")
    })
}

fn report(what: &str, library: &AreaIndex<()>, mut us: Vec<f64>) {
    us.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into at most 100,000"
        )]
        let index = (part * (us.len() - 1) as f64) as usize;
        us[index]
    };
    #[expect(clippy::cast_precision_loss, reason = "at most 100,000")]
    let mean = us.iter().sum::<f64>() / us.len() as f64;
    let areas = library.areas();
    let points: usize = areas.iter().map(|area| area.shape.point_count()).sum();
    let (p50, p99, most) = (at(0.5), at(0.99), at(1.0));
    let (areas, lookups) = (areas.len(), us.len());
    println!("{what},{areas},{points},{lookups},{mean:.2},{p50:.2},{p99:.2},{most:.2}");
}

fn time<T, R>(items: impl Iterator<Item = T>, mut work: impl FnMut(T) -> R) -> Vec<f64> {
    let one = |item| {
        let began = Instant::now();
        black_box(work(item));
        began.elapsed().as_secs_f64() * 1e6
    };
    items.map(one).collect()
}

fn main() {
    println!("what,areas,points,lookups,mean_us,p50_us,p99_us,slowest_us");
    let library = library();
    let mut found = 0;
    let us = time(places(), |place| {
        found += library.at(place).len();
    });
    assert!(
        found > LOOKUPS as usize / 2,
        "most places lie in an area: {found}"
    );
    report("by point", &library, us);
    let ids: Vec<String> = (0..LOOKUPS)
        .map(|n| format!("E{:05}", n % 10_000))
        .collect();
    report(
        "by id",
        &library,
        time(ids.iter(), |id| library.by_id(id).is_some()),
    );
    let names: Vec<String> = (0..LOOKUPS)
        .map(|n| format!("WARD {}", n % 10_000))
        .collect();
    report(
        "by name",
        &library,
        time(names.iter(), |name| library.by_name(name, 10).len()),
    );
    let circles: Vec<Shape> = places()
        .take(1_000)
        .map(|place| {
            let (lat, lon) = (place.lat.degrees(), place.lon.degrees());
            Shape::validate(&[ward(lat, lon, 64)]).expect("a valid ring")
        })
        .collect();
    let us = time(circles.iter(), |shape| {
        library.overlapping(shape, 0.005).len()
    });
    report("by overlap with 65 points", &library, us);
    count_people(&circles, &library);
}

/// A grid of 250,000 cells of a kilometre or so, and a country's worth of shape over it.
fn count_people(circles: &[Shape], library: &AreaIndex<()>) {
    let cell = |n: u32| {
        let (south, west) = (
            50.0 + f64::from(n / 500) * 0.016,
            -6.0 + f64::from(n % 500) * 0.016,
        );
        Cell {
            count: f64::from(n % 1_000),
            ground: CellGround::Box(Bounds {
                west,
                south,
                east: west + 0.016,
                north: south + 0.016,
            }),
        }
    };
    let population = Population::new((0..250_000).map(cell).collect());
    let us = time(circles.iter(), |shape| {
        population.within(&Ground::of(shape)).count
    });
    report("people within 65 points of 250000 cells", library, us);
    let country = Shape::validate(&[ward(54.0, -2.0, 2_000)
        .iter()
        .map(|(lat, lon)| (54.0 + (lat - 54.0) * 80.0, -2.0 + (lon + 2.0) * 80.0))
        .collect()])
    .expect("a valid ring");
    let us = time(0..50, |_| population.within(&Ground::of(&country)).count);
    report("people within 2001 points of 250000 cells", library, us);
}
