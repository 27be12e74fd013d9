//! What surrounds the dispatcher in its process: threads of its own, wake-ups from other processes,
//! and a watch over the database's history.

use std::time::Duration;

use balefire_app::{App, Store};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Threads for dispatch: it waits for sockets and the database more than it computes.
const THREADS: usize = 2;
/// How often it is looked whether the database's history is another; asks nothing of it.
const EPOCH_LOOK_PERIOD: Duration = Duration::from_secs(1);
/// The wait before a wake-up connection that failed is opened again.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The threads on which alerts are dispatched, and nothing else: a flood of requests can't keep
/// them busy.
pub(crate) struct DispatchThreads(Option<Runtime>);

impl DispatchThreads {
    pub(crate) fn start() -> std::io::Result<Self> {
        let threads = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("dispatch")
            .enable_all()
            .build()?;
        Ok(Self(Some(threads)))
    }

    pub(crate) fn handle(&self) -> &Handle {
        let threads = self.0.as_ref().expect("taken only when dropped");
        threads.handle()
    }
}

impl Drop for DispatchThreads {
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// Enters a new history of the database as soon as a connection finds one (`App::enter_epoch`);
/// until it is entered, dispatch holds everything by itself.
/// `entered` is what was entered before.
pub(crate) async fn watch_epoch(app: App, mut entered: Option<String>, end: CancellationToken) {
    let mut look = interval(EPOCH_LOOK_PERIOD);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_over = tokio::select! {
            () = end.cancelled() => true,
            _ = look.tick() => false,
        };
        let here = app.store.epoch_here();
        let done = if here.is_some() && here != entered {
            app.enter_epoch().await.map(|now| entered = now)
        } else {
            app.keep_mark().await
        };
        if let Err(error) = done {
            tracing::error!(
                event = "epoch.failed",
                error = &error as &dyn std::error::Error,
                "the database failed; the next second tries again"
            );
        }
        if is_over {
            return;
        }
    }
}

/// Passes wake-ups of other processes on. Without them the sweep finds everything within a second.
pub(crate) async fn listen(store: Store, wake: std::sync::Arc<Notify>, end: CancellationToken) {
    loop {
        let listening = async {
            let Some(mut wake_ups) = store.listen().await? else {
                std::future::pending::<()>().await;
                return Ok(());
            };
            loop {
                wake_ups.next().await?;
                wake.notify_one();
            }
        };
        let ended: Result<(), balefire_app::StoreError> = tokio::select! {
            () = end.cancelled() => return,
            ended = listening => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(
                event = "wake_ups.lost",
                error = &error as &dyn std::error::Error,
                "other processes can't wake this one; its sweep finds their alerts"
            );
        }
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(LISTEN_AGAIN_AFTER) => wake.notify_one(),
        }
    }
}
