//! The database's disk is full.

use balefire_test_support::postgres::own::OwnServer;

use super::{Load, Told, ask, blocking, count, finish, hold_to_its_word};
use crate::support::documents;
use crate::support::sandbox::{Figures, Sandbox};
use crate::support::server::Server;
use crate::support::small_disk::SmallDisk;
use crate::support::team::Team;
use crate::support::{SOON, poll_until, say};

/// Approved before and after the disk is full.
const ALERTS: usize = 4;
/// Approved while it is full, at most: some find room in pages that are there already.
const ALERTS_WHILE_FULL_MAX: usize = 40;
/// Of these, so many are refused before it is enough.
const REFUSED: usize = 3;
/// Documents that are sent at most until the disk is full.
const DOCUMENTS_MAX: u32 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_full_disk_of_postgresql_confirms_nothing_falsely_and_passes() {
    let disk = SmallDisk::of_mib(160);
    let server = blocking(|| OwnServer::make(disk.path(), ""));
    let sandbox = Sandbox::on(server.url(), Figures::default()).await;
    survive(&sandbox, &disk, || {
        // Where it could not write its log it ended itself, as it must, and somebody starts it.
        if server.try_sql("postgres", "SELECT 1").is_err() {
            let _ = server.try_start();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_full_disk_of_sqlite_confirms_nothing_falsely_and_passes() {
    let disk = SmallDisk::of_mib(24);
    let url = format!("sqlite://{}", disk.path().join("balefire.db").display());
    let sandbox = Sandbox::on(url, Figures::default()).await;
    survive(&sandbox, &disk, || {}).await;
}

async fn survive(sandbox: &Sandbox, disk: &SmallDisk, mend: impl Fn()) {
    let server = Server::start(sandbox).await;
    let team = sandbox.live_team().await;
    let alerts = Load::submit(&server, &team, 2 * ALERTS + ALERTS_WHILE_FULL_MAX).await;
    let (before, rest) = alerts.split_at(ALERTS);
    let (after, during) = rest.split_at(ALERTS);
    let mut told = Vec::new();
    for alert in before {
        told.push(ask(&server, &team, alert, "broadcasting").await);
    }
    blocking(|| disk.fill_but_kib(64));
    let taken = fill_up(&server, &team).await;
    let mut full = Vec::new();
    let is_refused = |told: &&Told| told.answered == 503;
    for alert in during {
        full.push(ask(&server, &team, alert, "broadcasting").await);
        if full.iter().filter(is_refused).count() == REFUSED {
            break;
        }
    }
    say(&format!(
        "the disk was full after {taken} documents; then {:?}",
        count(&full)
    ));
    assert_eq!(full.iter().filter(is_refused).count(), REFUSED, "{full:?}");
    for told in &full {
        assert!(matches!(told.answered, 200 | 503), "{told:?}");
    }
    let unread = server.admin("GET", &team, "", None).await;
    assert!(matches!(unread.status, 200 | 503), "{}", unread.text());
    blocking(|| disk.empty());
    blocking(&mend);
    poll_until(SOON, "the server is ready again", async || {
        let answer = server.open("GET", "/_api_status/ready").await;
        (answer.status == 200).then_some(())
    })
    .await;
    told.extend(full);
    hold_to_its_word(sandbox, &server, &team, &told).await;
    let mut later = Vec::new();
    for alert in after {
        later.push(ask(&server, &team, alert, "broadcasting").await);
    }
    assert!(later.iter().all(|told| told.answered == 200), "{later:?}");
    finish(sandbox, &server, &team, &later).await;
    server.end().await;
}

/// Sends documents until one is not taken; how many were.
async fn fill_up(server: &Server, team: &Team) -> u32 {
    for n in 0..DOCUMENTS_MAX {
        let document = documents::large_alert(&format!("fill-{n}"), 240);
        let answer = server.post_cap(team, &team.key, document).await;
        match answer.status {
            201 => {}
            503 => return n,
            other => panic!("{other}: {}", answer.text()),
        }
    }
    panic!("{DOCUMENTS_MAX} documents did not fill the disk");
}
