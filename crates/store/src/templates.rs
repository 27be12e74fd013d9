//! Templates, their versions, and the folders that they lie in.

use balefire_domain::ids::{FolderId, ServiceId, TemplateId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// A text and areas to begin alerts with, as it now is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Whose it is.
    pub service_id: ServiceId,
    /// Where it lies; absent: at the top.
    pub folder_id: Option<FolderId>,
    /// Its version, from 1.
    pub version: u32,
    /// What it is called.
    pub reference: String,
    /// The text as written.
    pub content: String,
    /// The areas as they are answered: a JSON object.
    pub areas: serde_json::Value,
    /// It is put away: nobody begins an alert with it.
    pub is_archived: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: UserId,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// What a template said in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Its number, from 1.
    pub version: u32,
    /// What it was called.
    pub reference: String,
    /// The text as written.
    pub content: String,
    /// The areas.
    pub areas: serde_json::Value,
    /// It was put away.
    pub is_archived: bool,
    /// When the version was made.
    pub created_at: Timestamp,
    /// Who made it so, where the client said.
    pub created_by: Option<UserId>,
}

/// A folder of templates and of folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Whose it is.
    pub service_id: ServiceId,
    /// Where it lies; absent: at the top.
    pub parent_id: Option<FolderId>,
    /// What it is called.
    pub name: String,
}

statements! {
    INSERT: "INSERT INTO templates (id, service_id, folder_id, version, reference, content, areas,
            is_archived, created_at, created_by, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    UPDATE: "UPDATE templates SET folder_id = $2, version = $3, reference = $4, content = $5,
            areas = $6, is_archived = $7, updated_at = $8 WHERE id = $1";
    LOCK (lock): "SELECT id FROM templates WHERE id = $1";
    LOAD: "SELECT * FROM templates WHERE id = $1";
    LIST: "SELECT * FROM templates WHERE service_id = $1 AND NOT is_archived
        ORDER BY reference, created_at, id";
    COUNT: "SELECT count(*) AS n FROM templates WHERE service_id = $1";
    INSERT_VERSION: "INSERT INTO template_versions (template_id, version, reference, content,
            areas, is_archived, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LIST_VERSIONS: "SELECT * FROM template_versions WHERE template_id = $1 ORDER BY version DESC";
    PURGE_VERSIONS: "DELETE FROM template_versions WHERE template_id IN
        (SELECT id FROM templates WHERE service_id = $1)";
    PURGE: "DELETE FROM templates WHERE service_id = $1";
    DETACH_FOLDERS: "UPDATE template_folders SET parent_id = NULL WHERE service_id = $1";
    PURGE_FOLDERS: "DELETE FROM template_folders WHERE service_id = $1";
    INSERT_FOLDER: "INSERT INTO template_folders (id, service_id, parent_id, name, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    UPDATE_FOLDER: "UPDATE template_folders SET parent_id = $2, name = $3 WHERE id = $1";
    LIST_FOLDERS: "SELECT * FROM template_folders WHERE service_id = $1 ORDER BY name, id";
    DELETE_FOLDER: "DELETE FROM template_folders WHERE id = $1";
    LIST_SEEN: "SELECT user_id, folders FROM memberships WHERE service_id = $1
        ORDER BY created_at, user_id";
    COUNT_IN_FOLDER: "SELECT count(*) AS n FROM templates WHERE folder_id = $1";
}

