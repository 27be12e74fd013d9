//! Parameters behind the question mark.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::WebState;

/// Parameters that are read; further ones are not looked at.
const PARAMETERS_MAX: usize = 50;

/// The parameters, decoded, in their order.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// The first parameter of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The same, where it is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).filter(|value| !value.is_empty())
    }

    /// Whether a parameter says yes: `True`, `true` or `1`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        matches!(self.value(name), Some("True" | "true" | "1"))
    }
}

impl FromRequestParts<WebState> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Infallible> {
        Ok(read(parts.uri.query().unwrap_or_default()))
    }
}

fn read(query: &str) -> Query {
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .take(PARAMETERS_MAX)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
    Query(pairs.collect())
}

/// `+` is a blank, `%xx` a byte; what is no such escape stands for itself.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let escaped = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = escaped {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_decoded() {
        let query = read("email=ann%2Bx%40example.org&b=1+2&c&b=3&d=%zz%4&e=%ff%00");
        for (name, want) in [
            ("email", Some("ann+x@example.org")),
            ("b", Some("1 2")),
            ("c", Some("")),
            ("d", Some("%zz%4")),
            ("e", Some("\u{fffd}\0")),
            ("f", None),
        ] {
            assert_eq!(query.value(name), want, "{name}");
        }
    }
}
