use geo::{Contains as _, Coord, LineString, Polygon};
use proptest::prelude::*;

use super::*;

fn square(south: f64, west: f64, side: f64) -> Vec<(f64, f64)> {
    let (north, east) = (south + side, west + side);
    vec![
        (south, west),
        (south, east),
        (north, east),
        (north, west),
        (south, west),
    ]
}

fn area(id: &str, name: &str, rings: &[Vec<(f64, f64)>]) -> IndexedArea<()> {
    IndexedArea {
        id: id.to_owned(),
        name: name.to_owned(),
        shape: Shape::validate(rings).expect("valid rings"),
        data: (),
    }
}

fn library() -> AreaIndex<()> {
    AreaIndex::new(vec![
        area("a", "Ynys Môn", &[square(50.0, 0.0, 1.0)]),
        area("b", "Ynys Arall", &[square(50.0, 1.0, 1.0)]),
        area(
            "c",
            "Yn",
            &[square(60.0, 0.0, 1.0), square(-60.0, 0.0, 1.0)],
        ),
        area("d", "Taveuni", &[square(-17.0, 179.0, 1.0)]),
        area("e", "Lau", &[square(-17.0, -180.0, 1.0)]),
    ])
}

fn ids(found: &[&IndexedArea<()>]) -> String {
    found.iter().map(|area| area.id.as_str()).collect()
}

fn at(lat: f64, lon: f64) -> Point {
    Point::from_degrees(lat, lon).expect("a place on earth")
}

#[test]
fn areas_are_found_by_id_and_by_name() {
    let library = library();
    assert_eq!(
        library.by_id("b").map(|area| area.name.as_str()),
        Some("Ynys Arall")
    );
    assert!(library.by_id("B").is_none());
    for (name, want) in [
        ("ynys mon", "a"),
        ("YNYS MÔN", "a"),
        ("ynys", "ba"),
        ("yn", "c"),
        ("y", "cba"),
        ("mon", ""),
        ("", ""),
    ] {
        assert_eq!(ids(&library.by_name(name, 10)), want, "{name}");
    }
    assert_eq!(ids(&library.by_name("y", 2)), "cb", "at most two");
}

#[test]
fn a_place_is_in_the_areas_around_it_and_on_a_border_in_both() {
    let library = library();
    for (lat, lon, want) in [
        (50.5, 0.5, "a"),
        (50.5, 1.0, "ab"),
        (50.0, 0.0, "a"),
        (51.0, 2.0, "b"),
        (50.5, 2.000_001, ""),
        (-59.5, 0.5, "c"),
        (60.0, 0.3, "c"),
        (-16.5, 180.0, "d"),
        (-16.5, -180.0, "e"),
        (0.0, 0.0, ""),
    ] {
        assert_eq!(ids(&library.at(at(lat, lon))), want, "{lat} {lon}");
    }
}

#[test]
fn a_place_in_an_area_s_box_and_outside_the_area_is_not_in_it() {
    let triangle = vec![(10.0, 0.0), (10.0, 1.0), (11.0, 0.0), (10.0, 0.0)];
    let library = AreaIndex::new(vec![area("t", "Triangle", &[triangle])]);
    assert_eq!(ids(&library.at(at(10.4, 0.4))), "t");
    assert_eq!(ids(&library.at(at(10.6, 0.6))), "");
}

#[test]
fn what_a_shape_shares_is_told_with_both_parts() {
    let library = library();
    let shape = Shape::validate(&[square(50.5, 0.5, 1.0)]).expect("a square");
    let found: Vec<_> = library
        .overlapping(&shape, 0.01)
        .into_iter()
        .map(|(area, overlap)| (area.id.as_str(), overlap))
        .collect();
    let quarter = Overlap {
        of_area: 0.25,
        of_shape: 0.25,
    };
    assert_eq!(found, [("a", quarter), ("b", quarter)]);
    let beside = Shape::validate(&[square(51.0, 0.0, 1.0)]).expect("a square");
    assert!(
        library.overlapping(&beside, 0.0).is_empty(),
        "touching shares nothing"
    );
    let sliver = Shape::validate(&[square(50.999, 0.0, 1.0)]).expect("a square");
    assert!(
        library.overlapping(&sliver, 0.01).is_empty(),
        "a thousandth"
    );
    assert!(library.overlapping(&Shape::default(), 0.0).is_empty());
}

#[test]
fn near_goes_round_the_antimeridian_and_the_pole() {
    let library = library();
    let place = |lat, lon| Bounds {
        west: lon,
        south: lat,
        east: lon,
        north: lat,
    };
    for (lat, lon, km, want) in [
        (50.5, -0.1, 10.0, "a"),
        (50.5, -0.1, 5.0, ""),
        (50.5, 1.5, 40.0, "ab"),
        (-16.5, 179.99, 5.0, "de"),
        (-16.5, -179.99, 5.0, "de"),
        (88.9, 10.0, 100.0, ""),
        (62.0, 0.5, 120.0, "c"),
    ] {
        let found = library.near(&place(lat, lon), km * 1e3);
        assert_eq!(ids(&found), want, "{lat} {lon} {km} km");
    }
}

proptest! {
    /// Against another way of deciding it, at places that are on no border.
    #[test]
    fn a_star_holds_what_another_engine_finds_in_it(
        radii in prop::collection::vec(0.1_f64..1.0, 4..60),
        lat in -1.0_f64..1.0,
        lon in -1.0_f64..1.0,
    ) {
        let turn = std::f64::consts::TAU / f64::from(u32::try_from(radii.len()).expect("few"));
        let mut ring: Vec<(f64, f64)> = radii.iter().zip(0_u32..)
            .map(|(radius, n)| {
                let angle = turn * f64::from(n);
                (radius * angle.sin(), radius * angle.cos())
            })
            .collect();
        ring.push(ring[0]);
        let Ok(shape) = Shape::validate(&[ring]) else { return Ok(()) };
        let points = shape.rings()[0].points();
        let engine = Polygon::new(
            LineString(points.iter()
                .map(|p| Coord { x: p.lon.degrees(), y: p.lat.degrees() }).collect()),
            Vec::new(),
        );
        let place = at(lat, lon);
        let want = engine.contains(&Coord { x: place.lon.degrees(), y: place.lat.degrees() });
        prop_assert_eq!(shape.rings()[0].contains(place), want);
        let found = AreaIndex::new(vec![IndexedArea {
            id: "star".to_owned(), name: String::new(), shape, data: (),
        }]);
        prop_assert_eq!(found.at(place).len() == 1, want, "by the index");
    }
}
