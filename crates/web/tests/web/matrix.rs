//! Who may ask what of every route of the table. The rule stands here, route by route, and is held
//! against the table: a route without a rule fails, and so does one that says of itself that the
//! client alone asks while its body names a person.
//!
//! On the earlier routes the trusted client names who acts; where it names nobody, nobody but the
//! client is asked for ("client alone"): what a person may there is the client's to know.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body as Bytes;
use axum::http::Request;
use balefire_app::authenticate::make_token;
use balefire_domain::ids::{AlertId, DutyItemId, UserId};
use balefire_domain::lane::DutyKind;
use balefire_domain::permission::{Deed, Permission};
use balefire_domain::time::Clock as _;
use balefire_web::{Body, Caller, Route, Schema, path_parameters, routes, test_routes};
use serde_json::{Value, json};

use crate::documents::alert;
use crate::support::*;
use crate::v3::{Call, seen};

/// What a person must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    /// Known, with an account in use.
    Present,
    /// A member of the service, or acting as platform administrator.
    Belong,
    /// What the deed asks of a member; a platform administrator views and stops, nothing else.
    Do(Deed),
    /// The same for managing a service, which who may act as platform administrator may too.
    Manage(Deed),
    /// Either of the two.
    Either(Deed, Deed),
    /// Somebody who may act as platform administrator, elevated or not.
    Administer,
}
use Right::{Administer, Belong, Do, Either, Manage, Present};

/// Anybody, without a token.
const ANYBODY: &[&str] = &[
    "GET /",
    "GET /_api_status",
    "POST /_api_status",
    "GET /_api_status/live-service-and-organisation-counts",
    "GET /_api_status/ready",
    "GET /v3/openapi.json",
    // For tests, where such routes are.
    "GET /verify-code/{user}",
];

/// A service's key: which kinds.
const KEYS: &[(&str, &[&str])] = &[
    ("POST /v2/broadcast", &["normal", "test"]),
    ("OPTIONS /v2/broadcast", &["normal", "team", "test"]),
    ("GET /v2/templates", &["normal", "team", "test"]),
];

