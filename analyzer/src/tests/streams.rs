//! What the text streams and the calls of the AWS API tell together with the audit log.

use serde_json::{Value, json};

use super::harness::{Case, judge, read, sample_path};
use crate::memory::Memory;
use crate::report::{Quiet, Report, Skip, analyze_cloudtrail};
use crate::settings::Settings;
use crate::stream::Stream;

fn case(file: &str, name: &str) -> Case {
    read(&sample_path(file)).into_iter().find(|case| case.name() == name).unwrap()
}

fn refused(number: usize, time: &str) -> String {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{number}"),
        "stage": "ResponseStarted", "requestURI": "/api/v1/namespaces/payments/secrets", "verb": "list", "user": {},
        "sourceIPs": ["10.0.0.9", "192.0.2.99"], "userAgent": "curl/8.5.0",
        "objectRef": { "resource": "secrets", "namespace": "payments", "apiVersion": "v1" },
        "responseStatus": { "metadata": {}, "status": "Failure", "code": 401 },
        "requestReceivedTimestamp": time, "stageTimestamp": time,
    })
    .to_string()
}

fn line(time: &str, cause: &str) -> String {
    format!(
        "E1123 {time}   30538 authentication.go:75] \"Unable to authenticate the request\" err=\"[invalid bearer token, {cause}]\""
    )
}

#[test]
fn a_refused_token_is_joined_with_the_audit_event_of_the_same_second() {
    let mut memory = Memory::default();
    let lines = [
        refused(1, "2026-11-23T06:52:33.508289Z"),
        refused(2, "2026-11-23T06:52:40.000100Z"),
        line("06:52:33.508056", "service account token has expired"),
        line("06:52:48.000000", "service account token has expired"),
    ];
    let report = judge(&lines, &Settings::default(), &mut memory);
    let [alert] = report.alerts.as_slice() else { panic!("one alert, not {}", report.alerts.len()) };
    assert_eq!(alert.events, 2);
    let [joined, alone] = alert.evidence.as_slice() else { panic!("two events") };
    assert_eq!((joined.stream, joined.audit_id.as_str(), joined.code), (Stream::Audit, "id-1", 401));
    assert_eq!((joined.peer.as_deref(), joined.user_agent.as_str()), (Some("192.0.2.99"), "curl/8.5.0"));
    assert_eq!((alone.stream, alone.audit_id.as_str(), alone.peer.as_deref()), (Stream::Api, "", None));
    assert_eq!(report.quiet.get(&Quiet::Unauthenticated), Some(&2));
    let text = alert.text();
    assert!(text.contains("192.0.2.99") && text.contains("audit ID id-1"), "{text}");
}

#[test]
fn the_join_reaches_over_deliveries_and_changes_no_id() {
    let event = refused(1, "2026-11-23T06:52:33.508289Z");
    let line = line("06:52:33.508056", "service account token has expired");
    let settings = Settings::default();
    let mut memory = Memory::default();
    judge(&[event], &settings, &mut memory);
    let joined = judge(std::slice::from_ref(&line), &settings, &mut memory);
    let alone = judge(&[line], &settings, &mut Memory::default());
    assert_eq!(joined.alerts[0].evidence[0].audit_id, "id-1");
    assert_eq!(alone.alerts[0].evidence[0].audit_id, "");
    assert_eq!(joined.alerts[0].id, alone.alerts[0].id);
}

#[test]
fn a_thousand_refusals_are_one_alert_however_they_are_delivered() {
    let lines: Vec<String> =
        (0..1_000).map(|number| line(&format!("06:52:33.{number:06}"), "Token has been invalidated")).collect();
    let ids = |report: &Report| report.alerts.iter().map(|alert| alert.id.clone()).collect::<Vec<_>>();
    let whole = judge(&lines, &Settings::default(), &mut Memory::default());
    assert_eq!((whole.alerts.len(), whole.alerts[0].events, whole.alerted), (1, 1_000, 1_000));
    assert!(whole.alerts[0].summary.ends_with("(1000 times)"), "{}", whole.alerts[0].summary);
    for size in [1, 100] {
        let mut memory = Memory::default();
        let mut split = Report::default();
        for chunk in lines.chunks(size) {
            split.absorb(judge(chunk, &Settings::default(), &mut memory));
        }
        assert_eq!(ids(&split), ids(&whole), "deliveries of {size}");
        assert_eq!(split.alerted + split.quiet_total(), 1_000);
    }
}

#[test]
fn causes_that_clients_vary_do_not_become_more_alerts() {
    let lines: Vec<String> =
        (0..500).map(|number| line(&format!("06:52:33.{number:06}"), &format!("made-up cause {number}"))).collect();
    let report = judge(&lines, &Settings::default(), &mut Memory::default());
    assert_eq!((report.alerts.len(), report.alerts[0].events), (1, 500));
    assert!(report.alerts[0].findings[0].hit.changes.len() <= 50);
}

#[test]
fn a_call_reads_the_same_whole_cut_nested_or_hostile() {
    let whole =
        case("access_entry_changed", "synthetic: cluster administration for the whole cluster").lines()[0].clone();
    let settings = Settings::default();
    for (end, cut) in (0..whole.len()).filter_map(|end| Some((end, whole.get(..end)?))) {
        let report = analyze_cloudtrail(cut, &settings, &mut Memory::default());
        assert_eq!((report.lines, report.skipped.get(&Skip::NotACall)), (1, Some(&1)), "cut at {end}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for hostile in [
        whole.replacen("\"eventVersion\"", &format!("\"x\":{deep},\"eventVersion\""), 1),
        whole.replacen("\"accessScope\":", &format!("\"y\":{deep},\"accessScope\":"), 1),
        whole.replacen("\"accessScope\":", "\"y\":1e999,\"accessScope\":", 1),
    ] {
        let report = analyze_cloudtrail(&hostile, &settings, &mut Memory::default());
        assert_eq!(report.alerts.len(), 1, "{}", hostile.get(..200).unwrap_or_default());
    }
}

#[test]
fn a_call_is_told_once_and_knows_its_place() {
    let call = case("access_entry_changed", "synthetic: the same through EventBridge").lines()[0].clone();
    let bare: Value = serde_json::from_str(&call).unwrap();
    let settings = Settings::default();
    let wrapped = analyze_cloudtrail(&call, &settings, &mut Memory::default());
    let bare = analyze_cloudtrail(&bare["detail"].to_string(), &settings, &mut Memory::default());
    assert_eq!(wrapped.alerts[0].id, bare.alerts[0].id);
    let alert = &wrapped.alerts[0];
    let place = (alert.source.cluster.as_deref(), alert.source.account.as_deref(), alert.source.region.as_deref());
    assert_eq!(place, (Some("prod"), Some("111122223333"), Some("eu-central-1")));
    assert_eq!((alert.insights_query(), alert.lookup_command().is_some()), (None, true));
    assert_eq!(alert.ocsf()["metadata"]["log_provider"], "AWS CloudTrail");
}

#[test]
fn the_unseen_content_is_told_with_who_created_it() {
    let report = case("aws_auth_loaded_unseen", "read within a second of its creation").report();
    let alert = &report.alerts[0];
    assert!(alert.text().contains("5a3e0000-0000-4000-8000-000000000077"), "{}", alert.text());
    assert_eq!(alert.evidence[0].stream, Stream::Authenticator);
}
