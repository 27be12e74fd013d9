//! Accounts as the author's client reads and writes them: made, read, found, changed, signed out.
//!
//! A change of a name, an address, a number or of the way to sign in is told to its person, at the
//! old place and at the new one.

use std::collections::BTreeMap;

use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{OldPasswordId, UserId};
use balefire_domain::notification::{Changed, Message, Notification, Recipient};
use balefire_domain::password::{PasswordRefusal, check_password};
use balefire_domain::permission::{Deed, check};
use balefire_domain::sign_in::{
    AccountState, AuthType, CodeKind, Failures, LOCK_TIME, acts_as_admin,
};
use balefire_domain::time::Timestamp;
use balefire_store::accounts::{Account, Membership};
use balefire_store::organisations::CountedOrganisation;
use balefire_store::{StoreError, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::{Act, App, Failure, passwords, repeat};

/// The client that speaks for people whom it does not name.
pub(crate) const CLIENT: Actor = Actor::Client("notify-admin");
/// Organisations whose members are read for the list of everybody.
const ORGANISATIONS_MAX: u32 = 1_000;
/// People that one search finds.
pub const FOUND_MAX: u32 = 100;
/// Characters of a person's name.
pub const NAME_CHARS_MAX: usize = 255;

/// An account with what belongs to it.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub account: Account,
    /// The person's services.
    pub memberships: Vec<Membership>,
    /// The organisations that they belong to.
    pub organisations: Vec<CountedOrganisation>,
    /// Failures to sign in that count now, for whoever asks from where the person does.
    pub failed_logins: u32,
    /// They act as administrator now.
    pub is_platform_admin: bool,
}

impl Person {
    /// Whether they may sign in with a security key: who can alert, or administrate.
    pub fn can_use_webauthn(&self) -> bool {
        self.account.is_admin_capable
            || self.is_platform_admin
            || self.account.auth_type == AuthType::Webauthn
            || self.active().any(|of| of.may_broadcast)
    }

    /// The services that may act.
    pub fn active(&self) -> impl Iterator<Item = &Membership> {
        let is_active = |of: &&Membership| of.state == ServiceState::Active;
        self.memberships.iter().filter(is_active)
    }
}

/// An account to make.
#[derive(Clone)]
pub struct NewAccount {
    /// The person's name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their mobile number.
    pub mobile: Option<String>,
    /// The password in the clear.
    pub password: String,
    /// Their second factor.
    pub auth_type: AuthType,
    /// Whether it is in use at once.
    pub state: AccountState,
}

/// What is to be changed of an account; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The number; `Some(None)` takes it away.
    pub mobile: Option<Option<String>>,
    /// The second factor.
    pub auth_type: Option<AuthType>,
    /// The session; `Some(None)` signs out.
    pub session_id: Option<Option<Uuid>>,
    /// When the person was last seen to read mail.
    pub email_validated_at: Option<Timestamp>,
    /// Who changes it, where it is somebody else, or the person themself.
    pub updated_by: Option<UserId>,
}

/// Why an account was neither made nor changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRefusal {
    /// No such person.
    NotFound,
    /// The name is empty or too long.
    Name,
    /// The address is none.
    Email,
    /// Somebody has the address.
    EmailTaken,
    /// The number is none.
    Mobile,
    /// Codes by SMS need a number.
    MobileMissing,
    /// The password is not taken.
    Password(PasswordRefusal),
    /// Who is to change it may not.
    NotAllowed,
}

type Refused = Failure<AccountRefusal>;

