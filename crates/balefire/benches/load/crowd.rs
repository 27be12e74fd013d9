//! Many alerts at once: a burst, and a rate that is kept up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use balefire_domain::lane::Kind;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::figures::{cpu_ticks, ms_between, ms_since, pause, rounded, spread, start};
use crate::open_loop::{Pace, Sent, move_all, submit_all};
use crate::process::{Engine, Place};
use crate::record::{Record, last_ms};
use crate::scene::{Agency, PROVIDERS, Scene, slow};

const BURST: usize = 500;
const BURST_PACE: Pace = Pace {
    period: Duration::from_millis(2),
    connections: 32,
};
/// How long after the last approval it is waited for the acceptances.
const SETTLED_SECONDS_MAX: f64 = 60.0;
const LOOK_PERIOD: Duration = Duration::from_millis(500);
/// A rate is kept up if each of its alerts is accepted by all within this.
const KEPT_UP_MS_MAX: f64 = 2_000.0;
const LADDER: [u32; 8] = [25, 50, 75, 100, 125, 150, 175, 200];
const STEP_SECONDS: u32 = 10;
const SECONDS: u32 = 30;

/// 500 approvals in one second, severe ones and tests in turn.
pub(crate) fn measure_burst(place: &Place<'_>, into: &Path) -> Result<Value> {
    let scene = Scene::start(place, "burst", &slow(""))?;
    let tests = scene.new_agency("test")?;
    let severe = submit_all(&scene, &scene.agency, "severe", BURST / 2)?;
    let test = submit_all(&scene, &tests, "test", BURST / 2)?;
    let mut alerts: Vec<(&Agency, String)> = Vec::new();
    for (severe, test) in severe.into_iter().zip(test) {
        alerts.extend([(&tests, test), (&scene.agency, severe)]);
    }
    let sent = move_all(&scene, &alerts, "broadcasting", BURST_PACE, &|_| Ok(()))?;
    let reached = settle(&scene, &sent, PROVIDERS.len())?;
    let began = sent.requests[0].due_at;
    let of = |is_severe: bool| {
        let every_second = reached.iter().skip(usize::from(is_severe)).step_by(2);
        let own: Vec<f64> = every_second.clone().flatten().map(|r| r.own_ms).collect();
        let all = every_second.flatten().map(|r| ms_between(began, r.at));
        json!({ "ms": spread(&own), "last_after_burst_began_ms":
            rounded(all.fold(f64::MIN, f64::max)) })
    };
    let mut rows = String::from("alert,channel,late_ms,http_ms,last_accepted_ms\n");
    for (n, (request, reached)) in sent.requests.iter().zip(&reached).enumerate() {
        let channel = if n % 2 == 0 { "test" } else { "severe" };
        let last = reached.as_ref().map_or(-1.0, |reached| reached.own_ms);
        let (late, http) = (request.late_ms, request.http_ms);
        writeln!(rows, "{n},{channel},{late:.2},{http:.2},{last:.2}")?;
    }
    let file = into.join(format!("burst-{}.csv", place.engine().name()));
    std::fs::write(&file, rows).with_context(|| format!("can't write {}", file.display()))?;
    let mut figures = summed_up(&sent, &reached);
    (figures["severe"], figures["test"]) = (of(true), of(false));
    figures["record"] = scene.verify()?;
    Ok(figures)
}

/// The highest rate of the ladder that is kept up for 10 s, then for 30 s; and the target's rate
/// for 30 s, where that is another.
pub(crate) fn measure_sustained(place: &Place<'_>, into: &Path) -> Result<Value> {
    let target = match place.engine() {
        Engine::Sqlite => 100,
        Engine::Postgres => 200,
    };
    let mut steps = Vec::new();
    let mut kept_up = None;
    for (n, rate) in LADDER.into_iter().enumerate() {
        let step = at_rate(place, into, &format!("step{n}"), rate, STEP_SECONDS)?;
        let is_kept_up = step["is_kept_up"] == true;
        steps.push(step);
        if !is_kept_up {
            break;
        }
        kept_up = Some((n, rate));
    }
    // Thirty seconds may be more than it can bear.
    let (mut sustained, mut below) = (Value::Null, kept_up.map_or(0, |(n, _)| n + 1));
    while below > 0 && sustained["is_kept_up"] != true {
        below -= 1;
        sustained = at_rate(place, into, &format!("kept{below}"), LADDER[below], SECONDS)?;
    }
    let at_target = if sustained["per_second"] == target {
        Value::Null
    } else {
        at_rate(place, into, "target", target, SECONDS)?
    };
    Ok(json!({ "sustained": sustained, "steps": steps, "at_target": at_target }))
}

