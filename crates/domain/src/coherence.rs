//! Whether what a text says fits the way it is sent: a drill must not be taken for real, and a
//! warning must not be taken for a drill.
//!
//! In February 2018 a tsunami test went to phones as a warning because relays read its coding and
//! nobody read its word TEST. So: the text says that it is a test exactly when it isn't sent as
//! real. Both ways round the answer is a warning to the person who decides, never a refusal: a
//! real warning may speak of a test of the water.
//!
//! Whole words of English and Welsh, in upper or lower case; a negated one ("this is not a test")
//! says nothing. Deliberately not done: other languages, and words that only suggest a drill.

use serde::Serialize;

/// Words that say that a message is no real warning. Welsh ones with their mutations.
const TEST_WORDS: [&str; 17] = [
    "test",
    "tests",
    "testing",
    "exercise",
    "exercises",
    "drill",
    "rehearsal",
    "prawf",
    "brawf",
    "phrawf",
    "mhrawf",
    "profion",
    "brofion",
    "phrofion",
    "ymarfer",
    "ymarferiad",
    "ymarferion",
];

/// Words that turn a test word round when they stand before it, with nothing but [`ARTICLES`]
/// between: "not a test", "is no drill", "nid prawf".
const NEGATIONS: [&str; 6] = ["not", "no", "isn't", "nid", "nad", "ddim"];

/// What may stand between a negation and its test word.
const ARTICLES: [&str; 5] = ["a", "an", "the", "yn", "yw"];

/// What people are told to exercise in a real warning: "exercise great caution".
const EXERCISED: [&str; 8] = [
    "caution",
    "care",
    "vigilance",
    "judgement",
    "judgment",
    "restraint",
    "patience",
    "control",
];

/// Words after `exercise` in which one of [`EXERCISED`] makes it a verb.
const WORDS_TO_OBJECT: usize = 3;

/// How a text and the way it is sent disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "word")]
pub enum Incoherence {
    /// It goes out as real, and says that it is a test: the word as it is written.
    TestWordInReal(String),
    /// It goes out as a test or an exercise, and no word of it says so.
    NoTestWordInTest,
}

impl std::fmt::Display for Incoherence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TestWordInReal(word) => write!(
                f,
                "the text says “{word}”, but it is sent as a real warning: make sure that it is \
                 one, and that nobody takes it for a test"
            ),
            Self::NoTestWordInTest => f.write_str(
                "it is sent as a test, but its text doesn't say so: begin it with TEST, or people \
                 take it for real",
            ),
        }
    }
}

/// Judges one text. `is_real`: it goes out as a warning to be acted on (CAP status Actual on a
/// channel for the public), not as a test or an exercise.
pub fn judge(text: &str, is_real: bool) -> Option<Incoherence> {
    match (is_real, find_test_word(text)) {
        (true, Some(word)) => Some(Incoherence::TestWordInReal(word.to_owned())),
        (false, None) => Some(Incoherence::NoTestWordInTest),
        _ => None,
    }
}

/// The first word that says that the text is a test, as it is written there.
pub fn find_test_word(text: &str) -> Option<&str> {
    let mut is_negated = false;
    let mut words = words(text);
    while let Some(word) = words.next() {
        if is_one_of(word, &TEST_WORDS) {
            let is_verb = word.eq_ignore_ascii_case("exercise")
                && words
                    .clone()
                    .take(WORDS_TO_OBJECT)
                    .any(|next| is_one_of(next, &EXERCISED));
            if !is_negated && !is_verb {
                return Some(word);
            }
            is_negated = false;
        } else if is_one_of(word, &NEGATIONS) {
            is_negated = true;
        } else if !is_one_of(word, &ARTICLES) {
            is_negated = false;
        }
    }
    None
}

/// Letters that stand together; an apostrophe inside belongs to its word.
fn words(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}')
        .map(|word| word.trim_matches(['\'', '\u{2019}']))
        .filter(|word| !word.is_empty())
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    // Every word of the lists is ASCII, the typographic apostrophe of a text is not.
    if word.contains('\u{2019}') {
        let plain = word.replace('\u{2019}', "'");
        return list.iter().any(|entry| plain.eq_ignore_ascii_case(entry));
    }
    list.iter().any(|entry| word.eq_ignore_ascii_case(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_says_test_is_found_by_whole_words_in_english_and_welsh() {
        let cases = [
            ("TEST. No action is needed.", Some("TEST")),
            ("This is a test.", Some("test")),
            ("Weekly siren-test at noon", Some("test")),
            ("(Exercise) River rising", Some("Exercise")),
            ("'Drill' at the harbour", Some("Drill")),
            ("Prawf yw hwn", Some("Prawf")),
            ("Dyma brawf o'r system", Some("brawf")),
            ("YMARFER: llifogydd", Some("YMARFER")),
            ("We protest; the contest and the latest attestation", None),
            ("Testament of the tester", None),
            ("Exercise extreme caution near the river", None),
            ("Pobl yn profi glaw trwm", None),
            ("This is not a test.", None),
            ("This is no drill", None),
            ("This isn\u{2019}t a test", None),
            ("Nid prawf yw hwn", None),
            ("This is not a test. This TEST", Some("TEST")),
            ("Do not go out for a test", Some("test")),
            ("", None),
        ];
        for (text, want) in cases {
            assert_eq!(find_test_word(text), want, "{text}");
        }
    }

    #[test]
    fn a_real_warning_must_not_say_test_and_a_test_must() {
        let word = Incoherence::TestWordInReal("TEST".to_owned());
        assert_eq!(judge("TEST only", true), Some(word));
        assert_eq!(judge("TEST only", false), None);
        assert_eq!(judge("Leave now", true), None);
        assert_eq!(
            judge("Leave now", false),
            Some(Incoherence::NoTestWordInTest)
        );
        assert_eq!(judge("This is not a test", true), None);
    }
}
