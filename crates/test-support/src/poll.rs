//! Waiting for something that another task or process does (D56): look often, and give up aloud.

use std::time::Duration;

use tokio::time::Instant;

const PAUSE_MS_MIN: u64 = 2;
const PAUSE_MS_MAX: u64 = 100;

/// Calls `probe` until it answers `Some`, and hands that on.
///
/// The pauses in between grow from 2 ms to 100 ms. A probe that hangs is cut off at the deadline.
///
/// # Panics
///
/// When `deadline` has passed, with `what` in the message: the sentence of what was awaited, such
/// as "the alert is acknowledged by ee".
pub async fn poll_until<T>(
    deadline: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(PAUSE_MS_MIN);
    loop {
        let Ok(found) = tokio::time::timeout_at(end, probe()).await else {
            panic!("not within {deadline:?}, and the last look never ended: {what}");
        };
        if let Some(found) = found {
            return found;
        }
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        let left = end.saturating_duration_since(Instant::now());
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(Duration::from_millis(PAUSE_MS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_answer_ends_the_wait() {
        let mut looks = 0;
        let found = poll_until(Duration::from_secs(60), "the third look", async || {
            looks += 1;
            (looks == 3).then_some("here")
        })
        .await;
        assert_eq!((found, looks), ("here", 3));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_at_the_very_deadline_still_counts() {
        let start = Instant::now();
        let found = poll_until(Duration::from_secs(1), "one second", async || {
            (start.elapsed() >= Duration::from_secs(1)).then_some(())
        });
        found.await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "not within 1s: the alert is acknowledged")]
    async fn the_deadline_names_what_did_not_come() {
        poll_until::<()>(
            Duration::from_secs(1),
            "the alert is acknowledged",
            async || None,
        )
        .await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "the last look never ended: an answer")]
    async fn a_look_that_hangs_is_cut_off_at_the_deadline() {
        poll_until::<()>(Duration::from_secs(1), "an answer", async || {
            std::future::pending().await
        })
        .await;
    }
}
