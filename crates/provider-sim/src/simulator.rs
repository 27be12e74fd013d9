//! The server.

use std::fs::OpenOptions;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::sync::watch;

use crate::controls::Controls;
use crate::faults::Faults;
use crate::http::{self, Shared};

/// How long open connections may take to end when the simulator does.
const END_WAIT: Duration = Duration::from_secs(1);

/// Simulated providers behind one address, bound and not yet served.
pub struct Simulator {
    listener: TcpListener,
    local_addr: SocketAddr,
    controls: Controls,
}

impl Simulator {
    /// Binds `addr`, which must be a loopback address: nobody has to prove who they are here. Port
    /// 0 takes a free one. From here on connections queue up until [`Simulator::run_until`].
    pub fn bind(addr: SocketAddr, faults: Faults) -> io::Result<Self> {
        if !addr.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "simulated providers ask nobody who they are, so they listen on this machine \
                     only: use 127.0.0.1 or [::1] instead of {}",
                    addr.ip()
                ),
            ));
        }
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let controls = Controls::default();
        controls.replace_faults(faults);
        Ok(Self {
            local_addr: listener.local_addr()?,
            listener,
            controls,
        })
    }

    /// The address it is bound to, with the port that was free.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Steers it from this process.
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }

    /// Appends every request to the file at `path`, line by line, so that the log is there after a
    /// kill. The file is made if it is not there. The crate's documentation says what stands in a
    /// line.
    pub fn log_to(&self, path: &Path) -> io::Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        self.controls.log_to(file);
        Ok(())
    }

    /// Serves until `shutdown` is done. Then open requests are dropped without an answer, and what
    /// would have been applied later never is. Must run inside a tokio runtime with I/O and time.
    pub async fn run_until(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(event = "simulator.nodelay_failed", %error);
            }
        });
        let (end, mut ending) = watch::channel(false);
        let shared = Shared::new(self.controls, ending.clone());
        let served = axum::serve(listener, http::router(shared.clone()))
            .with_graceful_shutdown(async move {
                shutdown.await;
                end.send_replace(true);
            })
            .into_future();
        let overdue = async {
            // An error means that the sender is gone, which is the end as well.
            drop(ending.wait_for(|&ending| ending).await);
            tokio::time::sleep(END_WAIT).await;
        };
        tracing::info!(event = "simulator.started", address = %self.local_addr);
        let result = tokio::select! {
            result = served => result,
            () = overdue => Ok(()),
        };
        shared.abort_waiting();
        result
    }
}
