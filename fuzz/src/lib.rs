//! What the targets share: reading input into lines, and the promises that every outcome is held to.

#[path = "../../analyzer/src/tests/promises.rs"]
mod promises;

use std::cell::OnceCell;
use std::path::Path;

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::analyze;
use rolewatch_analyzer::envelope::LogLine;
use rolewatch_analyzer::gather::gather;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{Report, close_all};
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::stream::Source;

use self::promises::Schema;

thread_local! {
    static SCHEMA: OnceCell<Schema> = const { OnceCell::new() };
}

/// A cluster whose logs the input claims to be.
pub fn settings() -> Settings {
    Settings {
        source: Source {
            account: Some("111122223333".to_owned()),
            region: Some("eu-central-1".to_owned()),
            cluster: Some("prod".to_owned()),
            ..Source::default()
        },
        ..Settings::default()
    }
}

/// Judges texts as lines of one batch; `stream` names the log stream where the lines shall not be guessed at.
pub fn judge(texts: &[&str], stream: Option<&str>, memory: &mut Memory) -> Report {
    let source = Source { log_stream: stream.map(ToOwned::to_owned), ..Source::default() };
    let lines = texts
        .iter()
        .map(|text| Ok(LogLine { timestamp_ms: Some(1_795_416_561_478), log_stream: None, message: (*text).into() }));
    let report = analyze(&source, lines, &settings(), memory);
    promises::count(&report, texts.len());
    report
}

/// Holds alerts to what is promised of them: alone, gathered, and as last words.
pub fn hold(alerts: Vec<Alert>, memory: &mut Memory) {
    SCHEMA.with(|schema| {
        let schema = schema.get_or_init(|| Schema::beside(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")));
        for alert in alerts.iter().chain(&close_all(memory)).chain(&gather(alerts.clone())) {
            promises::hold(alert, schema);
        }
    });
}

/// The lines of an input: at most 64, so that one input stays quick.
pub fn lines(text: &str) -> Vec<&str> {
    text.split('\n').take(64).collect()
}
