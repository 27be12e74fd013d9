//! Everything there is to say about a document, for its author: `balefire cap check FILE`.

use serde::Serialize;

use crate::alert::{Alert, MsgType, Scope, Status};
use crate::finding::Finding;
use crate::read::open;
use crate::rules::{self, Country, Use};

/// What a document is and everything that was found in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether it passes for the use that was asked about: no finding is an error.
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

/// Reads a document and applies every rule, for its author: also where an earlier one already
/// refuses it, an Alert with status Test is told about its polygons too.
pub fn check(bytes: &[u8]) -> Report {
    check_as(bytes, Use::Check, None)
}

/// Reads a document and applies the rules for one use of it. With a country, shapes outside it are
/// told.
pub fn check_as(bytes: &[u8], used_for: Use, country: Option<Country>) -> Report {
    let report = open(bytes, |opened| {
        let mut findings = rules::check_for(&opened.alert, used_for, country);
        opened.locate(&mut findings);
        report(&opened.alert, opened.warnings, findings)
    });
    report.unwrap_or_else(refused)
}

/// Reads a document and says only what is wrong with its bytes, its XML and its structure: what a
/// schema validator would say.
pub fn check_structure(bytes: &[u8]) -> Report {
    let report = open(bytes, |opened| {
        report(&opened.alert, opened.warnings, Vec::new())
    });
    report.unwrap_or_else(refused)
}

fn refused(findings: Vec<Finding>) -> Report {
    Report {
        is_accepted: false,
        summary: None,
        findings,
    }
}

fn report(alert: &Alert, mut findings: Vec<Finding>, more: Vec<Finding>) -> Report {
    findings.extend(more);
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
