//! What every alert and every report keeps to, whatever the log held.
//!
//! The fuzz targets hold the same promises, so this file names the crate as they see it.

use std::io::Write as _;
use std::path::Path;

use rolewatch_analyzer::alert::{Alert, EVIDENCE_MAX};
use rolewatch_analyzer::report::Report;
use rolewatch_analyzer::text::{Headline, printable};
use serde_json::Value;

/// The OCSF schema, where it lies beside the project.
pub(crate) struct Schema(Option<jsonschema::Validator>);

impl Schema {
    /// Reads it from beside the project's top folder.
    pub(crate) fn beside(top: &Path) -> Self {
        let file = top.join("../shared/ocsf/detection_finding-1.8.0.schema.json");
        let Ok(text) = std::fs::read_to_string(file) else {
            // Past the capture of the test runner: a check that was not made must be seen.
            let _ = writeln!(
                std::io::stderr(),
                "\nSKIPPED: no OCSF schema lies beside the project, so no alert was held against it"
            );
            return Self(None);
        };
        // The schema's own pointers to names with a slash are not escaped (RFC 6901 section 3).
        let schema: Value = serde_json::from_str(&text.replace("#/$defs/win/", "#/$defs/win~1")).unwrap();
        Self(Some(jsonschema::validator_for(&schema).unwrap()))
    }

    fn faults(&self, finding: &Value) -> Vec<String> {
        self.0.iter().flat_map(|validator| validator.iter_errors(finding)).map(|fault| fault.to_string()).collect()
    }
}

/// Holds one alert to everything that is promised of alerts.
pub(crate) fn hold(alert: &Alert, schema: &Schema) {
    let headline = alert.headline();
    assert!(headline.as_str().len() <= Headline::CHARS_MAX, "{headline}");
    assert!(headline.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{headline}");

    let id = alert.id.as_str();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert!((1..=EVIDENCE_MAX).contains(&alert.evidence.len()), "{} events listed", alert.evidence.len());
    assert!(u64::try_from(alert.evidence.len()).unwrap() <= alert.events, "more are listed than it stands for");
    let worst = alert.findings.first().map(|finding| finding.hit.severity);
    assert_eq!(worst, alert.findings.iter().map(|finding| finding.hit.severity).max(), "the worst is first");

    let text = alert.text();
    assert!(text.lines().count() <= SCREEN_LINES, "more than a screen:\n{text}");
    assert!(text.len() <= TEXT_BYTES, "{} bytes of text", text.len());
    assert!(text.lines().all(is_printable), "{text:?}");

    let chat = alert.chat();
    every_text(&chat, &mut |text| {
        assert!(!text.contains(['<', '>', '@']) && !text.contains("://"), "markup for a chat: {text:?}");
        assert!(text.lines().all(is_printable), "chat: {text:?}");
    });
    assert!(chat.to_string().len() <= TEXT_BYTES, "{chat}");

    let ocsf = alert.ocsf();
    every_text(&ocsf, &mut |text| assert!(text.lines().all(is_printable), "OCSF: {text:?}"));
    let length = ocsf.to_string().len();
    assert!(length <= OCSF_BYTES, "{length} bytes of OCSF");
    let faults = schema.faults(&ocsf);
    assert!(faults.is_empty(), "{faults:?}\n{ocsf:#}");
}

/// Holds that every line ended as evidence of an alert, as quiet or as skipped, and is counted once.
pub(crate) fn count(report: &Report, lines: usize) {
    assert_eq!(report.lines, u64::try_from(lines).unwrap(), "lines read");
    assert_eq!(report.alerted + report.quiet_total() + report.skipped_total(), report.lines, "{report:?}");
}

/// Whether making it printable again would change nothing.
fn is_printable(line: &str) -> bool {
    printable(line, usize::MAX) == line
}

fn every_text(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(values) => values.iter().for_each(|value| every_text(value, see)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            see(key);
            every_text(value, see);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An alert's text fits one screen.
const SCREEN_LINES: usize = 60;
/// Far more than a screen of text needs.
const TEXT_BYTES: usize = 32 << 10;
/// A hundred events, each with twenty groups, and every name at its longest and in four-byte letters. What is more than
/// one message takes is left out by whoever sends it.
const OCSF_BYTES: usize = 4 << 20;
