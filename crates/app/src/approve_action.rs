//! Two persons on `/v3` (ADR 25): what one asks for is done by the server, in the transaction in
//! which another one approves it. Nobody but whoever approves is told what comes of it, and there
//! is no other way on `/v3` to invite, to change permissions, to make a key or to be elevated.
//!
//! Order of checks: 1. the action exists; 2. it waits and has not lapsed, who decides is another
//! person than who asked, and may act as administrator; 3. it can be read whole; 4. who asked still
//! may; 5. the service is not archived; 6. the rules of what is done.

use balefire_domain::admin_action::{
    ActionStatus, CARRIED_OUT_WITHIN, Reviewer, check_asker, check_review,
};
use balefire_domain::admin_plan::{Plan, read_plan};
use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AdminActionId, ApiKeyId, InvitationId, ServiceId, UserId};
use balefire_domain::limits::PEOPLE_LISTED_MAX;
use balefire_domain::permission::Standing;
use balefire_domain::sign_in::AuthType;
use balefire_domain::time::Timestamp;
use balefire_store::admin_actions::AdminAction;
use balefire_store::api_keys::KeyKind;
use balefire_store::invitations::InvitedTo;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::account_states::MemberChange;
use crate::admin_actions::{ActionRefusal, NewAction, check_may_ask};
use crate::elevation::ElevateRefusal;
use crate::invitations::{InvitationRefusal, NewInvitation};
use crate::keys::Asked;
use crate::{Act, App, Failure, repeat};

type Refused = Failure<ActionRefusal>;

/// What came of an approval.
#[derive(Clone)]
pub enum CarriedOut {
    /// An invitation was sent.
    Invitation(InvitationId),
    /// A member may something else from now on.
    Permissions,
    /// A key was made. Its secret is told this once.
    Key {
        /// The key.
        id: ApiKeyId,
        /// Its secret in the clear.
        secret: String,
    },
    /// Who asked may become administrator, once.
    Elevation {
        /// Until then.
        until: Timestamp,
    },
}

impl CarriedOut {
    /// What the trail has of it: no secret.
    fn said(&self) -> Value {
        match self {
            Self::Invitation(id) => json!({ "invitation": id }),
            Self::Permissions => json!({}),
            Self::Key { id, .. } => json!({ "api_key": id }),
            Self::Elevation { until } => json!({ "until": until }),
        }
    }
}

impl App {
    /// Records what somebody asks for, where it can be carried out here.
    pub async fn propose_action(&self, new: &NewAction) -> Result<AdminAction, Refused> {
        read_plan(&new.kind, new.service, &new.data)
            .map_err(|fault| Failure::Refused(ActionRefusal::Plan(fault)))?;
        self.ask_for_action(new).await
    }

    /// Approves an action and does what it says, or neither.
    pub async fn approve_action(
        &self,
        id: AdminActionId,
        by: UserId,
    ) -> Result<(AdminAction, CarriedOut), Refused> {
        let approved = repeat(|| self.approve_action_once(id, by)).await;
        if let Err(Failure::Refused(refusal)) = &approved {
            let act = Act::new(
                Actor::User(by),
                "admin_action.review",
                format!("admin action {id}"),
            );
            let asked = json!({ "asked": "approved" });
            self.audit_refusal(act.with(asked), word(*refusal)).await;
        }
        approved
    }

