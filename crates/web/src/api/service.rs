//! `/service`: services, their settings, keys and members, as the author application sets them.
//!
//! The trusted client names who acts, where it says so at all: that person is known (404), and the
//! audit trail has their name, or the client's. Whether a second person agreed is for the client
//! here (`http.md` 1.2): the trail says which approved action covers what was done, or that none
//! does.

mod history;
mod keys;
mod read;
mod settings;
mod team;
mod view;

use axum::routing::{delete, get, post};

pub(crate) use read::{SHORT_SERVICES, render_short, store};
pub(crate) use team::{NEW as MEMBER_RIGHTS, read_folders, read_permissions};

use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

const SERVICE: Schema = Schema::Object(&[required("data", view::SERVICE)]);

const LIST: Route = Route {
    method: "GET",
    path: "/service",
    operation: "list_services",
    caller: Caller::Admin,
    summary: "Every service, or those of a person",
    query: &[
        optional("only_active", Schema::Text),
        optional("user_id", Schema::Id),
        optional("detailed", Schema::Text),
    ],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "data",
            Schema::List(&view::SERVICE),
        )])),
    )],
    handler: || get(read::list),
};

const ONE: Route = Route {
    path: "/service/{service}",
    operation: "read_service",
    summary: "A service",
    query: &[],
    answers: &[(200, Some(SERVICE))],
    handler: || get(read::show),
    ..LIST
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        refusals: &[400],
        ..LIST
    },
    Route {
        method: "POST",
        operation: "create_service",
        refusals: &[404],
        summary: "Begin a service, in training mode",
        query: &[],
        body: Body::Json(settings::NEW),
        answers: &[(201, Some(SERVICE))],
        handler: || post(settings::create),
        ..LIST
    },
    Route {
        path: "/service/find-services-by-name",
        operation: "find_services_by_name",
        refusals: &[400],
        summary: "The services whose name holds a text",
        query: &[required("service_name", Schema::Text)],
        answers: &[(200, Some(read::FOUND))],
        handler: || get(read::find),
        ..LIST
    },
    ONE,
    Route {
        method: "POST",
        operation: "update_service",
        summary: "Change a service's settings",
        body: Body::Json(settings::CHANGE),
        handler: || post(settings::change),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/service/{service}/set-as-broadcast-service",
        operation: "set_broadcast_settings",
        summary: "Set a service's mode, channel and networks; its keys are revoked",
        body: Body::Json(settings::SET_UP),
        handler: || post(settings::set_up),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/service/{service}/archive",
        operation: "archive_service",
        summary: "Archive a service for good",
        answers: &[(204, None)],
        handler: || post(settings::archive),
        ..ONE
    },
    Route {
        path: "/service/{service}/broadcast-providers",
        operation: "list_service_providers",
        summary: "The networks that a service may use",
        answers: &[(200, Some(read::PROVIDERS))],
        handler: || get(read::list_providers),
        ..ONE
    },
    Route {
        path: "/service/{service}/email-contacts",
        operation: "list_email_contacts",
        summary: "Addresses that are told of a service's alerts: none, until there is such a list",
        answers: &[(200, Some(read::EMAIL_CONTACTS))],
        handler: || get(read::list_email_contacts),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/service/{service}/api-key",
        operation: "create_api_key",
        summary: "Make a key; its secret is told this once",
        body: Body::Json(keys::NEW),
        answers: &[(201, Some(keys::SECRET))],
        handler: || post(keys::create),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/service/{service}/api-key/revoke/{key}",
        operation: "revoke_api_key",
        summary: "Revoke a key at once",
        answers: &[(202, None)],
        handler: || post(keys::revoke),
        ..ONE
    },
    Route {
        path: "/service/{service}/api-keys",
        operation: "list_api_keys",
        summary: "A service's keys, without their secrets",
        answers: &[(200, Some(keys::KEYS))],
        handler: || get(keys::list),
        ..ONE
    },
    Route {
        path: "/service/{service}/api-keys/{key}",
        operation: "read_api_key",
        summary: "One key, without its secret",
        answers: &[(200, Some(keys::KEYS))],
        handler: || get(keys::show),
        ..ONE
    },
    Route {
        path: "/service/{service}/history",
        operation: "read_service_history",
        summary: "What became of a service, its keys and templates",
        answers: &[(200, Some(history::HISTORY))],
        handler: || get(history::show),
        ..ONE
    },
    Route {
        path: "/service/{service}/users",
        operation: "list_service_users",
        summary: "A service's members",
        answers: &[(200, Some(super::users::USERS))],
        handler: || get(team::list),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/service/{service}/users/{user}",
        operation: "add_service_user",
        summary: "Make a person a member of a service",
        body: Body::Json(team::NEW),
        answers: &[(201, Some(SERVICE))],
        handler: || post(team::add),
        ..ONE
    },
    Route {
        method: "DELETE",
        path: "/service/{service}/users/{user}",
        operation: "remove_service_user",
        refusals: &[400],
        summary: "End a person's membership of a service",
        answers: &[(204, None)],
        handler: || delete(team::remove),
        ..ONE
    },
];
