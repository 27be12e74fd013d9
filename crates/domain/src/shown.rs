//! What somebody else wrote, as a terminal, a page or a log line may show it.

/// Whether a character shows another text than is there: controls, marks and overrides of
/// direction, and what is not seen at all.
pub fn is_tricky(c: char) -> bool {
    c.is_control()
        || is_reordering(c)
        || matches!(
            c,
            '\u{AD}' | '\u{61C}' | '\u{FEFF}' | '\u{200B}'..='\u{200F}'
        )
        || matches!(c, '\u{2060}'..='\u{2065}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether a character breaks the line, or turns what stands around it: line and paragraph
/// separators, overrides, embeddings and isolates of direction. No name needs one.
pub fn is_reordering(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The first characters of a text, with each tricky one by its number (`U+202E`), and `…` where it
/// goes on.
pub fn shown(text: &str, chars_max: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == chars_max {
            out.push('…');
            break;
        }
        if is_tricky(c) {
            out.push_str(&named(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A character by its number: `U+200B`.
pub fn named(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plays_tricks_is_named_and_what_people_write_is_kept() {
        for (text, want) in [
            ("Ynys Môn", "Ynys Môn"),
            ("東京 Łódź", "東京 Łódź"),
            ("\u{1b}[2J", "U+001B[2J"),
            ("a\nb\u{85}", "aU+000AbU+0085"),
            ("\u{202e}gnp", "U+202Egnp"),
            (
                "a\u{2066}b\u{200b}\u{feff}\u{ad}",
                "aU+2066bU+200BU+FEFFU+00AD",
            ),
            ("123456789", "12345678…"),
        ] {
            assert_eq!(shown(text, 8), want, "{text:?}");
        }
        assert!(is_reordering('\u{202E}') && !is_reordering('\u{200C}'));
    }
}
