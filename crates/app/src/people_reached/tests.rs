use super::*;

fn cells(text: &str) -> Vec<StoredCell> {
    let read = read_cells(text.as_bytes(), "count").expect("it can be read");
    assert!(read.faults.is_empty(), "{:?}", read.faults);
    read.cells
}

#[test]
fn tables_say_where_cells_are_in_three_ways() {
    // The table, and west, south, east and north of its one cell.
    for (text, want) in [
        (
            "west,south,east,north,count\n0,50,1,51,7",
            [0.0, 50.0, 1.0, 51.0],
        ),
        (
            "count,lat,lon,size_degrees\n7,50.5,0.5,1\n",
            [0.0, 50.0, 1.0, 51.0],
        ),
        (
            "\u{feff}Lat, Lon ,size_m,COUNT,more\r\n0,0,222639,7,\"a, \"\"b\"\"\"\r\n",
            [-1.0, -1.0, 1.0, 1.0],
        ),
        (
            "wkt,count\n\"POLYGON((0 50, 1 50, 1 51, 0 50))\",7\n\n",
            [0.0, 50.0, 1.0, 51.0],
        ),
    ] {
        let cells = cells(text);
        assert_eq!((cells.len(), cells[0].n), (1, 7.0), "{text}");
        for (got, want) in cells[0].bounds().into_iter().zip(want) {
            assert!((got - want).abs() < 0.01, "{text}: {:?}", cells[0]);
        }
    }
}

#[test]
fn a_thousand_metres_are_as_long_everywhere() {
    for lat in [0.0, 54.0, -70.0] {
        let cells = cells(&format!("lat,lon,size_m,count\n{lat},10,1000,1"));
        let [west, south, east, north] = cells[0].bounds();
        let ring = vec![
            (south, west),
            (south, east),
            (north, east),
            (north, west),
            (south, west),
        ];
        let area = Shape::validate(&[ring]).expect("a square").area_m2();
        assert!((area / 1e6 - 1.0).abs() < 1e-3, "{lat}: {area}");
    }
}

#[test]
fn geojson_cells_are_boxes_or_polygons_with_holes() {
    let text = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"count":10},"geometry":{"type":"Polygon","coordinates":
            [[[0,50],[1,50],[1,51],[0,51],[0,50]]]}},
        {"type":"Feature","properties":{"count":"8"},"geometry":{"type":"Polygon","coordinates":
            [[[2,50],[5,50],[5,53],[2,53],[2,50]],[[3,51],[4,51],[4,52],[3,52],[3,51]]]}}]}"#;
    let cells = cells(text);
    assert!(cells[0].sides.is_some() && cells[1].sides.is_none());
    let page = NewPopulation::new("x", &cells).pages.remove(0);
    let population = Population::new(read_page(&page).expect("its own page"));
    let within = |wkt: &str| population.within(&read_wkt(wkt).expect("a polygon")).count;
    assert!((within("POLYGON((0 50, 0.5 50, 0.5 51, 0 51, 0 50))") - 5.0).abs() < 1e-9);
    assert!((within("POLYGON((2 50, 5 50, 5 51, 2 51, 2 50))") - 3.0).abs() < 1e-9);
    assert!(
        within("POLYGON((3 51, 4 51, 4 52, 3 52, 3 51))").abs() < 1e-9,
        "the hole"
    );
}

#[test]
fn a_cell_over_the_antimeridian_counts_where_it_is_and_nowhere_else() {
    let wkt = "wkt,count\n\"POLYGON((179 10, -179 10, -179 12, 179.5 12, 179 10))\",100\n";
    let geojson = r#"{"type":"FeatureCollection","features":[{"type":"Feature",
        "properties":{"count":100},"geometry":{"type":"Polygon","coordinates":
            [[[179,10],[-179,10],[-179,12],[179.5,12],[179,10]]]}}]}"#;
    for text in [wkt, geojson] {
        let page = NewPopulation::new("x", &cells(text)).pages.remove(0);
        let population = Population::new(read_page(&page).expect("its own page"));
        let within = |wkt: &str| population.within(&read_wkt(wkt).expect("a polygon")).count;
        let far = within("POLYGON((0 10, 1 10, 1 12, 0 12, 0 10))");
        assert!(
            far.abs() < 1e-9,
            "{far} on the other side of the earth: {text}"
        );
        let west = within("POLYGON((178 9, 180 9, 180 13, 178 13, 178 9))");
        let east = within("POLYGON((-180 9, -178 9, -178 13, -180 13, -180 9))");
        assert!((west + east - 100.0).abs() < 1e-6, "{west} {east}: {text}");
        assert!(west > 40.0 && east > 50.0, "{west} {east}: {text}");
    }
}

