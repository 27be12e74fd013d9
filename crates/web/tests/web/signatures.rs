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
