//! A lane, its deliveries and their attempts, as values.

use super::policy::STUCK_AFTER;
use crate::ids::{AttemptId, DeliveryId, InstanceId};
use crate::outcome::Outcome;
use crate::routing::site_of;
use crate::time::Timestamp;

/// What an event asks of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Put the alert on the air.
    Alert,
    /// Put another text in its place, in one message (D14; ADR 17).
    Update,
    /// Take it off.
    Cancel,
}

impl Kind {
    /// All kinds, for tables.
    pub const ALL: [Self; 3] = [Self::Alert, Self::Update, Self::Cancel];

    /// The word in tables and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Update => "update",
            Self::Cancel => "cancel",
        }
    }

    /// The kind that [`Kind::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it puts a text on the air; a cancel takes one off.
    pub const fn carries_text(self) -> bool {
        match self {
            Self::Alert | Self::Update => true,
            Self::Cancel => false,
        }
    }
}

/// Why a delivery waits for something other than its back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldReason {
    /// An earlier attempt may still be applied at the provider (D25).
    Drain,
    /// It is the replacement of what a cancel takes off the air, and that cancel has not ended
    /// (ADR 17).
    Replaces,
    /// The provider has no routes in the configuration any more (D4).
    NoRoute,
    /// The proxies are switched off (`cbc.enabled = false`, D4).
    ProxiesDisabled,
    /// A person paused the provider: its alerts wait, its cancels never do (D4, D19).
    Paused,
    /// The database changed its timeline: what was in flight may have been forgotten, and must be
    /// over before anything else leaves.
    Quarantine,
    /// The database was restored from a copy: a person must say that it may go on.
    Restored,
    /// Our clock can't be trusted just now: nothing that it decides is decided (D35).
    Clock,
}

impl HoldReason {
    /// All reasons, for tables.
    pub const ALL: [Self; 8] = [
        Self::Drain,
        Self::Replaces,
        Self::NoRoute,
        Self::ProxiesDisabled,
        Self::Paused,
        Self::Quarantine,
        Self::Restored,
        Self::Clock,
    ];

    /// The word in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Replaces => "replaces",
            Self::NoRoute => "no_route",
            Self::ProxiesDisabled => "proxies_disabled",
            Self::Paused => "paused",
            Self::Quarantine => "quarantine",
            Self::Restored => "restored",
            Self::Clock => "clock",
        }
    }

    /// While this stands, attempts may have been made that the database does not know.
    pub const fn hides_attempts(self) -> bool {
        matches!(self, Self::Quarantine | Self::Restored)
    }

    /// Whether what asks for this must wait for it: a pause holds no cancel that stands alone.
    pub const fn bars(self, kind: Kind) -> bool {
        match self {
            Self::Paused => kind.carries_text(),
            Self::Drain
            | Self::Replaces
            | Self::NoRoute
            | Self::ProxiesDisabled
            | Self::Quarantine
            | Self::Restored
            | Self::Clock => true,
        }
    }

    /// The reason that [`HoldReason::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Why a cancel needed no acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MootReason {
    /// No attempt of the alert was ever opened here: nothing is sent (D4).
    NeverSent,
    /// The provider knows nothing that it could cancel (D4, D30).
    UnknownReference,
    /// The alert's time and the margin ran out without an answer (D30).
    EndedWithoutAnswer,
}

impl MootReason {
    /// The word in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverSent => "never_sent",
            Self::UnknownReference => "unknown_reference",
            Self::EndedWithoutAnswer => "ended_without_answer",
        }
    }

    /// The reason that [`MootReason::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::NeverSent,
            Self::UnknownReference,
            Self::EndedWithoutAnswer,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == text)
    }
}

