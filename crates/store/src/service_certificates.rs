//! Whose signatures a service trusts, and which certificates were told of before their end.

use balefire_domain::ids::ServiceId;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// A certificate that a service trusts: a signer's own, or an authority's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCertificate {
    /// Whose trust it has.
    pub service_id: ServiceId,
    /// SHA-256 of it, in hexadecimal digits.
    pub fingerprint: String,
    /// The certificate in PEM form.
    pub pem: String,
    /// The last instant at which it holds.
    pub valid_until: Timestamp,
}

statements! {
    INSERT: "INSERT INTO service_certificates
        (service_id, fingerprint, pem, valid_until, created_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (service_id, fingerprint) DO NOTHING";
    DELETE: "DELETE FROM service_certificates WHERE service_id = $1 AND fingerprint = $2";
    LIST: "SELECT * FROM service_certificates WHERE service_id = $1
        ORDER BY created_at, fingerprint";
    LIST_ENDING: "SELECT * FROM service_certificates WHERE valid_until <= $1
        ORDER BY valid_until, fingerprint, service_id LIMIT $2";
    NOTE_WARNING: "INSERT INTO certificate_warnings (fingerprint, days, warned_at)
        VALUES ($1, $2, $3) ON CONFLICT (fingerprint, days) DO NOTHING";
    FIND_WARNING: "SELECT warned_at FROM certificate_warnings
        WHERE fingerprint = $1 AND days = $2";
}

impl Tx {
    /// Trusts a certificate; false where the service trusts it already.
    pub async fn insert_service_certificate(
        &mut self,
        certificate: &ServiceCertificate,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let rows = execute!(
            self,
            INSERT,
            certificate.service_id.to_string(),
            certificate.fingerprint.clone(),
            certificate.pem.clone(),
            certificate.valid_until.micros(),
            now,
        )?;
        Ok(rows == 1)
    }

    /// Ends the trust in a certificate; false where there was none.
    pub async fn delete_service_certificate(
        &mut self,
        service: ServiceId,
        fingerprint: &str,
    ) -> Result<bool, StoreError> {
        let fingerprint = fingerprint.to_owned();
        Ok(execute!(self, DELETE, service.to_string(), fingerprint)? == 1)
    }

    /// The certificates that a service trusts, in the order in which they were added.
    pub async fn list_service_certificates(
        &mut self,
        service: ServiceId,
    ) -> Result<Vec<ServiceCertificate>, StoreError> {
        fetch_all!(self, read, LIST, service.to_string())
    }

    /// The trusted certificates that end at an instant or before it, at most `limit`, the first
    /// to end first.
    pub async fn list_ending_certificates(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ServiceCertificate>, StoreError> {
        fetch_all!(self, read, LIST_ENDING, before.micros(), i64::from(limit))
    }

    /// Whether a certificate was told of this many days before its end.
    pub async fn was_warned_of(
        &mut self,
        fingerprint: &str,
        days: u32,
    ) -> Result<bool, StoreError> {
        let fingerprint = fingerprint.to_owned();
        let days = i64::from(days);
        let found = fetch_optional!(
            self,
            |row| row.instant("warned_at"),
            FIND_WARNING,
            fingerprint,
            days
        )?;
        Ok(found.is_some())
    }

    /// Notes that a certificate is told of; false where that was done already.
    pub async fn note_certificate_warning(
        &mut self,
        fingerprint: &str,
        days: u32,
    ) -> Result<bool, StoreError> {
        let (now, fingerprint) = (self.now.micros(), fingerprint.to_owned());
        Ok(execute!(self, NOTE_WARNING, fingerprint, i64::from(days), now)? == 1)
    }
}

fn read(row: &impl Row) -> Result<ServiceCertificate, StoreError> {
    Ok(ServiceCertificate {
        service_id: row.id("service_id", ServiceId::new)?,
        fingerprint: row.text("fingerprint")?,
        pem: row.text("pem")?,
        valid_until: row.instant("valid_until")?,
    })
}
