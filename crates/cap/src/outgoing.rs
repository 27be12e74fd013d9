//! What a cell-broadcast centre is told: the documents behind the payloads that providers are sent.
//!
//! A delivery's stored payload is what was approved, frozen (D2, D27). [`Message::parse`] reads it;
//! [`Message::to_cap`] and [`Message::to_ibag`] say the same as a CAP 1.2 or an IBAG 1.0 document
//! in canonical form, ready to be signed. Nothing else goes into a document but the [`Sender`] of
//! the configuration, so the same payload gives the same bytes at every call.
//!
//! As in the earlier system, because the centres of today are set up for it: the event word of
//! each channel, category Safety, urgency Expected, severity Severe, certainty Likely, areas named
//! `area-1`, `area-2`; a link test of status Test (System in IBAG) and a cancel, both without
//! content; that IBAG names only the latest earlier message. Our own choice: every date ends in
//! `-00:00`, in link tests too, and an update says all that an alert says and names what it
//! replaces.

mod ibag;

use balefire_domain::channel::Channel;
use balefire_domain::provider::Format;
use balefire_domain::time::Timestamp;
use serde::Deserialize;

use crate::alert::{Alert, Area, Category, Certainty, Info};
use crate::alert::{MsgType, Scope, Severity, Status, Urgency};
use crate::canonical::is_xml_char;
use crate::date::DateTime;
use crate::write::write;

/// Who sends: from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// CAP `sender`, IBAG `sending_gateway_id` and `sender` (`cbc.sender`).
    pub sender: &'a str,
    /// CAP `senderName`: the sender's name for people (`cbc.sender_name`).
    pub name: &'a str,
    /// IBAG `cap_alert_uri`: where the public finds the alert (`cbc.public_page`).
    pub public_page: &'a str,
}

/// One message to a provider, as its stored payload says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The delivery's id; CAP `identifier`.
    pub identifier: String,
    /// The message number, 8 hexadecimal digits; at ibag providers only.
    pub message_number: Option<String>,
    /// What the provider's centre speaks.
    pub format: Format,
    /// When it was sent; a link test's payload does not say.
    pub sent: Option<Timestamp>,
    /// What it does.
    pub body: Body,
}

/// What a message does.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A first message.
    Alert(Content),
    /// New content in the place of earlier messages.
    Update(Content, Vec<Earlier>),
    /// The end of earlier messages.
    Cancel(Vec<Earlier>),
    /// A link test: it warns nobody.
    Test,
}

/// What the public is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The headline of the configuration.
    pub headline: String,
    /// Language and text, as the provider spells the language.
    pub texts: Vec<(String, String)>,
    /// Rings of `[lat, lon]`, closed.
    pub polygons: Vec<Vec<[f64; 2]>>,
    /// Until when.
    pub expires: Timestamp,
    /// Who is woken.
    pub channel: Channel,
}

/// An earlier message of the same lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its identifier.
    pub identifier: String,
    /// Its number, at an ibag provider.
    pub message_number: Option<String>,
    /// When it was sent.
    pub sent: Timestamp,
}

/// Why a payload has no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// The payload is none of ours.
    #[error("the payload can't be read: {0}")]
    Payload(String),
    /// A cancel or an update that names nothing.
    #[error("it names no earlier message, so there is nothing that it could end or replace")]
    NoReference,
    /// No message number, which IBAG has to have.
    #[error("it has no message number, and IBAG messages are known by theirs")]
    NoMessageNumber,
    /// A second language in IBAG.
    #[error("it has a second language, and an IBAG message has room for one")]
    SecondLanguage,
    /// A text with a character that XML can't hold.
    #[error("its {0} has the character U+{1:04X}, which XML can't hold")]
    Character(&'static str, u32),
    /// A word with white space or a comma where a reference is split.
    #[error("`{0}` can't name a sender: no spaces, commas, < or & (CAP 1.2)")]
    Sender(String),
}

#[derive(Deserialize)]
struct Payload {
    message_type: String,
    identifier: String,
    message_number: Option<String>,
    message_format: Format,
    headline: Option<String>,
    description: Option<String>,
    #[serde(default)]
    areas: Vec<PayloadArea>,
    sent: Option<String>,
    expires: Option<String>,
    language: Option<String>,
    channel: Option<String>,
    second: Option<PayloadText>,
    #[serde(default)]
    references: Vec<PayloadReference>,
}

