//! Accounts: a person's row with all that their signing in is judged by.

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::ids::{OrganisationId, ServiceId, UserId};
use balefire_domain::permission::Permissions;
use balefire_domain::sign_in::{AccountState, AuthType};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// Accounts of one list.
const LISTED_MAX: i64 = 10_000;
/// Memberships of one list.
const MEMBERSHIPS_MAX: i64 = 100_000;

/// A person's account. Its `Debug` does not show the password's hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address, in lower case.
    pub email: String,
    /// Their mobile number.
    pub mobile: Option<String>,
    /// Their second factor.
    pub auth_type: AuthType,
    /// Whether the account is in use.
    pub state: AccountState,
    /// Argon2id; absent: nobody signs in with a password.
    pub password_hash: Option<String>,
    /// When the password was set.
    pub password_changed_at: Option<Timestamp>,
    /// When they were last seen to read mail at the address.
    pub email_validated_at: Option<Timestamp>,
    /// When they last signed in.
    pub logged_in_at: Option<Timestamp>,
    /// Failures since then.
    pub failed_logins: u32,
    /// The last of them.
    pub last_failed_at: Option<Timestamp>,
    /// The one session that has not ended.
    pub session_id: Option<String>,
    /// They are administrator; see `elevated_at`.
    pub is_platform_admin: bool,
    /// They may become administrator.
    pub is_admin_capable: bool,
    /// And may do so until then, for somebody approved it.
    pub admin_until: Option<Timestamp>,
    /// Since when they are administrator, where that ends with the session.
    pub elevated_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
}

/// That a person belongs to a service, and what of it their client shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The service.
    pub service_id: ServiceId,
    /// What they may there.
    pub permissions: Permissions,
    /// The service's name.
    pub name: String,
    /// Whether it may act.
    pub state: ServiceState,
    /// Whether its alerts are real.
    pub mode: Mode,
    /// It may broadcast.
    pub may_broadcast: bool,
    /// The organisation that it belongs to.
    pub organisation_id: Option<OrganisationId>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

statements! {
    INSERT: "INSERT INTO users (id, name, email, mobile, auth_type, state, password_hash,
            password_changed_at, email_validated_at, is_platform_admin, is_admin_capable,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    LOAD: "SELECT * FROM users WHERE id = $1";
    LOAD_BY_EMAIL: "SELECT * FROM users WHERE email = $1";
    LOCK (lock): "SELECT * FROM users WHERE id = $1";
    LIST: "SELECT * FROM users ORDER BY created_at, id LIMIT $1";
    FIND: "SELECT * FROM users WHERE email LIKE $1 ESCAPE '\\' ORDER BY email LIMIT $2";
    UPDATE: "UPDATE users SET name = $2, email = $3, mobile = $4, auth_type = $5, state = $6,
            password_hash = $7, password_changed_at = $8, email_validated_at = $9,
            logged_in_at = $10, failed_logins = $11, last_failed_at = $12, session_id = $13,
            is_platform_admin = $14, is_admin_capable = $15, admin_until = $16, elevated_at = $17
        WHERE id = $1";
    LIST_MEMBERSHIPS: "SELECT memberships.service_id AS service_id,
            memberships.permissions AS permissions, services.name AS name,
            services.state AS state, services.mode AS mode,
            services.may_broadcast AS may_broadcast,
            services.organisation_id AS organisation_id
        FROM memberships JOIN services ON services.id = memberships.service_id
        WHERE memberships.user_id = $1 ORDER BY services.created_at, services.id";
    LIST_ALL_MEMBERSHIPS: "SELECT memberships.user_id AS user_id,
            memberships.service_id AS service_id, memberships.permissions AS permissions,
            services.name AS name, services.state AS state, services.mode AS mode,
            services.may_broadcast AS may_broadcast,
            services.organisation_id AS organisation_id
        FROM memberships JOIN services ON services.id = memberships.service_id
        ORDER BY services.created_at, services.id LIMIT $1";
    DELETE_MEMBERSHIPS: "DELETE FROM memberships WHERE user_id = $1";
    LIST_LAST_OF: "SELECT own.service_id AS service_id FROM memberships own
            JOIN services ON services.id = own.service_id
        WHERE own.user_id = $1 AND services.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM memberships other
            JOIN users ON users.id = other.user_id
            WHERE other.service_id = own.service_id AND other.user_id <> $1
                AND users.state = 'active')
        ORDER BY own.service_id";
}

