//! TLS towards proxies: the public authorities, and a file of further ones where proxies have
//! certificates of their own. No early data: a request is never sent twice.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use balefire_domain::limits::CA_FILE_BYTES_MAX;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// Why the gateway can't start. The display names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The file of certificate authorities can't be read.
    #[error("the file of certificate authorities {} can't be read", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no usable certificate.
    #[error(
        "{} is no file of certificate authorities: it must hold certificates in PEM form, \
         at most 1 MiB of them",
        .path.display()
    )]
    CaContent {
        /// The file.
        path: PathBuf,
    },
    /// The TLS library doesn't offer what the gateway asks of it.
    #[error("TLS can't be set up")]
    Tls(#[source] rustls::Error),
}

/// The settings of every TLS session.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, GatewayError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = ca_file {
        for certificate in read_authorities(path)? {
            roots
                .add(certificate)
                .map_err(|_| GatewayError::CaContent {
                    path: path.to_owned(),
                })?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(GatewayError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

fn read_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, GatewayError> {
    let content = || GatewayError::CaContent {
        path: path.to_owned(),
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(CA_FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|source| GatewayError::CaFile {
            path: path.to_owned(),
            source,
        })?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > CA_FILE_BYTES_MAX) {
        return Err(content());
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|_| content())?;
    if certificates.is_empty() {
        return Err(content());
    }
    Ok(certificates)
}
