//! Every finding there can be, in one table: its rule, what it weighs for each use of a message,
//! what is checked, and where that is written. docs/standards.md prints it; a test compares.
//!
//! The weights follow one thought: before phones ring, whatever makes a message ambiguous is
//! refused, and what this system doesn't use is only told; an author is told everything that the
//! standard says; what this system writes itself satisfies all of it.

use serde::Serialize;

use crate::finding::Rule;

/// What a message is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// It came in and is to become an alert on phones.
    Dispatch,
    /// Its author wants to know everything about it.
    Check,
    /// This system is about to send it.
    Send,
}

impl Use {
    /// Every use.
    pub const ALL: [Self; 3] = [Self::Dispatch, Self::Check, Self::Send];

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Check => "check",
            Self::Send => "send",
        }
    }

    /// The use of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|used_for| used_for.name() == name)
    }
}

/// What a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weight {
    /// The message is refused.
    Error,
    /// The message is taken; its sender should know.
    Warning,
    /// It is no finding for this use.
    None,
    /// Refused, but by a later step: the text's (crate `cell-broadcast`) or the areas' (crate
    /// `geometry`). Not looked for here.
    Later,
}

impl Weight {
    /// The word of the table in docs/standards.md.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::None => "–",
            Self::Later => "error (later)",
        }
    }
}

/// One row: one kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The rule that it belongs to.
    pub rule: Rule,
    /// Its code.
    pub code: &'static str,
    /// Its weights, in the order of [`Use::ALL`].
    pub weights: [Weight; 3],
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// Where it is written: a clause of CAP 1.2, or a decision of this project.
    pub clause: &'static str,
}

impl Row {
    /// What it weighs for a use.
    pub fn weight(&self, used_for: Use) -> Weight {
        self.weights[used_for as usize]
    }
}

/// The row of a code; none for a code that doesn't exist.
pub fn row_of(code: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.code == code)
}

const fn row(
    rule: Rule,
    code: &'static str,
    weights: [Weight; 3],
    what: &'static str,
    clause: &'static str,
) -> Row {
    Row {
        rule,
        code,
        weights,
        what,
        clause,
    }
}

use Rule::{C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17};
use Rule::{File, Limit, Security, Service, Signature, Structure, Xml};

const E: Weight = Weight::Error;
const W: Weight = Weight::Warning;
const N: Weight = Weight::None;
const L: Weight = Weight::Later;