/// The client of the table alone: the body names nobody who acts.
const CLIENT_ALONE: &[&str] = &[
    "GET /_api_status/full",
    "GET /admin-action/pending",
    "GET /admin-action/{action}",
    "DELETE /admin-action/purge/{user}",
    "POST /events",
    "GET /failed-logins/check-failed-login-for-requester",
    "GET /failed-logins/fetch-for-requester",
    "GET /feature-toggle",
    "GET /govuk-alerts",
    "POST /govuk-alerts/acknowledge",
    "GET /govuk-alerts/all",
    "GET /invite/organisation/check/{token}",
    "GET /invite/organisation/{invitation}",
    "GET /invite/service/check/{token}",
    "GET /invite/service/{invitation}",
    "GET /organisation/{organisation}/invite",
    "GET /organisation/{organisation}/invite/{invitation}",
    "POST /organisation/{organisation}/invite/{invitation}",
    "GET /organisations",
    "POST /organisations",
    "GET /organisations/by-domain",
    "GET /organisations/{organisation}",
    "POST /organisations/{organisation}",
    "POST /organisations/{organisation}/archive",
    "POST /organisations/{organisation}/service",
    "GET /organisations/{organisation}/services",
    "GET /organisations/{organisation}/users",
    "DELETE /organisations/{organisation}/users/{user}",
    "POST /organisations/{organisation}/users/{user}",
    "POST /populations",
    "POST /publish_task_progress/add-publish",
    "POST /publish_task_progress/finish-publish",
    "POST /publish_task_progress/get-publish",
    "GET /publish_task_progress/get-publish-tasks",
    "POST /publish_task_progress/update-publish",
    "DELETE /publish_task_progress/purge/{days}",
    "POST /reports",
    "GET /service",
    "GET /service/find-services-by-name",
    "GET /service/{service}",
    "POST /service/{service}/api-key/revoke/{key}",
    "GET /service/{service}/api-keys",
    "GET /service/{service}/api-keys/{key}",
    "POST /service/{service}/archive",
    "GET /service/{service}/broadcast-message",
    "DELETE /service/purge-failed-logins-created-by-tests",
    "DELETE /service/purge-govuk-s3-bucket/{days}",
    "DELETE /service/purge-services-created/{user}",
    "DELETE /service/purge-users-created-by-tests",
    "DELETE /service/{service}/api-key/purge",
    "DELETE /service/{service}/broadcast-message/purge/{days}",
    "GET /service/{service}/broadcast-message-edit-reasons/{alert}/edit-reason/{item}",
    "GET /service/{service}/broadcast-message-edit-reasons/{alert}/edit-reasons",
    "GET /service/{service}/broadcast-message-edit-reasons/{alert}/latest-edit-reason",
    "GET /service/{service}/broadcast-message-history/{alert}/version/{item}",
    "GET /service/{service}/broadcast-message-history/{alert}/versions",
    "GET /service/{service}/broadcast-message/message={alert}",
    "GET /service/{service}/broadcast-message/messages",
    "GET /service/{service}/broadcast-message/{alert}",
    "GET /service/{service}/broadcast-message/{alert}/provider-messages",
    "GET /service/{service}/broadcast-message/{alert}/provider-statuses",
    "GET /service/{service}/broadcast-providers",
    "GET /service/{service}/email-contacts",
    "GET /service/{service}/history",
    "GET /service/{service}/invite",
    "GET /service/{service}/invite/{invitation}",
    "POST /service/{service}/invite/{invitation}",
    "GET /service/{service}/organisation",
    "GET /service/{service}/template",
    "DELETE /service/{service}/template/purge",
    "GET /service/{service}/template-folder",
    "POST /service/{service}/template-folder",
    "POST /service/{service}/template-folder/contents",
    "DELETE /service/{service}/template-folder/{folder}",
    "POST /service/{service}/template-folder/{folder}",
    "POST /service/{service}/template-folder/{folder}/contents",
    "GET /service/{service}/template/{template}",
    "GET /service/{service}/template/{template}/version/{version}",
    "GET /service/{service}/template/{template}/versions",
    "GET /service/{service}/users",
    "DELETE /service/{service}/users/{user}",
    "POST /service/{service}/users/{user}",
    "GET /user",
    "POST /user",
    "GET /user/email",
    "POST /user/email",
    "POST /user/email-in-db",
    "POST /user/email-in-use",
    "POST /user/email-or-none",
    "POST /user/find-users-by-email",
    "POST /user/invited",
    "POST /user/reset-password",
    "GET /user/{user}",
    "POST /user/{user}/activate",
    "POST /user/{user}/archive",
    "POST /user/{user}/change-email-verification",
    "POST /user/{user}/check-password-validity",
    "POST /user/{user}/complete/webauthn-login",
    "POST /user/{user}/email-already-registered",
    "POST /user/{user}/email-code",
    "POST /user/{user}/email-code-new-auth",
    "POST /user/{user}/email-verification",
    "GET /user/{user}/organisations-and-services",
    "DELETE /user/{user}/purge-password-history",
    "POST /user/{user}/redeem-elevation",
    "POST /user/{user}/reset-failed-login-count",
    "POST /user/{user}/service/{service}/permission",
    "POST /user/{user}/sms-code",
    "POST /user/{user}/sms-code-new-auth",
    "POST /user/{user}/update-password",
    "POST /user/{user}/verify/code",
    "POST /user/{user}/verify/password",
    "POST /user/{user}/verify/webauthn-login",
    "GET /user/{user}/webauthn",
    "POST /user/{user}/webauthn",
    "GET /user/{user}/webauthn/check-credentials",
    "DELETE /user/{user}/webauthn/{credential}",
    "POST /user/{user}/webauthn/{credential}",
];

