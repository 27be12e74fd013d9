//! How long writing and signing take, and verifying: `cargo bench -p balefire-signature`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use balefire_signature::{Certificate, Signer, SigningKey, verify};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};

const FLOOD: &str = include_str!("../../cap/tests/fixtures/flood-alert.xml");

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(3);

fn main() {
    let mut alert = balefire_cap::read(FLOOD.as_bytes())
        .expect("a fixture")
        .alert;
    alert.signatures.clear();
    measure("write", || balefire_cap::write(black_box(&alert)));
    for (name, algorithm) in [
        ("RSA-2048", &PKCS_RSA_SHA256),
        ("P-256", &PKCS_ECDSA_P256_SHA256),
    ] {
        let pair = KeyPair::generate_for(algorithm).expect("a key");
        let params = CertificateParams::new(Vec::new()).expect("no names");
        let pem = params.self_signed(&pair).expect("it signs itself").pem();
        let certificates = Certificate::from_pem(pem.as_bytes()).expect("a certificate");
        let key = SigningKey::from_pem(pair.serialize_pem().as_bytes()).expect("a key");
        let signer = Signer::new(key, certificates.clone()).expect("a signer");
        let signed = signer.sign_cap(&alert).expect("it is signed");
        measure(&format!("write and sign, {name}"), || {
            signer.sign_cap(black_box(&alert)).expect("it is signed")
        });
        measure(&format!("read and verify, {name}"), || {
            verify(black_box(&signed), &certificates).expect("it verifies")
        });
    }
}

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time and prints it"
)]
fn measure<T>(what: &str, mut work: impl FnMut() -> T) {
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < MEASURED {
        let start = Instant::now();
        black_box(work());
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_micros();
    println!(
        "{what}: median {} µs, 99th percentile {} µs, {} runs",
        at(50),
        at(99),
        times.len()
    );
}
