//! Invitations to a service or an organisation: their states, and for how long they are good.

use std::time::Duration;

use crate::notification::INVITATION_VALID_FOR;
use crate::time::Timestamp;

/// How long an invitation is good.
pub const VALID_FOR: Duration = INVITATION_VALID_FOR;

/// Where an invitation stands. The texts are those of the existing API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationStatus {
    /// It waits to be accepted.
    Pending,
    /// It was accepted, and is good for nothing more.
    Accepted,
    /// It was taken back.
    Cancelled,
    /// Its time is over.
    Expired,
}

impl InvitationStatus {
    /// All states.
    pub const ALL: [Self; 4] = [
        Self::Pending,
        Self::Accepted,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The text on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state that [`InvitationStatus::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Where an invitation of `created_at` stands `now`, when the table says `self`.
    #[must_use]
    pub fn at(self, created_at: Timestamp, now: Timestamp) -> Self {
        match self {
            Self::Pending if is_over(created_at, now) => Self::Expired,
            other => other,
        }
    }

    /// Whether somebody may move an invitation from here to `to`: what waits is accepted once, or
    /// taken back.
    pub const fn may_move(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Accepted | Self::Cancelled)
        )
    }
}

/// Whether the link of an invitation of `created_at` opens nothing any more.
pub fn is_over(created_at: Timestamp, now: Timestamp) -> bool {
    now >= created_at + VALID_FOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_good_for_two_days() {
        let made = Timestamp::from_seconds(1_000_000);
        let two_days = 2 * 24 * 3600;
        for (seconds, want) in [
            (0, InvitationStatus::Pending),
            (two_days - 1, InvitationStatus::Pending),
            (two_days, InvitationStatus::Expired),
            (2 * two_days, InvitationStatus::Expired),
        ] {
            let now = made + Duration::from_secs(seconds);
            assert_eq!(InvitationStatus::Pending.at(made, now), want, "{seconds}");
            let accepted = InvitationStatus::Accepted;
            assert_eq!(accepted.at(made, now), accepted, "what ended stays");
        }
    }

    #[test]
    fn an_invitation_is_used_once() {
        for from in InvitationStatus::ALL {
            assert_eq!(InvitationStatus::parse(from.as_str()), Some(from));
            for to in InvitationStatus::ALL {
                let want = from == InvitationStatus::Pending
                    && matches!(to, InvitationStatus::Accepted | InvitationStatus::Cancelled);
                assert_eq!(from.may_move(to), want, "{from:?} {to:?}");
            }
        }
        assert_eq!(InvitationStatus::parse("failed"), None);
    }
}
