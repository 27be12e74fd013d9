//! Whether a document has the structure of CAP 1.2: the same verdict as a schema validator's, in
//! words that a sender understands and with the path of every fault.
//!
//! Stricter than the schema in two places only: the root must be `alert` (the schema would also
//! take a bare `value`), and `xsi:type` is refused, which changes the rules by which an element is
//! read. Schema hints (`xsi:schemaLocation`) are allowed and never followed. With the scan's
//! refusal of document types and processing instructions these are all the differences;
//! `tests/oracle.rs` looks for others in thousands of damaged documents.
//!
//! `xs:string` and enumerations are compared as they stand; dates, numbers, languages and addresses
//! without the white space around them. An empty `language` means its default. Comments and CDATA
//! do not split a value.
//!
//! Laxer in one place: an `info` after the signature is a warning. The schema forbids it, but the
//! most used validator (libxml2) takes it, and nothing is read differently for it.
//!
//! An XML signature may end an `alert`; its content is not looked into, except that whole CAP
//! elements inside it must be in order, as the schema says (`processContents="lax"`).

mod root;
mod table;
mod values;

use std::borrow::Cow;
use std::fmt::Write as _;

use roxmltree::Node;

use crate::date::{DateTime, XML_SPACE};
use crate::finding::{Finding, Findings, shown};
use crate::scan::Scan;
use table::{ALERT, Element, Holds, XSI};
pub(crate) use table::{CAP_1_2, XML_DSIG};
pub(crate) use values::is_decimal;

/// Checks a whole document and reports every fault that it finds.
pub(crate) fn check(root: Node<'_, '_>, scan: &Scan, findings: &mut Findings) {
    if let Some(finding) = root::refuse(root) {
        findings.push(finding.at(root.range().start));
        return;
    }
    let mut walk = Walk {
        scan,
        findings,
        path: vec![Step {
            name: "alert".into(),
            number: None,
            offset: root.range().start,
        }],
    };
    walk.element(root, ALERT);
}

/// The text of an element: all its text and CDATA, without comments.
pub(crate) fn text_of<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut pieces = node
        .children()
        .filter(Node::is_text)
        .filter_map(|n| n.text());
    let first = pieces.next().unwrap_or_default();
    match pieces.next() {
        None => Cow::Borrowed(first),
        Some(second) => Cow::Owned([first, second].into_iter().chain(pieces).collect()),
    }
}

/// One step of a path: `area`, `area[2]`.
struct Step {
    name: Cow<'static, str>,
    number: Option<usize>,
    /// Byte offset of the element or attribute; of the parent, where the element is absent.
    offset: usize,
}

struct Walk<'w> {
    scan: &'w Scan,
    findings: &'w mut Findings,
    path: Vec<Step>,
}

/// Where the walk through one parent's children stands.
#[derive(Default)]
struct Sequence {
    /// How many of each element of the parent's list there have been.
    counts: Vec<usize>,
    /// Index of the furthest element of the list.
    furthest: usize,
    /// Signatures so far; nothing else may follow one.
    signatures: usize,
    /// Elements so far that the list does not have.
    strangers: usize,
}

