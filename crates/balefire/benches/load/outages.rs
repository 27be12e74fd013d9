//! Faults that last: a silent route, a network away and back, a cancel after silence, `kill -9`.
//!
//! The first four take a minute each, most of it waiting, and run side by side, each with a
//! database and networks of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use balefire_domain::lane::Kind;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::approvals::{Rows, read, submitted};
use crate::figures::{ms_between, ms_since, now, pause, rounded, spread, start};
use crate::http::Client;
use crate::open_loop::{Pace, move_all, submit_all};
use crate::process::Place;
use crate::record::{Record, first_ms, last_ms};
use crate::scene::{PROVIDERS, Scene, set_faults, slow};

/// Alerts approved during each outage, and while a route is silent.
const ALERTS: usize = 20;
/// Acceptances after which a hedge waits for 2 s and no longer for 5 s.
const WARM_UP: usize = 30;
const QUICK: Pace = Pace {
    period: Duration::from_millis(50),
    connections: 2,
};
/// A silent attempt keeps its place for 20 s, and a provider has 24: one a second finds one free.
const SPARSE: Pace = Pace {
    period: Duration::from_secs(1),
    connections: 2,
};
/// Applied, and nobody is told.
const NO_ANSWER: &str = "[[fault]]\nfunction = \"three-*\"\nmessage_type = \"alert\"\n\
                         kind = \"hang\"\napplied = true\n";
const AWAY: &str = "[[fault]]\nkind = \"unavailable\"\n";
const OUTAGE: Duration = Duration::from_secs(25);
/// Longer than the early cap of the backoff (30 s) and the period of the heartbeats (15 s).
const AFTER_HEALING: Duration = Duration::from_secs(36);
/// Longer than an attempt's deadline, its drain and the proxies' own time together.
const AFTER_CANCEL: Duration = Duration::from_secs(45);
const KILLS: usize = 10;
/// An answer that comes after the process has been killed.
const LATE: &str = "[[fault]]\nkind = \"slow\"\nms = 1500\n";
/// After its approval an alert's attempts are open by then.
const BEFORE_KILL: Duration = Duration::from_millis(150);
const AFTER_RESTART: Duration = Duration::from_millis(2_500);

/// What takes long because it has to.
pub(crate) fn measure(place: &Place<'_>, into: &Path) -> Result<Value> {
    let named = |name: &'static str| -> Result<Value> {
        match name {
            "route_hanging" => route_hanging(place, into),
            "heal_alone" => heal(place, "heal_alone", false),
            "heal_with_a_new_alert" => heal(place, "heal_seen", true),
            _ => cancel_after_silence(place, into),
        }
    };
    let names = [
        "route_hanging",
        "heal_alone",
        "heal_with_a_new_alert",
        "cancel_after_silence",
    ];
    let measured = std::thread::scope(|scope| {
        let all = names.map(|name| (name, scope.spawn(move || named(name))));
        all.map(|(name, one)| (name, one.join().expect("no measurement panics")))
    });
    let mut figures = json!({});
    for (name, one) in measured {
        figures[name] = one?;
    }
    Ok(figures)
}

/// The first route of every provider never answers; the second is asked beside it.
fn route_hanging(place: &Place<'_>, into: &Path) -> Result<Value> {
    let scene = Scene::start(place, "hanging", &slow(""))?;
    let warm = submitted(&scene, "warm", WARM_UP)?;
    let alerts = submitted(&scene, "hanging", ALERTS)?;
    move_all(&scene, &warm, "broadcasting", QUICK, &|_| Ok(()))?;
    set_faults(&mut scene.networks()?, &slow(&first_routes_hang()))?;
    let sent = move_all(&scene, &alerts, "broadcasting", SPARSE, &|_| Ok(()))?;
    // The attempts that were silent end first.
    pause(Duration::from_secs(25));
    let mut rows = Rows::new();
    let figures = read(
        &Record::open(&scene)?,
        &sent,
        Kind::Alert,
        &PROVIDERS,
        "hanging",
        &mut rows,
    )?;
    rows.write(place, into, "hanging")?;
    Ok(figures)
}

