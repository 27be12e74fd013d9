//! The numbers that a run of the product's own rules must reproduce.
//!
//! They are in `explorer.expected` beside the crate's manifest, one line for each bound. A change
//! of `step` or of the environment that makes one state more or less reachable changes them, and so
//! can't go by unseen.

use super::search::Explored;

/// The bounds under which the clean rules are explored. The first takes a second, for tests.
pub const ATTEMPTS_MAX: [usize; 2] = [3, 4];

/// How a run is written down.
pub fn line(attempts_max: usize, explored: &Explored) -> String {
    format!(
        "attempts_max={attempts_max} states={} transitions={}",
        explored.states, explored.transitions
    )
}

/// The whole file.
pub fn render(lines: &[String]) -> String {
    let mut text = String::from(
        "# The size of the exploration without planted faults. When the rules or the environment\n\
         # changed on purpose: cargo run -p balefire-sim --bin explore -- --bless\n",
    );
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Why the run `is` (a [`line()`]) is not what `stored` (the file) says; `None` when it is.
pub fn surprise(stored: &str, is: &str) -> Option<String> {
    let bound = is.split(' ').next().unwrap_or(is);
    let was = stored
        .lines()
        .find(|line| line.split(' ').next() == Some(bound));
    if was == Some(is) {
        return None;
    }
    let was = was.map_or_else(
        || format!("has no line for {bound}"),
        |was| format!("says {was}"),
    );
    Some(format!(
        "this run found {is}, and explorer.expected {was}. The rules of the lane or the \
         environment changed: look at what became reachable or is no longer so; if that is what \
         you meant, run the explorer with --bless and commit the file"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_of_the_same_bound_and_the_same_numbers_is_no_surprise() {
        let line = |bound, states| format!("attempts_max={bound} states={states} transitions=9");
        let stored = render(&[line(3, 5), line(4, 7)]);
        assert_eq!(surprise(&stored, &line(3, 5)), None);
        assert_eq!(surprise(&stored, &line(4, 7)), None);
        for (bound, states) in [(3, 7), (4, 5), (5, 5)] {
            let is = line(bound, states);
            assert!(
                surprise(&stored, &is).is_some_and(|text| text.contains(&is)),
                "{is}"
            );
        }
        assert!(surprise("", &line(3, 5)).is_some());
    }
}
