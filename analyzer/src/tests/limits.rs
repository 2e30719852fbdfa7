//! Limits, each held at its edge and one past it: those that belong to no module alone. The table of all is written here.

mod table;

use std::io::Write as _;

use serde_json::json;

use super::harness::{cases, judge};
use crate::alert::{Alert, Deeds, EVIDENCE_MAX, Evidence};
use crate::aws_auth::{self, AwsAuth, Pitfall};
use crate::envelope::delivery::ENTRY_BYTES_MAX;
use crate::envelope::{Delivery, Envelope, EnvelopeError, INFLATED_BYTES_MAX};
use crate::gather::{ALERTS_MAX, gather};
use crate::memory::Memory;
use crate::report::{Skip, analyze_delivery};
use crate::settings::Settings;
use crate::sift::Sifter;

#[test]
fn a_delivery_at_its_limit_is_read_and_one_past_it_is_not() {
    let document = br#"{"logEvents":[{"message":"x"}]}"#;
    for (length, expected) in [(INFLATED_BYTES_MAX, Ok(1)), (INFLATED_BYTES_MAX + 1, Err(EnvelopeError::TooLarge))] {
        let mut text = document.to_vec();
        text.resize(length, b' ');
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&text).unwrap();
        let opened = Envelope::open_gzip(&encoder.finish().unwrap());
        assert_eq!(opened.map(|envelope| envelope.lines().len()), expected, "{length}");
    }
}

fn is_broken(text: &str) -> bool {
    AwsAuth::read([("mapRoles", text)]).pitfalls.contains(&Pitfall::Broken("mapRoles".to_owned()))
}

#[test]
fn a_section_at_its_limit_is_read_and_one_past_it_is_broken() {
    let entry = "- rolearn: arn:aws:iam::111122223333:role/a\n";
    let padded = |length: usize| format!("{entry}#{}", "x".repeat(length - entry.len() - 1));
    assert!(!is_broken(&padded(aws_auth::SECTION_BYTES_MAX)));
    assert!(is_broken(&padded(aws_auth::SECTION_BYTES_MAX + 1)));
}

#[test]
fn aliases_and_depth_at_their_limits_are_read_and_past_them_are_broken() {
    // Ten groups, each used again and again: fewer anchors with as many aliases are taken for a bomb sooner.
    let aliases = |count: usize| {
        let names = (0..10).map(|number| format!("  - &g{number} group-{number}\n"));
        let uses = (0..count).map(|number| format!("  - *g{}\n", number % 10));
        let groups: Vec<String> = names.chain(uses).collect();
        format!("- rolearn: arn:aws:iam::111122223333:role/a\n  groups:\n{}", groups.concat())
    };
    assert!(!is_broken(&aliases(aws_auth::ALIASES_MAX)));
    assert!(is_broken(&aliases(aws_auth::ALIASES_MAX + 1)));
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(!is_broken(&nested(aws_auth::DEPTH_MAX)));
    assert!(is_broken(&nested(aws_auth::DEPTH_MAX + 1)));
}

/// Alerts that no burst takes in.
fn grave(count: usize) -> Vec<Alert> {
    let (_, case) = cases().into_iter().find(|(file, _)| file == "rbac_binding_changed").unwrap();
    let alert = judge(&case.lines(), &case.settings(), &mut Memory::default()).alerts.remove(0);
    vec![Alert { severity: crate::severity::Severity::Critical, ..alert }; count]
}

#[test]
fn alerts_at_their_limit_are_sent_and_past_it_are_gathered() {
    assert_eq!(gather(grave(ALERTS_MAX)).len(), ALERTS_MAX);
    let gathered = gather(grave(ALERTS_MAX + 1));
    assert_eq!(gathered.len(), ALERTS_MAX);
    let events: u64 = gathered.iter().map(|alert| alert.events).sum();
    assert_eq!(events, u64::try_from(ALERTS_MAX + 1).unwrap(), "none is dropped");
}

#[test]
fn an_alert_lists_as_many_events_as_its_limit_and_counts_the_rest() {
    for (count, listed) in [(EVIDENCE_MAX, EVIDENCE_MAX), (EVIDENCE_MAX + 1, EVIDENCE_MAX)] {
        let digest = crate::gather::gather_at_most(grave(count), 1);
        assert_eq!((digest.len(), digest[0].evidence.len()), (1, listed));
        assert_eq!(digest[0].ocsf()["count"], json!(count));
    }
}

/// Whether the first case of a detection still fires when its line comes so much later than what was before.
fn fires_after(file: &str, seconds: u64) -> bool {
    let mut case = cases().into_iter().find(|(of, _)| of == file).unwrap().1;
    let before = case.json["before"].as_array().unwrap().last().unwrap()["stageTimestamp"].as_str().unwrap().to_owned();
    let time = before.parse::<jiff::Timestamp>().unwrap() + std::time::Duration::from_secs(seconds);
    let line = &mut case.json["lines"][0];
    line["stageTimestamp"] = json!(time.to_string());
    line["requestReceivedTimestamp"] = json!(time.to_string());
    let id = file.replace('_', "-");
    case.report().alerts.iter().any(|alert| alert.detection_ids().contains(&id.as_str()))
}

#[test]
fn what_belongs_together_does_to_its_longest_pause_and_no_longer() {
    use crate::detections::{rbac_grant_withdrawn::WITHDRAWN_SECONDS_MAX, rbac_role_rebound::PAUSE_SECONDS_MAX};

    assert!(fires_after("rbac_grant_withdrawn", WITHDRAWN_SECONDS_MAX));
    assert!(!fires_after("rbac_grant_withdrawn", WITHDRAWN_SECONDS_MAX + 1));
    assert!(fires_after("rbac_role_rebound", PAUSE_SECONDS_MAX));
    assert!(!fires_after("rbac_role_rebound", PAUSE_SECONDS_MAX + 1));
}

#[test]
fn kinds_of_request_are_kept_apart_to_their_limit_and_the_rest_is_counted() {
    let alert = grave(1).remove(0);
    for (count, others) in [(Deeds::KINDS_MAX, 0), (Deeds::KINDS_MAX + 1, 1)] {
        let mut deeds = Deeds::default();
        for number in 0..count {
            deeds.add(&Evidence { resource: format!("r{number}"), ..alert.evidence[0].clone() });
        }
        assert_eq!((deeds.kinds.len(), deeds.others), (Deeds::KINDS_MAX, others));
    }
}

#[test]
fn an_entry_at_its_limit_is_looked_into_and_one_past_it_is_counted_as_too_long() {
    // Each byte of a line may be written in six, so a long entry may hold a line that is none too long.
    let grant = super::adversary::grant().to_string();
    let of = |length: usize| {
        let head = r#"{"id":"0","timestamp":1,"pad":""#;
        let tail = format!(r#"","message":{}}}"#, json!(grant));
        format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()))
    };
    for (length, told) in [(ENTRY_BYTES_MAX, true), (ENTRY_BYTES_MAX + 1, false)] {
        let document = format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{},{}]}}"#, of(length), of(1 << 16));
        let delivery = Delivery::document(document.as_bytes());
        let (mut memory, mut sifter) = (Memory::default(), Sifter::new());
        let report = &analyze_delivery(delivery, &Settings::default(), &mut memory, &mut sifter).unwrap()[0].report;
        assert_eq!(report.skipped.get(&Skip::TooLong).copied(), (!told).then_some(1), "{length}");
        assert_eq!((report.lines, report.alerted), (2, 1), "{report:?}");
    }
}
