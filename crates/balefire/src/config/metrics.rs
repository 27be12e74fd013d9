//! `[metrics]`: where `/metrics` is answered.

use std::net::{AddrParseError, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::Config;

/// `[metrics]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    pub(crate) listen: String,
}

impl Metrics {
    /// Where to listen, where that is anywhere. A port alone is one of this machine's loopback:
    /// nobody needs a token to read the metrics.
    pub(crate) fn address(&self) -> Option<Result<SocketAddr, AddrParseError>> {
        if self.listen.is_empty() {
            return None;
        }
        let port = self.listen.strip_prefix(':');
        if let Some(port) = port.and_then(|port| port.parse().ok()) {
            return Some(Ok((Ipv4Addr::LOCALHOST, port).into()));
        }
        Some(self.listen.parse())
    }
}

/// What is wrong with `[metrics]`.
pub(super) fn check(config: &Config, findings: &mut Vec<String>) {
    let address = match config.metrics.address() {
        None => return,
        Some(Ok(address)) => address,
        Some(Err(_)) => {
            findings.push(
                "metrics.listen is no address and port, such as 127.0.0.1:6012; nor a port of \
                 this machine alone, such as :6012; nor empty, which is off"
                    .to_owned(),
            );
            return;
        }
    };
    let Ok(http) = config.http.listen.parse::<SocketAddr>() else {
        return;
    };
    let is_any = address.ip().is_unspecified() || http.ip().is_unspecified();
    // Port 0 is a free one, of each its own.
    if address.port() == http.port() && address.port() != 0 && (is_any || address.ip() == http.ip())
    {
        findings.push(
            "metrics.listen is http.listen: who may use the API must not read the metrics without \
             a token; give them another port"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_an_empty_text_is_off() {
        let address = |listen: &str| {
            let listen = listen.to_owned();
            let address = Metrics { listen }.address();
            address.map(|address| address.ok().map(|address| address.to_string()))
        };
        assert_eq!(address(""), None);
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(address(":6012"), some("127.0.0.1:6012"));
        assert_eq!(address("10.0.0.1:6012"), some("10.0.0.1:6012"));
        for wrong in ["6012", ":", ":70000", "here:6012", ":+1x"] {
            assert_eq!(address(wrong), Some(None), "{wrong}");
        }
    }

    #[test]
    fn the_metrics_have_a_port_of_their_own() {
        // http.listen, metrics.listen, whether it is refused
        let rows = [
            ("127.0.0.1:6011", "", false),
            ("127.0.0.1:6011", ":6012", false),
            ("127.0.0.1:6011", ":6011", true),
            ("127.0.0.1:6011", "127.0.0.1:6011", true),
            ("0.0.0.0:6011", ":6011", true),
            ("10.0.0.1:6011", "0.0.0.0:6011", true),
            ("10.0.0.1:6011", ":6011", false),
            ("127.0.0.1:0", ":0", false),
        ];
        for (http, listen, is_refused) in rows {
            let mut config = Config::default();
            config.http.listen = http.to_owned();
            config.metrics.listen = listen.to_owned();
            let mut findings = Vec::new();
            check(&config, &mut findings);
            let found = findings.join("");
            assert_eq!(!found.is_empty(), is_refused, "{http} {listen}: {found}");
            let names_both = found.contains("metrics.listen") && found.contains("http.listen");
            assert_eq!(names_both, is_refused, "{found}");
        }
    }
}
