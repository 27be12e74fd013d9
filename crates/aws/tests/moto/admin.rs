//! What an operator of AWS does, in plain requests: `moto` believes any signature.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use balefire_aws::{Account, AccountSettings, Queue, QueueSettings};
use balefire_domain::time::{Clock, Timestamp};
use balefire_gateway::{HttpCall, HttpClient};
use balefire_test_support::moto::Moto;
use serde_json::{Value, json};

pub const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Nothing here takes as long as this.
pub const SOON: Duration = Duration::from_secs(30);

/// The wall clock, by which `moto` goes too.
pub struct RealClock;

impl Clock for RealClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a harness of a real server (D35)"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

pub async fn account() -> Account {
    let settings = AccountSettings {
        region: "eu-west-2".to_owned(),
        connect_timeout: CONNECT_MAX,
        ca_file: None,
    };
    let nobody = Credentials::new("dummy", "dummy", None, None, "test");
    let nobody = SharedCredentialsProvider::new(nobody);
    Account::load(&settings, Arc::new(RealClock), Some(nobody))
        .await
        .unwrap()
}

/// The product's view of a queue.
pub async fn queue(url: &str, name: &str, visibility: Duration) -> Queue {
    let settings = QueueSettings {
        name: name.to_owned(),
        endpoint_url: Some(url.to_owned()),
        visibility,
    };
    Queue::new(&account().await, &settings)
}

/// A request of SQS, as an operator makes it.
pub async fn sqs(moto: &Moto, action: &str, asked: Value) -> Value {
    let target = format!("AmazonSQS.{action}");
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let answer = call(moto, "sqs", "POST", "/", &headers, asked.to_string()).await;
    serde_json::from_slice(&answer).unwrap_or_else(|_| json!({}))
}

/// Makes a queue; its address.
pub async fn make_queue(moto: &Moto, name: &str, attributes: Value) -> String {
    let asked = json!({ "QueueName": name, "Attributes": attributes });
    let made = sqs(moto, "CreateQueue", asked).await;
    made["QueueUrl"].as_str().unwrap().to_owned()
}

/// Messages in a queue, visible and not.
pub async fn count(moto: &Moto, queue_url: &str) -> (u32, u32) {
    let asked = json!({ "QueueUrl": queue_url, "AttributeNames": ["All"] });
    let told = sqs(moto, "GetQueueAttributes", asked).await;
    let number = |name: &str| told["Attributes"][name].as_str().unwrap().parse().unwrap();
    (
        number("ApproximateNumberOfMessages"),
        number("ApproximateNumberOfMessagesNotVisible"),
    )
}

pub async fn call(
    moto: &Moto,
    service: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Vec<u8> {
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=dummy/20261123/eu-west-2/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    );
    let mut headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    headers.push(("authorization".to_owned(), signed));
    let call = HttpCall {
        method: method.parse().unwrap(),
        url: format!("{}{path}", moto.url()),
        headers,
        body: body.into(),
        timeout: SOON,
    };
    let client = HttpClient::new(CONNECT_MAX, None).unwrap();
    let answer = client.call(call).await.unwrap();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.status < 300, "{path}: {} {text}", answer.status);
    answer.body.to_vec()
}
