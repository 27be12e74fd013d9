//! What the earlier service sent, and what is still owed of it.
//!
//! A message that a network acknowledged is acknowledged here, under the identifier and number that
//! went out. Of everything else nobody knows whether the network has it: it is never shown as done.
//! While its alert's time lasts it is held until a person releases the database; afterwards it has
//! expired. Every lane is tainted, so that a cancel goes to each network and names every message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use uuid::Uuid;

use super::{NAME_CHARS_MAX, Refusal, Row};
use crate::ids::{DeliveryId, EventId};
use crate::lane::policy::ends_at;
use crate::lane::{HoldReason, Kind, MootReason, State};
use crate::outcome::Outcome;
use crate::provider::ProviderName;
use crate::time::Timestamp;

/// By how much an instruction may lie ahead of the import's clock.
const AHEAD_MAX: Duration = Duration::from_secs(300);
/// What the id of a cancel that was never made has other than its alert's last instruction.
const LOST_CANCEL: u128 = 0xca;

/// A message to one network, as the earlier service kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The identifier that went out.
    pub id: DeliveryId,
    /// The network.
    pub provider: ProviderName,
    /// The network acknowledged it.
    pub is_acknowledged: bool,
    /// Its number, at a network with numbers.
    pub number: Option<u32>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state was written.
    pub updated_at: Timestamp,
}

/// An instruction with its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What it asked.
    pub kind: Kind,
    /// The `sent` of its messages.
    pub sent_at: Timestamp,
    /// The end that its messages named.
    pub finishes_at: Timestamp,
    /// Its messages.
    pub messages: Vec<Message>,
}

/// What becomes of a message here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The instruction, by its place from 0.
    pub event: usize,
    /// The message; absent: none was made for this network.
    pub message: Option<Message>,
    /// Where its delivery stands.
    pub state: State,
    /// What is known of the one attempt that is remembered of it.
    pub outcome: Option<Outcome>,
}

/// One alert at one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanePlan {
    /// The network.
    pub provider: ProviderName,
    /// Its deliveries, by instruction.
    pub deliveries: Vec<Planned>,
}

impl Planned {
    /// The network has it.
    pub fn is_acknowledged(&self) -> bool {
        self.message
            .as_ref()
            .is_some_and(|message| message.is_acknowledged)
    }
}

impl LanePlan {
    /// Its delivery of the instruction at this place may still go out.
    pub fn owes(&self, event: usize) -> bool {
        self.deliveries
            .iter()
            .any(|planned| planned.event == event && !planned.state.is_terminal())
    }

    /// Something of it is owed.
    pub fn is_open(&self) -> bool {
        self.deliveries
            .iter()
            .any(|planned| !planned.state.is_terminal())
    }

    /// A text may go out again.
    pub fn owes_text(&self, events: &[Event]) -> bool {
        let mut open = self
            .deliveries
            .iter()
            .filter(|planned| !planned.state.is_terminal());
        open.any(|planned| events[planned.event].kind.carries_text())
    }
}

