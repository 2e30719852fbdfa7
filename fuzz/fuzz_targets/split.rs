//! Audit lines in one batch and one by one: the same alerts under the same ids, the same counts.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::alert::{Activity, Alert};
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{Report, close_all};
use rolewatch_fuzz::{judge, lines};

const AUDIT: Option<&str> = Some("kube-apiserver-audit-0a1b");

/// What was told first under each id, and what the last words say that its session came to.
type Told = (BTreeMap<String, String>, BTreeMap<String, u64>);

fn told(alerts: &[Alert]) -> Told {
    let (mut first, mut last) = (BTreeMap::new(), BTreeMap::new());
    for alert in alerts {
        let id = alert.id.as_str().to_owned();
        match alert.activity {
            Activity::Create => {
                let findings: Vec<String> = alert
                    .findings
                    .iter()
                    .map(|finding| format!("{} {}", finding.detection.id, finding.hit.what))
                    .collect();
                // The same event twice in one batch is told once.
                first.entry(id.clone()).or_insert_with(|| format!("{} {findings:?}", alert.severity));
                last.entry(id).or_insert(alert.events);
            }
            Activity::Update => {
                last.insert(id, alert.events);
            }
        }
    }
    (first, last)
}

/// Every last word is the same, but for one that was told before a late event made its session graver: in one batch the graver alert
/// takes over, and has the last word.
fn last_words_agree(some: &[Alert], others: &[Alert]) {
    let (_, others_last) = told(others);
    let updates = |alerts: &[Alert]| {
        alerts.iter().filter(|alert| alert.activity == Activity::Update).cloned().collect::<Vec<_>>()
    };
    let others_updates = updates(others);
    let (_, last) = told(some);
    for alert in updates(some) {
        let id = alert.id.as_str();
        let overtaken = !others_updates.iter().any(|other| other.id == alert.id)
            && others_updates.iter().any(|other| other.severity > alert.severity);
        assert!(overtaken || last.get(id) == others_last.get(id), "{}", alert.title());
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let lines = lines(&text);
    let (mut memory, mut split_memory) = (Memory::default(), Memory::default());
    let mut whole = judge(&lines, AUDIT, &mut memory);
    whole.alerts.extend(close_all(&mut memory));
    let mut split = Report::default();
    for line in &lines {
        split.absorb(judge(&[line], AUDIT, &mut split_memory));
    }
    split.alerts.extend(close_all(&mut split_memory));
    assert_eq!(told(&whole.alerts).0, told(&split.alerts).0);
    last_words_agree(&whole.alerts, &split.alerts);
    last_words_agree(&split.alerts, &whole.alerts);
    assert_eq!(whole.skipped, split.skipped);
    assert_eq!(whole.alerted + whole.quiet_total(), split.alerted + split.quiet_total());
});
