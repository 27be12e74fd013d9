//! What a document is that is no CAP 1.2 message (rule C17): its sender should hear that it is an
//! older version, an envelope or a feed, not that some element is missing.

use roxmltree::Node;

use super::table::CAP_1_2;
use crate::finding::{Finding, shown};

/// Anything but `alert` in the namespace of CAP 1.2, named as what it is.
pub(super) fn refuse(root: Node<'_, '_>) -> Option<Finding> {
    let name = root.tag_name().name();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    let (code, message) = match (name, namespace) {
        ("alert", CAP_1_2) => return None,
        ("alert", "http://www.incident.com/cap/1.0") => (
            "old-version",
            "this is a CAP 1.0 message; send CAP 1.2".to_owned(),
        ),
        ("alert", "urn:oasis:names:tc:emergency:cap:1.1") => (
            "old-version",
            "this is a CAP 1.1 message; send CAP 1.2".to_owned(),
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
            "this is an EDXL-DE envelope; send the CAP message inside it by itself".to_owned(),
        ),
        ("Envelope", _) => (
            "envelope",
            "this is a SOAP envelope; send the CAP message inside it by itself".to_owned(),
        ),
        ("feed" | "rss" | "RDF", _) => (
            "feed",
            "this is a feed; send each CAP message of it by itself".to_owned(),
        ),
        ("alerts", _) => (
            "list",
            "this is a list of alerts; send each one by itself".to_owned(),
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
