//! A message to a person goes out once it can, for as long as it makes sense, and no secret of it
//! stays behind, whatever its carrier does.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use balefire_dispatcher::jobs::{Carrier, GovukNotify, NotifyKey, Smtp};
use balefire_domain::ids::NotificationId;
use balefire_domain::job::{Job, Told};
use balefire_domain::notification::{Hidden, Message, Notification, Recipient};
use balefire_gateway::{SmtpClient, SmtpSecurity, SmtpServer};
use balefire_test_support::http_server::{HttpServer, Reply};
use uuid::Uuid;

use crate::mail_server::MailServer;
use crate::support::World;

on_both_engines! {
    notify_is_asked_as_its_api_wants,
    what_notify_refuses_is_given_up_and_what_fails_is_tried_again,
    a_code_that_came_too_late_is_not_sent,
    a_message_whose_answer_is_lost_is_sent_a_few_times_at_most,
    a_mail_server_takes_a_whole_message,
    what_a_mail_server_does_decides_whether_it_is_tried_again,
    a_file_is_for_its_owner_only,
}

const SERVICE: &str = "26785a09-ab16-4eb0-8407-a37497a57506";
const SECRET: &str = "3d844edf-8d35-48ac-975b-e847b4f122b0";
const MINUTE: Duration = Duration::from_secs(60);

fn code_by_sms() -> Notification {
    let code = Hidden::new("1234567");
    Notification::new(
        Recipient::sms("07700 900123").unwrap(),
        Message::SignInCode { code },
    )
}

fn link_by_email() -> Notification {
    let link = Hidden::new("https://admin.example/t/s3cret");
    let message = Message::ResetPassword {
        name: "Änn\r\nBcc: eve@example.org".to_owned(),
        link,
    };
    Notification::new(Recipient::email("ann@example.org").unwrap(), message)
}

impl World {
    /// Enqueues it as `app` does; its job's key.
    async fn tell(&self, notification: &Notification) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = NotificationId::new(Uuid::from_u128(u128::from(n)));
        let now = self.clock_now();
        let sealed = serde_json::to_string(notification).unwrap();
        let told = Told {
            notification_id: id,
            message: notification.message.as_str().to_owned(),
            to: notification.to.masked(),
            valid_until: now + notification.message.valid_for(),
            sealed: sealed.chars().rev().collect(),
        };
        let job = Job::notification(notification.to.way(), told);
        self.enqueue(&job).await;
        job.key()
    }

    fn clock_now(&self) -> balefire_domain::time::Timestamp {
        use balefire_domain::time::Clock as _;
        self.clock.now()
    }

    /// What the audit trail says of its being given up.
    async fn given_up(&self, key: &str) -> Vec<serde_json::Value> {
        let (_, id) = key.split_once(' ').unwrap();
        let lines = self.begin().await.list_audit_entries(1_000).await.unwrap();
        let own = lines.into_iter().filter(|line| {
            line.action == "notification.give_up" && line.object == format!("notification {id}")
        });
        own.map(|line| line.details).collect()
    }

    /// How the job ended: what it says, and whether it was given up; nothing while it has not.
    async fn end_of(&self, key: &str) -> Option<(String, bool)> {
        let state = self.begin().await.load_job_state(key).await.unwrap();
        let state = state.unwrap();
        state.done_at?;
        let words = state.result.or(state.last_error).unwrap_or_default();
        Some((words, state.is_parked))
    }
}

/// Notify that answers this in turn, and the last of it for ever.
async fn notify(replies: Vec<Reply>) -> (HttpServer, Carrier) {
    let replies = Arc::new(Mutex::new(replies));
    let server = HttpServer::start(Box::new(move |_| {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 {
            replies.remove(0)
        } else {
            replies[0].clone()
        }
    }))
    .await;
    let names = ["email", "sms", "sign_in_code_sms"];
    let templates = names.map(|name| (name.to_owned(), format!("template of {name}")));
    let carrier = Carrier::Notify(Box::new(GovukNotify {
        endpoint: server.url().parse().unwrap(),
        key: NotifyKey::parse(&format!("the-key-{SERVICE}-{SECRET}")).unwrap(),
        templates: BTreeMap::from(templates),
    }));
    (server, carrier)
}

fn ok() -> Reply {
    Reply::Answer(201, "{\"id\": \"x\"}".to_owned())
}

