//! Our pages, read by somebody else: tshark's `gsm_cbs` dissector.
//!
//! All pages of all texts go into one capture, and one tshark reads it. Each page is one frame of
//! a link type that is free for users, which the command line gives to the dissector. tshark reads
//! a surrogate pair as two broken characters; such pages are compared as octets.

use std::fmt::Write as _;
use std::process::Command;

use balefire_cell_broadcast::pages::{Heading, Page, encode};
use balefire_cell_broadcast::{
    AlertText, DataCoding, LanguageCode, MessageIdentifier, Scope, Scripts, SerialNumber,
    WELSH_LETTERS, gsm7, septets,
};
use serde_json::Value;

/// The first of pcap's link types for users (DLT_USER0).
const LINK_TYPE: u32 = 147;
const DISSECTOR: &str = r#"uat:user_dlts:"User 0 (DLT=147)","gsm_cbs","0","","0","""#;

/// A page with the characters that stand on it, and the letters of its language.
struct Sample {
    page: Page,
    text: String,
    ahead: String,
}

/// Texts of both alphabets: short, at the ends of pages, with every character that can be sent.
fn texts() -> Vec<String> {
    let codes = (0..0x80).filter_map(gsm7::default_character);
    let shown = codes.filter(|ch| !matches!(ch, '\r' | '\n'));
    let all_of_gsm7: String = shown
        .chain("^{}\\[~]|€".chars())
        .flat_map(|ch| ['x', ch])
        .collect();
    let mut texts = vec![
        all_of_gsm7,
        WELSH_LETTERS.to_owned(),
        "a".to_owned(),
        "ŵ".to_owned(),
        "Look out! 😀\n\nNow".to_owned(),
        "Θύελλα\nБуря\n洪水\nفيضان".to_owned(),
        "@".repeat(93),
        "a".repeat(1395),
        "ŷ".repeat(615),
        "€".repeat(690),
        "😀".repeat(300),
    ];
    // Each offset of a pair to the end of a page, in both alphabets.
    for offset in 0..100 {
        texts.push(format!("{}€{}", "a".repeat(offset), "b[c".repeat(40)));
        texts.push(format!("ŵ{}😀{}", "é".repeat(offset), "x水\n".repeat(20)));
    }
    // A plain walk through lengths and letters, the same on every run.
    let letters: Vec<char> = "The river Tâf rises; leave [now]! £5 €9 ŵŷ ñ\n{x}~"
        .chars()
        .collect();
    let mut state = 12_345_u64;
    for round in 0..300 {
        let length = 1 + round * 2;
        let pick = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let limit = if round % 2 == 0 { letters.len() } else { 22 };
            letters[usize::try_from(state >> 40).expect("24 bits") % limit]
        };
        texts.push((0..length).map(pick).collect());
    }
    texts
}

fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (raw, number) in texts().iter().zip(0_u16..) {
        let Ok(text) = AlertText::accept(raw, Scripts::Any) else {
            continue;
        };
        let scope = [
            Scope::CellImmediate,
            Scope::Network,
            Scope::Area,
            Scope::Cell,
        ];
        let (code, update) = (
            number * 7 % 1024,
            u8::try_from(number % 16).expect("4 bits"),
        );
        let heading = Heading {
            identifier: MessageIdentifier::new(4370 + number % 31),
            serial: SerialNumber::new(scope[usize::from(number % 4)], code, update)
                .expect("it fits"),
            language: [None, Some("en"), Some("cy")][usize::from(number % 3)]
                .map(|code| LanguageCode::parse(code).expect("two letters")),
        };
        let Ok(pages) = encode(&text, &heading) else {
            continue;
        };
        samples.extend(split(&text, &heading, pages));
    }
    samples
}

/// The text of each page, by the rule itself and not by our decoder: a character that does not fit
/// begins the next page.
fn split(text: &AlertText, heading: &Heading, pages: Vec<Page>) -> Vec<Sample> {
    let has_language = pages[0].coding.has_language_ahead();
    let is_gsm7 = text.as_str().chars().all(|ch| gsm7::spelling(ch).is_some());
    let room = match (is_gsm7, has_language) {
        (true, false) => 93,
        (true, true) => 90,
        (false, false) => 41,
        (false, true) => 40,
    };
    let cost = |ch: char| match gsm7::spelling(ch) {
        Some(spelling) if is_gsm7 => spelling.septets(),
        _ => ch.len_utf16(),
    };
    let mut texts = vec![String::new()];
    let mut used = 0;
    for ch in text.as_str().chars() {
        if used + cost(ch) > room {
            texts.push(String::new());
            used = 0;
        }
        used += cost(ch);
        texts.last_mut().expect("one at least").push(ch);
    }
    assert_eq!(texts.len(), pages.len(), "{text}");
    let letters = heading.language.filter(|_| has_language);
    let ahead = letters.map_or_else(String::new, |letters| letters.to_string());
    let sample = |(page, text)| Sample {
        page,
        text,
        ahead: ahead.clone(),
    };
    pages.into_iter().zip(texts).map(sample).collect()
}

fn capture(samples: &[Sample]) -> Vec<u8> {
    let mut words = vec![0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_535, LINK_TYPE];
    let mut bytes = Vec::new();
    for (sample, second) in samples.iter().zip(0_u32..) {
        words.extend([second, 0, 88, 88]);
        bytes.extend(words.drain(..).flat_map(u32::to_le_bytes));
        bytes.extend(sample.page.to_octets());
    }
    bytes
}

