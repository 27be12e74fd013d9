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
