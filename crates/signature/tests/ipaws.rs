//! Documents that another authority signed verify as they stand, and no change of them does.
//!
//! They are read from the folder of shared material; where it is missing the same changes are made
//! to documents of our own.

mod support;

use balefire_cap::alert::Alert;
use balefire_signature::{Certificate, verify};
use roxmltree::Node;
use support::{RSA, brought, ipaws, signed};

/// Damaged copies of one document, at most, of each kind.
const COPIES_MAX: usize = 100;
/// The same for a document of half a megabyte.
const LARGE_COPIES_MAX: usize = 3;

struct Case {
    name: String,
    text: String,
    trusted: Certificate,
    alert: Alert,
}

impl Case {
    fn copies(&self) -> usize {
        if self.text.len() > 100_000 {
            LARGE_COPIES_MAX
        } else {
            COPIES_MAX
        }
    }

    /// Fails where the damaged document verifies.
    fn refuses(&self, damaged: &str, what: &str) {
        if damaged == self.text {
            return;
        }
        let verdict = verify(damaged.as_bytes(), std::slice::from_ref(&self.trusted));
        assert!(verdict.is_err(), "{}: {what} and it verifies", self.name);
    }

    fn with(&self, range: std::ops::Range<usize>, new: &str) -> String {
        format!(
            "{}{new}{}",
            &self.text[..range.start],
            &self.text[range.end..]
        )
    }
}

fn unsigned(mut alert: Alert) -> Alert {
    alert.signatures.clear();
    alert
}

fn cases() -> Vec<Case> {
    let mut cases = vec![("our own".to_owned(), signed(), RSA.certificates().remove(0))];
    for (name, text) in ipaws() {
        // The reader makes one line end of every kind, and the places below are those of the tree.
        let text = text.replace("\r\n", "\n");
        let trusted = brought(&text);
        cases.push((name, text, trusted));
    }
    cases
        .into_iter()
        .map(|(name, text, trusted)| {
            let verified = verify(text.as_bytes(), std::slice::from_ref(&trusted));
            let verified = verified.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            assert_eq!(verified.signer, trusted, "{name}");
            let alert = unsigned(verified.document.alert);
            Case {
                name,
                text,
                trusted,
                alert,
            }
        })
        .collect()
}

/// Where a document stands behind its XML declaration, and its tree.
fn look<T>(text: &str, look: impl FnOnce(&str, usize, Node<'_, '_>) -> T) -> T {
    let start = text.find("<alert").expect("a root");
    let body = &text[start..];
    let tree = roxmltree::Document::parse(body).expect("it is XML");
    look(body, start, tree.root_element())
}

fn is_in_signature(node: Node<'_, '_>) -> bool {
    node.ancestors().any(|n| n.tag_name().name() == "Signature")
}

fn is_in_key_info(node: Node<'_, '_>) -> bool {
    node.ancestors().any(|n| n.tag_name().name() == "KeyInfo")
}

/// About so many of them, evenly.
fn some<T>(all: Vec<T>, max: usize) -> impl Iterator<Item = T> {
    let step = all.len().div_ceil(max).max(1);
    all.into_iter().step_by(step)
}

fn other_character(c: char) -> char {
    match c {
        'A' => 'B',
        '0' => '1',
        c if c.is_ascii_digit() => '0',
        _ => 'A',
    }
}

#[test]
fn five_documents_of_another_authority_verify_as_they_stand() {
    let found = ipaws();
    assert!(found.is_empty() || found.len() == 5);
    if found.is_empty() {
        println!("the shared documents are not here; our own stands alone");
    }
    for (name, text) in found {
        let verified = verify(text.as_bytes(), &[brought(&text)]);
        assert!(
            verified.is_ok(),
            "{name}: {}",
            verified.expect_err("it is one")
        );
        let stranger = verify(text.as_bytes(), &RSA.certificates());
        assert!(stranger.is_err(), "{name}");
    }
}

#[test]
fn no_text_and_no_attribute_can_be_changed() {
    for case in cases() {
        let places = look(&case.text, |_, start, root| {
            let mut places = Vec::new();
            for node in root.descendants().filter(|n| !is_in_key_info(*n)) {
                if node.is_text() {
                    places.push((start + node.range().start, start + node.range().end));
                }
                for attribute in node.attributes() {
                    let range = attribute.range_value();
                    places.push((start + range.start, start + range.end));
                }
            }
            places
        });
        for (from, to) in some(places, case.copies() * 3) {
            let old = &case.text[from..to];
            let mut chars = old.chars();
            let first = chars.next().unwrap_or_default();
            let damaged = if old.is_empty() {
                case.with(from..to, "x")
            } else if first == '&' {
                case.with(from..from + old.find(';').expect("a reference") + 1, "A")
            } else {
                let changed = other_character(first);
                case.with(from..from + first.len_utf8(), &changed.to_string())
            };
            case.refuses(&damaged, &format!("{old:.20} is changed"));
            case.refuses(&case.with(to..to, "A"), &format!("{old:.20} is longer"));
            case.refuses(&case.with(from..to, ""), &format!("{old:.20} is gone"));
        }
    }
}

