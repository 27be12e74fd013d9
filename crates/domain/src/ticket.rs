//! What a ticket says of an alert, and when: who approved what, then what became of it at every
//! provider (D7). Pure words; nothing here sends.

use std::fmt::Write as _;
use std::time::Duration;

use crate::audit::Actor;
use crate::channel::Channel;
use crate::ids::AlertId;
use crate::job::Comment;
use crate::lane::{Kind, MootReason, State};
use crate::provider::ProviderName;
use crate::time::Timestamp;

/// Characters of the alert's text that a ticket repeats.
pub const TEXT_CHARS_SHOWN: usize = 100;
/// Characters of a name (of an area, a person, a service) that a ticket repeats.
const NAME_CHARS_SHOWN: usize = 100;
/// Area names that a ticket lists; the rest are counted.
const AREAS_SHOWN_MAX: usize = 50;
/// While an alert is so young its course is looked at often …
const YOUNG: Duration = Duration::from_secs(120);
const LOOK_AGAIN_YOUNG: Duration = Duration::from_secs(2);
/// … later the stuck and the slow are worth one look each half minute.
const LOOK_AGAIN_OLD: Duration = Duration::from_secs(30);

/// What the ticket of an approved alert is made of.
#[derive(Clone, Debug)]
pub struct Approved<'a> {
    /// The alert.
    pub alert: AlertId,
    /// Its reference, where it has one.
    pub reference: Option<&'a str>,
    /// The name of who approved it.
    pub approver: &'a str,
    /// Their address.
    pub approver_email: &'a str,
    /// The name of the service.
    pub service: &'a str,
    /// The channel.
    pub channel: Channel,
    /// The names of its areas.
    pub areas: &'a [String],
    /// The text that is sent.
    pub text: &'a str,
    /// When it was approved.
    pub approved_at: Timestamp,
    /// When it ends.
    pub finishes_at: Timestamp,
    /// Who it is sent to; empty while the proxies are switched off.
    pub providers: &'a [ProviderName],
}

/// A ticket's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// The first comment.
    pub body: String,
}

/// The words of an approved alert's ticket.
pub fn approved(alert: &Approved<'_>) -> Words {
    let channel = alert.channel.as_str();
    let going = match alert.providers {
        [] => "It is sent to nobody: cbc.enabled is false.".to_owned(),
        names => format!("It is being sent to {}.", join(names)),
    };
    let body = format!(
        "{} ({}) approved an emergency alert on {}. {going}\n\n\
         Service: {}\n\
         Channel: {channel}\n\
         Areas: {}\n\
         Reference: {}\n\
         Ends: {}\n\
         Alert: {}\n\
         Its text begins: \"{}\"\n\n\
         What each network answered follows here.\n\
         If nobody expects this alert, cancel it now: \
         balefire alert cancel {} --as YOUR-ADDRESS\n\
         docs/runbook.md tells what else to do.\n",
        one_line(alert.approver, NAME_CHARS_SHOWN),
        one_line(alert.approver_email, NAME_CHARS_SHOWN),
        shown(alert.approved_at),
        one_line(alert.service, NAME_CHARS_SHOWN),
        areas(alert.areas),
        alert
            .reference
            .map_or("none".to_owned(), |text| one_line(text, NAME_CHARS_SHOWN)),
        shown(alert.finishes_at),
        alert.alert,
        begin(alert.text, TEXT_CHARS_SHOWN),
        alert.alert,
    );
    let service = one_line(alert.service, NAME_CHARS_SHOWN);
    Words {
        subject: format!("Alert approved on channel {channel}: {service}"),
        body,
    }
}

/// An update that was approved, as the ticket says it.
#[derive(Clone, Copy, Debug)]
pub struct Updated<'a> {
    /// The alert's version from now on.
    pub version: u32,
    /// Who approved it.
    pub approver: &'a str,
    /// Their address.
    pub approver_email: &'a str,
    /// The areas' names.
    pub areas: &'a [String],
    /// The text.
    pub text: &'a str,
    /// When.
    pub approved_at: Timestamp,
    /// Where it goes.
    pub providers: &'a [ProviderName],
}

