//! An author's or approver's act, refused: shape 2, in the words that existing clients know (R20,
//! R21, R36 to R40), and our own where the earlier system had none.

use axum::http::StatusCode;
use balefire_app::Failure;
use balefire_app::create_alert::CreateRefusal;
use balefire_app::move_alert::{Move, MoveRefusal};
use balefire_app::summarise_alert::SummaryRefusal;
use balefire_app::update_alert::UpdateRefusal;
use balefire_domain::alert::Status;
use balefire_domain::approval::ApprovalRefusal;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::limits::ALERT_VERSIONS_MAX;
use balefire_domain::permission::Denial;

use super::{Name, Problem, Shape};

/// What the interface calls the text.
const TEXT: &str = "Content";
/// The blank at its end is the earlier system's.
const INACTIVE: &str = "Updating broadcast message is not allowed: service is inactive ";

impl Problem {
    pub(crate) fn create(failure: Failure<CreateRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            CreateRefusal::ServiceNotFound
            | CreateRefusal::UserNotFound
            | CreateRefusal::TemplateNotFound => Self::not_found(Shape::Internal),
            CreateRefusal::NotAllowed => {
                refuse("Service is not allowed to send broadcast messages")
            }
            CreateRefusal::ServiceInactive => Self::message(
                StatusCode::FORBIDDEN,
                "Creating broadcast message is not allowed: service is inactive",
            ),
            CreateRefusal::Denied(user, Denial::NotAMember) => refuse(format!(
                "User {user} cannot create a broadcast_message of another service"
            )),
            CreateRefusal::Denied(user, denial) => refuse(format!(
                "User {user} cannot create a broadcast_message: {denial}"
            )),
            CreateRefusal::Text(refusal) => refuse(refusal.message(TEXT)),
            CreateRefusal::Areas(refusal) => Self::areas(refusal),
        })
    }

    pub(crate) fn update(id: AlertId, failure: Failure<UpdateRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            UpdateRefusal::NotFound | UpdateRefusal::UserNotFound => {
                Self::not_found(Shape::Internal)
            }
            UpdateRefusal::ServiceInactive => Self::message(StatusCode::FORBIDDEN, INACTIVE),
            UpdateRefusal::Denied(user, denial) => denied(user, id, denial),
            UpdateRefusal::NotEditable(status) => refuse(format!(
                "Cannot update broadcast_message {id} while it has status {}",
                status.as_str()
            )),
            UpdateRefusal::HalfAreas => refuse(format!(
                "Cannot update broadcast_message {id}, area IDs or polygons are missing."
            )),
            UpdateRefusal::EditorMissing => refuse(format!(
                "Cannot update broadcast_message {id} without created_by: whoever edits an \
                 alert may not approve it, so the editor is named"
            )),
            UpdateRefusal::NothingChanges => refuse(format!(
                "broadcast_message {id} says exactly this already: nothing would change"
            )),
            UpdateRefusal::TooManyVersions => refuse(too_many_versions(id)),
            UpdateRefusal::Text(refusal) => refuse(refusal.message(TEXT)),
            UpdateRefusal::Areas(refusal) => Self::areas(refusal),
        })
    }

    pub(crate) fn change_status(id: AlertId, asked: &Move, failure: Failure<MoveRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            MoveRefusal::NotFound | MoveRefusal::UserNotFound => Self::not_found(Shape::Internal),
            MoveRefusal::ServiceInactive => Self::message(StatusCode::FORBIDDEN, INACTIVE),
            MoveRefusal::Denied(denial) => denied(asked.by, id, denial),
            MoveRefusal::IllegalMove { from, to } => refuse(format!(
                "Cannot move broadcast_message {id} from {} to {}",
                from.as_str(),
                to.as_str()
            )),
            MoveRefusal::NoAreas => no_areas(id),
            MoveRefusal::Text(refusal) => refuse(refusal.message(TEXT)),
            MoveRefusal::Approval(refusal) => Self::approval(id, asked.by, refusal),
            MoveRefusal::Unfit { provider, unfit } => refuse(format!(
                "broadcast_message {id} can't go to the network {provider}: {unfit}. Make the area \
                 simpler, or smaller, and approve it again"
            )),
            MoveRefusal::ClockInDoubt => Self::message(
                StatusCode::SERVICE_UNAVAILABLE,
                "This server's clock is in doubt, so an alert's times would be wrong: try again in \
                 a moment",
            ),
        })
    }

    /// As [`Problem::change_status`], in the sentences that a person reads who has not asked for it
    /// yet.
    pub(crate) fn check_status(id: AlertId, asked: &Move, failure: Failure<MoveRefusal>) -> Self {
        match failure {
            Failure::Refused(MoveRefusal::IllegalMove { from, to }) => {
                refuse(why_not_now(from, to))
            }
            Failure::Refused(MoveRefusal::Approval(ApprovalRefusal::OwnAlert)) => {
                refuse("You cannot approve an alert that you wrote or changed.")
            }
            failure => Self::change_status(id, asked, failure),
        }
    }

    pub(crate) fn summarise(id: AlertId, by: UserId, failure: Failure<SummaryRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            SummaryRefusal::NotFound | SummaryRefusal::UserNotFound => {
                Self::not_found(Shape::Internal)
            }
            SummaryRefusal::Denied(denial) => denied(by, id, denial),
            SummaryRefusal::NoAddress => {
                refuse(format!("User {by} has no e-mail address that takes mail"))
            }
        })
    }

    fn approval(id: AlertId, by: UserId, refusal: ApprovalRefusal) -> Self {
        match refusal {
            ApprovalRefusal::Stale => Self::message(
                StatusCode::CONFLICT,
                format!("broadcast_message {id} was changed since you read it: read it again"),
            ),
            ApprovalRefusal::VersionUnnamed => Self::message(
                StatusCode::CONFLICT,
                format!(
                    "broadcast_message {id} is on the air, and an update of it waits: read that, \
                     and approve it by its version"
                ),
            ),
            ApprovalRefusal::OwnAlert => refuse(format!(
                "User {by} cannot approve their own broadcast_message {id}"
            )),
            ApprovalRefusal::OwnSubmission => {
                refuse("You cannot approve an alert that you submitted for approval.")
            }
            ApprovalRefusal::NoAreas => no_areas(id),
            ApprovalRefusal::ServiceInTraining => refuse(format!(
                "broadcast_message {id} is a real alert, and its service is in training mode now: \
                 make the service live again, or reject the alert"
            )),
            ApprovalRefusal::NoProviders => refuse(format!(
                "broadcast_message {id} would reach nobody: no network that the service may use \
                 is switched on"
            )),
            ApprovalRefusal::StartNotNow => refuse(format!(
                "broadcast_message {id} has a starts_at more than 5 minutes from now: an alert \
                 starts when it is approved"
            )),
            ApprovalRefusal::EndPassed => refuse(format!(
                "broadcast_message {id} has a finishes_at that is over: set a later one"
            )),
            ApprovalRefusal::TooLong => refuse(format!(
                "broadcast_message {id} would last longer than its channel allows: set an earlier \
                 finishes_at or a shorter duration"
            )),
        }
    }

    pub(crate) fn areas(refusal: balefire_app::AreasRefusal) -> Self {
        match refusal {
            balefire_app::AreasRefusal::Form(what) => Self::invalid(Name::Validation, [what]),
            balefire_app::AreasRefusal::Shape(refusal) => refuse(format!("areas: {refusal}")),
        }
    }
}

