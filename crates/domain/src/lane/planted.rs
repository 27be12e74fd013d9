//! Faults that `sim` plants in `step`, to show that its checks would catch them.
//!
//! In the product every question here is answered `false` at compile time; only the feature
//! `planted-faults`, which `sim` alone switches on, makes them settable.

/// Which rule of `step` is left out.
#[cfg(feature = "planted-faults")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planted {
    /// A drain that looks at open attempts only: an unknown outcome counts as drained.
    pub drain_open_only: bool,
    /// No drain before another `seq` at all.
    pub no_drain: bool,
    /// No order gate: a superseded alert is still sent.
    pub no_order_gate: bool,
    /// No rule that only one attempt may be open.
    pub no_one_open: bool,
    /// Sending goes on after the end.
    pub no_end: bool,
    /// The death of a process makes its attempts unknown that were answered long before.
    pub stale_news: bool,
    /// A tainted lane's cancel is closed as if nothing had been sent.
    pub no_taint: bool,
    /// A cancel waits until its alert is acknowledged or over, which is not superseded meanwhile.
    pub cancel_waits_for_end: bool,
    /// An acceptance of an attempt that was closed already is not recorded.
    pub no_late_acceptance: bool,
    /// An update does not wait for the drain.
    pub update_no_drain: bool,
    /// The replacement of a cancelled text does not wait for its cancel's end.
    pub no_replaces: bool,
    /// An update that names nothing the provider knows ends, and no alert takes its place.
    pub no_alert_instead: bool,
}

/// Nothing is ever left out of the product.
#[cfg(not(feature = "planted-faults"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planted {}

#[cfg(feature = "planted-faults")]
impl Planted {
    pub(crate) const fn drain_open_only(self) -> bool {
        self.drain_open_only
    }
    pub(crate) const fn no_drain(self) -> bool {
        self.no_drain
    }
    pub(crate) const fn no_order_gate(self) -> bool {
        self.no_order_gate
    }
    pub(crate) const fn no_one_open(self) -> bool {
        self.no_one_open
    }
    pub(crate) const fn no_end(self) -> bool {
        self.no_end
    }
    pub(crate) const fn stale_news(self) -> bool {
        self.stale_news
    }
    pub(crate) const fn no_taint(self) -> bool {
        self.no_taint
    }
    pub(crate) const fn cancel_waits_for_end(self) -> bool {
        self.cancel_waits_for_end
    }
    pub(crate) const fn no_late_acceptance(self) -> bool {
        self.no_late_acceptance
    }
    pub(crate) const fn update_no_drain(self) -> bool {
        self.update_no_drain
    }
    pub(crate) const fn no_replaces(self) -> bool {
        self.no_replaces
    }
    pub(crate) const fn no_alert_instead(self) -> bool {
        self.no_alert_instead
    }
}

#[cfg(not(feature = "planted-faults"))]
#[expect(clippy::unused_self, reason = "the same questions as with the feature")]
impl Planted {
    pub(crate) const fn drain_open_only(self) -> bool {
        false
    }
    pub(crate) const fn no_drain(self) -> bool {
        false
    }
    pub(crate) const fn no_order_gate(self) -> bool {
        false
    }
    pub(crate) const fn no_one_open(self) -> bool {
        false
    }
    pub(crate) const fn no_end(self) -> bool {
        false
    }
    pub(crate) const fn stale_news(self) -> bool {
        false
    }
    pub(crate) const fn no_taint(self) -> bool {
        false
    }
    pub(crate) const fn cancel_waits_for_end(self) -> bool {
        false
    }
    pub(crate) const fn no_late_acceptance(self) -> bool {
        false
    }
    pub(crate) const fn update_no_drain(self) -> bool {
        false
    }
    pub(crate) const fn no_replaces(self) -> bool {
        false
    }
    pub(crate) const fn no_alert_instead(self) -> bool {
        false
    }
}
