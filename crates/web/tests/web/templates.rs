//! Templates and their folders.

use axum::http::Request;
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::permission::Permission;
use serde_json::{Value, json};

use crate::support::*;

fn templates(service: ServiceId) -> String {
    format!("/service/{service}/template")
}

fn folders(service: ServiceId) -> String {
    format!("/service/{service}/template-folder")
}

async fn writer(web: &TestWeb) -> UserId {
    web.somebody("writer", Some(&[Permission::ManageTemplates]), false)
        .await
}

fn new(web: &TestWeb, by: UserId) -> Value {
    json!({
        "reference": "Flood", "template_type": "broadcast", "content": "Go uphill.",
        "service": web.live.id, "created_by": by,
    })
}

async fn make(web: &TestWeb, by: UserId) -> Value {
    let made = web.post(&templates(web.live.id), &new(web, by)).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["data"].clone()
}

fn at(web: &TestWeb, template: &Value) -> String {
    format!(
        "{}/{}",
        templates(web.live.id),
        template["id"].as_str().unwrap()
    )
}

#[tokio::test]
async fn a_template_is_made_changed_and_put_away_with_every_version_kept() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    let made = make(&web, by).await;
    let path = at(&web, &made);
    assert_eq!(web.get(&path).await.json()["data"], made);
    assert_eq!(
        (&made["version"], &made["archived"]),
        (&json!(1), &json!(false))
    );
    let change = json!({ "content": "Go downhill.", "created_by": by });
    let changed = web.post(&path, &change).await.json()["data"].clone();
    assert_eq!(
        (&changed["version"], &changed["content"]),
        (&json!(2), &json!("Go downhill."))
    );
    let same = web.post(&path, &change).await.json()["data"].clone();
    assert_eq!(same["version"], 2, "nothing differs");
    let gone = web.post(&path, &json!({ "archived": true })).await.json();
    assert_eq!(
        (&gone["data"]["version"], &gone["data"]["archived"]),
        (&json!(3), &json!(true))
    );
    let list = web.get(&templates(web.live.id)).await.json();
    assert_eq!(list, json!({ "data": [] }));
    let versions = web.get(&format!("{path}/versions")).await.json();
    let versions = versions["data"].as_array().unwrap();
    let numbers: Vec<_> = versions
        .iter()
        .map(|one| one["version"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(versions[0]["created_by"], Value::Null, "nobody was named");
    assert_eq!(versions[1]["created_by"]["name"], "writer");
    let first = web.get(&format!("{path}/version/1")).await.json();
    assert_eq!(first["data"], versions[2]);
    assert_eq!(first["data"]["content"], "Go uphill.");
    for version in ["4", "0", "x", "-1"] {
        let answer = web.get(&format!("{path}/version/{version}")).await;
        answer.assert_internal_error(404, "No result found");
    }
}

#[tokio::test]
async fn the_list_is_by_name_and_short_where_that_is_asked() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    for reference in ["b", "a"] {
        let mut body = new(&web, by);
        body["reference"] = json!(reference);
        web.post(&templates(web.live.id), &body).await;
    }
    let list = web.get(&templates(web.live.id)).await.json();
    assert_eq!(list["data"][0]["reference"], "a");
    assert_eq!(list["data"][0]["content"], "Go uphill.");
    let path = format!("{}?detailed=False", templates(web.live.id));
    let short = web.get(&path).await.json();
    let keys: Vec<_> = short["data"][1]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["folder", "id", "reference", "template_type"]);
}

