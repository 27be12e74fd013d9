//! Becoming administrator for one session, by two persons: another one who may be administrator
//! approves it, the person redeems it within an hour, and it ends with the session or after six
//! hours (`authoring.md` 2.10).

use balefire_domain::admin_action::subject_of_elevation;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AdminActionId, UserId};
use balefire_domain::sign_in::{
    AccountState, ELEVATION_VALID_FOR, ElevationRefusal, check_redemption,
};
use balefire_domain::time::Timestamp;
use balefire_store::Tx;
use serde_json::json;

use crate::accounts::object;
use crate::{Act, App, Failure, repeat};

/// Why nothing came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElevateRefusal {
    /// No such person.
    NotFound,
    /// The rules say no.
    Rule(ElevationRefusal),
}

type Refused = Failure<ElevateRefusal>;

impl App {
    /// Another administrator approves that a person becomes one; until when that is good.
    pub async fn approve_elevation(&self, id: UserId, by: UserId) -> Result<Timestamp, Refused> {
        let approved = repeat(|| self.approve_elevation_once(id, by)).await;
        if let Err(Failure::Refused(ElevateRefusal::Rule(refusal))) = &approved {
            let act = Act::new(Actor::User(by), "user.elevate", object(id));
            self.audit_refusal(act, word(*refusal)).await;
        }
        approved
    }

    async fn approve_elevation_once(&self, id: UserId, by: UserId) -> Result<Timestamp, Refused> {
        let mut tx = self
            .store
            .begin("approve_elevation", self.clock.now())
            .await?;
        let until = self.elevate_in(&mut tx, id, by, None).await?;
        tx.commit().await?;
        Ok(until)
    }

    /// The same within a transaction, by an action that was approved in it. Without one the trail
    /// names the approved action that covers it, or none.
    pub(crate) async fn elevate_in(
        &self,
        tx: &mut Tx,
        id: UserId,
        by: UserId,
        approved: Option<AdminActionId>,
    ) -> Result<Timestamp, Refused> {
        let refuse = |refusal| Err(Failure::Refused(ElevateRefusal::Rule(refusal)));
        let Some(mut account) = tx.lock_account(id).await? else {
            return Err(Failure::Refused(ElevateRefusal::NotFound));
        };
        if !account.is_admin_capable || account.state != AccountState::Active {
            return refuse(ElevationRefusal::NotCapable);
        }
        if id == by {
            return refuse(ElevationRefusal::OwnElevation);
        }
        let approver = tx.load_account(by).await?;
        let may_approve =
            approver.is_some_and(|one| one.is_admin_capable && one.state == AccountState::Active);
        if !may_approve {
            return refuse(ElevationRefusal::ApproverNotCapable);
        }
        let covered_by = match approved {
            None => {
                self.carry_out(tx, &subject_of_elevation(id), |_| true)
                    .await?
            }
            approved => approved,
        };
        let before = account.admin_until;
        let until = tx.now + ELEVATION_VALID_FOR;
        account.admin_until = Some(until);
        tx.update_account(&account).await?;
        let act = Act::new(Actor::User(by), "user.elevate", object(id))
            .with(json!({ "covered_by": covered_by }))
            .changing(
                json!({ "may_become_administrator_until": before }),
                json!({ "may_become_administrator_until": until }),
            );
        self.audit_act(tx, act).await?;
        Ok(until)
    }

    /// A person becomes administrator for the session that they have.
    pub async fn redeem_elevation(&self, id: UserId) -> Result<(), Refused> {
        let redeemed = repeat(|| self.redeem_elevation_once(id)).await;
        if let Err(Failure::Refused(ElevateRefusal::Rule(refusal))) = &redeemed {
            let act = Act::new(Actor::User(id), "user.redeem_elevation", object(id));
            self.audit_refusal(act, word(*refusal)).await;
        }
        redeemed
    }

    async fn redeem_elevation_once(&self, id: UserId) -> Result<(), Refused> {
        let mut tx = self
            .store
            .begin("redeem_elevation", self.clock.now())
            .await?;
        let Some(mut account) = tx.lock_account(id).await? else {
            return Err(Failure::Refused(ElevateRefusal::NotFound));
        };
        let is_capable = account.is_admin_capable && account.state == AccountState::Active;
        check_redemption(is_capable, account.admin_until, tx.now)
            .map_err(|refusal| Failure::Refused(ElevateRefusal::Rule(refusal)))?;
        account.admin_until = None;
        if !account.is_platform_admin || account.elevated_at.is_some() {
            account.is_platform_admin = true;
            account.elevated_at = Some(tx.now);
        }
        tx.update_account(&account).await?;
        let act = Act::new(Actor::User(id), "user.redeem_elevation", object(id));
        let change = (
            json!({ "platform_admin": false }),
            json!({ "platform_admin": true }),
        );
        self.audit_act(&mut tx, act.changing(change.0, change.1))
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

const fn word(refusal: ElevationRefusal) -> &'static str {
    match refusal {
        ElevationRefusal::NotCapable => "not_capable",
        ElevationRefusal::ApproverNotCapable => "approver_not_capable",
        ElevationRefusal::OwnElevation => "own_elevation",
        ElevationRefusal::NotApproved => "not_approved",
        ElevationRefusal::Lapsed => "lapsed",
    }
}
