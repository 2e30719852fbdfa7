//! Text of the api stream, after a few audit events that its entries may be joined with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::memory::Memory;
use rolewatch_fuzz::{hold, judge, lines};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut memory = Memory::default();
    let (audit, api): (Vec<&str>, Vec<&str>) = lines(&text).into_iter().partition(|line| line.starts_with('{'));
    let before = judge(&audit, Some("kube-apiserver-audit-0a1b"), &mut memory);
    let report = judge(&api, Some("kube-apiserver-0a1b"), &mut memory);
    hold([before.alerts, report.alerts].concat(), &mut memory);
});
