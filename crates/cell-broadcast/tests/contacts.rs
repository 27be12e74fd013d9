//! Telephone numbers, links and what else an approver is shown.

use std::collections::BTreeSet;

use balefire_cell_broadcast::Scripts::{Any, GsmWelsh};
use balefire_cell_broadcast::{
    AlertText, Allowed, FactKind, TextRefusal, facts, parse_host, parse_number,
};
use proptest::prelude::*;

/// Kind, text and value of each fact.
fn found(text: &str) -> Vec<(&'static str, String, String)> {
    let facts = facts(text).into_iter();
    facts
        .map(|fact| (fact.kind.as_str(), fact.text, fact.value))
        .collect()
}

fn values(text: &str, kind: FactKind) -> Vec<String> {
    let facts = facts(text).into_iter();
    facts
        .filter(|fact| fact.kind == kind)
        .map(|fact| fact.value)
        .collect()
}

#[test]
fn telephone_numbers_are_found_as_people_write_them() {
    let cases: [(&str, &[&str]); 26] = [
        ("Call 0800 123 4567 now.", &["08001234567"]),
        ("Call 0800-123-4567.", &["08001234567"]),
        ("Call 0800.123.4567", &["08001234567"]),
        ("(020) 7946 0958", &["02079460958"]),
        ("+44 (0)20 7946 0958", &["+442079460958"]),
        ("+44 20 7946 0958", &["+442079460958"]),
        ("0031 20 123 4567", &["0031201234567"]),
        // Rather a number too many than one too few.
        ("Ring 112. 500 homes are dark", &["112", "500"]),
        ("Call 999 or 101", &["999", "101"]),
        ("In an emergency dial 112!", &["112"]),
        ("Text 61016", &["61016"]),
        ("Ffoniwch 105", &["105"]),
        ("Bel 0900-8844", &["09008844"]),
        ("call 0800 123\n4567", &["0800123", "4567"]),
        // Not numbers of telephones.
        ("on 2026-11-23 at 14:30", &[]),
        ("on 23.11.2026", &[]),
        ("on 23/11/2026", &[]),
        ("within 500 metres of the M25", &[]),
        ("£1,000,000", &[]),
        ("call for 112,000 people", &[]),
        ("for 500m and 12345678km", &[]),
        ("postcode SW1A 1AA", &[]),
        ("B1234567", &[]),
        ("1800 people", &[]),
        // Other digits are digits.
        (
            "\u{660}\u{668}\u{660}\u{660} \u{661}\u{662}\u{663}\u{664}",
            &["08001234"],
        ),
        ("see https://gov.uk/12345678", &[]),
    ];
    for (text, want) in cases {
        assert_eq!(values(text, FactKind::Number), want, "{text:?}");
    }
}

#[test]
fn links_and_addresses_are_found_with_their_hosts() {
    let cases: [(&str, &[&str]); 22] = [
        ("See https://www.gov.uk/alerts.", &["www.gov.uk"]),
        ("see gov.uk/alerts, then leave", &["gov.uk"]),
        ("see:gov.uk", &["gov.uk"]),
        ("gov.uk:443/x", &["gov.uk"]),
        ("(gov.uk)", &["gov.uk"]),
        ("\"GOV.UK\"", &["gov.uk"]),
        (
            "gov.uk,example.com;example.org",
            &["gov.uk", "example.com", "example.org"],
        ),
        ("http://user@evil.example/gov.uk", &["evil.example"]),
        ("https://gov.uk@evil.example", &["evil.example"]),
        ("https://evil.example\\@gov.uk", &["evil.example"]),
        ("http://192.168.1.1/x", &["192.168.1.1"]),
        ("192.168.1.1", &["192.168.1.1"]),
        ("ftp://localhost", &["localhost"]),
        ("xn--gv-lkc.uk", &["xn--gv-lkc.uk"]),
        ("gov。uk", &["gov.uk"]),
        ("www.gov.uk.", &["www.gov.uk"]),
        // A missing space makes a link on a phone too.
        ("Stay inside.Do not leave", &["inside.do"]),
        // No names of hosts.
        ("e.g. at 5 p.m. i.e. now", &[]),
        ("No.10 and v1.2", &[]),
        ("Wait... go", &[]),
        ("10.30am", &[]),
        ("http://", &[]),
    ];
    for (text, want) in cases {
        assert_eq!(values(text, FactKind::Link), want, "{text:?}");
    }
    assert_eq!(
        found("Write to flood@council.gov.uk."),
        [(
            "email",
            "flood@council.gov.uk".to_owned(),
            "council.gov.uk".to_owned()
        )]
    );
}

