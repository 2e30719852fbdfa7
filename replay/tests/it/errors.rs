//! Every message that is not told elsewhere, word for word; and that none is left out.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{ExpectFile, expect_file};

use serde_json::{Value, json};

use crate::support::{Folder, deflate, events, ndjson, rolewatch_in};

/// Runs each of `all` in `folder`, and compares what they say with one golden file.
fn check(folder: &Folder, all: &[&[&str]], expected: &ExpectFile) {
    let told = all.iter().map(|args| {
        let run = rolewatch_in(folder.path(), args, |_| Ok(()));
        format!("$ rolewatch {}\n{}{}(status {})\n\n", args.join(" "), run.stdout, run.stderr, run.status)
    });
    expected.assert_eq(&told.collect::<String>());
}

#[test]
fn options_that_do_not_go_together_are_told() {
    let live = ["replay", "--log-group", "/aws/eks/prod/cluster"];
    let with = |more: &[&'static str]| [&live[..], more].concat();
    let times = ["--from", "2026-03-01", "--to", "2026-03-02"];
    let all = [
        with(&["log"]),
        with(&["--since", "1h", "--from", "2026-03-01"]),
        with(&["--follow", "--to", "2026-03-02"]),
        with(&["--state", "state.json", "--to", "2026-03-02"]),
        with(&["--since", "yesterday"]),
        with(&["--from", "yesterday"]),
        with(&["--explain", "--format", "ocsf"]),
        [&["replay"], &times[..]].concat(),
        ["--since", "--state", "--log-stream", "--profile"]
            .iter()
            .fold(vec!["replay"], |all, name| [all, vec![name, "1h"]].concat()),
        // Each of these would be passed over without a word.
        vec!["replay", "--follow", "log"],
        vec!["replay", "--since", "1h", "log"],
        vec!["replay", "--from", "2026-03-01", "log"],
        vec!["replay", "--to", "2026-03-01", "log"],
        vec!["replay", "--log-stream", "kube", "log"],
        vec!["replay", "--state", "state.json", "log"],
        vec!["replay", "--profile", "audit", "log"],
        vec!["replay", "--threads", "0", "log"],
        vec!["explain"],
        vec!["who-can", "get", "secrets"],
        vec!["frobnicate"],
    ];
    let all: Vec<&[&str]> = all.iter().map(Vec::as_slice).collect();
    check(&Folder::new(), &all, &expect_file!["../golden/errors-options.txt"]);
}

#[test]
fn a_mistake_in_a_file_of_exceptions_is_told_with_its_place() {
    let folder = Folder::new();
    let entry = "- id: a\n  reason: reviewed\n  owner: sre\n  expires: 2126-06-30\n";
    let one = |more: &str| format!("exceptions:\n{entry}{more}");
    let other = |from: &str, to: &str| one("  verbs: [get]\n").replace(from, to);
    let all = [
        ("list.yaml", format!("# Ours.\n{entry}")),
        ("no-yaml.yaml", "exceptions: [".to_owned()),
        ("alias.yaml", one("  verbs: &all [get]\n")),
        ("words.yaml", "exceptions: [argocd]\n".to_owned()),
        ("missing.yaml", "exceptions:\n- id: a\n".to_owned()),
        ("type.yaml", one("  verbs: get\n")),
        (
            "many.yaml",
            "exceptions:\n".to_owned()
                + &(0..501).map(|n| other("exceptions:\n- id: a", &format!("- id: a{n}"))).collect::<String>(),
        ),
        ("large.yaml", "#".repeat((256 << 10) + 1)),
        ("twice.yaml", one("  verbs: [get]\n") + entry + "  verbs: [list]\n"),
        ("id.yaml", other("id: a", "id: a b")),
        ("everything.yaml", one("  cluster: prod\n")),
        ("never.yaml", one("  detections: [identity-forged]\n")),
        ("unknown.yaml", one("  detections: [rbac-changed]\n")),
        ("empty.yaml", other("owner: sre", "owner: ''")),
        ("expires.yaml", other("2126-06-30", "next summer")),
        ("severity.yaml", one("  verbs: [get]\n  max_severity: urgent\n")),
    ];
    for (name, text) in &all {
        folder.write(name, text);
    }
    let all: Vec<[&str; 3]> = all.iter().map(|(name, _)| ["exceptions", "check", *name]).collect();
    let all: Vec<&[&str]> = all.iter().map(<[&str; 3]>::as_slice).collect();
    check(&folder, &all, &expect_file!["../golden/errors-exceptions.txt"]);
}

#[test]
fn a_mistake_in_a_file_of_settings_is_told_with_its_place() {
    let folder = Folder::new();
    let long = "#".repeat((1 << 20) + 1);
    let all = [
        ("long.env", long.as_str()),
        ("twice.env", "ROLEWATCH_MIN_SEVERITY=low\nROLEWATCH_MIN_SEVERITY=high\n"),
        ("words.env", "# Ours.\nwatch prod\n"),
        ("foreign.env", "AWS_REGION=eu-west-1\n"),
        ("cluster.env", "ROLEWATCH_CLUSTER_NAME=../prod\n"),
        ("gone.env", "ROLEWATCH_EXCEPTIONS=file:gone.yaml\n"),
        ("bucket.env", "ROLEWATCH_EXCEPTIONS=s3://bucket/key\n"),
        ("none.json", r#"{"Environment":{"Variables":{"RUST_LOG":"info"}}}"#),
        ("number.json", r#"{"ROLEWATCH_ALERT_CAP":5}"#),
    ];
    for (name, text) in all {
        folder.write(name, text);
    }
    let all = all.map(|(name, _)| ["replay", "--config", name, "-"]);
    check(&folder, &all.each_ref().map(<[&str; 4]>::as_slice), &expect_file!["../golden/errors-config.txt"]);
}

/// A role of a snapshot that takes half a megabyte of memory.
fn large_role(number: usize) -> Value {
    let names: Vec<String> = (0..2_500).map(|name| format!("{name:0200}")).collect();
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": format!("role-{number}")},
           "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": names}]})
}

