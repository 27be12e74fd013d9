//! What a configuration must not say (D15, D16). Every finding names the keys and what to do.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use balefire_domain::limits::{POINTS_MAX, POLYGONS_MAX};
use balefire_domain::provider::Format;
use balefire_gateway::Endpoint;
use balefire_store::DatabaseUrl;

use super::{Config, Environment, Provider, Secret};

/// What config/example.toml shows in the place of a secret; everybody knows it.
const EXAMPLE_SECRET: &str = "a secret of your own";

/// Everything that is wrong; empty when the configuration may start.
pub(crate) fn check(config: &Config) -> Vec<String> {
    let mut findings = Vec::new();
    check_http(config, &mut findings);
    check_database(config, &mut findings);
    check_links(config, &mut findings);
    check_cbc(config, &mut findings);
    check_providers(&config.provider, &mut findings);
    check_dispatch(config, &mut findings);
    check_bounds(config, &mut findings);
    check_side_effects(config, &mut findings);
    super::notifications::check(config, &mut findings);
    check_addresses(config, &mut findings);
    super::aws::check_queue(config, &mut findings);
    super::metrics::check(config, &mut findings);
    super::traces::check(config, &mut findings);
    findings
}

fn check_http(config: &Config, findings: &mut Vec<String>) {
    if config.http.listen.parse::<SocketAddr>().is_err() {
        findings.push("http.listen is no address and port, such as 127.0.0.1:6011".to_owned());
    }
    let max = balefire_domain::limits::BODY_BYTES_MAX;
    if config.http.body_bytes_max == 0 || config.http.body_bytes_max > max {
        findings.push(format!("http.body_bytes_max must be 1 to {max}"));
    }
    let is_public = config.is_public();
    for (name, secrets) in &config.clients {
        if is_public
            && secrets
                .iter()
                .any(|secret| secret.reveal() == EXAMPLE_SECRET)
        {
            findings.push(format!(
                "clients.{name} has the secret of the example: make your own"
            ));
        }
        if secrets.is_empty() || secrets.iter().any(|secret| secret.reveal().is_empty()) {
            findings.push(format!(
                "clients.{name} needs a list of secrets, none of them empty"
            ));
        }
    }
}

fn check_database(config: &Config, findings: &mut Vec<String>) {
    let url = config.database.url.reveal().parse::<DatabaseUrl>();
    let is_sqlite = matches!(url, Ok(DatabaseUrl::Sqlite(..)));
    if let Err(error) = &url {
        findings.push(format!("database.url: {error}"));
    }
    let is_public = config.is_public();
    if is_public && is_sqlite && !config.database.single_node_is_fine {
        findings.push(
            "environment is staging or live and database.url is SQLite: one disk holds \
             everything; use PostgreSQL, or set database.single_node_is_fine = true"
                .to_owned(),
        );
    }
    if is_public && !is_sqlite && config.secrets.key_file.is_none() {
        findings.push(
            "environment is staging or live and database.url is PostgreSQL: set \
             secrets.key_file, the key that encrypts secrets at rest"
                .to_owned(),
        );
    }
}

/// Links that the author application reads itself are signed with what it has, too.
fn check_links(config: &Config, findings: &mut Vec<String>) {
    let keys = [
        ("links.secret_key", &config.links.secret_key),
        ("links.salt", &config.links.salt),
    ];
    let is_set = |(_, secret): &(&str, &Option<Secret>)| secret.is_some();
    if keys.iter().any(is_set) != keys.iter().all(is_set) {
        findings.push(
            "links.secret_key and links.salt go together: set both, as the author application has \
             them, or neither"
                .to_owned(),
        );
    }
    for (key, secret) in keys {
        if secret
            .as_ref()
            .is_some_and(|secret| secret.reveal().is_empty())
        {
            findings.push(format!("{key} is empty: everybody could make links"));
        }
    }
}

