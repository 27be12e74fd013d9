//! Requests that said by an `Idempotency-Key` which one they are, and the alert that came of them.

use std::time::Duration;

use balefire_domain::ids::AlertId;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// How long a request is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Which request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Who asks, and what of whom: a key is that caller's own.
    pub caller: String,
    /// What the caller calls the request.
    pub key: String,
    /// SHA-256 of what is asked, in hex: another question under the same key is a mistake.
    pub digest: String,
}

statements! {
    INSERT: "INSERT INTO repeatable_requests
            (caller, idempotency_key, digest, alert_id, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    LOAD: "SELECT digest, alert_id FROM repeatable_requests
        WHERE caller = $1 AND idempotency_key = $2 AND created_at >= $3";
    DELETE_OLD: "DELETE FROM repeatable_requests WHERE created_at < $1";
}

impl Tx {
    /// Notes in the transaction of the act itself which request it was. A unique violation means
    /// that the same request is being done by somebody else, or was.
    pub async fn insert_repeatable_request(
        &mut self,
        request: &RequestKey,
        alert: AlertId,
    ) -> Result<(), StoreError> {
        let oldest = (self.now - REMEMBERED_FOR).micros();
        execute!(self, DELETE_OLD, oldest)?;
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT,
            request.caller.clone(),
            request.key.clone(),
            request.digest.clone(),
            alert.to_string(),
            now,
        )
    }

    /// The digest of the request with this key, and the alert that came of it.
    pub async fn load_repeatable_request(
        &mut self,
        caller: &str,
        key: &str,
    ) -> Result<Option<(String, AlertId)>, StoreError> {
        let oldest = (self.now - REMEMBERED_FOR).micros();
        fetch_optional!(
            self,
            |row| Ok::<_, StoreError>((row.text("digest")?, row.id("alert_id", AlertId::new)?)),
            LOAD,
            caller.to_owned(),
            key.to_owned(),
            oldest,
        )
    }
}
