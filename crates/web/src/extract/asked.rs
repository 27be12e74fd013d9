//! What a person asks on `/v3`: the client's token vouches for them and for this very request.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use balefire_app::assertions::BearerRefusal;
use balefire_app::{Failure, Origin};
use balefire_domain::approval::hex;
use balefire_domain::assertion;
use balefire_domain::ids::UserId;
use balefire_domain::limits::PAGE_ROWS_MAX;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::body::read;
use super::caller::bearer;
use super::strict_json;
use crate::WebState;
use crate::problem::{Name, Problem, Shape};

/// Who asks, and what: 1. `X-Custom-Forwarder` and the scheme (401, 403); 2. the body is read
/// (413); 3. the token is for this request and the person is there (401); 4. the body is JSON, or
/// nothing (400).
pub(crate) struct Asked {
    /// The person.
    pub(crate) by: UserId,
    /// The body; null where there is none.
    pub(crate) body: Value,
}

impl FromRequest<WebState> for Asked {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let token = bearer(&parts.headers, &state.limits.route_secrets)
            .map_err(|refusal| Problem::bearer(Shape::Current, refusal))?;
        let bytes = read(body, state, Shape::Current).await?;
        let digest = hex(&Sha256::digest(&bytes));
        let target = parts.uri.path_and_query().map_or("/", |all| all.as_str());
        let asked = assertion::Asked {
            method: parts.method.as_str(),
            target,
            digest: &digest,
        };
        let by = state.app.authenticate_person(token, &asked).await;
        let by = by.map_err(refused)?;
        Origin::note_proof(by);
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            strict_json::parse(&bytes).map_err(|error| {
                Problem::invalid(Name::BadRequest, [format!("The body is not JSON: {error}")])
            })?
        };
        Ok(Self { by, body })
    }
}

fn refused(failure: Failure<BearerRefusal>) -> Problem {
    Problem::of_failure(Shape::Current, failure, |refusal| {
        let message = format!("Unauthorized: {refusal}");
        Problem::auth(Shape::Current, StatusCode::UNAUTHORIZED, message)
    })
}

/// Which page of a list: `after`, the last row of the page before, and `limit`, 1 to 100.
pub(crate) struct Page {
    after: Option<String>,
    /// Rows on it at most, where the request says so.
    pub(crate) limit: Option<u32>,
}

impl Page {
    /// The last row of the page before; `what` it must be, for who is refused.
    pub(crate) fn after<T: FromStr>(&self, what: &str) -> Result<Option<T>, Problem> {
        let after = self.after.as_deref().map(str::parse).transpose();
        after.map_err(|_| refuse(format!("after must be {what}")))
    }
}

impl FromRequestParts<WebState> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &WebState) -> Result<Self, Problem> {
        let mut page = Self {
            after: None,
            limit: None,
        };
        let query = parts.uri.query().unwrap_or_default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "after" => page.after = Some(value.to_owned()),
                "limit" => page.limit = Some(limit(value)?),
                _ => return Err(refuse("after and limit are the only parameters".to_owned())),
            }
        }
        Ok(page)
    }
}

fn limit(value: &str) -> Result<u32, Problem> {
    let limit = value.parse().ok();
    limit
        .filter(|limit| (1..=PAGE_ROWS_MAX).contains(limit))
        .ok_or_else(|| {
            refuse(format!(
                "limit must be a whole number from 1 to {PAGE_ROWS_MAX}"
            ))
        })
}

fn refuse(message: String) -> Problem {
    Problem::invalid(Name::Validation, [message])
}
