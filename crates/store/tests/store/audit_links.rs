//! The chain over the audit trail: linked by several at once it never forks, and it only grows.

use balefire_domain::audit::{Actor, Change, Whence};
use balefire_domain::audit_chain::{ChainHash, Judge};
use balefire_domain::ids::AuditEntryId;
use balefire_domain::time::Timestamp;
use balefire_store::audit_entries::AuditEntry;
use balefire_store::{Store, StoreError};
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::round_trips::AWKWARD;
use crate::samples::*;
use crate::support::{T0, TestStore, begin};

on_both_engines! {
    whoever_links_at_the_same_time_makes_one_chain,
    every_column_comes_back_as_it_was_written,
    sec_49_links_are_never_changed_removed_or_replaced,
}

const EVER: Timestamp = Timestamp::from_micros(i64::MIN);

fn entry(n: u128) -> AuditEntry {
    AuditEntry {
        id: AuditEntryId::new(Uuid::from_u128(n)),
        actor: Actor::User(AUTHOR),
        action: "alert.approve",
        object: format!("alert {n}"),
        service_id: Some(SERVICE),
        details: json!({ "note": AWKWARD }),
        change: Change::new(
            json!({ "status": "draft" }),
            json!({ "status": "returned" }),
        ),
        whence: Whence {
            source: Some("192.0.2.1".to_owned()),
            request_id: Some("a request".to_owned()),
            asserted_by: Some("notify-admin".to_owned()),
        },
        refusal: None,
    }
}

async fn write(store: &Store, n: u128) {
    let mut tx = begin(store).await;
    tx.insert_audit_entry(&entry(n)).await.unwrap();
    tx.commit().await.unwrap();
}

/// Links three entries, as the product does it; how many it found.
async fn link_three(store: &Store) -> Result<usize, StoreError> {
    let mut reading = store.begin_read("find", T0).await?;
    let rows = reading.list_unlinked(EVER, 3).await?;
    drop(reading);
    let mut tx = store.begin("link", T0).await?;
    tx.lock_chain().await?;
    let (mut position, mut hash) = match tx.last_link().await? {
        Some(last) => (last.position, last.hash.parse().expect("a hash")),
        None => (0, ChainHash::BEFORE_THE_FIRST),
    };
    for row in &rows {
        if tx.is_linked(&row.id).await? {
            continue;
        }
        position += 1;
        hash = hash.next(row);
        tx.insert_link(position, &row.id, hash).await?;
    }
    tx.commit().await?;
    Ok(rows.len())
}

async fn whoever_links_at_the_same_time_makes_one_chain(db: TestStore) {
    const ENTRIES: u128 = 60;
    let stores = [db.store.clone(), db.database.open_store().await];
    let mut tasks = JoinSet::new();
    for store in stores.iter().cycle().take(6) {
        let store = store.clone();
        tasks.spawn(async move {
            let mut linked = 0;
            while linked < 10 {
                // Nobody is refused: who comes second waits, and then sees what is linked.
                linked += link_three(&store).await.expect("it links");
                tokio::task::yield_now().await;
            }
            linked
        });
    }
    for n in 1..=ENTRIES {
        write(&db.store, n).await;
    }
    // Six that want ten each; with three in a round some take more, and others wait for the rest.
    let mut extra = ENTRIES;
    while !tasks.is_empty() {
        extra += 1;
        write(&db.store, extra).await;
        while tasks.try_join_next().map(Result::unwrap).is_some() {}
    }
    while link_three(&db.store).await.unwrap() > 0 {}

    let mut tx = db.begin().await;
    assert_eq!(tx.count_unlinked().await.unwrap(), 0);
    let links = tx.list_links(None, 10_000).await.unwrap();
    let mut judge = Judge::new(None);
    for link in &links {
        judge.take(link);
    }
    let verdict = judge.end();
    assert!(verdict.is_sound(), "{verdict:?}");
    assert_eq!(u128::from(verdict.links), extra);
}

