//! A delivery, as the encoded text, as gzip and as the document inside: opened or refused, and every line counted.
#![no_main]

use std::io::Write as _;

use base64::Engine as _;
use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::analyze_envelope;
use rolewatch_analyzer::envelope::Envelope;
use rolewatch_analyzer::memory::Memory;
use rolewatch_fuzz::{hold, settings};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What becomes of a delivery: what it reports, or the code of its error.
fn outcome(opened: Result<Envelope, rolewatch_analyzer::envelope::EnvelopeError>) -> String {
    let envelope = match opened {
        Ok(envelope) => envelope,
        Err(error) => return error.code().to_owned(),
    };
    let mut memory = Memory::default();
    let report = analyze_envelope(&envelope, &settings(), &mut memory);
    let damage = u64::from(envelope.damage().is_some());
    assert_eq!(report.alerted + report.quiet_total() + report.skipped_total(), report.lines + damage, "{report:?}");
    let ids: Vec<&str> = report.alerts.iter().map(|alert| alert.id.as_str()).collect();
    let said = format!("{ids:?} {:?} {:?}", report.quiet, report.skipped);
    hold(report.alerts, &mut memory);
    said
}

fuzz_target!(|data: &[u8]| {
    // The input as it is, at each of the three doors.
    let document = outcome(Envelope::open_document(data.to_vec(), None));
    outcome(Envelope::open_gzip(data));
    if let Ok(text) = std::str::from_utf8(data) {
        for envelope in Envelope::open_all(text).into_iter().flatten() {
            outcome(Ok(envelope));
        }
        // And packed well, which says the same as the document.
        let packed = base64::engine::general_purpose::STANDARD.encode(gzip(data));
        assert_eq!(outcome(Envelope::open(&packed)), document);
        // And packed, and cut: the first byte says where.
        if let (Some(first), Some(cut)) = (data.first(), packed.len().checked_sub(2)) {
            let kept = packed.get(..cut * usize::from(*first) / 256).unwrap_or_default();
            outcome(Envelope::open(kept));
        }
    }
});
