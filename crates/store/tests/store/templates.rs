//! Templates, folders and the reasons of edits come back as they went in; what is purged is gone
//! and nothing else.

use std::time::Duration;

use balefire_domain::alert::Status;
use balefire_domain::ids::{EditReasonId, FolderId, TemplateId};
use balefire_store::alerts::{Alert, MadeOf};
use balefire_store::edit_reasons::EditReason;
use balefire_store::templates::{Folder, Template};
use serde_json::json;
use uuid::Uuid;

use crate::round_trips::AWKWARD;
use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    a_template_its_versions_and_its_folder_come_back,
    an_alert_keeps_its_template_and_its_reasons_and_is_purged_with_them,
}

fn folder(n: u128, parent: Option<FolderId>) -> Folder {
    Folder {
        id: FolderId::new(Uuid::from_u128(n)),
        service_id: SERVICE,
        parent_id: parent,
        name: AWKWARD.into(),
    }
}

fn template(folder: Option<FolderId>) -> Template {
    Template {
        id: TemplateId::new(Uuid::from_u128(0x7E)),
        service_id: SERVICE,
        folder_id: folder,
        version: 1,
        reference: "Flood".into(),
        content: AWKWARD.into(),
        areas: json!({ "names": ["A"] }),
        is_archived: false,
        created_at: T0,
        created_by: AUTHOR,
        updated_at: None,
    }
}

async fn a_template_its_versions_and_its_folder_come_back(db: TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    let top = folder(1, None);
    let below = folder(2, Some(top.id));
    tx.insert_folder(&top).await.unwrap();
    tx.insert_folder(&below).await.unwrap();
    let first = template(Some(below.id));
    tx.insert_template(&first).await.unwrap();
    let second = Template {
        version: 2,
        folder_id: None,
        is_archived: true,
        updated_at: Some(T0),
        ..first.clone()
    };
    assert_eq!(tx.count_templates_in(below.id).await.unwrap(), 1);
    let listed = tx.list_templates(SERVICE).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&first));
    tx.update_template(&second).await.unwrap();
    tx.insert_template_version(&second, None).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = db.begin().await;
    assert_eq!(tx.lock_template(first.id).await.unwrap(), Some(second));
    assert_eq!(tx.list_templates(SERVICE).await.unwrap(), []);
    assert_eq!(tx.count_templates(SERVICE).await.unwrap(), 1);
    let versions = tx.list_template_versions(first.id).await.unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|one| (one.version, one.is_archived, one.created_by))
        .collect();
    assert_eq!(told, [(2, true, None), (1, false, Some(AUTHOR))]);
    assert_eq!(versions[1].content, AWKWARD);
    assert_eq!(tx.list_folders(SERVICE).await.unwrap(), [top, below]);
    assert_eq!(tx.purge_templates(SERVICE).await.unwrap(), 1);
    assert_eq!(tx.purge_folders(SERVICE).await.unwrap(), 2);
    assert_eq!(tx.load_template(first.id).await.unwrap(), None);
}

async fn an_alert_keeps_its_template_and_its_reasons_and_is_purged_with_them(db: TestStore) {
    let mut tx = db.begin().await;
    insert_people(&mut tx).await.unwrap();
    let made_of = MadeOf {
        template: TemplateId::new(Uuid::from_u128(0x7E)),
        version: 3,
        name: AWKWARD.into(),
    };
    let alert = Alert {
        made_of: Some(made_of),
        duration_us: Some(5),
        ..pending_alert(ALERT)
    };
    tx.insert_alert(&alert).await.unwrap();
    assert_eq!(tx.load_alert(ALERT).await.unwrap(), Some(alert.clone()));
    let reason = |n: u128, at| EditReason {
        id: EditReasonId::new(Uuid::from_u128(n)),
        alert_id: ALERT,
        reason: AWKWARD.into(),
        created_at: at,
        created_by: APPROVER,
        submitted_at: Some(T0),
        submitted_by: Some(AUTHOR),
    };
    let (first, second) = (reason(1, T0), reason(2, T0 + Duration::from_secs(1)));
    tx.insert_edit_reason(&first).await.unwrap();
    tx.insert_edit_reason(&second).await.unwrap();
    let reasons = tx.list_edit_reasons(ALERT).await.unwrap();
    assert_eq!(reasons, [second.clone(), first]);
    assert_eq!(tx.latest_edit_reason(ALERT).await.unwrap(), Some(second));
    let longer = Alert {
        duration_us: Some(9),
        ..alert
    };
    tx.set_version_duration(&longer).await.unwrap();
    let versions = tx.list_alert_versions(ALERT).await.unwrap();
    assert_eq!(versions[0].duration_us, Some(9));
    assert_eq!(longer.status, Status::PendingApproval);
    assert_eq!(tx.purge_alerts(SERVICE, T0).await.unwrap(), (0, 0));
    let later = T0 + Duration::from_secs(3600);
    let (alerts, rows) = tx.purge_alerts(SERVICE, later).await.unwrap();
    assert_eq!((alerts, rows), (1, 3), "one version and two reasons");
    assert_eq!(tx.load_alert(ALERT).await.unwrap(), None);
}
