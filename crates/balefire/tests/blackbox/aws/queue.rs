//! SQS between processes, as `moto` plays it: it saves time, and can change nothing else.

use balefire_test_support::moto::Moto;
use serde_json::{Value, json};

use super::with_adapter::start_as;
use crate::support::api::call;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Sandbox};
use crate::support::{SOON, on_both_engines, poll_until};

on_both_engines!(
    an_approval_in_one_process_is_told_to_another_by_ids_alone,
    wake_ups_repeated_late_or_of_nobody_make_no_attempt,
    a_dead_letter_tells_a_person_and_touches_no_delivery,
    a_queue_that_is_away_costs_nothing_but_a_line_of_the_log,
);

const WAKE_UPS: &str = "wake-ups";
const GIVEN_UP: &str = "given-up";

/// The two queues of a world.
struct Queues {
    moto: Moto,
    wake_ups: String,
    given_up: String,
}

impl Queues {
    async fn new(sandbox: &Sandbox) -> Self {
        let moto = Moto::start().await;
        let made = |name| sqs(&moto, "CreateQueue", json!({ "QueueName": name }));
        let url = |made: Value| made["QueueUrl"].as_str().expect("its address").to_owned();
        let (wake_ups, given_up) = (url(made(WAKE_UPS).await), url(made(GIVEN_UP).await));
        configure(sandbox, moto.url());
        Self {
            moto,
            wake_ups,
            given_up,
        }
    }

    async fn put(&self, queue: &str, body: &str) {
        let asked = json!({ "QueueUrl": queue, "MessageBody": body });
        sqs(&self.moto, "SendMessage", asked).await;
    }

    /// Messages in a queue, visible and not.
    async fn count(&self, queue: &str) -> (u32, u32) {
        let asked = json!({ "QueueUrl": queue, "AttributeNames": ["All"] });
        let told = sqs(&self.moto, "GetQueueAttributes", asked).await;
        let number = |name: &str| {
            let text = told["Attributes"][name].as_str().expect("a number");
            text.parse().expect("a number")
        };
        (
            number("ApproximateNumberOfMessages"),
            number("ApproximateNumberOfMessagesNotVisible"),
        )
    }

    /// Waits until so many messages are left in a queue.
    async fn wait_for(&self, queue: &str, left: (u32, u32)) {
        let what = format!("{left:?} messages are left in {queue}");
        poll_until(SOON, &what, async || {
            (self.count(queue).await == left).then_some(())
        })
        .await;
    }
}

async fn sqs(moto: &Moto, action: &str, asked: Value) -> Value {
    let target = format!("AmazonSQS.{action}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=dummy/20261123/eu-west-2/sqs/aws4_request, \
             SignedHeaders=host, Signature=0",
        ),
    ];
    let answer = call("POST", moto.url(), &headers, asked.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_str(&answer.text()).unwrap_or_else(|_| json!({}))
}

/// Adds the queues to the configuration, for processes that start from now on.
fn configure(sandbox: &Sandbox, url: &str) {
    let text = std::fs::read_to_string(sandbox.path("balefire.toml")).expect("it was written");
    let queue = format!(
        "[queue]\nkind = \"sqs\"\nname = \"{WAKE_UPS}\"\n\
         dead_letter_name = \"{GIVEN_UP}\"\nendpoint_url = \"{url}\"\n"
    );
    sandbox.write("balefire.toml", &(text + &queue));
}

