//! The delivery promise: at least once, with the same ids, whole or split differently, and nothing lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::alerts::{lambda, lambda_at};
use crate::delivery::{data, event, grant, login};
use crate::emulator::{Inbox, Received};
use crate::proxy::{Fault, Proxy};
use crate::runtime::Answer;

const SUCCESS: Answer = Answer::Success(Value::Null);

fn ids(messages: &[Received]) -> BTreeSet<String> {
    messages.iter().map(Received::id).collect()
}

#[test]
fn the_same_delivery_twice_has_the_same_ids() {
    let inbox = Inbox::new("twice");
    let delivery = event(&[grant(1), grant(2)]);
    let mut first = lambda(&inbox);
    assert_eq!(first.invoke(&delivery), SUCCESS);
    let once = ids(&inbox.take());
    assert_eq!(once.len(), 2);
    // In the same process, which remembers, and in another one, which does not.
    assert_eq!(first.invoke(&delivery), SUCCESS);
    assert!(ids(&inbox.take()).is_subset(&once));
    assert_eq!(lambda(&inbox).invoke(&delivery), SUCCESS);
    assert_eq!(ids(&inbox.take()), once);
}

#[test]
fn two_deliveries_swapped_give_the_same_ids() {
    let (one, two) = (event(&[grant(1), grant(2)]), event(&[grant(3)]));
    let orders = [("in-order", [&one, &two]), ("swapped", [&two, &one])].map(|(name, deliveries)| {
        let inbox = Inbox::new(name);
        let mut lambda = lambda(&inbox);
        for delivery in deliveries {
            assert_eq!(lambda.invoke(delivery), SUCCESS);
        }
        ids(&inbox.take())
    });
    assert_eq!(orders[0].len(), 3);
    assert_eq!(orders[0], orders[1]);
}

#[test]
fn a_delivery_that_failed_is_judged_the_same_when_lambda_repeats_it() {
    // The first invocation cannot publish; had it kept what it learnt, the second would take the login for told.
    let inbox = Inbox::new("repeated");
    let proxy = Proxy::start(|number| if number == 0 { Fault::Answer(403, "AuthorizationError") } else { Fault::None });
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    let delivery = event(&[grant(1), login(2)]);
    assert_eq!(lambda.invoke(&delivery).code(), "sns-access-denied");
    assert_eq!(inbox.take().len(), 0);
    assert_eq!(lambda.invoke(&delivery), SUCCESS);
    assert_eq!(inbox.take().len(), 2);
    assert_eq!(lambda.invoke(&event(&[login(3)])), SUCCESS);
    assert_eq!(inbox.take().len(), 0, "and what was told is remembered");
}

#[test]
fn a_process_killed_between_publishing_and_answering_loses_nothing() {
    let inbox = Inbox::new("killed");
    let delivery = event(&[grant(1)]);
    // The answer of SNS is held back, so the process is still waiting when it is killed.
    let proxy = Proxy::start(|_| Fault::LostAnswer);
    let mut killed = lambda_at(&inbox, &proxy.url, &[]);
    killed.send(&delivery);
    while proxy.seen().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    killed.kill();
    let before = ids(&inbox.take());
    // Lambda repeats the delivery in another process.
    assert_eq!(lambda(&inbox).invoke(&delivery), SUCCESS);
    assert_eq!(ids(&inbox.take()), before, "it comes again, with the same id");
}

#[test]
fn a_record_that_cannot_be_opened_costs_none_of_its_neighbours_and_is_told_of() {
    let inbox = Inbox::new("stream-damaged");
    let mut lambda = lambda(&inbox);
    let record = |number: &str, data: &str| json!({ "eventID": format!("shardId-7:{number}"), "kinesis": { "sequenceNumber": number, "data": data } });
    let records = [record("1", &data(&[grant(1)])), record("2", "damaged"), record("3", &data(&[login(3)]))];
    let taken = Answer::Success(json!({ "batchItemFailures": [] }));
    assert_eq!(lambda.invoke(&json!({ "Records": records }).to_string()), taken);
    assert_eq!(inbox.take().len(), 2);
    let refused = lambda.metrics().iter().filter(|line| line["DeliveriesRefused"] == 1).count();
    assert_eq!(refused, 1);
    let printed = lambda.printed();
    let told = printed.lines().find(|line| line.contains("a record failed")).unwrap();
    for word in [r#""error_type":"delivery-not-base64""#, r#""shard":"shardId-7""#, r#""sequence_number":"2""#] {
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn a_delivery_that_fails_is_logged_with_its_code_once() {
    let inbox = Inbox::new("failed-code");
    let mut lambda = lambda(&inbox);
    assert_eq!(lambda.invoke(r#"{"awslogs":{"data":"%%%"}}"#).code(), "delivery-not-base64");
    lambda.metrics();
    let printed = lambda.printed();
    let coded = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(coded.filter(|line| line["error_type"] == "delivery-not-base64").count(), 1, "{printed}");
}

#[test]
fn a_stream_stops_at_the_record_that_could_not_be_published() {
    let inbox = Inbox::new("stream-stopped");
    let proxy = Proxy::start(|number| if number == 0 { Fault::None } else { Fault::Answer(403, "AuthorizationError") });
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    let records = (1..5)
        .map(|number| json!({ "kinesis": { "sequenceNumber": number.to_string(), "data": data(&[grant(number)]) } }));
    let answer = lambda.invoke(&json!({ "Records": records.collect::<Vec<_>>() }).to_string());
    assert_eq!(answer, Answer::Success(json!({ "batchItemFailures": [{ "itemIdentifier": "2" }] })));
    assert_eq!((inbox.take().len(), proxy.seen().len()), (1, 2), "records 3 and 4 come again with record 2");
}