#[test]
fn a_fact_says_where_it_stands_in_characters() {
    let facts = facts("Dŵr: ring 0800 123 4567\nor see gov.uk");
    let places: Vec<_> = facts
        .iter()
        .map(|fact| (fact.text.as_str(), fact.position))
        .collect();
    assert_eq!(places, [("0800 123 4567", 11), ("gov.uk", 32)]);
}

#[test]
fn what_the_service_s_list_lacks_is_a_warning() {
    let allowed = Allowed {
        numbers: BTreeSet::from([parse_number("0800 123 4567").unwrap()]),
        hosts: BTreeSet::from([parse_host("GOV.UK.").unwrap()]),
    };
    // The text, and how many warnings it has.
    let cases = [
        ("call 0800 1234567", 0),
        ("call (0800) 123-4567", 0),
        ("call 0800 123 4568", 1),
        ("call +44 800 123 4567", 1),
        ("see gov.uk", 0),
        ("see https://www.gov.uk/x", 0),
        ("see notgov.uk", 1),
        ("see gov.uk.example.com", 1),
        ("see gov.uk.example.com and 112", 2),
        ("mail a@alerts.gov.uk", 0),
        ("mail gov.uk@example.com", 1),
        ("see https://gov.uk@example.com", 2),
        ("nothing to see", 0),
    ];
    for (text, want) in cases {
        let warnings: Vec<String> = facts(text)
            .iter()
            .flat_map(|fact| fact.warnings(&allowed))
            .collect();
        assert_eq!(warnings.len(), want, "{text}: {warnings:#?}");
    }
}

#[test]
fn lists_take_numbers_and_hosts_and_nothing_else() {
    for text in [
        "",
        "12",
        "call me",
        "0800 123 x",
        "123456789012345678",
        "08/00",
    ] {
        assert!(parse_number(text).is_err(), "{text}");
    }
    for text in [
        "",
        "uk",
        "https://gov.uk",
        "gov.uk/x",
        "gov.uk:80",
        "a b.uk",
        ".uk",
        "a..uk",
        "gov.\u{202e}uk",
        "gov\u{200b}.uk",
    ] {
        assert!(parse_host(text).is_err(), "{text}");
    }
    assert_eq!(parse_number(" 112 ").unwrap(), "112");
    assert_eq!(parse_host("Gov.UK").unwrap(), "gov.uk");
}

#[test]
fn a_link_that_mixes_alphabets_or_only_looks_plain_is_refused_with_its_letter() {
    // What is written, with which scripts, and the letter that is refused with its place.
    let cases = [
        ("see gоv.uk", Any, Some(('о', 6))),
        ("see https://www.gоv.uk/x", Any, Some(('о', 18))),
        // Every letter is Cyrillic, and it looks like `cope`.
        ("see соре.com", Any, Some(('с', 5))),
        ("see аррӏе.com", Any, Some(('а', 5))),
        ("see ɡov.uk", Any, Some(('ɡ', 5))),
        ("ΣXAMPLE.com", GsmWelsh, Some(('Σ', 1))),
        ("mail a@gоv.uk", Any, Some(('о', 9))),
        // Whole words of another script are names like any other.
        ("see президент.рф", Any, None),
        ("see münchen.de", GsmWelsh, None),
        ("see 東京カフェ.com", Any, None),
        // Outside of links nothing is refused.
        ("gоvernment", Any, None),
        ("see gov.uk", Any, None),
    ];
    for (raw, scripts, want) in cases {
        let refused = match AlertText::normalise(raw, scripts) {
            Err(TextRefusal::Link { ch, position }) => Some((ch, position)),
            Err(other) => panic!("{raw}: {other}"),
            Ok(_) => None,
        };
        assert_eq!(refused, want, "{raw}");
    }
}

#[test]
fn odd_links_words_and_invisible_characters_are_named() {
    let none = Allowed::default();
    let warns = |text: &str, part: &str| {
        let warnings: Vec<String> = facts(text)
            .iter()
            .flat_map(|fact| fact.warnings(&none))
            .collect();
        assert!(
            warnings.iter().any(|warning| warning.contains(part)),
            "{text}: {warnings:#?}"
        );
    };
    warns("xn--gv-lkc.uk", "punycode");
    warns("münchen.de", "beyond a to z");
    warns("http://10.0.0.1/", "numeric address");
    warns("https://gov.uk@example.com", "before the @");
    warns("the gоvernment says", "several alphabets");
    warns("می\u{200C}شود", "U+200C");
    assert_eq!(facts("Llifogydd ŵ. Café. Ελλάδα. Москва.東京タワー"), []);
}

