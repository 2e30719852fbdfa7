//! Many deliveries of noise with some changes in them, in random order, while the services fail now and then.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::Value;

use crate::alerts::lambda_at;
use crate::delivery::{audit_id, event, grant};
use crate::emulator::{Inbox, Received, Table};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, Lambda};

const SUCCESS: Answer = Answer::Success(Value::Null);

/// One request to SNS in seven fails, in one of four ways.
fn failing_sns() -> Proxy {
    Proxy::start(|number| match number % 28 {
        6 => Fault::Answer(503, "ServiceUnavailable"),
        13 => Fault::LostAnswer,
        20 => Fault::Answer(400, "Throttled"),
        27 => Fault::Answer(403, "AuthorizationError"),
        _ => Fault::None,
    })
}

/// One request to `DynamoDB` in ten fails, in one of four ways.
fn failing_dynamodb() -> Proxy {
    Proxy::start(|number| match number % 40 {
        9 => Fault::Answer(500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
        19 => Fault::LostAnswer,
        29 => Fault::Answer(400, "com.amazonaws.dynamodb.v20120810#ThrottlingException"),
        39 => Fault::Close,
        _ => Fault::None,
    })
}

#[test]
fn changes_in_much_noise_all_arrive_although_sns_fails_now_and_then() {
    let (inbox, sns) = (Inbox::new("soak"), failing_sns());
    let told = soak(&inbox, vec![lambda_at(&inbox, &sns.url, &[])]);
    println!("{told}, {} requests to SNS", sns.seen().len());
}

#[test]
fn changes_in_much_noise_all_arrive_from_two_processes_although_their_table_fails_too() {
    let (inbox, table) = (Inbox::new("soak-shared"), Table::new("soak-shared"));
    let (sns, dynamodb) = (failing_sns(), failing_dynamodb());
    let variables =
        [("ROLEWATCH_MEMORY_TABLE", table.name.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url.as_str())];
    let lambdas = (0..2).map(|_| lambda_at(&inbox, &sns.url, &variables)).collect();
    let told = soak(&inbox, lambdas);
    println!("{told}, {} requests to SNS, {} to DynamoDB", sns.seen().len(), dynamodb.seen().len());
}

/// Sends the deliveries to the processes in turn: all changes arrive, each under one id, and nothing else.
/// Gives what to print.
fn soak(inbox: &Inbox, mut lambdas: Vec<Lambda>) -> String {
    let deliveries: usize = std::env::var("ROLEWATCH_TEST_SOAK").map_or(300, |count| count.parse().unwrap());
    // 100 planted changes in the full form, 60 in the quick one.
    let every = (deliveries / 100).max(5);
    let recorded = include_str!("../../../samples/recorded/quiet-cluster/audit.ndjson");
    // EKS's own roles belong to an account of AWS. The recording gave every account one number.
    let foreign = |line: &str| {
        if line.contains("/AWSWesley") { line.replace("111122223333", "444455556666") } else { line.to_owned() }
    };
    let recorded: Vec<String> = recorded.lines().map(foreign).collect();
    // A multiplier prime to the count visits every delivery once, in an order far from sorted.
    let (mut repeated, start) = (0, Instant::now());
    for step in 0..deliveries {
        let number = step * 101 % deliveries;
        let noise = recorded.iter().cycle().skip(number * 37 % recorded.len()).take(40);
        let mut lines: Vec<String> = noise.cloned().collect();
        if number.is_multiple_of(every) {
            lines[number % 40] = grant(number);
        }
        // As Lambda does: twice more when it failed, by whatever process.
        let delivery = event(&lines);
        let processes = lambdas.len();
        let tries = (0..3).take_while(|again| lambdas[(step + again) % processes].invoke(&delivery) != SUCCESS).count();
        assert!(tries < 3, "delivery {number} failed three times");
        repeated += tries;
    }
    let messages = inbox.take();
    let told: BTreeSet<String> = messages.iter().flat_map(Received::audit_ids).collect();
    let expected: BTreeSet<String> = (0..deliveries).step_by(every).map(audit_id).collect();
    assert_eq!(told, expected, "all of them, and no others");
    let ids: BTreeSet<String> = messages.iter().map(Received::id).collect();
    assert_eq!(ids.len(), expected.len(), "one id for each change");
    assert!(messages.len() > expected.len(), "a lost answer brings an alert twice");
    let peaks: Vec<u64> = lambdas.iter().map(Lambda::peak_memory_kib).collect();
    assert!(peaks.iter().all(|peak| *peak < 128 << 10), "{peaks:?} KiB");
    let (changes, sent, took) = (expected.len(), messages.len(), start.elapsed());
    format!(
        "{deliveries} deliveries, {repeated} repeated, {changes} changes, {sent} messages, peak {peaks:?} KiB, {took:?}"
    )
}
