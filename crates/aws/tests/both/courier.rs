//! A way out of either kind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use balefire_aws::{Account, AccountSettings, Lambda};
use balefire_domain::time::Clock;
use balefire_gateway::{Answered, Gateway, ProbeRequest, Probed, SendRequest, Wire};

use crate::support::settings;

/// The time to connect in these tests.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// One of the two clients.
#[derive(Clone)]
pub enum Courier {
    Http(Gateway),
    Aws(Lambda),
}

impl Courier {
    /// Both of them, each for the server at `url`.
    pub async fn both(url: &str, clock: &Arc<impl Clock + 'static>) -> [(&'static str, Self); 2] {
        [
            ("http", Self::http(url, clock)),
            ("aws", Self::aws(url, clock).await),
        ]
    }

    pub fn http(url: &str, clock: &Arc<impl Clock + 'static>) -> Self {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        Self::Http(Gateway::new(settings(url), clock).unwrap())
    }

    /// Credentials of nobody: whoever listens on loopback believes them.
    pub async fn aws(url: &str, clock: &Arc<impl Clock + 'static>) -> Self {
        let nobody = Credentials::new("dummy", "dummy", None, None, "test");
        Self::aws_as(url, clock, SharedCredentialsProvider::new(nobody)).await
    }

    pub async fn aws_as(
        url: &str,
        clock: &Arc<impl Clock + 'static>,
        credentials: SharedCredentialsProvider,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
        let settings = AccountSettings {
            region: "eu-west-2".to_owned(),
            connect_timeout: CONNECT_MAX,
            ca_file: None,
        };
        let account = Account::load(&settings, Arc::clone(&clock), Some(credentials))
            .await
            .unwrap();
        let wire = Wire::new(CONNECT_MAX, None, clock).unwrap();
        Self::Aws(Lambda::new(&account, wire, Some(url)))
    }

    pub async fn send(&self, request: SendRequest) -> Answered {
        match self {
            Self::Http(gateway) => gateway.send(request).await,
            Self::Aws(lambda) => lambda.send(request).await,
        }
    }

    pub async fn probe(&self, request: ProbeRequest) -> Probed {
        match self {
            Self::Http(gateway) => gateway.probe(request).await,
            Self::Aws(lambda) => lambda.probe(request).await,
        }
    }
}

pub fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
