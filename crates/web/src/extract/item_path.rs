//! Ids in a path of what lies two levels deep in a service.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use balefire_domain::ids::{FolderId, ServiceId, TemplateId};
use uuid::Uuid;

use super::path::{AlertPath, id, not_found, param};
use crate::WebState;
use crate::problem::Problem;

/// `/service/{service}/…/{alert}/…/{item}`: something of an alert.
pub(crate) struct ItemPath {
    /// Where the alert is.
    pub(crate) of: AlertPath,
    /// The thing.
    pub(crate) item: Uuid,
}

/// `/service/{service}/template/{template}…`
pub(crate) struct TemplatePath {
    /// The service.
    pub(crate) service: ServiceId,
    /// The template.
    pub(crate) template: TemplateId,
}

/// `/service/{service}/template/{template}/version/{version}`
pub(crate) struct TemplateVersionPath {
    /// Where the template is.
    pub(crate) of: TemplatePath,
    /// The version's number.
    pub(crate) version: u32,
}

/// `/service/{service}/template-folder/{folder}…`
pub(crate) struct FolderPath {
    /// The service.
    pub(crate) service: ServiceId,
    /// The folder.
    pub(crate) folder: FolderId,
}

impl FromRequestParts<WebState> for ItemPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let of = AlertPath::from_request_parts(parts, state).await?;
        let item = id(parts, state, "item").await?;
        Ok(Self { of, item })
    }
}

impl FromRequestParts<WebState> for TemplatePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let service = id(parts, state, "service").await?;
        let template = id(parts, state, "template").await?;
        Ok(Self { service, template })
    }
}

impl FromRequestParts<WebState> for TemplateVersionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let of = TemplatePath::from_request_parts(parts, state).await?;
        let text = param(parts, state, "version").await?;
        let version = text.parse().map_err(|_| not_found())?;
        Ok(Self { of, version })
    }
}

impl FromRequestParts<WebState> for FolderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let service = id(parts, state, "service").await?;
        let folder = id(parts, state, "folder").await?;
        Ok(Self { service, folder })
    }
}
