//! What an author's client shows and asks beside the main job.

use std::time::Duration;

use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::outcome::Outcome;
use balefire_domain::permission::Permission;
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;

/// A draft of the live service.
async fn draft(web: &TestWeb, reference: &str, by: UserId) -> AlertId {
    let ring = [[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]];
    let body = json!({
        "service_id": web.live.id, "created_by": by, "reference": reference,
        "content": "Go uphill now.",
        "areas": { "names": ["A"], "simple_polygons": [ring] },
    });
    web.post(&alerts_path(web.live.id), &body).await.alert()
}

fn under(web: &TestWeb, id: AlertId, name: &str) -> String {
    format!("{}/{name}", alert_path(web.live.id, id))
}

fn history(web: &TestWeb, id: AlertId, name: &str) -> String {
    format!(
        "/service/{}/broadcast-message-history/{id}/{name}",
        web.live.id
    )
}

fn reasons(web: &TestWeb, id: AlertId, name: &str) -> String {
    format!(
        "/service/{}/broadcast-message-edit-reasons/{id}/{name}",
        web.live.id
    )
}

#[tokio::test]
async fn the_board_begins_with_what_needs_somebody_and_names_the_people() {
    let web = TestWeb::start().await;
    let (author, approver) = (web.live.author, web.live.approver);
    for (reference, path) in [
        ("b draft", &[][..]),
        ("a draft", &[][..]),
        ("rejected", &["pending-approval", "rejected"][..]),
        ("pending", &["pending-approval"][..]),
        ("returned", &["pending-approval", "returned"][..]),
        ("live", &["pending-approval", "broadcasting"][..]),
        (
            "cancelled",
            &["pending-approval", "broadcasting", "cancelled"][..],
        ),
    ] {
        let id = draft(&web, reference, author).await;
        for to in path {
            let by = if *to == "pending-approval" {
                author
            } else {
                approver
            };
            let moved = web.change_status(id, to, by).await;
            assert_eq!(moved.status, 200, "{reference} {to} {moved:?}");
        }
    }
    let board = web
        .get(&format!("{}/messages", alerts_path(web.live.id)))
        .await
        .json();
    let board = board["broadcast_messages"].as_array().unwrap();
    let shown: Vec<&str> = board
        .iter()
        .filter_map(|one| one["reference"].as_str())
        .collect();
    assert_eq!(
        shown,
        [
            "live",
            "returned",
            "pending",
            "a draft",
            "b draft",
            "cancelled",
            "rejected"
        ]
    );
    let cancelled = &board[5];
    assert_eq!(cancelled["created_by"], "author-live");
    assert_eq!(
        cancelled["submitted_by"], "author-live",
        "and not who cancelled it"
    );
    assert_eq!(cancelled["approved_by"], "approver-live");
    assert_eq!(cancelled["cancelled_by"], "approver-live");
    assert_eq!(cancelled["rejected_by"], Value::Null);
    assert_eq!(board[6]["rejected_by"], "approver-live");
    assert_eq!(board[6]["sending_error"], false);
}

#[tokio::test]
async fn an_alert_that_a_network_does_not_take_is_marked_on_the_board() {
    let web = TestWeb::start().await;
    let refused = web
        .post_cap(&web.live.normal, &alert("refused"))
        .await
        .alert();
    let taken = web
        .post_cap(&web.live.normal, &alert("taken"))
        .await
        .alert();
    for id in [refused, taken] {
        web.change_status(id, "broadcasting", web.live.approver)
            .await;
    }
    web.send_all(refused, Outcome::Refused, "no").await;
    web.send_all(taken, Outcome::Accepted, "200").await;
    let board = web
        .get(&format!("{}/messages", alerts_path(web.live.id)))
        .await
        .json();
    let errors: Vec<_> = board["broadcast_messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["reference"].as_str().unwrap(),
                one["sending_error"] == true,
            )
        })
        .collect();
    assert_eq!(errors, [("refused", true), ("taken", false)]);
}

