//! Templates: texts and areas to begin alerts with, each change a version.
//!
//! Order of checks: 1. the service, and the template in it, exists; 2. the service may broadcast;
//! 3. the person, where one is named, exists and may write templates; 4. the folder; 5. the text;
//! 6. the areas.

use balefire_cell_broadcast::{AlertText, TextRefusal};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{FolderId, ServiceId, TemplateId, UserId};
use balefire_domain::limits::{
    TEMPLATE_CHARS_MAX, TEMPLATE_VERSIONS_MAX, TEMPLATES_PER_SERVICE_MAX,
};
use balefire_domain::permission::{Deed, Denial};
use balefire_store::services::Service;
use balefire_store::templates::{Template, TemplateVersion};
use balefire_store::users::User;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::areas::{self, AreasRefusal};
use crate::refused::{NotAllowed, check_deed};
use crate::{Act, App, Failure, repeat};

/// A template to make.
#[derive(Clone, Debug)]
pub struct NewTemplate {
    /// What it is called.
    pub reference: String,
    /// The text as written.
    pub content: String,
    /// The areas.
    pub areas: Option<Value>,
    /// Where it lies; absent: at the top.
    pub folder: Option<FolderId>,
    /// Who makes it.
    pub created_by: UserId,
}

/// What changes of a template; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct TemplateChange {
    /// What it is called.
    pub reference: Option<String>,
    /// The text as written.
    pub content: Option<String>,
    /// The areas.
    pub areas: Option<Value>,
    /// It is put away, or taken out again.
    pub is_archived: Option<bool>,
    /// Who changes it, where the client says.
    pub by: Option<UserId>,
}

/// Why it was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateRefusal {
    /// No such service, or no such template of it (404).
    NotFound,
    /// The service may not broadcast (403).
    NotAllowed,
    /// No such person (404).
    UserNotFound,
    /// The person may not write templates.
    Denied(UserId, Denial),
    /// No such folder in the service.
    FolderNotFound,
    /// The text can't be sent.
    Text(TextRefusal),
    /// The text is longer than a template's.
    TooLong,
    /// The areas can't be taken.
    Areas(AreasRefusal),
    /// The service has as many as it may.
    TooMany,
    /// It was changed too often.
    TooManyVersions,
}

/// A template's versions, each with the person who made it so, where the client said.
pub type Versions = Vec<(TemplateVersion, Option<User>)>;

type Refused = Failure<TemplateRefusal>;
type CheckedAreas = Result<Value, AreasRefusal>;