fn check_cbc(config: &Config, findings: &mut Vec<String>) {
    if !config.cbc.enabled {
        return;
    }
    match &config.cbc.endpoint_url {
        None => super::aws::check_lambda(config, findings),
        Some(url) => {
            if let Err(error) = Endpoint::parse(url.reveal()) {
                findings.push(format!("cbc.endpoint_url: {error}"));
            }
        }
    }
    if config.cbc.canary.as_ref().is_some_and(String::is_empty) {
        findings.push("cbc.canary is empty: name the function, or leave it out".to_owned());
    }
    let is_wrong = |c: char| c.is_whitespace() || matches!(c, ',' | '<' | '&');
    if config.cbc.sender.is_empty() || config.cbc.sender.contains(is_wrong) {
        findings.push("cbc.sender must be a name without spaces, commas, < and &".to_owned());
    }
    if config.provider.is_empty() {
        findings.push("cbc.enabled is true and there is no [[provider]]".to_owned());
    }
}

fn check_providers(providers: &[Provider], findings: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for provider in providers {
        let name = &provider.name;
        if !names.insert(name) {
            findings.push(format!("provider `{name}` is declared twice"));
        }
        if provider.routes.is_empty() {
            findings.push(format!(
                "provider `{name}` has no routes: nothing could be sent to it"
            ));
        }
        let limits = provider.limits;
        if !(1..=POLYGONS_MAX).contains(&limits.polygons)
            || !(4..=POINTS_MAX).contains(&limits.points)
            || !(2..=6).contains(&limits.decimals)
        {
            findings.push(format!(
                "provider `{name}`: limits.polygons must be 1 to {POLYGONS_MAX}, limits.points 4 \
                 to {POINTS_MAX} and limits.decimals 2 to 6"
            ));
        }
        let can = &provider.capabilities;
        for (key, value) in [("dedup", can.dedup), ("shared_sites", can.shared_sites)] {
            if can.update && !value {
                findings.push(format!(
                    "provider `{name}`: capabilities.update is true and capabilities.{key} is \
                     false: an earlier text could stay on the air or come back; leave update \
                     false, and a cancel followed by an alert is sent instead"
                ));
            }
        }
        if can.second_language && provider.format == Format::Ibag {
            findings.push(format!(
                "provider `{name}`: capabilities.second_language is true and format is \"ibag\": \
                 an IBAG message has room for one language, and nothing could be sent; leave \
                 second_language false, and the first language is sent alone"
            ));
        }
        let mut routes = BTreeSet::new();
        for route in &provider.routes {
            if route.proxy.is_empty() || !routes.insert(route.name()) {
                findings.push(format!(
                    "provider `{name}`: route `{}` is empty or declared twice",
                    route.name()
                ));
            }
        }
    }
}

fn check_dispatch(config: &Config, findings: &mut Vec<String>) {
    let d = &config.dispatch;
    if d.attempt_deadline_seconds == 0 || d.connect_timeout_ms == 0 {
        findings.push(
            "dispatch.attempt_deadline_seconds and dispatch.connect_timeout_ms must be above 0"
                .to_owned(),
        );
    }
    if d.attempt_deadline_seconds.saturating_mul(2) > d.backoff_cap_seconds {
        findings.push(format!(
            "dispatch.attempt_deadline_seconds = {} is above half of dispatch.backoff_cap_seconds \
             = {}: a silent provider would be tried without a pause",
            d.attempt_deadline_seconds, d.backoff_cap_seconds
        ));
    }
    if d.early_backoff_cap_seconds == 0 || d.backoff_cap_seconds > 86_400 {
        findings.push(
            "dispatch.early_backoff_cap_seconds must be above 0, dispatch.backoff_cap_seconds at \
             most 86400"
                .to_owned(),
        );
    }
    if d.connect_timeout_ms > d.attempt_deadline_seconds.saturating_mul(1000) {
        findings.push(
            "dispatch.connect_timeout_ms is above dispatch.attempt_deadline_seconds".to_owned(),
        );
    }
}

