//! What one administrator asks for and another approves.

use balefire_domain::admin_action::ActionStatus;
use balefire_domain::ids::{AdminActionId, ServiceId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// An administrator's action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAction {
    /// Its id.
    pub id: AdminActionId,
    /// What kind it is.
    pub kind: String,
    /// In which service.
    pub service_id: Option<ServiceId>,
    /// What it says: a JSON object.
    pub data: serde_json::Value,
    /// What it is about: of two with the same subject one waits.
    pub subject: String,
    /// Where it stands. One that lapsed may still be `Pending` here.
    pub status: ActionStatus,
    /// Who asks for it.
    pub created_by: UserId,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when it can be approved or, when it was, carried out.
    pub lapses_at: Timestamp,
    /// Who decided.
    pub reviewed_by: Option<UserId>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
}

statements! {
    INSERT: "INSERT INTO admin_actions
        (id, kind, service_id, data, subject, status, created_by, created_at, lapses_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LOCK (lock): "SELECT id FROM admin_actions WHERE id = $1";
    LOAD: "SELECT * FROM admin_actions WHERE id = $1";
    LOAD_PENDING: "SELECT * FROM admin_actions WHERE subject = $1 AND status = 'pending'";
    LIST_PENDING: "SELECT * FROM admin_actions WHERE status = 'pending' AND lapses_at > $1
        ORDER BY created_at, id LIMIT $2";
    LIST_APPROVED: "SELECT * FROM admin_actions
        WHERE subject = $1 AND status = 'approved' AND used_at IS NULL AND lapses_at > $2
        ORDER BY reviewed_at, id";
    LAPSE: "UPDATE admin_actions SET status = 'invalidated'
        WHERE subject = $1 AND status = 'pending' AND lapses_at <= $2";
    REVIEW: "UPDATE admin_actions
        SET status = $2, reviewed_by = $3, reviewed_at = $4, lapses_at = $5
        WHERE id = $1 AND status = 'pending'";
    USE: "UPDATE admin_actions SET used_at = $2 WHERE id = $1 AND used_at IS NULL";
    DELETE_OF: "DELETE FROM admin_actions WHERE created_by = $1";
}

impl Tx {
    /// Stores a new action, which waits. A unique violation means that another waits about the
    /// same.
    pub async fn insert_admin_action(&mut self, action: &AdminAction) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            action.id.to_string(),
            action.kind.clone(),
            action.service_id.map(|id| id.to_string()),
            action.data.to_string(),
            action.subject.clone(),
            action.status.as_str(),
            action.created_by.to_string(),
            action.created_at.micros(),
            action.lapses_at.micros(),
        )
    }

    /// Locks an action, then reads it.
    pub async fn lock_admin_action(
        &mut self,
        id: AdminActionId,
    ) -> Result<Option<AdminAction>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_admin_action(id).await
    }

    /// The action with this id.
    pub async fn load_admin_action(
        &mut self,
        id: AdminActionId,
    ) -> Result<Option<AdminAction>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// The action about this that waits, where one does. What lapsed is marked so first.
    pub async fn load_pending_action(
        &mut self,
        subject: &str,
    ) -> Result<Option<AdminAction>, StoreError> {
        let now = self.now.micros();
        execute!(self, LAPSE, subject.to_owned(), now)?;
        fetch_optional!(self, read, LOAD_PENDING, subject.to_owned())
    }

    /// The first `limit` actions that wait and did not lapse, oldest first.
    pub async fn list_pending_actions(
        &mut self,
        limit: u32,
    ) -> Result<Vec<AdminAction>, StoreError> {
        let now = self.now.micros();
        fetch_all!(self, read, LIST_PENDING, now, i64::from(limit))
    }

    /// Approved actions about this that were not carried out yet and still may be.
    pub async fn list_approved_actions(
        &mut self,
        subject: &str,
    ) -> Result<Vec<AdminAction>, StoreError> {
        let now = self.now.micros();
        fetch_all!(self, read, LIST_APPROVED, subject.to_owned(), now)
    }

    /// Decides about an action that waits; false when it does not wait any more.
    pub async fn review_admin_action(
        &mut self,
        id: AdminActionId,
        status: ActionStatus,
        by: UserId,
        lapses_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let changed = execute!(
            self,
            REVIEW,
            id.to_string(),
            status.as_str(),
            by.to_string(),
            now,
            lapses_at.micros(),
        )?;
        Ok(changed == 1)
    }

    /// Notes that an approved action is carried out; false when it was before.
    pub async fn use_admin_action(&mut self, id: AdminActionId) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, USE, id.to_string(), now)? == 1)
    }

    /// Removes what a person asked for; how much. Outside the live environment only.
    pub async fn delete_admin_actions_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        execute!(self, DELETE_OF, user.to_string())
    }
}

fn read(row: &impl Row) -> Result<AdminAction, StoreError> {
    Ok(AdminAction {
        id: row.id("id", AdminActionId::new)?,
        kind: row.text("kind")?,
        service_id: row.opt_id("service_id", ServiceId::new)?,
        data: row.json("data")?,
        subject: row.text("subject")?,
        status: row.word("status", ActionStatus::parse)?,
        created_by: row.id("created_by", UserId::new)?,
        created_at: row.instant("created_at")?,
        lapses_at: row.instant("lapses_at")?,
        reviewed_by: row.opt_id("reviewed_by", UserId::new)?,
        reviewed_at: row.opt_instant("reviewed_at")?,
    })
}
