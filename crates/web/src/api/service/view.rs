//! A service as existing clients read it: the 19 keys of `http-recorded.md` 1.4.

use balefire_app::service_settings::service_provider_id;
use balefire_app::{App, Service};
use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::schema::{Schema, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
const ID: Schema = Schema::Nullable(&Schema::Id);
const NOTHING: Schema = Schema::List(&Schema::Any);

/// What a service may.
pub(crate) const PERMISSIONS: [&str; 2] = ["broadcast", "email_auth"];

/// What [`render`] makes.
pub(crate) const SERVICE: Schema = Schema::Named(
    "Service",
    &Schema::Object(&[
        required("active", Schema::Bool),
        required("alert_notification_addresses", NOTHING),
        required("allowed_broadcast_provider", Schema::List(&Schema::Text)),
        required("broadcast_channel", TEXT),
        required("created_at", Schema::Text),
        required("created_by", ID),
        required("go_live_at", TEXT),
        required("go_live_user", ID),
        required("id", Schema::Id),
        required("inbound_api", NOTHING),
        required("name", Schema::Text),
        required("notes", TEXT),
        required("organisation", ID),
        required("organisation_type", TEXT),
        required("permissions", Schema::List(&Schema::Word(&PERMISSIONS))),
        required("restricted", Schema::Bool),
        required("service_broadcast_providers", Schema::List(&Schema::Id)),
        required("service_callback_api", NOTHING),
    ]),
);

/// The service as a JSON object. Left-overs of another product are empty lists.
pub(crate) fn render(app: &App, service: &Service) -> Value {
    let about = &service.about;
    let providers = app.shown_providers(service);
    let ids: Vec<_> = providers
        .iter()
        .map(|provider| service_provider_id(service.id, provider))
        .collect();
    json!({
        "active": service.state == ServiceState::Active,
        "alert_notification_addresses": [],
        "allowed_broadcast_provider": providers,
        "broadcast_channel": service.is_set_up.then(|| service.channel.as_str()),
        "created_at": without_zone(service.created_at),
        "created_by": about.created_by,
        "go_live_at": about.went_live_at.map(|at| without_zone(at).replace('T', " ")),
        "go_live_user": about.went_live_by,
        "id": service.id,
        "inbound_api": [],
        "name": service.name,
        "notes": about.notes,
        "organisation": about.organisation_id,
        "organisation_type": about.organisation_type,
        "permissions": permissions(service),
        "restricted": service.mode == Mode::Training,
        "service_broadcast_providers": ids,
        "service_callback_api": [],
    })
}

/// What the service may, in the words of clients.
pub(crate) fn permissions(service: &Service) -> Vec<&'static str> {
    let [broadcast, email_auth] = PERMISSIONS;
    let mut words = Vec::new();
    if service.may_broadcast {
        words.push(broadcast);
    }
    if service.about.has_email_auth {
        words.push(email_auth);
    }
    words
}

/// `2026-11-23T04:08:57.704101`: a service's dates say no zone.
pub(crate) fn without_zone(at: Timestamp) -> String {
    let mut text = at.to_json_style();
    text.pop();
    text
}

/// `2026-11-23T04:08:57+00:00`: the dates of keys.
pub(crate) fn whole_seconds(at: Timestamp) -> String {
    let text = at.to_json_style();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{seconds}+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_spelt_as_they_were_recorded() {
        let at = Timestamp::parse_iso8601("2026-11-23T04:08:57.704101Z").expect("a date");
        assert_eq!(without_zone(at), "2026-11-23T04:08:57.704101");
        assert_eq!(whole_seconds(at), "2026-11-23T04:08:57+00:00");
    }
}
