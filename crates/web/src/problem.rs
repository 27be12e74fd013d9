//! What went wrong, in the three shapes that existing clients read (`http.md` 1.5):
//!
//! 1. `{"errors":[{"error":"<Name>","message":"…"}],"status_code":N}`: everything of
//!    `/v2/broadcast`, and a JSON body that breaks its schema on any route;
//! 2. `{"message":"…","result":"error"}`: the internal routes, and an unknown path or method
//!    anywhere;
//! 3. `{"message":{"token":["…"]},"result":"error"}`: authentication on the internal routes, and
//!    likewise what is wrong with a field of a person.
//!
//! Some routes of people answer `{"errors":[…]}` and nothing else.
//!
//! A fault of ours is answered `Internal server error` and nothing more; what it was goes to the
//! log, with the request's id ([`Fault`]).

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use balefire_app::{Failure, StoreError};
use balefire_domain::limits::ERRORS_PER_ANSWER_MAX;
use serde_json::{Value, json};

use crate::answer;

mod alerts;
mod invitations;
mod submit;
mod templates;
mod token;
mod users;

pub(crate) use token::{BearerRefusal, KeyRefusal};

/// The one route of the public API.
pub(crate) const PUBLIC_ROUTE: &str = "/v2/broadcast";
/// What the routes of services' keys begin with.
const PUBLIC_PREFIX: &str = "/v2/";

/// The body of a refused approval, where another version is meant (409), and of what is missing.
const NOT_FOUND: &str = "No result found";

/// Whose shapes a route speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `/v2/broadcast`: shape 1.
    Public,
    /// Everything else: shapes 2 and 3.
    Internal,
    /// `/v3`: RFC 9457.
    Current,
}

impl Shape {
    /// The shape of the route with this template; `None` is an unknown path.
    pub(crate) fn of_route(template: Option<&str>) -> Self {
        match template {
            Some(template) if template.starts_with(PUBLIC_PREFIX) => Self::Public,
            Some(template) if template.starts_with("/v3/") => Self::Current,
            _ => Self::Internal,
        }
    }
}

/// The names of errors in shape 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Auth,
    BadRequest,
    InternalServer,
    NoResultFound,
    RateLimit,
    ServiceUnavailable,
    Validation,
}

impl Name {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "AuthError",
            Self::BadRequest => "BadRequestError",
            Self::InternalServer => "InternalServerError",
            Self::NoResultFound => "NoResultFound",
            Self::RateLimit => "RateLimitError",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::Validation => "ValidationError",
        }
    }
}

/// Why a request could not be served, beside the answer that does not tell it. The text is for the
/// log.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A fault of ours.
    Ours(Arc<str>),
    /// The database is away or takes no writes; nothing was stored.
    Unavailable(Arc<str>),
    /// The database was lost meanwhile: nobody knows whether it was stored.
    InDoubt(Arc<str>),
}

#[derive(Clone, Debug)]
enum Words {
    Errors(Vec<(Name, String)>),
    Message(String),
    Token(String),
    /// Shape 2 with what is wrong with a field: `{"password":["Incorrect password"]}`.
    Field(&'static str, String),
    /// `{"errors":[…]}` alone: some routes of users.
    Plain(Vec<Value>),
}

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    words: Words,
    is_last: bool,
    /// How long until it is worth asking again.
    retry_after: Option<Duration>,
    fault: Option<Fault>,
}

impl Problem {
    fn new(status: StatusCode, words: Words) -> Self {
        Self {
            status,
            words,
            is_last: false,
            retry_after: None,
            fault: None,
        }
    }

    /// Shape 1 with one error.
    pub(crate) fn error(status: StatusCode, name: Name, message: impl Into<String>) -> Self {
        Self::new(status, Words::Errors(vec![(name, message.into())]))
    }

    /// Shape 1, 400: everything that a body or document does against the rules, without doubles.
    pub(crate) fn invalid(name: Name, messages: impl IntoIterator<Item = String>) -> Self {
        let mut errors: Vec<(Name, String)> = Vec::new();
        for message in messages {
            let is_known = errors.iter().any(|(_, known)| *known == message);
            if !is_known && errors.len() < ERRORS_PER_ANSWER_MAX {
                errors.push((name, message));
            }
        }
        Self::new(StatusCode::BAD_REQUEST, Words::Errors(errors))
    }

