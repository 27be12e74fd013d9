//! A mail server on loopback that answers as it is told, and keeps what it was given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What it answers in the place of its own words, by the first word of a command; `.` is the end of
/// a message. Empty: nothing, for ever.
pub type Faults = BTreeMap<&'static str, &'static str>;

pub struct MailServer {
    pub port: u16,
    faults: Arc<Mutex<Faults>>,
    heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (faults, heard) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        let (own_faults, own_heard) = (Arc::clone(&faults), Arc::clone(&heard));
        tasks.spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (faults, heard) = (Arc::clone(&own_faults), Arc::clone(&own_heard));
                talks.spawn(async move {
                    // Who breaks off has his reasons.
                    let _ = talk(stream, &faults, &heard).await;
                });
            }
        });
        Self {
            port,
            faults,
            heard,
            _tasks: tasks,
        }
    }

    pub fn fail(&self, faults: impl IntoIterator<Item = (&'static str, &'static str)>) {
        *self.faults.lock().unwrap() = faults.into_iter().collect();
    }

    /// Every line that it was sent.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn talk(
    stream: TcpStream,
    faults: &Mutex<Faults>,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 hello\r\n").await?;
    let mut is_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        heard.lock().unwrap().push(line.clone());
        if is_data && line != "." {
            continue;
        }
        is_data = line == "DATA";
        let word = line.split(' ').next().unwrap_or_default();
        let fault = faults.lock().unwrap().get(word).copied();
        let answer = fault.unwrap_or(match word {
            "EHLO" => "250-here\r\n250-AUTH LOGIN PLAIN\r\n250 SIZE 1000000",
            "AUTH" => "235 you are",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        });
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
    }
}
