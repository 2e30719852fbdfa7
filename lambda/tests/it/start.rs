//! Starting, and refusing to start.

use std::time::Duration;

use crate::runtime::{Answer, Lambda};

const TOPIC: (&str, &str) = ("ROLEWATCH_ALERT_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:alerts");

#[test]
fn a_wrong_configuration_is_told_to_lambda_and_ends_the_process() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[], "`ROLEWATCH_ALERT_TOPIC_ARN` is not set; set it to the ARN of an SNS topic"),
        (&[(TOPIC.0, "alerts")], "`ROLEWATCH_ALERT_TOPIC_ARN` cannot be used"),
        (&[TOPIC, ("ROLEWATCH_MIN_SEVERITY", "loud")], "`ROLEWATCH_MIN_SEVERITY` cannot be used; set it to one of"),
        (&[TOPIC, ("ROLEWATCH_TRUSTED_NETWORKS", "10.0.0.0/33")], "entry 1 of `ROLEWATCH_TRUSTED_NETWORKS` cannot"),
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
fn the_log_is_json_with_a_level_and_a_time_whatever_the_level() {
    for level in ["INFO", "TRACE"] {
        let mut lambda = Lambda::start(&[TOPIC, ("AWS_LAMBDA_LOG_LEVEL", level), ("RUST_LOG", "trace")]);
        // The delivery holds the marker; dropping the function checks that nothing printed does.
        lambda.invoke(&crate::delivery::event(&[crate::delivery::noise(1)]));
        for line in lambda.printed().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(
                line.get("_aws").is_some() || (line["level"].is_string() && line["timestamp"].is_string()),
                "{line}"
            );
        }
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
