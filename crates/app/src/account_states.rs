//! Accounts begin, end, are freed of their failures, and get permissions in a service.

use balefire_domain::admin_action::{
    covers_permissions, needs_second_person, subject_of_permissions,
};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AdminActionId, ServiceId, UserId};
use balefire_domain::invitation::InvitationStatus;
use balefire_domain::permission::{Permission, Permissions};
use balefire_domain::sign_in::{AccountState, Admission, Failures, Record, admit};
use balefire_store::accounts::Account;
use balefire_store::invitations::Invitation;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::accounts::{CLIENT, Person, begin_session, object, oldest_failure};
use crate::sign_in::SignInRefusal;
use crate::{Act, App, Failure, repeat};

/// Invitations that one look at an address reads.
const INVITATIONS_READ_MAX: u32 = 100;
/// Characters of a date in front of an archived address.
const DATE_CHARS: usize = 10;

/// Why an account did not change its state, or a member their permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateRefusal {
    /// No such person, or they don't belong to the service.
    NotFound,
    /// It is in use already.
    AlreadyActive,
    /// Their service would have nobody.
    LastMember(ServiceId),
}

type Refused = Failure<StateRefusal>;

/// What a member may from now on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MemberChange<'c> {
    /// Who.
    pub(crate) user: UserId,
    /// Of which service.
    pub(crate) service: ServiceId,
    /// What they may.
    pub(crate) permissions: &'c Permissions,
    /// Which folders they see; absent: as before.
    pub(crate) folders: Option<&'c [String]>,
}