fn at_rate(place: &Place<'_>, into: &Path, name: &str, rate: u32, seconds: u32) -> Result<Value> {
    let scene = Scene::start(place, name, &slow(""))?;
    let count = usize::try_from(rate * seconds)?;
    let alerts = submit_all(&scene, &scene.agency, name, count)?;
    let alerts: Vec<_> = alerts
        .into_iter()
        .map(|alert| (&scene.agency, alert))
        .collect();
    let pace = Pace {
        period: Duration::from_secs(1) / rate,
        connections: 32,
    };
    let (began, ticks) = (start(), cpu_ticks(scene.process())?);
    let sent = move_all(&scene, &alerts, "broadcasting", pace, &|_| Ok(()))?;
    let ticks = u32::try_from(cpu_ticks(scene.process())? - ticks)?;
    let percent = f64::from(ticks) / ms_since(began) * 1000.0;
    let reached = settle(&scene, &sent, PROVIDERS.len())?;
    if seconds == SECONDS {
        write_counts(place, into, rate, &reached)?;
    }
    let mut figures = summed_up(&sent, &reached);
    let slowest = figures["last_accepted_ms"]["max"].as_f64();
    let is_complete = reached.iter().all(Option::is_some);
    figures["is_kept_up"] =
        json!(is_complete && slowest.is_some_and(|slowest| slowest <= KEPT_UP_MS_MAX));
    (figures["per_second"], figures["seconds"]) = (json!(rate), json!(seconds));
    figures["service_processor_percent"] = json!(rounded(percent));
    figures["record"] = scene.verify()?;
    crate::say(&format!(
        "  {rate}/s for {seconds} s: {}",
        figures["last_accepted_ms"]
    ));
    Ok(figures)
}

/// When the last network accepted an alert.
struct Reached {
    own_ms: f64,
    at: Timestamp,
}

/// Waits until every alert has its acceptances, within a bounded time; when each had them all.
fn settle(scene: &Scene, sent: &Sent, providers: usize) -> Result<Vec<Option<Reached>>> {
    let (record, began) = (Record::open(scene)?, start());
    let mut reached: Vec<Option<Reached>> = sent.requests.iter().map(|_| None).collect();
    pause(LOOK_PERIOD);
    loop {
        for (request, reached) in sent.requests.iter().zip(&mut reached) {
            if reached.is_some() {
                continue;
            }
            let accepted = record.accepted(&request.alert, Kind::Alert)?;
            let at = accepted.iter().map(|one| one.at).max();
            if accepted.len() == providers {
                let own_ms = last_ms(&accepted, request.due_at);
                *reached = at.map(|at| Reached { own_ms, at });
            } else {
                break; // Looking is work as well: the rest is looked at later.
            }
        }
        let is_over = ms_since(began) > SETTLED_SECONDS_MAX * 1000.0;
        if is_over || reached.iter().all(Option::is_some) {
            return Ok(reached);
        }
        pause(LOOK_PERIOD);
    }
}

fn summed_up(sent: &Sent, reached: &[Option<Reached>]) -> Value {
    let last: Vec<f64> = reached.iter().flatten().map(|one| one.own_ms).collect();
    let http: Vec<f64> = sent.requests.iter().map(|one| one.http_ms).collect();
    let late: Vec<f64> = sent.requests.iter().map(|one| one.late_ms).collect();
    json!({
        "alerts": reached.len(), "not_accepted": reached.len() - last.len(),
        "last_accepted_ms": spread(&last), "http_ms": spread(&http),
        "sent_late_ms": spread(&late), "clock_drift_ms": rounded(sent.drift_ms),
    })
}

/// Thousands of lengths, told to a tenth of a millisecond.
fn write_counts(
    place: &Place<'_>,
    into: &Path,
    rate: u32,
    reached: &[Option<Reached>],
) -> Result<()> {
    let mut counts = BTreeMap::<i64, u32>::new();
    for one in reached.iter().flatten() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a minute in tenths of a ms fits"
        )]
        let tenths = (one.own_ms * 10.0).round() as i64;
        *counts.entry(tenths).or_default() += 1;
    }
    let mut rows = String::from("last_accepted_tenths_ms,alerts\n");
    for (tenths, count) in counts {
        writeln!(rows, "{tenths},{count}")?;
    }
    let file = into.join(format!("sustained-{rate}-{}.csv", place.engine().name()));
    std::fs::write(&file, rows).with_context(|| format!("can't write {}", file.display()))
}
