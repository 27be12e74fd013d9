//! Who acts on `/v3`: a client vouches for a person, for one request, for at most a minute.
//!
//! The token is bound to the method, the address and the body, so that who overhears one can do
//! nothing else with it (`security.md` 9, 17, 18). That it is used once is for the caller to hold.

use std::time::Duration;

use crate::time::Timestamp;

/// Whom a token must be made for.
pub const AUDIENCE: &str = "balefire";
/// How long a token may count.
pub const LIFETIME_MAX: Duration = Duration::from_secs(60);
/// How far clocks may lie apart.
pub const SKEW_MAX: Duration = Duration::from_secs(30);
/// Characters of a token's own name: 128 bits in any usual spelling, and no more than a row takes.
pub const ID_CHARS: std::ops::RangeInclusive<usize> = 16..=64;

/// What a token says of the request that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// `aud`.
    pub audience: String,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `jti`.
    pub id: String,
    /// `htm`: the method.
    pub method: String,
    /// `htu`: the path, with the query where there is one.
    pub target: String,
    /// `sha256`: the body's digest in hex.
    pub digest: String,
}

/// The request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path, with the query where there is one.
    pub target: &'a str,
    /// Its body's SHA-256 in hex.
    pub digest: &'a str,
}

/// Why a token does not open this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionRefusal {
    /// `aud` is another.
    #[error("aud must be \"balefire\"")]
    Audience,
    /// It would count for longer than a minute, or ends before it begins.
    #[error("exp must be at most 60 seconds after iat")]
    Lifetime,
    /// It does not count yet, or not any more.
    #[error("iat and exp must be around now: is the clock right?")]
    Clock,
    /// `jti` is too short or too long, or has a control character.
    #[error("jti must be a name of 16 to 64 characters that was never used")]
    Id,
    /// `htm` or `htu` name another request.
    #[error("htm and htu must be this request's method and path, with its query")]
    Request,
    /// `sha256` is another body's.
    #[error("sha256 must be the body's SHA-256 in hex")]
    Body,
}

/// Whether a token is for this request, now.
pub fn check(
    assertion: &Assertion,
    asked: &Asked<'_>,
    now: Timestamp,
) -> Result<(), AssertionRefusal> {
    let Assertion {
        issued_at,
        expires_at,
        ..
    } = *assertion;
    if assertion.audience != AUDIENCE {
        return Err(AssertionRefusal::Audience);
    }
    if expires_at <= issued_at || expires_at.since(issued_at) > LIFETIME_MAX {
        return Err(AssertionRefusal::Lifetime);
    }
    if issued_at > now + SKEW_MAX || expires_at + SKEW_MAX < now {
        return Err(AssertionRefusal::Clock);
    }
    let has_control = assertion.id.contains(char::is_control);
    if has_control || !ID_CHARS.contains(&assertion.id.chars().count()) {
        return Err(AssertionRefusal::Id);
    }
    if assertion.method != asked.method || assertion.target != asked.target {
        return Err(AssertionRefusal::Request);
    }
    if assertion.digest != asked.digest {
        return Err(AssertionRefusal::Body);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_406_942;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(NOW + seconds)
    }

    fn assertion() -> Assertion {
        Assertion {
            audience: AUDIENCE.to_owned(),
            issued_at: at(-1),
            expires_at: at(59),
            id: "0123456789abcdef".to_owned(),
            method: "POST".to_owned(),
            target: "/v3/x?y=z".to_owned(),
            digest: "d".to_owned(),
        }
    }

    #[test]
    fn sec_17_a_token_opens_the_request_that_it_is_for_and_no_other() {
        use AssertionRefusal::*;
        type Change = fn(&mut Assertion);
        let cases: [(Change, Result<(), AssertionRefusal>); 18] = [
            (|_| {}, Ok(())),
            (|a| a.audience = "another".to_owned(), Err(Audience)),
            (|a| a.expires_at = at(60), Err(Lifetime)),
            (|a| a.expires_at = at(-1), Err(Lifetime)),
            (|a| a.expires_at = at(-2), Err(Lifetime)),
            (|a| (a.issued_at, a.expires_at) = (at(30), at(90)), Ok(())),
            (
                |a| (a.issued_at, a.expires_at) = (at(31), at(90)),
                Err(Clock),
            ),
            (|a| (a.issued_at, a.expires_at) = (at(-90), at(-30)), Ok(())),
            (
                |a| (a.issued_at, a.expires_at) = (at(-91), at(-31)),
                Err(Clock),
            ),
            (|a| a.id = "0123456789abcde".to_owned(), Err(Id)),
            (|a| a.id = "x".repeat(65), Err(Id)),
            // PostgreSQL has no place for it.
            (|a| a.id = "\0".repeat(16), Err(Id)),
            (|a| a.method = "GET".to_owned(), Err(Request)),
            (|a| a.method = "post".to_owned(), Err(Request)),
            (|a| a.target = "/v3/x".to_owned(), Err(Request)),
            (|a| a.target = "/v3/x?y=zz".to_owned(), Err(Request)),
            (|a| a.digest = "e".to_owned(), Err(Body)),
            (|a| a.digest = String::new(), Err(Body)),
        ];
        let asked = Asked {
            method: "POST",
            target: "/v3/x?y=z",
            digest: "d",
        };
        for (number, (change, want)) in cases.into_iter().enumerate() {
            let mut assertion = assertion();
            change(&mut assertion);
            assert_eq!(check(&assertion, &asked, at(0)), want, "{number}");
        }
    }
}