fn wake_up(alert: &str, provider: &str) -> String {
    format!(r#"{{"alert":"{alert}","provider":"{provider}"}}"#)
}

async fn an_approval_in_one_process_is_told_to_another_by_ids_alone(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let queues = Queues::new(&sandbox).await;
    let api = start_as(&sandbox, &["serve", "--roles", "api"]).await;
    let alert = api.broadcast(&team, "flood-1").await;
    queues.wait_for(&queues.wake_ups, (4, 0)).await;
    let look = json!({ "QueueUrl": queues.wake_ups, "MaxNumberOfMessages": 10,
                       "VisibilityTimeout": 0 });
    let seen = sqs(&queues.moto, "ReceiveMessage", look).await;
    let bodies = seen["Messages"].as_array().expect("messages").iter();
    let mut bodies: Vec<&str> = bodies
        .map(|message| message["Body"].as_str().expect("a body"))
        .collect();
    bodies.sort_unstable();
    let want = ["ee", "o2", "three", "vodafone"].map(|provider| wake_up(&alert, provider));
    assert_eq!(bodies, want);

    let dispatch = start_as(&sandbox, &["serve", "--roles", "dispatch"]).await;
    sandbox.acknowledged(&alert, 4).await;
    queues.wait_for(&queues.wake_ups, (0, 0)).await;
    let evidence = judge(&sandbox, &api).await;
    assert_eq!(evidence.requests.len(), 4, "one request to each network");
    dispatch.end().await;
    api.end().await;
}

/// F63.
async fn wake_ups_repeated_late_or_of_nobody_make_no_attempt(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let queues = Queues::new(&sandbox).await;
    let server = start_as(&sandbox, &["serve"]).await;
    let alert = server.broadcast(&team, "flood-1").await;
    for _ in 0..25 {
        for provider in ["vodafone", "ee", "three", "o2"] {
            queues
                .put(&queues.wake_ups, &wake_up(&alert, provider))
                .await;
        }
    }
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    for message in [wake_up(nobody, "ee"), wake_up(&alert, "nobody")] {
        queues.put(&queues.wake_ups, &message).await;
    }
    for message in ["hello", r#"{"alert":7}"#] {
        queues.put(&queues.wake_ups, message).await;
    }
    // What is none of ours is left to the dead letters.
    queues.wait_for(&queues.wake_ups, (0, 2)).await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4, "one request to each network");
    server.end().await;
}

async fn a_dead_letter_tells_a_person_and_touches_no_delivery(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let queues = Queues::new(&sandbox).await;
    let server = start_as(&sandbox, &["serve"]).await;
    let faults =
        [1, 2].map(|n| format!("[[fault]]\nfunction = \"o2-{n}-proxy\"\nkind = \"refuse\"\n"));
    sandbox.networks.fail(&faults.concat()).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    for provider in ["ee", "o2", "ee", "o2", "three"] {
        queues
            .put(&queues.given_up, &wake_up(&alert, provider))
            .await;
    }
    queues.put(&queues.given_up, "hello").await;
    queues.wait_for(&queues.given_up, (0, 0)).await;
    let told = given_up(&sandbox, &["item", "list"]).await;
    assert_eq!(told, ["o2"], "one item, of the network that waits");
    let list = sandbox.deliveries(&alert).await;
    for delivery in &list {
        let is_over = delivery["state"] == "acknowledged";
        assert_eq!(is_over, delivery["provider"] != "o2", "{delivery}");
    }
    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 4).await;
    let told = given_up(&sandbox, &["item", "list"]).await;
    assert_eq!(told, Vec::<String>::new(), "it closes by itself");
    judge(&sandbox, &server).await;
    server.end().await;
}

/// The networks of the items of this kind.
async fn given_up(sandbox: &Sandbox, list: &[&str]) -> Vec<String> {
    let items = sandbox.json(list).await;
    let items = items.as_array().expect("a list").iter();
    items
        .filter(|item| item["kind"] == "wake_up_given_up")
        .map(|item| item["provider"].as_str().expect("a network").to_owned())
        .collect()
}

async fn a_queue_that_is_away_costs_nothing_but_a_line_of_the_log(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = port.local_addr().expect("its address");
    drop(port);
    configure(&sandbox, &format!("http://{address}"));
    let server = start_as(&sandbox, &["serve"]).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.cancel(&team, "flood-1").await;
    sandbox.settled(&alert, 8).await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 8, "one request each");
    server.end().await;
}
