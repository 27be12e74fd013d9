//! The audit trail: who did what to what. Written in the transaction of the act itself (D53).

use crate::ids::{ApiKeyId, UserId};

/// Who acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, as asserted by a trusted client or named on the command line.
    User(UserId),
    /// A service's key.
    ApiKey(ApiKeyId),
    /// A trusted client that named no person.
    Client(&'static str),
    /// The operator of the machine, by command.
    CommandLine,
    /// Time itself.
    Clock,
}

impl Actor {
    /// The actor in one text: `user <id>`, `api key <id>`, `client <name>`, `command line`,
    /// `clock`.
    pub fn describe(self) -> String {
        match self {
            Self::User(id) => format!("user {id}"),
            Self::ApiKey(id) => format!("api key {id}"),
            Self::Client(name) => format!("client {name}"),
            Self::CommandLine => "command line".to_owned(),
            Self::Clock => "clock".to_owned(),
        }
    }
}

/// Where an act came from, as its entry says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whence {
    /// The client's address, or `command line`; absent for what the clock does.
    pub source: Option<String>,
    /// The request's id, as the answer and the log have it.
    pub request_id: Option<String>,
    /// The client that named the person: `notify-admin` for a `created_by` in a body. Absent where
    /// the actor proved who they are.
    pub asserted_by: Option<String>,
}

/// What an act changed: what of the object was, and what is since, as JSON objects of the same
/// members and without secrets. What was made has no "before", what was removed no "after".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// What was.
    pub before: Option<serde_json::Value>,
    /// What is.
    pub after: Option<serde_json::Value>,
}

impl Change {
    /// Nothing.
    pub const NONE: Self = Self {
        before: None,
        after: None,
    };

    /// From this to that.
    pub const fn new(before: serde_json::Value, after: serde_json::Value) -> Self {
        Self {
            before: Some(before),
            after: Some(after),
        }
    }
}
