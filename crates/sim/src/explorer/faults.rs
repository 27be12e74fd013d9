//! The rules that are left out one at a time, and which property must notice.
//!
//! A check that no planted fault can trip is no check: every [`Property`] is tripped by one of
//! these at least.

use std::time::Duration;

use balefire_domain::lane::Policy;
use balefire_domain::lane::planted::Planted;

use super::properties::{Property, Sight};

/// One rule or assumption that is left out (D37).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The drain looks at open attempts only: an unknown outcome counts as drained.
    DrainOpenOnly,
    /// A superseded alert is still sent.
    NoOrderGate,
    /// Another `seq` is sent without any drain.
    NoDrain,
    /// The deadline is not enforced on the wire, and the drain's margin is zero.
    DeadlineNotEnforced,
    /// The provider applies the same identifier twice.
    NoDedup,
    /// Each site of the provider has a state of its own.
    SeparateSites,
    /// The database loses one committed intent.
    ForgottenIntent,
    /// Any number of attempts may be open, and nothing is drained.
    NoOneOpenNoDrain,
    /// An answer that names another identifier counts as accepted.
    ForeignIdentifier,
    /// The sweep passes over lanes with an open attempt.
    NeverSweptInFlight,
}

impl Fault {
    /// All of them, in the order of the output.
    pub const ALL: [Self; 10] = [
        Self::DrainOpenOnly,
        Self::NoOrderGate,
        Self::NoDrain,
        Self::DeadlineNotEnforced,
        Self::NoDedup,
        Self::SeparateSites,
        Self::ForgottenIntent,
        Self::NoOneOpenNoDrain,
        Self::ForeignIdentifier,
        Self::NeverSweptInFlight,
    ];

    /// The name in the output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DrainOpenOnly => "drain looks at open attempts only",
            Self::NoOrderGate => "no order gate",
            Self::NoDrain => "no drain",
            Self::DeadlineNotEnforced => "deadline not enforced, margin zero",
            Self::NoDedup => "no dedup",
            Self::SeparateSites => "separate sites",
            Self::ForgottenIntent => "forgotten intent",
            Self::NoOneOpenNoDrain => "no one-open rule and no drain",
            Self::ForeignIdentifier => "foreign identifier acknowledged",
            Self::NeverSweptInFlight => "lanes in flight never swept",
        }
    }

    /// Exactly these properties are violated by it, and why.
    pub const fn caught_by(self) -> &'static [Property] {
        match self {
            // Each lets the cancel be judged while an alert may still be applied: the provider
            // knows nothing to cancel, the cancel is closed, and the alert comes after it.
            Self::DrainOpenOnly
            | Self::NoOrderGate
            | Self::NoDrain
            | Self::DeadlineNotEnforced
            | Self::ForgottenIntent => &[Property::NoGhost, Property::OffTheAir],
            // A lost answer is resent, which is the two-generals problem without dedup. And the
            // second time a cancel is told "unknown reference" of an accepted alert, so that it
            // goes on until the alert's end.
            Self::NoDedup => &[Property::AppliedOnce, Property::Settles],
            // As without dedup; and the cancel is answered by a site that never had the alert.
            Self::SeparateSites => &[Property::AppliedOnce, Property::OffTheAir],
            Self::NoOneOpenNoDrain => &[Property::NoGhost, Property::OneOpen, Property::OffTheAir],
            // The cancel believes it was taken while the alert stays on the air, or is applied
            // after an acceptance that counted as its drain. An alert that counts as accepted and
            // is unknown to the provider keeps its cancel going until the alert's end.
            Self::ForeignIdentifier => &[
                Property::NoGhost,
                Property::NoFalseAcknowledgement,
                Property::OffTheAir,
                Property::Settles,
            ],
            // The attempt of a dead process stays open for ever.
            Self::NeverSweptInFlight => &[Property::Settles],
        }
    }
}

