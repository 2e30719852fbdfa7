//! What is timed: the product, the floor it stands on, and the yardsticks.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
use rolewatch_analyzer::alert::{Activity, Alert};
use rolewatch_analyzer::envelope::{Envelope, LogLine};
use rolewatch_analyzer::gather::gather;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Source;
use rolewatch_analyzer::{Report, analyze, analyze_envelope};

use crate::delivery::Delivery;
use crate::naive::{self, Hits};

/// Base64 and gunzip of every delivery, and nothing else: what no judge can do without. The buffer has the right size
/// from the start, as the end of the gzip tells it.
#[must_use]
pub fn gunzip(deliveries: &[Delivery]) -> usize {
    let mut total = 0;
    for delivery in deliveries {
        let gzip = STANDARD.decode(&delivery.data).expect("deliveries are base64");
        let mut text = Vec::with_capacity(size(&gzip) + 1);
        GzDecoder::new(gzip.as_slice()).read_to_end(&mut text).expect("deliveries are gzip");
        total += text.len();
    }
    total
}

/// The last four bytes of gzip (RFC 1952 section 2.3.1). From a stranger this would be a way to fill the memory.
fn size(gzip: &[u8]) -> usize {
    gzip.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
}

/// The product on every delivery, one memory for all, from base64 to what would be sent.
#[must_use]
pub fn judge(deliveries: &[Delivery]) -> Report {
    let (settings, mut memory) = (Settings::default(), Memory::default());
    let mut all = Report::default();
    for delivery in deliveries {
        let envelope = Envelope::open(&delivery.data).expect("deliveries can be opened");
        let mut report = analyze_envelope(&envelope, &settings, &mut memory);
        report.alerts = gather(report.alerts);
        all.absorb(report);
    }
    all
}

/// Events that are told to somebody who left the least severity as it is.
#[must_use]
pub fn told(report: &Report) -> u64 {
    let told = |alert: &&Alert| alert.severity >= Severity::Low && alert.activity == Activity::Create;
    report.alerts.iter().filter(told).map(|alert| alert.events).sum()
}

/// The product on NDJSON.
#[must_use]
pub fn judge_plain(text: &[u8]) -> Report {
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Ok(LogLine { timestamp_ms: None, log_stream: None, message: String::from_utf8_lossy(line) }));
    let mut report = analyze(&Source::default(), lines, &Settings::default(), &mut Memory::default());
    report.alerts = gather(report.alerts);
    report
}

/// Inflates in pieces of 64 KB, as a stream is read.
#[must_use]
pub fn inflate(gzip: &[u8]) -> usize {
    let (mut window, mut total) = (vec![0; 64 << 10], 0);
    let mut decoder = GzDecoder::new(gzip);
    loop {
        match decoder.read(&mut window).expect("it is gzip") {
            0 => return total,
            length => total += length,
        }
    }
}

/// The obvious handler on every delivery.
#[must_use]
pub fn judge_naively(deliveries: &[Delivery]) -> Hits {
    let mut all = Hits::default();
    for delivery in deliveries {
        let hits = naive::judge(&delivery.data).expect("nothing in these deliveries is out of the ordinary");
        all.iter_mut().zip(hits).for_each(|(sum, hits)| *sum += hits);
    }
    all
}
