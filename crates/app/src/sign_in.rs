//! Signing in: an address, a password, a code or a security key, each tried as often as
//! [`balefire_domain::sign_in`] lets it be.
//!
//! What it promises: a try counts as a failure before it is looked at, so that tries at the same
//! time don't all see the same past, and is taken back when it succeeds. A wrong password, an
//! account without one, one that is locked and one that is archived are refused in the same words
//! after the same work. Only a second factor ends a row of failures: whoever has the password
//! alone can't try codes without end.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{CredentialId, FailedLoginId, UserId, VerifyCodeId};
use balefire_domain::notification::{Hidden, Message, Notification, Recipient};
use balefire_domain::sign_in::{
    AccountState, Admission, CODE_DIGITS, CODE_VALID_FOR, CodeKind, CodeRefusal, FAILURES_MAX,
    Failures, LIVE_CODES_MAX, Record, admit, check_code,
};
use balefire_store::accounts::Account;
use balefire_store::sign_ins::VerifyCode;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::accounts::{CLIENT, Person, begin_session, failures_of, object, oldest_failure};
use crate::{App, Failure, passwords, repeat};

/// How long ended codes are kept, for `Code has expired` and `Code has been used`.
const CODES_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long an address from which somebody signed in stays known.
const ADDRESS_KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 3600);
/// Codes that one try is compared with: all that can have been made in a day, and more.
const CODES_READ_MAX: u32 = 300;

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    /// No such person.
    NotFound,
    /// It comes too early: again after this.
    Wait(Duration),
    /// The password is wrong, or as good as wrong.
    Password,
    /// The code is not taken.
    Code(CodeRefusal),
    /// Too many failures (security keys).
    Locked,
    /// The security key's answer was no success.
    Webauthn,
}

type Refused = Failure<SignInRefusal>;

/// Where a code goes.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    /// How.
    pub kind: CodeKind,
    /// To this address or number; absent: the person's own.
    pub to: Option<String>,
    /// Where links of e-mails lead, `https://host`; absent: the code itself is sent.
    pub link_host: Option<String>,
    /// Where the client goes on after that.
    pub next: Option<String>,
}

/// Why no code was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSendRefusal {
    /// No such person.
    NotFound,
    /// The address or number is none, or missing.
    Recipient,
    /// The host of links is no `http` or `https` address.
    LinkHost,
}

/// The failures of a person from an address from which they have signed in; `None`: they have not.
pub(crate) async fn known_failures(
    tx: &mut Tx,
    user: UserId,
    address: &str,
) -> Result<Option<Failures>, StoreError> {
    let Some(seen_at) = tx.load_known_address(user, address).await? else {
        return Ok(None);
    };
    let since = seen_at.max(oldest_failure(tx.now));
    tx.load_failures_at(user, address, since).await.map(Some)
}

impl App {
    /// The person who signs in with this address. An address that nobody has counts as a failure
    /// of whoever tries it, unless somebody was invited there.
    pub async fn find_to_sign_in(&self, email: &str, address: &str) -> Result<Person, Refused> {
        let email = email.trim().to_lowercase();
        let is_invited = self.find_invitation(&email).await?.is_some();
        repeat(|| async {
            let mut tx = self
                .store
                .begin("find_to_sign_in", self.clock.now())
                .await?;
            tx.lock_address(address, oldest_failure(tx.now)).await?;
            let record = Record {
                of_address: tx
                    .load_failures_from(address, oldest_failure(tx.now))
                    .await?,
                ..Record::default()
            };
            if let Admission::Wait(wait) = admit(&record, tx.now) {
                return Err(Failure::Refused(SignInRefusal::Wait(wait)));
            }
            let found = tx.load_account_by_email(&email).await?;
            let Some(account) = found else {
                if !is_invited {
                    self.fail(&mut tx, address, None, "nobody has the address")
                        .await?;
                    tx.commit().await?;
                }
                return Err(Failure::Refused(SignInRefusal::NotFound));
            };
            Ok(self.person(&mut tx, account, address).await?)
        })
        .await
    }

