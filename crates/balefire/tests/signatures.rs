//! Signatures and documents on the command line, with the real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde_json::Value;

const FLOOD: &str = include_str!("../../cap/tests/fixtures/flood-alert.xml");

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// A folder with a document, a key, its certificate, and another certificate.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let desk = Self { folder };
        desk.write("alert.xml", FLOOD);
        desk.write(
            "balefire.toml",
            "environment = \"test\"\n[database]\nurl = \"sqlite://desk.db\"\n\
             [cbc]\nendpoint_url = \"http://127.0.0.1:1\"\n",
        );
        for (name, year) in [("own", 2026), ("other", 2026), ("late", 2027)] {
            let pair = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::new(Vec::new()).expect("no names");
            params.distinguished_name.push(DnType::CommonName, name);
            params.not_before = date_time_ymd(year, 1, 1);
            params.not_after = date_time_ymd(year + 2, 1, 1);
            let certificate = params.self_signed(&pair).expect("a certificate");
            desk.write(&format!("{name}.key"), &pair.serialize_pem());
            desk.write(&format!("{name}.pem"), &certificate.pem());
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("the folder is writable");
    }

    fn run(&self, words: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_balefire"))
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .env_remove("BALEFIRE_CONFIG")
            .output()
            .expect("the binary runs")
    }

    /// Runs a command that must succeed; what it printed.
    fn done(&self, words: &str) -> String {
        let output = self.run(words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words}: {told}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a command that must end with 1; what it said.
    fn refused(&self, words: &str) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(1), "{words}: {output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    /// The JSON that a command printed, whatever it ended with.
    fn json(&self, words: &str) -> Value {
        let output = self.run(&format!("{words} --json --config balefire.toml"));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words}: {output:?}"))
    }
}

#[test]
fn a_document_is_signed_and_verified_and_xmlsec1_agrees() {
    let desk = Desk::new();
    let signed = desk.done("cap sign alert.xml --key own.key --cert own.pem");
    desk.write("signed.xml", &signed);
    for order in [
        "signed.xml --trust own.pem",
        "signed.xml --trust other.pem own.pem",
        "signed.xml --trust other.pem --trust own.pem",
        "--trust own.pem signed.xml",
    ] {
        let told = desk.done(&format!("cap verify {order}"));
        assert!(
            told.contains("CN=own") && told.contains("2026-11-23T04:09:03-00:00"),
            "{told}"
        );
    }
    let verdict = desk.json("cap verify signed.xml --trust own.pem");
    assert_eq!(verdict["ok"], true);
    assert_eq!(verdict["signer"]["subject"], "CN=own");
    let judged = Command::new("xmlsec1")
        .args(["--verify", "--pubkey-cert-pem", "own.pem", "signed.xml"])
        .current_dir(desk.folder.path())
        .output()
        .expect("xmlsec1 is needed: cargo xtask setup installs it");
    assert!(judged.status.success(), "{judged:?}");

    let why = desk.refused("cap verify signed.xml --trust other.pem");
    assert!(why.contains("not trusted"), "{why}");
    desk.write("changed.xml", &signed.replace("Actual", "System"));
    let why = desk.refused("cap verify changed.xml --trust own.pem");
    assert!(why.contains("changed after it was signed"), "{why}");
    let verdict = desk.json("cap verify changed.xml --trust own.pem");
    assert_eq!(
        (&verdict["ok"], &verdict["code"]),
        (&false.into(), &"signature-digest".into())
    );
    let why = desk.refused("cap verify alert.xml --trust own.pem");
    assert!(why.contains("not signed"), "{why}");
}

