//! Which way out is used: a server that speaks the Invoke API, or Lambda functions on AWS (D16).
//!
//! `cbc.endpoint_url` names the server. Without it, and with the proxies enabled, the functions of
//! `cbc.region` are invoked, which takes a build with the feature `aws` (D61). Both keep the same
//! promises: they write through the same connections and judge by the same table.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use balefire_dispatcher::ports::{Answered, ProbeRequest, Probed, SendRequest, WayOut};
use balefire_domain::time::Clock;
use balefire_gateway::{Endpoint, Gateway, GatewaySettings};

use crate::config::{Config, Url};

/// The way out of this process. Clones share the warm connections.
#[derive(Clone)]
pub(crate) enum Way {
    /// A server that speaks the Invoke API.
    Server(Gateway),
    /// Lambda functions.
    #[cfg(feature = "aws")]
    Lambda(balefire_aws::Lambda),
}

impl WayOut for Way {
    async fn send(&self, request: SendRequest) -> Answered {
        match self {
            Self::Server(gateway) => gateway.send(request).await,
            #[cfg(feature = "aws")]
            Self::Lambda(lambda) => lambda.send(request).await,
        }
    }

    async fn probe(&self, request: ProbeRequest) -> Probed {
        match self {
            Self::Server(gateway) => gateway.probe(request).await,
            #[cfg(feature = "aws")]
            Self::Lambda(lambda) => lambda.probe(request).await,
        }
    }
}

/// The way out of a process that may need one.
#[derive(Default)]
pub(crate) struct Shared(Option<Way>);

impl Shared {
    /// Opens it the first time.
    pub(crate) async fn open(
        &mut self,
        config: &Config,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Way> {
        let way = match self.0.take() {
            Some(way) => way,
            None => open(config, clock).await?,
        };
        Ok(self.0.insert(way).clone())
    }
}

/// Prepares the way out; nothing is sent. Only a process that dispatches or tests links needs it,
/// and only there credentials are asked for (R94).
#[cfg_attr(
    not(feature = "aws"),
    expect(clippy::unused_async, reason = "credentials are waited for")
)]
pub(crate) async fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Way> {
    #[cfg(feature = "aws")]
    if config.cbc.enabled && config.cbc.endpoint_url.is_none() {
        return lambda(config, clock).await.map(Way::Lambda);
    }
    // With the proxies off nothing is ever sent; the address is never used.
    let endpoint = config
        .cbc
        .endpoint_url
        .as_ref()
        .map_or("http://127.0.0.1:9", Url::reveal);
    let settings = GatewaySettings {
        endpoint: Endpoint::parse(endpoint).context("cbc.endpoint_url")?,
        connect_timeout: connect_timeout(config),
        ca_file: ca_file(config),
    };
    let gateway = Gateway::new(settings, Arc::clone(clock)).context("cbc.ca_file")?;
    Ok(Way::Server(gateway))
}

#[cfg(feature = "aws")]
async fn lambda(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<balefire_aws::Lambda> {
    use balefire_aws::{CredentialsCheck, Lambda};
    use balefire_gateway::Wire;

    let region = &config.cbc.region;
    let account = account(config, region, clock).await?;
    match account.check_credentials().await {
        CredentialsCheck::Found => {}
        CredentialsCheck::Missing(why) => anyhow::bail!(
            "cbc.enabled is true and cbc.endpoint_url is absent, so the proxies are Lambda \
             functions in {region} (cbc.region); but {why}. Give this process credentials as \
             docs/aws.md says, name a server in cbc.endpoint_url, or set cbc.enabled = false"
        ),
        CredentialsCheck::Failed(why) => tracing::warn!(
            event = "aws.credentials_failed",
            why,
            "the AWS credentials did not come; until they do, every attempt is refused"
        ),
    }
    let ca_file = ca_file(config);
    let wire = Wire::new(
        connect_timeout(config),
        ca_file.as_deref(),
        Arc::clone(clock),
    )
    .context("cbc.ca_file")?;
    tracing::info!(
        event = "aws.lambda",
        region,
        "the proxies are Lambda functions"
    );
    Ok(Lambda::new(&account, wire, None))
}

/// The account of this process, with the credentials that its surroundings give it.
#[cfg(feature = "aws")]
pub(crate) async fn account(
    config: &Config,
    region: &str,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<balefire_aws::Account> {
    let settings = balefire_aws::AccountSettings {
        region: region.to_owned(),
        connect_timeout: connect_timeout(config),
        ca_file: ca_file(config),
    };
    balefire_aws::Account::load(&settings, Arc::clone(clock), None)
        .await
        .context("cbc.ca_file")
}

const fn connect_timeout(config: &Config) -> Duration {
    Duration::from_millis(config.dispatch.connect_timeout_ms)
}

fn ca_file(config: &Config) -> Option<PathBuf> {
    config.cbc.ca_file.clone().map(PathBuf::from)
}
