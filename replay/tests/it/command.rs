//! What the command prints and how it exits, word for word. `UPDATE_EXPECT=1` rewrites the files under `golden`.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use expect_test::{ExpectFile, expect_file};

use crate::support::{Folder, events, gzip, ndjson, rolewatch, rolewatch_in};

fn check(args: &[&str], expected: &ExpectFile) {
    expected.assert_eq(&rolewatch(args).transcript());
}

/// The same in a folder that holds `events.ndjson` and a few files that are wrong.
fn check_files(args: &[&str], expected: &ExpectFile) {
    let folder = Folder::new();
    folder.write("events.ndjson", ndjson());
    let [one, _, three, _] = events();
    folder.write("cut.ndjson", format!("{one}\nnot a log line\n{three}\n{{\"hello\":\"world\"}}\n"));
    folder.write("empty", "");
    folder.write("notes.txt", "Dear diary,\n\nno log today.\n");
    folder.write("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let whole = gzip(format!("{one}\n{three}\n"));
    folder.write("cut.gz", &whole[..whole.len() - 8]);
    folder.write(
        "notification.json",
        r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","s3":{"object":{"key":"x.gz"}}}]}"#,
    );
    folder.write("cloudtrail.json", r#"{"detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"x"}}"#);
    expected.assert_eq(&rolewatch_in(folder.path(), args, |_| Ok(())).transcript());
}

#[test]
fn help_is_complete() {
    check(&["--help"], &expect_file!["../golden/help.txt"]);
    check(&["replay", "--help"], &expect_file!["../golden/help-replay.txt"]);
    check(&["explain", "--help"], &expect_file!["../golden/help-explain.txt"]);
    check(&["detections", "--help"], &expect_file!["../golden/help-detections.txt"]);
    check(&["completions", "--help"], &expect_file!["../golden/help-completions.txt"]);
    check(&["man", "--help"], &expect_file!["../golden/help-man.txt"]);
}

#[test]
fn detections_are_listed_and_explained() {
    check(&["detections"], &expect_file!["../golden/detections.txt"]);
    check(&["detections", "rbac-binding-changed"], &expect_file!["../golden/detections-page.txt"]);
    let one = ["detections", "--format", "json", "rbac-binding-changed"];
    check(&one, &expect_file!["../golden/detections-json.txt"]);
}

/// The list for programs holds what the table and every page hold.
#[test]
fn detections_are_listed_for_programs() {
    let table = rolewatch(&["detections"]);
    let list = rolewatch(&["detections", "--format", "json"]);
    assert_eq!((list.status, list.stderr.as_str()), (0, ""));
    let list: Vec<serde_json::Value> = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list.len(), table.stdout.lines().count());
    for (one, row) in list.iter().zip(table.stdout.lines()) {
        let text = |key: &str| one[key].as_str().unwrap();
        assert_eq!(row.split_once(' ').map(|(id, title)| (id, title.trim())), Some((text("id"), text("title"))));
        // The page is wrapped to its own width.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = words(&rolewatch(&["detections", text("id")]).stdout);
        assert!(page.contains(&words(&text("docs").replace("## ", ""))) && page.contains(text("since")), "{row}");
        for technique in one["attack"].as_array().unwrap() {
            assert!(page.contains(technique["technique"].as_str().unwrap()), "{row}");
        }
        assert!(!text("category").is_empty() && !one["attack"].as_array().unwrap().is_empty(), "{row}");
        let alone = rolewatch(&["detections", "--format", "json", text("id")]).stdout;
        assert_eq!(&serde_json::from_str::<serde_json::Value>(&alone).unwrap(), one);
    }
}

#[test]
fn alerts_are_text_for_people_and_ocsf_for_machines() {
    check_files(&["replay", "events.ndjson"], &expect_file!["../golden/text.txt"]);
    check_files(
        &[
            "replay",
            "--format",
            "ocsf",
            "--cluster",
            "prod",
            "--account",
            "111122223333",
            "--region",
            "us-west-2",
            "events.ndjson",
        ],
        &expect_file!["../golden/ocsf.txt"],
    );
    check_files(
        &["replay", "--color", "always", "--min-severity", "critical", "events.ndjson"],
        &expect_file!["../golden/color.txt"],
    );
    check_files(&["replay", "--format", "chat", "--quiet", "events.ndjson"], &expect_file!["../golden/chat.txt"]);
    check_files(&["replay", "empty"], &expect_file!["../golden/empty.txt"]);
}

#[test]
fn what_could_not_be_read_is_counted_and_strict_makes_it_an_error() {
    let files = ["cut.ndjson", "picture", "notes.txt", "cut.gz", "notification.json", "cloudtrail.json"];
    check_files(&[&["replay", "--quiet"][..], &files].concat(), &expect_file!["../golden/quiet.txt"]);
    check_files(&[&["replay", "--strict"][..], &files].concat(), &expect_file!["../golden/strict.txt"]);
}

#[test]
fn the_exit_status_says_whether_an_alert_reached_a_severity() {
    let folder = Folder::new();
    folder.write("events.ndjson", ndjson());
    let [one, _, three, four] = events();
    folder.write("low.ndjson", format!("{one}\n{three}\n{four}\n"));
    for (args, status) in [
        (&["events.ndjson"][..], 0),
        (&["--fail-on", "critical", "events.ndjson"], 1),
        (&["--fail-on", "low", "low.ndjson"], 1),
        (&["--fail-on", "medium", "low.ndjson"], 0),
        // What is not shown still counts.
        (&["--fail-on", "low", "--min-severity", "critical", "low.ndjson"], 1),
        // What cannot be read weighs more: nobody knows what it held.
        (&["--fail-on", "low", "events.ndjson", "missing"], 2),
    ] {
        let run = rolewatch_in(folder.path(), &[&["replay"][..], args].concat(), |_| Ok(()));
        assert_eq!(run.status, status, "{args:?}: {}", run.stderr);
    }
}

#[test]
fn errors_say_what_happened_and_what_to_do() {
    check(&["replay", "no-such-file"], &expect_file!["../golden/error-missing.txt"]);
    check(&["replay", "--min-severity", "urgent", "-"], &expect_file!["../golden/error-level.txt"]);
    check(&["replay", "--trusted-network", "example.com", "-"], &expect_file!["../golden/error-network.txt"]);
    check(&["replay", "--format", "xml", "-"], &expect_file!["../golden/error-format.txt"]);
    check(&["replay", "--frmat", "text", "-"], &expect_file!["../golden/error-option.txt"]);
    check(&["detections", "--format", "yaml"], &expect_file!["../golden/error-list-format.txt"]);
    check(&["man", "relpay"], &expect_file!["../golden/error-man.txt"]);
    check(&["completions", "ksh"], &expect_file!["../golden/error-completions.txt"]);
    check(&["detections", "rbac-binding-change"], &expect_file!["../golden/error-detection.txt"]);
    check(&["detections", "\u{1b}[2Jx"], &expect_file!["../golden/error-detection-hostile.txt"]);
}

/// What only a disk, a pipe or a strange folder does.
#[test]
fn failures_of_the_system_are_told_too() {
    let folder = Folder::new();
    let deep = (0..70).fold(folder.path().join("deep"), |path, _| path.join("d"));
    std::fs::create_dir_all(&deep).unwrap();
    folder.write("log", ndjson());
    let huge = std::fs::File::create(folder.path().join("huge.json")).unwrap();
    huge.set_len((512 << 20) + 1).unwrap();
    let transcript = |args: &[&str]| rolewatch_in(folder.path(), args, |_| Ok(())).transcript();
    let path = deep.ancestors().nth(5).unwrap().to_string_lossy().into_owned();
    let too_deep = transcript(&["replay", "deep"]).replace(&path, "deep/...");
    let (start, end) = too_deep.split_once("`deep").unwrap();
    let (_, end) = end.split_once('`').unwrap();
    expect_file!["../golden/error-deep.txt"].assert_eq(&format!("{start}`deep/...`{end}"));
    let huge = ["rights", "bob", "--memory", "huge.json"];
    expect_file!["../golden/error-snapshot-large.txt"].assert_eq(&transcript(&huge));
    if cfg!(target_os = "linux") {
        // Opens, and fails to be read at its first byte.
        let broken = transcript(&["replay", "--quiet", "/proc/self/mem", "log", "--min-severity", "critical"]);
        let (_, error) = broken.split_once("--- standard error ---").unwrap();
        assert!(broken.starts_with("[CRITICAL]"), "one bad file does not cost the others: {broken}");
        expect_file!["../golden/error-read.txt"].assert_eq(error.trim_start());
        let full = Command::new("sh")
            .args(["-c", "exec \"$0\" replay log >/dev/full", env!("CARGO_BIN_EXE_rolewatch")])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text =
            format!("{}--- exit status {} ---\n", String::from_utf8_lossy(&full.stderr), full.status.code().unwrap());
        expect_file!["../golden/error-write.txt"].assert_eq(&text);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for command in [&["replay", "--format", "ocsf", "-"][..], &["replay"], &["detections"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rolewatch"))
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        // Only now is there something to write. The list of detections waits for nothing and may be through already.
        let _ = child.stdin.take().unwrap().write_all(ndjson().as_bytes());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{command:?}");
    }
}

#[test]
fn colour_is_for_terminals_only() {
    let folder = Folder::new();
    folder.write("events.ndjson", ndjson());
    let run = rolewatch_in(folder.path(), &["replay", "events.ndjson"], |_| Ok(()));
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
    let colored = rolewatch_in(folder.path(), &["replay", "--color=always", "events.ndjson"], |_| Ok(()));
    assert!(colored.stdout.contains('\u{1b}'));
}
