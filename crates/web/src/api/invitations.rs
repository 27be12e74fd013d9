//! Invitations to services and organisations. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413); token of the client (401, 403)
//! 2. the body is read (413) and is JSON (400), where there is one; its schema, with the path's
//!    service or organisation in it (400)
//! 3. in `app`: the place, the person who invites and the invitation exist, the invitation is to
//!    this place (404)
//! 4. who invites manages the people there, or is an administrator (400): an approved action is the
//!    second person's yes, and gives nobody a right
//! 5. the address is the public sector's (400), the host of the link an address (400)
//!
//! A link is good for two days, and opens one invitation: 400 from then on. An invitation is
//! accepted once or taken back.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use balefire_app::invitations::NewInvitation;
use balefire_app::{App, Invitation, InvitedTo};
use balefire_domain::ids::{InvitationId, OrganisationId, ServiceId};
use balefire_domain::invitation::InvitationStatus;
use balefire_domain::limits::{EMAIL_CHARS_MAX, LINK_HOST_CHARS_MAX};
use balefire_domain::permission::{Permission, Permissions};
use serde_json::{Value, json};

use super::service::{read_folders, store};
use crate::answer;
use crate::extract::{
    Admin, Fields, InvitationPath, JsonBody, OrganisationInvitationPath, OrganisationPath,
    ServiceInvitationPath, ServicePath, TokenPath,
};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

const STATUSES: [&str; 4] = ["pending", "accepted", "cancelled", "expired"];
const AUTH_TYPES: [&str; 3] = ["sms_auth", "email_auth", "webauthn_auth"];
/// What a person signs in by who is told nothing else.
const AUTH_TYPE: &str = "sms_auth";
/// Characters of a list of permissions, joined by commas.
const PERMISSIONS_CHARS_MAX: usize = 400;

pub(crate) const OF_SERVICE: Schema = Schema::Named(
    "ServiceInvitation",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("service", Schema::Id),
        required("email_address", Schema::Text),
        required("from_user", Schema::Id),
        required("permissions", Schema::Text),
        required("auth_type", Schema::Word(&AUTH_TYPES)),
        required("folder_permissions", Schema::List(&Schema::Id)),
        required("status", Schema::Word(&STATUSES)),
        required("created_at", Schema::Instant),
    ]),
);

pub(crate) const OF_ORGANISATION: Schema = Schema::Named(
    "OrganisationInvitation",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("organisation", Schema::Id),
        required("email_address", Schema::Text),
        required("invited_by", Schema::Id),
        required("status", Schema::Word(&STATUSES)),
        required("created_at", Schema::Instant),
    ]),
);

const TO_SERVICE: Schema = Schema::Object(&[
    optional("service", Schema::Nullable(&Schema::Id)),
    required("email_address", Schema::Bounded(3, EMAIL_CHARS_MAX)),
    required("from_user", Schema::Id),
    required("permissions", Schema::Bounded(0, PERMISSIONS_CHARS_MAX)),
    optional("auth_type", Schema::Nullable(&Schema::Word(&AUTH_TYPES))),
    required("invite_link_host", Schema::Bounded(1, LINK_HOST_CHARS_MAX)),
    optional(
        "folder_permissions",
        Schema::Nullable(&Schema::List(&Schema::Id)),
    ),
]);

const TO_ORGANISATION: Schema = Schema::Object(&[
    required("email_address", Schema::Bounded(3, EMAIL_CHARS_MAX)),
    required("invited_by", Schema::Id),
    required("invite_link_host", Schema::Bounded(1, LINK_HOST_CHARS_MAX)),
]);

const MOVE: Schema =
    Schema::Object(&[required("status", Schema::Word(&["accepted", "cancelled"]))]);

const LIST: Route = Route {
    method: "GET",
    path: "/service/{service}/invite",
    operation: "list_service_invitations",
    caller: Caller::Admin,
    summary: "The invitations to a service, newest first",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "data",
            Schema::List(&OF_SERVICE),
        )])),
    )],
    handler: || get(list_of_service),
};

const ONE: Route = Route {
    path: "/service/{service}/invite/{invitation}",
    operation: "read_service_invitation",
    summary: "An invitation to a service",
    answers: &[(200, Some(Schema::Object(&[required("data", OF_SERVICE)])))],
    handler: || get(show_of_service),
    ..LIST
};