impl Fault {
    /// The least number of attempts in which it shows all that it does.
    pub const fn attempts_min(self) -> usize {
        match self {
            Self::DrainOpenOnly
            | Self::NoOrderGate
            | Self::NoDrain
            | Self::DeadlineNotEnforced
            | Self::ForgottenIntent
            | Self::NoOneOpenNoDrain => 2,
            // The cancel that is issued anew is the third; and a wedge counts with two attempts
            // left: after the alert's …
            Self::SeparateSites | Self::ForeignIdentifier | Self::NeverSweptInFlight => 3,
            // … or after the alert's and the cancel's.
            Self::NoDedup => 4,
        }
    }
}

/// One run: what is left out, and how far it goes.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What is left out; nothing in the product.
    pub fault: Option<Fault>,
    /// How many attempts are opened at most.
    pub attempts_max: usize,
    /// What `step` is told.
    pub policy: Policy,
    /// The same with the second route first.
    pub policy_second_route_first: Policy,
    /// The provider takes an identifier once.
    pub has_dedup: bool,
    /// Every route leads to the same state.
    pub has_shared_sites: bool,
    /// Nothing leaves past its deadline, and nothing is applied past its drain.
    pub is_deadline_enforced: bool,
    /// The gateway compares the identifier of an answer with ours.
    pub checks_identifier: bool,
    /// The database may lose one intent.
    pub forgets_intent: bool,
    /// The sweep looks at lanes with an open attempt, and finds dead owners.
    pub sweeps_in_flight: bool,
}

impl Setup {
    /// The run with this fault, or the product's own rules with none.
    pub fn new(fault: Option<Fault>, attempts_max: usize) -> Self {
        let is = |other| fault == Some(other);
        let has_dedup = !is(Fault::NoDedup);
        let has_shared_sites = !is(Fault::SeparateSites);
        let is_deadline_enforced = !is(Fault::DeadlineNotEnforced);
        let policy = Policy {
            routes: vec!["1".to_owned(), "2".to_owned()],
            hold: None,
            resends_unknown_at_once: has_dedup && has_shared_sites,
            has_shared_sites: true,
            hedge: None,
            attempt_deadline: Duration::from_secs(2),
            clock_skew: Duration::from_secs(u64::from(is_deadline_enforced)),
            upstream_timeout: Duration::ZERO,
            backoff_cap: Duration::from_secs(1),
            early_backoff_cap: Duration::from_secs(1),
            early_period: Duration::ZERO,
            planted: Planted {
                drain_open_only: is(Fault::DrainOpenOnly),
                no_drain: is(Fault::NoDrain) || is(Fault::NoOneOpenNoDrain),
                no_order_gate: is(Fault::NoOrderGate),
                no_one_open: is(Fault::NoOneOpenNoDrain),
                ..Planted::default()
            },
        };
        let mut policy_second_route_first = policy.clone();
        policy_second_route_first.routes.reverse();
        Self {
            fault,
            attempts_max,
            policy,
            policy_second_route_first,
            has_dedup,
            has_shared_sites,
            is_deadline_enforced,
            checks_identifier: !is(Fault::ForeignIdentifier),
            forgets_intent: is(Fault::ForgottenIntent),
            sweeps_in_flight: !is(Fault::NeverSweptInFlight),
        }
    }

    /// The name in the output.
    pub const fn name(&self) -> &'static str {
        match self.fault {
            None => "clean",
            Some(fault) => fault.as_str(),
        }
    }

    /// The properties that must be violated, no more and no fewer.
    pub const fn violated(&self) -> &'static [Property] {
        match self.fault {
            None => &[],
            Some(fault) => fault.caught_by(),
        }
    }

    /// What must be seen to happen in this run. While the alert lives a cancel is issued anew only
    /// where a provider can say "unknown" of an alert that it has, which takes separate sites.
    pub const fn seen(&self) -> &'static [Sight] {
        match self.fault {
            None => &[
                Sight::AlertAcknowledged,
                Sight::CancelNeverSent,
                Sight::CancelledUnacknowledged,
                Sight::CancelUnknownReference,
                Sight::CancelUnanswered,
                Sight::AlertExpired,
                Sight::LateAcceptance,
            ],
            Some(Fault::SeparateSites) => &[Sight::CancelRemade, Sight::RemadeCancelAcknowledged],
            Some(_) => &[],
        }
    }
}