/// Slips of the keyboard that would hold every cancel for hours, or overflow.
fn check_bounds(config: &Config, findings: &mut Vec<String>) {
    let d = &config.dispatch;
    let bounds = [
        ("dispatch.clock_skew_seconds", d.clock_skew_seconds, 60),
        ("dispatch.early_minutes", d.early_minutes, 24 * 60),
        ("dispatch.connect_timeout_ms", d.connect_timeout_ms, 60_000),
        (
            "dispatch.link_test_period_seconds",
            d.link_test_period_seconds,
            86_400,
        ),
        (
            "dispatch.heartbeat_period_seconds",
            d.heartbeat_period_seconds,
            86_400,
        ),
        (
            "dispatch.early_backoff_cap_seconds",
            d.early_backoff_cap_seconds,
            86_400,
        ),
    ];
    for (key, value, max) in bounds {
        if value > max {
            findings.push(format!("{key} = {value} is above {max}"));
        }
    }
    for provider in &config.provider {
        let (name, value) = (&provider.name, provider.upstream_timeout_seconds);
        if value > 300 {
            findings.push(format!(
                "provider `{name}`: upstream_timeout_seconds = {value} is above 300"
            ));
        }
        if provider
            .link_test_period_seconds
            .is_some_and(|p| p > 86_400)
        {
            findings.push(format!(
                "provider `{name}`: link_test_period_seconds is above 86400"
            ));
        }
    }
}

/// Where warnings are real nothing crosses a network in the clear: alerts and their answers could
/// be read and changed on their way. (`[tickets]` and `[pages]` carry keys, and are held to it
/// everywhere.)
fn check_addresses(config: &Config, findings: &mut Vec<String>) {
    if let Some(url) = &config.http.author_url
        && let Err(error) = Endpoint::parse(url.reveal())
    {
        findings.push(format!("http.author_url: {error}"));
    }
    if !config.is_public() {
        return;
    }
    let addresses = [
        ("http.author_url", &config.http.author_url),
        ("cbc.endpoint_url", &config.cbc.endpoint_url),
        ("queue.endpoint_url", &config.queue.endpoint_url),
        ("traces.endpoint_url", &config.traces.endpoint_url),
    ];
    for (key, url) in addresses {
        let endpoint = url.as_ref().map(|url| Endpoint::parse(url.reveal()));
        if let Some(Ok(endpoint)) = endpoint
            && super::side_effects::is_readable_on_its_way(&endpoint)
        {
            findings.push(format!(
                "environment is staging or live and {key} begins with http://: it must begin with \
                 https:// (http:// is for addresses of this machine)"
            ));
        }
    }
}

