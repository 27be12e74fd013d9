//! The structure of a CAP 1.2 message, as its schema says it: which elements stand where, how
//! often, and what they hold. The order of a list is the order in the document (`xs:sequence`).

use crate::alert::{Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency};

/// The namespace of CAP 1.2.
pub(crate) const CAP_1_2: &str = "urn:oasis:names:tc:emergency:cap:1.2";
/// The namespace of XML signatures, which may end an `alert`.
pub(crate) const XML_DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The namespace of hints for schema validators.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// One element of the table.
pub(crate) struct Element {
    pub name: &'static str,
    pub occurs: Occurs,
    pub holds: Holds,
}

/// How often an element stands in its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurs {
    Once,
    AtMostOnce,
    OnceOrMore,
    AnyNumber,
}

impl Occurs {
    pub fn is_required(self) -> bool {
        matches!(self, Self::Once | Self::OnceOrMore)
    }

    pub fn may_repeat(self) -> bool {
        matches!(self, Self::OnceOrMore | Self::AnyNumber)
    }
}

/// What an element holds.
#[derive(Clone, Copy)]
pub(crate) enum Holds {
    /// Any text.
    Text,
    /// One of these words, exactly.
    Word(&'static [&'static str]),
    /// A date with a zone.
    Date,
    /// A language tag; an empty element means `en-US`.
    Language,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// An address.
    Uri,
    /// These elements, in this order, and white space.
    Elements(&'static [Element]),
    /// These elements, in this order, then any number of XML signatures.
    ElementsThenSignatures(&'static [Element]),
}

const fn once(name: &'static str, holds: Holds) -> Element {
    Element {
        name,
        occurs: Occurs::Once,
        holds,
    }
}

const fn at_most_once(name: &'static str, holds: Holds) -> Element {
    Element {
        name,
        occurs: Occurs::AtMostOnce,
        holds,
    }
}

const fn once_or_more(name: &'static str, holds: Holds) -> Element {
    Element {
        name,
        occurs: Occurs::OnceOrMore,
        holds,
    }
}

const fn any_number(name: &'static str, holds: Holds) -> Element {
    Element {
        name,
        occurs: Occurs::AnyNumber,
        holds,
    }
}

use Holds::{Date, Decimal, Elements, ElementsThenSignatures, Integer, Language, Text, Uri, Word};

/// What `alert`, the root, holds.
pub(crate) const ALERT: Holds = ElementsThenSignatures(&[
    once("identifier", Text),
    once("sender", Text),
    once("sent", Date),
    once("status", Word(Status::WORDS)),
    once("msgType", Word(MsgType::WORDS)),
    at_most_once("source", Text),
    once("scope", Word(Scope::WORDS)),
    at_most_once("restriction", Text),
    at_most_once("addresses", Text),
    any_number("code", Text),
    at_most_once("note", Text),
    at_most_once("references", Text),
    at_most_once("incidents", Text),
    any_number("info", INFO),
]);

const INFO: Holds = Elements(&[
    at_most_once("language", Language),
    once_or_more("category", Word(Category::WORDS)),
    once("event", Text),
    any_number("responseType", Word(ResponseType::WORDS)),
    once("urgency", Word(Urgency::WORDS)),
    once("severity", Word(Severity::WORDS)),
    once("certainty", Word(Certainty::WORDS)),
    at_most_once("audience", Text),
    any_number("eventCode", NAMED_VALUE),
    at_most_once("effective", Date),
    at_most_once("onset", Date),
    at_most_once("expires", Date),
    at_most_once("senderName", Text),
    at_most_once("headline", Text),
    at_most_once("description", Text),
    at_most_once("instruction", Text),
    at_most_once("web", Uri),
    at_most_once("contact", Text),
    any_number("parameter", NAMED_VALUE),
    any_number("resource", RESOURCE),
    any_number("area", AREA),
]);

const RESOURCE: Holds = Elements(&[
    once("resourceDesc", Text),
    once("mimeType", Text),
    at_most_once("size", Integer),
    at_most_once("uri", Uri),
    at_most_once("derefUri", Text),
    at_most_once("digest", Text),
]);

const AREA: Holds = Elements(&[
    once("areaDesc", Text),
    any_number("polygon", Text),
    any_number("circle", Text),
    any_number("geocode", NAMED_VALUE),
    at_most_once("altitude", Decimal),
    at_most_once("ceiling", Decimal),
]);

const NAMED_VALUE: Holds = Elements(&[once("valueName", Text), once("value", Text)]);

/// What the schema's global elements hold: `alert`, and the two that it declares globally only to
/// refer to them. Inside a signature these three are still checked, the rest is not.
pub(crate) fn global(name: &str) -> Option<Holds> {
    match name {
        "alert" => Some(ALERT),
        "valueName" | "value" => Some(Text),
        _ => None,
    }
}

/// The parents in which CAP 1.2 has an element of this name, for advice.
pub(crate) fn parents_of(name: &str) -> Vec<&'static str> {
    let tables = [
        ("alert", ALERT),
        ("info", INFO),
        ("resource", RESOURCE),
        ("area", AREA),
        ("eventCode, parameter or geocode", NAMED_VALUE),
    ];
    let holds_it = |holds: Holds| match holds {
        Elements(list) | ElementsThenSignatures(list) => list.iter().any(|e| e.name == name),
        _ => false,
    };
    tables
        .into_iter()
        .filter(|(_, holds)| holds_it(*holds))
        .map(|(parent, _)| parent)
        .collect()
}
