//! SQLite's files.

use std::os::unix::fs::PermissionsExt as _;

use balefire_store::{DatabaseUrl, Store};

use crate::support::T0;

#[tokio::test]
async fn sqlite_files_are_for_the_eyes_of_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("one.db").display());
    let store = Store::open(&url.parse::<DatabaseUrl>().unwrap())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    store.write_mark(T0).unwrap();
    let mut modes: Vec<(String, u32)> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, entry.metadata().unwrap().permissions().mode() & 0o777)
        })
        .collect();
    modes.sort();
    let names = ["one.db", "one.db-shm", "one.db-wal", "one.db.mark"];
    assert_eq!(modes, names.map(|name| (name.to_owned(), 0o600)));
}

#[tokio::test]
async fn the_mode_of_a_sqlite_file_that_was_there_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    std::fs::write(&path, "").unwrap();
    let shared = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(&path, shared).unwrap();
    let url = format!("sqlite://{}", path.display());
    let store = Store::open(&url.parse::<DatabaseUrl>().unwrap())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}
