//! Security keys of people. The client that asks a key checks its answer; what it checks by is
//! kept for it.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{CredentialId, UserId};
use balefire_store::StoreError;
use balefire_store::credentials::Credential;
use serde_json::json;

use crate::accounts::object;
use crate::{Act, App, Failure, repeat};

/// Security keys of one person.
pub const CREDENTIALS_MAX: usize = 20;
/// Characters of what a client keeps of a key, and of its name.
pub const CREDENTIAL_CHARS_MAX: usize = 16 * 1024;

/// Why nothing was done with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialRefusal {
    /// No such person, or no such key of theirs.
    NotFound,
    /// It is their last.
    Last,
    /// They have as many as one may.
    TooMany,
}

type Refused = Failure<CredentialRefusal>;

impl App {
    /// A person's keys; `None`: there is no such person.
    pub async fn list_credentials(
        &self,
        id: UserId,
    ) -> Result<Option<Vec<Credential>>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_credentials", self.clock.now())
                .await?;
            match tx.load_account(id).await? {
                Some(_) => tx.list_credentials(id).await.map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    /// Adds a key.
    pub async fn add_credential(
        &self,
        id: UserId,
        name: &str,
        data: &str,
        registration: &str,
    ) -> Result<Credential, Refused> {
        repeat(|| async {
            let mut tx = self.store.begin("add_credential", self.clock.now()).await?;
            if tx.lock_account(id).await?.is_none() {
                return Err(Failure::Refused(CredentialRefusal::NotFound));
            }
            if tx.list_credentials(id).await?.len() >= CREDENTIALS_MAX {
                return Err(Failure::Refused(CredentialRefusal::TooMany));
            }
            let key = Credential {
                id: CredentialId::new(self.entropy.uuid_v7(tx.now)),
                user_id: id,
                name: name.to_owned(),
                data: data.to_owned(),
                registration: registration.to_owned(),
                created_at: tx.now,
                updated_at: None,
                logged_in_at: None,
            };
            tx.insert_credential(&key).await?;
            let details = json!({ "key": key.id, "name": name });
            self.audit(
                &mut tx,
                Actor::User(id),
                "user.add_key",
                object(id),
                None,
                details,
            )
            .await?;
            tx.commit().await?;
            Ok(key)
        })
        .await
    }

    /// Names a key anew.
    pub async fn rename_credential(
        &self,
        id: UserId,
        key: CredentialId,
        name: &str,
    ) -> Result<Credential, Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("rename_credential", self.clock.now())
                .await?;
            let before = tx.list_credentials(id).await?;
            let before = before.into_iter().find(|one| one.id == key);
            let is_theirs = tx.rename_credential(id, key, name).await?;
            let keys = tx.list_credentials(id).await?;
            let named = keys.into_iter().find(|one| one.id == key);
            let Some(named) = named.filter(|_| is_theirs) else {
                return Err(Failure::Refused(CredentialRefusal::NotFound));
            };
            let act = Act::new(Actor::User(id), "user.rename_key", object(id))
                .with(json!({ "key": key }))
                .changing(
                    json!({ "name": before.map(|before| before.name) }),
                    json!({ "name": name }),
                );
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            Ok(named)
        })
        .await
    }

    /// Takes a key away that is not a person's last.
    pub async fn delete_credential(&self, id: UserId, key: CredentialId) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("delete_credential", self.clock.now())
                .await?;
            tx.lock_account(id).await?;
            let keys = tx.list_credentials(id).await?;
            if !keys.iter().any(|one| one.id == key) {
                return Err(Failure::Refused(CredentialRefusal::NotFound));
            }
            if keys.len() == 1 {
                return Err(Failure::Refused(CredentialRefusal::Last));
            }
            tx.delete_credential(id, key).await?;
            let act = Act::new(Actor::User(id), "user.delete_key", object(id))
                .with(json!({ "key": key }))
                .changing(
                    json!({ "keys": keys.len() }),
                    json!({ "keys": keys.len() - 1 }),
                );
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}