fn dissect(capture: &[u8]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pages.pcap");
    std::fs::write(&file, capture).expect("a file");
    let run = Command::new("tshark")
        .args([
            "-o",
            DISSECTOR,
            "-n",
            "-T",
            "json",
            "-J",
            "gsm_cbs",
            "--no-duplicate-keys",
        ])
        .arg("-r")
        .arg(&file)
        .env("HOME", folder.path())
        .output()
        .expect("tshark is missing: `cargo xtask setup` installs it");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    serde_json::from_slice(&run.stdout).expect("tshark prints JSON")
}

/// The first field of this name, wherever in the tree it stands.
fn field<'a>(tree: &'a Value, name: &str) -> Option<&'a str> {
    match tree {
        Value::Object(fields) => {
            let own = fields.get(name).and_then(Value::as_str);
            own.or_else(|| fields.values().find_map(|below| field(below, name)))
        }
        Value::Array(trees) => trees.iter().find_map(|below| field(below, name)),
        _ => None,
    }
}

fn number(tree: &Value, name: &str) -> Option<u32> {
    let text = field(tree, name)?;
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn differences(sample: &Sample, frame: &Value) -> String {
    let page = &sample.page;
    let tree = &frame["_source"]["layers"];
    let mut differences = String::new();
    let mut compare = |name: &str, ours: u32| {
        let theirs = number(tree, name);
        if theirs != Some(ours) {
            let _ = writeln!(differences, "{name}: ours {ours}, theirs {theirs:?}");
        }
    };
    let serial = page.serial;
    compare("gsm_cbs.serial_number", u32::from(serial.to_bits()));
    compare("gsm_cbs.geographic_scope", serial.scope() as u32);
    compare("gsm_cbs.message_code", u32::from(serial.code()));
    compare("gsm_cbs.update_number", u32::from(serial.update()));
    compare(
        "gsm_cbs.message-identifier",
        u32::from(page.identifier.number()),
    );
    compare("gsm_cbs.current_page", u32::from(page.number));
    compare("gsm_cbs.total_pages", u32::from(page.total));
    compare(
        "gsm_map.cbs.coding_grp",
        u32::from(page.coding.octet() >> 4),
    );
    match page.coding.octet() >> 4 {
        0 => compare(
            "gsm_map.cbs.coding_grp0_lang",
            u32::from(page.coding.octet() & 15),
        ),
        1 => compare(
            "gsm_map.cbs.coding_grp1_lang",
            u32::from(page.coding.octet() & 15),
        ),
        _ => compare("gsm_map.cbs.coding_grp4_7_char_set", 2),
    }
    if is_compared_as_octets(sample) {
        compare_octets(sample, &mut differences);
        return differences;
    }
    let theirs = field(tree, "gsm_cbs.page_content").unwrap_or_default();
    let ahead = match page.coding {
        DataCoding::GSM7_WITH_LANGUAGE => format!("{}\r", sample.ahead),
        // tshark shows the two octets of the language as one character.
        DataCoding::UCS2_WITH_LANGUAGE => {
            let packed = septets::pack(sample.ahead.as_bytes());
            let unit = u16::from_be_bytes([packed[0], packed[1]]);
            String::from_utf16(&[unit]).expect("two letters are no surrogate")
        }
        _ => String::new(),
    };
    let ours = ahead + &sample.text;
    if theirs != ours {
        let _ = writeln!(differences, "text: ours {ours:?}, theirs {theirs:?}");
    }
    differences
}

/// tshark has no text for surrogates.
fn is_compared_as_octets(sample: &Sample) -> bool {
    sample.text.chars().any(|ch| ch.len_utf16() > 1)
}

/// Where tshark has no text: the page's content, unit by unit.
fn compare_octets(sample: &Sample, differences: &mut String) {
    let mut octets = septets::pack(sample.ahead.as_bytes())[..sample.ahead.len()].to_vec();
    octets.extend(sample.text.encode_utf16().flat_map(u16::to_be_bytes));
    let content = &sample.page.content;
    let (written, padding) = content.split_at(octets.len());
    if written != octets || padding.chunks(2).any(|unit| unit != [0, 0x0D]) {
        let _ = writeln!(differences, "octets: {content:02x?}, for {:?}", sample.text);
    }
}

#[test]
fn tshark_reads_from_our_pages_what_we_wrote_into_them() {
    let samples = samples();
    let frames = dissect(&capture(&samples));
    assert_eq!(frames.len(), samples.len());
    let mut read_as_text = 0;
    for (sample, frame) in samples.iter().zip(&frames) {
        let differences = differences(sample, frame);
        assert!(differences.is_empty(), "{differences}in {:?}", sample.page);
        read_as_text += usize::from(!is_compared_as_octets(sample));
    }
    assert!(
        read_as_text > 1_500,
        "{read_as_text} of {} pages as text",
        samples.len()
    );
    println!("{read_as_text} pages of {} compared as text", samples.len());
}

#[test]
fn tshark_reads_another_text_from_a_page_that_is_wrong() {
    let mut samples = samples();
    samples.truncate(50);
    for sample in &mut samples {
        sample.page.content[10] ^= 0x04;
    }
    let frames = dissect(&capture(&samples));
    let caught = samples.iter().zip(&frames);
    let caught = caught
        .filter(|(sample, frame)| !differences(sample, frame).is_empty())
        .count();
    assert_eq!(caught, samples.len());
}