/// Reads the instructions of an alert with their messages and numbers, in their order.
///
/// `finishes_at` is the alert's own end, for an instruction that names none. Refused are
/// instructions that make no sense, and an update that networks would still have to be told of.
pub fn events(
    rows: &[Row],
    messages: &[Row],
    numbers: &[Row],
    finishes_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let mut of_message = BTreeMap::new();
    for row in numbers {
        let number = row.opt_count("broadcast_provider_message_number")?;
        of_message.insert(row.id("broadcast_provider_message_id")?, number);
    }
    let mut events = Vec::new();
    for row in rows {
        let id = row.id("id")?;
        let kind = row.word("message_type", Kind::parse)?;
        let mut of_event = Vec::new();
        for message in messages {
            if message.opt_id("broadcast_event_id")?.as_ref() == Some(&id) {
                let mut message = self::message(message, &of_message)?;
                // The earlier service acknowledged updates and sent none.
                message.is_acknowledged &= kind != Kind::Update;
                of_event.push(message);
            }
        }
        let providers: BTreeSet<&ProviderName> = of_event.iter().map(|m| &m.provider).collect();
        if providers.len() != of_event.len() {
            return Err(Refusal(format!(
                "event {id} has two messages to one network"
            )));
        }
        let sent_at = row.instant("sent_at")?;
        if sent_at > now + AHEAD_MAX {
            return Err(Refusal(format!(
                "event {id} was sent in the future: sent_at"
            )));
        }
        let end = row.opt_instant("transmitted_finishes_at")?.or(finishes_at);
        let end =
            end.ok_or_else(|| Refusal(format!("event {id} has no transmitted_finishes_at")))?;
        events.push(Event {
            id: EventId::new(uuid(&id)),
            kind,
            sent_at,
            finishes_at: end,
            messages: of_event,
        });
    }
    events.sort_by_key(|event| (event.sent_at, event.id));
    let is_first_alert = events.first().is_none_or(|first| first.kind == Kind::Alert);
    let alerts = events
        .iter()
        .filter(|event| event.kind == Kind::Alert)
        .count();
    if !is_first_alert || alerts > 1 {
        return Err(Refusal(
            "its events are not one alert and what followed it".to_owned(),
        ));
    }
    if events.last().is_some_and(|last| is_owed_update(last, now)) {
        return Err(Refusal(
            "its last event is an update, which the earlier service never sent: networks may have \
             the text before it"
                .to_owned(),
        ));
    }
    Ok(events)
}

fn is_owed_update(event: &Event, now: Timestamp) -> bool {
    event.kind == Kind::Update && now < ends_at(event.kind, event.finishes_at)
}

/// The rows of an alert's instructions, with the cancel that its row tells of and that no row of an
/// instruction says. The earlier service noted a cancel first and made its instruction afterwards:
/// where it was ended between the two, people are warned still, and a text that no network
/// acknowledged must not follow. What is added is the same at every run.
pub fn with_lost_cancel(
    alert: &Row,
    mut rows: Vec<Row>,
    now: Timestamp,
) -> Result<Vec<Row>, Refusal> {
    if alert.opt_text("status", NAME_CHARS_MAX)?.as_deref() != Some("cancelled") {
        return Ok(rows);
    }
    let mut last: Option<(Timestamp, &Row)> = None;
    for row in &rows {
        let kind = row.word("message_type", Kind::parse)?;
        if kind == Kind::Cancel {
            return Ok(rows);
        }
        let sent_at = row.instant("sent_at")?;
        if last.is_none_or(|(latest, _)| sent_at >= latest) {
            last = Some((sent_at, row));
        }
    }
    let Some((sent_at, sent)) = last else {
        return Ok(rows);
    };
    let end = sent.opt_instant("transmitted_finishes_at")?;
    let end = end.or(alert.opt_instant("finishes_at")?);
    if end.is_none_or(|end| now >= ends_at(Kind::Cancel, end)) {
        return Ok(rows);
    }
    let noted = alert.opt_instant("cancelled_at")?;
    let noted = noted.or(alert.opt_instant("updated_at")?).unwrap_or(now);
    let mut cancel = sent.clone();
    let id = uuid(&sent.id("id")?).as_u128() ^ LOST_CANCEL;
    let at = noted.max(sent_at + Duration::from_secs(1)).to_json_style();
    for (column, value) in [
        ("id", Uuid::from_u128(id).to_string()),
        ("message_type", Kind::Cancel.as_str().to_owned()),
        ("sent_at", at),
    ] {
        cancel.0.insert(column.to_owned(), value.into());
    }
    rows.push(cancel);
    Ok(rows)
}

