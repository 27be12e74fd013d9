//! What the audit trail says of acts and of refused attempts, and what a service's members read.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::HeaderValue;
use balefire_app::App;
use balefire_app::audit_chain::{HistoryEntry, Look};
use balefire_domain::audit_chain::AuditRow;
use balefire_domain::ids::AlertId;
use balefire_domain::limits::{AUDIT_HISTORY_PAGE_MAX, AUDIT_REFUSALS_MAX, AUDIT_REFUSALS_PERIOD};
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::{START, TestWeb, alerts_path, status_path};

/// Every entry, in the order of the chain.
async fn trail(app: &App) -> Vec<AuditRow> {
    app.link_audit(Look::Latest).await.unwrap();
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = app.list_audit_links(after).await.unwrap();
        let Some(last) = page.last() else { return rows };
        after = Some(last.position);
        rows.extend(page.into_iter().map(|link| link.row.expect("it is there")));
    }
}

async fn latest(app: &App) -> AuditRow {
    trail(app).await.pop().expect("there is an entry")
}

async fn pending(web: &TestWeb, name: &str) -> AlertId {
    web.post_cap(&web.live.normal, &alert(name)).await.alert()
}

#[tokio::test]
async fn an_entry_says_who_named_the_person_from_where_and_in_which_request() {
    let web = TestWeb::start().await;
    // The clock stands still: what is linked after each act is in the order of the acts.
    trail(&web.app).await;
    let id = pending(&web, "flood-1").await;
    let submitted = latest(&web.app).await;
    assert_eq!(submitted.action, "alert.submit");
    assert!(submitted.actor.starts_with("api key "), "{submitted:?}");
    assert_eq!(submitted.asserted_by, None, "a key proves itself");

    let body = json!({ "status": "broadcasting", "created_by": web.live.approver });
    let path = status_path(web.live.id, id);
    let mut request = web.request("POST", &path, body.to_string());
    let forwarded = HeaderValue::from_static("10.0.0.9, 198.51.100.7");
    request.headers_mut().insert("x-forwarded-for", forwarded);
    let answer = web.send(request).await;
    assert_eq!(answer.status, 200);
    let approved = latest(&web.app).await;
    assert_eq!(approved.action, "alert.approve");
    assert_eq!(approved.actor, format!("user {}", web.live.approver));
    assert_eq!(approved.asserted_by.as_deref(), Some("notify-admin"));
    assert_eq!(approved.source.as_deref(), Some("198.51.100.7"));
    let request_id = answer.headers["x-eas-trace-id"].to_str().unwrap();
    assert_eq!(approved.request_id.as_deref(), Some(request_id));
    let state = |text: &Option<String>| -> Value {
        serde_json::from_str(text.as_deref().expect("it is told")).unwrap()
    };
    let status = json!({ "status": "pending-approval" });
    assert_eq!(state(&approved.before), status);
    assert_eq!(state(&approved.after), json!({ "status": "broadcasting" }));
    let service = web.live.id.to_string();
    assert_eq!(approved.service_id.as_deref(), Some(&*service));

    // What nobody asked for comes from nowhere.
    web.clock
        .set(START + std::time::Duration::from_secs(40 * 24 * 3600));
    web.app.complete_alerts().await.unwrap();
    let completed = latest(&web.app).await;
    assert_eq!(
        (&*completed.actor, &*completed.action),
        ("clock", "alert.complete")
    );
    assert_eq!((completed.source, completed.request_id), (None, None));
}

#[tokio::test]
async fn a_refused_attempt_is_kept_with_who_asked_and_why() {
    let web = TestWeb::start().await;
    let ring = json!([[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]]);
    let draft = json!({ "service_id": web.live.id, "created_by": web.live.author,
        "reference": "The river", "content": "Go uphill now.",
        "areas": { "ids": ["a"], "names": ["A"], "simple_polygons": [ring] } });
    let made = web.post(&alerts_path(web.live.id), &draft).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.alert();
    let (author, approver) = (web.live.author, web.live.approver);
    assert_eq!(
        web.change_status(id, "pending-approval", author)
            .await
            .status,
        200
    );
    let stranger = web.training.author;
    let nobody = balefire_domain::ids::UserId::new(uuid::Uuid::from_u128(99));
    // who asks for what; the entry's actor, action and reason
    let rows = [
        (
            author,
            "broadcasting",
            "user",
            "alert.approve.refused",
            "own_alert",
        ),
        (
            stranger,
            "broadcasting",
            "user",
            "alert.approve.refused",
            "not_a_member",
        ),
        (
            stranger,
            "cancelled",
            "user",
            "alert.cancel.refused",
            "not_a_member",
        ),
        (
            stranger,
            "rejected",
            "user",
            "alert.reject.refused",
            "not_a_member",
        ),
        (
            nobody,
            "broadcasting",
            "client",
            "alert.approve.refused",
            "user_not_found",
        ),
        (
            approver,
            "completed",
            "user",
            "alert.move.refused",
            "illegal_move",
        ),
    ];
    for (by, to, actor, action, refusal) in rows {
        let before = trail(&web.app).await.len();
        let answer = web.change_status(id, to, by).await;
        assert!(answer.status.is_client_error(), "{to}: {}", answer.status);
        let trail = trail(&web.app).await;
        assert_eq!(trail.len(), before + 1, "{to} by {by}");
        let entry = trail.last().unwrap();
        let want = match actor {
            "user" => format!("user {by}"),
            _ => "client notify-admin".to_owned(),
        };
        assert_eq!((&entry.actor, &*entry.action), (&want, action));
        assert_eq!(entry.refusal.as_deref(), Some(refusal));
        assert_eq!(entry.object, format!("alert {id}"));
        assert!(entry.request_id.is_some() && entry.source.is_some());
        assert!(entry.details.contains(&by.to_string()), "{}", entry.details);
    }
    // What was refused is no act: the record that approvals are judged by does not have it.
    let history = web.app.load_history(id).await.unwrap().unwrap();
    assert!(history.audit.iter().all(|e| !e.action.ends_with("refused")));

    // An alert that is not there is nobody's attempt; neither is a token that opens nothing.
    let before = trail(&web.app).await.len();
    let unknown = AlertId::new(uuid::Uuid::from_u128(7));
    assert_eq!(
        web.change_status(unknown, "cancelled", author).await.status,
        404
    );
    let mut forged = web.request("GET", &alerts_path(web.live.id), "");
    forged
        .headers_mut()
        .insert("authorization", HeaderValue::from_static("Bearer a.b.c"));
    assert_eq!(web.send(forged).await.status, 403);
    assert_eq!(trail(&web.app).await.len(), before);
}

