//! From the parsed tree to [`Alert`]. Runs only on documents that passed the structure step, which
//! is why the `expect`s here can't fire.

use roxmltree::Node;

use super::{Alert, Area, Info, NamedValue, Resource, Signature};
use crate::date::{DateTime, XML_SPACE};
use crate::structure::{XML_DSIG, text_of};

/// The typed message of a document whose structure is right.
pub(crate) fn build(root: Node<'_, '_>) -> Alert {
    Alert {
        identifier: required(root, "identifier"),
        sender: required(root, "sender"),
        sent: date(root, "sent").expect("the structure requires a date here"),
        status: word(root, "status", super::Status::from_word),
        msg_type: word(root, "msgType", super::MsgType::from_word),
        source: optional(root, "source"),
        scope: word(root, "scope", super::Scope::from_word),
        restriction: optional(root, "restriction"),
        addresses: optional(root, "addresses"),
        codes: all(root, "code", text),
        note: optional(root, "note"),
        references: optional(root, "references"),
        incidents: optional(root, "incidents"),
        infos: all(root, "info", info),
        signatures: elements(root)
            .filter(|node| node.tag_name().namespace() == Some(XML_DSIG))
            .map(|node| Signature {
                xml: node.document().input_text()[node.range()].to_owned(),
            })
            .collect(),
    }
}

fn info(node: Node<'_, '_>) -> Info {
    Info {
        language: optional(node, "language").map(|tag| tag.trim_matches(XML_SPACE).to_owned()),
        categories: words(node, "category", super::Category::from_word),
        event: required(node, "event"),
        response_types: words(node, "responseType", super::ResponseType::from_word),
        urgency: word(node, "urgency", super::Urgency::from_word),
        severity: word(node, "severity", super::Severity::from_word),
        certainty: word(node, "certainty", super::Certainty::from_word),
        audience: optional(node, "audience"),
        event_codes: all(node, "eventCode", named_value),
        effective: date(node, "effective"),
        onset: date(node, "onset"),
        expires: date(node, "expires"),
        sender_name: optional(node, "senderName"),
        headline: optional(node, "headline"),
        description: optional(node, "description"),
        instruction: optional(node, "instruction"),
        web: optional(node, "web"),
        contact: optional(node, "contact"),
        parameters: all(node, "parameter", named_value),
        resources: all(node, "resource", resource),
        areas: all(node, "area", area),
    }
}

fn resource(node: Node<'_, '_>) -> Resource {
    Resource {
        description: required(node, "resourceDesc"),
        mime_type: required(node, "mimeType"),
        size: optional(node, "size"),
        uri: optional(node, "uri"),
        deref_uri: optional(node, "derefUri"),
        digest: optional(node, "digest"),
    }
}

fn area(node: Node<'_, '_>) -> Area {
    Area {
        description: required(node, "areaDesc"),
        polygons: all(node, "polygon", text),
        circles: all(node, "circle", text),
        geocodes: all(node, "geocode", named_value),
        altitude: optional(node, "altitude"),
        ceiling: optional(node, "ceiling"),
    }
}

fn named_value(node: Node<'_, '_>) -> NamedValue {
    NamedValue {
        name: required(node, "valueName"),
        value: required(node, "value"),
    }
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The children of this name that are CAP's own; a signature's elements are not.
fn named<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    let namespace = node.tag_name().namespace();
    elements(node).filter(move |child| {
        child.tag_name().name() == name && child.tag_name().namespace() == namespace
    })
}

fn all<T>(node: Node<'_, '_>, name: &'static str, read: fn(Node<'_, '_>) -> T) -> Vec<T> {
    named(node, name).map(read).collect()
}

fn text(node: Node<'_, '_>) -> String {
    text_of(node).into_owned()
}

fn optional(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    named(node, name).next().map(text)
}

fn required(node: Node<'_, '_>, name: &'static str) -> String {
    optional(node, name).expect("the structure requires this element")
}

fn date(node: Node<'_, '_>, name: &'static str) -> Option<DateTime> {
    optional(node, name)
        .map(|text| DateTime::parse(&text).expect("the structure admits dates only"))
}

fn words<T>(node: Node<'_, '_>, name: &'static str, read: fn(&str) -> Option<T>) -> Vec<T> {
    named(node, name)
        .map(|child| read(&text_of(child)).expect("the structure admits only the table's words"))
        .collect()
}

fn word<T>(node: Node<'_, '_>, name: &'static str, read: fn(&str) -> Option<T>) -> T {
    words(node, name, read)
        .into_iter()
        .next()
        .expect("the structure requires this element")
}
