//! `service …` on the command line.

use std::path::PathBuf;

use balefire_cell_broadcast::{parse_host, parse_number};
use balefire_domain::alert::Mode;
use balefire_domain::channel::Channel;
use balefire_domain::ids::ServiceId;
use clap::{Args, Subcommand};

use super::{Providers, name, on_or_off, providers, word};

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Make a service.
    Create {
        /// Its name.
        #[arg(long, value_parser = name)]
        name: String,
        /// training: nothing is ever sent; live: alerts are real.
        #[arg(long, value_parser = word("training or live", Mode::parse))]
        mode: Mode,
        /// operator, test, severe or government.
        #[arg(long, value_parser = word("operator, test, severe or government", Channel::parse))]
        channel: Channel,
        /// The providers it may use: all, or names with commas between.
        #[arg(long, default_value = "all", value_parser = providers)]
        provider: Providers,
    },
    /// List all services.
    List,
    /// Choose what a service broadcasts: mode, channel and networks in one, as the author
    /// application does. Its keys are revoked; where it goes live its members keep the right to
    /// view, and are given the others anew.
    ///
    /// Try: balefire service set-up ID --mode training --channel severe --provider ee,o2
    #[command(verbatim_doc_comment)]
    SetUp {
        id: ServiceId,
        /// training: nothing is ever sent; live: alerts are real.
        #[arg(long, value_parser = word("training or live", Mode::parse))]
        mode: Mode,
        /// operator, test, severe or government.
        #[arg(long, value_parser = word("operator, test, severe or government", Channel::parse))]
        channel: Channel,
        /// The providers it may use: all, or names with commas between.
        #[arg(long, default_value = "all", value_parser = providers)]
        provider: Providers,
    },
    /// Let it do nothing but cancel.
    Suspend { id: ServiceId },
    /// Let it act again.
    Resume { id: ServiceId },
    /// End it: its keys are dead.
    Archive { id: ServiceId },
    /// Trust a certificate for signatures of its documents: the signer's own, or an authority's.
    Trust {
        id: ServiceId,
        /// A PEM file, of signers' certificates or of authorities'; every one in it is trusted.
        #[arg(value_name = "CERT.pem", required_unless_present = "list")]
        certificate: Option<PathBuf>,
        /// Only list what is trusted.
        #[arg(long, conflicts_with = "certificate")]
        list: bool,
    },
    /// Trust a certificate no longer.
    Untrust {
        id: ServiceId,
        /// Its fingerprint, as `service trust ID --list` shows it.
        fingerprint: String,
    },
    /// Take signed documents only, Cancels included, or others too. People may always cancel.
    DemandSignature {
        id: ServiceId,
        /// on or off.
        #[arg(value_parser = word("on or off", on_or_off), action = clap::ArgAction::Set)]
        demands: bool,
    },
    /// Change its mode, and nothing else.
    SetMode {
        id: ServiceId,
        /// training or live.
        #[arg(long, value_parser = word("training or live", Mode::parse))]
        mode: Mode,
    },
    /// Put telephone numbers and hosts on a service's list: its alerts may name them without a
    /// warning to the approver. With --list, or nothing to add, print the list.
    ///
    /// A number is compared by its digits: one with +44 and one with 0 are two entries. A host
    /// stands for all below it: gov.uk allows www.gov.uk.
    ///
    /// Try: balefire service allow ID --number '0800 123 4567' --host gov.uk
    #[command(verbatim_doc_comment)]
    Allow {
        id: ServiceId,
        #[command(flatten)]
        contacts: Contacts,
        /// Print the list.
        #[arg(long)]
        list: bool,
    },
    /// Take telephone numbers and hosts off a service's list. Approved alerts stay as they are.
    Disallow {
        id: ServiceId,
        #[command(flatten)]
        contacts: Contacts,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Contacts {
    /// A telephone number; may be given several times.
    #[arg(long, value_parser = parse_number)]
    pub(crate) number: Vec<String>,
    /// A host, such as gov.uk; may be given several times.
    #[arg(long, value_parser = parse_host)]
    pub(crate) host: Vec<String>,
}
