//! The jobs of an alert's ticket, enqueued in the transaction that causes them (D7).

use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::job::{Comment, Job};
use balefire_domain::lane::Kind;
use balefire_domain::provider::ProviderName;
use balefire_domain::ticket::{self, Approved, Canceller, Updated};
use balefire_store::alerts::Alert;
use balefire_store::events::Event;
use balefire_store::services::Service;
use balefire_store::users::User;
use balefire_store::{StoreError, Tx};

use crate::{App, areas};

impl App {
    /// Enqueues the ticket of an alert that is being approved, where tickets are made.
    pub(crate) async fn enqueue_ticket(
        &self,
        tx: &mut Tx,
        alert: &Alert,
        service: &Service,
        approver: UserId,
        event: &Event,
        providers: &[ProviderName],
    ) -> Result<(), StoreError> {
        if !self.settings.makes_tickets {
            return Ok(());
        }
        let approver = tx.load_user(approver).await?;
        let (name, email) = named(approver.as_ref());
        let words = ticket::approved(&Approved {
            alert: alert.id,
            reference: alert.reference.as_deref().or(alert.cap_event.as_deref()),
            approver: name,
            approver_email: email,
            service: &service.name,
            channel: event.channel,
            areas: &areas::names(&event.areas),
            text: &event.text,
            approved_at: event.created_at,
            finishes_at: event.finishes_at,
            providers,
        });
        let job = Job::Ticket {
            alert_id: alert.id,
            subject: words.subject,
            body: words.body,
        };
        tx.enqueue_job(&job).await.map(drop)
    }
}

impl App {
    /// Enqueues what an approved update adds to the alert's ticket, where it has one: who approved
    /// it, and how it goes.
    pub(crate) async fn enqueue_update_comment(
        &self,
        tx: &mut Tx,
        event: &Event,
        version: u32,
        approver: UserId,
        providers: &[ProviderName],
    ) -> Result<(), StoreError> {
        let ticket = Job::ticket_key(event.alert_id);
        if tx.load_job_state(&ticket).await?.is_none() {
            return Ok(());
        }
        let approver = tx.load_user(approver).await?;
        let (name, email) = named(approver.as_ref());
        let body = ticket::updated(&Updated {
            version,
            approver: name,
            approver_email: email,
            areas: &areas::names(&event.areas),
            text: &event.text,
            approved_at: event.created_at,
            providers,
        });
        let (alert_id, seq) = (event.alert_id, event.seq);
        for comment in [
            Comment::Updated { seq, body },
            Comment::UpdateOutcome { seq },
        ] {
            tx.enqueue_job(&Job::TicketComment { alert_id, comment })
                .await?;
        }
        Ok(())
    }
}

/// A person's name and address.
fn named(user: Option<&User>) -> (&str, &str) {
    user.map_or(("somebody", "unknown"), |user| {
        (user.name.as_str(), user.email.as_str())
    })
}

/// Enqueues what a cancel adds to the alert's ticket, where it has one: who cancelled, and how the
/// cancel goes.
pub(crate) async fn enqueue_cancel_comments(
    tx: &mut Tx,
    alert_id: AlertId,
    actor: Actor,
) -> Result<(), StoreError> {
    if tx
        .load_job_state(&Job::ticket_key(alert_id))
        .await?
        .is_none()
    {
        return Ok(());
    }
    let person = match actor {
        Actor::User(user) => tx.load_user(user).await?,
        Actor::ApiKey(_) | Actor::Client(_) | Actor::CommandLine | Actor::Clock => None,
    };
    let by = person.as_ref().map_or(Canceller::Other(actor), |user| {
        Canceller::Person(&user.name, &user.email)
    });
    let body = ticket::cancelled(by, tx.now);
    let [stuck, outcome] = Comment::of_course(Kind::Cancel);
    for comment in [Comment::Cancelled { body }, stuck, outcome] {
        tx.enqueue_job(&Job::TicketComment { alert_id, comment })
            .await?;
    }
    Ok(())
}
