//! What a provider's answer to one attempt means (D23, D31).

use serde::{Deserialize, Serialize};

/// What is known about one attempt once it is closed. Stored as the text of [`Outcome::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider took it. That is not "on the air".
    Accepted,
    /// The provider had taken it before, by the same identifier.
    Duplicate,
    /// The provider surely did not take it.
    Refused,
    /// It may or may not have been taken.
    Unknown,
    /// A cancel named nothing that the provider knows.
    UnknownReference,
}

impl Outcome {
    /// All outcomes, for tables.
    pub const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Refused,
        Self::Unknown,
        Self::UnknownReference,
    ];

    /// The word in tables, logs and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::UnknownReference => "unknown_reference",
        }
    }

    /// The outcome that [`Outcome::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
    }

    /// The provider has the message.
    pub const fn is_acceptance(self) -> bool {
        matches!(self, Self::Accepted | Self::Duplicate)
    }
}
