//! Where a request comes from, for the audit trail and for throttling (`http.md` 1.1).
//!
//! The right-most entry of `X-Forwarded-For` is what the proxy next to us saw. A client that
//! reaches us without a proxy can write there what it likes: then the address that it really came
//! from stands behind it, `198.51.100.7 via 192.0.2.1`, and it is for who reads it to know the
//! proxies. What is no address counts as absent.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the request's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The source as the audit trail has it; `unknown` where a request came over no connection.
pub(crate) fn of(request: &Request) -> String {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    match (forwarded(request.headers()), peer) {
        (Some(client), Some(peer)) => format!("{client} via {}", peer.to_canonical()),
        (Some(client), None) => client.to_string(),
        (None, Some(peer)) => peer.to_canonical().to_string(),
        (None, None) => "unknown".to_owned(),
    }
}

/// The right-most entry of `X-Forwarded-For`, of several such headers that of the last.
fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?;
    let entry = last.to_str().ok()?.rsplit(',').next()?.trim();
    let bare = entry
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(entry).parse::<IpAddr>();
    let with_port = || entry.parse::<SocketAddr>().map(|address| address.ip());
    let found = address.or_else(|_| with_port()).ok()?;
    Some(found.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_right_most_forwarded_address_counts_and_the_peer_is_told_beside_it() {
        // the headers, the peer, what is told
        let rows: [(&[&str], Option<&str>, &str); 14] = [
            (&[], Some("192.0.2.1:5"), "192.0.2.1"),
            (&[], Some("[::ffff:192.0.2.1]:5"), "192.0.2.1"),
            (&[], Some("[2001:db8::1]:5"), "2001:db8::1"),
            (&[], None, "unknown"),
            (&["198.51.100.7"], None, "198.51.100.7"),
            (
                &["198.51.100.7"],
                Some("192.0.2.1:5"),
                "198.51.100.7 via 192.0.2.1",
            ),
            (&["10.9.9.9, 198.51.100.7"], None, "198.51.100.7"),
            (&["10.9.9.9", "198.51.100.7"], None, "198.51.100.7"),
            (&["198.51.100.7:443"], None, "198.51.100.7"),
            (&["2001:DB8::1"], None, "2001:db8::1"),
            (&["[2001:db8::1]:443"], None, "2001:db8::1"),
            (&["[2001:db8::1]"], None, "2001:db8::1"),
            // What the proxy next to us wrote is no address: what stands left of it is hearsay.
            (&["198.51.100.7, nobody"], Some("192.0.2.1:5"), "192.0.2.1"),
            (&["198.51.100.7,"], Some("192.0.2.1:5"), "192.0.2.1"),
        ];
        for (headers, peer, want) in rows {
            let mut request = Request::new(Body::empty());
            for value in headers {
                let value = value.parse().expect("a header's value");
                request.headers_mut().append(FORWARDED_FOR, value);
            }
            let peer = peer.map(|peer| Peer(peer.parse().expect("an address")));
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            assert_eq!(of(&request), want, "{headers:?} {peer:?}");
        }
    }
}
