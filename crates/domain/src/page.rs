//! Pages: what the person on duty is told, how loudly, and when (D19).

use crate::lane::{DutyKind, Kind};

/// Characters of a page's summary; what PagerDuty's Events API v2 takes.
pub const SUMMARY_CHARS_MAX: usize = 1024;

/// What a duty item of an unknown kind advises: a newer version of Balefire opened it.
const ADVICE_UNKNOWN: &str = "See docs/runbook.md of the newest version that runs.";

/// How loud a page is, in the words of PagerDuty's Events API v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// People may not be warned, or may be warned of what is over: now.
    Critical,
    /// Something is wrong and nobody is harmed at this moment.
    Error,
}

impl Severity {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
        }
    }
}

/// How loud the page of a duty item of this kind is. Unknown kinds are loud.
pub fn severity(kind: &str) -> Severity {
    match DutyKind::parse(kind) {
        Some(
            DutyKind::CompletedUnacknowledged
            | DutyKind::LanePanicked
            | DutyKind::ProviderPaused
            | DutyKind::TicketFailing
            | DutyKind::CertificateEnds
            | DutyKind::WakeUpGivenUp,
        ) => Severity::Error,
        Some(
            DutyKind::Stuck
            | DutyKind::Unroutable
            | DutyKind::CancelUnanswered
            | DutyKind::AcceptedAfterCancel
            | DutyKind::OldTextAccepted
            | DutyKind::Clock
            | DutyKind::DatabaseFailedOver
            | DutyKind::DatabaseRestored
            | DutyKind::AlertsImported
            | DutyKind::NobodyDispatches,
        )
        | None => Severity::Critical,
    }
}

/// What to do about a duty item of this kind, and whether it is about an alert or a cancel: of the
/// two a cancel comes first.
pub fn advice(kind: &str, about: Option<Kind>) -> String {
    let about = match about {
        None => "",
        Some(Kind::Alert) => "It is about the alert. ",
        Some(Kind::Update) => {
            "It is about the alert's UPDATE: people may still read the earlier text. "
        }
        Some(Kind::Cancel) => {
            "It is about the CANCEL: people may still be warned of what is over. "
        }
    };
    let advice = DutyKind::parse(kind).map_or(ADVICE_UNKNOWN, DutyKind::advice);
    format!("{about}{advice}")
}

/// One line: the kind, the provider, and what [`advice`] says.
pub fn summary(kind: &str, provider: Option<&str>, about: Option<Kind>) -> String {
    let of = provider
        .map(|provider| format!(" ({provider})"))
        .unwrap_or_default();
    let line = format!("{kind}{of}: {}", advice(kind, about));
    line.chars().take(SUMMARY_CHARS_MAX).collect()
}

/// Whether something is to be sent about a duty item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send it.
    Now,
    /// Look again: what must go first has not gone.
    NotYet,
    /// Never: the reason.
    Never(&'static str),
}

/// Whether a page is to be sent: not for an item that was closed before anybody tried to.
/// `tries` counts from 1, this try included.
pub const fn page_due(is_closed: bool, tries: u32) -> Due {
    if is_closed && tries <= 1 {
        Due::Never("closed before it was sent")
    } else {
        Due::Now
    }
}

/// How a duty item's page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// There is none: a version before pages opened the item.
    Absent,
    /// It is still to be sent, or being sent.
    Open,
    /// Nothing more is sent; it may have been.
    Ended,
}

/// Whether the end of an item is to be told: after its page, never before, or the page would open
/// again what nothing closes.
pub const fn resolve_due(page: PageState) -> Due {
    match page {
        PageState::Absent => Due::Never("its page was never sent"),
        PageState::Open => Due::NotYet,
        PageState::Ended => Due::Now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_where_and_what_to_do() {
        let told = summary("stuck", Some("ee"), None);
        assert!(told.starts_with("stuck (ee): The provider has not accepted"));
        let told = summary("stuck", Some("ee"), Some(Kind::Alert));
        assert!(told.starts_with("stuck (ee): It is about the alert. The provider has not"));
        let told = summary("stuck", Some("ee"), Some(Kind::Cancel));
        assert!(told.starts_with("stuck (ee): It is about the CANCEL: "));
        let told = summary("lane_panicked", None, None);
        assert!(told.starts_with("lane_panicked: A fault in our own"));
        assert!(summary("meteor", None, None).contains("docs/runbook.md"));
        let long = summary(&"x".repeat(5000), None, None);
        assert_eq!(long.chars().count(), SUMMARY_CHARS_MAX);
        for kind in DutyKind::ALL {
            let told = summary(kind.as_str(), Some("vodafone"), Some(Kind::Cancel));
            assert!(told.ends_with(kind.advice()), "{told} was cut");
        }
    }

    #[test]
    fn what_may_leave_people_unwarned_is_critical() {
        for (kind, want) in [
            ("stuck", Severity::Critical),
            ("unroutable", Severity::Critical),
            ("cancel_unanswered", Severity::Critical),
            ("accepted_after_cancel", Severity::Critical),
            ("completed_unacknowledged", Severity::Error),
            ("lane_panicked", Severity::Error),
            ("provider_paused", Severity::Error),
            ("clock", Severity::Critical),
            ("ticket_failing", Severity::Error),
            ("a kind of tomorrow", Severity::Critical),
        ] {
            assert_eq!(severity(kind), want, "{kind}");
        }
    }

    #[test]
    fn nobody_is_woken_for_what_is_over_and_the_end_is_told_after_the_page() {
        let never = Due::Never("closed before it was sent");
        for (is_closed, tries, want) in [
            (false, 1, Due::Now),
            (false, 9, Due::Now),
            (true, 1, never),
            // An earlier try may have got through; the page makes the end worth telling.
            (true, 2, Due::Now),
        ] {
            assert_eq!(page_due(is_closed, tries), want, "{is_closed}, {tries}");
        }
        for (page, want) in [
            (PageState::Absent, Due::Never("its page was never sent")),
            (PageState::Open, Due::NotYet),
            (PageState::Ended, Due::Now),
        ] {
            assert_eq!(resolve_due(page), want, "{page:?}");
        }
    }
}
