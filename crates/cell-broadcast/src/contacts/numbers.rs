//! Telephone numbers in a text.

use std::ops::Range;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// So many digits in one number are a telephone number, whatever stands around them.
const DIGITS_MIN: usize = 6;
/// With a `+` ahead so many are.
const DIGITS_AFTER_PLUS_MIN: usize = 5;
/// Fewer than [`DIGITS_MIN`] but so many are one after a word that asks to call.
const SHORT_DIGITS: std::ops::RangeInclusive<usize> = 3..=5;
/// Characters that may stand between two groups of digits: `) ` and the like.
const SEPARATORS_MAX: usize = 2;
/// Words before a short number that are looked at.
const WORDS_BEFORE: usize = 3;
/// Digits that a service may list: the longest number has 15 (ITU-T E.164), with `00` ahead 17.
const LISTED_DIGITS: std::ops::RangeInclusive<usize> = 3..=17;
/// Numbers of emergency and public services: always listed.
const SHORT_NUMBERS: [&str; 13] = [
    "000", "101", "105", "110", "111", "112", "113", "115", "118", "119", "911", "988", "999",
];
/// Words that ask to call, in the languages whose alerts we know of.
const CALL_WORDS: [&str; 32] = [
    "call",
    "dial",
    "phone",
    "ring",
    "tel",
    "telephone",
    "text",
    "sms",
    "number",
    "hotline",
    "helpline",
    "ffoniwch",
    "ffonio",
    "deialwch",
    "rhif",
    "tecstiwch",
    "bel",
    "telefoon",
    "nummer",
    "ruf",
    "rufen",
    "anrufen",
    "telefon",
    "appelez",
    "composez",
    "numero",
    "número",
    "llame",
    "marque",
    "ligue",
    "arayın",
    "arayin",
];

/// A telephone number: its place, counted from 0, and its digits.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub(super) place: Range<usize>,
    pub(super) value: String,
}

/// Why a text is no telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a telephone number has 3 to 17 digits, with spaces, -, . and ( ) between them")]
pub struct InvalidNumber;

/// Reads a telephone number for a service's list: its digits, with a `+` if one stands ahead. A
/// number with the country's code and one without are two entries.
pub fn parse_number(text: &str) -> Result<String, InvalidNumber> {
    let text: Vec<char> = text.trim().chars().collect();
    let candidate = candidate(&text, 0).filter(|candidate| candidate.place == (0..text.len()));
    let number = candidate.ok_or(InvalidNumber)?;
    let value = number.value(&text);
    let digits = value.trim_start_matches('+').len();
    if LISTED_DIGITS.contains(&digits) {
        Ok(value)
    } else {
        Err(InvalidNumber)
    }
}

/// All telephone numbers, by place.
pub(super) fn find(text: &[char]) -> Vec<Number> {
    let mut numbers = Vec::new();
    let mut start = 0;
    while start < text.len() {
        // Looked at first, or a word with many digits would be read from each of them.
        if start > 0 && text[start - 1].is_alphanumeric() {
            start += 1;
            continue;
        }
        match candidate(text, start) {
            Some(candidate) => {
                start = candidate.end_of_run;
                candidate.judge(text, &mut numbers);
            }
            None => start += 1,
        }
    }
    numbers
}

/// Digits in groups that may be a number.
struct Candidate {
    place: Range<usize>,
    groups: Vec<Range<usize>>,
    end_of_run: usize,
}

/// The value of a decimal digit of any script. All of them stand in tens, from zero up.
fn digit(ch: char) -> Option<u32> {
    if ch.is_ascii() {
        return ch.to_digit(10);
    }
    let is_digit = |ch: char| ch.general_category() == GeneralCategory::DecimalNumber;
    if !is_digit(ch) {
        return None;
    }
    let mut steps = 0;
    let mut scalar = u32::from(ch);
    while let Some(before) = scalar.checked_sub(1).and_then(char::from_u32) {
        if !is_digit(before) {
            break;
        }
        scalar -= 1;
        steps += 1;
    }
    Some(steps % 10)
}

