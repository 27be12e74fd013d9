//! The systems of others that side effects go to, as far as Balefire uses them: Zendesk's tickets
//! and PagerDuty's events, over real HTTP on loopback, with faults on command.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::http_server::{HttpServer, Received, Reply};

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not done, and this status is answered.
    Status(u16),
    /// It is not done, and nothing is answered.
    Hang,
    /// It is not done, and the connection closes.
    Close,
    /// It is done, and nothing is answered.
    DoneAndHang,
    /// It is done, and the answer never ends.
    DoneAndSlow,
    /// It is done, and the answer is no JSON.
    DoneAndNotJson,
    /// It is done, and the answer is JSON of another shape.
    DoneAndOther,
    /// It is done, and the answer has so many bytes.
    DoneAndLong(usize),
}

impl Fault {
    const fn is_done(&self) -> bool {
        match self {
            Self::Status(_) | Self::Hang | Self::Close => false,
            Self::DoneAndHang
            | Self::DoneAndSlow
            | Self::DoneAndNotJson
            | Self::DoneAndOther
            | Self::DoneAndLong(_) => true,
        }
    }

    fn reply(&self, status: u16) -> Reply {
        match self {
            Self::Status(status) => Reply::Answer(*status, "{}".to_owned()),
            Self::Hang | Self::DoneAndHang => Reply::Hang,
            Self::Close => Reply::Close,
            Self::DoneAndSlow => Reply::SlowBody(status),
            Self::DoneAndNotJson => Reply::Answer(status, "<html>".to_owned()),
            Self::DoneAndOther => Reply::Answer(status, "{\"ticket\":[]}".to_owned()),
            Self::DoneAndLong(bytes) => Reply::Answer(status, " ".repeat(*bytes)),
        }
    }
}

/// A ticket that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its number.
    pub id: u64,
    /// What it was made of.
    pub made_of: Value,
    /// The `Authorization` that made it.
    pub authorization: String,
    /// The comments added since.
    pub comments: Vec<String>,
}

#[derive(Default)]
struct TicketsState {
    tickets: Vec<Ticket>,
    fault: Option<Fault>,
    look_fault: Option<Fault>,
}

/// A ticket service. It knows nothing of idempotency keys: what prevents a second ticket must be
/// Balefire's own look.
pub struct FakeZendesk {
    server: HttpServer,
    state: Arc<Mutex<TicketsState>>,
}

fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeZendesk {
    /// A ticket service without faults.
    pub async fn start() -> Self {
        let state: Arc<Mutex<TicketsState>> = Arc::default();
        let own = Arc::clone(&state);
        let server = HttpServer::start(Box::new(move |request| {
            let mut state = locked(&own);
            let fault = match request.method.as_str() {
                "GET" => state.look_fault.clone(),
                _ => state.fault.clone(),
            };
            let done = match &fault {
                Some(fault) if !fault.is_done() => return fault.reply(0),
                _ => state.carry_out(request),
            };
            match (fault, done) {
                (Some(fault), Reply::Answer(status, _)) => fault.reply(status),
                (_, done) => done,
            }
        }));
        Self {
            server: server.await,
            state,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What goes wrong from now on with making tickets and adding to them.
    pub fn fail(&self, fault: Option<Fault>) {
        locked(&self.state).fault = fault;
    }

    /// What goes wrong from now on with looking for tickets.
    pub fn fail_looks(&self, fault: Option<Fault>) {
        locked(&self.state).look_fault = fault;
    }

    /// The tickets, oldest first.
    pub fn tickets(&self) -> Vec<Ticket> {
        locked(&self.state).tickets.clone()
    }

    /// All requests.
    pub fn received(&self) -> Vec<Received> {
        self.server.received()
    }
}

impl TicketsState {
    fn carry_out(&mut self, request: &Received) -> Reply {
        let body = request.json();
        if let Some(external_id) = request
            .path
            .strip_prefix("/api/v2/tickets.json?external_id=")
            .filter(|_| request.method == "GET")
        {
            let found: Vec<Value> = self
                .tickets
                .iter()
                .filter(|ticket| ticket.made_of["external_id"] == external_id)
                .map(|ticket| json!({ "id": ticket.id, "external_id": external_id }))
                .collect();
            return Reply::Answer(200, json!({ "tickets": found }).to_string());
        }
        if request.method == "POST" && request.path == "/api/v2/tickets.json" {
            let id = 7000 + self.tickets.len() as u64;
            self.tickets.push(Ticket {
                id,
                made_of: body["ticket"].clone(),
                authorization: request.header("authorization").unwrap_or("").to_owned(),
                comments: Vec::new(),
            });
            return Reply::Answer(201, json!({ "ticket": { "id": id } }).to_string());
        }
        let number = request.path.strip_prefix("/api/v2/tickets/");
        let number = number.and_then(|rest| rest.strip_suffix(".json")?.parse().ok());
        let ticket = self.tickets.iter_mut().find(|t| Some(t.id) == number);
        match (ticket, body["ticket"]["comment"]["body"].as_str()) {
            (Some(ticket), Some(comment)) if request.method == "PUT" => {
                ticket.comments.push(comment.to_owned());
                Reply::Answer(200, json!({ "ticket": { "id": ticket.id } }).to_string())
            }
            _ => Reply::Answer(404, "{}".to_owned()),
        }
    }
}

/// One incident, as PagerDuty's deduplication makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The event that opened it.
    pub opened_by: Value,
    /// How many events opened it.
    pub triggers: usize,
    /// Whether it was resolved since.
    pub is_resolved: bool,
}

#[derive(Default)]
struct PagesState {
    incidents: BTreeMap<String, Incident>,
    /// Resolves of what was not open.
    stray_resolves: usize,
    fault: Option<Fault>,
}

/// A page service.
pub struct FakePagerDuty {
    server: HttpServer,
    state: Arc<Mutex<PagesState>>,
}

impl FakePagerDuty {
    /// A page service without faults.
    pub async fn start() -> Self {
        let state: Arc<Mutex<PagesState>> = Arc::default();
        let own = Arc::clone(&state);
        let server = HttpServer::start(Box::new(move |request| {
            let mut state = locked(&own);
            let fault = state.fault.clone();
            if fault.as_ref().is_none_or(Fault::is_done) && !state.take(request) {
                return Reply::Answer(400, "{\"status\":\"invalid event\"}".to_owned());
            }
            match fault {
                Some(fault) => fault.reply(202),
                None => Reply::Answer(202, "{\"status\":\"success\"}".to_owned()),
            }
        }));
        Self {
            server: server.await,
            state,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What goes wrong from now on.
    pub fn fail(&self, fault: Option<Fault>) {
        locked(&self.state).fault = fault;
    }

    /// The incidents by their deduplication keys.
    pub fn incidents(&self) -> BTreeMap<String, Incident> {
        locked(&self.state).incidents.clone()
    }

    /// How many resolves came for what was not open.
    pub fn stray_resolves(&self) -> usize {
        locked(&self.state).stray_resolves
    }

    /// All requests.
    pub fn received(&self) -> Vec<Received> {
        self.server.received()
    }
}

impl PagesState {
    fn take(&mut self, request: &Received) -> bool {
        let event = request.json();
        let key = event["dedup_key"].as_str().unwrap_or_default().to_owned();
        let is_event = request.method == "POST"
            && request.path == "/v2/enqueue"
            && event["routing_key"].is_string()
            && !key.is_empty();
        match event["event_action"].as_str() {
            Some("trigger") if is_event => {
                let is_whole = ["summary", "source", "severity"]
                    .iter()
                    .all(|field| event["payload"][field].is_string());
                let incident = self.incidents.entry(key).or_insert(Incident {
                    opened_by: event,
                    triggers: 0,
                    is_resolved: false,
                });
                incident.triggers += 1;
                incident.is_resolved = false;
                is_whole
            }
            Some("resolve") if is_event => {
                match self.incidents.get_mut(&key) {
                    Some(incident) => incident.is_resolved = true,
                    None => self.stray_resolves += 1,
                }
                true
            }
            _ => false,
        }
    }
}
