//! An alert as existing clients read it: exactly 30 keys (`http.md` 1.3), and one more,
//! `second_language`, where the alert has a text in a second language: who approves must see it.

use balefire_app::Alert;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::schema::{Property, Schema, optional, required};

/// The words of an alert's status.
pub(crate) const STATUSES: [&str; 8] = [
    "draft",
    "pending-approval",
    "rejected",
    "broadcasting",
    "completed",
    "cancelled",
    "technical-failure",
    "returned",
];

const INSTANT: Schema = Schema::Nullable(&Schema::Instant);
const ID: Schema = Schema::Nullable(&Schema::Id);
const TEXT: Schema = Schema::Nullable(&Schema::Text);

/// What [`render_alert`] makes.
pub(crate) const ALERT: Schema = Schema::Named("Alert", &Schema::Object(ALERT_PROPERTIES));
/// Its properties.
pub(crate) const ALERT_PROPERTIES: &[Property] = &[
    required("id", Schema::Id),
    required("reference", TEXT),
    required("cap_event", TEXT),
    required("service_id", Schema::Id),
    required("template_id", ID),
    required("template_version", Schema::Nullable(&Schema::Integer)),
    required("template_name", TEXT),
    required("personalisation", Schema::Any),
    required("content", Schema::Text),
    required("extra_content", TEXT),
    required("areas", Schema::Any),
    required("status", Schema::Word(&STATUSES)),
    required("duration", Schema::Nullable(&Schema::Number)),
    required("starts_at", INSTANT),
    required("finishes_at", INSTANT),
    required("created_at", Schema::Instant),
    required("approved_at", INSTANT),
    required("cancelled_at", INSTANT),
    required("rejected_at", INSTANT),
    required("updated_at", INSTANT),
    required("submitted_at", INSTANT),
    required("created_by_id", ID),
    required("submitted_by_id", ID),
    required("updated_by_id", ID),
    required("approved_by_id", ID),
    required("cancelled_by_id", ID),
    required("rejected_by_id", ID),
    required("rejection_reason", TEXT),
    required("rejected_by_api_key_id", ID),
    required("finished_govuk_acknowledged", Schema::Bool),
    optional(
        "second_language",
        Schema::Object(&[
            required("language", Schema::Text),
            required("content", Schema::Text),
        ]),
    ),
];

/// Microseconds in a second.
const SECOND_US: f64 = 1_000_000.0;

/// The alert as a JSON object. Dates are `2026-11-23T04:09:03.099744Z` or null, the duration is in
/// seconds or null, areas are as they were stored.
pub(crate) fn render_alert(alert: &Alert) -> Value {
    let mut shown = json!({
        "id": alert.id,
        "reference": alert.reference,
        "cap_event": alert.cap_event,
        "service_id": alert.service_id,
        "template_id": alert.made_of.as_ref().map(|of| of.template),
        "template_version": alert.made_of.as_ref().map(|of| of.version),
        "template_name": alert.made_of.as_ref().map(|of| of.name.as_str()),
        "personalisation": null,
        "content": alert.content,
        "extra_content": alert.extra_content,
        "areas": alert.areas,
        "status": alert.status.as_str(),
        "duration": alert.duration_us.map(seconds),
        "starts_at": alert.starts_at.map(Timestamp::to_json_style),
        "finishes_at": alert.finishes_at.map(Timestamp::to_json_style),
        "created_at": alert.created_at.to_json_style(),
        "approved_at": alert.approved_at.map(Timestamp::to_json_style),
        "cancelled_at": alert.cancelled_at.map(Timestamp::to_json_style),
        "rejected_at": alert.rejected_at.map(Timestamp::to_json_style),
        "updated_at": alert.updated_at.map(Timestamp::to_json_style),
        "submitted_at": alert.submitted_at.map(Timestamp::to_json_style),
        "created_by_id": alert.created_by,
        "submitted_by_id": alert.submitted_by,
        "updated_by_id": alert.updated_by,
        "approved_by_id": alert.approved_by,
        "cancelled_by_id": alert.cancelled_by,
        "rejected_by_id": alert.rejected_by,
        "rejection_reason": alert.rejection_reason,
        "rejected_by_api_key_id": alert.rejected_by_api_key_id,
        "finished_govuk_acknowledged": alert.is_acknowledged,
    });
    if let Some(second) = &alert.second {
        shown["second_language"] = json!({
            "language": second.language, "content": second.content,
        });
    }
    shown
}

#[expect(
    clippy::cast_precision_loss,
    reason = "durations are at most a year, far below 2^53 microseconds"
)]
pub(crate) fn seconds(us: i64) -> f64 {
    us as f64 / SECOND_US
}