async fn notify_is_asked_as_its_api_wants(world: World) {
    let (server, carrier) = notify(vec![ok()]).await;
    let runner = world.carrying(carrier.clone(), carrier).await;
    let keys = [
        world.tell(&code_by_sms()).await,
        world.tell(&link_by_email()).await,
    ];
    assert_eq!(runner.run_due().await.unwrap(), 2);
    for key in &keys {
        assert_eq!(world.end_of(key).await, Some(("notify".to_owned(), false)));
    }
    let received = server.received();
    let by = |path: &str| received.iter().find(|r| r.path == path).unwrap();
    let sms = by("/v2/notifications/sms");
    assert_eq!(sms.method, "POST");
    let body = sms.json();
    assert_eq!(body["phone_number"], "07700900123");
    assert_eq!(body["template_id"], "template of sign_in_code_sms");
    assert_eq!(body["personalisation"]["code"], "1234567");
    assert_eq!(
        keys[0],
        format!("sms {}", body["reference"].as_str().unwrap())
    );
    let email = by("/v2/notifications/email").json();
    assert_eq!(email["email_address"], "ann@example.org");
    assert_eq!(email["template_id"], "template of email");
    let values = &email["personalisation"];
    assert_eq!(values["link"], "https://admin.example/t/s3cret");
    assert!(values["body"].as_str().unwrap().contains("s3cret"));
    let token = sms.header("authorization").unwrap();
    let token = token.strip_prefix("Bearer ").unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    let key = jsonwebtoken::DecodingKey::from_secret(SECRET.as_bytes());
    let claims: serde_json::Value = jsonwebtoken::decode(token, &key, &rules).unwrap().claims;
    assert_eq!(claims["iss"], SERVICE);
    assert_eq!(claims["iat"], 1_795_406_943);
}

async fn what_notify_refuses_is_given_up_and_what_fails_is_tried_again(world: World) {
    let refusal = "{\"errors\": [{\"error\": \"BadRequestError\", \"message\": \"0770090012\"}]}";
    // what Notify answers first, whether it is tried again, a word of why
    let rows = [
        (Reply::Answer(500, String::new()), true, "500"),
        (Reply::Answer(503, "<html>".to_owned()), true, "503"),
        (Reply::Answer(429, String::new()), true, "429"),
        (Reply::Answer(200, String::new()), true, "200"),
        (Reply::Hang, true, ""),
        (Reply::Close, true, ""),
        (Reply::SlowBody(201), true, ""),
        (Reply::Answer(201, "x".repeat(70_000)), true, "65536"),
        (Reply::Answer(403, String::new()), false, "api_key"),
        (
            Reply::Answer(400, refusal.to_owned()),
            false,
            "BadRequestError",
        ),
        (Reply::Answer(404, String::new()), false, "base_url"),
    ];
    for (first, is_tried_again, word) in rows {
        let case = format!("{first:?}").chars().take(60).collect::<String>();
        let (server, carrier) = notify(vec![first, ok()]).await;
        let runner = world.carrying(carrier.clone(), carrier).await;
        let key = world.tell(&code_by_sms()).await;
        assert_eq!(runner.run_due().await.unwrap(), 1, "{case}");
        let state = world.begin().await.load_job_state(&key).await.unwrap();
        let why = state.unwrap().last_error.unwrap();
        assert!(why.contains(word), "{case}: {why}");
        assert!(!why.contains("0770090012"), "{case}: {why}");
        let end = world.end_of(&key).await;
        assert_eq!(end.is_none(), is_tried_again, "{case}: {end:?}");
        world.clock.advance(MINUTE);
        runner.run_due().await.unwrap();
        let (said, is_parked) = world.end_of(&key).await.unwrap();
        assert_eq!(is_parked, !is_tried_again, "{case}: {said}");
        assert_eq!(server.received().len(), 1 + usize::from(is_tried_again));
        let audited = world.given_up(&key).await;
        assert_eq!(audited.len(), usize::from(!is_tried_again), "{case}");
        for details in audited {
            assert_eq!(details["to"], "…123", "{case}");
            assert_eq!(details["message"], "sign_in_code", "{case}");
        }
        let items = world.begin().await.list_open_duty_items(9).await.unwrap();
        assert!(items.is_empty(), "{case}: nobody is woken: {items:?}");
    }
}

async fn a_code_that_came_too_late_is_not_sent(world: World) {
    let (server, carrier) = notify(vec![ok()]).await;
    let key = world.tell(&code_by_sms()).await;
    world.clock.advance(30 * MINUTE);
    let runner = world.carrying(carrier.clone(), carrier).await;
    runner.run_due().await.unwrap();
    let (why, is_parked) = world.end_of(&key).await.unwrap();
    assert!(is_parked && why.contains("too late"), "{why}");
    assert!(server.received().is_empty());
}