#[tokio::test]
async fn nobody_fills_the_disk_by_being_refused() {
    let web = TestWeb::start().await;
    let id = pending(&web, "flood-1").await;
    let (stranger, other) = (web.training.author, web.training.approver);
    let refused = async |by: balefire_domain::ids::UserId| {
        let actor = format!("user {by}");
        let trail = trail(&web.app).await;
        let of = trail
            .iter()
            .filter(|e| e.actor == actor && e.refusal.is_some());
        u32::try_from(of.count()).unwrap()
    };
    for _ in 0..AUDIT_REFUSALS_MAX + 5 {
        let answer = web.change_status(id, "broadcasting", stranger).await;
        assert_eq!(answer.status, 400);
    }
    assert_eq!(refused(stranger).await, AUDIT_REFUSALS_MAX);
    // Another one's are kept all the same, and so are his own an hour later.
    web.change_status(id, "broadcasting", other).await;
    assert_eq!(refused(other).await, 1);
    web.clock.set(START + AUDIT_REFUSALS_PERIOD);
    web.change_status(id, "broadcasting", stranger).await;
    assert_eq!(refused(stranger).await, AUDIT_REFUSALS_MAX + 1);
}

#[tokio::test]
async fn a_services_history_is_its_own_newest_first_and_page_by_page() {
    let web = TestWeb::start().await;
    for n in 0..AUDIT_HISTORY_PAGE_MAX + 10 {
        pending(&web, &format!("flood-{n}")).await;
    }
    web.app.link_audit(Look::All).await.unwrap();
    let newest = pending(&web, "flood-new").await;
    let history = async |before| {
        web.app
            .service_history(web.live.id, before, AUDIT_HISTORY_PAGE_MAX)
            .await
            .unwrap()
    };
    let first = history(None).await;
    assert_eq!(first.len(), AUDIT_HISTORY_PAGE_MAX);
    // The newest is there before it is linked.
    assert_eq!(first[0].position, None);
    assert_eq!(first[0].row.object, format!("alert {newest}"));
    let mut all = first;
    loop {
        let before = all.last().and_then(|entry: &HistoryEntry| entry.position);
        let page = history(before).await;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let positions: Vec<i64> = all.iter().filter_map(|entry| entry.position).collect();
    assert!(positions.is_sorted_by(|a, b| a > b), "{positions:?}");
    let own = web.live.id.to_string();
    assert!(all.iter().all(|e| e.row.service_id.as_ref() == Some(&own)));
    let trail = trail(&web.app).await;
    let want = trail
        .iter()
        .filter(|row| row.service_id.as_ref() == Some(&own));
    assert_eq!(all.len(), want.count());
    assert!(all.len() > AUDIT_HISTORY_PAGE_MAX + 10);
}

#[tokio::test]
async fn a_page_of_entries_without_a_place_leads_on_to_the_rest() {
    let web = TestWeb::start().await;
    for n in 0..AUDIT_HISTORY_PAGE_MAX + 5 {
        pending(&web, &format!("flood-{n}")).await;
    }
    let (mut seen, mut pages) = (BTreeSet::new(), 0);
    let mut next = Some(format!("/v3/services/{}/audit", web.live.id));
    while let Some(target) = next {
        let page = web.ask(web.live.author, "GET", &target, &Value::Null).await;
        let page = page.json();
        for entry in page["entries"].as_array().unwrap() {
            assert!(seen.insert(entry["id"].to_string()), "{entry} came twice");
        }
        next = page["next"].as_str().map(str::to_owned);
        pages += 1;
    }
    let own = web.live.id.to_string();
    let trail = trail(&web.app).await;
    let want = trail
        .iter()
        .filter(|row| row.service_id.as_ref() == Some(&own));
    assert_eq!(seen.len(), want.count());
    assert_eq!(pages, 2);
}

#[tokio::test]
async fn a_page_of_entries_has_as_many_as_were_asked_for() {
    let web = TestWeb::start().await;
    for n in 0..4 {
        pending(&web, &format!("flood-{n}")).await;
    }
    let all = format!("/v3/services/{}/audit", web.live.id);
    let ask = async |target: &str| web.ask(web.live.author, "GET", target, &Value::Null).await;
    let whole = ask(&all).await.json();
    let whole = whole["entries"].as_array().unwrap().clone();
    assert!(whole.len() > 3, "{whole:?}");
    let mut read = Vec::new();
    let mut next = Some(format!("{all}?limit=2"));
    while let Some(target) = next {
        let page = ask(&target).await.json();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= 2, "{page}");
        read.extend(entries.iter().map(|entry| entry["id"].clone()));
        next = page["next"].as_str().map(str::to_owned);
    }
    let want: Vec<Value> = whole.iter().map(|entry| entry["id"].clone()).collect();
    assert_eq!(read, want);
    assert_eq!(ask(&format!("{all}?limit=0")).await.status, 400);
}