#[test]
fn a_memory_or_snapshot_that_is_not_whole_is_told() {
    let folder = Folder::new();
    folder.write("log", ndjson());
    let [quiet, ..] = events();
    folder.write("quiet.log", quiet);
    for (memory, log) in [("whole.mem", "log"), ("quiet.mem", "quiet.log")] {
        let learn = ["replay", "--quiet", "--cluster", "prod", "--save-memory", memory, log];
        assert_eq!(rolewatch_in(folder.path(), &learn, |_| Ok(())).status, 0);
    }
    let whole = fs::read(folder.path().join("whole.mem")).unwrap();
    folder.write("cut.mem", &whole[..whole.len() - 40]);
    folder.write("older.mem", [b"rolewatch memory \x01", &whole[18..]].concat());
    // A fact of three bytes that no version has written, and zeros without end.
    folder.write("odd.mem", [&whole[..18], &deflate(&[3, 0xff, 0xff, 0xff])].concat());
    folder.write("bomb.mem", [&whole[..18], &deflate(&vec![0; 600 << 20])].concat());
    folder.write("odd.json", json!({"kind": "List", "items": [{"kind": "Role", "rules": "x"}, 7]}).to_string());
    folder
        .write("full.json", json!({"kind": "List", "items": (0..40).map(large_role).collect::<Vec<_>>()}).to_string());
    let ask = |memory: &'static str| ["rights", "carol", "--memory", memory];
    let all = ["quiet.mem", "cut.mem", "older.mem", "odd.mem", "bomb.mem", "odd.json", "full.json"].map(ask);
    let mut all: Vec<&[&str]> = all.iter().map(<[&str; 4]>::as_slice).collect();
    all.push(&["replay", "--cluster", "prod", "--memory", "full.json", "quiet.log"]);
    check(&folder, &all, &expect_file!["../golden/errors-memory.txt"]);
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let folder = Folder::new();
    folder.write("nothing", "");
    folder.write("cut.json", "{\"events\":[\n{\"message\":\"x\"},\n");
    folder.write("long.json", format!(r#"{{"a":"{}"}}"#, " ".repeat(33 << 20)));
    folder.write(
        "query.json",
        r#"{"results":[[{"field":"@timestamp","value":"2026-03-01 10:00:00.000"}]],"status":"Complete"}"#,
    );
    folder.write("delivery.json", r#"{"awslogs":{"data":"no base64!"}}"#);
    let layer = |inner: String| format!(r#"{{"version":"1.0","requestPayload":{inner}}}"#);
    folder.write("layers.json", (0..20).fold("{}".to_owned(), |inner, _| layer(inner)));
    folder.write("no-data.json", r#"{"Records":[{"kinesis":{"partitionKey":"x"},"eventSource":"aws:kinesis"}]}"#);
    let files = ["cut.json", "long.json", "query.json", "delivery.json", "layers.json", "no-data.json"];
    let all = [&["replay", "--strict"], &files[..]].concat();
    check(&folder, &[&all, &["cost", "nothing"]], &expect_file!["../golden/errors-input.txt"]);
}

/// The messages in the sources: texts that go on with what to do after a semicolon, notes, and those of `#[error]`.
fn messages(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n").replace("'\"'", "quote").replace("b'\"'", "quote");
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some((before, after)) = rest.split_once('"') {
        let mut escaped = false;
        let is_end = |letter: char| {
            let was_escaped = escaped;
            escaped = letter == '\\' && !was_escaped;
            letter == '"' && !was_escaped
        };
        let Some((text, others)) = split_at_first(after, is_end) else { break };
        // A `\` at the end of a line takes the line break, and the indentation of the next.
        let text = text.replace("\\\"", "\"").replace("\\\n", "");
        let is_error = before.trim_end().ends_with("#[error(");
        if (is_error || text.contains("; ") || text.starts_with("note: ")) && text != NOT_SHOWN {
            found.push(text);
        }
        rest = others;
    }
    found
}

fn split_at_first(text: &str, mut is_it: impl FnMut(char) -> bool) -> Option<(&str, &str)> {
    let (at, letter) = text.char_indices().find(|(_, letter)| is_it(*letter))?;
    Some((&text[..at], &text[at + letter.len_utf8()..]))
}

/// Whether `text` holds the message, whatever stands in its gaps.
fn holds(text: &str, message: &str) -> bool {
    let pieces: Vec<String> = message.split(['{', '}']).step_by(2).map(words).filter(|piece| piece.len() > 1).collect();
    let Some((first, others)) = pieces.split_first() else { return true };
    text.match_indices(first.as_str()).any(|(at, _)| {
        let mut rest = &text[at + first.len()..];
        others.iter().all(|piece| {
            let near = rest.char_indices().nth(GAP_CHARS_MAX).map_or(rest.len(), |(end, _)| end);
            let found = rest[..near].find(piece.as_str());
            rest = &rest[found.unwrap_or_default()..];
            found.is_some()
        })
    })
}

/// Lines may be wrapped anywhere.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_message_was_seen_coming_from_the_binary() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = files(&top.join("tests/golden"), "txt").into_iter().chain([top.join("tests/golden/report.html")]);
    let tests = files(&top.join("tests/it"), "rs");
    let seen: String = golden.chain(tests).map(|path| words(&fs::read_to_string(path).unwrap()) + "\n").collect();
    let others = ["exceptions/file.rs", "snapshot.rs"].map(|file| top.join("../analyzer/src").join(file));
    let mut unseen = Vec::new();
    let mut count = 0;
    // What the page says has tests of its own.
    let sources = files(&top.join("src"), "rs").into_iter().filter(|path| !path.to_string_lossy().contains("/page"));
    for path in sources.chain(others) {
        for message in messages(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            if !holds(&seen, &message) {
                unseen.push(format!("{}: {message}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(count > 90, "{count} messages were found in the sources");
    assert_eq!(unseen, Vec::<String>::new());
}

/// An error that ends the run without a word.
const NOT_SHOWN: &str = "the reader of the output is gone";
/// Longest gap of a message, as filled in: a path, or the names of all assumptions.
const GAP_CHARS_MAX: usize = 400;
