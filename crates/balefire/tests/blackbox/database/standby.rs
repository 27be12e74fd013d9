//! A synchronous standby: promoted in the middle of work, and away.
//!
//! The driver reads one host from an address, so what leads clients to the primary of the day
//! stands outside the product: a name or an address that moves, or a proxy. Here it is the
//! forwarder.

use std::time::Duration;

use balefire_test_support::postgres::own::{OwnServer, StopMode};
use tempfile::TempDir;
use tokio::time::Instant;

use super::{Load, Own, TOLD_MAX, ask, blocking, count, finish, hold_to_its_word};
use crate::support::forwarder::Forwarder;
use crate::support::sandbox::{Figures, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, poll_until, say};

const PACE: Duration = Duration::from_millis(100);
const ALERTS: usize = 40;

struct Pair {
    primary: Own,
    standby: OwnServer,
    _folder: TempDir,
}

impl Pair {
    async fn new() -> Self {
        let primary = Own::new("");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let standby = blocking(|| primary.server.make_standby(folder.path(), "second"));
        for sql in [
            "ALTER SYSTEM SET synchronous_standby_names = 'second'",
            "SELECT pg_reload_conf()",
        ] {
            blocking(|| primary.server.sql(sql));
        }
        let pair = Self {
            primary,
            standby,
            _folder: folder,
        };
        poll_until(SOON, "the standby is synchronous", async || {
            let states = "SELECT sync_state FROM pg_stat_replication";
            (blocking(|| pair.primary.server.sql(states)) == "sync").then_some(())
        })
        .await;
        pair
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_promoted_standby_has_everything_that_was_confirmed() {
    let pair = Pair::new().await;
    let way = Forwarder::to(pair.primary.server.port()).await;
    let url = pair.primary.server.url_through(way.port());
    let sandbox = Sandbox::on(url, Figures::default()).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alerts = Load::submit(&server, &team, ALERTS).await;
    let load = Load::start(&server, &team, &alerts, PACE);
    poll_until(SOON, "some were confirmed", async || {
        (server.process.events("alert.moved").len() >= ALERTS / 4).then_some(())
    })
    .await;
    // As a power cut at the primary, and somebody who notices.
    blocking(|| pair.primary.server.stop(StopMode::Immediate));
    blocking(|| pair.standby.promote());
    way.lead_to(pair.standby.port());
    way.cut();
    let told = load.told().await;
    say(&format!(
        "promoted in the middle of {} requests: {:?}",
        told.len(),
        count(&told)
    ));
    hold_to_its_word(&sandbox, &server, &team, &told).await;
    server.end().await;
}

/// The primary waits for its standby inside COMMIT. What it has and the standby has not is not
/// confirmed: a promotion would forget it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_is_confirmed_that_the_standby_does_not_have() {
    let pair = Pair::new().await;
    let sandbox = pair.primary.sandbox().await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alerts = Load::submit(&server, &team, 6).await;
    blocking(|| pair.standby.freeze());
    let begun = Instant::now();
    let mut asked = tokio::task::JoinSet::new();
    for alert in &alerts {
        asked.spawn(ask(&server, &team, alert, "broadcasting"));
    }
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    poll_until(SOON, "commits wait for the standby", async || {
        (blocking(|| pair.primary.server.sql(waiting)) != "0").then_some(())
    })
    .await;
    // Those that are ended while they wait are committed here, and nowhere else.
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE wait_event = 'SyncRep'";
    let ended = blocking(|| pair.primary.server.sql(end));
    let told = asked.join_all().await;
    let took = begun.elapsed();
    say(&format!(
        "{ended} commits were ended while they waited for the standby: {:?}",
        count(&told)
    ));
    for told in &told {
        assert_eq!(told.answered, 503, "{told:?}");
    }
    assert!(took <= TOLD_MAX + Duration::from_secs(1), "{took:?}");
    assert!(
        sandbox.networks.requests().await.is_empty(),
        "no intent was durable"
    );
    blocking(|| pair.standby.thaw());
    finish(&sandbox, &server, &team, &told).await;
    server.end().await;
}
