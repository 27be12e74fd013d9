//! What a person or a client can do: one file per verb, or per small group of them.
//!
//! A verb opens one transaction, locks what it judges, asks `domain`, writes everything that
//! follows with its audit entry, commits, and wakes the dispatcher (D1). Handlers and commands call
//! the same verbs. What a verb refuses is a value of its own type; what fails is a [`StoreError`].

use std::sync::Arc;

use balefire_cell_broadcast::Scripts;
use balefire_domain::entropy::Entropy;
use balefire_domain::ids::AlertId;
use balefire_domain::lane::Figures;
use balefire_domain::provider::{Profile, ProviderName};
use balefire_domain::time::Clock;
use balefire_store::Tx;
use balefire_store::events::Event;
use tokio::sync::{Notify, mpsc};

pub(crate) use repeat::repeat;

pub mod account_mail;
pub mod account_states;
pub mod accounts;
pub mod admin_actions;
pub mod approve_action;
pub mod approve_alert;
mod approve_update;
mod approved;
pub mod area_libraries;
mod areas;
pub mod assertions;
mod audit;
pub mod audit_chain;
pub mod authenticate;
pub mod cancel_alert;
mod cap_content;
pub mod change_password;
pub mod check_move;
mod client_notes;
pub mod complete_alerts;
pub mod create_alert;
pub mod credentials;
pub mod differences;
pub mod duty_items;
pub mod elevation;
pub mod epochs;
pub mod import;
mod imports;
pub mod invitations;
pub mod keys;
mod lanes;
pub mod link_tokens;
mod links;
pub mod move_alert;
pub mod notifications;
pub mod organisations;
mod origin;
mod passwords;
pub mod people_reached;
pub mod propose_update;
pub mod providers;
pub mod public_site;
pub mod purge_alerts;
mod purge_tests;
pub mod read_alerts;
pub mod read_board;
pub mod read_history;
mod refused;
mod repeat;
pub mod repeatable;
pub mod replay_delivery;
pub mod secrets;
pub mod service_keys;
pub mod service_settings;
pub mod services;
pub mod sign_in;
pub mod signatures;
pub mod submit_cap;
pub mod summarise_alert;
pub mod team;
pub mod template_folders;
pub mod templates;
pub mod text_facts;
mod tickets;
pub mod update_alert;
mod update_by_cap;
pub mod users;
mod watch_certificates;
mod watch_dispatch;
pub mod write_alert;

// What the verbs give back, under the names by which `web` and the commands call it (D58).
pub use areas::{AreasRefusal, read_geojson, stored_areas_shape};
pub use audit::Act;
pub use balefire_store::accounts::{Account, Membership};
pub use balefire_store::admin_actions::AdminAction;
pub use balefire_store::alert_versions::AlertVersion;
pub use balefire_store::alerts::Alert;
pub use balefire_store::api_keys::{ApiKey, KeyKind};
pub use balefire_store::credentials::Credential;
pub use balefire_store::deliveries::DeliveryHistory;
pub use balefire_store::duty_items::DutyItem;
pub use balefire_store::edit_reasons::EditReason;
pub use balefire_store::feature_toggles::FeatureToggle;
pub use balefire_store::invitations::{Invitation, InvitedTo};
pub use balefire_store::newest_migration;
pub use balefire_store::organisations::CountedOrganisation;
pub use balefire_store::service_contacts::{Contact, ContactKind};
pub use balefire_store::services::Service;
pub use balefire_store::templates::{Folder, Template, TemplateVersion};
pub use balefire_store::users::User;
pub use balefire_store::{Store, StoreError};
pub use imports::Imported;
pub use origin::Origin;

/// What the configuration says that a verb needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The enabled providers.
    pub profiles: Vec<Profile>,
    /// `cbc.enabled`.
    pub is_cbc_enabled: bool,
    /// `[dispatch]`.
    pub figures: Figures,
    /// The headline of every alert (D46).
    pub headline: String,
    /// Who sends, as documents say it.
    pub sender: write_alert::Sender,
    /// What can be carried (D11).
    pub scripts: Scripts,
    /// Whether this is the live environment, where an alert may wake a country (D16).
    pub is_live: bool,
    /// Whether routes exist that only tests need: outside of staging and live.
    pub has_test_routes: bool,
    /// Where the links of e-mails lead, `https://host`, where the client does not say so.
    pub author_url: Option<String>,
    /// What signs the links of e-mails, where the author application reads them itself.
    pub link_key: Option<link_tokens::LinkKey>,
    /// Whether an approved alert gets a ticket: in the live environment, where `[tickets]` says so.
    pub makes_tickets: bool,
    /// Internal clients with the secrets of each, for rotation.
    pub clients: Vec<(String, Vec<String>)>,
}

impl Settings {
    /// The profile of this name.
    pub fn profile(&self, name: &ProviderName) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == *name)
    }

    /// The providers that an alert of this service goes to: the enabled ones, restricted by the
    /// service (D33).
    pub fn providers_of(&self, service: &Service) -> Vec<ProviderName> {
        let is_allowed = |name: &ProviderName| {
            service
                .providers
                .as_ref()
                .is_none_or(|own| own.contains(name))
        };
        let mut names: Vec<ProviderName> = self
            .profiles
            .iter()
            .map(|p| p.name.clone())
            .filter(is_allowed)
            .collect();
        names.sort();
        names
    }
}

/// Everything a verb needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The key for secrets at rest (D49).
    pub secret_key: Arc<secrets::SecretKey>,
    /// Told after every commit that made something to send; the sweep is the truth.
    pub wake: Arc<Notify>,
    /// Takes the alert's id after such a commit, where somebody tells other processes.
    pub announced: Option<mpsc::Sender<AlertId>>,
    /// Libraries and populations that were looked into.
    pub indexes: Arc<area_libraries::Indexes>,
    /// Names the current span (W3C Trace Context), where traces are told.
    pub traceparent: Option<fn() -> Option<String>>,
}

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// The rules say no.
    #[error("refused")]
    Refused(R),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Stores an event with the trace in which it begins, so that its attempts belong to it.
    pub(crate) async fn insert_event(&self, tx: &mut Tx, event: &Event) -> Result<(), StoreError> {
        tx.insert_event(event).await?;
        match self.traceparent.and_then(|current| current()) {
            Some(traceparent) => tx.save_traceparent(event.id, &traceparent).await,
            None => Ok(()),
        }
    }

    /// After a commit that may have made something to send: wakes this process, and names the
    /// alert to whoever tells others. Neither waits, and neither can fail what is committed.
    pub(crate) fn wake(&self, alert: AlertId) {
        self.wake.notify_one();
        let Some(announced) = &self.announced else {
            return;
        };
        if announced.try_send(alert).is_err() {
            tracing::warn!(
                event = "queue.full", alert.id = %alert,
                "other processes find the alert by their sweep"
            );
        }
    }
}
