//! Asks routes, proxies and the canary whether they are there (D17, D20).
//!
//! Any number of processes run this loop; each question is taken by one of them, in a transaction
//! that moves it on. Each is asked once in a task of its own, takes no permit of an alert, fails
//! over to nothing and is not repeated, and its failure or panic ends nothing else. What it was
//! answered is stored with what follows: the order of the routes, the difference of the clocks. A
//! link test that got through wakes what waits for its provider, in the database, so that every
//! process sees it.
//!
//! What it deliberately doesn't do: it writes no delivery, event or attempt, and its process's
//! death loses an answer and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use balefire_domain::entropy::Entropy;
use balefire_domain::ids::DeliveryId;
use balefire_domain::lane::Figures;
use balefire_domain::limits::PROBES_AT_ONCE_MAX;
use balefire_domain::link_test::{
    CANARY_PERIOD, DueTest, ProbeKind, Standing, first_due, judge_due, latest_due, next_due,
};
use balefire_domain::payload;
use balefire_domain::provider::{Capabilities, Format, Profile, ProviderName, Route};
use balefire_domain::time::{Clock, Timestamp};
use balefire_gateway::Gateway;
use balefire_store::Store;
use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::ports::{Database, Probe, ProbeKey, ProbeResult, ProbeTransaction, Stored};
use crate::ports::{ProbeRequest, Probed, Transaction, WayOut};
use crate::sweep::bounded;

mod answer;

use answer::Judged;

/// How often it is looked whether something is due.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// How long a look at what is due may be left out because nothing was due so soon.
const LOOK_MAX: Duration = Duration::from_secs(10);

/// What the configuration says about link tests.
#[derive(Clone, Debug)]
pub struct LinkTestSettings {
    /// The enabled providers.
    pub profiles: BTreeMap<ProviderName, Profile>,
    /// How often each of their routes is tested; absent or zero: never.
    pub periods: BTreeMap<ProviderName, Duration>,
    /// How often our own proxies are asked whether they are there; zero: never.
    pub heartbeat_period: Duration,
    /// The canary's function, where there is one.
    pub canary: Option<String>,
    /// `cbc.enabled`; without it nothing is ever asked.
    pub is_cbc_enabled: bool,
    /// `[dispatch]`.
    pub figures: Figures,
}

/// The link tests, heartbeats and canaries of one process.
pub struct LinkTests<D = Store, W = Gateway> {
    store: D,
    gateway: W,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: LinkTestSettings,
    /// Told when a link test made lanes due.
    wake: Arc<Notify>,
}

/// A question that the configuration asks for.
#[derive(Clone, Debug)]
struct Question {
    route: Route,
    /// Of the provider; a canary's has nothing to tell.
    capabilities: Capabilities,
    format: Option<Format>,
    period: Duration,
}

/// What a route said to a person who asked.
#[derive(Clone, Debug)]
pub struct RouteTest {
    /// The provider.
    pub provider: ProviderName,
    /// The route.
    pub route: Route,
    /// What it said.
    pub result: ProbeResult,
    /// Why it could not be stored, where that is so.
    pub not_stored: Option<String>,
}

