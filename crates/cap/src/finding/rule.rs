//! The rules by their public names, and which rule each code belongs to.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a finding is about. Its name (`C10`, `xml`) is stable and for machines and people alike;
/// the finding's code says more closely what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Dates: `YYYY-MM-DDThh:mm:ss±hh:mm` (CAP 1.2 §3.3.2).
    C1,
    /// Identifier and sender: the parts of a message's identity (§3.2.1).
    C2,
    /// References: triples `sender,identifier,sent` of earlier messages (§3.2.1).
    C3,
    /// Message types and what each demands: references, a note (§3.2.1).
    C4,
    /// Status: only Actual reaches the public (§3.2.1).
    C5,
    /// Scope, and the restriction or addresses that it demands (§3.2.1).
    C6,
    /// Info blocks, their languages and what they must say (§3.2.2).
    C7,
    /// Words of closed lists (§3.2.1, §3.2.2).
    C8,
    /// The order of the times in an info (§3.2.2).
    C9,
    /// Polygons (§3.2.4).
    C10,
    /// Circles (§3.2.4).
    C11,
    /// Altitude and ceiling (§3.2.4).
    C12,
    /// Named values: eventCode, parameter, geocode (§3.2.2, §3.2.4).
    C13,
    /// Addresses and files: web and resource (§3.2.2, §3.2.3).
    C14,
    /// Text (§3.2.2, §3.3.3).
    C15,
    /// The order of elements (§3.4).
    C16,
    /// The document is one `alert` of CAP 1.2, no other version and no envelope.
    C17,
    /// Well-formed XML 1.0 in UTF-8.
    Xml,
    /// What XML allows and a warning has no use for: document types, entities, processing
    /// instructions, `xsi:` attributes.
    Security,
    /// Sizes and numbers that no honest document reaches.
    Limit,
    /// The structure that the schema of CAP 1.2 demands, as far as no numbered rule says it.
    Structure,
    /// The XML signature.
    Signature,
    /// What this system takes of what the standard allows.
    Service,
    /// The file could not be read; only the command line says this.
    File,
}

impl Rule {
    /// Every rule, numbered ones first.
    pub const ALL: [Self; 24] = [
        Self::C1,
        Self::C2,
        Self::C3,
        Self::C4,
        Self::C5,
        Self::C6,
        Self::C7,
        Self::C8,
        Self::C9,
        Self::C10,
        Self::C11,
        Self::C12,
        Self::C13,
        Self::C14,
        Self::C15,
        Self::C16,
        Self::C17,
        Self::Xml,
        Self::Security,
        Self::Limit,
        Self::Structure,
        Self::Signature,
        Self::Service,
        Self::File,
    ];

    /// Its public name.
    pub fn name(self) -> &'static str {
        match self {
            Self::C1 => "C1",
            Self::C2 => "C2",
            Self::C3 => "C3",
            Self::C4 => "C4",
            Self::C5 => "C5",
            Self::C6 => "C6",
            Self::C7 => "C7",
            Self::C8 => "C8",
            Self::C9 => "C9",
            Self::C10 => "C10",
            Self::C11 => "C11",
            Self::C12 => "C12",
            Self::C13 => "C13",
            Self::C14 => "C14",
            Self::C15 => "C15",
            Self::C16 => "C16",
            Self::C17 => "C17",
            Self::Xml => "xml",
            Self::Security => "security",
            Self::Limit => "limit",
            Self::Structure => "structure",
            Self::Signature => "signature",
            Self::Service => "service",
            Self::File => "file",
        }
    }

    /// The rule that a code belongs to. A code that the table lacks is a mistake of ours: a test
    /// build stops there, a release calls it [`Rule::Structure`].
    pub(crate) fn of(code: &str) -> Self {
        let row = CODES.iter().find(|(_, codes)| codes.contains(&code));
        debug_assert!(row.is_some(), "the code {code} stands in no row of CODES");
        row.map_or(Self::Structure, |(rule, _)| *rule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Every code, under its rule. A code stands once.
#[rustfmt::skip]
pub(crate) const CODES: &[(Rule, &[&str])] = &[
    (Rule::C1, &["bad-date", "date-hour-24", "date-plus-zero"]),
    (Rule::C2, &["empty-name", "bad-name"]),
    (Rule::C3, &["bad-reference", "reference-to-itself", "reference-to-later"]),
    (Rule::C4, &["unsupported-message-type", "missing-references", "references-ignored"]),
    (Rule::C5, &["status-not-actual"]),
    (Rule::C6, &["scope-not-public", "restriction-ignored", "addresses-ignored"]),
    (Rule::C7, &[
        "missing-info", "more-than-one-language", "bad-language", "missing-description",
        "empty-description", "later-info", "empty-event",
    ]),
    (Rule::C8, &["wrong-word"]),
    (Rule::C9, &["expires-too-early"]),
    (Rule::C10, &[
        "bad-pair", "bad-coordinate", "latitude-out-of-range", "longitude-out-of-range",
        "polygon-too-short", "polygon-not-closed", "polygon-closed-differently",
    ]),
    (Rule::C11, &["circle"]),
    (Rule::C12, &["ceiling-without-altitude", "ceiling-below-altitude"]),
    (Rule::C13, &["empty-value"]),
    (Rule::C14, &["relative-web", "relative-uri", "bad-mime-type", "bad-digest", "bad-uri"]),
    (Rule::C15, &["long-headline"]),
    (Rule::C16, &["out-of-order", "info-after-signature"]),
    (Rule::C17, &[
        "old-version", "no-namespace", "wrong-namespace", "envelope", "feed", "list", "wrong-root",
    ]),
    (Rule::Xml, &["xml-syntax", "xml-version", "encoding", "empty"]),
    (Rule::Security, &[
        "doctype", "processing-instruction", "entity", "xsi-type", "prefixed-xmlns",
    ]),
    (Rule::Limit, &[
        "too-large", "too-deep", "too-many-elements", "too-many-attributes", "too-many-infos",
        "too-many-polygons", "too-many-points", "too-many-references", "identifier-too-long",
        "sender-too-long", "more-findings",
    ]),
    (Rule::Structure, &[
        "missing-element", "repeated-element", "unknown-element", "foreign-element", "stray-text",
        "text-only", "attribute-not-allowed", "bad-number",
    ]),
    (Rule::Signature, &["signature-not-verified"]),
    (Rule::Service, &["missing-area", "area-without-polygon", "empty-area-name"]),
    (Rule::File, &["unreadable"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_row_and_every_code_stands_once() {
        let mut seen = Vec::new();
        for rule in Rule::ALL {
            let rows: Vec<_> = CODES.iter().filter(|(of, _)| *of == rule).collect();
            assert_eq!(rows.len(), 1, "{rule}");
            for code in rows[0].1 {
                assert!(!seen.contains(code), "{code} stands twice");
                assert_eq!(Rule::of(code), rule);
                seen.push(code);
            }
        }
    }
}
