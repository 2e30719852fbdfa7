//! What must hold for every sample, whatever it is about.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::harness::{Case, cases, judge};
use super::promises::{self, Schema};
use crate::alert::{Activity, Alert};
use crate::detection::Delta;
use crate::gather::{gather, gather_at_most};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::severity::Severity;

/// What was found, by detection: the worst severity.
pub(crate) fn found(alerts: &[Alert]) -> BTreeMap<&'static str, Severity> {
    let mut out = BTreeMap::new();
    for finding in alerts.iter().flat_map(|alert| &alert.findings) {
        let worst = out.entry(finding.detection.id).or_insert(finding.hit.severity);
        *worst = finding.hit.severity.max(*worst);
    }
    out
}

/// Judges a case whose events were changed by `change`.
fn changed(case: &Case, change: impl Fn(&mut Value)) -> BTreeMap<&'static str, Severity> {
    let lines: Vec<String> = case
        .lines()
        .into_iter()
        .map(|line| match serde_json::from_str::<Value>(&line) {
            Ok(mut event) if event.is_object() => {
                change(&mut event);
                event.to_string()
            }
            _ => line,
        })
        .collect();
    found(&judge(&lines, &case.settings(), &mut case.memory()).alerts)
}

/// Nothing found before may be missing or less urgent after.
fn never_less(law: &str, change: impl Fn(&mut Value)) {
    for (file, case) in cases() {
        let before = found(&case.report().alerts);
        let after = changed(&case, &change);
        for (id, severity) in before {
            assert!(
                after.get(id).is_some_and(|now| *now >= severity),
                "{law}: {file}, `{}`: {id} was {severity}, is {:?}",
                case.name(),
                after.get(id)
            );
        }
    }
}

#[test]
fn a_user_agent_never_removes_or_lowers_a_finding() {
    for agent in ["ELB-HealthChecker/2.0", "kube-probe/1.30", "kube-controller-manager/v1.36.2", ""] {
        never_less(&format!("user agent `{agent}`"), |event| {
            // A finding that a user agent raised may go with it: what it must not do is silence the others.
            let raised = crate::session::human_client(event["userAgent"].as_str().unwrap_or_default()).is_some();
            if !raised {
                event["userAgent"] = json!(agent);
            }
        });
    }
}

#[test]
fn claimed_addresses_never_remove_or_lower_a_finding() {
    for claim in ["10.0.0.1", "127.0.0.1", "::1", "not an address"] {
        never_less(&format!("claimed address `{claim}`"), |event| {
            if let Some(addresses) = event["sourceIPs"].as_array_mut() {
                addresses.insert(0, json!(claim));
            }
        });
    }
}

#[test]
fn an_audit_id_never_removes_or_lowers_a_finding() {
    for id in ["", "constant", "00000000-0000-0000-0000-000000000000"] {
        never_less(&format!("audit ID `{id}`"), |event| event["auditID"] = json!(id));
    }
}

#[test]
fn labels_and_annotations_of_objects_never_remove_or_lower_a_finding() {
    never_less("labels that imitate the control plane", |event| {
        for body in ["requestObject", "responseObject"] {
            if let Some(meta) = event.pointer_mut(&format!("/{body}/metadata")).and_then(Value::as_object_mut) {
                let labels = meta.entry("labels").or_insert_with(|| json!({}));
                labels["kubernetes.io/bootstrapping"] = json!("rbac-defaults");
                labels["eks.amazonaws.com/component"] = json!("addon");
                let annotations = meta.entry("annotations").or_insert_with(|| json!({}));
                annotations["rbac.authorization.kubernetes.io/autoupdate"] = json!("true");
            }
        }
    });
}

#[test]
fn unknown_fields_change_nothing() {
    for (file, case) in cases() {
        let before = found(&case.report().alerts);
        let after = changed(&case, |event| {
            event["newInKubernetes"] = json!({ "verb": "get", "deep": [[[{}]]] });
            if event["user"].is_object() {
                event["user"]["newToo"] = json!(1);
            }
        });
        assert_eq!(before, after, "{file}, `{}`", case.name());
    }
}

#[test]
fn deciding_twice_gives_the_same_alerts() {
    for (_, case) in cases() {
        let ids = || case.report().alerts.iter().map(|alert| alert.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(), ids());
    }
}

#[test]
fn splitting_a_batch_changes_no_finding_and_no_id() {
    for (file, case) in cases() {
        let whole = case.report();
        // Entries of the api stream belong together; they are whole in one batch.
        if case.lines().iter().any(|line| !line.trim_start().starts_with('{')) {
            continue;
        }
        let mut memory = case.memory();
        let mut ids = Vec::new();
        for line in case.lines() {
            let report = judge(&[line], &case.settings(), &mut memory);
            ids.extend(report.alerts.iter().map(|alert| alert.id.clone()));
        }
        let whole: Vec<_> = whole.alerts.iter().map(|alert| alert.id.clone()).collect();
        assert_eq!(whole, ids, "{file}, `{}`", case.name());
    }
}

#[test]
fn every_line_is_counted_exactly_once() {
    for (file, case) in cases() {
        let report = case.report();
        let lines = usize::try_from(report.lines).unwrap();
        assert!(lines >= case.lines().len(), "{file}, `{}`", case.name());
        promises::count(&report, lines);
    }
}