/// The words of an approved update.
pub fn updated(update: &Updated<'_>) -> String {
    let going = match update.providers {
        [] => "It is sent to nobody: the alert itself was not.".to_owned(),
        names => format!("It is being sent to {}.", join(names)),
    };
    format!(
        "{} ({}) approved an update of the alert on {}. {going}\n\n\
         Version: {}\n\
         Areas: {}\n\
         Its text begins: \"{}\"\n",
        one_line(update.approver, NAME_CHARS_SHOWN),
        one_line(update.approver_email, NAME_CHARS_SHOWN),
        shown(update.approved_at),
        update.version,
        areas(update.areas),
        begin(update.text, TEXT_CHARS_SHOWN),
    )
}

/// Who cancelled, as a ticket says it.
#[derive(Clone, Copy, Debug)]
pub enum Canceller<'a> {
    /// A person: their name and address.
    Person(&'a str, &'a str),
    /// Somebody else: a key, a client, the command line.
    Other(Actor),
}

/// The words of a cancel.
pub fn cancelled(by: Canceller<'_>, at: Timestamp) -> String {
    let by = match by {
        Canceller::Person(name, email) => format!(
            "{} ({})",
            one_line(name, NAME_CHARS_SHOWN),
            one_line(email, NAME_CHARS_SHOWN)
        ),
        Canceller::Other(actor) => actor.describe(),
    };
    format!(
        "The alert was cancelled on {} by {by}. The cancel goes to every network that was or may \
         have been reached; what each answered follows here.\n",
        shown(at)
    )
}

/// How one delivery stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its provider.
    pub provider: ProviderName,
    /// Alert, update or cancel.
    pub kind: Kind,
    /// The `seq` of its event where that is an update, which may be delivered by a cancel and an
    /// alert (ADR 17).
    pub update: Option<u32>,
    /// Its state.
    pub state: State,
    /// Whether it was stuck at some time.
    pub is_stuck: bool,
    /// Whether an attempt of it was accepted; that also counts after its end (D5).
    pub is_accepted: bool,
}

/// Whether a comment is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now, in these words.
    Now(String),
    /// Look again after [`look_again_after`].
    NotYet,
    /// Never: what it would tell did not happen.
    Never,
}

/// Whether a comment is due, and what it says. `deliveries` are all of the alert's.
pub fn comment_due(comment: &Comment, deliveries: &[Progress]) -> Due {
    let of = |kind| {
        deliveries
            .iter()
            .filter(move |delivery| delivery.kind == kind && delivery.update.is_none())
            .collect::<Vec<_>>()
    };
    match comment {
        Comment::Updated { body, .. } | Comment::Cancelled { body } => Due::Now(body.clone()),
        Comment::UpdateOutcome { seq } => update_outcome_due(*seq, deliveries),
        Comment::AlertStuck => stuck_due(Kind::Alert, &of(Kind::Alert)),
        Comment::CancelStuck => stuck_due(Kind::Cancel, &of(Kind::Cancel)),
        Comment::AlertOutcome => outcome_due(Kind::Alert, &of(Kind::Alert)),
        Comment::CancelOutcome => outcome_due(Kind::Cancel, &of(Kind::Cancel)),
    }
}

/// When to look again whether a comment is due, by the age of what it waits for.
pub fn look_again_after(age: Duration) -> Duration {
    if age < YOUNG {
        LOOK_AGAIN_YOUNG
    } else {
        LOOK_AGAIN_OLD
    }
}

fn stuck_due(kind: Kind, deliveries: &[&Progress]) -> Due {
    let is_stuck = |delivery: &&&Progress| delivery.is_stuck && !delivery.state.is_terminal();
    let stuck: Vec<&str> = deliveries
        .iter()
        .filter(is_stuck)
        .map(|delivery| delivery.provider.as_str())
        .collect();
    if !stuck.is_empty() {
        let intro = format!(
            "Stuck: {} has not accepted the {} yet. Sending goes on, and the people on duty are \
             told.",
            stuck.join(", "),
            kind.as_str()
        );
        return Due::Now(format!("{intro}\n\n{}", course(kind, deliveries)));
    }
    if deliveries.iter().all(|d| d.state.is_terminal()) {
        Due::Never
    } else {
        Due::NotYet
    }
}

