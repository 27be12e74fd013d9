//! Addresses and files (C14). Nothing is fetched: what is checked is what stands in the document.
//!
//! `digest` is SHA-1, as CAP 1.2 demands (FIPS 180-2). SHA-1 is broken as proof of origin; here it
//! is only what the standard makes of it, a checksum of a file against accidents.

use balefire_domain::approval::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::is_blank;
use super::judge::Judge;
use crate::alert::{Info, Resource};
use crate::date::XML_SPACE;
use crate::finding::shown;

/// Checks `web` and every resource of an info.
pub(super) fn check(info: &Info, path: &str, judge: &mut Judge) {
    match info.web.as_deref() {
        Some(web) if is_blank(web) => {
            let message = "the address is empty: leave the element out";
            judge.find("empty-web", format!("{path}/web"), message);
        }
        Some(web) if !is_absolute(web) => {
            let message = "the address should be absolute: start it with https://";
            judge.find("relative-web", format!("{path}/web"), message);
        }
        _ => {}
    }
    for (n, resource) in info.resources.iter().enumerate() {
        check_resource(resource, &format!("{path}/resource[{}]", n + 1), judge);
    }
}

/// Whether an address begins with a scheme (RFC 3986 §3.1).
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.trim_matches(XML_SPACE).split_once(':') else {
        return false;
    };
    let in_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
}

fn check_resource(resource: &Resource, path: &str, judge: &mut Judge) {
    if !is_media_type(&resource.mime_type) {
        let message = format!(
            "“{}” is no media type; write for instance image/png",
            shown(&resource.mime_type)
        );
        judge.find("bad-mime-type", format!("{path}/mimeType"), message);
    }
    let is_relative = resource.uri.as_deref().is_some_and(|uri| !is_absolute(uri));
    if is_relative && resource.deref_uri.is_none() {
        let message = "a relative uri needs a derefUri with the content";
        judge.find("relative-uri", format!("{path}/uri"), message);
    }
    let content = resource
        .deref_uri
        .as_deref()
        .and_then(|text| decode(text, &format!("{path}/derefUri"), judge));
    check_size(resource, content.as_deref(), path, judge);
    check_digest(resource, content.as_deref(), path, judge);
}

/// `type/subtype` and perhaps parameters (RFC 2045 §5.1, RFC 2046).
fn is_media_type(text: &str) -> bool {
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_matches(XML_SPACE);
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b))
    };
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// The file that stands in a document: canonical base64 (RFC 4648 §3.5), white space between its
/// characters left out.
fn decode(text: &str, path: &str, judge: &mut Judge) -> Option<Vec<u8>> {
    let decoded = STANDARD
        .decode(text.as_bytes())
        .or_else(|_| STANDARD.decode(without_space(text.as_bytes())));
    match decoded {
        Ok(content) => Some(content),
        Err(error) => {
            let message = format!(
                "the content is no canonical base64: {}",
                match error {
                    base64::DecodeError::InvalidByte(..) =>
                        "it has a character of another alphabet",
                    base64::DecodeError::InvalidLastSymbol { .. } => {
                        "the unused bits of its last character are not zero"
                    }
                    base64::DecodeError::InvalidLength(_) => "its length is wrong",
                    base64::DecodeError::InvalidPadding => "its padding (=) is wrong",
                }
            );
            judge.find("bad-base64", path, message);
            None
        }
    }
}

/// The text without XML's white space, copied line by line: tabs and the like are rare.
fn without_space(text: &[u8]) -> Vec<u8> {
    let mut dense = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in memchr::memchr3_iter(b'\n', b'\r', b' ', text).chain([text.len()]) {
        dense.extend_from_slice(&text[from..at]);
        from = at + 1;
    }
    if memchr::memchr(b'\t', &dense).is_some() {
        dense.retain(|byte| *byte != b'\t');
    }
    dense
}