/// Where a delivery stands (D31). A state carries what only that state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// May be sent now.
    Ready,
    /// An attempt is open.
    InFlight,
    /// Every route failed; the next round begins then.
    Backoff {
        /// When the next round begins.
        due_at: Timestamp,
    },
    /// Waits for something else.
    Held {
        /// For what.
        reason: HoldReason,
        /// Until when at the latest, where a clock ends it.
        until: Option<Timestamp>,
    },
    /// The provider accepted it.
    Acknowledged {
        /// When we learnt it.
        at: Timestamp,
    },
    /// A later event took its place before it was accepted.
    Superseded {
        /// When.
        at: Timestamp,
    },
    /// The alert's end came before it was accepted.
    Expired {
        /// When.
        at: Timestamp,
    },
    /// A cancel with nothing to cancel.
    Moot {
        /// Why.
        reason: MootReason,
        /// When.
        at: Timestamp,
    },
}

impl State {
    /// The word of every state, for tables.
    pub const WORDS: [&str; 8] = [
        "ready",
        "in_flight",
        "backoff",
        "held",
        "acknowledged",
        "superseded",
        "expired",
        "moot",
    ];

    /// The word in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::InFlight => "in_flight",
            Self::Backoff { .. } => "backoff",
            Self::Held { .. } => "held",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Superseded { .. } => "superseded",
            Self::Expired { .. } => "expired",
            Self::Moot { .. } => "moot",
        }
    }

    /// Nothing changes a delivery in this state any more.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Ready | Self::InFlight | Self::Backoff { .. } | Self::Held { .. } => false,
            Self::Acknowledged { .. }
            | Self::Superseded { .. }
            | Self::Expired { .. }
            | Self::Moot { .. } => true,
        }
    }
}

/// The duty to get one event accepted by one provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The CAP identifier on the wire, the same in every attempt.
    pub id: DeliveryId,
    /// Its place in the lane; 1 is the alert.
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The current round, from 1: a round tries every route once.
    pub round: u32,
    /// When the duty arose.
    pub created_at: Timestamp,
    /// From then on nothing of it is sent: the alert's end, for a cancel 5 minutes later (D30).
    pub ends_at: Timestamp,
    /// A duty item says that it takes too long (D19).
    pub is_stuck: bool,
}

impl Delivery {
    /// When it takes too long, if it has not ended by then; `None` where that was said already.
    pub fn stuck_at(&self) -> Option<Timestamp> {
        (!self.is_stuck).then(|| self.created_at + STUCK_AFTER)
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// What is known of it.
    pub outcome: Outcome,
}

/// One try of one delivery over one route. Its row is committed before the bytes leave (D5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// Whose try it is.
    pub delivery: DeliveryId,
    /// The delivery's place in the lane.
    pub seq: u32,
    /// 0, or 1 for one that was opened beside another (a hedge). One of each may be open.
    pub slot: u8,
    /// The route's name.
    pub route: String,
    /// The round it belongs to.
    pub round: u32,
    /// When the intent was committed.
    pub opened_at: Timestamp,
    /// From then on no byte of it leaves, and its connection is reset (D25).
    pub deadline_at: Timestamp,
    /// From then on nothing of it can be applied at the provider any more (D25).
    pub drained_at: Timestamp,
    /// The process that carries it out.
    pub opened_by: InstanceId,
    /// Its end; open while absent.
    pub closed: Option<Closed>,
}

impl Attempt {
    /// The request may be under way in a living process.
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// The provider accepted it.
    pub fn is_accepted(&self) -> bool {
        self.closed
            .is_some_and(|closed| closed.outcome.is_acceptance())
    }

    /// The provider may have applied it, as far as is known.
    pub fn may_be_applied(&self) -> bool {
        match self.closed.map(|closed| closed.outcome) {
            None | Some(Outcome::Unknown | Outcome::Accepted | Outcome::Duplicate) => true,
            Some(Outcome::Refused | Outcome::UnknownReference) => false,
        }
    }

    /// The provider may still apply it: open, or unknown, and not yet past the drain (D25).
    /// A definite answer drains its own attempt.
    pub fn is_undrained(&self, now: Timestamp) -> bool {
        let may_be_applied = match self.closed {
            None => true,
            Some(closed) => closed.outcome == Outcome::Unknown,
        };
        may_be_applied && now < self.drained_at
    }
}

/// Whether of two neighbours the upper one is the replacement of what the lower one takes off the
/// air.
fn is_replaced(lower: &Delivery, upper: &Delivery) -> bool {
    lower.kind == Kind::Cancel && upper.kind == Kind::Alert
}

