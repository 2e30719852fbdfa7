//! How much memory the whole process needs: a platform engineer sets the function's size once and forgets it.
//!
//! The limits are those of the build that is deployed: `make test-release` tests it. A debug build holds the same buffers, and
//! code several times as large; it gets that much more, and no more.

use std::fmt::Write as _;

use rolewatch_bench::bomb;
use serde_json::json;

use crate::alerts::lambda;
use crate::emulator::Inbox;
use crate::runtime::{Answer, is_deployed_build};

#[test]
fn deliveries_and_bombs_leave_the_process_small() {
    let inbox = Inbox::new("footprint");
    let surplus = if is_deployed_build() { 0 } else { SURPLUS_KIB };
    let legal = [
        ("a delivery of a megabyte", bomb::megabyte().data, ORDINARY_KIB),
        ("the largest event that Lambda takes", bomb::largest().data, WORST_KIB),
    ];
    let bombs = bomb::bombs().into_iter().map(|(name, data)| (name, data, WORST_KIB));
    let mut told = String::new();
    for (name, data, limit) in legal.into_iter().chain(bombs) {
        // Each in a process of its own: the peak of one would hide that of the next.
        let mut lambda = lambda(&inbox);
        let answer = lambda.invoke(&json!({ "awslogs": { "data": data } }).to_string());
        assert!(matches!(answer, Answer::Success(_) | Answer::Failure { .. }), "{name}: {answer:?}");
        let peak = lambda.peak_memory_kib();
        let _ = writeln!(told, "{name}: {peak} KiB");
        assert!(peak <= limit + surplus, "{told}of at most {}", limit + surplus);
    }
    println!("{told}");
    assert!(inbox.take().is_empty(), "nothing in these must alert");
}

/// For a delivery as CloudWatch Logs makes the large ones.
const ORDINARY_KIB: u64 = 24 << 10;

/// For anything that can be sent at all.
const WORST_KIB: u64 = 40 << 10;

/// What the code of a debug build takes besides.
const SURPLUS_KIB: u64 = 48 << 10;
