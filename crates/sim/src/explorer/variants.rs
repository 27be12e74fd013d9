//! The variants: the product's own rules under each profile, and one rule or assumption left out at
//! a time. Which promise each must keep and which it must break is written here by hand.
//!
//! A check that nothing can trip is no check: every [`Property`] is tripped by one variant at
//! least. The letters are those of the design's table of variants; the rest are of our own.

use balefire_domain::lane::planted::Planted;

use super::properties::{Property, Sight};
use super::setup::{Environment, Rules};
use super::variants_updates;

/// Rules, an environment, and what must be found.
#[derive(Clone, Debug)]
pub struct Variant {
    /// A letter, or words without spaces.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// How many attempts are opened at most.
    pub attempts: usize,
    /// As many again, where a longer run is worth its time (`--all`).
    pub attempts_long: Option<usize>,
    /// These are the product's rules, in an environment that a profile describes.
    pub is_ours: bool,
    /// What `step` is told.
    pub rules: Rules,
    /// What it is surrounded by.
    pub environment: Environment,
    /// Exactly these properties are violated.
    pub violated: &'static [Property],
    /// This must be seen to happen.
    pub seen: &'static [Sight],
    /// This must never be seen to happen.
    pub never_seen: &'static [Sight],
}

/// The variant of this name.
pub fn named(name: &str) -> Option<Variant> {
    all().into_iter().find(|variant| variant.name == name)
}

/// All of them, in the order of the tables.
pub fn all() -> Vec<Variant> {
    let mut variants = references();
    variants.extend(ours());
    variants.extend(unbounded());
    variants.extend(left_out());
    variants.extend(failovers());
    variants.extend(planted());
    variants.extend(assumptions());
    variants.extend(variants_updates::ours());
    variants.extend(variants_updates::planted());
    variants.sort_by_key(|variant| (rank(variant.name), variant.name));
    variants
}

/// The letters first, then what goes with a letter, then the faults of our own.
fn rank(name: &str) -> u8 {
    match (name.len(), name.contains('+')) {
        (1, _) => 0,
        (_, true) => 1,
        (_, false) => 2,
    }
}

/// What the product's rules must show in any environment that a profile describes.
const SEEN: &[Sight] = &[
    Sight::AlertAcknowledged,
    Sight::CancelNeverSent,
    Sight::CancelledUnacknowledged,
    Sight::CancelUnknownReference,
    Sight::CancelUnanswered,
    Sight::AlertExpired,
    Sight::LateAcceptance,
];
/// An alert is applied after its cancel, and stays on the air.
const GHOST: &[Property] = &[Property::NoGhost, Property::OffTheAir];

pub(super) fn product(name: &'static str, what: &'static str) -> Variant {
    Variant {
        name,
        what,
        attempts: 3,
        attempts_long: None,
        is_ours: true,
        rules: Rules::default(),
        environment: Environment::default(),
        violated: &[],
        seen: SEEN,
        never_seen: &[Sight::TwoOpen],
    }
}

pub(super) fn without(name: &'static str, what: &'static str) -> Variant {
    Variant {
        is_ours: false,
        seen: &[],
        never_seen: &[],
        ..product(name, what)
    }
}

fn hedged() -> Rules {
    Rules {
        hedges: true,
        ..Rules::default()
    }
}

fn no_dedup() -> Environment {
    Environment {
        no_dedup: true,
        ..Environment::default()
    }
}

fn separate_sites() -> Environment {
    Environment {
        separate_sites: true,
        ..Environment::default()
    }
}

fn unbounded_wire() -> Environment {
    Environment {
        unbounded_wire: true,
        ..Environment::default()
    }
}

fn leaving_out(planted: Planted) -> Rules {
    Rules {
        planted,
        ..Rules::default()
    }
}

