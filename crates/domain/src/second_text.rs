//! A second language of one alert: the same warning, said again for those who read the other one.
//!
//! It travels to the providers whose profile says `second_language`, is counted for itself, and is
//! part of what is approved. Not done: more than two languages.

use serde::{Deserialize, Serialize};

/// The text in the second language, and what the first one is then known to be in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondText {
    /// The language of the alert's first text: a tag of RFC 3066, such as `en-GB`.
    pub first_language: String,
    /// The language of this text, another tag.
    pub language: String,
    /// The text as written.
    pub content: String,
    /// The text normalised: what is counted, approved and sent (D11).
    pub text: String,
}
