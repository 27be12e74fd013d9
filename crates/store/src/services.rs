//! Services: the teams that author alerts.

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::channel::Channel;
use balefire_domain::ids::{OrganisationId, ServiceId, UserId};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Whether it may act.
    pub state: ServiceState,
    /// Whether its alerts are real.
    pub mode: Mode,
    /// Its channel.
    pub channel: Channel,
    /// The providers it may use; absent: all that are enabled.
    pub providers: Option<Vec<ProviderName>>,
    /// It has the permission to broadcast.
    pub may_broadcast: bool,
    /// It takes signed documents only.
    pub demands_signature: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Somebody chose its channel. Until then `channel` means nothing, and it is in training.
    pub is_set_up: bool,
    /// What else is known of it.
    pub about: About,
}

/// What no rule of an alert looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its version: raised by each change, 1 at first.
    pub version: u32,
    /// What administrators note of it.
    pub notes: Option<String>,
    /// Where it belongs.
    pub organisation_id: Option<OrganisationId>,
    /// `central`, `local`, …
    pub organisation_type: Option<String>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// Since when it is live.
    pub went_live_at: Option<Timestamp>,
    /// Who made it live.
    pub went_live_by: Option<UserId>,
    /// Its members may sign in by e-mail.
    pub has_email_auth: bool,
}

/// A service as it was at one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceVersion {
    /// The version.
    pub version: u32,
    /// Since when.
    pub created_at: Timestamp,
    /// Whose change it was, as in the audit trail.
    pub changed_by: String,
    /// The service: a JSON object.
    pub snapshot: serde_json::Value,
}

statements! {
    INSERT: "INSERT INTO services
        (id, name, state, mode, channel, providers, may_broadcast, created_at,
            demands_signature, is_set_up, version, notes, organisation_id, organisation_type,
            created_by, went_live_at, went_live_by, has_email_auth)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    LOCK (lock): "SELECT id FROM services WHERE id = $1";
    LOAD: "SELECT * FROM services WHERE id = $1";
    LIST: "SELECT * FROM services ORDER BY created_at, id";
    LIST_OF_MEMBER: "SELECT services.* FROM services
        JOIN memberships ON memberships.service_id = services.id
        WHERE memberships.user_id = $1 ORDER BY services.created_at, services.id";
    LIST_OF_ORGANISATION: "SELECT * FROM services WHERE organisation_id = $1
        ORDER BY created_at, id";
    UPDATE: "UPDATE services SET name = $2, state = $3, mode = $4, channel = $5, providers = $6,
            may_broadcast = $7, demands_signature = $8, is_set_up = $9, version = $10, notes = $11,
            organisation_id = $12, organisation_type = $13, went_live_at = $14,
            went_live_by = $15, has_email_auth = $16
        WHERE id = $1";
    ARCHIVE_TEMPLATES: "UPDATE templates SET is_archived = TRUE
        WHERE service_id = $1 AND NOT is_archived";
    HAS_NAME: "SELECT id FROM services WHERE name = $1 AND id <> $2";
    INSERT_VERSION: "INSERT INTO service_versions
        (service_id, version, created_at, changed_by, snapshot) VALUES ($1, $2, $3, $4, $5)";
    LIST_VERSIONS: "SELECT * FROM service_versions WHERE service_id = $1
        ORDER BY version DESC LIMIT $2";
}

impl Tx {
    /// Stores a new service.
    pub async fn insert_service(&mut self, service: &Service) -> Result<(), StoreError> {
        let about = &service.about;
        execute_one!(
            self,
            INSERT,
            service.id.to_string(),
            service.name.clone(),
            service.state.as_str(),
            service.mode.as_str(),
            service.channel.as_str(),
            provider_names(service),
            service.may_broadcast,
            service.created_at.micros(),
            service.demands_signature,
            service.is_set_up,
            i64::from(about.version),
            about.notes.clone(),
            about.organisation_id.map(|id| id.to_string()),
            about.organisation_type.clone(),
            about.created_by.map(|id| id.to_string()),
            about.went_live_at.map(Timestamp::micros),
            about.went_live_by.map(|id| id.to_string()),
            about.has_email_auth,
        )
    }

