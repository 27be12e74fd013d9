//! `areas find`: by name, by place, by shared ground.

use std::process::ExitCode;
use std::sync::Arc;

use balefire_app::App;
use balefire_app::area_libraries::{AreaFacts, Library, overlapping};
use balefire_domain::limits::AREAS_FOUND_MAX;
use balefire_geometry::Point;
use balefire_geometry::area_index::{IndexedArea, Overlap};
use balefire_geometry::ground::Bounds;
use serde_json::{Value, json};

use super::super::Session;
use super::{open, shape_of};
use crate::cli::FindAreas;

/// An area that was found, and what it shares with the shape that was asked about.
struct Found {
    library: Arc<Library>,
    id: String,
    overlap: Option<Overlap>,
}

pub(super) async fn run(session: &Session, asked: &FindAreas) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    let found = search(&app, asked).await?;
    let mut shown = Vec::new();
    let mut lines = Vec::new();
    for one in found.iter().take(AREAS_FOUND_MAX) {
        let Some(area) = one.library.index.by_id(&one.id) else {
            continue;
        };
        let mut object = area_json(&one.library, area);
        let mut line = format!("{:<20} {}", one.library.version.library, area_line(area));
        if let Some(overlap) = one.overlap {
            object["of_area"] = json!(overlap.of_area);
            object["of_shape"] = json!(overlap.of_shape);
            let (of_area, of_shape) = (overlap.of_area * 100.0, overlap.of_shape * 100.0);
            line =
                format!("{line}\n    {of_area:.1} % of it, which is {of_shape:.1} % of the shape");
        }
        shown.push(object);
        lines.push(line);
    }
    session.print(&json!(shown), || {
        if lines.is_empty() {
            "nothing found".to_owned()
        } else {
            lines.join("\n")
        }
    });
    Ok(ExitCode::SUCCESS)
}

async fn search(app: &App, asked: &FindAreas) -> anyhow::Result<Vec<Found>> {
    let shape = shape_of(app, asked.by.overlaps.as_deref(), asked.by.alert).await?;
    let mut found = Vec::new();
    for library in libraries(app, asked).await? {
        let index = &library.index;
        let ids: Vec<(String, Option<Overlap>)> = if let Some(shape) = &shape {
            let overlaps = overlapping(&library, shape).await;
            overlaps
                .into_iter()
                .map(|(id, part)| (id, Some(part)))
                .collect()
        } else if let Some(name) = &asked.by.name {
            plain(&index.by_name(name, AREAS_FOUND_MAX))
        } else if let Some((lat, lon)) = asked.by.point {
            let place = Point::from_degrees(lat, lon).expect("the argument was checked");
            match asked.near {
                None => plain(&index.at(place)),
                Some(km) => plain(&index.near(&around(lat, lon), km * 1_000.0)),
            }
        } else {
            Vec::new()
        };
        found.extend(ids.into_iter().map(|(id, overlap)| Found {
            library: Arc::clone(&library),
            id,
            overlap,
        }));
    }
    Ok(found)
}

fn plain(areas: &[&IndexedArea<AreaFacts>]) -> Vec<(String, Option<Overlap>)> {
    areas.iter().map(|area| (area.id.clone(), None)).collect()
}

fn around(lat: f64, lon: f64) -> Bounds {
    Bounds {
        west: lon,
        south: lat,
        east: lon,
        north: lat,
    }
}

/// The library that was named, or the latest version of each.
async fn libraries(app: &App, asked: &FindAreas) -> anyhow::Result<Vec<Arc<Library>>> {
    if let Some(name) = &asked.library {
        return Ok(vec![open(app, name, asked.version).await?]);
    }
    let mut names: Vec<String> = app
        .list_library_versions()
        .await?
        .into_iter()
        .map(|version| version.library)
        .collect();
    names.dedup();
    let mut libraries = Vec::new();
    for name in names {
        libraries.extend(app.open_library(&name, None).await?);
    }
    anyhow::ensure!(
        !libraries.is_empty(),
        "there are no libraries yet: see `balefire areas import --help`"
    );
    Ok(libraries)
}

pub(super) fn area_json(library: &Library, area: &IndexedArea<AreaFacts>) -> Value {
    json!({
        "library": library.version.library, "version": library.version.version,
        "id": area.id, "name": area.name, "parent": area.data.parent,
        "level": area.data.level.as_str(), "points": area.shape.point_count(),
    })
}

pub(super) fn area_line(area: &IndexedArea<AreaFacts>) -> String {
    let lies_in = area.data.parent.as_ref();
    let lies_in = lies_in.map_or_else(String::new, |parent| format!("  in {parent}"));
    format!("{:<16} {}{lies_in}", area.id, area.name)
}
