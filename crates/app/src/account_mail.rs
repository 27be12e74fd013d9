//! Mail about an account: to prove an address, to set a new password, to say that an address has
//! an account.
//!
//! Whether an address has an account is told to nobody but its owner: what is asked for one that
//! nobody has is answered likewise, and sends nothing; and so is what is asked for too often, so
//! that a stranger fills nobody's mailbox.

use std::time::Duration;

use balefire_domain::ids::UserId;
use balefire_domain::notification::{Hidden, Message, Notification, Recipient};
use balefire_domain::sign_in::{AccountState, CodeKind};
use balefire_store::Tx;
use balefire_store::accounts::Account;
use serde_json::json;

use crate::accounts::{CLIENT, checked_email, object};
use crate::{App, Failure, links, repeat};

/// Messages about accounts that an address is sent within [`MAILS_COUNTED_FOR`], whoever asks.
const MAILS_MAX: u32 = 5;
/// How long they are counted.
const MAILS_COUNTED_FOR: Duration = Duration::from_secs(3600);

/// Why no mail was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailRefusal {
    /// No such person.
    NotFound,
    /// The address is none.
    Email,
    /// Somebody has the address.
    EmailTaken,
    /// Nobody said where links lead, or it is no `http` or `https` address.
    Host,
}

type Refused = Failure<MailRefusal>;

impl App {
    /// Where links lead: what the client says, else what the configuration does.
    fn link_of(
        &self,
        host: Option<&str>,
        path: &str,
        next: Option<&str>,
    ) -> Result<String, Refused> {
        let host = host.or(self.settings.author_url.as_deref());
        host.and_then(|host| links::link(host, path, next))
            .ok_or(Failure::Refused(MailRefusal::Host))
    }

    async fn account_of(tx: &mut Tx, id: UserId) -> Result<Account, Refused> {
        let found = tx.lock_account(id).await?;
        found.ok_or(Failure::Refused(MailRefusal::NotFound))
    }

    /// Sends the link that proves the address of a new person.
    pub async fn mail_confirmation(
        &self,
        id: UserId,
        to: Option<&str>,
        host: Option<&str>,
    ) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("mail_confirmation", self.clock.now())
                .await?;
            let account = Self::account_of(&mut tx, id).await?;
            let to = recipient(to.unwrap_or(&account.email))?;
            let code = match account.state {
                AccountState::Pending => self.new_code(&mut tx, id, CodeKind::Email).await?,
                // Whose account is in use needs no such link: it is told to have been used, and
                // its code would be a way around the person's second factor.
                AccountState::Active | AccountState::Inactive => self.random_code(),
            };
            let payload = json!({ "user_id": id, "secret_code": code });
            let path = format!("verify-email/{}", self.link_token(&payload, tx.now));
            let link = Hidden::new(self.link_of(host, &path, None)?);
            let name = account.name;
            self.mail(tx, to, Message::ConfirmEmail { name, link }, Some(id))
                .await
        })
        .await
    }

    /// Sends the link that proves a person's new address, there.
    pub async fn mail_new_address(
        &self,
        id: UserId,
        email: &str,
        host: Option<&str>,
    ) -> Result<(), Refused> {
        let email = checked_email(email).map_err(|_| Failure::Refused(MailRefusal::Email))?;
        repeat(|| async {
            let mut tx = self
                .store
                .begin("mail_new_address", self.clock.now())
                .await?;
            let account = Self::account_of(&mut tx, id).await?;
            if tx.load_account_by_email(&email).await?.is_some() {
                return Err(Failure::Refused(MailRefusal::EmailTaken));
            }
            let to = recipient(&email)?;
            let payload = json!({ "user_id": id, "email": email });
            let path = format!(
                "user-profile/email/confirm/{}",
                self.link_token(&payload, tx.now)
            );
            let link = Hidden::new(self.link_of(host, &path, None)?);
            let name = account.name;
            self.mail(tx, to, Message::ConfirmNewEmail { name, link }, Some(id))
                .await
        })
        .await
    }

    /// Says to an address that it has an account.
    pub async fn mail_registered(
        &self,
        id: UserId,
        email: &str,
        host: Option<&str>,
    ) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("mail_registered", self.clock.now())
                .await?;
            Self::account_of(&mut tx, id).await?;
            let message = Message::AlreadyRegistered {
                sign_in_link: self.link_of(host, "sign-in", None)?,
                forgotten_link: self.link_of(host, "forgot-password", None)?,
            };
            self.mail(tx, recipient(email)?, message, Some(id)).await
        })
        .await
    }

    /// Sends the link that sets a new password, where the address has an account.
    pub async fn mail_password_reset(
        &self,
        email: &str,
        host: Option<&str>,
        next: Option<&str>,
    ) -> Result<(), Refused> {
        let email = checked_email(email).map_err(|_| Failure::Refused(MailRefusal::Email))?;
        repeat(|| async {
            let mut tx = self
                .store
                .begin("mail_password_reset", self.clock.now())
                .await?;
            let found = tx.load_account_by_email(&email).await?;
            let known = found
                .as_ref()
                .filter(|one| one.state != AccountState::Inactive);
            let payload = json!({
                "user": known.map(|account| account.id),
                "email": email,
                // An application that reads the token asks whether the password is younger.
                "created_at": tx.now.to_json_style().replace('T', " ").trim_end_matches('Z'),
                "of": known.map(|account| self.password_mark(account)),
            });
            let path = format!("new-password/{}", self.link_token(&payload, tx.now));
            let link = Hidden::new(self.link_of(host, &path, next)?);
            let Some(account) = known else {
                return Ok(());
            };
            let (id, name) = (account.id, account.name.clone());
            let to = recipient(&account.email)?;
            self.mail(tx, to, Message::ResetPassword { name, link }, Some(id))
                .await
        })
        .await
    }

    /// What a link that sets a password is bound to: the password that there is. It opens nothing
    /// any more once that was changed.
    pub(crate) fn password_mark(&self, account: &Account) -> String {
        let hash = account.password_hash.as_deref().unwrap_or_default();
        self.secret_key
            .digest(&format!("password of {}", account.id), hash)
    }

    async fn mail(
        &self,
        mut tx: Tx,
        to: Recipient,
        message: Message,
        user: Option<UserId>,
    ) -> Result<(), Refused> {
        let address = self
            .secret_key
            .digest("mail to", &to.reveal().to_lowercase());
        let since = tx.now - MAILS_COUNTED_FOR;
        if tx.count_account_mail(&address, since).await? > MAILS_MAX {
            // As if it were sent: who asks learns nothing of the address.
            tracing::warn!(
                event = "mail.withheld",
                message = message.as_str(),
                "an address was sent as much about accounts as it is within an hour: this is not"
            );
            return Ok(());
        }
        let details = json!({ "message": message.as_str(), "to": to.masked() });
        self.enqueue_notification(&mut tx, &Notification::new(to, message))
            .await?;
        let of = user.map_or_else(|| "user".to_owned(), object);
        self.audit(&mut tx, CLIENT, "user.mail", of, None, details)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn recipient(email: &str) -> Result<Recipient, Refused> {
    Recipient::email(email).map_err(|_| Failure::Refused(MailRefusal::Email))
}
