//! Places in a text that somebody forgot to fill: `((name))`, as templates of letters have them.

/// Where the first `((name))` of a text begins, in characters, the first one being 1. The name has
/// at least one character and no bracket.
pub fn placeholder_at(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find("((") {
        let start = from + found;
        let name = &text[start + 2..];
        let end = name.find(['(', ')']).unwrap_or(name.len());
        if end > 0 && name[end..].starts_with("))") {
            return Some(text[..start].chars().count() + 1);
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_fill_is_a_name_in_double_brackets() {
        for (text, want) in [
            ("", None),
            ("Go uphill (now).", None),
            ("((", None),
            ("(())", None),
            ("((name)", None),
            ("(name))", None),
            ("((a(b)c))", None),
            ("((name))", Some(1)),
            ("\u{175} ((name))", Some(3)),
            ("(((name)))", Some(2)),
            ("((a) ((b))", Some(6)),
            ("Flood at ((place, time)) now ((x))", Some(10)),
            ("((a??b))", Some(1)),
            ("((\u{1f30a}))", Some(1)),
        ] {
            assert_eq!(placeholder_at(text), want, "{text}");
        }
    }
}
