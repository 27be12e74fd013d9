//! `POST /service/{service}/broadcast-message`: an author's new draft (R14 to R18). Order of the
//! checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema, with the path's service in it (400)
//! 5. in `app`: the service exists (404)
//! 6. it may broadcast (400)
//! 7. it is active (403)
//! 8. the author exists (404) and may write its alerts (400)
//! 9. the template, where one is named, is the service's (404)
//! 10. the text (400)
//! 11. the areas (400)
//!
//! With an `Idempotency-Key` a repetition is answered the alert as it now is (200).
//!
//! 201: the alert. `personalisation` and `duration` are accepted and dropped.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::create_alert::{Beginning, NewAlert};
use balefire_domain::ids::{ServiceId, TemplateId};
use balefire_domain::limits::REFERENCE_CHARS_MAX;
use serde_json::Value;

use super::render_alert;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, Repeatable, ServicePath, once};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

pub(crate) const BODY: Schema = Schema::Object(&[
    required("service_id", Schema::Id),
    required("created_by", Schema::Id),
    optional(
        "reference",
        Schema::Nullable(&Schema::Bounded(1, REFERENCE_CHARS_MAX)),
    ),
    optional("content", Schema::Nullable(&Schema::Text)),
    optional("template_id", Schema::Nullable(&Schema::Id)),
    optional(
        "personalisation",
        Schema::Nullable(&Schema::Map(&Schema::Any)),
    ),
    optional("duration", Schema::Any),
    optional("starts_at", Schema::Nullable(&Schema::Instant)),
    optional("finishes_at", Schema::Nullable(&Schema::Instant)),
    optional("areas", Schema::Any),
]);

pub(crate) async fn create(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
    repeatable: Repeatable,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let new = NewAlert {
        request: repeatable.of(&body),
        ..read_new(service, &body)?
    };
    let created = once(
        &app,
        new.created_by,
        new.request.as_ref(),
        Box::pin(async {
            let created = app.create_alert(service, &new).await;
            created.map_err(Problem::create)
        }),
    )
    .await?;
    let status = if created.is_repetition {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(answer::json(status, &render_alert(&created.alert)))
}

fn read_new(service: ServiceId, body: &Value) -> Result<NewAlert, Problem> {
    let mut fields = Fields::of(body, &BODY)?;
    let template: Option<TemplateId> = fields.id("template_id");
    if template.is_none() {
        // With a template its text and name are taken where the author gives none.
        fields.require(&["reference", "content"]);
    }
    let named: Option<ServiceId> = fields.id("service_id");
    if named.is_some_and(|named| named != service) {
        fields.refuse("service_id is not the service of the path");
    }
    let created_by = fields.id("created_by");
    let reference = fields.filled_text("reference", Some(REFERENCE_CHARS_MAX));
    let content = fields.filled_text("content", None);
    fields.check_object("personalisation");
    let starts_at = fields.instant("starts_at");
    let finishes_at = fields.instant("finishes_at");
    let areas = fields.value("areas").cloned();
    fields.finish()?;
    let begin = match (template, reference, content) {
        (Some(id), reference, content) => Beginning::Template {
            id,
            reference,
            content,
        },
        (None, Some(reference), Some(content)) => Beginning::Written { reference, content },
        // Both were required above.
        (None, _, _) => return Err(Problem::not_found(Shape::Internal)),
    };
    Ok(NewAlert {
        begin,
        areas,
        starts_at,
        finishes_at,
        created_by: created_by.ok_or_else(|| Problem::not_found(Shape::Internal))?,
        request: None,
    })
}