#[tokio::test]
async fn an_alert_s_page_has_the_names_and_the_last_reason_and_lives_beside_the_plain_one() {
    let web = TestWeb::start().await;
    let id = draft(&web, "r", web.live.author).await;
    let path = format!("{}/message={id}", alerts_path(web.live.id));
    let page = web.get(&path).await.json();
    assert_eq!(page["created_by"], "author-live");
    assert_eq!(
        (&page["updated_by"], &page["edit_reason"]),
        (&Value::Null, &Value::Null)
    );
    for reason in ["Name the bridge", "Name the road too"] {
        web.clock.advance(Duration::from_secs(1));
        web.change_status(id, "pending-approval", web.live.author)
            .await;
        let body = json!({ "edit_reason": reason, "created_by": web.live.approver });
        let returned = web.post(&under(&web, id, "return-for-edit"), &body).await;
        assert_eq!(returned.json()["status"], "returned", "{returned:?}");
    }
    let page = web.get(&path).await.json();
    assert_eq!(page["edit_reason"], "Name the road too");
    assert_eq!(page["updated_by"], "approver-live");
    assert_eq!(page["submitted_by"], "author-live");
    let plain = web.get(&alert_path(web.live.id, id)).await.json();
    assert_eq!(plain["id"], page["id"]);
    assert_eq!(
        plain.get("created_by"),
        None,
        "an alert alone has its own keys"
    );
    let foreign = format!("{}/message={id}", alerts_path(web.other.id));
    web.get(&foreign)
        .await
        .assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn reasons_are_told_newest_first_and_the_latest_of_none_is_an_empty_object() {
    let web = TestWeb::start().await;
    let id = draft(&web, "r", web.live.author).await;
    assert_eq!(
        web.get(&reasons(&web, id, "edit-reasons")).await.json(),
        json!([])
    );
    let latest = web.get(&reasons(&web, id, "latest-edit-reason")).await;
    assert_eq!(
        (latest.status.as_u16(), latest.text.as_str()),
        (200, "{}\n")
    );
    for reason in ["first", "second"] {
        web.clock.advance(Duration::from_secs(1));
        web.change_status(id, "pending-approval", web.live.author)
            .await;
        let body = json!({ "edit_reason": reason, "created_by": web.live.approver });
        web.post(&under(&web, id, "return-for-edit"), &body).await;
    }
    let all = web.get(&reasons(&web, id, "edit-reasons")).await.json();
    assert_eq!(
        (&all[0]["edit_reason"], &all[1]["edit_reason"]),
        (&json!("second"), &json!("first"))
    );
    assert_eq!(all[0]["created_by"], "approver-live");
    assert_eq!(all[0]["submitted_by"], "author-live");
    assert_eq!(all[0]["submitted_by_id"], json!(web.live.author));
    assert_eq!(all[0]["submitted_at"], "2026-11-23T04:09:04.000000Z");
    let latest = web
        .get(&reasons(&web, id, "latest-edit-reason"))
        .await
        .json();
    assert_eq!(latest, all[0]);
    let second = all[1]["id"].as_str().unwrap();
    let one = web
        .get(&reasons(&web, id, &format!("edit-reason/{second}")))
        .await;
    assert_eq!(one.json(), all[1]);
    for path in [
        reasons(&web, id, &format!("edit-reason/{id}")),
        reasons(&web, id, &format!("edit-reason/{second}")).replacen(
            &web.live.id.to_string(),
            &web.other.id.to_string(),
            1,
        ),
    ] {
        web.get(&path)
            .await
            .assert_internal_error(404, "No result found");
    }
}

#[tokio::test]
async fn giving_back_and_rejecting_need_a_reason_and_the_permission() {
    let web = TestWeb::start().await;
    let id = draft(&web, "r", web.live.author).await;
    web.change_status(id, "pending-approval", web.live.author)
        .await;
    for blank in ["", " \n"] {
        let body = json!({ "edit_reason": blank, "created_by": web.live.approver });
        web.post(&under(&web, id, "return-for-edit"), &body)
            .await
            .assert_internal_error(400, "Enter the reason for returning the alert for edit.");
        let body = json!({
            "status": "rejected", "created_by": web.live.approver, "rejection_reason": blank,
        });
        web.post(&under(&web, id, "status-with-reason"), &body)
            .await
            .assert_internal_error(400, "Enter the reason for rejecting the alert.");
    }
    let writes = web
        .somebody("writes", Some(&[Permission::CreateBroadcasts]), false)
        .await;
    for by in [writes, web.outsider] {
        let body = json!({ "edit_reason": "no", "created_by": by });
        let answer = web.post(&under(&web, id, "return-for-edit"), &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let read = web.get(&alert_path(web.live.id, id)).await;
    assert_eq!(read.json()["status"], "pending-approval");
}

#[tokio::test]
async fn what_can_not_be_done_now_is_said_in_a_sentence_and_changes_nothing() {
    let web = TestWeb::start().await;
    let (author, approver) = (web.live.author, web.live.approver);
    let check = async |id: AlertId, to: &str, by: UserId| {
        let body = json!({ "status": to, "created_by": by });
        let answer = web.post(&under(&web, id, "check-status"), &body).await;
        match answer.status.as_u16() {
            200 => {
                assert_eq!(answer.text, "{}\n");
                String::new()
            }
            400 => answer.message(),
            status => panic!("{status} {answer:?}"),
        }
    };
    let id = draft(&web, "r", author).await;
    let before = web.stored().await;
    assert_eq!(check(id, "pending-approval", author).await, "");
    assert_eq!(check(id, "rejected", author).await, "");
    assert_eq!(
        check(id, "broadcasting", approver).await,
        "This alert is a draft, it cannot be approved."
    );
    assert_eq!(web.stored().await, before);
    web.change_status(id, "pending-approval", author).await;
    assert_eq!(
        check(id, "pending-approval", author).await,
        "This alert is pending approval, it cannot be submitted again."
    );
    assert_eq!(
        check(id, "broadcasting", author).await,
        "You cannot approve an alert that you wrote or changed."
    );
    // The times that would be refused are set between the question and the act.
    let times = json!({ "finishes_at": "2020-01-01T00:00:00Z" });
    web.post(&alert_path(web.live.id, id), &times).await;
    assert_eq!(check(id, "broadcasting", approver).await, "");
    let own = web
        .post_cap(&web.live.normal, &alert("by-a-key"))
        .await
        .alert();
    web.change_status(own, "draft", author).await;
    web.change_status(own, "pending-approval", author).await;
    assert_eq!(
        check(own, "broadcasting", author).await,
        "You cannot approve an alert that you submitted for approval."
    );
    web.change_status(own, "rejected", approver).await;
    assert_eq!(
        check(own, "broadcasting", approver).await,
        "This alert has been rejected, it cannot be approved."
    );
    web.change_status(own, "draft", author).await;
    web.change_status(own, "pending-approval", author).await;
    web.change_status(own, "broadcasting", approver).await;
    web.change_status(own, "cancelled", approver).await;
    assert_eq!(
        check(own, "pending-approval", author).await,
        "This alert has already been broadcast, it cannot be edited or submitted again."
    );
    let writes = web
        .somebody("writes", Some(&[Permission::CreateBroadcasts]), false)
        .await;
    let told = check(id, "broadcasting", writes).await;
    assert!(told.contains("approve_broadcasts"), "{told}");
}

#[tokio::test]
async fn the_versions_of_an_alert_are_told_newest_first_each_with_its_own_id() {
    let web = TestWeb::start().await;
    let id = draft(&web, "r", web.live.author).await;
    let path = alert_path(web.live.id, id);
    web.post(
        &path,
        &json!({ "duration": "PT1H", "created_by": web.live.author }),
    )
    .await;
    let edit = json!({ "content": "Go downhill.", "created_by": web.live.approver });
    assert_eq!(web.post(&path, &edit).await.status, 200);
    web.post(
        &path,
        &json!({ "duration": "PT2H", "created_by": web.live.author }),
    )
    .await;
    let versions = web.get(&history(&web, id, "versions")).await.json();
    let told: Vec<_> = versions
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            (
                text("content"),
                text("created_by"),
                one["duration"].as_f64(),
            )
        })
        .collect();
    let version =
        |content: &str, by: &str, seconds| (content.to_owned(), by.to_owned(), Some(seconds));
    assert_eq!(
        told,
        [
            version("Go downhill.", "approver-live", 7200.0),
            version("Go uphill now.", "author-live", 3600.0),
        ]
    );
    for one in versions.as_array().unwrap() {
        let item = one["id"].as_str().unwrap();
        assert_ne!(item, id.to_string());
        let read = web
            .get(&history(&web, id, &format!("version/{item}")))
            .await;
        assert_eq!(&read.json(), one);
    }
    let unknown = web.get(&history(&web, id, &format!("version/{id}"))).await;
    unknown.assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn a_summary_goes_by_e_mail_as_a_job_and_only_to_who_belongs_to_the_service() {
    let web = TestWeb::start().await;
    let id = draft(&web, "r", web.live.author).await;
    let mut body = json!({
        "created_by": web.live.author, "geojson": {}, "alert_summary": "The river rises",
        "phone_estimate": 1200, "duration": "4 hours", "wkt": "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "areas": ["A", "B"],
    });
    let path = under(&web, id, "alert-summary-email");
    let sent = web.post(&path, &body).await;
    assert_eq!(
        (sent.status.as_u16(), sent.text.as_str()),
        (200, "{}\n"),
        "{sent:?}"
    );
    assert_eq!(web.audit_actions().await["alert.summarise"], 1);
    for (key, value) in [
        ("wkt", json!("LINE")),
        ("areas", json!("A")),
        ("areas", json!([1])),
    ] {
        let mut wrong = body.clone();
        wrong[key] = value;
        let answer = web.post(&path, &wrong).await;
        assert_eq!(answer.status, 400, "{key}");
        assert!(answer.message().starts_with(key), "{answer:?}");
    }
    body["created_by"] = json!(web.outsider);
    let text = format!(
        "User {} cannot update broadcast_message {id} from other service",
        web.outsider
    );
    web.post(&path, &body)
        .await
        .assert_internal_error(400, &text);
    assert_eq!(web.audit_actions().await["alert.summarise"], 1);
}

#[tokio::test]
async fn a_purge_leaves_what_is_on_the_air_and_does_not_exist_where_the_public_sees_it() {
    let web = TestWeb::start().await;
    let over = web.post_cap(&web.live.normal, &alert("over")).await.alert();
    let live = web.post_cap(&web.live.normal, &alert("live")).await.alert();
    for id in [over, live] {
        web.change_status(id, "broadcasting", web.live.approver)
            .await;
        web.send_all(id, Outcome::Accepted, "200").await;
    }
    web.change_status(over, "cancelled", web.live.approver)
        .await;
    let waiting = draft(&web, "old", web.live.author).await;
    let path = |days: &str| format!("{}/purge/{days}", alerts_path(web.live.id));
    let purge = async |path: String| web.send(web.request("DELETE", &path, "")).await;
    web.clock.advance(Duration::from_secs(2));
    let young = draft(&web, "young", web.live.author).await;
    // Its cancels are still on their way.
    let purged = purge(path("0")).await;
    assert_eq!(
        purged.json()["message"],
        "Purged 1 alerts created more than 0 days ago"
    );
    web.get(&alert_path(web.live.id, waiting))
        .await
        .assert_internal_error(404, "No result found");
    web.send_all(over, Outcome::Accepted, "200").await;
    assert_eq!(
        purge(path("0")).await.json()["message"],
        "Purged 1 alerts created more than 0 days ago"
    );
    for id in [live, young] {
        assert_eq!(web.get(&alert_path(web.live.id, id)).await.status, 200);
    }
    purge(path("x"))
        .await
        .assert_internal_error(404, "No result found");
    let public = TestWeb::start_with(|state| {
        let mut settings = (*state.app.settings).clone();
        settings.has_test_routes = false;
        state.app.settings = std::sync::Arc::new(settings);
    })
    .await;
    let path = format!("{}/purge/0", alerts_path(public.live.id));
    let answer = public.send(public.request("DELETE", &path, "")).await;
    assert_eq!(answer.status, 404);
}
