//! `notification …`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum NotificationCommand {
    /// Send one test message as `[notifications]` says, now, and tell what came of it.
    ///
    /// Exit code 1 when it was not taken. "Taken" is what the carrier says; look whether it
    /// arrives. Needs no database.
    ///
    /// Try: balefire notification send-test --email you@example.org
    #[command(verbatim_doc_comment)]
    SendTest {
        /// To this e-mail address.
        #[arg(long, required_unless_present = "mobile", conflicts_with = "mobile")]
        email: Option<String>,
        /// To this mobile number, by SMS.
        #[arg(long)]
        mobile: Option<String>,
    },
}
