//! Security keys of people, as the client that checks them gives them.

use balefire_domain::ids::{CredentialId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// Keys of one list.
const LISTED_MAX: i64 = 100;

/// A security key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its person calls it.
    pub name: String,
    /// What the client checks an answer by.
    pub data: String,
    /// What the key said when it was added.
    pub registration: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its name was changed.
    pub updated_at: Option<Timestamp>,
    /// When somebody last signed in with it.
    pub logged_in_at: Option<Timestamp>,
}

statements! {
    INSERT: "INSERT INTO webauthn_credentials
        (id, user_id, name, credential_data, registration_response, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    LIST: "SELECT * FROM webauthn_credentials WHERE user_id = $1 ORDER BY created_at, id LIMIT $2";
    RENAME: "UPDATE webauthn_credentials SET name = $3, updated_at = $4
        WHERE id = $1 AND user_id = $2";
    TOUCH: "UPDATE webauthn_credentials SET logged_in_at = $3 WHERE id = $1 AND user_id = $2";
    DELETE: "DELETE FROM webauthn_credentials WHERE id = $1 AND user_id = $2";
}

impl Tx {
    /// Stores a new key.
    pub async fn insert_credential(&mut self, key: &Credential) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            key.id.to_string(),
            key.user_id.to_string(),
            key.name.clone(),
            key.data.clone(),
            key.registration.clone(),
            key.created_at.micros(),
        )
    }

    /// A person's keys, oldest first.
    pub async fn list_credentials(&mut self, user: UserId) -> Result<Vec<Credential>, StoreError> {
        fetch_all!(self, read, LIST, user.to_string(), LISTED_MAX)
    }

    /// Names a person's key anew; false where they have no such key.
    pub async fn rename_credential(
        &mut self,
        user: UserId,
        id: CredentialId,
        name: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let (id, user) = (id.to_string(), user.to_string());
        Ok(execute!(self, RENAME, id.clone(), user.clone(), name.to_owned(), now)? == 1)
    }

    /// Somebody signs in with a key now; false where the person has no such key.
    pub async fn touch_credential(
        &mut self,
        user: UserId,
        id: CredentialId,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, TOUCH, id.to_string(), user.to_string(), now)? == 1)
    }

    /// Takes a key away; false where the person has no such key.
    pub async fn delete_credential(
        &mut self,
        user: UserId,
        id: CredentialId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, id.to_string(), user.to_string())? == 1)
    }
}

fn read(row: &impl Row) -> Result<Credential, StoreError> {
    Ok(Credential {
        id: row.id("id", CredentialId::new)?,
        user_id: row.id("user_id", UserId::new)?,
        name: row.text("name")?,
        data: row.text("credential_data")?,
        registration: row.text("registration_response")?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
        logged_in_at: row.opt_instant("logged_in_at")?,
    })
}
