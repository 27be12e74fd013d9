//! From the parsed tree to [`Alert`]. Runs only on documents that passed the structure step, which
//! is why the `expect`s here can't fire.

use roxmltree::Node;

use super::{Alert, Area, Info, NamedValue, Resource, Signature};
use crate::date::{DateTime, XML_SPACE};
use crate::structure::{XML_DSIG, text_of};

/// The typed message of a document whose structure is right.
pub(crate) fn build(root: Node<'_, '_>) -> Alert {
    let own = &mut Own::of(root);
    Alert {
        identifier: required(own, "identifier"),
        sender: required(own, "sender"),
        sent: date(own, "sent").expect("the structure requires a date here"),
        status: word(own, "status", super::Status::from_word),
        msg_type: word(own, "msgType", super::MsgType::from_word),
        source: optional(own, "source"),
        scope: word(own, "scope", super::Scope::from_word),
        restriction: optional(own, "restriction"),
        addresses: optional(own, "addresses"),
        codes: all(own, "code", text),
        note: optional(own, "note"),
        references: optional(own, "references"),
        incidents: optional(own, "incidents"),
        infos: all(own, "info", info),
        signatures: elements(root)
            .filter(|node| node.tag_name().namespace() == Some(XML_DSIG))
            .map(|node| Signature {
                xml: node.document().input_text()[node.range()].to_owned(),
            })
            .collect(),
    }
}

fn info(node: Node<'_, '_>) -> Info {
    let own = &mut Own::of(node);
    Info {
        language: optional(own, "language").map(|tag| tag.trim_matches(XML_SPACE).to_owned()),
        categories: words(own, "category", super::Category::from_word),
        event: required(own, "event"),
        response_types: words(own, "responseType", super::ResponseType::from_word),
        urgency: word(own, "urgency", super::Urgency::from_word),
        severity: word(own, "severity", super::Severity::from_word),
        certainty: word(own, "certainty", super::Certainty::from_word),
        audience: optional(own, "audience"),
        event_codes: all(own, "eventCode", named_value),
        effective: date(own, "effective"),
        onset: date(own, "onset"),
        expires: date(own, "expires"),
        sender_name: optional(own, "senderName"),
        headline: optional(own, "headline"),
        description: optional(own, "description"),
        instruction: optional(own, "instruction"),
        web: optional(own, "web"),
        contact: optional(own, "contact"),
        parameters: all(own, "parameter", named_value),
        resources: all(own, "resource", resource),
        areas: all(own, "area", area),
    }
}

fn resource(node: Node<'_, '_>) -> Resource {
    let own = &mut Own::of(node);
    Resource {
        description: required(own, "resourceDesc"),
        mime_type: required(own, "mimeType"),
        size: optional(own, "size"),
        uri: optional(own, "uri"),
        deref_uri: optional(own, "derefUri"),
        digest: optional(own, "digest"),
    }
}

fn area(node: Node<'_, '_>) -> Area {
    let own = &mut Own::of(node);
    Area {
        description: required(own, "areaDesc"),
        polygons: all(own, "polygon", text),
        circles: all(own, "circle", text),
        geocodes: all(own, "geocode", named_value),
        altitude: optional(own, "altitude"),
        ceiling: optional(own, "ceiling"),
    }
}

fn named_value(node: Node<'_, '_>) -> NamedValue {
    let own = &mut Own::of(node);
    NamedValue {
        name: required(own, "valueName"),
        value: required(own, "value"),
    }
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The children of an element that are CAP's own; a signature's elements are not. They are taken
/// in the order of the schema, which the structure step has seen to, so one pass finds them all.
struct Own<'a, 'input> {
    next: Option<Node<'a, 'input>>,
    namespace: Option<&'a str>,
}

impl<'a, 'input> Own<'a, 'input> {
    fn of(node: Node<'a, 'input>) -> Self {
        let mut own = Self {
            next: node.first_element_child(),
            namespace: node.tag_name().namespace(),
        };
        own.skip_others();
        own
    }

    /// The next child, if it has this name.
    fn take(&mut self, name: &str) -> Option<Node<'a, 'input>> {
        let child = self.next.filter(|child| child.tag_name().name() == name)?;
        self.next = child.next_sibling_element();
        self.skip_others();
        Some(child)
    }

    fn skip_others(&mut self) {
        while let Some(child) = self.next
            && child.tag_name().namespace() != self.namespace
        {
            self.next = child.next_sibling_element();
        }
    }
}

fn all<T>(own: &mut Own<'_, '_>, name: &str, read: fn(Node<'_, '_>) -> T) -> Vec<T> {
    std::iter::from_fn(|| own.take(name)).map(read).collect()
}

fn text(node: Node<'_, '_>) -> String {
    text_of(node).into_owned()
}

fn optional(own: &mut Own<'_, '_>, name: &str) -> Option<String> {
    own.take(name).map(text)
}

fn required(own: &mut Own<'_, '_>, name: &str) -> String {
    optional(own, name).expect("the structure requires this element")
}

fn date(own: &mut Own<'_, '_>, name: &str) -> Option<DateTime> {
    let text = own.take(name).map(text_of)?;
    Some(DateTime::parse(&text).expect("the structure admits dates only"))
}

fn words<T>(own: &mut Own<'_, '_>, name: &str, read: fn(&str) -> Option<T>) -> Vec<T> {
    std::iter::from_fn(|| own.take(name))
        .map(|child| read(&text_of(child)).expect("the structure admits only the table's words"))
        .collect()
}

fn word<T>(own: &mut Own<'_, '_>, name: &str, read: fn(&str) -> Option<T>) -> T {
    let child = own.take(name).expect("the structure requires this element");
    read(&text_of(child)).expect("the structure admits only the table's words")
}
