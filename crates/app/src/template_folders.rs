//! Folders of templates. All that changes them holds the service's lock, so that a tree stays one.
//!
//! Order of checks: 1. the service exists; 2. the folders and templates are its own; 3. the rules
//! of `domain::folders`.

use balefire_domain::audit::Actor;
use balefire_domain::folders::{FolderRefusal, Placed, may_move};
use balefire_domain::ids::{FolderId, ServiceId, TemplateId, UserId};
use balefire_domain::limits::FOLDERS_PER_SERVICE_MAX;
use balefire_store::templates::Folder;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::{Act, App, Failure, repeat};

/// Why it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldersRefusal {
    /// No such service, or no such folder or template of it (404).
    NotFound,
    /// The folder that it is to lie in is none of the service's.
    ParentNotFound,
    /// Something lies in it.
    NotEmpty,
    /// A folder can't go there.
    Move(FolderRefusal),
    /// The service has as many as it may.
    TooMany,
}

/// A folder, and the members who see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFolder {
    /// The folder.
    pub folder: Folder,
    /// Who sees it.
    pub users: Vec<UserId>,
}

type Refused = Failure<FoldersRefusal>;

/// With whom each folder is seen by.
async fn seen(tx: &mut Tx, folders: Vec<Folder>) -> Result<Vec<SeenFolder>, StoreError> {
    let Some(service) = folders.first().map(|folder| folder.service_id) else {
        return Ok(Vec::new());
    };
    let members = tx.list_seen_folders(service).await?;
    let with_users = |folder: Folder| {
        let id = folder.id.to_string();
        let sees = members.iter().filter(|(_, seen)| seen.contains(&id));
        let users = sees.map(|(user, _)| *user).collect();
        SeenFolder { folder, users }
    };
    Ok(folders.into_iter().map(with_users).collect())
}

/// Who sees a folder.
async fn seen_by(tx: &mut Tx, folder: &Folder) -> Result<Vec<UserId>, StoreError> {
    let seen = seen(tx, vec![folder.clone()]).await?;
    Ok(seen.into_iter().flat_map(|one| one.users).collect())
}

/// Shows a folder to these members of the service and to no others.
async fn show_to(tx: &mut Tx, folder: &Folder, users: &[UserId]) -> Result<(), StoreError> {
    let id = folder.id.to_string();
    for (user, mut seen) in tx.list_seen_folders(folder.service_id).await? {
        let (sees, shall) = (seen.contains(&id), users.contains(&user));
        if sees == shall {
            continue;
        }
        seen.retain(|known| *known != id);
        if shall {
            seen.push(id.clone());
        }
        tx.set_folders(folder.service_id, user, &seen).await?;
    }
    Ok(())
}

/// The service's lock, and its folders.
async fn lock_folders(tx: &mut Tx, service: ServiceId) -> Result<Vec<Folder>, Refused> {
    if tx.lock_service(service).await?.is_none() {
        return Err(Failure::Refused(FoldersRefusal::NotFound));
    }
    Ok(tx.list_folders(service).await?)
}

fn find(folders: &[Folder], id: FolderId) -> Result<Folder, Refused> {
    let found = folders.iter().find(|folder| folder.id == id);
    found
        .cloned()
        .ok_or(Failure::Refused(FoldersRefusal::NotFound))
}

