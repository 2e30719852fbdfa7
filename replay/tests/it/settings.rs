//! `--config`, `--exceptions` and `exceptions check`, word for word.

use expect_test::{ExpectFile, expect_file};

use crate::support::{Folder, events, ndjson, rolewatch_in};

/// Covers the role of the log, and one that nothing does.
const EXCEPTIONS: &str = "\
exceptions:
  - id: readers
    reason: reviewed with the platform team
    owner: platform@example.com
    expires: 2126-06-30
    detections: [rbac-role-changed]
    object: clusterroles/pod-*
  - id: argocd
    reason: Argo CD writes bindings from git
    owner: platform@example.com
    expires: 2126-06-30
    max_severity: high
    actor: system:serviceaccount:argocd:*
";

/// Would have covered the role if it still held.
const EXPIRED: &str = "\
exceptions:
  - id: rehearsal
    reason: the break-glass rehearsal of spring
    owner: sre@example.com
    expires: 2026-02-28
    actor: arn:aws:sts::111122223333:assumed-role/admin/*
";

fn folder() -> Folder {
    let folder = Folder::new();
    let [one, _, three, four] = events();
    folder.write("events.ndjson", ndjson());
    folder.write("low.ndjson", format!("{one}\n{three}\n{four}\n"));
    folder.write("exceptions.yaml", EXCEPTIONS);
    folder.write("expired.yaml", EXPIRED);
    folder.write("empty.yaml", "exceptions: []\n");
    folder.write("wrong.yaml", EXCEPTIONS.replace("clusterroles/pod-*", "clusterroles/*-reader"));
    folder.write("unknown.yaml", EXCEPTIONS.replace("    actor:", "    actors:"));
    folder.write(
        "rolewatch.env",
        "# As in production.\nROLEWATCH_ALERT_TOPIC_ARN=arn:aws:sns:eu-central-1:111122223333:alerts\n\
         export ROLEWATCH_MIN_SEVERITY=\"high\"\nROLEWATCH_CLUSTER_NAME=prod\nROLEWATCH_EXCEPTIONS=file:exceptions.yaml\n",
    );
    folder.write("slip.env", "ROLEWATCH_MIN_SEVERTY=high\n");
    folder.write("level.env", "\nROLEWATCH_MIN_SEVERITY=urgent\n");
    folder.write("networks.env", "ROLEWATCH_TRUSTED_NETWORKS=203.0.113.7/32,secret\n");
    folder.write("aws.env", "ROLEWATCH_EXCEPTIONS=ssm:/rolewatch/prod\n");
    folder.write("inline.env", "ROLEWATCH_EXCEPTIONS='exceptions: [{id: a}]'\n");
    folder.write(
        "function.json",
        r#"{"FunctionName":"rolewatch","Environment":{"Variables":{"RUST_LOG":"info","ROLEWATCH_MIN_SEVERITY":"critical","ROLEWATCH_CLUSTER_NAME":"blue"}}}"#,
    );
    folder
}

fn check(args: &[&str], expected: &ExpectFile) {
    expected.assert_eq(&rolewatch_in(folder().path(), args, |_| Ok(())).transcript());
}

#[test]
fn exceptions_silence_and_are_counted() {
    check(&["replay", "--exceptions", "exceptions.yaml", "low.ndjson"], &expect_file!["../golden/exceptions.txt"]);
    check(&["replay", "--exceptions", "expired.yaml", "low.ndjson"], &expect_file!["../golden/exceptions-expired.txt"]);
    let explain = ["replay", "--explain", "--quiet", "--exceptions", "exceptions.yaml", "low.ndjson"];
    check(&explain, &expect_file!["../golden/exceptions-explain.txt"]);
    let one = ["explain", "--exceptions", "exceptions.yaml", crate::support::ALERTING[1], "low.ndjson"];
    let explained = rolewatch_in(folder().path(), &one, |_| Ok(()));
    assert!(explained.stdout.contains("quiet, exception: covered by `readers`"), "{}", explained.stdout);
}

#[test]
fn a_file_of_settings_holds_where_no_option_counts_over_it() {
    let folder = folder();
    let told = |args: &[&str]| {
        let args = [&["replay", "--format", "ocsf"], args, &["events.ndjson"]].concat();
        let run = rolewatch_in(folder.path(), &args, |_| Ok(()));
        assert_eq!(run.status, 0, "{}", run.stderr);
        run.findings().iter().map(|finding| finding["finding_info"]["title"].as_str().unwrap().to_owned()).collect()
    };
    let titles = |starts: &[&str], told: Vec<String>| {
        assert_eq!(starts.len(), told.len(), "{told:?}");
        assert!(starts.iter().zip(&told).all(|(start, title)| title.starts_with(start)), "{told:?}");
    };
    titles(&["[CRITICAL] prod: alice"], told(&["--config", "rolewatch.env"]));
    titles(&["[CRITICAL] blue: alice"], told(&["--config", "function.json"]));
    titles(&["[CRITICAL] green: alice"], told(&["--config", "function.json", "--cluster", "green"]));
    // The exceptions of the file hold until an option names others.
    titles(&["[CRITICAL] prod: alice"], told(&["--config", "rolewatch.env", "--min-severity", "low"]));
    let more = ["--config", "rolewatch.env", "--min-severity", "low", "--exceptions", "empty.yaml"];
    titles(&["[CRITICAL] prod: alice", "[LOW] prod: alice"], told(&more));
    titles(&["[CRITICAL] alice", "[LOW] alice"], told(&["--config", "aws.env", "--exceptions", "empty.yaml"]));
}

#[test]
fn a_mistake_in_the_settings_is_told_with_its_line() {
    check(&["replay", "--config", "missing.env", "-"], &expect_file!["../golden/error-config-missing.txt"]);
    check(&["replay", "--config", "slip.env", "-"], &expect_file!["../golden/error-config-name.txt"]);
    check(&["replay", "--config", "level.env", "-"], &expect_file!["../golden/error-config-level.txt"]);
    check(&["replay", "--config", "networks.env", "-"], &expect_file!["../golden/error-config-networks.txt"]);
    check(&["replay", "--config", "aws.env", "-"], &expect_file!["../golden/error-config-aws.txt"]);
    check(&["replay", "--config", "inline.env", "-"], &expect_file!["../golden/error-config-inline.txt"]);
    check(&["replay", "--config", "events.ndjson", "-"], &expect_file!["../golden/error-config-json.txt"]);
    check(&["replay", "--exceptions", "wrong.yaml", "-"], &expect_file!["../golden/error-exceptions.txt"]);
}

#[test]
fn exceptions_are_checked_against_logs() {
    let all = ["exceptions", "check", "exceptions.yaml", "events.ndjson"];
    check(&all, &expect_file!["../golden/exceptions-check.txt"]);
    check(
        &["exceptions", "check", "expired.yaml", "low.ndjson"],
        &expect_file!["../golden/exceptions-check-expired.txt"],
    );
    check(&["exceptions", "check", "exceptions.yaml"], &expect_file!["../golden/exceptions-check-alone.txt"]);
    let alone = ["exceptions", "check", "expired.yaml"];
    check(&alone, &expect_file!["../golden/exceptions-check-expired-alone.txt"]);
    check(&["exceptions", "check", "unknown.yaml"], &expect_file!["../golden/error-exceptions-key.txt"]);
    check(&["exceptions", "check", "--help"], &expect_file!["../golden/help-exceptions-check.txt"]);
    let status =
        |args: &[&str]| rolewatch_in(folder().path(), &[&["exceptions", "check"], args].concat(), |_| Ok(())).status;
    assert_eq!(status(&["--strict", "exceptions.yaml"]), 0);
    assert_eq!(status(&["--strict", "exceptions.yaml", "events.ndjson"]), 1, "one silences nothing");
    assert_eq!(status(&["--strict", "expired.yaml"]), 1);
    assert_eq!(status(&["--strict", "empty.yaml", "events.ndjson"]), 0);
    assert_eq!(status(&["exceptions.yaml", "missing"]), 2);
}
