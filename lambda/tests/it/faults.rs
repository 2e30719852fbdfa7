//! SNS in trouble: which alerts arrive, how often, and what the invocation answers. Nothing is ever lost silently.

use std::time::Duration;

use serde_json::Value;

use crate::alerts::lambda_at;
use crate::delivery::{audit_id, event, grant};
use crate::emulator::{Inbox, Received};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, MARKER};

const SUCCESS: Answer = Answer::Success(Value::Null);

/// Numbers of the grants that arrived, in order of number; a number stands as often as it arrived.
fn arrived(messages: &[Received]) -> Vec<usize> {
    let mut numbers: Vec<usize> = messages
        .iter()
        .map(|message| {
            let text = message.body.to_string();
            (0..100).find(|number| text.contains(&audit_id(*number))).unwrap()
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

struct Row {
    name: &'static str,
    /// What happens to each request in turn, and to all after the last.
    faults: &'static [Fault],
    grants: usize,
    seconds: u64,
    /// The code of the failure; `None` for success.
    code: Option<&'static str>,
    arrived: &'static [usize],
}

const TEN: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const THROTTLED: Fault = Fault::Answer(400, "Throttled");
const ROWS: &[Row] = &[
    Row {
        name: "throttled-twice",
        faults: &[THROTTLED, THROTTLED, Fault::None],
        grants: 2,
        seconds: 20,
        code: None,
        arrived: &[0, 1],
    },
    Row {
        name: "answers-500-twice",
        faults: &[Fault::Answer(500, "InternalError"), Fault::Answer(503, "ServiceUnavailable"), Fault::None],
        grants: 2,
        seconds: 20,
        code: None,
        arrived: &[0, 1],
    },
    Row {
        name: "answers-later",
        faults: &[Fault::Silence, Fault::None],
        grants: 1,
        seconds: 20,
        code: None,
        arrived: &[0],
    },
    Row {
        name: "connection-closed",
        faults: &[Fault::Close, Fault::Close, Fault::None],
        grants: 1,
        seconds: 20,
        code: None,
        arrived: &[0],
    },
    Row {
        name: "answer-lost",
        faults: &[Fault::LostAnswer, Fault::None],
        grants: 1,
        seconds: 20,
        code: None,
        arrived: &[0, 0],
    },
    Row {
        name: "one-of-ten-rejected-once",
        faults: &[Fault::Entries { refused: &[3], code: "InternalError", sender_fault: false }, Fault::None],
        grants: 10,
        seconds: 20,
        code: None,
        arrived: TEN,
    },
    Row {
        name: "all-of-ten-rejected-once",
        faults: &[Fault::Entries { refused: TEN, code: "Throttled", sender_fault: false }, Fault::None],
        grants: 10,
        seconds: 20,
        code: None,
        arrived: TEN,
    },
    Row {
        name: "one-of-ten-always-rejected",
        // The one that is refused for now stays first in line.
        faults: &[
            Fault::Entries { refused: &[3], code: "InternalError", sender_fault: false },
            Fault::Entries { refused: &[0], code: "InternalError", sender_fault: false },
        ],
        grants: 10,
        seconds: 6,
        code: Some("sns-unavailable"),
        arrived: &[0, 1, 2, 4, 5, 6, 7, 8, 9],
    },
    Row {
        name: "throttled-to-the-end",
        faults: &[THROTTLED],
        grants: 2,
        seconds: 3,
        code: Some("sns-throttled"),
        arrived: &[],
    },
    Row {
        name: "down-to-the-end",
        faults: &[Fault::Answer(503, "ServiceUnavailable")],
        grants: 2,
        seconds: 3,
        code: Some("sns-unavailable"),
        arrived: &[],
    },
    Row {
        name: "silent-to-the-end",
        faults: &[Fault::Silence],
        grants: 1,
        seconds: 3,
        code: Some("sns-unreachable"),
        arrived: &[],
    },
    Row {
        name: "out-of-time-half-way",
        faults: &[Fault::None, Fault::Silence],
        grants: 15,
        seconds: 6,
        code: Some("sns-unreachable"),
        arrived: TEN,
    },
    Row {
        name: "no-time-at-all",
        faults: &[Fault::None],
        grants: 1,
        seconds: 0,
        code: Some("out-of-time"),
        arrived: &[],
    },
    Row {
        name: "access-denied",
        faults: &[Fault::Answer(403, "AuthorizationError")],
        grants: 2,
        seconds: 20,
        code: Some("sns-access-denied"),
        arrived: &[],
    },
    Row {
        name: "key-closed",
        faults: &[Fault::Answer(400, "KMSAccessDenied")],
        grants: 2,
        seconds: 20,
        code: Some("sns-key-refused"),
        arrived: &[],
    },
    Row {
        name: "batch-refused-for-one-entry",
        faults: &[Fault::Answer(400, "InvalidParameter"), Fault::None],
        grants: 3,
        seconds: 20,
        code: None,
        arrived: &[0, 1, 2],
    },
    Row {
        name: "everything-refused",
        faults: &[Fault::Answer(400, "InvalidParameter")],
        grants: 3,
        seconds: 20,
        code: Some("sns-refused"),
        arrived: &[],
    },
];

#[test]
fn each_fault_ends_in_every_alert_accepted_or_in_a_failed_invocation() {
    // Rows wait for time-outs, not for the processor, so they run side by side.
    std::thread::scope(|scope| {
        let threads: Vec<_> = ROWS.iter().map(|row| (row.name, scope.spawn(|| run(row)))).collect();
        for (name, thread) in threads {
            assert!(thread.join().is_ok(), "row {name} failed");
        }
    });
}

fn run(row: &Row) {
    let inbox = Inbox::new(row.name);
    let proxy = Proxy::start(|number| row.faults.get(number).or(row.faults.last()).unwrap().clone());
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    let delivery = event(&(0..row.grants).map(grant).collect::<Vec<_>>());
    let answer = lambda.invoke_within(&delivery, Duration::from_secs(row.seconds));
    let messages = inbox.take();
    assert_eq!(arrived(&messages), row.arrived, "{}: {answer:?}", row.name);
    let metrics = lambda.metrics();
    match row.code {
        None => assert_eq!(answer, SUCCESS, "{}", row.name),
        Some(code) => {
            assert_eq!(answer.code(), code, "{}: {answer:?}", row.name);
            let failed = row.grants - row.arrived.len();
            assert_eq!(metrics[0]["AlertsFailed"], failed, "{}", row.name);
        }
    }
    // A later delivery finds a process that works, and one that failed is judged the same again.
    let healthy = Proxy::start(|_| Fault::None);
    let mut again = lambda_at(&inbox, &healthy.url, &[]);
    assert_eq!(again.invoke(&delivery), SUCCESS, "{}", row.name);
    let repeated: Vec<String> = inbox.take().iter().map(Received::id).collect();
    assert!(messages.iter().all(|message| repeated.contains(&message.id())), "{}: ids are stable", row.name);
}

#[test]
fn a_missing_topic_fails_with_its_code() {
    let inbox = Inbox::new("missing-topic");
    let url = format!("http://{}", crate::emulator::address());
    let missing = "arn:aws:sns:us-east-1:123456789012:nowhere";
    let mut lambda = lambda_at(&inbox, &url, &[("ROLEWATCH_ALERT_TOPIC_ARN", missing)]);
    assert_eq!(lambda.invoke(&event(&[grant(1)])).code(), "sns-topic-missing");
}

#[test]
fn an_endpoint_that_is_not_there_fails_with_its_code() {
    let inbox = Inbox::new("no-endpoint");
    let mut lambda = lambda_at(&inbox, "http://127.0.0.1:9", &[]);
    let answer = lambda.invoke_within(&event(&[grant(1)]), Duration::from_secs(3));
    assert_eq!(answer.code(), "sns-unreachable");
}

#[test]
fn an_alert_that_sns_refuses_arrives_as_its_headline_and_the_others_whole() {
    let inbox = Inbox::new("refused-entry");
    // Object names stand in the whole alert; the headline names the one who gained.
    let proxy = Proxy::start(|_| Fault::Poison("planted-marker-7f3a9c-1"));
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    assert_eq!(lambda.invoke(&event(&[grant(0), grant(1), grant(2)])), SUCCESS);
    let messages = inbox.take();
    assert_eq!(arrived(&messages), [0, 1, 2]);
    let reduced: Vec<&Received> = messages.iter().filter(|message| message.body.is_string()).collect();
    assert_eq!(reduced.len(), 1);
    let text = reduced[0].body.as_str().unwrap();
    assert!(text.starts_with("[CRITICAL] prod: alice@example.com gave") && !text.contains(MARKER), "{text}");
}