impl App {
    /// A service's folders, by name; `None`: no such service.
    pub async fn list_folders(
        &self,
        service: ServiceId,
    ) -> Result<Option<Vec<SeenFolder>>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_folders", now).await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            let folders = tx.list_folders(service).await?;
            seen(&mut tx, folders).await.map(Some)
        })
        .await
    }

    /// Makes a folder. Who sees its parent sees it; at the top every member does.
    pub async fn create_folder(
        &self,
        service: ServiceId,
        name: &str,
        parent: Option<FolderId>,
    ) -> Result<SeenFolder, Refused> {
        repeat(|| async {
            let mut tx = self.store.begin("create_folder", self.clock.now()).await?;
            let known = lock_folders(&mut tx, service).await?;
            if parent.is_some_and(|parent| !known.iter().any(|folder| folder.id == parent)) {
                return Err(Failure::Refused(FoldersRefusal::ParentNotFound));
            }
            if known.len() >= FOLDERS_PER_SERVICE_MAX {
                return Err(Failure::Refused(FoldersRefusal::TooMany));
            }
            let folder = Folder {
                id: FolderId::new(self.entropy.uuid_v7(tx.now)),
                service_id: service,
                parent_id: parent,
                name: name.to_owned(),
            };
            tx.insert_folder(&folder).await?;
            let members = tx.list_seen_folders(service).await?;
            let sees = |seen: &[String]| match parent {
                None => true,
                Some(parent) => seen.contains(&parent.to_string()),
            };
            let users = members.iter().filter(|(_, seen)| sees(seen));
            let users: Vec<UserId> = users.map(|(user, _)| *user).collect();
            show_to(&mut tx, &folder, &users).await?;
            let change = (json!({ "is_there": false }), json!({ "is_there": true }));
            self.audit_folder(&mut tx, "folder.create", &folder, change)
                .await?;
            tx.commit().await?;
            Ok(SeenFolder { folder, users })
        })
        .await
    }

    /// Calls a folder something else, and says who sees it, where that is said.
    pub async fn update_folder(
        &self,
        service: ServiceId,
        id: FolderId,
        name: &str,
        users: Option<&[UserId]>,
    ) -> Result<SeenFolder, Refused> {
        repeat(|| async {
            let mut tx = self.store.begin("update_folder", self.clock.now()).await?;
            let known = lock_folders(&mut tx, service).await?;
            let mut folder = find(&known, id)?;
            let before = folder.clone();
            let users_before = seen_by(&mut tx, &before).await?;
            name.clone_into(&mut folder.name);
            tx.update_folder(&folder).await?;
            if let Some(users) = users {
                show_to(&mut tx, &folder, users).await?;
            }
            let users_after = seen_by(&mut tx, &folder).await?;
            let change = (
                json!({ "name": before.name, "users": users_before }),
                json!({ "name": folder.name, "users": users_after }),
            );
            self.audit_folder(&mut tx, "folder.update", &folder, change)
                .await?;
            let with_users = seen(&mut tx, vec![folder]).await?.pop();
            tx.commit().await?;
            with_users.ok_or(Failure::Refused(FoldersRefusal::NotFound))
        })
        .await
    }

    /// Takes a folder away in which nothing lies.
    pub async fn delete_folder(&self, service: ServiceId, id: FolderId) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self.store.begin("delete_folder", self.clock.now()).await?;
            let known = lock_folders(&mut tx, service).await?;
            let folder = find(&known, id)?;
            let holds_folder = known.iter().any(|other| other.parent_id == Some(id));
            if holds_folder || tx.count_templates_in(id).await? > 0 {
                return Err(Failure::Refused(FoldersRefusal::NotEmpty));
            }
            show_to(&mut tx, &folder, &[]).await?;
            tx.delete_folder(id).await?;
            let change = (json!({ "is_there": true }), json!({ "is_there": false }));
            self.audit_folder(&mut tx, "folder.delete", &folder, change)
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// Puts templates and folders into a folder, or to the top: all or none.
    pub async fn move_into_folder(
        &self,
        service: ServiceId,
        into: Option<FolderId>,
        templates: &[TemplateId],
        folders: &[FolderId],
    ) -> Result<(), Refused> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin("move_into_folder", self.clock.now())
                .await?;
            let mut known = lock_folders(&mut tx, service).await?;
            if let Some(into) = into {
                find(&known, into)?;
            }
            for id in folders {
                let placed: Vec<Placed> = known.iter().map(|f| (f.id, f.parent_id)).collect();
                may_move(&placed, *id, into).map_err(|refusal| {
                    Failure::Refused(match refusal {
                        FolderRefusal::NotFound => FoldersRefusal::NotFound,
                        refusal => FoldersRefusal::Move(refusal),
                    })
                })?;
                for folder in known.iter_mut().filter(|folder| folder.id == *id) {
                    let before = std::mem::replace(&mut folder.parent_id, into);
                    tx.update_folder(folder).await?;
                    let change = (json!({ "parent": before }), json!({ "parent": into }));
                    self.audit_folder(&mut tx, "folder.move", folder, change)
                        .await?;
                }
            }
            for id in templates {
                let template = tx.lock_template(*id).await?;
                let own = template.filter(|t| t.service_id == service && !t.is_archived);
                let Some(mut template) = own else {
                    return Err(Failure::Refused(FoldersRefusal::NotFound));
                };
                let before = std::mem::replace(&mut template.folder_id, into);
                tx.update_template(&template).await?;
                let actor = Actor::Client("notify-admin");
                let act = Act::new(actor, "template.move", format!("template {id}"));
                let act = act
                    .of(Some(service))
                    .changing(json!({ "folder": before }), json!({ "folder": into }));
                self.audit_act(&mut tx, act).await?;
            }
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    async fn audit_folder(
        &self,
        tx: &mut Tx,
        action: &'static str,
        folder: &Folder,
        (before, after): (Value, Value),
    ) -> Result<(), StoreError> {
        let act = Act::new(
            Actor::Client("notify-admin"),
            action,
            format!("folder {}", folder.id),
        );
        let details = json!({ "name": folder.name, "parent": folder.parent_id });
        let act = act.of(Some(folder.service_id)).with(details);
        self.audit_act(tx, act.changing(before, after)).await
    }
}
