//! What was reviewed is not told, from wherever the exceptions come, and whatever becomes of that place.

use serde_json::{Value, json};

use crate::alerts::lambda_at;
use crate::delivery::{event, grant};
use crate::emulator::{self, Inbox};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, Lambda};

const SUCCESS: Answer = Answer::Success(Value::Null);
const ALICE: &str = "exceptions: [{id: alice, reason: r, owner: o, expires: 2090-01-01, max_severity: critical,
    actor: 'arn:aws:sts::111122223333:assumed-role/platform/*'}]";

fn lambda(inbox: &Inbox, exceptions: &str, more: &[(&str, &str)]) -> Lambda {
    let url = format!("http://{}", emulator::address());
    let variables = [("ROLEWATCH_EXCEPTIONS", exceptions), ("AWS_ENDPOINT_URL", url.as_str())];
    lambda_at(inbox, &url, &[&variables, more].concat())
}

#[test]
fn exceptions_hold_from_each_place() {
    emulator::put_parameter("/rolewatch/alice", ALICE);
    emulator::put_object("rolewatch", "prod/alice.yaml", ALICE);
    for (number, place) in [ALICE, "ssm:/rolewatch/alice", "s3://rolewatch/prod/alice.yaml"].into_iter().enumerate() {
        let inbox = Inbox::new(&format!("excepted-{number}"));
        let mut lambda = lambda(&inbox, place, &[]);
        assert_eq!(lambda.invoke(&event(&[grant(1), grant(2)])), SUCCESS);
        assert_eq!(inbox.take().len(), 0, "{place}");
        let metrics = &lambda.metrics()[0];
        assert_eq!((&metrics["AlertsExcepted"], &metrics["ExceptionsFailed"]), (&json!(2), &json!(0)), "{place}");
        assert_eq!(metrics["exceptions"], json!({ "alice": 2 }));
        assert_eq!(metrics["quiet"]["exception"], 2, "a silenced line is a quiet line: {metrics}");
    }
}

#[test]
fn an_expired_exception_silences_nothing() {
    let inbox = Inbox::new("expired");
    let mut lambda = lambda(&inbox, &ALICE.replace("2090-01-01", "2026-11-22"), &[]);
    assert_eq!(lambda.invoke(&event(&[grant(1)])), SUCCESS);
    let messages = inbox.take();
    assert!(messages.len() == 1 && messages[0].body.to_string().contains("the exception `alice` has expired"));
    assert_eq!(lambda.metrics()[0]["exceptions_expired"], json!({ "alice": 1 }));
}

#[test]
fn without_a_good_copy_everything_is_told_and_the_metric_says_why() {
    emulator::put_parameter("/rolewatch/broken", "exceptions: [{id: a, secret-planted: 1}]");
    let denied = Proxy::start(|_| Fault::Answer(400, "AccessDeniedException"));
    let silent = Proxy::start(|_| Fault::Silence);
    let rows = [
        ("ssm:/rolewatch/none", None, "exceptions-missing"),
        ("s3://rolewatch-none/none", None, "exceptions-missing"),
        ("ssm:/rolewatch/broken", None, "exceptions-unusable"),
        ("ssm:/rolewatch/alice", Some(("AWS_ENDPOINT_URL_SSM", denied.url.as_str())), "exceptions-"),
        ("ssm:/rolewatch/alice", Some(("AWS_ENDPOINT_URL_SSM", silent.url.as_str())), "exceptions-unreachable"),
    ];
    for (number, (place, more, code)) in rows.into_iter().enumerate() {
        let inbox = Inbox::new(&format!("unread-{number}"));
        let mut lambda = lambda(&inbox, place, more.as_slice());
        assert_eq!(lambda.invoke(&event(&[grant(1)])), SUCCESS);
        assert_eq!(lambda.invoke(&event(&[grant(2)])), SUCCESS);
        assert_eq!(inbox.take().len(), 2, "{place}");
        let metrics = lambda.metrics();
        assert_eq!((&metrics[0]["ExceptionsFailed"], &metrics[1]["ExceptionsFailed"]), (&json!(1), &json!(0)));
        assert!(lambda.printed().contains(code), "{place}: {}", lambda.printed());
    }
}
