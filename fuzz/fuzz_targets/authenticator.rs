//! Text of the authenticator stream, after audit events of `aws-auth` that it may tell of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::memory::Memory;
use rolewatch_fuzz::{hold, judge, lines};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut memory = Memory::default();
    let is_audit = |line: &&str| line.starts_with("{\"kind\":\"Event\"");
    let (audit, logins): (Vec<&str>, Vec<&str>) = lines(&text).into_iter().partition(is_audit);
    let before = judge(&audit, Some("kube-apiserver-audit-0a1b"), &mut memory);
    let report = judge(&logins, Some("authenticator-0a1b"), &mut memory);
    hold([before.alerts, report.alerts].concat(), &mut memory);
});
