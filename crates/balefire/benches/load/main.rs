//! How fast Balefire is, measured from outside: `cargo xtask load` runs it.
//!
//! The release binary runs as a process of its own (`serve`), the simulated networks as another
//! (`provider-sim`), and this program is the agency and the approver, over HTTP on loopback. What
//! is measured, how, and what came of it stands in `docs/performance.md`.
//!
//! Every loop ends by itself, after a count or a time that stands beside it; every process that is
//! started is ended by its own id. It judges nothing: a figure is no test (D57).

mod approvals;
mod crowd;
mod figures;
mod http;
mod open_loop;
mod outages;
mod process;
mod record;
mod rest;
mod scene;
mod submissions;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};

use crate::process::{Engine, Place, Postgres};

const HELP: &str = "\
cargo xtask load: measures how fast this machine's release build is

  --into FOLDER    where the figures go (default: target/load)
  --only A,B       some of: rest, healthy, refusing, hung, outages, crash, burst, sustained,
                   submissions
  --engine E       sqlite or postgres (default: both)
";

const PARTS: [&str; 9] = [
    "rest",
    "healthy",
    "refusing",
    "hung",
    "outages",
    "crash",
    "burst",
    "sustained",
    "submissions",
];

struct Asked {
    into: PathBuf,
    parts: Vec<String>,
    engines: Vec<Engine>,
}

fn main() -> Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    // Only `cargo bench` says this: test runners that start every target measure nothing.
    if !args.iter().any(|arg| arg == "--bench") {
        say("this measures for minutes: `cargo xtask load` runs it");
        return Ok(());
    }
    args.retain(|arg| arg != "--bench");
    let asked = parse(&args).context(HELP)?;
    std::fs::create_dir_all(&asked.into)
        .with_context(|| format!("can't make {}", asked.into.display()))?;
    let mut summary = Map::new();
    summary.insert("machine".to_owned(), figures::machine());
    for engine in &asked.engines {
        let figures = measure(*engine, &asked)?;
        summary.insert(engine.name().to_owned(), Value::Object(figures));
    }
    summary.insert("load_average_after".to_owned(), json!(figures::load()));
    let file = asked.into.join("summary.json");
    let text = serde_json::to_string_pretty(&summary)?;
    std::fs::write(&file, text + "\n")?;
    say(&format!("written: {}", file.display()));
    Ok(())
}

fn measure(engine: Engine, asked: &Asked) -> Result<Map<String, Value>> {
    let folder = tempfile::Builder::new()
        .prefix("balefire-load-")
        .tempdir()?;
    let postgres = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Postgres::start(folder.path())?),
    };
    let place = Place {
        folder: folder.path(),
        postgres: postgres.as_ref(),
    };
    let mut figures = Map::new();
    for part in &asked.parts {
        let (before, ticks) = (figures::load(), figures::machine_ticks());
        say(&format!("{} {part} (load average {before})", engine.name()));
        let mut measured = match part.as_str() {
            "rest" => rest::measure(&place)?,
            "healthy" => approvals::measure_healthy(&place, &asked.into)?,
            "refusing" => approvals::measure_refusing(&place, &asked.into)?,
            "hung" => approvals::measure_hung(&place, &asked.into)?,
            "outages" => outages::measure(&place, &asked.into)?,
            "crash" => outages::measure_crash(&place)?,
            "burst" => crowd::measure_burst(&place, &asked.into)?,
            "sustained" => crowd::measure_sustained(&place, &asked.into)?,
            _ => submissions::measure(&place, &asked.into)?,
        };
        measured["load_average_before"] = json!(before);
        measured["load_average_after"] = json!(figures::load());
        measured["machine_busy_percent"] = json!(figures::busy_percent(ticks));
        say(&format!("  {measured}"));
        figures.insert(part.clone(), measured);
    }
    figures.insert("fsync_ms".to_owned(), figures::fsync(folder.path())?);
    if let Some(postgres) = &postgres {
        figures.insert("server".to_owned(), postgres.settings()?);
    }
    Ok(figures)
}

fn parse(args: &[String]) -> Result<Asked> {
    let mut asked = Asked {
        into: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/load"),
        parts: PARTS.map(str::to_owned).to_vec(),
        engines: vec![Engine::Sqlite, Engine::Postgres],
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let value = args
            .next()
            .with_context(|| format!("{arg} lacks its value"))?;
        match arg.as_str() {
            "--into" => asked.into = PathBuf::from(value),
            "--only" => asked.parts = value.split(',').map(str::to_owned).collect(),
            "--engine" => asked.engines = vec![Engine::parse(value)?],
            _ => bail!("{arg} is not known"),
        }
    }
    match asked
        .parts
        .iter()
        .find(|part| !PARTS.contains(&part.as_str()))
    {
        Some(unknown) => bail!("--only doesn't know {unknown:?}"),
        None => Ok(asked),
    }
}

/// Prints a line. Whoever reads it may stop reading.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
