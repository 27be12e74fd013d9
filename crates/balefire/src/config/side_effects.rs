//! `[tickets]` and `[pages]`: what they must say, and what the runner is given of them.

use balefire_dispatcher::jobs::{JobSettings, PagerDuty, Zendesk};
use balefire_domain::limits::JOB_CALL_TIME_MAX;
use balefire_gateway::{Endpoint, Scheme};

use super::{Config, Secret, Url};

/// Characters of a key or an address; real ones have under 100.
const CHARS_MAX: usize = 500;

/// What is wrong with `[tickets]` and `[pages]`. Nothing is asked of what is switched off.
pub(crate) fn check(config: &Config, findings: &mut Vec<String>) {
    let (tickets, pages) = (&config.tickets, &config.pages);
    match tickets.kind.as_str() {
        "none" => {}
        "zendesk" => {
            let url = tickets.endpoint_url.as_ref();
            let (key, kind) = ("tickets.endpoint_url", "tickets.kind");
            check_url(key, kind, "zendesk", url, findings);
            let is_address = |email: &String| {
                let (local, host) = email.split_once('@').unwrap_or_default();
                !local.is_empty() && !host.is_empty() && is_plain(email) && !email.contains(':')
            };
            if !tickets.email.as_ref().is_some_and(is_address) {
                findings.push(
                    "tickets.kind is \"zendesk\": tickets.email must be the agent's e-mail address"
                        .to_owned(),
                );
            }
            check_secret("tickets", "zendesk", "key", tickets.key.as_ref(), findings);
        }
        _ => findings.push("tickets.kind must be \"none\" or \"zendesk\"".to_owned()),
    }
    match pages.kind.as_str() {
        "none" => {}
        "pagerduty" => {
            let url = pages.endpoint_url.as_ref();
            let (key, kind) = ("pages.endpoint_url", "pages.kind");
            check_url(key, kind, "pagerduty", url, findings);
            let key = pages.routing_key.as_ref();
            check_secret("pages", "pagerduty", "routing_key", key, findings);
        }
        _ => findings.push("pages.kind must be \"none\" or \"pagerduty\"".to_owned()),
    }
}

/// What is wrong with the address under `key`, which is needed because `kind_key` is `kind`.
pub(super) fn check_url(
    key: &str,
    kind_key: &str,
    kind: &str,
    url: Option<&Url>,
    findings: &mut Vec<String>,
) {
    let Some(url) = url else {
        findings.push(format!("{kind_key} is \"{kind}\": {key} is missing"));
        return;
    };
    match Endpoint::parse(url.reveal()) {
        Err(error) => findings.push(format!("{key}: {error}")),
        // The key to the service would cross the network for everybody to read.
        Ok(endpoint) if is_readable_on_its_way(&endpoint) => {
            findings.push(format!(
                "{key} must begin with https:// (http:// is for addresses of this machine)"
            ));
        }
        Ok(_) => {}
    }
}

fn check_secret(
    section: &str,
    kind: &str,
    key: &str,
    secret: Option<&Secret>,
    findings: &mut Vec<String>,
) {
    if !secret.is_some_and(|secret| is_plain(secret.reveal())) {
        findings.push(format!(
            "{section}.kind is \"{kind}\": {section}.{key} must be set, without spaces"
        ));
    }
}

