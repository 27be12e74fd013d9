//! Faults of ours: the database is gone, or broken; a handler panics; a request takes too long.
//! The answer says no more than it must; the log has it once, with the request's id.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use balefire_store::{DatabaseUrl, Store};
use futures_util::stream;
use serde_json::json;

use crate::documents::alert;
use crate::support::*;

fn assert_logged_once(web: &TestWeb, answer: &Answer) {
    let errors = web.log.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let id = answer.headers["x-eas-trace-id"].to_str().unwrap();
    assert!(
        errors[0].contains(id) && errors[0].contains("http.fault"),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_database_that_is_gone_is_503() {
    let web = TestWeb::start().await;
    web.app.store.close().await;
    let answer = web.get(&alerts_path(web.live.id)).await;
    answer.assert_internal_error(503, "The database can't be reached: try again in a moment");
    // No fault of ours, and each request would tell of it.
    assert!(web.log.errors().is_empty(), "{:?}", web.log.errors());
    let told = web.log.with("http.unavailable");
    let id = answer.headers["x-eas-trace-id"].to_str().unwrap();
    assert!(told.len() == 1 && told[0].contains(id), "{told:?}");
    let answer = web.post_cap(&web.live.normal, &alert("lost")).await;
    answer.assert_public_error(503, "ServiceUnavailable");
    let body = json!({
        "service_id": web.live.id, "created_by": web.live.author, "reference": "r", "content": "c",
    });
    let answer = web.post(&alerts_path(web.live.id), &body).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn a_database_that_is_broken_is_500_and_says_nothing_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("empty.db").display());
    let empty = Store::open(&url.parse::<DatabaseUrl>().unwrap())
        .await
        .unwrap();
    let web = TestWeb::start_with(|state| state.app.store = empty).await;
    let answer = web.get(&alerts_path(web.live.id)).await;
    answer.assert_internal_error(500, "Internal server error");
    assert_logged_once(&web, &answer);
    assert!(
        web.log.errors()[0].contains("no such table"),
        "the log says what it was"
    );
    let answer = web.post_cap(&web.live.normal, &alert("lost")).await;
    answer.assert_public_error(500, "InternalServerError");
    assert_eq!(answer.message(), "Internal server error");
}

#[tokio::test]
async fn a_panic_ends_a_request_and_not_the_process() {
    let web = TestWeb::start_with(|state| {
        state.readiness = Arc::new(|| panic!("a planted panic"));
    })
    .await;
    let answer = web.get("/_api_status/ready").await;
    answer.assert_internal_error(500, "Internal server error");
    assert_eq!(answer.headers["server"], "balefire");
    assert_logged_once(&web, &answer);
    assert!(web.log.errors()[0].contains("a planted panic"));
    assert_eq!(web.get("/_api_status").await.status, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503() {
    let web = TestWeb::start().await;
    // From here on waiting takes no time.
    tokio::time::pause();
    let id = balefire_domain::ids::AlertId::new(web.live.id.uuid());
    let endless = Body::from_stream(stream::pending::<Result<bytes::Bytes, Infallible>>());
    let request = web.request("POST", &alert_path(web.live.id, id), endless);
    let answer = web.send(request).await;
    answer.assert_internal_error(503, "The request took too long: try again");
    assert_eq!(answer.headers["connection"], "close");
}
