//! `POST /service/{service}/broadcast-message/{alert}/alert-summary-email`: the summary of an alert
//! by e-mail to whoever asks. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. in `app`: the alert exists, and is this service's (404)
//! 6. the person exists (404) and belongs to the service (400)
//!
//! 200: `{}`; the e-mail goes as a job. It has words alone: `geojson`, `wkt`, `cap_xml` and
//! `ibag_xml` are taken and not attached.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::summarise_alert::Summary;
use balefire_domain::limits::POLYGONS_MAX;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{Admin, AlertPath, Fields, JsonBody};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

/// Characters of each text of a summary; the e-mail shows less.
const TEXT_CHARS_MAX: usize = 20_000;
const TEXT: Schema = Schema::Bounded(0, TEXT_CHARS_MAX);
/// A text, or a number that stands for one.
const WORDS: Schema = Schema::Either(&[TEXT, Schema::Number]);

pub(crate) const BODY: Schema = Schema::Object(&[
    required("created_by", Schema::Id),
    required("geojson", Schema::Any),
    required("alert_summary", TEXT),
    required("phone_estimate", WORDS),
    required("duration", WORDS),
    required("wkt", Schema::Text),
    required("areas", Schema::List(&Schema::Text)),
    optional("cap_xml", Schema::Nullable(&Schema::Text)),
    optional("ibag_xml", Schema::Nullable(&Schema::Text)),
]);

pub(crate) async fn send_summary(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let summary = read_summary(&body)?;
    app.summarise_alert(path.service, path.alert, &summary)
        .await
        .map_err(|failure| Problem::summarise(path.alert, summary.by, failure))?;
    Ok(answer::json(StatusCode::OK, &json!({})))
}

fn read_summary(body: &Value) -> Result<Summary, Problem> {
    let mut fields = Fields::of(body, &BODY)?;
    let by = fields.id("created_by");
    let summary = fields.bounded_text("alert_summary", TEXT_CHARS_MAX);
    let phones = words(&mut fields, "phone_estimate");
    let duration = words(&mut fields, "duration");
    for name in ["wkt", "cap_xml", "ibag_xml"] {
        let value = fields.value(name);
        let is_shape = |text: &str| text.starts_with("POLYGON") || text.starts_with("MULTIPOLYGON");
        match value.map(Value::as_str) {
            Some(None) => fields.refuse(format!("{name} is not of type string")),
            Some(Some(text)) if name == "wkt" && !is_shape(text) => {
                fields.refuse("wkt does not begin with POLYGON or MULTIPOLYGON");
            }
            Some(Some(_)) | None => {}
        }
    }
    let areas = read_areas(&mut fields);
    fields.finish()?;
    Ok(Summary {
        // It was required above.
        by: by.ok_or_else(|| Problem::not_found(Shape::Internal))?,
        summary: summary.unwrap_or_default(),
        areas,
        phones,
        duration,
    })
}

fn words(fields: &mut Fields<'_>, name: &str) -> String {
    match fields.value(name) {
        Some(Value::Number(number)) => number.to_string(),
        _ => fields
            .bounded_text(name, TEXT_CHARS_MAX)
            .unwrap_or_default(),
    }
}

fn read_areas(fields: &mut Fields<'_>) -> Vec<String> {
    let Some(Value::Array(areas)) = fields.value("areas") else {
        fields.refuse("areas is not of type array");
        return Vec::new();
    };
    let names: Vec<String> = areas
        .iter()
        .filter_map(|area| area.as_str().map(str::to_owned))
        .collect();
    if names.len() < areas.len() || names.len() > POLYGONS_MAX {
        fields.refuse(format!(
            "areas is not a list of at most {POLYGONS_MAX} names"
        ));
    }
    names
}
