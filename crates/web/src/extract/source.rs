//! Where a request comes from.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::WebState;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// What stands for an address that nobody named.
const UNKNOWN: &str = "unknown";

/// The address of the person's machine: the right-most entry of `X-Forwarded-For`, which the
/// nearest proxy wrote, or the client for the person whom it serves; `unknown` without one.
pub(crate) struct Source(pub(crate) String);

impl FromRequestParts<WebState> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Infallible> {
        Ok(Self(read(&parts.headers)))
    }
}

fn read(headers: &HeaderMap) -> String {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back();
    let address = last
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .and_then(|entry| entry.trim().parse::<IpAddr>().ok());
    address.map_or_else(
        || UNKNOWN.to_owned(),
        |address| address.to_canonical().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn sec_24_the_right_most_entry_counts_and_what_a_stranger_wrote_does_not() {
        for (given, want) in [
            (&["192.0.2.1"] as &[&str], "192.0.2.1"),
            (&["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
            (&["198.51.100.9", "192.0.2.1 "], "192.0.2.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["2001:DB8:0::1"], "2001:db8::1"),
            (&["::ffff:192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, nonsense"], UNKNOWN),
            (&[""], UNKNOWN),
            (&[], UNKNOWN),
        ] {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
            }
            assert_eq!(read(&headers), want, "{given:?}");
        }
    }
}
