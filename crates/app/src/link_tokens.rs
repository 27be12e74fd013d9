//! Tokens of links that the author application reads by itself, with a secret of both.
//!
//! The format is that of the Python library itsdangerous, `URLSafeTimedSerializer` as it is by
//! default: `<payload>.<time>.<signature>`, each in base64 for addresses without padding. The
//! payload is JSON (here: a text, which holds JSON again, since the application expects it so), the
//! time is the seconds since 1970 as the fewest bytes that hold them, the highest first, and the
//! signature is HMAC-SHA1 under the SHA-1 of salt, `signer` and secret in a row. What is compressed
//! (it begins with a dot) is neither made nor read.
//!
//! SHA-1 is the application's choice. What a forged link could do here is bound to more than the
//! signature: a code that is good once, or the password that is replaced.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::{digest, hmac};
use balefire_domain::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// Bytes of a time: that is enough until the year 36812.
const TIME_BYTES_MAX: usize = 5;

/// What signs the tokens that are read elsewhere. Never shown.
#[derive(Clone)]
pub struct LinkKey(hmac::Key);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl LinkKey {
    /// The key of a secret and a salt, which the author application has too.
    pub fn new(secret: &str, salt: &str) -> Self {
        let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        for part in [salt, "signer", secret] {
            context.update(part.as_bytes());
        }
        let derived = context.finish();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, derived.as_ref());
        Self(key)
    }

    /// A token that says `text`, made now.
    pub(crate) fn token(&self, text: &str, now: Timestamp) -> String {
        let payload = BASE64.encode(serde_json::Value::from(text).to_string());
        let seconds = now.seconds().to_be_bytes();
        let first = seconds.iter().take_while(|byte| **byte == 0).count();
        let time = BASE64.encode(&seconds[first..]);
        let signed = format!("{payload}.{time}");
        let signature = BASE64.encode(hmac::sign(&self.0, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// What a token says that was signed with this key and is younger than `valid_for`.
    pub(crate) fn read(&self, token: &str, valid_for: Duration, now: Timestamp) -> Option<String> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        // In constant time.
        hmac::verify(&self.0, signed.as_bytes(), &signature).ok()?;
        let (payload, time) = signed.rsplit_once('.')?;
        let time = BASE64.decode(time).ok()?;
        if time.len() > TIME_BYTES_MAX {
            return None;
        }
        let seconds = time
            .iter()
            .fold(0, |sum, byte| sum * 256 + i64::from(*byte));
        if now.since(Timestamp::from_seconds(seconds)) >= valid_for {
            return None;
        }
        let json = BASE64.decode(payload).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE_AT: Timestamp = Timestamp::from_seconds(1_795_406_942);
    const HOUR: Duration = Duration::from_secs(3600);

    /// Secret, salt, payload and token, made by itsdangerous 2.2.0 with Python 3: `dumps(payload,
    /// salt)` of a `URLSafeTimedSerializer(secret)` whose signer's clock stood at [`MADE_AT`].
    const RECORDED: [(&str, &str, &str, &str); 5] = [
        (
            "a secret of both",
            "a salt",
            r#"{"user_id": "7a0eb8b9-4ac4-4b9d-93a4-0d4d5a2f0a3c", "secret_code": "0123456"}"#,
            "IntcInVzZXJfaWRcIjogXCI3YTBlYjhiOS00YWM0LTRiOWQtOTNhNC0wZDRkNWEyZjBhM2NcIiwgXCJzZWNyZX\
             RfY29kZVwiOiBcIjAxMjM0NTZcIn0i.awO8Xg.WqfGYEGt7RX6APwRFo0Ufbcl7mk",
        ),
        (
            "a secret of both",
            "a salt",
            r#"{"user_id": "7a0eb8b9-4ac4-4b9d-93a4-0d4d5a2f0a3c", "email": "ann@agency.example"}"#,
            "IntcInVzZXJfaWRcIjogXCI3YTBlYjhiOS00YWM0LTRiOWQtOTNhNC0wZDRkNWEyZjBhM2NcIiwgXCJlbWFpbF\
             wiOiBcImFubkBhZ2VuY3kuZXhhbXBsZVwifSI.awO8Xg.6478vrWjr_nrk9w-eoruSyDvj3A",
        ),
        (
            "another",
            "a salt",
            "x",
            "Ingi.awO8Xg.p-1E3jYRJimSCHiZle82aiLG6TQ",
        ),
        (
            "a secret of both",
            "another salt",
            "",
            "IiI.awO8Xg.i2p2I7g0U4QQl9Ini-86khltkg8",
        ),
        (
            "a secret of both",
            "a salt",
            "D\u{175}r \"uchel\"",
            "IkTFtXIgXCJ1Y2hlbFwiIg.awO8Xg.G8NzCKrumNHFFamuQwOz_FCjYU4",
        ),
    ];

    #[test]
    fn tokens_are_those_that_the_application_s_library_makes() {
        for (secret, salt, text, token) in RECORDED {
            let key = LinkKey::new(secret, salt);
            assert_eq!(key.token(text, MADE_AT), token);
            let read = key.read(token, HOUR, MADE_AT + Duration::from_secs(3599));
            assert_eq!(read.as_deref(), Some(text));
        }
    }

    #[test]
    fn sec_27_a_token_is_read_with_its_own_key_whole_and_in_time() {
        let key = LinkKey::new("a secret of both", "a salt");
        let token = key.token("x", MADE_AT);
        let read = |token: &str| key.read(token, HOUR, MADE_AT);
        assert_eq!(read(&token).as_deref(), Some("x"));
        assert_eq!(key.read(&token, HOUR, MADE_AT + HOUR), None);
        for (secret, salt) in [("a secret of both", "b salt"), ("another", "a salt")] {
            assert_eq!(LinkKey::new(secret, salt).read(&token, HOUR, MADE_AT), None);
        }
        for place in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(read(&changed), None, "{changed}");
        }
        for wrong in ["", ".", "..", "...", "x", &token[1..], &format!(".{token}")] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
