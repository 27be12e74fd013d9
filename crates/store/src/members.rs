//! Who belongs to a service, as the service sees it.

use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::Permissions;

use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// A member of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// What they may.
    pub permissions: Permissions,
}

statements! {
    LIST: "SELECT user_id, permissions FROM memberships WHERE service_id = $1
        ORDER BY created_at, user_id";
    IS_ADMINISTRATOR: "SELECT id FROM users
        WHERE id = $1 AND state = 'active' AND (is_platform_admin OR is_admin_capable)";
    DELETE: "DELETE FROM memberships WHERE service_id = $1 AND user_id = $2";
    SET_ALL: "UPDATE memberships SET permissions = $2 WHERE service_id = $1";
    SET_FOLDERS: "UPDATE memberships SET folders = $3 WHERE service_id = $1 AND user_id = $2";
}

impl Tx {
    /// A service's members, first those who came first.
    pub async fn list_members(&mut self, service: ServiceId) -> Result<Vec<Member>, StoreError> {
        fetch_all!(self, read, LIST, service.to_string())
    }

    /// Whether a person may act as platform administrator, by themselves or after an elevation.
    pub async fn is_administrator(&mut self, user: UserId) -> Result<bool, StoreError> {
        let found = fetch_optional!(
            self,
            |row| row.text("id"),
            IS_ADMINISTRATOR,
            user.to_string()
        );
        Ok(found?.is_some())
    }

    /// Ends a membership; false where there is none.
    pub async fn delete_membership(
        &mut self,
        service: ServiceId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE, service.to_string(), user.to_string())? == 1)
    }

    /// Every member may do this from now on, and nothing else; how many they are.
    pub async fn set_all_permissions(
        &mut self,
        service: ServiceId,
        permissions: &Permissions,
    ) -> Result<u64, StoreError> {
        let words: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
        let words = serde_json::Value::from(words).to_string();
        execute!(self, SET_ALL, service.to_string(), words)
    }

    /// Says which template folders a member sees.
    pub async fn set_folders(
        &mut self,
        service: ServiceId,
        user: UserId,
        folders: &[String],
    ) -> Result<(), StoreError> {
        let folders = serde_json::Value::from(folders).to_string();
        execute_one!(
            self,
            SET_FOLDERS,
            service.to_string(),
            user.to_string(),
            folders
        )
    }
}

fn read(row: &impl Row) -> Result<Member, StoreError> {
    let text = row.text("permissions")?;
    Ok(Member {
        user_id: row.id("user_id", UserId::new)?,
        permissions: serde_json::from_str(&text).map_err(|_| unread_json("permissions"))?,
    })
}