#[test]
fn every_alert_is_printable_bounded_and_valid_ocsf() {
    let schema = Schema::beside(&super::harness::top());
    for (_, case) in cases() {
        let alerts = case.report().alerts;
        let digests = gather([alerts.clone(), alerts.clone(), alerts.clone()].concat());
        // The same alerts, as the last word on a session is told.
        let updates: Vec<Alert> =
            alerts.iter().map(|alert| Alert { activity: Activity::Update, events: 10_000, ..alert.clone() }).collect();
        let digest_of_updates = gather([updates.clone(), updates.clone(), updates.clone()].concat());
        for alert in alerts.iter().chain(&digests).chain(&updates).chain(&digest_of_updates) {
            promises::hold(alert, &schema);
        }
    }
}

/// Found by fuzzing: digests, and names as long as a client likes, took more than a screen.
#[test]
fn an_alert_fits_a_screen_however_much_it_stands_for_and_however_long_the_names_are() {
    let schema = Schema::beside(&super::harness::top());
    let mut all: Vec<Alert> = cases().iter().flat_map(|(_, case)| case.report().alerts).collect();
    for cap in [1, 5] {
        for alert in &gather_at_most(all.clone(), cap) {
            promises::hold(alert, &schema);
        }
    }
    let long = "a name of many words ".repeat(12);
    for alert in &mut all {
        alert.summary.clone_from(&long);
        for finding in &mut alert.findings {
            finding.hit.why = long.repeat(3);
            finding.hit.changes =
                vec![Delta::Gained(long.clone()), Delta::Lost(long.clone()), Delta::Note(long.clone())];
        }
        for evidence in &mut alert.evidence {
            let actor = &mut evidence.actor;
            for text in [&mut actor.display, &mut actor.username, &mut evidence.name, &mut evidence.verb] {
                text.clone_from(&long);
            }
            actor.acting_as = Some((long.clone(), vec![long.clone(); 20]));
            evidence.claimed = vec![long.clone(); 8];
        }
    }
    for alert in all.iter().chain(&gather_at_most(all.clone(), 1)) {
        promises::hold(alert, &schema);
    }
}

#[test]
fn without_memory_every_detection_still_works() {
    for (file, case) in cases() {
        let with = found(&case.report().alerts);
        let without = found(&judge(&case.lines(), &case.settings(), &mut Memory::default()).alerts);
        // What is about two events is not seen in one; cases of other detections that need memory say so.
        let needs_memory = case.json.get("needs_memory").is_some();
        for id in with.keys() {
            let about_two_events = ["rbac-role-rebound", "rbac-grant-withdrawn"].contains(id);
            assert!(
                about_two_events || needs_memory || without.contains_key(id),
                "{file}, `{}`: {id} is lost",
                case.name()
            );
        }
    }
}

#[test]
fn an_impostor_under_a_name_of_the_control_plane_is_always_told() {
    let mut judged = 0;
    for (file, case) in cases() {
        for line in case.lines() {
            let Ok(mut event) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            let name = event["user"]["username"].as_str().unwrap_or_default().to_owned();
            if !(name.starts_with("system:") || name.starts_with("eks:")) || event["stage"] == json!("RequestReceived")
            {
                continue;
            }
            // The same name and groups, given to a person by a mapping.
            event["user"]["uid"] = json!("aws-iam-authenticator:111122223333:AIDAEXAMPLE0000000001");
            event["user"]["extra"] = json!({
                "arn": ["arn:aws:iam::111122223333:user/mallory"],
                "sessionName": [""],
            });
            judged += 1;
            let told = found(&judge(&[event.to_string()], &case.settings(), &mut Memory::default()).alerts);
            assert!(told.contains_key("identity-forged"), "{file}, `{}`: {name} is not told: {told:?}", case.name());
        }
    }
    assert!(judged > 50, "{judged}");
}

/// A cut line has lost its times, and nothing else tells it from others of the same request.
#[test]
fn an_id_is_that_of_the_event_however_it_is_written_and_of_a_cut_line_that_of_its_text() {
    let ids = |lines: &[String]| {
        let alerts = judge(lines, &Settings::default(), &mut Memory::default()).alerts;
        alerts.into_iter().map(|alert| alert.id).collect::<Vec<_>>()
    };
    let event = |pad: &str| {
        let mut event = super::adversary::grant();
        event["requestObject"]["metadata"]["annotations"] = json!({ "pad": pad });
        event
    };
    let newer = |mut event: Value| {
        event["newInKubernetes"] = json!(1);
        event.to_string()
    };
    assert_eq!(ids(&[event("x").to_string()]), ids(&[newer(event("x"))]));
    let cut = |pad: &str| {
        let line = event(pad).to_string();
        line.split_at(line.find("\"pad\"").unwrap() + 20).0.to_owned() + "[Truncated...]"
    };
    let both = ids(&[cut(&"x".repeat(50)), cut(&"y".repeat(50)), cut(&"y".repeat(50))]);
    assert!(both.len() == 2 && both[0] != both[1], "two requests, one of them delivered twice: {both:?}");
}
