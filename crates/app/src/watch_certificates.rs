//! Certificates that end soon are told of 30, 7 and 1 days ahead, once each: a signature that
//! nobody can verify any more must not be found out in an emergency.

use std::time::Duration;

use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::DutyKind;
use balefire_domain::time::Timestamp;
use balefire_signature::{Certificate, WARNING_DAYS_MAX, warning_days};
use balefire_store::StoreError;
use balefire_store::service_certificates::ServiceCertificate;

use crate::App;

/// Certificates that one look takes up; the next look takes the rest.
const CERTIFICATES_PER_LOOK_MAX: u32 = 1_000;
/// Characters of a fingerprint that name a certificate in an item.
const FINGERPRINT_SHOWN: usize = 16;
/// Services that an item names.
const SERVICES_SHOWN: usize = 3;

/// A certificate that ends, and what it is for.
struct Ending {
    fingerprint: String,
    until: Timestamp,
    of: String,
}

impl App {
    /// Opens a duty item for each certificate that reached a step: those that services trust, and
    /// `own` ones. By a clock in doubt nothing is said.
    pub async fn watch_certificates(&self, own: &[Certificate]) -> Result<(), StoreError> {
        if !self.clock.is_trusted() {
            return Ok(());
        }
        let now = self.clock.now();
        let before = now + Duration::from_secs(u64::from(WARNING_DAYS_MAX) * 24 * 3600);
        let mut tx = self.store.begin_read("look_at_certificates", now).await?;
        let trusted = tx
            .list_ending_certificates(before, CERTIFICATES_PER_LOOK_MAX)
            .await?;
        let own = own.iter().map(|certificate| Ending {
            fingerprint: certificate.fingerprint.clone(),
            until: certificate.validity.until,
            of: "our own".to_owned(),
        });
        let trusted = trusted.chunk_by(|a, b| a.fingerprint == b.fingerprint);
        let trusted = trusted.map(|rows| Ending {
            fingerprint: rows[0].fingerprint.clone(),
            until: rows[0].valid_until,
            of: trusted_by(rows),
        });
        let mut due = Vec::new();
        for ending in own.chain(trusted) {
            if let Some(days) = warning_days(ending.until, now)
                && !tx.was_warned_of(&ending.fingerprint, days).await?
            {
                due.push((ending, days));
            }
        }
        drop(tx);
        for (ending, days) in due {
            self.warn_of(&ending, days, now).await?;
        }
        Ok(())
    }

    async fn warn_of(&self, ending: &Ending, days: u32, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.begin("warn_of_certificate", now).await?;
        if !tx
            .note_certificate_warning(&ending.fingerprint, days)
            .await?
        {
            return Ok(());
        }
        let short: String = ending.fingerprint.chars().take(FINGERPRINT_SHOWN).collect();
        let when = if ending.until.seconds() < now.seconds() {
            "has ended".to_owned()
        } else {
            format!("{days} days ahead")
        };
        let subject = format!("certificate {short}, {}, {when}", ending.of);
        let kind = DutyKind::CertificateEnds;
        let id = DutyItemId::new(self.entropy.uuid_v7(now));
        tx.open_duty_item(id, kind, &subject, None, None).await?;
        tx.commit().await?;
        tracing::error!(
            event = "duty_item.opened",
            subject,
            kind = kind.as_str(),
            until = %ending.until,
            advice = kind.advice(),
            "a person on duty is needed"
        );
        Ok(())
    }
}

/// Every service that trusts one certificate, as far as a page has room for them.
fn trusted_by(rows: &[ServiceCertificate]) -> String {
    let shown = rows.iter().take(SERVICES_SHOWN);
    let names: Vec<String> = shown.map(|row| row.service_id.to_string()).collect();
    let names = names.join(", ");
    match rows.len() {
        1 => format!("trusted by service {names}"),
        all if all <= SERVICES_SHOWN => format!("trusted by services {names}"),
        all => format!(
            "trusted by services {names} and {} more",
            all - SERVICES_SHOWN
        ),
    }
}
