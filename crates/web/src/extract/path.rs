//! The ids in a path. What is no UUID names nothing: 404.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use balefire_domain::ids::{
    AdminActionId, AlertId, ApiKeyId, CredentialId, DutyItemId, InvitationId, OrganisationId,
    ServiceId, UserId,
};

use crate::WebState;
use crate::problem::{Problem, Shape};

/// Characters of a UUID as paths have it; other spellings are no id.
const UUID_CHARS: usize = 36;

/// `/service/{service}/…`
pub(crate) struct ServicePath(pub(crate) ServiceId);

/// `/service/{service}/broadcast-message/{alert}…`
pub(crate) struct AlertPath {
    /// The service.
    pub(crate) service: ServiceId,
    /// The alert.
    pub(crate) alert: AlertId,
}

/// `/user/{user}…`
pub(crate) struct UserPath(pub(crate) UserId);

/// `/user/{user}/service/{service}/permission`
pub(crate) struct MemberPath {
    /// The person.
    pub(crate) user: UserId,
    /// The service.
    pub(crate) service: ServiceId,
}

/// `/user/{user}/webauthn/{credential}`
pub(crate) struct CredentialPath {
    /// The person.
    pub(crate) user: UserId,
    /// Their security key.
    pub(crate) credential: CredentialId,
}

impl FromRequestParts<WebState> for UserPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        id(parts, state, "user").await.map(Self)
    }
}

impl FromRequestParts<WebState> for MemberPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let user = id(parts, state, "user").await?;
        let service = id(parts, state, "service").await?;
        Ok(Self { user, service })
    }
}

impl FromRequestParts<WebState> for CredentialPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let user = id(parts, state, "user").await?;
        let credential = id(parts, state, "credential").await?;
        Ok(Self { user, credential })
    }
}

/// `…/duty-items/{item}…`
pub(crate) struct DutyItemPath(pub(crate) DutyItemId);

impl FromRequestParts<WebState> for DutyItemPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        id(parts, state, "item").await.map(Self)
    }
}

/// `…/purge/{days}`: a whole number.
pub(crate) struct DaysPath(pub(crate) u32);

/// Paths of several ids, each found by its name in braces.
macro_rules! id_paths {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $id:ty),* })*) => {$(
        $(#[$doc])*
        pub(crate) struct $name {
            $(pub(crate) $field: $id,)*
        }

        impl FromRequestParts<WebState> for $name {
            type Rejection = Problem;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &WebState,
            ) -> Result<Self, Problem> {
                $(let $field = id(parts, state, stringify!($field)).await?;)*
                Ok(Self { $($field),* })
            }
        }
    )*};
}

id_paths! {
    /// `/service/{service}/api-keys/{key}`
    KeyPath { service: ServiceId, key: ApiKeyId }
    /// `/service/{service}/invite/{invitation}`
    ServiceInvitationPath { service: ServiceId, invitation: InvitationId }
    /// `…/{invitation}`
    InvitationPath { invitation: InvitationId }
    /// `/organisations/{organisation}`
    OrganisationPath { organisation: OrganisationId }
    /// `/organisations/{organisation}/users/{user}`
    OrganisationMemberPath { organisation: OrganisationId, user: UserId }
    /// `/organisation/{organisation}/invite/{invitation}`
    OrganisationInvitationPath { organisation: OrganisationId, invitation: InvitationId }
    /// `/admin-action/{action}…`
    AdminActionPath { action: AdminActionId }
}

/// `…/check/{token}`
pub(crate) struct TokenPath(pub(crate) String);

impl FromRequestParts<WebState> for TokenPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        param(parts, state, "token").await.map(Self)
    }
}

impl FromRequestParts<WebState> for DaysPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let text = param(parts, state, "days").await?;
        let days = text.parse().map_err(|_| not_found())?;
        Ok(Self(days))
    }
}

impl FromRequestParts<WebState> for ServicePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        id(parts, state, "service").await.map(Self)
    }
}

impl FromRequestParts<WebState> for AlertPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let service = id(parts, state, "service").await?;
        let alert = id(parts, state, "alert").await?;
        Ok(Self { service, alert })
    }
}

pub(super) async fn id<T: FromStr>(
    parts: &mut Parts,
    state: &WebState,
    name: &str,
) -> Result<T, Problem> {
    let text = param(parts, state, name).await?;
    let id = Some(text).filter(|text| text.len() == UUID_CHARS);
    id.and_then(|text| text.parse().ok()).ok_or_else(not_found)
}

pub(super) async fn param(
    parts: &mut Parts,
    state: &WebState,
    name: &str,
) -> Result<String, Problem> {
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| not_found())?;
    let param = params.iter().find(|(key, _)| *key == name);
    param
        .map(|(_, value)| value.to_owned())
        .ok_or_else(not_found)
}

pub(super) fn not_found() -> Problem {
    Problem::not_found(Shape::Internal)
}
