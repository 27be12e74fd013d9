//! What is accepted, what is refused, and in which words.

use balefire_domain::limits::{POINTS_MAX, POLYGONS_MAX};
use balefire_geometry::{OpenRings, Refusal, Shape};

type Pairs = Vec<(f64, f64)>;

/// A square with its south-west corner and its side in degrees.
fn square(lat: f64, lon: f64, side: f64) -> Pairs {
    let (north, east) = (lat + side, lon + side);
    vec![
        (lat, lon),
        (lat, east),
        (north, east),
        (north, lon),
        (lat, lon),
    ]
}

fn words(polygons: &[Pairs]) -> String {
    match Shape::validate(polygons) {
        Ok(_) => "accepted".to_owned(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn each_rule_for_one_ring_refuses_in_plain_words() {
    let far = 1e300;
    let meets = |line: u8, other: u8| {
        let itself = "polygon 1 crosses or touches itself";
        format!("{itself}: the line from point {line} meets the line from point {other}")
    };
    let cases: &[(&str, Pairs, &str)] = &[
        ("a square", square(54.0, -1.9, 0.1), "accepted"),
        (
            "the other way round",
            square(54.0, -1.9, 0.1).into_iter().rev().collect(),
            "accepted",
        ),
        (
            "a triangle",
            vec![(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)],
            "accepted",
        ),
        (
            "no points",
            vec![],
            "polygon 1 has 0 points; it needs at least 4, the last equal to the first",
        ),
        (
            "three points",
            vec![(0.0, 0.0), (0.0, 1.0), (0.0, 0.0)],
            "polygon 1 has 3 points; it needs at least 4, the last equal to the first",
        ),
        (
            "an open ring",
            vec![(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)],
            "polygon 1 is not closed: its last point must be equal to its first",
        ),
        (
            "closed only after rounding",
            vec![(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1e-9)],
            "polygon 1 is not closed: its last point must be equal to its first",
        ),
        (
            "latitude 95",
            vec![(0.0, 0.0), (0.0, 1.0), (95.0, 1.0), (0.0, 0.0)],
            "polygon 1, point 3: latitude 95 is outside -90 to 90",
        ),
        (
            "longitude 200",
            vec![(0.0, 0.0), (0.0, 200.5), (1.0, 1.0), (0.0, 0.0)],
            "polygon 1, point 2: longitude 200.5 is outside -180 to 180",
        ),
        (
            "just over the pole",
            vec![(0.0, 0.0), (0.0, 1.0), (90.000_000_01, 1.0), (0.0, 0.0)],
            "polygon 1, point 3: latitude 90.00000001 is outside -90 to 90",
        ),
        (
            "NaN",
            vec![(0.0, 0.0), (f64::NAN, 1.0), (1.0, 1.0), (0.0, 0.0)],
            "polygon 1, point 2: latitude is not a finite number",
        ),
        (
            "infinity",
            vec![(0.0, 0.0), (0.0, f64::INFINITY), (1.0, 1.0), (0.0, 0.0)],
            "polygon 1, point 2: longitude is not a finite number",
        ),
        (
            "huge",
            vec![(0.0, 0.0), (0.0, 0.0), (1.0, -far), (0.0, 0.0)],
            &format!(
                "polygon 1, point 3: longitude {} is outside -180 to 180",
                -far
            ),
        ),
        (
            "over the antimeridian",
            vec![
                (0.0, 179.0),
                (0.0, -179.0),
                (1.0, -179.0),
                (1.0, 179.0),
                (0.0, 179.0),
            ],
            "accepted",
        ),
        (
            "a line that can be read both ways round",
            vec![
                (0.0, 100.0),
                (0.0, -100.0),
                (1.0, -100.0),
                (1.0, 100.0),
                (0.0, 100.0),
            ],
            "polygon 1 spans more than 180 degrees of longitude in a way that can be read twice, \
          or goes around a pole; where it crosses the antimeridian (longitude 180), send it as \
          two polygons, one on each side",
        ),
        (
            "half the earth",
            vec![(0.0, -90.0), (0.0, 90.0), (1.0, 90.0), (0.0, -90.0)],
            "accepted",
        ),
        (
            "points in one line",
            vec![(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, 0.0)],
            "polygon 1 has no area, its points rounded to 6 decimals",
        ),
        (
            "collapsed by rounding",
            square(54.0, -1.9, 0.000_000_2),
            "polygon 1 has no area, its points rounded to 6 decimals",
        ),
        (
            "all points the same",
            vec![(1.0, 1.0); 5],
            "polygon 1 has no area, its points rounded to 6 decimals",
        ),
        (
            "a bow tie",
            vec![(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)],
            "polygon 1 has no area, its points rounded to 6 decimals",
        ),
        (
            "a lopsided bow tie",
            vec![(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 3.0), (0.0, 0.0)],
            meets(1, 3).leak(),
        ),
        (
            "touching itself at one point",
            vec![
                (0.0, 0.0),
                (1.0, 1.0),
                (0.0, 2.0),
                (2.0, 2.0),
                (1.0, 1.0),
                (2.0, 0.0),
                (0.0, 0.0),
            ],
            meets(2, 5).leak(),
        ),
        (
            "a corner on its own line",
            vec![
                (0.0, 0.0),
                (0.0, 4.0),
                (2.0, 4.0),
                (0.0, 2.0),
                (2.0, 0.0),
                (0.0, 0.0),
            ],
            meets(1, 3).leak(),
        ),
        (
            "a spike",
            vec![
                (0.0, 0.0),
                (0.0, 1.0),
                (1.0, 1.0),
                (2.0, 1.0),
                (1.0, 1.0),
                (1.0, 0.0),
                (0.0, 0.0),
            ],
            meets(3, 5).leak(),
        ),
        (
            "a spike without a point at its foot",
            vec![
                (0.0, 0.0),
                (0.0, 1.0),
                (1.0, 1.0),
                (1.0, 2.0),
                (1.0, 0.0),
                (0.0, 0.0),
            ],
            meets(2, 4).leak(),
        ),
        (
            "a repeated point",
            vec![(0.0, 0.0), (0.0, 1.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)],
            "accepted",
        ),
        (
            "at the pole",
            vec![(89.0, 0.0), (89.0, 90.0), (90.0, 45.0), (89.0, 0.0)],
            "accepted",
        ),
        (
            "points are counted as received",
            vec![
                (0.0, 0.0),
                (0.0, 0.0),
                (1.0, 1.0),
                (1.0, 0.0),
                (0.0, 3.0),
                (0.0, 0.0),
            ],
            meets(1, 4).leak(),
        ),
    ];
    for (name, ring, want) in cases {
        assert_eq!(&words(std::slice::from_ref(ring)), want, "{name}");
    }
}

#[test]
fn polygons_may_touch_but_not_share_ground() {
    let overlap = |a: usize, b: usize| {
        format!("polygons {a} and {b} overlap; polygons may touch but not share ground")
    };
    let (ok, base) = ("accepted".to_owned(), square(0.0, 0.0, 2.0));
    let triangle = |p: (f64, f64), q: (f64, f64), r: (f64, f64)| vec![p, q, r, p];
    let cases: &[(&str, Vec<Pairs>, String)] = &[
        ("none at all", vec![], ok.clone()),
        (
            "apart",
            vec![base.clone(), square(5.0, 5.0, 1.0)],
            ok.clone(),
        ),
        (
            "a whole edge",
            vec![base.clone(), square(0.0, 2.0, 2.0)],
            ok.clone(),
        ),
        (
            "part of an edge",
            vec![base.clone(), square(0.5, 2.0, 1.0)],
            ok.clone(),
        ),
        (
            "part of an edge, below",
            vec![base.clone(), square(-1.0, 0.5, 1.0)],
            ok.clone(),
        ),
        (
            "a corner",
            vec![base.clone(), square(2.0, 2.0, 1.0)],
            ok.clone(),
        ),
        (
            "a corner on an edge",
            vec![base.clone(), triangle((1.0, 2.0), (2.0, 3.0), (0.0, 3.0))],
            ok.clone(),
        ),
        (
            "four around one corner",
            vec![
                base.clone(),
                square(2.0, 2.0, 2.0),
                square(0.0, 2.0, 2.0),
                square(2.0, 0.0, 2.0),
            ],
            ok.clone(),
        ),
        (
            "in the bay of another",
            vec![
                vec![
                    (0.0, 0.0),
                    (0.0, 3.0),
                    (3.0, 3.0),
                    (3.0, 2.0),
                    (1.0, 2.0),
                    (1.0, 1.0),
                    (3.0, 1.0),
                    (3.0, 0.0),
                    (0.0, 0.0),
                ],
                square(1.0, 1.0, 1.0),
            ],
            ok,
        ),
        (
            "crossing",
            vec![base.clone(), square(1.0, 1.0, 2.0)],
            overlap(1, 2),
        ),
        (
            "the same twice",
            vec![base.clone(), base.clone()],
            overlap(1, 2),
        ),
        (
            "the same, the other way round",
            vec![base.clone(), base.iter().rev().copied().collect()],
            overlap(1, 2),
        ),
        (
            "one within another",
            vec![base.clone(), square(0.5, 0.5, 1.0)],
            overlap(1, 2),
        ),
        (
            "within, sharing an edge",
            vec![base.clone(), square(0.0, 0.5, 1.0)],
            overlap(1, 2),
        ),
        (
            "within, sharing a corner",
            vec![base.clone(), square(0.0, 0.0, 1.0)],
            overlap(1, 2),
        ),
        (
            "within, touching with a corner",
            vec![base.clone(), triangle((1.0, 2.0), (0.5, 1.0), (1.5, 1.0))],
            overlap(1, 2),
        ),
        (
            "crossing only at corners",
            vec![
                triangle((0.0, 0.0), (2.0, 0.0), (1.0, 2.0)),
                triangle((0.0, 0.0), (2.0, 0.0), (1.0, 1.0)),
            ],
            overlap(1, 2),
        ),
        (
            "a cross without a corner in common",
            vec![
                vec![(0.0, 1.0), (0.0, 2.0), (3.0, 2.0), (3.0, 1.0), (0.0, 1.0)],
                vec![(1.0, 0.0), (1.0, 3.0), (2.0, 3.0), (2.0, 0.0), (1.0, 0.0)],
            ],
            overlap(1, 2),
        ),
        (
            "the second and the fourth",
            vec![
                square(10.0, 10.0, 1.0),
                base,
                square(20.0, 20.0, 1.0),
                square(1.5, 1.5, 1.0),
            ],
            overlap(2, 4),
        ),
    ];
    for (name, polygons, want) in cases {
        assert_eq!(&words(polygons), want, "{name}");
        let reversed: Vec<Pairs> = polygons.iter().rev().cloned().collect();
        assert_eq!(
            words(&reversed) == "accepted",
            want == "accepted",
            "{name}, reversed"
        );
    }
}

#[test]
fn counts_are_refused_before_anything_is_looked_at() {
    let nonsense = vec![(f64::NAN, 0.0)];
    let polygons = vec![nonsense.clone(); POLYGONS_MAX + 1];
    assert_eq!(
        words(&polygons),
        "Too many polygons (1001); the maximum is 1000"
    );
    let points = vec![vec![(f64::NAN, 0.0); POINTS_MAX], nonsense];
    assert_eq!(
        words(&points),
        "Too many coordinates (50001); the maximum is 50000"
    );
}

#[test]
fn an_open_ring_is_closed_only_where_the_caller_says_so() {
    let open = vec![vec![(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)]];
    let closed = Shape::validate_with(&open, OpenRings::Close).expect("a triangle");
    assert_eq!(
        closed.to_pairs(),
        [[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]]
    );
    assert_eq!(
        Shape::validate(&open),
        Err(Refusal::TooFewPoints {
            polygon: 0,
            count: 3
        }),
        "refused by default"
    );
    let already = vec![square(1.0, 1.0, 1.0)];
    assert_eq!(
        Shape::validate_with(&already, OpenRings::Close),
        Shape::validate(&already)
    );
    let two = vec![vec![(0.0, 0.0), (0.0, 1.0)]];
    assert!(Shape::validate_with(&two, OpenRings::Close).is_err());
}

#[test]
fn pairs_come_back_rounded_in_the_order_received() {
    let ring = vec![
        (53.105_690_4, 0.244_53),
        (53.106, 0.244_300_6),
        (53.107, 0.25),
        (53.105_690_4, 0.244_53),
    ];
    let shape = Shape::validate(&[ring]).expect("a triangle");
    assert_eq!(
        shape.to_pairs(),
        [[
            [53.105_69, 0.244_53],
            [53.106, 0.244_301],
            [53.107, 0.25],
            [53.105_69, 0.244_53]
        ]]
    );
    assert_eq!((shape.polygon_count(), shape.point_count()), (1, 4));
    let texts: Vec<String> = shape.to_pairs()[0]
        .iter()
        .map(|pair| format!("{pair:?}"))
        .collect();
    assert_eq!(texts[1], "[53.106, 0.244301]", "no digits beyond the sixth");
}

#[test]
fn covering_is_exact() {
    let shape = |polygons: &[Pairs]| Shape::validate(polygons).expect("a valid shape");
    let (big, island) = (square(0.0, 0.0, 4.0), square(10.0, 10.0, 2.0));
    let both = [big.clone(), island];
    let step = 0.000_001;
    let cases: &[(&str, Vec<Pairs>, bool)] = &[
        ("nothing", vec![], true),
        ("itself", both.to_vec(), true),
        ("a part, along an edge", vec![square(0.0, 1.0, 1.0)], true),
        (
            "parts of both",
            vec![square(1.0, 1.0, 1.0), square(10.0, 10.0, 1.0)],
            true,
        ),
        (
            "neighbours in one",
            vec![square(1.0, 1.0, 1.0), square(1.0, 2.0, 1.0)],
            true,
        ),
        (
            "one step over the edge",
            vec![square(0.0, 3.0, 1.0 + step)],
            false,
        ),
        ("one step below", vec![square(-step, 1.0, 1.0)], false),
        ("elsewhere", vec![square(5.0, 5.0, 1.0)], false),
        ("around it", vec![square(-1.0, -1.0, 6.0)], false),
        ("touching from outside", vec![square(0.0, 4.0, 1.0)], false),
        (
            "one in and one out",
            vec![square(1.0, 1.0, 1.0), square(-5.0, -5.0, 1.0)],
            false,
        ),
    ];
    for (name, polygons, want) in cases {
        assert_eq!(shape(&both).covers(&shape(polygons)), *want, "{name}");
    }
    assert!(
        !Shape::default().covers(&shape(&[big])),
        "nothing covers only nothing"
    );
}
