//! From an approval to the networks' acceptance.
//!
//! Alerts come one after another, each approved on a connection that is already open, with a pause
//! before the next. What happened is read from the database after the last alert: looking earlier
//! would be part of what is measured.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::figures::{ms_between, ms_since, now, pause, rounded, spread, start};
use crate::http::Client;
use crate::scene::{PROVIDERS, Place, Scene, document};

const ALERTS: usize = 200;
/// Above what a healthy alert takes from its approval to the last acceptance.
const PAUSE: Duration = Duration::from_millis(60);
/// So that the last alert's deliveries are surely settled.
const LAST_PAUSE: Duration = Duration::from_secs(2);
const HUNG: &str = "three";
const HANGS: &str = "[[fault]]\nfunction = \"three-*\"\nkind = \"hang\"\n";

/// What the client saw of one approval.
struct Approval {
    alert: String,
    sent_at: Timestamp,
    http_ms: f64,
}

/// What the database knows of one delivery, in milliseconds since the approving request was sent.
#[expect(clippy::struct_field_names, reason = "the unit stands last")]
struct Accepted {
    provider: String,
    event_ms: f64,
    intent_ms: f64,
    accepted_ms: f64,
}

/// All networks answer at once.
pub(crate) fn measure_healthy(place: &Place<'_>, into: &Path) -> Result<Value> {
    let scene = Scene::start(place, "healthy", "")?;
    let mut client = Client::connect(&scene.address)?;
    let mut approvals = Vec::new();
    for n in 0..ALERTS {
        approvals.push(approve(&scene, &mut client, n)?);
    }
    pause(LAST_PAUSE);
    let mut rows = String::from(HEAD);
    let figures = read(&scene, &approvals, &PROVIDERS, "healthy", &mut rows)?;
    write(place, into, "approvals", &rows)?;
    Ok(figures)
}

/// Two countries side by side, alert by alert: in one of them a network never answers. The other
/// three are compared between the two, in the same run.
pub(crate) fn measure_hung(place: &Place<'_>, into: &Path) -> Result<Value> {
    let healthy = Scene::start(place, "beside", "")?;
    let hung = Scene::start(place, "hung", HANGS)?;
    let mut to_healthy = Client::connect(&healthy.address)?;
    let mut to_hung = Client::connect(&hung.address)?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for n in 0..ALERTS {
        without.push(approve(&healthy, &mut to_healthy, n)?);
        with.push(approve(&hung, &mut to_hung, n)?);
    }
    pause(LAST_PAUSE);
    let three: Vec<&str> = PROVIDERS.into_iter().filter(|name| *name != HUNG).collect();
    let mut rows = String::from(HEAD);
    let without = read(&healthy, &without, &three, "none-hung", &mut rows)?;
    let with = read(&hung, &with, &three, "one-hung", &mut rows)?;
    write(place, into, "one-hung", &rows)?;
    let ratio = |percentile: &str| {
        let of = |figures: &Value| figures["last_accepted_ms"][percentile].as_f64();
        of(&with)
            .zip(of(&without))
            .map(|(with, without)| rounded(with / without))
    };
    Ok(json!({
        "others_p50_ratio": ratio("p50"), "others_p99_ratio": ratio("p99"),
        "none_hung": without, "one_hung": with,
    }))
}

fn approve(scene: &Scene, client: &mut Client, n: usize) -> Result<Approval> {
    let alert = scene.submit(client, &document(&format!("load-{n}")))?;
    pause(PAUSE / 3);
    let (line, token, body) = scene.approval(&alert);
    let (sent_at, started) = (now(), start());
    let (status, answer) = client.call(&line, &token, "application/json", &body)?;
    let http_ms = ms_since(started);
    ensure!(status == 200, "{line}: {status} {answer}");
    pause(PAUSE);
    Ok(Approval {
        alert,
        sent_at,
        http_ms,
    })
}

const HEAD: &str = "case,alert,http_ms,provider,event_ms,intent_ms,accepted_ms\n";

fn read(
    scene: &Scene,
    approvals: &[Approval],
    providers: &[&str],
    case: &str,
    rows: &mut String,
) -> Result<Value> {
    let (mut last_of_request, mut last_of_event) = (Vec::new(), Vec::new());
    let (mut intents, mut sends) = (Vec::new(), Vec::new());
    for (n, approval) in approvals.iter().enumerate() {
        let accepted = accepted(scene, approval, providers)?;
        ensure!(
            accepted.len() == providers.len(),
            "{case} alert {n}: {}",
            accepted.len()
        );
        for one in &accepted {
            intents.push(one.intent_ms - one.event_ms);
            sends.push(one.accepted_ms - one.intent_ms);
            writeln!(
                rows,
                "{case},{n},{:.3},{},{:.3},{:.3},{:.3}",
                approval.http_ms, one.provider, one.event_ms, one.intent_ms, one.accepted_ms
            )?;
        }
        let last = |of: fn(&Accepted) -> f64| accepted.iter().map(of).fold(f64::MIN, f64::max);
        last_of_request.push(last(|one| one.accepted_ms));
        last_of_event.push(last(|one| one.accepted_ms - one.event_ms));
    }
    let http: Vec<f64> = approvals.iter().map(|approval| approval.http_ms).collect();
    Ok(json!({
        "last_accepted_ms": spread(&last_of_request),
        "last_accepted_after_event_ms": spread(&last_of_event),
        "approval_http_ms": spread(&http),
        "event_to_intent_ms": spread(&intents), "intent_to_accepted_ms": spread(&sends),
    }))
}

/// The deliveries of `providers` that were accepted.
fn accepted(scene: &Scene, approval: &Approval, providers: &[&str]) -> Result<Vec<Accepted>> {
    let mut all = Vec::new();
    for delivery in scene.deliveries(&approval.alert)? {
        let provider = delivery["provider"].as_str().unwrap_or_default().to_owned();
        if !providers.contains(&provider.as_str()) || delivery["state"] != "acknowledged" {
            continue;
        }
        let attempt = delivery["attempts"]
            .as_array()
            .and_then(|attempts| attempts.last());
        let attempt = attempt.context("accepted without an attempt")?;
        let event_ms = ms_between(approval.sent_at, instant(&delivery["created_at"])?);
        let ended_ms = delivery["ms"].as_f64().context("no ms")?;
        all.push(Accepted {
            provider,
            event_ms,
            intent_ms: ms_between(approval.sent_at, instant(&attempt["opened_at"])?),
            accepted_ms: event_ms + ended_ms,
        });
    }
    Ok(all)
}

fn instant(value: &Value) -> Result<Timestamp> {
    let instant = value.as_str().and_then(Timestamp::parse_iso8601);
    instant.with_context(|| format!("no instant: {value}"))
}

fn write(place: &Place<'_>, into: &Path, name: &str, rows: &str) -> Result<()> {
    let file = into.join(format!("{name}-{}.csv", place.engine().name()));
    std::fs::write(&file, rows).with_context(|| format!("can't write {}", file.display()))
}
