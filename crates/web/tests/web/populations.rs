//! `POST /populations`: its number, its refusals, who may ask.

use axum::body::Body;
use balefire_app::people_reached::{NewPopulation, read_cells};
use balefire_domain::audit::Actor;
use serde_json::{Value, json};

use crate::support::*;

const PATH: &str = "/populations";
const SQUARE: &str = "POLYGON((0 50, 1 50, 1 51, 0 51, 0 50))";

async fn with_cells(table: &str) -> TestWeb {
    let web = TestWeb::start().await;
    import(&web, table).await;
    web
}

async fn import(web: &TestWeb, table: &str) -> bool {
    let read = read_cells(table.as_bytes(), "count").expect("a table");
    let new = NewPopulation::new("cells.csv", &read.cells);
    let actor = Actor::CommandLine;
    let imported = web.app.import_population(actor, &new, |_| {}).await;
    imported.expect("it is stored").is_new
}

async fn count(web: &TestWeb, wkt: &str) -> Value {
    let answer = web.post(PATH, &json!({ "areas": wkt })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn people_are_counted_by_the_part_of_each_cell() {
    let web = with_cells("west,south,east,north,count\n0,50,1,51,1000\n1,50,2,51,300\n").await;
    for (wkt, want) in [
        (SQUARE, json!(1000)),
        ("POLYGON((0 50, 0.5 50, 0.5 51, 0 51, 0 50))", json!(500)),
        (
            "POLYGON((0.5 50, 1.5 50, 1.5 51, 0.5 51, 0.5 50))",
            json!(650),
        ),
        ("POLYGON((0 50, 1 50, 0 51, 0 50))", json!(500)),
        (
            "MULTIPOLYGON(((0 50, 0.1 50, 0.1 51, 0 51, 0 50)), ((1 50, 2 50, 2 51, 1 51, 1 50)))",
            json!(400),
        ),
        ("POLYGON((-9 40, 9 40, 9 60, -9 60, -9 40))", json!(1300)),
        ("POLYGON((50 0, 51 0, 51 1, 50 1, 50 0))", json!(0)),
        (
            "POLYGON((0 50, 0.0005 50, 0.0005 51, 0 51, 0 50))",
            json!(0.5),
        ),
        ("POLYGON EMPTY", json!(0)),
    ] {
        assert_eq!(count(&web, wkt).await, want, "{wkt}");
    }
}

#[tokio::test]
async fn nobody_is_counted_before_figures_are_imported_and_new_figures_count_at_once() {
    let web = TestWeb::start().await;
    assert_eq!(count(&web, SQUARE).await, json!(0));
    let table = "lat,lon,size_degrees,count\n50.5,0.5,1,10\n";
    assert!(import(&web, table).await);
    assert_eq!(count(&web, SQUARE).await, json!(10));
    assert!(!import(&web, table).await, "it says the same");
    assert!(import(&web, "lat,lon,size_degrees,count\n50.5,0.5,1,20\n").await);
    assert_eq!(count(&web, SQUARE).await, json!(20));
    assert_eq!(web.audit_actions().await.get("population.import"), Some(&2));
}

#[tokio::test]
async fn what_is_no_area_is_refused_in_the_words_that_clients_know() {
    let web = TestWeb::start().await;
    let missing = "Area must be provided for population estimation";
    for (body, want) in [
        (json!({}), missing),
        (json!({ "areas": null }), missing),
        (json!({ "areas": "" }), missing),
        (json!([]), missing),
        (json!({ "areas": 7 }), "Invalid WKT string"),
        (json!({ "areas": "nonsense" }), "Invalid WKT string"),
        (
            json!({ "areas": "POLYGON((0 50, 1 50" }),
            "Invalid WKT string",
        ),
        (
            json!({ "areas": "POINT(0 50)" }),
            "Area must be a Polygon or MultiPolygon",
        ),
        (
            json!({ "areas": "POLYGON((0 50, 1 51, 1 50, 0 51, 0 50))" }),
            "Provided WKT area is not valid",
        ),
        (
            json!({ "areas": "POLYGON((0 50, 1 50, 1 91, 0 50))" }),
            "Provided WKT area is not valid",
        ),
    ] {
        let answer = web.post(PATH, &body).await;
        answer.assert_internal_error(400, want);
    }
    let stranger = web
        .send(
            axum::http::Request::post(PATH)
                .body(Body::from("{}"))
                .unwrap(),
        )
        .await;
    assert_eq!(stranger.status, 401, "{stranger:?}");
    let long = json!({ "areas": "7 ".repeat(BODY_BYTES_MAX) });
    assert_eq!(web.post(PATH, &long).await.status, 413);
}