#[tokio::test]
async fn a_template_needs_its_permission_a_service_that_broadcasts_and_a_short_text() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    let path = templates(web.live.id);
    // A member made by command may broadcast, and not write templates.
    let mut body = new(&web, web.live.author);
    let text = format!(
        "User {} cannot write templates of this service: they lack the permission manage_templates",
        web.live.author
    );
    web.post(&path, &body)
        .await
        .assert_internal_error(400, &text);
    let refusals = web.refusals().await;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].action, "template.create.refused");
    body["created_by"] = json!(by);
    for (key, value, status) in [
        ("content", json!("a".repeat(918)), 201),
        ("content", json!("a".repeat(919)), 400),
        ("content", json!("ŵ".repeat(616)), 400),
        ("content", json!("Go 🌊"), 400),
        ("content", json!(""), 400),
        ("reference", json!(""), 400),
        ("template_type", json!("sms"), 400),
        ("service", json!(web.other.id), 400),
        ("parent_folder_id", json!(web.live.id), 400),
        (
            "areas",
            json!({ "names": ["A"], "simple_polygons": [[[51.0, -2.0]]] }),
            400,
        ),
        ("more", json!(1), 400),
    ] {
        let mut wrong = body.clone();
        wrong[key] = value;
        let answer = web.post(&path, &wrong).await;
        assert_eq!(answer.status.as_u16(), status, "{key} {answer:?}");
    }
    let made = make(&web, by).await;
    let long = json!({ "content": "a".repeat(919), "created_by": by });
    assert_eq!(web.post(&at(&web, &made), &long).await.status, 400);
    let foreign = format!(
        "{}/{}",
        templates(web.other.id),
        made["id"].as_str().unwrap()
    );
    web.get(&foreign)
        .await
        .assert_internal_error(404, "No result found");
    web.post(&foreign, &json!({ "content": "x" }))
        .await
        .assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn an_alert_begins_with_a_template_and_keeps_which_one_it_was() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    let ring = [[51.0, -2.0], [51.1, -2.0], [51.1, -1.9], [51.0, -2.0]];
    let mut body = new(&web, by);
    body["areas"] = json!({ "names": ["A"], "simple_polygons": [ring] });
    let made = web.post(&templates(web.live.id), &body).await.json()["data"].clone();
    let draft = json!({
        "service_id": web.live.id, "created_by": web.live.author, "template_id": made["id"],
    });
    let path = alerts_path(web.live.id);
    let first = web.post(&path, &draft).await;
    assert_eq!(first.status, 201, "{first:?}");
    let first = first.json();
    for (key, want) in [
        ("reference", json!("Flood")),
        ("content", json!("Go uphill.")),
        ("template_id", made["id"].clone()),
        ("template_version", json!(1)),
        ("template_name", json!("Flood")),
        ("areas", made["areas"].clone()),
    ] {
        assert_eq!(first[key], want, "{key}");
    }
    let change = json!({ "content": "Go downhill.", "reference": "Surge", "created_by": by });
    web.post(&at(&web, &made), &change).await;
    let mut own = draft.clone();
    own["reference"] = json!("mine");
    let second = web.post(&path, &own).await.json();
    assert_eq!(
        (&second["reference"], &second["content"]),
        (&json!("mine"), &json!("Go downhill."))
    );
    assert_eq!(
        (&second["template_version"], &second["template_name"]),
        (&json!(2), &json!("Surge"))
    );
    let again = web
        .get(&format!("{path}/{}", first["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(
        again, first,
        "a template that changes leaves its alerts alone"
    );
    let mut foreign = draft.clone();
    foreign["service_id"] = json!(web.other.id);
    foreign["created_by"] = json!(web.other.author);
    web.post(&alerts_path(web.other.id), &foreign)
        .await
        .assert_internal_error(404, "No result found");
    web.post(&at(&web, &made), &json!({ "archived": true }))
        .await;
    web.post(&path, &draft)
        .await
        .assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn a_key_reads_the_templates_of_its_own_service() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    let made = make(&web, by).await;
    let ask = async |key: &Key, path: &str| {
        let token = key.token(web.app.clock.now());
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        web.send(request.body(axum::body::Body::empty()).unwrap())
            .await
    };
    let own = ask(&web.live.normal, "/v2/templates?type=broadcast")
        .await
        .json();
    assert_eq!(own["templates"][0]["id"], made["id"]);
    assert_eq!(own["templates"][0]["body"], "Go uphill.");
    let other = ask(&web.other.normal, "/v2/templates").await.json();
    assert_eq!(other, json!({ "templates": [] }));
    let sms = ask(&web.live.normal, "/v2/templates?type=sms").await;
    sms.assert_public_error(400, "ValidationError");
    let admin = web.get("/v2/templates").await;
    assert_eq!(admin.status, 403, "{admin:?}");
    assert!(admin.json()["errors"].is_array(), "{admin:?}");
}

#[tokio::test]
async fn folders_hold_templates_and_folders_and_go_when_they_are_empty() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    let path = folders(web.live.id);
    let make_folder = async |name: &str, parent: Option<&str>| {
        let body = json!({ "name": name, "parent_id": parent });
        let made = web.post(&path, &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["data"]["id"].as_str().unwrap().to_owned()
    };
    let top = make_folder("top", None).await;
    let below = make_folder("below", Some(&top)).await;
    let mut body = new(&web, by);
    body["parent_folder_id"] = json!(below);
    let made = web.post(&templates(web.live.id), &body).await.json()["data"].clone();
    assert_eq!(made["folder"], json!(below));
    let template = made["id"].as_str().unwrap();
    let remove = async |id: &str| {
        let path = format!("{path}/{id}");
        web.send(web.request("DELETE", &path, "")).await
    };
    for full in [&top, &below] {
        remove(full)
            .await
            .assert_internal_error(400, "Folder is not empty");
    }
    let put = async |into: &str, templates: &[&str], folders: &[&str]| {
        let path = if into.is_empty() {
            format!("{path}/contents")
        } else {
            format!("{path}/{into}/contents")
        };
        let body = json!({ "templates": templates, "folders": folders });
        web.post(&path, &body).await
    };
    put(&top, &[], &[&top])
        .await
        .assert_internal_error(400, "A folder can't be moved into itself");
    put(&below, &[template], &[&top])
        .await
        .assert_internal_error(400, "A folder can't be moved into one of its subfolders");
    assert_eq!(put("", &[template], &[&below]).await.status, 204);
    assert_eq!(
        web.get(&at(&web, &made)).await.json()["data"]["folder"],
        Value::Null
    );
    let list = web.get(&path).await.json();
    let list = list["template_folders"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|one| one["parent_id"] == Value::Null));
    assert_eq!(put(&top, &[template], &[]).await.status, 204);
    assert_eq!(remove(&below).await.status, 204);
    remove(&top)
        .await
        .assert_internal_error(400, "Folder is not empty");
    // What is put away lies in no folder.
    web.post(&at(&web, &made), &json!({ "archived": true }))
        .await;
    assert_eq!(remove(&top).await.status, 204);
    remove(&top)
        .await
        .assert_internal_error(404, "No result found");
}

