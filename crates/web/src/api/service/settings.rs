//! Making and changing services. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400), except of an archiving, which has none
//! 4. of a new service: `user_id` is there (400)
//! 5. its schema: every value, and what is unknown (400)
//! 6. in `app`: the persons exist (404)
//! 7. the name is free (400)
//! 8. the service exists (404), and may be changed so (400)
//!
//! 201 or 200: the service. An archiving is 204, also of a service that is archived.
//!
//! A service begins in training, and `restricted` never makes it live: that is for
//! `set-as-broadcast-service`, which revokes its keys and takes its members' rights (R96).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::service_settings::{NewTeam, ServiceChange, ServicePermissions, SettingsRefusal};
use balefire_app::{App, Failure, Service};
use balefire_domain::alert::Mode;
use balefire_domain::broadcast_settings::BroadcastSettings;
use balefire_domain::channel::Channel;
use balefire_domain::ids::UserId;
use balefire_domain::limits::{NOTES_CHARS_MAX, SERVICE_NAME_CHARS_MAX};
use balefire_domain::organisation::KINDS;
use balefire_domain::provider::ProviderName;
use serde_json::{Value, json};

use super::view;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

const NAME: Schema = Schema::Bounded(1, SERVICE_NAME_CHARS_MAX);
const KIND: Schema = Schema::Nullable(&Schema::Word(&KINDS));
const MODES: [&str; 2] = ["training", "live"];
const CHANNELS: [&str; 4] = ["operator", "test", "severe", "government"];
/// Providers that every client knows, whatever this installation has.
const KNOWN_PROVIDERS: [&str; 4] = ["three", "o2", "vodafone", "ee"];
/// All providers, in the older form.
const ALL: &str = "all";
/// Providers in one body.
const PROVIDERS_MAX: usize = 50;

pub(crate) const NEW: Schema = Schema::Object(&[
    required("name", NAME),
    required("user_id", Schema::Id),
    required("created_by", Schema::Id),
    optional("organisation_type", KIND),
    optional("active", Schema::Nullable(&Schema::Bool)),
    optional("restricted", Schema::Nullable(&Schema::Bool)),
]);

pub(crate) const CHANGE: Schema = Schema::Object(&[
    optional("name", Schema::Nullable(&NAME)),
    optional("active", Schema::Nullable(&Schema::Bool)),
    optional("restricted", Schema::Nullable(&Schema::Bool)),
    optional(
        "notes",
        Schema::Nullable(&Schema::Bounded(0, NOTES_CHARS_MAX)),
    ),
    optional("organisation_type", KIND),
    optional(
        "permissions",
        Schema::Nullable(&Schema::List(&Schema::Word(&view::PERMISSIONS))),
    ),
    optional("created_by", Schema::Nullable(&Schema::Id)),
]);

pub(crate) const SET_UP: Schema = Schema::Object(&[
    required("service_mode", Schema::Word(&MODES)),
    required("broadcast_channel", Schema::Word(&CHANNELS)),
    required(
        "provider_restriction",
        Schema::Either(&[Schema::List(&Schema::Text), Schema::Text]),
    ),
    optional("created_by", Schema::Nullable(&Schema::Id)),
]);

pub(crate) async fn create(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let new = read_new(&body)?;
    let service = app.begin_service(&new).await.map_err(problem)?;
    Ok(shown(&app, &service, StatusCode::CREATED))
}

pub(crate) async fn change(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let change = read_change(&body)?;
    let service = app.change_service(id, &change).await.map_err(problem)?;
    Ok(shown(&app, &service, StatusCode::OK))
}

pub(crate) async fn set_up(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let (settings, by) = read_settings(&app, &body)?;
    let service = app
        .set_up_service(id, &settings, by)
        .await
        .map_err(problem)?;
    Ok(shown(&app, &service, StatusCode::OK))
}

