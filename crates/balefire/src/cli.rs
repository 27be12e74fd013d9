//! The command line. `--config`, `--json` and `--help` stand anywhere on the line (D50).

use std::net::SocketAddr;
use std::path::PathBuf;

use balefire_cell_broadcast::{LanguageCode, Scope, Scripts, parse_host, parse_number};
use balefire_domain::channel::Channel;
use balefire_domain::ids::{ApiKeyId, DutyItemId, ServiceId};
use balefire_domain::limits::REFERENCE_CHARS_MAX;
use balefire_domain::permission::Permission;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use balefire_store::api_keys::KeyKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

mod alert;
mod areas;
mod audit;
mod cap;
mod import;
mod notification;
mod service;
mod toggle;

pub(crate) use alert::{AlertCommand, DeliveryCommand};
pub(crate) use areas::{
    AreasCommand, Builtin, FindAreas, HolesChoice, ImportAreas, PopulationCommand,
};
pub(crate) use audit::{AuditCommand, ExportAudit};
pub(crate) use cap::CapCommand;
pub(crate) use import::Import;
pub(crate) use notification::NotificationCommand;
pub(crate) use service::{Contacts, ServiceCommand};
pub(crate) use toggle::ToggleCommand;

/// Public warning by cell broadcast: takes an alert from its author, through a second person's
/// approval, to every mobile network, and proves what happened at each.
///
/// Try it: `balefire demo` runs everything in one process. Exit codes: 0 done, 1 refused or
/// failed, 2 wrong usage.
#[derive(Debug, Parser)]
#[command(name = "balefire", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration; without it the defaults and the environment hold.
    #[arg(long, global = true, value_name = "FILE", env = "BALEFIRE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON, for programs.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The e-mail address of the person who acts.
    #[arg(long = "as", global = true, value_name = "EMAIL")]
    pub(crate) person: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: SQLite, four simulated networks, two people, and a sample
    /// alert from CAP to acceptance.
    Demo {
        /// End after the last acknowledgement: 0 when every delivery ended acknowledged, else 1.
        #[arg(long)]
        once: bool,
    },
    /// Run the service.
    Serve {
        /// What this process does: api answers HTTP, dispatch sends, schedule ends what is over.
        #[arg(long, value_delimiter = ',', default_values = ["api", "dispatch", "schedule"])]
        roles: Vec<Role>,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Check the configuration and show it as it is understood, secrets as ***.
    CheckConfig,
    /// Services: the teams that author alerts.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// People.
    #[command(subcommand)]
    User(UserCommand),
    /// Keys of services for the public API.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Alerts. Acts name their person: --as EMAIL.
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Deliveries: what happened at each provider.
    #[command(subcommand)]
    Delivery(DeliveryCommand),
    /// Providers: the mobile networks and their routes.
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Duty items: what only a person on duty can mend.
    #[command(subcommand)]
    Item(ItemCommand),
    /// Switches of the author application.
    #[command(subcommand)]
    Toggle(ToggleCommand),
    /// Messages to people by e-mail and SMS.
    #[command(subcommand)]
    Notification(NotificationCommand),
    /// The record: what was approved, sent and answered.
    #[command(subcommand)]
    History(HistoryCommand),
    /// The audit trail: who did what, and whether anybody changed it since.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The database: whether it may go on after a failover or a restore.
    #[command(subcommand)]
    Database(DatabaseCommand),
    // Its help stands at its arguments.
    Import(Import),
    /// Libraries of areas: countries, counties, wards, flood areas.
    #[command(subcommand)]
    Areas(AreasCommand),
    /// Where people are, so that an approver sees how many phones an alert reaches.
    #[command(subcommand)]
    Population(PopulationCommand),
    /// CAP documents.
    #[command(subcommand)]
    Cap(CapCommand),
    /// Texts: what one costs, how phones get it, and what to check in it. Needs no database.
    #[command(subcommand)]
    Text(TextCommand),
    /// Simulated networks, with faults on command. Speaks the Lambda Invoke API on loopback.
    ProviderSim(ProviderSim),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    Api,
    Dispatch,
    Schedule,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatabaseCommand {
    /// Show which history of the database this is, and whether it holds alerts back.
    Show,
    /// Let a restored copy, or a database with imported alerts, go on: what waits in it is sent.
    /// Look first at what it lacks (docs/runbook.md, `database_restored`, `alerts_imported`).
    /// Names its person: --as EMAIL.
    Release,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person.
    Create {
        /// Their name.
        #[arg(long, value_parser = name)]
        name: String,
        /// Their e-mail address.
        #[arg(long)]
        email: String,
        /// A service they belong to, with all broadcast permissions; may be given several times.
        #[arg(long)]
        service: Vec<ServiceId>,
        /// What they may in these services, instead of everything about broadcasts:
        /// create_broadcasts, approve_broadcasts, reject_broadcasts, manage_users,
        /// manage_templates, manage_api_keys; may be given several times.
        #[arg(long, value_parser = word("a permission of those above", Permission::parse))]
        permission: Vec<Permission>,
        /// They may view and stop everything, now and always.
        #[arg(long)]
        platform_admin: bool,
        /// They may become administrator for a session, when another administrator approves it.
        #[arg(long)]
        platform_admin_capable: bool,
        /// Their mobile number: the codes of their sign-ins go there, else to their address.
        #[arg(long)]
        mobile: Option<String>,
        /// Read their password from the standard input, one line. Without it they ask for a link
        /// that sets one.
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key. Its secret is shown this once.
    Create {
        /// Whose it is.
        #[arg(long)]
        service: ServiceId,
        /// What people call it.
        #[arg(long, value_parser = name)]
        name: String,
        /// normal: real alerts; test: alerts that are never sent; team: none.
        #[arg(long = "type", value_parser = word("normal, test or team", KeyKind::parse))]
        kind: KeyKind,
    },
    /// Revoke a key at once.
    Revoke { id: ApiKeyId },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// List the providers with their routes and the latest that is known of each.
    List,
    /// Test every route once, now, and store what came of it. Ends with 1 if a route failed.
    ///
    /// A link test reaches a network's CBC and warns nobody. Running servers test by themselves
    /// (dispatch.link_test_period_seconds) and follow a result within a second.
    LinkTest {
        /// This provider's routes; without a name all providers'.
        provider: Option<String>,
    },
    /// Hold a provider's alerts until it is resumed. Cancels are never held.
    Pause {
        /// Which provider.
        provider: String,
        /// Why, for those on duty.
        #[arg(long, value_parser = name)]
        reason: Option<String>,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
    },
    /// End a pause: what waits is sent at once.
    Resume {
        /// Which provider.
        provider: String,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ItemCommand {
    /// List the open items, oldest first, each with what to do; docs/runbook.md tells more.
    List {
        /// Closed ones too, newest first.
        #[arg(long)]
        all: bool,
    },
    /// Close an item that is dealt with. Names its person: --as EMAIL. It changes no delivery.
    Close {
        id: DutyItemId,
        /// What was found and done, for the audit trail.
        #[arg(long)]
        note: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Hold the database, and what the providers logged, against the rules that must never be
    /// broken (S1 to S14): order, at most once, no ghost, nothing without approval, and so on.
    ///
    /// It only reads, and may run beside a living service. Exit code 1 means that a rule is broken;
    /// what was found says what to do. Without a log of the providers it says what it can't check.
    Verify {
        /// A log of the providers, as `provider-sim --log FILE` and GET /_sim/requests write it:
        /// JSON lines. May be given several times; the log of one proxy stands in one file.
        #[arg(long, value_name = "FILE")]
        provider_log: Vec<PathBuf>,
        /// Only alerts made since then, such as 2026-11-23T04:09:00Z.
        #[arg(long, value_name = "TIME", value_parser = instant)]
        since: Option<Timestamp>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TextCommand {
    /// Count a text as it is sent: what each character costs, which one forces UCS-2, what is
    /// changed, left out or refused. Exit code 1 when it can't be sent.
    ///
    /// GSM-7 has room for 1,395 units on 15 pages of 93; ^ { } \ [ ] ~ | and the euro sign take
    /// two. One character that GSM-7 lacks makes the whole text UCS-2: 615 units on pages of 41.
    /// --json gives every character with its position, fate and cost, for editors.
    ///
    /// Try: echo 'Llifogydd ŵ' | balefire text count
    #[command(verbatim_doc_comment)]
    Count {
        /// The text, in UTF-8; `-` or nothing reads what is typed.
        file: Option<PathBuf>,
        #[arg(long, default_value = "gsm-welsh", value_parser = scripts, help = SCRIPTS_HELP)]
        scripts: Scripts,
    },
    /// Print the pages that phones are sent, as 3GPP TS 23.041 makes them: 88 octets each, in hex.
    ///
    /// These are made to look at and to test with: the networks make their own. The serial number
    /// is made of scope, message code and update number. A phone shows a message once for each
    /// pair of message identifier and serial number: an update takes the next update number, a new
    /// alert a new code.
    Pages(TextPages),
    /// List the telephone numbers, links, addresses and odd characters of a text, as an approver
    /// sees them, and warn of what is not on a list.
    ///
    /// A service's own list is kept with `balefire service allow`; this command takes it from the
    /// line.
    Facts {
        /// The text, in UTF-8; `-` or nothing reads what is typed.
        file: Option<PathBuf>,
        /// A telephone number that is known to be right; may be given several times.
        #[arg(long, value_parser = parse_number)]
        number: Vec<String>,
        /// A host that is known to be right, with all below it; may be given several times.
        #[arg(long, value_parser = parse_host)]
        host: Vec<String>,
        #[arg(long, default_value = "gsm-welsh", value_parser = scripts, help = SCRIPTS_HELP)]
        scripts: Scripts,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TextPages {
    /// The text, in UTF-8; `-` or nothing reads what is typed.
    pub(crate) file: Option<PathBuf>,
    /// operator, test, severe or government: decides the message identifier.
    #[arg(long, default_value = "test",
        value_parser = word("operator, test, severe or government", Channel::parse))]
    pub(crate) channel: Channel,
    /// Take the channel's identifier for further languages: 13 more.
    #[arg(long)]
    pub(crate) further_language: bool,
    /// Message code of the serial number: 0 to 1023.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(..1024))]
    pub(crate) code: u16,
    /// Update number of the serial number: 0 to 15.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(..16))]
    pub(crate) update: u8,
    /// Where a phone takes two messages of one serial number for the same: cell-immediate,
    /// network, area or cell.
    #[arg(long, default_value = "network",
        value_parser = word("cell-immediate, network, area or cell", Scope::parse))]
    pub(crate) scope: Scope,
    /// Tell phones the language: two letters, such as en or cy. It can take room on each page.
    #[arg(long, value_parser = LanguageCode::parse)]
    pub(crate) language: Option<LanguageCode>,
    #[arg(long, default_value = "gsm-welsh", value_parser = scripts, help = SCRIPTS_HELP)]
    pub(crate) scripts: Scripts,
}

const SCRIPTS_HELP: &str = "gsm-welsh: what every phone shows; any: all printable characters";

fn scripts(text: &str) -> Result<Scripts, String> {
    match text {
        "gsm-welsh" => Ok(Scripts::GsmWelsh),
        "any" => Ok(Scripts::Any),
        _ => Err("it is gsm-welsh or any".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct ProviderSim {
    /// A loopback address and port; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:9010")]
    pub(crate) listen: SocketAddr,
    /// Faults, as TOML; PUT /_sim/faults replaces them.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Also write every request to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// `all`, or the names given.
#[derive(Clone, Debug)]
pub(crate) struct Providers(pub(crate) Option<Vec<ProviderName>>);

/// A name that a person can read: 1 to 255 characters, not blank.
fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REFERENCE_CHARS_MAX {
        return Err(format!("a name has 1 to {REFERENCE_CHARS_MAX} characters"));
    }
    Ok(text.to_owned())
}

fn instant(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_iso8601(text)
        .ok_or_else(|| "it is a date and time such as 2026-11-23T04:09:00Z".to_owned())
}

fn provider_name(text: &str) -> Result<ProviderName, String> {
    ProviderName::new(text).map_err(|error| error.to_string())
}

fn providers(text: &str) -> Result<Providers, String> {
    if text == "all" {
        return Ok(Providers(None));
    }
    let names: Result<Vec<_>, _> = text
        .split(',')
        .map(|name| ProviderName::new(name.trim()))
        .collect();
    names
        .map(|names| Providers(Some(names)))
        .map_err(|error| error.to_string())
}

fn on_or_off(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn word<T: Clone + Send + Sync + 'static>(
    choices: &'static str,
    parse: fn(&str) -> Option<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| parse(text).ok_or_else(|| format!("it is one of {choices}"))
}
