//! Requests at instants that were fixed before: a slow answer delays no later request, and what a
//! request waited for its turn counts (no coordinated omission).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use balefire_domain::time::Timestamp;

use crate::figures::{ms_since, now, pause, start};
use crate::http::Client;
use crate::scene::{Agency, Scene, document};

/// Connections of the submissions before a load, which are no part of it.
const SUBMITTERS: usize = 4;
/// Sleeping ends this much early, and the rest is waited for awake.
const AWAKE: Duration = Duration::from_micros(300);
/// Before the first request, so that every client is ready.
const HEAD_START: Duration = Duration::from_millis(50);

/// When requests are sent, and over how many connections.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) period: Duration,
    pub(crate) connections: usize,
}

/// One request of an open loop.
pub(crate) struct Request {
    pub(crate) alert: String,
    /// The instant at which it was to be sent; what is measured begins here.
    pub(crate) due_at: Timestamp,
    /// By how much later it was sent.
    pub(crate) late_ms: f64,
    /// From `due_at` to the whole answer, by the clock that only goes forward.
    pub(crate) http_ms: f64,
}

/// The requests, and by how much the wall clock went another way than the one that nobody sets.
pub(crate) struct Sent {
    pub(crate) requests: Vec<Request>,
    pub(crate) drift_ms: f64,
}

/// Submits `count` alerts of an agency, which wait for their approval.
pub(crate) fn submit_all(
    scene: &Scene,
    agency: &Agency,
    name: &str,
    count: usize,
) -> Result<Vec<String>> {
    let next = AtomicUsize::new(0);
    let submit = || -> Result<Vec<(usize, String)>> {
        let (mut client, mut alerts) = (Client::connect(&scene.address)?, Vec::new());
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return Ok(alerts);
            }
            let document = document(&format!("{name}-{n}"));
            alerts.push((n, agency.submit(&mut client, &document)?));
        }
    };
    let mut alerts = on_threads(SUBMITTERS, &submit)?;
    alerts.sort();
    Ok(alerts.into_iter().map(|(_, alert)| alert).collect())
}

/// Moves each alert, of the agency beside it, to another state, one every `pace.period`. `before`
/// runs on the client's thread before the request `n` is waited for.
pub(crate) fn move_all(
    scene: &Scene,
    alerts: &[(&Agency, String)],
    status: &str,
    pace: Pace,
    before: &(dyn Fn(usize) -> Result<()> + Sync),
) -> Result<Sent> {
    let next = AtomicUsize::new(0);
    let (wall, began) = (now() + HEAD_START, start() + HEAD_START);
    let send = || -> Result<Vec<(usize, Request)>> {
        let (mut client, mut sent) = (Client::connect(&scene.address)?, Vec::new());
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some((agency, alert)) = alerts.get(n) else {
                return Ok(sent);
            };
            before(n)?;
            let after = pace.period * u32::try_from(n)?;
            let (line, token, body) = agency.moving(alert, status);
            wait_until(began + after);
            let late_ms = ms_since(began + after);
            let (status, answer) = client.call(&line, &token, "application/json", &body)?;
            let http_ms = ms_since(began + after);
            ensure!(status == 200, "{line}: {status} {answer}");
            let (alert, due_at) = (alert.clone(), wall + after);
            sent.push((
                n,
                Request {
                    alert,
                    due_at,
                    late_ms,
                    http_ms,
                },
            ));
        }
    };
    let mut sent = on_threads(pace.connections, &send)?;
    sent.sort_by_key(|(n, _)| *n);
    let wall_ms = crate::figures::ms_between(wall, now());
    Ok(Sent {
        requests: sent.into_iter().map(|(_, request)| request).collect(),
        drift_ms: wall_ms - ms_since(began),
    })
}

fn wait_until(instant: Instant) {
    let left = instant.saturating_duration_since(start());
    pause(left.saturating_sub(AWAKE));
    while start() < instant {
        std::hint::spin_loop();
    }
}

fn on_threads<T: Send>(
    threads: usize,
    work: &(dyn Fn() -> Result<Vec<T>> + Sync),
) -> Result<Vec<T>> {
    let done: Result<Vec<Vec<T>>> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = all
            .into_iter()
            .map(|one| one.join().expect("no client panics"));
        joined.collect()
    });
    let done = done.context("a client of the open loop")?;
    Ok(done.into_iter().flatten().collect())
}
