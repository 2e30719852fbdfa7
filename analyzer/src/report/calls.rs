//! Judging calls of the AWS API that CloudTrail recorded.

use std::collections::HashSet;

use super::{Quiet, Report, Skip};
use crate::alert::{Activity, Alert, AlertId, Evidence};
use crate::case::Call;
use crate::cloudtrail::{CloudTrailEvent, records};
use crate::detection::{Check, Finding};
use crate::detections;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stream::Source;

/// Judges what CloudTrail recorded: an `EventBridge` event, a bare record, or a log file `{"Records":[...]}`. Each record
/// counts as one line.
pub fn analyze_cloudtrail(event_json: &str, settings: &Settings, memory: &mut Memory) -> Report {
    let mut report = Report::default();
    let mut ids = HashSet::new();
    let read = records(event_json, |record| {
        report.lines += 1;
        match CloudTrailEvent::read(record) {
            Some(event) => judge(&event, settings, memory, &mut ids, &mut report),
            None => report.skip(Skip::NotACall),
        }
    });
    if read.is_err() {
        report.lines += 1;
        report.skip(Skip::NotACall);
    }
    report
}

fn judge(
    event: &CloudTrailEvent<'_>,
    settings: &Settings,
    memory: &mut Memory,
    ids: &mut HashSet<AlertId>,
    report: &mut Report,
) {
    // No log group and no log stream: the call came from elsewhere.
    let source = Source { log_group: None, log_stream: None, ..source(event).or(&settings.source) };
    let call = Call { event, source: &source, memory };
    let mut findings: Vec<Finding> = detections::ALL
        .iter()
        .filter_map(|detection| match detection.check {
            Check::Call(check) => check(&call).map(|hit| Finding { detection, hit }),
            _ => None,
        })
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.hit.severity));
    let evidence = Evidence::of_call(event, call.cluster());
    learn(event, &source, memory);
    let Some(worst) = findings.first() else {
        return report.quiet(Quiet::OtherCall, 1);
    };
    let id = id(event);
    if !ids.insert(id.clone()) {
        return report.quiet(Quiet::Repeated, 1);
    }
    report.alerted += 1;
    report.alerts.push(Alert {
        id,
        severity: worst.hit.severity,
        summary: format!("{} {}", evidence.actor.display, worst.hit.what),
        findings,
        evidence: vec![evidence],
        events: 1,
        activity: Activity::Create,
        source,
    });
}

/// The event ID is AWS's and unique. A record without one is known by what it says.
fn id(event: &CloudTrailEvent<'_>) -> AlertId {
    if !event.event_id.is_empty() {
        return AlertId::of(["cloudtrail", &event.event_id]);
    }
    let time = event.time.map(|time| time.to_string()).unwrap_or_default();
    let parameters = String::from_utf8_lossy(event.request_parameters.unwrap_or_default());
    AlertId::of(["cloudtrail", &event.account, &event.region, &event.event_name, &time, &event.actor.arn, &parameters])
}

/// Account, Region and cluster as the record names them.
fn source(event: &CloudTrailEvent<'_>) -> Source {
    let named = |text: &str| (!text.is_empty()).then(|| crate::text::name(text));
    let parameters = event.parameters().unwrap_or_default();
    let cluster = Source::cluster_of(&parameters.log_group).unwrap_or(&parameters.cluster);
    Source {
        account: named(&event.account),
        region: named(&event.region),
        cluster: named(cluster),
        ..Source::default()
    }
}

fn learn(event: &CloudTrailEvent<'_>, source: &Source, memory: &mut Memory) {
    if event.failed() {
        return;
    }
    let created = match event.event_name.as_str() {
        "CreateAccessEntry" => event.time,
        "DeleteAccessEntry" => None,
        _ => return,
    };
    let principal = event.parameters().unwrap_or_default().principal_arn;
    memory.note_entry(source.cluster.as_deref().unwrap_or_default(), &principal, created);
}
