//! Who calls: `Authorization: Bearer <JWT>`, and `X-Custom-Forwarder` where it is asked for.
//!
//! A token never reaches a log or an answer.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use balefire_app::KeyKind;
use balefire_app::authenticate::KeyHolder;
use subtle::{Choice, ConstantTimeEq};

use crate::WebState;
use crate::problem::{BearerRefusal, KeyRefusal, Problem, Shape};

/// The client whose people author and approve.
const ADMIN: &str = "notify-admin";
/// Where a proxy shows that a request came through it.
const FORWARDER: &str = "x-custom-forwarder";
/// The scheme with its blank; any case.
const BEARER: &[u8] = b"bearer ";

/// The public site.
const PUBLIC_SITE: &str = "govuk-alerts";
/// What publishes it.
const PUBLISHER: &str = "govuk-alerts-publish";

/// The caller is the client `notify-admin`.
pub(crate) struct Admin;

/// The caller is the client `govuk-alerts`.
pub(crate) struct PublicSite;

/// The caller is the client `govuk-alerts-publish`.
pub(crate) struct Publisher;

/// The caller holds a key of a service.
pub(crate) struct Holder(pub(crate) KeyHolder);

/// The caller holds a key of a service with which it may post. A caller that asked too often has
/// to wait so long, unless it cancels.
pub(crate) struct Author {
    /// The key.
    pub(crate) holder: KeyHolder,
    /// Until then it may only cancel.
    pub(crate) wait: Option<Duration>,
}

impl FromRequestParts<WebState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        check_client(parts, state, ADMIN).map(|()| Self)
    }
}

impl FromRequestParts<WebState> for PublicSite {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        check_client(parts, state, PUBLIC_SITE).map(|()| Self)
    }
}

impl FromRequestParts<WebState> for Publisher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        check_client(parts, state, PUBLISHER).map(|()| Self)
    }
}

/// The caller must be this client.
fn check_client(parts: &Parts, state: &WebState, client: &str) -> Result<(), Problem> {
    let token = bearer(&parts.headers, &state.limits.route_secrets)
        .map_err(|refusal| Problem::bearer(Shape::Internal, refusal))?;
    match state.app.authenticate_client(token, &[client]) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(Problem::token(Shape::Internal, refusal)),
    }
}

impl FromRequestParts<WebState> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let holder = key_holder(parts, state).await?;
        match state.rates.take(holder.key_id, state) {
            Ok(()) => Ok(Self(holder)),
            Err(wait) => Err(Problem::too_often(Shape::Public, wait)),
        }
    }
}

async fn key_holder(parts: &Parts, state: &WebState) -> Result<KeyHolder, Problem> {
    let token = bearer(&parts.headers, &state.limits.route_secrets)
        .map_err(|refusal| Problem::bearer(Shape::Public, refusal))?;
    let holder = state.app.authenticate_service(token).await;
    holder.map_err(|failure| {
        Problem::of_failure(Shape::Public, failure, |refusal| {
            Problem::token(Shape::Public, refusal)
        })
    })
}

impl FromRequestParts<WebState> for Author {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let holder = key_holder(parts, state).await?;
        let wait = state.rates.take(holder.key_id, state).err();
        match holder.kind {
            KeyKind::Team => Err(Problem::key(KeyRefusal::Team)),
            KeyKind::Normal | KeyKind::Test if !holder.service.may_broadcast => {
                Err(Problem::key(KeyRefusal::NoPermission))
            }
            KeyKind::Normal | KeyKind::Test => Ok(Self { holder, wait }),
        }
    }
}

/// The token of a request that came the right way.
pub(super) fn bearer<'h>(
    headers: &'h HeaderMap,
    secrets: &[String],
) -> Result<&'h str, BearerRefusal> {
    check_forwarder(headers, secrets)?;
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (value, next) = (given.next(), given.next());
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or(BearerRefusal::Missing)?;
    if next.is_some() {
        return Err(BearerRefusal::Unreadable);
    }
    let token = match value.as_bytes().split_at_checked(BEARER.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => token,
        Some(_) | None => return Err(BearerRefusal::Scheme),
    };
    std::str::from_utf8(token).map_err(|_| BearerRefusal::Unreadable)
}

/// Compares with every secret, in a time that tells nothing but lengths.
fn check_forwarder(headers: &HeaderMap, secrets: &[String]) -> Result<(), BearerRefusal> {
    if secrets.is_empty() {
        return Ok(());
    }
    let Some(given) = headers.get(FORWARDER) else {
        return Err(BearerRefusal::ForwarderMissing);
    };
    let is_known = secrets.iter().fold(Choice::from(0), |known, secret| {
        known | secret.as_bytes().ct_eq(given.as_bytes())
    });
    if bool::from(is_known) {
        Ok(())
    } else {
        Err(BearerRefusal::ForwarderWrong)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(given: &[(&'static str, &'static [u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn the_token_stands_behind_the_scheme_in_any_case() {
        for (given, want) in [
            (b"Bearer abc".as_slice(), Ok("abc")),
            (b"bearer abc", Ok("abc")),
            (b"BEARER abc", Ok("abc")),
            (b"", Err(BearerRefusal::Missing)),
            (b"Bearer", Err(BearerRefusal::Scheme)),
            (b"Basic abc", Err(BearerRefusal::Scheme)),
            (b"Bearerabc", Err(BearerRefusal::Scheme)),
            (b"Bearer \xff", Err(BearerRefusal::Unreadable)),
        ] {
            assert_eq!(bearer(&headers(&[("authorization", given)]), &[]), want);
        }
        assert_eq!(bearer(&headers(&[]), &[]), Err(BearerRefusal::Missing));
        let twice = headers(&[
            ("authorization", b"Bearer a"),
            ("authorization", b"Bearer b"),
        ]);
        assert_eq!(bearer(&twice, &[]), Err(BearerRefusal::Unreadable));
    }

    #[test]
    fn where_there_are_route_secrets_the_proxy_must_show_one() {
        let secrets = ["first".to_owned(), "second".to_owned()];
        for (given, want) in [
            (b"first".as_slice(), Ok("t")),
            (b"second", Ok("t")),
            (b"third", Err(BearerRefusal::ForwarderWrong)),
            (b"firs", Err(BearerRefusal::ForwarderWrong)),
            (b"", Err(BearerRefusal::ForwarderWrong)),
        ] {
            let sent = headers(&[("authorization", b"Bearer t"), (FORWARDER, given)]);
            assert_eq!(bearer(&sent, &secrets), want);
        }
        let sent = headers(&[("authorization", b"Bearer t")]);
        assert_eq!(
            bearer(&sent, &secrets),
            Err(BearerRefusal::ForwarderMissing)
        );
        assert_eq!(bearer(&sent, &[]), Ok("t"));
    }
}