/// The table, by rule. Weights stand in the order dispatch, check, send.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row(C1, "bad-date", [E, E, E],
        "not YYYY-MM-DDThh:mm:ss±hh:mm: Z, no zone, a fraction, a comma, no such day", "3.3.2"),
    row(C1, "date-hour-24", [E, E, E], "the hour 24", "3.3.2"),
    row(C1, "date-plus-zero", [W, W, E],
        "UTC as +00:00; equal to -00:00, also in references", "3.3.2"),
    row(C2, "empty-name", [E, E, E], "empty identifier or sender", "3.2.1"),
    row(C2, "bad-name", [E, E, E], "white space, a comma, < or & in identifier or sender", "3.2.1"),
    row(C3, "bad-reference", [E, E, E], "no triple sender,identifier,sent", "3.2.1"),
    row(C3, "reference-to-itself", [E, E, E], "a reference to the message itself", "3.2.1"),
    row(C3, "reference-to-later", [E, E, E], "a reference to a message sent later", "3.2.1"),
    row(C3, "reference-repeated", [W, W, E], "the same reference twice", "3.2.1"),
    row(C3, "reference-spacing", [N, W, E], "other than one space between references", "3.2.1"),
    row(C3, "empty-references", [N, W, E],
        "references without any, where none are needed", "3.2.1"),
    row(C4, "missing-references", [E, E, E],
        "Update, Cancel, Ack or Error without references", "3.2.1"),
    row(C4, "references-ignored", [W, W, E], "an Alert, a first message, with references", "3.2.1"),
    row(C4, "missing-note", [N, W, E], "an Error without a note that explains it", "3.2.1"),
    row(C4, "unsupported-message-type", [E, W, N],
        "Ack or Error, on which this system doesn't act", "D13"),
    row(C5, "status-not-actual", [E, W, N],
        "a status other than Actual, which never reaches phones", "D13"),
    row(C5, "exercise-without-note", [N, W, E],
        "an Exercise whose note doesn't name the exercise", "3.2.1"),
    row(C5, "test-word-in-actual", [W, W, W],
        "a text that says TEST under the status Actual", "3.2.1"),
    row(C5, "no-test-word-in-test", [N, W, W],
        "a text that doesn't say TEST under Test or Exercise", "3.2.1"),
    row(C6, "scope-not-public", [E, W, E], "a scope other than Public", "D13"),
    row(C6, "missing-restriction", [N, E, E], "scope Restricted without restriction", "3.2.1"),
    row(C6, "restriction-ignored", [W, E, E],
        "a restriction though the scope isn't Restricted", "3.2.1"),
    row(C6, "missing-addresses", [N, E, E], "scope Private without addresses", "3.2.1"),
    row(C6, "addresses-ignored", [W, W, E], "addresses though the scope isn't Private", "3.2.1"),
    row(C6, "bad-quotes", [W, E, E],
        "quotes in addresses or incidents that don't enclose whole names", "3.2.1"),
    row(C7, "missing-info", [E, E, E], "an Alert or Update for the public without info", "3.2.2"),
    row(C7, "bad-language", [E, E, E], "a language that is no tag", "3.2.2"),
    row(C7, "language-not-rfc3066", [W, E, E],
        "a tag that RFC 3066 can't hold, such as abcd or e-GB", "3.2.2"),
    row(C7, "missing-language", [N, N, E], "no language, which means en-US", "3.2.2"),
    row(C7, "more-than-two-languages", [E, W, E], "texts in more than two languages", "D45"),
    row(C7, "languages-alike", [E, W, E],
        "two tags for one language, such as en-GB and en-US", "D45"),
    row(C7, "languages-mixed", [W, W, E],
        "infos of one language that don't stand together", "3.2.2"),
    row(C7, "info-overrides", [W, W, E],
        "a later info that contradicts an earlier one about the same area", "3.2.2"),
    row(C7, "later-info", [W, W, N],
        "further infos of a language: their areas are used, their texts are not", "3.2.2"),
    row(C7, "same-text-different-language", [W, W, E], "the same text in two languages", "3.2.2"),
    row(C7, "missing-description", [E, W, E], "no description: phones show it", "3.2.2"),
    row(C7, "empty-description", [E, W, E], "a blank description", "3.2.2"),
    row(C7, "empty-event", [W, W, E], "a blank event", "3.2.2"),
    row(C8, "wrong-word", [E, E, E],
        "a word that its list lacks, such as Very Likely of CAP 1.0", "3.2.1, 3.2.2"),
    row(C8, "repeated-word", [W, W, E], "the same category or responseType twice", "3.2.2"),
    row(C8, "assess-to-public", [W, W, E], "responseType Assess to the public", "3.2.2"),
    row(C9, "expires-too-early", [W, E, E], "expires not after sent, effective and onset", "3.2.2"),
    row(C9, "missing-expires", [N, W, E], "no expires: every consumer guesses its own", "3.2.2"),
    row(C10, "polygon-too-short", [E, E, E], "fewer than 4 pairs", "3.2.4"),
    row(C10, "polygon-not-closed", [E, E, E], "last pair not equal to the first", "3.2.4"),
    row(C10, "polygon-closed-differently", [W, E, E],
        "last pair equal to the first and written differently", "3.2.4"),
    row(C10, "bad-pair", [E, E, E], "a pair that isn't lat,lon", "3.2.4"),
    row(C10, "bad-coordinate", [E, E, E], "NaN, an exponent or a letter in a coordinate", "3.2.4"),
    row(C10, "latitude-out-of-range", [E, E, E], "a latitude outside -90 to 90", "3.2.4"),
    row(C10, "longitude-out-of-range", [E, E, E], "a longitude outside -180 to 180", "3.2.4"),
    row(C10, "polygon-over-antimeridian", [N, W, E], "over the antimeridian in one polygon", "D12"),
    row(C10, "polygon-ambiguous", [L, E, E],
        "a line of 180 to 270 degrees of longitude, or a ring around a pole", "D12"),
    row(C10, "polygon-without-area", [L, E, E],
        "nothing inside, its points rounded to 6 decimals", "D12"),
    row(C10, "polygon-meets-itself", [L, E, E], "a ring that crosses or touches itself", "D12"),
    row(C10, "polygon-too-tangled", [N, W, E],
        "too many lines side by side to look for crossings", "D44"),
    row(C10, "lat-lon-swapped", [N, W, E],
        "outside the country, inside it with latitude and longitude exchanged", "3.2.4"),
    row(C10, "outside-country", [N, W, W], "wholly outside the country", "3.2.4"),
    row(C11, "bad-circle", [E, E, E],
        "not lat,lon radius, a negative radius, or numbers out of range", "3.2.4"),
    row(C11, "circle-spacing", [W, E, E],
        "other than one space between centre and radius", "3.2.4"),
    row(C11, "circle-too-large", [E, E, E],
        "a radius above half the Earth's circumference, 20,038 km", "3.2.4"),
    row(C11, "circle-without-radius", [E, W, E], "a radius of 0: a point is no area", "3.2.4"),
    row(C12, "ceiling-without-altitude", [E, E, E], "ceiling without altitude", "3.2.4"),
    row(C12, "ceiling-below-altitude", [E, E, E], "ceiling below altitude", "3.2.4"),
    row(C13, "empty-value", [W, E, E], "a blank valueName or value", "3.2.2, 3.2.4"),
    row(C13, "acronym-form", [W, W, E],
        "an acronym as valueName with dots or small letters", "3.2.2, 3.2.4"),
    row(C14, "bad-uri", [E, E, E], "web or uri that is no address", "3.2.2, 3.2.3"),
    row(C14, "empty-web", [N, W, E], "web without an address", "3.2.2"),
    row(C14, "relative-web", [W, E, E], "web without a scheme such as https:", "3.2.2"),
    row(C14, "relative-uri", [W, E, E], "a relative uri without derefUri", "3.2.3"),
    row(C14, "bad-mime-type", [W, E, E], "no media type such as image/png", "3.2.3"),
    row(C14, "bad-size", [W, E, E], "a negative size", "3.2.3"),
    row(C14, "bad-base64", [W, E, E], "derefUri that isn't canonical base64", "3.2.3"),
    row(C14, "size-differs", [W, W, E],
        "size that isn't the length of derefUri's content", "3.2.3"),
    row(C14, "bad-digest", [W, E, E], "digest that isn't SHA-1 in 40 hexadecimal digits", "3.2.3"),
    row(C14, "digest-differs", [W, E, E], "digest of other content than derefUri's", "3.2.3"),
    row(C15, "long-headline", [W, W, E], "a headline of more than 160 characters", "3.2.2"),
    row(C15, "markup-in-text", [W, W, E], "HTML tags in a text", "3.2.2"),
    row(C15, "entity-in-text", [W, W, E],
        "entities left in a text, such as &amp;amp;nbsp;", "3.3.3"),
    row(C15, "control-character", [W, W, E],
        "control characters other than tab and line ends", "3.3.3"),
    row(C15, "text-not-nfc", [W, W, E], "a text that isn't in Unicode form NFC", "3.3.3"),
    row(C16, "out-of-order", [E, E, E], "an element before one that it must follow", "3.4"),
    row(C16, "info-after-signature", [W, W, E], "info after the signature", "3.4"),
    row(C17, "old-version", [E, E, E], "CAP 1.0 or 1.1", "3.4"),
    row(C17, "no-namespace", [E, E, E], "alert without a namespace", "3.4"),
    row(C17, "wrong-namespace", [E, E, E], "alert in another namespace", "3.4"),
    row(C17, "envelope", [E, E, E], "an EDXL-DE or SOAP envelope", "3.4"),
    row(C17, "feed", [E, E, E], "an Atom or RSS feed", "3.4"),
    row(C17, "list", [E, E, E], "a list of alerts", "3.4"),
    row(C17, "wrong-root", [E, E, E], "anything else", "3.4"),
    row(Xml, "xml-syntax", [E, E, E], "not well-formed", "XML 1.0"),
    row(Xml, "xml-version", [E, E, E], "XML other than 1.0", "XML 1.0"),
    row(Xml, "encoding", [E, E, E],
        "bytes that are not UTF-8, nor the ISO-8859-1 or US-ASCII declared", "D43"),
    row(Xml, "empty", [E, E, E], "an empty document", "XML 1.0"),
    row(Security, "doctype", [E, E, E], "a document type declaration", "D44"),
    row(Security, "entity", [E, E, E], "an entity that XML doesn't define", "3.3.3"),
    row(Security, "processing-instruction", [E, E, E], "a processing instruction", "D44"),
    row(Security, "xsi-type", [E, E, E],
        "an attribute that chooses the type by which to read", "D44"),
    row(Security, "prefixed-xmlns", [E, E, E],
        "an attribute x:xmlns, which some read as a namespace", "D44"),
    row(Limit, "too-large", [E, E, E], "more than 4 MiB", "D44"),
    row(Limit, "too-deep", [E, E, E], "more than 16 levels", "D44"),
    row(Limit, "too-many-elements", [E, E, E], "more than 10,000 elements", "D44"),
    row(Limit, "too-many-attributes", [E, E, E],
        "more attributes or prefixes than limits.rs says", "D44"),
    row(Limit, "too-long", [E, E, E], "an attribute or a name of more than 16 KiB", "D44"),
    row(Limit, "too-much-markup", [E, E, E], "more than 100,000 `<` or `=`", "D44"),
    row(Limit, "too-many-infos", [E, E, E], "more than 100 infos", "D44"),
    row(Limit, "too-many-polygons", [E, E, E], "more than 1,000 polygons", "D44"),
    row(Limit, "too-many-circles", [E, E, E], "more than 1,000 circles", "D44"),
    row(Limit, "too-many-points", [E, E, E], "more than 50,000 points", "D44"),
    row(Limit, "too-many-references", [E, E, E], "more than 1,000 references", "D44"),
    row(Limit, "identifier-too-long", [E, E, E],
        "an identifier of more than 255 characters", "D44"),
    row(Limit, "sender-too-long", [E, E, E], "a sender of more than 255 characters", "D44"),
    row(Limit, "more-findings", [W, W, W], "more findings than are shown", "D44"),
    row(Structure, "missing-element", [E, E, E], "a required element is absent", "3.4"),
    row(Structure, "repeated-element", [E, E, E], "an element twice that stands once", "3.4"),
    row(Structure, "unknown-element", [E, E, E], "an element that CAP doesn't have there", "3.4"),
    row(Structure, "foreign-element", [E, E, E], "an element of another namespace", "3.4"),
    row(Structure, "stray-text", [E, E, E], "text between elements", "3.4"),
    row(Structure, "text-only", [E, E, E], "elements where text stands", "3.4"),
    row(Structure, "attribute-not-allowed", [E, E, E], "an attribute", "3.4"),
    row(Structure, "bad-number", [E, E, E], "size, altitude or ceiling that is no number", "3.4"),
    row(Signature, "signature-not-verified", [W, W, N],
        "a signature, which this step doesn't verify", "3.3.4.1"),
    row(Service, "missing-area", [E, W, E], "an Alert or Update without area", "D12"),
    row(Service, "area-without-polygon", [E, W, E],
        "an area with neither polygon nor circle", "D12"),
    row(Service, "empty-area-name", [W, W, E], "a blank areaDesc", "3.2.4"),
    row(File, "unreadable", [E, E, E], "a file that can't be read", "–"),
];
