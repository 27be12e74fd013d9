//! The commands about CAP documents.

use std::path::PathBuf;

use balefire_cap::rules::{Country, Use};
use balefire_domain::ids::AlertId;
use balefire_domain::provider::ProviderName;
use clap::Subcommand;

use super::{provider_name, word};

#[derive(Debug, Subcommand)]
pub(crate) enum CapCommand {
    /// Say everything that is wrong with documents: line, column, rule, what to do. Needs no
    /// database.
    ///
    /// One line for each finding: FILE:LINE:COLUMN: error C10: alert/sent: what is wrong.
    /// With --json one array, complete also when a file can't be read:
    /// [{"file","ok","findings":[{"rule","severity","path","line","column","message"}]}].
    /// Exits with 1 when there is an error; warnings are no errors.
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Only well-formed XML and the structure of the CAP 1.2 schema, without the rules that
        /// the standard's text adds.
        #[arg(long)]
        structure_only: bool,
        /// What the message is judged for: check tells its author everything; dispatch is what
        /// the API takes; send is the strict form in which we write. docs/standards.md has the
        /// table.
        #[arg(
            long = "for", value_name = "USE", default_value = "check",
            value_parser = word("check, dispatch or send", Use::parse)
        )]
        used_for: Use,
        /// The box around your country in degrees, SOUTH,WEST,NORTH,EAST: shapes outside it are
        /// named, and latitude and longitude exchanged. Not for dispatch.
        #[arg(
            long, allow_hyphen_values = true,
            value_parser = word("boxes SOUTH,WEST,NORTH,EAST in degrees", Country::parse)
        )]
        country: Option<Country>,
    },
    /// Sign a CAP document and print it: in canonical form, with the signature as its last element
    /// (docs/signatures.md). Needs no database.
    ///
    /// Refused: what is no valid CAP, what is signed already, a key that is not the certificate's,
    /// and a certificate that is not valid at the document's `sent`.
    Sign {
        /// The document.
        file: PathBuf,
        /// The private key in PEM form: RSA of 2048 bits or more, or ECDSA on P-256 or P-384.
        #[arg(long, value_name = "KEY.pem")]
        key: PathBuf,
        /// Its certificate in PEM form; those that lead to an authority may follow in the file.
        #[arg(long = "cert", value_name = "CERT.pem")]
        certificate: PathBuf,
    },
    /// Say by whom a CAP document is signed and when. Exits with 1 when its signature does not
    /// hold or is nobody's whom you trust. Needs no database.
    Verify {
        /// The document.
        file: Option<PathBuf>,
        /// Whom you trust: the signer's own certificate, or an authority's. May name several.
        #[arg(long, required = true, num_args = 1.., value_name = "CERT.pem")]
        trust: Vec<PathBuf>,
    },
    /// Print what each provider was sent for an alert, or would be if it were approved now: the
    /// stored payload, and the CAP or IBAG document that it stands for.
    Write {
        alert: AlertId,
        /// Only this provider.
        #[arg(long, value_parser = provider_name)]
        provider: Option<ProviderName>,
    },
}