impl App {
    /// Makes an account with a password.
    pub async fn create_account(&self, new: NewAccount) -> Result<Person, Refused> {
        let email = checked_email(&new.email).map_err(Failure::Refused)?;
        let name = checked_name(&new.name).map_err(Failure::Refused)?;
        let mobile = checked_mobile(new.mobile.as_deref()).map_err(Failure::Refused)?;
        let refuse = |refusal| Err(Failure::Refused(refusal));
        if new.auth_type == AuthType::Sms && mobile.is_none() {
            return refuse(AccountRefusal::MobileMissing);
        }
        if let Err(refusal) = check_password(&new.password) {
            return refuse(AccountRefusal::Password(refusal));
        }
        let hash = passwords::hash(&new.password, &*self.entropy).await;
        let id = UserId::new(self.entropy.uuid_v7(self.clock.now()));
        repeat(|| async {
            let mut tx = self.store.begin("create_account", self.clock.now()).await?;
            if tx.load_account_by_email(&email).await?.is_some() {
                return Err(Failure::Refused(AccountRefusal::EmailTaken));
            }
            let account = Account {
                id,
                name: name.clone(),
                email: email.clone(),
                mobile: mobile.clone(),
                auth_type: new.auth_type,
                state: new.state,
                password_hash: Some(hash.clone()),
                password_changed_at: Some(tx.now),
                email_validated_at: Some(tx.now),
                logged_in_at: None,
                failed_logins: 0,
                last_failed_at: None,
                session_id: None,
                is_platform_admin: false,
                is_admin_capable: false,
                admin_until: None,
                elevated_at: None,
                created_at: tx.now,
            };
            tx.insert_account(&account).await?;
            let old = OldPasswordId::new(self.entropy.uuid_v7(tx.now));
            tx.insert_old_password(old, id, &hash).await?;
            let details = json!({ "auth_type": account.auth_type.as_str(),
                "state": account.state.as_str() });
            self.audit(&mut tx, CLIENT, "user.create", object(id), None, details)
                .await?;
            let person = self.person(&mut tx, account, "").await?;
            tx.commit().await?;
            Ok(person)
        })
        .await
    }

