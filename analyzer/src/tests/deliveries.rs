//! A delivery is read through a window, or as a whole where its layout asks for that. Both come to the same, also where it
//! is damaged, too much, or no delivery at all.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::envelope::{DOCUMENTS_MAX, Delivery, EnvelopeError, LINES_MAX};
use crate::memory::Memory;
use crate::report::{Report, analyze_delivery, analyze_envelope};
use crate::settings::Settings;
use crate::sift::Sifter;

type Outcome = Result<Vec<(Report, Option<EnvelopeError>)>, EnvelopeError>;

/// What becomes of a delivery, which has to be the same both ways.
fn judged(delivery: Delivery<'_>) -> Outcome {
    let (settings, mut sifter) = (Settings::default(), Sifter::new());
    let streamed: Outcome = analyze_delivery(delivery, &settings, &mut Memory::default(), &mut sifter)
        .map(|documents| documents.into_iter().map(|document| (document.report, document.damage)).collect());
    let mut memory = Memory::default();
    let whole: Outcome = delivery.envelopes().map(|envelopes| {
        let judge = |envelope| (analyze_envelope(envelope, &settings, &mut memory), envelope.damage());
        envelopes.iter().map(judge).collect()
    });
    assert_eq!(format!("{streamed:?}"), format!("{whole:?}"));
    streamed
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn document(lines: impl Iterator<Item = String>) -> String {
    let entries: Vec<String> = lines.map(|line| format!(r#"{{"id":"1","timestamp":1,"message":{line}}}"#)).collect();
    format!(r#"{{"messageType":"DATA_MESSAGE","logStream":"kube-scheduler-1","logEvents":[{}]}}"#, entries.join(","))
}

#[test]
fn lines_at_their_limit_are_read_and_those_past_it_are_told_to_be_lost() {
    for (count, damage) in [(LINES_MAX, None), (LINES_MAX + 1, Some(EnvelopeError::TooMany))] {
        let text = document((0..count).map(|_| "\"x\"".to_owned()));
        let judged = judged(Delivery::document(text.as_bytes())).unwrap();
        let [(report, told)] = judged.as_slice() else { panic!("one document") };
        assert_eq!((report.lines, report.skipped_total()), (LINES_MAX as u64, u64::from(damage.is_some())), "{count}");
        assert_eq!(*told, damage);
    }
}

#[test]
fn documents_at_their_limit_are_read_and_those_past_it_are_told_to_be_lost() {
    for (count, damage) in [(DOCUMENTS_MAX, None), (DOCUMENTS_MAX + 1, Some(EnvelopeError::TooMany))] {
        let text = r#"{"logStream":"kube-scheduler-1","logEvents":[{"message":"x"}]}"#.repeat(count);
        let judged = judged(Delivery::document(text.as_bytes()).several()).unwrap();
        assert_eq!(judged.len(), DOCUMENTS_MAX, "{count}");
        assert_eq!(judged.last().map(|(_, told)| *told), Some(damage));
        assert!(judged.iter().rev().skip(1).all(|(report, told)| told.is_none() && report.lines == 1));
    }
}

#[test]
fn a_damaged_delivery_tells_what_stands_before_its_damage() {
    // Text that deflate cannot shorten to nothing: numbers in words of their own.
    let line = |number: u64| format!("\"{:x}\"", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let whole = gzip(&document((0..4_000).map(line)));
    for place in (whole.len() / 4..whole.len()).step_by(whole.len() / 7) {
        let mut hurt = whole.clone();
        hurt[place..].iter_mut().take(40).for_each(|byte| *byte ^= 0xff);
        for bytes in [&hurt, &whole[..place]] {
            let judged = judged(Delivery::gzip(bytes)).unwrap();
            let [(report, damage)] = judged.as_slice() else { panic!("one document") };
            assert_eq!(*damage, Some(EnvelopeError::GzipDamaged), "{place} of {}", whole.len());
            let share = report.lines * whole.len() as u64 / 4_000;
            assert!(share + 2_000 > place as u64, "{} lines before {place} of {}", report.lines, whole.len());
        }
    }
}

#[test]
fn what_is_no_document_is_refused_and_says_why() {
    let mut odd = String::new();
    for size in [0, 10, 1 << 20] {
        odd.clear();
        let _ = write!(odd, "{}", "\0".repeat(size));
        assert_eq!(judged(Delivery::gzip(&gzip(&odd))).unwrap_err(), EnvelopeError::NotJson, "{size} zeros");
        let cut = gzip(&odd);
        let cut = Delivery::gzip(&cut[..cut.len() - 1]);
        assert_eq!(judged(cut).unwrap_err(), EnvelopeError::GzipDamaged, "{size} zeros, cut");
        assert_eq!(judged(Delivery::document(odd.as_bytes()).several()).unwrap_err(), EnvelopeError::NotJson);
    }
    assert_eq!(judged(Delivery::document(b"[]")).unwrap_err(), EnvelopeError::NotJson);
    assert_eq!(judged(Delivery::document(b"{}")).unwrap_err(), EnvelopeError::NoLogEvents);
}
