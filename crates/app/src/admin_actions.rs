//! What one administrator asks for and another approves. On the old routes the trusted client
//! carries out what was approved; here it is recorded who asked and who agreed, nobody agrees with
//! themselves, and the trail of a change names the action that covers it.

use balefire_domain::admin_action::{
    ActionStatus, CARRIED_OUT_WITHIN, ReviewRefusal, Reviewer, check_asker, check_review,
    lapses_at, subject,
};
use balefire_domain::admin_plan::PlanFault;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AdminActionId, ServiceId, UserId};
use balefire_domain::limits::PEOPLE_LISTED_MAX;
use balefire_domain::organisation::BROADCAST_ORGANISATION;
use balefire_domain::permission::{Denial, Standing};
use balefire_domain::sign_in::ElevationRefusal;
use balefire_store::admin_actions::AdminAction;
use balefire_store::services::Service;
use balefire_store::users::User;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::invitations::InvitationRefusal;
use crate::refused::{denial_word, is_present};
use crate::{Act, App, Failure, repeat};

/// Something that an administrator wants.
#[derive(Clone, Debug)]
pub struct NewAction {
    /// What kind it is.
    pub kind: String,
    /// In which service.
    pub service: Option<ServiceId>,
    /// What it says: a JSON object.
    pub data: Value,
    /// Who asks for it.
    pub created_by: UserId,
}

/// What waits for a second person, with what it names.
#[derive(Clone, Debug, Default)]
pub struct PendingActions {
    /// The actions, oldest first.
    pub actions: Vec<AdminAction>,
    /// Their services.
    pub services: Vec<Service>,
    /// Who asked for them.
    pub users: Vec<User>,
}

/// Why an action was not recorded or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionRefusal {
    /// There is no such action, person or service.
    NotFound,
    /// Who asks may not do it, and may not ask for it either.
    Denied(Denial),
    /// Another about the same waits.
    SimilarPending,
    /// The rules of a review say no.
    Review(ReviewRefusal),
    /// It can't be read, or is of a kind that is not carried out here.
    Plan(PlanFault),
    /// Who asked for it may not do that any more.
    AskerMayNot(Denial),
    /// The service is archived.
    Archived,
    /// The rules of invitations say no.
    Invitation(InvitationRefusal),
    /// Who is to have other permissions does not belong to the service.
    NoSuchMember,
    /// The rules of elevations say no.
    Elevation(ElevationRefusal),
}

impl App {
    /// Records what somebody asks for.
    pub async fn ask_for_action(
        &self,
        new: &NewAction,
    ) -> Result<AdminAction, Failure<ActionRefusal>> {
        let asked = repeat(|| self.try_ask_for_action(new)).await;
        if let Err(Failure::Refused(ActionRefusal::Denied(denial))) = &asked {
            let object = new.service.map_or_else(
                || format!("user {}", new.created_by),
                |id| format!("service {id}"),
            );
            let act = Act::new(Actor::User(new.created_by), "admin_action.create", object)
                .of(new.service)
                .with(json!({ "kind": new.kind, "why": denial.to_string() }));
            self.audit_refusal(act, denial_word(*denial)).await;
        }
        asked
    }

    async fn try_ask_for_action(
        &self,
        new: &NewAction,
    ) -> Result<AdminAction, Failure<ActionRefusal>> {
        let mut tx = self.store.begin("ask_for_action", self.clock.now()).await?;
        // Two that ask for the same wait for each other here.
        tx.lock_organisation(BROADCAST_ORGANISATION).await?;
        if !is_present(&mut tx, new.created_by).await? {
            return Err(Failure::Refused(ActionRefusal::NotFound));
        }
        check_may_ask(&mut tx, &new.kind, new.service, new.created_by).await?;
        let subject = subject(&new.kind, new.service, new.created_by, &new.data);
        if tx.load_pending_action(&subject).await?.is_some() {
            return Err(Failure::Refused(ActionRefusal::SimilarPending));
        }
        let action = AdminAction {
            id: AdminActionId::new(self.entropy.uuid_v7(tx.now)),
            kind: new.kind.clone(),
            service_id: new.service,
            data: new.data.clone(),
            subject,
            status: ActionStatus::Pending,
            created_by: new.created_by,
            created_at: tx.now,
            lapses_at: lapses_at(&new.kind, tx.now),
            reviewed_by: None,
            reviewed_at: None,
        };
        tx.insert_admin_action(&action).await?;
        let details = json!({ "kind": action.kind, "data": action.data });
        let actor = Actor::User(action.created_by);
        self.audit_action(&mut tx, actor, "admin_action.create", &action, details)
            .await?;
        tx.commit().await?;
        Ok(action)
    }

