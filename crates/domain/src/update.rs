//! The update of an alert that is on the air: what becomes of a proposed one, and who may say yes
//! to it (ADR 17).
//!
//! It keeps the alert's channel, providers and end, so that what is judged here is who says yes to
//! which content, and whether the alert is still there to be changed. Unlike an alert's first
//! approval it must name the version that was seen: the alert is `broadcasting` before and after,
//! so that a repeated or late approval of the alert itself would otherwise count as one of an
//! update that nobody has read.

use crate::alert::{Mode, Status};
use crate::approval::{ApprovalRefusal, Seen, check_goes_out};
use crate::ids::UserId;
use crate::time::Timestamp;

/// What has become of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UpdateState {
    /// Waits for a second person. An alert has one such at most.
    Open,
    /// It is what the alert says.
    Approved,
    /// Somebody said no.
    Rejected,
    /// A newer one took its place.
    Replaced,
    /// The alert was cancelled or ended first.
    Withdrawn,
    /// It came before the alert was approved, and changed what waited.
    Edited,
}

impl UpdateState {
    /// All states, for tables.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::Approved,
        Self::Rejected,
        Self::Replaced,
        Self::Withdrawn,
        Self::Edited,
    ];

    /// The word in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Replaced => "replaced",
            Self::Withdrawn => "withdrawn",
            Self::Edited => "edited",
        }
    }

    /// The state that [`UpdateState::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a CAP Update, or an author's change, is for an alert in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMeans {
    /// A proposal beside what is on the air.
    Proposal,
    /// An edit of what nobody has approved yet.
    Edit,
    /// Nothing: there is nothing left to change.
    Nothing,
}

/// What an update is for an alert in this state, whose end is `finishes_at`.
pub fn means(status: Status, finishes_at: Option<Timestamp>, now: Timestamp) -> UpdateMeans {
    match status {
        Status::Broadcasting if finishes_at.is_some_and(|end| end <= now) => UpdateMeans::Nothing,
        Status::Broadcasting => UpdateMeans::Proposal,
        Status::Draft | Status::PendingApproval | Status::Returned => UpdateMeans::Edit,
        Status::Rejected | Status::Completed | Status::Cancelled | Status::TechnicalFailure => {
            UpdateMeans::Nothing
        }
    }
}

/// A proposed update, and what it is proposed of.
#[derive(Clone, Debug)]
pub struct ProposedUpdate {
    /// The alert was made in training mode or by a test key: nothing is ever sent.
    pub is_stubbed: bool,
    /// Who made the proposal; nobody where an API key did.
    pub proposer: Option<UserId>,
    /// Its version: the number that the alert gets by a yes.
    pub version: u32,
    /// Its content's hash ([`crate::approval::content_hash`]).
    pub hash: String,
    /// How many polygons it has.
    pub polygons: usize,
    /// The alert's end.
    pub finishes_at: Timestamp,
}

/// Decides about a yes to `update`; whether it makes an event, which goes to the providers. The
/// caller has checked membership and that the alert is broadcasting.
pub fn decide(
    update: &ProposedUpdate,
    mode: Mode,
    approver: UserId,
    seen: &Seen,
    now: Timestamp,
) -> Result<bool, ApprovalRefusal> {
    if seen.version.is_none() {
        return Err(ApprovalRefusal::VersionUnnamed);
    }
    if seen.is_stale(update.version, &update.hash) {
        return Err(ApprovalRefusal::Stale);
    }
    if mode == Mode::Live && update.proposer == Some(approver) {
        return Err(ApprovalRefusal::OwnAlert);
    }
    check_goes_out(update.polygons, update.is_stubbed, mode)?;
    if update.finishes_at <= now {
        return Err(ApprovalRefusal::EndPassed);
    }
    Ok(!update.is_stubbed)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_000_001);

    fn user(n: u128) -> UserId {
        UserId::new(Uuid::from_u128(n))
    }

    fn proposed() -> ProposedUpdate {
        ProposedUpdate {
            is_stubbed: false,
            proposer: Some(user(1)),
            version: 2,
            hash: "abc".to_owned(),
            polygons: 1,
            finishes_at: LATER,
        }
    }

    fn seen(version: Option<u32>, hash: Option<&str>) -> Seen {
        Seen {
            version,
            hash: hash.map(str::to_owned),
        }
    }

    #[test]
    fn what_an_update_is_follows_from_where_the_alert_stands() {
        use Status::{
            Broadcasting, Cancelled, Completed, Draft, PendingApproval, Rejected, Returned,
            TechnicalFailure,
        };
        use UpdateMeans::{Edit, Nothing, Proposal};
        for (status, end, want) in [
            (Draft, None, Edit),
            (PendingApproval, None, Edit),
            (PendingApproval, Some(NOW), Edit),
            (Returned, None, Edit),
            (Broadcasting, Some(LATER), Proposal),
            (Broadcasting, Some(NOW), Nothing),
            (Rejected, None, Nothing),
            (Completed, Some(LATER), Nothing),
            (Cancelled, Some(LATER), Nothing),
            (TechnicalFailure, None, Nothing),
        ] {
            assert_eq!(means(status, end, NOW), want, "{status:?} {end:?}");
        }
    }

    #[test]
    fn a_yes_names_the_version_that_is_proposed() {
        use ApprovalRefusal::{Stale, VersionUnnamed};
        for (version, hash, want) in [
            (None, None, Some(VersionUnnamed)),
            (None, Some("abc"), Some(VersionUnnamed)),
            (Some(1), None, Some(Stale)),
            (Some(3), Some("abc"), Some(Stale)),
            (Some(2), Some("abd"), Some(Stale)),
            (Some(2), None, None),
            (Some(2), Some("abc"), None),
        ] {
            let got = decide(&proposed(), Mode::Live, user(4), &seen(version, hash), NOW);
            assert_eq!(got.err(), want, "{version:?} {hash:?}");
        }
    }

    #[test]
    fn who_may_say_yes_and_to_what() {
        use ApprovalRefusal::{EndPassed, NoAreas, OwnAlert, ServiceInTraining};
        let by_key = ProposedUpdate {
            proposer: None,
            ..proposed()
        };
        let stubbed = ProposedUpdate {
            is_stubbed: true,
            ..proposed()
        };
        let nowhere = ProposedUpdate {
            polygons: 0,
            ..proposed()
        };
        let over = ProposedUpdate {
            finishes_at: NOW,
            ..proposed()
        };
        for (rule, update, mode, who, want) in [
            ("a second person", proposed(), Mode::Live, 2, Ok(true)),
            ("the proposer", proposed(), Mode::Live, 1, Err(OwnAlert)),
            ("a key proposed it", by_key, Mode::Live, 1, Ok(true)),
            (
                "one's own in training",
                stubbed.clone(),
                Mode::Training,
                1,
                Ok(false),
            ),
            (
                "one's own stubbed one, live",
                stubbed.clone(),
                Mode::Live,
                1,
                Err(OwnAlert),
            ),
            (
                "a stubbed one makes no event",
                stubbed,
                Mode::Live,
                2,
                Ok(false),
            ),
            (
                "a real one in training",
                proposed(),
                Mode::Training,
                2,
                Err(ServiceInTraining),
            ),
            ("to nobody", nowhere, Mode::Live, 2, Err(NoAreas)),
            (
                "of an alert that is over",
                over,
                Mode::Live,
                2,
                Err(EndPassed),
            ),
        ] {
            let got = decide(&update, mode, user(who), &seen(Some(2), None), NOW);
            assert_eq!(got, want, "{rule}");
        }
    }
}
