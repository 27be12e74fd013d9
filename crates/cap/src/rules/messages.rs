//! Rules about the message as a whole: identity (C2), references (C3, C4), notes (C4, C5), scope
//! (C6), its date (C1).

use std::collections::HashSet;

use balefire_domain::limits;

use super::judge::Judge;
use super::{is_blank, polygon};
use crate::alert::{Alert, MsgType, Scope, Status};
use crate::date::DateTime;
use crate::finding::{counted, shown};
use crate::references::{self, Reference};

/// Checks the elements directly below `alert`, and reads the references.
pub(super) fn check(alert: &Alert, judge: &mut Judge) -> Vec<Reference> {
    check_name(&alert.identifier, "identifier", judge);
    check_name(&alert.sender, "sender", judge);
    check_date(&alert.sent, "alert/sent", judge);
    check_scope(alert, judge);
    check_notes(alert, judge);
    check_quotes(alert.addresses.as_deref(), "alert/addresses", judge);
    check_quotes(alert.incidents.as_deref(), "alert/incidents", judge);
    check_references(alert, judge)
}

/// A date outside the standard's form that the schema lets pass (C1).
pub(super) fn check_date(date: &DateTime, path: &str, judge: &mut Judge) {
    let text = shown(&date.written);
    if date.has_hour_24() {
        let message = format!("“{text}” has the hour 24; write 00 and the next day");
        judge.find("date-hour-24", path, message);
    }
    if date.has_plus_zero() {
        let message = format!("“{text}” writes UTC as +00:00; CAP 1.2 (3.3.2) wants -00:00");
        judge.find("date-plus-zero", path, message);
    }
}

/// C2: what may not be in a part of an identity triple. What is stored has a length.
fn check_name(name: &str, element: &str, judge: &mut Judge) {
    let path = format!("alert/{element}");
    if name.is_empty() {
        judge.find("empty-name", &path, "must not be empty");
    } else if let Some(c) = name
        .chars()
        .find(|c| c.is_whitespace() || ",<&".contains(*c))
    {
        let what = match c {
            ',' | '<' | '&' => format!("`{c}`"),
            _ => "white space".to_owned(),
        };
        let name = shown(name);
        let message = format!("“{name}” contains {what}, which is not allowed here");
        judge.find("bad-name", &path, message);
    }
    let (length, max) = (name.chars().count(), limits::REFERENCE_CHARS_MAX);
    if length > max {
        let code = match element {
            "sender" => "sender-too-long",
            _ => "identifier-too-long",
        };
        let message = format!("the {element} has {length} characters; the limit is {max}");
        judge.find(code, path, message);
    }
}

/// C6 and D13.
fn check_scope(alert: &Alert, judge: &mut Judge) {
    let says = |text: &Option<String>| text.as_deref().is_some_and(|text| !is_blank(text));
    if alert.scope != Scope::Public {
        let message = format!(
            "scope {} is not taken: an alert goes to everybody, so its scope must be Public",
            alert.scope
        );
        judge.find("scope-not-public", "alert/scope", message);
    }
    match (alert.scope == Scope::Restricted, says(&alert.restriction)) {
        (true, false) => {
            let message = "scope Restricted needs a restriction that says who may see it";
            judge.find("missing-restriction", "alert/restriction", message);
        }
        (false, true) => {
            let message = format!(
                "a restriction stands only with scope Restricted; with {} it has no effect",
                alert.scope
            );
            judge.find("restriction-ignored", "alert/restriction", message);
        }
        _ => {}
    }
    match (alert.scope == Scope::Private, says(&alert.addresses)) {
        (true, false) => {
            let message = "scope Private needs addresses that say whom it is for";
            judge.find("missing-addresses", "alert/addresses", message);
        }
        (false, true) => {
            let message = format!(
                "addresses are for scope Private; with {} they have no effect",
                alert.scope
            );
            judge.find("addresses-ignored", "alert/addresses", message);
        }
        _ => {}
    }
}

/// C4 and C5: messages that a note must explain.
fn check_notes(alert: &Alert, judge: &mut Judge) {
    let has_note = alert.note.as_deref().is_some_and(|note| !is_blank(note));
    if alert.msg_type == MsgType::Error && !has_note {
        let message = "an Error should say in its note what is wrong with the message";
        judge.find("missing-note", "alert/note", message);
    }
    if alert.status == Status::Exercise && !has_note {
        let message = "an Exercise should name the exercise in its note";
        judge.find("exercise-without-note", "alert/note", message);
    }
}

/// C6: names with white space stand in double quotes, so that quotes enclose whole names.
fn check_quotes(text: Option<&str>, path: &str, judge: &mut Judge) {
    if let Some(text) = text
        && !is_quoted_well(text)
    {
        let message = format!(
            "the quotes in “{}” don't enclose whole names: write \"one name\" another",
            shown(text)
        );
        judge.find("bad-quotes", path, message);
    }
}

fn is_quoted_well(text: &str) -> bool {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = match rest.strip_prefix('"') {
            Some(after) => match after.find('"') {
                Some(0) | None => return false,
                Some(close) => close + 2,
            },
            None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        let (name, after) = rest.split_at(end);
        if (!name.starts_with('"') && name.contains('"'))
            || !(after.is_empty() || after.starts_with(char::is_whitespace))
        {
            return false;
        }
        rest = after.trim_start();
    }
    true
}

/// C3: the references of an Alert have no effect, but must make sense as an Update's must.
fn check_references(alert: &Alert, judge: &mut Judge) -> Vec<Reference> {
    let path = "alert/references";
    let Some(text) = &alert.references else {
        return Vec::new();
    };
    let references = references::parse(text, path, judge);
    let mut seen = HashSet::new();
    for (n, reference) in references.iter().enumerate() {
        let n = n + 1;
        let (sender, identifier, at) =
            (&reference.sender, &reference.identifier, reference.sent.at);
        if at == alert.sent.at && *identifier == alert.identifier && *sender == alert.sender {
            let message = format!("reference {n} is to the message itself");
            judge.find("reference-to-itself", path, message);
        } else if at > alert.sent.at {
            let message = format!("reference {n} is to a message sent later than this one");
            judge.find("reference-to-later", path, message);
        }
        if !seen.insert((sender, identifier, at.seconds())) {
            let message = format!("reference {n} stands twice");
            judge.find("reference-repeated", path, message);
        }
        check_date(&reference.sent, path, judge);
    }
    if !references.is_empty() && alert.msg_type == MsgType::Alert {
        let count = counted(references.len(), "message");
        let message = format!(
            "an Alert is a first message: its references to {count} have no effect; to end an \
             earlier alert send a Cancel, to change it an Update"
        );
        judge.find("references-ignored", path, message);
    }
    let pieces: Vec<&str> = polygon::pairs(text).collect();
    if pieces.is_empty() && alert.msg_type == MsgType::Alert {
        let message = "references without any: leave the element out";
        judge.find("empty-references", path, message);
    } else if !pieces.is_empty() && pieces.join(" ") != *text {
        let message = "one space stands between references, and nothing around them";
        judge.find("reference-spacing", path, message);
    }
    references
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_enclose_whole_names() {
        for text in ["", "a b", "\"a b\" c", " c  \"a b\"\n", "\"a\"", "a'b"] {
            assert!(is_quoted_well(text), "{text}");
        }
        for text in [
            "\"a",
            "a\"",
            "a\" b\"",
            "\"a\"b",
            "a\"b c\"",
            "\"\"",
            "\"a b\"\"c\"",
        ] {
            assert!(!is_quoted_well(text), "{text}");
        }
    }
}
