//! The chainer: links the audit trail's entries a moment after they were written (D53), in the role
//! `schedule`. Several processes may run it; a row's lock lets one work at a time.
//!
//! The chain's head is logged each hour: a log that is kept elsewhere thereby holds what the chain
//! can be compared with (`balefire audit verify --head`).

use std::time::Duration;

use balefire_app::audit_chain::Look;
use balefire_app::{App, StoreError};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often new entries are looked for.
const PERIOD: Duration = Duration::from_secs(1);
/// Each so many of these periods every entry is looked at, and the head is logged.
const LOOK_AT_ALL_TICKS: u32 = 3600;

/// Links until the end.
pub(crate) async fn link(app: App, end: CancellationToken) {
    let mut period = interval(PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ticks = (0..LOOK_AT_ALL_TICKS).cycle();
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = period.tick() => {}
        }
        let linked = match ticks.next() {
            Some(0) => look_at_all(&app).await,
            Some(_) | None => app.link_audit(Look::Latest).await.map(drop),
        };
        if let Err(error) = linked {
            tracing::error!(
                event = "audit.not_linked",
                error = &error as &dyn std::error::Error,
                "new entries of the audit trail could not be linked; the next second tries again"
            );
        }
    }
}

async fn look_at_all(app: &App) -> Result<(), StoreError> {
    app.link_audit(Look::All).await?;
    if let Some(head) = app.audit_head().await? {
        tracing::info!(
            event = "audit.head",
            position = head.position,
            hash = head.hash,
            "the audit trail's newest link"
        );
    }
    Ok(())
}
