//! Invitations, refused.

use axum::http::StatusCode;
use balefire_app::Failure;
use balefire_app::invitations::InvitationRefusal;
use balefire_domain::permission::Denial;

use super::{Problem, Shape};

impl Problem {
    /// The link of an invitation opens nothing any more.
    pub(crate) fn link_over() -> Self {
        Self::invitation(Failure::Refused(InvitationRefusal::LinkOver))
    }

    /// An invitation was not made, opened or changed.
    pub(crate) fn invitation(failure: Failure<InvitationRefusal>) -> Self {
        let bad = StatusCode::BAD_REQUEST;
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            InvitationRefusal::NotFound => Self::not_found(Shape::Internal),
            InvitationRefusal::Denied(Denial::NotAMember) => Self::message(
                bad,
                "Who invites neither belongs there nor is a platform administrator",
            ),
            InvitationRefusal::Denied(denial) => {
                Self::message(bad, format!("Who invites may not: {denial}"))
            }
            InvitationRefusal::Email => Self::field(
                bad,
                "email_address",
                "Enter a public sector email address or find out who can use Emergency Alerts",
            ),
            InvitationRefusal::LinkHost => Self::field(
                bad,
                "invite_link_host",
                "This is no address of a website: write it like https://admin.example.gov.uk",
            ),
            InvitationRefusal::LinkOver => Self::field(
                bad,
                "invitation",
                "Your invitation to this place has expired: ask for a new one",
            ),
            InvitationRefusal::NotPending(status) => Self::message(
                bad,
                format!("This invitation is {} already", status.as_str()),
            ),
            InvitationRefusal::NoDecision => {
                Self::message(bad, "An invitation is accepted or cancelled")
            }
        })
    }
}