#[test]
fn invisible_characters_that_do_nothing_are_left_out_and_the_others_are_kept() {
    // What is written, and what is sent with any script.
    let cases = [
        ("exam\u{200D}ple.com", "example.com"),
        ("a\u{200C}b", "ab"),
        ("می\u{200C}شود", "می\u{200C}شود"),
        ("क्\u{200D}ष", "क्\u{200D}ष"),
        ("👩\u{200D}👧", "👩\u{200D}👧"),
        ("a\u{200D}👧", "a👧"),
        ("❤\u{FE0F}", "❤\u{FE0F}"),
        ("a\u{FE0F}b", "ab"),
        ("葛\u{E0100}", "葛\u{E0100}"),
        ("a\u{E0100}b", "ab"),
        ("pay\u{200F}pal", "paypal"),
        ("שלום\u{200F}!", "שלום\u{200F}!"),
        ("a\u{AD}b\u{2060}c\u{FEFF}d\u{200B}e", "abcde"),
    ];
    for (raw, want) in cases {
        assert_eq!(
            AlertText::normalise(raw, Any).unwrap().as_str(),
            want,
            "{raw:?}"
        );
    }
}

#[test]
fn a_stack_of_marks_is_refused_and_what_languages_write_is_not() {
    let stack = |marks: usize| format!("see Z{}", "\u{335}".repeat(marks));
    assert!(AlertText::normalise(&stack(4), Any).is_ok());
    let refused = TextRefusal::Marks {
        ch: '\u{335}',
        position: 5,
    };
    assert_eq!(AlertText::normalise(&stack(5), Any), Err(refused));
    assert_eq!(AlertText::normalise(&stack(500), Any), Err(refused));
    for text in ["שָּׁלוֹם", "ที่นี่", "ệ ữ ặ", "لَلَّهُ", "བསྒྲུབས", "நெருப்பு"]
    {
        assert!(AlertText::normalise(text, Any).is_ok(), "{text}");
    }
    assert_eq!(
        AlertText::normalise(&stack(500), GsmWelsh)
            .unwrap()
            .as_str(),
        "see Z"
    );
}

#[test]
fn refusals_name_the_character_and_its_place() {
    let cases = [
        ("see gоv.uk", Any, "U+043E"),
        ("a\u{202E}b", Any, "U+202E"),
        ("a\u{2066}b", GsmWelsh, "U+2066"),
        ("a\u{E0041}b", Any, "U+E0041"),
        ("a\u{E000}b", Any, "U+E000"),
        ("a\u{335}\u{335}\u{335}\u{335}\u{335}", Any, "U+0335"),
    ];
    for (raw, scripts, code) in cases {
        let message = AlertText::normalise(raw, scripts)
            .unwrap_err()
            .message("Content");
        assert!(
            message.contains(code) && message.contains("position"),
            "{message}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn any_text_is_searched_and_every_fact_stands_where_it_says(
        text in prop_oneof![
            any::<String>(),
            "[a-c0-9+(). @:/,\\-о٣。\n]{0,60}",
            "(https?://|www.|x@|)[a-zо.]{1,12}(:[0-9]{1,3}|)(/[a-z,.]{0,5}|)[ ,.]{0,2}",
        ],
    ) {
        let chars: Vec<char> = text.chars().collect();
        for fact in facts(&text) {
            prop_assert!(fact.position >= 1);
            if fact.kind != FactKind::Invisible {
                let length = fact.text.chars().count();
                let there: String = chars[fact.position - 1..][..length].iter().collect();
                prop_assert_eq!(there, fact.text);
            }
        }
    }

    /// Whatever stands around a number that is no digit, letter or sign between digits.
    #[test]
    fn a_number_is_found_wherever_it_stands(before in "[a-z ,!\n]{0,20}[ ,!\n(]", after in "([ ,!\n)][a-z ,!\n]{0,20}|)") {
        let text = format!("{before}0800 123 4567{after}");
        prop_assert_eq!(values(&text, FactKind::Number), vec!["08001234567".to_owned()]);
    }
}