fn outcome_due(kind: Kind, deliveries: &[&Progress]) -> Due {
    if !deliveries.iter().all(|d| d.state.is_terminal()) {
        return Due::NotYet;
    }
    match (kind, deliveries) {
        (Kind::Alert, []) => Due::Now("The alert was sent to nobody.\n".to_owned()),
        (Kind::Cancel, []) => Due::Now("There was nobody to send the cancel to.\n".to_owned()),
        _ => Due::Now(course(kind, deliveries)),
    }
}

/// What became of an update at each provider: where several deliveries carried its text, of the
/// last of them.
fn update_outcome_due(seq: u32, deliveries: &[Progress]) -> Due {
    let own = || deliveries.iter().filter(|d| d.update == Some(seq));
    if !own().all(|d| d.state.is_terminal()) {
        return Due::NotYet;
    }
    let mut texts: Vec<&Progress> = Vec::new();
    for delivery in own().filter(|d| d.kind.carries_text()) {
        texts.retain(|known| known.provider != delivery.provider);
        texts.push(delivery);
    }
    if texts.is_empty() {
        return Due::Now("The update was sent to nobody.\n".to_owned());
    }
    Due::Now(course(Kind::Update, &texts))
}

/// How many accepted, and a line per delivery.
fn course(kind: Kind, deliveries: &[&Progress]) -> String {
    let accepted = deliveries.iter().filter(|d| d.is_accepted()).count();
    let of = deliveries.len();
    let mut text = format!(
        "The {} was accepted by {accepted} of {of}:\n",
        kind.as_str()
    );
    for delivery in deliveries {
        writeln!(text, "- {}: {}", delivery.provider, delivery.told()).expect("a String");
    }
    text
}

impl Progress {
    fn is_accepted(&self) -> bool {
        self.is_accepted || matches!(self.state, State::Acknowledged { .. })
    }

    /// What became of it, in plain words.
    fn told(&self) -> String {
        match self.state {
            State::Acknowledged { at } => format!("accepted on {}", shown(at)),
            _ if self.is_accepted() => "accepted".to_owned(),
            State::Superseded { .. } => {
                "NOT accepted: it was cancelled or updated first".to_owned()
            }
            State::Expired { .. } => {
                "NOT accepted: the alert ended first, and its customers may not have been warned"
                    .to_owned()
            }
            State::Moot { reason, .. } => match reason {
                MootReason::NeverSent => {
                    "not needed: the alert was never sent to this network".to_owned()
                }
                MootReason::UnknownReference => {
                    "not needed: the network knows no alert to cancel".to_owned()
                }
                MootReason::EndedWithoutAnswer => {
                    "NO ANSWER before the alert's end: ask whether the alert is off the air"
                        .to_owned()
                }
            },
            State::Held { reason, .. } => {
                format!("not accepted yet: held ({})", reason.as_str())
            }
            State::Ready | State::InFlight | State::Backoff { .. } if self.is_stuck => {
                "not accepted yet: STUCK, and still tried".to_owned()
            }
            State::Ready | State::InFlight | State::Backoff { .. } => {
                "not accepted yet: still tried".to_owned()
            }
        }
    }
}

fn join(names: &[ProviderName]) -> String {
    let names: Vec<&str> = names.iter().map(ProviderName::as_str).collect();
    names.join(", ")
}

fn areas(names: &[String]) -> String {
    if names.is_empty() {
        return "without a name".to_owned();
    }
    let listed = names.iter().take(AREAS_SHOWN_MAX);
    let mut text = listed
        .map(|name| one_line(name, NAME_CHARS_SHOWN))
        .collect::<Vec<_>>()
        .join("; ");
    if names.len() > AREAS_SHOWN_MAX {
        let more = names.len() - AREAS_SHOWN_MAX;
        write!(text, "; and {more} more").expect("a String");
    }
    text
}

/// `2026-11-23 at 04:09:03 UTC`.
fn shown(at: Timestamp) -> String {
    let text = at.to_json_style();
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    let time = time.get(..8).unwrap_or(time);
    format!("{date} at {time} UTC")
}

/// The first characters of what somebody else wrote, on one line.
fn one_line(text: &str, chars_max: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.trim().chars().map(plain).collect();
    begin(&text, chars_max)
}

/// The first characters, as they are.
fn begin(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
