//! From an approval to the networks' acceptance, and from a cancel.
//!
//! Alerts are submitted before; their approvals are sent in an open loop. What happened is read
//! from the database after the last alert: looking earlier would be part of what is measured.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use balefire_domain::lane::Kind;
use serde_json::{Value, json};

use crate::figures::{ms_between, pause, rounded, spread};
use crate::open_loop::{Pace, Sent, move_all, submit_all};
use crate::process::Place;
use crate::record::{Accepted, Record, last_ms};
use crate::scene::{Agency, PROVIDERS, Scene, set_faults, slow};

const ALERTS: usize = 1_000;
/// Pairs of alerts, one with a hung network and one without.
const PAIRS: usize = 500;
/// One alert after another: longer than a healthy one takes from approval to last acceptance.
const PACE: Pace = Pace {
    period: Duration::from_millis(50),
    connections: 4,
};
/// One connection: what the networks meet changes between two alerts.
const ONE_BY_ONE: Pace = Pace {
    period: Duration::from_millis(60),
    connections: 1,
};
/// So that the last alert's deliveries are surely settled.
const LAST_PAUSE: Duration = Duration::from_secs(2);
const HUNG: &str = "three";
const HANGS: &str = "[[fault]]\nfunction = \"three-*\"\nkind = \"hang\"\n";

/// All networks answer after their usual time: approvals, then cancels.
pub(crate) fn measure_healthy(place: &Place<'_>, into: &Path) -> Result<Value> {
    let scene = Scene::start(place, "healthy", &slow(""))?;
    let alerts = submitted(&scene, "healthy", ALERTS)?;
    let mut rows = Rows::new();
    let approved = move_all(&scene, &alerts, "broadcasting", PACE, &|_| Ok(()))?;
    pause(LAST_PAUSE);
    let record = Record::open(&scene)?;
    let approvals = read(
        &record,
        &approved,
        Kind::Alert,
        &PROVIDERS,
        "approval",
        &mut rows,
    )?;
    let cancelled = move_all(&scene, &alerts, "cancelled", PACE, &|_| Ok(()))?;
    pause(LAST_PAUSE);
    let cancels = read(
        &record,
        &cancelled,
        Kind::Cancel,
        &PROVIDERS,
        "cancel",
        &mut rows,
    )?;
    rows.write(place, into, "healthy")?;
    Ok(json!({ "approvals": approvals, "cancels": cancels }))
}

/// The route that is tried first refuses, at every provider and for every alert: the next alert
/// would avoid it, so the other route refuses from then on.
pub(crate) fn measure_refusing(place: &Place<'_>, into: &Path) -> Result<Value> {
    let refuses = |n: usize| {
        let route = n % 2 + 1;
        let fault = PROVIDERS.map(|name| {
            format!(
                "[[fault]]\nfunction = \"{name}-{route}-proxy\"\nmessage_type = \"alert\"\n\
                 kind = \"refuse\"\n"
            )
        });
        slow(&fault.concat())
    };
    let scene = Scene::start(place, "refusing", &refuses(0))?;
    let alerts = submitted(&scene, "refusing", ALERTS)?;
    let networks = Mutex::new(scene.networks()?);
    let sent = move_all(&scene, &alerts, "broadcasting", ONE_BY_ONE, &|n| {
        // The alert before is done: its acceptances take a part of the period.
        pause(ONE_BY_ONE.period.mul_f64(0.7));
        let mut networks = networks.lock().unwrap_or_else(PoisonError::into_inner);
        set_faults(&mut networks, &refuses(n))
    })?;
    pause(LAST_PAUSE);
    let mut rows = Rows::new();
    let record = Record::open(&scene)?;
    let figures = read(
        &record,
        &sent,
        Kind::Alert,
        &PROVIDERS,
        "refusing",
        &mut rows,
    )?;
    rows.write(place, into, "refusing")?;
    Ok(figures)
}

