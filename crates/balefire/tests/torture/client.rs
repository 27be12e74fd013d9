//! The load: people and agencies who submit, edit, approve and cancel, and remember what they were
//! told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use balefire_app::authenticate::make_token;
use balefire_domain::entropy::Entropy as _;
use balefire_test_support::entropy::SeededEntropy;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::api::{Answer, try_call};
use crate::support::documents;
use crate::support::now;
use crate::support::sandbox::CLIENT_SECRET;
use crate::support::team::Team;
use crate::world::pause;

/// People who act at once.
const WORKERS: u64 = 3;
/// How long an alert lasts that is to complete under the load.
const SHORT_ALERT: Duration = Duration::from_millis(1500);

/// What a client was told about one alert.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// An approval was answered 200.
    pub(crate) approved: bool,
    /// The approval of an update was answered 200.
    pub(crate) updated: bool,
    /// A cancel was answered 200 or 201.
    pub(crate) cancelled: bool,
}

/// Everything that clients were told, by alert.
#[derive(Default)]
pub(crate) struct Facts {
    told: Mutex<BTreeMap<String, Told>>,
    /// What was answered and must never be: words for the report.
    faults: Mutex<Vec<String>>,
    next: AtomicU64,
}

impl Facts {
    pub(crate) fn told(&self) -> BTreeMap<String, Told> {
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, alert: &str, change: impl FnOnce(&mut Told)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        change(told.entry(alert.to_owned()).or_default());
    }

    fn complain(&self, what: String) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }
}

/// Somebody who acts against one running service.
struct Worker {
    url: String,
    team: Arc<Team>,
    facts: Arc<Facts>,
    chance: SeededEntropy,
}

/// The service is gone: what it was asked may or may not have been done.
struct Gone;

/// Acts against the service at `url` until it is gone. Ends when it is dropped, too.
pub(crate) fn begin(url: &str, team: &Arc<Team>, facts: &Arc<Facts>, seed: u64) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for number in 0..WORKERS {
        let worker = Worker {
            url: url.to_owned(),
            team: Arc::clone(team),
            facts: Arc::clone(facts),
            chance: SeededEntropy::new(seed.wrapping_mul(31).wrapping_add(number)),
        };
        workers.spawn(async move { while worker.act().await.is_ok() {} });
    }
    workers
}

impl Worker {
    fn draw(&self, of: u64) -> u64 {
        u64::try_from(self.chance.random() % u128::from(of)).expect("it is below 64 bits")
    }

    /// One alert's life, as far as the service lives.
    async fn act(&self) -> Result<(), Gone> {
        pause(Duration::from_millis(self.draw(60))).await;
        let number = self.facts.next.fetch_add(1, Ordering::Relaxed);
        let identifier = format!("torture-{number}");
        let made = self.post_cap(documents::alert(&identifier)).await?;
        let Some(alert) = self.expect(&made, 201, "a submission")? else {
            return Ok(());
        };
        let alert = alert["id"].as_str().unwrap_or_default().to_owned();
        let is_short = self.draw(6) == 0;
        let is_edited = is_short || self.draw(3) == 0;
        if is_edited {
            let mut change = json!({
                "extra_content": format!("more of {number}"), "created_by": self.team.author.id,
            });
            if is_short {
                change["finishes_at"] = json!((now() + SHORT_ALERT).to_json_style());
            }
            let edited = self.admin(&format!("/{alert}"), &change).await?;
            self.expect(&edited, 200, "an edit")?;
        }
        let approved = self.move_to(&alert, "broadcasting").await?;
        match approved.status {
            200 => self.facts.note(&alert, |told| told.approved = true),
            // Its end had passed: the machine is slow.
            400 if is_short => return Ok(()),
            _ => {
                self.expect(&approved, 200, "an approval")?;
            }
        }
        if !is_short && self.draw(2) == 0 {
            pause(Duration::from_millis(self.draw(150))).await;
            self.update(&alert, &identifier, if is_edited { 3 } else { 2 })
                .await?;
        }
        if self.draw(2) == 0 {
            return Ok(());
        }
        pause(Duration::from_millis(self.draw(150))).await;
        let (cancelled, done) = if self.draw(2) == 0 {
            (self.post_cap(documents::cancel(&identifier)).await?, 201)
        } else {
            (self.move_to(&alert, "cancelled").await?, 200)
        };
        match cancelled.status {
            status if status == done => self.facts.note(&alert, |told| told.cancelled = true),
            // It was over.
            400 | 404 if is_short => {}
            _ => {
                self.expect(&cancelled, done, "a cancel")?;
            }
        }
        Ok(())
    }

    /// Proposes another text by CAP, which then is this version, and approves it.
    async fn update(&self, alert: &str, identifier: &str, version: u32) -> Result<(), Gone> {
        let proposed = self.post_cap(documents::update(identifier)).await?;
        self.expect(&proposed, 201, "an update")?;
        let asked = json!({
            "status": "broadcasting", "created_by": self.team.approver.id, "version": version,
        });
        let approved = self.admin(&format!("/{alert}/status"), &asked).await?;
        if self
            .expect(&approved, 200, "an update's approval")?
            .is_some()
        {
            self.facts.note(alert, |told| told.updated = true);
        }
        Ok(())
    }

    /// The body of an answer with this status. 503 is an answer of a service that ends; any other
    /// status is a fault.
    fn expect(&self, answer: &Answer, status: u16, what: &str) -> Result<Option<Value>, Gone> {
        if answer.status == status {
            return Ok(Some(answer.json()));
        }
        if answer.status == 503 {
            return Err(Gone);
        }
        let text = answer.text();
        self.facts.complain(format!(
            "{what} was answered {}: {text:.200}",
            answer.status
        ));
        Ok(None)
    }

    async fn post_cap(&self, document: String) -> Result<Answer, Gone> {
        let token = make_token(&self.team.service, &self.team.key.secret, now());
        let url = format!("{}/v2/broadcast", self.url);
        self.post(&url, &token, "application/cap+xml", document)
            .await
    }

    async fn move_to(&self, alert: &str, status: &str) -> Result<Answer, Gone> {
        let asked = json!({ "status": status, "created_by": self.team.approver.id });
        self.admin(&format!("/{alert}/status"), &asked).await
    }

    async fn admin(&self, path: &str, body: &Value) -> Result<Answer, Gone> {
        let token = make_token("notify-admin", CLIENT_SECRET, now());
        let service = &self.team.service;
        let url = format!("{}/service/{service}/broadcast-message{path}", self.url);
        self.post(&url, &token, "application/json", body.to_string())
            .await
    }

    async fn post(
        &self,
        url: &str,
        token: &str,
        content_type: &str,
        body: String,
    ) -> Result<Answer, Gone> {
        let token = format!("Bearer {token}");
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", content_type),
        ];
        try_call("POST", url, &headers, body)
            .await
            .map_err(|_| Gone)
    }
}
