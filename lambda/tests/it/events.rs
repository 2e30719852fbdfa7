//! Alerts on an EventBridge bus: what arrives, and what becomes of them when the bus is in trouble.

use std::time::Duration;

use serde_json::{Value, json};

use crate::alerts::lambda_at;
use crate::delivery::{audit_id, event, grant};
use crate::emulator::{self, Bus, Inbox};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, Lambda};

const SUCCESS: Answer = Answer::Success(Value::Null);

fn lambda(inbox: &Inbox, bus: &str, events: &str) -> Lambda {
    let sns = format!("http://{}", emulator::address());
    lambda_at(inbox, &sns, &[("ROLEWATCH_EVENT_BUS", bus), ("AWS_ENDPOINT_URL_EVENTBRIDGE", events)])
}

#[test]
fn a_bus_gets_each_alert_as_an_event_that_rules_can_match() {
    let (inbox, bus) = (Inbox::new("with-bus"), Bus::new("alerts"));
    let mut lambda = lambda(&inbox, &bus.arn, &format!("http://{}", emulator::address()));
    assert_eq!(lambda.invoke(&event(&[grant(1), grant(2)])), SUCCESS);
    let alerts = inbox.take();
    let events = bus.take();
    assert_eq!(events.len(), 2);
    for (event, alert) in events.iter().zip(&alerts) {
        assert_eq!((&event["source"], &event["detail-type"]), (&json!("rolewatch"), &json!("Rolewatch Alert")));
        assert_eq!(event["detail"], alert.body, "the same finding as on the topic");
        assert_eq!(event["detail"]["severity_id"], 5);
    }
    assert_eq!(lambda.metrics()[0]["AlertsSent"], 2, "an alert is one alert however many read it");
}

struct Row {
    name: &'static str,
    /// What happens to each request after the look for the bus, and to all after the last.
    faults: &'static [Fault],
    seconds: u64,
    code: Option<&'static str>,
    /// How often each of the three alerts arrives.
    arrived: [usize; 3],
}

const ROWS: &[Row] = &[
    Row {
        name: "events-throttled-twice",
        faults: &[Fault::Answer(400, "ThrottlingException"), Fault::Answer(400, "ThrottlingException"), Fault::None],
        seconds: 20,
        code: None,
        arrived: [1, 1, 1],
    },
    Row {
        name: "events-answers-500",
        faults: &[Fault::Answer(500, "InternalException"), Fault::None],
        seconds: 20,
        code: None,
        arrived: [1, 1, 1],
    },
    Row {
        name: "events-answers-later",
        faults: &[Fault::Silence, Fault::None],
        seconds: 20,
        code: None,
        arrived: [1, 1, 1],
    },
    Row {
        name: "events-answer-lost",
        faults: &[Fault::LostAnswer, Fault::None],
        seconds: 20,
        code: None,
        arrived: [2, 2, 2],
    },
    Row {
        name: "events-one-entry-fails-once",
        faults: &[Fault::Entries { refused: &[1], code: "InternalFailure", sender_fault: false }, Fault::None],
        seconds: 20,
        code: None,
        arrived: [1, 1, 1],
    },
    Row {
        name: "events-all-entries-fail-once",
        faults: &[
            Fault::Entries { refused: &[0, 1, 2], code: "ThrottlingException", sender_fault: false },
            Fault::None,
        ],
        seconds: 20,
        code: None,
        arrived: [1, 1, 1],
    },
    Row {
        name: "events-one-entry-is-forbidden",
        faults: &[
            Fault::Entries { refused: &[1], code: "NotAuthorizedForSourceException", sender_fault: true },
            Fault::None,
        ],
        seconds: 20,
        code: Some("events-access-denied"),
        arrived: [1, 0, 1],
    },
    Row {
        name: "events-throttled-to-the-end",
        faults: &[Fault::Answer(400, "ThrottlingException")],
        seconds: 3,
        code: Some("events-throttled"),
        arrived: [0, 0, 0],
    },
    Row {
        name: "events-down-to-the-end",
        faults: &[Fault::Answer(503, "ServiceUnavailable")],
        seconds: 3,
        code: Some("events-unavailable"),
        arrived: [0, 0, 0],
    },
    Row {
        name: "events-silent-to-the-end",
        faults: &[Fault::Silence],
        seconds: 3,
        code: Some("events-unreachable"),
        arrived: [0, 0, 0],
    },
    Row {
        name: "events-access-denied",
        faults: &[Fault::Answer(400, "AccessDeniedException")],
        seconds: 20,
        code: Some("events-access-denied"),
        arrived: [0, 0, 0],
    },
    Row {
        name: "events-refused",
        faults: &[Fault::Answer(400, "ValidationException")],
        seconds: 20,
        code: Some("events-refused"),
        arrived: [0, 0, 0],
    },
];

#[test]
fn each_fault_of_the_bus_ends_in_every_event_accepted_or_in_a_failed_invocation() {
    std::thread::scope(|scope| {
        let threads: Vec<_> = ROWS.iter().map(|row| (row.name, scope.spawn(|| run(row)))).collect();
        for (name, thread) in threads {
            assert!(thread.join().is_ok(), "row {name} failed");
        }
    });
}

