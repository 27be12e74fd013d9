//! The OpenAPI 3.1 document, made of the table of the routes. `docs/openapi.json` is a copy, which
//! a test compares.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::routes::{Body, Caller, Route, routes};
use crate::schema::Schema;

/// The document.
pub fn openapi() -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes() {
        let methods = paths.entry(route.path).or_default();
        methods.insert(route.method.to_lowercase(), operation(route));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Balefire",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Emergency alerts, from their author to every mobile network.",
        },
        "paths": paths,
        "components": { "securitySchemes": {
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
        } },
    })
}

fn client_scheme(client: &str, what: &str) -> Value {
    json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": format!("HS256 with a secret of the client {client}, {what}: the claims \
            iss ({client}) and iat"),
    })
}

fn operation(route: &Route) -> Value {
    let mut told = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
        "security": security(route.caller),
    });
    let (content_type, schema) = match &route.body {
        Body::None => return told,
        Body::Json(schema) => ("application/json", schema.to_json()),
        Body::Cap => ("application/cap+xml", json!({ "type": "string" })),
    };
    let content = json!({ content_type: { "schema": schema } });
    told["requestBody"] = json!({ "required": true, "content": content });
    told
}

/// `post_service_service_broadcast_message`: unique, because method and path are.
fn operation_id(route: &Route) -> String {
    let path: String = route
        .path
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let words: Vec<&str> = path.split('_').filter(|word| !word.is_empty()).collect();
    format!("{}_{}", route.method.to_lowercase(), words.join("_"))
}

/// The names in braces.
pub fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = path_parameters(route.path).map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let in_query = route.query.iter().map(|property| {
        json!({
            "name": property.name, "in": "query", "required": property.is_required,
            "schema": property.schema.to_json(),
        })
    });
    in_path.chain(in_query).collect()
}

fn responses(route: &Route) -> Value {
    let mut told = Map::new();
    for (status, schema) in route.answers {
        let mut answer = json!({ "description": "Done" });
        if let Some(schema) = schema {
            let content_type = match schema {
                Schema::Plain => "text/plain",
                _ => "application/json",
            };
            answer["content"] = json!({ content_type: { "schema": schema.to_json() } });
        }
        told.insert(status.to_string(), answer);
    }
    told.insert(
        "default".to_owned(),
        json!({ "description": "Refused: the body says why" }),
    );
    Value::Object(told)
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
