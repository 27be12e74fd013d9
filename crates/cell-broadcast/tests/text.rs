//! The tables of an alert's text: what is kept, downgraded, refused and counted.

use balefire_cell_broadcast::Scripts::{Any, GsmWelsh};
use balefire_cell_broadcast::{AlertText, Encoding, Language, TextRefusal, WELSH_LETTERS};

fn gsm_welsh(raw: &str) -> String {
    AlertText::normalise(raw, GsmWelsh)
        .expect("every phone shows it")
        .into_string()
}

#[test]
fn a_text_is_normalised_row_by_row() {
    // One row per rule: what was written, what is sent.
    let cases = [
        (
            "Some content\r\n€ŷŵ~\r\n‘’“”—–-",
            "Some content\n€ŷŵ~\n''\"\"---",
        ),
        ("one\r\ntwo", "one\ntwo"),
        ("one\rtwo", "one\ntwo"),
        ("one\n\rtwo", "one\n\ntwo"),
        (
            "one\u{2028}two\u{85}three\u{C}four",
            "one\ntwo\nthree\nfour",
        ),
        ("one   two", "one two"),
        ("  one two  ", "one two"),
        ("one  \n  two", "one\ntwo"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("one\n\n\ntwo", "one\n\ntwo"),
        ("one\n \n\t\n\u{A0}\r\ntwo", "one\n\ntwo"),
        ("\n\n\none\n\n\n", "one"),
        ("stay inside , please .", "stay inside, please."),
        ("a , . b", "a,. b"),
        ("one\n, two", "one\n, two"),
        (
            "one\ttwo\u{A0}three\u{2009}four\u{3000}five",
            "one two three four five",
        ),
        ("one\t \u{A0}two", "one two"),
        ("fl\u{AD}ood\u{200B}ing\u{FEFF}\u{2060}", "flooding"),
        ("a\u{200D}b\u{200E}c", "abc"),
        ("it’s ‚here‛ ′ ʼ ` ´", "it's 'here' ' ' ' '"),
        ("“two” „three‟ «four»", "\"two\" \"three\" \"four\""),
        ("‐‑‒–—―−", "-------"),
        ("wait… go", "wait... go"),
        ("wait …", "wait..."),
        ("• one\n• two", "* one\n* two"),
        ("āçĕńőřşťůž ñ", "acenorstuz ñ"),
        ("Ķĺōũđł œuvre þing", "Kloudl oeuvre thing"),
        ("w\u{302}y\u{302} e\u{301}", "ŵŷ é"),
        ("e\u{200B}\u{301}", "é"),
        ("q\u{301} ấ", "q a"),
        ("ﬁre ＡＢＣ！", "fire ABC!"),
        ("fish & chips <b> ((name))", "fish & chips <b> ((name))"),
        (WELSH_LETTERS, WELSH_LETTERS),
    ];
    for (raw, want) in cases {
        assert_eq!(gsm_welsh(raw), want, "{raw:?}");
    }
}

#[test]
fn what_no_downgrade_carries_is_refused_with_its_name_and_place() {
    let cases = [
        ("Look out! 😀", '😀', 11),
        ("\r\n\r\n😀", '😀', 5),
        ("10²", '²', 3),
        ("½ mile", '½', 1),
        ("20°C", '°', 3),
        ("наводнение", 'н', 1),
        ("αβγ", 'α', 1),
        ("ά", 'ά', 1),
        ("a\0b", '\0', 2),
        ("a\u{7}", '\u{7}', 2),
        ("a\u{1B}b", '\u{1B}', 2),
        ("a\u{202E}b", '\u{202E}', 2),
        ("a\u{E000}", '\u{E000}', 2),
        ("a\u{FFFD}", '\u{FFFD}', 2),
        ("洪水", '洪', 1),
    ];
    for (raw, ch, position) in cases {
        let refusal = AlertText::normalise(raw, GsmWelsh);
        assert_eq!(
            refusal,
            Err(TextRefusal::Character { ch, position }),
            "{raw:?}"
        );
    }
}

#[test]
fn with_any_script_all_that_can_be_printed_is_carried() {
    let cases = [
        ("αβγ наводнение", "αβγ наводнение"),
        ("洪水　です。", "洪水 です。"),
        ("Look out! 😀", "Look out! 😀"),
        ("20°C ½ ā", "20°C ½ ā"),
        ("“two” – 3", "\"two\" - 3"),
        ("می\u{200C}شود", "می\u{200C}شود"),
        ("word\u{200C} \u{200D}word\u{200D}", "word word"),
        ("مرحبا!\u{200F}", "مرحبا!\u{200F}"),
        ("\u{1112}\u{1161}\u{11AB}", "한"),
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
fn with_any_script_what_can_t_be_printed_is_still_refused() {
    for ch in [
        '\0',
        '\u{7}',
        '\u{1B}',
        '\u{7F}',
        '\u{202A}',
        '\u{202E}',
        '\u{2066}',
        '\u{2069}',
        '\u{E000}',
        '\u{378}',
        '\u{FFFE}',
        '\u{FFFD}',
        '\u{FFFC}',
        '\u{E0041}',
        '\u{10FFFF}',
    ] {
        let refusal = AlertText::normalise(&format!("ab{ch}c"), Any);
        assert_eq!(
            refusal,
            Err(TextRefusal::Character { ch, position: 3 }),
            "{ch:?}"
        );
    }
}

#[test]
fn a_text_of_which_nothing_is_left_is_empty() {
    for raw in ["", " ", "\r\n\t\n", "\u{A0}\u{200B}\u{FEFF}", "\u{AD}"] {
        assert_eq!(
            AlertText::normalise(raw, GsmWelsh),
            Err(TextRefusal::Empty),
            "{raw:?}"
        );
    }
    for raw in ["", "\u{200D}", " \u{200C}\n", "\u{200F}"] {
        assert_eq!(
            AlertText::normalise(raw, Any),
            Err(TextRefusal::Empty),
            "{raw:?}"
        );
    }
    assert_eq!(
        AlertText::normalise("\u{301}", GsmWelsh),
        Err(TextRefusal::Empty)
    );
}

#[test]
fn length_is_counted_as_it_is_sent() {
    use Encoding::{Gsm7, Ucs2};
    // What is written, how often, its encoding, units, pages, and whether it fits.
    let cases = [
        ("a", 1, Gsm7, 1, 1, true),
        ("a", 93, Gsm7, 93, 1, true),
        ("a", 94, Gsm7, 94, 2, true),
        ("a", 1395, Gsm7, 1395, 15, true),
        ("a", 1396, Gsm7, 1396, 16, false),
        // The last line end is dropped: 697 letters and 696 line ends.
        ("a\r\n", 697, Gsm7, 1393, 15, true),
        ("a\r\n", 699, Gsm7, 1397, 16, false),
        // An extension character is never split: 46 on each page.
        ("€", 46, Gsm7, 92, 1, true),
        ("€", 47, Gsm7, 94, 2, true),
        ("€", 697, Gsm7, 1394, 16, true),
        ("€", 698, Gsm7, 1396, 16, false),
        ("ŵ", 41, Ucs2, 41, 1, true),
        ("ŵ", 615, Ucs2, 615, 15, true),
        ("ŵ", 616, Ucs2, 616, 16, false),
        ("^{}\\[~]|€", 1, Gsm7, 18, 1, true),
        // In UCS-2 nothing is an extension.
        ("€ŵ", 300, Ucs2, 600, 15, true),
    ];
    for (written, times, encoding, units, pages, fits) in cases {
        let text = AlertText::normalise(&written.repeat(times), GsmWelsh).unwrap();
        let counted = (text.encoding(), text.units(), text.pages(), text.fits());
        assert_eq!(
            counted,
            (encoding, units, pages, fits),
            "{written:?} x{times}"
        );
        assert_eq!(
            AlertText::accept(&written.repeat(times), GsmWelsh).is_ok(),
            fits
        );
    }
}

#[test]
fn a_surrogate_pair_counts_two_and_is_never_split() {
    let cases = [(20, 40, 1), (21, 42, 2), (41, 82, 3)];
    for (times, units, pages) in cases {
        let text = AlertText::normalise(&"😀".repeat(times), Any).unwrap();
        assert_eq!((text.units(), text.pages()), (units, pages), "x{times}");
    }
}

#[test]
fn one_letter_of_welsh_makes_a_text_welsh() {
    for ch in WELSH_LETTERS.chars() {
        let text = AlertText::normalise(&format!("Llifogydd {ch}"), GsmWelsh).unwrap();
        assert_eq!(text.language(), Language::Welsh, "{ch}");
        assert_eq!(text.encoding(), Encoding::Ucs2, "{ch}");
    }
    for raw in ["Flooding", "é", "ñ", "à è ì ò ù", "ä ö ü", "’", "ā"] {
        let text = AlertText::normalise(raw, GsmWelsh).unwrap();
        assert_eq!(text.language(), Language::English, "{raw}");
        assert_eq!(text.encoding(), Encoding::Gsm7, "{raw}");
    }
    for raw in ["😀", "Ω α", "洪水"] {
        let text = AlertText::normalise(raw, Any).unwrap();
        assert_eq!(text.language(), Language::English, "{raw}");
    }
}

#[test]
fn refusals_are_told_in_the_words_that_clients_know() {
    let refusal = |raw: &str| AlertText::accept(raw, GsmWelsh).unwrap_err();
    let cases = [
        (
            refusal(&"a".repeat(1396)),
            "Content must be 1,395 characters or fewer",
        ),
        (
            refusal(&"ŵ".repeat(616)),
            "Content must be 615 characters or fewer (because it could not be GSM7 encoded)",
        ),
        (
            refusal("Flooding by 😀"),
            "Content: the character 😀 (U+1F600) at position 13 can't be shown by every phone: \
             remove it",
        ),
        (
            refusal("a\u{202E}"),
            "Content: the invisible character U+202E at position 2 can't be sent: remove it",
        ),
        (
            refusal(" "),
            "Content is empty: write what people should do",
        ),
    ];
    for (refusal, want) in cases {
        assert_eq!(refusal.message("Content"), want);
    }
    assert_eq!(
        refusal(&"a".repeat(1396)).message("description"),
        "description must be 1,395 characters or fewer"
    );
}

#[test]
fn more_than_can_be_looked_at_is_too_long_unread() {
    let too_long = TextRefusal::TooLong {
        encoding: Encoding::Gsm7,
    };
    assert_eq!(
        AlertText::normalise(&" ".repeat(100_001), GsmWelsh),
        Err(too_long)
    );
    assert_eq!(
        AlertText::normalise(&" ".repeat(100_000), GsmWelsh),
        Err(TextRefusal::Empty)
    );
}