fn run(row: &Row) {
    let (inbox, bus) = (Inbox::new(row.name), Bus::new(row.name));
    let proxy = Proxy::start(|number| match number.checked_sub(1) {
        None => Fault::None,
        Some(number) => row.faults.get(number).or(row.faults.last()).unwrap().clone(),
    });
    let mut lambda = lambda(&inbox, &bus.arn, &proxy.url);
    let delivery = event(&[grant(0), grant(1), grant(2)]);
    let answer = lambda.invoke_within(&delivery, Duration::from_secs(row.seconds));
    let events = bus.take();
    let arrived = [0, 1, 2]
        .map(|number| events.iter().filter(|event| event["detail"].to_string().contains(&audit_id(number))).count());
    assert_eq!(arrived, row.arrived, "{}: {answer:?}", row.name);
    assert_eq!(inbox.take().len(), 3, "{}: the topic has them all", row.name);
    match row.code {
        None => assert_eq!(answer, SUCCESS, "{}", row.name),
        Some(code) => assert_eq!(answer.code(), code, "{}", row.name),
    }
    // Lambda repeats the delivery to a process that finds the bus well.
    let mut again = self::lambda(&inbox, &bus.arn, &format!("http://{}", emulator::address()));
    assert_eq!(again.invoke(&delivery), SUCCESS, "{}", row.name);
    assert_eq!(bus.take().len(), 3, "{}", row.name);
}

#[test]
fn a_bus_that_does_not_exist_fails_the_delivery_although_eventbridge_would_take_the_events() {
    let inbox = Inbox::new("without-bus");
    let missing = "arn:aws:events:us-east-1:123456789012:event-bus/nowhere";
    let proxy = Proxy::start(|_| Fault::None);
    let mut lambda = lambda(&inbox, missing, &proxy.url);
    assert_eq!(lambda.invoke(&event(&[grant(1)])).code(), "events-bus-missing");
    assert_eq!(inbox.take().len(), 1);
    let targets: Vec<String> = proxy.seen().iter().map(|request| request.header("x-amz-target").to_owned()).collect();
    assert_eq!(targets, ["AWSEvents.DescribeEventBus"], "nothing was put on a bus that is not there");
}

/// The bus of another account often forbids to look.
#[test]
fn a_bus_that_may_not_be_looked_at_gets_the_events_and_is_not_looked_at_again() {
    let (inbox, bus) = (Inbox::new("unseen-bus"), Bus::new("unseen-bus"));
    let proxy = Proxy::watching(|_, request| match request.header("x-amz-target") {
        "AWSEvents.DescribeEventBus" => Fault::Answer(400, "AccessDeniedException"),
        _ => Fault::None,
    });
    let mut lambda = lambda(&inbox, &bus.arn, &proxy.url);
    for number in [1, 2] {
        assert_eq!(lambda.invoke(&event(&[grant(number)])), SUCCESS);
    }
    assert_eq!((bus.take().len(), inbox.take().len()), (2, 2));
    let targets: Vec<String> = proxy.seen().iter().map(|request| request.header("x-amz-target").to_owned()).collect();
    assert_eq!(targets, ["AWSEvents.DescribeEventBus", "AWSEvents.PutEvents", "AWSEvents.PutEvents"]);
}

#[test]
fn an_event_that_eventbridge_refuses_arrives_as_its_headline_and_the_others_whole() {
    let (inbox, bus) = (Inbox::new("refused-event"), Bus::new("refused-event"));
    let proxy = Proxy::start(|number| if number == 0 { Fault::None } else { Fault::Poison("planted-marker-7f3a9c-1") });
    let mut lambda = lambda(&inbox, &bus.arn, &proxy.url);
    assert_eq!(lambda.invoke(&event(&[grant(0), grant(1), grant(2)])), SUCCESS);
    let events = bus.take();
    assert_eq!(events.len(), 3);
    let reduced: Vec<&Value> = events.iter().filter(|event| event["detail"].get("resources").is_none()).collect();
    assert_eq!(reduced.len(), 1);
    let detail = &reduced[0]["detail"];
    assert!(detail["finding_info"]["title"].as_str().unwrap().starts_with("[CRITICAL] prod: alice@example.com gave"));
    assert_eq!((&detail["severity_id"], &detail["class_uid"]), (&json!(5), &json!(2004)));
    assert_eq!(detail["evidences"][0]["api"]["request"]["uid"], audit_id(1));
}

#[test]
fn an_alert_too_large_for_an_event_is_cut_and_says_so() {
    let (inbox, bus) = (Inbox::new("large-event"), Bus::new("large-event"));
    let mut lambda = lambda(&inbox, &bus.arn, &format!("http://{}", emulator::address()));
    let mut line: Value = serde_json::from_str(&grant(1)).unwrap();
    let subject = |number: usize| json!({ "kind": "User", "name": format!("{number}-{}", "x".repeat(190)) });
    let subjects: Vec<Value> = (0..4_000).map(subject).collect();
    line["requestObject"]["subjects"] = json!(subjects);
    line["responseObject"]["subjects"] = json!(subjects);
    assert_eq!(lambda.invoke(&event(&[line.to_string()])), SUCCESS);
    let [event] = bus.take().try_into().unwrap();
    let detail = event["detail"].to_string();
    assert!(detail.len() < 256 << 10, "{}", detail.len());
    assert!(detail.contains(&audit_id(1)));
    println!("{}", detail.len());
}

#[test]
fn a_topic_that_is_down_to_the_end_takes_no_time_of_the_bus() {
    let (inbox, bus) = (Inbox::new("sns-down-bus-up"), Bus::new("up"));
    let sns = Proxy::start(|_| Fault::Answer(503, "ServiceUnavailable"));
    let url = format!("http://{}", emulator::address());
    let variables = [("ROLEWATCH_EVENT_BUS", bus.arn.as_str()), ("AWS_ENDPOINT_URL_EVENTBRIDGE", url.as_str())];
    let mut lambda = lambda_at(&inbox, &sns.url, &variables);
    let answer = lambda.invoke_within(&event(&[grant(1)]), Duration::from_secs(5));
    assert_eq!(answer.code(), "sns-unavailable");
    assert_eq!(bus.take().len(), 1);
}
