//! Services that take signed documents only.

use std::time::Duration;

use balefire_app::signatures::TrustRefusal;
use balefire_app::{App, Failure};
use balefire_domain::audit::Actor;
use balefire_domain::lane::DutyKind;
use balefire_domain::time::Timestamp;
use balefire_signature::{Certificate, Signer, SigningKey};
use rcgen::{CertificateParams, DnType, KeyPair};

use crate::documents::{alert, cancel, triple};
use crate::support::*;

struct Agency {
    signer: Signer,
    certificate: Certificate,
}

impl Agency {
    /// With a certificate that ends at an instant, or in a far year.
    fn new(name: &str, until: Option<Timestamp>) -> Self {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        if let Some(until) = until {
            let start = rcgen::date_time_ymd(1970, 1, 1);
            params.not_after = start + Duration::from_secs(until.seconds().unsigned_abs());
        }
        let pem = params.self_signed(&pair).unwrap().pem();
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap().remove(0);
        let key = SigningKey::from_pem(pair.serialize_pem().as_bytes()).unwrap();
        let signer = Signer::new(key, vec![certificate.clone()]).unwrap();
        Self {
            signer,
            certificate,
        }
    }

    fn sign(&self, document: &str) -> String {
        let alert = balefire_cap::read(document.as_bytes()).unwrap().alert;
        String::from_utf8(self.signer.sign_cap(&alert).unwrap()).unwrap()
    }
}

/// The live service takes documents that this agency signed, and no others.
async fn demanding(web: &TestWeb) -> Agency {
    let agency = Agency::new("Rivers", None);
    let certificates = std::slice::from_ref(&agency.certificate);
    let (app, id) = (&web.app, web.live.id);
    app.trust_certificates(Actor::CommandLine, id, certificates)
        .await
        .unwrap();
    let service = app
        .set_demands_signature(Actor::CommandLine, id, true)
        .await
        .unwrap();
    assert!(service.demands_signature);
    agency
}

#[tokio::test]
async fn a_service_that_demands_signatures_takes_nothing_else() {
    let web = TestWeb::start().await;
    let before = web.post_cap(&web.live.normal, &alert("before")).await;
    assert_eq!(before.status, 201, "none is demanded yet");
    let agency = demanding(&web).await;
    let signed = agency.sign(&alert("first"));
    let rows = [
        (alert("first"), "it is not signed"),
        (
            signed.replace("Actual", "Test"),
            "changed after it was signed",
        ),
        (
            Agency::new("Rivers", None).sign(&alert("first")),
            "not trusted",
        ),
        (signed.replace("<Signature ", "<!-- --><signature "), "XML"),
    ];
    for (document, want) in rows {
        let answer = web.post_cap(&web.live.normal, &document).await;
        assert_eq!(answer.status, 400, "{want}: {answer:?}");
        let is_about = answer.messages().contains(want) || want == "XML";
        assert!(is_about, "{want}: {answer:?}");
    }
    let answer = web.post_cap(&web.live.normal, &signed).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let other = web.post_cap(&web.other.normal, &alert("first")).await;
    assert_eq!(other.status, 201, "another service demands none");
}

#[tokio::test]
async fn a_cancel_has_to_be_signed_too_and_a_person_can_always_cancel() {
    let web = TestWeb::start().await;
    let agency = demanding(&web).await;
    let signed = agency.sign(&alert("first"));
    let id = web.post_cap(&web.live.normal, &signed).await.alert();
    let (approver, author) = (web.live.approver, web.live.author);
    let approved = web.change_status(id, "broadcasting", approver).await;
    assert_eq!(approved.status, 200, "{approved:?}");
    let unsigned = cancel(&triple("first"));
    let refused = web.post_cap(&web.live.normal, &unsigned).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.messages().contains("it is not signed"));
    let by_person = web.change_status(id, "cancelled", author).await;
    assert_eq!(by_person.status, 200, "{by_person:?}");

    let signed = agency.sign(&alert("second"));
    let id = web.post_cap(&web.live.normal, &signed).await.alert();
    web.change_status(id, "broadcasting", approver).await;
    let cancelled = agency.sign(&cancel(&triple("second")));
    let answer = web.post_cap(&web.live.normal, &cancelled).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json()["status"], "cancelled");
}

