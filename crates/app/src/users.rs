//! Adding people, by command.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::{self, Deed, Denial, Permission};
use balefire_store::StoreError;
use balefire_store::users::User;
use serde_json::json;

use crate::{App, Failure, repeat};

/// A person to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// They may view and stop everything.
    pub is_platform_admin: bool,
    /// The services they belong to, with all broadcast permissions.
    pub services: Vec<ServiceId>,
}

/// Why a person was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRefusal {
    /// The address is no address.
    EmailMalformed,
    /// Somebody has the address.
    EmailTaken,
    /// No such service.
    ServiceNotFound(ServiceId),
}

impl App {
    /// Adds a person.
    pub async fn create_user(
        &self,
        actor: Actor,
        new: NewUser,
    ) -> Result<User, Failure<UserRefusal>> {
        let email = new.email.trim().to_lowercase();
        let is_address = email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !email.contains(char::is_whitespace)
        });
        if !is_address {
            return Err(Failure::Refused(UserRefusal::EmailMalformed));
        }
        let mut tx = self.store.begin("create_user", self.clock.now()).await?;
        if tx.load_user_by_email(&email).await?.is_some() {
            return Err(Failure::Refused(UserRefusal::EmailTaken));
        }
        let user = User {
            id: UserId::new(self.entropy.uuid_v7(tx.now)),
            name: new.name,
            email,
            is_platform_admin: new.is_platform_admin,
            created_at: tx.now,
        };
        tx.insert_user(&user).await?;
        for service in &new.services {
            if tx.load_service(*service).await?.is_none() {
                return Err(Failure::Refused(UserRefusal::ServiceNotFound(*service)));
            }
            let all = Permission::OF_BROADCASTING.into_iter().collect();
            tx.insert_membership(user.id, *service, &all).await?;
        }
        let details = json!({ "services": new.services, "platform_admin": user.is_platform_admin });
        let object = format!("user {}", user.id);
        self.audit(&mut tx, actor, "user.create", object, None, details)
            .await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Whether a person belongs to a service.
    pub async fn is_member(&self, user: UserId, service: ServiceId) -> Result<bool, StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin_read("is_member", self.clock.now()).await?;
            tx.is_member(user, service).await
        })
        .await
    }

    /// Whether a person may do something in a service; somebody unknown may nothing.
    pub async fn check_deed(
        &self,
        user: UserId,
        service: ServiceId,
        deed: Deed,
    ) -> Result<Result<(), Denial>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("check_deed", self.clock.now())
                .await?;
            let standing = tx.load_standing(user, service).await?.unwrap_or_default();
            Ok(permission::check(&standing, deed))
        })
        .await
    }

    /// The person with this address.
    pub async fn find_user(&self, email: &str) -> Result<Option<User>, StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin_read("find_user", self.clock.now()).await?;
            tx.load_user_by_email(&email.trim().to_lowercase()).await
        })
        .await
    }
}
