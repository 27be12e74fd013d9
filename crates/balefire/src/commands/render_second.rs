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
