//! What a run may meet, and which faults of the catalogue that reaches.

use std::collections::BTreeMap;

macro_rules! hazards {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Something that goes wrong in a run. A seed switches on a random part of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Hazard {
            $($(#[$doc])* $name,)*
        }

        impl Hazard {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the printed options.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

hazards! {
    /// A route refuses connections.
    Refusals = "refusals";
    /// Connections to a route are never answered.
    BlackHoles = "black-holes";
    /// A proxy takes a request and never says a word.
    Hangs = "hangs";
    /// Answers take long, some longer than the attempt waits.
    SlowAnswers = "slow-answers";
    /// Requests vanish on their way.
    LostRequests = "lost-requests";
    /// Requests arrive, their answers don't.
    LostAnswers = "lost-answers";
    /// A proxy passes a request on as late as it may.
    LateDelivery = "late-delivery";
    /// A request is passed on twice.
    Duplicates = "duplicates";
    /// A proxy fails, with or without having passed the request on.
    ServerErrors = "server-errors";
    /// An answer names another identifier.
    WrongIdentifiers = "wrong-identifiers";
    /// A route comes and goes every three seconds.
    Flapping = "flapping";
    /// All routes of one provider are down for long.
    ProviderOutage = "provider-outage";
    /// All routes of all providers are down until alerts expire.
    AllProvidersDown = "all-providers-down";
    /// A provider's centre restarts and knows nothing any more.
    ForgetfulProvider = "forgetful-provider";
    /// A proxy of ours restarts and forgets which orders it has passed on.
    ForgetfulProxy = "forgetful-proxy";
    /// Processes are killed at any moment.
    Crashes = "crashes";
    /// Processes are killed at the worst moments.
    PointedCrashes = "pointed-crashes";
    /// Processes stand still for up to a minute.
    Pauses = "pauses";
    /// Processes are told to end, and start again.
    Restarts = "restarts";
    /// The code of a lane panics.
    Panics = "panics";
    /// The database can't be reached for a while.
    DatabaseOutage = "database-outage";
    /// The database answers slowly.
    SlowDatabase = "slow-database";
    /// Statements fail in the middle of a transaction.
    FailedStatements = "failed-statements";
    /// Commits fail and change nothing.
    FailedCommits = "failed-commits";
    /// Commits succeed, and the process is told otherwise, or nothing.
    AmbiguousCommits = "ambiguous-commits";
    /// The clocks of processes and proxies differ, as far as the product allows it.
    ClockSkew = "clock-skew";
    /// The clocks of processes run too fast or too slow.
    ClockDrift = "clock-drift";
    /// Somebody sets the clock of a process an hour forwards or backwards, and right again.
    ClockJumps = "clock-jumps";
    /// The database's clock jumps by half an hour.
    DatabaseClockJumps = "database-clock-jumps";
    /// Wake-ups don't reach the dispatcher.
    LostWakeUps = "lost-wake-ups";
    /// Wake-ups come a hundredfold.
    WakeUpStorm = "wake-up-storm";
    /// A person pauses a provider, and resumes it only at the healing.
    PausedProvider = "paused-provider";
    /// The database fails over to a standby that lacks the latest commits.
    Failover = "failover";
    /// Routes are tested without a pause.
    LinkTestStorm = "link-test-storm";
    /// Two people approve or cancel at the same moment.
    Races = "races";
    /// Alerts are cancelled as soon as they are approved.
    HastyCancels = "hasty-cancels";
    /// A service is suspended between approval and sending.
    Suspension = "suspension";
    /// Whatever works beside dispatch hangs.
    HungJobs = "hung-jobs";
}

macro_rules! faults {
    ($($name:ident = $number:literal, $what:literal;)*) => {
        /// A fault of the catalogue that this simulator reaches, by its number there.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each has its sentence in `what`")]
        pub enum Fault {
            $($name,)*
        }

        impl Fault {
            /// All of them, in the catalogue's order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its number in the catalogue.
            pub const fn number(self) -> u32 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// What it is, and when it counts as reached.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)*
                }
            }
        }
    };
}

faults! {
    F1 = 1, "a process died before an approval was committed";
    F3 = 3, "a process died after an approval, before its wake-up";
    F9 = 9, "a process stood still while it was declared dead, and then had an answer";
    F10 = 10, "two processes wanted one lane at the same moment";
    F14 = 14, "a proxy took a request and never answered";
    F15 = 15, "an answer came after its attempt had been given up";
    F16 = 16, "an alert or cancel was applied, and its answer was lost with the connection";
    F22 = 22, "a route came or went while its lane was in use";
    F23 = 23, "every route of a provider was down when it was tried, and later one answered";
    F24 = 24, "an alert expired while every provider was down";
    F25 = 25, "an alert was sent to both sites of a provider with separate state";
    F26 = 26, "a provider forgot a message that it had applied";
    F28 = 28, "a request was applied, and nothing came back until its deadline";
    F29 = 29, "a request was applied twice, or overtaken by a later one";
    F30 = 30, "a cancel came before the first attempt";
    F31 = 31, "a cancel came while an alert was open or unknown";
    F32 = 32, "a provider answered a cancel with an unknown reference";
    F33 = 33, "a cancel came within a second of its alert or update";
    F34 = 34, "two people approved at the same moment";
    F41 = 41, "a failover forgot an intent or an answer";
    F44 = 44, "a ticket or page hung while an alert was sent";
    F48 = 48, "a process's clock jumped an hour ahead while an alert was open";
    F49 = 49, "a process's clock jumped an hour back while an alert was open";
    F50 = 50, "the database's clock jumped while an alert was open";
    F53 = 53, "the code of a lane panicked";
    F58 = 58, "a link test waited because an alert was due";
    F59 = 59, "an alert waited for a provider that nobody resumed";
    F62 = 62, "a proxy forgot what it had passed on";
    F63 = 63, "a wake-up came a hundredfold";
    F64 = 64, "an alert of a suspended service was sent";
}

/// How often each fault was met, and not only switched on: in a run how many times, over many runs
/// in how many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached(BTreeMap<Fault, u64>);

impl Reached {
    /// Counts one.
    pub fn count(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    /// How often.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    /// Adds what one run met: however often, it is one run.
    pub fn add(&mut self, run: &Self) {
        for fault in run.0.keys() {
            self.count(*fault);
        }
    }
}
