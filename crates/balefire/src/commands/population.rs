//! `population import|list|estimate`.

use std::path::Path;
use std::process::ExitCode;

use balefire_app::people_reached::{NewPopulation, PeopleReached, read_cells};
use balefire_domain::phones::{about, in_words};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::import::{self, Progress};
use super::{Session, areas};
use crate::cli::PopulationCommand;

/// The part of a shape below which what is known of it is told.
const KNOWN_PART_TOLD: f64 = 0.995;

/// How a file is imported.
struct Asked<'a> {
    file: &'a Path,
    count_field: String,
    skip_faulty: bool,
    dry_run: bool,
}

pub(super) async fn run(session: &Session, command: PopulationCommand) -> anyhow::Result<ExitCode> {
    match command {
        PopulationCommand::Import {
            file,
            count_field,
            skip_faulty,
            dry_run,
        } => {
            let asked = Asked {
                file: &file,
                count_field,
                skip_faulty,
                dry_run,
            };
            import_file(session, asked).await
        }
        PopulationCommand::List => list(session).await,
        PopulationCommand::Estimate { file } => {
            let shape = areas::read_shape(&file)?;
            let app = session.open_unchecked().await?;
            let reached = app.people_reached(shape).await?;
            session.print(&reached_json(reached.as_ref()), || {
                reached_lines(reached.as_ref())
            });
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn import_file(session: &Session, asked: Asked<'_>) -> anyhow::Result<ExitCode> {
    let bytes = import::read(asked.file)?;
    let field = asked.count_field.clone();
    let read = tokio::task::spawn_blocking(move || read_cells(&bytes, &field)).await?;
    let path = asked.file.display().to_string();
    let read = match read {
        Ok(read) => read,
        Err(why) => return Ok(session.refuse(&format!("{path}: {why}"))),
    };
    if !read.faults.is_empty() && !asked.skip_faulty {
        return Ok(import::refuse_faulty(session, &path, &read.faults));
    }
    if read.cells.is_empty() {
        return Ok(session.refuse(&format!("{path}: there is no cell in it")));
    }
    let total: f64 = read.cells.iter().map(|cell| cell.n).sum();
    let new = NewPopulation::new(&import::source(asked.file), &read.cells);
    let app = session.open_unchecked().await?;
    let latest = app.list_populations().await?.pop();
    let (version, is_new) = if asked.dry_run {
        match latest {
            Some(latest) if latest.digest == new.digest => (latest.version, false),
            Some(latest) => (latest.version + 1, true),
            None => (1, true),
        }
    } else {
        let actor = session.operator(&app).await?;
        let progress = Progress::new("cells stored", new.cell_count);
        let done = app.import_population(actor, &new, |stored| progress.tell(stored));
        let done = done.await?;
        (done.version, done.is_new)
    };
    let shown = json!({
        "id": version, "version": version, "imported": is_new && !asked.dry_run,
        "dry_run": asked.dry_run, "cells": new.cell_count, "total": total,
        "skipped": import::faults_json(&read.faults), "digest": new.digest,
    });
    session.print(&shown, || {
        let what = match (asked.dry_run, is_new) {
            (false, true) => format!("imported as version {version}"),
            (false, false) => format!("nothing to do: version {version} says the same"),
            (true, true) => format!("would be imported as version {version}; nothing was stored"),
            (true, false) => format!("would change nothing: version {version} says the same"),
        };
        let mut lines = vec![
            format!("population: {what}"),
            format!("  {} cells, {total:.0} altogether", new.cell_count),
        ];
        if !read.faults.is_empty() {
            lines.push(format!("  {} cell(s) left out:", read.faults.count));
            lines.push(import::fault_lines(&read.faults));
        }
        lines.join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session) -> anyhow::Result<ExitCode> {
    let app = session.open_unchecked().await?;
    let versions = app.list_populations().await?;
    let shown: Vec<Value> = versions
        .iter()
        .map(|version| {
            json!({
                "version": version.version, "cells": version.cell_count,
                "source": version.source, "digest": version.digest,
                "imported_at": version.completed_at.map(Timestamp::to_json_style),
            })
        })
        .collect();
    session.print(&json!(shown), || {
        if versions.is_empty() {
            return "no figures yet: see `balefire population import --help`".to_owned();
        }
        let line = |version: &balefire_app::people_reached::PopulationVersion| {
            let at = version.completed_at;
            let at = at.map_or_else(String::new, |at| at.to_string());
            let (number, cells) = (version.version, version.cell_count);
            format!(
                "version {number:<4} {cells:>8} cells  {at}  {}",
                version.source
            )
        };
        versions.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(ExitCode::SUCCESS)
}

/// How many an alert reaches, for programs. `count` and `with_bleed` are null where nothing is
/// known.
pub(super) fn reached_json(reached: Option<&PeopleReached>) -> Value {
    let Some(reached) = reached else {
        return json!({ "words": in_words(0.0), "count": null, "with_bleed": null });
    };
    json!({
        "words": in_words(reached.within.count), "count": reached.within.count,
        "known_part": reached.within.known_part, "bleed_m": reached.bleed_m,
        "with_bleed": reached.with_bleed.map(|wider| wider.count),
        "population_version": reached.version.version,
    })
}

/// The same for people.
pub(super) fn reached_lines(reached: Option<&PeopleReached>) -> String {
    let Some(reached) = reached else {
        return format!(
            "{}: no figures were imported (see `balefire population import --help`)",
            in_words(0.0)
        );
    };
    let count = reached.within.count;
    let mut lines = vec![if count > 0.0 {
        format!("{} (about {})", in_words(count), about(count))
    } else {
        in_words(0.0).to_owned()
    }];
    let bleed_km = reached.bleed_m / 1_000.0;
    if let Some(wider) = reached.with_bleed.filter(|wider| wider.count > count) {
        lines.push(format!(
            "about {} with those up to {bleed_km:.1} km around it, who may well receive it too",
            about(wider.count)
        ));
    }
    if reached.within.known_part < KNOWN_PART_TOLD {
        let part = reached.within.known_part * 100.0;
        lines.push(format!(
            "nothing is known of the rest: figures cover {part:.0} % of the area"
        ));
    }
    lines.join("\n          ")
}
