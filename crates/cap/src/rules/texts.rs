//! Texts for people (C15): plain text, composed characters, no control characters. And whether
//! they fit the status (C5): a text that says TEST under Actual, and the reverse.
//!
//! CAP has no limit to ASCII and none to length; what phones can show is judged by the
//! `cell-broadcast` crate.

use balefire_domain::coherence;
use unicode_normalization::{IsNormalized, is_nfc, is_nfc_quick};

use super::is_blank;
use super::judge::Judge;
use crate::alert::{Alert, Info, Status};
use crate::finding::{named, shown};

/// Characters of a headline that the standard recommends at most (CAP 1.2 §3.2.2).
const HEADLINE_CHARS_ADVISED: usize = 160;

/// Characters of an entity's name at most; an ampersand far before a semicolon is none.
const ENTITY_CHARS_MAX: usize = 32;

/// Checks the texts of a message that people read.
pub(super) fn check(alert: &Alert, judge: &mut Judge) {
    check_text(alert.note.as_deref(), "alert/note", judge);
    for (n, info) in alert.infos.iter().enumerate() {
        let path = format!("alert/info[{}]", n + 1);
        for (name, text) in texts_of(info) {
            check_text(text, &format!("{path}/{name}"), judge);
        }
        for (n, resource) in info.resources.iter().enumerate() {
            let path = format!("{path}/resource[{}]/resourceDesc", n + 1);
            check_text(Some(&resource.description), &path, judge);
        }
        for (n, area) in info.areas.iter().enumerate() {
            let path = format!("{path}/area[{}]/areaDesc", n + 1);
            check_text(Some(&area.description), &path, judge);
        }
        check_headline(info, &path, judge);
    }
    check_coherence(alert, judge);
}

/// The texts of an info that its readers see.
fn texts_of(info: &Info) -> [(&'static str, Option<&str>); 7] {
    [
        ("event", Some(&info.event)),
        ("audience", info.audience.as_deref()),
        ("senderName", info.sender_name.as_deref()),
        ("headline", info.headline.as_deref()),
        ("description", info.description.as_deref()),
        ("instruction", info.instruction.as_deref()),
        ("contact", info.contact.as_deref()),
    ]
}

fn check_headline(info: &Info, path: &str, judge: &mut Judge) {
    let length = info
        .headline
        .as_deref()
        .map_or(0, |text| text.chars().count());
    if length > HEADLINE_CHARS_ADVISED {
        let message = format!(
            "the headline has {length} characters; CAP 1.2 advises up to {HEADLINE_CHARS_ADVISED}"
        );
        judge.find("long-headline", format!("{path}/headline"), message);
    }
}

fn check_text(text: Option<&str>, path: &str, judge: &mut Judge) {
    let Some(text) = text else { return };
    if let Some(tag) = find_markup(text) {
        let message = format!(
            "the text has markup (“{}”): it is shown as it stands; write plain text",
            shown(tag)
        );
        judge.find("markup-in-text", path, message);
    }
    if let Some(entity) = find_entity(text) {
        let message = format!(
            "“{}” is shown as it stands: it was escaped twice, or is an entity of HTML; write the \
             character itself",
            shown(entity)
        );
        judge.find("entity-in-text", path, message);
    }
    let is_control = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if let Some(c) = text.chars().find(is_control) {
        let message = format!("the text has the control character {}; remove it", named(c));
        judge.find("control-character", path, message);
    }
    let is_composed = text.is_ascii()
        || match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => true,
            IsNormalized::No => false,
            IsNormalized::Maybe => is_nfc(text),
        };
    if !is_composed {
        let message = "letters and their accents stand apart (the text is not in Unicode form \
                       NFC); write composed letters";
        judge.find("text-not-nfc", path, message);
    }
}

/// The first thing that looks like a tag of HTML: `<b>`, `</p>`, `<br/>`, `<!-- -->`.
fn find_markup(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let after = &rest[at + 1..];
        let begins = after
            .trim_start_matches('/')
            .starts_with(|c: char| c.is_ascii_alphabetic())
            || after.starts_with('!');
        // A tag ends before the next one begins.
        let end = after.find(['<', '>']);
        match end {
            Some(end) if begins && after[end..].starts_with('>') => {
                return Some(&rest[at..at + end + 2]);
            }
            Some(end) => rest = &after[end..],
            None => return None,
        }
    }
    None
}

