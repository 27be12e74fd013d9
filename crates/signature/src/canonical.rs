//! A parsed document to its canonical bytes: Canonical XML 1.0 and 1.1 and exclusive canonical XML,
//! all without comments.
//!
//! Complete for what reaches it: the reader refuses document types and processing instructions, and
//! the verifier refuses `xml:` attributes, which are the only thing in which 1.0 and 1.1 differ.
//! The depth of the calls is the document's, which the reader bounds.

use roxmltree::{Attribute, Node};

use crate::algorithms::C14n;

/// The prefix that is bound in every document and never declared.
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The canonical bytes of `apex` and all below it, without the element `omitted`.
pub fn canonicalise(apex: Node<'_, '_>, omitted: Option<Node<'_, '_>>, method: C14n) -> Vec<u8> {
    let source = apex.document().input_text();
    let mut writer = Writer {
        source,
        omitted,
        is_exclusive: method == C14n::Exclusive10,
        rendered: Vec::new(),
        out: String::with_capacity(source.len()),
    };
    writer.element(apex);
    writer.out.into_bytes()
}

struct Writer<'a, 'input> {
    source: &'a str,
    omitted: Option<Node<'a, 'input>>,
    is_exclusive: bool,
    /// Declarations that were written on the way from the apex to here, innermost last.
    rendered: Vec<(&'a str, &'a str)>,
    out: String,
}

impl<'a, 'input: 'a> Writer<'a, 'input> {
    fn element(&mut self, node: Node<'a, 'input>) {
        if self.omitted == Some(node) {
            return;
        }
        let name = qname(&self.source[node.range().start + 1..]);
        let outside = self.rendered.len();
        self.out.extend(["<", name]);
        self.declarations(node, name);
        self.attributes(node);
        self.out.push('>');
        for child in node.children() {
            if child.is_element() {
                self.element(child);
            } else if child.is_text() {
                escape_text(child.text().unwrap_or_default(), &mut self.out);
            }
        }
        self.out.extend(["</", name, ">"]);
        self.rendered.truncate(outside);
    }

    /// Writes the namespace declarations that the nearest written ancestors have not, sorted by
    /// prefix.
    fn declarations(&mut self, node: Node<'a, 'input>, name: &str) {
        let mut declared: Vec<(&str, &str)> = node
            .namespaces()
            .map(|namespace| (namespace.name().unwrap_or(""), namespace.uri()))
            .filter(|(prefix, uri)| *prefix != "xml" && *uri != XML_NAMESPACE)
            .collect();
        if !declared.iter().any(|(prefix, _)| prefix.is_empty()) {
            declared.push(("", ""));
        }
        if self.is_exclusive {
            let used: Vec<&str> = node
                .attributes()
                .filter(|attribute| attribute.namespace().is_some())
                .map(|attribute| prefix(attribute_name(self.source, &attribute)))
                .chain([prefix(name)])
                .collect();
            declared.retain(|(prefix, _)| used.contains(prefix));
        }
        declared.sort_unstable();
        for (prefix, uri) in declared {
            let latest = self.rendered.iter().rev().find(|(p, _)| *p == prefix);
            let current = latest.map(|(_, uri)| *uri);
            let is_needed = match current {
                Some(rendered) => rendered != uri,
                None => !(prefix.is_empty() && uri.is_empty()),
            };
            if !is_needed {
                continue;
            }
            self.out.push_str(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            self.out.extend([prefix, "=\""]);
            escape_value(uri, &mut self.out);
            self.out.push('"');
            self.rendered.push((prefix, uri));
        }
    }

    /// Writes the attributes, sorted by namespace and local name.
    fn attributes(&mut self, node: Node<'a, 'input>) {
        let mut attributes: Vec<Attribute<'_, '_>> = node.attributes().collect();
        attributes.sort_by_key(|a| (a.namespace().unwrap_or(""), a.name()));
        for attribute in attributes {
            let name = attribute_name(self.source, &attribute);
            self.out.extend([" ", name, "=\""]);
            escape_value(attribute.value(), &mut self.out);
            self.out.push('"');
        }
    }
}

/// The name with its prefix, as it is written.
fn attribute_name<'s>(source: &'s str, attribute: &Attribute<'_, '_>) -> &'s str {
    qname(&source[attribute.range().start..])
}

/// A name ends where white space, `=`, `/` or `>` begins.
fn qname(text: &str) -> &str {
    let end = text.find([' ', '\t', '\n', '\r', '=', '/', '>']);
    &text[..end.unwrap_or(text.len())]
}

fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn escape_text(text: &str, out: &mut String) {
    for piece in text.split_inclusive(['&', '<', '>', '\r']) {
        let (plain, special) = split_last(piece, ['&', '<', '>', '\r']);
        out.push_str(plain);
        out.push_str(match special {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some(_) => "&#xD;",
            None => "",
        });
    }
}

fn escape_value(text: &str, out: &mut String) {
    const SPECIAL: [char; 6] = ['&', '<', '"', '\t', '\n', '\r'];
    for piece in text.split_inclusive(SPECIAL) {
        let (plain, special) = split_last(piece, SPECIAL);
        out.push_str(plain);
        out.push_str(match special {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('"') => "&quot;",
            Some('\t') => "&#x9;",
            Some('\n') => "&#xA;",
            Some(_) => "&#xD;",
            None => "",
        });
    }
}

/// The piece without its last character where that is one of `special`, and that character.
fn split_last<const N: usize>(piece: &str, special: [char; N]) -> (&str, Option<char>) {
    let last = piece.chars().next_back().filter(|c| special.contains(c));
    (&piece[..piece.len() - last.map_or(0, char::len_utf8)], last)
}
