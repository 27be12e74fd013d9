//! `GET /v3/providers`: the networks, the ways to each with what was last heard there, and whether
//! somebody has paused it. Order of the checks: 1. as `extract::Asked`. Any person may see it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use balefire_app::App;
use serde_json::{Value, json};

use super::BASE;
use crate::answer;
use crate::extract::Asked;
use crate::problem::{Problem, Shape};
use crate::routes::{Caller, Route};
use crate::schema::{Schema, required};

const ROUTE: Schema = Schema::Object(&[
    required("name", Schema::Text),
    required("heard_at", Schema::Nullable(&Schema::Instant)),
    required("is_good", Schema::Nullable(&Schema::Bool)),
]);
const NETWORK: Schema = Schema::Object(&[
    required("name", Schema::Text),
    required("format", Schema::Word(&["cap", "ibag"])),
    required("is_paused", Schema::Bool),
    required("routes", Schema::List(&ROUTE)),
]);

pub(super) const LIST: Route = Route {
    path: "/v3/providers",
    operation: "list_providers",
    caller: Caller::Person,
    summary: "The networks, and what was last heard on the ways to them",
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "providers",
            Schema::List(&NETWORK),
        )])),
    )],
    handler: || get(list),
    ..BASE
};

async fn list(State(app): State<App>, _asked: Asked) -> Result<Response, Problem> {
    let failed = |error| Problem::store(Shape::Current, &error);
    let results = app.list_route_results().await.map_err(failed)?;
    let pauses = app.list_provider_pauses().await.map_err(failed)?;
    let networks: Vec<Value> = app
        .settings
        .profiles
        .iter()
        .map(|profile| {
            let routes: Vec<Value> = profile
                .routes
                .iter()
                .map(|route| {
                    let name = route.name();
                    let heard = results.iter().find(|heard| {
                        heard.provider == profile.name.as_str() && heard.route == name
                    });
                    json!({
                        "name": name,
                        "heard_at": heard.map(|heard| heard.at.to_json_style()),
                        "is_good": heard.map(|heard| heard.is_good),
                    })
                })
                .collect();
            json!({
                "name": profile.name,
                "format": profile.format.as_str(),
                "is_paused": pauses.iter().any(|pause| pause.provider == profile.name),
                "routes": routes,
            })
        })
        .collect();
    Ok(answer::json(
        StatusCode::OK,
        &json!({ "providers": networks }),
    ))
}