#[test]
fn a_hole_that_does_not_lie_in_its_cell_is_a_fault() {
    let outside = "[[2,50],[5,50],[5,53],[2,53],[2,50]]";
    for (hole, words) in [
        ("[[7,51],[8,51],[8,52],[7,52],[7,51]]", "lies outside"),
        ("[[4,51],[6,51],[6,52],[4,52],[4,51]]", "lies outside"),
        ("[[3,51],[4,52],[4,51],[3,52],[3,51]]", "its holes"),
    ] {
        let text = format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":
            {{"count":8}},"geometry":{{"type":"Polygon","coordinates":[{outside},{hole}]}}}}]}}"#
        );
        let read = read_cells(text.as_bytes(), "count").expect("it can be read");
        assert_eq!(read.cells, [], "{hole}");
        assert!(
            read.faults.told[0].what.contains(words),
            "{:?}",
            read.faults
        );
    }
}

#[test]
fn nothing_of_a_file_plays_tricks_with_the_terminal_that_shows_what_is_wrong_with_it() {
    let escape = "\u{1b}[2J\u{202e}";
    for text in [
        format!("lat,lon,size_m,count\n{escape},0,1,1\n"),
        format!("wkt,count\n{escape},1\n"),
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"count":1},
        "geometry":{"type":"\u001b[2J\u202e","coordinates":[]}}]}"#
            .to_owned(),
    ] {
        let read = read_cells(text.as_bytes(), "count").expect("it can be read");
        let what = &read.faults.told[0].what;
        assert!(!what.contains(['\u{1b}', '\u{202e}']), "{what:?}");
    }
}

#[test]
fn what_is_wrong_with_a_cell_is_said_of_it() {
    let table = "lat,lon,size_degrees,count\n\
        50,0,1,5\n50,0,1,6\n95,0,1,1\n50,0,0,1\n50,0,-1,1\n50,0,nan,1\nx,0,1,1\n\
        50,2,1,-1\n50,2,1,inf\n50,2,1\n50,2,1,many\n0.5,179.9,1,1\n";
    let read = read_cells(table.as_bytes(), "count").expect("it can be read");
    assert_eq!(read.cells.len(), 1);
    let said: Vec<(usize, &str)> = read
        .faults
        .told
        .iter()
        .map(|fault| (fault.number, fault.what.as_str()))
        .collect();
    let want = [
        (2, "where cell 1 is"),
        (3, "not on the earth"),
        (4, "above 0"),
        (5, "above 0"),
        (6, "no number"),
        (7, "`x` is no number"),
        (8, "from 0 to"),
        (9, "from 0 to"),
        (10, "3 columns"),
        (11, "no number"),
        (12, "not on the earth"),
    ];
    assert_eq!(said.len(), want.len(), "{said:#?}");
    for ((number, what), (place, words)) in said.into_iter().zip(want) {
        assert!(
            number == place && what.contains(words),
            "{number} {what}, wanted {words}"
        );
    }
}

#[test]
fn a_table_that_can_not_be_read_says_what_its_first_line_must_be() {
    let long = format!("lat,lon,size_m,count\n\"{}", "a".repeat(5_000_000));
    for (text, words) in [
        ("", "empty"),
        ("lat;lon;size_m;count\n", "semicolons"),
        ("lat,lon,count\n", "size_m"),
        ("lat,lon,size_m,size_degrees,count\n", "both"),
        ("lat,lon,size_m\n", "`count`"),
        ("west,south,east,count\n", "`north`"),
        ("{\"type\":\"Feature\"}", "FeatureCollection"),
        (&long, "does a quote not end"),
    ] {
        let why = read_cells(text.as_bytes(), "count").expect_err(words);
        assert!(why.contains(words), "{words}: {why}");
    }
    assert!(read_cells(b"lat,\xff", "count").is_err());
}