impl Walk<'_> {
    fn error(&mut self, code: &'static str, message: impl Into<String>) {
        let finding = Finding::error(code, self.path(), message).at(self.offset());
        self.findings.push(finding);
    }

    /// Where the walk is.
    fn offset(&self) -> usize {
        self.path.last().map_or(0, |step| step.offset)
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&step.name);
            if let Some(number) = step.number {
                write!(path, "[{number}]").expect("writing to a string can't fail");
            }
        }
        path
    }

    /// Runs `inside` with the path one step deeper, at a byte of the document.
    fn at(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        number: Option<usize>,
        offset: usize,
        inside: impl FnOnce(&mut Self),
    ) {
        self.path.push(Step {
            name: name.into(),
            number,
            offset,
        });
        inside(self);
        self.path.pop();
    }

    /// The name of the element at which the walk is.
    fn name(&self) -> String {
        self.path
            .last()
            .map(|step| step.name.to_string())
            .unwrap_or_default()
    }

    /// One element of CAP 1.2 and everything below it. The depth of the calls is that of the
    /// document, which the scan has bounded.
    fn element(&mut self, node: Node<'_, '_>, holds: Holds) {
        if self.findings.is_full() {
            return;
        }
        self.attributes(node);
        match holds {
            Holds::Elements(list) => self.children(node, list, false),
            Holds::ElementsThenSignatures(list) => self.children(node, list, true),
            _ => self.value(node, holds),
        }
    }

    fn attributes(&mut self, node: Node<'_, '_>) {
        for attribute in node.attributes() {
            let is_xsi = attribute.namespace() == Some(XSI);
            let name = attribute.name();
            if is_xsi && matches!(name, "schemaLocation" | "noNamespaceSchemaLocation") {
                continue;
            }
            let (code, message) = if is_xsi && name == "type" {
                (
                    "xsi-type",
                    "`xsi:type` is not allowed; remove it".to_owned(),
                )
            } else {
                let message = format!("CAP 1.2 has no attributes; remove `{}`", shown(name));
                ("attribute-not-allowed", message)
            };
            let offset = attribute.range().start;
            self.at(format!("@{}", shown(name)), None, offset, |walk| {
                walk.error(code, message);
            });
        }
    }

    fn children(&mut self, node: Node<'_, '_>, list: &'static [Element], may_be_signed: bool) {
        self.stray_text(node);
        let mut sequence = Sequence {
            counts: vec![0; list.len()],
            ..Sequence::default()
        };
        for child in node.children().filter(Node::is_element) {
            if self.findings.is_full() {
                return;
            }
            let name = child.tag_name().name();
            let namespace = child.tag_name().namespace().unwrap_or_default();
            let offset = child.range().start;
            if may_be_signed && namespace == XML_DSIG {
                sequence.signatures += 1;
                self.at(shown(name), Some(sequence.signatures), offset, |walk| {
                    walk.signature(child);
                });
            } else if namespace != CAP_1_2 {
                sequence.strangers += 1;
                let number = Some(sequence.strangers);
                self.at(shown(name), number, offset, |walk| {
                    walk.foreign(name, namespace);
                });
            } else if let Some(index) = list.iter().position(|element| element.name == name) {
                self.known(child, list, index, &mut sequence);
            } else {
                sequence.strangers += 1;
                let parent = self.name();
                let number = Some(sequence.strangers);
                self.at(shown(name), number, offset, |walk| {
                    walk.unknown(name, &parent);
                });
            }
        }
        for (element, count) in list.iter().zip(&sequence.counts) {
            if element.occurs.is_required() && *count == 0 {
                let message = format!("`{}` must have `{}`", self.name(), element.name);
                self.at(element.name, None, self.offset(), |walk| {
                    walk.error("missing-element", message);
                });
            }
        }
    }

    /// A child that the list has, at its place or not.
    fn known(
        &mut self,
        child: Node<'_, '_>,
        list: &'static [Element],
        index: usize,
        sequence: &mut Sequence,
    ) {
        let element = &list[index];
        sequence.counts[index] += 1;
        let number = sequence.counts[index];
        let follows_signature = sequence.signatures > 0;
        let fault = if number > 1 && !element.occurs.may_repeat() {
            let message = format!("`{}` may stand only once here", element.name);
            Some(("repeated-element", message))
        } else if index < sequence.furthest {
            let after = list[sequence.furthest].name;
            let message = format!("`{}` must stand before `{after}`", element.name);
            Some(("out-of-order", message))
        } else if follows_signature && element.name != "info" {
            let message = format!("`{}` must stand before the signature", element.name);
            Some(("out-of-order", message))
        } else {
            None
        };
        sequence.furthest = sequence.furthest.max(index);
        let is_numbered = element.occurs.may_repeat() || number > 1;
        let offset = child.range().start;
        self.at(
            element.name,
            is_numbered.then_some(number),
            offset,
            |walk| {
                if let Some((code, message)) = fault {
                    walk.error(code, message);
                } else if follows_signature {
                    let (path, message) = (walk.path(), "should stand before the signature");
                    let finding = Finding::warning("info-after-signature", path, message);
                    walk.findings.push(finding.at(offset));
                }
                walk.element(child, element.holds);
            },
        );
    }

    fn foreign(&mut self, name: &str, namespace: &str) {
        let from = match namespace {
            "" => "no namespace".to_owned(),
            XML_DSIG => "the namespace of signatures".to_owned(),
            other => format!("the namespace {}", shown(other)),
        };
        let name = shown(name);
        let message = format!("`{name}` has {from}; only elements of CAP 1.2 may stand here");
        self.error("foreign-element", message);
    }

    fn unknown(&mut self, name: &str, parent: &str) {
        let places = table::parents_of(name);
        let name = shown(name);
        let message = if places.is_empty() {
            format!("CAP 1.2 has no element `{name}`")
        } else {
            format!(
                "`{name}` does not belong in `{parent}`; its place is {}",
                places.join(" or ")
            )
        };
        self.error("unknown-element", message);
    }

    fn stray_text(&mut self, node: Node<'_, '_>) {
        let is_blank = |text: &str| text.chars().all(|c| XML_SPACE.contains(&c));
        let texts = node
            .children()
            .filter(Node::is_text)
            .filter_map(|n| n.text());
        if let Some(text) = texts.into_iter().find(|text| !is_blank(text)) {
            let text = shown(text.trim_matches(XML_SPACE));
            let message = format!("`{}` may hold only elements, but has “{text}”", self.name());
            self.error("stray-text", message);
        } else if self.scan.holds_cdata(node.range().start) {
            let message = format!("`{}` may hold only elements, but has CDATA", self.name());
            self.error("stray-text", message);
        }
    }

    fn value(&mut self, node: Node<'_, '_>, holds: Holds) {
        if let Some(child) = node.children().find(Node::is_element) {
            let (name, child) = (self.name(), shown(child.tag_name().name()));
            let message = format!("`{name}` may hold only text, but has `{child}`");
            self.error("text-only", message);
            return;
        }
        let text = text_of(node);
        let start = node.range().start;
        let is_default = |text: &str| text.is_empty() && !self.scan.holds_cdata(start);
        let fault = match holds {
            Holds::Word(words) if !words.contains(&text.as_ref()) => {
                Some(("wrong-word", wrong_word(&text, words)))
            }
            Holds::Date => DateTime::parse(&text)
                .err()
                .map(|fault| ("bad-date", format!("“{}” {}", shown(&text), fault.advice()))),
            Holds::Language if !is_default(&text) && !values::is_language(&text) => {
                let text = shown(&text);
                Some((
                    "bad-language",
                    format!("“{text}” is no language tag such as en-GB"),
                ))
            }
            Holds::Integer if !values::is_integer(&text) => Some((
                "bad-number",
                format!("“{}” is no whole number", shown(&text)),
            )),
            Holds::Decimal if !values::is_decimal(&text) => Some((
                "bad-number",
                format!("“{}” is no decimal number", shown(&text)),
            )),
            Holds::Uri if !values::is_uri(&text) => {
                Some(("bad-uri", format!("“{}” is no address (URI)", shown(&text))))
            }
            _ => None,
        };
        if let Some((code, message)) = fault {
            self.error(code, message);
        }
    }

    /// What stands in the namespace of signatures, and everything below it: nothing is required
    /// of it, but CAP elements inside are checked and `xsi:type` is refused.
    fn signature(&mut self, node: Node<'_, '_>) {
        if node.attribute((XSI, "type")).is_some() {
            self.error("xsi-type", "`xsi:type` is not allowed; remove it");
        }
        for child in node.children().filter(Node::is_element) {
            let name = child.tag_name().name();
            let is_cap = child.tag_name().namespace() == Some(CAP_1_2);
            let holds = if is_cap { table::global(name) } else { None };
            self.at(shown(name), None, child.range().start, |walk| match holds {
                Some(holds) => walk.element(child, holds),
                None => walk.signature(child),
            });
        }
    }
}

fn wrong_word(text: &str, words: &[&str]) -> String {
    let trimmed = text.trim();
    let meant = words.iter().find(|word| word.eq_ignore_ascii_case(trimmed));
    let text = shown(text);
    match meant {
        _ if trimmed == "Very Likely" => {
            "“Very Likely” is a word of CAP 1.0; write Likely".to_owned()
        }
        Some(word) => format!("“{text}” must be written exactly as {word}"),
        None => format!("“{text}” is not one of {}", words.join(", ")),
    }
}