fn check_side_effects(config: &Config, findings: &mut Vec<String>) {
    super::side_effects::check(config, findings);
    let nobody_is_paged = config.environment == Environment::Live
        && config.cbc.enabled
        && config.pages.kind == "none"
        && !config.pages.none_is_fine;
    if nobody_is_paged {
        findings.push(
            "environment is live, cbc.enabled is true and pages.kind is \"none\": nobody would be \
             woken; set pages.none_is_fine = true if somebody watches in another way"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        check(&parse(text, std::iter::empty()).expect("it can be read"))
    }

    #[test]
    fn where_links_lead_is_an_address() {
        for (url, want) in [
            ("https://alerts.example", None),
            ("http://127.0.0.1:6012", None),
            ("alerts.example", Some("http.author_url")),
            ("https://a:b@alerts.example", Some("http.author_url")),
        ] {
            let found = findings(&format!("[http]\nauthor_url = \"{url}\"\n")).join("\n");
            assert_eq!(
                found.contains("http.author_url"),
                want.is_some(),
                "{url}: {found}"
            );
        }
        let live = "environment = \"live\"\n[http]\nauthor_url = \"http://alerts.example\"\n";
        assert!(
            findings(live)
                .join("\n")
                .contains("http.author_url begins with http://")
        );
    }

    #[test]
    fn what_signs_links_is_whole_or_absent() {
        for (keys, want) in [
            ("", ""),
            ("secret_key = \"a\"\nsalt = \"b\"", ""),
            (
                "secret_key = \"a\"",
                "links.secret_key and links.salt go together",
            ),
            (
                "salt = \"b\"",
                "links.secret_key and links.salt go together",
            ),
            (
                "secret_key = \"\"\nsalt = \"b\"",
                "links.secret_key is empty",
            ),
            ("secret_key = \"a\"\nsalt = \"\"", "links.salt is empty"),
        ] {
            let found = findings(&format!("[links]\n{keys}\n")).join("\n");
            assert_eq!(
                found.contains("links."),
                !want.is_empty(),
                "{keys}: {found}"
            );
            assert!(found.contains(want), "{keys}: {found}");
        }
    }

    #[test]
    fn what_may_not_start_is_named_with_its_keys() {
        let url = "[cbc]\nendpoint_url = \"http://127.0.0.1:9010\"\n";
        let one = "[[provider]]\nname = \"ee\"\nformat = \"cap\"\n";
        // the rest of the file, the keys that must be named
        let cases = [
            (
                "environment = \"live\"\n",
                vec!["pages.kind", "pages.none_is_fine"],
            ),
            (
                "environment = \"staging\"\n",
                vec!["database.single_node_is_fine", "database.url"],
            ),
            ("[http]\nlisten = \"here\"\n", vec!["http.listen"]),
            ("[http]\nbody_bytes_max = 0\n", vec!["http.body_bytes_max"]),
            (
                "environment = \"live\"\n[clients]\nx = [\"a secret of your own\"]\n",
                vec!["clients.x", "example"],
            ),
            ("[clients]\nx = []\n", vec!["clients.x"]),
            ("[database]\nurl = \"mysql://x\"\n", vec!["database.url"]),
            (
                "[tickets]\nkind = \"zendesk\"\n",
                vec!["tickets.kind", "tickets.key"],
            ),
            (
                "[dispatch]\nclock_skew_seconds = 10000\n",
                vec!["dispatch.clock_skew_seconds"],
            ),
            (
                "[dispatch]\nearly_minutes = 18446744073709551\n",
                vec!["dispatch.early_minutes"],
            ),
            ("[queue]\nkind = \"kafka\"\n", vec!["queue.kind"]),
            ("[metrics]\nlisten = \"here\"\n", vec!["metrics.listen"]),
            (
                "[dispatch]\nlink_test_period_seconds = 86401\n",
                vec!["dispatch.link_test_period_seconds"],
            ),
            (
                "[dispatch]\nheartbeat_period_seconds = 86401\n",
                vec!["dispatch.heartbeat_period_seconds"],
            ),
            (
                &format!("{one}routes = [{{ proxy = \"a\" }}]\nlink_test_period_seconds = 86401\n"),
                vec!["ee", "link_test_period_seconds"],
            ),
            (
                "[dispatch]\nattempt_deadline_seconds = 121\n",
                vec![
                    "dispatch.attempt_deadline_seconds",
                    "dispatch.backoff_cap_seconds",
                ],
            ),
            (&format!("{one}routes = []\n"), vec!["ee", "routes"]),
        ];
        for (text, keys) in cases {
            // Sections come after top-level keys.
            let text = format!("{text}{url}");
            let found = findings(&text).join("\n");
            for key in keys {
                assert!(
                    found.contains(key),
                    "{text}\nshould name {key}; found:\n{found}"
                );
            }
        }
    }

    #[test]
    fn where_warnings_are_real_nothing_leaves_the_machine_in_the_clear() {
        // the environment, the address, whether it is refused
        let rows = [
            ("live", "http://proxies.example", true),
            ("production", "http://10.0.0.7:9010", true),
            ("staging", "http://127.0.0.1.example", true),
            ("staging", "HTTP://0.0.0.0:9010", true),
            ("live", "https://proxies.example", false),
            ("live", "http://127.0.0.1:9010", false),
            ("live", "http://[::1]:9010", false),
            ("staging", "http://localhost:9010", false),
            ("preview", "http://proxies.example", false),
            ("development", "http://proxies.example", false),
        ];
        for (environment, url, is_refused) in rows {
            for section in ["cbc", "queue", "traces"] {
                let text = format!(
                    "environment = \"{environment}\"\n[{section}]\nendpoint_url = \"{url}\"\n"
                );
                let found = findings(&text);
                let key = format!("{section}.endpoint_url begins with http://");
                let finding = found.iter().find(|finding| finding.contains(&key));
                assert_eq!(finding.is_some(), is_refused, "{text}{found:?}");
                assert!(!found.join("").contains("9010"), "{found:?}");
            }
        }
    }

    #[test]
    fn sites_may_be_named_and_need_not_share_their_state() {
        let routes = "routes = [{ proxy = \"a\", site = \"cbc_a\" }, { proxy = \"a\", \
                      site = \"cbc_b\" }]\n";
        for capabilities in ["", "capabilities = { dedup = true }\n"] {
            let text = format!(
                "[cbc]\nendpoint_url = \"http://127.0.0.1:9010\"\n[[provider]]\nname = \"ee\"\n\
                 format = \"cap\"\n{routes}{capabilities}"
            );
            assert_eq!(findings(&text), Vec::<String>::new());
        }
    }

    #[test]
    fn updates_want_dedup_and_shared_sites() {
        // dedup, shared sites, the keys named
        let rows: [(bool, bool, &[&str]); 4] = [
            (true, true, &[]),
            (true, false, &["capabilities.shared_sites"]),
            (false, true, &["capabilities.dedup"]),
            (
                false,
                false,
                &["capabilities.dedup", "capabilities.shared_sites"],
            ),
        ];
        for (dedup, shared, keys) in rows {
            for update in [true, false] {
                let text = format!(
                    "[cbc]\nendpoint_url = \"http://127.0.0.1:9010\"\n[[provider]]\nname = \"ee\"\n\
                     format = \"cap\"\nroutes = [{{ proxy = \"a\" }}]\ncapabilities = {{ \
                     dedup = {dedup}, shared_sites = {shared}, update = {update} }}\n"
                );
                let found = findings(&text);
                let want = if update { keys } else { &[] };
                assert_eq!(found.len(), want.len(), "{found:?}");
                for (finding, key) in found.iter().zip(want) {
                    assert!(finding.contains("capabilities.update") && finding.contains(key));
                }
            }
        }
    }

    #[test]
    fn a_second_language_wants_a_format_that_has_room_for_it() {
        for (format, can, is_refused) in [
            ("cap", true, false),
            ("cap", false, false),
            ("ibag", true, true),
            ("ibag", false, false),
        ] {
            let text = format!(
                "[cbc]\nendpoint_url = \"http://127.0.0.1:9010\"\n[[provider]]\nname = \"ee\"\n\
                 format = \"{format}\"\nroutes = [{{ proxy = \"a\" }}]\ncapabilities = {{ \
                 second_language = {can} }}\n"
            );
            let found = findings(&text);
            assert_eq!(
                found.len(),
                usize::from(is_refused),
                "{format} {can}: {found:?}"
            );
            for finding in found {
                let keys = ["`ee`", "capabilities.second_language", "format is"];
                assert!(keys.iter().all(|key| finding.contains(key)), "{finding}");
            }
        }
    }

    #[test]
    fn without_an_endpoint_nothing_starts_unless_the_proxies_are_off() {
        let without = findings("").join("");
        if cfg!(feature = "aws") {
            assert_eq!(without, "", "Lambda functions it is");
        } else {
            assert!(without.contains("cbc.endpoint_url"), "{without}");
            assert!(without.contains("feature `aws`"), "{without}");
        }
        assert_eq!(findings("[cbc]\nenabled = false"), Vec::<String>::new());
        assert_eq!(
            findings("[cbc]\nendpoint_url = \"http://127.0.0.1:9010\""),
            Vec::<String>::new()
        );
    }
}
