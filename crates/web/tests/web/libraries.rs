//! Imports of areas as `app` does them: all or nothing is seen, whatever ends them.

use std::sync::Mutex;
use std::time::Duration;

use balefire_app::area_libraries::{Fields, LevelOf, NewLibrary, read_areas, simplify_all};
use balefire_domain::area_names::Level;
use balefire_domain::audit::Actor;
use balefire_geometry::{Point, Shape};
use serde_json::json;
use tokio::sync::oneshot;

use crate::support::*;

/// So many squares of a tenth of a degree in a row, named by `prefix`.
fn library(prefix: &str, count: u32) -> NewLibrary {
    let feature = |n: u32| {
        let (w, s) = (f64::from(n % 1_000) / 10.0, f64::from(n / 1_000) / 10.0);
        let (e, n2) = (w + 0.1, s + 0.1);
        json!({ "type": "Feature", "properties": { "id": format!("A{n}"),
            "name": format!("{prefix} {n}"), "over": "county" },
            "geometry": { "type": "Polygon",
                "coordinates": [[[w, s], [e, s], [e, n2], [w, n2], [w, s]]] } })
    };
    let features: Vec<_> = (0..count).map(feature).collect();
    let text = json!({ "type": "FeatureCollection", "features": features }).to_string();
    let fields = Fields {
        id: "id".to_owned(),
        name: "name".to_owned(),
        parent: Some("over".to_owned()),
        level: LevelOf::All(Level::Authority),
    };
    let read = read_areas(text.as_bytes(), &fields).expect("it is GeoJSON");
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    let sent = simplify_all(&read.areas, &|_| {});
    NewLibrary::new("grid", "grid.geojson", &read.areas, &sent)
}

async fn import(web: &TestWeb, new: &NewLibrary) -> (u32, bool) {
    let imported = web.app.import_areas(Actor::CommandLine, new, |_| {}).await;
    let imported = imported.expect("it is stored");
    (imported.version, imported.is_new)
}

#[tokio::test]
async fn a_new_version_is_used_at_once_and_the_older_stays() {
    let web = TestWeb::start().await;
    assert_eq!(import(&web, &library("Old", 3)).await, (1, true));
    assert_eq!(
        import(&web, &library("Old", 3)).await,
        (1, false),
        "it says the same"
    );
    let name = |version| {
        let app = web.app.clone();
        async move {
            let library = app.open_library("grid", version).await.expect("it is read");
            let library = library.expect("it is there");
            let place = Point::from_degrees(0.05, 0.15).expect("on earth");
            library.index.at(place)[0].name.clone()
        }
    };
    assert_eq!(name(None).await, "Old 1");
    assert_eq!(import(&web, &library("New", 3)).await, (2, true));
    assert_eq!(name(None).await, "New 1");
    assert_eq!(name(Some(1)).await, "Old 1");
    assert_eq!(
        import(&web, &library("Old", 3)).await,
        (3, true),
        "back again"
    );
    assert_eq!(web.audit_actions().await.get("areas.import"), Some(&3));
    assert!(
        web.app
            .open_library("grid", Some(9))
            .await
            .expect("read")
            .is_none()
    );
    assert!(
        web.app
            .open_library("other", None)
            .await
            .expect("read")
            .is_none()
    );
}

#[tokio::test]
async fn an_import_that_is_cut_off_is_never_seen_and_taken_away_later() {
    let web = TestWeb::start().await;
    import(&web, &library("Old", 2)).await;
    let large = library("Cut", 1_000);
    let (told, begun) = oneshot::channel();
    let told = Mutex::new(Some(told));
    let importing = web.app.import_areas(Actor::CommandLine, &large, |stored| {
        assert!(stored < 1_000, "it is cut off before");
        if let Some(told) = told.lock().unwrap().take() {
            told.send(()).unwrap();
        }
    });
    tokio::select! {
        biased;
        _ = begun => {}
        _ = importing => panic!("it was to be cut off"),
    }
    let seen = web.app.open_library("grid", None).await.unwrap().unwrap();
    assert_eq!((seen.version.version, seen.index.areas().len()), (1, 2));
    assert_eq!(web.app.list_library_versions().await.unwrap().len(), 1);
    assert_eq!(web.audit_actions().await.get("areas.import"), Some(&1));

    // Another import goes on beside what was left; an hour later it is taken away.
    assert_eq!(import(&web, &library("New", 3)).await, (3, true));
    let rows = |web: &TestWeb| {
        let store = web.app.store.clone();
        async move {
            let mut tx = store.begin_read("test", START).await.unwrap();
            tx.list_library_areas("grid", 2, 0, 10_000)
                .await
                .unwrap()
                .len()
        }
    };
    assert!(rows(&web).await > 0, "it may still be under way");
    web.clock.advance(Duration::from_secs(3_601));
    assert_eq!(import(&web, &library("Newer", 3)).await, (4, true));
    assert_eq!(rows(&web).await, 0);
}

#[tokio::test]
async fn the_public_is_told_few_names_also_across_libraries() {
    let web = TestWeb::start().await;
    import(&web, &library("District", 5)).await;
    let counties = json!({ "type": "FeatureCollection", "features": [{ "type": "Feature",
        "properties": { "id": "county", "name": "Lincolnshire" }, "geometry": { "type": "Polygon",
        "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] } }] });
    let fields = Fields {
        id: "id".to_owned(),
        name: "name".to_owned(),
        parent: None,
        level: LevelOf::All(Level::County),
    };
    let read = read_areas(counties.to_string().as_bytes(), &fields).unwrap();
    let sent = simplify_all(&read.areas, &|_| {});
    import(&web, &NewLibrary::new("counties", "c", &read.areas, &sent)).await;
    let library = web.app.open_library("grid", None).await.unwrap().unwrap();
    let names = |east: f64| {
        let ring = vec![
            (0.01, 0.01),
            (0.01, east),
            (0.09, east),
            (0.09, 0.01),
            (0.01, 0.01),
        ];
        let shape = Shape::validate(&[ring]).expect("a strip");
        let (web, library) = (&web, &library);
        async move {
            web.app
                .public_names_of_shape(library, &shape)
                .await
                .unwrap()
        }
    };
    assert_eq!(names(0.09).await, ["District 0"]);
    assert_eq!(
        names(0.29).await,
        ["District 0", "District 1", "District 2"]
    );
    assert_eq!(names(0.45).await, ["Lincolnshire"]);
}