/// A person acts: which route, what is asked there, and what that takes.
const PERSONS: &[(&str, &str, Right)] = &[
    (CREATE, "", Do(Deed::Author)),
    (EDIT, "content", Do(Deed::Author)),
    (EDIT, "finishes_at", Either(Deed::Author, Deed::Approve)),
    (CHECK, "pending-approval", Do(Deed::Author)),
    (CHECK, "draft", Do(Deed::Author)),
    (CHECK, "broadcasting", Do(Deed::Approve)),
    (CHECK, "rejected", Do(Deed::Reject)),
    (CHECK, "returned", Do(Deed::Reject)),
    (CHECK, "cancelled", Do(Deed::Cancel)),
    (MOVE, "pending-approval", Do(Deed::Author)),
    (MOVE, "draft", Do(Deed::Author)),
    (MOVE, "broadcasting", Do(Deed::Approve)),
    (MOVE, "rejected", Do(Deed::Reject)),
    (MOVE, "returned", Do(Deed::Reject)),
    (MOVE, "cancelled", Do(Deed::Cancel)),
    (REJECT, "rejected", Do(Deed::Reject)),
    (RETURN, "", Do(Deed::Reject)),
    (SUMMARY, "", Do(Deed::View)),
    (TEMPLATE, "", Do(Deed::WriteTemplates)),
    (TEMPLATE_EDIT, "", Do(Deed::WriteTemplates)),
    (KEY, "", Manage(Deed::ManageKeys)),
    (INVITE, "", Manage(Deed::ManageUsers)),
    (INVITE_TO_ORGANISATION, "", Administer),
    (BEGIN, "", Present),
    (SETTINGS, "", Manage(Deed::ManageUsers)),
    (SET_UP, "", Administer),
    (USER, "", Do(Deed::ManageUsers)),
    (USER_UPDATE, "", Do(Deed::ManageUsers)),
    (ELEVATE, "", Administer),
    (ACTION, "invite_user", Manage(Deed::ManageUsers)),
    (ACTION, "edit_permissions", Manage(Deed::ManageUsers)),
    (ACTION, "create_api_key", Manage(Deed::ManageKeys)),
    (ACTION, "elevate_platform_admin", Administer),
    (REVIEW, "approved", Administer),
    (REVIEW, "rejected", Administer),
    (V3_ALERTS, "", Do(Deed::View)),
    (V3_ALERT, "", Do(Deed::View)),
    (V3_DELIVERIES, "", Do(Deed::View)),
    (V3_ITEMS, "", Do(Deed::View)),
    (V3_AUDIT, "", Do(Deed::View)),
    (V3_PROVIDERS, "", Present),
    (V3_SUBMIT, "", Do(Deed::Author)),
    (V3_APPROVE, "", Do(Deed::Approve)),
    (V3_REJECT, "", Do(Deed::Reject)),
    (V3_CANCEL, "", Do(Deed::Cancel)),
    (V3_CLOSE, "", Belong),
    (V3_ACTIONS, "", Present),
    (V3_ACTION, "", Manage(Deed::ManageKeys)),
    (V3_ASK, "invite_user", Manage(Deed::ManageUsers)),
    (V3_ASK, "edit_permissions", Manage(Deed::ManageUsers)),
    (V3_ASK, "create_api_key", Manage(Deed::ManageKeys)),
    (V3_ASK, "elevate_platform_admin", Administer),
    (V3_ACTION_APPROVE, "", Administer),
    (V3_ACTION_REJECT, "", Administer),
];

