//! Wake-ups between processes.

use std::time::Duration;

use crate::support::{Engine, TestDatabase, begin, bounded};

#[tokio::test]
async fn a_committed_wake_up_reaches_another_process_on_postgres() {
    Box::pin(bounded(async {
        let database = TestDatabase::new(Engine::Postgres);
        let (one, other) = (database.open_store().await, database.open_store().await);
        let mut wake_ups = other.listen().await.unwrap().expect("it is PostgreSQL");
        let mut dropped = begin(&one).await;
        dropped.wake_dispatchers().await.unwrap();
        drop(dropped);
        let is_quiet = tokio::time::timeout(Duration::from_millis(200), wake_ups.next()).await;
        assert!(is_quiet.is_err(), "what was not committed wakes nobody");
        let mut committed = begin(&one).await;
        committed.wake_dispatchers().await.unwrap();
        committed.commit().await.unwrap();
        wake_ups.next().await.unwrap();
    }))
    .await;
}

#[tokio::test]
async fn nobody_listens_on_sqlite() {
    let database = TestDatabase::new(Engine::Sqlite);
    assert!(
        database
            .open_store()
            .await
            .listen()
            .await
            .unwrap()
            .is_none()
    );
}
