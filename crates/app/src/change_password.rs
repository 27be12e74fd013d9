//! A new password: by the old one, or by a link that was mailed.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{OldPasswordId, UserId};
use balefire_domain::notification::{Changed, LINK_VALID_FOR};
use balefire_domain::password::{PasswordRefusal, check_password};
use balefire_domain::sign_in::AccountState;
use balefire_store::StoreError;
use balefire_store::accounts::Account;
use serde_json::json;

use crate::accounts::{CLIENT, Person, begin_session, object};
use crate::sign_in::SignInRefusal;
use crate::{Act, App, Failure, passwords, repeat};

/// Passwords that one person may not have again; older ones are forgotten.
const OLD_PASSWORDS_MAX: u32 = 50;

/// What allows a new password.
#[derive(Clone)]
pub enum Warrant {
    /// The password that there is.
    OldPassword(String),
    /// The token of a link.
    Token(String),
}

/// Why there is no new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordChangeRefusal {
    /// The old password was refused.
    Old(SignInRefusal),
    /// The link is none of ours, too old, another person's or address's, or was used.
    Token,
    /// The new password is not taken.
    New(PasswordRefusal),
}

type Refused = Failure<PasswordChangeRefusal>;

impl App {
    /// Sets a new password.
    pub async fn change_password(
        &self,
        id: UserId,
        password: &str,
        warrant: &Warrant,
        address: &str,
    ) -> Result<Person, Refused> {
        let before = match self.load_one(id).await? {
            Some(account) if account.state != AccountState::Inactive => account,
            _ => {
                let refusal = PasswordChangeRefusal::Old(SignInRefusal::NotFound);
                return Err(Failure::Refused(refusal));
            }
        };
        match warrant {
            Warrant::OldPassword(old) => {
                let checked = self.check_person_password(id, old, address).await;
                checked.map_err(|failure| match failure {
                    Failure::Refused(refusal) => {
                        Failure::Refused(PasswordChangeRefusal::Old(refusal))
                    }
                    Failure::Store(error) => Failure::Store(error),
                })?;
            }
            Warrant::Token(token) if !self.is_reset_token(token, &before) => {
                return Err(Failure::Refused(PasswordChangeRefusal::Token));
            }
            Warrant::Token(_) => {}
        }
        let checked = self.check_new_password(id, password).await?;
        checked.map_err(|refusal| Failure::Refused(PasswordChangeRefusal::New(refusal)))?;
        let hash = passwords::hash(password, &*self.entropy).await;
        let is_by_link = matches!(warrant, Warrant::Token(_));
        repeat(|| self.save_password(&before, &hash, is_by_link)).await
    }

    async fn load_one(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("load_account", self.clock.now())
                .await?;
            tx.load_account(id).await
        })
        .await
    }

    fn is_reset_token(&self, token: &str, account: &Account) -> bool {
        let now = self.clock.now();
        let Some(said) = self.read_link_token(token, LINK_VALID_FOR, now) else {
            return false;
        };
        said["user"] == json!(account.id)
            // It went to where the person does not read mail any more.
            && said["email"] == json!(account.email)
            && said["of"] == json!(self.password_mark(account))
    }

    /// Whether a person may take this password.
    pub async fn check_new_password(
        &self,
        id: UserId,
        password: &str,
    ) -> Result<Result<(), PasswordRefusal>, StoreError> {
        if let Err(refusal) = check_password(password) {
            return Ok(Err(refusal));
        }
        let old = repeat(|| async {
            let mut tx = self
                .store
                .begin_read("old_passwords", self.clock.now())
                .await?;
            let mut old = tx.list_old_passwords(id, OLD_PASSWORDS_MAX).await?;
            let present = tx.load_account(id).await?.and_then(|one| one.password_hash);
            if let Some(present) = present.filter(|present| !old.contains(present)) {
                old.push(present);
            }
            Ok::<_, StoreError>(old)
        })
        .await?;
        for hash in old {
            if passwords::is_right(password, Some(&hash)).await {
                return Ok(Err(PasswordRefusal::UsedBefore));
            }
        }
        Ok(Ok(()))
    }

    async fn save_password(
        &self,
        before: &Account,
        hash: &str,
        is_by_link: bool,
    ) -> Result<Person, Refused> {
        let id = before.id;
        let mut tx = self.store.begin("save_password", self.clock.now()).await?;
        let found = tx.lock_account(id).await?;
        // Another change came first: the link was used, or the old password is none any more.
        let same = found.filter(|now| now.password_hash == before.password_hash);
        let Some(mut account) = same else {
            return Err(Failure::Refused(PasswordChangeRefusal::Token));
        };
        account.password_hash = Some(hash.to_owned());
        account.password_changed_at = Some(tx.now);
        account.failed_logins = 0;
        account.last_failed_at = None;
        if is_by_link {
            // Whoever reads the person's mail has set it: nobody stays signed in.
            account.email_validated_at = Some(tx.now);
            begin_session(&mut account, None);
        }
        tx.update_account(&account).await?;
        let old = OldPasswordId::new(self.entropy.uuid_v7(tx.now));
        tx.insert_old_password(old, id, hash).await?;
        self.tell_change(&mut tx, before, &account, Changed::Password)
            .await?;
        let (actor, how) = if is_by_link {
            (CLIENT, "link")
        } else {
            (Actor::User(id), "old password")
        };
        let act = Act::new(actor, "user.set_password", object(id))
            .with(json!({ "by": how }))
            .changing(
                json!({ "password_changed_at": before.password_changed_at }),
                json!({ "password_changed_at": account.password_changed_at }),
            );
        self.audit_act(&mut tx, act).await?;
        let person = self.person(&mut tx, account, "").await?;
        tx.commit().await?;
        Ok(person)
    }

    /// Forgets which passwords a person had, for tests; false where there is no such person.
    pub async fn purge_old_passwords(&self, id: UserId) -> Result<bool, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("purge_old_passwords", self.clock.now())
                .await?;
            if tx.load_account(id).await?.is_none() {
                return Ok(false);
            }
            let forgotten = tx.delete_old_passwords(id).await?;
            let details = json!({ "forgotten": forgotten });
            let action = "user.purge_passwords";
            self.audit(&mut tx, CLIENT, action, object(id), None, details)
                .await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }
}