/// The queues without a lane of their own, over a wire without a bound.
fn references() -> Vec<Variant> {
    let naive = Planted {
        no_order_gate: true,
        no_drain: true,
        no_one_open: true,
        ..Planted::default()
    };
    let waiting = Planted {
        cancel_waits_for_end: true,
        ..naive
    };
    let waits = |name, what| Variant {
        rules: leaving_out(waiting),
        environment: unbounded_wire(),
        never_seen: &[Sight::CancelledUnacknowledged],
        ..without(name, what)
    };
    vec![
        Variant {
            rules: leaving_out(naive),
            environment: unbounded_wire(),
            violated: &[Property::NoGhost, Property::OneOpen, Property::OffTheAir],
            ..without("A", "a naive queue: no order gate, no drain, no bound")
        },
        Variant {
            violated: &[Property::OneOpen],
            seen: &[Sight::AlertAcknowledged],
            ..waits(
                "B",
                "the cancel waits for the alert's acknowledgement or end",
            )
        },
        Variant {
            environment: Environment {
                no_dedup: true,
                ..unbounded_wire()
            },
            violated: &[
                Property::AppliedOnce,
                Property::NoGhost,
                Property::OneOpen,
                Property::OffTheAir,
            ],
            ..waits("C", "B without dedup")
        },
        Variant {
            environment: Environment {
                separate_sites: true,
                ..unbounded_wire()
            },
            rules: Rules {
                believes_shared_sites: true,
                ..leaving_out(waiting)
            },
            violated: &[
                Property::AppliedOnce,
                Property::NoGhost,
                Property::OneOpen,
                Property::OffTheAir,
            ],
            ..waits("D", "B with separate sites")
        },
    ]
}

/// The product's rules under each profile.
fn ours() -> Vec<Variant> {
    let nobody_is_declared_dead = Environment {
        never_declares_dead: true,
        ..Environment::default()
    };
    vec![
        product("G", "the product: dedup, shared sites"),
        Variant {
            rules: hedged(),
            never_seen: &[],
            ..product("H", "G with hedging")
        },
        Variant {
            environment: no_dedup(),
            violated: &[Property::AppliedOnce],
            ..product("I", "G without dedup")
        },
        Variant {
            environment: separate_sites(),
            violated: &[Property::AppliedOnce],
            attempts: 4,
            attempts_long: Some(5),
            ..product(
                "K",
                "G with separate sites: each reached site must answer the cancel",
            )
        },
        Variant {
            environment: Environment {
                no_dedup: true,
                ..separate_sites()
            },
            violated: &[Property::AppliedOnce],
            ..product("K+I", "K without dedup")
        },
        Variant {
            environment: nobody_is_declared_dead,
            ..product("N", "G where no process is ever declared dead")
        },
        Variant {
            attempts: 5,
            attempts_long: Some(6),
            ..product("S", "G with more attempts")
        },
        Variant {
            rules: hedged(),
            attempts: 4,
            attempts_long: Some(5),
            never_seen: &[],
            ..product("T", "H with more attempts")
        },
        Variant {
            rules: Rules {
                has_three_routes: true,
                ..hedged()
            },
            environment: nobody_is_declared_dead,
            attempts: 4,
            never_seen: &[],
            ..product("W", "N with hedging, three routes and more attempts")
        },
    ]
}

/// A wire without a bound, what may stand in its place, and a profile that is wrong.
fn unbounded() -> Vec<Variant> {
    let no_drain = Planted {
        no_drain: true,
        ..Planted::default()
    };
    vec![
        Variant {
            rules: leaving_out(no_drain),
            environment: unbounded_wire(),
            violated: GHOST,
            ..without("E", "no drain, no bound")
        },
        Variant {
            environment: unbounded_wire(),
            violated: GHOST,
            ..without("F", "the deadline is not enforced on the wire")
        },
        Variant {
            environment: separate_sites(),
            rules: Rules {
                believes_shared_sites: true,
                ..Rules::default()
            },
            violated: &[Property::AppliedOnce, Property::OffTheAir],
            // Only a provider that says "unknown" of an alert that it has brings these about.
            seen: &[Sight::CancelRemade, Sight::RemadeCancelAcknowledged],
            ..without("J", "G with separate sites, the cancel to one of them")
        },
        Variant {
            environment: Environment {
                proxy_fence: true,
                ..unbounded_wire()
            },
            ..without("L", "F with a fence at our proxy")
        },
        Variant {
            environment: Environment {
                tombstones: true,
                ..unbounded_wire()
            },
            ..without("M", "F with a provider that remembers cancels")
        },
    ]
}

