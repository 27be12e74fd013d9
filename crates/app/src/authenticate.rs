//! Who calls: the tokens of internal clients and of services' keys (`http.md` 1.1, D38).
//!
//! A token is a JWT, HS256 only, with `iss` and `iat`. The algorithm is fixed here, not taken from
//! the token; signatures are compared in constant time by the library; `iat` is checked against the
//! injected clock, 30 seconds either way.

use std::time::Duration;

use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{ApiKeyId, ServiceId};
use balefire_domain::time::Timestamp;
use balefire_store::api_keys::{ApiKey, KeyKind};
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::{Act, App, Failure, Origin, repeat};

/// How far a token's `iat` may lie from now, either way.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(30);
/// Characters of a token; ours have about 200.
pub(crate) const TOKEN_CHARS_MAX: usize = 4096;
/// Keys of a service that are tried; the newest first.
const KEYS_TRIED_MAX: usize = 100;

/// Why a token opens nothing. Each has one text on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// It can't be read, or `iat` is missing or no integer.
    Unreadable,
    /// `iss` is missing.
    NoIssuer,
    /// The header names another algorithm than HS256.
    Algorithm,
    /// `iat` is more than 30 seconds away.
    Clock,
    /// The issuer is no client of this route (401).
    WrongClient,
    /// The issuer is no service's id.
    ServiceIdMalformed,
    /// No such service.
    ServiceNotFound,
    /// The service has no keys.
    NoKeys,
    /// The service is archived.
    ServiceArchived,
    /// The key was revoked.
    KeyRevoked,
    /// No key of the issuer made the signature.
    KeyNotFound,
}

/// A service that showed a valid key.
#[derive(Clone, Debug)]
pub struct KeyHolder {
    /// The service.
    pub service: Service,
    /// The key's id.
    pub key_id: ApiKeyId,
    /// What the key is for.
    pub kind: KeyKind,
    /// A change of the service's mode revoked the key: it may still stop what is on the air (D40).
    pub is_for_cancel_only: bool,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<serde_json::Value>,
    iat: Option<serde_json::Value>,
}

struct Token<'a> {
    text: &'a str,
    issuer: String,
    issued_at: Timestamp,
}

impl App {
    /// The client that made this token, which must be one of `allowed`.
    pub fn authenticate_client(
        &self,
        token: &str,
        allowed: &[&str],
    ) -> Result<String, TokenRefusal> {
        let token = read(token)?;
        let known = self
            .settings
            .clients
            .iter()
            .filter(|(name, _)| allowed.contains(&name.as_str()))
            .find(|(name, _)| *name == token.issuer);
        let Some((name, secrets)) = known else {
            return Err(TokenRefusal::WrongClient);
        };
        if !secrets.iter().any(|secret| is_signed_by(&token, secret)) {
            return Err(TokenRefusal::KeyNotFound);
        }
        check_clock(&token, self.clock.now())?;
        Origin::note_client(name);
        Ok(name.clone())
    }

    /// The service and key that made this token.
    pub async fn authenticate_service(
        &self,
        token: &str,
    ) -> Result<KeyHolder, Failure<TokenRefusal>> {
        let token = read(token).map_err(Failure::Refused)?;
        let service_id: ServiceId = token
            .issuer
            .parse()
            .map_err(|_| Failure::Refused(TokenRefusal::ServiceIdMalformed))?;
        repeat(|| self.find_signer(service_id, &token)).await
    }

    async fn find_signer(
        &self,
        service_id: ServiceId,
        token: &Token<'_>,
    ) -> Result<KeyHolder, Failure<TokenRefusal>> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("authenticate", now).await?;
        let Some(service) = tx.load_service(service_id).await? else {
            return Err(Failure::Refused(TokenRefusal::ServiceNotFound));
        };
        let keys = tx.list_api_keys(service_id).await?;
        if keys.is_empty() {
            return Err(Failure::Refused(TokenRefusal::NoKeys));
        }
        if service.state == ServiceState::Archived {
            return Err(Failure::Refused(TokenRefusal::ServiceArchived));
        }
        let mut signer = None;
        for key in keys.into_iter().rev().take(KEYS_TRIED_MAX) {
            match self.secret_key.open(&key.secret) {
                Ok(secret) if is_signed_by(token, &secret) => {
                    signer = Some(key);
                    break;
                }
                Ok(_) => {}
                Err(error) => tracing::error!(
                    event = "key.unreadable", key.id = %key.id, service.id = %service_id,
                    error = &error as &dyn std::error::Error, "a service's key can't be used"
                ),
            }
        }
        let Some(key) = signer else {
            return Err(Failure::Refused(TokenRefusal::KeyNotFound));
        };
        check_clock(token, now).map_err(Failure::Refused)?;
        let may = may_use(&mut tx, &service, &key).await?;
        let is_for_cancel_only = match may {
            May::Everything => false,
            May::Cancel => true,
            May::Nothing => {
                drop(tx);
                let (actor, object) = (Actor::ApiKey(key.id), format!("service {service_id}"));
                let act = Act::new(actor, "key.use", object).of(Some(service_id));
                self.audit_refusal(act, "key_revoked").await;
                return Err(Failure::Refused(TokenRefusal::KeyRevoked));
            }
        };
        Ok(KeyHolder {
            service,
            key_id: key.id,
            kind: key.kind,
            is_for_cancel_only,
        })
    }
}

enum May {
    Everything,
    Cancel,
    Nothing,
}

