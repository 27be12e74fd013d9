//! Where a request comes from, for throttling.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use balefire_app::Origin;

use crate::WebState;

/// What stands for an address that nobody named.
const UNKNOWN: &str = "unknown";

/// The address of the person's machine: what the audit trail has, without the proxy or client
/// beside it, of which there may be several.
pub(crate) struct Source(pub(crate) String);

impl FromRequestParts<WebState> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &WebState) -> Result<Self, Infallible> {
        let origin = Origin::current();
        let source = origin.as_ref().map_or(UNKNOWN, Origin::source);
        Ok(Self(own(source).to_owned()))
    }
}

fn own(source: &str) -> &str {
    source
        .split_once(" via ")
        .map_or(source, |(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_24_a_person_s_address_is_the_same_behind_another_proxy() {
        for (source, want) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1 via 198.51.100.1", "192.0.2.1"),
            ("2001:db8::1 via 192.0.2.1", "2001:db8::1"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(own(source), want);
        }
    }
}
