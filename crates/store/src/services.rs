//! Services: the teams that author alerts.

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::channel::Channel;
use balefire_domain::ids::ServiceId;
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
}

statements! {
    INSERT: "INSERT INTO services
        (id, name, state, mode, channel, providers, may_broadcast, created_at,
            demands_signature)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LOCK (lock): "SELECT id FROM services WHERE id = $1";
    LOAD: "SELECT * FROM services WHERE id = $1";
    LIST: "SELECT * FROM services ORDER BY created_at, id";
    UPDATE: "UPDATE services SET state = $2, mode = $3, demands_signature = $4 WHERE id = $1";
}

impl Tx {
    /// Stores a new service.
    pub async fn insert_service(&mut self, service: &Service) -> Result<(), StoreError> {
        let providers = service.providers.as_ref().map(|names| {
            let names: Vec<&str> = names.iter().map(ProviderName::as_str).collect();
            serde_json::Value::from(names).to_string()
        });
        execute_one!(
            self,
            INSERT,
            service.id.to_string(),
            service.name.clone(),
            service.state.as_str(),
            service.mode.as_str(),
            service.channel.as_str(),
            providers.clone(),
            service.may_broadcast,
            service.created_at.micros(),
            service.demands_signature,
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

    /// Stores a service's state, its mode, and whether it demands signatures.
    pub async fn update_service(&mut self, service: &Service) -> Result<(), StoreError> {
        execute_one!(
            self,
            UPDATE,
            service.id.to_string(),
            service.state.as_str(),
            service.mode.as_str(),
            service.demands_signature,
        )
    }
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
    })
}