#[test]
fn what_can_not_be_signed_is_refused_with_the_reason() {
    let desk = Desk::new();
    desk.write("broken.xml", &FLOOD.replace("Actual", "Real"));
    let signed = desk.done("cap sign alert.xml --key own.key --cert own.pem");
    desk.write("signed.xml", &signed);
    let rows = [
        ("broken.xml --key own.key --cert own.pem", "no valid CAP"),
        ("signed.xml --key own.key --cert own.pem", "signed already"),
        ("alert.xml --key own.key --cert other.pem", "another key"),
        (
            "alert.xml --key late.key --cert late.pem",
            "outside the validity",
        ),
        ("alert.xml --key own.pem --cert own.pem", "no private key"),
        ("alert.xml --key own.key --cert own.key", "no certificate"),
        ("nowhere.xml --key own.key --cert own.pem", "can't read"),
    ];
    for (words, want) in rows {
        let why = desk.refused(&format!("cap sign {words}"));
        assert!(why.contains(want), "{words}: {why}");
    }
}

#[test]
fn a_service_demands_signatures_and_the_documents_of_its_alert_are_shown() {
    let desk = Desk::new();
    let config = "--config balefire.toml";
    desk.done(&format!("migrate {config}"));
    let made = desk.json("service create --name Rivers --mode live --channel severe");
    let id = made["id"].as_str().expect("an id").to_owned();
    for email in ["author@rivers.example", "second@rivers.example"] {
        desk.done(&format!(
            "user create --name A --email {email} --service {id} {config}"
        ));
    }
    let why = desk.refused(&format!("service demand-signature {id} on {config}"));
    assert!(why.contains("trusts nobody's signature yet"), "{why}");
    desk.done(&format!("service trust {id} own.pem {config}"));
    let listed = desk.json(&format!("service trust {id} --list"));
    let fingerprint = listed[0]["fingerprint"].as_str().expect("one").to_owned();
    desk.done(&format!("service demand-signature {id} on {config}"));
    let why = desk.refused(&format!("service untrust {id} {fingerprint} {config}"));
    assert!(why.contains("last certificate"), "{why}");

    let submit = format!("alert submit --service {id} --as author@rivers.example");
    let why = desk.refused(&format!("{submit} alert.xml {config}"));
    assert!(why.contains("it is not signed"), "{why}");
    let signed = desk.done("cap sign alert.xml --key own.key --cert own.pem");
    desk.write("signed.xml", &signed);
    let alert = desk.json(&format!("{submit} signed.xml"));
    let alert = alert["id"].as_str().expect("an id").to_owned();

    let drafts = desk.json(&format!("cap write {alert}"));
    let drafts = drafts.as_array().expect("a list");
    assert_eq!(drafts.len(), 4);
    assert!(
        drafts
            .iter()
            .all(|one| one["sent"] == false && one["delivery"].is_null())
    );
    desk.done(&format!(
        "alert approve {alert} --as second@rivers.example {config}"
    ));
    let written = desk.json(&format!("cap write {alert}"));
    for one in written.as_array().expect("a list") {
        let document = one["document"].as_str().expect("a document");
        let identifier = one["payload"]["identifier"]
            .as_str()
            .expect("an identifier");
        assert_eq!(one["delivery"], identifier);
        assert!(document.contains(identifier), "{document}");
        assert_eq!(
            document.contains("IBAG_message_number"),
            one["provider"] == "vodafone"
        );
        is_canonical(&desk.path("one.xml"), document);
    }
    desk.done(&format!(
        "alert cancel {alert} --as second@rivers.example {config}"
    ));
    let only = desk.json(&format!("cap write {alert} --provider ee"));
    let only = only.as_array().expect("a list");
    assert!(
        !only.is_empty() && only.iter().all(|one| one["provider"] == "ee"),
        "{only:?}"
    );
    let why = desk.refused(&format!("cap write {alert} --provider nobody {config}"));
    assert!(why.contains("nothing of this alert"), "{why}");
}

fn is_canonical(file: &Path, document: &str) {
    std::fs::write(file, document).expect("the folder is writable");
    let output = Command::new("xmllint")
        .args(["--nonet", "--c14n11"])
        .arg(file)
        .output();
    let output = output.expect("xmllint is needed: cargo xtask setup installs it");
    assert_eq!(String::from_utf8_lossy(&output.stdout), document);
}