async fn may_use(tx: &mut Tx, service: &Service, key: &ApiKey) -> Result<May, StoreError> {
    if key.revoked_at.is_none() {
        return Ok(May::Everything);
    }
    if key.is_revoked_by_mode && tx.has_broadcasting_alert(service.id).await? {
        return Ok(May::Cancel);
    }
    Ok(May::Nothing)
}

fn read(text: &str) -> Result<Token<'_>, TokenRefusal> {
    if text.len() > TOKEN_CHARS_MAX {
        return Err(TokenRefusal::Unreadable);
    }
    let mut parts = text.split('.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenRefusal::Unreadable);
    };
    let header: Header = decode(header).ok_or(TokenRefusal::Unreadable)?;
    if header.alg != "HS256" {
        return Err(TokenRefusal::Algorithm);
    }
    // A token that vouches for one request of one person opens nothing else.
    if header.typ.as_deref() == Some(crate::assertions::TYPE) {
        return Err(TokenRefusal::Unreadable);
    }
    let claims: Claims = decode(claims).ok_or(TokenRefusal::Unreadable)?;
    let issuer = match claims.iss {
        None | Some(serde_json::Value::Null) => return Err(TokenRefusal::NoIssuer),
        Some(serde_json::Value::String(issuer)) => issuer,
        Some(_) => return Err(TokenRefusal::Unreadable),
    };
    let issued_at = claims
        .iat
        .and_then(|iat| iat.as_i64())
        .ok_or(TokenRefusal::Unreadable)?;
    Ok(Token {
        text,
        issuer,
        issued_at: Timestamp::from_seconds(issued_at),
    })
}

/// Reads one part of a token. A key that is there twice is refused.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn is_signed_by(token: &Token<'_>, secret: &str) -> bool {
    is_signed_by_secret(token.text, secret)
}

/// Whether HS256 with this secret made a token's signature; compared in constant time.
pub(crate) fn is_signed_by_secret(token: &str, secret: &str) -> bool {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).is_ok()
}

fn check_clock(token: &Token<'_>, now: Timestamp) -> Result<(), TokenRefusal> {
    // `iat` counts whole seconds: now does too.
    let now = Timestamp::from_seconds(now.seconds());
    let away = now.since(token.issued_at).max(token.issued_at.since(now));
    if away > CLOCK_SKEW_MAX {
        Err(TokenRefusal::Clock)
    } else {
        Ok(())
    }
}

/// Makes a token for a client of the existing API: for commands, the demo and tests.
pub fn make_token(issuer: &str, secret: &str, now: Timestamp) -> String {
    let claims = serde_json::json!({ "iss": issuer, "iat": now.seconds() });
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::new(Algorithm::HS256), &claims, &key)
        .expect("two claims can be encoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_406_936);

    fn forged(header: &str, claims: &str) -> String {
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        format!("{}.{}.{}", part(header), part(claims), part("x"))
    }

    #[test]
    fn a_token_that_is_no_token_of_ours_is_refused_with_its_reason() {
        let hs256 = r#"{"alg":"HS256"}"#;
        for (header, claims, want) in [
            (
                r#"{"alg":"none"}"#,
                r#"{"iss":"a","iat":1}"#,
                TokenRefusal::Algorithm,
            ),
            (
                r#"{"alg":"RS256"}"#,
                r#"{"iss":"a","iat":1}"#,
                TokenRefusal::Algorithm,
            ),
            (
                r#"{"alg":"HS512"}"#,
                r#"{"iss":"a","iat":1}"#,
                TokenRefusal::Algorithm,
            ),
            ("{}", r#"{"iss":"a","iat":1}"#, TokenRefusal::Unreadable),
            (hs256, r#"{"iat":1}"#, TokenRefusal::NoIssuer),
            (hs256, r#"{"iss":"a"}"#, TokenRefusal::Unreadable),
            (hs256, r#"{"iss":"a","iat":1.5}"#, TokenRefusal::Unreadable),
            (hs256, r#"{"iss":"a","iat":"1"}"#, TokenRefusal::Unreadable),
            (
                hs256,
                r#"{"iss":"a","iss":"b","iat":1}"#,
                TokenRefusal::Unreadable,
            ),
            (hs256, "not json", TokenRefusal::Unreadable),
        ] {
            assert_eq!(
                read(&forged(header, claims)).err(),
                Some(want),
                "{header} {claims}"
            );
        }
        for text in ["", "a", "a.b", "a.b.c.d", &"x".repeat(5000)] {
            assert_eq!(read(text).err(), Some(TokenRefusal::Unreadable));
        }
    }

    #[test]
    fn a_token_counts_for_thirty_seconds_either_way() {
        for (offset, want) in [
            (-31, false),
            (-30, true),
            (0, true),
            (30, true),
            (31, false),
        ] {
            let issued_at = Timestamp::from_seconds(NOW.seconds() + offset);
            let text = make_token("a", "s", issued_at);
            let token = read(&text).expect("ours");
            let half_a_second_later = NOW + Duration::from_millis(500);
            assert_eq!(
                check_clock(&token, half_a_second_later).is_ok(),
                want,
                "{offset}"
            );
        }
    }

    #[test]
    fn only_its_secret_made_a_signature() {
        let text = make_token("a", "secret", NOW);
        let token = read(&text).expect("ours");
        assert!(is_signed_by(&token, "secret"));
        assert!(!is_signed_by(&token, "Secret") && !is_signed_by(&token, ""));
    }
}
