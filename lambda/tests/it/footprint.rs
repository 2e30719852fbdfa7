//! How much memory the whole process needs: a platform engineer sets the function's size once and forgets it.
//!
//! The limits are those of the build that is deployed: `make test-release` and `make soak` test it. A debug build holds
//! the same buffers, and code several times as large; it gets that much more, and no more.

use rolewatch_bench::delivery::{Delivery, gzip};
use rolewatch_bench::traffic::{Line, Traffic};
use serde_json::json;

use crate::alerts::lambda;
use crate::delivery::pack;
use crate::emulator::Inbox;
use crate::runtime::{Answer, is_deployed_build};

#[test]
fn deliveries_and_bombs_leave_the_process_small() {
    let surplus = if is_deployed_build() { 0 } else { SURPLUS_KIB };
    let inbox = Inbox::new("footprint");
    let lines: Vec<Line> = Traffic::quiet().take(LARGEST_LINES).collect();
    let ordinary = Delivery::of("111122223333", &lines[..ORDINARY_LINES]);
    assert!(ordinary.gzipped > 900_000, "about a megabyte is meant: {}", ordinary.gzipped);
    let largest = Delivery::of("111122223333", &lines);
    assert!((5 << 20..6 << 20).contains(&largest.data.len()), "as large as an event may be: {}", largest.data.len());
    let bomb = |head: &str, filler: &str, tail: &str| {
        pack([head, &filler.repeat((BOMB_MEBIBYTES << 20) / filler.len()), tail].concat().as_bytes())
    };
    let head = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"kube-apiserver-audit-1","subscriptionFilters":[],"logEvents":["#;
    for (name, data, limit) in [
        ("a delivery of a megabyte", ordinary.data, ORDINARY_KIB),
        ("the largest event that Lambda takes", largest.data, WORST_KIB),
        ("one line without end", bomb(&format!(r#"{head}{{"id":"1","timestamp":1,"message":""#), "x", ""), WORST_KIB),
        ("lines without number", bomb(head, r#"{"id":"1","timestamp":1,"message":"x"},"#, ""), WORST_KIB),
        ("nothing but zeros", bomb("", "\0", ""), WORST_KIB),
        ("gzip of gzip", pack(&gzip(&vec![b'x'; BOMB_MEBIBYTES << 20])), WORST_KIB),
    ] {
        // Each in a process of its own: the peak of one would hide that of the next.
        let mut lambda = lambda(&inbox);
        let answer = lambda.invoke(&json!({ "awslogs": { "data": data } }).to_string());
        assert!(matches!(answer, Answer::Success(_) | Answer::Failure { .. }), "{name}: {answer:?}");
        let peak = lambda.peak_memory_kib();
        println!("{name}: {peak} KiB");
        assert!(peak <= limit + surplus, "{name}: {peak} KiB of {}", limit + surplus);
    }
    assert!(inbox.take().is_empty(), "nothing in these must alert");
}

/// For a delivery as CloudWatch Logs makes the large ones.
const ORDINARY_KIB: u64 = 24 << 10;

/// For anything that can be sent at all.
const WORST_KIB: u64 = 40 << 10;

/// What the code of a debug build takes besides.
const SURPLUS_KIB: u64 = 48 << 10;

/// Lines that make a megabyte of gzip.
const ORDINARY_LINES: usize = 4_600;

/// Lines that make an event of nearly 6 MB.
const LARGEST_LINES: usize = 18_800;

/// More than a delivery may inflate to.
const BOMB_MEBIBYTES: usize = 256;
