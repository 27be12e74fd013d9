//! The life of an alert: its states, and who may move it where (D9).

use crate::time::Timestamp;

/// Where an alert stands. The texts are those of the existing API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Being written.
    Draft,
    /// Submitted; waits for a second person.
    PendingApproval,
    /// Will not be sent.
    Rejected,
    /// Approved; on its way or on the air.
    Broadcasting,
    /// Its time is over.
    Completed,
    /// Taken back after approval. The cancels may still be on their way.
    Cancelled,
    /// Known from old data; nothing sets it.
    TechnicalFailure,
    /// Given back to its author.
    Returned,
}

/// Who moves an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mover {
    /// A person or a client.
    Person,
    /// The clock, when the alert's time is over.
    Clock,
}

impl Status {
    /// All states, in the order in which the existing API lists them.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::PendingApproval,
        Self::Rejected,
        Self::Broadcasting,
        Self::Completed,
        Self::Cancelled,
        Self::TechnicalFailure,
        Self::Returned,
    ];

    /// The text on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::PendingApproval => "pending-approval",
            Self::Rejected => "rejected",
            Self::Broadcasting => "broadcasting",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::TechnicalFailure => "technical-failure",
            Self::Returned => "returned",
        }
    }

    /// The state that [`Status::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether text, areas and times may still change (D42).
    pub const fn is_editable(self) -> bool {
        matches!(
            self,
            Self::Draft | Self::PendingApproval | Self::Returned | Self::Rejected
        )
    }

    /// The table of D9: whether `mover` may move an alert from here to `to`.
    pub const fn may_move(self, to: Self, mover: Mover) -> bool {
        use Status::{
            Broadcasting, Cancelled, Completed, Draft, PendingApproval, Rejected, Returned,
        };
        match mover {
            Mover::Clock => matches!((self, to), (Broadcasting, Completed)),
            Mover::Person => matches!(
                (self, to),
                (Draft, PendingApproval | Rejected)
                    | (PendingApproval, Draft | Returned | Rejected | Broadcasting)
                    | (Returned, Draft | PendingApproval | Rejected)
                    | (Rejected, Draft | PendingApproval)
                    | (Broadcasting, Cancelled)
            ),
        }
    }

    /// What a CAP Cancel makes of an alert in this state, where it makes anything (D9).
    pub const fn after_cap_cancel(self) -> Option<Self> {
        match self {
            Self::Draft | Self::PendingApproval | Self::Returned => Some(Self::Rejected),
            Self::Broadcasting => Some(Self::Cancelled),
            Self::Rejected | Self::Completed | Self::Cancelled | Self::TechnicalFailure => None,
        }
    }
}

/// Whether the clock completes an alert: it is broadcasting and its end has come (R80).
pub fn is_over(status: Status, finishes_at: Option<Timestamp>, now: Timestamp) -> bool {
    status.may_move(Status::Completed, Mover::Clock) && finishes_at.is_some_and(|end| end <= now)
}

/// Whether a service may act at all (D40).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceState {
    /// All is allowed.
    Active,
    /// Nothing but a cancel is accepted.
    Suspended,
    /// Its keys are dead; a cancel is left to platform administrators and the command line.
    Archived,
}

impl ServiceState {
    /// The word in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Archived => "archived",
        }
    }

    /// The state that [`ServiceState::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Archived]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Whether a service's alerts are real. On the wire training is `restricted: true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Nothing ever reaches a provider.
    Training,
    /// Alerts are sent.
    Live,
}

impl Mode {
    /// The word in tables and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Live => "live",
        }
    }

    /// The mode that [`Mode::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Training, Self::Live]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of D9, as it stands in the decision: + people, c the clock, - refused.
    const TABLE: [(&str, [char; 7]); 8] = [
        ("draft", ['-', '+', '-', '+', '-', '-', '-']),
        ("pending-approval", ['+', '-', '+', '+', '+', '-', '-']),
        ("returned", ['+', '+', '-', '+', '-', '-', '-']),
        ("rejected", ['+', '+', '-', '-', '-', '-', '-']),
        ("broadcasting", ['-', '-', '-', '-', '-', 'c', '+']),
        ("completed", ['-'; 7]),
        ("cancelled", ['-'; 7]),
        ("technical-failure", ['-'; 7]),
    ];
    const TO: [&str; 7] = [
        "draft",
        "pending-approval",
        "returned",
        "rejected",
        "broadcasting",
        "completed",
        "cancelled",
    ];

    #[test]
    fn every_move_is_allowed_or_refused_as_the_table_says() {
        for (from, row) in TABLE {
            let from_status = Status::parse(from).expect("a state");
            for (to, mark) in TO.into_iter().zip(row) {
                let to_status = Status::parse(to).expect("a state");
                let person = from_status.may_move(to_status, Mover::Person);
                let clock = from_status.may_move(to_status, Mover::Clock);
                assert_eq!(
                    (person, clock),
                    (mark == '+', mark == 'c'),
                    "{from} to {to}"
                );
            }
            for mover in [Mover::Person, Mover::Clock] {
                assert!(
                    !from_status.may_move(Status::TechnicalFailure, mover),
                    "{from}"
                );
            }
        }
    }

    #[test]
    fn the_clock_completes_what_is_broadcasting_and_over() {
        let end = Timestamp::from_seconds(100);
        let before = Timestamp::from_seconds(99);
        for (status, finishes_at, now, want) in [
            (Status::Broadcasting, Some(end), before, false),
            (Status::Broadcasting, Some(end), end, true),
            (Status::Broadcasting, None, end, false),
            (Status::Cancelled, Some(end), end, false),
            (Status::PendingApproval, Some(end), end, false),
        ] {
            assert_eq!(
                is_over(status, finishes_at, now),
                want,
                "{status:?} {finishes_at:?} {now}"
            );
        }
    }
}
