//! An author's change of an alert that is not approved yet (R20 to R22, D42, D51).
//!
//! Text, areas, reference and extra content make a new version, whose editor may not approve it.
//! Times and duration are no edit and need no person.

use balefire_cell_broadcast::{AlertText, TextRefusal};
use balefire_domain::alert::{Mode, ServiceState, Status};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, ServiceId, UserId};
use balefire_domain::permission::{Deed, Denial};
use balefire_domain::time::Timestamp;
use balefire_store::Tx;
use balefire_store::alerts::Alert;
use balefire_store::services::Service;
use serde_json::{Value, json};

use crate::areas::{self, AreasRefusal};
use crate::refused::{NotAllowed, check_deed};
use crate::{Act, App, Failure, repeat};

/// What changes; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct AlertChange {
    /// The author's name for it; 1 to 255 characters.
    pub reference: Option<String>,
    /// The text as written.
    pub content: Option<String>,
    /// The areas: `ids` and `simple_polygons` together, or neither (then they stay).
    pub areas: Option<Value>,
    /// What the public page shows beside the text.
    pub extra_content: Option<String>,
    /// How long it lasts, in microseconds.
    pub duration_us: Option<i64>,
    /// Its start.
    pub starts_at: Option<Timestamp>,
    /// Its end.
    pub finishes_at: Option<Timestamp>,
    /// Who changes it.
    pub created_by: Option<UserId>,
    /// Only say what the alert would be then.
    pub is_dry_run: bool,
}

impl AlertChange {
    fn sets_only_times(&self) -> bool {
        self.reference.is_none()
            && self.content.is_none()
            && self.areas.is_none()
            && self.extra_content.is_none()
    }
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateRefusal {
    /// No such alert of this service (404).
    NotFound,
    /// The service is suspended or archived (403).
    ServiceInactive,
    /// No such person (404).
    UserNotFound,
    /// The editor may not do this in the service.
    Denied(UserId, Denial),
    /// It is approved, over or cancelled.
    NotEditable(Status),
    /// One of area ids and polygons without the other.
    HalfAreas,
    /// An edit of an alert that may be real, and that names nobody (D8, D42).
    EditorMissing,
    /// The text can't be sent.
    Text(TextRefusal),
    /// The areas can't be taken.
    Areas(AreasRefusal),
    /// An update of what is on the air that says the same.
    NothingChanges,
    /// It was changed too often.
    TooManyVersions,
}

type Refused = Failure<UpdateRefusal>;
type CheckedAreas = Result<Value, AreasRefusal>;

impl App {
    /// Changes an alert.
    pub async fn update_alert(
        &self,
        service: ServiceId,
        alert: AlertId,
        change: &AlertChange,
    ) -> Result<Alert, Refused> {
        let areas = areas::check_apart(change.areas.as_ref()).await;
        let updated =
            repeat(|| self.update_alert_once(service, alert, change, areas.as_ref())).await;
        if let Err(Failure::Refused(refusal)) = &updated {
            self.note_refused_update(service, alert, refusal).await;
        }
        updated
    }

    pub(crate) async fn note_refused_update(
        &self,
        service: ServiceId,
        alert: AlertId,
        refusal: &UpdateRefusal,
    ) {
        if let UpdateRefusal::Denied(by, denial) = refusal {
            let object = format!("alert {alert}");
            self.note_denied(*by, "alert.update", object, service, *denial)
                .await;
        }
    }

    async fn update_alert_once(
        &self,
        service_id: ServiceId,
        id: AlertId,
        change: &AlertChange,
        areas: Option<&CheckedAreas>,
    ) -> Result<Alert, Refused> {
        let mut tx = self.store.begin("update_alert", self.clock.now()).await?;
        let known = tx
            .lock_alert(id)
            .await?
            .filter(|alert| alert.service_id == service_id);
        let service = tx.load_service(service_id).await?;
        let (Some(known), Some(service)) = (known, service) else {
            return Err(Failure::Refused(UpdateRefusal::NotFound));
        };
        if service.state != ServiceState::Active {
            return Err(Failure::Refused(UpdateRefusal::ServiceInactive));
        }
        if let Some(user) = change.created_by {
            check_updater(&mut tx, user, service_id, change).await?;
        }
        let mut alert = self
            .changed(&known, change, areas)
            .map_err(Failure::Refused)?;
        let is_edit = is_edit(&known, &alert);
        if is_edit {
            check_editor(&known, &service, change).map_err(Failure::Refused)?;
            alert.version += 1;
        }
        alert.updated_at = Some(tx.now);
        alert.updated_by = change.created_by.or(known.updated_by);
        tx.update_alert(&alert).await?;
        if is_edit {
            tx.insert_alert_version(&alert, change.created_by).await?;
        } else if alert.duration_us != known.duration_us {
            tx.set_version_duration(&alert).await?;
        }
        let actor = change
            .created_by
            .map_or(Actor::Client("notify-admin"), Actor::User);
        let act = Act::new(actor, "alert.update", format!("alert {id}"))
            .of(Some(service_id))
            .with(json!({ "version": alert.version, "edit": is_edit }))
            .changing(told(&known), told(&alert));
        self.audit_act(&mut tx, act).await?;
        if !change.is_dry_run {
            tx.commit().await?;
        }
        Ok(alert)
    }

