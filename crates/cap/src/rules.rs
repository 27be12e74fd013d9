//! The rules that no schema says: C1 to C17 of CAP 1.2's own text, and what this product takes.
//!
//! A message is judged for a [`Use`]: what came in and is to reach phones, what its author wants to
//! know, what this system is about to send. [`ROWS`] is the table of every finding, with what it
//! weighs for each; docs/standards.md prints it.
//!
//! For dispatch, in the order of the checks (D43): [`check_kind`] directly after the structure;
//! then the caller sees whether the service may send at all; then [`accept_alert`],
//! [`accept_update`] or [`accept_cancel`]. Of a Cancel only the limits, status, msgType and
//! references count there; whatever else is wrong with it never stands in the way of ending an
//! alert (D45). Crossing lines, overlap and what phones can show are judged after that, by the
//! crates `geometry` and `cell-broadcast`.
//!
//! [`check_for`] is everything at once, for any use.

mod areas;
mod circle;
mod content;
mod country;
mod infos;
mod judge;
mod languages;
mod messages;
mod named_values;
mod polygon;
mod resources;
mod ring;
mod severity;
mod texts;

use balefire_domain::limits;

use crate::alert::{Alert, MsgType, Status};
use crate::finding::Finding;
use crate::references;
pub use content::{
    Accepted, AlertContent, AreaContent, CancelContent, Circle, LanguageText, UpdateContent,
};
pub use country::Country;
pub(crate) use judge::Judge;
pub use severity::{ROWS, Row, Use, Weight, row_of};

/// What a message asks of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A new alert.
    Alert,
    /// Other content for an earlier one.
    Update,
    /// The end of an earlier one.
    Cancel,
}

/// Whether this system acts on such a message at all: status Actual, msgType Alert, Update or
/// Cancel.
pub fn check_kind(alert: &Alert) -> Result<Kind, Finding> {
    if alert.status != Status::Actual {
        return Err(Finding::error(
            "status-not-actual",
            "alert/status",
            status_not_taken(alert.status),
        ));
    }
    match alert.msg_type {
        MsgType::Alert => Ok(Kind::Alert),
        MsgType::Update => Ok(Kind::Update),
        MsgType::Cancel => Ok(Kind::Cancel),
        other @ (MsgType::Ack | MsgType::Error) => Err(Finding::error(
            "unsupported-message-type",
            "alert/msgType",
            type_not_taken(other),
        )),
    }
}

fn status_not_taken(status: Status) -> String {
    format!(
        "status {status} is not taken: only Actual messages become alerts; to try the connection \
         out, use a test key or a service in training mode"
    )
}

fn type_not_taken(msg_type: MsgType) -> String {
    format!("msgType {msg_type} is not one of [Alert, Update, Cancel]")
}

/// Applies the rules for an Alert. Refused: every finding, at least one of them an error.
pub fn accept_alert(alert: &Alert) -> Result<Accepted<AlertContent>, Vec<Finding>> {
    accept(alert, None).map(|accepted| Accepted {
        content: accepted.content.alert,
        warnings: accepted.warnings,
    })
}

/// Applies the rules for an Update: those of an Alert, and that it names what it changes. Refused:
/// every finding, at least one of them an error.
pub fn accept_update(alert: &Alert) -> Result<Accepted<UpdateContent>, Vec<Finding>> {
    accept(
        alert,
        Some("an Update must name the messages it changes: sender,identifier,sent"),
    )
}

/// Applies the rules for content that is to reach phones; `needs_references` is what to say when
/// there are none.
fn accept(
    alert: &Alert,
    needs_references: Option<&str>,
) -> Result<Accepted<UpdateContent>, Vec<Finding>> {
    let mut judge = Judge::new(Use::Dispatch, None);
    let mut references = Vec::new();
    let mut areas = Vec::new();
    if check_limits(alert, &mut judge) {
        references = messages::check(alert, &mut judge);
        if let (Some(message), true) = (needs_references, has_no_references(alert)) {
            judge.find("missing-references", "alert/references", message);
        }
        areas = infos::check(alert, &mut judge);
    }
    if judge.errors() > 0 {
        return Err(judge.into_list());
    }
    let alert = content_of(alert, areas);
    Ok(Accepted {
        content: UpdateContent { alert, references },
        warnings: judge.into_list(),
    })
}

/// The content of a message that was judged without error.
fn content_of(alert: &Alert, areas: Vec<AreaContent>) -> AlertContent {
    let first = alert
        .infos
        .first()
        .expect("a message without info is refused");
    let text_of = |info: &crate::alert::Info| {
        info.description
            .clone()
            .expect("a missing description is refused")
    };
    let second = infos::second(alert).map(|(_, info)| LanguageText {
        language: info.language_or_default().to_owned(),
        text: text_of(info),
        headline: info.headline.clone(),
    });
    AlertContent {
        identifier: alert.identifier.clone(),
        sender: alert.sender.clone(),
        sent: alert.sent.clone(),
        event: first.event.clone(),
        text: text_of(first),
        language: first.language_or_default().to_owned(),
        second,
        areas,
    }
}

