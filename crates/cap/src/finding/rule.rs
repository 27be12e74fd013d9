//! The rules by their public names, and which rule each code belongs to.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::rules::row_of;

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
        let row = row_of(code);
        debug_assert!(row.is_some(), "the code {code} has no row in the table");
        row.map_or(Self::Structure, |row| row.rule)
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
