//! Why a line alerted or stayed quiet, word for word.

use expect_test::{ExpectFile, expect_file};

use crate::support::{ALERTING, Folder, events, rolewatch_in};

/// A dry run, a read, a change that alerts, the same event again, a line that is no event.
fn check(args: &[&str], expected: &ExpectFile) {
    let folder = Folder::new();
    let [read, binding, _, role] = events();
    let dry_run = binding
        .replace("clusterrolebindings\",\"verb", "clusterrolebindings?dryRun=All\",\"verb")
        .replace(ALERTING[0], "11111111-0000-4000-8000-000000000009");
    folder.write("a/log.ndjson", format!("{dry_run}\n{read}\n{binding}\n"));
    folder.write("b/log.ndjson", format!("{role}\n{role}\n{{\"kind\":\"Event\"\n"));
    expected.assert_eq(&rolewatch_in(folder.path(), args, |_| Ok(())).transcript());
}

#[test]
fn each_line_of_interest_is_explained() {
    check(&["replay", "--explain", "a", "b"], &expect_file!["../golden/explain-all.txt"]);
    check(&["replay", "--explain", "--format", "ocsf", "a"], &expect_file!["../golden/error-explain-format.txt"]);
}

#[test]
fn one_event_is_explained() {
    let dry_run = "11111111-0000-4000-8000-000000000009";
    check(&["explain", dry_run, "a"], &expect_file!["../golden/explain-quiet.txt"]);
    check(&["explain", ALERTING[1], "a", "b"], &expect_file!["../golden/explain-twice.txt"]);
    check(&["explain", "11111111-0000-4000-8000-000000000001", "a"], &expect_file!["../golden/explain-read.txt"]);
    check(&["explain", "no-such-id\u{1b}[2J", "a"], &expect_file!["../golden/error-explain-missing.txt"]);
}

#[test]
fn what_explains_judges_as_what_alerts() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/recorded");
    let folder = Folder::new();
    let plain = rolewatch_in(folder.path(), &["replay", samples], |_| Ok(()));
    let explained = rolewatch_in(folder.path(), &["replay", "--explain", samples], |_| Ok(()));
    assert_eq!(plain.stderr, explained.stderr, "the summary is the same");
    assert!(explained.stdout.contains("seen by") && !explained.stdout.contains("Why it matters"));
}
