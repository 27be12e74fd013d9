//! Who belongs to a service.

use balefire_domain::admin_action::{
    covers_permissions, needs_second_person, subject_of_invitation,
};
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::Permissions;
use balefire_domain::sign_in::AccountState;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::accounts::Person;
use crate::service_settings::ADMIN_CLIENT;
use crate::{Act, App, Failure, repeat};

/// Why a membership was not begun or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamRefusal {
    /// There is no such service or person.
    NotFound,
    /// The person belongs to this service already.
    AlreadyMember(ServiceId),
    /// The person does not belong to it.
    NotAMember,
    /// Nobody else belongs to it.
    OnlyMember,
}

impl App {
    /// Makes a person a member of a service.
    pub async fn add_member(
        &self,
        service: ServiceId,
        user: UserId,
        permissions: &Permissions,
        folders: &[String],
    ) -> Result<Service, Failure<TeamRefusal>> {
        repeat(|| self.try_add_member(service, user, permissions, folders)).await
    }

    async fn try_add_member(
        &self,
        id: ServiceId,
        user: UserId,
        permissions: &Permissions,
        folders: &[String],
    ) -> Result<Service, Failure<TeamRefusal>> {
        let mut tx = self.store.begin("add_member", self.clock.now()).await?;
        let (service, person) = (tx.lock_service(id).await?, tx.load_user(user).await?);
        let (Some(service), Some(person)) = (service, person) else {
            return Err(Failure::Refused(TeamRefusal::NotFound));
        };
        if tx.is_member(user, id).await? {
            return Err(Failure::Refused(TeamRefusal::AlreadyMember(id)));
        }
        tx.insert_membership(user, id, permissions).await?;
        tx.set_folders(id, user, folders).await?;
        // An approved invitation was used up when it was sent: what the person accepted says so.
        let subject = subject_of_invitation(&id.to_string(), &person.email);
        let covers = |data: &_| covers_permissions(data, permissions);
        let covered_by = self.carry_out(&mut tx, &subject, covers).await?;
        let accepted = tx.load_accepted_invitation(id, &person.email).await?;
        let details = json!({
            "user": user,
            "needs_second_person": needs_second_person(permissions),
            "covered_by": covered_by,
            "invitation": accepted,
        });
        let act = Act::new(ADMIN_CLIENT, "member.add", format!("service {id}"))
            .of(Some(id))
            .with(details)
            .changing(
                json!({ "permissions": null }),
                json!({ "permissions": permissions }),
            );
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        Ok(service)
    }

    /// A service's members whose accounts are in use; `None` where there is no such service.
    pub async fn list_people_of_service(
        &self,
        service: ServiceId,
    ) -> Result<Option<Vec<Person>>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_people_of_service", now).await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            let members = tx.list_members(service).await?;
            let users = members.into_iter().map(|own| own.user_id).collect();
            self.list_persons(&mut tx, users).await.map(Some)
        })
        .await
    }

    /// These people, but those whose accounts are not in use.
    pub(crate) async fn list_persons(
        &self,
        tx: &mut Tx,
        users: Vec<UserId>,
    ) -> Result<Vec<Person>, StoreError> {
        let mut people = Vec::with_capacity(users.len());
        for user in users {
            let account = tx.load_account(user).await?;
            let account = account.filter(|own| own.state == AccountState::Active);
            if let Some(account) = account {
                people.push(self.person(tx, account, "").await?);
            }
        }
        Ok(people)
    }

    /// Ends a membership, unless it is the only one.
    pub async fn remove_member(
        &self,
        service: ServiceId,
        user: UserId,
    ) -> Result<(), Failure<TeamRefusal>> {
        repeat(|| async {
            let mut tx = self.store.begin("remove_member", self.clock.now()).await?;
            let known = tx.lock_service(service).await?;
            if known.is_none() || tx.load_user(user).await?.is_none() {
                return Err(Failure::Refused(TeamRefusal::NotFound));
            }
            let Some(permissions) = tx.load_permissions(user, service).await? else {
                return Err(Failure::Refused(TeamRefusal::NotAMember));
            };
            if tx.list_members(service).await?.len() == 1 {
                return Err(Failure::Refused(TeamRefusal::OnlyMember));
            }
            tx.delete_membership(service, user).await?;
            let act = Act::new(ADMIN_CLIENT, "member.remove", format!("service {service}"))
                .of(Some(service))
                .with(json!({ "user": user }))
                .changing(
                    json!({ "permissions": permissions }),
                    json!({ "permissions": null }),
                );
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}
