//! Recorded clusters: what they report, as committed text.

use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;

use super::harness::{judge, top};
use crate::gather::gather;
use crate::memory::Memory;
use crate::settings::Settings;

#[test]
fn every_recording_reports_what_its_golden_file_says() {
    let folder = top().join("samples/recorded");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert!(!names.is_empty());
    for path in names.into_iter().filter(|path| path.is_dir()) {
        let mut lines = Vec::new();
        for file in ["audit.ndjson", "kube-apiserver.log", "authenticator.log", "cloudtrail.json"] {
            if let Ok(text) = fs::read_to_string(path.join(file)) {
                lines.extend(text.lines().map(ToOwned::to_owned));
            }
        }
        let report = judge(&lines, &Settings::default(), &mut Memory::default());
        let mut text = String::new();
        for alert in gather(report.alerts.clone()) {
            let _ = writeln!(text, "{}\n    {}", alert.title(), alert.detection_ids().join(", "));
        }
        for (reason, count) in &report.quiet {
            let _ = writeln!(text, "quiet {count} {}", reason.as_str());
        }
        for (reason, count) in &report.skipped {
            let _ = writeln!(text, "skipped {count} {}", reason.as_str());
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Not beside the recording: `rolewatch replay samples` would read it as a log.
        expect_file![top().join(format!("analyzer/src/tests/recorded/{name}.txt"))].assert_eq(&text);
    }
}
