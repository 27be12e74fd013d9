//! The summary of an alert, by e-mail to the person who asks for it. It is no alert, and nothing
//! goes to phones by it.
//!
//! Order of checks: 1. the alert exists; 2. the person exists, 3. and may see the service's alerts.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, ServiceId, UserId};
use balefire_domain::notification::{Message, Notification, Recipient};
use balefire_domain::permission::{self, Deed, Denial};
use serde_json::json;

use crate::{App, Failure, repeat};

/// What is said, as the author's client puts it.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Who asks.
    pub by: UserId,
    /// The alert in short.
    pub summary: String,
    /// The names of its areas.
    pub areas: Vec<String>,
    /// How many phones, in words.
    pub phones: String,
    /// How long, in words.
    pub duration: String,
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SummaryRefusal {
    /// No such alert of this service (404).
    NotFound,
    /// No such person (404).
    UserNotFound,
    /// The person may not see the service's alerts.
    Denied(Denial),
    /// The person's address takes no mail.
    NoAddress,
}

impl App {
    /// Sends the summary once this is stored.
    pub async fn summarise_alert(
        &self,
        service: ServiceId,
        alert: AlertId,
        summary: &Summary,
    ) -> Result<(), Failure<SummaryRefusal>> {
        repeat(|| self.summarise_alert_once(service, alert, summary)).await
    }

    async fn summarise_alert_once(
        &self,
        service_id: ServiceId,
        id: AlertId,
        summary: &Summary,
    ) -> Result<(), Failure<SummaryRefusal>> {
        let refuse = Failure::Refused;
        let now = self.clock.now();
        let mut tx = self.store.begin("summarise_alert", now).await?;
        let alert = tx.load_alert(id).await?;
        let alert = alert.filter(|alert| alert.service_id == service_id);
        let service = tx.load_service(service_id).await?;
        let (Some(_), Some(service)) = (alert, service) else {
            return Err(refuse(SummaryRefusal::NotFound));
        };
        let user = tx.load_user(summary.by).await?;
        let standing = tx.load_standing(summary.by, service_id).await?;
        let (Some(user), Some(standing)) = (user, standing) else {
            return Err(refuse(SummaryRefusal::UserNotFound));
        };
        permission::check(&standing, Deed::View)
            .map_err(|denial| refuse(SummaryRefusal::Denied(denial)))?;
        let to = Recipient::email(&user.email).map_err(|_| refuse(SummaryRefusal::NoAddress))?;
        let message = Message::AlertSummary {
            service: service.name,
            author: user.name,
            summary: summary.summary.clone(),
            areas: summary.areas.clone(),
            phones: summary.phones.clone(),
            duration: summary.duration.clone(),
        };
        let notification = Notification { to, message };
        let sent = self.enqueue_notification(&mut tx, &notification).await?;
        let details = json!({ "notification": sent });
        let (actor, object) = (Actor::User(summary.by), format!("alert {id}"));
        let owner = Some(service_id);
        self.audit(&mut tx, actor, "alert.summarise", object, owner, details)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
