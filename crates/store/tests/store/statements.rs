//! Every statement is understood by both engines: the check that a compiler would do (stack.md's
//! reason for having all SQL in constants).

use std::collections::BTreeSet;

use balefire_store::{DatabaseUrl, postgres_statements, statements};
use sqlx::{ConnectOptions as _, Executor as _, SqlSafeStr as _};

use crate::support::TestStore;

on_both_engines! {
    every_statement_prepares_on_its_engine,
}

async fn every_statement_prepares_on_its_engine(db: TestStore) {
    let mut refused = Vec::new();
    match db.database.url() {
        DatabaseUrl::Sqlite(options, _) => {
            let mut connection = options.connect().await.expect("a connection");
            for (name, sqlite, _) in statements() {
                if let Err(error) = connection.prepare(sqlite.into_sql_str()).await {
                    refused.push(format!("{name}: {error}"));
                }
            }
        }
        DatabaseUrl::Postgres(options) => {
            let mut connection = options.connect().await.expect("a connection");
            let both = statements().into_iter().map(|(name, _, sql)| (name, sql));
            for (name, postgres) in both.chain(postgres_statements()) {
                if let Err(error) = connection.prepare(postgres.into_sql_str()).await {
                    refused.push(format!("{name}: {error}"));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_statement_says_its_own_name_first_and_no_name_is_taken_twice() {
    let mut names = BTreeSet::new();
    for (name, sqlite, postgres) in statements() {
        assert!(names.insert(name), "{name} is there twice");
        for sql in [sqlite, postgres] {
            assert_eq!(sql.lines().next(), Some(&*format!("-- {name}")));
        }
    }
    for (name, sql) in postgres_statements() {
        assert!(names.insert(name), "{name} is there twice");
        assert_eq!(sql.lines().next(), Some(&*format!("-- {name}")));
    }
    assert!(!names.is_empty());
}

#[test]
fn the_engines_differ_in_the_row_lock_only() {
    for (name, sqlite, postgres) in statements() {
        let want = match name.rsplit("::").next() {
            Some("LOCK") => format!("{sqlite}\nFOR NO KEY UPDATE"),
            Some("PICK") => format!("{sqlite}\nFOR NO KEY UPDATE SKIP LOCKED"),
            _ => sqlite.to_owned(),
        };
        assert_eq!(postgres, want, "{name}");
    }
}
