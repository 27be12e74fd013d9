//! What a person may do in a service, and the trail of what they tried and may not (R97).
//!
//! The rule itself is `domain::permission`. A refused attempt is written in a transaction of its
//! own, after the one that was given up: nothing of the act is stored, and the attempt is
//! ([`App::audit_refusal`]).

use balefire_domain::alert::Status;
use balefire_domain::approval::ApprovalRefusal;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, ServiceId, UserId};
use balefire_domain::permission::{self, Deed, Denial};
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::App;
use crate::audit::Act;
use crate::move_alert::{Move, MoveRefusal};

/// Why a person may not do something in a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAllowed {
    /// There is no such person.
    Unknown,
    /// They may not.
    Denied(Denial),
}

/// Whether a person may do something in a service. Of who does not belong to it that is told, also
/// of a platform administrator: the earlier system has no other words.
pub(crate) async fn check_deed(
    tx: &mut Tx,
    by: UserId,
    service: ServiceId,
    deed: Deed,
) -> Result<Result<(), NotAllowed>, StoreError> {
    let Some(standing) = tx.load_standing(by, service).await? else {
        return Ok(Err(NotAllowed::Unknown));
    };
    let checked = permission::check(&standing, deed);
    Ok(checked.map_err(|denial| match standing.permissions {
        None => NotAllowed::Denied(Denial::NotAMember),
        Some(_) => NotAllowed::Denied(denial),
    }))
}

/// Whether a person may manage a service so, by permission or as one who may act as administrator.
pub(crate) async fn check_manager(
    tx: &mut Tx,
    by: UserId,
    service: ServiceId,
    deed: Deed,
) -> Result<Result<(), Denial>, StoreError> {
    let standing = tx.load_standing(by, service).await?.unwrap_or_default();
    let is_administrator = tx.is_administrator(by).await?;
    Ok(permission::check_management(
        &standing,
        is_administrator,
        deed,
    ))
}

/// Whether a person is known, and their account in use.
pub(crate) async fn is_present(tx: &mut Tx, by: UserId) -> Result<bool, StoreError> {
    let presence = tx.load_presence(by).await?;
    Ok(presence.is_some_and(|presence| presence.is_active))
}

impl MoveRefusal {
    /// The refusal in one word; `None` for what is nobody's attempt on an alert of theirs.
    const fn word(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound => return None,
            Self::ServiceInactive => "service_inactive",
            Self::UserNotFound => "user_not_found",
            Self::Denied(denial) => denial_word(*denial),
            Self::IllegalMove { .. } => "illegal_move",
            Self::NoAreas => "no_areas",
            Self::Text(_) => "text",
            Self::Approval(refusal) => approval_word(*refusal),
            Self::Unfit { .. } => "unfit_for_provider",
            Self::ClockInDoubt => "clock_in_doubt",
        })
    }
}

const fn approval_word(refusal: ApprovalRefusal) -> &'static str {
    match refusal {
        ApprovalRefusal::Stale => "stale",
        ApprovalRefusal::VersionUnnamed => "version_unnamed",
        ApprovalRefusal::OwnAlert => "own_alert",
        ApprovalRefusal::OwnSubmission => "own_submission",
        ApprovalRefusal::NoAreas => "no_areas",
        ApprovalRefusal::ServiceInTraining => "service_in_training",
        ApprovalRefusal::NoProviders => "no_providers",
        ApprovalRefusal::StartNotNow => "start_not_now",
        ApprovalRefusal::EndPassed => "end_passed",
        ApprovalRefusal::TooLong => "too_long",
    }
}

pub(crate) const fn denial_word(denial: Denial) -> &'static str {
    match denial {
        Denial::NotAMember => "not_a_member",
        Denial::Lacks(_) => "lacks_permission",
        Denial::AdminOnlyStops => "admin_only_stops",
        Denial::NotAnAdministrator => "not_an_administrator",
    }
}

impl App {
    /// Keeps what a person asked for (`alert.create`) of what, and may not.
    pub(crate) async fn note_denied(
        &self,
        by: UserId,
        action: &'static str,
        object: String,
        service: ServiceId,
        denial: Denial,
    ) {
        let act = Act::new(Actor::User(by), action, object)
            .of(Some(service))
            .with(json!({ "why": denial.to_string() }));
        self.audit_refusal(act, denial_word(denial)).await;
    }

    /// Keeps a refused approval, cancel, rejection, submission or return.
    pub(crate) async fn keep_refused_move(
        &self,
        service: ServiceId,
        alert: AlertId,
        asked: &Move,
        refusal: &MoveRefusal,
    ) {
        let Some(word) = refusal.word() else {
            return;
        };
        let action = match asked.to {
            Status::Broadcasting => "alert.approve",
            Status::Cancelled => "alert.cancel",
            Status::Rejected => "alert.reject",
            Status::Draft
            | Status::PendingApproval
            | Status::Returned
            | Status::Completed
            | Status::TechnicalFailure => "alert.move",
        };
        let actor = match refusal {
            // Nobody has this id: it is the client's own doing, and a client that makes ids up has
            // no more room for it than any other actor.
            MoveRefusal::UserNotFound => Actor::Client("notify-admin"),
            _ => Actor::User(asked.by),
        };
        let why = match refusal {
            MoveRefusal::Denied(denial) => Some(denial.to_string()),
            _ => None,
        };
        let details = json!({ "asked": asked.to.as_str(), "user": asked.by, "why": why,
            "version": asked.seen.version, "hash": asked.seen.hash });
        let act = Act::new(actor, action, format!("alert {alert}"));
        self.audit_refusal(act.of(Some(service)).with(details), word)
            .await;
    }
}