#[tokio::test]
async fn sec_50_what_an_act_changed_is_told_before_and_after() {
    let web = TestWeb::start().await;
    let (live, by, member) = (web.live.id, web.live.author, web.outsider);
    let post = async |path: String, body: Value| {
        web.clock.advance(Duration::from_millis(1));
        let answer = web.post(&path, &body).await;
        assert!(answer.status.is_success(), "{path} {answer:?}");
        answer
    };
    let delete = async |path: String| {
        web.clock.advance(Duration::from_millis(1));
        let answer = web.send(web.request("DELETE", &path, "")).await;
        assert!(answer.status.is_success(), "{path} {answer:?}");
    };
    let view = json!({ "permissions": [{ "permission": "view_activity" }] });
    let both = json!({ "permissions": [{ "permission": "view_activity" },
        { "permission": "manage_templates" }] });
    post(format!("/service/{live}/users/{member}"), view).await;
    post(format!("/user/{member}/service/{live}/permission"), both).await;
    let renamed = json!({ "name": "Ann", "updated_by": member });
    post(format!("/user/{member}/update"), renamed).await;
    delete(format!("/service/{live}/users/{member}")).await;
    let folders = format!("/service/{live}/template-folder");
    let folder = post(folders.clone(), json!({ "name": "a" })).await.json();
    let folder = format!("{folders}/{}", folder["data"]["id"].as_str().unwrap());
    post(folder.clone(), json!({ "name": "b" })).await;
    delete(folder).await;
    let key = web.live.team.id;
    post(format!("/service/{live}/api-key/revoke/{key}"), json!({})).await;
    let by_admin = json!({ "approved_by": web.platform_admin });
    web.execute("UPDATE users SET is_admin_capable = true WHERE name = 'author-live'")
        .await;
    post(format!("/user/{by}/elevate"), by_admin).await;
    post(format!("/user/{by}/redeem-elevation"), json!({})).await;
    let trail = trail(&web.app).await;
    let told = |row: &AuditRow| -> Option<(Value, Value)> {
        let read = |text: &Option<String>| serde_json::from_str(text.as_deref()?).ok();
        Some((read(&row.before)?, read(&row.after)?))
    };
    for (action, before, after) in [
        (
            "member.add",
            json!({ "permissions": null }),
            json!({ "permissions": ["view_activity"] }),
        ),
        (
            "user.set_permissions",
            json!({ "permissions": ["view_activity"] }),
            json!({ "permissions": ["manage_templates", "view_activity"] }),
        ),
        (
            "member.remove",
            json!({ "permissions": ["manage_templates", "view_activity"] }),
            json!({ "permissions": null }),
        ),
        (
            "folder.create",
            json!({ "is_there": false }),
            json!({ "is_there": true }),
        ),
        (
            "folder.delete",
            json!({ "is_there": true }),
            json!({ "is_there": false }),
        ),
        (
            "key.revoke",
            json!({ "revoked": false }),
            json!({ "revoked": true }),
        ),
        (
            "user.redeem_elevation",
            json!({ "platform_admin": false }),
            json!({ "platform_admin": true }),
        ),
    ] {
        let row = trail.iter().find(|row| row.action == action);
        let row = row.unwrap_or_else(|| panic!("{action} left no entry"));
        assert_eq!(told(row), Some((before, after)), "{action}");
    }
    for (action, name, before, after) in [
        ("user.update", "name", "outsider", "Ann"),
        ("folder.update", "name", "a", "b"),
    ] {
        let row = trail.iter().find(|row| row.action == action).unwrap();
        let (was, is) = told(row).unwrap();
        assert_eq!((&was[name], &is[name]), (&json!(before), &json!(after)));
    }
    // Whatever says both says them of the same.
    for (was, is) in trail.iter().filter_map(told) {
        let keys =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(keys(&was), keys(&is));
    }
}
