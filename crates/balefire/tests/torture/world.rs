//! One world: a database, networks, a team, and the service that is killed and started again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use balefire_domain::entropy::Entropy as _;
use balefire_domain::ids::AlertId;
use balefire_domain::lane::{HoldReason, State};
use balefire_domain::time::Timestamp;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::{DatabaseUrl, Store};
use balefire_test_support::entropy::SeededEntropy;

use crate::client::Facts;
use crate::plan::Unit;
use crate::support::process::{Process, Signal};
use crate::support::sandbox::{Figures, PROVIDERS, Sandbox};
use crate::support::team::Team;
use crate::support::{SOON, now, poll_until};

/// The provider that applies an identifier as often as it comes, unlike the others.
const WITHOUT_DEDUP: &str = "three";
/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(30);
/// How long after a start everything may take to move, drains and all, before it counts as stuck.
const MOVE_MAX: Duration = Duration::from_secs(20);
/// How long a recovery may take without a drain (L-5).
const RECOVERY_MAX: Duration = Duration::from_secs(2);
/// How often the database is looked at.
const LOOK_PERIOD: Duration = Duration::from_millis(10);
/// Alerts that one look lists.
const ALERTS_MAX: usize = 100_000;

/// One world.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) team: Arc<Team>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) chance: SeededEntropy,
    store: Store,
    /// Alerts that had ended at an earlier look: they are not looked at again.
    settled_until: Option<AlertId>,
    starts: u32,
}

/// A service that runs in a world.
pub(crate) struct Service {
    process: Process,
    /// Where it listens; absent where it ended before it was ready.
    pub(crate) url: Option<String>,
}

/// How a start went.
pub(crate) struct Recovery {
    pub(crate) service: Service,
    /// From the start of the process until all that was open had moved; `None` where something
    /// did not move at all.
    pub(crate) moved_after: Option<Duration>,
    /// What had not moved when it should have.
    pub(crate) slow: Option<String>,
}

impl World {
    /// A migrated database, networks without faults, and a team.
    pub(crate) async fn new(unit: &Unit) -> Self {
        let figures = Figures {
            attempt_deadline_seconds: 2,
            hedging: true,
            // As often as can be, so that answers about routes are always being stored.
            link_test_period_seconds: 3,
            heartbeat_period_seconds: 1,
            ..Figures::default()
        };
        let sandbox = Sandbox::unmigrated(unit.engine, figures).await;
        configure(&sandbox);
        sandbox.run(&["migrate"]).await.must_succeed();
        let team = sandbox.live_team().await;
        let url: DatabaseUrl = sandbox.database_url().parse().expect("it is an address");
        let store = Store::open(&url).await.expect("the database is there");
        Self {
            sandbox,
            team: Arc::new(team),
            facts: Arc::default(),
            chance: SeededEntropy::new(unit.seed),
            store,
            settled_until: None,
            starts: 0,
        }
    }

    /// Leaves everything as it is, for a person to look into; where the files are. A PostgreSQL
    /// database stays as well: the configuration in the folder names it.
    pub(crate) async fn keep(mut self) -> std::path::PathBuf {
        self.sandbox.networks.stop().await;
        let folder = self.sandbox.keep();
        std::mem::forget(self.sandbox);
        folder
    }

    /// A number below `of`.
    pub(crate) fn draw(&self, of: u64) -> u64 {
        u64::try_from(self.chance.random() % u128::from(of)).expect("it is below 64 bits")
    }

    /// Starts the service, to die at a place and its nth visit, where one is named; waits until it
    /// is ready or has ended.
    pub(crate) async fn start(&mut self, crash: Option<(&str, u64)>) -> Service {
        self.starts += 1;
        let mut command = self.sandbox.command(&["serve"]);
        if let Some((point, nth)) = crash {
            command
                .env("BALEFIRE_CRASH_AT", point)
                .env("BALEFIRE_CRASH_NTH", nth.to_string());
        }
        let mut process = Process::start("the service", command);
        let deadline = instant() + START_MAX;
        loop {
            let ready = process.lines().iter().find_map(|line| {
                let url = line.strip_prefix("balefire: ready on ")?;
                Some(url.to_owned())
            });
            if ready.is_some() || process.has_ended() {
                return Service {
                    process,
                    url: ready,
                };
            }
            assert!(instant() < deadline, "the service was not ready in time");
            pause(LOOK_PERIOD).await;
        }
    }

