//! `areas import|list|show|find|names|simplify`.

mod find;
mod import_file;
pub(super) mod simplify;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use balefire_app::App;
use balefire_app::area_libraries::{Library, LibraryVersion, stored_shape};
use balefire_domain::ids::AlertId;
use balefire_domain::time::Timestamp;
use balefire_geometry::{Holes, Shape, read};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{Session, alert};
use crate::cli::AreasCommand;

pub(super) async fn run(session: &Session, command: AreasCommand) -> anyhow::Result<ExitCode> {
    match command {
        AreasCommand::Simplify { file, holes } => simplify::run(&file, holes, session.json),
        AreasCommand::Import(asked) => import_file::run(session, *asked).await,
        AreasCommand::List {
            library: None,
            version: _,
        } => list_libraries(session).await,
        AreasCommand::List {
            library: Some(library),
            version,
        } => list_areas(session, &library, version).await,
        AreasCommand::Show {
            library,
            area,
            version,
        } => show(session, &library, &area, version).await,
        AreasCommand::Find(asked) => find::run(session, &asked).await,
        AreasCommand::Names {
            library,
            areas,
            overlaps,
            alert,
        } => names(session, &library, &areas, overlaps.as_deref(), alert).await,
    }
}

async fn list_libraries(session: &Session) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    let versions = app.list_library_versions().await?;
    let shown: Vec<Value> = versions.iter().map(version_json).collect();
    session.print(&json!(shown), || {
        if versions.is_empty() {
            return "no libraries yet: see `balefire areas import --help`".to_owned();
        }
        let lines: Vec<String> = versions.iter().map(version_line).collect();
        lines.join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

fn version_json(version: &LibraryVersion) -> Value {
    json!({
        "library": version.library, "version": version.version, "areas": version.area_count,
        "source": version.source, "digest": version.digest,
        "imported_at": version.completed_at.map(Timestamp::to_json_style),
    })
}

fn version_line(version: &LibraryVersion) -> String {
    let at = version
        .completed_at
        .map_or_else(String::new, |at| at.to_string());
    format!(
        "{:<24} version {:<4} {:>7} areas  {at}  {}",
        version.library, version.version, version.area_count, version.source
    )
}

async fn list_areas(
    session: &Session,
    library: &str,
    version: Option<u32>,
) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    let library = open(&app, library, version).await?;
    let areas = library.index.areas();
    let shown: Vec<Value> = areas
        .iter()
        .map(|area| find::area_json(&library, area))
        .collect();
    session.print(&json!(shown), || {
        let lines: Vec<String> = areas.iter().map(find::area_line).collect();
        lines.join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

/// A library that must be there.
pub(super) async fn open(
    app: &App,
    library: &str,
    version: Option<u32>,
) -> anyhow::Result<Arc<Library>> {
    let opened = app.open_library(library, version).await?;
    opened.with_context(|| match version {
        Some(version) => format!(
            "there is no version {version} of a library `{library}`: see `balefire areas list`"
        ),
        None => format!("there is no library `{library}`: see `balefire areas list`"),
    })
}

async fn show(
    session: &Session,
    library: &str,
    area: &str,
    version: Option<u32>,
) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    let found = app.load_library_area(library, version, area).await?;
    let Some((version, area)) = found else {
        return Ok(session.refuse(&format!(
            "there is no area `{area}` in library `{library}`: see `balefire areas find`"
        )));
    };
    let full = stored_shape(&area.polygons).context("its polygons can't be read")?;
    let sent = match &area.simple_polygons {
        None => full.clone(),
        Some(simple) => stored_shape(simple).context("its simpler polygons can't be read")?,
    };
    let shown = json!({
        "library": version.library, "version": version.version, "id": area.area_id,
        "name": area.name, "parent": area.parent_id, "level": area.level.as_str(),
        "points": full.point_count(), "area_m2": full.area_m2(),
        "polygons": full.to_pairs(), "simple_polygons": sent.to_pairs(),
        "simple_points": sent.point_count(), "simple_area_m2": sent.area_m2(),
        "covers": sent.covers(&full),
    });
    session.print(&shown, || {
        let lies_in = area.parent_id.as_deref().unwrap_or("nothing named");
        format!(
            "{}  {}\n  library   {}, version {}\n  level     {}\n  lies in   {lies_in}\n  \
             ground    {:.1} km², {} polygon(s), {} points\n  \
             sent as   {:.1} km², {} polygon(s), {} points\n  \
             --json shows the polygons",
            area.area_id,
            area.name,
            version.library,
            version.version,
            area.level.as_str(),
            full.area_m2() / 1e6,
            full.polygon_count(),
            full.point_count(),
            sent.area_m2() / 1e6,
            sent.polygon_count(),
            sent.point_count()
        )
    });
    Ok(ExitCode::SUCCESS)
}

async fn names(
    session: &Session,
    library: &str,
    ids: &[String],
    overlaps: Option<&Path>,
    alert: Option<AlertId>,
) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    let library = open(&app, library, None).await?;
    let shape = shape_of(&app, overlaps, alert).await?;
    let names = if let Some(shape) = shape {
        app.public_names_of_shape(&library, &shape).await?
    } else {
        let mut areas = Vec::new();
        for id in ids {
            let Some(area) = library.index.by_id(id) else {
                let name = &library.version.library;
                return Ok(session.refuse(&format!("there is no area `{id}` in library `{name}`")));
            };
            areas.push(area);
        }
        app.public_names(&library, &areas).await?
    };
    session.print(&json!(names), || names.join("\n"));
    Ok(ExitCode::SUCCESS)
}

/// The shape of a file or of an alert, where either is named.
pub(super) async fn shape_of(
    app: &App,
    file: Option<&Path>,
    id: Option<AlertId>,
) -> anyhow::Result<Option<Shape>> {
    if let Some(file) = file {
        return read_shape(file).map(Some);
    }
    let Some(id) = id else {
        return Ok(None);
    };
    let alert = alert::load(app, id).await?;
    balefire_app::stored_areas_shape(&alert.areas)
        .with_context(|| format!("the areas of alert {id} can't be read"))
        .map(Some)
}

/// A shape from a file of GeoJSON, KML or well-known text. Holes stay out of it.
pub(super) fn read_shape(file: &Path) -> anyhow::Result<Shape> {
    let bytes = super::cap::read(file)?;
    let text = String::from_utf8(bytes);
    let text = text.with_context(|| format!("{} is not UTF-8", file.display()))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let reading = if text.starts_with('{') {
        read::geojson::read(text.as_bytes(), Holes::Cut)
    } else if text.starts_with('<') {
        read::kml::read(text, Holes::Cut)
    } else {
        read::wkt::read(text, Holes::Cut)
    };
    let reading = reading.with_context(|| file.display().to_string())?;
    Ok(reading.shape)
}