    /// Locks a service, then reads it.
    pub async fn lock_service(&mut self, id: ServiceId) -> Result<Option<Service>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_service(id).await
    }

    /// The service with this id.
    pub async fn load_service(&mut self, id: ServiceId) -> Result<Option<Service>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// All services, oldest first.
    pub async fn list_services(&mut self) -> Result<Vec<Service>, StoreError> {
        fetch_all!(self, read, LIST)
    }

    /// The services that a person belongs to, oldest first.
    pub async fn list_services_of_member(
        &mut self,
        user: UserId,
    ) -> Result<Vec<Service>, StoreError> {
        fetch_all!(self, read, LIST_OF_MEMBER, user.to_string())
    }

    /// The services of an organisation, oldest first.
    pub async fn list_services_of_organisation(
        &mut self,
        organisation: OrganisationId,
    ) -> Result<Vec<Service>, StoreError> {
        fetch_all!(self, read, LIST_OF_ORGANISATION, organisation.to_string())
    }

    /// Puts away every template of a service; how many.
    pub async fn archive_templates(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        execute!(self, ARCHIVE_TEMPLATES, service.to_string())
    }

    /// Whether another service than `than` has this name.
    pub async fn has_service_named(
        &mut self,
        name: &str,
        than: ServiceId,
    ) -> Result<bool, StoreError> {
        let (name, than) = (name.to_owned(), than.to_string());
        let found = fetch_optional!(self, |row| row.text("id"), HAS_NAME, name, than)?;
        Ok(found.is_some())
    }

    /// Stores everything of a service that may change.
    pub async fn update_service(&mut self, service: &Service) -> Result<(), StoreError> {
        let about = &service.about;
        execute_one!(
            self,
            UPDATE,
            service.id.to_string(),
            service.name.clone(),
            service.state.as_str(),
            service.mode.as_str(),
            service.channel.as_str(),
            provider_names(service),
            service.may_broadcast,
            service.demands_signature,
            service.is_set_up,
            i64::from(about.version),
            about.notes.clone(),
            about.organisation_id.map(|id| id.to_string()),
            about.organisation_type.clone(),
            about.went_live_at.map(Timestamp::micros),
            about.went_live_by.map(|id| id.to_string()),
            about.has_email_auth,
        )
    }

    /// Stores a service as it is at one of its versions.
    pub async fn insert_service_version(
        &mut self,
        service: ServiceId,
        version: &ServiceVersion,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT_VERSION,
            service.to_string(),
            i64::from(version.version),
            version.created_at.micros(),
            version.changed_by.clone(),
            version.snapshot.to_string(),
        )
    }

    /// The newest `limit` versions of a service, newest first.
    pub async fn list_service_versions(
        &mut self,
        service: ServiceId,
        limit: u32,
    ) -> Result<Vec<ServiceVersion>, StoreError> {
        let limit = i64::from(limit);
        fetch_all!(
            self,
            read_version,
            LIST_VERSIONS,
            service.to_string(),
            limit
        )
    }
}

/// A JSON array of names, or nothing.
fn provider_names(service: &Service) -> Option<String> {
    service.providers.as_ref().map(|names| {
        let names: Vec<&str> = names.iter().map(ProviderName::as_str).collect();
        serde_json::Value::from(names).to_string()
    })
}

fn read_version(row: &impl Row) -> Result<ServiceVersion, StoreError> {
    Ok(ServiceVersion {
        version: row.count("version")?,
        created_at: row.instant("created_at")?,
        changed_by: row.text("changed_by")?,
        snapshot: row.json("snapshot")?,
    })
}

fn read(row: &impl Row) -> Result<Service, StoreError> {
    let providers = match row.opt_text("providers")? {
        None => None,
        Some(text) => Some(serde_json::from_str(&text).map_err(|_| unread_json("providers"))?),
    };
    Ok(Service {
        id: row.id("id", ServiceId::new)?,
        name: row.text("name")?,
        state: row.word("state", ServiceState::parse)?,
        mode: row.word("mode", Mode::parse)?,
        channel: row.word("channel", Channel::parse)?,
        providers,
        may_broadcast: row.bool("may_broadcast")?,
        demands_signature: row.bool("demands_signature")?,
        created_at: row.instant("created_at")?,
        is_set_up: row.bool("is_set_up")?,
        about: About {
            version: row.count("version")?,
            notes: row.opt_text("notes")?,
            organisation_id: row.opt_id("organisation_id", OrganisationId::new)?,
            organisation_type: row.opt_text("organisation_type")?,
            created_by: row.opt_id("created_by", UserId::new)?,
            went_live_at: row.opt_instant("went_live_at")?,
            went_live_by: row.opt_id("went_live_by", UserId::new)?,
            has_email_auth: row.bool("has_email_auth")?,
        },
    })
}
