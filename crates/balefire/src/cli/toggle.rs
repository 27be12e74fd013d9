//! `toggle …` on the command line.

use clap::Subcommand;

use super::name;

#[derive(Debug, Subcommand)]
pub(crate) enum ToggleCommand {
    /// List the switches.
    List,
    /// Turn a switch on or off; one that is not there yet is made. The author application asks for
    /// it on its next page.
    ///
    /// Try: balefire toggle set service_is_not_live on --html 'Training today until noon'
    #[command(verbatim_doc_comment)]
    Set {
        /// Its name, as the application calls it.
        #[arg(value_parser = name)]
        name: String,
        /// on or off.
        #[arg(value_parser = super::word("on or off", super::on_or_off),
            action = clap::ArgAction::Set)]
        is_enabled: bool,
        /// What the application shows while it is on, as HTML; without it what it shows stays.
        #[arg(long, value_parser = html)]
        html: Option<String>,
    },
}

/// Characters of what is shown.
const HTML_CHARS_MAX: usize = 10_000;

fn html(text: &str) -> Result<String, String> {
    if text.chars().count() > HTML_CHARS_MAX {
        return Err(format!("it has at most {HTML_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}
