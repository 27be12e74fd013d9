//! `areas import`: a file, or what Balefire brings along, becomes a version of a library.

use std::process::ExitCode;

use balefire_app::App;
use balefire_app::area_libraries::{
    Fields, LevelOf, NewLibrary, ReadAreas, not_simplified, read_areas, simplify_all,
};
use balefire_domain::area_names::Level;
use balefire_geometry::Broadcast;
use balefire_geometry::ground::{Bounds, Ground};
use serde_json::json;

use super::super::Session;
use super::super::import::{self, Outcome, Progress};
use crate::cli::{Builtin, ImportAreas};

/// The world's countries, from Natural Earth: see data/README.md.
const COUNTRIES: &[u8] = include_bytes!("../../../data/countries.geojson");

/// What is said of an import, beside its areas.
struct Summary {
    areas: usize,
    points: usize,
    sent_points_max: usize,
    simplified: usize,
    around: Option<Bounds>,
    remarks: Vec<String>,
}

pub(super) async fn run(session: &Session, asked: ImportAreas) -> anyhow::Result<ExitCode> {
    let (bytes, path) = match (&asked.file, asked.builtin) {
        (Some(file), _) => (import::read(file)?, file.display().to_string()),
        (None, _) => (COUNTRIES.to_vec(), "built-in countries".to_owned()),
    };
    let fields = fields_of(&asked);
    let read = tokio::task::spawn_blocking(move || read_areas(&bytes, &fields)).await?;
    let read = match read {
        Ok(read) => read,
        Err(why) => return Ok(session.refuse(&format!("{path}: {why}"))),
    };
    if !read.faults.is_empty() && !asked.skip_faulty {
        return Ok(import::refuse_faulty(session, &path, &read.faults));
    }
    if read.areas.is_empty() {
        return Ok(session.refuse(&format!("{path}: there is no area in it")));
    }
    let areas = read.areas.clone();
    let progress = Progress::new("areas simplified", areas.len());
    let sent =
        tokio::task::spawn_blocking(move || simplify_all(&areas, &|done| progress.tell(done)))
            .await?;
    let library = asked.library.as_deref().unwrap_or("countries");
    let source = asked.file.as_deref().map_or(path, import::source);
    let new = NewLibrary::new(library, &source, &read.areas, &sent);
    let app = session.open_unchecked().await?;
    let mut summary = summarise(&read, &sent);
    if let Some(remark) = far_from_before(&app, library, summary.around).await? {
        summary.remarks.push(remark);
    }
    store(session, &app, &asked, &new, &read, &summary).await
}

async fn store(
    session: &Session,
    app: &App,
    asked: &ImportAreas,
    new: &NewLibrary,
    read: &ReadAreas,
    summary: &Summary,
) -> anyhow::Result<ExitCode> {
    let outcome = if asked.dry_run {
        let latest = app.find_library_version(&new.library, None).await?;
        let latest = latest.map(|latest| (latest.version, latest.digest));
        Outcome::of_dry_run(latest, &new.digest)
    } else {
        let actor = session.operator(app).await?;
        let progress = Progress::new("areas stored", new.areas.len());
        let done = app.import_areas(actor, new, |stored| progress.tell(stored));
        Outcome::Done(done.await?)
    };
    let version = outcome.version();
    let shown = json!({
        "id": new.library, "library": new.library, "version": version,
        "imported": outcome.is_stored(), "dry_run": asked.dry_run,
        "areas": summary.areas, "points": summary.points,
        "simplified": summary.simplified, "simple_points_max": summary.sent_points_max,
        "bounds": summary.around.map(|b| json!([b.west, b.south, b.east, b.north])),
        "remarks": summary.remarks, "skipped": import::faults_json(&read.faults),
        "digest": new.digest,
    });
    session.print(&shown, || summary_lines(new, read, summary, &outcome));
    Ok(ExitCode::SUCCESS)
}