#[test]
fn no_element_can_be_dropped_doubled_moved_or_renamed() {
    for case in cases() {
        let places = look(&case.text, |_, start, root| {
            let elements = root.descendants().filter(|n| n.is_element() && *n != root);
            let inside = elements.filter(|n| !is_in_key_info(*n));
            let range = |n: Node<'_, '_>| {
                let next = n
                    .next_sibling_element()
                    .map(|n| (start + n.range().start, start + n.range().end));
                (
                    start + n.range().start,
                    start + n.range().end,
                    n.tag_name().name().to_owned(),
                    next,
                )
            };
            inside.map(range).collect::<Vec<_>>()
        });
        for (from, to, name, next) in some(places, case.copies()) {
            let element = &case.text[from..to];
            case.refuses(&case.with(from..to, ""), &format!("{name} is gone"));
            case.refuses(&case.with(to..to, element), &format!("{name} stands twice"));
            let renamed = element.replace(&name, "other");
            case.refuses(
                &case.with(from..to, &renamed),
                &format!("{name} has another name"),
            );
            if let Some((next_from, next_to)) = next
                && case.text[next_from..next_to] != *element
            {
                let between = &case.text[to..next_from];
                let swapped = format!("{}{between}{element}", &case.text[next_from..next_to]);
                case.refuses(
                    &case.with(from..next_to, &swapped),
                    &format!("{name} moved"),
                );
            }
            let wrapped = format!("<info>{element}</info>");
            case.refuses(
                &case.with(from..to, &wrapped),
                &format!("{name} is wrapped"),
            );
        }
    }
}

#[test]
fn the_signature_can_be_neither_moved_nor_doubled_nor_dropped() {
    for case in cases() {
        let (from, to, places) = look(&case.text, |_, start, root| {
            let signature = root.last_element_child().expect("the signature");
            let range = signature.range();
            let elements = root
                .descendants()
                .filter(|n| n.is_element() && !is_in_signature(*n));
            let places: Vec<usize> = elements
                .flat_map(|n| [n.range().start, n.range().end])
                .map(|at| start + at)
                .filter(|at| *at < start + range.start)
                .collect();
            (start + range.start, start + range.end, places)
        });
        let signature = &case.text[from..to];
        let rest = &case.text[to..];
        case.refuses(&case.with(from..to, ""), "the signature is gone");
        case.refuses(&case.with(to..to, signature), "the signature stands twice");
        case.refuses(
            &format!("{}{signature}", case.with(from..to, "")),
            "it is outside",
        );
        for at in some(places, case.copies()) {
            if case.text[at..from].trim().is_empty() {
                continue;
            }
            let moved = format!(
                "{}{signature}{}{rest}",
                &case.text[..at],
                &case.text[at..from]
            );
            case.refuses(&moved, "the signature is elsewhere");
            let doubled = format!("{}{signature}{}", &case.text[..at], &case.text[at..]);
            case.refuses(&doubled, "there are two signatures");
        }
    }
}

#[test]
fn no_character_of_the_signature_value_or_of_signed_info_can_be_changed() {
    for case in cases() {
        for element in ["SignatureValue", "SignedInfo"] {
            let (from, to) = look(&case.text, |_, start, root| {
                let is_it = |n: &Node<'_, '_>| n.tag_name().name() == element;
                let range = root.descendants().find(is_it).expect("it").range();
                (start + range.start, start + range.end)
            });
            let characters: Vec<(usize, char)> = case.text[from..to]
                .char_indices()
                .map(|(at, c)| (from + at, c))
                .collect();
            for (at, c) in some(characters, case.copies() * 3) {
                if c.is_whitespace() {
                    continue;
                }
                let changed = other_character(c).to_string();
                case.refuses(
                    &case.with(at..at + 1, &changed),
                    &format!("{c} in {element}"),
                );
                case.refuses(&case.with(at..at + 1, ""), &format!("no {c} in {element}"));
            }
        }
    }
}

#[test]
fn no_byte_changes_what_is_read_from_a_document_that_verifies() {
    for case in cases() {
        let places: Vec<(usize, char)> = case.text.char_indices().collect();
        let mut without_effect = 0;
        for (at, c) in some(places, case.copies() * 4) {
            for new in [' ', 'A', '<', '"'] {
                let damaged = case.with(at..at + c.len_utf8(), &new.to_string());
                let verdict = verify(damaged.as_bytes(), std::slice::from_ref(&case.trusted));
                if let Ok(verified) = verdict {
                    assert_eq!(
                        unsigned(verified.document.alert),
                        case.alert,
                        "{} at {at}",
                        case.name
                    );
                    without_effect += usize::from(new != c);
                }
            }
        }
        println!(
            "{}: {without_effect} changed bytes without effect",
            case.name
        );
    }
}

#[test]
fn a_document_with_two_signatures_is_refused_for_that() {
    let file = std::path::Path::new(support::SHARED).join("cap-corpus/other/canada_signed.cap");
    let Ok(bytes) = std::fs::read(file) else {
        println!("the shared document is not here");
        return;
    };
    let refusal = verify(&bytes, &RSA.certificates()).expect_err("it has two");
    assert_eq!(refusal.code(), "several-signatures");
}
