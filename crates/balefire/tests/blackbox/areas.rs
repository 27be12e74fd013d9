//! Libraries of areas and how many phones an alert reaches, by commands.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::sandbox::{Engine, Sandbox};

on_both_engines!(
    a_library_is_imported_once_and_found_by_name_place_and_ground,
    a_faulty_file_is_refused_as_a_whole_with_each_fault_named,
    who_approves_is_told_how_many_phones_it_reaches,
);

fn feature(id: &str, name: &str, west: f64, south: f64) -> Value {
    let (e, n) = (west + 1.0, south + 1.0);
    json!({ "type": "Feature", "properties": { "code": id, "name": name },
        "geometry": { "type": "Polygon",
            "coordinates": [[[west, south], [e, south], [e, n], [west, n], [west, south]]] } })
}

fn file(sandbox: &Sandbox, name: &str, features: &[Value]) -> String {
    let text = json!({ "type": "FeatureCollection", "features": features }).to_string();
    sandbox.write(name, &text).display().to_string()
}

const IMPORT: [&str; 6] = [
    "--library",
    "blocks",
    "--id-field",
    "code",
    "--name-field",
    "name",
];

async fn a_library_is_imported_once_and_found_by_name_place_and_ground(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let (one, two) = (
        feature("A", "Ynys Môn", 0.0, 50.0),
        feature("B", "Bern", 1.0, 50.0),
    );
    let path = file(&sandbox, "blocks.geojson", &[one, two]);
    let import = [&["areas", "import", &path][..], &IMPORT].concat();
    let dry = sandbox.json(&[&import[..], &["--dry-run"]].concat()).await;
    assert_eq!(
        (&dry["imported"], &dry["areas"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(
        sandbox.json(&["areas", "list"]).await,
        json!([]),
        "nothing was stored"
    );
    let done = sandbox.json(&import).await;
    assert_eq!(
        (&done["imported"], &done["version"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(done["bounds"], json!([0.0, 50.0, 2.0, 51.0]));
    let again = sandbox.json(&import).await;
    assert_eq!(
        (&again["imported"], &again["version"]),
        (&json!(false), &json!(1))
    );

    let ids = |found: &Value| -> Vec<String> {
        let list = found.as_array().expect("a list");
        list.iter()
            .map(|area| area["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let wkt = sandbox.write(
        "strip.wkt",
        "POLYGON((0.5 50, 1.25 50, 1.25 51, 0.5 51, 0.5 50))",
    );
    let wkt = wkt.display().to_string();
    for (args, want) in [
        (["--name", "ynys mon"], vec!["A"]),
        (["--name", "b"], vec!["B"]),
        (["--name", "xyz"], vec![]),
        (["--point", "50.5,0.5"], vec!["A"]),
        (["--point", "50.5,1"], vec!["A", "B"]),
        (["--point", "-50.5,-0.5"], vec![]),
        (["--overlaps", &wkt], vec!["A", "B"]),
    ] {
        let found = sandbox
            .json(&[&["areas", "find"][..], &args].concat())
            .await;
        assert_eq!(ids(&found), want, "{args:?}: {found}");
    }
    for (args, want) in [
        (&["--name", "b", "--library", "blocks"][..], vec!["B"]),
        (
            &["--overlaps", &wkt, "--library", "blocks", "--version", "1"],
            vec!["A", "B"],
        ),
        (&["--point", "50.5,3", "--near", "100"], vec!["B"]),
    ] {
        let found = sandbox.json(&[&["areas", "find"][..], args].concat()).await;
        assert_eq!(ids(&found), want, "{args:?}: {found}");
    }
    for args in [
        &["--library", "blocks"][..],
        &["--name", "b", "--point", "50.5,0.5"],
        &["--name", "b", "--near", "10"],
    ] {
        let usage = sandbox.run(&[&["areas", "find"][..], args].concat()).await;
        assert_eq!(usage.code, Some(2), "{args:?}: {usage:?}");
    }
    let found = sandbox.json(&["areas", "find", "--overlaps", &wkt]).await;
    let share = |n: usize, of: &str| found[n][of].as_f64().expect("a number");
    assert!((share(0, "of_area") - 0.5).abs() < 1e-9, "{found}");
    assert!((share(1, "of_shape") - 1.0 / 3.0).abs() < 1e-9, "{found}");
    let shown = sandbox.json(&["areas", "show", "blocks", "A"]).await;
    assert_eq!(
        (&shown["points"], &shown["covers"]),
        (&json!(5), &json!(true))
    );
    let names = sandbox
        .json(&["areas", "names", "blocks", "--overlaps", &wkt])
        .await;
    assert_eq!(names, json!(["Bern", "Ynys Môn"]));

    let moved = file(&sandbox, "moved.geojson", &[feature("A", "Môn", 50.0, 0.0)]);
    let done = sandbox
        .json(&[&["areas", "import", &moved][..], &IMPORT].concat())
        .await;
    assert_eq!(done["version"], 2);
    let remark = done["remarks"][0].as_str().expect("a remark");
    assert!(remark.contains("latitude and longitude"), "{done}");
    let old = ["areas", "show", "blocks", "A", "--version", "1"];
    assert_eq!(sandbox.json(&old).await["name"], "Ynys Môn");
    assert_eq!(
        sandbox
            .json(&["areas", "list"])
            .await
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let gone = sandbox.run(&["areas", "show", "blocks", "B"]).await;
    assert_eq!(gone.code, Some(1), "{gone:?}");
    let countries = sandbox
        .json(&["areas", "import", "--builtin", "countries"])
        .await;
    assert_eq!(countries["imported"], true);
    let found = sandbox
        .json(&["areas", "find", "--point", "46.95,7.45"])
        .await;
    assert_eq!(
        (&found[0]["id"], &found[0]["name"]),
        (&json!("756"), &json!("Switzerland"))
    );
}

async fn a_faulty_file_is_refused_as_a_whole_with_each_fault_named(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let far = feature("FAR", "Swapped", 50.0, 95.0);
    let twice = [
        feature("A", "One", 0.0, 50.0),
        feature("A", "Two", 2.0, 50.0),
        far,
    ];
    let path = file(&sandbox, "faulty.geojson", &twice);
    let import = [&["areas", "import", &path][..], &IMPORT].concat();
    let refused = sandbox.run(&import).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for words in [
        "feature 2 (A)",
        "feature 3 (FAR)",
        "latitude",
        "--skip-faulty",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
    }
    let told = sandbox
        .run(&[&import[..], &["--json"]].concat())
        .await
        .json();
    assert_eq!(told["faults"][1]["id"], "FAR", "{told}");
    assert_eq!(sandbox.json(&["areas", "list"]).await, json!([]));
    let done = sandbox
        .json(&[&import[..], &["--skip-faulty"]].concat())
        .await;
    assert_eq!(
        (&done["areas"], &done["skipped"][0]["feature"]),
        (&json!(1), &json!(2))
    );
    for (text, words) in [("{", "line 1"), ("nonsense", "line 1")] {
        let path = sandbox.write("no.geojson", text).display().to_string();
        let refused = sandbox
            .run(&[&["areas", "import", &path][..], &IMPORT].concat())
            .await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(words), "{refused:?}");
    }
    let usage = sandbox.run(&["areas", "import", &path]).await;
    assert_eq!(usage.code, Some(2), "{usage:?}");
}

async fn who_approves_is_told_how_many_phones_it_reaches(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let alert = sandbox.submit(&team, "flood-1").await;
    let page = sandbox.run(&["alert", "show", &alert]).await.must_succeed();
    assert!(
        page.stdout.contains("Unknown number of phones"),
        "{}",
        page.stdout
    );
    let table = "west,south,east,north,count\n-10,49,3,61,2000000000\n";
    let path = sandbox.write("cells.csv", table).display().to_string();
    let done = sandbox.json(&["population", "import", &path]).await;
    assert_eq!((&done["cells"], &done["total"]), (&json!(1), &json!(2e9)));
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    let count = shown["phones"]["count"].as_f64().expect("a count");
    let wider = shown["phones"]["with_bleed"].as_f64().expect("a count");
    assert!(count > 0.0 && wider > count, "{shown}");
    let page = sandbox.run(&["alert", "show", &alert]).await.must_succeed();
    for words in ["1 million phones estimated (about ", "with those up to"] {
        assert!(page.stdout.contains(words), "{words}: {}", page.stdout);
    }
    let approve = ["alert", "approve", &alert, "--as", &team.approver.email];
    let approved = sandbox.json(&approve).await;
    assert_eq!(approved["phones"], shown["phones"]);
    let polygons = shown["areas"]["simple_polygons"][0]
        .as_array()
        .expect("a polygon");
    let corner = |at: &Value| format!("{} {}", at[1], at[0]);
    let corners: Vec<String> = polygons.iter().map(corner).collect();
    let wkt = format!("POLYGON(({}))", corners.join(","));
    let wkt = sandbox.write("alert.wkt", &wkt).display().to_string();
    let estimate = sandbox.json(&["population", "estimate", &wkt]).await;
    assert_eq!(estimate, shown["phones"], "the same ground");
}
