//! Answers that are no success, in the words of OpenAPI. Their bodies are made by `problem.rs`.

use serde_json::{Map, Value, json};

use crate::problem::Shape;
use crate::routes::routes;

/// What clients call the bodies.
pub(super) fn schemas() -> Map<String, Value> {
    let Value::Object(named) = json!({
        "Errors": {
            "type": "object", "required": ["errors", "status_code"],
            "description": "Everything that is wrong at once",
            "properties": {
                "errors": { "type": "array", "items": {
                    "type": "object", "required": ["error", "message"],
                    "properties": {
                        "error": { "type": "string" }, "message": { "type": "string" },
                    },
                } },
                "status_code": { "type": "integer" },
            },
        },
        "Refusal": {
            "description": "Why not, in one of the shapes that existing clients know",
            "anyOf": [
                { "$ref": "#/components/schemas/Message" },
                { "$ref": "#/components/schemas/Errors" },
                { "$ref": "#/components/schemas/PlainErrors" },
            ],
        },
        "Message": {
            "type": "object", "required": ["message", "result"],
            "properties": {
                "message": { "anyOf": [
                    { "type": "string" },
                    { "$ref": "#/components/schemas/MessagesByField" },
                ] },
                "result": { "type": "string", "enum": ["error"] },
            },
        },
        "MessagesByField": {
            "type": "object",
            "additionalProperties": { "type": "array", "items": { "type": "string" } },
        },
        "PlainErrors": {
            "type": "object", "required": ["errors"], "additionalProperties": false,
            "properties": { "errors": { "type": "array", "items": { "anyOf": [
                { "type": "string" },
                { "$ref": "#/components/schemas/FieldError" },
            ] } } },
        },
        "FieldError": {
            "type": "object", "required": ["field", "message"],
            "properties": { "field": { "type": "string" }, "message": { "type": "string" } },
        },
        "Problem": {
            "type": "object", "description": "A problem of RFC 9457: detail says what to do",
            "required": ["type", "title", "status", "detail", "errors"],
            "properties": {
                "type": { "type": "string" },
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "detail": { "type": "string" },
                "errors": { "type": "array", "items": { "type": "string" } },
            },
        },
    }) else {
        unreachable!("it is written as an object");
    };
    named
}

/// Every refusal that some route may give, by its name.
pub(super) fn responses() -> Value {
    let named = routes().flat_map(|route| {
        let shape = Shape::of_route(Some(route.path));
        let statuses = route.refusals().into_iter();
        statuses.map(move |status| (name(status, shape), response(status, shape)))
    });
    Value::Object(named.collect())
}

/// Where that one is.
pub(super) fn reference(status: u16, shape: Shape) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", name(status, shape)) })
}

fn name(status: u16, shape: Shape) -> String {
    format!("{}{status}", body_of(shape).1)
}

/// The content type and the name of a refusal's body.
const fn body_of(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Public => ("application/json", "Errors"),
        Shape::Internal => ("application/json", "Refusal"),
        Shape::Current => ("application/problem+json", "Problem"),
    }
}

fn response(status: u16, shape: Shape) -> Value {
    let (content_type, name) = body_of(shape);
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    let mut told = json!({
        "description": description(status),
        "content": { content_type: { "schema": schema } },
    });
    let header = match status {
        401 => (
            "WWW-Authenticate",
            json!({ "type": "string", "enum": ["Bearer"] }),
        ),
        429 => ("Retry-After", json!({ "type": "integer", "minimum": 1 })),
        _ => return told,
    };
    told["headers"] = json!({ header.0: { "required": true, "schema": header.1 } });
    told
}

const fn description(status: u16) -> &'static str {
    match status {
        400 => "The request says something that can't be done: the body says what",
        401 => "Nobody is named who asks, or the token is not theirs or not for this",
        403 => "Who asks may not",
        404 => "It does not exist, or is not for who asks",
        409 => "It stands otherwise than the request takes it to: read it again",
        413 => "The body is too large",
        415 => "The body is not called what it must be",
        422 => "It is not fit for that, or the Idempotency-Key was another request's",
        429 => "Too often: wait as many seconds as Retry-After says",
        500 => "A fault of the service's own, which its log has under the request's id",
        503 => "Not now: the database or this process is away. Try again in a moment",
        _ => "Refused: the body says why",
    }
}