    /// Starts the service after a kill, and takes the time until everything that was open then has
    /// ended, was tried again, or waits for what it must wait for: a drain, or its own back-off.
    pub(crate) async fn recover(&mut self) -> Recovery {
        let mut open = self.open_alerts().await;
        let (started_at, start) = (now(), instant());
        let service = self.start(None).await;
        assert!(service.url.is_some(), "the service ended at its start");
        let (mut moved_after, mut slow) = (None, None);
        while start.elapsed() < MOVE_MAX {
            // What has moved is not looked at again: looking takes time, too.
            while let Some(alert) = open.last()
                && self.has_moved(*alert, started_at).await
            {
                open.pop();
            }
            if open.is_empty() {
                moved_after = Some(start.elapsed());
                break;
            }
            if start.elapsed() > RECOVERY_MAX && slow.is_none() {
                slow = Some(self.what_waits(&open, started_at).await);
            }
            pause(LOOK_PERIOD).await;
        }
        Recovery {
            service,
            moved_after,
            slow,
        }
    }

    /// Puts other faults in place: none, or up to three.
    pub(crate) async fn draw_faults(&self) {
        const KINDS: [&str; 11] = [
            "kind = \"refuse\"",
            "kind = \"unavailable\"",
            "kind = \"function-error\"",
            "kind = \"hang\"\nms = 2500",
            "kind = \"late\"\nms = 300",
            "kind = \"late\"\nms = 80",
            "kind = \"slow\"\nms = 250",
            "kind = \"drop-answer\"",
            "kind = \"wrong-identifier\"",
            "kind = \"truncated\"",
            "kind = \"not-json\"",
        ];
        let mut faults = no_faults();
        for _ in 0..self.draw(4) {
            let (provider, _) = PROVIDERS[self.index(PROVIDERS.len())];
            let function = match self.draw(3) {
                0 => format!("{provider}-*"),
                n => format!("{provider}-{n}-proxy"),
            };
            let kind = KINDS[self.index(KINDS.len())];
            let fault = format!("[[fault]]\nfunction = \"{function}\"\n{kind}\n");
            faults.push_str(&fault);
        }
        self.sandbox.networks.fail(&faults).await;
    }

    fn index(&self, of: usize) -> usize {
        usize::try_from(self.draw(of as u64)).expect("it is below the length")
    }

    /// Every answer takes half a second, so that much is under way at any moment.
    pub(crate) async fn make_late(&self) {
        let late = "[[fault]]\nfunction = \"*\"\nkind = \"late\"\nms = 500\n";
        let faults = format!("{}{late}", no_faults());
        self.sandbox.networks.fail(&faults).await;
    }