const ONE_OF_ORGANISATION: Route = Route {
    path: "/organisation/{organisation}/invite/{invitation}",
    operation: "read_organisation_invitation",
    summary: "An invitation to an organisation",
    answers: &[(
        200,
        Some(Schema::Object(&[required("data", OF_ORGANISATION)])),
    )],
    handler: || get(show_of_organisation),
    ..LIST
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        operation: "invite_to_service",
        summary: "Invite somebody to a service by e-mail",
        body: Body::Json(TO_SERVICE),
        answers: &[(201, Some(Schema::Object(&[required("data", OF_SERVICE)])))],
        handler: || post(invite_to_service),
        ..LIST
    },
    ONE,
    Route {
        method: "POST",
        operation: "update_service_invitation",
        summary: "Accept an invitation to a service, or take it back",
        body: Body::Json(MOVE),
        handler: || post(end_of_service),
        ..ONE
    },
    Route {
        path: "/invite/service/{invitation}",
        operation: "find_service_invitation",
        handler: || get(show_any_of_service),
        ..ONE
    },
    Route {
        path: "/invite/service/check/{token}",
        operation: "open_service_invitation",
        refusals: &[400],
        summary: "The invitation to a service that a link opens",
        handler: || get(open_of_service),
        ..ONE
    },
    Route {
        path: "/organisation/{organisation}/invite",
        operation: "list_organisation_invitations",
        summary: "The invitations to an organisation, newest first",
        answers: &[(
            200,
            Some(Schema::Object(&[required(
                "data",
                Schema::List(&OF_ORGANISATION),
            )])),
        )],
        handler: || get(list_of_organisation),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/organisation/{organisation}/invite",
        operation: "invite_to_organisation",
        summary: "Invite somebody to an organisation by e-mail",
        body: Body::Json(TO_ORGANISATION),
        answers: &[(
            201,
            Some(Schema::Object(&[required("data", OF_ORGANISATION)])),
        )],
        handler: || post(invite_to_organisation),
        ..LIST
    },
    ONE_OF_ORGANISATION,
    Route {
        method: "POST",
        operation: "update_organisation_invitation",
        summary: "Accept an invitation to an organisation, or take it back",
        body: Body::Json(MOVE),
        handler: || post(end_of_organisation),
        ..ONE_OF_ORGANISATION
    },
    Route {
        path: "/invite/organisation/{invitation}",
        operation: "find_organisation_invitation",
        handler: || get(show_any_of_organisation),
        ..ONE_OF_ORGANISATION
    },
    Route {
        path: "/invite/organisation/check/{token}",
        operation: "open_organisation_invitation",
        refusals: &[400],
        summary: "The invitation to an organisation that a link opens",
        handler: || get(open_of_organisation),
        ..ONE_OF_ORGANISATION
    },
];

async fn list_of_service(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    list(&app, InvitedTo::Service(id)).await
}

async fn list_of_organisation(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    list(&app, InvitedTo::Organisation(path.organisation)).await
}

