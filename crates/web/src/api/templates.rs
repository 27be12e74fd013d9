//! `/service/{service}/template…`: templates of alerts, and `GET /v2/templates` for a service's
//! keys. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema, with the path's service in it (400)
//! 5. in `app`: the service, and the template in it, exists (404)
//! 6. the service may broadcast (403)
//! 7. the person, where one is named, exists (404) and may write templates (400)
//! 8. the folder (400), the text (400), the areas (400)
//!
//! A template that is put away is read by its id and its versions, and not listed. `{version}` is a
//! whole number.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use balefire_app::templates::{NewTemplate, TemplateChange};
use balefire_app::{App, Template, TemplateVersion, User};
use balefire_domain::ids::{ServiceId, TemplateId};
use balefire_domain::limits::REFERENCE_CHARS_MAX;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{
    Admin, Fields, Holder, JsonBody, Query, ServicePath, TemplatePath, TemplateVersionPath,
};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Property, Schema, optional, required};

/// The one kind of template that there is.
const KIND: &str = "broadcast";
const REFERENCE: Schema = Schema::Bounded(1, REFERENCE_CHARS_MAX);
const TEMPLATE: Schema = Schema::Named(
    "Template",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("template_type", Schema::Word(&[KIND])),
        required("reference", Schema::Text),
        required("content", Schema::Text),
        required("areas", Schema::Any),
        required("service", Schema::Id),
        required("folder", Schema::Nullable(&Schema::Id)),
        required("version", Schema::Integer),
        required("archived", Schema::Bool),
        required("created_by", Schema::Id),
        required("created_at", Schema::Instant),
        required("updated_at", Schema::Nullable(&Schema::Instant)),
    ]),
);
const LISTED: &[Property] = &[
    required("id", Schema::Id),
    required("template_type", Schema::Word(&[KIND])),
    required("reference", Schema::Text),
    required("folder", Schema::Nullable(&Schema::Id)),
    optional("content", Schema::Text),
    optional("areas", Schema::Any),
    optional("service", Schema::Id),
    optional("version", Schema::Integer),
    optional("archived", Schema::Bool),
    optional("created_by", Schema::Id),
    optional("created_at", Schema::Instant),
    optional("updated_at", Schema::Nullable(&Schema::Instant)),
];
const VERSION: Schema = Schema::Object(&[
    required("id", Schema::Id),
    required("template_type", Schema::Word(&[KIND])),
    required("reference", Schema::Text),
    required("content", Schema::Text),
    required("areas", Schema::Any),
    required("service", Schema::Id),
    required("version", Schema::Integer),
    required("archived", Schema::Bool),
    required(
        "created_by",
        Schema::Nullable(&Schema::Object(&[
            required("id", Schema::Id),
            required("name", Schema::Text),
            required("email_address", Schema::Text),
        ])),
    ),
    required("created_at", Schema::Instant),
    required("updated_at", Schema::Nullable(&Schema::Instant)),
]);
const ONE: Schema = Schema::Object(&[required("data", TEMPLATE)]);
const PURGED: Schema = Schema::Object(&[required("message", Schema::Text)]);
const PUBLIC: Schema = Schema::Object(&[required(
    "templates",
    Schema::List(&Schema::Object(&[
        required("id", Schema::Id),
        required("type", Schema::Word(&[KIND])),
        required("created_at", Schema::Instant),
        required("updated_at", Schema::Nullable(&Schema::Instant)),
        required("created_by", Schema::Id),
        required("version", Schema::Integer),
        required("body", Schema::Text),
        required("reference", Schema::Text),
        required("areas", Schema::Any),
    ])),
)]);

const NEW: Schema = Schema::Object(&[
    required("reference", REFERENCE),
    required("template_type", Schema::Word(&[KIND])),
    required("content", Schema::Text),
    required("service", Schema::Id),
    required("created_by", Schema::Id),
    optional("parent_folder_id", Schema::Nullable(&Schema::Id)),
    optional("areas", Schema::Any),
]);
const CHANGE: Schema = Schema::Object(&[
    optional("id", Schema::Nullable(&Schema::Id)),
    optional("reference", Schema::Nullable(&REFERENCE)),
    optional("template_type", Schema::Nullable(&Schema::Word(&[KIND]))),
    optional("content", Schema::Nullable(&Schema::Text)),
    optional("service", Schema::Nullable(&Schema::Id)),
    optional("created_by", Schema::Nullable(&Schema::Id)),
    optional("areas", Schema::Any),
    optional("archived", Schema::Nullable(&Schema::Bool)),
]);