    /// The same with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Shape 2.
    pub(crate) fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, Words::Message(message.into()))
    }

    /// Shape 2 with what is wrong with one field.
    pub(crate) fn field(
        status: StatusCode,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(status, Words::Field(field, message.into()))
    }

    /// `{"errors":["…"]}`.
    pub(crate) fn plain(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, Words::Plain(vec![Value::String(message.into())]))
    }

    /// `{"errors":[{"field":"…","message":"…"}]}`.
    pub(crate) fn plain_field(field: &str, message: &str) -> Self {
        let error = json!({ "field": field, "message": message });
        Self::new(StatusCode::BAD_REQUEST, Words::Plain(vec![error]))
    }

    /// 429, with how long to wait.
    pub(crate) fn too_many_requests(wait: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self {
            retry_after: Some(wait),
            ..Self::message(status, "Too many requests")
        }
    }

    /// Who calls may not: shape 1 or 3.
    pub(crate) fn auth(shape: Shape, status: StatusCode, message: impl Into<String>) -> Self {
        match shape {
            Shape::Public => Self::error(status, Name::Auth, message),
            Shape::Internal => Self::new(status, Words::Token(message.into())),
            Shape::Current => Self::message(status, message),
        }
    }

    /// One message in the shape of the route: 1 or 2.
    pub(crate) fn of_route(
        shape: Shape,
        status: StatusCode,
        name: Name,
        message: impl Into<String>,
    ) -> Self {
        match shape {
            Shape::Public => Self::error(status, name, message),
            Shape::Internal | Shape::Current => Self::message(status, message),
        }
    }

    /// 404, also for what belongs to another service.
    pub(crate) fn not_found(shape: Shape) -> Self {
        Self::of_route(shape, StatusCode::NOT_FOUND, Name::NoResultFound, NOT_FOUND)
    }

    /// 413: no more is read of the body, and nothing after it on this connection.
    pub(crate) fn body_too_large(shape: Shape, bytes_max: usize) -> Self {
        let message = format!("The body is over {bytes_max} bytes, the most that is taken");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let problem = Self::of_route(shape, status, Name::BadRequest, message);
        Self {
            is_last: true,
            ..problem
        }
    }

    /// 400: the body ended before its end, or is badly chunked.
    pub(crate) fn body_incomplete(shape: Shape) -> Self {
        let message = "The body did not arrive whole: send it again";
        let status = StatusCode::BAD_REQUEST;
        let problem = Self::of_route(shape, status, Name::BadRequest, message);
        Self {
            is_last: true,
            ..problem
        }
    }

    /// 429, with `Retry-After` in whole seconds.
    pub(crate) fn too_often(shape: Shape, wait: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let problem = Self::of_route(shape, status, Name::RateLimit, "Too many requests");
        Self {
            retry_after: Some(wait),
            ..problem
        }
    }

    /// 503 after the time of a request is over.
    pub(crate) fn too_slow(shape: Shape) -> Self {
        let message = "The request took too long: try again";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::of_route(shape, status, Name::ServiceUnavailable, message);
        Self {
            is_last: true,
            ..problem
        }
    }

    /// 503 from a process that was told to end.
    pub(crate) fn ending(shape: Shape) -> Self {
        let message = "This server is being stopped: try again";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::of_route(shape, status, Name::ServiceUnavailable, message);
        Self {
            is_last: true,
            ..problem
        }
    }

    /// 500.
    pub(crate) fn fault(shape: Shape, fault: &str) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let message = "Internal server error";
        let problem = Self::of_route(shape, status, Name::InternalServer, message);
        Self {
            fault: Some(Fault::Ours(fault.into())),
            ..problem
        }
    }

    /// 503 where trying later may help, else 500.
    pub(crate) fn store(shape: Shape, error: &StoreError) -> Self {
        let fault = error.to_string();
        if !error.is_unavailable() {
            return Self::fault(shape, &fault);
        }
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let (fault, message) = if error.is_in_doubt() {
            (
                Fault::InDoubt(fault.into()),
                "The database was lost meanwhile, and whether this was stored is not known: look \
                 before you try again",
            )
        } else {
            (
                Fault::Unavailable(fault.into()),
                "The database can't be reached: try again in a moment",
            )
        };
        let problem = Self::of_route(shape, status, Name::ServiceUnavailable, message);
        Self {
            fault: Some(fault),
            ..problem
        }
    }

    /// What a verb's failure is, where `refused` says what its refusal is.
    pub(crate) fn of_failure<R>(
        shape: Shape,
        failure: Failure<R>,
        refused: impl FnOnce(R) -> Self,
    ) -> Self {
        match failure {
            Failure::Refused(refusal) => refused(refusal),
            Failure::Store(error) => Self::store(shape, &error),
        }
    }

    fn body(&self) -> Value {
        match &self.words {
            Words::Errors(errors) => {
                let errors: Vec<Value> = errors
                    .iter()
                    .map(|(name, message)| json!({ "error": name.as_str(), "message": message }))
                    .collect();
                json!({ "errors": errors, "status_code": self.status.as_u16() })
            }
            Words::Message(message) => json!({ "message": message, "result": "error" }),
            Words::Field(field, message) => {
                json!({ "message": { *field: [message] }, "result": "error" })
            }
            Words::Plain(errors) => json!({ "errors": errors }),
            Words::Token(message) => {
                json!({ "message": { "token": [message] }, "result": "error" })
            }
        }
    }
}

/// What a refusal says, beside its body.
#[derive(Clone, Debug)]
pub(crate) struct Detail(Words);

/// Says a refusal as RFC 9457 has it: `application/problem+json` with `type`, `title`, `status`,
/// `detail` and, where there are several, `errors`. What is no refusal stays.
pub(crate) fn to_rfc_9457(mut response: Response) -> Response {
    let Some(Detail(words)) = response.extensions_mut().remove() else {
        return response;
    };
    let errors = match words {
        Words::Errors(errors) => errors.into_iter().map(|(_, message)| message).collect(),
        Words::Message(message) | Words::Token(message) | Words::Field(_, message) => {
            vec![message]
        }
        Words::Plain(errors) => errors.into_iter().map(words_of).collect(),
    };
    let status = response.status();
    let told = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Refused"),
        "status": status.as_u16(),
        "detail": errors.join("; "),
        "errors": errors,
    });
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    let content_type = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, content_type);
    *response.body_mut() = format!("{told}\n").into();
    response
}

/// The words of an error that is a text, or an object about a field.
fn words_of(error: Value) -> String {
    match error {
        Value::String(words) => words,
        Value::Object(mut own) if own.get("message").is_some_and(Value::is_string) => {
            own.remove("message").map(words_of).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = answer::json(self.status, &self.body());
        response.extensions_mut().insert(Detail(self.words));
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.is_last {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(fault) = self.fault {
            response.extensions_mut().insert(fault);
        }
        response
    }
}
