//! Adding people, by command.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{OldPasswordId, ServiceId, UserId};
use balefire_domain::notification::Recipient;
use balefire_domain::password::{PasswordRefusal, check_password};
use balefire_domain::permission::{self, Deed, Denial, Permission, Permissions};
use balefire_domain::sign_in::AuthType;
use balefire_store::StoreError;
use balefire_store::users::User;
use serde_json::json;

use crate::{App, Failure, passwords, repeat};

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

/// How a person who is added signs in, and what they may.
#[derive(Clone, Default)]
pub struct NewSignIn {
    /// Their mobile number: codes go there. Without one they go by e-mail.
    pub mobile: Option<String>,
    /// Their password in the clear; absent: they ask for a link that sets one.
    pub password: Option<String>,
    /// What they may in their services; absent: everything about broadcasts (D50).
    pub permissions: Option<Permissions>,
    /// They may become administrator where another one approves it.
    pub is_admin_capable: bool,
}

/// Why a person was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRefusal {
    /// The number is no mobile number.
    MobileMalformed,
    /// The password is not taken.
    Password(PasswordRefusal),
    /// The address is no address.
    EmailMalformed,
    /// Somebody has the address.
    EmailTaken,
    /// No such service.
    ServiceNotFound(ServiceId),
}

impl App {
    /// Adds a person who may everything about broadcasts in their services.
    pub async fn create_user(
        &self,
        actor: Actor,
        new: NewUser,
    ) -> Result<User, Failure<UserRefusal>> {
        self.create_user_with(actor, new, NewSignIn::default())
            .await
    }

    /// Adds a person.
    pub async fn create_user_with(
        &self,
        actor: Actor,
        new: NewUser,
        sign_in: NewSignIn,
    ) -> Result<User, Failure<UserRefusal>> {
        let email = new.email.trim().to_lowercase();
        let is_address = email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !email.contains(char::is_whitespace)
        });
        if !is_address {
            return Err(Failure::Refused(UserRefusal::EmailMalformed));
        }
        let mobile = match sign_in.mobile.as_deref().map(Recipient::sms) {
            None => None,
            Some(Ok(to)) => Some(to.reveal().to_owned()),
            Some(Err(_)) => return Err(Failure::Refused(UserRefusal::MobileMalformed)),
        };
        let hash = match &sign_in.password {
            None => None,
            Some(password) => {
                check_password(password)
                    .map_err(|refusal| Failure::Refused(UserRefusal::Password(refusal)))?;
                Some(passwords::hash(password, &*self.entropy).await)
            }
        };
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
        if let Some(mut account) = tx.load_account(user.id).await? {
            account.auth_type = match mobile {
                Some(_) => AuthType::Sms,
                None => AuthType::Email,
            };
            account.mobile = mobile;
            account.is_admin_capable |= sign_in.is_admin_capable;
            account.password_changed_at = hash.is_some().then_some(tx.now);
            if let Some(hash) = &hash {
                let old = OldPasswordId::new(self.entropy.uuid_v7(tx.now));
                tx.insert_old_password(old, user.id, hash).await?;
            }
            account.password_hash = hash;
            tx.update_account(&account).await?;
        }
        for service in &new.services {
            if tx.load_service(*service).await?.is_none() {
                return Err(Failure::Refused(UserRefusal::ServiceNotFound(*service)));
            }
            let all = || Permission::OF_BROADCASTING.into_iter().collect();
            let permissions = sign_in.permissions.clone().unwrap_or_else(all);
            tx.insert_membership(user.id, *service, &permissions)
                .await?;
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