const LIST: Route = Route {
    method: "GET",
    path: "/service/{service}/template",
    operation: "list_templates",
    caller: Caller::Admin,
    summary: "The service's templates that are not put away, by name",
    query: &[optional("detailed", Schema::Word(&["True", "False"]))],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "data",
            Schema::List(&Schema::Object(LISTED)),
        )])),
    )],
    handler: || get(list),
};
const READ: Route = Route {
    path: "/service/{service}/template/{template}",
    operation: "read_template",
    summary: "A template",
    query: &[],
    answers: &[(200, Some(ONE))],
    handler: || get(read),
    ..LIST
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        operation: "create_template",
        summary: "Make a template",
        query: &[],
        body: Body::Json(NEW),
        answers: &[(201, Some(ONE))],
        handler: || post(create),
        ..LIST
    },
    READ,
    Route {
        method: "POST",
        operation: "update_template",
        summary: "Change a template, or put it away",
        body: Body::Json(CHANGE),
        handler: || post(update),
        ..READ
    },
    Route {
        path: "/service/{service}/template/{template}/version/{version}",
        operation: "read_template_version",
        summary: "What a template said in a version",
        answers: &[(200, Some(Schema::Object(&[required("data", VERSION)])))],
        handler: || get(read_version),
        ..READ
    },
    Route {
        path: "/service/{service}/template/{template}/versions",
        operation: "list_template_versions",
        summary: "The versions of a template, newest first",
        answers: &[(
            200,
            Some(Schema::Object(&[required("data", Schema::List(&VERSION))])),
        )],
        handler: || get(list_versions),
        ..READ
    },
    Route {
        path: "/v2/templates",
        operation: "list_own_templates",
        refusals: &[400],
        caller: Caller::ServiceKey,
        summary: "The templates of the key's service",
        query: &[optional("type", Schema::Word(&[KIND]))],
        answers: &[(200, Some(PUBLIC))],
        handler: || get(list_public),
        ..READ
    },
];

pub(crate) const TEST_ROUTES: &[Route] = &[Route {
    method: "DELETE",
    path: "/service/{service}/template/purge",
    operation: "purge_templates",
    summary: "Take the service's templates and folders away",
    answers: &[(200, Some(PURGED))],
    handler: || delete(purge),
    ..READ
}];

