//! The rules that no schema says: those of CAP 1.2's own text, and what this product takes.
//!
//! In the order of the checks (D43): [`check_kind`] directly after the structure; then the caller
//! sees whether the service may send at all; then [`accept_alert`] or [`accept_cancel`].
//!
//! | rule | what is refused |
//! |---|---|
//! | C1 | the hour 24 (the structure refuses the rest); `+00:00` is a warning |
//! | C2 | identifier or sender empty, or with white space, comma, `<`, `&` |
//! | C3 | references that are no triples, to itself, or to a later message |
//! | C4 | a Cancel without references |
//! | C5, C6 | status other than Actual; an Alert whose scope is not Public (D13) |
//! | C7 | no info; more than one language (D45); no description |
//! | C9 | nothing: `expires` is kept and not used (D45), so its faults are warnings |
//! | C10 | polygons that are no closed rings of pairs in range |
//! | C11 | circles, until they can be sent (D45) |
//! | C12 | a ceiling without altitude or below it |
//! | C13–C15 | nothing: warnings |
//!
//! Of a Cancel only the limits, status, msgType and references count; whatever else is wrong with
//! it never stands in the way of ending an alert (D45).

mod infos;
mod messages;
mod polygon;

use balefire_domain::limits;

use crate::alert::{Alert, MsgType, Status};
use crate::date::DateTime;
use crate::finding::{Finding, Findings, shown};
use crate::references::{self, Reference};

/// What a message asks of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A new alert.
    Alert,
    /// The end of an earlier one.
    Cancel,
}

/// What an accepted message says, and what its sender should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted<T> {
    /// What is used of it.
    pub content: T,
    /// Findings that are no errors.
    pub warnings: Vec<Finding>,
}

/// What is used of an accepted Alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertContent {
    /// Identity, first part; also the alert's reference (R28).
    pub identifier: String,
    /// Identity, second part.
    pub sender: String,
    /// Identity, third part: compare its instant.
    pub sent: DateTime,
    /// The event of the first info.
    pub event: String,
    /// The description of the first info, as written; not blank.
    pub text: String,
    /// The language of every info; `en-US` where none is written.
    pub language: String,
    /// The areas of all infos; each has at least one polygon.
    pub areas: Vec<AreaContent>,
}

/// What is used of an area.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaContent {
    /// Its areaDesc.
    pub name: String,
    /// Closed rings of at least four `(lat, lon)` pairs in degrees, WGS 84, in range. Whether they
    /// are shapes (no crossing, some area) is for the `geometry` crate to say.
    pub polygons: Vec<Vec<(f64, f64)>>,
}

/// What is used of an accepted Cancel.
#[derive(Clone, Debug, PartialEq)]
pub struct CancelContent {
    /// Identity, first part.
    pub identifier: String,
    /// Identity, second part.
    pub sender: String,
    /// Identity, third part.
    pub sent: DateTime,
    /// The messages to end; at least one.
    pub references: Vec<Reference>,
}

/// Whether this system acts on such a message at all: status Actual, msgType Alert or Cancel.
pub fn check_kind(alert: &Alert) -> Result<Kind, Finding> {
    if alert.status != Status::Actual {
        let message = format!(
            "status {} is not taken: only Actual messages become alerts; to try the connection \
             out, use a test key or a service in training mode",
            alert.status
        );
        return Err(Finding::error("status-not-actual", "alert/status", message));
    }
    match alert.msg_type {
        MsgType::Alert => Ok(Kind::Alert),
        MsgType::Cancel => Ok(Kind::Cancel),
        other @ (MsgType::Update | MsgType::Ack | MsgType::Error) => {
            let message = format!("msgType {other} is not one of [Alert, Cancel]");
            Err(Finding::error(
                "unsupported-message-type",
                "alert/msgType",
                message,
            ))
        }
    }
}