    /// Whether this is the person's password.
    pub async fn check_person_password(
        &self,
        id: UserId,
        password: &str,
        address: &str,
    ) -> Result<(), Refused> {
        let tried = repeat(|| self.begin_try(id, address)).await;
        let (failure, account, is_locked) = match tried {
            Ok(tried) => tried,
            Err(Failure::Refused(SignInRefusal::NotFound)) => {
                // The same work as for somebody.
                passwords::is_right(password, None).await;
                return Err(Failure::Refused(SignInRefusal::NotFound));
            }
            Err(refused) => return Err(refused),
        };
        let is_right = passwords::is_right(password, account.password_hash.as_deref()).await;
        let is_in_use = account.state != AccountState::Inactive;
        if is_right && is_in_use && !is_locked {
            // Of a person who was imported: this once the password is known.
            let was = account
                .password_hash
                .filter(|hash| passwords::is_of_the_earlier(hash));
            let renewed = match was {
                None => None,
                Some(was) => Some((was, passwords::hash(password, &*self.entropy).await)),
            };
            repeat(|| self.take_back(id, failure, renewed.as_ref())).await
        } else {
            Err(Failure::Refused(SignInRefusal::Password))
        }
    }

    /// Counts a try as failed, before it is looked at.
    async fn begin_try(
        &self,
        id: UserId,
        address: &str,
    ) -> Result<(FailedLoginId, Account, bool), Refused> {
        let mut tx = self.store.begin("begin_try", self.clock.now()).await?;
        let (mut account, admission) = self.admit(&mut tx, id, address).await?;
        let failure = self
            .fail(&mut tx, address, Some(&mut account), "password")
            .await?;
        tx.commit().await?;
        Ok((failure, account, admission == Admission::Locked))
    }

