//! Lambda as far as `moto` plays it without containers: every name is a function, which answers
//! what the test has told it, or gives back what it was sent.

use std::sync::Arc;
use std::time::Duration;

use balefire_aws::Lambda;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::{Capabilities, Route};
use balefire_domain::time::Clock;
use balefire_gateway::{SendRequest, Wire};
use balefire_test_support::moto::Moto;
use serde_json::json;

use crate::admin::{CONNECT_MAX, RealClock, account, call};

const OURS: &str = "0f3f2b9e-6f0e-4d0c-9a3e-5d1f4c2b7a10";
fn request(function: &str) -> SendRequest {
    SendRequest {
        route: Route {
            proxy: function.to_owned(),
            site: None,
        },
        delivery: OURS.parse().unwrap(),
        capabilities: Capabilities {
            dedup: true,
            shared_sites: true,
            update: false,
            success_is_accepted: true,
            own_protocol: true,
            second_language: false,
        },
        stored_payload: format!(r#"{{"message_type":"alert","identifier":"{OURS}"}}"#).into(),
        lane: "01a/ee".to_owned(),
        seq: 1,
        deadline_at: RealClock.now() + Duration::from_secs(20),
    }
}

#[tokio::test]
async fn functions_of_lambda_are_invoked_and_believed_as_the_table_says() {
    let moto = Moto::start().await;
    let plain = json!({ "lambda": { "use_docker": false } }).to_string();
    call(&moto, "moto", "POST", "/moto-api/config", &[], plain).await;
    let answers = json!({
        "results": [
            json!({ "identifier": OURS, "outcome": "duplicate" }).to_string(),
            json!({ "identifier": "another", "outcome": "accepted" }).to_string(),
            "{\"identifier\":",
        ],
        "region": "eu-west-2",
    });
    let path = "/moto-api/static/lambda-simple/response";
    call(&moto, "moto", "POST", path, &[], answers.to_string()).await;

    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let wire = Wire::new(CONNECT_MAX, None, clock).unwrap();
    let lambda = Lambda::new(&account().await, wire, Some(moto.url()));
    let rows = [
        ("ee-1-proxy", Outcome::Duplicate, 200),
        ("ee-1-proxy", Outcome::Unknown, 200),
        ("ee-1-proxy", Outcome::Unknown, 200),
        // Without an answer of its own it gives back the payload: our identifier, no outcome.
        ("ee-1-proxy", Outcome::Accepted, 200),
    ];
    for (function, outcome, status) in rows {
        let answered = lambda.send(request(function)).await;
        let told = format!("{function}, {outcome:?}: {}", answered.detail);
        assert_eq!(answered.outcome, outcome, "{told}");
        assert_eq!(answered.http_status, Some(status), "{told}");
    }
}
