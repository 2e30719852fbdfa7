//! Allocations, counted. A binary of its own, because the allocator that counts them is the whole program's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::hint::black_box;

use allocation_counter::measure;
use rolewatch_analyzer::analyze_delivery;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::sift::Sifter;
use rolewatch_bench::cold::{self, SCENARIOS};
use rolewatch_bench::delivery::Delivery;
use rolewatch_bench::traffic::{Line, Traffic};

/// Allocations for each of these deliveries, judged one after the other with one memory.
fn of_deliveries(deliveries: &[Delivery]) -> Vec<u64> {
    let (settings, mut memory, mut sifter) = (Settings::default(), Memory::default(), Sifter::new());
    let mut counts = Vec::new();
    for delivery in deliveries {
        let counted = measure(|| {
            let data = rolewatch_analyzer::envelope::Delivery::base64(&delivery.data);
            let documents = analyze_delivery(data, &settings, &mut memory, &mut sifter).unwrap();
            assert!(documents.iter().all(|it| it.report.alerts.is_empty()), "nothing here must alert");
            black_box(documents);
        });
        counts.push(counted.count_total);
    }
    counts
}

#[test]
fn a_sifted_line_costs_no_allocation() {
    let lines: Vec<Line> = Traffic::quiet().filter(|line| SIFTED.contains(&line.kind)).take(6 * LINES).collect();
    for size in [LINES / 4, LINES, 2 * LINES] {
        // First whatever teaches the memory who is there.
        let deliveries: Vec<Delivery> =
            lines.chunks(LINES).chain(lines.chunks(size)).map(|lines| Delivery::of("", lines)).collect();
        let counts = of_deliveries(&deliveries);
        assert!(counts[6..].iter().all(|count| *count <= PER_DELIVERY), "{size} lines: {counts:?}");
    }
}

#[test]
fn a_line_that_is_read_and_found_quiet_costs_a_few() {
    let lines: Vec<Line> = Traffic::quiet().filter(|line| READ.contains(&line.kind)).take(4 * LINES).collect();
    let deliveries: Vec<Delivery> = lines.chunks(LINES).map(|lines| Delivery::of("", lines)).collect();
    let counts = of_deliveries(&deliveries);
    let most = PER_DELIVERY + PER_LINE_READ * u64::try_from(LINES).unwrap();
    assert!(counts[1..].iter().all(|count| *count <= most), "{counts:?}");
}

/// Allocations stand for work here: they are the same on every machine, and what is copied or compared too often shows.
#[test]
fn judging_twice_as_much_allocates_twice_as_often() {
    for scenario in SCENARIOS {
        let counts = [1, 2, 4].map(|times| {
            let lines = scenario.lines(times * scenario.size);
            measure(|| _ = black_box(cold::judge(&lines))).count_total
        });
        for pair in counts.windows(2) {
            #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
            let growth = pair[1] as f64 / pair[0] as f64;
            assert!(growth <= GROWTH_PER_DOUBLING, "{} {}: {counts:?}", scenario.name, scenario.size);
        }
    }
}

/// Lines in each delivery.
const LINES: usize = 300;

/// Kinds of lines of which none is of interest to a detection.
const SIFTED: &[&str] =
    &["node lease", "control-plane lease", "service-account lease", "service-account get, list, watch", "node watch"];

/// Kinds of lines that a detection wants to see.
const READ: &[&str] = &["token request"];

/// Reading a line with care: its text without escapes, and the names of cluster and node that the memory may learn.
const PER_LINE_READ: u64 = 3;

/// Whatever the lines are, and however many: the buffers of one delivery and its report.
const PER_DELIVERY: u64 = 16;

/// Tables that grow move what they hold: a little more than twice.
const GROWTH_PER_DOUBLING: f64 = 2.3;
