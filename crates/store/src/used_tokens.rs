//! Tokens that opened a request: each opens one.

use balefire_domain::ids::UserId;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// Whether a person may act at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Their account is neither pending nor archived.
    pub is_active: bool,
    /// Their present session, where they are signed in.
    pub session: Option<String>,
}

statements! {
    INSERT: "INSERT INTO used_tokens (token, expires_at) VALUES ($1, $2)
        ON CONFLICT (token) DO NOTHING";
    DELETE_OVER: "DELETE FROM used_tokens WHERE expires_at < $1";
    LOAD_PRESENCE: "SELECT state, session_id FROM users WHERE id = $1";
}

impl Tx {
    /// Notes that a token is used; false where it was used before. Those that can't count any more
    /// are forgotten.
    pub async fn use_token(
        &mut self,
        token: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        execute!(self, DELETE_OVER, now)?;
        let inserted = execute!(self, INSERT, token.to_owned(), expires_at.micros())?;
        Ok(inserted == 1)
    }

    /// Whether a person may act; `None`: there is no such person.
    pub async fn load_presence(&mut self, user: UserId) -> Result<Option<Presence>, StoreError> {
        fetch_optional!(
            self,
            |row| Ok::<_, StoreError>(Presence {
                is_active: row.text("state")? == "active",
                session: row.opt_text("session_id")?,
            }),
            LOAD_PRESENCE,
            user.to_string(),
        )
    }
}
