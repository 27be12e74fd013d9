//! `areas simplify`: the shape that can be broadcast in place of a large one.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use balefire_domain::limits::{POINTS_UNCHANGED_MAX, POLYGONS_MAX};
use balefire_geometry::fewer::{Fewer, UNCOVERED_PART_MAX, Wanted};
use balefire_geometry::read::{Reading, geojson};
use balefire_geometry::{Reduction, Shape};
use serde_json::{Value, json};

use super::super::cap;
use crate::FAILED;
use crate::cli::HolesChoice;

pub(crate) fn run(file: &Path, holes: HolesChoice, json: bool) -> anyhow::Result<ExitCode> {
    let shown = file.display();
    let Reading { shape, remarks } = geojson::read(&cap::read(file)?, holes.into())
        .with_context(|| format!("{shown} can't be taken"))?;
    anyhow::ensure!(!shape.is_empty(), "{shown} holds no polygon");
    let found = find(&shape)
        .with_context(|| format!("{shown} can't be covered by {POINTS_UNCHANGED_MAX} points"))?;
    let growth = found.grown_m2 / shape.area_m2();
    let (growth_max, covers) = (shape.growth_max(), covers(&shape, &found));
    let mut feature = feature(&found, covers);
    let mut missed = Vec::new();
    if growth > growth_max {
        missed.push(format!(
            "the area grew by {:.1} %, and {:.0} % is the bound: it can't be covered by \
             {POINTS_UNCHANGED_MAX} points with less",
            growth * 100.0,
            growth_max * 100.0
        ));
    }
    if !covers {
        missed.push("the whole of the area is not covered".to_owned());
    }
    if json {
        feature["properties"]["requested_points"] = json!(shape.point_count());
        feature["properties"]["requested_area_m2"] = json!(shape.area_m2());
        feature["properties"]["remarks"] =
            json!(remarks.iter().map(ToString::to_string).collect::<Vec<_>>());
        feature["properties"]["missed"] = json!(missed);
    }
    say!("{feature}");
    for remark in &remarks {
        eprintln!("balefire: {shown}: {remark}");
    }
    for miss in &missed {
        eprintln!("balefire: {shown}: {miss}");
    }
    Ok(if missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// The shape as it is where it is small enough (D22), else one of as many points as pass unchanged.
fn find(shape: &Shape) -> Option<Fewer> {
    let sent = shape.for_broadcast();
    let is_small = sent.shape.point_count() <= POINTS_UNCHANGED_MAX;
    match sent.reduction {
        Reduction::Done { grown_area_m2 } if is_small => {
            let uncovered_m2 = shape.area_outside_m2(&sent.shape).ok()?;
            Some(Fewer {
                shape: sent.shape,
                grown_m2: grown_area_m2,
                uncovered_m2,
            })
        }
        Reduction::NotNeeded | Reduction::NotPossible(_) if is_small => Some(Fewer {
            shape: sent.shape,
            grown_m2: 0.0,
            uncovered_m2: 0.0,
        }),
        _ => shape.fewer_points(Wanted {
            points: POINTS_UNCHANGED_MAX,
            polygons: POLYGONS_MAX,
            growth: shape.growth_max(),
        }),
    }
}

fn covers(requested: &Shape, found: &Fewer) -> bool {
    found.uncovered_m2 <= UNCOVERED_PART_MAX * requested.area_m2()
}

fn feature(found: &Fewer, covers: bool) -> Value {
    let ring = |ring: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        ring.iter().map(|&[lat, lon]| [lon, lat]).collect()
    };
    let rings: Vec<Vec<[f64; 2]>> = found.shape.to_pairs().iter().map(ring).collect();
    let geometry = match rings.as_slice() {
        [ring] => json!({ "type": "Polygon", "coordinates": [ring] }),
        rings => {
            let polygons: Vec<_> = rings.iter().map(|ring| [ring]).collect();
            json!({ "type": "MultiPolygon", "coordinates": polygons })
        }
    };
    json!({
        "type": "Feature",
        "properties": {
            "points": found.shape.point_count(),
            "polygons": found.shape.polygon_count(),
            "area_m2": found.shape.area_m2(),
            "grown_by_m2": found.grown_m2,
            "covers": covers,
        },
        "geometry": geometry,
    })
}