fn refuse(message: impl Into<String>) -> Problem {
    Problem::message(StatusCode::BAD_REQUEST, message)
}

fn why_not_now(from: Status, to: Status) -> String {
    let state = match from {
        Status::Draft => "is a draft",
        Status::PendingApproval => "is pending approval",
        Status::Returned => "has been returned for edit",
        Status::Rejected => "has been rejected",
        Status::Broadcasting => "is live",
        Status::Completed | Status::Cancelled => "has already been broadcast",
        Status::TechnicalFailure => "could not be broadcast",
    };
    let act = match (from, to) {
        (Status::PendingApproval, Status::PendingApproval) => "submitted again",
        (_, Status::PendingApproval) => "edited or submitted again",
        (_, Status::Draft) => "edited",
        (_, Status::Returned) => "returned for edit",
        (_, Status::Rejected) => "rejected",
        (_, Status::Broadcasting) => "approved",
        (_, Status::Cancelled) => "stopped",
        (_, Status::Completed | Status::TechnicalFailure) => "ended by a person",
    };
    format!("This alert {state}, it cannot be {act}.")
}

fn too_many_versions(id: AlertId) -> String {
    format!(
        "broadcast_message {id} was changed {ALERT_VERSIONS_MAX} times, which is the most: cancel \
         it and send a new one"
    )
}

fn no_areas(id: AlertId) -> Problem {
    refuse(format!(
        "broadcast_message {id} has no selected areas and so cannot be broadcasted."
    ))
}

fn denied(user: UserId, id: AlertId, denial: Denial) -> Problem {
    let why = match denial {
        Denial::NotAMember => " from other service".to_owned(),
        denial => format!(": {denial}"),
    };
    refuse(format!(
        "User {user} cannot update broadcast_message {id}{why}"
    ))
}
