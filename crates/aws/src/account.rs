//! Where requests to AWS go and who makes them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_types::retry::{ReconnectMode, RetryConfig};
use balefire_domain::time::Clock;
use balefire_gateway::{GatewayError, HttpClient};

use crate::plain_words;
use crate::sdk_http::{Calls, ClockSource};

/// How long the check of the credentials at the start may take.
const CHECK_MAX: Duration = Duration::from_secs(10);

/// How AWS is reached.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// The region (`cbc.region`), such as `eu-west-2`.
    pub region: String,
    /// Bound on name, TCP and TLS together (`dispatch.connect_timeout_ms`).
    pub connect_timeout: Duration,
    /// Certificate authorities beside the public ones, in PEM form (`cbc.ca_file`).
    pub ca_file: Option<PathBuf>,
}

/// A region and credentials, for the clients of services.
#[derive(Clone)]
pub struct Account {
    config: SdkConfig,
}

/// What a look at the credentials found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialsCheck {
    /// They are there.
    Found,
    /// Nobody has configured any: nothing can ever be sent. Why, in plain words.
    Missing(String),
    /// They did not come this time. Why, in plain words.
    Failed(String),
}

impl Account {
    /// Reads the environment and the shared configuration files of AWS. Opens no connection.
    /// `credentials`: `None` takes the SDK's usual places (environment, web identity, container,
    /// instance). Errors when the file of further authorities can't be used.
    pub async fn load(
        settings: &AccountSettings,
        clock: Arc<dyn Clock>,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Result<Self, GatewayError> {
        let client = HttpClient::new(settings.connect_timeout, settings.ca_file.as_deref())?;
        let times = TimeoutConfig::builder()
            .connect_timeout(settings.connect_timeout)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.region.clone()))
            .http_client(Calls::new(client))
            .time_source(ClockSource(clock))
            .retry_config(no_retries())
            .timeout_config(times);
        if let Some(credentials) = credentials {
            loader = loader.credentials_provider(credentials);
        }
        Ok(Self {
            config: loader.load().await,
        })
    }

    /// Looks once whether there are credentials, for 10 s at most.
    pub async fn check_credentials(&self) -> CredentialsCheck {
        let Some(provider) = self.config.credentials_provider() else {
            return CredentialsCheck::Missing("there are no AWS credentials".to_owned());
        };
        let failed = CredentialsCheck::Failed;
        match tokio::time::timeout(CHECK_MAX, provider.provide_credentials()).await {
            Ok(Ok(_)) => CredentialsCheck::Found,
            Ok(Err(error)) => {
                let words = plain_words::credentials(&error);
                let text = format!("{words} ({})", plain_words::innermost(&error));
                match error {
                    CredentialsError::CredentialsNotLoaded(_)
                    | CredentialsError::InvalidConfiguration(_) => CredentialsCheck::Missing(text),
                    _ => failed(text),
                }
            }
            Err(_) => failed("the AWS credentials did not come in time".to_owned()),
        }
    }

    pub(crate) const fn config(&self) -> &SdkConfig {
        &self.config
    }
}

/// One call is one request, and which connection is used again is the gateway's decision.
pub fn no_retries() -> RetryConfig {
    RetryConfig::disabled().with_reconnect_mode(ReconnectMode::ReuseAllConnections)
}
