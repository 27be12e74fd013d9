//! `[traces]`: where spans go, in a build that can tell them (D61).

use balefire_gateway::Endpoint;
use serde::{Deserialize, Serialize};

use super::{Config, Url};

/// `[traces]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Traces {
    pub(crate) endpoint_url: Option<Url>,
}

/// What is wrong with `[traces]`.
pub(super) fn check(config: &Config, findings: &mut Vec<String>) {
    let Some(url) = &config.traces.endpoint_url else {
        return;
    };
    if !cfg!(feature = "otlp") {
        findings.push(
            "traces.endpoint_url is set and this build lacks the feature `otlp`: install a build \
             with it (cargo build --features otlp), or remove the key"
                .to_owned(),
        );
    }
    if let Err(error) = Endpoint::parse(url.reveal()) {
        findings.push(format!("traces.endpoint_url: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(url: Option<&str>) -> String {
        let mut config = Config::default();
        config.traces.endpoint_url = url.map(Url::from);
        let mut findings = Vec::new();
        check(&config, &mut findings);
        findings.join("\n")
    }

    #[test]
    fn a_collector_is_named_by_its_address_in_a_build_that_can_tell_it() {
        assert_eq!(findings(None), "");
        let named = findings(Some("http://127.0.0.1:4318"));
        if cfg!(feature = "otlp") {
            assert_eq!(named, "");
        } else {
            assert!(named.contains("feature `otlp`"), "{named}");
            assert!(named.contains("traces.endpoint_url"), "{named}");
        }
        let wrong = findings(Some("here"));
        assert!(wrong.contains("traces.endpoint_url:"), "{wrong}");
    }
}
