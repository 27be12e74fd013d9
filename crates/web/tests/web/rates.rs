//! A key that asks too often has to wait, unless it cancels.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use balefire_domain::time::Clock as _;

use crate::documents::{alert, cancel, triple};
use crate::support::*;

async fn limited(per_minute: u32) -> TestWeb {
    TestWeb::start_with(|state| state.limits.requests_per_minute_per_key = per_minute).await
}

#[tokio::test]
async fn a_key_that_posts_too_often_waits_and_still_cancels() {
    let web = limited(2).await;
    let key = &web.live.normal;
    for name in ["first", "second"] {
        assert_eq!(web.post_cap(key, &alert(name)).await.status, 201);
    }
    let third = web.post_cap(key, &alert("third")).await;
    third.assert_public_error(429, "RateLimitError");
    assert_eq!(third.headers["retry-after"], "30");
    // What must never wait: the same key takes an alert back.
    let cancelled = web.post_cap(key, &cancel(&triple("first"))).await;
    assert_eq!(cancelled.status, 201, "{}", cancelled.text);
    // Another key has its own allowance.
    assert_eq!(
        web.post_cap(&web.other.normal, &alert("other"))
            .await
            .status,
        201
    );
    web.clock.advance(Duration::from_secs(31));
    assert_eq!(web.post_cap(key, &alert("third")).await.status, 201);
}

#[tokio::test]
async fn whatever_a_key_asks_counts_and_a_wrong_token_costs_nobody() {
    let web = limited(1).await;
    let options = |token: String| {
        Request::builder()
            .method("OPTIONS")
            .uri("/v2/broadcast")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap()
    };
    let forged = Key {
        secret: "00000000-0000-0000-0000-000000000000".to_owned(),
        ..web.live.normal.clone()
    };
    let refused = web.send(options(forged.token(web.clock.now()))).await;
    assert_eq!(refused.status, 403);
    let token = web.live.normal.token(web.clock.now());
    assert_eq!(web.send(options(token.clone())).await.status, 200);
    assert_eq!(web.send(options(token)).await.status, 429);
}

#[tokio::test]
async fn without_a_limit_nobody_waits() {
    let web = limited(0).await;
    for number in 0..20 {
        let document = alert(&format!("number-{number}"));
        assert_eq!(web.post_cap(&web.live.normal, &document).await.status, 201);
    }
}
