//! A file of exceptions: read or refused with a printable reason; what must be told is told whatever it says.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::exceptions::{Exceptions, NEVER_HIDDEN};
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::text::printable;
use rolewatch_fuzz::{hold, judge};

thread_local! {
    static ALERTS: OnceCell<Vec<Alert>> = const { OnceCell::new() };
}

/// Alerts of every detection that one batch of samples gives.
fn alerts() -> Vec<Alert> {
    let samples = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/every-detection.ndjson"));
    let samples = samples.expect("`python3 fuzz/run.py` writes it");
    judge(&samples.lines().collect::<Vec<_>>(), None, &mut Memory::default()).alerts
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let exceptions = match Exceptions::read(&text) {
        Ok(exceptions) => exceptions,
        Err(error) => {
            let error = error.to_string();
            assert_eq!(printable(&error, 2_048), error, "printable and bounded");
            return;
        }
    };
    let all = ALERTS.with(|alerts| alerts.get_or_init(self::alerts).clone());
    let asked_for = exceptions.all().iter().map(|it| it.max_severity).max().unwrap_or(Severity::Informational);
    let count = all.len();
    let applied = exceptions.apply(all);
    assert_eq!(applied.alerts.len() + applied.silenced.len(), count, "an alert is told or silenced");
    for (alert, by) in &applied.silenced {
        assert!(!by.is_empty() && alert.severity <= asked_for, "{}", alert.title());
        assert!(!alert.detection_ids().iter().any(|id| NEVER_HIDDEN.contains(id)), "{}", alert.title());
    }
    hold(applied.alerts, &mut Memory::default());
});
