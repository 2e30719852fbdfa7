//! Samples as the tests read them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::sifting::told;
use crate::alert::Alert;
use crate::detections;
use crate::envelope::{Delivery, LogLine};
use crate::memory::Memory;
use crate::report::{Report, analyze, analyze_cloudtrail, analyze_delivery};
use crate::settings::Settings;
use crate::sift::Sifter;
use crate::stream::Source;

/// The top folder of the project.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The file of samples of a detection's file.
pub(crate) fn sample_path(file: &str) -> PathBuf {
    top().join(format!("samples/detections/{file}.json"))
}

/// One named case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The whole case, as written.
    pub(crate) json: Map<String, Value>,
}

impl Case {
    pub(crate) fn name(&self) -> &str {
        self.json["name"].as_str().unwrap()
    }

    fn texts(&self, member: &str) -> Vec<String> {
        let lines = self.json.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        lines
            .iter()
            .map(|line| match line {
                // A text line, or bytes that no JSON library would write.
                Value::String(text) => text.clone(),
                event => serde_json::to_string(event).unwrap(),
            })
            .collect()
    }

    /// The lines that are judged.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.texts("lines")
    }

    /// The lines that came before, for the memory.
    pub(crate) fn before(&self) -> Vec<String> {
        self.texts("before")
    }

    pub(crate) fn settings(&self) -> Settings {
        let networks = self.json.get("trusted").and_then(Value::as_array).cloned().unwrap_or_default();
        Settings {
            source: Source {
                account: Some("111122223333".to_owned()),
                region: Some("eu-central-1".to_owned()),
                cluster: Some("prod".to_owned()),
                // For lines that do not look like the stream they come from.
                log_stream: self.json.get("stream").map(|stream| format!("{}-0", stream.as_str().unwrap())),
                ..Source::default()
            },
            trusted_networks: networks.iter().map(|network| network.as_str().unwrap().parse().unwrap()).collect(),
        }
    }

    /// The memory that the lines before leave.
    pub(crate) fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        judge(&self.before(), &self.settings(), &mut memory);
        memory
    }

    /// What the lines report.
    pub(crate) fn report(&self) -> Report {
        judge(&self.lines(), &self.settings(), &mut self.memory())
    }
}

/// Every case of every file of samples.
pub(crate) fn cases() -> Vec<(String, Case)> {
    detections::FILES
        .iter()
        .flat_map(|file| read(&sample_path(file)).into_iter().map(|case| ((*file).to_owned(), case)))
        .collect()
}

/// The cases of one file.
pub(crate) fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Map<String, Value>> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    cases.into_iter().map(|json| Case { json }).collect()
}

/// Judges lines that came in one batch, and the calls of the AWS API among them: line by line, and once more as the delivery
/// that production would get. Both must say and learn the same.
pub(crate) fn judge(lines: &[String], settings: &Settings, memory: &mut Memory) -> Report {
    let (calls, lines): (Vec<&String>, Vec<&String>) = lines.iter().partition(|line| is_call(line));
    let mut delivered_to = memory.clone();
    let delivered = deliver(&lines, settings, &mut delivered_to);
    let lines = lines
        .into_iter()
        .map(|line| Ok(LogLine { timestamp_ms: Some(TIMESTAMP_MS), log_stream: None, message: line.as_str().into() }));
    let mut report = analyze(&Source::default(), lines, settings, memory);
    // Nearly always both are the same to the last field, and need not be written out to be compared.
    if delivered != report {
        assert_eq!(told(&delivered), told(&report), "sifted from a delivery (left) and line by line");
    }
    if !delivered_to.facts().eq(memory.facts()) {
        assert_eq!(known(&delivered_to), known(memory), "learnt from a delivery (left) and line by line");
    }
    for call in calls {
        report.absorb(analyze_cloudtrail(call, settings, memory));
    }
    report
}

/// Judges lines as the Lambda does.
fn deliver(lines: &[&String], settings: &Settings, memory: &mut Memory) -> Report {
    let document = document(lines);
    let delivery = Delivery::document(document.as_bytes());
    // What a window holds is cleared first, and most of these deliveries are a line or two.
    let mut sifter = Sifter::new().with_window(WINDOW_BYTES);
    let mut judged = analyze_delivery(delivery, settings, memory, &mut sifter).unwrap();
    assert_eq!(judged.len(), 1);
    judged.remove(0).report
}

/// The lines in a document as CloudWatch Logs writes it, entries and all, or none of them would be sifted. It leaves
/// everything but the lines to the settings.
pub(crate) fn document(lines: &[&String]) -> String {
    let entry = |(number, line): (usize, &&String)| {
        format!(r#"{{"id":"{number:056}","timestamp":{TIMESTAMP_MS},"message":{}}}"#, json!(line))
    };
    let entries = lines.iter().enumerate().map(entry).collect::<Vec<_>>().join(",");
    format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{entries}]}}"#)
}

/// Everything that is remembered, in a stable order.
fn known(memory: &Memory) -> Vec<String> {
    let mut facts: Vec<String> = memory.facts().map(|fact| format!("{fact:?}")).collect();
    facts.sort_unstable();
    facts
}

/// Small, and it grows to what a line needs. Windows of other sizes have a test of their own.
const WINDOW_BYTES: usize = 4 << 10;

/// When every line was written, unless it says otherwise.
const TIMESTAMP_MS: i64 = 1_795_416_561_478;

/// CloudTrail has a way in of its own; here its records stand among the lines.
pub(crate) fn is_call(line: &str) -> bool {
    serde_json::from_str::<Value>(line)
        .is_ok_and(|value| ["eventSource", "detail-type", "Records"].iter().any(|member| value.get(member).is_some()))
}

/// What alerts say, by detection: `severity: what`.
pub(crate) fn said(alerts: &[Alert]) -> Map<String, Value> {
    let mut out = Map::new();
    for finding in alerts.iter().flat_map(|alert| &alert.findings) {
        let text = format!("{}: {}", finding.hit.severity, finding.hit.what);
        match out.get_mut(finding.detection.id) {
            None => {
                out.insert(finding.detection.id.to_owned(), json!(text));
            }
            Some(Value::Array(texts)) => texts.push(json!(text)),
            Some(single) => *single = json!([single.clone(), text]),
        }
    }
    out
}
