//! The connection to the database is cut at every message of every kind of request, before the
//! message and after it: the client notices nothing, and everything is done once.
//!
//! At COMMIT this is the case where nobody knows: the message lost, its answer lost, and, worst,
//! the connection lost while the message is still on its way.

use serde_json::{Value, json};

use super::{Own, new_draft};
use crate::support::documents;
use crate::support::forwarder::{Cut, Forwarder};
use crate::support::oracle::judge;
use crate::support::sandbox::{Figures, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;
use crate::support::{SOON, poll_until, say};

/// No request takes more messages.
const MESSAGES_MAX: u32 = 200;

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    Read,
    Statuses,
    Options,
    Create,
    Update,
    Submit,
    Approve,
    Cancel,
}

impl Kind {
    const READING: [Self; 4] = [Self::List, Self::Read, Self::Statuses, Self::Options];
    const WRITING: [Self; 5] = [
        Self::Create,
        Self::Update,
        Self::Submit,
        Self::Approve,
        Self::Cancel,
    ];
}

struct World {
    own: Own,
    way: Forwarder,
    sandbox: Sandbox,
    api: Server,
    dispatch: Server,
    team: Team,
}

impl World {
    async fn new() -> Self {
        let own = Own::new("");
        let way = Forwarder::to(own.server.port()).await;
        let sandbox = Sandbox::on(own.server.url(), Figures::default()).await;
        let through = own.server.url_through(way.port());
        let api = ["serve", "--roles", "api"];
        let api = Server::start_on(&sandbox, &api, "the api", &through).await;
        let dispatch = ["serve", "--roles", "dispatch"];
        let dispatch = Server::start_as(&sandbox, &dispatch, "dispatch").await;
        let team = sandbox.live_team().await;
        Self {
            own,
            way,
            sandbox,
            api,
            dispatch,
            team,
        }
    }

    /// Asks once, with this cut at the message that comes after `after` of those that hold
    /// `counted`. Whether it came to that; the alert, where there is one.
    async fn ask(&self, kind: Kind, cut: Cut, after: u32, counted: &'static [u8]) -> (bool, Done) {
        let name = format!("{kind:?}-{cut:?}-{}-{after}", counted.len());
        let (api, team) = (&self.api, &self.team);
        let alert = match kind {
            Kind::List | Kind::Options | Kind::Create | Kind::Submit => String::new(),
            Kind::Read | Kind::Statuses | Kind::Update | Kind::Approve => {
                api.submit(team, &name).await
            }
            Kind::Cancel => api.broadcast(team, &name).await,
        };
        let path = format!("/{alert}");
        self.way.plan(cut, after, counted);
        let answer = match kind {
            Kind::List => api.admin("GET", team, "", None).await,
            Kind::Read => api.admin("GET", team, &path, None).await,
            Kind::Statuses => {
                api.admin("GET", team, &format!("{path}/provider-statuses"), None)
                    .await
            }
            Kind::Options => api.options(team, &team.key).await,
            Kind::Create => {
                api.admin("POST", team, "", Some(&new_draft(team, &name)))
                    .await
            }
            Kind::Update => {
                let change =
                    json!({ "reference": format!("{name}!"), "created_by": team.author.id });
                api.admin("POST", team, &path, Some(&change)).await
            }
            Kind::Submit => api.post_cap(team, &team.key, documents::alert(&name)).await,
            Kind::Approve => api.move_to(team, &alert, "broadcasting").await,
            Kind::Cancel => api.move_to(team, &alert, "cancelled").await,
        };
        let has_cut = self.way.has_cut();
        assert!(
            answer.status < 300,
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
        (has_cut, Done { kind, name, alert })
    }

    /// Everything was done once.
    async fn check(self, done: &[Done]) {
        let listed = self
            .api
            .admin("GET", &self.team, "", None)
            .await
            .must_be(200);
        let listed = listed
            .as_array()
            .or_else(|| listed["broadcast_messages"].as_array());
        let listed = listed.expect("a list");
        for Done { kind, name, alert } in done {
            let count = |reference: &str| {
                listed
                    .iter()
                    .filter(|known| known["reference"] == *reference)
                    .count()
            };
            let status = |wanted: &str| {
                let mut known = listed.iter();
                known.any(|known| known["id"] == **alert && known["status"] == wanted)
            };
            let is_done = match kind {
                Kind::List | Kind::Read | Kind::Statuses | Kind::Options => true,
                Kind::Create | Kind::Submit => count(name) == 1,
                Kind::Update => count(&format!("{name}!")) == 1 && count(name) == 0,
                Kind::Approve => status("broadcasting"),
                Kind::Cancel => status("cancelled"),
            };
            assert!(is_done, "{name}: {}", Value::from(listed.clone()));
            let deliveries = match kind {
                Kind::Approve => super::LANES,
                Kind::Cancel => 2 * super::LANES,
                _ => continue,
            };
            let settled = self.sandbox.settled(alert, deliveries).await;
            assert_eq!(settled.len(), deliveries);
        }
        let trail = self.own.server.sql(
            "SELECT count(*) FROM (SELECT object, action FROM audit_entries \
             WHERE action LIKE 'alert.%' GROUP BY object, action HAVING count(*) > 1) AS twice",
        );
        assert_eq!(trail.trim(), "0", "nothing was done twice");
        judge(&self.sandbox, &self.api).await;
        self.api.end().await;
        self.dispatch.end().await;
    }
}

/// What was asked for and answered 2xx.
struct Done {
    kind: Kind,
    name: String,
    alert: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_reading_request_outlives_a_cut_at_each_of_its_messages() {
    cut_everywhere(&Kind::READING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_writing_request_outlives_a_cut_at_each_of_its_messages() {
    cut_everywhere(&Kind::WRITING).await;
}

async fn cut_everywhere(kinds: &[Kind]) {
    let world = World::new().await;
    let mut done = Vec::new();
    for &kind in kinds {
        let mut cuts = 0;
        for cut in [Cut::Before, Cut::After] {
            let mut after = 0;
            loop {
                let (has_cut, did) = world.ask(kind, cut, after, b"").await;
                done.push(did);
                if !has_cut {
                    break;
                }
                (after, cuts) = (after + 1, cuts + 1);
                assert!(after < MESSAGES_MAX, "{kind:?} has no end");
            }
        }
        say(&format!("{kind:?}: {cuts} cuts, unnoticed by the client"));
    }
    world.check(&done).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_connection_lost_inside_commit_is_looked_up_before_anything_is_said() {
    let world = World::new().await;
    let mut done = Vec::new();
    for kind in Kind::WRITING {
        for cut in [Cut::Before, Cut::After, Cut::Late] {
            let (has_cut, did) = world.ask(kind, cut, 0, b"COMMIT").await;
            assert!(has_cut, "{kind:?} {cut:?}");
            done.push(did);
        }
    }
    let lost = 3 * Kind::WRITING.len();
    let looked_up = poll_until(SOON, "every lost COMMIT was looked up", async || {
        let events = world.api.process.events("database.commit_looked_up");
        (events.len() >= lost).then_some(events)
    })
    .await;
    let committed = looked_up
        .iter()
        .filter(|event| event["committed"] == true)
        .count();
    say(&format!(
        "{} lost COMMITs were looked up; {committed} had been done",
        looked_up.len()
    ));
    assert_eq!(looked_up.len(), lost);
    assert_eq!(committed, 2 * Kind::WRITING.len());
    world.check(&done).await;
}
