//! The look at certificates that end soon, by the role `schedule`.

use std::path::Path;
use std::time::Duration;

use balefire_app::App;
use balefire_signature::Certificate;
use tokio_util::sync::CancellationToken;

/// How often it is looked: a step is told within the hour.
const LOOK_PERIOD: Duration = Duration::from_secs(3600);
/// How soon it is looked again after the database failed, or the clock was in doubt.
const RETRY_PERIOD: Duration = Duration::from_secs(60);
/// Bytes of the file with our own certificate.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Looks at once and then each hour. `own` is the file of our own certificate: it is read anew each
/// time, so that a renewed one is seen.
pub(crate) async fn watch(
    app: App,
    own: Option<String>,
    end: CancellationToken,
) -> (&'static str, anyhow::Result<()>) {
    loop {
        let certificates = own.as_deref().map_or_else(Vec::new, read);
        let looked = app.watch_certificates(&certificates).await;
        if let Err(error) = &looked {
            tracing::error!(
                event = "schedule.failed",
                error = error as &dyn std::error::Error,
                "the database failed; the next minute tries again"
            );
        }
        let pause = if looked.is_ok() && app.clock.is_trusted() {
            LOOK_PERIOD
        } else {
            RETRY_PERIOD
        };
        tokio::select! {
            () = end.cancelled() => return ("look at certificates", Ok(())),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Our own certificate, the first of its file. One that can't be read is said so, each time.
fn read(file: &str) -> Vec<Certificate> {
    let read = || -> anyhow::Result<Vec<Certificate>> {
        use std::io::Read as _;
        let mut pem = Vec::new();
        let opened = std::fs::File::open(Path::new(file))?;
        opened.take(FILE_BYTES_MAX).read_to_end(&mut pem)?;
        let mut certificates = Certificate::from_pem(&pem)?;
        certificates.truncate(1);
        Ok(certificates)
    };
    read().unwrap_or_else(|error| {
        tracing::error!(
            event = "certificate.unreadable",
            file,
            error = %error,
            "cbc.signing_certificate_file can't be read: nobody is told before it ends"
        );
        Vec::new()
    })
}
