//! What dispatch tells to whoever collects figures in this process; docs/operations has the list.
//!
//! Without a collector nothing is kept. No label names an alert, and each has as many values as the
//! configuration has providers and routes, or a type has variants.

use std::time::Duration;

use balefire_domain::job::JobKind;
use balefire_domain::lane::Kind;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::ProviderName;
use metrics::{counter, histogram};

use crate::ports::ProbeKey;

const JOB_TRIES: &str = "balefire_job_tries_total";

/// One attempt, from the send to what was made of the answer.
pub(crate) fn note_attempt(provider: &ProviderName, route: &str, outcome: Outcome, took: Duration) {
    histogram!(
        "balefire_attempt_duration_seconds",
        "provider" => provider.to_string(),
        "route" => route.to_owned(),
        "outcome" => outcome.as_str()
    )
    .record(took.as_secs_f64());
}

/// What a provider took, from the approval or the cancel until this is stored.
pub(crate) fn note_acceptance(provider: &ProviderName, kind: Kind, took: Duration) {
    histogram!(
        "balefire_acceptance_delay_seconds",
        "provider" => provider.to_string(),
        "kind" => kind.as_str()
    )
    .record(took.as_secs_f64());
}

/// One question to a route, a proxy or the canary.
pub(crate) fn note_probe(key: &ProbeKey, is_good: bool, took: Duration) {
    histogram!(
        "balefire_link_test_duration_seconds",
        "kind" => key.kind.as_str(),
        "provider" => key.provider.clone(),
        "route" => key.target.clone(),
        "ok" => if is_good { "true" } else { "false" }
    )
    .record(took.as_secs_f64());
}

/// Begins the count of side effects at 0, so that the first failure is seen as one.
pub(crate) fn begin_jobs(results: &[&'static str]) {
    for kind in JobKind::ALL {
        for result in results {
            counter!(JOB_TRIES, "kind" => kind.as_str(), "result" => *result).increment(0);
        }
    }
}

/// One try of a side effect.
pub(crate) fn note_job(kind: JobKind, result: &'static str) {
    counter!(JOB_TRIES, "kind" => kind.as_str(), "result" => result).increment(1);
}