impl Tx {
    /// Stores a new template and its first version.
    pub async fn insert_template(&mut self, template: &Template) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            template.id.to_string(),
            template.service_id.to_string(),
            template.folder_id.map(|id| id.to_string()),
            i64::from(template.version),
            template.reference.clone(),
            template.content.clone(),
            template.areas.to_string(),
            template.is_archived,
            template.created_at.micros(),
            template.created_by.to_string(),
            template.updated_at.map(Timestamp::micros),
        )?;
        self.insert_template_version(template, Some(template.created_by))
            .await
    }

    /// Stores what may change of a template. The caller holds its lock.
    pub async fn update_template(&mut self, template: &Template) -> Result<(), StoreError> {
        execute_one!(
            self,
            UPDATE,
            template.id.to_string(),
            template.folder_id.map(|id| id.to_string()),
            i64::from(template.version),
            template.reference.clone(),
            template.content.clone(),
            template.areas.to_string(),
            template.is_archived,
            template.updated_at.map(Timestamp::micros),
        )
    }

    /// Stores the template's present version, with who made it so, at the transaction's instant.
    pub async fn insert_template_version(
        &mut self,
        template: &Template,
        by: Option<UserId>,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT_VERSION,
            template.id.to_string(),
            i64::from(template.version),
            template.reference.clone(),
            template.content.clone(),
            template.areas.to_string(),
            template.is_archived,
            now,
            by.map(|id| id.to_string()),
        )
    }

    /// Locks a template, then reads it.
    pub async fn lock_template(&mut self, id: TemplateId) -> Result<Option<Template>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_template(id).await
    }

    /// The template with this id.
    pub async fn load_template(&mut self, id: TemplateId) -> Result<Option<Template>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// A service's templates that are not put away, by name.
    pub async fn list_templates(
        &mut self,
        service: ServiceId,
    ) -> Result<Vec<Template>, StoreError> {
        fetch_all!(self, read, LIST, service.to_string())
    }

    /// How many templates a service ever made and still has, put away ones too.
    pub async fn count_templates(&mut self, service: ServiceId) -> Result<u32, StoreError> {
        let n = fetch_optional!(self, |row| row.count("n"), COUNT, service.to_string())?;
        Ok(n.unwrap_or(0))
    }

    /// A template's versions, the newest first.
    pub async fn list_template_versions(
        &mut self,
        template: TemplateId,
    ) -> Result<Vec<TemplateVersion>, StoreError> {
        fetch_all!(self, read_version, LIST_VERSIONS, template.to_string())
    }

    /// Takes every template of a service away; how many.
    pub async fn purge_templates(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        execute!(self, PURGE_VERSIONS, service.to_string())?;
        execute!(self, PURGE, service.to_string())
    }

    /// Takes every folder of a service away, in which no template lies any more.
    pub async fn purge_folders(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        execute!(self, DETACH_FOLDERS, service.to_string())?;
        execute!(self, PURGE_FOLDERS, service.to_string())
    }

    /// Stores a new folder.
    pub async fn insert_folder(&mut self, folder: &Folder) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT_FOLDER,
            folder.id.to_string(),
            folder.service_id.to_string(),
            folder.parent_id.map(|id| id.to_string()),
            folder.name.clone(),
            now,
        )
    }

    /// Stores a folder's name and place. The caller holds the service's lock.
    pub async fn update_folder(&mut self, folder: &Folder) -> Result<(), StoreError> {
        execute_one!(
            self,
            UPDATE_FOLDER,
            folder.id.to_string(),
            folder.parent_id.map(|id| id.to_string()),
            folder.name.clone(),
        )
    }

    /// A service's folders, by name.
    pub async fn list_folders(&mut self, service: ServiceId) -> Result<Vec<Folder>, StoreError> {
        fetch_all!(self, read_folder, LIST_FOLDERS, service.to_string())
    }

    /// Which folders each member of a service sees, by the folders' ids.
    pub async fn list_seen_folders(
        &mut self,
        service: ServiceId,
    ) -> Result<Vec<(UserId, Vec<String>)>, StoreError> {
        fetch_all!(self, read_seen, LIST_SEEN, service.to_string())
    }

    /// Takes a folder away that nothing lies in.
    pub async fn delete_folder(&mut self, id: FolderId) -> Result<(), StoreError> {
        execute_one!(self, DELETE_FOLDER, id.to_string())
    }

    /// How many templates lie in a folder, put away ones too.
    pub async fn count_templates_in(&mut self, folder: FolderId) -> Result<u32, StoreError> {
        let n = fetch_optional!(
            self,
            |row| row.count("n"),
            COUNT_IN_FOLDER,
            folder.to_string()
        )?;
        Ok(n.unwrap_or(0))
    }
}

fn read(row: &impl Row) -> Result<Template, StoreError> {
    Ok(Template {
        id: row.id("id", TemplateId::new)?,
        service_id: row.id("service_id", ServiceId::new)?,
        folder_id: row.opt_id("folder_id", FolderId::new)?,
        version: row.count("version")?,
        reference: row.text("reference")?,
        content: row.text("content")?,
        areas: row.json("areas")?,
        is_archived: row.bool("is_archived")?,
        created_at: row.instant("created_at")?,
        created_by: row.id("created_by", UserId::new)?,
        updated_at: row.opt_instant("updated_at")?,
    })
}

fn read_version(row: &impl Row) -> Result<TemplateVersion, StoreError> {
    Ok(TemplateVersion {
        version: row.count("version")?,
        reference: row.text("reference")?,
        content: row.text("content")?,
        areas: row.json("areas")?,
        is_archived: row.bool("is_archived")?,
        created_at: row.instant("created_at")?,
        created_by: row.opt_id("created_by", UserId::new)?,
    })
}

fn read_seen(row: &impl Row) -> Result<(UserId, Vec<String>), StoreError> {
    let folders = serde_json::from_str(&row.text("folders")?);
    let folders = folders.map_err(|_| unread_json("folders"))?;
    Ok((row.id("user_id", UserId::new)?, folders))
}

fn read_folder(row: &impl Row) -> Result<Folder, StoreError> {
    Ok(Folder {
        id: row.id("id", FolderId::new)?,
        service_id: row.id("service_id", ServiceId::new)?,
        parent_id: row.opt_id("parent_id", FolderId::new)?,
        name: row.text("name")?,
    })
}
