//! What characters cost, and what becomes of them.

use balefire_cell_broadcast::Scripts::{self, Any, GsmWelsh};
use balefire_cell_broadcast::{
    AlertText, Encoding, Fate, Measure, Needs, REFUSALS_MAX, TextRefusal, measure,
};
use proptest::prelude::*;

/// What was written, what becomes of it, what is sent, and its units.
type Row<'a> = (char, Fate, &'a str, usize);

fn fates(measure: &Measure) -> Vec<Row<'_>> {
    let rows = measure.costs.iter();
    rows.map(|cost| (cost.written, cost.fate, cost.sent.as_str(), cost.units))
        .collect()
}

#[test]
fn each_character_says_what_becomes_of_it_and_what_it_costs() {
    use Fate::{Changed, Joined, Kept, LeftOut, Refused};
    let cases: [(&str, Scripts, &[Row<'_>]); 11] = [
        ("a€", GsmWelsh, &[('a', Kept, "a", 1), ('€', Kept, "€", 2)]),
        ("€ŵ", GsmWelsh, &[('€', Kept, "€", 1), ('ŵ', Kept, "ŵ", 1)]),
        (
            "’…",
            GsmWelsh,
            &[('’', Changed, "'", 1), ('…', Changed, "...", 3)],
        ),
        ("œ", GsmWelsh, &[('œ', Changed, "oe", 2)]),
        (
            " a  b ",
            GsmWelsh,
            &[
                (' ', LeftOut, "", 0),
                ('a', Kept, "a", 1),
                (' ', Kept, " ", 1),
                (' ', LeftOut, "", 0),
                ('b', Kept, "b", 1),
                (' ', LeftOut, "", 0),
            ],
        ),
        (
            "a\r\n\n\nb",
            GsmWelsh,
            &[
                ('a', Kept, "a", 1),
                ('\r', Changed, "\n", 1),
                ('\n', LeftOut, "", 0),
                ('\n', Kept, "\n", 1),
                ('\n', LeftOut, "", 0),
                ('b', Kept, "b", 1),
            ],
        ),
        (
            "e\u{301}",
            GsmWelsh,
            &[('e', Changed, "é", 1), ('\u{301}', Joined, "", 0)],
        ),
        (
            "a\u{200B}",
            GsmWelsh,
            &[('a', Kept, "a", 1), ('\u{200B}', LeftOut, "", 0)],
        ),
        (
            "a😀",
            GsmWelsh,
            &[('a', Kept, "a", 1), ('😀', Refused, "", 0)],
        ),
        ("a😀", Any, &[('a', Kept, "a", 1), ('😀', Kept, "😀", 2)]),
        (
            "\u{1112}\u{1161}\u{11AB}",
            Any,
            &[
                ('\u{1112}', Changed, "한", 1),
                ('\u{1161}', Joined, "", 0),
                ('\u{11AB}', Joined, "", 0),
            ],
        ),
    ];
    for (raw, scripts, want) in cases {
        assert_eq!(fates(&measure(raw, scripts)), want, "{raw:?}");
    }
}

#[test]
fn what_forces_ucs2_is_named_with_its_places() {
    let measured = measure("Dŵr a dŵr, tŷ", GsmWelsh);
    assert_eq!(measured.text.encoding(), Encoding::Ucs2);
    assert_eq!(
        measured.forcing_ucs2(),
        [('ŵ', vec![2, 8]), ('ŷ', vec![13])]
    );
    let needs: Vec<_> = measured.costs.iter().map(|cost| cost.needs).collect();
    assert_eq!(needs[..2], [Some(Needs::Default), Some(Needs::Ucs2)]);
    assert_eq!(
        measure("€", GsmWelsh).costs[0].needs,
        Some(Needs::Extension)
    );
    assert_eq!(measure("Dwr", GsmWelsh).forcing_ucs2(), []);
}

#[test]
fn room_pages_and_padding_are_counted() {
    // What is written, how often; units, left, pages, padding inside.
    let cases = [
        ("a", 1, 1, 1394, 1, 0),
        ("a", 93, 93, 1302, 1, 0),
        ("€", 46, 92, 1303, 1, 0),
        ("€", 47, 94, 1301, 2, 1),
        ("€", 697, 1394, 1, 16, 15),
        ("a", 1400, 1400, -5, 16, 0),
        ("ŵ", 616, 616, -1, 16, 0),
    ];
    for (written, times, units, left, pages, wasted) in cases {
        let measured = measure(&written.repeat(times), GsmWelsh);
        let counted = (
            measured.text.units(),
            measured.remaining(),
            measured.pages,
            measured.wasted(),
        );
        assert_eq!(counted, (units, left, pages, wasted), "{written} x{times}");
    }
    let pairs = measure(&"😀".repeat(21), Any);
    assert_eq!(
        (pairs.text.units(), pairs.pages, pairs.wasted()),
        (42, 2, 1)
    );
}

#[test]
fn every_refusal_of_a_text_is_told_at_once_up_to_a_bound() {
    let measured = measure("a😀b½", GsmWelsh);
    assert_eq!(
        measured.refusals,
        [
            TextRefusal::Character {
                ch: '😀',
                position: 2
            },
            TextRefusal::Character {
                ch: '½',
                position: 4
            },
        ]
    );
    assert_eq!(measured.text.as_str(), "ab");
    assert_eq!(
        measure(&"😀".repeat(500), GsmWelsh).refusals.len(),
        REFUSALS_MAX
    );
    assert_eq!(measure(" ", GsmWelsh).refusals, [TextRefusal::Empty]);
    let unread = measure(&"a".repeat(100_001), GsmWelsh);
    let encoding = Encoding::Gsm7;
    assert_eq!(unread.refusals, [TextRefusal::TooLong { encoding }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_costs_add_up_to_the_text_and_a_text_without_refusals_is_taken(
        pieces in prop::collection::vec(prop_oneof![
            5 => "[a-zŵ€’ \n.,]{1,4}",
            2 => prop::sample::select(vec![
                "\u{301}", "\u{200D}", "\u{200B}", "\u{FE0F}", "\u{1100}", "\u{1161}", "\u{9C7}",
                "\u{9BE}", "\r\n", "\u{200F}", "م", "👩", "➡", "ﬁ", "½", "\0", "аpple.com",
            ]).prop_map(String::from),
            1 => any::<String>(),
        ], 0..12),
        scripts in prop_oneof![Just(GsmWelsh), Just(Any)],
    ) {
        let raw = pieces.concat();
        let measured = measure(&raw, scripts);
        let units: usize = measured.costs.iter().map(|cost| cost.units).sum();
        let sent: String = measured.costs.iter().map(|cost| cost.sent.as_str()).collect();
        prop_assert_eq!(&sent, measured.text.as_str());
        prop_assert_eq!(units, measured.text.units());
        prop_assert_eq!(measured.costs.len(), raw.chars().count());
        match AlertText::accept(&raw, scripts) {
            Ok(text) => {
                prop_assert_eq!(&measured.refusals, &[]);
                prop_assert_eq!(text, measured.text);
            }
            Err(first) => prop_assert_eq!(measured.refusals.first(), Some(&first)),
        }
    }
}
