//! Names of hosts: which words are names, and which names mislead.

use balefire_domain::shown::is_tricky;
use unicode_script::{Script, UnicodeScript};
use unicode_security::MixedScript;
use unicode_security::confusable_detection::skeleton;

/// Ends of names, beside the two letters of a country, that make a word with a dot a link.
const ENDS: [&str; 24] = [
    "com", "org", "net", "gov", "info", "int", "edu", "mil", "biz", "app", "dev", "online", "site",
    "live", "news", "help", "link", "shop", "store", "support", "wales", "cymru", "scot", "london",
];
/// The same in other alphabets: country names that are in use.
const ENDS_ELSEWHERE: [&str; 14] = [
    "рф", "укр", "бел", "бг", "мкд", "срб", "қаз", "ελ", "ею", "한국", "中国", "中國", "香港",
    "台灣",
];
/// Longest name of a host, in octets (RFC 1035).
const HOST_OCTETS_MAX: usize = 253;

/// Why a text is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a host is a name such as gov.uk, without scheme, path or port")]
pub struct InvalidHost;

/// Reads the name of a host for a service's list: lower case, without a dot at its end.
pub fn parse_host(text: &str) -> Result<String, InvalidHost> {
    let host = normal(text.trim());
    let has_labels = host.split('.').count() >= 2 && host.split('.').all(is_label);
    if has_labels && host.len() <= HOST_OCTETS_MAX && !host.contains(is_tricky) {
        Ok(host)
    } else {
        Err(InvalidHost)
    }
}

/// Lower case, with plain dots between labels and none at the end.
pub(super) fn normal(host: &str) -> String {
    let lower = host.to_lowercase().replace(is_dot, ".");
    lower.strip_suffix('.').unwrap_or(&lower).to_owned()
}

/// A dot, or what names of hosts take for one (RFC 3490 §3.1).
pub(super) const fn is_dot(ch: char) -> bool {
    matches!(ch, '.' | '\u{3002}' | '\u{FF0E}' | '\u{FF61}')
}

fn is_label(label: &str) -> bool {
    let is_allowed = |ch: char| ch.is_alphanumeric() || ch == '-' || ch == '_' || !ch.is_ascii();
    !label.is_empty() && label.chars().all(is_allowed)
}

/// Whether a phone makes a link of this name though it has no scheme.
pub(super) fn is_bare_link(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let Some((end, before)) = labels.split_last() else {
        return false;
    };
    if before.is_empty() || !labels.iter().all(|label| is_label(label)) {
        return false;
    }
    let is_country = end.len() == 2 && end.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_country
        || end.starts_with("xn--")
        || ENDS.contains(end)
        || ENDS_ELSEWHERE.contains(end)
        || is_numeric(host)
}

/// Four numbers, as Internet addresses are written.
pub(super) fn is_numeric(host: &str) -> bool {
    host.split('.').count() == 4 && host.split('.').all(|label| label.parse::<u8>().is_ok())
}

/// Whether the letters of `word` are not of one script, or of scripts that are written together
/// (Chinese characters with kana, Hangul or bopomofo).
pub(super) fn mixes_alphabets(word: &str) -> bool {
    !word.is_single_script()
}

/// The letter of a host that misleads, with its place among the host's characters: in a label that
/// mixes alphabets, or that only looks like ASCII.
pub(super) fn misleading(host: &[char]) -> Option<(usize, char)> {
    let mut start = 0;
    for label in host.split(|&ch| is_dot(ch)) {
        let text: String = label.iter().collect();
        let looks_plain = || skeleton(&text.to_lowercase()).all(|ch| ch.is_ascii());
        if !text.is_ascii() && (mixes_alphabets(&text) || looks_plain()) {
            let strange = |ch: &char| {
                !ch.is_ascii() && !matches!(ch.script(), Script::Latin | Script::Common)
            };
            let index = label.iter().position(strange);
            let index = index.or_else(|| label.iter().position(|ch| !ch.is_ascii()))?;
            return Some((start + index, label[index]));
        }
        start += label.len() + 1;
    }
    None
}
