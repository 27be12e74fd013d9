//! Wake-ups through SQS: what comes back, what is kept from others, and what is given up.

use std::time::Duration;

use balefire_aws::{Received, VISIBILITY, WakeUp};
use balefire_test_support::moto::Moto;
use balefire_test_support::poll::poll_until;
use serde_json::json;
use tokio::sync::oneshot;

use crate::admin::{SOON, count, make_queue, queue, sqs};

/// Short, so that a test sees it end; whole seconds are all that SQS knows.
const SHORT: Duration = Duration::from_secs(2);

fn wake_up(provider: &str) -> WakeUp {
    WakeUp {
        alert: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        provider: balefire_domain::provider::ProviderName::new(provider).unwrap(),
    }
}

async fn next(queue: &balefire_aws::Queue) -> Received {
    let received = tokio::time::timeout(SOON, queue.receive()).await;
    received.expect("it came").unwrap().expect("a message")
}

#[tokio::test]
async fn what_is_sent_comes_once_more_often_or_in_any_order_and_ends_when_its_work_is_done() {
    let moto = Moto::start().await;
    let at = make_queue(&moto, "wake-ups", json!({})).await;
    let queue = queue(moto.url(), "wake-ups", VISIBILITY).await;
    let sent = ["ee", "o2", "ee", "three"];
    for provider in sent {
        queue.send(&wake_up(provider)).await.unwrap();
    }
    assert_eq!(count(&moto, &at).await, (4, 0));
    let mut came = Vec::new();
    for _ in sent {
        let received = next(&queue).await;
        assert_eq!(received.times, 1);
        // Hidden while its work lasts, gone afterwards.
        let work = async { count(&moto, &at).await.1 };
        let (hidden, done) = queue.carry(&received, work).await;
        assert_eq!(hidden, 1, "one message at a time");
        done.unwrap();
        came.push(received.wake_up.unwrap().provider.to_string());
    }
    came.sort_unstable();
    assert_eq!(came, ["ee", "ee", "o2", "three"]);
    assert_eq!(count(&moto, &at).await, (0, 0));
}

#[tokio::test]
async fn a_message_is_kept_from_others_as_long_as_its_work_lasts() {
    let moto = Moto::start().await;
    let at = make_queue(&moto, "wake-ups", json!({})).await;
    let queue = queue(moto.url(), "wake-ups", SHORT).await;
    queue.send(&wake_up("ee")).await.unwrap();
    let received = next(&queue).await;
    let (finish, finished) = oneshot::channel::<()>();
    let watch = async {
        // Three times as long as it would stay hidden without a heartbeat.
        let mut looks = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..60 {
            looks.tick().await;
            assert_eq!(count(&moto, &at).await, (0, 1), "another could take it");
        }
        finish.send(()).unwrap();
    };
    let ((_, done), ()) = tokio::join!(queue.carry(&received, finished), watch);
    done.unwrap();
    assert_eq!(count(&moto, &at).await, (0, 0));
}

#[tokio::test]
async fn a_message_whose_receiver_dies_comes_again_late() {
    let moto = Moto::start().await;
    let at = make_queue(&moto, "wake-ups", json!({})).await;
    let queue = queue(moto.url(), "wake-ups", SHORT).await;
    queue.send(&wake_up("ee")).await.unwrap();
    let received = next(&queue).await;
    {
        let dies = queue.carry(&received, std::future::pending::<()>());
        let dead = tokio::time::timeout(Duration::from_millis(100), dies).await;
        assert!(dead.is_err());
    }
    let again = next(&queue).await;
    assert_eq!(
        (again.wake_up.clone(), again.times),
        (Some(wake_up("ee")), 2)
    );
    queue.delete(&again).await.unwrap();
    // The one who was late has nothing to be done with any more, and that is no failure.
    queue.delete(&received).await.unwrap();
    assert_eq!(count(&moto, &at).await, (0, 0));
}

#[tokio::test]
async fn what_nobody_finishes_goes_to_the_dead_letters_as_it_was() {
    let moto = Moto::start().await;
    let given_up_at = make_queue(&moto, "given-up", json!({})).await;
    let arn = "arn:aws:sqs:eu-west-2:123456789012:given-up";
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": "2" }).to_string();
    let at = make_queue(&moto, "wake-ups", json!({ "RedrivePolicy": redrive })).await;
    let wake_ups = queue(moto.url(), "wake-ups", Duration::from_secs(1)).await;
    let given_up = queue(moto.url(), "given-up", VISIBILITY).await;
    wake_ups.send(&wake_up("ee")).await.unwrap();
    for times in 1..=2 {
        assert_eq!(next(&wake_ups).await.times, times);
    }
    poll_until(SOON, "the message is given up", async || {
        let asked = json!({ "QueueUrl": at, "VisibilityTimeout": 1 });
        sqs(&moto, "ReceiveMessage", asked).await;
        (count(&moto, &given_up_at).await == (1, 0)).then_some(())
    })
    .await;
    let dead = next(&given_up).await;
    assert_eq!(dead.wake_up, Some(wake_up("ee")));
    given_up.delete(&dead).await.unwrap();
    assert_eq!(count(&moto, &given_up_at).await, (0, 0));
}

#[tokio::test]
async fn strangers_are_told_apart_and_a_queue_that_is_away_is_an_error_in_plain_words() {
    let moto = Moto::start().await;
    let at = make_queue(&moto, "wake-ups", json!({})).await;
    let wake_ups = queue(moto.url(), "wake-ups", VISIBILITY).await;
    let asked = json!({ "QueueUrl": at, "MessageBody": "{\"alert\":\"x\"}" });
    sqs(&moto, "SendMessage", asked).await;
    let stranger = next(&wake_ups).await;
    assert_eq!(stranger.wake_up, None);

    let absent = queue(moto.url(), "absent", VISIBILITY).await;
    let error = absent.send(&wake_up("ee")).await.unwrap_err().to_string();
    assert!(error.starts_with("the queue `absent`: SQS says"), "{error}");
    let url = moto.url().to_owned();
    moto.kill().await;
    let error = wake_ups.send(&wake_up("ee")).await.unwrap_err().to_string();
    assert!(error.contains("no connection: refused"), "{error}");
    let later = queue(&url, "wake-ups", VISIBILITY).await;
    assert!(later.receive().await.is_err(), "it was not known before");
}
