//! Channels: who is woken. What phones do with each is decided by the mobile country code.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The channel of a service's alerts, least loud first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Seen by engineers of the networks only.
    Operator,
    /// Seen by people who switched test alerts on.
    Test,
    /// A severe threat to life.
    Severe,
    /// The gravest threat; can't be switched off on a phone.
    Government,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 4] = [Self::Operator, Self::Test, Self::Severe, Self::Government];

    /// The word on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Test => "test",
            Self::Severe => "severe",
            Self::Government => "government",
        }
    }

    /// The channel that [`Channel::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == text)
    }

    /// The longest an alert may last on this channel, and how long it lasts when nobody says
    /// (D10).
    pub const fn duration_max(self) -> Duration {
        match self {
            Self::Operator => Duration::from_secs(4 * 3600),
            Self::Test | Self::Severe | Self::Government => Duration::from_secs(22 * 3600 + 1800),
        }
    }
}
