//! What an author is told of a polygon (`cap`, rule C10) and what dispatch says of it (`geometry`):
//! two implementations that must agree on every ring.

use balefire_cap::check_as;
use balefire_cap::rules::Use;
use balefire_geometry::{Refusal, Shape};

const DOCUMENT: &str = include_str!("../../cap/corpus/good/c17-alert.xml");
const POLYGON: &str = "52.00,-2.20 52.00,-2.10 52.10,-2.10 52.00,-2.20";

/// Rings of each kind.
const RINGS: u64 = 5_000;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }

    /// Degrees on a grid of so many steps of this width, from `low`.
    fn degrees(&mut self, low: f64, steps: u64, width: f64) -> f64 {
        let step = u32::try_from(self.below(steps)).expect("a small number");
        low + f64::from(step) * width
    }
}

/// What is wrong with a ring in the words of both.
fn by_cap(pairs: &[(f64, f64)]) -> Option<&'static str> {
    let text: Vec<String> = pairs
        .iter()
        .map(|(lat, lon)| format!("{lat},{lon}"))
        .collect();
    let document = DOCUMENT.replace(POLYGON, &text.join(" "));
    assert_ne!(document, DOCUMENT, "the polygon is in the document");
    let report = check_as(document.as_bytes(), Use::Check, None);
    let error = report.findings.iter().find(|finding| finding.is_error())?;
    Some(error.code)
}

fn by_geometry(pairs: &[(f64, f64)]) -> Option<&'static str> {
    match Shape::validate(&[pairs.to_vec()]).err()? {
        Refusal::CrossesAntimeridian { .. } => Some("polygon-ambiguous"),
        Refusal::NoArea { .. } => Some("polygon-without-area"),
        Refusal::MeetsItself { .. } => Some("polygon-meets-itself"),
        Refusal::TooFewPoints { .. } => Some("polygon-too-short"),
        other => panic!("{other} of {pairs:?}"),
    }
}

#[test]
fn authors_are_told_of_a_polygon_what_dispatch_says() {
    let mut dice = Dice(0x0C10);
    let mut counts = [0; 2];
    // Small grids, on which lines touch and lie on one another often; then around the Earth.
    let kinds = [
        (0.0, 5, 1.0, 5, 0.0),
        (50.0, 40, 0.05, 40, -2.0),
        (-90.0, 5, 45.0, 9, -180.0),
    ];
    for (south, rows, width, columns, west) in kinds {
        for _ in 0..RINGS {
            let corners = 3 + dice.below(5);
            let mut ring: Vec<(f64, f64)> = (0..corners)
                .map(|_| {
                    (
                        dice.degrees(south, rows, width),
                        dice.degrees(west, columns, width),
                    )
                })
                .collect();
            ring.push(ring[0]);
            let (cap, geometry) = (by_cap(&ring), by_geometry(&ring));
            if width < 45.0 {
                assert_eq!(cap, geometry, "{ring:?}");
            } else {
                // Several faults at once: only whether it is taken.
                let both = (cap.is_some(), geometry.is_some());
                assert_eq!(both.0, both.1, "{cap:?} {geometry:?} {ring:?}");
            }
            counts[usize::from(cap.is_some())] += 1;
        }
    }
    let [valid, invalid] = counts;
    println!("{valid} valid rings, {invalid} that are none");
    assert!(
        valid > 1_000 && invalid > 1_000,
        "{valid} and {invalid} prove little"
    );
}
