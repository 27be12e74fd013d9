//! SQS as a wake-up between processes: ids only, one message at a time.
//!
//! A message says that a lane may have something to send, and nothing more. Who receives it asks
//! the database, whose row lock is the claim; so a message that comes twice, late, out of order or
//! never changes nothing but the moment at which somebody looks, and the sweep looks each second.
//!
//! What is read is hostile until it is understood: its size is bounded, its shape is exact.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::Message;
use aws_smithy_types::timeout::TimeoutConfig;
use balefire_domain::ids::AlertId;
use balefire_domain::provider::ProviderName;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::account::{Account, no_retries};
use crate::plain_words::{innermost, why_not_made};

/// How long a receiver waits for a message: the longest that SQS offers.
pub const POLL: Duration = Duration::from_secs(20);
/// How long a message that was received is hidden from others (R75). A heartbeat begins it anew.
pub const VISIBILITY: Duration = Duration::from_secs(310);
/// Bytes of a message; ours have under 120.
const MESSAGE_BYTES_MAX: usize = 1024;
/// Bound on every call but the poll.
const CALL_MAX: Duration = Duration::from_secs(5);
/// Bound on the poll.
const POLL_MAX: Duration = Duration::from_secs(25);

/// Which queue.
#[derive(Clone, Debug)]
pub struct QueueSettings {
    /// Its name (`queue.name`): a standard queue.
    pub name: String,
    /// Stands in for the region's own address (`queue.endpoint_url`).
    pub endpoint_url: Option<String>,
    /// How long a message that was received is hidden from others: [`VISIBILITY`], whole seconds.
    pub visibility: Duration,
}

/// A lane that may have something to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WakeUp {
    /// The alert.
    pub alert: AlertId,
    /// The provider.
    pub provider: ProviderName,
}

/// A message that is ours for [`VISIBILITY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// What it says; `None` when it is no message of ours.
    pub wake_up: Option<WakeUp>,
    /// How often it has been received, this time included, as far as SQS knows.
    pub times: u32,
    receipt: String,
}

/// Why a call to the queue failed, in plain words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the queue `{queue}`: {why}")]
pub struct QueueError {
    queue: String,
    why: String,
}

/// A queue. Clones share what was looked up.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    name: String,
    visibility: Duration,
    /// Its address, once SQS has told it: a queue that is away at the start is found later.
    url: Arc<OnceCell<String>>,
}

