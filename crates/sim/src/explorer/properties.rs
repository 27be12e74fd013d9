//! The promises of D37, each as a question about one state, and what must be seen to happen.

use balefire_domain::lane::{Attempt, Delivery, Kind, Lane, MootReason, State};

use super::setup::Setup;
use super::world::{NOW, World, is_closed};

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
    /// No text was applied after a later one had been applied or acknowledged.
    NoOldText,
    /// With an update done and nothing in flight its text is on the air, and no other.
    NewestText,
}

impl Property {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 8] = [
        Self::AppliedOnce,
        Self::NoGhost,
        Self::NoFalseAcknowledgement,
        Self::OneOpen,
        Self::OffTheAir,
        Self::Settles,
        Self::NoOldText,
        Self::NewestText,
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
            Self::NoOldText => "no_old_text",
            Self::NewestText => "newest_text",
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
            Self::NoOldText => "no text is applied after a later one was applied or acknowledged",
            Self::NewestText => {
                "with an update done and nothing in flight its text is on the air, and no other"
            }
        }
    }

    /// The property holds in this state. [`Property::Settles`] is about the ways out of a state,
    /// not about the state: the search decides it, and here it holds.
    pub fn holds(self, world: &World, setup: &Setup) -> bool {
        match self {
            Self::AppliedOnce => !world.is_applied_again,
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
                    || world.sites.iter().all(|site| site.on_air == 0)
            }
            Self::Settles => true,
            Self::NoOldText => !world.is_outdated,
            Self::NewestText => is_newest_alone(world),
        }
    }
}

/// Whether the last text, once done, is on the air alone. Only an update's is asked for.
fn is_newest_alone(world: &World) -> bool {
    let on_air = world.sites.iter().fold(0, |bits, site| bits | site.on_air);
    let done = world.lane.target().filter(|d| {
        d.seq > 1 && d.kind.carries_text() && is_closed(d.state) && world.lane.finishes_at > NOW
    });
    done.is_none_or(|d| on_air == 1 << d.seq || world.is_anything_in_flight())
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
    let deliveries = world
        .lane
        .deliveries
        .iter()
        .filter(|d| is_acknowledged(d.state));
    let attempts = world.lane.attempts.iter().filter(|a| a.is_accepted());
    deliveries
        .map(|d| d.seq)
        .chain(attempts.map(|a| a.seq))
        .all(|seq| world.is_taken(seq))
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
    /// An update is acknowledged.
    UpdateAcknowledged,
    /// An update found nothing to update, and the alert in its place is acknowledged.
    AlertInstead,
    /// The cancel of a substitute is acknowledged, and so is the alert that replaces it.
    Replaced,
    /// The replacement goes out though there was nothing to cancel.
    ReplacedNothing,
    /// A cancel ends what an update has put on the air.
    UpdateCancelled,
}

impl Sight {
    /// All of them, in the order of the output.
    pub const ALL: [Self; 15] = [
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
        Self::UpdateAcknowledged,
        Self::AlertInstead,
        Self::Replaced,
        Self::ReplacedNothing,
        Self::UpdateCancelled,
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
            Self::UpdateAcknowledged => "update acknowledged",
            Self::AlertInstead => "alert acknowledged in the place of an update",
            Self::Replaced => "alert acknowledged after the cancel of the earlier one",
            Self::ReplacedNothing => "replacement acknowledged, nothing to cancel",
            Self::UpdateCancelled => "cancel acknowledged after an update",
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
            Self::UpdateAcknowledged => has(lane, Kind::Update, is_acknowledged),
            Self::AlertInstead => has_pair(lane, |lower, upper| {
                lower.kind == Kind::Update
                    && upper.kind == Kind::Alert
                    && is_acknowledged(upper.state)
            }),
            Self::Replaced => has_pair(lane, |lower, upper| {
                is_replacement(lower, upper)
                    && is_acknowledged(lower.state)
                    && is_acknowledged(upper.state)
            }),
            Self::ReplacedNothing => has_pair(lane, |lower, upper| {
                is_replacement(lower, upper)
                    && matches!(lower.state, State::Moot { .. })
                    && is_acknowledged(upper.state)
            }),
            Self::UpdateCancelled => has_pair(lane, |lower, upper| {
                lower.seq > 1
                    && lower.kind.carries_text()
                    && is_acknowledged(lower.state)
                    && upper.kind == Kind::Cancel
                    && is_acknowledged(upper.state)
            }),
        }
    }
}

fn has(lane: &Lane, kind: Kind, is_so: impl Fn(State) -> bool) -> bool {
    lane.deliveries
        .iter()
        .any(|d| d.kind == kind && is_so(d.state))
}

fn has_pair(lane: &Lane, is_so: impl Fn(&Delivery, &Delivery) -> bool) -> bool {
    lane.deliveries
        .windows(2)
        .any(|pair| is_so(&pair[0], &pair[1]))
}

fn is_replacement(lower: &Delivery, upper: &Delivery) -> bool {
    lower.kind == Kind::Cancel && upper.kind == Kind::Alert
}

const fn is_acknowledged(state: State) -> bool {
    matches!(state, State::Acknowledged { .. })
}

fn is_moot(lane: &Lane, why: MootReason) -> bool {
    has(
        lane,
        Kind::Cancel,
        |state| matches!(state, State::Moot { reason, .. } if reason == why),
    )
}
