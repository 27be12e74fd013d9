//! What the service takes when nothing happens: time to start, memory, processor, statements.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::figures::{cpu_ticks, memory_kib, pause, rounded, spread};
use crate::process::{Place, Postgres};
use crate::scene::{Scene, slow};

const STARTS: usize = 5;
const REST: Duration = Duration::from_secs(30);
/// A second period, in which the server writes every statement down.
const WATCHED: Duration = Duration::from_secs(10);

/// Starts on fresh databases, the last of which is left alone for a while.
pub(crate) fn measure(place: &Place<'_>) -> Result<Value> {
    let (mut starts, mut last) = (Vec::new(), None);
    for n in 0..STARTS {
        // The one before ends first.
        drop(last.take());
        let scene = Scene::start(place, &format!("rest{n}"), &slow(""))?;
        starts.push(scene.ready_ms);
        last = Some(scene);
    }
    let process = last.as_ref().expect("several were started").process();
    let ticks = cpu_ticks(process)?;
    pause(REST);
    let ticks = u32::try_from(cpu_ticks(process)? - ticks)?;
    let (rss, highest) = memory_kib(process)?;
    let statements = place.postgres.map(statements).transpose()?;
    Ok(json!({
        "start_to_ready_ms": spread(&starts), "memory_kib": rss, "memory_highest_kib": highest,
        "processor_percent": rounded(f64::from(ticks) / REST.as_secs_f64()),
        "statements_per_second": statements,
    }))
}

/// How many statements a second PostgreSQL is asked while nothing happens, those that begin and
/// end transactions and those that ask whether a connection is alive included.
fn statements(postgres: &Postgres) -> Result<Value> {
    let count = || -> Result<u32> {
        let log = fs::read_to_string(postgres.log())?;
        let lines = log.lines();
        let asked = lines
            .filter(|line| line.contains("LOG:  statement:") || line.contains("LOG:  execute "));
        Ok(u32::try_from(asked.count())?)
    };
    let log = |what: &str| -> Result<()> {
        postgres.run_sql(&format!("ALTER SYSTEM SET log_statement = '{what}'"))?;
        postgres.run_sql("SELECT pg_reload_conf()")?;
        pause(Duration::from_secs(1));
        Ok(())
    };
    log("all")?;
    let before = count()?;
    pause(WATCHED);
    let after = count()?;
    log("none")?;
    Ok(json!(rounded(
        f64::from(after - before) / WATCHED.as_secs_f64()
    )))
}
