//! `POST /v2/broadcast`: a CAP document. Order of the checks (D43):
//!
//! 1. `Content-Length` over the limit (413)
//! 2. `X-Custom-Forwarder`, where it is asked for (403)
//! 3. token (401, 403)
//! 4. the key's type (403)
//! 5. the service's permission (400)
//! 6. content type (415)
//! 7. the body is read, at most the limit (413)
//! 8. in `app`: XML and structure (400)
//! 9. status and msgType (400)
//! 10. a key that asked too often (429), or may only cancel (403), or a service that is suspended
//!     (403), unless it is a Cancel: that is never kept waiting
//! 11. CAP's rules (400)
//! 12. of a Cancel: the alert that it names (404, 400, 403), and no more
//! 13. the text (400)
//! 14. the areas (400)
//! 15. the identity: a repetition (200) or a contradiction (400)
//! 16. of an Update: the alert that it names (404, 400, 403)
//!
//! 201: a new alert, or the alert that was cancelled, rejected or edited, or that an update was
//! proposed of: that one is answered as it is on the air, since nothing of it has changed yet.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::submit_cap::Sender;

use crate::answer;
use crate::api::broadcast_message::render_alert;
use crate::extract::{Author, CapBody};
use crate::problem::{Problem, Shape};

pub(crate) async fn post(
    State(app): State<App>,
    Author { holder, wait }: Author,
    CapBody(document): CapBody,
) -> Result<Response, Problem> {
    let sender = Sender {
        wait,
        ..Sender::from(&holder)
    };
    let submitted = app
        .submit_cap(&sender, document.into())
        .await
        .map_err(|failure| Problem::of_failure(Shape::Public, failure, Problem::submit))?;
    let status = if submitted.is_repetition {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok(answer::json(status, &render_alert(&submitted.alert)))
}
