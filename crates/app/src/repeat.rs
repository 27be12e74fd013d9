//! Running a verb's transaction again where that is safe, for a bounded time.
//!
//! What is tried again is for [`balefire_store::Verdict`] to say. A deadlock or a serialization
//! failure is repeated [`TRANSACTION_TRIES_MAX`] times at most (D59). A connection that ended
//! before anything was committed is replaced, and the client notices nothing but the wait. What
//! may have been committed is never repeated. After [`VERB_TIME_MAX`] the verb is given up,
//! wherever it is.

use std::future::Future;
use std::time::Duration;

use balefire_domain::limits::{TRANSACTION_TRIES_MAX, VERB_TIME_MAX};
use balefire_store::{StoreError, Verdict};
use tokio::time::{sleep, timeout};

use crate::Failure;

/// The pause before the second try; it doubles up to [`PAUSE_MAX`].
const PAUSE_FIRST: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(320);

/// An error that may be the database's.
pub(crate) trait Judged: From<StoreError> {
    /// What is to be done about it, where it is the database's.
    fn verdict(&self) -> Option<Verdict>;
}

impl Judged for StoreError {
    fn verdict(&self) -> Option<Verdict> {
        Some(Self::verdict(self))
    }
}

impl<R> Judged for Failure<R> {
    fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Store(error) => Some(error.verdict()),
            Self::Refused(_) => None,
        }
    }
}

/// Runs `act`, which begins a transaction of its own, until it succeeds, is refused, fails for
/// good, or the time is over.
pub(crate) async fn repeat<T, E, F>(mut act: impl FnMut() -> F) -> Result<T, E>
where
    E: Judged,
    F: Future<Output = Result<T, E>>,
{
    // How the last try ended, while it is waited for the next.
    let mut last = None;
    let trying = async {
        let mut pause = PAUSE_FIRST;
        let mut tries = 0;
        loop {
            let done = act().await;
            tries += 1;
            let verdict = match &done {
                Ok(_) => return done,
                Err(error) => error.verdict(),
            };
            let is_repeated = match verdict {
                Some(Verdict::Repeat) => tries < TRANSACTION_TRIES_MAX,
                Some(Verdict::Lost) => true,
                Some(Verdict::Unavailable | Verdict::InDoubt | Verdict::Fault) | None => false,
            };
            if !is_repeated {
                return done;
            }
            tracing::debug!(event = "transaction.repeat", tries);
            last = Some(done);
            sleep(pause).await;
            last = None;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    };
    let ended = timeout(VERB_TIME_MAX, trying).await;
    match (ended, last) {
        (Ok(done), _) | (Err(_), Some(done)) => done,
        // In the middle of a try.
        (Err(_), None) => Err(StoreError::cut_off("a request's work with the database").into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// What one try does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Act {
        Done,
        Refused,
        Failed(Verdict),
        Hang,
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Failed {
        Refused,
        Store(Verdict),
    }

    impl From<StoreError> for Failed {
        fn from(error: StoreError) -> Self {
            Self::Store(error.verdict())
        }
    }

    impl Judged for Failed {
        fn verdict(&self) -> Option<Verdict> {
            match self {
                Self::Refused => None,
                Self::Store(verdict) => Some(*verdict),
            }
        }
    }

    /// What comes of these acts, the last of which goes on for ever; and how often it was tried.
    async fn run(acts: &[Act]) -> (Result<(), Failed>, usize) {
        let mut tries = 0;
        let result = repeat(|| {
            let act = acts[tries.min(acts.len() - 1)];
            tries += 1;
            async move {
                match act {
                    Act::Done => Ok(()),
                    Act::Refused => Err(Failed::Refused),
                    Act::Failed(verdict) => Err(Failed::Store(verdict)),
                    Act::Hang => std::future::pending().await,
                }
            }
        })
        .await;
        (result, tries)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_safe_is_tried_again_and_nothing_else() {
        use Act::{Done, Failed as Fails, Hang, Refused};
        use Verdict::{Fault, InDoubt, Lost, Repeat, Unavailable};
        let failed = |verdict| Err(Failed::Store(verdict));
        for (acts, want, tries) in [
            (&[Done][..], Ok(()), 1),
            (&[Refused, Done], Err(Failed::Refused), 1),
            (&[Fails(Repeat), Fails(Repeat), Done], Ok(()), 3),
            (&[Fails(Repeat)], failed(Repeat), 5),
            (&[Fails(Lost), Fails(Lost), Done], Ok(()), 3),
            (
                &[Fails(Lost), Fails(Unavailable), Done],
                failed(Unavailable),
                2,
            ),
            (&[Fails(Unavailable), Done], failed(Unavailable), 1),
            (&[Fails(InDoubt), Done], failed(InDoubt), 1),
            (&[Fails(Fault), Done], failed(Fault), 1),
            (&[Hang], failed(InDoubt), 1),
            (&[Fails(Lost), Hang], failed(InDoubt), 2),
        ] {
            assert_eq!(run(acts).await, (want, tries), "{acts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_told_before_five_seconds_are_over() {
        for acts in [&[Act::Failed(Verdict::Lost)][..], &[Act::Hang]] {
            let begun = Instant::now();
            let (result, _) = run(acts).await;
            assert!(result.is_err());
            let took = begun.elapsed();
            assert!(
                took <= VERB_TIME_MAX && took > VERB_TIME_MAX / 2,
                "{acts:?}: {took:?}"
            );
        }
    }
}
