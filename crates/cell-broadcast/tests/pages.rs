//! What holds for the pages of every text, and the tables of their ends.

use balefire_cell_broadcast::pages::{
    self, Heading, Message, PAGE_OCTETS, Page, TooManyPages, Unreadable, decode, encode,
};
use balefire_cell_broadcast::{
    AlertText, DataCoding, Encoding, LanguageCode, MessageIdentifier, Scope, Scripts, SerialNumber,
    gsm7, septets,
};
use proptest::prelude::*;

fn heading(language: Option<&str>) -> Heading {
    Heading {
        identifier: MessageIdentifier::new(4378),
        serial: SerialNumber::new(Scope::Network, 0x2AA, 5).expect("it fits"),
        language: language.map(|text| LanguageCode::parse(text).expect("two letters")),
    }
}

fn text(raw: &str) -> AlertText {
    AlertText::accept(raw, Scripts::Any).expect("it can be sent")
}

fn pages_of(raw: &str, language: Option<&str>) -> Vec<Page> {
    encode(&text(raw), &heading(language)).expect("15 pages at most")
}

#[test]
fn a_page_has_its_header_in_six_octets_and_padding_to_the_end() {
    let pages = pages_of("hellohello", None);
    let octets = pages[0].to_octets();
    assert_eq!(octets[..6], [0x6A, 0xA5, 0x11, 0x1A, 0x0F, 0x11]);
    assert_eq!(
        octets[6..14],
        [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC]
    );
    let septets = septets::unpack(&octets[6..], 93);
    assert!(
        septets[10..].iter().all(|&septet| septet == 0x0D),
        "padding is CR"
    );
    assert_eq!(octets[87] >> 3, 0, "5 bits are spare and zero");

    let octets = pages_of("ŵ", None)[0].to_octets();
    assert_eq!(octets[4..10], [0x48, 0x11, 0x01, 0x75, 0x00, 0x0D]);
    assert_eq!(octets[86..], [0x00, 0x0D]);
}

#[test]
fn no_pair_is_split_over_two_pages() {
    // What is written, then how often its pair; units of each page before its padding.
    let cases = [("€", 47, 92), ("😀", 21, 40), ("ŵ", 42, 41), ("a", 94, 93)];
    for (written, times, on_first) in cases {
        let pages = pages_of(&written.repeat(times), None);
        assert_eq!(pages.len(), 2, "{written}");
        let gsm7 = pages[0].coding == DataCoding::GSM7;
        let first = pages[0].content;
        let on_first_page = if gsm7 {
            let septets = septets::unpack(&first, 93);
            septets.iter().rposition(|&septet| septet != 0x0D).unwrap() + 1
        } else {
            let last = first.chunks(2).rposition(|unit| unit != [0, 0x0D]).unwrap();
            last + 1
        };
        assert_eq!(on_first_page, on_first, "{written}");
    }
}

#[test]
fn a_text_of_fifteen_pages_by_its_units_can_need_a_sixteenth() {
    let euros = text(&"€".repeat(697));
    assert_eq!(
        encode(&euros, &heading(None)),
        Err(TooManyPages { pages: 16 })
    );
    assert_eq!(pages_of(&"€".repeat(690), None).len(), 15);
    // 20 pairs and one unit of padding on each page.
    assert_eq!(pages_of(&"😀".repeat(300), None).len(), 15);
    let pairs = text(&"😀".repeat(301));
    assert_eq!(
        encode(&pairs, &heading(None)),
        Err(TooManyPages { pages: 16 })
    );
}

