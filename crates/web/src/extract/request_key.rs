//! `Idempotency-Key`: 1 to 255 printable characters, a client's own name for a request, so that it
//! may be sent again when the answer was lost (the IETF's draft of that name).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use balefire_app::repeatable::{Known, RequestKey};
use balefire_app::{Alert, App};
use balefire_domain::alert::Status;
use balefire_domain::approval::hex;
use balefire_domain::ids::UserId;
use balefire_domain::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::WebState;
use crate::problem::{Problem, Shape};

const HEADER: &str = "idempotency-key";

/// What the request calls itself, if it does.
pub(crate) struct Repeatable(Option<(String, String)>);

impl FromRequestParts<WebState> for Repeatable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &WebState) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let Some(value) = given.next() else {
            return Ok(Self(None));
        };
        let key = value.to_str().ok().filter(|key| {
            let is_printable = key.chars().all(|c| c.is_ascii_graphic() || c == ' ');
            !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_CHARS_MAX && is_printable
        });
        let (Some(key), None) = (key, given.next()) else {
            let message = format!(
                "Idempotency-Key must be one text of 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable \
                 ASCII characters"
            );
            return Err(Problem::message(StatusCode::BAD_REQUEST, message));
        };
        let asked = address(&parts.method, parts.uri.path());
        Ok(Self(Some((asked, key.to_owned()))))
    }
}

/// Who asks is the client whose token opened the route: the address is told apart.
fn address(method: &Method, path: &str) -> String {
    format!("{method} {path}")
}

impl Repeatable {
    /// Which request this is, and what it asks.
    pub(crate) fn of(self, body: &Value) -> Option<RequestKey> {
        let (caller, key) = self.0?;
        let digest = hex(&Sha256::digest(body.to_string()));
        Some(RequestKey {
            caller,
            key,
            digest,
        })
    }
}

impl Repeatable {
    /// The same of a move: what is asked to become of the alert belongs to the name, so that one
    /// that approved it never keeps it from being stopped.
    pub(crate) fn of_move(self, to: Status, body: &Value) -> Option<RequestKey> {
        let request = self.of(body)?;
        Some(RequestKey {
            caller: format!("{} {}", request.caller, to.as_str()),
            ..request
        })
    }

    /// The same of a person: what another person calls so is another request.
    pub(crate) fn of_person(self, by: UserId, body: &Value) -> Option<RequestKey> {
        let request = self.of(body)?;
        Some(RequestKey {
            caller: format!("user {by} {}", request.caller),
            ..request
        })
    }
}

/// The alert that came of a request.
pub(crate) struct Outcome {
    /// As it now is.
    pub(crate) alert: Alert,
    /// The request was done before; nothing was done now.
    pub(crate) is_repetition: bool,
}

/// Does what a request asks, unless it was done before. Of two at once the second finds what the
/// first has done.
pub(crate) async fn once(
    app: &App,
    by: UserId,
    request: Option<&RequestKey>,
    act: impl Future<Output = Result<Alert, Problem>> + Send,
) -> Result<Outcome, Problem> {
    let repetition = |alert| Outcome {
        alert,
        is_repetition: true,
    };
    if let Some(done) = recall(app, by, request).await? {
        return Ok(repetition(done));
    }
    match act.await {
        Ok(alert) => Ok(Outcome {
            alert,
            is_repetition: false,
        }),
        Err(problem) => match recall(app, by, request).await? {
            Some(done) => Ok(repetition(done)),
            None => Err(problem),
        },
    }
}

async fn recall(
    app: &App,
    by: UserId,
    request: Option<&RequestKey>,
) -> Result<Option<Alert>, Problem> {
    let Some(request) = request else {
        return Ok(None);
    };
    match app.recall(request, by).await {
        Err(error) => Err(Problem::store(Shape::Internal, &error)),
        Ok(Known::New) => Ok(None),
        Ok(Known::Done(alert)) => Ok(Some(*alert)),
        Ok(Known::KeyReused) => Err(Problem::message(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This Idempotency-Key was used for another request: use a new one",
        )),
    }
}
