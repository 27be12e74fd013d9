//! PostgreSQL is restarted, or its sessions are ended, while work is under way.

use std::time::Duration;

use balefire_test_support::postgres::own::StopMode;
use tokio::time::{Instant, interval};

use super::{Load, Own, blocking, count, every_kind, hold_to_its_word};
use crate::support::oracle::judge;
use crate::support::server::Server;
use crate::support::{SOON, poll_until, say};

/// One alert each …
const PACE: Duration = Duration::from_millis(100);
const ALERTS: usize = 40;
/// Ended every …
const ENDED_EVERY: Duration = Duration::from_millis(200);
const ENDED_TIMES: usize = 20;

const END_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                            WHERE usename = 'balefire'";

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_fast_restart_is_survived() {
    survive_restart(StopMode::Fast, PACE).await;
}

/// The recovery after it takes some seconds, so the requests come more slowly.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_immediate_restart_is_survived() {
    survive_restart(StopMode::Immediate, 3 * PACE).await;
}

async fn survive_restart(how: StopMode, pace: Duration) {
    let own = Own::new("");
    let sandbox = own.sandbox().await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let slow = "[[fault]]\nkind = \"slow\"\nms = 300\n";
    sandbox.networks.fail(slow).await;
    let alerts = Load::submit(&server, &team, ALERTS).await;
    let load = Load::start(&server, &team, &alerts, pace);
    poll_until(SOON, "some were confirmed", async || {
        (server.process.events("alert.moved").len() >= ALERTS / 8).then_some(())
    })
    .await;
    let begun = Instant::now();
    blocking(|| own.server.stop(how));
    blocking(|| own.server.start());
    let away = begun.elapsed();
    let told = load.told().await;
    say(&format!(
        "{how:?} restart of {away:?} in the middle of {} requests: {:?}",
        told.len(),
        count(&told)
    ));
    hold_to_its_word(&sandbox, &server, &team, &told).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn sessions_that_are_ended_five_times_a_second_fail_few_requests() {
    let own = Own::new("");
    let sandbox = own.sandbox().await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alerts = Load::submit(&server, &team, ALERTS).await;
    let load = Load::start(&server, &team, &alerts, PACE);
    let mut ended = 0;
    let mut beat = interval(ENDED_EVERY);
    for _ in 0..ENDED_TIMES {
        beat.tick().await;
        let count = blocking(|| own.server.sql(END_SESSIONS));
        ended += count.trim().parse::<u64>().expect("a count");
    }
    let told = load.told().await;
    say(&format!(
        "{ended} sessions ended in the middle of {} requests: {:?}",
        told.len(),
        count(&told)
    ));
    assert!(ended > 0);
    // On a busy machine a request takes longer than the pause between two ends, and meets so many
    // of them that its time is over: that is told truthfully.
    let confirmed = told.iter().filter(|told| told.answered == 200).count();
    assert!(
        confirmed * 4 > told.len() * 3,
        "{confirmed} of {}",
        told.len()
    );
    hold_to_its_word(&sandbox, &server, &team, &told).await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_session_that_was_ended_while_idle_is_replaced_and_nobody_notices() {
    let own = Own::new("");
    let sandbox = own.sandbox().await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let (mut asked, mut ended) = (0, 0);
    for run in 0..3 {
        let end = || {
            let count = blocking(|| own.server.sql(END_SESSIONS));
            ended += count.trim().parse::<u64>().expect("a count");
            asked += 1;
        };
        for (kind, answer) in every_kind(&server, &team, &format!("{run}"), end).await {
            assert!(answer.status < 300, "{kind}: {}", answer.text());
        }
    }
    say(&format!(
        "{ended} idle sessions ended between {asked} requests: all were answered 2xx"
    ));
    assert!(ended >= asked, "there were idle sessions each time");
    judge(&sandbox, &server).await;
    server.end().await;
}
