//! What a person may, for whom a request acts: every verb of alerts for everybody (R97, D8, D40).

use balefire_app::propose_update::UpdateChange;
use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::permission::Permission;
use serde_json::json;

use crate::documents::alert;
use crate::support::*;

/// What is asked, and the permission that it takes; `None`: membership is enough.
const VERBS: [(&str, Option<Permission>); 9] = [
    ("create", Some(Permission::CreateBroadcasts)),
    ("edit", Some(Permission::CreateBroadcasts)),
    ("submit", Some(Permission::CreateBroadcasts)),
    ("retract", Some(Permission::CreateBroadcasts)),
    ("propose", Some(Permission::CreateBroadcasts)),
    ("approve", Some(Permission::ApproveBroadcasts)),
    ("reject", Some(Permission::RejectBroadcasts)),
    ("return", Some(Permission::RejectBroadcasts)),
    ("cancel", None),
];

/// An alert made by a key, so that nobody is its author, in the state that the verb begins in.
async fn alert_for(web: &TestWeb, name: &str, verb: &str) -> AlertId {
    let id = web.post_cap(&web.live.normal, &alert(name)).await.alert();
    let (to, by) = match verb {
        "submit" => ("returned", web.live.author),
        "propose" | "cancel" => ("broadcasting", web.live.approver),
        _ => return id,
    };
    let answer = web.change_status(id, to, by).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    id
}

/// Asks; the answer's message, empty where it was done.
async fn ask(web: &TestWeb, verb: &str, id: AlertId, by: UserId) -> String {
    let service = web.live.id;
    let answer = match verb {
        "create" => {
            let body = json!({
                "service_id": service, "created_by": by, "reference": "r", "content": "Go uphill.",
            });
            web.post(&alerts_path(service), &body).await
        }
        "edit" => {
            let body = json!({ "content": "Go downhill.", "created_by": by });
            web.post(&alert_path(service, id), &body).await
        }
        "propose" => {
            let change = UpdateChange {
                content: Some("Stay uphill.".to_owned()),
                areas: None,
                by,
            };
            let proposed = web.app.propose_update(service, id, &change, false).await;
            return proposed.map_or_else(|failure| format!("{failure:?}"), |_| String::new());
        }
        "submit" => web.change_status(id, "pending-approval", by).await,
        "retract" => web.change_status(id, "draft", by).await,
        "approve" => web.change_status(id, "broadcasting", by).await,
        "reject" => web.change_status(id, "rejected", by).await,
        "return" => web.change_status(id, "returned", by).await,
        "cancel" => web.change_status(id, "cancelled", by).await,
        verb => panic!("{verb}"),
    };
    match answer.status.as_u16() {
        200 | 201 => String::new(),
        status => {
            assert_eq!(status, 400, "{verb} {answer:?}");
            answer.message()
        }
    }
}

#[tokio::test]
async fn sec_09_every_verb_asks_for_the_permission_of_whom_it_acts_for() {
    let web = TestWeb::start().await;
    let one_by_one = Permission::ALL.map(|one| (one.as_str(), vec![one]));
    for (name, held) in one_by_one.into_iter().chain([("nothing", vec![])]) {
        let by = web.somebody(name, Some(&held), false).await;
        for (verb, needed) in VERBS {
            let id = alert_for(&web, &format!("{name}-{verb}"), verb).await;
            let told = ask(&web, verb, id, by).await;
            match needed {
                Some(needed) if !held.contains(&needed) => {
                    // A verb without a route says it in its own words.
                    let word = match verb {
                        "propose" => format!("{needed:?}"),
                        _ => format!("they lack the permission {}", needed.as_str()),
                    };
                    assert!(told.contains(&word), "{name} {verb}: {told}");
                }
                _ => assert_eq!(told, "", "{name} {verb}"),
            }
        }
    }
}

