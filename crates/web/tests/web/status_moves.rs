//! `POST …/status`: the order of its checks, the table of moves, who may do what (R36 to R40, D8,
//! D9, D40).

use std::time::Duration;

use balefire_domain::alert::{Mover, ServiceState, Status};
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;

const INACTIVE: &str = "Updating broadcast message is not allowed: service is inactive ";

async fn draft_of(web: &TestWeb, team: &Tenant, areas: bool) -> AlertId {
    let mut body = json!({
        "service_id": team.id, "created_by": team.author,
        "reference": "r", "content": "Go uphill now.",
    });
    if areas {
        let ring = [[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]];
        body["areas"] = json!({ "names": ["A"], "simple_polygons": [ring] });
    }
    let answer = web.post(&alerts_path(team.id), &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.alert()
}

/// Puts an alert where no move leads.
async fn put(web: &TestWeb, id: AlertId, status: Status) {
    let now = web.clock.now();
    let mut tx = web.app.store.begin("put", now).await.unwrap();
    let mut alert = tx.lock_alert(id).await.unwrap().unwrap();
    alert.status = status;
    let stamped = Some(now);
    match status {
        Status::Broadcasting | Status::Completed | Status::TechnicalFailure => {
            alert.approved_at = stamped;
            (alert.starts_at, alert.finishes_at) = (stamped, Some(now + Duration::from_secs(3600)));
        }
        Status::Cancelled => {
            (alert.approved_at, alert.cancelled_at) = (stamped, stamped);
            (alert.starts_at, alert.finishes_at) = (stamped, Some(now + Duration::from_secs(3600)));
        }
        Status::Rejected => alert.rejected_at = stamped,
        Status::Draft | Status::PendingApproval | Status::Returned => {}
    }
    tx.update_alert(&alert).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_request_that_breaks_every_rule_is_told_them_in_order() {
    let web = TestWeb::start().await;
    let id = draft_of(&web, &web.live, false).await;
    web.set_state(web.live.id, ServiceState::Suspended).await;
    let nobody = UserId::new(web.live.id.uuid());
    let unknown = AlertId::new(web.live.id.uuid());
    let mut body = json!({ "status": "nonsense", "created_by": nobody, "extra": 1 });
    let mut path = status_path(web.live.id, unknown);

    let mut request = web.request("POST", &path, "x".repeat(BODY_BYTES_MAX + 1));
    request.headers_mut().remove("authorization");
    let length = (BODY_BYTES_MAX + 1).into();
    request.headers_mut().insert("content-length", length);
    assert_eq!(web.send(request).await.status, 413, "1. the size");
    let mut request = web.request("POST", &path, "{");
    request.headers_mut().remove("authorization");
    assert_eq!(web.send(request).await.status, 401, "2. the token");
    let answer = web.send(web.request("POST", &path, "{")).await;
    answer.assert_public_error(400, "BadRequestError");
    let answer = web.post(&path, &body).await;
    answer.assert_public_error(400, "ValidationError");
    assert_eq!(
        answer.json()["errors"].as_array().unwrap().len(),
        2,
        "4. the schema"
    );
    body.as_object_mut().unwrap().remove("extra");
    body["status"] = json!("broadcasting");
    let answer = web.post(&path, &body).await;
    answer.assert_internal_error(404, "No result found");
    path = status_path(web.live.id, id);
    web.post(&path, &body)
        .await
        .assert_internal_error(403, INACTIVE);
    web.set_state(web.live.id, ServiceState::Active).await;
    let answer = web.post(&path, &body).await;
    answer.assert_internal_error(404, "No result found");
    body["created_by"] = json!(web.outsider);
    let text = format!(
        "User {} cannot update broadcast_message {id} from other service",
        web.outsider
    );
    web.post(&path, &body)
        .await
        .assert_internal_error(400, &text);
    body["created_by"] = json!(web.live.author);
    let text = format!("Cannot move broadcast_message {id} from draft to broadcasting");
    web.post(&path, &body)
        .await
        .assert_internal_error(400, &text);
    put(&web, id, Status::PendingApproval).await;
    let author = web.live.author;
    let text = format!("User {author} cannot approve their own broadcast_message {id}");
    web.post(&path, &body)
        .await
        .assert_internal_error(400, &text);
    body["created_by"] = json!(web.live.approver);
    let no_areas =
        format!("broadcast_message {id} has no selected areas and so cannot be broadcasted.");
    web.post(&path, &body)
        .await
        .assert_internal_error(400, &no_areas);
    assert_eq!(web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn every_move_is_made_or_refused_as_d9_says() {
    let web = TestWeb::start().await;
    for from in Status::ALL {
        for to in Status::ALL {
            let id = draft_of(&web, &web.live, true).await;
            put(&web, id, from).await;
            let answer = web.change_status(id, to.as_str(), web.live.approver).await;
            if from.may_move(to, Mover::Person) {
                assert_eq!(answer.status, 200, "{from:?} to {to:?}: {answer:?}");
                assert_eq!(answer.json()["status"], to.as_str());
            } else {
                let text = format!(
                    "Cannot move broadcast_message {id} from {} to {}",
                    from.as_str(),
                    to.as_str()
                );
                answer.assert_internal_error(400, &text);
                let is = web.get(&alert_path(web.live.id, id)).await.json();
                assert_eq!(is["status"], from.as_str());
            }
        }
    }
}

#[tokio::test]
async fn only_what_is_not_approved_can_be_edited() {
    let web = TestWeb::start().await;
    for status in Status::ALL {
        let id = draft_of(&web, &web.live, true).await;
        put(&web, id, status).await;
        let body = json!({ "content": "Edited", "created_by": web.live.author });
        let answer = web.post(&alert_path(web.live.id, id), &body).await;
        if status.is_editable() {
            assert_eq!(answer.status, 200, "{status:?}");
        } else {
            let text = format!(
                "Cannot update broadcast_message {id} while it has status {}",
                status.as_str()
            );
            answer.assert_internal_error(400, &text);
        }
    }
}

#[tokio::test]
async fn two_persons_approve_a_live_alert_and_one_may_do_in_training() {
    let web = TestWeb::start().await;
    let (author, approver) = (web.live.author, web.live.approver);
    let id = draft_of(&web, &web.live, true).await;
    let submitted = web.change_status(id, "pending-approval", author).await;
    assert_eq!(submitted.json()["submitted_by_id"], json!(author));
    let own = format!("User {author} cannot approve their own broadcast_message {id}");
    web.change_status(id, "broadcasting", author)
        .await
        .assert_internal_error(400, &own);
    let approved = web.change_status(id, "broadcasting", approver).await;
    assert_eq!(
        (approved.status.as_u16(), &approved.json()["approved_by_id"]),
        (200, &json!(approver))
    );

    let id = draft_of(&web, &web.live, true).await;
    web.change_status(id, "pending-approval", approver).await;
    let text = "You cannot approve an alert that you submitted for approval.";
    web.change_status(id, "broadcasting", approver)
        .await
        .assert_internal_error(400, text);

    let by_key = web
        .post_cap(&web.live.normal, &alert("by-key"))
        .await
        .alert();
    let approved = web.change_status(by_key, "broadcasting", author).await;
    assert_eq!(approved.status, 200, "an alert of a key has no author");

    let team = &web.training;
    let id = draft_of(&web, team, true).await;
    for to in ["pending-approval", "broadcasting"] {
        let body = json!({ "status": to, "created_by": team.author });
        let answer = web.post(&status_path(team.id, id), &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_platform_administrator_may_cancel_and_only_that() {
    let web = TestWeb::start().await;
    let admin = web.platform_admin;
    let id = web
        .post_cap(&web.live.normal, &alert("watched"))
        .await
        .alert();
    let text = format!("User {admin} cannot update broadcast_message {id} from other service");
    for to in ["broadcasting", "rejected", "draft"] {
        web.change_status(id, to, admin)
            .await
            .assert_internal_error(400, &text);
    }
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    let outsider = web.change_status(id, "cancelled", web.outsider).await;
    assert_eq!(outsider.status, 400);
    web.set_state(web.live.id, ServiceState::Archived).await;
    let member = web.change_status(id, "cancelled", web.live.author).await;
    member.assert_internal_error(403, INACTIVE);
    let cancelled = web.change_status(id, "cancelled", admin).await;
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(cancelled.json()["cancelled_by_id"], json!(admin));
}

#[tokio::test]
async fn a_suspended_service_may_still_cancel() {
    let web = TestWeb::start().await;
    let id = web
        .post_cap(&web.live.normal, &alert("on-air"))
        .await
        .alert();
    web.change_status(id, "broadcasting", web.live.approver)
        .await;
    web.set_state(web.live.id, ServiceState::Suspended).await;
    let answer = web.change_status(id, "cancelled", web.live.author).await;
    assert_eq!(answer.json()["status"], "cancelled", "{answer:?}");
}

#[tokio::test]
async fn areas_are_needed_to_submit_and_to_approve() {
    let web = TestWeb::start().await;
    for areas in [json!(null), json!([]), json!({}), json!({ "names": ["A"] })] {
        let mut body = json!({
            "service_id": web.live.id, "created_by": web.live.author,
            "reference": "r", "content": "c",
        });
        if !areas.is_null() {
            body["areas"] = areas.clone();
        }
        let id = web.post(&alerts_path(web.live.id), &body).await.alert();
        let text =
            format!("broadcast_message {id} has no selected areas and so cannot be broadcasted.");
        let submitted = web
            .change_status(id, "pending-approval", web.live.author)
            .await;
        submitted.assert_internal_error(400, &text);
        put(&web, id, Status::PendingApproval).await;
        let approved = web
            .change_status(id, "broadcasting", web.live.approver)
            .await;
        approved.assert_internal_error(400, &text);
    }
}

#[tokio::test]
async fn times_that_make_no_sense_refuse_the_approval() {
    let web = TestWeb::start().await;
    let rows: [(Value, &str); 4] = [
        (
            json!({ "starts_at": "2026-11-23T05:09:02Z" }),
            "more than 5 minutes from now",
        ),
        (json!({ "finishes_at": "2026-11-23T04:09:02Z" }), "is over"),
        (
            json!({ "finishes_at": "2026-11-24T03:00:00Z" }),
            "longer than its channel allows",
        ),
        (
            json!({ "duration": "P2D" }),
            "longer than its channel allows",
        ),
    ];
    for (n, (times, says)) in rows.into_iter().enumerate() {
        let id = web
            .post_cap(&web.live.normal, &alert(&format!("timed-{n}")))
            .await
            .alert();
        assert_eq!(
            web.post(&alert_path(web.live.id, id), &times).await.status,
            200
        );
        let answer = web
            .change_status(id, "broadcasting", web.live.approver)
            .await;
        assert_eq!(answer.status, 400);
        assert!(answer.message().contains(says), "{answer:?}");
        assert!(web.app.list_deliveries(id).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_reason_is_kept_with_a_rejection() {
    let web = TestWeb::start().await;
    let id = draft_of(&web, &web.live, true).await;
    let body = json!({
        "status": "rejected", "created_by": web.live.approver, "rejection_reason": "Too wide",
    });
    let told = web.post(&status_path(web.live.id, id), &body).await.json();
    assert_eq!(told["rejection_reason"], "Too wide");
    let id = draft_of(&web, &web.live, true).await;
    let body = json!({
        "status": "rejected", "created_by": web.live.approver, "rejection_reason": null,
    });
    let told = web.post(&status_path(web.live.id, id), &body).await.json();
    assert_eq!(
        (&told["status"], &told["rejection_reason"]),
        (&json!("rejected"), &Value::Null)
    );
}
