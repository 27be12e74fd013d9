//! Libraries of areas, and population cells: nobody reads a version before it is complete.

use balefire_domain::area_names::Level;
use balefire_store::area_libraries::{LibraryArea, LibraryVersion};
use balefire_store::population::PopulationVersion;

use crate::round_trips::AWKWARD;
use crate::samples::*;
use crate::support::{T0, TestStore};

on_both_engines! {
    a_library_is_read_once_it_is_complete_and_older_versions_stay,
    a_library_without_all_its_areas_is_never_complete,
    what_an_import_left_is_taken_away_in_parts_and_nothing_else,
    a_population_is_read_once_it_is_complete,
}

fn version(number: u32, areas: u32) -> LibraryVersion {
    LibraryVersion {
        library: "wards".to_owned(),
        version: number,
        source: AWKWARD.to_owned(),
        digest: "d".repeat(64),
        area_count: areas,
        started_at: T0,
        completed_at: None,
    }
}

fn area(ordinal: u32) -> LibraryArea {
    LibraryArea {
        ordinal,
        area_id: format!("E{ordinal}"),
        name: AWKWARD.to_owned(),
        parent_id: (ordinal > 1).then(|| AWKWARD.to_owned()),
        level: Level::Ward,
        polygons: "[]".to_owned(),
        simple_polygons: (ordinal > 1).then(|| "[[]]".to_owned()),
    }
}

async fn write(db: &TestStore, number: u32, areas: u32, is_completed: bool) {
    let mut tx = db.begin().await;
    let version = version(number, areas);
    tx.insert_library_version(&version).await.unwrap();
    for ordinal in 1..=areas {
        let area = area(ordinal);
        tx.insert_library_area("wards", number, &area)
            .await
            .unwrap();
    }
    if is_completed {
        assert!(tx.complete_library_version("wards", number).await.unwrap());
    }
    tx.commit().await.unwrap();
}

async fn a_library_is_read_once_it_is_complete_and_older_versions_stay(db: TestStore) {
    write(&db, 1, 2, true).await;
    write(&db, 2, 3, false).await;
    let mut tx = db.begin().await;
    let latest = tx
        .load_library_version("wards", None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((latest.version, latest.completed_at), (1, Some(T0)));
    assert!(
        tx.load_library_version("wards", Some(2))
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        tx.load_library_version("other", None)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(tx.last_library_version("wards").await.unwrap(), 2);
    assert_eq!(tx.last_library_version("other").await.unwrap(), 0);
    assert!(tx.complete_library_version("wards", 2).await.unwrap());
    let latest = tx
        .load_library_version("wards", None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(latest.version, 2);
    let numbers: Vec<u32> = tx
        .list_library_versions(10)
        .await
        .unwrap()
        .iter()
        .map(|version| version.version)
        .collect();
    assert_eq!(numbers, [1, 2]);
    let areas = tx.list_library_areas("wards", 1, 0, 10).await.unwrap();
    assert_eq!(areas, [area(1), area(2)], "as it was written");
    let rest = tx.list_library_areas("wards", 2, 1, 1).await.unwrap();
    assert_eq!(rest, [area(2)]);
    let found = tx.load_library_area("wards", 2, "E3").await.unwrap();
    assert_eq!(found, Some(area(3)));
    assert_eq!(tx.load_library_area("wards", 1, "E3").await.unwrap(), None);
}

async fn a_library_without_all_its_areas_is_never_complete(db: TestStore) {
    let mut tx = db.begin().await;
    tx.insert_library_version(&version(1, 2)).await.unwrap();
    tx.insert_library_area("wards", 1, &area(1)).await.unwrap();
    assert!(!tx.complete_library_version("wards", 1).await.unwrap());
    tx.insert_library_area("wards", 1, &area(2)).await.unwrap();
    assert!(tx.complete_library_version("wards", 1).await.unwrap());
    assert!(
        !tx.complete_library_version("wards", 1).await.unwrap(),
        "once"
    );
    tx.commit().await.unwrap();
    let taken = db
        .begin()
        .await
        .insert_library_version(&version(1, 0))
        .await;
    assert!(taken.unwrap_err().is_unique_violation());
    let mut doubled = area(3);
    "E1".clone_into(&mut doubled.area_id);
    let twice = db
        .begin()
        .await
        .insert_library_area("wards", 1, &doubled)
        .await;
    assert!(twice.unwrap_err().is_unique_violation(), "one id, one area");
    let homeless = db
        .begin()
        .await
        .insert_library_area("wards", 9, &area(1))
        .await;
    assert!(homeless.is_err(), "of no version");
}

async fn what_an_import_left_is_taken_away_in_parts_and_nothing_else(db: TestStore) {
    write(&db, 1, 2, true).await;
    write(&db, 2, 5, false).await;
    let mut tx = db.begin().await;
    assert!(
        tx.list_abandoned_libraries(T0, 10)
            .await
            .unwrap()
            .is_empty(),
        "it may go on"
    );
    let later = T0 + seconds(1);
    let left = tx.list_abandoned_libraries(later, 10).await.unwrap();
    assert_eq!(left, [version(2, 5)]);
    let mut parts = 0;
    while !tx.shrink_abandoned_library("wards", 2, 2).await.unwrap() {
        parts += 1;
    }
    assert_eq!(parts, 3, "two areas at a time");
    assert_eq!(tx.last_library_version("wards").await.unwrap(), 1);
    tx.commit().await.unwrap();
    let mut tx = db.begin().await;
    assert_eq!(
        tx.list_library_areas("wards", 1, 0, 10)
            .await
            .unwrap()
            .len(),
        2
    );
}

async fn a_population_is_read_once_it_is_complete(db: TestStore) {
    let version = |number| PopulationVersion {
        version: number,
        source: AWKWARD.to_owned(),
        digest: "d".repeat(64),
        cell_count: 2,
        started_at: T0,
        completed_at: None,
    };
    let mut tx = db.begin().await;
    assert_eq!(tx.last_population_version().await.unwrap(), 0);
    for number in [1, 2] {
        tx.insert_population_version(&version(number))
            .await
            .unwrap();
        tx.insert_population_page(number, 1, "[1]").await.unwrap();
    }
    assert!(tx.latest_population_version().await.unwrap().is_none());
    assert!(
        !tx.complete_population_version(1, 2).await.unwrap(),
        "a page is missing"
    );
    tx.insert_population_page(1, 2, "[2]").await.unwrap();
    assert!(tx.complete_population_version(1, 2).await.unwrap());
    let latest = tx.latest_population_version().await.unwrap().unwrap();
    assert_eq!((latest.version, latest.completed_at), (1, Some(T0)));
    let page = |number, cells: &str| (number, cells.to_owned());
    let pages = tx.list_population_pages(1, 0, 10).await.unwrap();
    assert_eq!(pages, [page(1, "[1]"), page(2, "[2]")]);
    assert_eq!(
        tx.list_population_pages(1, 1, 10).await.unwrap(),
        [page(2, "[2]")]
    );
    let left = tx
        .list_abandoned_populations(T0 + seconds(1), 10)
        .await
        .unwrap();
    assert_eq!(left, [version(2)]);
    assert!(!tx.shrink_abandoned_population(2, 10).await.unwrap());
    assert!(tx.shrink_abandoned_population(2, 10).await.unwrap());
    let known = tx.list_population_versions(10).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(tx.last_population_version().await.unwrap(), 1);
}