impl Tx {
    /// Stores a new account. A unique violation means that the address is taken.
    pub async fn insert_account(&mut self, account: &Account) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            account.id.to_string(),
            account.name.clone(),
            account.email.clone(),
            account.mobile.clone(),
            account.auth_type.as_str(),
            account.state.as_str(),
            account.password_hash.clone(),
            account.password_changed_at.map(Timestamp::micros),
            account.email_validated_at.map(Timestamp::micros),
            account.is_platform_admin,
            account.is_admin_capable,
            account.created_at.micros(),
        )
    }

    /// The account of this person.
    pub async fn load_account(&mut self, id: UserId) -> Result<Option<Account>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// The account with this address, given in lower case.
    pub async fn load_account_by_email(
        &mut self,
        email: &str,
    ) -> Result<Option<Account>, StoreError> {
        fetch_optional!(self, read, LOAD_BY_EMAIL, email.to_owned())
    }

    /// Locks an account, then reads it.
    pub async fn lock_account(&mut self, id: UserId) -> Result<Option<Account>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_account(id).await
    }

    /// All accounts, oldest first: ten thousand at most.
    pub async fn list_accounts(&mut self) -> Result<Vec<Account>, StoreError> {
        fetch_all!(self, read, LIST, LISTED_MAX)
    }

    /// Accounts whose address has this text in it, given in lower case, `max` at most.
    pub async fn find_accounts(
        &mut self,
        part: &str,
        max: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let mut pattern = String::from("%");
        for c in part.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        fetch_all!(self, read, FIND, pattern.clone(), i64::from(max))
    }

    /// Stores all of an account that may change.
    pub async fn update_account(&mut self, account: &Account) -> Result<(), StoreError> {
        execute_one!(
            self,
            UPDATE,
            account.id.to_string(),
            account.name.clone(),
            account.email.clone(),
            account.mobile.clone(),
            account.auth_type.as_str(),
            account.state.as_str(),
            account.password_hash.clone(),
            account.password_changed_at.map(Timestamp::micros),
            account.email_validated_at.map(Timestamp::micros),
            account.logged_in_at.map(Timestamp::micros),
            i64::from(account.failed_logins),
            account.last_failed_at.map(Timestamp::micros),
            account.session_id.clone(),
            account.is_platform_admin,
            account.is_admin_capable,
            account.admin_until.map(Timestamp::micros),
            account.elevated_at.map(Timestamp::micros),
        )
    }

    /// The services of a person, oldest first.
    pub async fn list_memberships_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Membership>, StoreError> {
        fetch_all!(self, read_membership, LIST_MEMBERSHIPS, user.to_string())
    }

    /// The services of everybody, each with whose it is: a hundred thousand at most.
    pub async fn list_all_memberships(&mut self) -> Result<Vec<(UserId, Membership)>, StoreError> {
        fetch_all!(
            self,
            |row| Ok::<_, StoreError>((row.id("user_id", UserId::new)?, read_membership(row)?)),
            LIST_ALL_MEMBERSHIPS,
            MEMBERSHIPS_MAX
        )
    }

    /// The active services of which a person is the last member in use.
    pub async fn list_services_with_last(
        &mut self,
        user: UserId,
    ) -> Result<Vec<ServiceId>, StoreError> {
        fetch_all!(
            self,
            |row| row.id("service_id", ServiceId::new),
            LIST_LAST_OF,
            user.to_string()
        )
    }

    /// Takes a person out of every service.
    pub async fn delete_memberships_of(&mut self, user: UserId) -> Result<(), StoreError> {
        execute!(self, DELETE_MEMBERSHIPS, user.to_string()).map(drop)
    }
}

fn read(row: &impl Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.id("id", UserId::new)?,
        name: row.text("name")?,
        email: row.text("email")?,
        mobile: row.opt_text("mobile")?,
        auth_type: row.word("auth_type", AuthType::parse)?,
        state: row.word("state", AccountState::parse)?,
        password_hash: row.opt_text("password_hash")?,
        password_changed_at: row.opt_instant("password_changed_at")?,
        email_validated_at: row.opt_instant("email_validated_at")?,
        logged_in_at: row.opt_instant("logged_in_at")?,
        failed_logins: row.count("failed_logins")?,
        last_failed_at: row.opt_instant("last_failed_at")?,
        session_id: row.opt_text("session_id")?,
        is_platform_admin: row.bool("is_platform_admin")?,
        is_admin_capable: row.bool("is_admin_capable")?,
        admin_until: row.opt_instant("admin_until")?,
        elevated_at: row.opt_instant("elevated_at")?,
        created_at: row.instant("created_at")?,
    })
}

fn read_membership(row: &impl Row) -> Result<Membership, StoreError> {
    let permissions = row.text("permissions")?;
    Ok(Membership {
        service_id: row.id("service_id", ServiceId::new)?,
        permissions: serde_json::from_str(&permissions).map_err(|_| unread_json("permissions"))?,
        name: row.text("name")?,
        state: row.word("state", ServiceState::parse)?,
        mode: row.word("mode", Mode::parse)?,
        may_broadcast: row.bool("may_broadcast")?,
        organisation_id: row.opt_id("organisation_id", OrganisationId::new)?,
    })
}
