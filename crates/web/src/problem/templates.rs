//! Templates and folders, refused.

use axum::http::StatusCode;
use balefire_app::Failure;
use balefire_app::template_folders::FoldersRefusal;
use balefire_app::templates::TemplateRefusal;
use balefire_domain::folders::FolderRefusal;
use balefire_domain::limits::{
    FOLDERS_PER_SERVICE_MAX, TEMPLATE_CHARS_MAX, TEMPLATE_VERSIONS_MAX, TEMPLATES_PER_SERVICE_MAX,
};

use super::{Problem, Shape};

const BAD: StatusCode = StatusCode::BAD_REQUEST;

impl Problem {
    pub(crate) fn template(failure: Failure<TemplateRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            TemplateRefusal::NotFound | TemplateRefusal::UserNotFound => {
                Self::not_found(Shape::Internal)
            }
            TemplateRefusal::NotAllowed => Self::field(
                StatusCode::FORBIDDEN,
                "template_type",
                "The service may not broadcast, so it has no templates of alerts",
            ),
            TemplateRefusal::Denied(user, denial) => Self::message(
                BAD,
                format!("User {user} cannot write templates of this service: {denial}"),
            ),
            TemplateRefusal::FolderNotFound => Self::message(BAD, "parent_folder_id not found"),
            TemplateRefusal::Text(refusal) => {
                Self::field(BAD, "content", refusal.message("Content"))
            }
            TemplateRefusal::TooLong => Self::field(
                BAD,
                "content",
                format!("Content of a template must be {TEMPLATE_CHARS_MAX} characters or fewer"),
            ),
            TemplateRefusal::Areas(refusal) => Self::areas(refusal),
            TemplateRefusal::TooMany => Self::message(
                BAD,
                format!("The service has {TEMPLATES_PER_SERVICE_MAX} templates, which is the most"),
            ),
            TemplateRefusal::TooManyVersions => Self::message(
                BAD,
                format!(
                    "The template was changed {TEMPLATE_VERSIONS_MAX} times, which is the most: \
                     make a new one"
                ),
            ),
        })
    }

    pub(crate) fn folders(failure: Failure<FoldersRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            FoldersRefusal::NotFound | FoldersRefusal::Move(FolderRefusal::NotFound) => {
                Self::not_found(Shape::Internal)
            }
            FoldersRefusal::ParentNotFound => Self::message(BAD, "parent_id not found"),
            FoldersRefusal::NotEmpty => Self::message(BAD, "Folder is not empty"),
            FoldersRefusal::Move(FolderRefusal::IntoItself) => {
                Self::message(BAD, "A folder can't be moved into itself")
            }
            FoldersRefusal::Move(FolderRefusal::IntoItsOwn) => {
                Self::message(BAD, "A folder can't be moved into one of its subfolders")
            }
            FoldersRefusal::TooMany => Self::message(
                BAD,
                format!("The service has {FOLDERS_PER_SERVICE_MAX} folders, which is the most"),
            ),
        })
    }
}