#[tokio::test]
async fn folders_and_templates_of_another_service_are_none() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    let made = make(&web, by).await;
    let own = web
        .post(&folders(web.live.id), &json!({ "name": "own" }))
        .await
        .json();
    let own = own["data"]["id"].as_str().unwrap();
    let other = folders(web.other.id);
    let foreign = web.post(&other, &json!({ "name": "foreign" })).await.json();
    let foreign = foreign["data"]["id"].as_str().unwrap();
    let none = json!({ "templates": [], "folders": [] });
    for (path, body) in [
        (format!("{other}/{own}"), json!({ "name": "x" })),
        (format!("{other}/{own}/contents"), none),
        (
            format!("{other}/contents"),
            json!({ "templates": [made["id"]], "folders": [] }),
        ),
        (
            format!("{other}/{foreign}/contents"),
            json!({ "templates": [], "folders": [own] }),
        ),
    ] {
        web.post(&path, &body)
            .await
            .assert_internal_error(404, "No result found");
    }
    let gone = web
        .send(web.request("DELETE", &format!("{other}/{own}"), ""))
        .await;
    gone.assert_internal_error(404, "No result found");
    let body = json!({ "name": "x", "parent_id": own });
    web.post(&other, &body)
        .await
        .assert_internal_error(400, "parent_id not found");
}

#[tokio::test]
async fn a_folder_is_seen_by_those_who_see_its_parent_until_it_is_said_who_does() {
    let web = TestWeb::start().await;
    let path = folders(web.live.id);
    let seen = |answer: &Answer| -> Vec<String> {
        let told = answer.json();
        let users = told["data"]["users_with_permission"].as_array().unwrap();
        users
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    };
    let (author, approver) = (web.live.author.to_string(), web.live.approver.to_string());
    let top = web.post(&path, &json!({ "name": "top" })).await;
    assert_eq!(seen(&top), [author.clone(), approver.clone()]);
    let id = top.json()["data"]["id"].as_str().unwrap().to_owned();
    // Whoever is no member sees nothing.
    let body = json!({ "name": "new", "users_with_permission": [author, web.outsider] });
    let changed = web.post(&format!("{path}/{id}"), &body).await;
    assert_eq!(seen(&changed), std::slice::from_ref(&author));
    assert_eq!(changed.json()["data"]["name"], "new");
    let below = web
        .post(&path, &json!({ "name": "below", "parent_id": id }))
        .await;
    assert_eq!(seen(&below), [author]);
}

#[tokio::test]
async fn templates_and_folders_are_purged_where_tests_run() {
    let web = TestWeb::start().await;
    let by = writer(&web).await;
    make(&web, by).await;
    let path = folders(web.live.id);
    let top = web.post(&path, &json!({ "name": "top" })).await.json();
    let body = json!({ "name": "below", "parent_id": top["data"]["id"] });
    web.post(&path, &body).await;
    let purge = format!("{}/purge", templates(web.live.id));
    let purged = web.send(web.request("DELETE", &purge, "")).await;
    assert_eq!(purged.status, 200, "{purged:?}");
    assert_eq!(
        web.get(&path).await.json(),
        json!({ "template_folders": [] })
    );
    assert_eq!(
        web.get(&templates(web.live.id)).await.json(),
        json!({ "data": [] })
    );
}
