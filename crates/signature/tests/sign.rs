//! What we sign verifies elsewhere, here, and nowhere else's key signs it.

mod support;

use balefire_cap::outgoing::{Message, Sender};
use balefire_domain::time::Timestamp;
use balefire_signature::{KeyFault, SignRefusal, Signer, SigningKey, verify};
use support::{ALERT, EVERY_ELEMENT, Identity, OTHER_RSA, P256, P384, RSA, alert, xmlsec1};

const SENDER: Sender<'_> = Sender {
    sender: "broadcasts@rivers.example",
    name: "Rivers",
    public_page: "https://rivers.example/alerts",
};

fn identities() -> [&'static Identity; 3] {
    [&RSA, &P256, &P384]
}

fn assert_xmlsec1_takes(document: &[u8], identity: &Identity) {
    let output = xmlsec1(document, &identity.certificate_pem);
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(document)
    );
}

#[test]
fn cap_documents_signed_with_every_kind_of_key_verify_here_and_with_xmlsec1() {
    for identity in identities() {
        for fixture in [ALERT, EVERY_ELEMENT] {
            let alert = alert(fixture);
            let signed = identity.signer().sign_cap(&alert).expect("it is signed");
            assert_xmlsec1_takes(&signed, identity);
            let verified = verify(&signed, &identity.certificates()).expect("it verifies");
            assert_eq!(verified.signer, identity.certificates()[0]);
            assert_eq!(verified.authority, None);
            let mut read = verified.document.alert;
            assert_eq!(read.signatures.len(), 1);
            read.signatures.clear();
            assert_eq!(read, alert);
        }
    }
}

#[test]
fn xmlsec1_refuses_a_changed_document_so_its_word_means_something() {
    let signed = support::signed().replace("Actual", "System");
    assert!(
        !xmlsec1(signed.as_bytes(), &RSA.certificate_pem)
            .status
            .success()
    );
    assert!(
        !xmlsec1(support::signed().as_bytes(), &OTHER_RSA.certificate_pem)
            .status
            .success()
    );
}

#[test]
fn ibag_documents_carry_the_signature_in_their_last_element() {
    let number = r#""message_number":"0000004e","message_format":"ibag""#;
    let test = format!(r#"{{"message_type":"test","identifier":"abc",{number}}}"#);
    let cancel = format!(
        r#"{{"message_type":"cancel","identifier":"abd",{number},"references":[{{"message_id":"abc",
        "message_number":"0000004d","sent":"2026-11-23T04:09:03-00:00"}}],
        "sent":"2026-11-23T05:09:03-00:00"}}"#
    );
    let now = Timestamp::from_seconds(1_795_406_943);
    for payload in [test, cancel] {
        let message = Message::parse(&payload).expect("a payload");
        let document = message.to_ibag(&SENDER, now).expect("a document");
        for identity in identities() {
            let signed = identity.signer().sign_ibag(&document, now).expect("signed");
            assert_xmlsec1_takes(&signed, identity);
            let text = String::from_utf8(signed).expect("UTF-8");
            let end = "</Signature></IBAG_Digital_Signature></IBAG_Alert_Attributes>";
            assert!(text.ends_with(end), "{text}");
            let changed = text.replace("0000004e", "0000004f");
            assert!(
                !xmlsec1(changed.as_bytes(), &identity.certificate_pem)
                    .status
                    .success()
            );
        }
    }
    let cap = balefire_cap::write(&alert(ALERT));
    assert_eq!(RSA.signer().sign_ibag(&cap, now), Err(SignRefusal::NoPlace));
}

#[test]
fn a_signature_with_rsa_is_the_same_at_every_call() {
    assert_eq!(support::signed(), support::signed());
}

#[test]
fn every_form_of_private_key_is_read() {
    use rcgen::SigningKey as _;
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIFUjO9mx9Tc0HTGl0hRjhRrFBTdkAY5hDDyIaxDU/Fj7oAoGCCqGSM49\n\
        -----END EC PRIVATE KEY-----\n";
    assert!(
        SigningKey::from_pem(sec1.as_bytes()).is_err(),
        "it is cut off"
    );
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    assert!(!ed25519.sign(b"x").expect("it signs").is_empty());
    let pem = ed25519.serialize_pem();
    assert_eq!(
        SigningKey::from_pem(pem.as_bytes()).err(),
        Some(KeyFault::Kind)
    );
    for text in ["", "hello", RSA.certificate_pem.as_str()] {
        assert_eq!(
            SigningKey::from_pem(text.as_bytes()).err(),
            Some(KeyFault::NoPem)
        );
    }
    for (identity, kind) in [(&*RSA, "rsa"), (&*P256, "ec"), (&*P384, "ec")] {
        let traditional = openssl(&[kind, "-traditional"], &identity.key_pem);
        let key = SigningKey::from_pem(traditional.as_bytes()).expect("PKCS #1 or SEC 1");
        assert!(key.belongs_to(&identity.certificates()[0]), "{traditional}");
    }
}

/// The key in its older form, by Debian's openssl.
fn openssl(arguments: &[&str], key_pem: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("key.pem");
    std::fs::write(&file, key_pem).expect("the folder is writable");
    let mut command = std::process::Command::new("openssl");
    let arguments = arguments
        .iter()
        .filter(|a| !(arguments[0] == "ec" && **a == "-traditional"));
    let output = command.args(arguments).arg("-in").arg(&file).output();
    String::from_utf8(output.expect("openssl runs").stdout).expect("PEM")
}

#[test]
fn what_nobody_could_verify_is_not_signed() {
    let key = || SigningKey::from_pem(RSA.key_pem.as_bytes()).expect("a key");
    let other = Signer::new(key(), OTHER_RSA.certificates());
    assert!(matches!(other, Err(SignRefusal::OtherKey(_))));
    let other = Signer::new(key(), P256.certificates());
    assert!(matches!(other, Err(SignRefusal::OtherKey(_))));
    assert!(matches!(
        Signer::new(key(), vec![]),
        Err(SignRefusal::NoCertificate)
    ));
    let mut early = alert(ALERT);
    early.sent = balefire_cap::DateTime::parse("2025-12-31T23:59:59-00:00").expect("a date");
    assert!(matches!(
        RSA.signer().sign_cap(&early),
        Err(SignRefusal::NotValid { .. })
    ));
    early.sent = balefire_cap::DateTime::parse("2026-01-01T00:00:00-00:00").expect("a date");
    assert!(RSA.signer().sign_cap(&early).is_ok());
    let signed = balefire_cap::read(support::signed().as_bytes())
        .expect("CAP")
        .alert;
    assert_eq!(RSA.signer().sign_cap(&signed), Err(SignRefusal::Signed));
}

#[test]
fn a_certificate_that_may_not_sign_documents_does_not() {
    let pair = support::rsa_key();
    let mut params = support::params("Encrypts only");
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyEncipherment];
    let certificate = params.self_signed(&pair).expect("a certificate").pem();
    let identity = Identity {
        key_pem: pair.serialize_pem(),
        certificate_pem: certificate,
    };
    let key = SigningKey::from_pem(identity.key_pem.as_bytes()).expect("a key");
    let signer = Signer::new(key, identity.certificates());
    assert!(matches!(signer, Err(SignRefusal::Usage(_))));
}
