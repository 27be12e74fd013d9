//! Faults that the simulator plants in dispatch, to show that its properties would catch them.
//!
//! In the product every question here is answered `false` at compile time; only the feature
//! `planted-faults`, which the simulator alone switches on, makes them settable.

use std::time::Duration;

use balefire_domain::lane::{Hedge, HoldReason, Policy};

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident;)*) => {
        /// Which rule of dispatch is left out.
        #[cfg(feature = "planted-faults")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Planted {
            /// What is left out of `step`.
            pub lane: balefire_domain::lane::planted::Planted,
            $($(#[$doc])* pub $rule: bool,)*
        }

        #[cfg(feature = "planted-faults")]
        impl Planted {
            $(pub(crate) const fn $rule(self) -> bool { self.$rule })*

            /// What is left out of `step`.
            pub(crate) const fn lane(self) -> balefire_domain::lane::planted::Planted {
                self.lane
            }
        }

        /// Nothing is ever left out of the product.
        #[cfg(not(feature = "planted-faults"))]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Planted {}

        #[cfg(not(feature = "planted-faults"))]
        impl Planted {
            $(pub(crate) const fn $rule(self) -> bool { false })*

            /// Nothing is ever left out of `step` either.
            pub(crate) fn lane(self) -> balefire_domain::lane::planted::Planted {
                balefire_domain::lane::planted::Planted::default()
            }
        }
    };
}

rules! {
    /// The commit of an intent is not awaited.
    intent_not_stored;
    /// A request whose outcome is unknown is sent again without a new intent.
    sends_twice;
    /// An answer that could not be stored is dropped.
    answer_not_kept;
    /// An answer to an attempt that this process opened under a former id is dropped.
    former_self_ignored;
    /// Attempts of dead processes are left open.
    orphans_stay_open;
    /// Only wake-ups take lanes up.
    no_sweep;
    /// The same message goes out again at once, at providers without dedup too.
    resends_anywhere;
    /// Any site's answer ends a cancel, at separate sites too.
    any_site_answers;
    /// An attempt counts as drained at its deadline.
    no_drain_margin;
    /// Silence is answered with a second attempt where that is not harmless.
    hedges_anywhere;
    /// An update goes out as an alert, though an earlier message was attempted.
    update_as_alert;
    /// What a clock in doubt decides is carried out.
    no_clock_hold;
}

impl Planted {
    /// Leaves rules out of a policy.
    pub(crate) fn spoil(self, policy: &mut Policy) {
        policy.planted = self.lane();
        policy.resends_unknown_at_once |= self.resends_anywhere();
        policy.has_shared_sites |= self.any_site_answers();
        if self.hedges_anywhere() {
            let (after, is_within_budget) = (Duration::from_secs(1), true);
            policy.hedge = Some(Hedge {
                after,
                is_within_budget,
            });
        }
        if policy.hold == Some(HoldReason::Clock) && self.no_clock_hold() {
            policy.hold = None;
        }
        if self.no_drain_margin() {
            (policy.clock_skew, policy.upstream_timeout) = (Duration::ZERO, Duration::ZERO);
        }
    }
}
