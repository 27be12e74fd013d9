//! What a document is that is no CAP 1.2 message (rule C17): its sender should hear that it is an
//! older version, an envelope or a feed, not that some element is missing.

use roxmltree::Node;

use super::table::CAP_1_2;
use crate::finding::{Finding, shown};

/// The namespaces of CAP by version.
const VERSIONS: [(&str, &str); 3] = [
    (CAP_1_2, "1.2"),
    ("urn:oasis:names:tc:emergency:cap:1.1", "1.1"),
    ("http://www.incident.com/cap/1.0", "1.0"),
];

fn version_of(node: Node<'_, '_>) -> Option<&'static str> {
    let namespace = node.tag_name().namespace()?;
    let is_alert = node.tag_name().name() == "alert";
    let (_, version) = VERSIONS.iter().find(|(of, _)| *of == namespace)?;
    is_alert.then_some(*version)
}

/// What messages stand inside something else: ` (it holds 3 messages of CAP 1.1)`, or nothing.
fn held(root: Node<'_, '_>) -> String {
    let mut versions = root.descendants().filter_map(version_of);
    let Some(first) = versions.next() else {
        return String::new();
    };
    match versions.count() {
        0 => format!(" (it holds a message of CAP {first})"),
        more => format!(
            " (it holds {} messages, the first of CAP {first})",
            more + 1
        ),
    }
}

/// Anything but `alert` in the namespace of CAP 1.2, named as what it is.
pub(super) fn refuse(root: Node<'_, '_>) -> Option<Finding> {
    let name = root.tag_name().name();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    let (code, message) = match (name, namespace) {
        ("alert", CAP_1_2) => return None,
        _ if version_of(root).is_some() => (
            "old-version",
            format!(
                "this is a CAP {} message; send CAP 1.2",
                version_of(root).unwrap_or_default()
            ),
        ),
        ("alert", "") => (
            "no-namespace",
            format!("`alert` has no namespace; write <alert xmlns=\"{CAP_1_2}\">"),
        ),
        ("alert", other) => (
            "wrong-namespace",
            format!(
                "`alert` has the namespace {}; it must be {CAP_1_2}",
                shown(other)
            ),
        ),
        ("EDXLDistribution", _) => (
            "envelope",
            format!(
                "this is an EDXL-DE envelope{}; send the CAP message inside it by itself",
                held(root)
            ),
        ),
        ("Envelope", _) => (
            "envelope",
            format!(
                "this is a SOAP envelope{}; send the CAP message inside it by itself",
                held(root)
            ),
        ),
        ("feed" | "rss" | "RDF", _) => (
            "feed",
            format!(
                "this is a feed{}; send each CAP message of it by itself",
                held(root)
            ),
        ),
        ("alerts", _) => (
            "list",
            format!(
                "this is a list of alerts{}; send each one by itself",
                held(root)
            ),
        ),
        (other, _) if !held(root).is_empty() => (
            "list",
            format!(
                "the document is a `{}` around CAP{}; send each message by itself",
                shown(other),
                held(root)
            ),
        ),
        (other, _) => (
            "wrong-root",
            format!(
                "the document is a `{}`; it must be a CAP 1.2 `alert`",
                shown(other)
            ),
        ),
    };
    Some(Finding::error(code, shown(name), message))
}
