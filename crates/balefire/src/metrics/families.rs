//! Every metric: its name, its kind, and what it says. docs/operations/README.md lists the same.
//!
//! No label names an alert, a path, or anything else that a client can make up: each has as many
//! values as the configuration has providers and routes, or a type has variants.

use std::collections::BTreeMap;

use balefire_domain::job::JobKind;
use balefire_domain::lane::{self, DutyKind};
use balefire_domain::link_test::ProbeKind;
use balefire_domain::provider::Profile;
use balefire_domain::time::Timestamp;
use balefire_store::gauges::{Gauges, Waiting};
use balefire_store::probes::Probe;

use super::text::Text;

/// What kind of figure a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// The word in the format that Prometheus reads.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

/// What the metrics say of this process.
pub(super) struct About {
    pub(super) environment: &'static str,
    pub(super) engine: &'static str,
    pub(super) started_at: Timestamp,
    pub(super) canary: Option<String>,
}

macro_rules! families {
    ($($constant:ident: $kind:ident $name:literal, $help:literal;)*) => {
        $(pub(super) const $constant: Family = Family {
            name: $name,
            kind: Kind::$kind,
            help: $help,
        };)*
    };
}

families! {
    // What is measured.

    ATTEMPT_DURATION: Histogram "balefire_attempt_duration_seconds",
        "How long one attempt took, from the send to the answer or the end of the wait.";
    ACCEPTANCE_DELAY: Histogram "balefire_acceptance_delay_seconds",
        "How long after its approval or cancel a delivery's acceptance was stored.";
    LINK_TEST_DURATION: Histogram "balefire_link_test_duration_seconds",
        "How long a link test, a heartbeat or the canary took.";
    JOB_TRIES: Counter "balefire_job_tries_total",
        "Tries of tickets, pages, e-mail and SMS, by how they ended.";
    HTTP_DURATION: Histogram "balefire_http_request_duration_seconds",
        "How long a request took, by the route's pattern and the class of the status.";
    TRANSACTION_DURATION: Histogram "balefire_database_transaction_duration_seconds",
        "How long a transaction took, the wait for a connection included.";
    TRANSACTION_FAILURES: Counter "balefire_database_transaction_failures_total",
        "Transactions in which something failed, or which were given up.";

    // What this process knows of itself.

    PROCESS_INFO: Gauge "balefire_process_info",
        "1; its labels say which version runs where.";
    PROCESS_START: Gauge "balefire_process_start_timestamp_seconds",
        "When this process started, in seconds since 1970.";
    CLOCK_TRUSTED: Gauge "balefire_clock_trusted",
        "1 while the machine's clock is believed; 0: nothing is sent.";
    DATABASE_UP: Gauge "balefire_database_up",
        "1 when the database answered this look; without it only measured metrics are told.";

    // What stands in the database.

    DELIVERIES: Gauge "balefire_deliveries",
        "Deliveries of live alerts, and of lanes that have not settled.";
    LANES_WAITING: Gauge "balefire_lanes_waiting",
        "Lanes that have not settled.";
    PROVIDER_PAUSED: Gauge "balefire_provider_paused",
        "1 while the provider's alerts are held by a person.";
    LAST_ACCEPTANCE: Gauge "balefire_provider_last_acceptance_timestamp_seconds",
        "When the provider last took an alert or a cancel, in seconds since 1970.";
    UNACKNOWLEDGED: Gauge "balefire_unacknowledged_deliveries",
        "Deliveries that their provider has not taken yet and still may.";
    UNACKNOWLEDGED_AGE: Gauge "balefire_unacknowledged_oldest_age_seconds",
        "How long ago the oldest of them was approved or cancelled; 0: there is none.";
    JOBS_WAITING: Gauge "balefire_jobs_waiting",
        "Tickets, pages, e-mail and SMS that have not ended.";
    JOBS_AGE: Gauge "balefire_jobs_oldest_age_seconds",
        "How long ago the oldest of them was asked for; 0: there is none.";
    DUTY_ITEMS: Gauge "balefire_duty_items_open",
        "What waits for a person on duty.";
    LINK_TEST_OK: Gauge "balefire_link_test_ok",
        "1 when the latest link test, heartbeat or canary got through.";
    LINK_TEST_AT: Gauge "balefire_link_test_timestamp_seconds",
        "When the latest answer came, in seconds since 1970.";
    CLOCK_SKEW: Gauge "balefire_proxy_clock_skew_seconds",
        "By how much the proxy's clock is ahead of ours.";
}

/// Those that are measured.
pub(super) const MEASURED: [&Family; 7] = [
    &ATTEMPT_DURATION,
    &ACCEPTANCE_DELAY,
    &LINK_TEST_DURATION,
    &JOB_TRIES,
    &HTTP_DURATION,
    &TRANSACTION_DURATION,
    &TRANSACTION_FAILURES,
];

/// What this process knows of itself.
pub(super) fn process(about: &About, is_clock_trusted: bool) -> String {
    let mut text = Text::default();
    let info = [env!("CARGO_PKG_VERSION"), about.environment, about.engine];
    let labels = ["version", "environment", "database"];
    text.add(&PROCESS_INFO, labels, [(info.map(str::to_owned), 1.0)]);
    text.add(&PROCESS_START, [], [([], seconds(about.started_at))]);
    text.add(&CLOCK_TRUSTED, [], [([], yes(is_clock_trusted))]);
    text.into_string()
}

/// Whether the database answered.
pub(super) fn database_up(is_up: bool) -> String {
    let mut text = Text::default();
    text.add(&DATABASE_UP, [], [([], yes(is_up))]);
    text.into_string()
}

