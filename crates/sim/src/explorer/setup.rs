//! One run: which variant, how far it goes, and what `step` is told.

use std::time::Duration;

use balefire_domain::lane::planted::Planted;
use balefire_domain::lane::{Hedge, HoldReason, Policy};

use super::variants::Variant;
use super::world::{NOW, World};

/// How long an attempt may take.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(2);
/// How long a proxy may go on after the deadline, where the wire is bounded.
const DRAIN_MARGIN: Duration = Duration::from_secs(1);
/// Silence is answered after this long, where it is.
pub const HEDGE_AFTER: Duration = Duration::from_secs(1);
/// After a failover nothing leaves for this long: whatever was forgotten is over by then.
pub const QUARANTINE: Duration = Duration::from_secs(3);

/// Whether an update is approved too, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Updates {
    /// An alert and its cancel are all that there is.
    #[default]
    None,
    /// The provider takes updates.
    Native,
    /// It takes none: a cancel goes out, and the alert that replaces it.
    Substitute,
}

/// What `step` is told beside the plain policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// A second attempt may go out beside a silent one, as often as there is silence.
    pub hedges: bool,
    /// One update may be approved.
    pub updates: Updates,
    /// Two proxies lead to the first site: three routes instead of two.
    pub has_three_routes: bool,
    /// The profile says that the sites share their state, whether they do or not.
    pub believes_shared_sites: bool,
    /// The rules that are left out.
    pub planted: Planted,
}

/// How the provider, the network and the processes depart from what the product assumes of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment {
    /// The provider applies the same alert again.
    pub no_dedup: bool,
    /// … and knows nothing of a cancel that it took before.
    pub forgets_cancels: bool,
    /// Each site has a state of its own.
    pub separate_sites: bool,
    /// A request may leave after its deadline and be applied at any time, and the drain has no
    /// margin.
    pub unbounded_wire: bool,
    /// Our proxy refuses an alert once its cancel passed.
    pub proxy_fence: bool,
    /// The provider refuses an alert once it was told to cancel it.
    pub tombstones: bool,
    /// The gateway takes an answer that names another identifier for an acceptance.
    pub trusts_foreign_identifier: bool,
    /// An update goes out as an alert that names nothing, whatever was attempted before.
    pub updates_name_nothing: bool,
    /// A failover may lose one committed intent.
    pub forgets_intent: bool,
    /// … which is noticed: nothing leaves before a quarantine is over …
    pub quarantines: bool,
    /// … and the lane is tainted.
    pub taints: bool,
    /// The sweep passes over lanes with an open attempt.
    pub never_sweeps_in_flight: bool,
    /// No process is ever declared dead: only time closes what a crash left open.
    pub never_declares_dead: bool,
}

/// What a provider does with every request, where it does but one thing (S12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// Anything that a provider can do, at any time.
    #[default]
    Any,
    /// Takes the bytes and never answers.
    Hung,
    /// Surely refuses.
    Refusing,
    /// Answers a 5xx, and applies nothing.
    Erring,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which rules and which environment.
    pub variant: Variant,
    /// How many attempts are opened at most.
    pub attempts_max: usize,
    /// What the provider does.
    pub conduct: Conduct,
    /// What `step` is told: as configured, with the second site first, and each in quarantine.
    policies: [Policy; 4],
}

impl Setup {
    /// The run of this variant with at most so many attempts.
    pub fn new(variant: &Variant, attempts_max: usize) -> Self {
        let policy = policy(&variant.rules, &variant.environment);
        let mut second_first = policy.clone();
        second_first.routes.rotate_left(1);
        let quarantined = |policy: &Policy| Policy {
            hold: Some(HoldReason::Quarantine),
            ..policy.clone()
        };
        Self {
            variant: variant.clone(),
            attempts_max,
            conduct: Conduct::Any,
            policies: [
                policy.clone(),
                second_first.clone(),
                quarantined(&policy),
                quarantined(&second_first),
            ],
        }
    }

    /// The same run at a provider that does but one thing.
    #[must_use]
    pub fn with_conduct(self, conduct: Conduct) -> Self {
        Self { conduct, ..self }
    }

    /// What `step` is told now.
    pub fn policy(&self, world: &World, is_second_site_first: bool) -> &Policy {
        let is_quarantined = world.quarantine_until > NOW;
        &self.policies[usize::from(is_second_site_first) + 2 * usize::from(is_quarantined)]
    }

    /// What `step` is told of the sites.
    pub fn has_shared_sites_in_policy(&self) -> bool {
        self.policies[0].has_shared_sites
    }

    /// The environment.
    pub const fn environment(&self) -> &Environment {
        &self.variant.environment
    }
}

fn policy(rules: &Rules, environment: &Environment) -> Policy {
    let routes: &[&str] = if rules.has_three_routes {
        &["p/a", "p/b", "q/a"]
    } else {
        &["p/a", "p/b"]
    };
    let is_one_provider = !environment.no_dedup && !environment.separate_sites;
    Policy {
        routes: routes.iter().map(|&route| route.to_owned()).collect(),
        hold: None,
        resends_unknown_at_once: is_one_provider,
        has_shared_sites: !environment.separate_sites || rules.believes_shared_sites,
        hedge: rules.hedges.then_some(Hedge {
            after: HEDGE_AFTER,
            is_within_budget: true,
        }),
        attempt_deadline: ATTEMPT_DEADLINE,
        clock_skew: if environment.unbounded_wire {
            Duration::ZERO
        } else {
            DRAIN_MARGIN
        },
        upstream_timeout: Duration::ZERO,
        backoff_cap: Duration::from_secs(1),
        early_backoff_cap: Duration::from_secs(1),
        early_period: Duration::ZERO,
        planted: rules.planted,
    }
}
