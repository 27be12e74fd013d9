//! Where requests go: an `http` or `https` URL, taken apart once.

use std::fmt;

use http::Uri;

/// Whether TLS is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

/// A server, and the path under which everything of it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: Scheme,
    host: String,
    port: u16,
    authority: String,
    path: String,
}

/// Why a text is no endpoint. Its display says what to write instead, and repeats nothing of the
/// text: a URL may hold a key.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidEndpoint {
    /// Not a URL.
    #[error("it is no URL: write https://, a host, and a port where it is not 443")]
    NotAUrl,
    /// Neither `http` nor `https`.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// A user or a password in the URL.
    #[error("a URL with a user or password in it is not taken: leave out what stands before the @")]
    UserInfo,
    /// A query where a base URL is wanted.
    #[error("the URL must end before its `?`")]
    Query,
}

/// An endpoint and the path and query asked of it.
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) path_and_query: String,
}

impl Endpoint {
    /// Reads a base URL: scheme, host, perhaps a port and a path; no user, no query.
    pub fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        let target = Target::parse(url)?;
        if target.path_and_query.contains('?') {
            return Err(InvalidEndpoint::Query);
        }
        Ok(target.endpoint)
    }

    /// Whether TLS is spoken.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The name or address, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port: 80 or 443 when the URL names none.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What the `Host` header says: the URL's own spelling.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Scheme, host and port, for messages.
    pub(crate) fn without_path(&self) -> String {
        Self {
            path: String::new(),
            ..self.clone()
        }
        .to_string()
    }

    /// The path under which everything lies, without a `/` at its end.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl std::str::FromStr for Endpoint {
    type Err = InvalidEndpoint;
    fn from_str(url: &str) -> Result<Self, InvalidEndpoint> {
        Self::parse(url)
    }
}

impl Target {
    /// Reads a whole URL. The fragment is the reader's own business and never sent.
    pub(crate) fn parse(url: &str) -> Result<Self, InvalidEndpoint> {
        if url.contains('@') && url.split('/').nth(2).is_some_and(|host| host.contains('@')) {
            return Err(InvalidEndpoint::UserInfo);
        }
        let not_a_url = || InvalidEndpoint::NotAUrl;
        let uri: Uri = url.parse().map_err(|_| not_a_url())?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) => return Err(InvalidEndpoint::Scheme),
            None => return Err(not_a_url()),
        };
        let authority = uri.authority().ok_or_else(not_a_url)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = match authority.as_str().strip_prefix(authority.host()) {
            _ if host.is_empty() => None,
            Some("") => Some(match scheme {
                Scheme::Http => 80,
                Scheme::Https => 443,
            }),
            Some(_) => authority.port_u16().filter(|port| *port > 0),
            None => None,
        };
        let port = port.ok_or_else(not_a_url)?;
        let endpoint = Endpoint {
            scheme,
            host,
            port,
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        };
        let path_and_query = uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        Ok(Self {
            endpoint,
            path_and_query,
        })
    }
}

/// Spells a name as one segment of a path (RFC 3986 §2.3).
pub(crate) fn path_segment(name: &str) -> String {
    use fmt::Write as _;
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            write!(segment, "%{byte:02X}").expect("a String takes every write");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        // URL, scheme, host, port, Host header, path
        let rows = [
            (
                "http://127.0.0.1:9010",
                Scheme::Http,
                "127.0.0.1",
                9010,
                "127.0.0.1:9010",
                "",
            ),
            (
                "http://127.0.0.1:9010/",
                Scheme::Http,
                "127.0.0.1",
                9010,
                "127.0.0.1:9010",
                "",
            ),
            (
                "https://proxies.test",
                Scheme::Https,
                "proxies.test",
                443,
                "proxies.test",
                "",
            ),
            (
                "http://proxies.test/a/b/",
                Scheme::Http,
                "proxies.test",
                80,
                "proxies.test",
                "/a/b",
            ),
            ("http://[::1]:81", Scheme::Http, "::1", 81, "[::1]:81", ""),
        ];
        for (url, scheme, host, port, authority, path) in rows {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.scheme(), scheme, "{url}");
            assert_eq!(endpoint.host(), host, "{url}");
            assert_eq!(endpoint.port(), port, "{url}");
            assert_eq!(endpoint.authority(), authority, "{url}");
            assert_eq!(endpoint.path(), path, "{url}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_by_name() {
        let rows = [
            ("", InvalidEndpoint::NotAUrl),
            ("127.0.0.1:9010", InvalidEndpoint::NotAUrl),
            ("/path", InvalidEndpoint::NotAUrl),
            ("http://a:99999", InvalidEndpoint::NotAUrl),
            ("http://a:", InvalidEndpoint::NotAUrl),
            ("http://a:0", InvalidEndpoint::NotAUrl),
            ("http://:80", InvalidEndpoint::NotAUrl),
            ("http://a b", InvalidEndpoint::NotAUrl),
            ("ftp://a", InvalidEndpoint::Scheme),
            ("http://me:secret@a", InvalidEndpoint::UserInfo),
            ("http://a/?x=1", InvalidEndpoint::Query),
        ];
        for (url, want) in rows {
            assert_eq!(Endpoint::parse(url), Err(want), "{url}");
        }
    }

    #[test]
    fn a_name_is_one_segment_whatever_is_in_it() {
        assert_eq!(path_segment("ee-1-proxy"), "ee-1-proxy");
        assert_eq!(path_segment("a/../b?c#d é"), "a%2F..%2Fb%3Fc%23d%20%C3%A9");
    }
}