/// Applies the rules for an Alert. Refused: every finding, at least one of them an error.
pub fn accept_alert(alert: &Alert) -> Result<Accepted<AlertContent>, Vec<Finding>> {
    let mut findings = Findings::default();
    let areas = if check_limits(alert, &mut findings) {
        messages::check(alert, &mut findings);
        infos::check(alert, &mut findings)
    } else {
        Vec::new()
    };
    if findings.errors() > 0 {
        return Err(findings.into_list());
    }
    let first = alert
        .infos
        .first()
        .expect("an alert without info is refused above");
    let content = AlertContent {
        identifier: alert.identifier.clone(),
        sender: alert.sender.clone(),
        sent: alert.sent.clone(),
        event: first.event.clone(),
        text: first
            .description
            .clone()
            .expect("a missing description is refused above"),
        language: first.language_or_default().to_owned(),
        areas,
    };
    Ok(Accepted {
        content,
        warnings: findings.into_list(),
    })
}

/// Applies the rules for a Cancel. Refused: every finding, at least one of them an error.
pub fn accept_cancel(alert: &Alert) -> Result<Accepted<CancelContent>, Vec<Finding>> {
    let mut findings = Findings::default();
    check_limits(alert, &mut findings);
    let references = messages::references(alert, &mut findings);
    if references.is_empty() && findings.errors() == 0 {
        let message = "a Cancel must name the messages it ends: sender,identifier,sent";
        findings.error("missing-references", "alert/references", message);
    }
    if findings.errors() > 0 {
        return Err(findings.into_list());
    }
    let content = CancelContent {
        identifier: alert.identifier.clone(),
        sender: alert.sender.clone(),
        sent: alert.sent.clone(),
        references,
    };
    Ok(Accepted {
        content,
        warnings: findings.into_list(),
    })
}

/// What [`accept_alert`] finds, errors and warnings.
pub fn check_alert(alert: &Alert) -> Vec<Finding> {
    accept_alert(alert).map_or_else(|findings| findings, |accepted| accepted.warnings)
}

/// What [`accept_cancel`] finds, errors and warnings.
pub fn check_cancel(alert: &Alert) -> Vec<Finding> {
    accept_cancel(alert).map_or_else(|findings| findings, |accepted| accepted.warnings)
}

/// The numbers of things in a message. Points are counted before they are read: pairs are what
/// stands between white space.
fn check_limits(alert: &Alert, findings: &mut Findings) -> bool {
    let before = findings.errors();
    let infos = alert.infos.len();
    if infos > limits::CAP_INFOS_MAX {
        let max = limits::CAP_INFOS_MAX;
        let message = format!("Too many info blocks ({infos}); the maximum is {max}");
        findings.error("too-many-infos", "alert", message);
    }
    let polygons = alert.polygons().count();
    if polygons > limits::POLYGONS_MAX {
        let max = limits::POLYGONS_MAX;
        let message = format!("Too many polygons ({polygons}); the maximum is {max}");
        findings.error("too-many-polygons", "alert", message);
    }
    let points: usize = alert
        .polygons()
        .map(|text| polygon::pairs(text).count())
        .sum();
    if points > limits::POINTS_MAX {
        let max = limits::POINTS_MAX;
        let message = format!("Too many coordinates ({points}); the maximum is {max}");
        findings.error("too-many-points", "alert", message);
    }
    let triples = references::count(alert.references.as_deref().unwrap_or_default());
    if triples > limits::CAP_REFERENCES_MAX {
        let max = limits::CAP_REFERENCES_MAX;
        let message = format!("Too many references ({triples}); the maximum is {max}");
        findings.error("too-many-references", "alert/references", message);
    }
    findings.errors() == before
}

/// The text, or what to say when it is blank.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// A date outside the standard's form that the schema lets pass (C1).
fn check_date(date: &DateTime, path: &str, findings: &mut Findings) {
    let text = shown(&date.written);
    if date.has_hour_24() {
        let message = format!("“{text}” has the hour 24; write 00 and the next day");
        findings.error("date-hour-24", path, message);
    }
    if date.has_plus_zero() {
        let message = format!("“{text}” writes UTC as +00:00; CAP 1.2 (3.3.2) wants -00:00");
        findings.warning("date-plus-zero", path, message);
    }
}
