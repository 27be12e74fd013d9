//! What belongs to another service does not exist, on every route.

use balefire_domain::ids::{AlertId, ServiceId};
use balefire_web::{Body, Caller, Property, Route, Schema, path_parameters, routes};
use serde_json::{Value, json};

use crate::documents::{alert, cancel, triple};
use crate::support::*;

#[tokio::test]
async fn another_service_s_alert_is_404_on_every_route() {
    let web = TestWeb::start().await;
    let foreign = web
        .post_cap(&web.other.normal, &alert("foreign"))
        .await
        .alert();
    let unknown = AlertId::new(web.live.id.uuid());
    let nowhere = ServiceId::new(web.live.author.uuid());
    let stored = web.stored().await;
    let change = json!({ "content": "x", "created_by": web.live.author }).to_string();
    let status = json!({ "status": "rejected", "created_by": web.live.author }).to_string();
    let pairs = [
        (web.live.id, foreign),
        (web.live.id, unknown),
        (nowhere, foreign),
        (nowhere, unknown),
    ];
    for (service, id) in pairs {
        for (method, path, body) in [
            ("GET", alert_path(service, id), ""),
            ("POST", alert_path(service, id), change.as_str()),
            ("POST", status_path(service, id), status.as_str()),
            ("GET", statuses_path(service, id), ""),
        ] {
            let answer = web.send(web.request(method, &path, body.to_owned())).await;
            answer.assert_internal_error(404, "No result found");
        }
    }
    let list = web.get(&alerts_path(nowhere)).await;
    list.assert_internal_error(404, "No result found");
    let body = json!({
        "service_id": nowhere, "created_by": web.live.author, "reference": "r", "content": "c",
    });
    let created = web.post(&alerts_path(nowhere), &body).await;
    created.assert_internal_error(404, "No result found");
    let cancelled = web
        .post_cap(&web.live.normal, &cancel(&triple("foreign")))
        .await;
    cancelled.assert_public_error(404, "NoResultFound");
    assert_eq!(web.stored().await, stored);
    let own = web.get(&alerts_path(web.live.id)).await;
    assert_eq!(own.json(), json!({ "broadcast_messages": [] }));
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_uuid_names_nothing() {
    let web = TestWeb::start().await;
    let id = web.post_cap(&web.live.normal, &alert("own")).await.alert();
    let service = web.live.id;
    for path in [
        "/service/x/broadcast-message".to_owned(),
        format!("/service/{service}/broadcast-message/x"),
        format!("/service/x/broadcast-message/{id}"),
        format!("/service/{service}/broadcast-message/%ff"),
        format!("/service/{service}/broadcast-message/%00"),
        format!(
            "/service/{service}/broadcast-message/{}",
            id.uuid().simple()
        ),
        format!("/service/{service}/broadcast-message/{id}%20"),
        format!("/service/{service}/broadcast-message/x/provider-statuses"),
        format!("/service/{service}/broadcast-message/message="),
        format!("/service/{service}/broadcast-message/message=x"),
        format!("/service/{service}/broadcast-message/message=message={id}"),
    ] {
        let answer = web.get(&path).await;
        answer.assert_internal_error(404, "No result found");
    }
    for path in [
        "/service/x/broadcast-message".to_owned(),
        format!("/service/{service}/broadcast-message/x"),
        format!("/service/{service}/broadcast-message/x/status"),
    ] {
        // Also where the body is wrong: an address that names nothing is told first.
        let answer = web.post(&path, &json!({})).await;
        answer.assert_internal_error(404, "No result found");
    }
}

/// A value that a schema takes; a person, where one is named, is the author of the live service.
fn sample(property: &Property, web: &TestWeb) -> Value {
    let person = [
        "created_by",
        "updated_by",
        "from_user",
        "user_id",
        "approved_by",
        "reviewed_by",
    ];
    if person.contains(&property.name) {
        return json!(web.live.author);
    }
    if property.name == "service" || property.name == "service_id" {
        return json!(web.live.id);
    }
    sample_of(&property.schema, web)
}

fn sample_of(schema: &Schema, web: &TestWeb) -> Value {
    match schema {
        Schema::Bool => json!(true),
        Schema::Integer | Schema::Number => json!(1),
        Schema::Bounded(min, _) => json!("0".repeat((*min).max(1))),
        Schema::Id => json!(web.live.author),
        Schema::Instant => json!("2026-11-23T04:09:03Z"),
        Schema::Word(words) => json!(words[0]),
        Schema::Nullable(schema) => sample_of(schema, web),
        Schema::List(schema) => json!([sample_of(schema, web)]),
        Schema::Map(_) => json!({}),
        Schema::Object(properties) => {
            let required = properties.iter().filter(|property| property.is_required);
            required
                .map(|property| (property.name.to_owned(), sample(property, web)))
                .collect()
        }
        Schema::Either(schemas) => sample_of(&schemas[0], web),
        _ => json!("text"),
    }
}

/// The table's routes of the author's client that have an id in their path, each with ids that are
/// another service's, or nobody's.
fn foreign_paths(route: &Route, web: &TestWeb, foreign: AlertId) -> Vec<String> {
    let unknown = "00000000-0000-4000-8000-00000000abcd";
    let fill = |service: &str, other: &str, alert: &str| {
        path_parameters(route.path).fold(route.path.to_owned(), |path, name| {
            let value = match name {
                "service" => service,
                "alert" => alert,
                "days" | "version" => "1",
                _ => other,
            };
            path.replace(&format!("{{{name}}}"), value)
        })
    };
    let (own, others) = (web.live.id.to_string(), web.other.id.to_string());
    let alert = foreign.to_string();
    let mut paths = vec![fill(unknown, unknown, unknown)];
    let is_only_service = path_parameters(route.path).all(|name| name == "service");
    if !is_only_service {
        paths.push(fill(&own, unknown, unknown));
        paths.push(fill(&own, &others, &alert));
    }
    paths
}

#[tokio::test]
async fn sec_47_no_route_of_the_table_tells_or_does_anything_by_a_foreign_id() {
    let web = TestWeb::start().await;
    let text = "only theirs may read this";
    let theirs = alert("theirs").replace("Go to high ground", text);
    let foreign = web.post_cap(&web.other.normal, &theirs).await.alert();
    let stored = web.stored().await;
    let (mut asked, mut wrong) = (0, Vec::new());
    for route in routes().filter(|route| route.caller == Caller::Admin) {
        if path_parameters(route.path).next().is_none() {
            continue;
        }
        let body = match &route.body {
            Body::Json(schema) => sample_of(schema, &web).to_string(),
            Body::None | Body::Cap => String::new(),
        };
        for path in foreign_paths(route, &web, foreign) {
            let answer = web
                .send(web.request(route.method, &path, body.clone()))
                .await;
            let name = format!("{} {path}: {} {}", route.method, answer.status, answer.text);
            // A token that opens nothing is a mistake of its own (400).
            let is_told = route.method == "GET" && !route.path.contains("{token}");
            let is_right = answer.status.is_client_error()
                && !answer.text.contains(text)
                && (!is_told || answer.status == 404);
            if !is_right {
                wrong.push(name);
            }
            asked += 1;
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(asked > 100, "{asked}");
    assert_eq!(web.stored().await, stored);
    assert_eq!(web.log.errors(), [""; 0]);
}
