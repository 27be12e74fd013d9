//! A text in a second language, as the one who decides must see it.

use balefire_cell_broadcast::{Scripts, measure};
use balefire_domain::second_text::SecondText;

/// The text with its language and what it costs, or nothing where there is none.
pub(super) fn second_lines(second: Option<&SecondText>) -> String {
    let Some(second) = second else {
        return String::new();
    };
    // It was accepted under the configured scripts; here it is only counted.
    let counted = measure(&second.text, Scripts::Any);
    format!(
        "\n\nin {} (the text above is in {}; {} of {} units, {} pages)\n{}",
        second.language,
        second.first_language,
        counted.text.units(),
        counted.text.encoding().units_max(),
        counted.pages,
        second.text
    )
}

/// The same of a change: where the second language falls away that too is said.
pub(super) fn second_lines_after(was: Option<&SecondText>, is: Option<&SecondText>) -> String {
    match (was, is) {
        (Some(was), None) => format!(
            "\n\nthe text in {} falls away: there is one language then. To keep two, send both in \
             one CAP Update.",
            was.language
        ),
        (_, is) => second_lines(is),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_language_that_falls_away_is_said_and_one_that_stays_is_shown() {
        let welsh = SecondText {
            first_language: "en-GB".to_owned(),
            language: "cy-GB".to_owned(),
            content: "Ewch".to_owned(),
            text: "Ewch".to_owned(),
        };
        for (was, is, want) in [
            (None, None, ""),
            (Some(&welsh), None, "the text in cy-GB falls away"),
            (None, Some(&welsh), "Ewch"),
            (Some(&welsh), Some(&welsh), "Ewch"),
        ] {
            let lines = second_lines_after(was, is);
            assert!(lines.contains(want), "{lines}");
            assert_eq!(lines.is_empty(), want.is_empty(), "{lines}");
        }
    }
}