fn fields_of(asked: &ImportAreas) -> Fields {
    if asked.builtin == Some(Builtin::Countries) {
        return Fields {
            id: "id".to_owned(),
            name: "name".to_owned(),
            parent: None,
            level: LevelOf::All(Level::Other),
        };
    }
    Fields {
        id: asked.id_field.clone().unwrap_or_default(),
        name: asked.name_field.clone().unwrap_or_default(),
        parent: asked.parent_field.clone(),
        level: match &asked.level_field {
            Some(field) => LevelOf::Field(field.clone()),
            None => LevelOf::All(asked.level),
        },
    }
}

fn summarise(read: &ReadAreas, sent: &[Broadcast]) -> Summary {
    let mut remarks = Vec::new();
    if read.with_holes > 0 {
        let count = read.with_holes;
        remarks.push(format!(
            "{count} area(s) have holes, which are filled: an alert has none"
        ));
    }
    if read.mended > 0 {
        let count = read.mended;
        remarks.push(format!(
            "{count} area(s) had lines that touched or crossed each other, and were set right"
        ));
    }
    let known: std::collections::BTreeSet<&str> =
        read.areas.iter().map(|area| area.id.as_str()).collect();
    let parents = read.areas.iter().filter_map(|area| area.parent.as_deref());
    let elsewhere: std::collections::BTreeSet<&str> =
        parents.filter(|parent| !known.contains(parent)).collect();
    if !elsewhere.is_empty() {
        let count = elsewhere.len();
        remarks.push(format!(
            "{count} area(s) that others lie in are not in this file: import their library too"
        ));
    }
    for (area, sent) in read.areas.iter().zip(sent) {
        if let Some(why) = not_simplified(sent) {
            let (id, points) = (&area.id, sent.shape.point_count());
            remarks.push(format!("{id} is kept with its {points} points: {why}"));
        }
    }
    let grounds = read.areas.iter().map(|area| Ground::of(&area.shape));
    Summary {
        areas: read.areas.len(),
        points: read.areas.iter().map(|area| area.shape.point_count()).sum(),
        sent_points_max: sent
            .iter()
            .map(|sent| sent.shape.point_count())
            .max()
            .unwrap_or(0),
        simplified: sent.iter().filter(|sent| sent.is_changed()).count(),
        around: grounds
            .filter_map(|ground| ground.bounds())
            .reduce(|all, one| all.with(&one)),
        remarks,
    }
}

/// Whether nothing of what is imported lies where the version before it did: the commonest reason
/// is that latitude and longitude changed places.
async fn far_from_before(
    app: &App,
    library: &str,
    around: Option<Bounds>,
) -> anyhow::Result<Option<String>> {
    let Some(before) = app.open_library(library, None).await? else {
        return Ok(None);
    };
    let is_apart = match (before.index.bounds(), around) {
        (Some(before), Some(around)) => !before.meets(&around),
        _ => false,
    };
    let number = before.version.version;
    Ok(is_apart.then(|| {
        format!(
            "nothing of it lies where version {number} does: have latitude and longitude changed \
             places?"
        )
    }))
}

fn summary_lines(new: &NewLibrary, read: &ReadAreas, summary: &Summary, what: &Outcome) -> String {
    let mut lines = vec![
        format!("{}: {what}", new.library),
        format!(
            "  {} areas with {} points; {} simplified, to at most {} points",
            summary.areas, summary.points, summary.simplified, summary.sent_points_max
        ),
    ];
    if let Some(around) = summary.around {
        lines.push(format!(
            "  between latitudes {:.2} and {:.2}, longitudes {:.2} and {:.2}",
            around.south, around.north, around.west, around.east
        ));
    }
    lines.extend(summary.remarks.iter().map(|remark| format!("  {remark}")));
    if !read.faults.is_empty() {
        lines.push(format!("  {} feature(s) left out:", read.faults.count));
        lines.push(import::fault_lines(&read.faults));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_imported() {
        let fields = Fields {
            id: "id".to_owned(),
            name: "name".to_owned(),
            parent: None,
            level: LevelOf::All(Level::Other),
        };
        let read = read_areas(COUNTRIES, &fields).expect("it is GeoJSON");
        assert!(read.faults.is_empty(), "{:?}", read.faults);
        assert!(read.areas.len() > 200, "{}", read.areas.len());
        for id in ["826", "756", "643", "242", "010"] {
            assert!(read.areas.iter().any(|area| area.id == id), "{id}");
        }
    }
}