/// How things stand in the database. What is configured is there with 0; what is not and still has
/// something to say is there too.
pub(super) fn database(
    gauges: &Gauges,
    now: Timestamp,
    profiles: &[Profile],
    about: &About,
) -> String {
    let mut text = Text::default();
    let providers = || profiles.iter().map(|profile| profile.name.to_string());
    let states = || providers().flat_map(|p| lane::State::WORDS.map(|s| [p.clone(), s.to_owned()]));
    let deliveries = gauges.deliveries.iter();
    let deliveries = deliveries.map(|(p, s, n)| ([p.clone(), s.clone()], f64::from(*n)));
    let deliveries = with_zeros(states(), deliveries);
    text.add(&DELIVERIES, ["provider", "state"], deliveries);
    let waiting = gauges.lanes_waiting.iter();
    let waiting = waiting.map(|(provider, n)| ([provider.clone()], f64::from(*n)));
    let waiting = with_zeros(providers().map(|p| [p]), waiting);
    text.add(&LANES_WAITING, ["provider"], waiting);
    let paused = gauges.paused.iter().map(|p| ([p.clone()], 1.0));
    let paused = with_zeros(providers().map(|p| [p]), paused);
    text.add(&PROVIDER_PAUSED, ["provider"], paused);
    let carried = gauges.carried_at.iter();
    let carried = carried.map(|(provider, at)| ([provider.clone()], seconds(*at)));
    text.add(&LAST_ACCEPTANCE, ["provider"], carried);
    let kinds = lane::Kind::ALL.map(lane::Kind::as_str);
    let families = [&UNACKNOWLEDGED, &UNACKNOWLEDGED_AGE];
    add_waiting(&mut text, families, &kinds, &gauges.unacknowledged, now);
    let kinds = JobKind::ALL.map(JobKind::as_str);
    let families = [&JOBS_WAITING, &JOBS_AGE];
    add_waiting(&mut text, families, &kinds, &gauges.jobs, now);
    let items = gauges.duty_items.iter();
    let items = items.map(|(kind, n)| ([kind.clone()], f64::from(*n)));
    let kinds = DutyKind::ALL.map(|kind| [kind.as_str().to_owned()]);
    text.add(&DUTY_ITEMS, ["kind"], with_zeros(kinds, items));
    add_probes(&mut text, &gauges.probes, profiles, about);
    text.into_string()
}

/// How many of each kind wait, and how long the oldest has.
fn add_waiting(
    text: &mut Text,
    [counted, aged]: [&Family; 2],
    kinds: &[&str],
    waiting: &[Waiting],
    now: Timestamp,
) {
    let zeros = || kinds.iter().map(|kind| [(*kind).to_owned()]);
    let counts = waiting.iter();
    let counts = counts.map(|w| ([w.kind.clone()], f64::from(w.count)));
    text.add(counted, ["kind"], with_zeros(zeros(), counts));
    let ages = waiting.iter();
    let ages = ages.map(|w| ([w.kind.clone()], now.since(w.since).as_secs_f64()));
    text.add(aged, ["kind"], with_zeros(zeros(), ages));
}

/// The latest answers of what the configuration still asks.
fn add_probes(text: &mut Text, probes: &[Probe], profiles: &[Profile], about: &About) {
    const LABELS: [&str; 3] = ["kind", "provider", "route"];
    let is_asked = |probe: &&Probe| is_asked(probe, profiles, about.canary.as_deref());
    let known: Vec<_> = probes
        .iter()
        .filter(is_asked)
        .filter_map(|probe| probe.latest.as_ref().map(|latest| (&probe.key, latest)))
        .map(|(key, latest)| {
            let labels = [key.kind.as_str(), &key.provider, &key.target].map(str::to_owned);
            (labels, latest)
        })
        .collect();
    let ok = known
        .iter()
        .map(|(l, latest)| (l.clone(), yes(latest.is_good)));
    text.add(&LINK_TEST_OK, LABELS, ok);
    let at = known
        .iter()
        .map(|(l, latest)| (l.clone(), seconds(latest.at)));
    text.add(&LINK_TEST_AT, LABELS, at);
    let skews = known.iter().filter_map(|(labels, latest)| {
        let skew = Timestamp::from_micros(latest.skew_us?);
        Some((labels.clone(), seconds(skew)))
    });
    text.add(&CLOCK_SKEW, LABELS, skews);
}

fn is_asked(probe: &Probe, profiles: &[Profile], canary: Option<&str>) -> bool {
    let (provider, target) = (&probe.key.provider, &probe.key.target);
    let routes = profiles.iter().filter(|p| p.name.as_str() == provider);
    let mut routes = routes.flat_map(|profile| &profile.routes);
    match probe.key.kind {
        ProbeKind::Canary => canary == Some(target),
        ProbeKind::LinkTest => routes.any(|route| route.name() == *target),
        ProbeKind::Heartbeat => routes.any(|route| route.proxy == *target),
    }
}

/// The samples, with 0 for every label set that has none.
fn with_zeros<const N: usize>(
    known: impl IntoIterator<Item = [String; N]>,
    samples: impl IntoIterator<Item = ([String; N], f64)>,
) -> BTreeMap<[String; N], f64> {
    let mut all: BTreeMap<_, _> = known.into_iter().map(|labels| (labels, 0.0)).collect();
    all.extend(samples);
    all
}

const fn yes(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 are exact in an f64 until the year 2255"
)]
fn seconds(at: Timestamp) -> f64 {
    at.micros() as f64 / 1_000_000.0
}
