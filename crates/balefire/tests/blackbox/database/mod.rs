//! The database fails: restarted, cut off, silent, full, replaced by its standby.
//!
//! Every test says the same of what was answered meanwhile: what was answered 200 is there and is
//! delivered; what was answered 503 is there whole or not at all; and all goes on by itself, in the
//! same process.

mod cuts;
mod disk;
mod failover;
mod outage;
mod restart;
mod standby;

use std::collections::BTreeMap;
use std::time::Duration;

use balefire_app::authenticate::make_token;
use balefire_test_support::postgres::own::OwnServer;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::support::api::{Answer, try_call};
use crate::support::evidence::Evidence;
use crate::support::now;
use crate::support::oracle::judge;
use crate::support::sandbox::{CLIENT_SECRET, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;

/// How long a client may wait until it is told that the database is away.
const TOLD_MAX: Duration = Duration::from_secs(5);

/// A PostgreSQL of the test's own, in a folder of its own.
struct Own {
    server: OwnServer,
    _folder: TempDir,
}

impl Own {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = blocking(|| OwnServer::make(folder.path(), settings));
        Self {
            server,
            _folder: folder,
        }
    }

    async fn sandbox(&self) -> Sandbox {
        Sandbox::on(self.server.url(), Figures::default()).await
    }
}

/// Runs what blocks, while the other tasks of the test go on.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// What a client asked for, and what it was told.
#[derive(Clone, Debug)]
struct Told {
    alert: String,
    /// `broadcasting` or `cancelled`.
    status: &'static str,
    /// The answer's status; 0 where there was none.
    answered: u16,
    body: String,
}

/// A request for another status that needs nothing of the test but its texts.
fn ask(
    server: &Server,
    team: &Team,
    alert: &str,
    status: &'static str,
) -> impl Future<Output = Told> + use<> {
    let token = format!(
        "Bearer {}",
        make_token("notify-admin", CLIENT_SECRET, now())
    );
    let url = format!(
        "{}/service/{}/broadcast-message/{alert}/status",
        server.url, team.service
    );
    let body = json!({ "status": status, "created_by": team.approver.id }).to_string();
    let alert = alert.to_owned();
    async move {
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        let answer = try_call("POST", &url, &headers, body).await;
        let (answered, body) = match &answer {
            Ok(answer) => (answer.status, answer.text()),
            Err(why) => (0, why.clone()),
        };
        Told {
            alert,
            status,
            answered,
            body,
        }
    }
}

/// Alerts that are approved one after the other at a steady pace, every third of them cancelled
/// right after, whatever becomes of the database; to be awaited for what was told.
struct Load {
    clients: JoinSet<Vec<Told>>,
}

impl Load {
    async fn submit(server: &Server, team: &Team, count: usize) -> Vec<String> {
        let mut alerts = Vec::new();
        for n in 0..count {
            alerts.push(server.submit(team, &format!("flood-{n}")).await);
        }
        alerts
    }

    fn start(server: &Server, team: &Team, alerts: &[String], pace: Duration) -> Self {
        let mut clients = JoinSet::new();
        let asked: Vec<_> = alerts
            .iter()
            .enumerate()
            .map(|(n, alert)| {
                let approve = ask(server, team, alert, "broadcasting");
                let cancel = (n % 3 == 2).then(|| ask(server, team, alert, "cancelled"));
                (approve, cancel)
            })
            .collect();
        clients.spawn(async move {
            let mut beat = interval(pace);
            beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut under_way = JoinSet::new();
            for (approve, cancel) in asked {
                beat.tick().await;
                under_way.spawn(async move {
                    let mut told = vec![approve.await];
                    if let Some(cancel) = cancel {
                        told.push(cancel.await);
                    }
                    told
                });
            }
            under_way.join_all().await.into_iter().flatten().collect()
        });
        Self { clients }
    }

    async fn told(self) -> Vec<Told> {
        self.clients
            .join_all()
            .await
            .into_iter()
            .flatten()
            .collect()
    }
}

/// How often each status was answered, a failure with what it said.
fn count(told: &[Told]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for told in told {
        let said = match told.answered {
            200 => "200".to_owned(),
            status => format!("{status} {}", told.body.trim()),
        };
        *counts.entry(said).or_default() += 1;
    }
    counts
}

