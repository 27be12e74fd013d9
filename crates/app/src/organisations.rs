//! Organisations: what services belong to, and whose people see them.

use balefire_domain::ids::{OrganisationId, ServiceId, UserId};
use balefire_domain::limits::PEOPLE_LISTED_MAX;
use balefire_domain::organisation::is_below;
use balefire_store::organisations::{CountedOrganisation, LiveCounts, Organisation};
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::accounts::Person;
use crate::invitations::{member_details, organisation_object};
use crate::service_settings::ADMIN_CLIENT;
use crate::{Act, App, Failure, repeat};

/// What is asked for of an organisation; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct OrganisationChange {
    /// Its name: no other has it.
    pub name: Option<String>,
    /// Whether it may act.
    pub is_active: Option<bool>,
    /// Whether it is the Crown's.
    pub is_crown: Option<bool>,
    /// `central`, `local`, …
    pub kind: Option<String>,
    /// Domains of its people's addresses.
    pub domains: Option<Vec<String>>,
    /// Notes of administrators; empty: none.
    pub notes: Option<String>,
}

/// Why an organisation was not made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganisationRefusal {
    /// There is no such organisation, service or person.
    NotFound,
    /// Another has this name.
    NameTaken,
    /// It has members or services, and can't be archived.
    InUse,
    /// The person does not belong to it.
    NotAMember,
}

type Refused = Failure<OrganisationRefusal>;

impl App {
    /// Makes an organisation.
    pub async fn create_organisation(
        &self,
        name: &str,
        rest: &OrganisationChange,
    ) -> Result<CountedOrganisation, Refused> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("create_organisation", now).await?;
            let id = OrganisationId::new(self.entropy.uuid_v7(tx.now));
            let mut own = Organisation {
                id,
                name: name.to_owned(),
                is_active: true,
                is_crown: None,
                kind: None,
                domains: Vec::new(),
                notes: None,
                created_at: tx.now,
            };
            refuse_taken(&mut tx, name, id).await?;
            apply(&mut own, rest);
            tx.insert_organisation(&own).await?;
            let act = Act::new(ADMIN_CLIENT, "organisation.create", organisation_object(id));
            self.audit_act(&mut tx, act.changing(json!({}), snapshot(&own)))
                .await?;
            tx.commit().await?;
            Ok(CountedOrganisation {
                organisation: own,
                live_services: 0,
            })
        })
        .await
    }

    /// Changes what `change` names of an organisation.
    pub async fn change_organisation(
        &self,
        id: OrganisationId,
        change: &OrganisationChange,
    ) -> Result<(), Refused> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("change_organisation", now).await?;
            let before = lock(&mut tx, id).await?;
            if let Some(name) = &change.name {
                refuse_taken(&mut tx, name, id).await?;
            }
            let mut after = before.clone();
            apply(&mut after, change);
            self.save_organisation(tx, "organisation.change", &before, &after)
                .await
        })
        .await
    }

    /// Archives an organisation that has neither members nor services.
    pub async fn archive_organisation(&self, id: OrganisationId) -> Result<(), Refused> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("archive_organisation", now).await?;
            let before = lock(&mut tx, id).await?;
            let has_members = !tx.list_organisation_members(id).await?.is_empty();
            if has_members || !tx.list_services_of_organisation(id).await?.is_empty() {
                return Err(Failure::Refused(OrganisationRefusal::InUse));
            }
            let stamp = now.to_json_style();
            let day = stamp.split('T').next().unwrap_or_default();
            let after = Organisation {
                name: format!("_archived_{day}_{}", before.name),
                is_active: false,
                domains: Vec::new(),
                ..before.clone()
            };
            self.save_organisation(tx, "organisation.archive", &before, &after)
                .await
        })
        .await
    }

    async fn save_organisation(
        &self,
        mut tx: Tx,
        action: &'static str,
        before: &Organisation,
        after: &Organisation,
    ) -> Result<(), Refused> {
        tx.update_organisation(after).await?;
        let act = Act::new(ADMIN_CLIENT, action, organisation_object(after.id));
        self.audit_act(&mut tx, act.changing(snapshot(before), snapshot(after)))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts a service into an organisation.
    pub async fn join_organisation(
        &self,
        id: OrganisationId,
        service: ServiceId,
    ) -> Result<(), Refused> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("join_organisation", now).await?;
            let own = lock(&mut tx, id).await?;
            let Some(before) = tx.lock_service(service).await? else {
                return Err(Failure::Refused(OrganisationRefusal::NotFound));
            };
            let mut after = before.clone();
            after.about.organisation_id = Some(id);
            after.about.organisation_type = own.kind.or(after.about.organisation_type);
            self.save_service(&mut tx, ADMIN_CLIENT, "service.join", &before, after)
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// Every organisation, by name.
    pub async fn list_organisations(&self) -> Result<Vec<CountedOrganisation>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_organisations", now).await?;
            tx.list_organisations(PEOPLE_LISTED_MAX).await
        })
        .await
    }

    /// The active organisation to whose domains this host belongs; the longest domain counts.
    pub async fn find_organisation(
        &self,
        host: &str,
    ) -> Result<Option<CountedOrganisation>, StoreError> {
        let host = host.to_lowercase();
        let length = |own: &CountedOrganisation| {
            let domains = own.organisation.domains.iter();
            domains
                .filter(|domain| is_below(&host, domain))
                .map(String::len)
                .max()
        };
        let all = self.list_organisations().await?;
        let active = all.into_iter().filter(|own| own.organisation.is_active);
        Ok(active
            .filter(|own| length(own).is_some())
            .max_by_key(length))
    }

    /// An organisation.
    pub async fn load_organisation(
        &self,
        id: OrganisationId,
    ) -> Result<Option<CountedOrganisation>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_organisation", now).await?;
            tx.load_organisation(id).await
        })
        .await
    }

    /// An organisation's services; `None` where there is no such organisation.
    pub async fn list_services_of_organisation(
        &self,
        id: OrganisationId,
    ) -> Result<Option<Vec<Service>>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let name = "list_services_of_organisation";
            let mut tx = self.store.begin_read(name, now).await?;
            if tx.load_organisation(id).await?.is_none() {
                return Ok(None);
            }
            tx.list_services_of_organisation(id).await.map(Some)
        })
        .await
    }

    /// An organisation's people; `None` where there is no such organisation.
    pub async fn list_people_of_organisation(
        &self,
        id: OrganisationId,
    ) -> Result<Option<Vec<Person>>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let name = "list_people_of_organisation";
            let mut tx = self.store.begin_read(name, now).await?;
            if tx.load_organisation(id).await?.is_none() {
                return Ok(None);
            }
            let users = tx.list_organisation_members(id).await?;
            self.list_persons(&mut tx, users).await.map(Some)
        })
        .await
    }

    /// Makes a person a member of an organisation; one who is, stays.
    pub async fn add_organisation_member(
        &self,
        id: OrganisationId,
        user: UserId,
    ) -> Result<Person, Refused> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("add_organisation_member", now).await?;
            lock(&mut tx, id).await?;
            let Some(account) = tx.load_account(user).await? else {
                return Err(Failure::Refused(OrganisationRefusal::NotFound));
            };
            if tx.insert_organisation_member(id, user).await? {
                let object = organisation_object(id);
                let act = Act::new(ADMIN_CLIENT, "organisation.add_member", object);
                self.audit_act(&mut tx, act.with(member_details(user)))
                    .await?;
            }
            let person = self.person(&mut tx, account, "").await?;
            tx.commit().await?;
            Ok(person)
        })
        .await
    }

    /// Ends a person's membership of an organisation.
    pub async fn remove_organisation_member(
        &self,
        id: OrganisationId,
        user: UserId,
    ) -> Result<(), Refused> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("remove_organisation_member", now).await?;
            lock(&mut tx, id).await?;
            if !tx.delete_organisation_member(id, user).await? {
                return Err(Failure::Refused(OrganisationRefusal::NotAMember));
            }
            let object = organisation_object(id);
            let act = Act::new(ADMIN_CLIENT, "organisation.remove_member", object);
            self.audit_act(&mut tx, act.with(member_details(user)))
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// How many organisations have live services, and how many of these there are.
    pub async fn count_live(&self) -> Result<LiveCounts, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("count_live", self.clock.now())
                .await?;
            tx.count_live().await
        })
        .await
    }
}

