//! The address of another system. What of it may be a secret is never shown.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// An address as it was written; whether it is one is checked elsewhere. A user, a password and a
/// query are refused there; they and a fragment are shown as `***` here, also beside the refusal.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Url(String);

impl Url {
    /// The whole text, for the one who opens a connection.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What may be shown.
    fn shown(&self) -> String {
        let schemes = ["http://", "https://"];
        let scheme = schemes.iter().find(|scheme| self.0.starts_with(**scheme));
        let scheme_end = scheme.map_or(0, |scheme| scheme.len());
        let (scheme, rest) = self.0.split_at(scheme_end);
        let query = rest.find(['?', '#']);
        match (rest.rfind('@'), query) {
            // Either may belong to a password.
            (Some(user_end), Some(query)) if query < user_end => format!("{scheme}***"),
            (Some(user_end), Some(query)) => {
                format!("{scheme}***{}***", &rest[user_end..=query])
            }
            (Some(user_end), None) => format!("{scheme}***{}", &rest[user_end..]),
            (None, Some(query)) => format!("{scheme}{}***", &rest[..=query]),
            (None, None) => self.0.clone(),
        }
    }
}

impl From<&str> for Url {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_may_be_a_secret() {
        // what is written, what is shown
        let rows = [
            ("https://h.example:8443/a/b", "https://h.example:8443/a/b"),
            ("https://me:hush@h.example/a", "https://***@h.example/a"),
            ("https://hush@h.example", "https://***@h.example"),
            ("https://me:hu@sh@h.example", "https://***@h.example"),
            ("https://me:hu/sh@h.example", "https://***@h.example"),
            ("https://me:hu?sh@h.example", "https://***"),
            ("https://me:hu#sh@h.example", "https://***"),
            ("https://h.example/a?key=hush", "https://h.example/a?***"),
            ("https://h.example?key=hu@sh", "https://***"),
            ("https://h.example#hush", "https://h.example#***"),
            (
                "https://me:hush@h.example?hush",
                "https://***@h.example?***",
            ),
            ("me:hush@h.example", "***@h.example"),
            ("//me:hush@h.example", "***@h.example"),
            ("hush://me@h.example", "***@h.example"),
            ("here", "here"),
            ("", ""),
        ];
        for (written, shown) in rows {
            let url = Url::from(written);
            assert_eq!(format!("{url:?}"), shown, "{written}");
            let json = serde_json::to_value(&url).expect("a text");
            assert_eq!(json, shown, "{written}");
        }
    }
}
