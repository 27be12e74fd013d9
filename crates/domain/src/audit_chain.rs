//! The hash chain over the audit trail (D53), and how it is judged.
//!
//! Each link has a position (1, 2, …), an entry and a hash: `h(n) = SHA-256(h(n-1) ‖ text(n))`,
//! with the 32 raw bytes of the hash before (of zeros before the first) and the entry's canonical
//! text in UTF-8. That is a JSON object without blanks, its members sorted by name and absent
//! ones left out; what is stored as JSON stands in it byte for byte, so that no change of it goes
//! unseen.
//!
//! What is promised: a change, removal, insertion or exchange of linked entries is found, and of
//! links too, unless whoever did it computed every later hash anew. Against that, and against a
//! chain that was cut off at its end, only a head helps that was noted elsewhere ([`Judge::new`]).
//! There is no secret in the hash. What is not linked yet is not judged.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::limits::AUDIT_FINDINGS_MAX;

/// An entry of the trail with every column as it is stored: read to be hashed, not to be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: String,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// Who.
    pub actor: String,
    /// The client that named the person, where one did and the person proved nothing.
    pub asserted_by: Option<String>,
    /// Did what.
    pub action: String,
    /// To what.
    pub object: String,
    /// Of which service.
    pub service_id: Option<String>,
    /// With which particulars: JSON.
    pub details: String,
    /// What was before: JSON.
    pub before: Option<String>,
    /// What is since: JSON.
    pub after: Option<String>,
    /// From where.
    pub source: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Why it was not done.
    pub refusal: Option<String>,
}

impl AuditRow {
    /// The text that is hashed.
    pub fn canonical_text(&self) -> String {
        let members = [
            ("action", Some(quoted(&self.action))),
            ("actor", Some(quoted(&self.actor))),
            ("after", self.after.as_deref().map(verbatim)),
            ("asserted_by", self.asserted_by.as_deref().map(quoted)),
            ("at_us", Some(self.at_us.to_string())),
            ("before", self.before.as_deref().map(verbatim)),
            ("details", Some(verbatim(&self.details))),
            ("id", Some(quoted(&self.id))),
            ("object", Some(quoted(&self.object))),
            ("refusal", self.refusal.as_deref().map(quoted)),
            ("request_id", self.request_id.as_deref().map(quoted)),
            ("service_id", self.service_id.as_deref().map(quoted)),
            ("source", self.source.as_deref().map(quoted)),
        ];
        let present = members.into_iter().filter_map(|(name, value)| {
            let value = value?;
            Some(format!("\"{name}\":{value}"))
        });
        format!("{{{}}}", present.collect::<Vec<_>>().join(","))
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON object as it is stored. What is none stands there as a text: nothing that anybody writes
/// into a column can pass for more than that column.
fn verbatim(text: &str) -> String {
    let is_object = text.starts_with('{')
        && text.ends_with('}')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if is_object {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// The hash of a link: 32 bytes, shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What stands before the first link: zeros.
    pub const BEFORE_THE_FIRST: Self = Self([0; 32]);

    /// The hash of the link after this one, which has this entry.
    #[must_use]
    pub fn next(self, row: &AuditRow) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(row.canonical_text());
        Self(hash.finalize().into())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no hash of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no hash of the audit trail: 64 of 0 to 9 and a to f")]
pub struct InvalidChainHash;

impl FromStr for ChainHash {
    type Err = InvalidChainHash;

    fn from_str(text: &str) -> Result<Self, InvalidChainHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidChainHash),
        };
        let text: &[u8; 64] = text.as_bytes().try_into().map_err(|_| InvalidChainHash)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// A link as it is stored, with the entry that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// Its place in the chain, from 1.
    pub position: i64,
    /// The id of its entry.
    pub entry_id: String,
    /// Its hash, as stored.
    pub hash: String,
    /// The entry; absent where it is gone.
    pub row: Option<AuditRow>,
}

/// What is wrong at a place of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The links from here to `last` are gone.
    LinksGone {
        /// The last of them.
        last: i64,
    },
    /// A link stands where none belongs.
    OutOfPlace,
    /// The link is there, and its entry is gone.
    EntryGone,
    /// Hash and entry do not agree.
    Differs,
}

impl Wrong {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinksGone { .. } => "links_gone",
            Self::OutOfPlace => "out_of_place",
            Self::EntryGone => "entry_gone",
            Self::Differs => "differs",
        }
    }
}

