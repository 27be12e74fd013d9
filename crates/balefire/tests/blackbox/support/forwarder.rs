//! A way to the database that a test can break: cut, silent, led elsewhere, or cut at one message.
//!
//! It carries bytes between a port of its own and a database's port, on loopback. What a client
//! sends in one piece counts as one message: the product writes each statement at once and waits
//! for its answer.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Bytes carried at a time; far above any message of the product.
const PIECE_BYTES: usize = 256 * 1024;
/// How long a message that is delivered late is held back.
pub(crate) const LATE: Duration = Duration::from_millis(600);

/// When a connection ends that is cut at one of its client's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The message is lost.
    Before,
    /// The database did what it says, and its answer is lost.
    After,
    /// The client loses its connection at once, and the database gets the message later.
    Late,
}

/// What the way does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Nothing is carried, and nothing is told.
    Silent,
}

/// The message at which a connection is cut.
#[derive(Clone, Copy, Debug)]
struct Planned {
    /// How many messages go through before.
    after: u32,
    cut: Cut,
}

#[derive(Debug)]
struct State {
    target: u16,
    planned: Option<Planned>,
    /// Only a message with these bytes counts; empty: each one.
    counted: &'static [u8],
    seen: u32,
    cuts: u32,
}

struct Shared {
    state: Mutex<State>,
    way: watch::Sender<Way>,
    /// Raised to end every connection that is open.
    epoch: watch::Sender<u64>,
    /// Messages on their late way.
    late: Mutex<JoinSet<()>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn late(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a client's message.
    fn judge(&self, message: &[u8]) -> Option<Cut> {
        let mut state = self.state();
        let counted = state.counted;
        let fits = counted.is_empty() || message.windows(counted.len()).any(|at| at == counted);
        if !fits {
            return None;
        }
        state.seen += 1;
        let planned = state.planned?;
        if planned.after > 0 {
            state.planned = Some(Planned {
                after: planned.after - 1,
                ..planned
            });
            return None;
        }
        state.planned = None;
        state.cuts += 1;
        Some(planned.cut)
    }
}

/// The way.
pub(crate) struct Forwarder {
    shared: Arc<Shared>,
    port: u16,
    /// Who takes connections, while somebody does.
    listening: JoinSet<()>,
}

impl Forwarder {
    /// A way to the database at this port.
    pub(crate) async fn to(target: u16) -> Self {
        let state = State {
            target,
            planned: None,
            counted: b"",
            seen: 0,
            cuts: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            way: watch::Sender::new(Way::Open),
            epoch: watch::Sender::new(0),
            late: Mutex::default(),
        });
        let mut forwarder = Self {
            shared,
            port: 0,
            listening: JoinSet::new(),
        };
        forwarder.listen().await;
        forwarder
    }

    /// Its port on loopback.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Takes connections (again).
    pub(crate) async fn listen(&mut self) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await;
        let listener = listener.expect("the port is ours");
        self.port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::clone(&self.shared);
        self.listening.spawn(async move {
            let mut carried = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                carried.spawn(carry(client, Arc::clone(&shared)));
                while carried.try_join_next().is_some() {}
            }
        });
    }

    /// Ends every connection, and refuses new ones.
    pub(crate) async fn refuse(&mut self) {
        self.listening.shutdown().await;
    }

    /// Ends every connection; new ones are taken.
    pub(crate) fn cut(&self) {
        self.shared.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Leads new connections to this port.
    pub(crate) fn lead_to(&self, target: u16) {
        self.shared.state().target = target;
    }

    /// From here on nothing is carried and nothing is told: a black hole.
    pub(crate) fn fall_silent(&self) {
        self.shared.way.send_replace(Way::Silent);
    }

    /// Carries again, what was held back too.
    pub(crate) fn speak(&self) {
        self.shared.way.send_replace(Way::Open);
    }

    /// Cuts the connection whose client sends the next message but `after` of those that hold
    /// `counted` (empty: of all).
    pub(crate) fn plan(&self, cut: Cut, after: u32, counted: &'static [u8]) {
        let mut state = self.shared.state();
        state.planned = Some(Planned { after, cut });
        state.counted = counted;
        state.seen = 0;
        state.cuts = 0;
    }

    /// Whether the cut that was planned last has happened.
    pub(crate) fn has_cut(&self) -> bool {
        let mut state = self.shared.state();
        state.planned = None;
        state.cuts > 0
    }
}

/// Carries one connection to its end.
async fn carry(client: TcpStream, shared: Arc<Shared>) {
    let mut ended = shared.epoch.subscribe();
    let _ = ended.borrow_and_update();
    let mut way = shared.way.subscribe();
    let target = shared.state().target;
    if way.wait_for(|way| *way == Way::Open).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (swallow, mut is_swallowing) = watch::channel(false);
    let mut way_back = shared.way.subscribe();
    let asking = async {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let bytes = from_client.read(&mut piece).await.unwrap_or(0);
            if way.wait_for(|way| *way == Way::Open).await.is_err() || bytes == 0 {
                return;
            }
            match shared.judge(&piece[..bytes]) {
                None => {}
                Some(Cut::Before) => return,
                Some(Cut::After) => {
                    swallow.send_replace(true);
                }
                Some(Cut::Late) => {
                    let late = piece[..bytes].to_vec();
                    shared.late().spawn(async move {
                        let mut beat = tokio::time::interval(LATE);
                        beat.tick().await;
                        beat.tick().await;
                        let _ = to_server.write_all(&late).await;
                    });
                    return;
                }
            }
            if to_server.write_all(&piece[..bytes]).await.is_err() {
                return;
            }
        }
    };
    let answering = async {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let bytes = from_server.read(&mut piece).await.unwrap_or(0);
            let is_lost = *is_swallowing.borrow_and_update();
            let is_open = way_back.wait_for(|way| *way == Way::Open).await.is_ok();
            if !is_open || is_lost || bytes == 0 {
                return;
            }
            if to_client.write_all(&piece[..bytes]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = answering => {}
        _ = ended.changed() => {}
    }
}
