//! Every key with what it must be: the one table from which a refusal's words are made. It knows
//! no default; what keys must be together is `check.rs`.

use balefire_domain::provider::ProviderName;

use super::shape::Shape::{
    self, Count, Flag, List, Named, Section, Sections, Text, TextThat, Word,
};

/// What a TOML whole number can hold.
const ANY: u64 = i64::MAX as u64;
const URL: Shape = Text;

/// The whole configuration.
pub(super) const CONFIGURATION: Shape = Section {
    keys: &[
        (
            "environment",
            Word(&[
                "development",
                "test",
                "preview",
                "staging",
                "live",
                "production",
            ]),
        ),
        ("http", optional(HTTP)),
        (
            "database",
            optional(&[("url", URL), ("single_node_is_fine", Flag)]),
        ),
        ("clients", Named(&List(&Text))),
        ("cbc", optional(CBC)),
        (
            "provider",
            Sections(&Section {
                keys: PROVIDER,
                needed: &["name", "format", "routes"],
            }),
        ),
        ("dispatch", optional(DISPATCH)),
        (
            "text",
            optional(&[("scripts", Word(&["gsm-welsh", "any"]))]),
        ),
        ("secrets", optional(&[("key_file", Text)])),
        ("links", optional(&[("secret_key", Text), ("salt", Text)])),
        ("tickets", optional(TICKETS)),
        ("pages", optional(PAGES)),
        ("notifications", optional(NOTIFICATIONS)),
        ("queue", optional(QUEUE)),
        ("metrics", optional(&[("listen", Text)])),
        ("traces", optional(&[("endpoint_url", URL)])),
    ],
    needed: &[],
};

const HTTP: &[(&str, Shape)] = &[
    ("listen", Text),
    ("body_bytes_max", Count(ANY)),
    ("route_secrets", List(&Text)),
    ("requests_per_minute_per_key", Count(u32::MAX as u64)),
    ("author_url", URL),
];

const CBC: &[(&str, Shape)] = &[
    ("enabled", Flag),
    ("endpoint_url", URL),
    ("ca_file", Text),
    ("canary", Text),
    ("region", Text),
    ("headline", Text),
    ("sender", Text),
    ("sender_name", Text),
    ("public_page", Text),
    ("signing_certificate_file", Text),
];

const PROVIDER: &[(&str, Shape)] = &[
    (
        "name",
        TextThat {
            says: "a name of 1 to 32 of a-z, 0-9, - and _ in quotes, beginning with a letter and \
                   other than \"all\"",
            holds: |text| ProviderName::new(text).is_ok(),
        },
    ),
    ("format", Word(&["cap", "ibag"])),
    (
        "routes",
        List(&Section {
            keys: &[("proxy", Text), ("site", Word(&["cbc_a", "cbc_b"]))],
            needed: &["proxy"],
        }),
    ),
    (
        "capabilities",
        optional(&[
            ("dedup", Flag),
            ("shared_sites", Flag),
            ("update", Flag),
            ("success_is_accepted", Flag),
            ("own_protocol", Flag),
            ("second_language", Flag),
        ]),
    ),
    ("upstream_timeout_seconds", Count(ANY)),
    ("link_test_period_seconds", Count(ANY)),
    (
        "languages",
        Section {
            keys: &[("english", Text), ("welsh", Text)],
            needed: &["english", "welsh"],
        },
    ),
    (
        "limits",
        optional(&[
            ("polygons", Count(ANY)),
            ("points", Count(ANY)),
            ("decimals", Count(6)),
        ]),
    ),
];

const DISPATCH: &[(&str, Shape)] = &[
    ("connect_timeout_ms", Count(ANY)),
    ("attempt_deadline_seconds", Count(ANY)),
    ("clock_skew_seconds", Count(ANY)),
    ("backoff_cap_seconds", Count(ANY)),
    ("early_backoff_cap_seconds", Count(ANY)),
    ("early_minutes", Count(ANY)),
    ("hedging", Flag),
    ("link_test_period_seconds", Count(ANY)),
    ("heartbeat_period_seconds", Count(ANY)),
    ("instance_name", Text),
];

const TICKETS: &[(&str, Shape)] = &[
    ("kind", Text),
    ("endpoint_url", URL),
    ("email", Text),
    ("key", Text),
];

const PAGES: &[(&str, Shape)] = &[
    ("kind", Text),
    ("none_is_fine", Flag),
    ("endpoint_url", URL),
    ("routing_key", Text),
];

const NOTIFICATIONS: &[(&str, Shape)] = &[
    ("kind", Text),
    ("from", Text),
    ("file", Text),
    ("sms", optional(&[("kind", Text)])),
    (
        "notify",
        optional(&[
            ("base_url", URL),
            ("api_key", Text),
            ("templates", Named(&Text)),
        ]),
    ),
    (
        "smtp",
        optional(&[
            ("host", Text),
            ("port", Count(u16::MAX as u64)),
            ("security", Text),
            ("user", Text),
            ("password", Text),
        ]),
    ),
];

const QUEUE: &[(&str, Shape)] = &[
    ("kind", Text),
    ("endpoint_url", URL),
    ("region", Text),
    ("name", Text),
    ("dead_letter_name", Text),
];

const fn optional(keys: &'static [(&'static str, Shape)]) -> Shape {
    Section { keys, needed: &[] }
}
