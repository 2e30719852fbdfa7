//! Calls of the AWS API, as EventBridge and CloudTrail's files hold them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::analyze_cloudtrail;
use rolewatch_analyzer::memory::Memory;
use rolewatch_fuzz::{hold, lines, settings};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut memory = Memory::default();
    let mut alerts = Vec::new();
    for line in lines(&text) {
        let report = analyze_cloudtrail(line, &settings(), &mut memory);
        assert_eq!(report.alerted + report.quiet_total() + report.skipped_total(), report.lines, "{report:?}");
        alerts.extend(report.alerts);
    }
    hold(alerts, &mut memory);
});