/// One alert at one provider: its deliveries by `seq`, and every attempt ever opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// When the alert ends; a cancel may be sent for 5 minutes more.
    pub finishes_at: Timestamp,
    /// By ascending `seq`.
    pub deliveries: Vec<Delivery>,
    /// By ascending opening.
    pub attempts: Vec<Attempt>,
    /// The database may have forgotten attempts of this lane: that none is known proves nothing.
    pub is_tainted: bool,
}

impl Lane {
    /// A lane in which nothing was issued yet.
    pub const fn new(finishes_at: Timestamp) -> Self {
        Self {
            finishes_at,
            deliveries: Vec::new(),
            attempts: Vec::new(),
            is_tainted: false,
        }
    }

    /// The delivery that counts: the one with the highest `seq`.
    pub fn target(&self) -> Option<&Delivery> {
        self.deliveries.last()
    }

    /// The delivery that may be sent now: the target, or the cancel that stands directly below it
    /// and that it replaces, until that has ended (ADR 17).
    pub fn active(&self) -> Option<&Delivery> {
        match self.deliveries.as_slice() {
            [.., cancel, alert] if is_replaced(cancel, alert) && !cancel.state.is_terminal() => {
                Some(cancel)
            }
            _ => self.target(),
        }
    }

    /// Whether an alert stands directly above this cancel and waits for its end (ADR 17).
    pub fn is_awaited_by_replacement(&self, cancel: DeliveryId) -> bool {
        self.deliveries.windows(2).any(|pair| {
            pair[0].id == cancel && is_replaced(&pair[0], &pair[1]) && !pair[1].state.is_terminal()
        })
    }

    /// The attempts that are under way. The schema admits one in each of the two slots.
    pub fn open_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_open())
    }

    /// The first attempt that is under way, if any.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.open_attempts().next()
    }

    /// An attempt of a lower `seq` was opened, whatever became of it.
    pub fn is_touched_below(&self, seq: u32) -> bool {
        self.attempts.iter().any(|attempt| attempt.seq < seq)
    }

    /// The attempts by which a text of a lower `seq` was accepted and which no cancel between can
    /// have taken off the air since; all of it read from the attempts, never from a delivery's
    /// state (D5). With `site`, what is known of that one site.
    pub fn standing_below<'a>(
        &'a self,
        seq: u32,
        site: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Attempt> {
        let between = move |from: u32| {
            self.attempts.iter().filter(move |attempt| {
                (from..seq).contains(&attempt.seq)
                    && site.is_none_or(|site| site_of(&attempt.route) == site)
            })
        };
        let may_cancel = |a: &Attempt| self.kind_of(a) == Some(Kind::Cancel) && a.may_be_applied();
        between(0).filter(move |text| {
            text.is_accepted()
                && self.kind_of(text).is_some_and(Kind::carries_text)
                && !between(text.seq + 1).any(may_cancel)
        })
    }

    /// What an attempt asked of the provider.
    pub fn kind_of(&self, attempt: &Attempt) -> Option<Kind> {
        let mut deliveries = self.deliveries.iter();
        let delivery = deliveries.find(|delivery| delivery.id == attempt.delivery);
        delivery.map(|delivery| delivery.kind)
    }

    /// Whether an update goes out as an update: something of a lower `seq` was attempted, or may
    /// have been. Otherwise there is nothing to name, and it goes out as an alert (T4).
    pub fn has_earlier_message(&self, seq: u32) -> bool {
        self.is_tainted || self.is_touched_below(seq)
    }

    /// Something of this delivery may have left: an attempt is known, or may be forgotten.
    pub fn may_have_left(&self, delivery: DeliveryId) -> bool {
        self.is_tainted || self.attempts_of(delivery).next().is_some()
    }

    /// The attempts of a delivery.
    pub fn attempts_of(&self, delivery: DeliveryId) -> impl Iterator<Item = &Attempt> + Clone {
        self.attempts
            .iter()
            .filter(move |attempt| attempt.delivery == delivery)
    }
}
