//! The cancel: the alert's state, its event, and one delivery per lane of the alert, in one
//! transaction. It goes to every provider that was or may have been reached, whatever the
//! configuration says today (D4).

use balefire_domain::alert::Status;
use balefire_domain::audit::Actor;
use balefire_domain::ids::EventId;
use balefire_domain::lane::Kind;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::{StoreError, Tx, crash_point};
use serde_json::{Value, json};

use crate::App;
use crate::approve_update::has_message_number;
use crate::move_alert::of_alert;
use crate::tickets::enqueue_cancel_comments;

impl App {
    /// Cancels a broadcasting alert. The caller holds its lock and has checked the move.
    #[tracing::instrument(name = "alert.cancel", skip_all, fields(alert.id = %alert.id))]
    pub(crate) async fn cancel_in(
        &self,
        tx: &mut Tx,
        mut alert: Alert,
        actor: Actor,
        mut details: Value,
    ) -> Result<Alert, StoreError> {
        self.withdraw_in(tx, &alert, actor).await?;
        let from = alert.status;
        details["from"] = json!(from.as_str());
        alert.status = Status::Cancelled;
        alert.cancelled_at = Some(tx.now);
        alert.updated_at = Some(tx.now);
        (alert.cancelled_by, alert.cancelled_by_api_key_id) = match actor {
            Actor::User(user) => (Some(user), None),
            Actor::ApiKey(key) => (None, Some(key)),
            Actor::Client(_) | Actor::CommandLine | Actor::Clock => (None, None),
        };
        if let Some(sent) = tx.list_events(alert.id).await?.into_iter().next_back() {
            self.issue_cancel(tx, &mut alert, &sent).await?;
            enqueue_cancel_comments(tx, alert.id, actor).await?;
        }
        tx.update_alert(&alert).await?;
        let act = of_alert(&alert, actor, "alert.cancel", from).with(details);
        self.audit_act(tx, act).await?;
        crash_point("cancel.before_commit");
        Ok(alert)
    }

    async fn issue_cancel(
        &self,
        tx: &mut Tx,
        alert: &mut Alert,
        sent: &Event,
    ) -> Result<(), StoreError> {
        let event = Event {
            id: EventId::new(self.entropy.uuid_v7(tx.now)),
            seq: alert.next_seq,
            kind: Kind::Cancel,
            created_at: tx.now,
            ..sent.clone()
        };
        alert.next_seq += 1;
        self.insert_event(tx, &event).await?;
        for key in tx.list_lanes(alert.id).await? {
            let Some(lane) = tx.lock_lane(&key).await? else {
                continue;
            };
            let message_number = if has_message_number(tx, &lane).await? {
                Some(tx.next_message_number().await?)
            } else {
                None
            };
            let frozen = Frozen {
                event_id: event.id,
                sent_at: event.created_at,
                message_number,
                payload: None,
            };
            let delivery = self.new_delivery(&event, event.kind, &lane);
            self.issue(tx, &key, &lane, delivery, &frozen).await?;
        }
        tx.wake_dispatchers().await
    }
}