async fn list(app: &App, to: InvitedTo) -> Result<Response, Problem> {
    let list = app.list_invitations(to).await.map_err(store)?;
    let list = list.ok_or_else(not_found)?;
    let shown: Vec<Value> = list.iter().map(render).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

async fn show_of_service(
    _admin: Admin,
    path: ServiceInvitationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let to = InvitedTo::Service(path.service);
    show(&app, path.invitation, |own| own.to == to).await
}

async fn show_of_organisation(
    _admin: Admin,
    path: OrganisationInvitationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let to = InvitedTo::Organisation(path.organisation);
    show(&app, path.invitation, |own| own.to == to).await
}

async fn show_any_of_service(
    _admin: Admin,
    path: InvitationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    show(&app, path.invitation, is_to_service).await
}

async fn show_any_of_organisation(
    _admin: Admin,
    path: InvitationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    show(&app, path.invitation, |own| !is_to_service(own)).await
}

async fn show(
    app: &App,
    id: InvitationId,
    is_meant: impl Fn(&Invitation) -> bool + Send,
) -> Result<Response, Problem> {
    let found = app.load_invitation(id).await.map_err(store)?;
    let found = found.filter(is_meant).ok_or_else(not_found)?;
    Ok(shown(&found, StatusCode::OK))
}

async fn open_of_service(
    _admin: Admin,
    TokenPath(token): TokenPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    open(&app, &token, is_to_service).await
}

async fn open_of_organisation(
    _admin: Admin,
    TokenPath(token): TokenPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    open(&app, &token, |own| !is_to_service(own)).await
}

async fn open(
    app: &App,
    token: &str,
    is_meant: impl Fn(&Invitation) -> bool + Send,
) -> Result<Response, Problem> {
    let found = app
        .open_invitation(token)
        .await
        .map_err(Problem::invitation)?;
    if is_meant(&found) {
        Ok(shown(&found, StatusCode::OK))
    } else {
        Err(Problem::link_over())
    }
}

async fn invite_to_service(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let new = read_to_service(id, &body)?;
    let made = app.invite(&new).await.map_err(Problem::invitation)?;
    Ok(shown(&made, StatusCode::CREATED))
}

async fn invite_to_organisation(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let new = read_to_organisation(path.organisation, &body)?;
    let made = app.invite(&new).await.map_err(Problem::invitation)?;
    Ok(shown(&made, StatusCode::CREATED))
}

async fn end_of_service(
    _admin: Admin,
    path: ServiceInvitationPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    end(
        &app,
        InvitedTo::Service(path.service),
        path.invitation,
        &body,
    )
    .await
}

async fn end_of_organisation(
    _admin: Admin,
    path: OrganisationInvitationPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let to = InvitedTo::Organisation(path.organisation);
    end(&app, to, path.invitation, &body).await
}

async fn end(
    app: &App,
    to: InvitedTo,
    id: InvitationId,
    body: &Value,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(body, &MOVE)?;
    let status = fields.word("status", &["accepted", "cancelled"]);
    fields.finish()?;
    let status = status.and_then(InvitationStatus::parse);
    // It was required above.
    let status = status.ok_or_else(not_found)?;
    let ended = app
        .end_invitation(to, id, status)
        .await
        .map_err(Problem::invitation)?;
    Ok(shown(&ended, StatusCode::OK))
}

fn read_to_service(id: ServiceId, body: &Value) -> Result<NewInvitation, Problem> {
    let mut fields = Fields::of(body, &TO_SERVICE)?;
    let named: Option<ServiceId> = fields.id("service");
    if named.is_some_and(|named| named != id) {
        fields.refuse("service is not the service of the path");
    }
    let words = fields.bounded_text("permissions", PERMISSIONS_CHARS_MAX);
    let permissions = read_permissions(&mut fields, words.as_deref().unwrap_or_default());
    let folders = read_folders(&mut fields).unwrap_or_default();
    let auth_type = fields.word("auth_type", &AUTH_TYPES).unwrap_or(AUTH_TYPE);
    let email = fields.filled_text("email_address", Some(EMAIL_CHARS_MAX));
    let invited_by = fields.id("from_user");
    let link_host = fields.filled_text("invite_link_host", Some(LINK_HOST_CHARS_MAX));
    fields.finish()?;
    match (email, invited_by, link_host) {
        (Some(email), Some(invited_by), Some(link_host)) => Ok(NewInvitation {
            to: InvitedTo::Service(id),
            email,
            invited_by,
            permissions,
            folders,
            auth_type,
            link_host,
        }),
        // All three were required above.
        _ => Err(not_found()),
    }
}

/// `create_broadcasts,view_activity`
fn read_permissions(fields: &mut Fields<'_>, words: &str) -> Permissions {
    let mut permissions = Permissions::new();
    let words = words.split(',').map(str::trim);
    for word in words.filter(|word| !word.is_empty()) {
        if let Some(permission) = Permission::parse(word) {
            permissions.insert(permission);
        } else {
            let known = Permission::ALL.map(Permission::as_str).join(", ");
            fields.refuse(format!("permissions are not all of [{known}]"));
        }
    }
    permissions
}

fn read_to_organisation(id: OrganisationId, body: &Value) -> Result<NewInvitation, Problem> {
    let mut fields = Fields::of(body, &TO_ORGANISATION)?;
    let email = fields.filled_text("email_address", Some(EMAIL_CHARS_MAX));
    let invited_by = fields.id("invited_by");
    let link_host = fields.filled_text("invite_link_host", Some(LINK_HOST_CHARS_MAX));
    fields.finish()?;
    match (email, invited_by, link_host) {
        (Some(email), Some(invited_by), Some(link_host)) => Ok(NewInvitation {
            to: InvitedTo::Organisation(id),
            email,
            invited_by,
            permissions: Permissions::new(),
            folders: Vec::new(),
            auth_type: AUTH_TYPE,
            link_host,
        }),
        // All three were required above.
        _ => Err(not_found()),
    }
}

const fn is_to_service(own: &Invitation) -> bool {
    matches!(own.to, InvitedTo::Service(_))
}

fn shown(invitation: &Invitation, status: StatusCode) -> Response {
    answer::json(status, &json!({ "data": render(invitation) }))
}

/// An invitation as every route shows it.
pub(crate) fn render(own: &Invitation) -> Value {
    match own.to {
        InvitedTo::Service(service) => {
            let words: Vec<&str> = own.permissions.iter().map(|one| one.as_str()).collect();
            json!({
                "id": own.id, "service": service, "email_address": own.email,
                "from_user": own.invited_by, "permissions": words.join(","),
                "auth_type": own.auth_type, "folder_permissions": own.folders,
                "status": own.status.as_str(), "created_at": own.created_at.to_json_style(),
            })
        }
        InvitedTo::Organisation(organisation) => json!({
            "id": own.id, "organisation": organisation, "email_address": own.email,
            "invited_by": own.invited_by, "status": own.status.as_str(),
            "created_at": own.created_at.to_json_style(),
        }),
    }
}

fn not_found() -> Problem {
    Problem::not_found(Shape::Internal)
}
