//! `cap sign` and `cap verify`: signatures of CAP documents. Neither needs a configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use balefire_domain::limits::BODY_BYTES_MAX;
use balefire_signature::{Certificate, Signer, SigningKey, Verified, verify};
use serde_json::{Value, json};

use super::cap::read_at_most;
use crate::FAILED;

/// Bytes of a file with keys or certificates.
const PEM_BYTES_MAX: usize = 1024 * 1024;
/// The bits of a file's mode by which its group and everybody may read it.
const OTHERS_READ: u32 = 0o044;

/// Prints the document with a signature at its end.
pub(super) fn sign(
    file: &Path,
    key: &Path,
    certificate: &Path,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let bytes = read(file, BODY_BYTES_MAX)?;
    let document = balefire_cap::read(&bytes).map_err(|findings| {
        let first = findings.iter().find(|finding| finding.is_error());
        let first = first.map_or_else(String::new, ToString::to_string);
        let file = file.display();
        anyhow!("{file} is no valid CAP document: {first}; `balefire cap check` says all")
    })?;
    tell_open_mode(key);
    let key_file = key.display();
    let key = SigningKey::from_pem(&read(key, PEM_BYTES_MAX)?)
        .map_err(|fault| anyhow!("{key_file} can't sign: {fault}"))?;
    let signer = Signer::new(key, certificates(certificate)?)?;
    let signed = signer
        .sign_cap(&document.alert)
        .map_err(|refusal| anyhow!("{} is not signed: {refusal}", file.display()))?;
    let text = String::from_utf8(signed).context("what we write is UTF-8")?;
    if json {
        let shown = json!({ "document": text, "signer": signer.certificate() });
        say!("{shown}");
    } else {
        say!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Says by whom a document is signed, and when; 1 when it is not, or by nobody trusted.
pub(super) fn check(
    file: Option<&Path>,
    trust: &[PathBuf],
    json: bool,
) -> anyhow::Result<ExitCode> {
    // `--trust A.pem FILE`: the last of several is the document where no other stands before.
    let (file, trust) = match (file, trust) {
        (Some(file), trust) => (file, trust),
        (None, [trust @ .., file]) if !trust.is_empty() => (file.as_path(), trust),
        (None, _) => {
            bail!("name the document and whom you trust: cap verify FILE --trust CERT.pem")
        }
    };
    let bytes = read(file, BODY_BYTES_MAX)?;
    let mut trusted = Vec::new();
    for path in trust {
        trusted.extend(certificates(path)?);
    }
    let verdict = verify(&bytes, &trusted);
    let name = file.display().to_string();
    if json {
        say!(
            "{}",
            match &verdict {
                Ok(verified) => shown(&name, verified),
                Err(refusal) => json!({
                    "file": name, "ok": false, "code": refusal.code(),
                    "reason": refusal.to_string(),
                }),
            }
        );
    }
    match verdict {
        Ok(verified) => {
            if !json {
                say!("{}", lines(&name, &verified));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            eprintln!("balefire: {name} does not verify: {refusal}");
            Ok(ExitCode::from(FAILED))
        }
    }
}

fn shown(file: &str, verified: &Verified) -> Value {
    let alert = &verified.document.alert;
    json!({
        "file": file, "ok": true, "sender": alert.sender, "identifier": alert.identifier,
        "sent": alert.sent.written, "signer": verified.signer, "authority": verified.authority,
    })
}

fn lines(file: &str, verified: &Verified) -> String {
    let Certificate {
        subject,
        issuer,
        serial,
        fingerprint,
        validity,
        ..
    } = &verified.signer;
    let trusted = match &verified.authority {
        None => "its own certificate is trusted".to_owned(),
        Some(authority) => format!("trusted through the authority {}", authority.subject),
    };
    let (from, until) = (validity.from.to_cap(), validity.until.to_cap());
    let sent = &verified.document.alert.sent.written;
    format!(
        "{file}: the signature holds\n\
         signed by    {subject}\n\
         issued by    {issuer}\n\
         serial       {serial}\n\
         fingerprint  {fingerprint}\n\
         valid        {from} to {until}\n\
         trust        {trusted}\n\
         sent         {sent}, within that validity"
    )
}

/// Says so where others than its owner may read a private key.
fn tell_open_mode(key: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(key).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & OTHERS_READ != 0) {
        let key = key.display();
        eprintln!("balefire: {key} can be read by others than its owner: `chmod 600 {key}`");
    }
}

fn read(path: &Path, limit: usize) -> anyhow::Result<Vec<u8>> {
    let bytes = read_at_most(path, limit + 1);
    let bytes = bytes.with_context(|| format!("can't read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() <= limit,
        "{} is larger than {limit} bytes",
        path.display()
    );
    Ok(bytes)
}

/// The certificates of a PEM file.
pub(super) fn certificates(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = read(path, PEM_BYTES_MAX)?;
    Certificate::from_pem(&pem).map_err(|fault| anyhow!("{}: {fault}", path.display()))
}
