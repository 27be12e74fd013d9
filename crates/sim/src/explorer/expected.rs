//! The sizes and verdicts that a run must reproduce.
//!
//! They are in `explorer.expected` beside the crate's manifest, one line for each variant and
//! bound. A change of `step` or of the environment that makes one state more or less reachable
//! changes them, and so can't go by unseen. Which verdict is the right one is not written there but
//! in [`variants`](super::variants), and can't be stored away.

use std::fmt::Write;

use super::properties::Property;
use super::search::Explored;
use super::setup::Setup;

const HEAD: &str = "\
# What the explorer finds: for each variant and bound the states, the transitions and the violated
# promises. When the rules or the environment changed on purpose:
#   cargo run -p balefire-sim --bin explore -- --bless         (and with --all for the long runs)
# Which promise a variant must break is written in src/explorer/variants.rs and not here. Where that
# differs from the design's table of variants, docs/reliability/explorer.md says why.
";

/// How a run is written down.
pub fn line(setup: &Setup, explored: &Explored) -> String {
    let mut text = format!(
        "{} attempts={} states={} transitions={}",
        setup.variant.name, setup.attempts_max, explored.states, explored.transitions
    );
    let violated = explored.violated();
    for property in Property::ALL {
        let word = verdict(violated.contains(&property));
        write!(text, " {}={word}", property.as_str()).expect("a String takes all");
    }
    text
}

/// The word for a property that is violated, or not.
pub const fn verdict(is_violated: bool) -> &'static str {
    if is_violated { "VIOLATED" } else { "ok" }
}

/// The file with these lines in place of those of the same variant and bound; new ones at the end.
pub fn renew(stored: &str, lines: &[String]) -> String {
    let mut all: Vec<&str> = entries(stored).collect();
    for line in lines {
        match all.iter_mut().find(|was| key(was) == key(line)) {
            Some(was) => *was = line,
            None => all.push(line),
        }
    }
    format!("{HEAD}{}\n", all.join("\n"))
}

/// The lines of the file that are no comment.
pub fn entries(stored: &str) -> impl Iterator<Item = &str> {
    stored.lines().filter(|line| !line.starts_with('#'))
}

/// The variant and the bound.
fn key(line: &str) -> Vec<&str> {
    line.splitn(3, ' ').take(2).collect()
}

/// Why the run `is` (a [`line()`]) is not what `stored` (the file) says; `None` when it is.
pub fn surprise(stored: &str, is: &str) -> Option<String> {
    let was = entries(stored).find(|was| key(was) == key(is));
    if was == Some(is) {
        return None;
    }
    let was = was.map_or_else(
        || format!("has no line for {}", key(is).join(" ")),
        |was| format!("says\n  {was}"),
    );
    Some(format!(
        "this run found\n  {is}\nand explorer.expected {was}\nThe rules of the lane or the \
         environment changed: look at what became reachable or is no longer so; if that is what \
         you meant, run the explorer with --bless and commit the file"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, bound: u8, states: u8) -> String {
        format!("{name} attempts={bound} states={states} transitions=9")
    }

    #[test]
    fn only_the_line_of_the_same_variant_and_bound_and_the_same_numbers_is_no_surprise() {
        let stored = renew("", &[entry("G", 3, 5), entry("G", 4, 7), entry("H", 3, 8)]);
        for (name, bound, states, is_known) in [
            ("G", 3, 5, true),
            ("G", 4, 7, true),
            ("H", 3, 8, true),
            ("G", 3, 7, false),
            ("H", 3, 5, false),
            ("H", 4, 8, false),
            ("I", 3, 5, false),
        ] {
            let is = entry(name, bound, states);
            let found = surprise(&stored, &is);
            assert_eq!(found.is_none(), is_known, "{is}");
            assert!(found.is_none_or(|text| text.contains(&is)));
        }
        assert!(surprise("", &entry("G", 3, 5)).is_some());
    }

    #[test]
    fn a_renewed_line_keeps_its_place_and_leaves_the_others() {
        let stored = renew("", &[entry("G", 3, 5), entry("H", 3, 8)]);
        let renewed = renew(&stored, &[entry("G", 3, 6), entry("I", 3, 1)]);
        let want = [entry("G", 3, 6), entry("H", 3, 8), entry("I", 3, 1)];
        assert_eq!(entries(&renewed).collect::<Vec<_>>(), want);
        assert!(renewed.starts_with('#'));
    }
}
