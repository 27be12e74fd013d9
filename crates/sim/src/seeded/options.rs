//! What a seed stands for: the plan of one run, which is printed with every violation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::time::Duration;

use balefire_domain::lane::Figures;
use balefire_domain::provider::{
    Capabilities, Format, Languages, Limits, Profile, ProviderName, Route, Site,
};

use super::hazard::Hazard;
use super::random::Dice;

/// What kind of provider it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Proxies of our own protocol, dedup, one state for both sites.
    Own,
    /// Proxies that only have their time-out, dedup, one state for both sites.
    Plain,
    /// No dedup.
    Forgetting,
    /// Proxies of our own protocol, dedup, a state of its own at each site.
    Separate,
}

impl ProviderKind {
    const fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::Separate)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own protocol, dedup",
            Self::Plain => "old protocol, dedup",
            Self::Forgetting => "old protocol, no dedup",
            Self::Separate => "own protocol, dedup at each of two separate sites",
        }
    }
}

/// How the simulated database serialises writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Row locks, as PostgreSQL has them.
    RowLocks,
    /// One writer at a time, as SQLite has it.
    OneWriter,
}

/// One alert of a run; all times in milliseconds from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlertPlan {
    /// When it is approved.
    pub approved_ms: u64,
    /// How long it is on the air.
    pub lasts_ms: u64,
    /// How long after its approval each update of it is approved, at most two.
    pub updated_after_ms: [Option<u64>; 2],
    /// How long after its approval it is cancelled.
    pub cancelled_after_ms: Option<u64>,
}

/// The plan of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The seed that it was made of.
    pub seed: u64,
    /// The providers and how many routes each has.
    pub providers: Vec<(ProviderKind, usize)>,
    /// Which of the providers take updates; the others get a cancel and an alert.
    pub updates: Vec<bool>,
    /// How many processes dispatch.
    pub processes: usize,
    /// How writers are serialised.
    pub engine: Engine,
    /// The alerts.
    pub alerts: Vec<AlertPlan>,
    /// What goes wrong.
    pub hazards: BTreeSet<Hazard>,
    /// How often a request, commit or statement meets a hazard, in thousandths.
    pub rate_permille: u64,
    /// When everything is whole again, in milliseconds from the start.
    pub healed_ms: u64,
    /// The figures of `[dispatch]`.
    pub figures: Figures,
    /// How often each route is tested.
    pub link_test_period: Duration,
    /// How long the old proxies keep trying.
    pub upstream_timeout: Duration,
    /// Silence is answered with a second attempt, where that is harmless.
    pub is_hedging: bool,
    /// One provider hangs from beginning to end: for the comparison of S12.
    pub hung_provider: Option<usize>,
    /// Nothing is drawn that one provider's trouble could shift for another: for S12.
    pub is_steady: bool,
}