    /// A person, as they are for who asks from `address`.
    pub async fn read_person(
        &self,
        id: UserId,
        address: &str,
    ) -> Result<Option<Person>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("read_person", self.clock.now())
                .await?;
            match tx.load_account(id).await? {
                Some(account) => self.person(&mut tx, account, address).await.map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    /// Everybody, in the order in which they were added.
    pub async fn list_people(&self) -> Result<Vec<Person>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_people", self.clock.now())
                .await?;
            let mut of = BTreeMap::<UserId, Vec<Membership>>::new();
            for (user, membership) in tx.list_all_memberships().await? {
                of.entry(user).or_default().push(membership);
            }
            let mut in_organisations = BTreeMap::<UserId, Vec<CountedOrganisation>>::new();
            for own in tx.list_organisations(ORGANISATIONS_MAX).await? {
                for user in tx.list_organisation_members(own.organisation.id).await? {
                    in_organisations.entry(user).or_default().push(own.clone());
                }
            }
            let accounts = tx.list_accounts().await?.into_iter();
            Ok(accounts
                .map(|account| {
                    let memberships = of.remove(&account.id).unwrap_or_default();
                    let own = in_organisations.remove(&account.id).unwrap_or_default();
                    let failures = failures_of(&account);
                    person_of(account, (memberships, own), failures, tx.now)
                })
                .collect())
        })
        .await
    }

    /// The person with this address.
    pub async fn find_person(&self, email: &str) -> Result<Option<Person>, StoreError> {
        let email = email.trim().to_lowercase();
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("find_person", self.clock.now())
                .await?;
            match tx.load_account_by_email(&email).await? {
                Some(account) => self.person(&mut tx, account, "").await.map(Some),
                None => Ok(None),
            }
        })
        .await
    }

    /// People whose address has this text in it: [`FOUND_MAX`] at most.
    pub async fn search_people(&self, part: &str) -> Result<Vec<Account>, StoreError> {
        let part = part.trim().to_lowercase();
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("search_people", self.clock.now())
                .await?;
            tx.find_accounts(&part, FOUND_MAX).await
        })
        .await
    }

    /// Changes an account, and tells its person.
    pub async fn change_account(
        &self,
        id: UserId,
        change: &AccountChange,
    ) -> Result<Person, Refused> {
        repeat(|| self.change_account_once(id, change)).await
    }

    async fn change_account_once(
        &self,
        id: UserId,
        change: &AccountChange,
    ) -> Result<Person, Refused> {
        let mut tx = self.store.begin("change_account", self.clock.now()).await?;
        let Some(before) = tx.lock_account(id).await? else {
            return Err(Failure::Refused(AccountRefusal::NotFound));
        };
        let actor = match change.updated_by {
            None => CLIENT,
            Some(by) if by == id => Actor::User(by),
            Some(by) => {
                check_manager(&mut tx, by, id).await?;
                Actor::User(by)
            }
        };
        let mut after = before.clone();
        apply(&mut after, change).map_err(Failure::Refused)?;
        if after.email != before.email && tx.load_account_by_email(&after.email).await?.is_some() {
            return Err(Failure::Refused(AccountRefusal::EmailTaken));
        }
        tx.update_account(&after).await?;
        let changed = differences(&before, &after);
        for what in &changed {
            self.tell_change(&mut tx, &before, &after, *what).await?;
            // What went to the old place opens nothing any more.
            match what {
                Changed::Email => tx.end_verify_codes(id, CodeKind::Email).await?,
                Changed::Mobile => tx.end_verify_codes(id, CodeKind::Sms).await?,
                Changed::Name | Changed::AuthType | Changed::Password => 0,
            };
        }
        let is_signed_out = before.session_id.is_some() && after.session_id.is_none();
        let action = if is_signed_out && changed.is_empty() {
            "user.sign_out"
        } else {
            "user.update"
        };
        let act = Act::new(actor, action, object(id)).changing(shown(&before), shown(&after));
        self.audit_act(&mut tx, act).await?;
        let person = self.person(&mut tx, after, "").await?;
        tx.commit().await?;
        Ok(person)
    }

    /// Tells a person of a change at the old place and at the new one.
    pub(crate) async fn tell_change(
        &self,
        tx: &mut Tx,
        before: &Account,
        after: &Account,
        changed: Changed,
    ) -> Result<(), StoreError> {
        let places = match changed {
            Changed::Mobile => [&before.mobile, &after.mobile]
                .into_iter()
                .flatten()
                .filter_map(|number| Recipient::sms(number).ok())
                .collect(),
            Changed::Email => vec![
                Recipient::email(&before.email),
                Recipient::email(&after.email),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Changed::Name | Changed::AuthType | Changed::Password => Recipient::email(&after.email)
                .into_iter()
                .collect::<Vec<_>>(),
        };
        for to in places {
            let name = after.name.clone();
            let message = Message::SecurityChange { name, changed };
            self.enqueue_notification(tx, &Notification::new(to, message))
                .await?;
        }
        Ok(())
    }

    /// An account with what belongs to it.
    pub(crate) async fn person(
        &self,
        tx: &mut Tx,
        account: Account,
        address: &str,
    ) -> Result<Person, StoreError> {
        let memberships = tx.list_memberships_of(account.id).await?;
        let organisations = tx.list_organisations_of(account.id).await?;
        let known = match address {
            "" => None,
            address => crate::sign_in::known_failures(tx, account.id, address).await?,
        };
        let failures = known.unwrap_or_else(|| failures_of(&account));
        let of = (memberships, organisations);
        Ok(person_of(account, of, failures, tx.now))
    }
}

fn person_of(
    account: Account,
    (memberships, organisations): (Vec<Membership>, Vec<CountedOrganisation>),
    failures: Failures,
    now: Timestamp,
) -> Person {
    Person {
        is_platform_admin: acts_as_admin(account.is_platform_admin, account.elevated_at, now),
        failed_logins: failures.as_of(now).count,
        account,
        memberships,
        organisations,
    }
}

