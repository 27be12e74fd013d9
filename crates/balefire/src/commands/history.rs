//! `history verify`: the record, judged by the invariants of `domain::history`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use balefire_app::App;
use balefire_domain::history::{Finding, Invariant, NeedsLog, Report, Terms, Verdict};
use balefire_domain::ids::AlertId;
use balefire_domain::limits::{HISTORY_PAGE_ALERTS, HISTORY_TRAVEL_MAX};
use balefire_domain::time::{Clock as _, Timestamp};
use serde_json::{Value, json};

use super::Session;
use super::provider_log::ProviderLog;
use crate::FAILED;
use crate::cli::HistoryCommand;
use crate::clock::SystemClock;

pub(super) async fn run(session: &Session, command: &HistoryCommand) -> anyhow::Result<ExitCode> {
    let HistoryCommand::Verify {
        provider_log,
        since,
    } = command;
    let app = session.open().await?;
    let since = since.unwrap_or_default();
    let judged = judge(session, &app, provider_log, since).await?;
    session.print(&judged.to_json(), || judged.to_text());
    Ok(if judged.report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// What was judged, and what came of it.
struct Judged {
    report: Report,
    has_log: bool,
    requests: usize,
    /// Requests of alerts made before the period that was asked for.
    requests_before: usize,
}

async fn judge(
    session: &Session,
    app: &App,
    paths: &[PathBuf],
    since: Timestamp,
) -> anyhow::Result<Judged> {
    // The logs come first: what they have, the database has as well when it is read.
    let terms = terms(session, !paths.is_empty(), SystemClock.now());
    let mut log = ProviderLog::open(paths)?;
    let requests = log.len();
    let mut report = Report::default();
    let mut after: Option<AlertId> = None;
    loop {
        let page = app
            .list_alerts_after(after, since, HISTORY_PAGE_ALERTS)
            .await?;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        for alert in page {
            let Some(mut history) = app.load_history(alert).await? else {
                continue;
            };
            let mut all = Vec::new();
            for delivery in &history.deliveries {
                all.extend(log.take(delivery.id)?);
            }
            all.sort_by_key(|request| (request.place.log, request.place.line));
            history.requests = all;
            report.judge(&history, &terms);
        }
    }
    let mut requests_before = 0;
    let mut strangers = std::mem::take(&mut log.strangers);
    let left: Vec<_> = log.deliveries().collect();
    for delivery in left {
        if app.find_delivery(delivery).await?.is_some() {
            requests_before += log.take(delivery)?.len();
        } else {
            let what = format!("{delivery} was sent to a provider, and no such delivery is stored");
            strangers.push((what, log.first_at(delivery).unwrap_or_default()));
        }
    }
    report.add_strangers(strangers);
    Ok(Judged {
        report,
        has_log: terms.has_log,
        requests,
        requests_before,
    })
}

fn terms(session: &Session, has_log: bool, until: Timestamp) -> Terms {
    let of = |wants: fn(&crate::config::Provider) -> bool| {
        let providers = session.config.provider.iter().filter(|p| wants(p));
        providers.map(|p| p.name.clone()).collect()
    };
    Terms {
        has_log,
        until,
        clock_skew: session.config.dispatch.figures().clock_skew,
        travel: HISTORY_TRAVEL_MAX,
        applies_once: of(|p| p.capabilities.dedup && p.capabilities.shared_sites),
        separate_sites: of(|p| !p.capabilities.shared_sites),
    }
}

/// How one invariant stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Ok,
    OkInPart,
    Violated,
    NotCheckable,
}

impl Standing {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkInPart => "ok_in_part",
            Self::Violated => "violated",
            Self::NotCheckable => "not_checkable",
        }
    }
}

impl Judged {
    fn standing(&self, invariant: Invariant, verdict: &Verdict) -> Standing {
        match (invariant.needs_log(), self.has_log) {
            _ if verdict.violations > 0 => Standing::Violated,
            (NeedsLog::No, _) | (_, true) => Standing::Ok,
            (NeedsLog::ForPart, false) => Standing::OkInPart,
            (NeedsLog::ForAll, false) => Standing::NotCheckable,
        }
    }

    fn to_json(&self) -> Value {
        let invariants = Invariant::ALL.map(|invariant| {
            let verdict = self.report.verdict(invariant);
            let standing = self.standing(invariant, &verdict);
            let advice = (standing == Standing::Violated).then_some(invariant.advice());
            json!({
                "id": invariant.as_str(), "name": invariant.name(),
                "status": standing.as_str(),
                "facts": verdict.facts, "violations": verdict.violations,
                "findings": verdict.findings.iter().map(finding_json).collect::<Vec<_>>(),
                "advice": advice,
            })
        });
        json!({
            "ok": self.report.is_clean(), "alerts": self.report.alerts,
            "has_provider_log": self.has_log, "requests": self.requests,
            "requests_before": self.requests_before, "invariants": invariants,
        })
    }

    fn to_text(&self) -> String {
        let mut text = format!("{} alerts", self.report.alerts);
        if self.has_log {
            let _ = write!(text, ", {} requests in the logs", self.requests);
        }
        if self.requests_before > 0 {
            let _ = write!(
                text,
                " ({} of alerts before the period, left out)",
                self.requests_before
            );
        }
        for invariant in Invariant::ALL {
            let verdict = self.report.verdict(invariant);
            let facts = verdict.facts;
            let words = match self.standing(invariant, &verdict) {
                Standing::Ok => format!("ok: checked with {facts} facts"),
                Standing::OkInPart => format!(
                    "ok as far as the database shows: checked with {facts} facts; the rest needs \
                     the providers' log"
                ),
                Standing::NotCheckable => {
                    "not checkable without the providers' log (--provider-log FILE)".to_owned()
                }
                Standing::Violated => format!(
                    "VIOLATED: {} times; checked with {facts} facts",
                    verdict.violations
                ),
            };
            let _ = write!(
                text,
                "\n{:<4} {:<26} {words}",
                invariant.as_str(),
                invariant.name()
            );
            for finding in &verdict.findings {
                let _ = write!(text, "\n       {}", finding_line(finding));
            }
            if verdict.violations > 0 {
                let _ = write!(text, "\n       what to do: {}", invariant.advice());
            }
        }
        text
    }
}

fn finding_json(finding: &Finding) -> Value {
    json!({
        "alert": finding.alert.map(|id| id.to_string()),
        "provider": finding.provider.as_ref().map(ToString::to_string),
        "seq": finding.seq,
        "at": finding.at.map(Timestamp::to_json_style),
        "what": finding.what,
    })
}

fn finding_line(finding: &Finding) -> String {
    let mut line = String::new();
    if let Some(at) = finding.at {
        let _ = write!(line, "{at} ");
    }
    if let Some(alert) = finding.alert {
        let _ = write!(line, "alert {alert}");
    }
    if let Some(provider) = &finding.provider {
        let _ = write!(line, ", {provider}");
    }
    if let Some(seq) = finding.seq {
        let _ = write!(line, ", seq {seq}");
    }
    let _ = write!(line, ": {}", finding.what);
    line
}
