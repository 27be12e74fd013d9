//! A shape as one provider takes it.

use std::f64::consts::TAU;

use balefire_domain::provider::Limits;
use balefire_geometry::Shape;
use proptest::prelude::*;

type Pairs = Vec<(f64, f64)>;

fn star(lat: f64, lon: f64, radii: &[f64]) -> Pairs {
    let step = TAU / f64::from(u32::try_from(radii.len()).expect("few"));
    let mut ring = Pairs::new();
    let mut angle = 0.0_f64;
    for radius in radii {
        ring.push((lat + radius * angle.sin(), lon + radius * angle.cos()));
        angle += step;
    }
    ring.push(ring[0]);
    ring
}

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

fn limits(polygons: usize, points: usize, decimals: u8) -> Limits {
    Limits {
        polygons,
        points,
        decimals,
    }
}

fn decimals_of(degrees: f64) -> usize {
    let text = degrees.to_string();
    text.split_once('.')
        .map_or(0, |(_, decimals)| decimals.len())
}

/// What must hold of whatever fits; gives how much larger it is than what was asked for.
fn check(shape: &Shape, limits: &Limits) -> f64 {
    let fitted = shape
        .fit(limits)
        .expect("an ordinary shape can be made to fit");
    assert!(fitted.fits(limits) && fitted.covers(shape));
    assert!(fitted.polygon_count() <= limits.polygons);
    assert!(fitted.point_count() <= limits.points);
    let degrees = fitted.to_pairs().into_iter().flatten().flatten();
    let most = degrees.map(decimals_of).max().expect("points");
    assert!(most <= usize::from(limits.decimals), "{most} decimals");
    fitted.area_m2() / shape.area_m2() - 1.0
}

#[test]
fn a_shape_within_the_limits_stays_as_it_is() {
    let shape = Shape::validate(&[square(53.123_456, -1.0, 0.1)]).expect("valid");
    assert_eq!(shape.fit(&limits(1, 5, 6)), Ok(shape.clone()));
    let coarse = Shape::validate(&[square(53.12, -1.0, 0.25)]).expect("valid");
    assert_eq!(coarse.fit(&limits(1, 5, 2)), Ok(coarse.clone()));
    assert!(!shape.fits(&limits(1, 5, 5)) && !shape.fits(&limits(1, 4, 6)));
}

#[test]
fn fewer_decimals_cover_the_same_ground_with_a_little_more() {
    let shape = Shape::validate(&[square(53.123_456, -1.987_654, 0.1)]).expect("valid");
    for decimals in 2..6 {
        let grown = check(&shape, &limits(10, 100, decimals));
        // A side moves out by a unit for rounding and one for the tolerance.
        let unit_m = 111_320.0 * 10_f64.powi(-i32::from(decimals));
        let side_m = 6_600.0; // of longitude, the shorter one
        assert!(
            grown > 0.0 && grown < 16.0 * unit_m.max(2.0) / side_m,
            "{decimals}: {grown}"
        );
    }
}

#[test]
fn neighbours_are_joined_until_there_are_few_enough() {
    let row: Vec<Pairs> = (0..20)
        .map(|n| square(53.0, f64::from(n) * 0.02, 0.015))
        .collect();
    let shape = Shape::validate(&row).expect("valid");
    let grown = check(&shape, &limits(3, 100, 6));
    assert!(grown < 1.0, "{grown}");
}

#[test]
fn what_no_simpler_shape_can_cover_is_refused_with_the_counts() {
    let far = [square(60.0, -170.0, 1.0), square(-60.0, 100.0, 1.0)];
    let shape = Shape::validate(&far).expect("valid");
    let unfit = shape
        .fit(&limits(1, 100, 6))
        .expect_err("half the earth apart");
    assert_eq!((unfit.polygons, unfit.points), (2, 10));
    let says = unfit.to_string();
    assert!(
        says.contains("2 polygons") && says.contains("at most 1 and 100"),
        "{says}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_fits_covers_and_keeps_the_limits(
        lat in -70.0_f64..70.0,
        lon in -170.0_f64..170.0,
        radii in prop::collection::vec(0.05_f64..0.4, 8..200),
        points in 12_usize..60,
        decimals in 3_u8..=6,
    ) {
        let Ok(shape) = Shape::validate(&[star(lat, lon, &radii)]) else {
            return Ok(());
        };
        if let Ok(fitted) = shape.fit(&limits(2, points, decimals)) {
            prop_assert!(fitted.fits(&limits(2, points, decimals)));
            prop_assert!(fitted.covers(&shape));
        }
    }
}
