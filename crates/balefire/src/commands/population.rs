//! `population import|list|estimate`.

use std::path::Path;
use std::process::ExitCode;

use balefire_app::people_reached::{NewPopulation, PeopleReached, PopulationVersion, read_cells};
use balefire_domain::phones::{about, in_words};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::import::{self, Outcome, Progress};
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
            let estimate = Estimate::from(app.people_reached(shape).await?);
            session.print(&estimate.json(), || estimate.lines());
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
    let outcome = if asked.dry_run {
        let latest = app.list_populations().await?.pop();
        let latest = latest.map(|latest| (latest.version, latest.digest));
        Outcome::of_dry_run(latest, &new.digest)
    } else {
        let actor = session.operator(&app).await?;
        let progress = Progress::new("cells stored", new.cell_count);
        let done = app.import_population(actor, &new, |stored| progress.tell(stored));
        Outcome::Done(done.await?)
    };
    let version = outcome.version();
    let shown = json!({
        "id": version, "version": version, "imported": outcome.is_stored(),
        "dry_run": asked.dry_run, "cells": new.cell_count, "total": total,
        "skipped": import::faults_json(&read.faults), "digest": new.digest,
    });
    session.print(&shown, || {
        let mut lines = vec![
            format!("population: {outcome}"),
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
        let line = |version: &PopulationVersion| {
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

/// How many phones an alert reaches.
pub(super) enum Estimate {
    Known(PeopleReached),
    /// Nobody imported figures.
    NoFigures,
    /// Figures are there, and this kept them from being used.
    Failed(&'static str),
}

impl From<Option<PeopleReached>> for Estimate {
    fn from(reached: Option<PeopleReached>) -> Self {
        reached.map_or(Self::NoFigures, Self::Known)
    }
}

impl Estimate {
    fn reached(&self) -> Result<&PeopleReached, &'static str> {
        match self {
            Self::Known(reached) => Ok(reached),
            Self::NoFigures => {
                Err("no figures were imported (see `balefire population import --help`)")
            }
            Self::Failed(why) => Err(why),
        }
    }

    /// For programs. `count` and `with_bleed` are null where nothing is known, and `reason` says
    /// why.
    pub(super) fn json(&self) -> Value {
        match self.reached() {
            Err(why) => {
                json!({ "words": in_words(0.0), "count": null, "with_bleed": null, "reason": why })
            }
            Ok(reached) => json!({
                "words": in_words(reached.within.count), "count": reached.within.count,
                "known_part": reached.within.known_part, "bleed_m": reached.bleed_m,
                "with_bleed": reached.with_bleed.map(|wider| wider.count),
                "population_version": reached.version.version,
            }),
        }
    }

    /// The same for people.
    pub(super) fn lines(&self) -> String {
        let reached = match self.reached() {
            Ok(reached) => reached,
            Err(why) => return format!("{}: {why}", in_words(0.0)),
        };
        let count = reached.within.count;
        let mut lines = vec![if count > 0.0 {
            format!("{} ({})", in_words(count), about(count))
        } else {
            in_words(0.0).to_owned()
        }];
        let bleed_km = reached.bleed_m / 1_000.0;
        if let Some(wider) = reached.with_bleed.filter(|wider| wider.count > count) {
            lines.push(format!(
                "{} with those up to {bleed_km:.1} km around it, who may well receive it too",
                about(wider.count)
            ));
        }
        if reached.within.known_part < KNOWN_PART_TOLD {
            let part = reached.within.known_part * 100.0;
            lines.push(format!(
                "figures cover {part:.0} % of the area; nothing is known of the rest"
            ));
        }
        lines.join("\n          ")
    }
}

#[cfg(test)]
mod tests {
    use balefire_geometry::population::Reached;

    use super::*;

    fn known(count: f64, known_part: f64) -> Estimate {
        let within = Reached {
            count,
            known_part,
            cells: 1,
        };
        let version = PopulationVersion {
            version: 1,
            source: String::new(),
            digest: String::new(),
            cell_count: 1,
            started_at: Timestamp::from_seconds(0),
            completed_at: None,
        };
        Estimate::Known(PeopleReached {
            version,
            within,
            bleed_m: 1_500.0,
            with_bleed: None,
        })
    }

    #[test]
    fn an_estimate_that_failed_is_not_told_as_one_without_figures() {
        for (estimate, want) in [
            (
                Estimate::NoFigures,
                "Unknown number of phones: no figures were imported",
            ),
            (
                Estimate::Failed("the estimate took too long"),
                "Unknown number of phones: the estimate took too long",
            ),
            (known(0.0, 1.0), "Unknown number of phones"),
            (
                known(5.0, 1.0),
                "Less than 1 million phones estimated (fewer than 10)",
            ),
            (
                known(12_678.0, 1.0),
                "Less than 1 million phones estimated (about 13,000)",
            ),
            (
                known(0.0, 0.0),
                "Unknown number of phones\n          figures cover 0 % of the area",
            ),
        ] {
            assert!(estimate.lines().starts_with(want), "{}", estimate.lines());
            let is_unknown = !matches!(estimate, Estimate::Known(_));
            assert_eq!(estimate.json()["count"].is_null(), is_unknown);
            assert_eq!(estimate.json()["reason"].is_string(), is_unknown);
        }
    }
}