    /// Decides about an action. Who asked for it may take it back, and never approve it.
    pub async fn review_action(
        &self,
        id: AdminActionId,
        status: ActionStatus,
        by: UserId,
    ) -> Result<AdminAction, Failure<ActionRefusal>> {
        let reviewed = repeat(|| self.try_review_action(id, status, by)).await;
        if let Err(Failure::Refused(ActionRefusal::Review(refusal))) = &reviewed {
            let object = format!("admin action {id}");
            let act = Act::new(Actor::User(by), "admin_action.review", object);
            let asked = json!({ "asked": status.as_str() });
            self.audit_refusal(act.with(asked), refusal.as_str()).await;
        }
        reviewed
    }

    async fn try_review_action(
        &self,
        id: AdminActionId,
        status: ActionStatus,
        by: UserId,
    ) -> Result<AdminAction, Failure<ActionRefusal>> {
        let mut tx = self.store.begin("review_action", self.clock.now()).await?;
        let Some(action) = tx.lock_admin_action(id).await? else {
            return Err(Failure::Refused(ActionRefusal::NotFound));
        };
        if tx.load_user(by).await?.is_none() {
            return Err(Failure::Refused(ActionRefusal::NotFound));
        }
        let reviewer = Reviewer {
            id: by,
            is_administrator: tx.is_administrator(by).await?,
        };
        let from = action.status.at(action.lapses_at, tx.now);
        check_review(from, status, action.created_by, reviewer)
            .map_err(|refusal| Failure::Refused(ActionRefusal::Review(refusal)))?;
        let until = tx.now + CARRIED_OUT_WITHIN;
        tx.review_admin_action(id, status, by, until).await?;
        let object = format!("admin action {id}");
        let (was, is) = (from.as_str(), status.as_str());
        let act = Act::new(Actor::User(by), "admin_action.review", object)
            .of(action.service_id)
            .with(json!({ "kind": action.kind, "created_by": action.created_by }))
            .changing(json!({ "status": was }), json!({ "status": is }));
        self.audit_act(&mut tx, act).await?;
        let reviewed = tx.load_admin_action(id).await?;
        tx.commit().await?;
        reviewed.ok_or(Failure::Refused(ActionRefusal::NotFound))
    }

    /// An action; one that lapsed is shown as invalidated.
    pub async fn load_action(&self, id: AdminActionId) -> Result<Option<AdminAction>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_action", now).await?;
            let action = tx.load_admin_action(id).await?;
            Ok(action.map(|action| AdminAction {
                status: action.status.at(action.lapses_at, now),
                ..action
            }))
        })
        .await
    }

    /// What waits for a second person.
    pub async fn list_pending_actions(&self) -> Result<PendingActions, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_pending_actions", now).await?;
            let mut pending = PendingActions {
                actions: tx.list_pending_actions(PEOPLE_LISTED_MAX).await?,
                ..PendingActions::default()
            };
            for action in &pending.actions {
                if let Some(id) = action.service_id
                    && !pending.services.iter().any(|known| known.id == id)
                {
                    pending.services.extend(tx.load_service(id).await?);
                }
                if !pending
                    .users
                    .iter()
                    .any(|known| known.id == action.created_by)
                {
                    pending.users.extend(tx.load_user(action.created_by).await?);
                }
            }
            Ok(pending)
        })
        .await
    }

    /// Removes what a person asked for; how much. Outside the live environment only.
    pub async fn purge_actions(&self, of: UserId) -> Result<u64, StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin("purge_actions", self.clock.now()).await?;
            let count = tx.delete_admin_actions_of(of).await?;
            tx.commit().await?;
            Ok(count)
        })
        .await
    }

    /// The approved action that covers what is done now, which uses it up; none where none does.
    pub(crate) async fn carry_out(
        &self,
        tx: &mut Tx,
        subject: &str,
        covers: impl Fn(&Value) -> bool + Send,
    ) -> Result<Option<AdminActionId>, StoreError> {
        for action in tx.list_approved_actions(subject).await? {
            if covers(&action.data) && tx.use_admin_action(action.id).await? {
                return Ok(Some(action.id));
            }
        }
        Ok(None)
    }

    async fn audit_action(
        &self,
        tx: &mut Tx,
        actor: Actor,
        name: &'static str,
        action: &AdminAction,
        details: Value,
    ) -> Result<(), StoreError> {
        let object = format!("admin action {}", action.id);
        self.audit(tx, actor, name, object, action.service_id, details)
            .await
    }
}

/// Whether somebody may ask for an action of this kind in this service, which is locked.
pub(crate) async fn check_may_ask(
    tx: &mut Tx,
    kind: &str,
    service: Option<ServiceId>,
    by: UserId,
) -> Result<(), Failure<ActionRefusal>> {
    let standing = match service {
        Some(id) if tx.lock_service(id).await?.is_none() => {
            return Err(Failure::Refused(ActionRefusal::NotFound));
        }
        Some(id) => tx.load_standing(by, id).await?.unwrap_or_default(),
        None => Standing::default(),
    };
    let is_administrator = tx.is_administrator(by).await?;
    check_asker(kind, &standing, is_administrator)
        .map_err(|denial| Failure::Refused(ActionRefusal::Denied(denial)))
}
