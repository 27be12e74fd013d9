//! What holds for every text.

use balefire_cell_broadcast::{AlertText, Encoding, Scripts, WELSH_LETTERS, gsm7};
use proptest::prelude::*;
use unicode_normalization::is_nfc;

/// Pieces where rules meet (blanks, accents, joiners, punctuation), and any character.
fn awkward_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a", "e", "ŵ", "y", "á", "é", "ā", "ấ", "œ", "ı", "ﬁ", "Ａ", "€", "[", "=", "<", ",", ".",
        "–", "…", "’", "`", " ", "  ", "\n", "\r", "\r\n", "\t", "\u{A0}", "\u{C}", "\u{2028}",
        "\u{AD}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{200E}", "\u{FE0F}", "\u{300}", "\u{302}",
        "\u{323}", "\u{338}", "\u{1100}", "\u{1161}", "\u{11A8}", "\u{1160}", "\u{9C7}", "\u{9BE}",
        "\u{94D}",
    ]);
    let piece = prop_oneof![20 => pieces.prop_map(String::from), 1 => any::<String>()];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn scripts() -> impl Strategy<Value = Scripts> {
    prop_oneof![Just(Scripts::GsmWelsh), Just(Scripts::Any)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn normalising_again_changes_nothing(raw in awkward_text(), scripts in scripts()) {
        if let Ok(text) = AlertText::normalise(&raw, scripts) {
            prop_assert_eq!(AlertText::normalise(text.as_str(), scripts), Ok(text));
        }
    }

    #[test]
    fn a_normal_text_is_composed_and_has_no_needless_white_space(
        raw in awkward_text(),
        scripts in scripts(),
    ) {
        if let Ok(text) = AlertText::normalise(&raw, scripts) {
            let text = text.as_str();
            prop_assert_eq!(text.trim(), text);
            prop_assert!(is_nfc(text), "{:?}", text);
            for pair in ["  ", " \n", "\n ", " ,", " .", "\n\n\n", "\r", "\t"] {
                prop_assert!(!text.contains(pair), "{:?} in {:?}", pair, text);
            }
        }
    }

    #[test]
    fn what_every_phone_shows_is_all_that_is_left(raw in awkward_text()) {
        if let Ok(text) = AlertText::normalise(&raw, Scripts::GsmWelsh) {
            for ch in text.as_str().chars() {
                let is_shown = gsm7::spelling(ch).is_some() || WELSH_LETTERS.contains(ch);
                prop_assert!(is_shown, "{:?}", ch);
            }
        }
    }

    #[test]
    fn pages_hold_all_units_and_no_page_is_wasted(raw in awkward_text(), times in 1..60_usize) {
        if let Ok(text) = AlertText::normalise(&raw.repeat(times), Scripts::Any) {
            let page = if text.encoding() == Encoding::Gsm7 { 93 } else { 41 };
            prop_assert!(text.units() <= text.pages() * page);
            prop_assert!(text.units() > (text.pages() - 1) * (page - 1));
        }
    }
}