impl Queue {
    /// Opens no connection.
    pub fn new(account: &Account, settings: &QueueSettings) -> Self {
        let mut config = Builder::from(account.config())
            .retry_config(no_retries())
            .timeout_config(within(CALL_MAX));
        if let Some(url) = &settings.endpoint_url {
            config = config.endpoint_url(url);
        }
        Self {
            client: Client::from_conf(config.build()),
            name: settings.name.clone(),
            visibility: settings.visibility,
            url: Arc::default(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says that a lane may have something to send; within 10 s.
    pub async fn send(&self, wake_up: &WakeUp) -> Result<(), QueueError> {
        let body =
            serde_json::to_string(wake_up).map_err(|error| self.failed(error.to_string()))?;
        let url = self.url().await?;
        let sent = self.client.send_message().queue_url(url).message_body(body);
        sent.send().await.map_err(|error| self.explain(&error))?;
        Ok(())
    }

    /// Waits for a message, for [`POLL`] at most.
    pub async fn receive(&self) -> Result<Option<Received>, QueueError> {
        let url = self.url().await?;
        let asked = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(1)
            .visibility_timeout(seconds(self.visibility))
            .wait_time_seconds(seconds(POLL))
            .message_system_attribute_names(
                aws_sdk_sqs::types::MessageSystemAttributeName::ApproximateReceiveCount,
            )
            .customize()
            .config_override(Builder::new().timeout_config(within(POLL_MAX)));
        let received = asked.send().await.map_err(|error| self.explain(&error))?;
        let first = received.messages.unwrap_or_default().into_iter().next();
        Ok(first.and_then(read))
    }

    /// Does `work` for a message and is then done with it. While the work lasts the message is kept
    /// from others by a heartbeat; when keeping it fails somebody else may get it too, which is
    /// harmless. Dropping the future leaves the message to whoever comes next.
    pub async fn carry<T>(
        &self,
        received: &Received,
        work: impl Future<Output = T>,
    ) -> (T, Result<(), QueueError>) {
        let mut work = pin!(work);
        let beat = self.visibility / 3;
        let mut kept = Ok(());
        let done = loop {
            match timeout(beat, work.as_mut()).await {
                Ok(done) => break done,
                Err(_) => {
                    // The work goes on meanwhile.
                    tokio::select! {
                        biased;
                        done = work.as_mut() => break done,
                        held = self.hold(received) => kept = held,
                    }
                }
            }
        };
        (done, self.delete(received).await.and(kept))
    }

    /// Keeps a message from others for the whole time again.
    async fn hold(&self, received: &Received) -> Result<(), QueueError> {
        let url = self.url().await?;
        let held = self
            .client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(&received.receipt)
            .visibility_timeout(seconds(self.visibility));
        held.send().await.map_err(|error| self.explain(&error))?;
        Ok(())
    }

    /// Is done with a message: nobody gets it again.
    pub async fn delete(&self, received: &Received) -> Result<(), QueueError> {
        let url = self.url().await?;
        let deleted = self
            .client
            .delete_message()
            .queue_url(url)
            .receipt_handle(&received.receipt);
        deleted.send().await.map_err(|error| self.explain(&error))?;
        Ok(())
    }

    async fn url(&self) -> Result<&str, QueueError> {
        let url = self.url.get_or_try_init(|| async {
            let asked = self.client.get_queue_url().queue_name(&self.name);
            let told = asked.send().await.map_err(|error| self.explain(&error))?;
            told.queue_url
                .ok_or_else(|| self.failed("SQS did not say where it is".to_owned()))
        });
        url.await.map(String::as_str)
    }

    fn explain<E, R>(&self, error: &SdkError<E, R>) -> QueueError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let why = match error {
            SdkError::ServiceError(answered) => {
                let said = answered.err().meta();
                let code = said.code().unwrap_or("an error without a name");
                format!("SQS says {code}: {}", said.message().unwrap_or("no reason"))
            }
            SdkError::TimeoutError(_) => "SQS did not answer in time".to_owned(),
            SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => {
                format!("{} ({})", why_not_made(error), innermost(error))
            }
            _ => innermost(error),
        };
        self.failed(why)
    }

    fn failed(&self, why: String) -> QueueError {
        QueueError {
            queue: self.name.clone(),
            why,
        }
    }
}

fn within(time: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .read_timeout(time)
        .operation_timeout(time)
        .build()
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).expect("a few minutes")
}

/// A message without a receipt can be neither held nor deleted, so there is none.
fn read(message: Message) -> Option<Received> {
    let times = message
        .attributes
        .as_ref()
        .and_then(|known| {
            known.get(&aws_sdk_sqs::types::MessageSystemAttributeName::ApproximateReceiveCount)
        })
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    Some(Received {
        wake_up: message.body.as_deref().and_then(parse),
        times,
        receipt: message.receipt_handle?,
    })
}

fn parse(body: &str) -> Option<WakeUp> {
    if body.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exactly_our_message_is_understood() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let ours = format!(r#"{{"alert":"{id}","provider":"ee"}}"#);
        let understood = parse(&ours).expect("ours");
        assert_eq!(understood.alert.to_string(), id);
        assert_eq!(understood.provider.as_str(), "ee");
        assert_eq!(serde_json::to_string(&understood).expect("JSON"), ours);
        let long = format!(r#"{{"alert":"{id}","provider":"{}"}}"#, "e".repeat(2000));
        let rows = [
            String::new(),
            "null".to_owned(),
            "[]".to_owned(),
            format!(r#"{{"alert":"{id}"}}"#),
            format!(r#"{{"alert":"{id}","provider":"../x"}}"#),
            r#"{"alert":"7","provider":"ee"}"#.to_owned(),
            format!(r#"{{"alert":"{id}","provider":"ee","text":"x"}}"#),
            format!(r#"{{"alert":"{id}","alert":"{id}","provider":"ee"}}"#),
            long,
        ];
        for body in rows {
            assert_eq!(parse(&body), None, "{body}");
        }
    }
}
