//! The schema comes up to date, whoever else is at it, and never backwards.

use balefire_domain::lane::Kind;
use balefire_store::{MigrationState, Store};
use tokio::task::JoinSet;

use crate::samples::*;
use crate::support::{Engine, T0, TestDatabase, TestStore, begin, bounded};

on_both_engines! {
    a_migrated_database_is_current_and_migrating_again_changes_nothing,
    a_newer_database_admits_the_programs_that_it_says,
    a_database_that_has_alerts_learns_of_updates,
}

async fn state(store: &Store) -> MigrationState {
    store.migration_state().await.expect("the state is read")
}

async fn a_migrated_database_is_current_and_migrating_again_changes_nothing(db: TestStore) {
    assert_eq!(state(&db.store).await, MigrationState::Current);
    let applied = "SELECT count(*) FROM _sqlx_migrations";
    let before = db.database.count(applied).await;
    let mut tx = db.begin().await;
    let number = tx.next_message_number().await.unwrap();
    tx.commit().await.unwrap();

    db.store.migrate().await.unwrap();
    assert_eq!(state(&db.store).await, MigrationState::Current);
    assert_eq!(db.database.count(applied).await, before);
    let next = db.begin().await.next_message_number().await.unwrap();
    assert!(next > number, "what was stored is still there");
}

async fn a_newer_database_admits_the_programs_that_it_says(db: TestStore) {
    db.database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) SELECT 9999, 'from_the_future', TRUE, checksum, 0 \
             FROM _sqlx_migrations WHERE version = 1",
        )
        .await
        .unwrap();
    // It says itself whether it only grew: then an older program may go on beside the new one.
    let expanded = MigrationState::Expanded(vec![9999]);
    assert_eq!(state(&db.store).await, expanded);
    db.store.migrate().await.expect("nothing is to be done");
    db.database
        .execute("UPDATE counters SET value = 9999 WHERE name = 'schema_oldest_program'")
        .await
        .unwrap();
    let ahead = MigrationState::Ahead(vec![9999]);
    assert_eq!(state(&db.store).await, ahead);
    assert!(db.store.migrate().await.is_err());
    assert_eq!(state(&db.store).await, ahead);
}

/// What migration 7 did, undone: the schema as it was before.
async fn forget_updates(database: &TestDatabase) {
    let undo: &[&str] = match database.engine {
        Engine::Sqlite => &["PRAGMA writable_schema = ON; \
            UPDATE sqlite_schema SET sql = replace(sql, '''update'', ', '') \
                WHERE name IN ('events', 'deliveries'); \
            CREATE VIEW changed AS SELECT 1 AS yes; DROP VIEW changed; \
            PRAGMA writable_schema = RESET; \
            DELETE FROM _sqlx_migrations WHERE version = 7"],
        Engine::Postgres => &[
            "ALTER TABLE events DROP CONSTRAINT events_kind_check, \
                ADD CONSTRAINT events_kind_check CHECK (kind IN ('alert', 'cancel'))",
            "ALTER TABLE deliveries DROP CONSTRAINT deliveries_kind_check, \
                ADD CONSTRAINT deliveries_kind_check CHECK (kind IN ('alert', 'cancel'))",
            "DELETE FROM _sqlx_migrations WHERE version = 7",
        ],
    };
    for sql in undo {
        database.execute(sql).await.unwrap();
    }
}

async fn a_database_that_has_alerts_learns_of_updates(db: TestStore) {
    let database = &db.database;
    forget_updates(database).await;
    let key = store_ready_lane(&db.store).await;
    let updates = [
        "UPDATE events SET kind = 'update'",
        "UPDATE deliveries SET kind = 'update'",
    ];
    for sql in updates {
        db.assert_refused_by_check(sql).await;
    }
    // Another process, whose connections have read the old schema.
    let other = database.open_store().await;
    assert_eq!(state(&other).await, MigrationState::Behind(vec![7]));
    assert!(begin(&other).await.lock_lane(&key).await.unwrap().is_some());

    db.store.migrate().await.unwrap();
    for (seq, store) in [(2, &other), (3, &db.store)] {
        assert_eq!(state(store).await, MigrationState::Current);
        let mut tx = begin(store).await;
        let (event, kind) = (event(event_id(seq), ALERT, seq, Kind::Update), Kind::Update);
        tx.insert_event(&event).await.unwrap();
        let (update, frozen) = (
            delivery(delivery_id(seq), seq, kind, T0),
            frozen(event.id, kind),
        );
        tx.insert_delivery(&key, &update, &frozen).await.unwrap();
        tx.commit().await.unwrap();
        let stored = begin(store).await.lock_lane(&key).await.unwrap().unwrap();
        assert_eq!(stored.target().map(|d| (d.seq, d.kind)), Some((seq, kind)));
    }
    for sql in [
        "UPDATE events SET kind = 'other'",
        "UPDATE deliveries SET kind = 'other'",
    ] {
        db.assert_refused_by_check(sql).await;
    }
    let orphan = "UPDATE deliveries SET event_id = 'nobody'";
    assert!(database.execute(orphan).await.is_err(), "foreign keys hold");
    if database.engine == Engine::Sqlite {
        for (sql, want) in [
            (
                "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'",
                1,
            ),
            ("SELECT count(*) FROM pragma_foreign_key_check", 0),
            ("SELECT count(*) FROM sqlite_schema WHERE type = 'view'", 0),
        ] {
            assert_eq!(database.count(sql).await, want, "{sql}");
        }
    }
}

#[tokio::test]
async fn a_fresh_database_lacks_every_migration() {
    for engine in Engine::ALL {
        let database = TestDatabase::new(engine);
        let store = database.open_store().await;
        let MigrationState::Behind(missing) = state(&store).await else {
            panic!("{engine:?}: a fresh database is behind");
        };
        store.migrate().await.unwrap();
        let applied = "SELECT count(*) FROM _sqlx_migrations";
        let applied = usize::try_from(database.count(applied).await).unwrap();
        assert_eq!(missing.len(), applied, "{engine:?}");
    }
}

/// The race is over in a millisecond, so it is run often.
async fn race_to_migrate(engine: Engine, races: usize) {
    for race in 0..races {
        let database = TestDatabase::new(engine);
        let (one, two) = (database.open_store().await, database.open_store().await);
        let (first, second) = tokio::join!(one.migrate(), two.migrate());
        for (store, migrated) in [(&one, first), (&two, second)] {
            migrated.unwrap_or_else(|error| panic!("{engine:?}, race {race}: {error:?}"));
            assert_eq!(state(store).await, MigrationState::Current, "{engine:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_migrate_at_once_both_end_current_on_sqlite() {
    bounded(race_to_migrate(Engine::Sqlite, 20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_migrate_at_once_both_end_current_on_postgres() {
    bounded(race_to_migrate(Engine::Postgres, 3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_open_a_fresh_file_at_once_all_succeed_on_sqlite() {
    bounded(async {
        for race in 0..20 {
            let database = TestDatabase::new(Engine::Sqlite);
            let url = database.url();
            let mut opening = JoinSet::new();
            for _ in 0..4 {
                let url = url.clone();
                opening.spawn(async move { Store::open(&url).await });
            }
            for store in opening.join_all().await {
                let store = store.unwrap_or_else(|error| panic!("race {race}: {error:?}"));
                store.migrate().await.unwrap();
            }
        }
    })
    .await;
}
