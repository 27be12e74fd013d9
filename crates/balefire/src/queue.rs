//! SQS between processes, where `[queue] kind = "sqs"`: a wake-up that saves other processes the
//! wait for their sweep, and nothing else (stack 3).
//!
//! Whoever approves or cancels names the alert to [`announce`], which can neither delay nor fail
//! it: what does not fit is dropped, what can't be sent is logged. [`listen`] takes one message at
//! a time, wakes dispatch, and is done with the message when its lane's turn is over. The claim is
//! the lane's row lock in the database. [`watch_given_up`] reads the dead-letter queue and tells a
//! person, where a delivery has not ended; it writes to no delivery.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use balefire_app::App;
use balefire_aws::{Queue, QueueError, QueueSettings, Received, VISIBILITY, WakeUp};
use balefire_domain::ids::AlertId;
use balefire_domain::time::Clock;
use balefire_store::lanes::LaneKey;
use balefire_store::{Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::service::{Dispatcher, Loops};
use crate::way_out;

/// Alerts that wait to be announced; the sweep finds what does not fit.
const ANNOUNCED_MAX: usize = 1_000;
/// The pause after a failed call, so that a queue that is away is not called without end.
const FAILED_WAIT: Duration = Duration::from_secs(5);

/// The queues of this process.
pub(crate) struct Queues {
    wake_ups: Queue,
    given_up: Option<Queue>,
}

/// Prepares the queues that the configuration names. Opens no connection.
pub(crate) async fn open(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Queues>> {
    let asked = &config.queue;
    if asked.kind != "sqs" {
        return Ok(None);
    }
    let region = asked.region.as_ref().unwrap_or(&config.cbc.region);
    let account = way_out::account(config, region, clock).await?;
    let queue = |name: &String| {
        let settings = QueueSettings {
            name: name.clone(),
            endpoint_url: asked
                .endpoint_url
                .as_ref()
                .map(|url| url.reveal().to_owned()),
            visibility: VISIBILITY,
        };
        Queue::new(&account, &settings)
    };
    let name = asked.name.as_ref().context("queue.name is absent")?;
    Ok(Some(Queues {
        wake_ups: queue(name),
        given_up: asked.dead_letter_name.as_ref().map(queue),
    }))
}

/// The application, with an end to which it names alerts, where there is a queue for them.
pub(crate) fn with_announcements(
    app: App,
    queues: Option<&Queues>,
    loops: &mut Loops,
    end: &CancellationToken,
) -> App {
    let Some(queues) = queues else {
        return app;
    };
    let (announced, alerts) = mpsc::channel(ANNOUNCED_MAX);
    let (queue, store) = (queues.wake_ups.clone(), app.store.clone());
    let (clock, end) = (Arc::clone(&app.clock), end.clone());
    loops.spawn(async move {
        announce(queue, store, clock, alerts, end).await;
        ("announcements", Ok(()))
    });
    App {
        announced: Some(announced),
        ..app
    }
}

/// Begins to take messages for a dispatcher.
pub(crate) fn listen_all(
    queues: Option<Queues>,
    dispatcher: &Arc<Dispatcher>,
    loops: &mut Loops,
    end: &CancellationToken,
) {
    let Some(Queues { wake_ups, given_up }) = queues else {
        return;
    };
    let listening = listen(wake_ups, Arc::clone(dispatcher), end.clone());
    loops.spawn(async move {
        listening.await;
        ("queue", Ok(()))
    });
    if let Some(given_up) = given_up {
        let watching = watch_given_up(given_up, Arc::clone(dispatcher), end.clone());
        loops.spawn(async move {
            watching.await;
            ("dead letters", Ok(()))
        });
    }
}

/// Tells other processes of alerts that have something to send, until `end`.
async fn announce(
    queue: Queue,
    store: Store,
    clock: Arc<dyn Clock>,
    mut alerts: mpsc::Receiver<AlertId>,
    end: CancellationToken,
) {
    loop {
        let alert = tokio::select! {
            biased;
            () = end.cancelled() => return,
            alert = alerts.recv() => alert,
        };
        let Some(alert) = alert else {
            return end.cancelled().await; // Nobody can announce anything any more.
        };
        let lanes = match list_lanes(&store, clock.as_ref(), alert).await {
            Ok(lanes) => lanes,
            Err(error) => {
                tracing::warn!(
                    event = "queue.not_announced", alert.id = %alert,
                    error = &error as &dyn std::error::Error,
                    "other processes find the alert by their sweep"
                );
                continue;
            }
        };
        for LaneKey { alert_id, provider } in lanes {
            let wake_up = WakeUp {
                alert: alert_id,
                provider,
            };
            if let Err(error) = queue.send(&wake_up).await {
                log_failed(&queue, &error);
            }
        }
    }
}

async fn list_lanes(
    store: &Store,
    clock: &dyn Clock,
    alert: AlertId,
) -> Result<Vec<LaneKey>, StoreError> {
    let mut tx = store.begin_read("queue.list_lanes", clock.now()).await?;
    tx.list_lanes(alert).await
}

/// Takes wake-ups, one at a time, until `end`.
async fn listen(queue: Queue, dispatcher: Arc<Dispatcher>, end: CancellationToken) {
    while let Some(received) = next(&queue, &end).await {
        let Some(key) = key(&received) else {
            // It stays in the queue and goes to the dead letters.
            log_not_ours(&queue, received.times);
            continue;
        };
        let carried = queue.carry(&received, dispatcher.wake_lane(key));
        let ((), done) = tokio::select! {
            biased;
            () = end.cancelled() => return,
            carried = carried => carried,
        };
        if let Err(error) = done {
            log_failed(&queue, &error);
        }
    }
}

/// Tells a person of wake-ups that were given up, until `end`. What can't be told stays.
async fn watch_given_up(queue: Queue, dispatcher: Arc<Dispatcher>, end: CancellationToken) {
    while let Some(received) = next(&queue, &end).await {
        match key(&received) {
            None => log_not_ours(&queue, received.times),
            Some(key) => match dispatcher.note_given_up(&key).await {
                Ok(is_news) => tracing::warn!(
                    event = "queue.given_up", alert.id = %key.alert_id, provider = %key.provider,
                    is_news, "a wake-up came to the dead letters"
                ),
                Err(error) => {
                    tracing::error!(
                        event = "queue.given_up_not_told", alert.id = %key.alert_id,
                        provider = %key.provider, error = &error as &dyn std::error::Error,
                        "the database failed; the message is taken again in a few minutes"
                    );
                    continue;
                }
            },
        }
        if let Err(error) = queue.delete(&received).await {
            log_failed(&queue, &error);
        }
    }
}

/// The next message; `None` at the end.
async fn next(queue: &Queue, end: &CancellationToken) -> Option<Received> {
    loop {
        let received = tokio::select! {
            biased;
            () = end.cancelled() => return None,
            received = queue.receive() => received,
        };
        match received {
            Ok(Some(received)) => return Some(received),
            Ok(None) => {}
            Err(error) => {
                log_failed(queue, &error);
                tokio::select! {
                    biased;
                    () = end.cancelled() => return None,
                    () = tokio::time::sleep(FAILED_WAIT) => {}
                }
            }
        }
    }
}

fn key(received: &Received) -> Option<LaneKey> {
    let WakeUp { alert, provider } = received.wake_up.clone()?;
    Some(LaneKey {
        alert_id: alert,
        provider,
    })
}

fn log_failed(queue: &Queue, error: &QueueError) {
    tracing::warn!(
        event = "queue.failed",
        queue = queue.name(),
        error = error as &dyn std::error::Error,
        "a call to the queue failed; lanes are woken by the sweep"
    );
}

fn log_not_ours(queue: &Queue, times: u32) {
    tracing::warn!(
        event = "queue.not_ours",
        queue = queue.name(),
        times,
        "a message in the queue is none of ours"
    );
}