    /// Waits until something is under way.
    pub(crate) async fn wait_for_flight(&self) {
        poll_until(SOON, "an attempt is open", async || {
            for alert in self.open_alerts().await {
                let histories = self.deliveries(alert).await;
                let mut states = histories.iter().map(|h| h.delivery.state);
                if states.any(|state| state == State::InFlight) {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// The networks are well again.
    pub(crate) async fn heal(&self) {
        self.sandbox.networks.fail(&no_faults()).await;
    }

    /// The alerts of which something has not ended.
    pub(crate) async fn open_alerts(&self) -> Vec<AlertId> {
        let mut open = Vec::new();
        for alert in self.alerts(self.settled_until).await {
            let histories = self.deliveries(alert).await;
            let is_open = histories.iter().any(|h| !h.delivery.state.is_terminal());
            if is_open {
                open.push(alert);
            }
        }
        open
    }

    /// Remembers that all alerts so far have ended.
    pub(crate) async fn note_settled(&mut self) {
        self.settled_until = self.alerts(None).await.last().copied();
    }

    async fn alerts(&self, after: Option<AlertId>) -> Vec<AlertId> {
        let mut tx = self
            .store
            .begin_read("torture.list", now())
            .await
            .expect("the database is there");
        tx.list_alerts_after(after, Timestamp::default(), ALERTS_MAX)
            .await
            .expect("the database is there")
    }

    pub(crate) async fn deliveries(&self, alert: AlertId) -> Vec<DeliveryHistory> {
        let mut tx = self
            .store
            .begin_read("torture.read", now())
            .await
            .expect("the database is there");
        tx.list_delivery_histories(alert)
            .await
            .expect("the database is there")
    }

    /// An alert's status.
    pub(crate) async fn status(&self, alert: AlertId) -> Option<balefire_domain::alert::Status> {
        let mut tx = self
            .store
            .begin_read("torture.read", now())
            .await
            .expect("the database is there");
        let alert = tx.load_alert(alert).await.expect("the database is there");
        alert.map(|alert| alert.status)
    }

    async fn has_moved(&self, alert: AlertId, since: Timestamp) -> bool {
        let histories = self.deliveries(alert).await;
        histories.iter().all(|history| has_moved(history, since))
    }

    /// What of these alerts has not moved, in words: at most five of it, and how much.
    pub(crate) async fn what_waits(&self, alerts: &[AlertId], since: Timestamp) -> String {
        let mut words = Vec::new();
        for alert in alerts {
            for history in self.deliveries(*alert).await {
                if !has_moved(&history, since) {
                    let (provider, delivery) = (&history.provider, &history.delivery);
                    let latest = history.attempts.last().map(|(attempt, _)| attempt);
                    words.push(format!(
                        "{alert}/{provider} seq {} {:?} since {since}, latest attempt {:?}",
                        delivery.seq,
                        delivery.state,
                        latest.map(|a| (a.opened_at, a.drained_at, a.closed))
                    ));
                }
            }
        }
        let count = words.len();
        words.truncate(5);
        format!("{count} waited: {}", words.join("; "))
    }
}

/// It has ended, was tried since then, or waits for a drain or for its own back-off.
fn has_moved(history: &DeliveryHistory, since: Timestamp) -> bool {
    let is_tried = history.attempts.iter().any(|(a, _)| a.opened_at >= since);
    match history.delivery.state {
        State::Held { reason, .. } => {
            matches!(reason, HoldReason::Drain | HoldReason::Replaces)
        }
        State::Backoff { due_at } => is_tried || due_at > now(),
        State::Ready | State::InFlight => is_tried,
        State::Acknowledged { .. }
        | State::Superseded { .. }
        | State::Expired { .. }
        | State::Moot { .. } => true,
    }
}

impl Service {
    /// Kills it from outside.
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Tells it to end.
    pub(crate) async fn terminate(&self) {
        self.process.signal(Signal::Terminate).await;
    }

    /// Waits for its end; whether it came in time.
    pub(crate) async fn ends_within(&mut self, time: Duration) -> bool {
        let deadline = instant() + time;
        while !self.process.has_ended() {
            if instant() >= deadline {
                return false;
            }
            pause(Duration::from_millis(3)).await;
        }
        true
    }

    /// What it printed.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.process.lines()
    }

    /// Waits for its end, which must be an orderly one.
    pub(crate) async fn ended_well(&mut self, time: Duration) {
        assert_eq!(self.process.ended_within(time).await, Some(0));
    }
}

/// Lets time pass. What is waited for here either has a deadline of its own, or is the moment of a
/// kill or of an act, which is drawn and not awaited.
pub(crate) async fn pause(time: Duration) {
    // tidy-allow(sleep): moments are drawn at random, and looks have deadlines of their own
    tokio::time::sleep(time).await;
}

/// The wall's own time does not matter to a figure.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of the real binary live by its clock (D35)"
)]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Without faults one network still applies what comes twice twice.
fn no_faults() -> String {
    format!("[provider.{WITHOUT_DEDUP}]\ndedup = false\n")
}

/// A live service with tickets (whose makers are away), and one provider without dedup.
fn configure(sandbox: &Sandbox) {
    let path = sandbox.path("balefire.toml");
    let text = std::fs::read_to_string(&path).expect("it was written");
    let key = sandbox.write("secret.key", "the torture's key, 32 bytes long");
    let marker = format!("name = \"{WITHOUT_DEDUP}\"");
    let (before, after) = text.split_once(&marker).expect("the provider is there");
    let text = format!(
        "{before}{marker}{}\n\
         [secrets]\nkey_file = \"{}\"\n[pages]\nnone_is_fine = true\n\
         [tickets]\nkind = \"zendesk\"\nendpoint_url = \"http://127.0.0.1:9\"\n\
         email = \"duty@example.org\"\nkey = \"hush\"\n",
        after.replacen("dedup = true", "dedup = false", 1),
        key.display()
    );
    let changes = [
        ("environment = \"development\"", "environment = \"live\""),
        (
            "[database]\n",
            "[notifications]\nkind = \"none\"\n[database]\n",
        ),
        ("[database]\n", "[database]\nsingle_node_is_fine = true\n"),
        // The first of the networks takes updates; the others get a cancel and an alert.
        ("own_protocol = ", "update = true, own_protocol = "),
    ];
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the configuration has no {from}");
        text.replacen(from, to, 1)
    });
    sandbox.write("balefire.toml", &text);
}
