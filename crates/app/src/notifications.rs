//! Notifications leave as jobs, stored in the transaction that causes them (D7): no request waits
//! for a mail server, and none is sent of what was not committed.
//!
//! What is stored is encrypted with the key for secrets (D49), and wiped when the job ends. What
//! can't be delivered is a line in the log and an entry of the audit trail, and nothing more: an
//! alert never waits for it.

use balefire_domain::ids::NotificationId;
use balefire_domain::job::{Job, Told};
use balefire_domain::notification::Notification;
use balefire_store::{StoreError, Tx};

use crate::App;

impl App {
    /// Sends a notification once the transaction is committed, within seconds where all is well;
    /// the id by which the log and the audit trail name it.
    pub async fn enqueue_notification(
        &self,
        tx: &mut Tx,
        notification: &Notification,
    ) -> Result<NotificationId, StoreError> {
        let id = NotificationId::new(self.entropy.uuid_v7(tx.now));
        let plain = serde_json::to_string(notification).expect("a notification is JSON");
        let told = Told {
            notification_id: id,
            message: notification.message.as_str().to_owned(),
            to: notification.to.masked(),
            valid_until: tx.now + notification.message.valid_for(),
            sealed: self.secret_key.seal(&plain, &*self.entropy),
        };
        let job = Job::notification(notification.to.way(), told);
        tx.enqueue_job(&job).await?;
        Ok(id)
    }

    /// Opens what [`App::enqueue_notification`] sealed: for whoever carries jobs out.
    pub fn secret_opener(&self) -> impl Fn(&str) -> Option<String> + Send + Sync + 'static {
        let key = std::sync::Arc::clone(&self.secret_key);
        move |sealed| key.open(sealed).ok()
    }
}
