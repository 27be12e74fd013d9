//! The private PostgreSQL, in real use.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use balefire_test_support::poll::poll_until;
use balefire_test_support::postgres::Postgres;
use balefire_test_support::postgres::cluster::{Cluster, Stop, Stopped};
use sqlx::{Connection as _, PgConnection, Row as _};

#[tokio::test]
async fn a_test_gets_an_empty_database_that_it_owns_without_special_rights() {
    let database = Postgres::shared().new_database();
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE beacons (name TEXT PRIMARY KEY)")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("INSERT INTO beacons VALUES ($1)")
        .bind("Malvern Hills")
        .execute(&mut connection)
        .await
        .unwrap();
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM beacons) AS beacons, current_user::TEXT AS role, \
         (SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles \
          WHERE rolname = current_user) AS special",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(row.get::<i64, _>("beacons"), 1);
    assert_eq!(row.get::<String, _>("role"), "balefire");
    assert!(!row.get::<bool, _>("special"));
    assert_eq!(database.run_as_superuser("SHOW fsync"), "on");
}

#[tokio::test]
async fn tests_do_not_see_each_other() {
    let [one, two] = [(); 2].map(|()| Postgres::shared().new_database());
    assert_ne!(one.name(), two.name());
    let mut connection = PgConnection::connect(one.url()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE beacons ()")
        .execute(&mut connection)
        .await
        .unwrap();
    let mut connection = PgConnection::connect(two.url()).await.unwrap();
    let error = sqlx::raw_sql("TABLE beacons")
        .execute(&mut connection)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn a_database_goes_with_its_guard_even_while_somebody_is_connected() {
    let watcher = Postgres::shared().new_database();
    let database = Postgres::shared().new_database();
    let name = database.name().to_owned();
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    assert_eq!(watcher.run_as_superuser(&count), "1");
    drop(database);
    poll_until(
        Duration::from_secs(30),
        "the database is dropped",
        async || (watcher.run_as_superuser(&count) == "0").then_some(()),
    )
    .await;
    assert!(connection.ping().await.is_err());
}

#[test]
fn threads_share_one_server() {
    let ports: BTreeSet<String> = std::thread::scope(|scope| {
        let port = || {
            let database = Postgres::shared().new_database();
            database.run_as_superuser("SHOW port")
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(port)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(ports.len(), 1);
}

#[test]
#[should_panic(expected = "the superuser's statement failed")]
fn a_statement_that_the_server_refuses_fails_the_test() {
    Postgres::shared()
        .new_database()
        .run_as_superuser("SELECT 1 / 0");
}

#[test]
fn a_server_in_use_is_left_alone_and_one_that_nobody_uses_is_stopped() {
    // A checkout of its own, so that the other tests keep their server.
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let cluster = Cluster::of_workspace(root);
    cluster.stop(Stop::Always).unwrap();
    let server = cluster.join().unwrap();
    let again = cluster.join().unwrap();
    assert_eq!(
        server.url_of("x"),
        again.url_of("x"),
        "the second joins the first one's server"
    );
    drop(again);
    assert_eq!(cluster.stop(Stop::IfUnused).unwrap(), Stopped::InUse);
    assert_eq!(server.run_sql("SELECT 1").unwrap(), "1");
    drop(server);
    assert_eq!(cluster.stop(Stop::IfUnused).unwrap(), Stopped::Now);
    assert_eq!(cluster.stop(Stop::Always).unwrap(), Stopped::WasNotRunning);
}