#[tokio::test]
async fn trust_is_given_and_taken_and_the_last_one_stays_where_it_is_demanded() {
    let web = TestWeb::start().await;
    let (app, id, by) = (&web.app, web.live.id, Actor::CommandLine);
    let demanded = app.set_demands_signature(by, id, true).await;
    assert!(is(demanded, &TrustRefusal::NobodyTrusted));
    let agency = demanding(&web).await;
    let first = agency.certificate.fingerprint.clone();
    let again = app.trust_certificates(by, id, &[agency.certificate]).await;
    assert_eq!(again.unwrap().len(), 1, "once is enough");
    let last = app.untrust_certificate(by, id, &first).await;
    assert!(is(last, &TrustRefusal::LastCertificate));
    let next = Agency::new("Rivers 2027", None);
    let both = app
        .trust_certificates(by, id, &[next.certificate])
        .await
        .unwrap();
    let names: Vec<&str> = both.iter().map(|c| c.subject.as_str()).collect();
    assert_eq!(both.len(), 2, "{names:?}");
    let left = app.untrust_certificate(by, id, &first).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(app.list_trusted(id).await.unwrap().unwrap(), left);
    let gone = app.untrust_certificate(by, id, &first).await;
    assert!(is(gone, &TrustRefusal::NoCertificate));
    let off = app.set_demands_signature(by, id, false).await.unwrap();
    assert!(!off.demands_signature);
    let answer = web.post_cap(&web.live.normal, &alert("unsigned")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

fn is<T>(outcome: Result<T, Failure<TrustRefusal>>, want: &TrustRefusal) -> bool {
    matches!(outcome, Err(Failure::Refused(refusal)) if refusal == *want)
}

#[tokio::test]
async fn a_document_that_was_signed_anew_says_what_it_said() {
    let web = TestWeb::start().await;
    let agency = demanding(&web).await;
    let (first, second) = (agency.sign(&alert("first")), agency.sign(&alert("first")));
    assert_ne!(first, second, "ECDSA draws a number each time");
    let made = web.post_cap(&web.live.normal, &first).await;
    assert_eq!(made.status, 201, "{made:?}");
    let again = web.post_cap(&web.live.normal, &second).await;
    assert_eq!(
        (again.status.as_u16(), &again.text),
        (200, &made.text),
        "{again:?}"
    );
    let other = alert("first").replace("Go uphill now", "Stay where you are");
    let other = web.post_cap(&web.live.normal, &agency.sign(&other)).await;
    assert_ne!(other.status, 200, "{other:?}");
}

#[tokio::test]
async fn what_a_signed_document_did_is_noted_with_its_signer() {
    let web = TestWeb::start().await;
    let unsigned = web.post_cap(&web.live.normal, &alert("unsigned")).await;
    assert_eq!(unsigned.status, 201, "{unsigned:?}");
    let agency = demanding(&web).await;
    let signed = agency.sign(&alert("first"));
    let id = web.post_cap(&web.live.normal, &signed).await.alert();
    let approver = web.live.approver;
    web.change_status(id, "broadcasting", approver).await;
    let cancelled = agency.sign(&cancel(&triple("first")));
    let answer = web.post_cap(&web.live.normal, &cancelled).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let mut tx = web.app.store.begin_read("audit", START).await.unwrap();
    let entries = tx.list_audit_entries(100).await.unwrap();
    let noted = |action: &str| -> Vec<bool> {
        let of = entries.iter().filter(|entry| entry.action == action);
        let signer = &agency.certificate.fingerprint;
        of.map(|entry| entry.details["signed_by"] == **signer)
            .collect()
    };
    let mut submitted = noted("alert.submit");
    submitted.sort_unstable();
    assert_eq!(submitted, [false, true]);
    assert_eq!(noted("alert.cancel"), [true]);
}

#[tokio::test]
async fn what_can_vouch_for_nothing_and_what_vouches_for_too_much_is_not_trusted() {
    let web = TestWeb::start().await;
    let (app, id, by) = (&web.app, web.live.id, Actor::CommandLine);
    let certificate = |key: &KeyPair, is_authority: bool| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "Somebody");
        if is_authority {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }
        let pem = params.self_signed(key).unwrap().pem();
        Certificate::from_pem(pem.as_bytes()).unwrap().remove(0)
    };
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let p256 = KeyPair::generate().unwrap();
    let (signer, authority) = (certificate(&p256, false), certificate(&p256, true));
    let both = [signer.clone(), authority.clone()];
    let refused = app.trust_certificates(by, id, &both).await;
    assert!(is(refused, &TrustRefusal::SignerWithAuthority));
    let subject = "CN=Somebody".to_owned();
    let refused = app
        .trust_certificates(by, id, &[certificate(&ed25519, false)])
        .await;
    let of_no_use = TrustRefusal::OfNoUse {
        subject: subject.clone(),
    };
    assert!(is(refused, &of_no_use));
    let until = Timestamp::from_seconds(START.seconds() - 1);
    let over = Agency::new("Somebody", Some(until)).certificate;
    let refused = app.trust_certificates(by, id, &[over]).await;
    assert!(is(refused, &TrustRefusal::Ended { subject, until }));
    assert_eq!(app.list_trusted(id).await.unwrap().unwrap(), []);
    let of_use = [certificate(&ed25519, true), authority];
    let taken = app.trust_certificates(by, id, &of_use).await.unwrap();
    assert_eq!(taken.len(), 2);
    let taken = app.trust_certificates(by, id, &[signer]).await.unwrap();
    assert_eq!(taken.len(), 3);
}

