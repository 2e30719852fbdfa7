//! What is timed: the product, the floor it stands on, and the yardsticks.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
use memchr::{memchr, memrchr};
use rolewatch_analyzer::alert::{Activity, Alert};
use rolewatch_analyzer::envelope::LogLine;
use rolewatch_analyzer::gather::gather;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{Form, Judge, Report, analyze_delivery};
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::sift::{Lines, Sifted, Sifter};
use rolewatch_analyzer::stream::Source;

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

/// The product on every delivery, as the function judges them: one memory and one sifter for all, from base64 to what
/// would be sent.
#[must_use]
pub fn judge(deliveries: &[Delivery]) -> Report {
    let (settings, mut memory, mut sifter) = (Settings::default(), Memory::default(), Sifter::new());
    let mut all = Report::default();
    for delivery in deliveries {
        let delivery = rolewatch_analyzer::envelope::Delivery::base64(&delivery.data);
        let documents = analyze_delivery(delivery, &settings, &mut memory, &mut sifter);
        for document in documents.expect("deliveries can be opened") {
            let mut report = document.report;
            report.alerts = gather(report.alerts);
            all.absorb(report);
        }
    }
    all
}

/// Events that are told to somebody who left the least severity as it is.
#[must_use]
pub fn told(report: &Report) -> u64 {
    let told = |alert: &&Alert| alert.severity >= Severity::Low && alert.activity == Activity::Create;
    report.alerts.iter().filter(told).map(|alert| alert.events).sum()
}

/// The product on NDJSON, block by block as a file is read.
#[must_use]
pub fn judge_plain(text: &[u8]) -> Report {
    let (settings, mut memory, mut sifter) = (Settings::default(), Memory::default(), Sifter::new());
    let mut outcome = Sifted::default();
    let mut judge = Judge::new(&Source::default(), &settings);
    let mut rest = text;
    while !rest.is_empty() {
        let size = memrchr(b'\n', &rest[..rest.len().min(BLOCK_BYTES)]).map_or(rest.len(), |end| end + 1);
        let (mut block, after) = rest.split_at(size);
        while !block.is_empty() {
            let unlimited = usize::MAX;
            let source = judge.source();
            let lines = Lines { source, settings: &settings, lines_max: unlimited, bytes_max: unlimited };
            let (bytes, _) = lines.sift(block, &mut sifter, &mut outcome);
            judge.block(&outcome, block, Form::Lines, &settings, &mut memory);
            block = &block[bytes..];
            // What is not to be sifted is read.
            let end = memchr(b'\n', block).unwrap_or(block.len());
            if end > 0 {
                let message = String::from_utf8_lossy(&block[..end]);
                judge.line(Ok(LogLine { timestamp_ms: None, log_stream: None, message }), &settings, &mut memory);
            }
            block = block.get(end + 1..).unwrap_or_default();
        }
        rest = after;
    }
    let mut report = judge.finish(&mut memory);
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

/// As large as the command reads a file.
const BLOCK_BYTES: usize = 512 << 10;
