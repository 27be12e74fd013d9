//! Who acts on `/v3`: the client's token for one request of one person.
//!
//! A JWT, HS256 with the client's secret, `typ` `balefire-assertion+jwt`, with the claims of
//! `domain::assertion`, `iss` (the client) and `sub` (the person), and where the client knows it
//! `sid`, the person's session: a session that has ended opens nothing. Whatever is wrong, the
//! answer to who is not the client says only that the token opens nothing.

use balefire_domain::assertion::{self, Asked, Assertion, AssertionRefusal};
use balefire_domain::ids::UserId;
use balefire_domain::time::Timestamp;
use serde::Deserialize;

use crate::authenticate::{TOKEN_CHARS_MAX, decode, is_signed_by_secret};
use crate::{App, Failure, repeat};

/// The client that vouches for people. The others show what the public may read: their secrets lie
/// where the public reaches, and speak for nobody.
const VOUCHES: &str = "notify-admin";
/// What such a token calls itself.
pub(crate) const TYPE: &str = "balefire-assertion+jwt";

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerRefusal {
    /// It is none of a client's that is known here.
    #[error("the token is none of a known client's: see docs/api")]
    Unknown,
    /// The client made it, and not for this request.
    #[error(transparent)]
    Assertion(#[from] AssertionRefusal),
    /// It opened a request before.
    #[error("the token was used before: make a new one for each request")]
    Used,
    /// The person is not known, not active, or has another session.
    #[error("sub must be an active person, and sid, where it is given, their present session")]
    Person,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: UserId,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    htm: String,
    htu: String,
    sha256: String,
    sid: Option<String>,
}

impl App {
    /// The person for whom a client's token opens this request. A token opens one request that
    /// changes something; one that only reads may be asked again while it counts.
    pub async fn authenticate_person(
        &self,
        token: &str,
        asked: &Asked<'_>,
    ) -> Result<UserId, Failure<BearerRefusal>> {
        let claims = self
            .read_assertion(token)
            .ok_or(Failure::Refused(BearerRefusal::Unknown))?;
        let assertion = Assertion {
            audience: claims.aud.clone(),
            issued_at: Timestamp::from_seconds(claims.iat),
            expires_at: Timestamp::from_seconds(claims.exp),
            id: claims.jti.clone(),
            method: claims.htm.clone(),
            target: claims.htu.clone(),
            digest: claims.sha256.clone(),
        };
        assertion::check(&assertion, asked, self.clock.now())
            .map_err(|refusal| Failure::Refused(refusal.into()))?;
        let is_read = asked.method == "GET";
        repeat(|| self.admit_person(&claims, &assertion, is_read)).await
    }

    async fn admit_person(
        &self,
        claims: &Claims,
        assertion: &Assertion,
        is_read: bool,
    ) -> Result<UserId, Failure<BearerRefusal>> {
        let now = self.clock.now();
        let mut tx = if is_read {
            self.store.begin_read("admit", now).await?
        } else {
            self.store.begin("admit", now).await?
        };
        let presence = tx.load_presence(claims.sub).await?;
        let is_present = presence.is_some_and(|presence| {
            let has_session = claims.sid.is_none() || claims.sid == presence.session;
            presence.is_active && has_session
        });
        if !is_present {
            return Err(Failure::Refused(BearerRefusal::Person));
        }
        if !is_read {
            let name = format!("{} {}", claims.iss, claims.jti);
            let ends_at = assertion.expires_at + assertion::SKEW_MAX;
            if !tx.use_token(&name, ends_at).await? {
                return Err(Failure::Refused(BearerRefusal::Used));
            }
            tx.commit().await?;
        }
        Ok(claims.sub)
    }

    /// What a known client's token says.
    fn read_assertion(&self, token: &str) -> Option<Claims> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let mut parts = token.split('.');
        let (header, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next())
        else {
            return None;
        };
        let header: Header = decode(header)?;
        if header.alg != "HS256" || header.typ.as_deref() != Some(TYPE) {
            return None;
        }
        let claims: Claims = decode(claims)?;
        if claims.iss != VOUCHES {
            return None;
        }
        let clients = self.settings.clients.iter();
        let mut secrets = clients
            .filter(|(name, _)| *name == claims.iss)
            .flat_map(|(_, secrets)| secrets);
        secrets
            .any(|secret| is_signed_by_secret(token, secret))
            .then_some(claims)
    }
}
