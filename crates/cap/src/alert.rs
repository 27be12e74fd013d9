//! A CAP 1.2 message with types: every element of the document, as it was written.
//!
//! What has a closed list of words is an enum, a date is an instant with its text, everything else
//! stays text. An element that is absent is `None`; one that is there and empty is `Some("")`.

mod build;
mod words;

use serde::Serialize;

use crate::date::DateTime;
pub(crate) use build::build;
pub use words::{Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency};

/// The language of an `info` block that names none (CAP 1.2 §3.2.2).
const LANGUAGE_DEFAULT: &str = "en-US";

/// `alert`: one message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// The sender's name for this message; with `sender` and `sent` its identity.
    pub identifier: String,
    /// Who sent it.
    pub sender: String,
    /// When.
    pub sent: DateTime,
    /// How it is to be handled.
    pub status: Status,
    /// What it does.
    pub msg_type: MsgType,
    /// Where it comes from: a person or a device.
    pub source: Option<String>,
    /// Who may see it.
    pub scope: Scope,
    /// The rule that limits its distribution.
    pub restriction: Option<String>,
    /// Whom it is for, when it is private.
    pub addresses: Option<String>,
    /// Codes of special handling, profiles.
    pub codes: Vec<String>,
    /// What it is for, for people who handle it.
    pub note: Option<String>,
    /// Earlier messages, as written; the rules step reads the triples.
    pub references: Option<String>,
    /// Names of incidents.
    pub incidents: Option<String>,
    /// What it says, once per language or part.
    pub infos: Vec<Info>,
    /// Signatures that end the document. They are kept, not verified.
    pub signatures: Vec<Signature>,
}

impl Alert {
    /// The areas of all `info` blocks, in the order of the document: later blocks of the same
    /// language expand the first one (CAP 1.2 §3.2.2).
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        self.infos.iter().flat_map(|info| &info.areas)
    }

    /// The polygons of all areas, as written.
    pub(crate) fn polygons(&self) -> impl Iterator<Item = &str> {
        self.areas()
            .flat_map(|area| area.polygons.iter().map(String::as_str))
    }
}

/// `info`: what a message says about one event, in one language.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Info {
    /// The language, as written; see [`Info::language_or_default`].
    pub language: Option<String>,
    /// Kinds of event; at least one.
    pub categories: Vec<Category>,
    /// The event.
    pub event: String,
    /// What people should do.
    pub response_types: Vec<ResponseType>,
    /// When to respond.
    pub urgency: Urgency,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub certainty: Certainty,
    /// For whom it is meant.
    pub audience: Option<String>,
    /// Codes of the event in some system.
    pub event_codes: Vec<NamedValue>,
    /// From when the information holds.
    pub effective: Option<DateTime>,
    /// When the event begins.
    pub onset: Option<DateTime>,
    /// Until when the information holds. Kept; the end of an alert is set at its approval (D10).
    pub expires: Option<DateTime>,
    /// The sender's name for people.
    pub sender_name: Option<String>,
    /// The headline.
    pub headline: Option<String>,
    /// The text: what phones show comes from the first `info`.
    pub description: Option<String>,
    /// What to do.
    pub instruction: Option<String>,
    /// An address with more.
    pub web: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Parameters of some system.
    pub parameters: Vec<NamedValue>,
    /// Files.
    pub resources: Vec<Resource>,
    /// Where.
    pub areas: Vec<Area>,
}

impl Info {
    /// The language tag, or `en-US` where none is written.
    pub fn language_or_default(&self) -> &str {
        match self.language.as_deref() {
            None | Some("") => LANGUAGE_DEFAULT,
            Some(language) => language,
        }
    }
}

/// `eventCode`, `parameter`, `geocode`: a value in a named system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedValue {
    /// Name of the system.
    pub name: String,
    /// The value.
    pub value: String,
}

/// `resource`: a file that goes with an `info`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// What it is.
    pub description: String,
    /// Its media type.
    pub mime_type: String,
    /// Its size in bytes, as written.
    pub size: Option<String>,
    /// Its address, absolute or relative.
    pub uri: Option<String>,
    /// The file itself in base64.
    pub deref_uri: Option<String>,
    /// SHA-1 of the file, in hexadecimal digits.
    pub digest: Option<String>,
}

/// `area`: a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Its name for people.
    pub description: String,
    /// Polygons as written: pairs `lat,lon` between white space.
    pub polygons: Vec<String>,
    /// Circles as written. Refused by the rules until they can be sent (D45).
    pub circles: Vec<String>,
    /// Codes of the place. Kept and not used (D45).
    pub geocodes: Vec<NamedValue>,
    /// Height above mean sea level in feet, as written.
    pub altitude: Option<String>,
    /// Upper end of a range of heights in feet, as written.
    pub ceiling: Option<String>,
}

/// A signature element as it stands in the document. To verify it takes the document's bytes: an
/// enveloped signature is about them, not about this text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The element's source text; namespace prefixes may be declared further up.
    pub xml: String,
}