async fn a_message_whose_answer_is_lost_is_sent_a_few_times_at_most(world: World) {
    let (server, carrier) = notify(vec![Reply::Close]).await;
    let runner = world.carrying(carrier.clone(), carrier).await;
    let key = world.tell(&link_by_email()).await;
    for _ in 0..20 {
        runner.run_due().await.unwrap();
        world.clock.advance(MINUTE);
    }
    assert_eq!(server.received().len(), 5);
    assert!(world.end_of(&key).await.unwrap().1);
}

fn smtp(server: &MailServer) -> Carrier {
    Carrier::Smtp(Box::new(Smtp {
        client: SmtpClient::new(Duration::from_secs(1), None).unwrap(),
        server: SmtpServer {
            host: "127.0.0.1".to_owned(),
            port: server.port,
            security: SmtpSecurity::Loopback,
            credentials: Some(("user".to_owned(), "pass".to_owned())),
        },
        from: "Alerts <alerts@example.org>".to_owned(),
    }))
}

async fn a_mail_server_takes_a_whole_message(world: World) {
    let server = MailServer::start().await;
    let runner = world.carrying(smtp(&server), Carrier::None).await;
    let key = world.tell(&link_by_email()).await;
    runner.run_due().await.unwrap();
    assert_eq!(world.end_of(&key).await, Some(("smtp".to_owned(), false)));
    let heard = server.heard();
    let id = key.strip_prefix("email ").unwrap();
    for line in [
        "EHLO example.org",
        "AUTH PLAIN AHVzZXIAcGFzcw==",
        "MAIL FROM:<alerts@example.org>",
        "RCPT TO:<ann@example.org>",
        "To: ann@example.org",
        "Subject: Set a new password for emergency alerts",
        "Date: Mon, 23 Nov 2026 04:09:03 +0000",
        &format!("Message-ID: <{id}@example.org>"),
        "Auto-Submitted: auto-generated",
        ".",
    ] {
        assert!(
            heard.iter().any(|h| h == line),
            "{line} is not in {heard:#?}"
        );
    }
    assert!(
        !heard.iter().any(|line| line.starts_with("Bcc")),
        "{heard:#?}"
    );
}

async fn what_a_mail_server_does_decides_whether_it_is_tried_again(world: World) {
    let server = MailServer::start().await;
    let runner = world.carrying(smtp(&server), Carrier::None).await;
    let endless: &'static str = Box::leak("x".repeat(200_000).into_boxed_str());
    // to which command, what is answered, whether it is tried again, what is said of it
    let rows = [
        (
            "RCPT",
            "550 5.1.1 <ann@example.org> who?",
            false,
            "550 to RCPT",
        ),
        ("RCPT", "451 later", true, "451 to RCPT"),
        ("AUTH", "535 no", false, "notifications.smtp.user"),
        ("EHLO", "250 nothing at all", true, "AUTH"),
        ("EHLO", endless, true, "more than is listened to"),
        ("MAIL", "hello?", true, "did not speak SMTP"),
        ("DATA", "", true, "in time"),
        (".", "", true, "in time"),
        (".", "554 spam", false, "554 to the message"),
    ];
    for (word, answer, is_tried_again, why) in rows {
        server.fail([(word, answer)]);
        let key = world.tell(&link_by_email()).await;
        runner.run_due().await.unwrap();
        let state = world.begin().await.load_job_state(&key).await.unwrap();
        let said = state.unwrap().last_error.unwrap();
        let case = format!("{word} {}", &answer[..answer.len().min(30)]);
        assert!(said.contains(why), "{case}: {said}");
        assert!(!said.contains("ann@"), "{case}: {said}");
        assert_eq!(world.end_of(&key).await.is_none(), is_tried_again, "{case}");
        server.fail([]);
        world.clock.advance(MINUTE);
        runner.run_due().await.unwrap();
        assert_eq!(
            world.end_of(&key).await.unwrap().1,
            !is_tried_again,
            "{case}"
        );
    }
}

async fn a_file_is_for_its_owner_only(world: World) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.jsonl");
    let runner = world.carrying(Carrier::File(path.clone()), Carrier::File(path.clone()));
    let runner = runner.await;
    world.tell(&code_by_sms()).await;
    let key = world.tell(&link_by_email()).await;
    runner.run_due().await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("1234567") && text.contains("s3cret"),
        "{text}"
    );
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        world.end_of(&key).await,
        Some(("the file".to_owned(), false))
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let key = world.tell(&link_by_email()).await;
    runner.run_due().await.unwrap();
    let state = world.begin().await.load_job_state(&key).await.unwrap();
    assert!(state.unwrap().last_error.unwrap().contains("mode 600"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}
