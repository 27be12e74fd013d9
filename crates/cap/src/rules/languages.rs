//! Which languages a message speaks (C7): one sequence of `info` blocks for each.
//!
//! Two go to phones (the first info's, and the next one that differs); where a message has more,
//! or two tags for one language, its sender must say which two.

use std::collections::HashMap;

use super::judge::Judge;
use crate::alert::{Alert, Info};
use crate::finding::shown;

/// Checks the languages of all infos.
pub(super) fn check(alert: &Alert, judge: &mut Judge) {
    let tags: Vec<String> = alert
        .infos
        .iter()
        .map(|info| info.language_or_default().to_ascii_lowercase())
        .collect();
    let mut known: Vec<&str> = Vec::new();
    for (n, tag) in tags.iter().enumerate() {
        let path = || format!("alert/info[{}]/language", n + 1);
        check_tag(&alert.infos[n], &path(), judge);
        if !known.contains(&tag.as_str()) {
            if let Some(alike) = known.iter().find(|other| primary(other) == primary(tag)) {
                let message = format!(
                    "{} and {} are one language: write the same tag for both, and one text for \
                     each language (an info without language is in en-US)",
                    shown(alike),
                    shown(tag)
                );
                judge.find("languages-alike", path(), message);
            }
            known.push(tag);
        } else if tags[n - 1] != *tag {
            let message = "infos of one language should stand together: they are read as one \
                           sequence";
            judge.find("languages-mixed", path(), message);
        }
    }
    if known.len() > 2 {
        let names: Vec<String> = known.iter().map(|tag| shown(tag)).collect();
        let message = format!(
            "{} languages ({}; an info without language is in en-US): two can be sent at most; \
             send a message of its own for each further one",
            known.len(),
            names.join(", ")
        );
        judge.find("more-than-two-languages", "alert/info/language", message);
    }
    check_texts_differ(&alert.infos, &tags, judge);
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

fn check_tag(info: &Info, path: &str, judge: &mut Judge) {
    match info.language.as_deref() {
        None | Some("") => {
            let message = "name the language: without one it counts as en-US";
            judge.find("missing-language", path, message);
        }
        Some(tag) if !is_rfc_3066(tag) => {
            let message = format!(
                "“{}” is no language of RFC 3066; it begins with a code of two or three letters, \
                 then perhaps a country: en-GB, cy",
                shown(tag)
            );
            judge.find("language-not-rfc3066", path, message);
        }
        Some(_) => {}
    }
}

/// RFC 3066 §2.2: a code of ISO 639 with two or three letters, or `i` or `x` for registered and
/// private ones; then a country of two letters, or a registered part of three to eight characters.
/// Whether ISO 639 has the code is not looked up.
fn is_rfc_3066(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    match first.len() {
        1 => matches!(first, "i" | "I" | "x" | "X") && second.is_some(),
        2 | 3 => second.is_none_or(|part| {
            let is_country = part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
            is_country || part.len() >= 3
        }),
        _ => false,
    }
}

/// A text that stands in two languages is in one of them by mistake.
fn check_texts_differ(infos: &[Info], tags: &[String], judge: &mut Judge) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (n, info) in infos.iter().enumerate() {
        let text = info.description.as_deref().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let first = *seen.entry(text).or_insert(&tags[n]);
        if first != tags[n] {
            let message = format!(
                "the text is the same as the one in {}: one of the two isn't translated, or has \
                 the wrong language",
                shown(first)
            );
            let path = format!("alert/info[{}]/description", n + 1);
            judge.find("same-text-different-language", path, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_rfc_3066() {
        for tag in [
            "en",
            "cy",
            "en-GB",
            "gsw",
            "i-klingon",
            "x-ours",
            "zh-min-nan",
            "sl-rozaj",
        ] {
            assert!(is_rfc_3066(tag), "{tag}");
        }
        for tag in [
            "e", "i", "x", "welsh", "abcdefgh", "e-GB", "en-1", "en-4a", "en-a-bcd",
        ] {
            assert!(!is_rfc_3066(tag), "{tag}");
        }
    }
}