/// Holds what was told against what is there; then does what was not done, waits for all of it to
/// arrive, and lets the oracle judge.
async fn hold_to_its_word(
    sandbox: &Sandbox,
    server: &Server,
    team: &Team,
    told: &[Told],
) -> Evidence {
    let listed = sandbox.json(&["alert", "list"]).await;
    for told in told {
        let status = status_of(&listed, &told.alert);
        let deliveries = sandbox.deliveries(&told.alert).await.len();
        let is_whole = match (status.as_str(), deliveries) {
            ("pending-approval", 0) => told.answered != 200,
            ("broadcasting", 4) => told.status == "broadcasting" || told.answered != 200,
            ("cancelled", 8) => true,
            _ => false,
        };
        let may_be_told = match told.answered {
            200 | 503 => true,
            // A cancel of what was not approved.
            400 => told.status == "cancelled" && status == "pending-approval",
            _ => false,
        };
        assert!(
            is_whole && may_be_told,
            "{told:?}; now the alert is {status}, with {deliveries} deliveries"
        );
    }
    finish(sandbox, server, team, told).await
}

/// Does what was asked and not done, waits for all of it to arrive, and lets the oracle judge.
async fn finish(sandbox: &Sandbox, server: &Server, team: &Team, told: &[Told]) -> Evidence {
    for told in told.iter().filter(|told| told.answered != 200) {
        let again = ask(server, team, &told.alert, told.status).await;
        // It may have been done all along.
        assert!(matches!(again.answered, 200 | 400), "{again:?}");
    }
    for told in told.iter().filter(|told| told.status == "broadcasting") {
        let is_cancelled = told_to_cancel(told, &sandbox.json(&["alert", "list"]).await);
        sandbox
            .settled(&told.alert, if is_cancelled { 8 } else { 4 })
            .await;
    }
    judge(sandbox, server).await
}

fn told_to_cancel(told: &Told, listed: &Value) -> bool {
    status_of(listed, &told.alert) == "cancelled"
}

fn status_of(listed: &Value, alert: &str) -> String {
    let list = listed.as_array().expect("a list");
    let found = list.iter().find(|known| known["id"] == alert);
    let found = found.unwrap_or_else(|| panic!("alert {alert} is gone"));
    found["status"].as_str().expect("a text").to_owned()
}

/// Every kind of request that needs the database, once, with something in between; the answers
/// with the kinds' names.
async fn every_kind(
    server: &Server,
    team: &Team,
    run: &str,
    mut before_each: impl FnMut(),
) -> Vec<(&'static str, Answer)> {
    let known = server.submit(team, &format!("known-{run}")).await;
    let draft = new_draft(team, &format!("draft {run}"));
    let change = json!({ "reference": format!("changed {run}"), "created_by": team.author.id });
    let document = crate::support::documents::alert(&format!("cap-{run}"));
    let (path, statuses) = (format!("/{known}"), format!("/{known}/provider-statuses"));
    let mut answers = Vec::new();
    for kind in KINDS {
        before_each();
        let answer = match kind {
            "list" => server.admin("GET", team, "", None).await,
            "create" => server.admin("POST", team, "", Some(&draft)).await,
            "read" => server.admin("GET", team, &path, None).await,
            "update" => server.admin("POST", team, &path, Some(&change)).await,
            "submit" => server.post_cap(team, &team.key, document.clone()).await,
            "options" => server.options(team, &team.key).await,
            "approve" => server.move_to(team, &known, "broadcasting").await,
            "statuses" => server.admin("GET", team, &statuses, None).await,
            "cancel" => server.move_to(team, &known, "cancelled").await,
            _ => server.open("GET", "/_api_status/ready").await,
        };
        answers.push((kind, answer));
    }
    answers
}

/// The kinds of requests that need the database.
const KINDS: [&str; 10] = [
    "list", "create", "read", "update", "submit", "options", "approve", "statuses", "cancel",
    "ready",
];

fn new_draft(team: &Team, reference: &str) -> Value {
    json!({
        "service_id": team.service, "created_by": team.author.id, "reference": reference,
        "content": "The river floods the low streets within the hour.",
    })
}

/// The providers of every sandbox.
const LANES: usize = PROVIDERS.len();
