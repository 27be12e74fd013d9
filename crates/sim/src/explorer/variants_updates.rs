//! The variants of three events: an alert, an update of it, and the cancel (D14, ADR 17).

use balefire_domain::lane::planted::Planted;

use super::properties::{Property, Sight};
use super::setup::{Environment, Rules, Updates};
use super::variants::{Variant, product, without};

/// What must be seen in every environment that a profile with updates describes.
const SEEN_NATIVE: &[Sight] = &[
    Sight::AlertAcknowledged,
    Sight::CancelNeverSent,
    Sight::UpdateAcknowledged,
    Sight::UpdateCancelled,
    Sight::AlertInstead,
    Sight::LateAcceptance,
];
/// … and at a provider that takes none.
const SEEN_SUBSTITUTE: &[Sight] = &[
    Sight::AlertAcknowledged,
    Sight::CancelNeverSent,
    Sight::Replaced,
    Sight::ReplacedNothing,
    Sight::UpdateCancelled,
    Sight::LateAcceptance,
];

fn native(name: &'static str, what: &'static str) -> Variant {
    Variant {
        rules: Rules {
            updates: Updates::Native,
            ..Rules::default()
        },
        seen: SEEN_NATIVE,
        ..product(name, what)
    }
}

fn substitute(name: &'static str, what: &'static str) -> Variant {
    Variant {
        rules: Rules {
            updates: Updates::Substitute,
            ..Rules::default()
        },
        seen: SEEN_SUBSTITUTE,
        ..product(name, what)
    }
}

/// The product's rules under each profile.
pub(super) fn ours() -> Vec<Variant> {
    let failover = Environment {
        forgets_intent: true,
        quarantines: true,
        taints: true,
        ..Environment::default()
    };
    let hedged = |variant: Variant| Variant {
        rules: Rules {
            hedges: true,
            ..variant.rules
        },
        never_seen: &[],
        ..variant
    };
    vec![
        Variant {
            attempts_long: Some(4),
            ..native("update", "an update too: dedup, shared sites")
        },
        hedged(native("update+H", "update with hedging")),
        Variant {
            environment: failover,
            ..native(
                "update+R",
                "update after a failover, with quarantine and taint",
            )
        },
        Variant {
            attempts_long: Some(4),
            ..substitute(
                "substitute",
                "an update as a cancel and an alert: dedup, shared sites",
            )
        },
        hedged(substitute("substitute+H", "substitute with hedging")),
        Variant {
            environment: Environment {
                no_dedup: true,
                ..Environment::default()
            },
            violated: &[Property::AppliedOnce],
            attempts: 4,
            ..substitute("substitute+I", "substitute without dedup")
        },
        Variant {
            environment: Environment {
                separate_sites: true,
                ..Environment::default()
            },
            violated: &[Property::AppliedOnce],
            ..substitute("substitute+K", "substitute with separate sites")
        },
        Variant {
            environment: failover,
            ..substitute(
                "substitute+R",
                "substitute after a failover, with quarantine and taint",
            )
        },
    ]
}

/// One rule of updates less.
pub(super) fn planted() -> Vec<Variant> {
    let none = Planted::default();
    let (native, substitute) = (Updates::Native, Updates::Substitute);
    let leaving_out = |name, what, updates, planted| Variant {
        rules: Rules {
            updates,
            planted,
            ..Rules::default()
        },
        violated: &[Property::NewestText],
        ..without(name, what)
    };
    let (mut hasty, mut lost, mut early, mut old) = (none, none, none, none);
    hasty.update_no_drain = true;
    lost.no_alert_instead = true;
    early.no_replaces = true;
    old.no_order_gate = true;
    let what = "no alert takes the place of an update that names nothing known";
    vec![
        leaving_out(
            "hasty-update",
            "an update does not wait for the drain",
            native,
            hasty,
        ),
        leaving_out("lost-update", what, native, lost),
        Variant {
            environment: Environment {
                updates_name_nothing: true,
                ..Environment::default()
            },
            ..leaving_out(
                "nameless-update",
                "an update goes out as an alert, whatever was attempted",
                native,
                none,
            )
        },
        Variant {
            // The cancel is never sent any more.
            violated: &[Property::Settles, Property::NewestText],
            ..leaving_out(
                "hasty-replacement",
                "a replacement does not wait for its cancel's end",
                substitute,
                early,
            )
        },
        Variant {
            violated: &[
                Property::NoGhost,
                Property::OffTheAir,
                Property::NoOldText,
                Property::NewestText,
            ],
            ..leaving_out(
                "old-text",
                "a superseded text is still sent",
                substitute,
                old,
            )
        },
    ]
}
