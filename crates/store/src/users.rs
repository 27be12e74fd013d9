//! People, and the services they belong to.

use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::{Permissions, Standing};
use balefire_domain::sign_in::{AccountState, acts_as_admin};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address, in lower case.
    pub email: String,
    /// They act as administrator now, and their account is in use: they may view and stop
    /// everything.
    pub is_platform_admin: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

statements! {
    INSERT: "INSERT INTO users (id, name, email, is_platform_admin, is_admin_capable, created_at)
        VALUES ($1, $2, $3, $4, $4, $5)";
    LOAD: "SELECT * FROM users WHERE id = $1";
    LOAD_BY_EMAIL: "SELECT * FROM users WHERE email = $1";
    INSERT_MEMBERSHIP: "INSERT INTO memberships (user_id, service_id, created_at, permissions)
        VALUES ($1, $2, $3, $4)";
    LOAD_PERMISSIONS: "SELECT permissions FROM memberships
        WHERE user_id = $1 AND service_id = $2";
    SET_PERMISSIONS: "UPDATE memberships SET permissions = $3
        WHERE user_id = $1 AND service_id = $2";
}

impl Tx {
    /// Stores a new person. A unique violation means that the address is taken.
    pub async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            user.id.to_string(),
            user.name.clone(),
            user.email.clone(),
            user.is_platform_admin,
            user.created_at.micros(),
        )
    }

    /// The person with this id.
    pub async fn load_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let found = fetch_optional!(self, read, LOAD, id.to_string())?;
        Ok(found.map(|found| found.at(self.now)))
    }

    /// The person with this address, given in lower case.
    pub async fn load_user_by_email(&mut self, email: &str) -> Result<Option<User>, StoreError> {
        let found = fetch_optional!(self, read, LOAD_BY_EMAIL, email.to_owned())?;
        Ok(found.map(|found| found.at(self.now)))
    }

    /// Makes a person a member of a service. A unique violation means that they are one.
    pub async fn insert_membership(
        &mut self,
        user: UserId,
        service: ServiceId,
        permissions: &Permissions,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT_MEMBERSHIP,
            user.to_string(),
            service.to_string(),
            now,
            words(permissions),
        )
    }

    /// What a member may; `None`: the person is no member.
    pub async fn load_permissions(
        &mut self,
        user: UserId,
        service: ServiceId,
    ) -> Result<Option<Permissions>, StoreError> {
        fetch_optional!(
            self,
            read_permissions,
            LOAD_PERMISSIONS,
            user.to_string(),
            service.to_string()
        )
    }

    /// Says what a member may from now on; false where the person is no member.
    pub async fn set_permissions(
        &mut self,
        user: UserId,
        service: ServiceId,
        permissions: &Permissions,
    ) -> Result<bool, StoreError> {
        let changed = execute!(
            self,
            SET_PERMISSIONS,
            user.to_string(),
            service.to_string(),
            words(permissions),
        )?;
        Ok(changed == 1)
    }

    /// Who a person is to a service; `None`: there is no such person. Whoever's account is not in
    /// use is nobody to any service.
    pub async fn load_standing(
        &mut self,
        user: UserId,
        service: ServiceId,
    ) -> Result<Option<Standing>, StoreError> {
        let Some(found) = fetch_optional!(self, read, LOAD, user.to_string())? else {
            return Ok(None);
        };
        if !found.is_active {
            return Ok(Some(Standing::default()));
        }
        Ok(Some(Standing {
            permissions: self.load_permissions(user, service).await?,
            is_platform_admin: found.at(self.now).is_platform_admin,
        }))
    }

    /// Whether a person belongs to a service, also one whose account is not in use.
    pub async fn is_member(
        &mut self,
        user: UserId,
        service: ServiceId,
    ) -> Result<bool, StoreError> {
        Ok(self.load_permissions(user, service).await?.is_some())
    }
}

/// Permissions as the table has them: a JSON array of words.
fn words(permissions: &Permissions) -> String {
    let words: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
    serde_json::Value::from(words).to_string()
}

fn read_permissions(row: &impl Row) -> Result<Permissions, StoreError> {
    let text = row.text("permissions")?;
    serde_json::from_str(&text).map_err(|_| unread_json("permissions"))
}

/// A person, and since when they are administrator where that ends.
struct Found {
    user: User,
    is_active: bool,
    elevated_at: Option<Timestamp>,
}

impl Found {
    fn at(self, now: Timestamp) -> User {
        let Self {
            user,
            is_active,
            elevated_at,
        } = self;
        let acts = acts_as_admin(user.is_platform_admin, elevated_at, now);
        User {
            is_platform_admin: is_active && acts,
            ..user
        }
    }
}

fn read(row: &impl Row) -> Result<Found, StoreError> {
    let user = User {
        id: row.id("id", UserId::new)?,
        name: row.text("name")?,
        email: row.text("email")?,
        is_platform_admin: row.bool("is_platform_admin")?,
        created_at: row.instant("created_at")?,
    };
    let elevated_at = row.opt_instant("elevated_at")?;
    let is_active = row.word("state", AccountState::parse)? == AccountState::Active;
    Ok(Found {
        user,
        is_active,
        elevated_at,
    })
}
