//! A look from outside at whether anybody dispatches: an approved alert must not wait in silence
//! because no process has the role.

use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::DutyKind;
use balefire_domain::limits::{UNDISPATCHED_MAX, UNSEEN_MAX};
use balefire_store::StoreError;

use crate::App;

/// What the item is about.
const SUBJECT: &str = "dispatch";

impl App {
    /// Opens a duty item when lanes have been due for a while and no process that dispatches was
    /// seen of late; closes it when one was. By a clock in doubt nothing is said.
    pub async fn watch_dispatch(&self) -> Result<(), StoreError> {
        if !self.clock.is_trusted() {
            return Ok(());
        }
        let kind = DutyKind::NobodyDispatches;
        let now = self.clock.now();
        let mut tx = self.store.begin_read("look_at_dispatch", now).await?;
        let is_seen = tx.is_instance_seen_since(now - UNSEEN_MAX).await?;
        let is_overdue = tx.is_lane_overdue(now - UNDISPATCHED_MAX).await?;
        let is_told = tx.has_open_duty_item(kind, SUBJECT).await?;
        drop(tx);
        if is_seen && is_told {
            let mut tx = self.store.begin("watch_dispatch", now).await?;
            tx.close_duty_item_of(kind, SUBJECT, "a process that dispatches")
                .await?;
            return tx.commit().await;
        }
        if is_seen || !is_overdue || is_told {
            return Ok(());
        }
        let mut tx = self.store.begin("watch_dispatch", now).await?;
        let id = DutyItemId::new(self.entropy.uuid_v7(now));
        let is_new = tx.open_duty_item(id, kind, SUBJECT, None, None).await?;
        tx.commit().await?;
        if is_new {
            tracing::error!(
                event = "duty_item.opened",
                subject = SUBJECT,
                kind = kind.as_str(),
                advice = kind.advice(),
                "a person on duty is needed"
            );
        }
        Ok(())
    }
}
