//! A place in a text that somebody forgot to fill never reaches a phone: `((name))` is refused in
//! what people write, and plain text in a document (D11).

use balefire_app::propose_update::UpdateChange;
use balefire_domain::permission::Permission;
use serde_json::json;

use crate::documents::alert;
use crate::support::*;

const TOLD: &str = "Content: nothing would be put in the place of the ((…)) at position 7: write \
                    there what people should read";
const UNFILLED: &str = "Leave ((place)) now.";

#[tokio::test]
async fn what_people_write_has_no_place_left_to_fill() {
    let web = TestWeb::start().await;
    let by = web.live.author;
    let new = |content: &str| {
        json!({
            "service_id": web.live.id, "created_by": by, "reference": "r", "content": content,
            "areas": { "names": ["A"], "simple_polygons":
                [[[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]]] },
        })
    };
    let alerts = alerts_path(web.live.id);
    let refused = web.post(&alerts, &new(UNFILLED)).await;
    refused.assert_internal_error(400, TOLD);
    let id = web.post(&alerts, &new("Leave (now).")).await.alert();
    let path = alert_path(web.live.id, id);
    let change = json!({ "content": UNFILLED, "created_by": by });
    web.post(&path, &change)
        .await
        .assert_internal_error(400, TOLD);
    let writer = web
        .somebody("writer", Some(&[Permission::ManageTemplates]), false)
        .await;
    let template = json!({
        "reference": "Flood", "template_type": "broadcast", "content": UNFILLED,
        "service": web.live.id, "created_by": writer,
    });
    let path = format!("/service/{}/template", web.live.id);
    let refused = web.post(&path, &template).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text.contains("at position 7"), "{refused:?}");
    let mut right = template.clone();
    right["content"] = json!("Go uphill.");
    let made = web.post(&path, &right).await.json();
    let one = format!("{path}/{}", made["data"]["id"].as_str().unwrap());
    let change = json!({ "content": UNFILLED, "created_by": writer });
    assert_eq!(web.post(&one, &change).await.status, 400);
}

#[tokio::test]
async fn what_was_written_before_that_was_refused_is_neither_submitted_nor_approved() {
    let web = TestWeb::start().await;
    let by = web.live.author;
    let new = json!({
        "service_id": web.live.id, "created_by": by, "reference": "r", "content": "Leave it now.",
        "areas": { "names": ["A"], "simple_polygons":
            [[[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]]] },
    });
    let alerts = alerts_path(web.live.id);
    let draft = web.post(&alerts, &new).await.alert();
    let pending = web.post(&alerts, &new).await.alert();
    let submitted = web.change_status(pending, "pending-approval", by).await;
    assert_eq!(submitted.status, 200, "{submitted:?}");
    web.execute("UPDATE alerts SET text = 'Leave ((place)) now.'")
        .await;
    web.change_status(draft, "pending-approval", by)
        .await
        .assert_internal_error(400, TOLD);
    let approver = web.live.approver;
    let check = format!("{}/check-status", alert_path(web.live.id, pending));
    let body = json!({ "status": "broadcasting", "created_by": approver });
    web.post(&check, &body)
        .await
        .assert_internal_error(400, TOLD);
    web.change_status(pending, "broadcasting", approver)
        .await
        .assert_internal_error(400, TOLD);
    // It can still be thrown away.
    assert_eq!(
        web.change_status(pending, "rejected", approver)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn in_a_document_it_is_plain_text_and_in_an_edit_of_it_none() {
    let web = TestWeb::start().await;
    let document = alert("plain").replace("Go to high ground", "Leave ((place)) now");
    let id = web.post_cap(&web.live.normal, &document).await.alert();
    let change = json!({ "content": UNFILLED, "created_by": web.live.author });
    let refused = web.post(&alert_path(web.live.id, id), &change).await;
    refused.assert_internal_error(400, TOLD);
    let approved = web
        .change_status(id, "broadcasting", web.live.approver)
        .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    let change = UpdateChange {
        content: Some(UNFILLED.to_owned()),
        areas: None,
        by: web.live.author,
    };
    let proposed = web
        .app
        .propose_update(web.live.id, id, &change, false)
        .await;
    assert!(
        format!("{proposed:?}").contains("Placeholder"),
        "{proposed:?}"
    );
}
