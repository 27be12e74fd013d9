//! The OpenAPI 3.1 document, made of the table of the routes. `docs/openapi.json` is a copy, which
//! a test compares.
//!
//! Every status that a route gives is told, with the shape of its body, and no other is given: the
//! web tests and `cargo xtask contract` hold answers against it. Not told are 404 and 405 of paths
//! and methods that are no operation, and what hyper answers to what is no HTTP.

use std::collections::BTreeMap;

use balefire_domain::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use serde_json::{Map, Value, json};

use crate::problem::Shape;
use crate::routes::{Body, Caller, GROUPS, Route, routes};
use crate::schema::Schema;

mod refusals;

/// The document.
pub fn openapi() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let tagged = GROUPS
        .iter()
        .flat_map(|(tag, routes)| routes.iter().map(move |route| (tag, route)));
    for (tag, route) in tagged {
        let methods = paths.entry(route.path).or_default();
        methods.insert(route.method.to_lowercase(), operation(tag, route));
    }
    let tags: Vec<Value> = GROUPS
        .iter()
        .map(|(tag, _)| json!({ "name": tag }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Balefire",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Emergency alerts, from their author to every mobile network. Every \
                answer has an X-EAS-Trace-Id, by which the server's log knows the request.",
        },
        "servers": [{ "url": "/", "description": "The server that gives this document" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": security_schemes(),
            "schemas": schemas(),
            "responses": refusals::responses(),
        },
    })
}

/// What has a name: what is refused, and what the routes say is so called.
fn schemas() -> Value {
    let mut named = refusals::schemas();
    for route in routes() {
        let answers = route
            .answers
            .iter()
            .filter_map(|(_, schema)| schema.as_ref());
        let body = match &route.body {
            Body::Json(schema) => Some(schema),
            Body::None | Body::Cap => None,
        };
        for schema in answers.chain(body) {
            schema.collect_named(&mut named);
        }
    }
    Value::Object(named)
}

fn security_schemes() -> Value {
    json!({
        "notify-admin": client_scheme("notify-admin", "the author application"),
        "govuk-alerts": client_scheme("govuk-alerts", "the public site"),
        "govuk-alerts-publish": client_scheme("govuk-alerts-publish", "what publishes it"),
        "person": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "HS256 with a client's secret, typ balefire-assertion+jwt, for one \
                request of one person: iss (the client), sub (the person's id), aud \
                (balefire), iat, exp (at most 60 s later), jti (16 to 64 characters, used \
                once), htm (the method), htu (the path with its query), sha256 (of the body, \
                in hex), and sid (the person's session) where the client knows it",
        },
        "service": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "HS256, with the claims iss (the service's id) and iat",
        },
    })
}

fn client_scheme(client: &str, what: &str) -> Value {
    json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": format!("HS256 with a secret of the client {client}, {what}: the claims \
            iss ({client}) and iat"),
    })
}

fn operation(tag: &str, route: &Route) -> Value {
    let mut told = json!({
        "operationId": route.operation,
        "tags": [tag],
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
        "security": security(route.caller),
    });
    let (content_type, schema) = match &route.body {
        Body::None => return told,
        Body::Json(schema) => ("application/json", schema.to_json()),
        Body::Cap => {
            let schema = json!({ "type": "string", "format": "binary" });
            ("application/cap+xml", schema)
        }
    };
    let content = json!({ content_type: { "schema": schema } });
    told["requestBody"] = json!({ "required": true, "content": content });
    told
}

/// The names in braces.
pub fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = path_parameters(route.path).map(
        |name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name) }),
    );
    let in_query = route.query.iter().map(|property| {
        json!({
            "name": property.name, "in": "query", "required": property.is_required,
            "schema": property.schema.to_json(),
        })
    });
    let key = route.is_repeatable.then(idempotency_key);
    in_path.chain(in_query).chain(key).collect()
}

/// What a path's parameter is: a UUID, but for the few that the handlers read otherwise.
fn path_schema(name: &str) -> Value {
    match name {
        "token" => json!({ "type": "string", "minLength": 1 }),
        "version" | "days" => json!({ "type": "integer", "minimum": 0 }),
        _ => Schema::Id.to_json(),
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The client's own name for the request: with it, what is sent again is \
            done once, and answered how the alert now stands",
        "schema": {
            "type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
    })
}

fn responses(route: &Route) -> Value {
    let mut told = Map::new();
    for (status, schema) in route.answers {
        told.insert(status.to_string(), success(*status, schema.as_ref()));
    }
    let shape = Shape::of_route(Some(route.path));
    for status in route.refusals() {
        told.insert(status.to_string(), refusals::reference(status, shape));
    }
    Value::Object(told)
}

fn success(status: u16, schema: Option<&Schema>) -> Value {
    let description = match status {
        200 => "Done",
        201 => "Made",
        202 => "Taken",
        204 => "Done: there is nothing more to say",
        _ => "Not now",
    };
    let mut answer = json!({ "description": description });
    if let Some(schema) = schema {
        let content_type = match schema {
            Schema::Plain => "text/plain",
            _ => "application/json",
        };
        answer["content"] = json!({ content_type: { "schema": schema.to_json() } });
    }
    answer
}

fn security(caller: Caller) -> Value {
    match caller {
        Caller::Anybody => json!([]),
        Caller::Admin => json!([{ "notify-admin": [] }]),
        Caller::PublicSite => json!([{ "govuk-alerts": [] }]),
        Caller::Publisher => json!([{ "govuk-alerts-publish": [] }]),
        Caller::ServiceKey => json!([{ "service": [] }]),
        Caller::Person => json!([{ "person": [] }]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The copy that developers read; with `BLESS=1` it is written anew.
    #[test]
    fn the_copy_in_docs_is_this_document() {
        let told = serde_json::to_string_pretty(&openapi()).expect("JSON") + "\n";
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let path = root.join("docs/openapi.json");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &told).expect("docs can be written");
        }
        let copy = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            copy == told,
            "docs/openapi.json is not what the code does: write it by `BLESS=1 cargo test -p \
             balefire-web openapi`"
        );
    }

    #[test]
    fn names_in_braces_are_parameters() {
        let names: Vec<&str> = path_parameters("/service/{service}/x/message={alert}").collect();
        assert_eq!(names, ["service", "alert"]);
    }
}
