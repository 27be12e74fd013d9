//! The routes, one file per verb: parse, call one verb of `app`, render.

use axum::http::StatusCode;

use crate::problem::Problem;

pub(crate) mod admin_actions;
pub(crate) mod alert_history;
pub(crate) mod broadcast;
pub(crate) mod broadcast_message;
pub(crate) mod client_notes;
pub(crate) mod invitations;
pub(crate) mod organisations;
pub(crate) mod populations;
pub(crate) mod public_site;
pub(crate) mod publish_tasks;
pub(crate) mod service;
pub(crate) mod status;
pub(crate) mod template_folders;
pub(crate) mod templates;
pub(crate) mod test_purges;
pub(crate) mod users;
pub(crate) mod v3;

/// A path that is none of ours.
pub(crate) async fn not_found() -> Problem {
    Problem::message(
        StatusCode::NOT_FOUND,
        "There is nothing at this address: check the path",
    )
}

/// A path of ours, asked in another way than it answers to.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::message(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address does not answer to this method: see the header Allow",
    )
}