/// The failures at an account, from wherever.
pub(crate) fn failures_of(account: &Account) -> Failures {
    Failures {
        count: account.failed_logins,
        last_at: account.last_failed_at,
    }
}

/// Somebody else changes an account: a manager of a service of its person.
async fn check_manager(tx: &mut Tx, by: UserId, of: UserId) -> Result<(), Refused> {
    for membership in tx.list_memberships_of(of).await? {
        let standing = tx.load_standing(by, membership.service_id).await?;
        if standing.is_some_and(|standing| check(&standing, Deed::ManageUsers).is_ok()) {
            return Ok(());
        }
    }
    Err(Failure::Refused(AccountRefusal::NotAllowed))
}

fn apply(account: &mut Account, change: &AccountChange) -> Result<(), AccountRefusal> {
    if let Some(name) = &change.name {
        account.name = checked_name(name)?;
    }
    if let Some(email) = &change.email {
        account.email = checked_email(email)?;
    }
    if let Some(mobile) = &change.mobile {
        account.mobile = checked_mobile(mobile.as_deref())?;
    }
    if let Some(auth_type) = change.auth_type {
        account.auth_type = auth_type;
    }
    if account.auth_type == AuthType::Sms
        && account.mobile.is_none()
        && (change.mobile.is_some() || change.auth_type.is_some())
    {
        return Err(AccountRefusal::MobileMissing);
    }
    if let Some(validated_at) = change.email_validated_at {
        account.email_validated_at = Some(validated_at);
    }
    if let Some(session) = change.session_id {
        begin_session(account, session);
    }
    Ok(())
}

/// Begins a session in the place of the last, or ends that. What an administrator was for that
/// session they are no more.
pub(crate) fn begin_session(account: &mut Account, session: Option<Uuid>) {
    account.session_id = session.map(|id| id.to_string());
    if account.elevated_at.take().is_some() {
        account.is_platform_admin = false;
    }
}

fn differences(before: &Account, after: &Account) -> Vec<Changed> {
    [
        (before.name != after.name, Changed::Name),
        (before.email != after.email, Changed::Email),
        (before.mobile != after.mobile, Changed::Mobile),
        (before.auth_type != after.auth_type, Changed::AuthType),
    ]
    .into_iter()
    .filter_map(|(is_other, what)| is_other.then_some(what))
    .collect()
}

/// What the audit trail says of an account.
fn shown(account: &Account) -> serde_json::Value {
    json!({
        "name": account.name, "email": account.email, "mobile": account.mobile,
        "auth_type": account.auth_type.as_str(), "state": account.state.as_str(),
        "has_session": account.session_id.is_some(),
        "platform_admin": account.is_platform_admin,
    })
}

/// An account, as the audit trail names it.
pub(crate) fn object(id: UserId) -> String {
    format!("user {id}")
}

fn checked_name(name: &str) -> Result<String, AccountRefusal> {
    let name = name.trim();
    let is_fit = !name.is_empty()
        && name.chars().count() <= NAME_CHARS_MAX
        && !name.contains(char::is_control);
    is_fit.then(|| name.to_owned()).ok_or(AccountRefusal::Name)
}

/// An address in lower case.
pub(crate) fn checked_email(email: &str) -> Result<String, AccountRefusal> {
    match Recipient::email(email) {
        Ok(to) => Ok(to.reveal().to_lowercase()),
        Err(_) => Err(AccountRefusal::Email),
    }
}

fn checked_mobile(mobile: Option<&str>) -> Result<Option<String>, AccountRefusal> {
    let Some(mobile) = mobile.map(str::trim).filter(|mobile| !mobile.is_empty()) else {
        return Ok(None);
    };
    match Recipient::sms(mobile) {
        Ok(to) => Ok(Some(to.reveal().to_owned())),
        Err(_) => Err(AccountRefusal::Mobile),
    }
}

/// How far back failures count.
pub(crate) fn oldest_failure(now: Timestamp) -> Timestamp {
    now - LOCK_TIME
}