const CREATE: &str = "POST /service/{service}/broadcast-message";
const EDIT: &str = "POST /service/{service}/broadcast-message/{alert}";
const CHECK: &str = "POST /service/{service}/broadcast-message/{alert}/check-status";
const MOVE: &str = "POST /service/{service}/broadcast-message/{alert}/status";
const REJECT: &str = "POST /service/{service}/broadcast-message/{alert}/status-with-reason";
const RETURN: &str = "POST /service/{service}/broadcast-message/{alert}/return-for-edit";
const SUMMARY: &str = "POST /service/{service}/broadcast-message/{alert}/alert-summary-email";
const TEMPLATE: &str = "POST /service/{service}/template";
const TEMPLATE_EDIT: &str = "POST /service/{service}/template/{template}";
const KEY: &str = "POST /service/{service}/api-key";
const INVITE: &str = "POST /service/{service}/invite";
const INVITE_TO_ORGANISATION: &str = "POST /organisation/{organisation}/invite";
const BEGIN: &str = "POST /service";
const SETTINGS: &str = "POST /service/{service}";
const SET_UP: &str = "POST /service/{service}/set-as-broadcast-service";
const USER: &str = "POST /user/{user}";
const USER_UPDATE: &str = "POST /user/{user}/update";
const ELEVATE: &str = "POST /user/{user}/elevate";
const ACTION: &str = "POST /admin-action";
const REVIEW: &str = "POST /admin-action/{action}/review";
const V3_ALERTS: &str = "GET /v3/services/{service}/alerts";
const V3_ALERT: &str = "GET /v3/services/{service}/alerts/{alert}";
const V3_DELIVERIES: &str = "GET /v3/services/{service}/alerts/{alert}/deliveries";
const V3_ITEMS: &str = "GET /v3/services/{service}/alerts/{alert}/duty-items";
const V3_AUDIT: &str = "GET /v3/services/{service}/audit";
const V3_PROVIDERS: &str = "GET /v3/providers";
const V3_SUBMIT: &str = "POST /v3/services/{service}/alerts/{alert}/submit";
const V3_APPROVE: &str = "POST /v3/services/{service}/alerts/{alert}/approve";
const V3_REJECT: &str = "POST /v3/services/{service}/alerts/{alert}/reject";
const V3_CANCEL: &str = "POST /v3/services/{service}/alerts/{alert}/cancel";
const V3_CLOSE: &str = "POST /v3/duty-items/{item}/close";
const V3_ACTIONS: &str = "GET /v3/admin-actions";
const V3_ASK: &str = "POST /v3/admin-actions";
const V3_ACTION: &str = "GET /v3/admin-actions/{action}";
const V3_ACTION_APPROVE: &str = "POST /v3/admin-actions/{action}/approve";
const V3_ACTION_REJECT: &str = "POST /v3/admin-actions/{action}/reject";

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

fn all_routes() -> impl Iterator<Item = &'static Route> {
    routes().chain(test_routes())
}