impl App {
    /// A service's templates that are not put away, by name; `None`: no such service.
    pub async fn list_templates(
        &self,
        service: ServiceId,
    ) -> Result<Option<Vec<Template>>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_templates", now).await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            tx.list_templates(service).await.map(Some)
        })
        .await
    }

    /// A template of this service, put away or not.
    pub async fn load_template(
        &self,
        service: ServiceId,
        id: TemplateId,
    ) -> Result<Option<Template>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_template", now).await?;
            let found = tx.load_template(id).await?;
            Ok(found.filter(|found| found.service_id == service))
        })
        .await
    }

    /// A template of this service with its versions, the newest first.
    pub async fn list_template_versions(
        &self,
        service: ServiceId,
        id: TemplateId,
    ) -> Result<Option<(Template, Versions)>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_template_versions", now).await?;
            let found = tx.load_template(id).await?;
            let Some(template) = found.filter(|found| found.service_id == service) else {
                return Ok(None);
            };
            let mut versions = Vec::new();
            for version in tx.list_template_versions(id).await? {
                let by = match version.created_by {
                    Some(user) => tx.load_user(user).await?,
                    None => None,
                };
                versions.push((version, by));
            }
            Ok(Some((template, versions)))
        })
        .await
    }

    /// Makes a template.
    pub async fn create_template(
        &self,
        service: ServiceId,
        new: &NewTemplate,
    ) -> Result<Template, Refused> {
        let areas = areas::check_apart(new.areas.as_ref()).await;
        let made = repeat(|| self.create_template_once(service, new, areas.as_ref())).await;
        self.note_template_refused(service, "template.create", &made)
            .await;
        made
    }

    async fn create_template_once(
        &self,
        service_id: ServiceId,
        new: &NewTemplate,
        areas: Option<&CheckedAreas>,
    ) -> Result<Template, Refused> {
        let refuse = Failure::Refused;
        let mut tx = self
            .store
            .begin("create_template", self.clock.now())
            .await?;
        // The lock keeps the folder where it is until the template lies in it.
        let service = tx.lock_service(service_id).await?;
        let service = service.ok_or(refuse(TemplateRefusal::NotFound))?;
        check_writer(&mut tx, &service, Some(new.created_by)).await?;
        if tx.count_templates(service_id).await? >= TEMPLATES_PER_SERVICE_MAX {
            return Err(refuse(TemplateRefusal::TooMany));
        }
        if let Some(folder) = new.folder {
            let folders = tx.list_folders(service_id).await?;
            if !folders.iter().any(|known| known.id == folder) {
                return Err(refuse(TemplateRefusal::FolderNotFound));
            }
        }
        self.check_text(&new.content).map_err(refuse)?;
        let template = Template {
            id: TemplateId::new(self.entropy.uuid_v7(tx.now)),
            service_id,
            folder_id: new.folder,
            version: 1,
            reference: new.reference.clone(),
            content: new.content.clone(),
            areas: checked(areas).map_err(refuse)?.unwrap_or_else(|| json!({})),
            is_archived: false,
            created_at: tx.now,
            created_by: new.created_by,
            updated_at: None,
        };
        tx.insert_template(&template).await?;
        let act = Act::new(
            Actor::User(new.created_by),
            "template.create",
            format!("template {}", template.id),
        );
        let act = act
            .of(Some(service_id))
            .changing(json!({}), said(&template));
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        Ok(template)
    }

    /// Changes a template, or puts it away; without a difference nothing is stored.
    pub async fn update_template(
        &self,
        service: ServiceId,
        id: TemplateId,
        change: &TemplateChange,
    ) -> Result<Template, Refused> {
        let areas = areas::check_apart(change.areas.as_ref()).await;
        let changed = repeat(|| self.update_template_once(service, id, change, areas.as_ref()));
        let changed = changed.await;
        self.note_template_refused(service, "template.update", &changed)
            .await;
        changed
    }

    async fn update_template_once(
        &self,
        service_id: ServiceId,
        id: TemplateId,
        change: &TemplateChange,
        areas: Option<&CheckedAreas>,
    ) -> Result<Template, Refused> {
        let refuse = Failure::Refused;
        let mut tx = self
            .store
            .begin("update_template", self.clock.now())
            .await?;
        let known = tx.lock_template(id).await?;
        let known = known.filter(|known| known.service_id == service_id);
        let service = tx.load_service(service_id).await?;
        let (Some(known), Some(service)) = (known, service) else {
            return Err(refuse(TemplateRefusal::NotFound));
        };
        check_writer(&mut tx, &service, change.by).await?;
        let mut template = known.clone();
        if let Some(content) = &change.content {
            self.check_text(content).map_err(refuse)?;
            template.content.clone_from(content);
        }
        if let Some(reference) = &change.reference {
            template.reference.clone_from(reference);
        }
        if let Some(areas) = checked(areas).map_err(refuse)? {
            template.areas = areas;
        }
        template.is_archived = change.is_archived.unwrap_or(known.is_archived);
        if template.is_archived {
            // What is put away lies in no folder, which may go.
            template.folder_id = None;
        }
        if template == known {
            return Ok(known);
        }
        if known.version >= TEMPLATE_VERSIONS_MAX {
            return Err(refuse(TemplateRefusal::TooManyVersions));
        }
        template.version += 1;
        template.updated_at = Some(tx.now);
        tx.update_template(&template).await?;
        tx.insert_template_version(&template, change.by).await?;
        let actor = change.by.map_or(Actor::Client("notify-admin"), Actor::User);
        let act = Act::new(actor, "template.update", format!("template {id}"));
        let act = act
            .of(Some(service_id))
            .changing(said(&known), said(&template));
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        Ok(template)
    }

    /// Takes a service's templates and folders away, for tests; how many templates. `None`: no such
    /// service.
    pub async fn purge_templates(&self, service: ServiceId) -> Result<Option<u64>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("purge_templates", self.clock.now())
                .await?;
            if tx.lock_service(service).await?.is_none() {
                return Ok(None);
            }
            let count = tx.purge_templates(service).await?;
            tx.purge_folders(service).await?;
            let object = format!("service {service}");
            let act = Act::new(Actor::Client("notify-admin"), "template.purge", object);
            let act = act.of(Some(service)).with(json!({ "templates": count }));
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            Ok(Some(count))
        })
        .await
    }

    fn check_text(&self, content: &str) -> Result<(), TemplateRefusal> {
        let text = AlertText::accept_written(content, self.settings.scripts);
        let text = text.map_err(TemplateRefusal::Text)?.into_string();
        if text.chars().count() > TEMPLATE_CHARS_MAX {
            return Err(TemplateRefusal::TooLong);
        }
        Ok(())
    }

    async fn note_template_refused<T>(
        &self,
        service: ServiceId,
        action: &'static str,
        done: &Result<T, Refused>,
    ) {
        if let Err(Failure::Refused(TemplateRefusal::Denied(by, denial))) = done {
            let object = format!("service {service}");
            self.note_denied(*by, action, object, service, *denial)
                .await;
        }
    }
}

async fn check_writer(tx: &mut Tx, service: &Service, by: Option<UserId>) -> Result<(), Refused> {
    if !service.may_broadcast {
        return Err(Failure::Refused(TemplateRefusal::NotAllowed));
    }
    let Some(by) = by else {
        return Ok(());
    };
    let checked = check_deed(tx, by, service.id, Deed::WriteTemplates).await?;
    checked.map_err(|refusal| {
        Failure::Refused(match refusal {
            NotAllowed::Unknown => TemplateRefusal::UserNotFound,
            NotAllowed::Denied(denial) => TemplateRefusal::Denied(by, denial),
        })
    })
}

fn checked(areas: Option<&CheckedAreas>) -> Result<Option<Value>, TemplateRefusal> {
    areas.cloned().transpose().map_err(TemplateRefusal::Areas)
}

/// What the trail has of a template.
fn said(template: &Template) -> Value {
    json!({
        "version": template.version,
        "reference": template.reference,
        "content": template.content,
        "archived": template.is_archived,
    })
}