impl Options {
    /// The plan that `seed` stands for.
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, &[1]);
        let kinds = [
            ProviderKind::Own,
            ProviderKind::Own,
            ProviderKind::Plain,
            ProviderKind::Plain,
            ProviderKind::Forgetting,
            ProviderKind::Separate,
        ];
        let providers: Vec<(ProviderKind, usize)> = (0..dice.between(1, 4))
            .map(|_| (dice.pick(&kinds), dice.pick(&[1, 2, 2, 3, 4, 4])))
            .collect();
        let processes = dice.pick(&[1, 1, 2, 2, 3]);
        let engine = dice.pick(&[Engine::RowLocks, Engine::RowLocks, Engine::OneWriter]);
        let mut hazards = hazards(&mut dice);
        if engine == Engine::OneWriter {
            hazards.remove(&Hazard::Failover); // It has no standby.
        }
        let healed_ms = if hazards.contains(&Hazard::ProviderOutage) && dice.chance(60) {
            7_200_000
        } else {
            dice.between(15_000, 90_000)
        };
        let mut alerts: Vec<AlertPlan> = (0..dice.pick(&[1, 1, 2, 2, 3]))
            .map(|_| alert(&mut dice, healed_ms, &hazards))
            .collect();
        // Drawn apart, so that every other choice is what the seed stood for before.
        let mut apart = Dice::of(seed, &[21]);
        let updates = providers
            .iter()
            .map(|(kind, _)| takes_updates(&mut apart, *kind));
        let updates = updates.collect();
        for alert in &mut alerts {
            alert.updated_after_ms = updated(&mut apart, alert);
        }
        let figures = Figures {
            attempt_deadline: Duration::from_secs(dice.pick(&[5, 10, 20])),
            clock_skew: Duration::from_secs(5),
            backoff_cap: Duration::from_secs(dice.pick(&[40, 240])),
            early_backoff_cap: Duration::from_secs(30),
            early_period: Duration::from_secs(600),
        };
        Self {
            seed,
            providers,
            updates,
            processes,
            engine,
            alerts,
            hazards,
            rate_permille: dice.pick(&[30, 100, 250, 500]),
            healed_ms,
            figures,
            link_test_period: Duration::from_secs(dice.pick(&[20, 60, 180])),
            upstream_timeout: Duration::from_secs(dice.pick(&[0, 2, 10])),
            is_hedging: dice.chance(700),
            hung_provider: None,
            is_steady: false,
        }
    }

    /// The plan for the comparison of S12: no process dies, the database keeps its pace, and
    /// provider `hung`, if one is named, never answers.
    pub fn steady(seed: u64, hung: Option<usize>) -> Self {
        let mut options = Self::of(seed);
        let is_a_providers = |hazard: &Hazard| {
            matches!(
                hazard,
                Hazard::Refusals
                    | Hazard::BlackHoles
                    | Hazard::Hangs
                    | Hazard::LostRequests
                    | Hazard::LostAnswers
                    | Hazard::ServerErrors
                    | Hazard::WrongIdentifiers
            )
        };
        options.hazards.retain(is_a_providers);
        options.engine = Engine::RowLocks;
        options.processes = 1;
        if options.providers.len() < 2 {
            options.providers.push((ProviderKind::Own, 2));
        }
        options.link_test_period = Duration::ZERO;
        options.hung_provider = hung;
        options.is_steady = true;
        options
    }

    /// The same plan without one hazard.
    #[must_use]
    pub fn without(&self, hazard: Hazard) -> Self {
        let mut options = self.clone();
        options.hazards.remove(&hazard);
        options
    }

    /// Whether this goes wrong in the run.
    pub fn has(&self, hazard: Hazard) -> bool {
        self.hazards.contains(&hazard)
    }

    /// Whether nothing goes wrong but at the providers and on the way to them.
    pub fn has_sound_processes(&self) -> bool {
        let is_ours = |hazard: &Hazard| {
            matches!(
                hazard,
                Hazard::Crashes
                    | Hazard::PointedCrashes
                    | Hazard::Pauses
                    | Hazard::Restarts
                    | Hazard::Panics
                    | Hazard::DatabaseOutage
                    | Hazard::SlowDatabase
                    | Hazard::FailedStatements
                    | Hazard::FailedCommits
                    | Hazard::AmbiguousCommits
                    | Hazard::ClockSkew
                    | Hazard::ClockDrift
                    | Hazard::ClockJumps
                    | Hazard::DatabaseClockJumps
                    | Hazard::Failover
            )
        };
        !self.hazards.iter().any(is_ours)
    }

    /// The profiles of the providers.
    pub fn profiles(&self) -> BTreeMap<ProviderName, Profile> {
        (0..self.providers.len())
            .map(|index| (provider_name(index), self.profile(index)))
            .collect()
    }

    fn profile(&self, index: usize) -> Profile {
        let (kind, routes) = self.providers[index];
        let name = provider_name(index);
        let format = if index.is_multiple_of(2) {
            Format::Cap
        } else {
            Format::Ibag
        };
        let route = |number: usize| Route {
            proxy: format!("{name}-{}-proxy", number % 2 + 1),
            site: (routes > 2).then_some(if number < 2 { Site::CbcA } else { Site::CbcB }),
        };
        Profile {
            format,
            routes: (0..routes).map(route).collect(),
            capabilities: Capabilities {
                dedup: kind != ProviderKind::Forgetting,
                shared_sites: kind != ProviderKind::Separate,
                update: self.updates.get(index).copied().unwrap_or(false),
                success_is_accepted: false,
                own_protocol: kind.is_own(),
                second_language: false,
            },
            upstream_timeout: if kind.is_own() {
                Duration::ZERO
            } else {
                self.upstream_timeout
            },
            languages: Languages::of(format),
            limits: Limits::default(),
            name,
        }
    }
}

/// `pa`, `pb`, …
pub fn provider_name(index: usize) -> ProviderName {
    let letter = ["pa", "pb", "pc", "pd", "pe"][index];
    ProviderName::new(letter).expect("two letters are a name")
}

/// A random part of all hazards: in some runs one or two, in others most.
fn hazards(dice: &mut Dice) -> BTreeSet<Hazard> {
    let density = dice.pick(&[60, 150, 300, 500]);
    let mut hazards: BTreeSet<Hazard> = Hazard::ALL
        .iter()
        .copied()
        .filter(|_| dice.chance(density))
        .collect();
    // Rare on purpose: while they last nothing else happens.
    for (hazard, permille) in [
        (Hazard::AllProvidersDown, 300),
        (Hazard::ProviderOutage, 400),
        (Hazard::PausedProvider, 500),
    ] {
        if !dice.chance(permille) {
            hazards.remove(&hazard);
        }
    }
    hazards
}

