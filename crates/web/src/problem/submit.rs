//! A CAP document, refused: shape 1, one entry for each thing that is wrong.

use axum::http::StatusCode;
use balefire_app::authenticate::TokenRefusal;
use balefire_app::submit_cap::SubmitRefusal;
use balefire_cap::Finding;
use balefire_domain::cap_cancel::Miss;
use balefire_domain::limits::ALERT_VERSIONS_MAX;

use super::{Name, Problem, Shape};

impl Problem {
    /// A media type other than CAP's.
    pub(crate) fn content_type(given: &str) -> Self {
        let message = format!("Content type {given} not supported");
        Self::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Name::BadRequest,
            message,
        )
    }

    pub(crate) fn submit(refusal: SubmitRefusal) -> Self {
        let (bad, forbidden) = (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN);
        match refusal {
            SubmitRefusal::NotCap(findings) => {
                let tell =
                    |finding: &Finding| format!("Request data is not valid CAP XML: {finding}");
                Self::invalid(Name::BadRequest, errors_of(&findings).map(tell))
            }
            // These texts name their element, and existing clients know them without its path.
            SubmitRefusal::Kind(finding) => Self::error(bad, Name::Validation, finding.message),
            SubmitRefusal::Rules(findings) => {
                Self::invalid(Name::Validation, errors_of(&findings).map(tell_rule))
            }
            SubmitRefusal::Signature(refusal) => {
                let message =
                    format!("This service takes signed documents only. Of this one: {refusal}");
                Self::error(bad, Name::Validation, message)
            }
            SubmitRefusal::Suspended => {
                let message = "Service is suspended: it may cancel its alerts, and nothing else";
                Self::error(forbidden, Name::Auth, message)
            }
            SubmitRefusal::KeyRevoked => Self::token(Shape::Public, TokenRefusal::KeyRevoked),
            SubmitRefusal::TooOften(wait) => Self::too_often(Shape::Public, wait),
            SubmitRefusal::IdentifierTooLong => {
                let message = "identifier must be 255 characters or fewer";
                Self::error(bad, Name::Validation, message)
            }
            SubmitRefusal::Text(refusal) => {
                Self::error(bad, Name::Validation, refusal.message("description"))
            }
            SubmitRefusal::SecondText { language, refusal } => {
                let field = format!("description in {language}");
                Self::error(bad, Name::Validation, refusal.message(&field))
            }
            SubmitRefusal::NotJoined(why) => {
                let message = format!("the circles and polygons can't be joined: {why}");
                Self::error(bad, Name::Validation, message)
            }
            SubmitRefusal::Shape(refusal) => {
                Self::error(bad, Name::Validation, refusal.to_string())
            }
            SubmitRefusal::OtherContent(first) => {
                let message = format!(
                    "broadcast_message {first} came from a document with the same sender, \
                     identifier and sent, but says something else: use a new identifier"
                );
                Self::error(bad, Name::BadRequest, message)
            }
            SubmitRefusal::Cancel(miss) => {
                Self::missed(miss, "Cannot cancel a live broadcast with a test API key")
            }
            SubmitRefusal::Update(miss) => {
                let words = "Cannot update a live broadcast with a test API key, or from training";
                Self::missed(miss, words)
            }
            SubmitRefusal::TooManyVersions => {
                let message = format!(
                    "This alert was changed {ALERT_VERSIONS_MAX} times, which is the most: cancel \
                     it and send a new one"
                );
                Self::error(bad, Name::BadRequest, message)
            }
        }
    }

    fn missed(miss: Miss, live_with_test_key: &str) -> Self {
        match miss {
            Miss::NotFound => Self::not_found(Shape::Public),
            Miss::Ambiguous => {
                let message = "Multiple alerts found for these references: name one alert by its \
                               sender,identifier,sent";
                Self::error(StatusCode::BAD_REQUEST, Name::BadRequest, message)
            }
            Miss::LiveWithTestKey => {
                Self::error(StatusCode::FORBIDDEN, Name::Auth, live_with_test_key)
            }
        }
    }
}

fn errors_of(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| finding.is_error())
}

/// A broken rule with its place. What concerns the message as a whole needs none.
fn tell_rule(finding: &Finding) -> String {
    if finding.path == "alert" {
        finding.message.clone()
    } else {
        finding.to_string()
    }
}