/// All networks are away, then back: how long until what waited is accepted, either by itself or
/// because another alert gets through.
fn heal(place: &Place<'_>, name: &str, sends_another: bool) -> Result<Value> {
    let scene = Scene::start(place, name, &slow(""))?;
    let mut networks = scene.networks()?;
    let alerts = submitted(&scene, "waiting", ALERTS)?;
    let another = submitted(&scene, "another", 1)?;
    set_faults(&mut networks, AWAY)?;
    let sent = move_all(&scene, &alerts, "broadcasting", QUICK, &|_| Ok(()))?;
    pause(OUTAGE);
    set_faults(&mut networks, &slow(""))?;
    let healed_at = now();
    if sends_another {
        move_all(&scene, &another, "broadcasting", QUICK, &|_| Ok(()))?;
    }
    pause(AFTER_HEALING);
    let record = Record::open(&scene)?;
    let mut all = Vec::new();
    for request in &sent.requests {
        let accepted = record.accepted(&request.alert, Kind::Alert)?;
        ensure!(
            accepted.len() == PROVIDERS.len(),
            "not all accepted: {}",
            scene.told(&request.alert)
        );
        all.extend(accepted);
    }
    let each: Vec<f64> = all
        .iter()
        .map(|one| ms_between(healed_at, one.at))
        .collect();
    // From a provider's first acceptance, whoever's, to its last.
    let mut passive = Vec::new();
    for name in PROVIDERS {
        let of: Vec<_> = all.iter().filter(|one| one.provider == name).collect();
        let first = of.iter().map(|one| one.at).min();
        let last = of.iter().map(|one| one.at).max();
        let both = first.zip(last);
        passive.extend(both.map(|(first, last)| ms_between(first, last)));
    }
    Ok(json!({
        "outage_seconds": OUTAGE.as_secs(), "heal_to_acceptance_ms": spread(&each),
        "first_ms": rounded(first_ms(&all, healed_at)),
        "last_ms": rounded(last_ms(&all, healed_at)),
        "a_providers_first_to_its_last_ms": spread(&passive),
    }))
}

/// A network never answers the alert, which is cancelled a second later: the cancel waits until
/// the alert can no longer arrive.
fn cancel_after_silence(place: &Place<'_>, into: &Path) -> Result<Value> {
    let scene = Scene::start(place, "silence", &slow(NO_ANSWER))?;
    let alerts = submitted(&scene, "silence", ALERTS / 2)?;
    move_all(&scene, &alerts, "broadcasting", QUICK, &|_| Ok(()))?;
    pause(Duration::from_secs(1));
    let sent = move_all(&scene, &alerts, "cancelled", QUICK, &|_| Ok(()))?;
    pause(AFTER_CANCEL);
    let (record, mut rows) = (Record::open(&scene)?, Rows::new());
    let mut of =
        |providers: &[&str], case| read(&record, &sent, Kind::Cancel, providers, case, &mut rows);
    let silent = of(&["three"], "silent")?;
    let others = of(&["ee", "o2", "vodafone"], "others")?;
    rows.write(place, into, "cancel-after-silence")?;
    Ok(json!({ "silent": silent, "others": others }))
}

/// Kills the service while four attempts are open, starts it at once, and looks when the delivery
/// is sent again.
pub(crate) fn measure_crash(place: &Place<'_>) -> Result<Value> {
    let mut scene = Scene::start(place, "crash", &slow(""))?;
    let mut networks = scene.networks()?;
    let alerts = submit_all(&scene, &scene.agency, "crash", KILLS)?;
    let (mut ready, mut starts) = (Vec::new(), Vec::<(String, Timestamp)>::new());
    for alert in alerts {
        set_faults(&mut networks, LATE)?;
        let (line, token, body) = scene.agency.moving(&alert, "broadcasting");
        let mut client = Client::connect(&scene.address)?;
        let (status, answer) = client.call(&line, &token, "application/json", &body)?;
        ensure!(status == 200, "{line}: {status} {answer}");
        pause(BEFORE_KILL);
        scene.kill();
        set_faults(&mut networks, &slow(""))?;
        let (started_at, started) = (now(), start());
        scene.restart()?;
        ready.push(ms_since(started));
        starts.push((alert, started_at));
        pause(AFTER_RESTART);
    }
    let record = Record::open(&scene)?;
    let (mut resent, mut accepted_ms, mut unsent) = (Vec::new(), Vec::new(), 0);
    for (alert, started_at) in starts {
        let accepted = record.accepted(&alert, Kind::Alert)?;
        ensure!(
            accepted.len() == PROVIDERS.len(),
            "not all accepted: {}",
            scene.told(&alert)
        );
        unsent += accepted.iter().filter(|one| one.attempts < 2).count();
        let resends = accepted
            .iter()
            .map(|one| ms_between(started_at, one.intent_at));
        resent.push(resends.fold(f64::MIN, f64::max));
        accepted_ms.push(last_ms(&accepted, started_at));
    }
    Ok(json!({
        "start_to_ready_ms": spread(&ready), "start_to_last_resend_ms": spread(&resent),
        "start_to_last_acceptance_ms": spread(&accepted_ms),
        "deliveries_without_an_open_attempt": unsent, "record": scene.verify()?,
    }))
}

fn first_routes_hang() -> String {
    let hangs = PROVIDERS.map(|name| {
        format!(
            "[[fault]]\nfunction = \"{name}-1-proxy\"\nmessage_type = \"alert\"\nkind = \"hang\"\n"
        )
    });
    hangs.concat()
}
