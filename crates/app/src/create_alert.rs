//! An author's new alert, by the JSON API: a draft (R14 to R18).

use balefire_cell_broadcast::{AlertText, TextRefusal};
use balefire_domain::alert::{Mode, Status};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, ServiceId, TemplateId, UserId};
use balefire_domain::permission::{Deed, Denial};
use balefire_domain::time::Timestamp;
use balefire_store::Tx;
use balefire_store::alerts::{Alert, MadeOf};
use balefire_store::templates::Template;
use serde_json::{Value, json};

use crate::areas::{self, AreasRefusal};
use crate::refused::{NotAllowed, check_deed};
use crate::repeatable::{self, RequestKey};
use crate::{App, Failure, repeat};

/// What an alert begins with.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// With what the author wrote.
    Written {
        /// Their own name for it; 1 to 255 characters.
        reference: String,
        /// The text as written.
        content: String,
    },
    /// With a template of the service; what the author wrote goes before what it says.
    Template {
        /// Which one.
        id: TemplateId,
        /// The author's own name for it.
        reference: Option<String>,
        /// The author's own text.
        content: Option<String>,
    },
}

/// What an author writes.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// Its name and its text.
    pub begin: Beginning,
    /// The areas; absent: a template's own, or none.
    pub areas: Option<Value>,
    /// Its start.
    pub starts_at: Option<Timestamp>,
    /// Its end.
    pub finishes_at: Option<Timestamp>,
    /// The author.
    pub created_by: UserId,
    /// Which request it is, where the client says so.
    pub request: Option<RequestKey>,
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum CreateRefusal {
    /// No such service (404).
    ServiceNotFound,
    /// The service may not broadcast.
    NotAllowed,
    /// The service is suspended or archived (403).
    ServiceInactive,
    /// No such person (404).
    UserNotFound,
    /// No such template of the service, or it is put away (404).
    TemplateNotFound,
    /// The author may not write alerts of the service.
    Denied(UserId, Denial),
    /// The text can't be sent.
    Text(TextRefusal),
    /// The areas can't be taken.
    Areas(AreasRefusal),
}

impl App {
    /// Stores a draft.
    pub async fn create_alert(
        &self,
        service: ServiceId,
        new: &NewAlert,
    ) -> Result<Alert, Failure<CreateRefusal>> {
        let areas = areas::check_apart(new.areas.as_ref()).await;
        let created = repeat(|| self.create_alert_once(service, new, areas.as_ref())).await;
        if let Err(Failure::Refused(CreateRefusal::Denied(by, denial))) = &created {
            let object = format!("service {service}");
            self.note_denied(*by, "alert.create", object, service, *denial)
                .await;
        }
        created
    }

    async fn create_alert_once(
        &self,
        service_id: ServiceId,
        new: &NewAlert,
        areas: Option<&Result<Value, AreasRefusal>>,
    ) -> Result<Alert, Failure<CreateRefusal>> {
        let refuse = Failure::Refused;
        let mut tx = self.store.begin("create_alert", self.clock.now()).await?;
        let Some(service) = tx.load_service(service_id).await? else {
            return Err(refuse(CreateRefusal::ServiceNotFound));
        };
        if !service.may_broadcast {
            return Err(refuse(CreateRefusal::NotAllowed));
        }
        if service.state != balefire_domain::alert::ServiceState::Active {
            return Err(refuse(CreateRefusal::ServiceInactive));
        }
        let by = new.created_by;
        match check_deed(&mut tx, by, service_id, Deed::Author).await? {
            Ok(()) => {}
            Err(NotAllowed::Unknown) => return Err(refuse(CreateRefusal::UserNotFound)),
            Err(NotAllowed::Denied(denial)) => {
                return Err(refuse(CreateRefusal::Denied(by, denial)));
            }
        }
        let (template, reference, content) = begin(&mut tx, service_id, &new.begin).await?;
        let text = AlertText::accept_written(&content, self.settings.scripts)
            .map_err(|refusal| refuse(CreateRefusal::Text(refusal)))?;
        let areas = match areas {
            None => template
                .as_ref()
                .map_or_else(|| json!({}), |t| t.areas.clone()),
            Some(Ok(checked)) => checked.clone(),
            Some(Err(refusal)) => return Err(refuse(CreateRefusal::Areas(refusal.clone()))),
        };
        let alert = Alert {
            is_stubbed: service.mode == Mode::Training,
            reference: Some(reference),
            content,
            made_of: template.map(|template| MadeOf {
                template: template.id,
                version: template.version,
                name: template.reference,
            }),
            text: text.into_string(),
            areas,
            starts_at: new.starts_at,
            finishes_at: new.finishes_at,
            created_by: Some(new.created_by),
            ..self.blank_alert(service_id, tx.now)
        };
        tx.insert_alert(&alert).await?;
        let details = json!({ "reference": alert.reference, "stubbed": alert.is_stubbed });
        let (actor, object) = (Actor::User(new.created_by), format!("alert {}", alert.id));
        self.audit(
            &mut tx,
            actor,
            "alert.create",
            object,
            Some(service_id),
            details,
        )
        .await?;
        repeatable::note(&mut tx, new.request.as_ref(), &alert).await?;
        tx.commit().await?;
        Ok(alert)
    }

    /// A draft that says nothing yet.
    pub(crate) fn blank_alert(&self, service_id: ServiceId, now: Timestamp) -> Alert {
        Alert {
            id: AlertId::new(self.entropy.uuid_v7(now)),
            service_id,
            status: Status::Draft,
            is_stubbed: false,
            version: 1,
            next_seq: 1,
            reference: None,
            content: String::new(),
            text: String::new(),
            extra_content: None,
            second: None,
            areas: json!({}),
            duration_us: None,
            starts_at: None,
            finishes_at: None,
            cap_event: None,
            cap: None,
            created_at: now,
            updated_at: None,
            submitted_at: None,
            approved_at: None,
            cancelled_at: None,
            rejected_at: None,
            created_by: None,
            updated_by: None,
            submitted_by: None,
            approved_by: None,
            cancelled_by: None,
            rejected_by: None,
            api_key_id: None,
            cancelled_by_api_key_id: None,
            rejected_by_api_key_id: None,
            rejection_reason: None,
            made_of: None,
            is_acknowledged: false,
        }
    }
}

/// Reference and text, and the template where they come of one.
async fn begin(
    tx: &mut Tx,
    service: ServiceId,
    begin: &Beginning,
) -> Result<(Option<Template>, String, String), Failure<CreateRefusal>> {
    match begin {
        Beginning::Written { reference, content } => Ok((None, reference.clone(), content.clone())),
        Beginning::Template {
            id,
            reference,
            content,
        } => {
            let found = tx.load_template(*id).await?;
            let own = found.filter(|found| found.service_id == service && !found.is_archived);
            let template = own.ok_or(Failure::Refused(CreateRefusal::TemplateNotFound))?;
            let reference = reference.clone();
            let content = content.clone();
            Ok((
                Some(template.clone()),
                reference.unwrap_or(template.reference),
                content.unwrap_or(template.content),
            ))
        }
    }
}