async fn list(
    _admin: Admin,
    ServicePath(service): ServicePath,
    query: Query,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let templates = found(app.list_templates(service).await)?;
    let is_short = query.value("detailed") == Some("False");
    let told: Vec<Value> = templates
        .iter()
        .map(|template| {
            if is_short {
                json!({
                    "id": template.id, "template_type": KIND, "reference": template.reference,
                    "folder": template.folder_id,
                })
            } else {
                render(template)
            }
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": told })))
}

async fn create(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &NEW)?;
    check_frame(&mut fields, service, None);
    let (reference, content) = (
        fields.filled_text("reference", Some(REFERENCE_CHARS_MAX)),
        fields.filled_text("content", None),
    );
    let folder = fields.id("parent_folder_id");
    let created_by = fields.id("created_by");
    let areas = fields.value("areas").cloned();
    fields.finish()?;
    let (Some(reference), Some(content), Some(created_by)) = (reference, content, created_by)
    else {
        // All were required above.
        return Err(Problem::not_found(Shape::Internal));
    };
    let new = NewTemplate {
        reference,
        content,
        areas,
        folder,
        created_by,
    };
    let made = app.create_template(service, &new).await;
    let told = json!({ "data": render(&made.map_err(Problem::template)?) });
    Ok(answer::json(StatusCode::CREATED, &told))
}

async fn read(
    _admin: Admin,
    path: TemplatePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let template = found(app.load_template(path.service, path.template).await)?;
    let told = json!({ "data": render(&template) });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn update(
    _admin: Admin,
    path: TemplatePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &CHANGE)?;
    check_frame(&mut fields, path.service, Some(path.template));
    let is_archived = fields.value("archived").map(Value::as_bool);
    if is_archived == Some(None) {
        fields.refuse("archived is not of type boolean");
    }
    let change = TemplateChange {
        reference: fields.filled_text("reference", Some(REFERENCE_CHARS_MAX)),
        content: fields.filled_text("content", None),
        areas: fields.value("areas").cloned(),
        is_archived: is_archived.flatten(),
        by: fields.id("created_by"),
    };
    fields.finish()?;
    let changed = app
        .update_template(path.service, path.template, &change)
        .await;
    let told = json!({ "data": render(&changed.map_err(Problem::template)?) });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn read_version(
    _admin: Admin,
    path: TemplateVersionPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let of = &path.of;
    let listed = app.list_template_versions(of.service, of.template).await;
    let (template, versions) = found(listed)?;
    let mut versions = versions.iter();
    let (version, by) = versions
        .find(|(version, _)| version.version == path.version)
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let told = json!({ "data": render_version(&template, version, by.as_ref()) });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn list_versions(
    _admin: Admin,
    path: TemplatePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let listed = app
        .list_template_versions(path.service, path.template)
        .await;
    let (template, versions) = found(listed)?;
    let told: Vec<Value> = versions
        .iter()
        .map(|(version, by)| render_version(&template, version, by.as_ref()))
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": told })))
}

async fn list_public(
    Holder(holder): Holder,
    query: Query,
    State(app): State<App>,
) -> Result<Response, Problem> {
    if let Some(kind) = query.value("type").filter(|kind| *kind != KIND) {
        let kind: String = kind.chars().take(40).collect();
        let message = format!("type {kind} is not one of [{KIND}]");
        return Err(Problem::invalid(
            crate::problem::Name::Validation,
            [message],
        ));
    }
    let templates = app
        .list_templates(holder.service.id)
        .await
        .map_err(|error| Problem::store(Shape::Public, &error))?
        .unwrap_or_default();
    let told: Vec<Value> = templates
        .iter()
        .map(|template| {
            json!({
                "id": template.id,
                "type": KIND,
                "created_at": template.created_at.to_json_style(),
                "updated_at": template.updated_at.map(Timestamp::to_json_style),
                "created_by": template.created_by,
                "version": template.version,
                "body": template.content,
                "reference": template.reference,
                "areas": template.areas,
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "templates": told })))
}

async fn purge(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let count = found(app.purge_templates(service).await)?;
    let told = json!({ "message": format!("Purged {count} templates of service {service}") });
    Ok(answer::json(StatusCode::OK, &told))
}

/// What says again which service, template and kind are meant.
fn check_frame(fields: &mut Fields<'_>, service: ServiceId, template: Option<TemplateId>) {
    let named: Option<ServiceId> = fields.id("service");
    if named.is_some_and(|named| named != service) {
        fields.refuse("service is not the service of the path");
    }
    if template.is_some() {
        let named: Option<TemplateId> = fields.id("id");
        if named.is_some() && named != template {
            fields.refuse("id is not the template of the path");
        }
    }
    if fields
        .value("template_type")
        .is_some_and(|kind| kind != KIND)
    {
        fields.refuse(format!("template_type is not one of [{KIND}]"));
    }
}

fn found<T>(read: Result<Option<T>, balefire_app::StoreError>) -> Result<T, Problem> {
    read.map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))
}

fn render(template: &Template) -> Value {
    json!({
        "id": template.id,
        "template_type": KIND,
        "reference": template.reference,
        "content": template.content,
        "areas": template.areas,
        "service": template.service_id,
        "folder": template.folder_id,
        "version": template.version,
        "archived": template.is_archived,
        "created_by": template.created_by,
        "created_at": template.created_at.to_json_style(),
        "updated_at": template.updated_at.map(Timestamp::to_json_style),
    })
}

fn render_version(template: &Template, version: &TemplateVersion, by: Option<&User>) -> Value {
    let is_first = version.version == 1;
    json!({
        "id": template.id,
        "template_type": KIND,
        "reference": version.reference,
        "content": version.content,
        "areas": version.areas,
        "service": template.service_id,
        "version": version.version,
        "archived": version.is_archived,
        "created_by": by.map(|by| json!({
            "id": by.id, "name": by.name, "email_address": by.email,
        })),
        "created_at": template.created_at.to_json_style(),
        "updated_at": (!is_first).then(|| version.created_at.to_json_style()),
    })
}