    fn changed(
        &self,
        known: &Alert,
        change: &AlertChange,
        areas: Option<&CheckedAreas>,
    ) -> Result<Alert, UpdateRefusal> {
        if !known.status.is_editable() {
            return Err(UpdateRefusal::NotEditable(known.status));
        }
        let mut alert = known.clone();
        if let (Some(given), Some(checked)) = (&change.areas, areas) {
            let is_replaced = has_areas(given)?;
            let checked = checked.clone().map_err(UpdateRefusal::Areas)?;
            if is_replaced {
                alert.areas = checked;
            }
        }
        if let Some(content) = &change.content {
            let text = AlertText::accept_written(content, self.settings.scripts);
            alert.text = text.map_err(UpdateRefusal::Text)?.into_string();
            // A second language would say what the first no longer does.
            let says_the_same = alert.text == known.text;
            alert.second = alert.second.filter(|_| says_the_same);
            alert.content.clone_from(content);
        }
        if change.reference.is_some() {
            alert.reference.clone_from(&change.reference);
        }
        if change.extra_content.is_some() {
            alert.extra_content.clone_from(&change.extra_content);
        }
        alert.duration_us = change.duration_us.or(known.duration_us);
        alert.starts_at = change.starts_at.or(known.starts_at);
        alert.finishes_at = change.finishes_at.or(known.finishes_at);
        Ok(alert)
    }
}

/// Whether the areas are to be replaced: `ids` and `simple_polygons` are both there (R21).
fn has_areas(given: &Value) -> Result<bool, UpdateRefusal> {
    let has = |key: &str| given.get(key).is_some();
    match (has("ids"), has("simple_polygons")) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (true, false) | (false, true) => Err(UpdateRefusal::HalfAreas),
    }
}

/// What the audit trail says of an alert that changes: what its versions keep is not repeated.
fn told(alert: &Alert) -> Value {
    json!({ "version": alert.version, "duration_us": alert.duration_us,
        "starts_at": alert.starts_at.map(Timestamp::to_json_style),
        "finishes_at": alert.finishes_at.map(Timestamp::to_json_style) })
}

/// Whoever writes alerts may change this one. Its times, which are no edit (D42), may also be set
/// by who is about to approve it.
async fn check_updater(
    tx: &mut Tx,
    by: UserId,
    service: ServiceId,
    change: &AlertChange,
) -> Result<(), Refused> {
    let author = check_deed(tx, by, service, Deed::Author).await?;
    let checked = match author {
        Err(NotAllowed::Denied(_)) if change.sets_only_times() => {
            let approver = check_deed(tx, by, service, Deed::Approve).await?;
            approver.or(author)
        }
        Ok(()) | Err(_) => author,
    };
    checked.map_err(|refusal| {
        Failure::Refused(match refusal {
            NotAllowed::Unknown => UpdateRefusal::UserNotFound,
            NotAllowed::Denied(denial) => UpdateRefusal::Denied(by, denial),
        })
    })
}

fn is_edit(was: &Alert, is: &Alert) -> bool {
    was.content != is.content
        || was.areas != is.areas
        || was.reference != is.reference
        || was.extra_content != is.extra_content
}

/// An edit that nobody answers for could be approved by the one who made it (D8): where alerts may
/// be real it must name its editor.
fn check_editor(
    known: &Alert,
    service: &Service,
    change: &AlertChange,
) -> Result<(), UpdateRefusal> {
    let may_be_real = service.mode == Mode::Live || !known.is_stubbed;
    if may_be_real && change.created_by.is_none() {
        return Err(UpdateRefusal::EditorMissing);
    }
    Ok(())
}
