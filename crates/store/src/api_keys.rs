//! Keys of services for the public API. Secrets come and go encrypted.

use balefire_domain::ids::{ApiKeyId, ServiceId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Real alerts.
    Normal,
    /// Stubbed alerts only.
    Test,
    /// No alerts at all: a kind that the existing API knows.
    Team,
}

impl KeyKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Test, Self::Team];

    /// The word in tables and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Test => "test",
            Self::Team => "team",
        }
    }

    /// The kind that [`KeyKind::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whose it is.
    pub service_id: ServiceId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// The encrypted secret.
    pub secret: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// It was revoked by a change of the service's mode, not by a person (D40).
    pub is_revoked_by_mode: bool,
    /// Who made it; absent: the operator, by command.
    pub created_by: Option<UserId>,
    /// When it was last changed, if it was.
    pub updated_at: Option<Timestamp>,
    /// Its version: 1, and 2 when a person has revoked it.
    pub version: u32,
}

statements! {
    INSERT: "INSERT INTO api_keys
        (id, service_id, name, kind, secret, created_at, revoked_at, is_revoked_by_mode,
            created_by, updated_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIST: "SELECT * FROM api_keys WHERE service_id = $1 ORDER BY created_at, id";
    LIST_ANY: "SELECT id FROM api_keys LIMIT 1";
    LOAD: "SELECT * FROM api_keys WHERE id = $1";
    REVOKE: "UPDATE api_keys SET revoked_at = $2, updated_at = $2, version = version + 1
        WHERE id = $1 AND revoked_at IS NULL";
    REVOKE_BY_MODE: "UPDATE api_keys
        SET revoked_at = $2, updated_at = $2, is_revoked_by_mode = TRUE
        WHERE service_id = $1 AND revoked_at IS NULL";
    REVOKE_ALL: "UPDATE api_keys SET revoked_at = $2, updated_at = $2, version = version + 1
        WHERE service_id = $1 AND revoked_at IS NULL";
}

impl Tx {
    /// Stores a new key.
    pub async fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            key.id.to_string(),
            key.service_id.to_string(),
            key.name.clone(),
            key.kind.as_str(),
            key.secret.clone(),
            key.created_at.micros(),
            key.revoked_at.map(Timestamp::micros),
            key.is_revoked_by_mode,
            key.created_by.map(|id| id.to_string()),
            key.updated_at.map(Timestamp::micros),
            i64::from(key.version),
        )
    }

    /// A service's keys, revoked ones too, oldest first.
    pub async fn list_api_keys(&mut self, service: ServiceId) -> Result<Vec<ApiKey>, StoreError> {
        fetch_all!(self, read, LIST, service.to_string())
    }

    /// Whether any service has a key.
    pub async fn has_api_keys(&mut self) -> Result<bool, StoreError> {
        let any = fetch_optional!(self, |row| row.text("id"), LIST_ANY)?;
        Ok(any.is_some())
    }

    /// The key with this id.
    pub async fn load_api_key(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// Revokes a key now; false when it was revoked before.
    pub async fn revoke_api_key(&mut self, id: ApiKeyId) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, REVOKE, id.to_string(), now)? == 1)
    }

    /// Revokes every key of a service that is not revoked, for its mode changes (D40); how many.
    pub async fn revoke_api_keys_by_mode(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, REVOKE_BY_MODE, service.to_string(), now)
    }

    /// Revokes every key of a service that is not revoked yet; how many.
    pub async fn revoke_api_keys(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, REVOKE_ALL, service.to_string(), now)
    }
}

fn read(row: &impl Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.id("id", ApiKeyId::new)?,
        service_id: row.id("service_id", ServiceId::new)?,
        name: row.text("name")?,
        kind: row.word("kind", KeyKind::parse)?,
        secret: row.text("secret")?,
        created_at: row.instant("created_at")?,
        revoked_at: row.opt_instant("revoked_at")?,
        is_revoked_by_mode: row.bool("is_revoked_by_mode")?,
        created_by: row.opt_id("created_by", UserId::new)?,
        updated_at: row.opt_instant("updated_at")?,
        version: row.count("version")?,
    })
}
