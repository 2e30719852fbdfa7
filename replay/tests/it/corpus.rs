//! The score over the labelled recordings, where they stand beside the project.

use std::process::Command;

use serde_json::Value;

use crate::envelopes::recordings;

// The floor. It is only ever raised: whoever makes the score better raises it in the same change.

/// Share of the expected events that must be found, in per cent.
const FOUND_PERCENT_MIN: u64 = 100;
/// Alerts that stand for nothing expected.
const EXTRA_MAX: u64 = 0;
/// Share of those found whose severity is at most one step off, in per cent.
const SEVERITY_NEAR_PERCENT_MIN: u64 = 95;

#[test]
fn the_score_over_the_recordings_does_not_fall() {
    let Some(script) = recordings().map(|folder| folder.join("tools/score-corpus")) else { return };
    if !script.is_file() {
        return;
    }
    let run = Command::new("python3")
        .arg(&script)
        .args(["--rolewatch", env!("CARGO_BIN_EXE_rolewatch"), "--json"])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&run.stdout);
    let totals: Value = report
        .lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .unwrap_or_else(|| panic!("no totals: {report}{}", String::from_utf8_lossy(&run.stderr)));
    let total = |name: &str| totals[name].as_u64().unwrap();
    assert!(total("expected") > 0, "{report}");
    assert!(total("found") * 100 >= FOUND_PERCENT_MIN * total("expected"), "{report}");
    assert!((0..=EXTRA_MAX).contains(&total("extra")), "{report}");
    assert!(total("severity_near") * 100 >= SEVERITY_NEAR_PERCENT_MIN * total("found"), "{report}");
}
