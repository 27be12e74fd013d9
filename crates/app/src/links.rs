//! Links of e-mails, and the tokens in them.
//!
//! Where the configuration has `[links]`, tokens are those that the author application reads itself
//! ([`crate::link_tokens`]). Elsewhere a token is `<payload>.<time>.<signature>`, each in base64
//! for addresses: the payload is JSON, the time is seconds, the signature is HMAC-SHA256 under a
//! key that is made of the key for secrets. What makes it good once is in the payload, for the
//! verbs to judge.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use balefire_domain::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

use crate::App;

/// Characters of a token; ours have about 300.
const TOKEN_CHARS_MAX: usize = 4_096;
/// Characters of a host with its scheme.
const HOST_CHARS_MAX: usize = 255;
/// Characters of the place where a client goes on.
const NEXT_CHARS_MAX: usize = 1_000;

impl App {
    /// A token that says `payload`, made now.
    pub(crate) fn link_token(&self, payload: &Value, now: Timestamp) -> String {
        if let Some(key) = &self.settings.link_key {
            return key.token(&payload.to_string(), now);
        }
        let payload = BASE64.encode(payload.to_string());
        let time = BASE64.encode(now.seconds().to_string());
        let signed = format!("{payload}.{time}");
        let signature = self.secret_key.digest("link", &signed);
        format!("{signed}.{signature}")
    }

    /// What a token says that is ours and at most `valid_for` old.
    pub(crate) fn read_link_token(
        &self,
        token: &str,
        valid_for: Duration,
        now: Timestamp,
    ) -> Option<Value> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        if let Some(key) = &self.settings.link_key {
            let text = key.read(token, valid_for, now)?;
            return serde_json::from_str(&text).ok();
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let right = self.secret_key.digest("link", signed);
        verify_slices_are_equal(right.as_bytes(), signature.as_bytes()).ok()?;
        let (payload, time) = signed.split_once('.')?;
        let time = String::from_utf8(BASE64.decode(time).ok()?).ok()?;
        let made_at = Timestamp::from_seconds(time.parse().ok()?);
        if now.since(made_at) >= valid_for {
            return None;
        }
        serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()
    }
}

/// `host/path`, going on to `next` in the client; `None` where the host is no `http` or `https`
/// address.
pub(crate) fn link(host: &str, path: &str, next: Option<&str>) -> Option<String> {
    let rest = host
        .strip_prefix("https://")
        .or_else(|| host.strip_prefix("http://"))?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:/[]".contains(c);
    if rest.is_empty() || host.len() > HOST_CHARS_MAX || !rest.chars().all(is_plain) {
        return None;
    }
    let host = host.trim_end_matches('/');
    let next = next.filter(|next| !next.is_empty() && next.len() <= NEXT_CHARS_MAX);
    let query = next.map_or_else(String::new, |next| format!("?next={}", escaped(next)));
    Some(format!("{host}/{path}{query}"))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
