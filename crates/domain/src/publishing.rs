//! The public site's publishing, as far as it tells of it: a task starts, tells each file, and
//! finishes; one that says nothing for 30 s has failed (`authoring.md`, public site).

use std::time::Duration;

use crate::time::Timestamp;

/// How long a task may say nothing.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What a task publishes; its name begins so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every page.
    All,
    /// What changes with alerts.
    Dynamic,
}

impl Kind {
    /// Both kinds.
    pub const BOTH: [Self; 2] = [Self::All, Self::Dynamic];

    /// The word that a task's name begins with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "publish-all",
            Self::Dynamic => "publish-dynamic",
        }
    }

    /// The kind of the task with this name, `<kind>_<who>_<when>`.
    pub fn of_task(name: &str) -> Option<Self> {
        let word = name.split('_').next();
        Self::BOTH
            .into_iter()
            .find(|kind| Some(kind.as_str()) == word)
    }
}

/// How a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It was heard of within [`SILENCE_MAX`].
    Ongoing,
    /// It was not.
    Failed,
    /// It said that it is done.
    Finished,
}

/// How a task is doing that was last heard of at `active_at`.
pub fn progress(active_at: Timestamp, is_finished: bool, now: Timestamp) -> Progress {
    if is_finished {
        Progress::Finished
    } else if now.since(active_at) > SILENCE_MAX {
        Progress::Failed
    } else {
        Progress::Ongoing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_known_by_the_beginning_of_its_name() {
        for (name, want) in [
            ("publish-all_dramatiq_1795406942", Some(Kind::All)),
            ("publish-dynamic_cli_1", Some(Kind::Dynamic)),
            ("publish-dynamic", Some(Kind::Dynamic)),
            ("publish-everything_cli_1", None),
            ("", None),
        ] {
            assert_eq!(Kind::of_task(name), want, "{name}");
        }
    }

    #[test]
    fn silence_is_failure() {
        let start = Timestamp::from_seconds(1_000);
        for (seconds, is_finished, want) in [
            (1_000, false, Progress::Ongoing),
            (1_030, false, Progress::Ongoing),
            (1_031, false, Progress::Failed),
            (1_031, true, Progress::Finished),
            // A clock that went back makes nothing fail.
            (900, false, Progress::Ongoing),
        ] {
            let now = Timestamp::from_seconds(seconds);
            assert_eq!(progress(start, is_finished, now), want, "{seconds}");
        }
    }
}