    /// The try was none. `renewed`: the digest that it was right for, and the one that takes its
    /// place.
    async fn take_back(
        &self,
        id: UserId,
        failure: FailedLoginId,
        renewed: Option<&(String, String)>,
    ) -> Result<(), Refused> {
        let mut tx = self.store.begin("take_back", self.clock.now()).await?;
        tx.delete_failed_login(failure).await?;
        if let Some(mut account) = tx.lock_account(id).await? {
            account.failed_logins = account.failed_logins.saturating_sub(1);
            if account.failed_logins == 0 {
                account.last_failed_at = None;
            }
            // Whoever changed the password meanwhile is not overruled.
            if let Some((was, is)) = renewed
                && account.password_hash.as_ref() == Some(was)
            {
                account.password_hash = Some(is.clone());
            }
            tx.update_account(&account).await?;
        }
        let actor = Actor::User(id);
        self.audit(&mut tx, actor, "user.password", object(id), None, json!({}))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Locks the account and judges whether anything of a try is looked at.
    async fn admit(
        &self,
        tx: &mut Tx,
        id: UserId,
        address: &str,
    ) -> Result<(Account, Admission), Refused> {
        tx.lock_address(address, oldest_failure(tx.now)).await?;
        let Some(account) = tx.lock_account(id).await? else {
            return Err(Failure::Refused(SignInRefusal::NotFound));
        };
        let record = Record {
            of_address: tx
                .load_failures_from(address, oldest_failure(tx.now))
                .await?,
            of_account: Some(failures_of(&account)),
            of_known_address: known_failures(tx, id, address).await?,
        };
        match admit(&record, tx.now) {
            Admission::Wait(wait) => Err(Failure::Refused(SignInRefusal::Wait(wait))),
            admission => Ok((account, admission)),
        }
    }

    /// Stores a failure, with its entry in the audit trail.
    async fn fail(
        &self,
        tx: &mut Tx,
        address: &str,
        account: Option<&mut Account>,
        what: &'static str,
    ) -> Result<FailedLoginId, StoreError> {
        let failure = FailedLoginId::new(self.entropy.uuid_v7(tx.now));
        let user = account.as_ref().map(|account| account.id);
        tx.insert_failed_login(failure, address, user).await?;
        let mut count = None;
        if let Some(account) = account {
            let failures = failures_of(account).as_of(tx.now);
            account.failed_logins = failures.count.saturating_add(1);
            account.last_failed_at = Some(tx.now);
            count = Some(account.failed_logins);
            tx.update_account(account).await?;
        }
        let of = user.map_or_else(|| "user".to_owned(), object);
        let details = json!({ "what": what, "address": address, "in_a_row": count });
        self.audit(tx, CLIENT, "user.sign_in_tried", of, None, details)
            .await?;
        if count == Some(FAILURES_MAX) {
            tracing::warn!(
                event = "sign_in.locked",
                user.id = %user.map(|id| id.to_string()).unwrap_or_default(),
                "an account is locked for an hour after ten failures to sign in"
            );
        }
        Ok(failure)
    }

    /// Sends a code; nothing where the person has five that are good.
    pub async fn send_code(
        &self,
        id: UserId,
        request: &CodeRequest,
    ) -> Result<(), Failure<CodeSendRefusal>> {
        repeat(|| self.send_code_once(id, request)).await
    }

    async fn send_code_once(
        &self,
        id: UserId,
        request: &CodeRequest,
    ) -> Result<(), Failure<CodeSendRefusal>> {
        let refuse = |refusal| Err(Failure::Refused(refusal));
        let mut tx = self.store.begin("send_code", self.clock.now()).await?;
        let Some(account) = tx.lock_account(id).await? else {
            return refuse(CodeSendRefusal::NotFound);
        };
        let to = match (request.kind, &request.to) {
            (CodeKind::Sms, Some(to)) => Recipient::sms(to),
            (CodeKind::Sms, None) => Recipient::sms(account.mobile.as_deref().unwrap_or("")),
            (CodeKind::Email, Some(to)) => Recipient::email(to),
            (CodeKind::Email, None) => Recipient::email(&account.email),
        };
        let Ok(to) = to else {
            return refuse(CodeSendRefusal::Recipient);
        };
        let codes = tx.list_verify_codes(id, CODES_READ_MAX).await?;
        let is_live = |code: &&VerifyCode| {
            code.kind == request.kind && check_code(code.expires_at, code.used_at, tx.now).is_ok()
        };
        if codes.iter().filter(is_live).count() >= LIVE_CODES_MAX
            || account.state == AccountState::Inactive
        {
            return Ok(());
        }
        let code = self.new_code(&mut tx, id, request.kind).await?;
        let message = match (request.kind, &request.link_host) {
            (CodeKind::Email, Some(host)) => {
                let payload = json!({ "user_id": id, "secret_code": code });
                let path = format!("email-auth/{}", self.link_token(&payload, tx.now));
                let link = crate::links::link(host, &path, request.next.as_deref());
                let Some(link) = link else {
                    return refuse(CodeSendRefusal::LinkHost);
                };
                Message::SignInLink {
                    name: account.name.clone(),
                    link: Hidden::new(link),
                }
            }
            _ => Message::SignInCode {
                code: Hidden::new(code),
            },
        };
        let details = json!({ "kind": request.kind.as_str(), "to": to.masked() });
        self.enqueue_notification(&mut tx, &Notification::new(to, message))
            .await?;
        self.audit(&mut tx, CLIENT, "user.send_code", object(id), None, details)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes a code.
    pub(crate) async fn new_code(
        &self,
        tx: &mut Tx,
        user: UserId,
        kind: CodeKind,
    ) -> Result<String, StoreError> {
        let code = self.random_code();
        let keeps = self.settings.has_test_routes;
        let row = VerifyCode {
            id: VerifyCodeId::new(self.entropy.uuid_v7(tx.now)),
            user_id: user,
            kind,
            digest: self.code_digest(user, kind, &code),
            sealed: keeps.then(|| self.secret_key.seal(&code, &*self.entropy)),
            created_at: tx.now,
            expires_at: tx.now + CODE_VALID_FOR,
            used_at: None,
        };
        tx.insert_verify_code(&row, tx.now - CODES_KEPT).await?;
        Ok(code)
    }

    /// A code that is good for nothing as long as it is not stored.
    pub(crate) fn random_code(&self) -> String {
        let numbers = 10_u128.pow(u32::try_from(CODE_DIGITS).expect("seven"));
        format!("{:07}", self.entropy.random() % numbers)
    }

    fn code_digest(&self, user: UserId, kind: CodeKind, code: &str) -> String {
        let of = format!("{} code of {user}", kind.as_str());
        self.secret_key.digest(&of, code)
    }

    /// Takes a code, once, and begins a session.
    pub async fn check_person_code(
        &self,
        id: UserId,
        kind: CodeKind,
        code: &str,
        address: &str,
    ) -> Result<(), Refused> {
        repeat(|| self.check_person_code_once(id, kind, code, address)).await
    }

    async fn check_person_code_once(
        &self,
        id: UserId,
        kind: CodeKind,
        code: &str,
        address: &str,
    ) -> Result<(), Refused> {
        let mut tx = self.store.begin("check_code", self.clock.now()).await?;
        let (mut account, admission) = match self.admit(&mut tx, id, address).await {
            Err(Failure::Refused(SignInRefusal::NotFound)) => {
                return Err(Failure::Refused(SignInRefusal::Code(CodeRefusal::NotFound)));
            }
            admitted => admitted?,
        };
        let codes = tx.list_verify_codes(id, CODES_READ_MAX).await?;
        let digest = self.code_digest(id, kind, code);
        let found = find_code(&codes, kind, &digest);
        let is_shut = admission == Admission::Locked || account.state == AccountState::Inactive;
        let checked = match found {
            Some(code) if !is_shut => {
                check_code(code.expires_at, code.used_at, tx.now).map(|()| code)
            }
            _ => Err(CodeRefusal::NotFound),
        };
        match checked {
            Ok(code) if tx.use_verify_code(code.id).await? => {
                if kind == CodeKind::Email {
                    account.email_validated_at = Some(tx.now);
                }
                self.complete_sign_in(&mut tx, account, address, kind.as_str())
                    .await?;
                tx.commit().await?;
                Ok(())
            }
            checked => {
                let refusal = checked.err().unwrap_or(CodeRefusal::Used);
                self.fail(&mut tx, address, Some(&mut account), "code")
                    .await?;
                tx.commit().await?;
                Err(Failure::Refused(SignInRefusal::Code(refusal)))
            }
        }
    }

    /// Begins a session, and ends the row of failures.
    async fn complete_sign_in(
        &self,
        tx: &mut Tx,
        mut account: Account,
        address: &str,
        factor: &str,
    ) -> Result<(), StoreError> {
        let id = account.id;
        begin_session(&mut account, Some(self.entropy.uuid_v4()));
        account.logged_in_at = Some(tx.now);
        account.failed_logins = 0;
        account.last_failed_at = None;
        tx.update_account(&account).await?;
        tx.know_address(id, address, tx.now - ADDRESS_KNOWN_FOR)
            .await?;
        let details = json!({ "factor": factor, "address": address });
        self.audit(
            tx,
            Actor::User(id),
            "user.sign_in",
            object(id),
            None,
            details,
        )
        .await
    }

    /// What a security key said, by the client that asked it.
    pub async fn complete_webauthn(
        &self,
        id: UserId,
        is_success: bool,
        credential: Option<CredentialId>,
        address: &str,
    ) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self.store.begin("webauthn_login", self.clock.now()).await?;
            let (mut account, admission) = self.admit(&mut tx, id, address).await?;
            if admission == Admission::Locked || account.state == AccountState::Inactive {
                return Err(Failure::Refused(SignInRefusal::Locked));
            }
            if !is_success {
                self.fail(&mut tx, address, Some(&mut account), "security key")
                    .await?;
                tx.commit().await?;
                return Err(Failure::Refused(SignInRefusal::Webauthn));
            }
            if let Some(credential) = credential {
                let is_theirs = tx.touch_credential(id, credential).await?;
                if !is_theirs {
                    return Err(Failure::Refused(SignInRefusal::NotFound));
                }
            }
            self.complete_sign_in(&mut tx, account, address, "security key")
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// The newest code of a person, where codes are kept for tests.
    pub async fn newest_code(&self, id: UserId) -> Result<Option<String>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("newest_code", self.clock.now())
                .await?;
            let codes = tx.list_verify_codes(id, 1).await?;
            let sealed = codes.into_iter().next().and_then(|code| code.sealed);
            Ok(sealed.and_then(|sealed| self.secret_key.open(&sealed).ok()))
        })
        .await
    }
}

/// The code with this digest, the newest first. Every one is compared.
fn find_code<'c>(codes: &'c [VerifyCode], kind: CodeKind, digest: &str) -> Option<&'c VerifyCode> {
    codes.iter().fold(None, |found, code| {
        let is_it = verify_slices_are_equal(code.digest.as_bytes(), digest.as_bytes()).is_ok();
        found.or_else(|| (is_it && code.kind == kind).then_some(code))
    })
}
