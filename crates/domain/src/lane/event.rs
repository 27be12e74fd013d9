//! What can happen to a lane, and what follows.

use super::state::{Attempt, Delivery, Lane};
use crate::ids::{AttemptId, DeliveryId, InstanceId};
use crate::outcome::Outcome;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaneEvent {
    /// An event about the alert was approved: this delivery is new. Its `seq` is above all others.
    Issued(Delivery),
    /// Time passed; or something else may have changed. Carries no input.
    Tick,
    /// The shell has a free permit and would send: the intent to do so, under this attempt id.
    Due {
        /// The id of the attempt to open.
        attempt: AttemptId,
        /// The process that will carry it out.
        by: InstanceId,
    },
    /// An attempt ended with this outcome, at its deadline at the latest.
    Answered {
        /// Which.
        attempt: AttemptId,
        /// What is known.
        outcome: Outcome,
        /// For the back-off: -1000..=1000 thousandths of the greatest deviation (10 %).
        jitter_permille: i32,
    },
    /// The process that carried this attempt out is gone (D26).
    OwnerDied {
        /// Which attempt.
        attempt: AttemptId,
    },
    /// Something else got through to this provider: a waiting delivery need not wait (D6).
    ProviderHealed,
}

/// What to do about [`DutyKind::AlertsImported`].
const ALERTS_IMPORTED: &str = "Alerts that are not over were imported from the earlier service. \
     Nothing is sent. Look at what is owed to which network (docs/operations/import.md), then let \
     it go on with `balefire database release`.";

/// What only a person on duty can mend (D19). Stored as the text of [`DutyKind::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DutyKind {
    /// Not accepted after 3 rounds or 60 s.
    Stuck,
    /// Held, because the provider has no route or the proxies are switched off.
    Unroutable,
    /// A cancel's time ran out without an answer.
    CancelUnanswered,
    /// An alert was accepted after its cancel had been closed as having nothing to cancel.
    AcceptedAfterCancel,
    /// An earlier text was accepted after the provider had said that it knows none.
    OldTextAccepted,
    /// An alert completed with deliveries that no provider acknowledged.
    CompletedUnacknowledged,
    /// The code that carries a lane broke; the lane goes on.
    LanePanicked,
    /// A provider is paused while alerts wait for it.
    ProviderPaused,
    /// A clock is wrong: ours, the database's or a proxy's.
    Clock,
    /// An alert's ticket could not be made or added to for a while.
    TicketFailing,
    /// A queue gave up a wake-up whose delivery had not ended.
    WakeUpGivenUp,
    /// The database went on with another timeline: it may have forgotten attempts.
    DatabaseFailedOver,
    /// The database is a copy: nothing is sent until a person releases it.
    DatabaseRestored,
    /// Alerts that are not over came from the earlier service: nothing is sent until a person
    /// releases the database.
    AlertsImported,
    /// Alerts wait, and no process dispatches.
    NobodyDispatches,
    /// A certificate that signatures rest on ends soon, or has ended.
    CertificateEnds,
}

impl DutyKind {
    /// All kinds, for tables.
    pub const ALL: [Self; 16] = [
        Self::Stuck,
        Self::Unroutable,
        Self::CancelUnanswered,
        Self::AcceptedAfterCancel,
        Self::OldTextAccepted,
        Self::CompletedUnacknowledged,
        Self::LanePanicked,
        Self::ProviderPaused,
        Self::Clock,
        Self::TicketFailing,
        Self::WakeUpGivenUp,
        Self::DatabaseFailedOver,
        Self::DatabaseRestored,
        Self::AlertsImported,
        Self::NobodyDispatches,
        Self::CertificateEnds,
    ];