/// One word of visible ASCII.
pub(super) fn is_plain(text: &str) -> bool {
    (1..=CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether what is sent there leaves this machine without TLS.
pub(super) fn is_readable_on_its_way(endpoint: &Endpoint) -> bool {
    let host = endpoint.host();
    let address = host.parse::<std::net::IpAddr>();
    let is_loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    endpoint.scheme() == Scheme::Http && !is_loopback
}

/// What the runner is given. The configuration was checked. Tickets are for the live environment
/// only (D16).
pub(crate) fn job_settings(config: &Config) -> anyhow::Result<JobSettings> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let secret = |secret: &Option<Secret>| {
        secret
            .as_ref()
            .map_or_else(String::new, |secret| secret.reveal().to_owned())
    };
    let endpoint = |url: &Option<Url>| Endpoint::parse(url.as_ref().map_or("", Url::reveal));
    let tickets = if config.makes_tickets() {
        Some(Zendesk {
            endpoint: endpoint(&config.tickets.endpoint_url)?,
            email: text(&config.tickets.email),
            key: secret(&config.tickets.key),
        })
    } else {
        None
    };
    let pages = match config.pages.kind.as_str() {
        "pagerduty" => Some(PagerDuty {
            endpoint: endpoint(&config.pages.endpoint_url)?,
            routing_key: secret(&config.pages.routing_key),
            environment: config.environment.as_str().to_owned(),
        }),
        _ => None,
    };
    Ok(JobSettings {
        tickets,
        pages,
        notifications: super::notifications::carriers(config)?,
        call_timeout: JOB_CALL_TIME_MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{check, parse};
    use super::*;

    const ZENDESK: &str = "[tickets]\nkind = \"zendesk\"\nendpoint_url = \"https://x.example\"\n\
                           email = \"a@example.org\"\nkey = \"hush\"\n";
    const PAGERDUTY: &str = "[pages]\nkind = \"pagerduty\"\nendpoint_url = \"https://x.example\"\n\
                             routing_key = \"hush\"\n";

    fn config(text: &str) -> Config {
        parse(text, std::iter::empty()).expect("it can be read")
    }

    #[test]
    fn what_is_switched_on_must_be_whole() {
        // section, what is changed in it, the keys that must be named
        let cases = [
            (ZENDESK, "", "", vec![]),
            (PAGERDUTY, "", "", vec![]),
            (ZENDESK, "\"zendesk\"", "\"jira\"", vec!["tickets.kind"]),
            (PAGERDUTY, "\"pagerduty\"", "\"bell\"", vec!["pages.kind"]),
            (
                ZENDESK,
                "endpoint_url = \"https://x.example\"",
                "",
                vec!["tickets.endpoint_url", "missing"],
            ),
            (
                ZENDESK,
                "https://x.example",
                "x.example",
                vec!["tickets.endpoint_url"],
            ),
            (
                ZENDESK,
                "https://x.example",
                "https://me:hush@x.example",
                vec!["tickets.endpoint_url"],
            ),
            (ZENDESK, "https:", "http:", vec!["tickets.endpoint_url"]),
            (PAGERDUTY, "https:", "http:", vec!["pages.endpoint_url"]),
            (ZENDESK, "https://x.example", "http://127.0.0.1:9", vec![]),
            (PAGERDUTY, "https://x.example", "http://[::1]:9/", vec![]),
            (ZENDESK, "a@example.org", "a", vec!["tickets.email"]),
            (ZENDESK, "a@example.org", "a:b@c", vec!["tickets.email"]),
            (
                ZENDESK,
                "email = \"a@example.org\"",
                "",
                vec!["tickets.email"],
            ),
            (ZENDESK, "key = \"hush\"", "", vec!["tickets.key"]),
            (ZENDESK, "\"hush\"", "\"\"", vec!["tickets.key"]),
            (ZENDESK, "\"hush\"", "\"a\\nb\"", vec!["tickets.key"]),
            (
                PAGERDUTY,
                "routing_key = \"hush\"",
                "",
                vec!["pages.routing_key"],
            ),
        ];
        for (section, from, to, keys) in cases {
            let text = format!("[cbc]\nenabled = false\n{}", section.replace(from, to));
            let config = config(&text);
            let found = check(&config).join("\n");
            assert_eq!(found.is_empty(), keys.is_empty(), "{text}\n{found}");
            for key in keys {
                assert!(
                    found.contains(key),
                    "{text}\nshould name {key}; found:\n{found}"
                );
            }
            assert!(!found.contains("hush"), "{found}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_not_repeated_and_no_other_system_named() {
        for url in [
            "hush",
            "ftp://x/hush",
            "https://x/?hush",
            "http://x:99999/hush",
        ] {
            let text = format!(
                "[cbc]\nendpoint_url = \"{url}\"\n{}",
                PAGERDUTY
                    .replace("https://x.example", url)
                    .replace("\"hush\"\n", "\"k\"\n")
            );
            let found = check(&config(&text)).join("\n");
            assert!(found.contains("pages.endpoint_url"), "{url}: {found}");
            assert!(found.contains("cbc.endpoint_url"), "{url}: {found}");
            assert!(
                !found.contains("hush") && !found.contains("prox"),
                "{url}: {found}"
            );
        }
    }

    #[test]
    fn tickets_are_made_in_the_live_environment_only_and_pages_wherever_they_are_set() {
        let both = format!("{ZENDESK}{PAGERDUTY}");
        // environment, configured, tickets, pages
        let cases = [
            ("development", both.as_str(), false, true),
            ("test", &both, false, true),
            ("preview", &both, false, true),
            ("staging", &both, false, true),
            ("live", &both, true, true),
            ("production", &both, true, true),
            ("live", "", false, false),
            ("development", "", false, false),
        ];
        for (environment, text, tickets, pages) in cases {
            let config = config(&format!("environment = \"{environment}\"\n{text}"));
            let settings = job_settings(&config).expect("whole");
            assert_eq!(settings.tickets.is_some(), tickets, "{environment}");
            assert_eq!(config.makes_tickets(), tickets, "{environment}");
            assert_eq!(settings.pages.is_some(), pages, "{environment}");
        }
    }

    #[test]
    fn the_keys_of_other_systems_are_never_shown() {
        let config = config(&format!("{ZENDESK}{PAGERDUTY}"));
        let shown = toml::to_string(&config).expect("TOML");
        assert!(!format!("{config:?}").contains("hush") && !shown.contains("hush"));
        assert!(shown.contains("routing_key = \"***\""), "{shown}");
    }
}
