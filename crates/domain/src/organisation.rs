//! Organisations, and whose addresses are the public sector's.

use uuid::Uuid;

use crate::ids::OrganisationId;

/// Where services go that may broadcast (R96). Migration 18 makes it.
pub const BROADCAST_ORGANISATION: OrganisationId =
    OrganisationId::new(Uuid::from_u128(0x38e4_bf69_93b0_445d_acee_53ea_53fe_02df));

/// What an organisation or a service may be.
pub const KINDS: [&str; 8] = [
    "central",
    "local",
    "nhs_central",
    "nhs_local",
    "nhs_gp",
    "emergency_service",
    "school_or_college",
    "other",
];

/// Domains below which every address is the public sector's.
const PUBLIC_DOMAINS: [&str; 16] = [
    "gov.uk",
    "gov.scot",
    "gov.wales",
    "llyw.cymru",
    "parliament.uk",
    "parliament.scot",
    "assembly.wales",
    "senedd.wales",
    "nhs.uk",
    "nhs.net",
    "nhs.scot",
    "police.uk",
    "mod.uk",
    "mil.uk",
    "fire.uk",
    "cjsm.net",
];

/// Whether an address is the public sector's: its domain is one of the well-known ones or of an
/// organisation's, or lies below it.
pub fn is_public_sector<'d>(email: &str, domains: impl IntoIterator<Item = &'d str>) -> bool {
    let Some((_, host)) = email.rsplit_once('@') else {
        return false;
    };
    let host = host.to_lowercase();
    PUBLIC_DOMAINS
        .into_iter()
        .chain(domains)
        .any(|domain| is_below(&host, domain))
}

/// Whether a host is this domain or lies below it.
pub fn is_below(host: &str, domain: &str) -> bool {
    match host.strip_suffix(domain) {
        Some("") => !domain.is_empty(),
        Some(rest) => !domain.is_empty() && rest.ends_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_public_sector_s_by_its_domain() {
        let own = ["example.org"];
        for (email, want) in [
            ("ann@digital.cabinet-office.gov.uk", true),
            ("ann@gov.uk", true),
            ("ann@GOV.UK", true),
            ("ann@x.nhs.net", true),
            ("ann@example.org", true),
            ("ann@sub.example.org", true),
            ("ann@notgov.uk", false),
            ("ann@gov.uk.example.com", false),
            ("ann@example.com", false),
            ("gov.uk@example.com", false),
            ("ann@evil@gov.uk.com", false),
            ("ann", false),
            ("", false),
        ] {
            assert_eq!(is_public_sector(email, own), want, "{email}");
        }
        assert!(!is_public_sector("ann@example.org", []));
        assert!(!is_public_sector("ann@example.org", [""]));
    }

    #[test]
    fn services_go_where_clients_look_for_them() {
        let id = BROADCAST_ORGANISATION.to_string();
        assert_eq!(id, "38e4bf69-93b0-445d-acee-53ea53fe02df");
    }
}
