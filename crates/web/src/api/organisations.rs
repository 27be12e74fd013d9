//! `/organisations`. Order of the checks: 1. token (401, 403); 2. the body is read (413) and is
//! JSON (400), where there is one; 3. its schema (400); 4. in `app`: what the path and body name
//! exists (404); 5. a name is free (400), what is archived is empty (400).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use balefire_app::organisations::{OrganisationChange, OrganisationRefusal};
use balefire_app::{App, CountedOrganisation, Failure};
use balefire_domain::ids::ServiceId;
use balefire_domain::limits::{
    DOMAINS_PER_ORGANISATION_MAX, NOTES_CHARS_MAX, SERVICE_NAME_CHARS_MAX,
};
use balefire_domain::organisation::KINDS;
use serde_json::{Value, json};

use super::service::{SHORT_SERVICES, render_short, store};
use super::users::{USER, USERS, render_person};
use crate::answer;
use crate::extract::{
    Admin, Fields, JsonBody, OrganisationMemberPath, OrganisationPath, Query, ServicePath,
};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
const NAME: Schema = Schema::Bounded(1, SERVICE_NAME_CHARS_MAX);
/// Characters of a host's name (RFC 1035).
const DOMAIN_CHARS_MAX: usize = 253;

const ORGANISATION: Schema = Schema::Named(
    "Organisation",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("name", Schema::Text),
        required("active", Schema::Bool),
        required("crown", Schema::Nullable(&Schema::Bool)),
        required("organisation_type", TEXT),
        required("domains", Schema::List(&Schema::Text)),
        required("count_of_live_services", Schema::Integer),
        required("notes", TEXT),
    ]),
);

const NEW: Schema = Schema::Object(&[
    required("name", NAME),
    optional("crown", Schema::Nullable(&Schema::Bool)),
    optional("active", Schema::Nullable(&Schema::Bool)),
    optional("organisation_type", Schema::Nullable(&Schema::Word(&KINDS))),
    optional("domains", Schema::Nullable(&Schema::List(&Schema::Text))),
    optional(
        "notes",
        Schema::Nullable(&Schema::Bounded(0, NOTES_CHARS_MAX)),
    ),
]);

const CHANGE: Schema = Schema::Object(&[
    optional("name", Schema::Nullable(&NAME)),
    optional("crown", Schema::Nullable(&Schema::Bool)),
    optional("active", Schema::Nullable(&Schema::Bool)),
    optional("organisation_type", Schema::Nullable(&Schema::Word(&KINDS))),
    optional("domains", Schema::Nullable(&Schema::List(&Schema::Text))),
    optional(
        "notes",
        Schema::Nullable(&Schema::Bounded(0, NOTES_CHARS_MAX)),
    ),
]);

const JOIN: Schema = Schema::Object(&[required("service_id", Schema::Id)]);

const LIST: Route = Route {
    method: "GET",
    path: "/organisations",
    operation: "list_organisations",
    caller: Caller::Admin,
    summary: "Every organisation, by name",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(Schema::List(&ORGANISATION)))],
    handler: || get(list),
};

