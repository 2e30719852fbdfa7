//! Lines of any stream, in one batch: no panic, every line counted, every alert as promised.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::memory::Memory;
use rolewatch_fuzz::{hold, judge, lines};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut memory = Memory::default();
    let report = judge(&lines(&text), None, &mut memory);
    hold(report.alerts, &mut memory);
});