fn check_size(resource: &Resource, content: Option<&[u8]>, path: &str, judge: &mut Judge) {
    let Some(size) = resource
        .size
        .as_deref()
        .map(|size| size.trim_matches(XML_SPACE))
    else {
        return;
    };
    let path = format!("{path}/size");
    let digits = size.trim_start_matches(['+', '-']).trim_start_matches('0');
    if size.starts_with('-') && !digits.is_empty() {
        judge.find("bad-size", path, "a size in bytes is not negative");
        return;
    }
    let Some(content) = content else { return };
    let length = content.len();
    if length.to_string() != digits && !(length == 0 && digits.is_empty()) {
        let message = format!(
            "the size is {}, but the content in derefUri has {length} bytes",
            shown(size)
        );
        judge.find("size-differs", path, message);
    }
}

fn check_digest(resource: &Resource, content: Option<&[u8]>, path: &str, judge: &mut Judge) {
    let Some(digest) = resource
        .digest
        .as_deref()
        .map(|text| text.trim_matches(XML_SPACE))
    else {
        return;
    };
    let path = format!("{path}/digest");
    if digest.len() != 40 || !digest.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = "the digest should be SHA-1 in 40 hexadecimal digits";
        judge.find("bad-digest", path, message);
        return;
    }
    let Some(content) = content else { return };
    let is = hex(&Sha1::digest(content));
    if !digest.eq_ignore_ascii_case(&is) {
        let message = format!(
            "the digest is not that of the content in derefUri, which is {is} (SHA-1, a checksum)"
        );
        judge.find("digest-differs", path, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::severity::Use;

    fn found(resource: &Resource) -> Vec<&'static str> {
        let mut judge = Judge::new(Use::Check, None);
        check_resource(resource, "p", &mut judge);
        judge
            .into_list()
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    /// The file `abc`: its digest is the first example of FIPS 180-2's appendix A.
    fn abc() -> Resource {
        Resource {
            description: "Map".to_owned(),
            mime_type: "image/png".to_owned(),
            size: Some("3".to_owned()),
            uri: Some("map.png".to_owned()),
            deref_uri: Some("YWJj".to_owned()),
            digest: Some("A9993E364706816ABA3E25717850C26C9CD0D89D".to_owned()),
        }
    }

    #[test]
    fn a_file_inside_is_compared_with_its_size_and_digest() {
        assert_eq!(found(&abc()), [""; 0]);
        let deref = |text: &str| Resource {
            deref_uri: Some(text.to_owned()),
            ..abc()
        };
        assert_eq!(found(&deref(" YW\nJj ")), [""; 0]);
        assert_eq!(found(&deref("YWJk")), ["digest-differs"]);
        assert_eq!(found(&deref("YWI=")), ["size-differs", "digest-differs"]);
        // The last two have unused bits that are not zero, and no padding.
        for text in ["YW-j", "YWJ", "YWJj=", "YW=j", "YWJ=", "YWI"] {
            assert_eq!(found(&deref(text)), ["bad-base64"], "{text}");
        }
    }

    #[test]
    fn what_says_itself_is_checked_without_the_file() {
        let without = Resource {
            deref_uri: None,
            uri: Some("https://rivers.example/map.png".to_owned()),
            ..abc()
        };
        assert_eq!(found(&without), [""; 0]);
        let cases = [
            (
                Resource {
                    uri: Some("map.png".to_owned()),
                    ..without.clone()
                },
                "relative-uri",
            ),
            (
                Resource {
                    mime_type: "png".to_owned(),
                    ..without.clone()
                },
                "bad-mime-type",
            ),
            (
                Resource {
                    mime_type: "image/".to_owned(),
                    ..without.clone()
                },
                "bad-mime-type",
            ),
            (
                Resource {
                    size: Some("-3".to_owned()),
                    ..without.clone()
                },
                "bad-size",
            ),
            (
                Resource {
                    digest: Some("0".to_owned()),
                    ..without.clone()
                },
                "bad-digest",
            ),
        ];
        for (resource, want) in cases {
            assert_eq!(found(&resource), [want], "{resource:?}");
        }
        assert!(is_media_type("text/plain; charset=utf-8"));
    }

    #[test]
    fn an_absolute_address_has_a_scheme() {
        for uri in ["https://a.example", "mailto:a@b.example", " urn:x:y "] {
            assert!(is_absolute(uri), "{uri}");
        }
        for uri in [
            "",
            "page",
            "//a.example/x",
            "www.a.example",
            "https:",
            "1a:b",
            ":b",
        ] {
            assert!(!is_absolute(uri), "{uri}");
        }
    }
}
