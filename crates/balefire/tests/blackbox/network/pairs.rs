//! Rows of levels in which every pair of levels of every two factors occurs (a covering array of
//! strength two), found greedily and always the same.

use std::collections::BTreeSet;

/// Rows of `factors` levels below `levels`, in which every pair occurs.
pub(super) fn cover_pairs(factors: usize, levels: usize) -> Vec<Vec<usize>> {
    let mut missing: BTreeSet<[(usize, usize); 2]> = BTreeSet::new();
    for one in 0..factors {
        for other in one + 1..factors {
            for level in 0..levels {
                missing.extend((0..levels).map(|at_other| [(one, level), (other, at_other)]));
            }
        }
    }
    let mut rows = Vec::new();
    while let Some(&[(one, level), (other, at_other)]) = missing.first() {
        let mut row = vec![None; factors];
        row[one] = Some(level);
        row[other] = Some(at_other);
        for factor in 0..factors {
            if row[factor].is_none() {
                row[factor] = Some(best_level(&row, factor, levels, rows.len(), &missing));
            }
        }
        let row: Vec<usize> = row.into_iter().flatten().collect();
        for pair in pairs_of(&row) {
            missing.remove(&pair);
        }
        rows.push(row);
    }
    rows
}

/// The level that covers the most missing pairs with what is chosen; of equals another one in each
/// row, so that no level is preferred.
fn best_level(
    row: &[Option<usize>],
    factor: usize,
    levels: usize,
    turn: usize,
    missing: &BTreeSet<[(usize, usize); 2]>,
) -> usize {
    let gain = |level: usize| {
        let chosen = row.iter().enumerate();
        let chosen = chosen.filter_map(|(at, other)| other.map(|other| (at, other)));
        chosen
            .filter(|&other| missing.contains(&ordered((factor, level), other)))
            .count()
    };
    let turned = (0..levels).map(|level| (level + turn) % levels);
    turned
        .max_by_key(|&level| gain(level))
        .expect("there are levels")
}

fn ordered(one: (usize, usize), other: (usize, usize)) -> [(usize, usize); 2] {
    if one.0 < other.0 {
        [one, other]
    } else {
        [other, one]
    }
}

fn pairs_of(row: &[usize]) -> impl Iterator<Item = [(usize, usize); 2]> + '_ {
    let later = |one| (one + 1..row.len()).map(move |other| (one, other));
    let places = (0..row.len()).flat_map(later);
    places.map(|(one, other)| [(one, row[one]), (other, row[other])])
}

#[test]
fn every_pair_of_levels_of_every_two_factors_occurs() {
    for (factors, levels) in [(2, 2), (3, 4), (4, 15), (8, 15)] {
        let rows = cover_pairs(factors, levels);
        assert!(rows.iter().all(|row| row.len() == factors));
        for one in 0..factors {
            for other in (0..factors).filter(|&other| other != one) {
                let seen: BTreeSet<(usize, usize)> =
                    rows.iter().map(|row| (row[one], row[other])).collect();
                let wanted = (0..levels).flat_map(|a| (0..levels).map(move |b| (a, b)));
                assert_eq!(
                    seen,
                    wanted.collect(),
                    "factors {one} and {other} of {factors}"
                );
            }
        }
        // Far fewer than all rows, and no fewer than the pairs of two factors.
        let fewest = levels * levels;
        assert!(
            (fewest..=2 * fewest).contains(&rows.len()),
            "{} rows",
            rows.len()
        );
    }
}
