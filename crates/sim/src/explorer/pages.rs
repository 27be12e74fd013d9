//! What the explorer writes into the pages of `docs`: the moves, the table of variants and some
//! counterexamples. Each stands between two marks, and CI fails when it says something else.

use std::fmt::Write;

use super::expected;
use super::moves::Moves;
use super::properties::Property;
use super::run::Run;
use super::variants;

/// The variants whose shortest counterexample is told in the page about delivery.
const TOLD: [&str; 3] = ["no-drain", "F", "Q"];

/// A name between marks, and what stands there.
pub type Block = (String, String);

/// The pages (below `docs`), each with its blocks. `stored` is the file of expected numbers.
pub fn blocks(runs: &[Run], stored: &str) -> [(&'static str, Vec<Block>); 2] {
    let mut moves = Moves::default();
    for run in runs
        .iter()
        .filter(|run| is_in_ci(run) && run.setup.variant.is_ours)
    {
        moves.extend(&run.explored.moves);
    }
    let mut delivery = vec![("moves".to_owned(), moves.table())];
    delivery.extend(TOLD.into_iter().filter_map(|name| {
        let run = runs.iter().find(|run| run.setup.variant.name == name)?;
        Some((format!("counterexample {name}"), counterexample(run)?))
    }));
    [
        ("delivery.md", delivery),
        (
            "reliability/explorer.md",
            vec![("variants".to_owned(), table(stored))],
        ),
    ]
}

/// The long runs change nothing in the pages but their own lines.
fn is_in_ci(run: &Run) -> bool {
    run.setup.attempts_max == run.setup.variant.attempts
}

fn counterexample(run: &Run) -> Option<String> {
    let mut text = String::new();
    for (line, number) in run.explored.violations.first()?.trace.iter().zip(1..) {
        writeln!(text, "{number}. {line}").expect("a String takes all");
    }
    Some(text)
}

/// The stored numbers and verdicts as a table in Markdown, in the order of the variants.
fn table(stored: &str) -> String {
    let mut text = String::from("| variant | what it is | attempts | states | transitions |");
    for property in Property::ALL {
        write!(text, " {} |", property.as_str()).expect("a String takes all");
    }
    text.push_str("\n|---|---|---|---|---|");
    text.push_str(&"---|".repeat(Property::ALL.len()));
    text.push('\n');
    for variant in variants::all() {
        let of_variant = |line: &&str| line.split(' ').next() == Some(variant.name);
        for line in expected::entries(stored).filter(of_variant) {
            let values = line
                .split(' ')
                .skip(1)
                .filter_map(|pair| pair.split_once('='));
            write!(text, "| {} | {} |", variant.name, variant.what).expect("a String takes all");
            for (_, value) in values {
                match value {
                    "VIOLATED" => text.push_str(" **violated** |"),
                    other => write!(text, " {other} |").expect("a String takes all"),
                }
            }
            text.push('\n');
        }
    }
    text
}

/// The page with these blocks between their marks.
///
/// # Errors
/// The name of the block for which the page has no marks.
pub fn put_into(page: &str, blocks: &[Block]) -> Result<String, String> {
    let mut page = page.to_owned();
    for (name, text) in blocks {
        let begin = format!("<!-- made by the explorer (--bless): {name} -->\n");
        let end = format!("<!-- the end of {name} -->\n");
        let missing = || format!("has no place for {name}: it stands between\n{begin}{end}");
        let (head, rest) = page.split_once(&begin).ok_or_else(missing)?;
        let (_, tail) = rest.split_once(&end).ok_or_else(missing)?;
        page = format!("{head}{begin}{text}{end}{tail}");
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "a\n<!-- made by the explorer (--bless): x -->\nold\n\
                        <!-- the end of x -->\nb\n";

    #[test]
    fn a_block_replaces_what_stands_between_its_marks_and_nothing_else() {
        let put = |name: &str, text: &str| put_into(PAGE, &[(name.to_owned(), text.to_owned())]);
        assert_eq!(put("x", "old\n").as_deref(), Ok(PAGE));
        assert_eq!(put("x", "new\n"), Ok(PAGE.replace("old", "new")));
        assert!(put("y", "new\n").is_err_and(|error| error.contains('y')));
    }
}