impl<D, W> LinkTests<D, W>
where
    D: Database,
    D::Transaction: ProbeTransaction,
    W: WayOut,
{
    /// It asks nothing before [`LinkTests::run`] or [`LinkTests::test_now`].
    pub fn new(
        store: D,
        gateway: W,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: LinkTestSettings,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            gateway,
            clock,
            entropy,
            settings,
            wake,
        }
    }

    /// Asks what is due until `end` is cancelled. Questions that are under way then are given up.
    pub async fn run(self: Arc<Self>, end: CancellationToken) {
        let questions = Arc::new(self.questions());
        if questions.is_empty() {
            return end.cancelled().await;
        }
        let mut tasks = JoinSet::new();
        let mut running: BTreeSet<ProbeKey> = BTreeSet::new();
        let mut look_at = None;
        let mut tick = interval(LOOK_PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = end.cancelled() => return,
                Some(ended) = tasks.join_next() => {
                    let key: ProbeKey = ended.expect("a question catches its own panics");
                    running.remove(&key);
                    look_at = None; // It may have made another one due.
                    continue;
                }
                _ = tick.tick() => {}
            }
            if look_at.is_some_and(|at| !is_reached(at, self.clock.now())) {
                continue;
            }
            match bounded("probe.look", self.look(&questions)).await {
                Ok(known) => {
                    let idle = known.into_iter().filter(|p| !running.contains(&p.key));
                    let (due, later): (Vec<Probe>, Vec<Probe>) =
                        idle.partition(|probe| probe.due_at <= self.clock.now());
                    look_at = due.is_empty().then(|| self.next_look(&later));
                    for probe in due {
                        if running.len() >= PROBES_AT_ONCE_MAX {
                            break;
                        }
                        running.insert(probe.key.clone());
                        let (this, questions) = (Arc::clone(&self), Arc::clone(&questions));
                        tasks.spawn(async move { this.guarded(&questions, probe).await });
                    }
                }
                Err(error) => tracing::error!(
                    event = "link_tests.failed",
                    error = &error as &dyn std::error::Error,
                    "the database failed; the next second tries again"
                ),
            }
        }
    }

    /// Tests every route of `providers` once, now, whoever else tests them: at most a bounded
    /// number at a time. In the order of the configuration.
    pub async fn test_now(&self, providers: &[ProviderName]) -> Vec<RouteTest> {
        let profiles = providers
            .iter()
            .filter_map(|name| self.settings.profiles.get(name));
        let routes = profiles.flat_map(|profile| profile.routes.iter().map(move |r| (profile, r)));
        let tests: Vec<_> = routes
            .map(|(profile, route)| self.test_one(profile, route))
            .collect();
        stream::iter(tests)
            .buffered(PROBES_AT_ONCE_MAX)
            .collect()
            .await
    }

    async fn test_one(&self, profile: &Profile, route: &Route) -> RouteTest {
        let key = ProbeKey {
            kind: ProbeKind::LinkTest,
            provider: profile.name.as_str().to_owned(),
            target: route.name(),
        };
        let question = Question {
            route: route.clone(),
            capabilities: profile.capabilities,
            format: Some(profile.format),
            period: Duration::ZERO,
        };
        let number = bounded("probe.number", self.number(&question)).await;
        let (judged, stored) = match number {
            Ok(number) => {
                let judged = self.ask(&key, &question, number).await;
                let stored = self.store(&key, None, &judged).await;
                (judged, stored)
            }
            Err(error) => (self.not_asked(), Err(error)),
        };
        RouteTest {
            provider: profile.name.clone(),
            route: route.clone(),
            result: judged.result,
            not_stored: stored.err().map(|error| error.to_string()),
        }
    }

    fn not_asked(&self) -> Judged {
        Judged::unasked(ProbeResult {
            at: self.clock.now(),
            is_good: false,
            detail: "not tested: the database gave no message number".to_owned(),
            skew_us: None,
            boot_id: None,
        })
    }

    async fn number(&self, question: &Question) -> Stored<Option<u32>> {
        if question.format != Some(Format::Ibag) {
            return Ok(None);
        }
        let mut tx = self.store.begin("probe.number", self.clock.now()).await?;
        let number = tx.next_message_number().await?;
        tx.commit().await?;
        Ok(Some(number))
    }

    /// Everything that the configuration asks for.
    fn questions(&self) -> BTreeMap<ProbeKey, Question> {
        let settings = &self.settings;
        let mut questions = BTreeMap::new();
        if !settings.is_cbc_enabled {
            return questions;
        }
        for (name, profile) in &settings.profiles {
            let period = settings.periods.get(name).copied().unwrap_or_default();
            let key = |kind, target| ProbeKey {
                kind,
                provider: name.as_str().to_owned(),
                target,
            };
            for route in &profile.routes {
                let question = Question {
                    route: route.clone(),
                    capabilities: profile.capabilities,
                    format: Some(profile.format),
                    period,
                };
                questions.insert(key(ProbeKind::LinkTest, route.name()), question);
                if profile.capabilities.own_protocol {
                    let question = Question {
                        route: proxy(&route.proxy),
                        capabilities: profile.capabilities,
                        format: None,
                        period: settings.heartbeat_period,
                    };
                    questions.insert(key(ProbeKind::Heartbeat, route.proxy.clone()), question);
                }
            }
        }
        if let Some(function) = &settings.canary {
            let key = ProbeKey {
                kind: ProbeKind::Canary,
                provider: String::new(),
                target: function.clone(),
            };
            let question = Question {
                route: proxy(function),
                capabilities: NO_CAPABILITIES,
                format: None,
                period: CANARY_PERIOD,
            };
            questions.insert(key, question);
        }
        questions.retain(|_, question| !question.period.is_zero());
        questions
    }

    /// What is planned of these questions. What nobody has planned, or for a time that no period
    /// of today leads to, is planned now.
    async fn look(&self, questions: &BTreeMap<ProbeKey, Question>) -> Stored<Vec<Probe>> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("probe.look", now).await?;
        let known = tx.list_probes().await?;
        drop(tx);
        let is_planned = |key: &ProbeKey| known.iter().any(|probe| probe.key == *key);
        let is_too_late = |probe: &&Probe| {
            let question = questions.get(&probe.key);
            question.is_some_and(|q| probe.due_at > latest_due(now, q.period))
        };
        let late: Vec<&Probe> = known.iter().filter(is_too_late).collect();
        if late.is_empty() && questions.keys().all(is_planned) {
            let asked = |probe: &Probe| questions.contains_key(&probe.key);
            return Ok(known.into_iter().filter(asked).collect());
        }
        let mut tx = self.store.begin("probe.plan", now).await?;
        let first = |key: &ProbeKey, question: &Question| {
            let jitter = self.entropy.jitter_permille();
            first_due(key.kind, now, question.period, jitter)
        };
        for (key, question) in questions.iter().filter(|(key, _)| !is_planned(key)) {
            tx.plan_probe(key, first(key, question)).await?;
        }
        for probe in late {
            let due_at = first(&probe.key, &questions[&probe.key]);
            tx.claim_probe(&probe.key, probe.due_at, due_at).await?;
        }
        let mut known = tx.list_probes().await?;
        tx.commit().await?;
        known.retain(|probe| questions.contains_key(&probe.key));
        Ok(known)
    }

    fn next_look(&self, later: &[Probe]) -> Timestamp {
        let latest = self.clock.now() + LOOK_MAX;
        let soonest = later.iter().map(|probe| probe.due_at).min();
        soonest.unwrap_or(latest).min(latest)
    }

    /// One question, whose panic and failure end nothing but itself.
    async fn guarded(&self, questions: &BTreeMap<ProbeKey, Question>, probe: Probe) -> ProbeKey {
        let key = probe.key.clone();
        let asked = AssertUnwindSafe(self.take_and_ask(questions, &probe));
        match asked.catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                event = "link_test.failed",
                provider = key.provider,
                route = key.target,
                kind = key.kind.as_str(),
                error = &error as &dyn std::error::Error,
                "the database failed around a link test; the next one is not touched"
            ),
            Err(_) => tracing::error!(
                event = "link_test.panicked",
                provider = key.provider,
                route = key.target,
                kind = key.kind.as_str(),
                "a fault of ours in a link test; the next one is not touched"
            ),
        }
        key
    }

    async fn take_and_ask(
        &self,
        questions: &BTreeMap<ProbeKey, Question>,
        probe: &Probe,
    ) -> Stored<()> {
        let Some(question) = questions.get(&probe.key) else {
            return Ok(());
        };
        let Some(number) = bounded("probe.take", self.take(probe, question)).await? else {
            return Ok(());
        };
        let judged = self.ask(&probe.key, question, number).await;
        self.store(&probe.key, probe.latest.as_ref(), &judged).await
    }

    /// Takes a question that is due, with its message number; nothing when it must wait, needs not
    /// be asked, or somebody else took it.
    async fn take(&self, probe: &Probe, question: &Question) -> Stored<Option<Option<u32>>> {
        let mut tx = self.store.begin("probe.take", self.clock.now()).await?;
        let (now, jitter) = (tx.now(), self.entropy.jitter_permille());
        let verdict = if probe.key.kind == ProbeKind::LinkTest {
            let (provider, route) = (&probe.key.provider, &probe.key.target);
            let standing = Standing {
                has_due_lanes: tx.has_due_lanes(provider).await?,
                carried_at: tx.load_carried_at(provider, route).await?,
            };
            judge_due(standing, now, question.period, jitter)
        } else {
            DueTest::Make {
                next_at: next_due(now, question.period, jitter),
            }
        };
        let (next_at, is_made) = match verdict {
            DueTest::Wait => return Ok(None),
            DueTest::Skip { next_at } => (next_at, false),
            DueTest::Make { next_at } => (next_at, true),
        };
        let is_ours = tx.claim_probe(&probe.key, probe.due_at, next_at).await?;
        let number = match question.format {
            Some(Format::Ibag) if is_ours && is_made => Some(tx.next_message_number().await?),
            Some(Format::Ibag | Format::Cap) | None => None,
        };
        tx.commit().await?;
        Ok((is_ours && is_made).then_some(number))
    }

    /// Asks once, without a transaction.
    async fn ask(&self, key: &ProbeKey, question: &Question, number: Option<u32>) -> Judged {
        let identifier = DeliveryId::new(self.entropy.uuid_v4());
        let payload = match (key.kind, question.format) {
            (ProbeKind::LinkTest, Some(format)) => {
                payload::render_link_test(format, identifier, number)
            }
            (ProbeKind::Heartbeat, _) => payload::render_heartbeat(identifier),
            (ProbeKind::Canary | ProbeKind::LinkTest, _) => payload::render_canary(identifier),
        };
        let asked_at = self.clock.now();
        let request = ProbeRequest {
            route: question.route.clone(),
            identifier,
            // A bare success says that the way is open, whatever it says of an alert.
            capabilities: Capabilities {
                success_is_accepted: true,
                ..question.capabilities
            },
            payload: Arc::from(payload),
            deadline_at: asked_at + self.settings.figures.attempt_deadline,
        };
        let probed: Probed = self.gateway.probe(request).await;
        self.judge(key, &question.route.proxy, asked_at, probed)
    }
}

/// A canary's function says nothing of itself.
const NO_CAPABILITIES: Capabilities = Capabilities {
    dedup: false,
    shared_sites: false,
    update: false,
    success_is_accepted: false,
    own_protocol: false,
    second_language: false,
};

fn proxy(name: &str) -> Route {
    Route {
        proxy: name.to_owned(),
        site: None,
    }
}

/// Whether `at` has come, or is further off than any look was planned: then the clock was set.
fn is_reached(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at.since(now) > LOOK_MAX
}