/// Reads what begins at `start`, if a number may begin there.
fn candidate(text: &[char], start: usize) -> Option<Candidate> {
    let mut at = start;
    while at < text.len() && at < start + SEPARATORS_MAX && matches!(text[at], '+' | '(') {
        at += 1;
    }
    let mut groups = Vec::new();
    let mut end_of_run = at;
    loop {
        let length = text[at..]
            .iter()
            .take_while(|ch| digit(**ch).is_some())
            .count();
        if length == 0 {
            break;
        }
        end_of_run = at + length;
        // `500m`, `1st`: such digits are part of a word.
        if text.get(end_of_run).is_some_and(|ch| ch.is_alphabetic()) {
            break;
        }
        groups.push(at..end_of_run);
        at = end_of_run + separators(&text[end_of_run..]);
    }
    let end = groups.last()?.end;
    Some(Candidate {
        place: start..end,
        groups,
        end_of_run,
    })
}

/// How many characters stand between this group and the next; 0 when the number ends here.
fn separators(rest: &[char]) -> usize {
    let is_separator = |ch: &&char| matches!(ch, ' ' | '-' | '.' | '(' | ')');
    let count = rest.iter().take_while(is_separator).count();
    let ends_sentence = rest.first() == Some(&'.') && count > 1;
    if count > SEPARATORS_MAX || ends_sentence {
        0
    } else {
        count
    }
}

impl Candidate {
    fn digits(text: &[char], group: &Range<usize>) -> String {
        let digits = text[group.clone()].iter().filter_map(|&ch| digit(ch));
        digits
            .filter_map(|digit| char::from_digit(digit, 10))
            .collect()
    }

    /// The digits, a `+` ahead kept. `+44 (0)20` has a 0 that is dialled at home only.
    fn value(&self, text: &[char]) -> String {
        let before = self.place.start..self.groups[0].start;
        let has_plus = text[before].contains(&'+');
        let mut value = String::from(if has_plus { "+" } else { "" });
        for (index, group) in self.groups.iter().enumerate() {
            let digits = Self::digits(text, group);
            let is_home = has_plus && index > 0 && digits == "0";
            if !is_home || text[group.start - 1] != '(' {
                value.push_str(&digits);
            }
        }
        value
    }

    fn judge(self, text: &[char], numbers: &mut Vec<Number>) {
        let value = self.value(text);
        let has_plus = value.starts_with('+');
        let digits = value.trim_start_matches('+').len();
        if is_date(text, &self.groups) {
            return;
        }
        if digits >= DIGITS_MIN || (has_plus && digits >= DIGITS_AFTER_PLUS_MIN) {
            let place = self.place;
            numbers.push(Number { place, value });
            return;
        }
        for group in &self.groups {
            let value = Self::digits(text, group);
            if is_part_of_amount(text, group) {
                continue;
            }
            let is_called = || SHORT_DIGITS.contains(&value.len()) && follows_call(text, group);
            if SHORT_NUMBERS.contains(&value.as_str()) || is_called() {
                let place = group.clone();
                numbers.push(Number { place, value });
            }
        }
    }
}

/// `112,000`: three digits on either side of a comma.
fn is_part_of_amount(text: &[char], group: &Range<usize>) -> bool {
    let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    let is_comma = |at: usize| text.get(at) == Some(&',');
    let begins = is_comma(group.end) && is_digit(group.end + 1);
    let goes_on = group.start >= 2 && is_comma(group.start - 1) && is_digit(group.start - 2);
    begins || goes_on
}

/// `2026-11-23` or `23.11.2026`.
fn is_date(text: &[char], groups: &[Range<usize>]) -> bool {
    let lengths: Vec<usize> = groups.iter().map(ExactSizeIterator::len).collect();
    let is_between = |group: &Range<usize>| matches!(text[group.end], '-' | '.');
    let joined = groups.len() == 3 && groups[..2].iter().all(is_between);
    joined && matches!(lengths[..], [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4 | 2])
}

/// Whether one of the words just before asks to call.
fn follows_call(text: &[char], group: &Range<usize>) -> bool {
    let before: String = text[..group.start].iter().rev().take(60).collect();
    let words = before
        .split(|ch: char| !ch.is_alphabetic())
        .filter(|word| !word.is_empty());
    words.take(WORDS_BEFORE).any(|reversed| {
        let word: String = reversed
            .chars()
            .rev()
            .flat_map(char::to_lowercase)
            .collect();
        CALL_WORDS.contains(&word.as_str())
    })
}
