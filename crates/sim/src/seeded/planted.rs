//! Faults planted in `step`, in the database and in the shell, to show that a promise would notice.

use balefire_dispatcher::planted::Planted;

use super::properties::Property;

macro_rules! planted {
    ($($name:ident = $word:literal in $place:literal, by $($property:ident)|+;)*) => {
        /// A rule that is left out, one per run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each has its words in `as_str`")]
        pub enum Fault {
            $($name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is left out.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// Where it is planted.
            pub const fn place(self) -> &'static str {
                match self {
                    $(Self::$name => $place,)*
                }
            }

            /// The promises of which one must notice.
            pub const fn caught_by(self) -> &'static [Property] {
                match self {
                    $(Self::$name => &[$(Property::$property),+],)*
                }
            }
        }
    };
}

planted! {
    NoDrain = "no drain before another event" in "step", by S1 | S3 | S13;
    DrainOpenOnly = "an unknown outcome counts as drained" in "step", by S1 | S3 | S13;
    NoOrderGate = "a superseded alert is still sent" in "step", by S1 | S3 | S5 | S13;
    NoOneOpen = "several attempts open, no unique index" in "step and database", by S5 | S2 | S8;
    NoEnd = "sending goes on after the end" in "step", by S8;
    StaleNews = "a process's death makes its answers unknown" in "step and database", by S9;
    NoRowLock = "a lane is read without its lock" in "database", by S5 | S6 | S9;
    WakeNotStored = "a lane's time to wake is not stored" in "database", by L5;
    SendsPastDeadline = "the clock is not compared before the first byte" in "way out", by S8;
    ForeignAnswerAccepted = "an answer about another identifier is believed" in "way out", by S4;
    DeadlineNotEnforced = "a proxy passes on what is too late" in "network", by S1 | S3 | S13;
    CancelToTodaysProviders = "a cancel leaves a provider out" in "app", by S11 | S13;
    IntentNotStored = "the commit of an intent is not awaited" in "dispatcher", by S6;
    SendsTwice = "an unknown one is sent again without an intent" in "dispatcher", by S6 | S8;
    OrphansStayOpen = "attempts of dead processes are left open" in "dispatcher", by L3;
    FormerSelfIgnored = "an answer for a former self is dropped" in "dispatcher", by S9;
    AnswerNotKept = "an answer that could not be stored is dropped" in "dispatcher", by S9;
    NoSweep = "only wake-ups take lanes up" in "dispatcher", by L3 | L1 | L2 | L6;
    AnySiteAnswers = "any site's answer ends a cancel" in "dispatcher", by S13 | S15;
    HedgesAnywhere = "silence without dedup is answered by a second one" in "dispatcher", by S2;
    NoClockHold = "what a clock in doubt says is done" in "dispatcher",
        by S3 | S13 | S8 | S1 | L1 | L2;
    NoTaint = "a cancel ends where attempts may be forgotten" in "step", by S13 | S3;
    NoDrainMargin = "an attempt is drained at its deadline" in "dispatcher", by S1 | S3 | S13;
    NoReplaces = "a replacement does not wait for its cancel" in "step", by S1 | S3 | S15 | L2;
    NoAlertInstead = "no alert in the place of an unknown update" in "step", by S15;
    UpdateAsAlert = "an update names nothing that was attempted" in "dispatcher", by S15;
}

impl Fault {
    /// What is left out of the dispatcher and of `step`.
    pub fn rules(self) -> Planted {
        let mut planted = Planted::default();
        match self {
            Self::NoDrain => planted.lane.no_drain = true,
            Self::DrainOpenOnly => planted.lane.drain_open_only = true,
            Self::NoOrderGate => planted.lane.no_order_gate = true,
            Self::NoOneOpen => planted.lane.no_one_open = true,
            Self::NoEnd => planted.lane.no_end = true,
            Self::StaleNews => planted.lane.stale_news = true,
            Self::IntentNotStored => planted.intent_not_stored = true,
            Self::SendsTwice => planted.sends_twice = true,
            Self::OrphansStayOpen => planted.orphans_stay_open = true,
            Self::FormerSelfIgnored => planted.former_self_ignored = true,
            Self::AnswerNotKept => planted.answer_not_kept = true,
            Self::NoSweep => planted.no_sweep = true,
            Self::AnySiteAnswers => planted.any_site_answers = true,
            Self::HedgesAnywhere => planted.hedges_anywhere = true,
            Self::NoClockHold => planted.no_clock_hold = true,
            Self::NoTaint => planted.lane.no_taint = true,
            Self::NoReplaces => planted.lane.no_replaces = true,
            Self::NoAlertInstead => planted.lane.no_alert_instead = true,
            Self::UpdateAsAlert => planted.update_as_alert = true,
            Self::NoDrainMargin => planted.no_drain_margin = true,
            Self::NoRowLock
            | Self::WakeNotStored
            | Self::SendsPastDeadline
            | Self::DeadlineNotEnforced
            | Self::ForeignAnswerAccepted
            | Self::CancelToTodaysProviders => {}
        }
        planted
    }
}
