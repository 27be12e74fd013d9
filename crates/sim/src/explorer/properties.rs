//! The promises of D37, each as a question about one state, and what must be seen to happen.

use balefire_domain::lane::{Attempt, Kind, Lane, MootReason, State};

use super::setup::Setup;
use super::world::{World, is_closed};

/// What must hold in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// The provider applied the alert at most once.
    AppliedOnce,
    /// No alert was applied after its cancel had been applied or closed.
    NoGhost,
    /// What counts as accepted was taken by the provider.
    NoFalseAcknowledgement,
    /// At most one attempt of the lane is open, or one in each slot where hedging is allowed.
    OneOpen,
    /// With its cancel closed and nothing in flight the alert is not on the air.
    OffTheAir,
    /// With two attempts left, a settled state is reachable without luck, fault or person.
    Settles,
}

impl Property {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 6] = [
        Self::AppliedOnce,
        Self::NoGhost,
        Self::NoFalseAcknowledgement,
        Self::OneOpen,
        Self::OffTheAir,
        Self::Settles,
    ];

    /// A short name for tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppliedOnce => "applied_once",
            Self::NoGhost => "no_ghost",
            Self::NoFalseAcknowledgement => "no_false_ack",
            Self::OneOpen => "one_open",
            Self::OffTheAir => "off_the_air",
            Self::Settles => "settles",
        }
    }

    /// The promise in a sentence.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::AppliedOnce => "the provider applies the alert at most once",
            Self::NoGhost => "no alert is applied after its cancel was applied or closed",
            Self::NoFalseAcknowledgement => "nothing counts as accepted that was never taken",
            Self::OneOpen => "one attempt is open at most, or two of one delivery with hedging",
            Self::OffTheAir => {
                "with the cancel closed and nothing in flight the alert is off the air"
            }
            Self::Settles => "with two attempts left a settled state stays reachable",
        }
    }

    /// The property holds in this state. [`Property::Settles`] is about the ways out of a state,
    /// not about the state: the search decides it, and here it holds.
    pub fn holds(self, world: &World, setup: &Setup) -> bool {
        match self {
            Self::AppliedOnce => world.applied_count <= 1,
            Self::NoGhost => !world.is_ghost,
            Self::NoFalseAcknowledgement => is_every_acceptance_true(world),
            Self::OneOpen => is_flight_admitted(&world.lane, setup.variant.rules.hedges),
            Self::OffTheAir => {
                let is_cancelled = world
                    .lane
                    .target()
                    .is_some_and(|d| d.kind == Kind::Cancel && is_closed(d.state));
                !is_cancelled
                    || world.is_anything_in_flight()
                    || world.sites.iter().all(|site| !site.is_live)
            }
            Self::Settles => true,
        }
    }
}

fn is_flight_admitted(lane: &Lane, hedges: bool) -> bool {
    let open: Vec<&Attempt> = lane.open_attempts().collect();
    match open[..] {
        [] | [_] => true,
        [one, other] => hedges && one.delivery == other.delivery && one.slot != other.slot,
        _ => false,
    }
}

fn is_every_acceptance_true(world: &World) -> bool {
    let is_taken = |seq: u32| world.sites.iter().any(|site| site.taken & (1 << seq) != 0);
    let is_acknowledged = |state| matches!(state, State::Acknowledged { .. });
    let deliveries = world
        .lane
        .deliveries
        .iter()
        .filter(|d| is_acknowledged(d.state));
    let attempts = world.lane.attempts.iter().filter(|a| a.is_accepted());
    deliveries
        .map(|d| d.seq)
        .chain(attempts.map(|a| a.seq))
        .all(is_taken)
}

/// What must happen somewhere: an environment in which it can't would prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// An alert is acknowledged.
    AlertAcknowledged,
    /// A cancel finds that nothing was ever sent.
    CancelNeverSent,
    /// A cancel is acknowledged although the alert never was.
    CancelledUnacknowledged,
    /// A cancel ends because the provider knows nothing to cancel.
    CancelUnknownReference,
    /// A cancel's time runs out.
    CancelUnanswered,
    /// An alert's time runs out.
    AlertExpired,
    /// A superseded alert turns out to have been accepted.
    LateAcceptance,
    /// A cancel that was closed too early is issued anew.
    CancelRemade,
    /// … and that one is acknowledged.
    RemadeCancelAcknowledged,
    /// Two attempts are open at once.
    TwoOpen,
}

impl Sight {
    /// All of them, in the order of the output.
    pub const ALL: [Self; 10] = [
        Self::AlertAcknowledged,
        Self::CancelNeverSent,
        Self::CancelledUnacknowledged,
        Self::CancelUnknownReference,
        Self::CancelUnanswered,
        Self::AlertExpired,
        Self::LateAcceptance,
        Self::CancelRemade,
        Self::RemadeCancelAcknowledged,
        Self::TwoOpen,
    ];

    /// The name in the output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlertAcknowledged => "alert acknowledged",
            Self::CancelNeverSent => "cancel moot: never sent",
            Self::CancelledUnacknowledged => "cancel acknowledged, alert never",
            Self::CancelUnknownReference => "cancel moot: unknown reference",
            Self::CancelUnanswered => "cancel moot: ended without an answer",
            Self::AlertExpired => "alert expired",
            Self::LateAcceptance => "late acceptance of a superseded alert",
            Self::CancelRemade => "cancel issued anew",
            Self::RemadeCancelAcknowledged => "cancel issued anew and acknowledged",
            Self::TwoOpen => "two attempts open",
        }
    }

    /// It is to be seen in this state.
    pub fn is_seen(self, world: &World) -> bool {
        let lane = &world.lane;
        match self {
            Self::AlertAcknowledged => has(lane, Kind::Alert, |s| {
                matches!(s, State::Acknowledged { .. })
            }),
            Self::CancelNeverSent => is_moot(lane, MootReason::NeverSent),
            Self::CancelledUnacknowledged => {
                has(lane, Kind::Cancel, |s| {
                    matches!(s, State::Acknowledged { .. })
                }) && !lane.attempts.iter().any(|a| a.seq == 1 && a.is_accepted())
            }
            Self::CancelUnknownReference => is_moot(lane, MootReason::UnknownReference),
            Self::CancelUnanswered => is_moot(lane, MootReason::EndedWithoutAnswer),
            Self::AlertExpired => has(lane, Kind::Alert, |s| matches!(s, State::Expired { .. })),
            Self::LateAcceptance => {
                has(lane, Kind::Alert, |s| matches!(s, State::Superseded { .. }))
                    && lane
                        .attempts
                        .iter()
                        .filter(|a| a.seq == 1)
                        .any(Attempt::is_accepted)
            }
            Self::CancelRemade => lane.deliveries.len() > 2,
            Self::RemadeCancelAcknowledged => lane
                .deliveries
                .iter()
                .any(|d| d.seq > 2 && matches!(d.state, State::Acknowledged { .. })),
            Self::TwoOpen => lane.open_attempts().count() > 1,
        }
    }
}

fn has(lane: &Lane, kind: Kind, is_so: impl Fn(State) -> bool) -> bool {
    lane.deliveries
        .iter()
        .any(|d| d.kind == kind && is_so(d.state))
}

fn is_moot(lane: &Lane, why: MootReason) -> bool {
    has(
        lane,
        Kind::Cancel,
        |state| matches!(state, State::Moot { reason, .. } if reason == why),
    )
}
