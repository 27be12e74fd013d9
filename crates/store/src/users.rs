//! People, and the services they belong to.

use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
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
    /// They may view and stop everything.
    pub is_platform_admin: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

statements! {
    INSERT: "INSERT INTO users (id, name, email, is_platform_admin, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    LOAD: "SELECT * FROM users WHERE id = $1";
    LOAD_BY_EMAIL: "SELECT * FROM users WHERE email = $1";
    INSERT_MEMBERSHIP: "INSERT INTO memberships (user_id, service_id, created_at)
        VALUES ($1, $2, $3)";
    COUNT_MEMBERSHIPS: "SELECT count(*) AS n FROM memberships
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
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// The person with this address, given in lower case.
    pub async fn load_user_by_email(&mut self, email: &str) -> Result<Option<User>, StoreError> {
        fetch_optional!(self, read, LOAD_BY_EMAIL, email.to_owned())
    }

    /// Makes a person a member of a service, with all broadcast permissions (D50).
    pub async fn insert_membership(
        &mut self,
        user: UserId,
        service: ServiceId,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT_MEMBERSHIP,
            user.to_string(),
            service.to_string(),
            now
        )
    }

    /// Whether a person belongs to a service.
    pub async fn is_member(
        &mut self,
        user: UserId,
        service: ServiceId,
    ) -> Result<bool, StoreError> {
        let n = fetch_optional!(
            self,
            |row| row.int("n"),
            COUNT_MEMBERSHIPS,
            user.to_string(),
            service.to_string()
        )?;
        Ok(n.unwrap_or(0) > 0)
    }
}

fn read(row: &impl Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.id("id", UserId::new)?,
        name: row.text("name")?,
        email: row.text("email")?,
        is_platform_admin: row.bool("is_platform_admin")?,
        created_at: row.instant("created_at")?,
    })
}