pub(crate) async fn archive(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.archive_service(id).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn shown(app: &App, service: &Service, status: StatusCode) -> Response {
    answer::json(status, &json!({ "data": view::render(app, service) }))
}

fn read_new(body: &Value) -> Result<NewTeam, Problem> {
    let is_there = body.get("user_id").is_some_and(|id| !id.is_null());
    if body.is_object() && !is_there {
        let message = "Missing data for required field.";
        return Err(Problem::field(StatusCode::BAD_REQUEST, "user_id", message));
    }
    let mut fields = Fields::of(body, &NEW)?;
    let name = name(&mut fields);
    let user_id = fields.id("user_id");
    let created_by = fields.id("created_by");
    let organisation_type = fields.word("organisation_type", &KINDS);
    let is_active = fields.truth("active").unwrap_or(true);
    let is_restricted = fields.truth("restricted").unwrap_or(true);
    fields.finish()?;
    if !is_restricted {
        return Err(mode_unchangeable());
    }
    match (name, user_id, created_by) {
        (Some(name), Some(user_id), Some(created_by)) => Ok(NewTeam {
            name,
            organisation_type: organisation_type.map(str::to_owned),
            is_active,
            user_id,
            created_by,
        }),
        // All three were required above.
        _ => Err(Problem::not_found(Shape::Internal)),
    }
}

fn read_change(body: &Value) -> Result<ServiceChange, Problem> {
    let mut fields = Fields::of(body, &CHANGE)?;
    let change = ServiceChange {
        name: name(&mut fields),
        notes: fields.bounded_text("notes", NOTES_CHARS_MAX),
        is_active: fields.truth("active"),
        organisation_type: fields.word("organisation_type", &KINDS).map(str::to_owned),
        permissions: read_permissions(&mut fields),
        is_restricted: fields.truth("restricted"),
        by: fields.id("created_by"),
    };
    fields.finish()?;
    Ok(change)
}

/// A name without blanks at its ends.
fn name(fields: &mut Fields<'_>) -> Option<String> {
    let name = fields.filled_text("name", Some(SERVICE_NAME_CHARS_MAX))?;
    let name = name.trim();
    if name.is_empty() {
        fields.refuse("name is too short");
    }
    Some(name.to_owned())
}

fn read_permissions(fields: &mut Fields<'_>) -> Option<ServicePermissions> {
    let words = fields.words("permissions", &view::PERMISSIONS)?;
    let [broadcast, email_auth] = view::PERMISSIONS;
    Some(ServicePermissions {
        may_broadcast: words.contains(&broadcast),
        has_email_auth: words.contains(&email_auth),
    })
}

fn read_settings(app: &App, body: &Value) -> Result<(BroadcastSettings, Option<UserId>), Problem> {
    let mut fields = Fields::of(body, &SET_UP)?;
    let mode = fields.word("service_mode", &MODES);
    let channel = fields.word("broadcast_channel", &CHANNELS);
    let restriction = read_providers(app, &mut fields);
    let by = fields.id("created_by");
    fields.finish()?;
    let mode = mode.and_then(Mode::parse);
    match (mode, channel.and_then(Channel::parse), restriction) {
        (Some(mode), Some(channel), Some(restriction)) => {
            let settings = BroadcastSettings {
                mode,
                channel,
                providers: match restriction {
                    Restriction::All => None,
                    Restriction::To(providers) => Some(providers),
                },
            };
            Ok((settings, by))
        }
        // All three were required above.
        _ => Err(Problem::not_found(Shape::Internal)),
    }
}

/// Which providers a service may use.
enum Restriction {
    All,
    To(Vec<ProviderName>),
}

/// A list of names, or one name; `all` is every provider, as are those of this installation all
/// together.
fn read_providers(app: &App, fields: &mut Fields<'_>) -> Option<Restriction> {
    const FIELD: &str = "provider_restriction";
    let own: Vec<&str> = app
        .settings
        .profiles
        .iter()
        .map(|profile| profile.name.as_str())
        .collect();
    let mut known = vec![ALL];
    known.extend(KNOWN_PROVIDERS);
    known.extend(own.iter().filter(|name| !KNOWN_PROVIDERS.contains(name)));
    let chosen = match fields.value(FIELD) {
        Some(Value::Array(names)) if names.is_empty() => {
            fields.refuse("provider_restriction is too short");
            return None;
        }
        Some(Value::Array(names)) if names.len() > PROVIDERS_MAX => {
            fields.refuse("provider_restriction is too long");
            return None;
        }
        Some(Value::Array(_)) => fields.words(FIELD, &known)?,
        Some(_) => vec![fields.word(FIELD, &known)?],
        None => return None,
    };
    if chosen.contains(&ALL) {
        return Some(Restriction::All);
    }
    let mut names: Vec<ProviderName> = chosen
        .into_iter()
        .filter_map(|name| ProviderName::new(name).ok())
        .collect();
    names.sort();
    names.dedup();
    Some(Restriction::To(names))
}

fn problem(failure: Failure<SettingsRefusal>) -> Problem {
    let bad = StatusCode::BAD_REQUEST;
    Problem::of_failure(Shape::Internal, failure, |refusal| match refusal {
        SettingsRefusal::NotFound | SettingsRefusal::UserNotFound => {
            Problem::not_found(Shape::Internal)
        }
        SettingsRefusal::NameTaken(name) => {
            Problem::field(bad, "name", format!("Duplicate service name '{name}'"))
        }
        SettingsRefusal::Archived => Problem::message(
            bad,
            "This service is archived, and stays so: make a new one",
        ),
        SettingsRefusal::ModeUnchangeable => mode_unchangeable(),
        SettingsRefusal::Denied(user, denial) => Problem::message(
            StatusCode::FORBIDDEN,
            format!("User {user} cannot change this service: {denial}"),
        ),
    })
}

fn mode_unchangeable() -> Problem {
    let message = "A service begins in training mode, and set-as-broadcast-service changes it";
    Problem::field(StatusCode::BAD_REQUEST, "restricted", message)
}
