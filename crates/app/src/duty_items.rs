//! Duty items as the people on duty see and close them (D19).

use balefire_domain::audit::Actor;
use balefire_domain::ids::{DutyItemId, ServiceId, UserId};
use balefire_domain::limits::{DUTY_ITEMS_LISTED_MAX, DUTY_NOTE_CHARS_MAX};
use balefire_store::duty_items::DutyItem;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::{Act, App, Failure, repeat};

/// Why an item was not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseRefusal {
    /// No such item.
    NotFound,
    /// Somebody or something closed it before.
    AlreadyClosed(Box<DutyItem>),
    /// The person neither belongs to the alert's service nor is a platform administrator.
    NotAMember,
    /// Only a platform administrator may: the item is about no alert.
    NotAnAdministrator,
    /// The note is longer than is kept.
    NoteTooLong,
}

impl App {
    /// The open items, oldest first; or the latest of all, newest first. At most
    /// [`DUTY_ITEMS_LISTED_MAX`].
    pub async fn list_all_duty_items(&self, closed_too: bool) -> Result<Vec<DutyItem>, StoreError> {
        let mut tx = self
            .store
            .begin_read("list_all_duty_items", self.clock.now())
            .await?;
        if closed_too {
            tx.list_latest_duty_items(DUTY_ITEMS_LISTED_MAX).await
        } else {
            tx.list_open_duty_items(DUTY_ITEMS_LISTED_MAX).await
        }
    }

    /// Closes an item in a person's name; the item as it now is. Its page is told.
    pub async fn close_duty_item(
        &self,
        id: DutyItemId,
        by: UserId,
        note: Option<&str>,
    ) -> Result<DutyItem, Failure<CloseRefusal>> {
        repeat(|| self.close_duty_item_once(id, by, note)).await
    }

    async fn close_duty_item_once(
        &self,
        id: DutyItemId,
        by: UserId,
        note: Option<&str>,
    ) -> Result<DutyItem, Failure<CloseRefusal>> {
        if note.is_some_and(|note| note.chars().count() > DUTY_NOTE_CHARS_MAX) {
            return Err(Failure::Refused(CloseRefusal::NoteTooLong));
        }
        let mut tx = self
            .store
            .begin("close_duty_item", self.clock.now())
            .await?;
        let Some(item) = tx.load_duty_item(id).await? else {
            return Err(Failure::Refused(CloseRefusal::NotFound));
        };
        let service = check_person(&mut tx, &item, by).await?;
        let actor = Actor::User(by);
        if !tx.close_duty_item(id, &actor.describe()).await? {
            // Read again: it may have been closed since it was first read.
            let item = tx.load_duty_item(id).await?.unwrap_or(item);
            return Err(Failure::Refused(CloseRefusal::AlreadyClosed(Box::new(
                item,
            ))));
        }
        let details = json!({
            "kind": item.kind, "subject": item.subject, "alert": item.alert_id,
            "provider": item.provider, "note": note,
        });
        let act = Act::new(actor, "duty_item.close", format!("duty item {id}"))
            .of(service)
            .with(details)
            .changing(json!({ "is_open": true }), json!({ "is_open": false }));
        self.audit_act(&mut tx, act).await?;
        let closed = tx.load_duty_item(id).await?.unwrap_or(item);
        tx.commit().await?;
        tracing::info!(
            event = "duty_item.closed", duty_item.id = %id, kind = closed.kind, user.id = %by,
            "a person closed a duty item"
        );
        Ok(closed)
    }
}

/// Refuses who may not close this item; the service that it concerns.
async fn check_person(
    tx: &mut Tx,
    item: &DutyItem,
    by: UserId,
) -> Result<Option<ServiceId>, Failure<CloseRefusal>> {
    let alert = match item.alert_id {
        Some(alert) => tx.load_alert(alert).await?,
        None => None,
    };
    let service = alert.map(|alert| alert.service_id);
    let is_admin = tx
        .load_user(by)
        .await?
        .is_some_and(|user| user.is_platform_admin);
    match service {
        _ if is_admin => Ok(service),
        Some(id) if tx.is_member(by, id).await? => Ok(service),
        Some(_) => Err(Failure::Refused(CloseRefusal::NotAMember)),
        None => Err(Failure::Refused(CloseRefusal::NotAnAdministrator)),
    }
}