/// The first entity or character reference that is left in a text which has been read.
fn find_entity(text: &str) -> Option<&str> {
    text.match_indices('&').find_map(|(at, _)| {
        let after = &text[at + 1..];
        let end = after
            .bytes()
            .take(ENTITY_CHARS_MAX)
            .position(|b| b == b';')?;
        let name = &after.as_bytes()[..end];
        let is_entity = match name {
            [b'#', b'x' | b'X', digits @ ..] => is_some_and_all(digits, u8::is_ascii_hexdigit),
            [b'#', digits @ ..] => is_some_and_all(digits, u8::is_ascii_digit),
            [first, ..] => {
                first.is_ascii_alphabetic() && name.iter().all(u8::is_ascii_alphanumeric)
            }
            [] => false,
        };
        is_entity.then(|| &text[at..at + end + 2])
    })
}

fn is_some_and_all(digits: &[u8], is_digit: fn(&u8) -> bool) -> bool {
    !digits.is_empty() && digits.iter().all(is_digit)
}

/// C5: people must be able to see from the text alone whether it is meant.
fn check_coherence(alert: &Alert, judge: &mut Judge) {
    let is_real = match alert.status {
        Status::Actual => true,
        Status::Test | Status::Exercise => false,
        // Between machines, or not sent at all.
        Status::System | Status::Draft => return,
    };
    for (n, info) in alert.infos.iter().enumerate() {
        let path = format!("alert/info[{}]", n + 1);
        let read: Vec<_> = texts_of(info)
            .into_iter()
            .filter(|(name, _)| {
                matches!(*name, "event" | "headline" | "description" | "instruction")
            })
            .filter_map(|(name, text)| text.filter(|text| !is_blank(text)).map(|text| (name, text)))
            .collect();
        if is_real {
            let found = read
                .iter()
                .find_map(|(name, text)| coherence::judge(text, true).map(|word| (name, word)));
            if let Some((name, incoherence)) = found {
                let path = format!("{path}/{name}");
                judge.find("test-word-in-actual", path, incoherence.to_string());
            }
        } else if speaks_a_known_language(info)
            && read
                .iter()
                .all(|(_, text)| coherence::find_test_word(text).is_none())
        {
            let message = coherence::Incoherence::NoTestWordInTest.to_string();
            judge.find("no-test-word-in-test", path, message);
        }
    }
}

/// The words that say TEST are known in English and Welsh.
fn speaks_a_known_language(info: &Info) -> bool {
    let tag = info.language_or_default();
    tag.get(..2)
        .is_some_and(|two| two.eq_ignore_ascii_case("en") || two.eq_ignore_ascii_case("cy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_less_than_signs() {
        let cases = [
            ("Leave <b>now</b>", Some("<b>")),
            ("a<br/>b", Some("<br/>")),
            ("x </p> y", Some("</p>")),
            ("<!-- hidden -->", Some("<!-- hidden -->")),
            ("level <3 m and >1 m", None),
            ("depth < 3 > 2", None),
            ("a <b and c", None),
            ("a <b <i>c", Some("<i>")),
            ("plain", None),
        ];
        for (text, want) in cases {
            assert_eq!(find_markup(text), want, "{text}");
        }
    }

    #[test]
    fn entities_are_told_from_ampersands() {
        let cases = [
            ("Fish &amp; chips", Some("&amp;")),
            ("a&nbsp;b", Some("&nbsp;")),
            ("a&#160;b", Some("&#160;")),
            ("a&#xA0;b", Some("&#xA0;")),
            ("Fish & chips; today", None),
            ("R&D; more", Some("&D;")),
            ("&;", None),
            ("&#;", None),
            ("&#x;", None),
            ("&é;", None),
            ("&", None),
        ];
        for (text, want) in cases {
            assert_eq!(find_entity(text), want, "{text}");
        }
    }
}
