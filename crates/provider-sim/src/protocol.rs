//! What a proxy is sent, and what ours answer (`docs/delivery.md`).

use std::sync::atomic::{AtomicU64, Ordering};

use balefire_domain::limits::SIM_IDENTIFIER_CHARS_MAX;
use balefire_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock;

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MessageType {
    /// Puts an alert on the air.
    Alert,
    /// Puts another text in the place of what is on the air.
    Update,
    /// Takes it off.
    Cancel,
    /// Asks whether the way to a CBC is open.
    Test,
    /// Asks whether the proxy is there; no CBC hears of it.
    Heartbeat,
}

/// What the simulator reads of a payload; all else is only logged.
#[derive(Debug, Deserialize)]
pub(crate) struct Message {
    identifier: Option<String>,
    #[serde(rename = "message_type")]
    type_word: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    not_after: Option<String>,
    pub(crate) cbc_target: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) expires: Option<String>,
    /// The text.
    pub(crate) description: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    message_id: String,
}

impl Message {
    /// What it does; `None` for a canary, which has no type, and for a type nobody knows.
    pub(crate) fn message_type(&self) -> Option<MessageType> {
        match self.type_word.as_deref()? {
            "alert" => Some(MessageType::Alert),
            "update" => Some(MessageType::Update),
            "cancel" => Some(MessageType::Cancel),
            "test" => Some(MessageType::Test),
            "heartbeat" => Some(MessageType::Heartbeat),
            _ => None,
        }
    }

    /// Its identifier, or nothing.
    pub(crate) fn identifier(&self) -> &str {
        self.identifier.as_deref().unwrap_or_default()
    }

    /// The identifiers of the earlier messages that it names.
    pub(crate) fn references(&self) -> impl Iterator<Item = &str> {
        self.references
            .iter()
            .map(|reference| reference.message_id.as_str())
    }

    /// Why a proxy refuses it at `now` whatever the provider knows.
    pub(crate) fn refusal(&self, now: Timestamp) -> Option<String> {
        let length = self.identifier().chars().count();
        if length == 0 || length > SIM_IDENTIFIER_CHARS_MAX {
            return Some(format!(
                "identifier must have 1 to {SIM_IDENTIFIER_CHARS_MAX} characters"
            ));
        }
        if let (Some(word), None) = (&self.type_word, self.message_type()) {
            let word: String = word.chars().take(40).collect();
            return Some(format!(
                "message_type {word} is not one of alert, update, cancel, test, \
                 heartbeat"
            ));
        }
        let not_after = self.not_after.as_deref()?;
        match Timestamp::parse_iso8601(not_after) {
            None => Some("not_after is no date like 2026-11-23T04:09:03.123Z".to_owned()),
            Some(not_after) if now > not_after => Some("after not_after".to_owned()),
            Some(_) => None,
        }
    }
}

/// What the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// Taken.
    Accepted,
    /// Taken before, by the same identifier.
    Duplicate,
    /// The cancel names nothing that is known here, or the update nothing that is on the air.
    UnknownReference,
    /// Not taken.
    Refused,
}

/// The body of an answer in our own protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Verdict {
    /// The message's identifier.
    pub(crate) identifier: String,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// Why, for a person.
    pub(crate) detail: String,
    /// What the proxy says of itself, to a link test and a heartbeat.
    #[serde(flatten)]
    pub(crate) proxy: Option<ProxySays>,
}

/// What a proxy says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ProxySays {
    /// Its clock.
    pub(crate) clock: String,
    /// Which start of it answers.
    pub(crate) boot_id: String,
}

/// Names one start of the simulated proxies: another one each time.
#[derive(Clone, Debug)]
pub(crate) struct BootId(pub(crate) String);

impl Default for BootId {
    fn default() -> Self {
        static STARTS: AtomicU64 = AtomicU64::new(0);
        let start = STARTS.fetch_add(1, Ordering::Relaxed);
        let (process, at) = (std::process::id(), clock::now().micros());
        Self(format!("sim-{process}-{start}-{at}"))
    }
}