    async fn approve_action_once(
        &self,
        id: AdminActionId,
        by: UserId,
    ) -> Result<(AdminAction, CarriedOut), Refused> {
        let refuse = Failure::Refused;
        let mut tx = self.store.begin("approve_action", self.clock.now()).await?;
        let known = tx.load_admin_action(id).await?;
        let known = known.ok_or(refuse(ActionRefusal::NotFound))?;
        // What it says never changes: the service is locked before the action, as by whoever
        // carries an action out on the earlier routes.
        let service = match known.service_id {
            Some(service) => tx.lock_service(service).await?,
            None => None,
        };
        let action = tx.lock_admin_action(id).await?;
        let action = action.ok_or(refuse(ActionRefusal::NotFound))?;
        let reviewer = Reviewer {
            id: by,
            is_administrator: tx.is_administrator(by).await?,
        };
        let from = action.status.at(action.lapses_at, tx.now);
        let to = ActionStatus::Approved;
        check_review(from, to, action.created_by, reviewer)
            .map_err(|refusal| refuse(ActionRefusal::Review(refusal)))?;
        let plan = read_plan(&action.kind, action.service_id, &action.data)
            .map_err(|fault| refuse(ActionRefusal::Plan(fault)))?;
        check_may_ask(&mut tx, &action.kind, action.service_id, action.created_by)
            .await
            .map_err(|failure| match failure {
                Failure::Refused(ActionRefusal::Denied(denial)) => {
                    refuse(ActionRefusal::AskerMayNot(denial))
                }
                other => other,
            })?;
        if service.is_some_and(|service| service.state == ServiceState::Archived) {
            return Err(refuse(ActionRefusal::Archived));
        }
        let until = tx.now + CARRIED_OUT_WITHIN;
        let is_decided = tx.review_admin_action(id, to, by, until).await?;
        // It is used up: on the earlier routes it covers nothing more.
        let is_used = tx.use_admin_action(id).await?;
        if !is_decided || !is_used {
            return Err(refuse(ActionRefusal::NotFound));
        }
        let done = self.do_plan(&mut tx, &action, plan, by).await?;
        let act = Act::new(
            Actor::User(by),
            "admin_action.review",
            format!("admin action {id}"),
        )
        .of(action.service_id)
        .with(json!({
            "kind": action.kind, "created_by": action.created_by, "carried_out": done.said(),
        }))
        .changing(
            json!({ "status": from.as_str() }),
            json!({ "status": to.as_str() }),
        );
        self.audit_act(&mut tx, act).await?;
        let approved = tx.load_admin_action(id).await?;
        let approved = approved.ok_or(refuse(ActionRefusal::NotFound))?;
        tx.commit().await?;
        Ok((approved, done))
    }

    async fn do_plan(
        &self,
        tx: &mut Tx,
        action: &AdminAction,
        plan: Plan,
        by: UserId,
    ) -> Result<CarriedOut, Refused> {
        match plan {
            Plan::Invite { .. } => self.do_invite(tx, action, plan).await,
            Plan::EditPermissions {
                service,
                user,
                permissions,
                folders,
            } => {
                let change = MemberChange {
                    user,
                    service,
                    permissions: &permissions,
                    folders: folders.as_deref(),
                };
                let done = self.set_permissions_in(tx, Actor::User(by), &change, Some(action.id));
                done.await
                    .map_err(|failure| translate(failure, |_| ActionRefusal::NoSuchMember))?;
                Ok(CarriedOut::Permissions)
            }
            Plan::CreateKey {
                service,
                name,
                kind,
            } => {
                let Some(kind) = KeyKind::parse(&kind) else {
                    unreachable!("a plan has a known kind of key");
                };
                let asked = Asked {
                    service_id: service,
                    name,
                    kind,
                    created_by: Some(action.created_by),
                };
                let new = self.make_key(tx, asked).await?;
                let details = json!({
                    "name": new.key.name, "kind": kind.as_str(), "covered_by": action.id,
                    "asked_by": action.created_by,
                });
                self.audit_key(tx, Actor::User(by), "key.create", &new.key, details)
                    .await?;
                Ok(CarriedOut::Key {
                    id: new.key.id,
                    secret: new.secret,
                })
            }
            Plan::Elevate => {
                let until = self
                    .elevate_in(tx, action.created_by, by, Some(action.id))
                    .await
                    .map_err(|failure| {
                        translate(failure, |refusal| match refusal {
                            ElevateRefusal::NotFound => ActionRefusal::NotFound,
                            ElevateRefusal::Rule(rule) => ActionRefusal::Elevation(rule),
                        })
                    })?;
                Ok(CarriedOut::Elevation { until })
            }
        }
    }