    /// The word in tables, logs and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Unroutable => "unroutable",
            Self::CancelUnanswered => "cancel_unanswered",
            Self::AcceptedAfterCancel => "accepted_after_cancel",
            Self::OldTextAccepted => "old_text_accepted",
            Self::CompletedUnacknowledged => "completed_unacknowledged",
            Self::LanePanicked => "lane_panicked",
            Self::ProviderPaused => "provider_paused",
            Self::Clock => "clock",
            Self::TicketFailing => "ticket_failing",
            Self::WakeUpGivenUp => "wake_up_given_up",
            Self::DatabaseFailedOver => "database_failed_over",
            Self::DatabaseRestored => "database_restored",
            Self::AlertsImported => "alerts_imported",
            Self::NobodyDispatches => "nobody_dispatches",
            Self::CertificateEnds => "certificate_ends",
        }
    }

    /// The kind that [`DutyKind::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What the person on duty should know and do.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Stuck => {
                "The provider has not accepted this for a minute or three rounds. Sending goes on. \
                 Call the provider's network operations centre."
            }
            Self::Unroutable => {
                "The provider has no route, or the proxies are switched off. Mend the \
                 configuration and restart; the message waits."
            }
            Self::CancelUnanswered => {
                "The provider never answered the cancel. Ask its network operations centre \
                 whether the alert is off the air."
            }
            Self::AcceptedAfterCancel => {
                "The provider accepted the alert after its cancel had been closed. A new cancel is \
                 being sent; ask the provider whether the alert is off the air."
            }
            Self::OldTextAccepted => {
                "The provider accepted an earlier text of the alert after it had said that it \
                 knows none. No cancel is sent: it could take the new text off the air. Ask the \
                 provider whether the earlier text is off the air."
            }
            Self::CompletedUnacknowledged => {
                "The alert ended without this provider's acknowledgement: its customers may not \
                 have been warned."
            }
            Self::LanePanicked => {
                "A fault in our own code interrupted a delivery; it goes on. Report the log lines \
                 around this time to the maintainers."
            }
            Self::ProviderPaused => {
                "The provider was paused more than two minutes ago and alerts wait for it. Resume \
                 it (`balefire provider resume`) as soon as it may take alerts again."
            }
            Self::Clock => {
                "A clock is wrong by more than dispatch.clock_skew_seconds permits. Set it right \
                 (look at the time service of the machine that is named); where it is our own, \
                 nothing is sent until then."
            }
            Self::TicketFailing => {
                "The alert's ticket can't be made or added to. Sending is not touched. Look at the \
                 ticket service and at [tickets] in the configuration; it is tried for a week."
            }
            Self::WakeUpGivenUp => {
                "Several processes took the wake-up of this delivery from the queue and none \
                 finished with it. Sending goes on by the sweep. Look whether processes die."
            }
            Self::DatabaseFailedOver => {
                "The database failed over. Sending paused until what was in flight is over, and \
                 goes on by itself. If the standby was not synchronous, approvals may be lost: \
                 compare with the networks' logs (`balefire history verify`)."
            }
            Self::DatabaseRestored => {
                "The database is a copy of another. Nothing is sent. Look at what it lacks, then \
                 let it go on with `balefire database release`."
            }
            Self::AlertsImported => ALERTS_IMPORTED,
            Self::NobodyDispatches => {
                "Approved alerts wait, and no process with the role `dispatch` was seen for a \
                 minute. Start one (`balefire serve --roles dispatch`): what waits is sent at once."
            }
            Self::CertificateEnds => {
                "A certificate for signatures ends soon. Get the new one from whoever signs and \
                 trust it beside the old one (`balefire service trust`); for our own, renew it and \
                 tell the networks. Documents signed after its end are refused."
            }
        }
    }
}

/// What the shell must do, in the transaction that stores the lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// After the commit: carry this attempt out. Its row is among the lane's attempts.
    Send(Attempt),
    /// Tell the person on duty about this delivery.
    OpenDutyItem {
        /// What about.
        kind: DutyKind,
        /// Which delivery.
        delivery: DeliveryId,
    },
    /// This delivery's `stuck` and `unroutable` items are answered.
    CloseDutyItems {
        /// Which delivery.
        delivery: DeliveryId,
    },
    /// A send got through: after the commit, wake what waits for this provider.
    HealProvider,
    /// Issue another cancel delivery in this lane, of the same event as this one (D5).
    RemakeCancel {
        /// The cancel that was closed too early.
        of: DeliveryId,
    },
    /// Issue an alert delivery in this lane, of the same event as this update and with an
    /// identifier of its own: the provider knows nothing that could be updated (T10; ADR 17).
    AlertInstead {
        /// The update that ended.
        of: DeliveryId,
    },
}

/// Why an event changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// The lane has no such attempt.
    UnknownAttempt,
    /// The attempt is closed, and the answer is no acceptance: late bad news is no news.
    AlreadyClosed,
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The lane as it now is.
    pub lane: Lane,
    /// What the shell must do.
    pub effects: Vec<Effect>,
    /// Set when the event itself was ignored.
    pub ignored: Option<Ignored>,
}