/// A place of the chain at which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place.
    pub position: i64,
    /// The entry that the link names, where there is a link.
    pub entry_id: Option<String>,
    /// What is wrong.
    pub wrong: Wrong,
}

impl Finding {
    /// What is wrong, in a sentence.
    pub fn tell(&self) -> String {
        let (at, entry) = (self.position, self.entry_id.as_deref().unwrap_or("?"));
        match self.wrong {
            Wrong::LinksGone { last } if last == at => {
                format!("position {at}: the link is gone")
            }
            Wrong::LinksGone { last } => {
                format!("position {at}: the links from here to position {last} are gone")
            }
            Wrong::OutOfPlace => format!("position {at}: no link belongs here (entry {entry})"),
            Wrong::EntryGone => format!("position {at}: entry {entry} was removed"),
            Wrong::Differs => format!(
                "position {at}: entry {entry} is not what was linked here: it was changed, \
                 exchanged or put in afterwards, or the hash was"
            ),
        }
    }
}

/// What came of judging a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Links that were looked at.
    pub links: u64,
    /// The last position and its hash as stored, where there is a link.
    pub head: Option<(i64, String)>,
    /// Places at which something is wrong.
    pub wrong: u64,
    /// The first of them, [`AUDIT_FINDINGS_MAX`] at most.
    pub findings: Vec<Finding>,
    /// Where the head that was noted earlier stands, if it does.
    pub noted_head_at: Option<i64>,
    /// Whether one was to be looked for.
    pub has_noted_head: bool,
}

impl Verdict {
    /// Whether nothing is wrong, and the head that was noted earlier was found.
    pub const fn is_sound(&self) -> bool {
        self.wrong == 0 && (!self.has_noted_head || self.noted_head_at.is_some())
    }
}

/// Judges a chain link by link, in the order of their positions.
#[derive(Clone, Debug)]
pub struct Judge {
    noted_head: Option<ChainHash>,
    expected: i64,
    /// The hash before the next link; unknown behind a gap.
    previous: Option<ChainHash>,
    verdict: Verdict,
}

impl Judge {
    /// A judge who also looks for a head that was noted earlier.
    pub fn new(noted_head: Option<ChainHash>) -> Self {
        Self {
            noted_head,
            expected: 1,
            previous: Some(ChainHash::BEFORE_THE_FIRST),
            verdict: Verdict {
                links: 0,
                head: None,
                wrong: 0,
                findings: Vec::new(),
                noted_head_at: None,
                has_noted_head: noted_head.is_some(),
            },
        }
    }

    /// Judges the next link.
    pub fn take(&mut self, link: &Linked) {
        self.verdict.links += 1;
        self.verdict.head = Some((link.position, link.hash.clone()));
        let entry_id = Some(link.entry_id.clone());
        if link.position < self.expected {
            self.find(link.position, entry_id, Wrong::OutOfPlace);
            return;
        }
        if link.position > self.expected {
            let last = link.position - 1;
            self.find(self.expected, None, Wrong::LinksGone { last });
            self.previous = None;
        }
        let stored: Option<ChainHash> = link.hash.parse().ok();
        match (&link.row, self.previous) {
            (None, _) => self.find(link.position, entry_id, Wrong::EntryGone),
            (Some(row), Some(previous)) if stored != Some(previous.next(row)) => {
                self.find(link.position, entry_id, Wrong::Differs);
            }
            // Behind a gap there is nothing to hold the first link against.
            (Some(_), Some(_) | None) => {}
        }
        if stored.is_some() && stored == self.noted_head {
            self.verdict.noted_head_at = Some(link.position);
        }
        // Going on from what is stored, one change is one finding.
        self.previous = stored;
        self.expected = link.position.saturating_add(1);
    }

    fn find(&mut self, position: i64, entry_id: Option<String>, wrong: Wrong) {
        self.verdict.wrong += 1;
        if self.verdict.findings.len() < AUDIT_FINDINGS_MAX {
            let finding = Finding {
                position,
                entry_id,
                wrong,
            };
            self.verdict.findings.push(finding);
        }
    }

    /// What came of it.
    pub fn end(self) -> Verdict {
        self.verdict
    }
}

#[cfg(test)]
#[path = "audit_chain_tests.rs"]
mod tests;