#[derive(Deserialize)]
struct PayloadArea {
    polygon: Vec<[f64; 2]>,
}

/// The second language.
#[derive(Deserialize)]
struct PayloadText {
    language: String,
    description: String,
}

#[derive(Deserialize)]
struct PayloadReference {
    message_id: String,
    message_number: Option<String>,
    sent: String,
}

impl Message {
    /// Reads a stored payload.
    pub fn parse(payload: &str) -> Result<Self, Unwritable> {
        let payload: Payload = serde_json::from_str(payload)
            .map_err(|error| Unwritable::Payload(error.to_string()))?;
        let earlier = payload.references.iter().map(|reference| {
            Ok(Earlier {
                identifier: reference.message_id.clone(),
                message_number: reference.message_number.clone(),
                sent: instant(&reference.sent)?,
            })
        });
        let earlier: Vec<Earlier> = earlier.collect::<Result<_, _>>()?;
        let body = match payload.message_type.as_str() {
            "alert" => Body::Alert(payload.content()?),
            "update" => Body::Update(payload.content()?, named(earlier)?),
            "cancel" => Body::Cancel(named(earlier)?),
            "test" => Body::Test,
            other => {
                let message = format!("{other} is no message to a network");
                return Err(Unwritable::Payload(message));
            }
        };
        Ok(Self {
            sent: payload.sent.as_deref().map(instant).transpose()?,
            identifier: payload.identifier,
            message_number: payload.message_number,
            format: payload.message_format,
            body,
        })
    }

    /// The document that the provider's centre speaks: CAP or IBAG. `now` is the `sent` of a link
    /// test, whose payload has none.
    pub fn to_document(&self, sender: &Sender<'_>, now: Timestamp) -> Result<Vec<u8>, Unwritable> {
        match self.format {
            Format::Cap => self.to_cap(sender, now),
            Format::Ibag => self.to_ibag(sender, now),
        }
    }

    /// The message as a CAP 1.2 document in canonical form, unsigned.
    pub fn to_cap(&self, sender: &Sender<'_>, now: Timestamp) -> Result<Vec<u8>, Unwritable> {
        Ok(write(&self.to_alert(sender, now)?))
    }

    /// The message as a typed CAP 1.2 alert.
    pub fn to_alert(&self, sender: &Sender<'_>, now: Timestamp) -> Result<Alert, Unwritable> {
        self.check(sender)?;
        let (msg_type, content, earlier) = match &self.body {
            Body::Alert(content) => (MsgType::Alert, Some(content), None),
            Body::Update(content, earlier) => (MsgType::Update, Some(content), Some(earlier)),
            Body::Cancel(earlier) => (MsgType::Cancel, None, Some(earlier)),
            Body::Test => (MsgType::Alert, None, None),
        };
        let is_test = self.body == Body::Test;
        Ok(Alert {
            identifier: self.identifier.clone(),
            sender: sender.sender.to_owned(),
            sent: DateTime::utc(self.sent.unwrap_or(now)),
            status: if is_test {
                Status::Test
            } else {
                Status::Actual
            },
            msg_type,
            source: None,
            scope: Scope::Public,
            restriction: None,
            addresses: None,
            codes: Vec::new(),
            note: None,
            references: earlier.map(|earlier| triples(sender.sender, earlier)),
            incidents: None,
            infos: content.map_or_else(Vec::new, |content| infos(content, sender)),
            signatures: Vec::new(),
        })
    }

    /// Refuses what a document can't hold, so that nothing is ever changed on its way into one.
    fn check(&self, sender: &Sender<'_>) -> Result<(), Unwritable> {
        let is_bad = |c: char| c.is_whitespace() || matches!(c, ',' | '<' | '&');
        if sender.sender.is_empty() || sender.sender.contains(is_bad) {
            return Err(Unwritable::Sender(sender.sender.to_owned()));
        }
        check_text("sender", sender.sender)?;
        check_text("sender's name", sender.name)?;
        check_text("public page", sender.public_page)?;
        check_text("identifier", &self.identifier)?;
        if let Body::Alert(content) | Body::Update(content, _) = &self.body {
            check_text("headline", &content.headline)?;
            for (language, text) in &content.texts {
                check_text("language", language)?;
                check_text("text", text)?;
            }
        }
        Ok(())
    }
}