    async fn do_invite(
        &self,
        tx: &mut Tx,
        action: &AdminAction,
        plan: Plan,
    ) -> Result<CarriedOut, Refused> {
        let Plan::Invite {
            service,
            email,
            permissions,
            folders,
            auth_type,
            link_host,
        } = plan
        else {
            unreachable!("it is called with an invitation");
        };
        let not_found = || Failure::Refused(ActionRefusal::NotFound);
        let inviter = tx.load_user(action.created_by).await?;
        let inviter = inviter.ok_or_else(not_found)?;
        let place = tx.load_service(service).await?.ok_or_else(not_found)?;
        // Where the configuration says where links lead, nobody else does.
        let link_host = self.settings.author_url.clone().or(link_host);
        let Some(link_host) = link_host else {
            let refusal = InvitationRefusal::LinkHost;
            return Err(Failure::Refused(ActionRefusal::Invitation(refusal)));
        };
        let new = NewInvitation {
            to: InvitedTo::Service(service),
            email,
            invited_by: action.created_by,
            permissions,
            folders,
            auth_type: auth_type.unwrap_or(AuthType::Sms).as_str(),
            link_host,
        };
        let names = (inviter.name, place.name);
        let made = self.invite_in(tx, &new, names, Some(action.id)).await;
        let made = made.map_err(|failure| translate(failure, ActionRefusal::Invitation))?;
        Ok(CarriedOut::Invitation(made.id))
    }

    /// Whether a person may act as platform administrator, elevated or not.
    pub async fn may_administer(&self, by: UserId) -> Result<bool, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("may_administer", now).await?;
            tx.is_administrator(by).await
        })
        .await
    }

    /// An action, where the person may know of it: who asked for it, who could have, and who may
    /// approve it.
    pub async fn see_action(
        &self,
        id: AdminActionId,
        by: UserId,
    ) -> Result<Option<AdminAction>, StoreError> {
        let Some(action) = self.load_action(id).await? else {
            return Ok(None);
        };
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("see_action", now).await?;
            let is_administrator = tx.is_administrator(by).await?;
            let may_see = may_see(&mut tx, &action, by, is_administrator).await?;
            Ok(may_see.then(|| action.clone()))
        })
        .await
    }

    /// What waits for a second person and this one may know of, oldest first.
    pub async fn see_pending_actions(&self, by: UserId) -> Result<Vec<AdminAction>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("see_pending_actions", now).await?;
            let is_administrator = tx.is_administrator(by).await?;
            let mut seen = Vec::new();
            for action in tx.list_pending_actions(PEOPLE_LISTED_MAX).await? {
                if may_see(&mut tx, &action, by, is_administrator).await? {
                    seen.push(action);
                }
            }
            Ok(seen)
        })
        .await
    }
}

async fn may_see(
    tx: &mut Tx,
    action: &AdminAction,
    by: UserId,
    is_administrator: bool,
) -> Result<bool, StoreError> {
    if is_administrator || action.created_by == by {
        return Ok(true);
    }
    let standing = match action.service_id {
        Some(service) => standing(tx, by, service).await?,
        None => Standing::default(),
    };
    Ok(check_asker(&action.kind, &standing, is_administrator).is_ok())
}

async fn standing(tx: &mut Tx, by: UserId, service: ServiceId) -> Result<Standing, StoreError> {
    Ok(tx.load_standing(by, service).await?.unwrap_or_default())
}

fn translate<R>(failure: Failure<R>, of: impl FnOnce(R) -> ActionRefusal) -> Refused {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(of(refusal)),
        Failure::Store(error) => Failure::Store(error),
    }
}

const fn word(refusal: ActionRefusal) -> &'static str {
    match refusal {
        ActionRefusal::NotFound => "not_found",
        ActionRefusal::Denied(_) | ActionRefusal::AskerMayNot(_) => "asker_may_not",
        ActionRefusal::SimilarPending => "similar_pending",
        ActionRefusal::Review(refusal) => refusal.as_str(),
        ActionRefusal::Plan(_) => "unreadable",
        ActionRefusal::Archived => "archived",
        ActionRefusal::Invitation(_) => "invitation",
        ActionRefusal::NoSuchMember => "no_such_member",
        ActionRefusal::Elevation(_) => "elevation",
    }
}