impl App {
    /// Ends the person's failures to sign in, and so a lock.
    pub async fn forget_failures(&self, id: UserId) -> Result<Person, Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("forget_failures", self.clock.now())
                .await?;
            let Some(mut account) = tx.lock_account(id).await? else {
                return Err(Failure::Refused(StateRefusal::NotFound));
            };
            let act = Act::new(CLIENT, "user.forget_failures", object(id)).changing(
                json!({ "failed_logins": account.failed_logins }),
                json!({ "failed_logins": 0 }),
            );
            account.failed_logins = 0;
            account.last_failed_at = None;
            tx.update_account(&account).await?;
            tx.delete_failed_logins_of(id).await?;
            self.audit_act(&mut tx, act).await?;
            let person = self.person(&mut tx, account, "").await?;
            tx.commit().await?;
            Ok(person)
        })
        .await
    }

    /// A new person's address is confirmed: the account is in use. One that ended stays so.
    pub async fn activate_account(&self, id: UserId) -> Result<Person, Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("activate_account", self.clock.now())
                .await?;
            let Some(mut account) = tx.lock_account(id).await? else {
                return Err(Failure::Refused(StateRefusal::NotFound));
            };
            match account.state {
                AccountState::Pending => {}
                AccountState::Active => {
                    return Err(Failure::Refused(StateRefusal::AlreadyActive));
                }
                AccountState::Inactive => return Err(Failure::Refused(StateRefusal::NotFound)),
            }
            let act = Act::new(CLIENT, "user.activate", object(id)).changing(
                json!({ "state": account.state.as_str() }),
                json!({ "state": AccountState::Active.as_str() }),
            );
            account.state = AccountState::Active;
            tx.update_account(&account).await?;
            self.audit_act(&mut tx, act).await?;
            let person = self.person(&mut tx, account, "").await?;
            tx.commit().await?;
            Ok(person)
        })
        .await
    }

    /// Ends an account: nobody signs in with it, it belongs nowhere, and its address is free.
    pub async fn archive_account(&self, id: UserId) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("archive_account", self.clock.now())
                .await?;
            let Some(mut account) = tx.lock_account(id).await? else {
                return Err(Failure::Refused(StateRefusal::NotFound));
            };
            if let Some(service) = tx.list_services_with_last(id).await?.first() {
                return Err(Failure::Refused(StateRefusal::LastMember(*service)));
            }
            self.end_account(&mut tx, &mut account, "user.archive")
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// Ends an account within a transaction: nobody signs in by it, and its address is free.
    pub(crate) async fn end_account(
        &self,
        tx: &mut Tx,
        account: &mut Account,
        action: &'static str,
    ) -> Result<(), StoreError> {
        let id = account.id;
        let before = json!({ "email": account.email, "state": account.state.as_str() });
        if account.state != AccountState::Inactive {
            let today = tx.now.to_json_style();
            let today = today.get(..DATE_CHARS).unwrap_or_default();
            account.email = format!("_archived_{today}_{id}_{}", account.email);
        }
        account.state = AccountState::Inactive;
        account.password_hash = None;
        account.mobile = None;
        account.is_platform_admin = false;
        account.is_admin_capable = false;
        account.admin_until = None;
        begin_session(account, None);
        tx.update_account(account).await?;
        tx.delete_memberships_of(id).await?;
        let after = json!({ "email": account.email, "state": account.state.as_str() });
        let act = Act::new(CLIENT, action, object(id)).changing(before, after);
        self.audit_act(tx, act).await
    }

    /// Says what a member of a service may from now on, and which folders they see where `folders`
    /// says so. Their session ends where they may something else than before. The trail names the
    /// approved action that covers what they may more, or none.
    pub async fn set_member_permissions(
        &self,
        id: UserId,
        service: ServiceId,
        permissions: &Permissions,
        folders: Option<&[String]>,
    ) -> Result<(), Refused> {
        let change = MemberChange {
            user: id,
            service,
            permissions,
            folders,
        };
        repeat(|| async {
            let mut tx = self
                .store
                .begin("set_permissions", self.clock.now())
                .await?;
            self.set_permissions_in(&mut tx, CLIENT, &change, None)
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// The same within a transaction, by an action that was approved in it.
    pub(crate) async fn set_permissions_in(
        &self,
        tx: &mut Tx,
        actor: Actor,
        change: &MemberChange<'_>,
        approved: Option<AdminActionId>,
    ) -> Result<(), Refused> {
        let MemberChange {
            user: id,
            service,
            permissions,
            folders,
        } = *change;
        let account = tx.lock_account(id).await?;
        let before = tx.load_permissions(id, service).await?;
        let (Some(mut account), Some(before)) = (account, before) else {
            return Err(Failure::Refused(StateRefusal::NotFound));
        };
        let more: Permissions = permissions.difference(&before).copied().collect();
        let needs_two = needs_second_person(&more);
        let covered_by = match approved {
            None if needs_two => {
                let subject = subject_of_permissions(service, id);
                let covers = |data: &_| covers_permissions(data, &more);
                self.carry_out(tx, &subject, covers).await?
            }
            approved => approved,
        };
        tx.set_permissions(id, service, permissions).await?;
        if let Some(folders) = folders {
            tx.set_folders(service, id, folders).await?;
        }
        if before != *permissions {
            begin_session(&mut account, None);
            tx.update_account(&account).await?;
        }
        let details = json!({
            "folders": folders, "needs_second_person": needs_two, "covered_by": covered_by,
        });
        let act = Act::new(actor, "user.set_permissions", object(id))
            .of(Some(service))
            .with(details)
            .changing(
                json!({ "permissions": words(&before) }),
                json!({ "permissions": words(permissions) }),
            );
        self.audit_act(tx, act).await?;
        Ok(())
    }

    /// The newest invitation that waits for this address.
    pub async fn find_invitation(&self, email: &str) -> Result<Option<Invitation>, StoreError> {
        let email = email.trim().to_lowercase();
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("find_invitation", self.clock.now())
                .await?;
            let waiting = tx
                .list_pending_invitations(&email, INVITATIONS_READ_MAX)
                .await?;
            let now = tx.now;
            Ok(waiting
                .into_iter()
                .find(|one| one.status.at(one.created_at, now) == InvitationStatus::Pending))
        })
        .await
    }

    /// Failures to sign in from an address within the hour, and whether it may try again.
    pub async fn failures_from(
        &self,
        address: &str,
    ) -> Result<(Failures, Result<(), SignInRefusal>), StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("failures_from", self.clock.now())
                .await?;
            let of_address = tx
                .load_failures_from(address, oldest_failure(tx.now))
                .await?;
            let record = Record {
                of_address,
                ..Record::default()
            };
            let admitted = match admit(&record, tx.now) {
                Admission::Wait(wait) => Err(SignInRefusal::Wait(wait)),
                Admission::Look | Admission::Locked => Ok(()),
            };
            Ok((of_address, admitted))
        })
        .await
    }
}

fn words(permissions: &Permissions) -> Vec<&'static str> {
    permissions
        .iter()
        .copied()
        .map(Permission::as_str)
        .collect()
}
