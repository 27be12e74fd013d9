//! Organisations: what services belong to.

use balefire_domain::ids::{OrganisationId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its name: no other has it.
    pub name: String,
    /// Whether it was archived.
    pub is_active: bool,
    /// Whether it is the Crown's.
    pub is_crown: Option<bool>,
    /// `central`, `local`, …
    pub kind: Option<String>,
    /// Domains of its people's addresses, in lower case.
    pub domains: Vec<String>,
    /// What administrators note of it.
    pub notes: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An organisation with the number of its live services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedOrganisation {
    /// The organisation.
    pub organisation: Organisation,
    /// Its services that are active and live.
    pub live_services: u32,
}

/// How many organisations have live services, and how many live services there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveCounts {
    /// Organisations.
    pub organisations: u32,
    /// Services.
    pub services: u32,
}

statements! {
    INSERT: "INSERT INTO organisations
        (id, name, is_active, is_crown, kind, domains, notes, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LOCK (lock): "SELECT id FROM organisations WHERE id = $1";
    LOAD: "SELECT organisations.*,
            (SELECT count(*) FROM services WHERE organisation_id = organisations.id
                AND state = 'active' AND mode = 'live') AS live_services
        FROM organisations WHERE id = $1";
    LIST: "SELECT organisations.*,
            (SELECT count(*) FROM services WHERE organisation_id = organisations.id
                AND state = 'active' AND mode = 'live') AS live_services
        FROM organisations ORDER BY is_active DESC, name, id LIMIT $1";
    UPDATE: "UPDATE organisations SET name = $2, is_active = $3, is_crown = $4, kind = $5,
            domains = $6, notes = $7
        WHERE id = $1";
    HAS_NAME: "SELECT id FROM organisations WHERE name = $1 AND id <> $2";
    INSERT_MEMBER: "INSERT INTO organisation_members (organisation_id, user_id, created_at)
        SELECT $1, $2, $3 WHERE NOT EXISTS (
            SELECT 1 FROM organisation_members WHERE organisation_id = $1 AND user_id = $2)";
    DELETE_MEMBER: "DELETE FROM organisation_members
        WHERE organisation_id = $1 AND user_id = $2";
    LIST_MEMBERS: "SELECT user_id FROM organisation_members WHERE organisation_id = $1
        ORDER BY created_at, user_id";
    LIST_OF_MEMBER: "SELECT organisations.*,
            (SELECT count(*) FROM services WHERE organisation_id = organisations.id
                AND state = 'active' AND mode = 'live') AS live_services
        FROM organisations JOIN organisation_members
            ON organisation_members.organisation_id = organisations.id
        WHERE organisation_members.user_id = $1 AND organisations.is_active
        ORDER BY organisations.name, organisations.id";
    COUNT_LIVE: "SELECT count(*) AS services, count(DISTINCT organisation_id) AS organisations
        FROM services WHERE state = 'active' AND mode = 'live'";
}

impl Tx {
    /// Stores a new organisation. A unique violation means that the name is taken.
    pub async fn insert_organisation(&mut self, own: &Organisation) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            own.id.to_string(),
            own.name.clone(),
            own.is_active,
            own.is_crown,
            own.kind.clone(),
            serde_json::Value::from(own.domains.clone()).to_string(),
            own.notes.clone(),
            own.created_at.micros(),
        )
    }

    /// Locks an organisation, then reads it.
    pub async fn lock_organisation(
        &mut self,
        id: OrganisationId,
    ) -> Result<Option<CountedOrganisation>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_organisation(id).await
    }

    /// The organisation with this id.
    pub async fn load_organisation(
        &mut self,
        id: OrganisationId,
    ) -> Result<Option<CountedOrganisation>, StoreError> {
        fetch_optional!(self, read_counted, LOAD, id.to_string())
    }

    /// The first `limit` organisations by name, archived ones last.
    pub async fn list_organisations(
        &mut self,
        limit: u32,
    ) -> Result<Vec<CountedOrganisation>, StoreError> {
        fetch_all!(self, read_counted, LIST, i64::from(limit))
    }

    /// The active organisations that a person belongs to.
    pub async fn list_organisations_of(
        &mut self,
        user: UserId,
    ) -> Result<Vec<CountedOrganisation>, StoreError> {
        fetch_all!(self, read_counted, LIST_OF_MEMBER, user.to_string())
    }

    /// Whether another organisation than `than` has this name.
    pub async fn has_organisation_named(
        &mut self,
        name: &str,
        than: OrganisationId,
    ) -> Result<bool, StoreError> {
        let (name, than) = (name.to_owned(), than.to_string());
        let found = fetch_optional!(self, |row| row.text("id"), HAS_NAME, name, than)?;
        Ok(found.is_some())
    }

    /// Stores everything of an organisation that may change.
    pub async fn update_organisation(&mut self, own: &Organisation) -> Result<(), StoreError> {
        execute_one!(
            self,
            UPDATE,
            own.id.to_string(),
            own.name.clone(),
            own.is_active,
            own.is_crown,
            own.kind.clone(),
            serde_json::Value::from(own.domains.clone()).to_string(),
            own.notes.clone(),
        )
    }

    /// Makes a person a member of an organisation; false where they are one.
    pub async fn insert_organisation_member(
        &mut self,
        id: OrganisationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, INSERT_MEMBER, id.to_string(), user.to_string(), now)? == 1)
    }

    /// Ends a membership; false where there is none.
    pub async fn delete_organisation_member(
        &mut self,
        id: OrganisationId,
        user: UserId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, DELETE_MEMBER, id.to_string(), user.to_string())? == 1)
    }

    /// An organisation's members, first those who came first.
    pub async fn list_organisation_members(
        &mut self,
        id: OrganisationId,
    ) -> Result<Vec<UserId>, StoreError> {
        fetch_all!(self, read_user, LIST_MEMBERS, id.to_string())
    }

    /// How much is live.
    pub async fn count_live(&mut self) -> Result<LiveCounts, StoreError> {
        let counts = fetch_optional!(self, read_counts, COUNT_LIVE)?;
        Ok(counts.unwrap_or(LiveCounts {
            organisations: 0,
            services: 0,
        }))
    }
}

fn read_user(row: &impl Row) -> Result<UserId, StoreError> {
    row.id("user_id", UserId::new)
}

fn read_counts(row: &impl Row) -> Result<LiveCounts, StoreError> {
    Ok(LiveCounts {
        organisations: row.count("organisations")?,
        services: row.count("services")?,
    })
}

fn read_counted(row: &impl Row) -> Result<CountedOrganisation, StoreError> {
    let domains = row.text("domains")?;
    Ok(CountedOrganisation {
        organisation: Organisation {
            id: row.id("id", OrganisationId::new)?,
            name: row.text("name")?,
            is_active: row.bool("is_active")?,
            is_crown: row.opt_bool("is_crown")?,
            kind: row.opt_text("kind")?,
            domains: serde_json::from_str(&domains).map_err(|_| unread_json("domains"))?,
            notes: row.opt_text("notes")?,
            created_at: row.instant("created_at")?,
        },
        live_services: row.count("live_services")?,
    })
}
