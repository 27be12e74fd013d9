//! The configuration: a TOML file and the environment, read once, checked before anything starts.
//!
//! Every key has a default; an unknown key is an error that names it. Secrets are shown as `***`,
//! and so is what may be a secret in an address.

mod aws;
mod check;
mod environment;
mod file;
mod keys;
mod metrics;
mod notifications;
mod secret;
mod shape;
mod side_effects;
mod traces;
mod url;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use balefire_app::link_tokens::LinkKey;
use balefire_cell_broadcast::Scripts;
use balefire_domain::lane::Figures;
use balefire_domain::limits::BODY_BYTES_MAX;
use balefire_domain::provider::{
    Capabilities, Format, Languages, Limits, Profile, ProviderName, Route,
};
use serde::{Deserialize, Serialize};

pub(crate) use check::check;
pub(crate) use metrics::Metrics;
pub(crate) use notifications::{Notifications, carriers};
pub(crate) use secret::Secret;
pub(crate) use side_effects::job_settings;
pub(crate) use traces::Traces;
pub(crate) use url::Url;

/// Where this process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Environment {
    Development,
    Test,
    Preview,
    Staging,
    #[serde(alias = "production")]
    Live,
}

impl Environment {
    /// The word in the configuration.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Preview => "preview",
            Self::Staging => "staging",
            Self::Live => "live",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) environment: Environment,
    pub(crate) http: Http,
    pub(crate) database: Database,
    pub(crate) clients: BTreeMap<String, Vec<Secret>>,
    pub(crate) cbc: Cbc,
    pub(crate) provider: Vec<Provider>,
    pub(crate) dispatch: Dispatch,
    pub(crate) text: Text,
    pub(crate) secrets: Secrets,
    pub(crate) links: Links,
    pub(crate) tickets: Tickets,
    pub(crate) pages: Pages,
    pub(crate) notifications: Notifications,
    pub(crate) queue: Queue,
    pub(crate) metrics: Metrics,
    pub(crate) traces: Traces,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) listen: String,
    pub(crate) body_bytes_max: usize,
    pub(crate) route_secrets: Vec<Secret>,
    pub(crate) requests_per_minute_per_key: u32,
    pub(crate) author_url: Option<Url>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) url: Secret,
    pub(crate) single_node_is_fine: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cbc {
    pub(crate) enabled: bool,
    pub(crate) endpoint_url: Option<Url>,
    pub(crate) ca_file: Option<String>,
    pub(crate) canary: Option<String>,
    pub(crate) region: String,
    pub(crate) headline: String,
    pub(crate) sender: String,
    pub(crate) sender_name: String,
    pub(crate) public_page: String,
    pub(crate) signing_certificate_file: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    pub(crate) name: ProviderName,
    pub(crate) format: Format,
    pub(crate) routes: Vec<Route>,
    #[serde(default = "capabilities_default")]
    pub(crate) capabilities: Capabilities,
    #[serde(default = "upstream_timeout_default")]
    pub(crate) upstream_timeout_seconds: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link_test_period_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) languages: Option<Languages>,
    #[serde(default)]
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dispatch {
    pub(crate) connect_timeout_ms: u64,
    pub(crate) attempt_deadline_seconds: u64,
    pub(crate) clock_skew_seconds: u64,
    pub(crate) backoff_cap_seconds: u64,
    pub(crate) early_backoff_cap_seconds: u64,
    pub(crate) early_minutes: u64,
    pub(crate) hedging: bool,
    pub(crate) link_test_period_seconds: u64,
    pub(crate) heartbeat_period_seconds: u64,
    pub(crate) instance_name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Text {
    pub(crate) scripts: Scripts,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Secrets {
    pub(crate) key_file: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Links {
    pub(crate) secret_key: Option<Secret>,
    pub(crate) salt: Option<Secret>,
}

impl Links {
    /// What signs the tokens of links that the author application reads itself.
    pub(crate) fn key(&self) -> Option<LinkKey> {
        let (secret, salt) = (self.secret_key.as_ref()?, self.salt.as_ref()?);
        Some(LinkKey::new(secret.reveal(), salt.reveal()))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tickets {
    pub(crate) kind: String,
    pub(crate) endpoint_url: Option<Url>,
    pub(crate) email: Option<String>,
    pub(crate) key: Option<Secret>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pages {
    pub(crate) kind: String,
    pub(crate) none_is_fine: bool,
    pub(crate) endpoint_url: Option<Url>,
    pub(crate) routing_key: Option<Secret>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Queue {
    pub(crate) kind: String,
    pub(crate) endpoint_url: Option<Url>,
    pub(crate) region: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) dead_letter_name: Option<String>,
}

fn capabilities_default() -> Capabilities {
    Capabilities {
        dedup: true,
        shared_sites: true,
        update: false,
        success_is_accepted: true,
        own_protocol: false,
        second_language: false,
    }
}

const fn upstream_timeout_default() -> u64 {
    10
}

impl Default for Config {
    fn default() -> Self {
        let uk = |(name, format)| Provider {
            name: ProviderName::new(name).expect("a name"),
            format,
            routes: [1, 2]
                .map(|n| Route {
                    proxy: format!("{name}-{n}-proxy"),
                    site: None,
                })
                .to_vec(),
            capabilities: capabilities_default(),
            upstream_timeout_seconds: upstream_timeout_default(),
            link_test_period_seconds: None,
            languages: None,
            limits: Limits::default(),
        };
        let networks = [
            ("ee", Format::Cap),
            ("o2", Format::Cap),
            ("three", Format::Cap),
            ("vodafone", Format::Ibag),
        ];
        Self {
            environment: Environment::Development,
            http: Http::default(),
            database: Database::default(),
            clients: BTreeMap::new(),
            cbc: Cbc::default(),
            provider: networks.map(uk).to_vec(),
            dispatch: Dispatch::default(),
            text: Text::default(),
            secrets: Secrets::default(),
            links: Links::default(),
            tickets: Tickets::default(),
            pages: Pages::default(),
            notifications: Notifications::default(),
            queue: Queue::default(),
            metrics: Metrics::default(),
            traces: Traces::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:6011".to_owned(),
            body_bytes_max: BODY_BYTES_MAX,
            route_secrets: vec![],
            requests_per_minute_per_key: 0,
            author_url: None,
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: Secret::new("sqlite://balefire.db"),
            single_node_is_fine: false,
        }
    }
}

impl Default for Cbc {
    fn default() -> Self {
        Self {
            enabled: true,
            endpoint_url: None,
            ca_file: None,
            canary: None,
            region: "eu-west-2".to_owned(),
            headline: "GOV.UK Emergency Alert".to_owned(),
            sender: "broadcasts@notifications.service.gov.uk".to_owned(),
            sender_name: "GOV.UK Emergency Alerts".to_owned(),
            public_page: "https://www.gov.uk/alerts".to_owned(),
            signing_certificate_file: None,
        }
    }
}

impl Default for Dispatch {
    fn default() -> Self {
        Self {
            connect_timeout_ms: 1000,
            attempt_deadline_seconds: 20,
            clock_skew_seconds: 5,
            backoff_cap_seconds: 240,
            early_backoff_cap_seconds: 30,
            early_minutes: 10,
            hedging: true,
            link_test_period_seconds: 180,
            heartbeat_period_seconds: 15,
            instance_name: None,
        }
    }
}

impl Default for Tickets {
    fn default() -> Self {
        Self {
            kind: "none".to_owned(),
            endpoint_url: None,
            email: None,
            key: None,
        }
    }
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            kind: "none".to_owned(),
            none_is_fine: false,
            endpoint_url: None,
            routing_key: None,
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            kind: "database".to_owned(),
            endpoint_url: None,
            region: None,
            name: None,
            dead_letter_name: None,
        }
    }
}

impl Config {
    /// Whether an approved alert gets a ticket: in the live environment only (D16).
    pub(crate) fn makes_tickets(&self) -> bool {
        self.environment == Environment::Live && self.tickets.kind == "zendesk"
    }
}

impl Provider {
    pub(crate) fn profile(&self) -> Profile {
        Profile {
            name: self.name.clone(),
            format: self.format,
            routes: self.routes.clone(),
            capabilities: self.capabilities,
            upstream_timeout: Duration::from_secs(self.upstream_timeout_seconds),
            languages: self
                .languages
                .clone()
                .unwrap_or_else(|| Languages::of(self.format)),
            limits: self.limits,
        }
    }
}

impl Dispatch {
    pub(crate) fn figures(&self) -> Figures {
        Figures {
            attempt_deadline: Duration::from_secs(self.attempt_deadline_seconds),
            clock_skew: Duration::from_secs(self.clock_skew_seconds),
            backoff_cap: Duration::from_secs(self.backoff_cap_seconds),
            early_backoff_cap: Duration::from_secs(self.early_backoff_cap_seconds),
            early_period: Duration::from_secs(self.early_minutes.saturating_mul(60)),
        }
    }
}

/// Reads the file, if one is named, and what the environment sets. Does not check it.
pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Config> {
    let text = match file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path)
            .with_context(|| format!("can't read the configuration {}", path.display()))?,
    };
    let name = file.map_or("the configuration".to_owned(), |path| {
        path.display().to_string()
    });
    parse(&text, std::env::vars()).with_context(|| name)
}

pub(crate) fn parse(
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<Config> {
    let mut table = file::read(text)?;
    environment::overlay(&mut table, environment)?;
    // Every value was looked at; what serde would say of one quotes it.
    toml::Value::Table(table).try_into().map_err(|_| {
        anyhow!("it holds a value that its key can't take; config/example.toml shows every key")
    })
}

#[cfg(test)]
mod tests_environments;
#[cfg(test)]
mod tests_refusals;

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../config/example.toml");

    #[test]
    fn the_example_shows_every_key_with_its_default() {
        let example = parse(EXAMPLE, std::iter::empty()).expect("it can be read");
        let mut wanted = Config::default();
        // What has no default is shown by an example of its own.
        wanted.clients.clone_from(&example.clients);
        wanted
            .cbc
            .endpoint_url
            .clone_from(&example.cbc.endpoint_url);
        assert_eq!(example, wanted);
        assert!(example.clients.contains_key("notify-admin"));
        let shown: toml::Table = EXAMPLE.parse().expect("TOML");
        let known = toml::Table::try_from(Config::default()).expect("TOML");
        for (section, keys) in known {
            let toml::Value::Table(keys) = keys else {
                continue;
            };
            let there = shown.get(&section).and_then(toml::Value::as_table);
            for key in keys.keys() {
                let is_shown = there.is_some_and(|table| table.contains_key(key));
                assert!(is_shown, "config/example.toml lacks {section}.{key}");
            }
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        for text in [
            "colour = 1",
            "[http]\ncolour = 1",
            "[[provider]]\ncolour = 1",
        ] {
            let error = parse(text, std::iter::empty()).expect_err("refused");
            assert!(format!("{error:#}").contains("colour"), "{error:#}");
        }
    }

    #[test]
    fn the_environment_stands_above_the_file() {
        let vars = [
            ("BALEFIRE__HTTP__LISTEN", "127.0.0.1:1"),
            ("BALEFIRE__CBC__ENABLED", "false"),
            ("BALEFIRE__DISPATCH__CLOCK_SKEW_SECONDS", "7"),
            ("BALEFIRE__CLIENTS__NOTIFY_ADMIN", r#"["a", "b"]"#),
            ("BALEFIRE__ENVIRONMENT", "production"),
            ("UNRELATED", "x"),
        ];
        let vars = vars.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let text = "[http]\nlisten = \"127.0.0.1:2\"";
        let config = parse(text, vars.into_iter()).expect("read");
        assert_eq!(config.http.listen, "127.0.0.1:1");
        assert!(!config.cbc.enabled);
        assert_eq!(config.dispatch.clock_skew_seconds, 7);
        assert_eq!(
            config.clients["notify-admin"],
            [Secret::new("a"), Secret::new("b")]
        );
        assert_eq!(config.environment, Environment::Live);
    }

    #[test]
    fn secrets_are_never_shown() {
        let text =
            "[clients]\nnotify-admin = [\"hush\"]\n[database]\nurl = \"postgres://u:hush@h/d\"";
        let config = parse(text, std::iter::empty()).expect("read");
        let shown = toml::to_string(&config).expect("TOML");
        assert!(!format!("{config:?}").contains("hush") && !shown.contains("hush"));
    }
}