#[tokio::test]
async fn an_administrator_views_and_stops_also_where_they_are_a_member_with_everything() {
    let web = TestWeb::start().await;
    let both = web.somebody("both", Some(&Permission::ALL), true).await;
    for by in [both, web.platform_admin] {
        for (verb, _) in VERBS {
            let id = alert_for(&web, &format!("{by}-{verb}"), verb).await;
            let told = ask(&web, verb, id, by).await;
            assert_eq!(told.is_empty(), verb == "cancel", "{verb}: {told}");
        }
    }
    let id = alert_for(&web, "said", "edit").await;
    let told = ask(&web, "edit", id, both).await;
    assert_eq!(
        told,
        format!(
            "User {both} cannot update broadcast_message {id}: a platform administrator may view \
             and stop alerts, and nothing else"
        )
    );
}

#[tokio::test]
async fn who_does_not_belong_to_the_service_may_nothing_and_leaves_a_trace() {
    let web = TestWeb::start().await;
    let mut noted = 0;
    for (verb, _) in VERBS {
        let id = alert_for(&web, verb, verb).await;
        let before = web.stored_alerts().await;
        let told = ask(&web, verb, id, web.outsider).await;
        assert!(!told.is_empty(), "{verb}");
        assert_eq!(web.stored_alerts().await, before, "{verb}");
        noted += 1;
        assert_eq!(web.refusals().await.len(), noted, "{verb}");
    }
}

#[tokio::test]
async fn sec_50_an_approval_of_one_s_own_alert_leaves_a_trace() {
    let web = TestWeb::start().await;
    let by = web.live.author;
    let id = web.post_cap(&web.live.normal, &alert("own")).await.alert();
    let body = json!({ "content": "Go downhill.", "created_by": by });
    assert_eq!(
        web.post(&alert_path(web.live.id, id), &body).await.status,
        200
    );
    let told = ask(&web, "approve", id, by).await;
    assert!(told.contains("cannot approve their own"), "{told}");
    let refusals = web.refusals().await;
    let [noted] = &refusals[..] else {
        panic!("{refusals:?}")
    };
    assert_eq!(noted.action, "alert.approve.refused");
    assert_eq!(noted.object, format!("alert {id}"));
    assert_eq!(noted.actor, format!("user {by}"));
    assert_eq!(noted.details["asked"], "broadcasting");
}

#[tokio::test]
async fn an_author_throws_their_own_draft_away_and_no_other_s() {
    let web = TestWeb::start().await;
    let only = [Permission::CreateBroadcasts];
    let author = web.somebody("writes", Some(&only), false).await;
    let draft_of = async |by: UserId| {
        let body = json!({
            "service_id": web.live.id, "created_by": by, "reference": "r", "content": "Go.",
            "areas": { "names": ["A"], "simple_polygons":
                [[[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]]] },
        });
        web.post(&alerts_path(web.live.id), &body).await.alert()
    };
    let own = draft_of(author).await;
    assert_eq!(ask(&web, "reject", own, author).await, "");
    let other = draft_of(web.live.author).await;
    let told = ask(&web, "reject", other, author).await;
    assert!(told.contains("reject_broadcasts"), "{told}");
    // What waits for approval is no draft any more.
    let submitted = draft_of(author).await;
    assert_eq!(ask(&web, "submit", submitted, author).await, "");
    let told = ask(&web, "reject", submitted, author).await;
    assert!(told.contains("reject_broadcasts"), "{told}");
}

#[tokio::test]
async fn an_approver_may_set_the_times_and_nothing_else() {
    let web = TestWeb::start().await;
    let only = [Permission::ApproveBroadcasts];
    let by = web.somebody("approves", Some(&only), false).await;
    let id = web
        .post_cap(&web.live.normal, &alert("timed"))
        .await
        .alert();
    let path = alert_path(web.live.id, id);
    let times = json!({ "finishes_at": "2026-11-23T06:00:00Z", "created_by": by });
    assert_eq!(web.post(&path, &times).await.status, 200);
    for (name, value) in [
        ("content", json!("Go downhill.")),
        ("reference", json!("another")),
        ("extra_content", json!("more")),
        ("areas", json!({})),
    ] {
        let mut change = times.clone();
        change[name] = value;
        let answer = web.post(&path, &change).await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(answer.message().contains("create_broadcasts"), "{answer:?}");
    }
}
