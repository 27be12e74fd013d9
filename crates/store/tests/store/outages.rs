//! A database that can't be reached or can't take anything is told apart from a fault of ours.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use balefire_store::{DatabaseUrl, Store, StoreError};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::samples::*;
use crate::support::{Engine, TestDatabase, TestStore, begin, bounded};

/// How long a request may hang before it is told that the database is away.
const TOLD_SECONDS_MAX: u64 = 6;

async fn told_in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> StoreError {
    let limit = Duration::from_secs(TOLD_SECONDS_MAX);
    let answered = tokio::time::timeout(limit, asked).await;
    match answered.expect("the caller is told in time") {
        Ok(_) => panic!("there is no such database"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unavailable_on_postgres() {
    // Bound and let go: nobody listens there.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url: DatabaseUrl = format!("postgres://balefire@127.0.0.1:{port}/balefire")
        .parse()
        .unwrap();
    let error = told_in_time(Store::open(&url)).await;
    assert!(error.is_unavailable(), "{error:?}");
    assert!(!error.is_transient() && !error.is_unique_violation());
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable_on_postgres() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let url: DatabaseUrl = format!("postgres://balefire@127.0.0.1:{port}/balefire")
        .parse()
        .unwrap();
    let error = told_in_time(Store::open(&url)).await;
    assert!(error.is_unavailable(), "{error:?}");
    drop(listener);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_unavailable_on_sqlite() {
    let url: DatabaseUrl = "sqlite:///no/such/folder/store.db".parse().unwrap();
    let error = told_in_time(Store::open(&url)).await;
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_and_not_unavailable_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "Dear Sir or Madam, ".repeat(1000)).unwrap();
    let url: DatabaseUrl = format!("sqlite://{}", file.display()).parse().unwrap();
    let error = told_in_time(Store::open(&url)).await;
    assert!(!error.is_unavailable(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_the_server_ends_are_unavailable_and_then_replaced_on_postgres() {
    bounded(async {
        let db = TestStore::open(Engine::Postgres).await;
        store_pending_alert(&db.store).await;
        let mut tx = db.begin().await;
        tx.lock_alert(ALERT).await.unwrap();
        let superuser = db.database.postgres.as_ref().unwrap();
        superuser.run_as_superuser(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let error = tx.load_alert(ALERT).await.unwrap_err();
        assert!(error.is_unavailable(), "{error:?}");
        drop(tx);
        let mut tx = db.begin().await;
        assert!(tx.load_alert(ALERT).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_unavailable_on_postgres() {
    let db = TestStore::open(Engine::Postgres).await;
    store_pending_alert(&db.store).await;
    let superuser = db.database.postgres.as_ref().unwrap();
    // As a standby answers after a switch-over that our connections have not noticed.
    superuser.run_as_superuser(&format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        superuser.name()
    ));
    let standby = db.database.open_store().await;
    let error = begin(&standby).await.lock_alert(ALERT).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_never_ends_makes_the_others_unavailable_on_sqlite() {
    bounded(async {
        let db = TestStore::open(Engine::Sqlite).await;
        let holder = db.begin().await;
        let other = db.database.open_store().await;
        // In another process, and in the same one, where the pool has one writer.
        for store in [&other, &db.store] {
            let error = told_in_time(store.begin("waits", holder.now)).await;
            assert!(error.is_unavailable(), "{error:?}");
        }
        drop(holder);
        drop(begin(&other).await);
        drop(begin(&db.store).await);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_unavailable_on_sqlite() {
    let database = TestDatabase::new(Engine::Sqlite);
    let DatabaseUrl::Sqlite(options, _) = database.url() else {
        panic!("SQLite's address");
    };
    let mut connection = options.connect().await.unwrap();
    connection
        .execute("PRAGMA max_page_count = 2")
        .await
        .unwrap();
    connection.execute("CREATE TABLE a (b TEXT)").await.unwrap();
    let cause = connection
        .execute("INSERT INTO a (b) VALUES (hex(zeroblob(100000)))")
        .await
        .unwrap_err();
    let error = StoreError::Driver {
        statement: "test",
        cause,
    };
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    for engine in Engine::ALL {
        let db = TestStore::open(engine).await;
        db.store.close().await;
        let error = told_in_time(db.store.begin("late", crate::support::T0)).await;
        assert!(error.is_unavailable(), "{engine:?}: {error:?}");
    }
}

#[test]
fn addresses_of_databases_are_read_and_others_refused_in_plain_words() {
    for (text, engine) in [
        ("sqlite://balefire.db", Some("sqlite")),
        ("sqlite:///var/lib/balefire/store.db", Some("sqlite")),
        ("postgres://balefire@db.example/balefire", Some("postgres")),
        (
            "postgresql://balefire@db.example/balefire",
            Some("postgres"),
        ),
        ("sqlite://", None),
        ("sqlite://a.db?mode=memory", None),
        ("sqlite:a.db", None),
        ("mysql://balefire@db.example/balefire", None),
        ("postgres://[", None),
        ("", None),
    ] {
        match text.parse::<DatabaseUrl>() {
            Ok(url) => assert_eq!(Some(url.engine()), engine, "{text}"),
            Err(error) => {
                assert_eq!(engine, None, "{text}");
                let told = error.to_string();
                assert!(
                    told.starts_with("a database is `sqlite://FILE` or"),
                    "{told}"
                );
            }
        }
    }
    let url: DatabaseUrl = "postgres://u:hunter2@db.example/b".parse().unwrap();
    assert_eq!(format!("{url:?}"), "postgres", "no password is printed");
    let url: DatabaseUrl = "sqlite://balefire.db".parse().unwrap();
    assert_eq!(url.file(), Some(std::path::Path::new("balefire.db")));
}