impl Payload {
    fn content(&self) -> Result<Content, Unwritable> {
        let channel = required("channel", self.channel.as_deref())?;
        let channel = Channel::parse(channel)
            .ok_or_else(|| Unwritable::Payload(format!("there is no channel {channel}")))?;
        let language = required("language", self.language.as_deref())?.to_owned();
        let text = required("description", self.description.as_deref())?.to_owned();
        let second = self.second.as_ref();
        let second = second.map(|text| (text.language.clone(), text.description.clone()));
        Ok(Content {
            headline: required("headline", self.headline.as_deref())?.to_owned(),
            texts: [(language, text)].into_iter().chain(second).collect(),
            polygons: self.areas.iter().map(|area| area.polygon.clone()).collect(),
            expires: instant(required("expires", self.expires.as_deref())?)?,
            channel,
        })
    }
}

fn required<'a>(key: &str, value: Option<&'a str>) -> Result<&'a str, Unwritable> {
    value.ok_or_else(|| Unwritable::Payload(format!("it has no {key}")))
}

/// An instant as CAP writes it, or as the JSON of some proxies does (D29).
fn instant(text: &str) -> Result<Timestamp, Unwritable> {
    Timestamp::parse_iso8601(text)
        .ok_or_else(|| Unwritable::Payload(format!("{text} is no instant")))
}

fn named(earlier: Vec<Earlier>) -> Result<Vec<Earlier>, Unwritable> {
    if earlier.is_empty() {
        return Err(Unwritable::NoReference);
    }
    Ok(earlier)
}

fn check_text(what: &'static str, text: &str) -> Result<(), Unwritable> {
    match text.chars().find(|c| !is_xml_char(*c)) {
        None => Ok(()),
        Some(c) => Err(Unwritable::Character(what, u32::from(c))),
    }
}

/// `sender,identifier,sent` of each, oldest first (CAP 1.2 §3.2.1).
fn triples(sender: &str, earlier: &[Earlier]) -> String {
    let triple = |e: &Earlier| format!("{sender},{},{}", e.identifier, e.sent.to_cap());
    earlier.iter().map(triple).collect::<Vec<_>>().join(" ")
}

/// One `info` per language, all with the same areas (C7).
fn infos(content: &Content, sender: &Sender<'_>) -> Vec<Info> {
    let areas: Vec<Area> = content.polygons.iter().enumerate().map(area).collect();
    let info = |(language, text): &(String, String)| Info {
        language: Some(language.clone()),
        categories: vec![Category::Safety],
        event: event_word(content.channel).to_owned(),
        response_types: Vec::new(),
        urgency: Urgency::Expected,
        severity: Severity::Severe,
        certainty: Certainty::Likely,
        audience: None,
        event_codes: Vec::new(),
        effective: None,
        onset: None,
        expires: Some(DateTime::utc(content.expires)),
        sender_name: Some(sender.name.to_owned()),
        headline: Some(content.headline.clone()),
        description: Some(text.clone()),
        instruction: None,
        web: None,
        contact: None,
        parameters: Vec::new(),
        resources: Vec::new(),
        areas: areas.clone(),
    };
    content.texts.iter().map(info).collect()
}

/// The `event` by which a centre knows the channel.
fn event_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Operator => "OPR",
        Channel::Test => "RMT",
        Channel::Severe => "Alert",
        Channel::Government => "EAN",
    }
}

fn area((index, ring): (usize, &Vec<[f64; 2]>)) -> Area {
    Area {
        description: area_name(index),
        polygons: vec![polygon(ring)],
        circles: Vec::new(),
        geocodes: Vec::new(),
        altitude: None,
        ceiling: None,
    }
}

fn area_name(index: usize) -> String {
    format!("area-{}", index + 1)
}

/// `lat,lon lat,lon …`: the numbers of the payload, in their shortest spelling.
fn polygon(ring: &[[f64; 2]]) -> String {
    let pair = |[lat, lon]: &[f64; 2]| format!("{lat},{lon}");
    ring.iter().map(pair).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;