/// One rule less.
fn left_out() -> Vec<Variant> {
    let no_one_open = Planted {
        no_one_open: true,
        ..Planted::default()
    };
    vec![
        Variant {
            rules: leaving_out(Planted {
                no_late_acceptance: true,
                ..Planted::default()
            }),
            ..without("O", "G where a late acceptance is not recorded")
        },
        Variant {
            rules: Rules {
                hedges: true,
                ..Rules::default()
            },
            environment: no_dedup(),
            violated: &[Property::AppliedOnce],
            ..without("P", "H without dedup")
        },
        Variant {
            rules: leaving_out(no_one_open),
            violated: &[Property::OneOpen],
            ..without("U", "G without the one-open rule")
        },
        Variant {
            rules: leaving_out(Planted {
                no_drain: true,
                ..no_one_open
            }),
            environment: no_dedup(),
            violated: &[
                Property::AppliedOnce,
                Property::NoGhost,
                Property::OneOpen,
                Property::OffTheAir,
            ],
            ..without("V", "U without drain and dedup")
        },
    ]
}

/// The database forgets what it had committed.
fn failovers() -> Vec<Variant> {
    let forgets = Environment {
        forgets_intent: true,
        ..Environment::default()
    };
    let quarantines = Environment {
        quarantines: true,
        ..forgets
    };
    let taints = Environment {
        taints: true,
        ..forgets
    };
    let both = Environment {
        taints: true,
        ..quarantines
    };
    let forgetting = |name, what, environment| Variant {
        environment,
        violated: GHOST,
        ..without(name, what)
    };
    vec![
        forgetting("Q", "G where a failover forgets an intent", forgets),
        // The cancel is held too; afterwards it is closed as never sent, with the alert on the air.
        Variant {
            violated: &[Property::OffTheAir],
            environment: quarantines,
            ..without("Q+quarantine", "Q with a quarantine, and no taint")
        },
        forgetting("Q+taint", "Q with a taint, and no quarantine", taints),
        Variant {
            environment: both,
            ..product("R", "Q with quarantine and taint")
        },
        Variant {
            environment: Environment {
                separate_sites: true,
                ..both
            },
            violated: &[Property::AppliedOnce],
            ..product("R+K", "R with separate sites")
        },
        Variant {
            rules: hedged(),
            environment: both,
            never_seen: &[],
            ..product("R+H", "R with hedging")
        },
    ]
}

/// Rules that are left out alone, which the letters do not have.
fn planted() -> Vec<Variant> {
    let leaves_out = |name, what, planted| Variant {
        rules: leaving_out(planted),
        violated: GHOST,
        ..without(name, what)
    };
    let none = Planted::default();
    vec![
        leaves_out(
            "open-only-drain",
            "an unknown outcome counts as drained",
            Planted {
                drain_open_only: true,
                ..none
            },
        ),
        leaves_out(
            "no-order-gate",
            "a superseded alert is still sent",
            Planted {
                no_order_gate: true,
                ..none
            },
        ),
        leaves_out(
            "no-drain",
            "another delivery is sent without any drain, over a bounded wire",
            Planted {
                no_drain: true,
                ..none
            },
        ),
    ]
}

/// Assumptions of our own that do not hold.
fn assumptions() -> Vec<Variant> {
    vec![
        Variant {
            // The second time a cancel is told "unknown reference" of an accepted alert, so that it
            // goes on until the alert's end.
            environment: Environment {
                forgets_cancels: true,
                ..no_dedup()
            },
            violated: &[Property::AppliedOnce, Property::Settles],
            attempts: 4,
            ..without(
                "no-memory",
                "I at a provider that forgets the cancels that it took",
            )
        },
        Variant {
            // The cancel believes it was taken while the alert stays on the air, or the alert is
            // applied after an acceptance that counted as its drain. An alert that counts as
            // accepted and is unknown to the provider keeps its cancel going until its end.
            environment: Environment {
                trusts_foreign_identifier: true,
                ..Environment::default()
            },
            violated: &[
                Property::NoGhost,
                Property::NoFalseAcknowledgement,
                Property::OffTheAir,
                Property::Settles,
            ],
            ..without(
                "foreign-identifier",
                "an answer about another message is believed",
            )
        },
        Variant {
            // The attempt of a dead process stays open for ever.
            environment: Environment {
                never_sweeps_in_flight: true,
                ..Environment::default()
            },
            violated: &[Property::Settles],
            ..without(
                "unswept",
                "the sweep passes over lanes with an open attempt",
            )
        },
    ]
}
