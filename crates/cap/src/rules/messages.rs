//! Rules about the message as a whole: identity, scope, references.

use balefire_domain::limits;

use super::{check_date, is_blank};
use crate::alert::{Alert, MsgType, Scope};
use crate::finding::{Findings, counted, shown};
use crate::references::{self, Reference};

/// Checks the elements directly below `alert`, for an Alert.
pub(super) fn check(alert: &Alert, findings: &mut Findings) {
    check_name(&alert.identifier, "alert/identifier", findings);
    check_name(&alert.sender, "alert/sender", findings);
    check_length(&alert.identifier, "identifier", findings);
    check_length(&alert.sender, "sender", findings);
    check_date(&alert.sent, "alert/sent", findings);
    check_scope(alert, findings);
    check_references(alert, findings);
}

/// What is stored has a length.
fn check_length(name: &str, element: &str, findings: &mut Findings) {
    let (length, max) = (name.chars().count(), limits::REFERENCE_CHARS_MAX);
    if length > max {
        let code = if element == "sender" {
            "sender-too-long"
        } else {
            "identifier-too-long"
        };
        let message = format!("the {element} has {length} characters; the limit is {max}");
        findings.error(code, format!("alert/{element}"), message);
    }
}

/// C2: what may not be in a part of an identity triple.
fn check_name(name: &str, path: &str, findings: &mut Findings) {
    if name.is_empty() {
        findings.error("empty-name", path, "must not be empty");
    } else if let Some(c) = name
        .chars()
        .find(|c| c.is_whitespace() || ",<&".contains(*c))
    {
        let what = match c {
            ',' | '<' | '&' => format!("`{c}`"),
            _ => "white space".to_owned(),
        };
        let message = format!(
            "“{}” contains {what}, which is not allowed here",
            shown(name)
        );
        findings.error("bad-name", path, message);
    }
}

/// C6 and D13.
fn check_scope(alert: &Alert, findings: &mut Findings) {
    if alert.scope != Scope::Public {
        let message = format!(
            "scope {} is not taken: an alert goes to everybody, so its scope must be Public",
            alert.scope
        );
        findings.error("scope-not-public", "alert/scope", message);
    }
    if alert
        .restriction
        .as_deref()
        .is_some_and(|text| !is_blank(text))
    {
        let message = "a restriction has no effect: the message goes to everybody";
        findings.warning("restriction-ignored", "alert/restriction", message);
    }
    if alert
        .addresses
        .as_deref()
        .is_some_and(|text| !is_blank(text))
    {
        let message = "addresses have no effect: the message goes to everybody";
        findings.warning("addresses-ignored", "alert/addresses", message);
    }
}

/// C3, for an Alert: references have no effect, but must make sense.
fn check_references(alert: &Alert, findings: &mut Findings) {
    let path = "alert/references";
    let references = references(alert, findings);
    for (n, reference) in references.iter().enumerate() {
        let n = n + 1;
        let is_self = reference.sent.at == alert.sent.at
            && reference.identifier == alert.identifier
            && reference.sender == alert.sender;
        if is_self {
            let message = format!("reference {n} is to the message itself");
            findings.error("reference-to-itself", path, message);
        } else if reference.sent.at > alert.sent.at {
            let message = format!("reference {n} is to a message sent later than this one");
            findings.error("reference-to-later", path, message);
        }
    }
    if !references.is_empty() && alert.msg_type == MsgType::Alert {
        let count = counted(references.len(), "message");
        let message = format!(
            "an Alert is a first message: its references to {count} have no effect; to end an \
             earlier alert send a Cancel"
        );
        findings.warning("references-ignored", path, message);
    }
}

/// The triples of `references`; each one that is none is an error.
pub(super) fn references(alert: &Alert, findings: &mut Findings) -> Vec<Reference> {
    match &alert.references {
        Some(text) => references::parse(text, "alert/references", findings),
        None => Vec::new(),
    }
}