const ONE: Route = Route {
    path: "/organisations/{organisation}",
    operation: "read_organisation",
    summary: "An organisation",
    answers: &[(200, Some(ORGANISATION))],
    handler: || get(show),
    ..LIST
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        operation: "create_organisation",
        summary: "Make an organisation",
        body: Body::Json(NEW),
        answers: &[(201, Some(ORGANISATION))],
        handler: || post(create),
        ..LIST
    },
    Route {
        path: "/organisations/by-domain",
        operation: "find_organisation_by_domain",
        refusals: &[400, 404],
        summary: "The organisation to which addresses of a domain belong",
        query: &[required("domain", Schema::Text)],
        handler: || get(find),
        ..ONE
    },
    ONE,
    Route {
        method: "POST",
        operation: "update_organisation",
        summary: "Change an organisation",
        body: Body::Json(CHANGE),
        answers: &[(204, None)],
        handler: || post(change),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/organisations/{organisation}/archive",
        operation: "archive_organisation",
        refusals: &[400],
        summary: "Archive an organisation that has neither members nor services",
        answers: &[(204, None)],
        handler: || post(archive),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/organisations/{organisation}/service",
        operation: "link_service_to_organisation",
        summary: "Put a service into an organisation",
        body: Body::Json(JOIN),
        answers: &[(204, None)],
        handler: || post(join),
        ..ONE
    },
    Route {
        path: "/organisations/{organisation}/services",
        operation: "list_organisation_services",
        summary: "An organisation's services",
        answers: &[(200, Some(SHORT_SERVICES))],
        handler: || get(list_services),
        ..ONE
    },
    Route {
        path: "/organisations/{organisation}/users",
        operation: "list_organisation_users",
        summary: "An organisation's people",
        answers: &[(200, Some(USERS))],
        handler: || get(list_people),
        ..ONE
    },
    Route {
        method: "POST",
        path: "/organisations/{organisation}/users/{user}",
        operation: "add_organisation_user",
        summary: "Make a person a member of an organisation",
        answers: &[(200, Some(USER))],
        handler: || post(add),
        ..ONE
    },
    Route {
        method: "DELETE",
        path: "/organisations/{organisation}/users/{user}",
        operation: "remove_organisation_user",
        summary: "End a person's membership of an organisation",
        answers: &[(204, None)],
        handler: || delete(remove),
        ..ONE
    },
    Route {
        path: "/service/{service}/organisation",
        operation: "read_service_organisation",
        summary: "The organisation of a service, or an empty object",
        answers: &[(
            200,
            Some(Schema::Either(&[ORGANISATION, Schema::Object(&[])])),
        )],
        handler: || get(show_of_service),
        ..ONE
    },
];

async fn list(_admin: Admin, State(app): State<App>) -> Result<Response, Problem> {
    let all = app.list_organisations().await.map_err(store)?;
    let shown: Vec<Value> = all.iter().map(render).collect();
    Ok(answer::json(StatusCode::OK, &Value::from(shown)))
}

async fn create(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let change = read_change(&body, &NEW)?;
    // It was required.
    let name = change.name.clone().ok_or_else(not_found)?;
    let made = app.create_organisation(&name, &change).await;
    let made = made.map_err(problem)?;
    Ok(answer::json(StatusCode::CREATED, &render(&made)))
}

async fn find(_admin: Admin, query: Query, State(app): State<App>) -> Result<Response, Problem> {
    let domain = query.text("domain").filter(|text| !text.contains('@'));
    let Some(domain) = domain else {
        let message = "domain is missing, or is no domain";
        return Err(Problem::message(StatusCode::BAD_REQUEST, message));
    };
    let found = app.find_organisation(domain).await.map_err(store)?;
    let found = found.ok_or_else(not_found)?;
    Ok(answer::json(StatusCode::OK, &render(&found)))
}

async fn show(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let own = app.load_organisation(path.organisation).await;
    let own = own.map_err(store)?.ok_or_else(not_found)?;
    Ok(answer::json(StatusCode::OK, &render(&own)))
}