#[tokio::test]
async fn every_service_that_trusts_a_certificate_is_named_when_it_ends() {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let web = TestWeb::start().await;
    let app = &web.app;
    let shared = Agency::new("Agency", Some(START + 5 * DAY)).certificate;
    let services = [web.live.id, web.other.id];
    for id in services {
        let certificates = std::slice::from_ref(&shared);
        app.trust_certificates(Actor::CommandLine, id, certificates)
            .await
            .unwrap();
    }
    app.watch_certificates(&[]).await.unwrap();
    let first = told(app).await;
    assert_eq!(first.len(), 1, "{first:?}");
    for id in services {
        assert!(first[0].contains(&id.to_string()), "{first:?}");
    }
    assert!(first[0].ends_with("7 days ahead"), "{first:?}");
    web.clock.advance(6 * DAY);
    app.watch_certificates(&[]).await.unwrap();
    let all = told(app).await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(
        all.iter().any(|subject| subject.ends_with("has ended")),
        "{all:?}"
    );
}

async fn told(app: &App) -> Vec<String> {
    let mut tx = app
        .store
        .begin_read("items", app.clock.now())
        .await
        .unwrap();
    let items = tx.list_latest_duty_items(100).await.unwrap();
    let ours = items
        .into_iter()
        .filter(|item| item.kind == DutyKind::CertificateEnds.as_str());
    ours.map(|item| item.subject).collect()
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told_once_at_each_step() {
    const DAY: u64 = 24 * 3600;
    let web = TestWeb::start().await;
    let end = START + Duration::from_secs(40 * DAY);
    let ours = Agency::new("Our own", Some(end)).certificate;
    let theirs = Agency::new("Agency", Some(end + Duration::from_secs(DAY))).certificate;
    let far = Agency::new("Far", None).certificate;
    let trusted = [theirs, far];
    let (app, id) = (&web.app, web.live.id);
    app.trust_certificates(Actor::CommandLine, id, &trusted)
        .await
        .unwrap();
    let own = [ours];
    // Days that pass, and how many items there are then.
    let rows = [
        (0, 0),
        (9, 0),
        (1, 1),
        (0, 1),
        (1, 2),
        (22, 3),
        (1, 4),
        (5, 5),
        (1, 6),
        (3, 6),
    ];
    for (days, want) in rows {
        web.clock.advance(Duration::from_secs(days * DAY));
        app.watch_certificates(&own).await.unwrap();
        assert_eq!(told(app).await.len(), want, "{:?}", told(app).await);
    }
    let all = told(app).await;
    let own = all
        .iter()
        .filter(|subject| subject.contains("our own"))
        .count();
    assert_eq!(own, 3, "{all:?}");
    assert!(
        all.iter()
            .any(|subject| subject.contains(&format!("service {id}, 7 days")))
    );
}
