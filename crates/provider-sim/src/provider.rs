//! One provider's memory: what it applied, what is on the air, what was cancelled.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use balefire_domain::time::Timestamp;
use serde::Serialize;

use crate::protocol::{Message, MessageType, Outcome};

/// The provider that a function leads to: `ee` for `ee-1-proxy` and `ee-2-proxy`, otherwise what
/// stands before the first `-`.
pub(crate) fn provider_of(function: &str) -> &str {
    function
        .strip_suffix("-1-proxy")
        .or_else(|| function.strip_suffix("-2-proxy"))
        .filter(|provider| !provider.is_empty())
        .unwrap_or_else(|| function.split('-').next().unwrap_or(function))
}

/// What one provider, or one site of it, remembers.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Provider {
    /// The alerts on the air, by identifier.
    live: BTreeMap<String, LiveAlert>,
    /// The identifiers of the alerts that were taken off the air.
    cancelled: BTreeSet<String>,
    /// The identifiers of the messages that an update took the place of.
    updated: BTreeSet<String>,
    /// Every identifier that was ever applied.
    #[serde(serialize_with = "count_of")]
    applied: HashSet<String>,
}

/// An alert on the air.
#[derive(Debug, Serialize)]
struct LiveAlert {
    /// When it was first applied, in milliseconds since 1970.
    applied_at_ms: i64,
    /// How often it was applied: more than once is what people notice.
    times_applied: u64,
    /// Its text.
    description: Option<String>,
    channel: Option<String>,
    expires: Option<String>,
}

impl Provider {
    /// What the provider answers to a message that its proxy lets through, and why.
    pub(crate) fn judge(&self, message: &Message, dedup: bool) -> (Outcome, &'static str) {
        let known = |identifier: &str| self.applied.contains(identifier);
        match message.message_type() {
            None => (Outcome::Accepted, "canary"),
            Some(MessageType::Test) => (Outcome::Accepted, "link test"),
            Some(MessageType::Heartbeat) => (Outcome::Accepted, "heartbeat"),
            Some(_) if dedup && known(message.identifier()) => {
                (Outcome::Duplicate, "applied before")
            }
            Some(MessageType::Update)
                if !message
                    .references()
                    .any(|earlier| self.live.contains_key(earlier)) =>
            {
                (
                    Outcome::UnknownReference,
                    "no reference names a message that is on the air here",
                )
            }
            Some(MessageType::Alert | MessageType::Update) => (Outcome::Accepted, "applied"),
            Some(MessageType::Cancel) if message.references().any(known) => {
                (Outcome::Accepted, "applied")
            }
            Some(MessageType::Cancel) => (
                Outcome::UnknownReference,
                "no reference names a message known here",
            ),
        }
    }

    /// Applies an accepted message; `false` when it is one that changes nothing.
    pub(crate) fn apply(&mut self, message: &Message, now: Timestamp) -> bool {
        let identifier = message.identifier();
        match message.message_type() {
            None | Some(MessageType::Test | MessageType::Heartbeat) => return false,
            Some(MessageType::Alert) => self.put_on_the_air(message, now),
            Some(MessageType::Update) => {
                self.put_on_the_air(message, now);
                for reference in message.references() {
                    if reference != identifier && self.live.remove(reference).is_some() {
                        self.updated.insert(reference.to_owned());
                    }
                }
            }
            Some(MessageType::Cancel) => {
                for reference in message.references() {
                    if self.live.remove(reference).is_some() {
                        self.cancelled.insert(reference.to_owned());
                    }
                }
            }
        }
        self.applied.insert(identifier.to_owned());
        true
    }

    fn put_on_the_air(&mut self, message: &Message, now: Timestamp) {
        let alert = self
            .live
            .entry(message.identifier().to_owned())
            .or_insert_with(|| LiveAlert {
                applied_at_ms: now.micros().div_euclid(1000),
                times_applied: 0,
                description: message.description.clone(),
                channel: message.channel.clone(),
                expires: message.expires.clone(),
            });
        alert.times_applied += 1;
    }
}

fn count_of<S: serde::Serializer>(set: &HashSet<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(set.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_leads_to_one_provider() {
        let cases = [
            ("ee-1-proxy", "ee"),
            ("ee-2-proxy", "ee"),
            ("my-network-1-proxy", "my-network"),
            ("three-3-proxy", "three"),
            ("canary", "canary"),
            ("-1-proxy", ""),
        ];
        for (function, provider) in cases {
            assert_eq!(provider_of(function), provider, "{function}");
        }
    }
}
