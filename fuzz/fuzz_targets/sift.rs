//! A delivery judged while it is read, its lines sifted, and the same read whole and carefully: the same alerts and counts.
#![no_main]

use std::io::Write as _;

use base64::Engine as _;
use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::envelope::{Delivery, EnvelopeError};
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{Report, close_all};
use rolewatch_analyzer::sift::Sifter;
use rolewatch_analyzer::{analyze_delivery, analyze_envelope};
use rolewatch_fuzz::settings;

/// Everything that a report says, as text.
fn told(report: &Report) -> String {
    format!(
        "{}{} lines, {} alerted, quiet {:?}, skipped {:?}\n",
        alerts(&report.alerts),
        report.lines,
        report.alerted,
        report.quiet,
        report.skipped
    )
}

fn alerts(alerts: &[Alert]) -> String {
    alerts.iter().map(|alert| format!("{:?} {}\n", alert.id, alert.ocsf())).collect()
}

fn carefully(delivery: Delivery<'_>) -> Result<String, EnvelopeError> {
    let mut memory = Memory::default();
    let mut text = String::new();
    for envelope in delivery.envelopes()? {
        text += &told(&analyze_envelope(&envelope, &settings(), &mut memory));
    }
    Ok(text + &alerts(&close_all(&mut memory)))
}

fn quickly(delivery: Delivery<'_>, window: usize) -> Result<String, EnvelopeError> {
    let mut memory = Memory::default();
    let mut sifter = Sifter::new().with_window(window);
    let mut text = String::new();
    for judged in analyze_delivery(delivery, &settings(), &mut memory, &mut sifter)? {
        text += &told(&judged.report);
    }
    Ok(text + &alerts(&close_all(&mut memory)))
}

fuzz_target!(|data: &[u8]| {
    // The first byte chooses how much is seen at once, 1 KB to 256 KB, and whether several documents may come.
    let Some((first, document)) = data.split_first() else {
        return;
    };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(document).unwrap();
    let data = base64::engine::general_purpose::STANDARD.encode(encoder.finish().unwrap());
    let one = Delivery::base64(&data);
    let delivery = if *first < 128 { one } else { one.several() };
    assert_eq!(carefully(delivery), quickly(delivery, 1024 << (first % 9)));
});
