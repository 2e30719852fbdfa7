//! Starting, and refusing to start.

use std::time::Duration;

use crate::alerts::lambda_at;
use crate::delivery::{event, grant};
use crate::emulator::{self, Inbox, Table};
use crate::runtime::{Answer, Lambda};

const TOPIC: (&str, &str) = ("ROLEWATCH_ALERT_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts");

#[test]
fn a_wrong_configuration_is_told_to_lambda_and_ends_the_process() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[], "`ROLEWATCH_ALERT_TOPIC_ARN` is not set; set it to the ARN of an SNS topic"),
        (&[(TOPIC.0, "alerts")], "`ROLEWATCH_ALERT_TOPIC_ARN` cannot be used"),
        (&[TOPIC, ("ROLEWATCH_MIN_SEVERITY", "loud")], "`ROLEWATCH_MIN_SEVERITY` cannot be used; set it to one of"),
        (&[TOPIC, ("ROLEWATCH_TRUSTED_NETWORKS", "10.0.0.0/33")], "entry 1 of `ROLEWATCH_TRUSTED_NETWORKS` cannot"),
        (
            &[TOPIC, ("ROLEWATCH_MEMORY_TABLE", "a table")],
            "`ROLEWATCH_MEMORY_TABLE` cannot be used; set it to the name",
        ),
        (&[TOPIC, ("ROLEWATCH_TOPIC", "x")], "`ROLEWATCH_TOPIC` is not a variable of Rolewatch"),
    ];
    for (variables, expected) in rows {
        let mut lambda = Lambda::start(variables);
        let Answer::InitError { error_type, message } = lambda.answer(Duration::from_secs(10)) else {
            panic!("it started with {variables:?}")
        };
        assert_eq!(error_type, "configuration-invalid");
        assert!(message.starts_with(expected), "{message}");
        let Answer::Exit(status) = lambda.answer(Duration::from_secs(10)) else { panic!("it went on") };
        assert!(!status.success());
        assert!(lambda.printed().contains("configuration-invalid"), "the log says it too: {}", lambda.printed());
    }
}

#[test]
fn the_log_is_json_with_a_level_and_a_time_and_holds_no_delivery_at_any_level() {
    let (inbox, table) = (Inbox::new("levels"), Table::new("levels"));
    let sns = format!("http://{}", emulator::address());
    for level in ["FATAL", "INFO", "TRACE"] {
        let variables = [
            ("AWS_LAMBDA_LOG_LEVEL", level),
            ("RUST_LOG", "trace"),
            ("ROLEWATCH_MEMORY_TABLE", table.name.as_str()),
            ("AWS_ENDPOINT_URL_DYNAMODB", sns.as_str()),
        ];
        let mut lambda = lambda_at(&inbox, &sns, &variables);
        let delivery = event(&[grant(1)]);
        assert_eq!(lambda.invoke(&delivery), Answer::Success(serde_json::Value::Null));
        lambda.metrics();
        let printed = lambda.printed();
        // The marker inside is looked for when the function is dropped; this is what the runtime would log.
        assert!(!printed.contains(delivery.get(20..60).unwrap()), "{level}: {printed}");
        for line in printed.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let is_log = line["level"].is_string() && line["timestamp"].is_string();
            assert!(is_log || line.get("_aws").is_some(), "{line}");
        }
        assert_eq!(printed.contains("delivery judged"), level != "FATAL", "{level}: {printed}");
    }
}

#[test]
fn a_panic_fails_one_invocation_and_not_the_process() {
    // cargo-lambda sets `abort` where the profile is silent; then no panic could be caught in production.
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).unwrap();
    let (_, release) = manifest.split_once("\n[profile.release]").unwrap();
    let (release, _) = release.split_once("\n[").unwrap();
    assert!(release.contains("\npanic = \"unwind\""), "the release profile must write out panic = \"unwind\"");
}
