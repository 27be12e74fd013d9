//! What belongs to another service does not exist, on every route.

use balefire_domain::ids::{AlertId, ServiceId};
use serde_json::json;

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
