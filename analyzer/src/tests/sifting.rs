//! Sifting changes how long it takes and nothing else: with it and without it, whole and in pieces, the same is said.

mod mutate;

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::json;

use self::mutate::Mutations;
use super::harness::{Case, cases, judge, top};
use crate::alert::Alert;
use crate::envelope::{Delivery, EnvelopeError, INFLATED_BYTES_MAX};
use crate::memory::Memory;
use crate::report::{Report, analyze_delivery, analyze_envelope, close_all};
use crate::settings::Settings;
use crate::sift::Sifter;
use crate::stream::Source;

/// Everything that a report says, as text.
pub(super) fn told(report: &Report) -> String {
    let mut text = alerts(&report.alerts);
    let _ = writeln!(text, "{} lines, {} alerted, first {:?}", report.lines, report.alerted, report.first_ms);
    let _ = writeln!(text, "quiet {:?}\nskipped {:?}", report.quiet, report.skipped);
    text
}

fn alerts(alerts: &[Alert]) -> String {
    alerts.iter().fold(String::new(), |mut text, alert| {
        let _ = writeln!(text, "{:?} {}", alert.id, alert.ocsf());
        text
    })
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The streams of the control plane, by which a line is read as one thing or another; the first one most of all.
const STREAMS: &[&str] = &[
    "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
    "kube-apiserver-0123456789abcdef0123456789abcdef",
    "authenticator-0123456789abcdef0123456789abcdef",
    "kube-scheduler-0123456789abcdef0123456789abcdef",
    "kube-controller-manager-0123456789abcdef0123456789abcdef",
    "of-another-log",
    "",
];

/// A delivery of the audit stream.
fn document(lines: &[Vec<u8>]) -> Vec<u8> {
    document_of(STREAMS[0], lines)
}

/// A delivery as CloudWatch Logs writes it, with these lines as they are. Without a stream it does not say which.
fn document_of(stream: &str, lines: &[Vec<u8>]) -> Vec<u8> {
    let mut text =
        br#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/aws/eks/prod/cluster","#.to_vec();
    if !stream.is_empty() {
        let _ = write!(text, r#""logStream":"{stream}","#);
    }
    text.extend_from_slice(br#""subscriptionFilters":["rolewatch"],"logEvents":["#);
    for (number, line) in lines.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let time = 1_795_416_561_478_u64 + number as u64;
        let _ = write!(text, r#"{comma}{{"id":"{number:056}","timestamp":{time},"message":"#);
        text.extend_from_slice(&quoted(line));
        text.push(b'}');
    }
    text.extend_from_slice(b"]}");
    text
}

/// A line as a string of JSON; what is no UTF-8 stays as it is.
fn quoted(line: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for chunk in line.utf8_chunks() {
        let text = serde_json::to_string(chunk.valid()).unwrap();
        out.extend_from_slice(&text.as_bytes()[1..text.len() - 1]);
        out.extend_from_slice(chunk.invalid());
    }
    out.push(b'"');
    out
}

/// The careful way: every document whole, every line read, with what is known already.
fn carefully(documents: &[Vec<u8>], settings: &Settings, known: &Memory) -> String {
    let mut memory = known.clone();
    let mut text = String::new();
    for document in documents {
        for envelope in Delivery::document(document).several().envelopes().unwrap() {
            text += &told(&analyze_envelope(&envelope, settings, &mut memory));
        }
    }
    text + &alerts(&close_all(&mut memory))
}

/// The quick way, with a sifter that may have met anybody.
fn quickly(documents: &[Vec<u8>], settings: &Settings, known: &Memory, sifter: &mut Sifter) -> String {
    let mut memory = known.clone();
    let mut text = String::new();
    for document in documents {
        let data = base64::engine::general_purpose::STANDARD.encode(gzip(document));
        for judged in analyze_delivery(Delivery::base64(&data), settings, &mut memory, sifter).unwrap() {
            text += &told(&judged.report);
        }
    }
    text + &alerts(&close_all(&mut memory))
}

/// Lines of everything there is to test with: samples, recordings, and the noise beside the project.
fn batches() -> Vec<(Settings, Vec<Vec<u8>>)> {
    let mut out: Vec<(Settings, Vec<Vec<u8>>)> = cases()
        .into_iter()
        .map(|(_, case)| {
            let mut settings = case.settings();
            settings.source = Source::default();
            (settings, case.before().into_iter().chain(case.lines()).map(String::into_bytes).collect())
        })
        .collect();
    let recorded = std::fs::read_dir(top().join("samples/recorded")).unwrap();
    for folder in recorded.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        if let Ok(text) = std::fs::read(folder.join("audit.ndjson")) {
            out.push((Settings::default(), lines(&text)));
        }
    }
    out
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// The quiet life of a cluster, where it lies beside the project.
fn noise() -> Option<Vec<Vec<u8>>> {
    let path = top().join("../shared/corpus/noise/events.ndjson.gz");
    let Ok(file) = std::fs::read(path) else {
        // Past the capture of the test runner: a test that did not run must be seen.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: no recorded noise lies beside the project");
        return None;
    };
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(file.as_slice()).read_to_end(&mut text).unwrap();
    Some(lines(&text))
}

#[test]
fn samples_and_recordings_say_the_same_with_and_without_sifting() {
    let (mut sifter, nothing) = (Sifter::new(), Memory::default());
    for (settings, lines) in batches() {
        let whole = [document(&lines)];
        let expected = carefully(&whole, &settings, &nothing);
        let (mut off, mut strict) = (Sifter::off(), Sifter::new().strict());
        for sifter in [&mut sifter, &mut off, &mut strict, &mut Sifter::new().with_window(1 << 10)] {
            assert_eq!(quickly(&whole, &settings, &nothing, sifter), expected);
        }
        // In deliveries of their own, each is a batch of its own: both ways the same.
        let split: Vec<Vec<u8>> = lines.chunks(2).map(document).collect();
        let expected = carefully(&split, &settings, &nothing);
        assert_eq!(quickly(&split, &settings, &nothing, &mut sifter), expected);
    }
}

#[test]
fn a_window_of_any_size_says_the_same() {
    let lines: Vec<Vec<u8>> = batches().into_iter().flat_map(|(_, lines)| lines).collect();
    let (settings, nothing) = (Settings::default(), Memory::default());
    let whole = [document(&lines)];
    let expected = carefully(&whole, &settings, &nothing);
    for window in [1 << 10, 1_500, 4 << 10, 64 << 10, 256 << 10, 1 << 20] {
        let mut sifter = Sifter::new().with_window(window);
        assert_eq!(quickly(&whole, &settings, &nothing, &mut sifter), expected, "a window of {window} bytes");
    }
}

#[test]
fn quiet_life_is_sifted_and_says_the_same() {
    let Some(lines) = noise() else { return };
    let (settings, nothing) = (Settings::default(), Memory::default());
    let documents: Vec<Vec<u8>> = lines.chunks(400).map(document).collect();
    let mut sifter = Sifter::new();
    let expected = carefully(&documents, &settings, &nothing);
    assert_eq!(quickly(&documents, &settings, &nothing, &mut sifter), expected);
    let (mut read, mut all) = (0, 0);
    for document in &documents {
        let (careful, total) = sifter.count_read(document);
        read += careful;
        all += total;
    }
    assert_eq!(all, lines.len());
    // By form, one in two hundred at most; the others are what detections asked for.
    let interesting = lines.iter().filter(|line| is_interesting(line)).count();
    assert!(read <= interesting + lines.len() / 200, "{read} of {all} lines are read, {interesting} are of interest");
}

/// Writes on followed objects and requests for tokens, told without the sifter.
fn is_interesting(line: &[u8]) -> bool {
    let event: serde_json::Value = serde_json::from_slice(line).unwrap();
    let (verb, object) = (event["verb"].as_str().unwrap_or_default(), &event["objectRef"]);
    let resource = object["resource"].as_str().unwrap_or_default();
    let writes = !["get", "list", "watch"].contains(&verb);
    writes
        && (object["apiGroup"] == json!("rbac.authorization.k8s.io")
            || ["serviceaccounts", "secrets"].contains(&resource))
}

/// What the lines of one case leave in the memory, and these lines: what is known matters where the same callers come again.
fn acquainted(mutations: &mut Mutations, cases: &[(String, Case)]) -> (Memory, Vec<Vec<u8>>) {
    let (_, case) = mutations.pick(cases);
    let mut memory = case.memory();
    if mutations.one_in(2) {
        judge(&case.lines(), &case.settings(), &mut memory);
    }
    (memory, case.before().into_iter().chain(case.lines()).map(String::into_bytes).collect())
}

#[test]
fn lines_changed_at_random_say_the_same_with_and_without_sifting() {
    let lines: Vec<Vec<u8>> =
        batches().into_iter().flat_map(|(_, lines)| lines).chain(noise().into_iter().flatten().take(2_000)).collect();
    let cases = cases();
    let seconds = std::env::var("ROLEWATCH_TEST_SIFT_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let seed = std::env::var("ROLEWATCH_TEST_SIFT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut mutations = Mutations::new(seed);
    let (mut sifter, mut strict, settings) = (Sifter::new(), Sifter::new().strict(), Settings::default());
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut rounds, mut spared) = (0_u64, 0);
    while rounds < 20 || Instant::now() < end {
        let mut batch: Vec<Vec<u8>> = (0..20).map(|_| mutations.of(&lines)).collect();
        let mut known = Memory::default();
        if mutations.one_in(2) {
            let (memory, lines) = acquainted(&mut mutations, &cases);
            known = memory;
            batch.splice(5..15, (5..15).map(|_| mutations.of(&lines)).collect::<Vec<_>>());
        }
        let stream = if mutations.one_in(3) { *mutations.pick(STREAMS) } else { STREAMS[0] };
        let ordered: Vec<Vec<u8>> = batch.iter().filter(|line| mutate::keeps_order(line)).cloned().collect();
        spared += batch.len() - ordered.len();
        let requotes = mutations.one_in(4);
        for (lines, sifter) in [(batch, &mut strict), (ordered, &mut sifter)] {
            let mut text = document_of(stream, &lines);
            if requotes {
                text = mutations.requoted(&text);
            }
            let whole = [text];
            let expected = carefully(&whole, &settings, &known);
            let quick = quickly(&whole, &settings, &known, sifter);
            assert_eq!(quick, expected, "seed {seed}, round {rounds}:\n{}", String::from_utf8_lossy(&whole[0]));
        }
        rounds += 1;
    }
    let _ =
        writeln!(std::io::stderr(), "{rounds} rounds of 20 changed lines, of which {spared} had no order, seed {seed}");
}

/// Found by fuzzing: which of two reasons refused a broken delivery depended on how far it had been read.
#[test]
fn a_broken_delivery_is_refused_for_the_same_reason_however_it_is_read() {
    use EnvelopeError::{Base64, GzipDamaged, NoLogEvents, NotGzip, NotJson, TooLarge};

    let encode = |gzip: &[u8]| base64::engine::general_purpose::STANDARD.encode(gzip);
    let document = |text: &str| encode(&gzip(text.as_bytes()));
    // Longer than a window, whatever gzip makes of it.
    let mut state = 1_u32;
    let long: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("{state:08x}")
    })
    .take(100_000)
    .collect();
    let cut = gzip(long.as_bytes());
    let bomb = encode(&gzip(&vec![b' '; INFLATED_BYTES_MAX + 1]));
    let rows = [
        (document("{}"), [NoLogEvents, NoLogEvents]),
        // One document with something behind it, or two of which the first is whole.
        (document("{} x"), [NotJson, NoLogEvents]),
        (document("{"), [NotJson, NotJson]),
        (document("[]"), [NotJson, NotJson]),
        (document(""), [NotJson, NotJson]),
        (document(&long), [NotJson, NotJson]),
        (encode(&cut[..cut.len() - 4]), [GzipDamaged, GzipDamaged]),
        (format!("{bomb}%"), [Base64, Base64]),
        (bomb, [TooLarge, TooLarge]),
        (encode(b"plain"), [NotGzip, NotGzip]),
    ];
    let (mut sifter, settings) = (Sifter::new(), Settings::default());
    for (data, [alone, among]) in &rows {
        let one = Delivery::base64(data);
        for (delivery, expected) in [(one, alone), (one.several(), among)] {
            let quick = analyze_delivery(delivery, &settings, &mut Memory::default(), &mut sifter);
            let start = data.get(..40).unwrap_or(data);
            assert_eq!(delivery.envelopes().err(), Some(*expected), "as a whole: {start}");
            assert_eq!(quick.err(), Some(*expected), "in pieces: {start}");
        }
    }
}