/// Applies the rules for a Cancel. Refused: every finding, at least one of them an error.
pub fn accept_cancel(alert: &Alert) -> Result<Accepted<CancelContent>, Vec<Finding>> {
    let mut judge = Judge::new(Use::Dispatch, None);
    check_limits(alert, &mut judge);
    let text = alert.references.as_deref().unwrap_or_default();
    let references = references::parse(text, "alert/references", &mut judge);
    if references.is_empty() && judge.errors() == 0 {
        let message = "a Cancel must name the messages it ends: sender,identifier,sent";
        judge.find("missing-references", "alert/references", message);
    }
    if judge.errors() > 0 {
        return Err(judge.into_list());
    }
    let content = CancelContent {
        identifier: alert.identifier.clone(),
        sender: alert.sender.clone(),
        sent: alert.sent.clone(),
        references,
    };
    Ok(Accepted {
        content,
        warnings: judge.into_list(),
    })
}

/// Everything that is found in a message whose structure is right, for one use of it. With a
/// country, shapes outside it are told.
pub fn check_for(alert: &Alert, used_for: Use, country: Option<Country>) -> Vec<Finding> {
    match (used_for, check_kind(alert)) {
        (Use::Dispatch, Err(finding)) => vec![finding],
        (Use::Dispatch, Ok(Kind::Alert)) => findings_of(accept_alert(alert)),
        (Use::Dispatch, Ok(Kind::Update)) => findings_of(accept_update(alert)),
        (Use::Dispatch, Ok(Kind::Cancel)) => findings_of(accept_cancel(alert)),
        (Use::Check | Use::Send, _) => check_everything(alert, used_for, country),
    }
}

fn findings_of<T>(result: Result<Accepted<T>, Vec<Finding>>) -> Vec<Finding> {
    result.map_or_else(|findings| findings, |accepted| accepted.warnings)
}

fn check_everything(alert: &Alert, used_for: Use, country: Option<Country>) -> Vec<Finding> {
    let mut judge = Judge::new(used_for, country);
    if alert.status != Status::Actual {
        let message = status_not_taken(alert.status);
        judge.find("status-not-actual", "alert/status", message);
    }
    if matches!(alert.msg_type, MsgType::Ack | MsgType::Error) {
        let message = type_not_taken(alert.msg_type);
        judge.find("unsupported-message-type", "alert/msgType", message);
    }
    if check_limits(alert, &mut judge) {
        messages::check(alert, &mut judge);
        if alert.msg_type != MsgType::Alert && has_no_references(alert) {
            let message = format!(
                "msgType {} must name the messages it is about: sender,identifier,sent",
                alert.msg_type
            );
            judge.find("missing-references", "alert/references", message);
        }
        infos::check(alert, &mut judge);
    }
    judge.into_list()
}

fn has_no_references(alert: &Alert) -> bool {
    references::count(alert.references.as_deref().unwrap_or_default()) == 0
}

/// The numbers of things in a message. Points are counted before they are read: pairs are what
/// stands between white space.
fn check_limits(alert: &Alert, judge: &mut Judge) -> bool {
    let points: usize = alert
        .polygons()
        .map(|text| polygon::pairs(text).count())
        .sum();
    let circles = alert.areas().map(|area| area.circles.len()).sum();
    let triples = references::count(alert.references.as_deref().unwrap_or_default());
    // Code, path, what is counted, how many there are, how many there may be.
    let counts: [(&str, &str, &str, usize, usize); 5] = [
        (
            "too-many-infos",
            "alert",
            "info blocks",
            alert.infos.len(),
            limits::CAP_INFOS_MAX,
        ),
        (
            "too-many-polygons",
            "alert",
            "polygons",
            alert.polygons().count(),
            limits::POLYGONS_MAX,
        ),
        (
            "too-many-circles",
            "alert",
            "circles",
            circles,
            limits::POLYGONS_MAX,
        ),
        (
            "too-many-points",
            "alert",
            "coordinates",
            points,
            limits::POINTS_MAX,
        ),
        (
            "too-many-references",
            "alert/references",
            "references",
            triples,
            limits::CAP_REFERENCES_MAX,
        ),
    ];
    let before = judge.errors();
    for (code, path, what, count, max) in counts {
        if count > max {
            let message = format!("Too many {what} ({count}); the maximum is {max}");
            judge.find(code, path, message);
        }
    }
    judge.errors() == before
}

/// Whether a text says nothing.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}
