//! Who calls, refused: every text and status of `http.md` 1.1.

use axum::http::StatusCode;
use balefire_app::authenticate::TokenRefusal;

use super::{Name, Problem, Shape};

/// Why the headers of a request name no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BearerRefusal {
    /// There is no `Authorization`.
    Missing,
    /// It does not begin with `Bearer`.
    Scheme,
    /// There are several, or it is no text.
    Unreadable,
    /// `X-Custom-Forwarder` is needed and absent.
    ForwarderMissing,
    /// `X-Custom-Forwarder` is none of the route secrets.
    ForwarderWrong,
}

/// Why a service's valid key may not post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyRefusal {
    /// It is a team key.
    Team,
    /// Its service may not broadcast.
    NoPermission,
}

impl Problem {
    pub(crate) fn bearer(shape: Shape, refusal: BearerRefusal) -> Self {
        let (unauthorized, forbidden) = (StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN);
        let (status, text) = match refusal {
            BearerRefusal::Missing => (
                unauthorized,
                "Unauthorized: authentication token must be provided",
            ),
            BearerRefusal::Scheme => (
                unauthorized,
                "Unauthorized: authentication bearer scheme must be used",
            ),
            BearerRefusal::Unreadable => return Self::token(shape, TokenRefusal::Unreadable),
            BearerRefusal::ForwarderMissing => (
                forbidden,
                "Forbidden: the request did not come through the proxy (no X-Custom-Forwarder)",
            ),
            BearerRefusal::ForwarderWrong => (
                forbidden,
                "Forbidden: the request did not come through the proxy (wrong X-Custom-Forwarder)",
            ),
        };
        Self::auth(shape, status, text)
    }

    pub(crate) fn token(shape: Shape, refusal: TokenRefusal) -> Self {
        let text = match refusal {
            TokenRefusal::Unreadable => {
                "Invalid token: make sure your API token matches the example at \
                 https://docs.notifications.service.gov.uk/rest-api.html#authorisation-header"
            }
            TokenRefusal::NoIssuer => "Invalid token: iss field not provided",
            TokenRefusal::Algorithm => "Invalid token: algorithm used is not HS256",
            TokenRefusal::Clock => "Error: Your system clock must be accurate to within 30 seconds",
            TokenRefusal::WrongClient => "Unauthorized: not allowed to perform this action",
            TokenRefusal::ServiceIdMalformed => {
                "Invalid token: service id is not the right data type"
            }
            TokenRefusal::ServiceNotFound => "Invalid token: service not found",
            TokenRefusal::NoKeys => "Invalid token: service has no API keys",
            TokenRefusal::ServiceArchived => "Invalid token: service is archived",
            TokenRefusal::KeyRevoked => "Invalid token: API key revoked",
            TokenRefusal::KeyNotFound => "Invalid token: API key not found",
        };
        let status = match refusal {
            TokenRefusal::WrongClient => StatusCode::UNAUTHORIZED,
            TokenRefusal::Unreadable
            | TokenRefusal::NoIssuer
            | TokenRefusal::Algorithm
            | TokenRefusal::Clock
            | TokenRefusal::ServiceIdMalformed
            | TokenRefusal::ServiceNotFound
            | TokenRefusal::NoKeys
            | TokenRefusal::ServiceArchived
            | TokenRefusal::KeyRevoked
            | TokenRefusal::KeyNotFound => StatusCode::FORBIDDEN,
        };
        Self::auth(shape, status, text)
    }

    pub(crate) fn key(refusal: KeyRefusal) -> Self {
        match refusal {
            KeyRefusal::Team => Self::error(
                StatusCode::FORBIDDEN,
                Name::Auth,
                "Cannot send broadcasts with a team API key",
            ),
            KeyRefusal::NoPermission => Self::error(
                StatusCode::BAD_REQUEST,
                Name::BadRequest,
                "Service is not allowed to send broadcast messages",
            ),
        }
    }
}