fn message(row: &Row, numbers: &BTreeMap<String, Option<u32>>) -> Result<Message, Refusal> {
    let id = row.id("id")?;
    let created_at = row.instant("created_at")?;
    let words = [
        "technical-failure",
        "sending",
        "returned-ack",
        "returned-error",
    ];
    let status = match row.opt_text("status", NAME_CHARS_MAX)? {
        None => "sending",
        Some(_) => row.word("status", |word| {
            words.into_iter().find(|known| *known == word)
        })?,
    };
    Ok(Message {
        id: DeliveryId::new(uuid(&id)),
        provider: row.word("provider", |name| ProviderName::new(name).ok())?,
        is_acknowledged: status == "returned-ack",
        number: numbers
            .get(&id)
            .copied()
            .flatten()
            .filter(|number| *number > 0),
        created_at,
        updated_at: row.opt_instant("updated_at")?.unwrap_or(created_at),
    })
}

fn uuid(id: &str) -> Uuid {
    Uuid::parse_str(id).expect("the row's id was read as one")
}

/// What becomes of an alert's instructions at each network. `expected`: the networks that its
/// service sends to; one of them without a message is owed it while the alert's time lasts.
pub fn plan(events: &[Event], expected: &[ProviderName], now: Timestamp) -> Vec<LanePlan> {
    let is_over = |event: &Event| now >= ends_at(event.kind, event.finishes_at);
    let mut providers: BTreeSet<&ProviderName> = BTreeSet::new();
    for event in events {
        providers.extend(event.messages.iter().map(|message| &message.provider));
        if !is_over(event) {
            providers.extend(expected);
        }
    }
    let lane = |provider: &ProviderName| LanePlan {
        provider: provider.clone(),
        deliveries: (0..events.len())
            .map(|index| planned(events, index, provider, now))
            .collect(),
    };
    providers.into_iter().map(lane).collect()
}

fn planned(events: &[Event], index: usize, provider: &ProviderName, now: Timestamp) -> Planned {
    let event = &events[index];
    let message = event
        .messages
        .iter()
        .find(|message| message.provider == *provider);
    let state = match (message, events.get(index + 1)) {
        (Some(message), _) if message.is_acknowledged => State::Acknowledged {
            at: message.updated_at,
        },
        (_, Some(later)) => State::Superseded { at: later.sent_at },
        (_, None) => at_the_end(event, now),
    };
    let outcome = message.map(|message| {
        if message.is_acknowledged {
            Outcome::Accepted
        } else {
            Outcome::Unknown
        }
    });
    Planned {
        event: index,
        message: message.cloned(),
        state,
        outcome,
    }
}