async fn change(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let change = read_change(&body, &CHANGE)?;
    let changed = app.change_organisation(path.organisation, &change).await;
    changed.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn archive(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let archived = app.archive_organisation(path.organisation).await;
    archived.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn join(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &JOIN)?;
    let service: Option<ServiceId> = fields.id("service_id");
    fields.finish()?;
    // It was required above.
    let service = service.ok_or_else(not_found)?;
    let joined = app.join_organisation(path.organisation, service).await;
    joined.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list_services(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let own = app.list_services_of_organisation(path.organisation).await;
    let own = own.map_err(store)?.ok_or_else(not_found)?;
    let shown: Vec<Value> = own.iter().map(render_short).collect();
    Ok(answer::json(StatusCode::OK, &Value::from(shown)))
}

async fn list_people(
    _admin: Admin,
    path: OrganisationPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let own = app.list_people_of_organisation(path.organisation).await;
    let own = own.map_err(store)?.ok_or_else(not_found)?;
    let shown: Vec<Value> = own.iter().map(render_person).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

async fn add(
    _admin: Admin,
    path: OrganisationMemberPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .add_organisation_member(path.organisation, path.user)
        .await
        .map_err(problem)?;
    let shown = json!({ "data": render_person(&person) });
    Ok(answer::json(StatusCode::OK, &shown))
}

async fn remove(
    _admin: Admin,
    path: OrganisationMemberPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.remove_organisation_member(path.organisation, path.user)
        .await
        .map_err(problem)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn show_of_service(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let service = app.load_service(id).await.map_err(store)?;
    let service = service.ok_or_else(not_found)?;
    let own = match service.about.organisation_id {
        Some(id) => app.load_organisation(id).await.map_err(store)?,
        None => None,
    };
    let shown = own.map_or_else(|| json!({}), |own| render(&own));
    Ok(answer::json(StatusCode::OK, &shown))
}

fn render(own: &CountedOrganisation) -> Value {
    let organisation = &own.organisation;
    json!({
        "id": organisation.id,
        "name": organisation.name,
        "active": organisation.is_active,
        "crown": organisation.is_crown,
        "organisation_type": organisation.kind,
        "domains": organisation.domains,
        "count_of_live_services": own.live_services,
        "notes": organisation.notes,
    })
}

fn read_change(body: &Value, schema: &Schema) -> Result<OrganisationChange, Problem> {
    let mut fields = Fields::of(body, schema)?;
    let name = fields.filled_text("name", Some(SERVICE_NAME_CHARS_MAX));
    let name = name.map(|name| name.trim().to_owned());
    if name.as_ref().is_some_and(String::is_empty) {
        fields.refuse("name is too short");
    }
    let change = OrganisationChange {
        name,
        is_active: fields.truth("active"),
        is_crown: fields.truth("crown"),
        kind: fields.word("organisation_type", &KINDS).map(str::to_owned),
        domains: read_domains(&mut fields),
        notes: fields.bounded_text("notes", NOTES_CHARS_MAX),
    };
    fields.finish()?;
    Ok(change)
}

fn read_domains(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let list = match fields.value("domains")? {
        Value::Array(list) if list.len() <= DOMAINS_PER_ORGANISATION_MAX => list,
        _ => {
            fields.refuse("domains is not a list of domains, or too long");
            return None;
        }
    };
    let domains: Vec<String> = list
        .iter()
        .filter_map(Value::as_str)
        .filter(|text| is_domain(text))
        .map(str::to_owned)
        .collect();
    if domains.len() == list.len() {
        return Some(domains);
    }
    fields.refuse("domains is not a list of domains: write one like example.gov.uk");
    None
}

/// Two labels at least, so that nobody owns all of `uk`.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.len() <= DOMAIN_CHARS_MAX && text.contains('.') && text.split('.').all(is_label)
}

fn not_found() -> Problem {
    Problem::not_found(Shape::Internal)
}

fn problem(failure: Failure<OrganisationRefusal>) -> Problem {
    let bad = StatusCode::BAD_REQUEST;
    Problem::of_failure(Shape::Internal, failure, |refusal| match refusal {
        OrganisationRefusal::NotFound => not_found(),
        OrganisationRefusal::NameTaken => Problem::message(bad, "Organisation name already exists"),
        OrganisationRefusal::InUse => Problem::message(
            bad,
            "Cannot archive an organisation with team members or services",
        ),
        OrganisationRefusal::NotAMember => {
            Problem::message(StatusCode::NOT_FOUND, "User not found")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_two_labels_at_least() {
        for (text, want) in [
            ("example.gov.uk", true),
            ("x-y.uk", true),
            ("uk", false),
            ("", false),
            (".uk", false),
            ("a..uk", false),
            ("a@b.uk", false),
            ("a b.uk", false),
        ] {
            assert_eq!(is_domain(text), want, "{text}");
        }
    }
}
