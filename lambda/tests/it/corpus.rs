//! The recorded deliveries, where they are at hand: the right alerts or a coded error, and never a dead process.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::alerts::lambda;
use crate::emulator::{Inbox, Received};
use crate::runtime::Answer;

/// A folder of the recordings, which are too large to be part of the project: they lie in `corpus`, in some folder
/// beside it. `None` on a clone that stands alone.
pub(crate) fn recordings(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let entries = std::fs::read_dir(beside).ok()?.filter_map(Result::ok);
    let mut corpora = entries.map(|entry| entry.path().join("corpus"));
    let found = corpora.find(|corpus| corpus.join("index.json").exists()).map(|corpus| corpus.join(folder));
    if found.is_none() {
        // Past the capture of the test runner: a test that did not run must be seen.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: no recordings lie beside the project, so none was delivered");
    }
    found
}

#[test]
fn recorded_deliveries_give_their_alerts() {
    let Some(folder) = recordings("envelopes") else { return };
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let inbox = Inbox::new("recorded");
    let mut missed = Vec::new();
    for entry in manifest.as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let is_event = |folder: &str| file.strip_prefix(folder).is_some_and(|name| !name.contains("decoded"));
        if !is_event("lambda/") && !is_event("kinesis/") {
            continue;
        }
        // Each file is a story of its own: another one's memory would not belong to it.
        let mut lambda = lambda(&inbox);
        let answer = lambda.invoke(&std::fs::read_to_string(folder.join(file)).unwrap());
        let messages = inbox.take();
        let Answer::Success(_) = answer else { panic!("{file}: {answer:?}") };
        let told: BTreeSet<String> = messages.iter().flat_map(Received::audit_ids).collect();
        let expected = entry["must_alert"].as_array().cloned().unwrap_or_default();
        for wanted in &expected {
            let group = wanted["group"].as_str();
            let alike =
                expected.iter().filter(|other| other == &wanted || group.is_some_and(|it| other["group"] == it));
            if !alike.clone().any(|event| told.contains(event["auditID"].as_str().unwrap())) {
                missed.push(format!("{file}: {}", wanted["kind"]));
            }
        }
        let klog = entry["must_alert_api_log"].as_array().map_or(0, Vec::len);
        if klog > 0 && messages.is_empty() {
            missed.push(format!("{file}: api log"));
        }
        // The labels are about audit events; the text streams tell of broken mappings and refused tokens besides.
        let needless = messages.iter().filter(|message| !message.audit_ids().is_empty()).count();
        if expected.is_empty() && klog == 0 && needless > 0 {
            missed.push(format!("{file}: {needless} alerts too many"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn recorded_broken_deliveries_are_answered_by_one_process() {
    let Some(folder) = recordings("envelopes") else { return };
    let inbox = Inbox::new("recorded-broken");
    let mut lambda = lambda(&inbox);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("broken")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        match lambda.invoke(&std::fs::read_to_string(&file).unwrap()) {
            Answer::Success(_) => {}
            Answer::Failure { error_type, .. } => {
                let known = rolewatch_lambda::error::CODES.iter().any(|code| code.code == error_type);
                assert!(known, "{name}: {error_type} is not in the operator's table");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(lambda.peak_memory_kib() < 256 << 10, "{} KiB", lambda.peak_memory_kib());
}