#[test]
fn sec_09_every_route_states_who_may_ask_it() {
    let persons: BTreeSet<&str> = PERSONS.iter().map(|(route, ..)| *route).collect();
    let keys = KEYS.iter().map(|(route, _)| *route);
    let stated = ANYBODY.iter().chain(CLIENT_ALONE).copied();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for route in stated.chain(keys).chain(persons.iter().copied()) {
        *rules.entry(route).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for route in all_routes() {
        let name = name(route);
        match rules.remove(name.as_str()) {
            Some(1) => {}
            told => wrong.push(format!("{name} has {} rules", told.unwrap_or_default())),
        }
        let is_right = match route.caller {
            Caller::Anybody => ANYBODY.contains(&name.as_str()),
            Caller::ServiceKey => KEYS.iter().any(|(route, _)| *route == name),
            Caller::Person => persons.contains(name.as_str()),
            Caller::Admin => persons.contains(name.as_str()) == names_somebody(route),
            Caller::PublicSite | Caller::Publisher => CLIENT_ALONE.contains(&name.as_str()),
        };
        if !is_right {
            wrong.push(format!("the rule of {name} is another than its caller's"));
        }
    }
    wrong.extend(rules.keys().map(|name| format!("{name} is no route")));
    assert_eq!(wrong, [""; 0]);
}

/// Whether the body says who acts.
fn names_somebody(route: &Route) -> bool {
    const ACTS: [&str; 6] = [
        "created_by",
        "updated_by",
        "approved_by",
        "reviewed_by",
        "from_user",
        "invited_by",
    ];
    match &route.body {
        Body::Json(Schema::Object(properties)) => properties
            .iter()
            .any(|property| ACTS.contains(&property.name)),
        _ => false,
    }
}

/// Who calls, with the token that they hold.
fn callers(web: &TestWeb, route: &Route, target: &str) -> Vec<(&'static str, Option<String>)> {
    let now = web.clock.now();
    let method: &'static str = route.method;
    let vouched = |client: &str, secret: &str| {
        let mut call = Call::new(web, web.live.author, method, target, &Value::Null);
        call.claims["iss"] = json!(client);
        secret.clone_into(&mut call.secret);
        Some(call.token())
    };
    let service = web.live.id.to_string();
    vec![
        ("nobody", None),
        (
            "notify-admin",
            Some(make_token("notify-admin", ADMIN_SECRET, now)),
        ),
        (
            "govuk-alerts",
            Some(make_token("govuk-alerts", GOVUK_SECRET, now)),
        ),
        (
            "govuk-alerts-publish",
            Some(make_token("govuk-alerts-publish", PUBLISHER_SECRET, now)),
        ),
        (
            "a stranger",
            Some(make_token("notify-admin", "a guess", now)),
        ),
        ("normal", Some(web.live.normal.token(now))),
        ("team", Some(web.live.team.token(now))),
        ("test", Some(web.live.test.token(now))),
        ("a person", vouched("notify-admin", ADMIN_SECRET)),
        ("the site's person", vouched("govuk-alerts", GOVUK_SECRET)),
        (
            "the publisher's person",
            vouched("govuk-alerts-publish", PUBLISHER_SECRET),
        ),
        ("a key's person", vouched(&service, &web.live.normal.secret)),
    ]
}

/// Whom the rule lets in.
fn opens(route: &Route, caller: &str) -> bool {
    match route.caller {
        Caller::Anybody => true,
        Caller::Admin => caller == "notify-admin",
        Caller::PublicSite => caller == "govuk-alerts",
        Caller::Publisher => caller == "govuk-alerts-publish",
        Caller::Person => caller == "a person",
        Caller::ServiceKey => {
            let name = name(route);
            let rule = KEYS.iter().find(|(route, _)| *route == name);
            rule.is_some_and(|(_, kinds)| kinds.contains(&caller))
        }
    }
}

#[tokio::test]
async fn sec_54_every_route_opens_to_its_caller_and_to_no_other() {
    let web = TestWeb::start().await;
    let unknown = "00000000-0000-4000-8000-00000000abcd";
    let stored = web.stored().await;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    // Those whom the rule lets in come last: they may change something.
    for lets_in in [false, true] {
        for route in all_routes() {
            let target = path_parameters(route.path).fold(route.path.to_owned(), |path, name| {
                path.replace(&format!("{{{name}}}"), unknown)
            });
            for (caller, token) in callers(&web, route, &target) {
                if opens(route, caller) != lets_in {
                    continue;
                }
                let mut request = Request::builder().method(route.method).uri(&target);
                if let Some(token) = token {
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                let answer = web.send(request.body(Bytes::empty()).unwrap()).await;
                let is_refused = [401, 403].contains(&answer.status.as_u16());
                if is_refused == lets_in {
                    let name = name(route);
                    wrong.push(format!(
                        "{name} to {caller}: {} {}",
                        answer.status, answer.text
                    ));
                }
                asked += 1;
            }
        }
        if !lets_in {
            assert_eq!(web.stored().await, stored, "a stranger left something");
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(asked, 12 * all_routes().count());
}

/// Somebody, and what they are to the live service.
struct Role {
    name: &'static str,
    id: UserId,
    held: Option<Vec<Permission>>,
    is_capable: bool,
    is_elevated: bool,
    is_in_use: bool,
}

impl Role {
    /// The rule in words: what [`Right`] asks, and nothing of the program.
    fn may(&self, right: Right) -> bool {
        let holds = |permission| {
            let held = self.held.as_ref();
            held.is_some_and(|held| held.contains(&permission))
        };
        let does = |deed| match deed {
            Deed::View | Deed::Cancel => self.is_elevated || self.held.is_some(),
            _ if self.is_elevated => false,
            Deed::Author => holds(Permission::CreateBroadcasts),
            Deed::Approve => holds(Permission::ApproveBroadcasts),
            Deed::Reject => holds(Permission::RejectBroadcasts),
            Deed::WriteTemplates => holds(Permission::ManageTemplates),
            Deed::ManageUsers => holds(Permission::ManageUsers),
            Deed::ManageKeys => holds(Permission::ManageApiKeys),
        };
        self.is_in_use
            && match right {
                Present => true,
                Belong => self.is_elevated || self.held.is_some(),
                Do(deed) => does(deed),
                Either(one, other) => does(one) || does(other),
                Manage(deed) => self.is_capable || does(deed),
                Administer => self.is_capable,
            }
    }
}

const VIEW: Permission = Permission::ViewActivity;
const MANAGES: [Permission; 4] = [
    Permission::ManageUsers,
    Permission::ManageTemplates,
    Permission::ManageApiKeys,
    VIEW,
];

async fn roles(web: &TestWeb) -> Vec<Role> {
    let mut roles = Vec::new();
    let mut add = async |name: &'static str, held: Option<Vec<Permission>>| {
        let id = web.somebody(name, held.as_deref(), false).await;
        roles.push(Role {
            name,
            id,
            held,
            is_capable: false,
            is_elevated: false,
            is_in_use: true,
        });
    };
    add("stranger", None).await;
    add("elsewhere", None).await;
    add("viewer", Some(vec![VIEW])).await;
    for permission in Permission::ALL {
        add(permission.as_str(), Some(vec![permission])).await;
    }
    add("manager", Some(MANAGES.to_vec())).await;
    let all = || Some(Permission::ALL.to_vec());
    add("everything", all()).await;
    add("capable", None).await;
    add("capable-member", all()).await;
    add("elevated", None).await;
    add("elevated-member", all()).await;
    add("lapsed", None).await;
    add("pending", all()).await;
    add("inactive", all()).await;
    add("inactive-admin", all()).await;
    add("archived", all()).await;
    let mut tx = web.app.store.begin("roles", START).await.unwrap();
    let elsewhere = roles.iter().find(|role| role.name == "elsewhere").unwrap();
    let permissions = Permission::ALL.into_iter().collect();
    tx.insert_membership(elsewhere.id, web.other.id, &permissions)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    web.execute("UPDATE users SET is_admin_capable = true WHERE name LIKE 'capable%'")
        .await;
    web.execute(
        "UPDATE users SET is_admin_capable = true, is_platform_admin = true,
            elevated_at = 1795406942000000 WHERE name LIKE 'elevated%'",
    )
    .await;
    // Six hours and a second ago.
    web.execute(
        "UPDATE users SET is_admin_capable = true, is_platform_admin = true,
            elevated_at = 1795385341000000 WHERE name = 'lapsed'",
    )
    .await;
    web.execute("UPDATE users SET state = 'pending' WHERE name = 'pending'")
        .await;
    web.execute(
        "UPDATE users SET state = 'inactive', is_admin_capable = (name = 'inactive-admin'),
            is_platform_admin = (name = 'inactive-admin') WHERE name LIKE 'inactive%'",
    )
    .await;
    for role in &mut roles {
        match role.name {
            "capable" | "capable-member" | "lapsed" => role.is_capable = true,
            "elevated" | "elevated-member" => (role.is_capable, role.is_elevated) = (true, true),
            "pending" | "inactive" | "inactive-admin" => role.is_in_use = false,
            "archived" => {
                web.app.archive_account(role.id).await.unwrap();
                role.is_in_use = false;
            }
            _ => {}
        }
    }
    roles
}

/// An alert made by a key, so that nobody is its author, in the state that the ask begins in.
async fn alert_for(web: &TestWeb, name: &str, case: &str) -> AlertId {
    let id = web.post_cap(&web.live.normal, &alert(name)).await.alert();
    let (to, by) = match case {
        "pending-approval" => ("returned", web.live.author),
        "cancelled" => ("broadcasting", web.live.approver),
        _ => return id,
    };
    let answer = web.change_status(id, to, by).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    id
}

/// What an ask begins with.
struct Ground {
    alert: AlertId,
    /// The template, organisation, action or duty item of the path.
    other: String,
    name: String,
}

async fn ground(web: &TestWeb, route: &str, case: &str, name: String) -> Ground {
    let case = match route {
        V3_SUBMIT => "pending-approval",
        V3_CANCEL => "cancelled",
        _ => case,
    };
    // Where none is asked about, the path names none either.
    let has_alert = route.contains("{alert}") || route == V3_CLOSE;
    let alert = if has_alert {
        alert_for(web, &name, case).await
    } else {
        AlertId::new(web.live.id.uuid())
    };
    let other = match route {
        TEMPLATE_EDIT => {
            let mut body = new_template(web);
            body["created_by"] = json!(
                web.somebody(
                    &format!("t-{name}"),
                    Some(&[Permission::ManageTemplates]),
                    false
                )
                .await
            );
            let path = format!("/service/{}/template", web.live.id);
            text(&web.post(&path, &body).await.json()["data"]["id"])
        }
        INVITE_TO_ORGANISATION => {
            let new = json!({ "name": name, "crown": false, "organisation_type": "other" });
            text(&web.post("/organisations", &new).await.json()["id"])
        }
        REVIEW | V3_ACTION | V3_ACTION_APPROVE | V3_ACTION_REJECT => {
            let body = action(web, "create_api_key", &name, web.platform_admin);
            text(&web.post("/admin-action", &body).await.json()["id"])
        }
        V3_CLOSE => {
            let now = web.clock.now();
            let id = DutyItemId::new(web.app.entropy.uuid_v7(now));
            let mut tx = web.app.store.begin("item", now).await.unwrap();
            let kind = DutyKind::Stuck;
            let opened = tx.open_duty_item(id, kind, &name, Some(alert), None).await;
            assert!(opened.unwrap());
            tx.commit().await.unwrap();
            id.to_string()
        }
        _ => String::new(),
    };
    Ground { alert, other, name }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn new_template(web: &TestWeb) -> Value {
    json!({
        "reference": "r", "template_type": "broadcast", "content": "Go uphill.",
        "service": web.live.id,
    })
}

fn action(web: &TestWeb, kind: &str, name: &str, by: UserId) -> Value {
    let data = match kind {
        "invite_user" => json!({ "email_address": format!("{name}@x.gov.uk"),
            "permissions": ["create_broadcasts"] }),
        "edit_permissions" => json!({ "user_id": by,
            "permissions": ["create_broadcasts"] }),
        "create_api_key" => json!({ "key_name": name, "key_type": "normal" }),
        _ => json!({}),
    };
    let service = (kind != "elevate_platform_admin").then_some(web.live.id);
    json!({ "created_by": by, "action_type": kind, "action_data": data, "service_id": service })
}

/// The body of an ask on the earlier routes, in which `by` acts.
fn body(web: &TestWeb, (route, case): (&str, &str), ground: &Ground, by: UserId) -> Value {
    let name = &ground.name;
    match route {
        CREATE => json!({ "service_id": web.live.id, "created_by": by, "reference": "r",
            "content": "Go uphill." }),
        EDIT if case == "content" => json!({ "content": "Go downhill.", "created_by": by }),
        EDIT => json!({ "finishes_at": "2026-11-23T06:00:00Z", "created_by": by }),
        CHECK | MOVE => json!({ "status": case, "created_by": by }),
        REJECT => json!({ "status": case, "created_by": by, "rejection_reason": "no" }),
        RETURN => json!({ "edit_reason": "no", "created_by": by }),
        SUMMARY => json!({ "created_by": by, "geojson": "{}", "alert_summary": "s",
            "phone_estimate": "1", "duration": "1 hour", "areas": ["A"],
            "wkt": "POLYGON((0 0, 0 1, 1 1, 0 0))" }),
        TEMPLATE => {
            let mut body = new_template(web);
            body["created_by"] = json!(by);
            body
        }
        TEMPLATE_EDIT => json!({ "content": "Stay at home.", "created_by": by }),
        KEY => json!({ "name": name, "key_type": "normal", "created_by": by }),
        INVITE => json!({ "service": web.live.id, "email_address": format!("{name}@x.gov.uk"),
            "from_user": by, "permissions": "view_activity", "auth_type": "email_auth",
            "invite_link_host": "https://x.gov.uk", "folder_permissions": [] }),
        INVITE_TO_ORGANISATION => json!({ "email_address": format!("{name}@x.gov.uk"),
            "invited_by": by, "invite_link_host": "https://x.gov.uk" }),
        BEGIN => json!({ "name": name, "user_id": web.live.author, "created_by": by }),
        SETTINGS => json!({ "name": name, "created_by": by }),
        SET_UP => json!({ "service_mode": "live", "broadcast_channel": "severe",
            "provider_restriction": ["all"], "created_by": by }),
        USER | USER_UPDATE => json!({ "name": name, "updated_by": by }),
        ELEVATE => json!({ "approved_by": by }),
        ACTION => action(web, case, name, by),
        REVIEW => json!({ "reviewed_by": by, "status": case }),
        other => panic!("{other} has no ask"),
    }
}

async fn ask(web: &TestWeb, row: (&'static str, &str), ground: &Ground, by: UserId) -> Answer {
    let (method, path) = row.0.split_once(' ').unwrap();
    let target = path_parameters(path).fold(path.to_owned(), |path, name| {
        let value = match name {
            "service" => web.live.id.to_string(),
            "alert" => ground.alert.to_string(),
            "user" if row.0 == ELEVATE => web.platform_admin.to_string(),
            "user" => web.live.approver.to_string(),
            _ => ground.other.clone(),
        };
        path.replace(&format!("{{{name}}}"), &value)
    });
    if !path.starts_with("/v3/") {
        return web.post(&target, &body(web, row, ground, by)).await;
    }
    let body = match row.0 {
        V3_APPROVE => seen(&web.see(web.live.approver, ground.alert).await),
        V3_REJECT => json!({ "reason": "no" }),
        V3_ASK => {
            let mut body = action(web, row.1, &ground.name, by);
            body.as_object_mut().unwrap().remove("created_by");
            body
        }
        _ if method == "POST" => json!({}),
        _ => Value::Null,
    };
    web.ask(by, method, &target, &body).await
}

/// Holds some rows of the table against what is answered to everybody.
async fn hold(is_of_part: impl Fn(&str) -> bool) {
    let mut wrong = Vec::new();
    for (route, case, right) in PERSONS {
        if !is_of_part(route) {
            continue;
        }
        // A service each: what one ask leaves is in no other's way.
        let web = TestWeb::start().await;
        let mut letting = BTreeSet::new();
        for role in roles(&web).await {
            let ground = ground(&web, route, case, format!("g-{}", role.name)).await;
            let stored = web.stored().await;
            let answer = ask(&web, (route, case), &ground, role.id).await;
            let may = role.may(*right);
            let told = format!(
                "{route} {case} by {}: {} {}",
                role.name, answer.status, answer.text
            );
            if answer.status.is_success() != may || answer.status.is_server_error() {
                wrong.push(told);
            } else if !may && web.stored().await != stored {
                wrong.push(format!("{told}: and yet something was stored"));
            }
            letting.insert(may);
        }
        assert_eq!(
            letting.len(),
            2,
            "{route} {case}: somebody may, and somebody may not"
        );
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn sec_09_the_earlier_routes_ask_what_whoever_acts_may() {
    hold(|route| route.contains(" /service/{service}/broadcast-message")).await;
}

#[tokio::test]
async fn sec_09_the_earlier_routes_ask_what_whoever_manages_may() {
    let is_alerts = |route: &str| route.contains("/broadcast-message");
    hold(|route| !route.contains(" /v3/") && !is_alerts(route)).await;
}

#[tokio::test]
async fn sec_09_v3_asks_what_whoever_acts_may() {
    hold(|route| route.contains(" /v3/")).await;
}
