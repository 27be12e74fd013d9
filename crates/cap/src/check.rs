//! Everything there is to say about a document, for its author: `balefire cap check FILE`.

use serde::Serialize;

use crate::alert::{MsgType, Scope, Status};
use crate::finding::Finding;
use crate::read::read;
use crate::rules;

/// What a document is and everything that was found in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether the document would be taken: no finding is an error.
    pub is_accepted: bool,
    /// What it says it is; absent when its structure is broken.
    pub summary: Option<Summary>,
    /// Errors and warnings, in the order of the document within each step.
    pub findings: Vec<Finding>,
}

/// What a message says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Its identifier.
    pub identifier: String,
    /// Its sender.
    pub sender: String,
    /// Its date, as written.
    pub sent: String,
    /// How it is to be handled.
    pub status: Status,
    /// What it does.
    pub msg_type: MsgType,
    /// Who may see it.
    pub scope: Scope,
}

/// Reads a document and applies every rule, also where an earlier one already refuses it: an Alert
/// with status Test is told about its polygons too.
pub fn check(bytes: &[u8]) -> Report {
    let document = match read(bytes) {
        Ok(document) => document,
        Err(findings) => {
            return Report {
                is_accepted: false,
                summary: None,
                findings,
            };
        }
    };
    let alert = &document.alert;
    let mut findings = document.warnings;
    findings.extend(rules::check_kind(alert).err());
    match alert.msg_type {
        MsgType::Cancel => findings.extend(rules::check_cancel(alert)),
        MsgType::Alert | MsgType::Update => findings.extend(rules::check_alert(alert)),
        MsgType::Ack | MsgType::Error => {}
    }
    Report {
        is_accepted: !findings.iter().any(Finding::is_error),
        summary: Some(Summary {
            identifier: alert.identifier.clone(),
            sender: alert.sender.clone(),
            sent: alert.sent.written.clone(),
            status: alert.status,
            msg_type: alert.msg_type,
            scope: alert.scope,
        }),
        findings,
    }
}
