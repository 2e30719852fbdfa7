//! Every recorded delivery, the broken ones too, where the recordings stand beside the project.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::support::rolewatch_in;

/// The folder of recordings; `None`, and a word about it, in a clone alone.
pub(crate) fn recordings() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if folder.is_dir() {
        return Some(folder);
    }
    // Past the capture of the test runner: a test that did not run must be seen.
    let _ = writeln!(std::io::stderr(), "\nSKIPPED: no recordings lie beside the project, so none was replayed");
    None
}

#[test]
fn every_recorded_delivery_is_read_and_what_must_alert_alerts() {
    let Some(folder) = recordings().map(|folder| folder.join("corpus/envelopes")) else { return };
    let Ok(manifest) = std::fs::read(folder.join("manifest.json")) else { return };
    let manifest: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    let mut wrong = Vec::new();
    for entry in &manifest {
        let file = entry["file"].as_str().unwrap();
        for why in faults(&folder, file, entry) {
            wrong.push(format!("{file}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn faults(folder: &Path, file: &str, entry: &Value) -> Vec<String> {
    let run =
        rolewatch_in(folder, &["replay", "--format", "ocsf", "--min-severity", "informational", file], |_| Ok(()));
    let mut faults = Vec::new();
    let coded = run.status == 2 && run.stderr.lines().any(|line| line.starts_with("error: "));
    if run.status != 0 && !coded {
        faults.push(format!("exit status {}: {}", run.status, run.stderr));
    }
    if run.stderr.contains("panicked") {
        faults.push(format!("a panic: {}", run.stderr));
    }
    if run.peak_bytes > PEAK_BYTES {
        faults.push(format!("{} MiB", run.peak_bytes >> 20));
    }
    if run.time > TIME {
        faults.push(format!("{:?}", run.time));
    }
    let named = run.audit_ids();
    for expected in entry["must_alert"].as_array().into_iter().flatten() {
        let id = expected["auditID"].as_str().unwrap();
        if !named.contains(id) {
            faults.push(format!("{id} does not alert"));
        }
    }
    if entry["must_alert_api_log"].as_array().is_some_and(|expected| !expected.is_empty()) && run.findings().is_empty()
    {
        faults.push("nothing of the api stream alerts".to_owned());
    }
    if let Some(lines) = entry["log_events"].as_u64() {
        let counted = run.stderr.lines().find_map(|line| line.trim().strip_prefix("lines")).unwrap_or_default();
        let counted: u64 = counted.trim().replace(',', "").parse().unwrap_or_default();
        if counted < lines {
            faults.push(format!("{counted} of {lines} lines are counted"));
        }
    }
    faults
}

/// The largest legal document and what is made of it.
const PEAK_BYTES: u64 = 200 << 20;
/// Long enough for a busy machine; a build without optimisation needs well under a second.
const TIME: Duration = Duration::from_secs(20);
