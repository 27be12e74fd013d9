//! What is used of an accepted message: texts by language, circles.

use balefire_cap::read;
use balefire_cap::rules::{self, AlertContent, Circle};

const TWO_LANGUAGES: &str = include_str!("../corpus/good/c07-two-languages.xml");
const SEQUENCE_THEN_WELSH: &str =
    include_str!("../corpus/good/c07-two-languages-and-two-areas.xml");
const ONE_LANGUAGE: &str = include_str!("../corpus/good/c07-one-sequence.xml");
const CIRCLE: &str = include_str!("../corpus/good/c11-circle.xml");

fn content(document: &str) -> AlertContent {
    let document = read(document.as_bytes()).expect("the structure is right");
    let accepted = rules::accept_alert(&document.alert).expect("it is taken");
    accepted.content
}

#[test]
fn an_alert_in_two_languages_says_what_is_used_of_each() {
    for (document, areas) in [(TWO_LANGUAGES, 2), (SEQUENCE_THEN_WELSH, 3)] {
        let content = content(document);
        assert_eq!(content.language, "en-GB");
        assert!(content.text.starts_with("The river is over its banks"));
        let second = content.second.expect("there is Welsh");
        assert_eq!(second.language, "cy-GB");
        assert!(second.text.starts_with("Mae’r afon wedi gorlifo"));
        assert_eq!(second.headline.as_deref(), Some("Llifogydd yn Stryd Isel"));
        assert_eq!(content.areas.len(), areas);
    }
    assert_eq!(content(ONE_LANGUAGE).second, None);
}

#[test]
fn upper_and_lower_case_make_no_second_language() {
    let same = ONE_LANGUAGE.replacen("<language>en-GB", "<language>EN-gb", 1);
    assert_eq!(content(&same).second, None);
}

#[test]
fn a_language_that_is_not_written_is_american_english() {
    let unnamed = TWO_LANGUAGES.replacen("<language>en-GB</language>", "", 1);
    let unnamed = content(&unnamed);
    assert_eq!(unnamed.language, "en-US");
    assert_eq!(
        unnamed.second.map(|second| second.language).as_deref(),
        Some("cy-GB")
    );
}

#[test]
fn a_circle_is_a_centre_and_a_radius_in_kilometres() {
    let content = content(CIRCLE);
    let [area] = &content.areas[..] else {
        panic!("one area");
    };
    assert!(area.polygons.is_empty());
    let circle = Circle {
        lat: 52.05,
        lon: -2.15,
        radius_km: 3.5,
    };
    assert_eq!(area.circles, [circle]);
}
