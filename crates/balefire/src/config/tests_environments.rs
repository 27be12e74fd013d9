//! One table over real configurations (D16, R89 to R94, W40): what may start in which environment,
//! what it then does, and which two keys are named where it may not.

use super::{check, job_settings, parse};

const PROXIES: &str = "[cbc]\nendpoint_url = \"http://127.0.0.1:9010\"\n";
const NO_PROXIES: &str = "[cbc]\nenabled = false\n";
const POSTGRES: &str = "[database]\nurl = \"postgres://balefire@db.example/balefire\"\n\
                        [secrets]\nkey_file = \"/etc/balefire/key\"\n";
const KEYLESS: &str = "[database]\nurl = \"postgres://balefire@db.example/balefire\"\n";
const SQLITE: &str = "[database]\nsingle_node_is_fine = true\n";
const TICKETS: &str = "[tickets]\nkind = \"zendesk\"\nendpoint_url = \"https://desk.example\"\n\
                       email = \"a@example.org\"\nkey = \"hush\"\n";
const PAGES: &str = "[pages]\nkind = \"pagerduty\"\nendpoint_url = \"https://pages.example\"\n\
                     routing_key = \"hush\"\n";
const NOBODY: &str = "[notifications]\nkind = \"none\"\n";
const QUIET: &str = "[pages]\nnone_is_fine = true\n";

/// What an environment comes to.
enum Want {
    /// It starts.
    Starts {
        /// The environment's own word.
        is: &'static str,
        tickets: bool,
        pages: bool,
    },
    /// It is refused, and these keys are named.
    Refused(&'static [&'static str]),
}

const fn starts(is: &'static str, tickets: bool, pages: bool) -> Want {
    Want::Starts { is, tickets, pages }
}

#[test]
fn every_environment_starts_or_names_the_keys_that_contradict_each_other() {
    let single = &[
        "environment",
        "database.url",
        "database.single_node_is_fine",
    ];
    let silent = &[
        "environment",
        "cbc.enabled",
        "pages.kind",
        "pages.none_is_fine",
    ];
    let untold = &["environment", "notifications.kind"];
    let keyless = &["environment", "database.url", "secrets.key_file"];
    let cases = [
        (
            "development",
            vec![PROXIES],
            starts("development", false, false),
        ),
        (
            "development",
            vec![NO_PROXIES],
            starts("development", false, false),
        ),
        ("test", vec![PROXIES, KEYLESS], starts("test", false, false)),
        (
            "preview",
            vec![PROXIES, TICKETS, PAGES],
            starts("preview", false, true),
        ),
        ("staging", vec![PROXIES, NOBODY], Want::Refused(single)),
        (
            "staging",
            vec![PROXIES, SQLITE, NOBODY],
            starts("staging", false, false),
        ),
        (
            "staging",
            vec![PROXIES, KEYLESS, NOBODY],
            Want::Refused(keyless),
        ),
        (
            "staging",
            vec![PROXIES, POSTGRES, TICKETS, NOBODY],
            starts("staging", false, false),
        ),
        (
            "live",
            vec![PROXIES, POSTGRES, NOBODY],
            Want::Refused(silent),
        ),
        ("live", vec![PROXIES, PAGES, NOBODY], Want::Refused(single)),
        (
            "live",
            vec![PROXIES, KEYLESS, PAGES, NOBODY],
            Want::Refused(keyless),
        ),
        (
            "live",
            vec![PROXIES, POSTGRES, QUIET, NOBODY],
            starts("live", false, false),
        ),
        (
            "live",
            vec![PROXIES, POSTGRES, PAGES, TICKETS, NOBODY],
            starts("live", true, true),
        ),
        (
            "live",
            vec![PROXIES, SQLITE, PAGES, TICKETS, NOBODY],
            starts("live", true, true),
        ),
        ("staging", vec![PROXIES, POSTGRES], Want::Refused(untold)),
        (
            "live",
            vec![PROXIES, POSTGRES, PAGES],
            Want::Refused(untold),
        ),
        // Nobody need be paged where nothing is sent.
        (
            "live",
            vec![NO_PROXIES, POSTGRES, NOBODY],
            starts("live", false, false),
        ),
        // The earlier service's word for the same (R92).
        (
            "production",
            vec![PROXIES, POSTGRES, PAGES, TICKETS, NOBODY],
            starts("live", true, true),
        ),
        (
            "production",
            vec![PROXIES, POSTGRES, NOBODY],
            Want::Refused(silent),
        ),
    ];
    for (environment, sections, want) in cases {
        let case = format!("{environment} with {sections:?}");
        let text = sections.concat();
        // As it is deployed: from the environment of the process.
        let variable = ("BALEFIRE__ENVIRONMENT".to_owned(), environment.to_owned());
        let config = parse(&text, std::iter::once(variable)).expect("it can be read");
        let findings = check(&config);
        match want {
            Want::Starts { is, tickets, pages } => {
                assert_eq!(findings, Vec::<String>::new(), "{case}");
                assert_eq!(config.environment.as_str(), is, "{case}");
                let jobs = job_settings(&config).expect("it was checked");
                assert_eq!(jobs.tickets.is_some(), tickets, "tickets: {case}");
                assert_eq!(jobs.pages.is_some(), pages, "pages: {case}");
            }
            Want::Refused(keys) => {
                let found = findings.join("\n");
                for key in keys {
                    assert!(found.contains(key), "{case} should name {key}: {found}");
                }
            }
        }
        let shown = format!(
            "{config:?}{}{}",
            toml::to_string(&config).expect("TOML"),
            findings.join("")
        );
        assert!(!shown.contains("hush"), "{case}: a secret is shown");
    }
}

#[test]
fn a_word_that_is_no_environment_is_refused_by_name() {
    for word in ["prod", "Live", ""] {
        let text = format!("environment = \"{word}\"\n");
        let error = parse(&text, std::iter::empty()).expect_err("refused");
        assert!(format!("{error:#}").contains("environment"), "{error:#}");
    }
}