async fn lock(tx: &mut Tx, id: OrganisationId) -> Result<Organisation, Refused> {
    let own = tx.lock_organisation(id).await?;
    let own = own.ok_or(Failure::Refused(OrganisationRefusal::NotFound))?;
    Ok(own.organisation)
}

async fn refuse_taken(tx: &mut Tx, name: &str, id: OrganisationId) -> Result<(), Refused> {
    if tx.has_organisation_named(name, id).await? {
        return Err(Failure::Refused(OrganisationRefusal::NameTaken));
    }
    Ok(())
}

fn apply(own: &mut Organisation, change: &OrganisationChange) {
    if let Some(name) = &change.name {
        own.name.clone_from(name);
    }
    if let Some(is_active) = change.is_active {
        own.is_active = is_active;
    }
    if change.is_crown.is_some() {
        own.is_crown = change.is_crown;
    }
    if change.kind.is_some() {
        own.kind.clone_from(&change.kind);
    }
    if let Some(domains) = &change.domains {
        own.domains = domains.iter().map(|domain| domain.to_lowercase()).collect();
        own.domains.sort();
        own.domains.dedup();
    }
    if let Some(notes) = &change.notes {
        own.notes = (!notes.is_empty()).then(|| notes.clone());
    }
}

fn snapshot(own: &Organisation) -> Value {
    json!({
        "name": own.name, "is_active": own.is_active, "is_crown": own.is_crown,
        "kind": own.kind, "domains": own.domains, "notes": own.notes,
    })
}