async fn every_column_comes_back_as_it_was_written(db: TestStore) {
    write(&db.store, 1).await;
    let mut tx = begin(&db.store).await;
    let refused = AuditEntry {
        refusal: Some("not_a_member"),
        change: Change::NONE,
        whence: Whence::default(),
        service_id: None,
        ..entry(2)
    };
    tx.insert_audit_entry(&refused).await.unwrap();
    tx.commit().await.unwrap();
    while link_three(&db.store).await.unwrap() > 0 {}

    let mut tx = db.begin().await;
    let links = tx.list_links(None, 10).await.unwrap();
    let text = |n: usize| links[n].row.as_ref().unwrap().canonical_text();
    let (id, note) = (entry(1).id, json!(AWKWARD));
    let (author, at) = (AUTHOR, T0.micros());
    let want = format!(
        "{{\"action\":\"alert.approve\",\"actor\":\"user {author}\",\
         \"after\":{{\"status\":\"returned\"}},\"asserted_by\":\"notify-admin\",\"at_us\":{at},\
         \"before\":{{\"status\":\"draft\"}},\"details\":{{\"note\":{note}}},\"id\":\"{id}\",\
         \"object\":\"alert 1\",\"request_id\":\"a request\",\"service_id\":\"{SERVICE}\",\
         \"source\":\"192.0.2.1\"}}"
    );
    assert_eq!(text(0), want);
    let want = format!(
        "{{\"action\":\"alert.approve.refused\",\"actor\":\"user {author}\",\"at_us\":{at},\
         \"details\":{{\"note\":{note}}},\"id\":\"{}\",\"object\":\"alert 2\",\
         \"refusal\":\"not_a_member\"}}",
        entry(2).id
    );
    assert_eq!(text(1), want);

    let actor = Actor::User(AUTHOR);
    let hour = std::time::Duration::from_secs(3600);
    assert_eq!(tx.count_refused(actor, hour, 60).await.unwrap(), 1);
    assert_eq!(tx.count_refused(actor, hour, 0).await.unwrap(), 0);
    assert_eq!(tx.count_refused(Actor::Clock, hour, 60).await.unwrap(), 0);
    tx.now = T0 + hour;
    assert_eq!(tx.count_refused(actor, hour, 60).await.unwrap(), 0);

    // By service, newest first; and what is not linked stands apart.
    let of = tx.list_links_of_service(SERVICE, None, 10).await.unwrap();
    assert_eq!(of.iter().map(|l| l.position).collect::<Vec<_>>(), [1]);
    assert_eq!(
        tx.list_links_of_service(SERVICE, Some(1), 10)
            .await
            .unwrap(),
        []
    );
    let unlinked = tx.list_unlinked_of_service(SERVICE, EVER, 10).await;
    assert_eq!(unlinked.unwrap(), []);
    tx.insert_audit_entry(&entry(3)).await.unwrap();
    let unlinked = tx.list_unlinked_of_service(SERVICE, EVER, 10).await;
    assert_eq!(unlinked.unwrap().len(), 1);
    // What is too old to be looked for is not found, and whatever counts all finds it.
    assert_eq!(tx.list_unlinked(T0 + hour + hour, 10).await.unwrap(), []);
    assert_eq!(tx.count_unlinked().await.unwrap(), 1);
}

async fn sec_49_links_are_never_changed_removed_or_replaced(db: TestStore) {
    for n in 1..=2 {
        write(&db.store, n).await;
    }
    link_three(&db.store).await.unwrap();
    let before = db.begin().await.list_links(None, 10).await.unwrap();
    for sql in [
        "UPDATE audit_links SET hash = 'x'",
        "DELETE FROM audit_links WHERE position = 2",
    ] {
        let error = db.database.execute(sql).await.expect_err(sql).to_string();
        assert!(error.contains("audit entries are never"), "{sql}: {error}");
    }
    let first = &before[0];
    for (position, entry_id) in [
        (1, &before[1].entry_id),
        (9, &first.entry_id),
        (0, &first.hash),
    ] {
        let sql = format!("INSERT INTO audit_links VALUES ({position}, '{entry_id}', 'x')");
        db.database.execute(&sql).await.expect_err(&sql);
    }
    if db.store.engine() == "sqlite" {
        let id = &first.entry_id;
        let sql = format!("INSERT OR REPLACE INTO audit_links VALUES (9, '{id}', 'x')");
        let error = db.database.execute(&sql).await.expect_err(&sql).to_string();
        assert!(error.contains("never replaced"), "{error}");
    } else {
        let error = db.database.execute("TRUNCATE audit_links").await;
        assert!(error.expect_err("it stays").to_string().contains("never"));
    }
    let after = db.begin().await.list_links(None, 10).await.unwrap();
    assert_eq!(after, before);
}