#[test]
fn the_letters_of_a_language_stand_ahead_of_every_page_and_take_their_room() {
    let pages = pages_of(&"a".repeat(91), Some("cy"));
    assert_eq!(pages.len(), 2, "90 characters are left");
    for page in &pages {
        assert_eq!(page.coding, DataCoding::GSM7_WITH_LANGUAGE);
        assert_eq!(septets::unpack(&page.content, 3), *b"cy\r");
    }
    let pages = pages_of(&"ŵ".repeat(41), Some("cy"));
    assert_eq!(pages.len(), 2, "40 units are left");
    for page in &pages {
        assert_eq!(page.coding, DataCoding::UCS2_WITH_LANGUAGE);
        assert_eq!(septets::unpack(&page.content[..2], 2), *b"cy");
        assert_eq!(
            page.content[1] >> 6,
            0,
            "padded to the octet with two zero bits"
        );
    }
    // English has a number of its own in GSM-7, and costs nothing.
    let pages = pages_of(&"a".repeat(93), Some("en"));
    assert_eq!((pages.len(), pages[0].coding), (1, DataCoding::ENGLISH));
}

#[test]
fn pages_that_make_no_message_are_refused() {
    let pages = pages_of(&"a".repeat(200), None);
    assert_eq!(pages.len(), 3);
    assert_eq!(decode(&[]), Err(Unreadable::Incomplete(1)));
    assert_eq!(decode(&pages[1..]), Err(Unreadable::Incomplete(1)));
    assert_eq!(decode(&pages[..2]), Err(Unreadable::Incomplete(3)));
    let twice = [&pages[..2], &pages[1..]].concat();
    assert_eq!(decode(&twice), Err(Unreadable::Incomplete(3)));
    let mut other = pages.clone();
    other[1].serial = other[1].serial.next_update();
    assert_eq!(decode(&other), Err(Unreadable::Incomplete(2)));
    let mut octets = pages[..1].to_vec();
    octets[0].total = 1;
    octets[0].coding = DataCoding::new(0x44);
    assert_eq!(decode(&octets), Err(Unreadable::Content(1)));
    octets[0].coding = DataCoding::new(0x90);
    assert!(matches!(decode(&octets), Err(Unreadable::Coding(_))));
    assert_eq!(Page::from_octets(&[0; 87]), Err(Unreadable::Length(87)));
    let mut half = pages_of("ŵ", None);
    half[0].content[..2].copy_from_slice(&[0xD8, 0x3D]);
    assert_eq!(
        decode(&half),
        Err(Unreadable::Content(1)),
        "half a pair is no text"
    );
}

#[test]
fn a_page_parameter_of_zero_is_one_page_of_one() {
    let mut octets = pages_of("a", None)[0].to_octets();
    for parameter in [0x00, 0x10, 0x01] {
        octets[5] = parameter;
        let page = Page::from_octets(&octets).unwrap();
        assert_eq!((page.number, page.total), (1, 1), "{parameter:02x}");
    }
}

/// Characters where alphabets meet, in any order.
fn texts() -> impl Strategy<Value = String> {
    let gsm7: Vec<char> = (0..0x80).filter_map(gsm7::default_character).collect();
    let any = prop_oneof![
        10 => prop::sample::select(gsm7),
        4 => prop::sample::select("^{}\\[~]|€".chars().collect::<Vec<_>>()),
        1 => prop::sample::select("ŵŷâêё水😀𝔘".chars().collect::<Vec<_>>()),
    ];
    let gsm7_only = prop::sample::select("abc defgh€[^.éÅ£\n".chars().collect::<Vec<_>>());
    let any = prop::collection::vec(any, 1..700);
    let gsm7_only = prop::collection::vec(gsm7_only, 1..1300);
    let chars = prop_oneof![any, gsm7_only];
    chars.prop_map(|chars| chars.into_iter().collect())
}

