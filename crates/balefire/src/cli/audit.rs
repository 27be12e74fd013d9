//! `audit …`.

use balefire_domain::audit_chain::ChainHash;
use balefire_domain::ids::ServiceId;
use balefire_domain::time::Timestamp;
use clap::{Args, Subcommand};

use super::instant;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Link what is not linked yet, then hold every entry of the audit trail against the hash
    /// chain. Exit code 1 names the first place at which something was changed, removed, put in or
    /// exchanged.
    ///
    /// A chain that was cut off at its end, or made anew as a whole, shows only in a head that was
    /// noted elsewhere: each run prints the head, and the log has it hourly (audit.head). Give it
    /// back with --head, at any later time. docs/audit.md tells more.
    Verify {
        /// The hash of a head that was noted earlier.
        #[arg(long, value_name = "HASH")]
        head: Option<ChainHash>,
    },
    /// Print entries as JSON lines, in the order of the chain, each with its position and hash.
    ///
    /// `entry` is what is hashed: the same without blanks, its members sorted. Entries that are
    /// not linked yet are linked first.
    Export(ExportAudit),
}

#[derive(Debug, Args)]
pub(crate) struct ExportAudit {
    /// Only what was done to this service, or by its leave.
    #[arg(long, value_name = "ID")]
    pub(crate) service: Option<ServiceId>,
    /// Only what was done since then, such as 2026-11-23T04:09:00Z.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) since: Option<Timestamp>,
    /// Only what was done before then.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
}