fn at_the_end(event: &Event, now: Timestamp) -> State {
    let at = ends_at(event.kind, event.finishes_at);
    match event.kind {
        _ if now < at => State::Held {
            reason: HoldReason::Restored,
            until: None,
        },
        Kind::Alert | Kind::Update => State::Expired { at },
        Kind::Cancel => State::Moot {
            reason: MootReason::EndedWithoutAnswer,
            at,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1_600_000_000);

    fn at(seconds: u64) -> Timestamp {
        T0 + std::time::Duration::from_secs(seconds)
    }

    fn id(n: u32) -> String {
        format!("00000000-0000-0000-0000-{n:012}")
    }

    fn iso(at: Timestamp) -> String {
        at.to_json_style().trim_end_matches('Z').to_owned()
    }

    fn event_row(n: u32, kind: &str, sent: Timestamp) -> Row {
        let (id, sent, end) = (id(n), iso(sent), iso(at(3600)));
        let json = format!(
            r#"{{"id": "{id}", "message_type": "{kind}", "sent_at": "{sent}",
                "transmitted_finishes_at": "{end}"}}"#
        );
        Row::read(&json).expect("a row")
    }

    fn message_row(n: u32, event: u32, provider: &str, status: &str) -> Row {
        let (id, event, made) = (id(n), id(event), iso(at(1)));
        let json = format!(
            r#"{{"id": "{id}", "broadcast_event_id": "{event}", "provider": "{provider}",
                "status": {status}, "created_at": "{made}"}}"#
        );
        Row::read(&json).expect("a row")
    }

    fn states(rows: &[Row], messages: &[Row], now: Timestamp) -> Vec<(String, Vec<&'static str>)> {
        let events = events(rows, messages, &[], None, now).expect("sound");
        let all = ["ee", "o2", "vodafone"].map(|name| ProviderName::new(name).expect("a name"));
        let plan = plan(&events, &all, now);
        let words = |lane: &LanePlan| lane.deliveries.iter().map(|d| d.state.as_str()).collect();
        plan.iter()
            .map(|lane| (lane.provider.as_str().to_owned(), words(lane)))
            .collect()
    }

    #[test]
    fn only_what_a_network_acknowledged_is_done() {
        let rows = [event_row(1, "alert", at(0))];
        // status, while it lasts, afterwards
        for (status, live, over) in [
            ("\"returned-ack\"", "acknowledged", "acknowledged"),
            ("\"returned-error\"", "held", "expired"),
            ("\"sending\"", "held", "expired"),
            ("\"technical-failure\"", "held", "expired"),
            ("null", "held", "expired"),
        ] {
            let messages = [message_row(10, 1, "ee", status)];
            let lanes = states(&rows, &messages, at(60));
            let none = |name: &str| (name.to_owned(), vec!["held"]);
            assert_eq!(
                lanes,
                [("ee".to_owned(), vec![live]), none("o2"), none("vodafone")],
                "{status}"
            );
            let lanes = states(&rows, &messages, at(3600));
            assert_eq!(lanes, [("ee".to_owned(), vec![over])], "{status}");
        }
    }

    #[test]
    fn a_cancel_that_nobody_acknowledged_is_owed_to_every_network_for_its_margin() {
        let rows = [event_row(2, "cancel", at(60)), event_row(1, "alert", at(0))];
        let messages = [
            message_row(10, 1, "ee", "\"returned-ack\""),
            message_row(11, 1, "o2", "\"sending\""),
            message_row(12, 2, "ee", "\"returned-ack\""),
        ];
        let lane = |name: &str, words: [&'static str; 2]| (name.to_owned(), words.to_vec());
        let live = [
            lane("ee", ["acknowledged", "acknowledged"]),
            lane("o2", ["superseded", "held"]),
            lane("vodafone", ["superseded", "held"]),
        ];
        assert_eq!(states(&rows, &messages, at(120)), live);
        assert_eq!(states(&rows, &messages, at(3600 + 299)), live);
        let over = [
            lane("ee", ["acknowledged", "acknowledged"]),
            lane("o2", ["superseded", "moot"]),
        ];
        assert_eq!(states(&rows, &messages, at(3600 + 300)), over);
    }

    #[test]
    fn an_update_that_was_acknowledged_is_not_done() {
        let rows = [
            event_row(1, "alert", at(0)),
            event_row(2, "update", at(60)),
            event_row(3, "cancel", at(90)),
        ];
        let messages = [
            message_row(10, 1, "ee", "\"returned-ack\""),
            message_row(11, 2, "ee", "\"returned-ack\""),
        ];
        let ee = &states(&rows, &messages, at(120))[0];
        assert_eq!(ee.1, ["acknowledged", "superseded", "held"]);
        let over = &states(&rows[..2], &messages, at(3600))[0];
        assert_eq!(over.1, ["acknowledged", "expired"]);
    }

    #[test]
    fn an_alert_whose_update_would_be_owed_is_refused() {
        let rows = [event_row(1, "alert", at(0)), event_row(2, "update", at(60))];
        let live = events(&rows, &[], &[], None, at(3599));
        assert!(live.is_err_and(|why| why.to_string().contains("update")));
        assert!(events(&rows, &[], &[], None, at(3600)).is_ok());
    }

    #[test]
    fn instructions_that_make_no_sense_are_refused() {
        let read = |rows: &[Row], messages: &[Row]| events(rows, messages, &[], None, at(60));
        let alert = event_row(1, "alert", at(0));
        let twice = [
            message_row(10, 1, "ee", "\"sending\""),
            message_row(11, 1, "ee", "\"sending\""),
        ];
        let mut endless = alert.clone();
        endless.0.remove("transmitted_finishes_at");
        for (why, rows, messages) in [
            (
                "a status",
                vec![alert.clone()],
                vec![message_row(9, 1, "ee", "\"lost\"")],
            ),
            (
                "a network",
                vec![alert.clone()],
                vec![message_row(9, 1, "E E", "null")],
            ),
            ("a kind", vec![event_row(1, "ack", at(0))], vec![]),
            ("two messages", vec![alert.clone()], twice.to_vec()),
            ("a lone cancel", vec![event_row(1, "cancel", at(0))], vec![]),
            (
                "two alerts",
                vec![alert, event_row(2, "alert", at(1))],
                vec![],
            ),
            ("the future", vec![event_row(1, "alert", at(900))], vec![]),
            ("no end", vec![endless], vec![]),
        ] {
            assert!(read(&rows, &messages).is_err(), "{why}");
        }
    }

    #[test]
    fn a_message_keeps_its_identifier_and_its_number() {
        let rows = [event_row(1, "alert", at(0))];
        let messages = [message_row(10, 1, "vodafone", "\"returned-ack\"")];
        let number = format!(
            r#"{{"broadcast_provider_message_id": "{}", "broadcast_provider_message_number": 78}}"#,
            id(10)
        );
        let numbers = [Row::read(&number).expect("a row")];
        let events = events(&rows, &messages, &numbers, None, at(60)).expect("sound");
        let plan = plan(&events, &[], at(60));
        let message = plan[0].deliveries[0].message.as_ref().expect("it went out");
        assert_eq!((message.id.to_string(), message.number), (id(10), Some(78)));
        assert_eq!(plan[0].deliveries[0].outcome, Some(Outcome::Accepted));
        assert!(!plan[0].is_open() && !plan[0].owes_text(&events));
    }

    #[test]
    fn a_cancel_that_was_noted_and_never_made_is_owed() {
        let alert = |status: &str| {
            let json = format!(
                r#"{{"status": "{status}", "cancelled_at": "{}"}}"#,
                iso(at(60))
            );
            Row::read(&json).expect("a row")
        };
        let sent = || vec![event_row(1, "alert", T0)];
        let messages = [
            message_row(11, 1, "ee", "\"returned-ack\""),
            message_row(12, 1, "o2", "\"sending\""),
        ];
        let with = |status: &str, rows: Vec<Row>, now: Timestamp| {
            with_lost_cancel(&alert(status), rows, now).expect("sound")
        };
        let rows = with("cancelled", sent(), at(90));
        assert_eq!(
            rows,
            with("cancelled", sent(), at(95)),
            "the same at every run"
        );
        let read = events(&rows, &messages, &[], None, at(90)).expect("sound");
        assert_eq!(read[1].sent_at, at(60));
        for (provider, states) in states(&rows, &messages, at(90)) {
            let first = if provider == "ee" {
                "acknowledged"
            } else {
                "superseded"
            };
            assert_eq!(states, [first, "held"], "{provider}: no text, a cancel");
        }
        // Noted before the alert by another clock, it still comes after it.
        let rows = with("cancelled", vec![event_row(1, "alert", at(80))], at(90));
        let read = events(&rows, &[], &[], None, at(90)).expect("sound");
        assert_eq!(read[1].kind, Kind::Cancel);
        // On the air, cancelled by an instruction, never sent, or over: nothing is added.
        let cancelled = || vec![event_row(1, "alert", T0), event_row(2, "cancel", at(60))];
        for (status, rows, now) in [
            ("broadcasting", sent(), at(90)),
            ("cancelled", cancelled(), at(90)),
            ("cancelled", Vec::new(), at(90)),
            ("cancelled", sent(), at(3600 + 300)),
        ] {
            assert_eq!(with(status, rows.clone(), now), rows, "{status}");
        }
    }
}
