//! A person's "try this delivery now", with a dry run (R109, R110; D19).

use balefire_domain::audit::Actor;
use balefire_domain::ids::{DeliveryId, UserId};
use balefire_domain::lane::replay::{Replay, replay};
use balefire_store::Tx;
use balefire_store::lanes::LaneKey;
use serde_json::json;

use crate::{Act, App, Failure, repeat};

/// Why nothing was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayRefusal {
    /// No such delivery.
    NotFound,
    /// The person neither belongs to the alert's service nor is a platform administrator.
    NotAMember,
}

/// What came of it, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The lane.
    pub key: LaneKey,
    /// What happens, or what would.
    pub verdict: Replay,
}

impl App {
    /// Ends the back-off of a delivery, if it has one, in a person's name; in a dry run only says
    /// what would happen. Asked in vain it is audited as well.
    pub async fn replay_delivery(
        &self,
        id: DeliveryId,
        by: UserId,
        is_dry: bool,
    ) -> Result<Replayed, Failure<ReplayRefusal>> {
        repeat(|| self.replay_delivery_once(id, by, is_dry)).await
    }

    async fn replay_delivery_once(
        &self,
        id: DeliveryId,
        by: UserId,
        is_dry: bool,
    ) -> Result<Replayed, Failure<ReplayRefusal>> {
        let now = self.clock.now();
        let mut tx = self.store.begin("replay_delivery", now).await?;
        let Some(key) = tx.find_lane_of(id).await? else {
            return Err(Failure::Refused(ReplayRefusal::NotFound));
        };
        let service = match tx.load_alert(key.alert_id).await? {
            Some(alert) => alert.service_id,
            None => return Err(Failure::Refused(ReplayRefusal::NotFound)),
        };
        let is_admin = tx
            .load_user(by)
            .await?
            .is_some_and(|user| user.is_platform_admin);
        if !is_admin && !tx.is_member(by, service).await? {
            return Err(Failure::Refused(ReplayRefusal::NotAMember));
        }
        let verdict = self.judge_replay(&mut tx, &key, id, is_dry).await?;
        if !is_dry {
            let details = json!({ "alert": key.alert_id, "provider": key.provider });
            let sends = matches!(verdict, Replay::Sends { .. });
            let act = Act::new(Actor::User(by), "delivery.replay", format!("delivery {id}"))
                .of(Some(service))
                .with(details)
                .changing(json!({ "sends": false }), json!({ "sends": sends }));
            self.audit_act(&mut tx, act).await?;
            tx.wake_dispatchers().await?;
            tx.commit().await?;
            self.wake.notify_one();
        }
        Ok(Replayed { key, verdict })
    }

    async fn judge_replay(
        &self,
        tx: &mut Tx,
        key: &LaneKey,
        id: DeliveryId,
        is_dry: bool,
    ) -> Result<Replay, Failure<ReplayRefusal>> {
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(Replay::Unknown);
        };
        let policy = self.policy_now(tx, &key.provider).await?;
        let verdict = replay(&lane, id, tx.now, &policy);
        let Replay::Sends {
            lane: healed,
            effects,
            ..
        } = &verdict
        else {
            return Ok(verdict);
        };
        if !is_dry {
            tx.save_lane(key, &lane, healed).await?;
            self.apply_duties(tx, key, effects).await?;
        }
        Ok(verdict)
    }
}