/// Two countries side by side, alert by alert: in one of them a network never answers. The other
/// three are compared between the two, in the same run.
pub(crate) fn measure_hung(place: &Place<'_>, into: &Path) -> Result<Value> {
    let healthy = Scene::start(place, "beside", &slow(""))?;
    let hung = Scene::start(place, "hung", &slow(HANGS))?;
    let (of_healthy, of_hung) = (
        submitted(&healthy, "beside", PAIRS)?,
        submitted(&hung, "hung", PAIRS)?,
    );
    let pace = Pace {
        period: PACE.period * 2,
        ..PACE
    };
    let (without, with) = std::thread::scope(|scope| {
        let without =
            scope.spawn(|| move_all(&healthy, &of_healthy, "broadcasting", pace, &|_| Ok(())));
        // Half a period later: never both at once.
        pause(PACE.period);
        let with = move_all(&hung, &of_hung, "broadcasting", pace, &|_| Ok(()));
        (without.join().expect("no client panics"), with)
    });
    pause(LAST_PAUSE);
    let three: Vec<&str> = PROVIDERS.into_iter().filter(|name| *name != HUNG).collect();
    let mut rows = Rows::new();
    let record = Record::open(&healthy)?;
    let without = read(
        &record,
        &without?,
        Kind::Alert,
        &three,
        "none-hung",
        &mut rows,
    )?;
    let record = Record::open(&hung)?;
    let with = read(&record, &with?, Kind::Alert, &three, "one-hung", &mut rows)?;
    rows.write(place, into, "one-hung")?;
    let ratio = |percentile: &str| {
        let of = |figures: &Value| figures["last_accepted_ms"][percentile].as_f64();
        of(&with)
            .zip(of(&without))
            .map(|(with, without)| rounded(with / without))
    };
    Ok(json!({
        "others_p50_ratio": ratio("p50"), "others_p95_ratio": ratio("p95"),
        "others_p99_ratio": ratio("p99"), "none_hung": without, "one_hung": with,
    }))
}

/// Alerts of the scene's own agency that wait for their approval.
pub(crate) fn submitted<'a>(
    scene: &'a Scene,
    name: &str,
    count: usize,
) -> Result<Vec<(&'a Agency, String)>> {
    let alerts = submit_all(scene, &scene.agency, name, count)?;
    Ok(alerts
        .into_iter()
        .map(|alert| (&scene.agency, alert))
        .collect())
}

/// A line for each alert, in milliseconds since its request was due.
pub(crate) struct Rows(String);

impl Rows {
    pub(crate) fn new() -> Self {
        Self(
            "case,alert,late_ms,http_ms,event_ms,last_intent_ms,last_accepted_ms,attempts\n".into(),
        )
    }

    pub(crate) fn write(&self, place: &Place<'_>, into: &Path, name: &str) -> Result<()> {
        let file = into.join(format!("{name}-{}.csv", place.engine().name()));
        std::fs::write(&file, &self.0).with_context(|| format!("can't write {}", file.display()))
    }
}

/// Reads what became of the requests at `providers`, all of which must have accepted.
pub(crate) fn read(
    record: &Record,
    sent: &Sent,
    kind: Kind,
    providers: &[&str],
    case: &str,
    rows: &mut Rows,
) -> Result<Value> {
    let (mut last, mut intents, mut sends) = (Vec::new(), Vec::new(), Vec::new());
    let (mut late, mut http, mut several) = (Vec::new(), Vec::new(), 0);
    for (n, request) in sent.requests.iter().enumerate() {
        let mut accepted = record.accepted(&request.alert, kind)?;
        accepted.retain(|one| providers.contains(&one.provider.as_str()));
        let count = accepted.len();
        ensure!(count == providers.len(), "{case} {n}: {count} accepted");
        let since = |of: fn(&Accepted) -> balefire_domain::time::Timestamp| {
            let each = accepted.iter().map(of);
            each.map(|at| ms_between(request.due_at, at))
                .fold(f64::MIN, f64::max)
        };
        for one in &accepted {
            intents.push(ms_between(one.event_at, one.intent_at));
            sends.push(ms_between(one.intent_at, one.at));
            several += usize::from(one.attempts > 1);
        }
        let last_accepted = last_ms(&accepted, request.due_at);
        let attempts: usize = accepted.iter().map(|one| one.attempts).sum();
        let (event, intent) = (since(|one| one.event_at), since(|one| one.intent_at));
        writeln!(
            rows.0,
            "{case},{n},{:.2},{:.2},{event:.2},{intent:.2},{last_accepted:.2},{attempts}",
            request.late_ms, request.http_ms,
        )?;
        last.push(last_accepted);
        late.push(request.late_ms);
        http.push(request.http_ms);
    }
    Ok(json!({
        "last_accepted_ms": spread(&last), "http_ms": spread(&http),
        "event_to_last_intent_ms": spread(&intents), "intent_to_accepted_ms": spread(&sends),
        "sent_late_ms": spread(&late), "deliveries_with_several_attempts": several,
        "clock_drift_ms": rounded(sent.drift_ms),
    }))
}
