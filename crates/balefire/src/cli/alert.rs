//! `alert …` and `delivery …` on the command line.

use std::path::PathBuf;

use balefire_domain::ids::{AlertId, DeliveryId, ServiceId};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Submit a CAP document for a service.
    Submit {
        file: PathBuf,
        #[arg(long)]
        service: ServiceId,
    },
    /// List a service's alerts, or everybody's.
    List {
        #[arg(long)]
        service: Option<ServiceId>,
    },
    /// Show an alert with its version and hash, and the proposed update of it, if there is one.
    Show { id: AlertId },
    /// Change an alert. One that waits for approval is edited; of one that is on the air an update
    /// is proposed, which changes nothing until a second person approves it. Names its person:
    /// --as EMAIL.
    Update {
        id: AlertId,
        /// The new text; without it and --file the text stays.
        #[arg(long, value_name = "TEXT", conflicts_with = "file")]
        content: Option<String>,
        /// A file with the new text.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// The new areas, as GeoJSON; holes are kept out by slits. Without it the areas stay.
        #[arg(long, value_name = "FILE.geojson")]
        areas: Option<PathBuf>,
        /// Only check it, and show what would be changed.
        #[arg(long)]
        dry_run: bool,
    },
    /// Approve an alert, or the proposed update of one that is on the air, as the second person.
    /// What is approved is sent at once.
    Approve {
        id: AlertId,
        /// The version that was seen; another one is refused. Of an update it must be named.
        #[arg(long)]
        version: Option<u32>,
        /// The hash that was seen; another one is refused.
        #[arg(long)]
        hash: Option<String>,
    },
    /// Reject an alert that waits, or the proposed update of one that is on the air: the alert
    /// itself then stays there as it is.
    Reject {
        id: AlertId,
        /// The version that was seen; another one is refused.
        #[arg(long)]
        version: Option<u32>,
        /// Why, for its author.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Cancel an alert.
    Cancel { id: AlertId },
    /// Watch an alert's deliveries until all have ended.
    Watch { id: AlertId },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryCommand {
    /// List an alert's deliveries with every attempt.
    List { alert: AlertId },
    /// Try a delivery that waits now instead of at the end of its wait. Names its person:
    /// --as EMAIL.
    ///
    /// All rules hold as they do for the service itself: nothing that has ended is sent again, and
    /// what is held stays held. Running servers follow within a second.
    Replay {
        delivery: DeliveryId,
        /// Only say what would happen, and why.
        #[arg(long)]
        dry_run: bool,
    },
}