fn languages() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("en"), Some("cy"), Some("tr")])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn pages_read_back_in_any_order_are_the_text(
        raw in texts(),
        language in languages(),
        reversed in any::<bool>(),
    ) {
        let Ok(text) = AlertText::accept(&raw, Scripts::Any) else { return Ok(()) };
        let heading = heading(language);
        let Ok(pages) = encode(&text, &heading) else {
            prop_assert!(text.pages() > 15 || language.is_some());
            return Ok(());
        };
        if !pages[0].coding.has_language_ahead() {
            prop_assert_eq!(pages.len(), text.pages());
        }
        let octets = pages.iter().map(Page::to_octets);
        let mut read: Vec<Page> = octets.map(|page| Page::from_octets(&page).unwrap()).collect();
        prop_assert_eq!(&read, &pages);
        if reversed {
            read.reverse();
        }
        let message = Message { text: text.as_str().to_owned(), language: heading.language };
        prop_assert_eq!(decode(&read), Ok(message));
    }

    #[test]
    fn every_page_of_ucs2_is_whole_by_itself(raw in texts()) {
        let Ok(text) = AlertText::accept(&raw, Scripts::Any) else { return Ok(()) };
        let Ok(pages) = encode(&text, &heading(None)) else { return Ok(()) };
        for page in pages {
            let alone = Page { number: 1, total: 1, ..page };
            prop_assert!(decode(std::slice::from_ref(&alone)).is_ok());
        }
    }

    #[test]
    fn any_octets_are_read_without_a_panic(octets in prop::collection::vec(any::<u8>(), 86..91)) {
        match Page::from_octets(&octets) {
            Ok(page) => {
                prop_assert_eq!(octets.len(), PAGE_OCTETS);
                if octets[5] >> 4 != 0 && octets[5] & 0x0F != 0 {
                    prop_assert_eq!(page.to_octets().to_vec(), octets.clone());
                }
                let _ = decode(&[page]);
            }
            Err(refusal) => prop_assert_eq!(refusal, Unreadable::Length(octets.len())),
        }
    }

    /// The `gsm7` crate is another hand's table and packing.
    #[test]
    fn another_packer_makes_the_same_septets(raw in "[ -_a-~£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà€]{1,93}") {
        let mut septets = Vec::new();
        raw.chars().for_each(|ch| gsm7::write(ch, &mut septets));
        septets.truncate(93);
        let mut writer = ::gsm7::Gsm7Writer::new(Vec::new());
        writer.write_str(&raw).unwrap();
        let theirs = writer.into_writer().unwrap();
        // What stands after the last septet is that crate's own padding.
        prop_assert_eq!(septets::unpack(&theirs, septets.len()), septets, "{}", raw);
    }

    /// And it reads ours as we wrote it.
    #[test]
    fn another_reader_reads_the_same_text(raw in "[ -_a-~£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà€]{93}") {
        let mut septets = Vec::new();
        raw.chars().for_each(|ch| gsm7::write(ch, &mut septets));
        septets.truncate(93);
        if septets[92] == gsm7::ESCAPE_CODE {
            septets[92] = b'x';
        }
        let packed = septets::pack(&septets);
        let theirs: String = ::gsm7::Gsm7Reader::new(packed.as_slice())
            .take(93)
            .map(|ch| ch.expect("a character"))
            .collect();
        let ours = gsm7::read(&septets);
        prop_assert!(theirs.starts_with(&ours), "{} {}", theirs, ours);
    }
}

#[test]
fn every_spelling_agrees_with_another_table() {
    for ch in ('\0'..=char::MAX).filter(|&ch| u32::from(ch) < 0x1_0000) {
        let mut septets = Vec::new();
        gsm7::write(ch, &mut septets);
        let mut writer = ::gsm7::Gsm7Writer::new(Vec::new());
        let takes = writer.write_char(ch).is_ok();
        // That crate writes the escape itself as if it were a character.
        if ch != '\u{1B}' {
            assert_eq!(takes, !septets.is_empty(), "{ch:?}");
        }
        if takes && !septets.is_empty() {
            let theirs = writer.into_writer().unwrap();
            assert_eq!(septets::unpack(&theirs, septets.len()), septets, "{ch:?}");
        }
    }
}

#[test]
fn the_crate_root_names_what_a_page_holds() {
    assert_eq!(PAGE_OCTETS, 88);
    assert_eq!(
        pages::PAGES_MAX * Encoding::Gsm7.page_units(),
        Encoding::Gsm7.units_max()
    );
    assert_eq!(
        pages::PAGES_MAX * Encoding::Ucs2.page_units(),
        Encoding::Ucs2.units_max()
    );
}