/// Updates want dedup and shared sites.
fn takes_updates(dice: &mut Dice, kind: ProviderKind) -> bool {
    let may = matches!(kind, ProviderKind::Own | ProviderKind::Plain);
    dice.chance(600) && may
}

/// When an alert is updated: often before its cancel, sometimes within a second of it.
fn updated(dice: &mut Dice, alert: &AlertPlan) -> [Option<u64>; 2] {
    let until_ms = alert
        .cancelled_after_ms
        .unwrap_or(60_000)
        .min(alert.lasts_ms);
    let mut first = dice.between(0, until_ms);
    // Often while the alert is under way, and within a second of the cancel.
    match dice.below(100) {
        0..=44 => first = dice.between(0, until_ms.min(3_000)),
        45..=64 => first = until_ms.saturating_sub(dice.below(1_000)),
        _ => {}
    }
    let second = first + dice.between(0, 30_000);
    match dice.below(100) {
        0..=39 => [None, None],
        40..=79 => [Some(first), None],
        _ => [Some(first), Some(second)],
    }
}

fn alert(dice: &mut Dice, healed_ms: u64, hazards: &BTreeSet<Hazard>) -> AlertPlan {
    let approved_ms = dice.between(1_000, (healed_ms * 2 / 3).min(60_000));
    let is_hasty = hazards.contains(&Hazard::HastyCancels) && dice.chance(600);
    let lasts_ms = if hazards.contains(&Hazard::AllProvidersDown) && dice.chance(500) {
        dice.between(2_000, 20_000)
    } else if dice.chance(150) {
        dice.between(5_000, healed_ms)
    } else {
        healed_ms + dice.between(900_000, 3_600_000)
    };
    let cancelled_after_ms = if is_hasty {
        Some(dice.between(0, 900))
    } else {
        dice.chance(600)
            .then(|| dice.between(0, healed_ms.min(120_000)))
    };
    AlertPlan {
        approved_ms,
        lasts_ms,
        updated_after_ms: [None, None],
        cancelled_after_ms,
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |ms: u64| format!("{}.{:03} s", ms / 1000, ms % 1000);
        writeln!(f, "seed {}", self.seed)?;
        for (index, (kind, routes)) in self.providers.iter().enumerate() {
            let kind = kind.as_str();
            let is_hung = self.hung_provider == Some(index);
            let hung = if is_hung { ", hangs" } else { "" };
            let name = provider_name(index);
            let updates = if self.updates.get(index) == Some(&true) {
                ", takes updates"
            } else {
                ""
            };
            writeln!(
                f,
                "  provider {name}: {kind}, routes: {routes}{updates}{hung}"
            )?;
        }
        for (index, alert) in self.alerts.iter().enumerate() {
            let cancel = match alert.cancelled_after_ms {
                None => "never cancelled".to_owned(),
                Some(after) => format!("cancelled {} later", seconds(after)),
            };
            let mut updates = String::new();
            for after in alert.updated_after_ms.iter().flatten() {
                write!(updates, "updated {} later, ", seconds(*after))?;
            }
            let (at, lasts) = (seconds(alert.approved_ms), seconds(alert.lasts_ms));
            writeln!(
                f,
                "  alert {}: approved at {at}, for {lasts}, {updates}{cancel}",
                index + 1
            )?;
        }
        let engine = match self.engine {
            Engine::RowLocks => "row locks",
            Engine::OneWriter => "one writer",
        };
        let hedging = if self.is_hedging { "; hedging" } else { "" };
        let processes = self.processes;
        writeln!(f, "  processes: {processes}; database: {engine}{hedging}")?;
        let figures = &self.figures;
        writeln!(
            f,
            "  attempt {} s, skew {} s, upstream {} s, back-off up to {} s, link tests each {} s",
            figures.attempt_deadline.as_secs(),
            figures.clock_skew.as_secs(),
            self.upstream_timeout.as_secs(),
            figures.backoff_cap.as_secs(),
            self.link_test_period.as_secs()
        )?;
        let hazards: Vec<&str> = self.hazards.iter().map(|hazard| hazard.as_str()).collect();
        let hazards = hazards.join(", ");
        let rate = self.rate_permille;
        write!(
            f,
            "  until {} goes wrong, {rate} in 1000: {hazards}",
            seconds(self.healed_ms)
        )
    }
}
