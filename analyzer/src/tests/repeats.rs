//! What a workload does again and again is told once an hour; what anybody else does, or does otherwise, each time.

use serde_json::{Value, json};

use super::adversary::grant;
use super::harness::judge;
use crate::memory::Memory;
use crate::report::{Quiet, Report};
use crate::settings::Settings;

/// A controller asks for a token of an account that is not its own, at this minute.
fn asks(minute: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
        "auditID": format!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8f0{minute:02}"),
        "requestURI": "/api/v1/namespaces/team-a/serviceaccounts/reader/token",
        "verb": "create",
        "user": {
            "username": "system:serviceaccount:external-secrets:external-secrets",
            "uid": "7a1c0c6e-0000-4000-8000-000000000001",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:external-secrets", "system:authenticated"],
            "extra": {
                "authentication.kubernetes.io/credential-id": ["JTI=5d0ff9d6"],
                "authentication.kubernetes.io/pod-name": ["external-secrets-7d9c"],
                "authentication.kubernetes.io/pod-uid": ["p"],
            },
        },
        "sourceIPs": ["10.0.11.7"],
        "userAgent": "external-secrets/v0.10.4",
        "objectRef": {
            "resource": "serviceaccounts", "namespace": "team-a", "name": "reader", "apiVersion": "v1", "subresource": "token",
        },
        "responseStatus": { "metadata": {}, "code": 201 },
        "requestObject": {
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "spec": { "audiences": ["sts.amazonaws.com"], "expirationSeconds": 600, "boundObjectRef": null },
        },
        "stageTimestamp": format!("2026-11-23T08:{minute:02}:02.200000Z"),
        "annotations": { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    });
    change(&mut event);
    event.to_string()
}

/// What is otherwise in the second request.
type Difference = fn(&mut Value);

fn topic_told(report: &Report) -> u64 {
    report.quiet.get(&Quiet::TopicTold).copied().unwrap_or_default()
}

#[test]
fn what_a_controller_asks_for_every_minute_is_one_alert_in_an_hour_however_it_is_split() {
    let lines: Vec<String> = (0..60).map(|minute| asks(minute, |_| ())).collect();
    let mut ids = Vec::new();
    for deliveries in [1, 6, 60] {
        let (mut memory, mut all) = (Memory::default(), Report::default());
        for delivery in lines.chunks(60 / deliveries) {
            all.absorb(judge(delivery, &Settings::default(), &mut memory));
        }
        assert_eq!((all.alerts.len(), all.alerted + topic_told(&all)), (1, 60), "in {deliveries} deliveries");
        ids.push(all.alerts[0].id.clone());
        assert_eq!(all.alerts[0].events, 60 / deliveries as u64, "what comes in one delivery is counted");
    }
    let reversed: Vec<String> = lines.iter().rev().cloned().collect();
    ids.push(judge(&reversed, &Settings::default(), &mut Memory::default()).alerts[0].id.clone());
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same alert every time");
    let next_hour = asks(0, |event| event["stageTimestamp"] = json!("2026-11-23T09:00:02.200000Z"));
    let both = judge(&[lines[0].clone(), next_hour], &Settings::default(), &mut Memory::default());
    assert_eq!(both.alerts.len(), 2, "the next hour is told again");
}

#[test]
fn what_differs_in_anything_is_told() {
    const EXTRA: &str = "/user/extra/authentication.kubernetes.io~1credential-id";
    let differences: [(&str, Difference); 8] = [
        ("the account", |event| event["objectRef"]["name"] = json!("admin")),
        ("its namespace", |event| event["objectRef"]["namespace"] = json!("team-b")),
        ("the audience", |event| event["requestObject"]["spec"]["audiences"] = json!([])),
        ("the life", |event| event["requestObject"]["spec"]["expirationSeconds"] = json!(86_400)),
        ("that it is refused", |event| {
            event["responseStatus"]["code"] = json!(403);
            event["annotations"]["authorization.k8s.io/decision"] = json!("forbid");
        }),
        ("the address", |event| event["sourceIPs"] = json!(["10.0.99.9"])),
        ("the credential", |event| *event.pointer_mut(EXTRA).unwrap() = json!(["JTI=other"])),
        ("as whom", |event| event["impersonatedUser"] = json!({ "username": "ann" })),
    ];
    for (what, change) in differences {
        let report = judge(&[asks(0, |_| ()), asks(1, change)], &Settings::default(), &mut Memory::default());
        assert_eq!(report.alerts.len(), 2, "{what}");
    }
}

/// An exception may cover one verb and not the other.
#[test]
fn a_refusal_of_another_verb_is_told() {
    let refused = |minute, verb: &str| {
        asks(minute, |event| {
            event["verb"] = json!(verb);
            event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/namespaces/team-a/roles/reader");
            event["objectRef"] = json!({
                "resource": "roles", "namespace": "team-a", "name": "reader",
                "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1",
            });
            event["responseStatus"] = json!({
                "metadata": {}, "code": 403,
                "message": "user is attempting to grant RBAC permissions not currently held",
            });
        })
    };
    for (verbs, alerts) in [(["update", "patch"], 2), (["update", "update"], 1)] {
        let lines = [refused(0, verbs[0]), refused(1, verbs[1])];
        assert_eq!(judge(&lines, &Settings::default(), &mut Memory::default()).alerts.len(), alerts, "{verbs:?}");
    }
}

#[test]
fn what_people_do_is_told_each_time() {
    let by_mallory = |minute| asks(minute, |event| event["user"] = grant()["user"].clone());
    let report = judge(&[by_mallory(0), by_mallory(1)], &Settings::default(), &mut Memory::default());
    assert_eq!(report.alerts.len(), 2);
    let report = judge(&[asks(0, |_| ()), asks(0, |_| ())], &Settings::default(), &mut Memory::default());
    assert_eq!((report.alerts.len(), report.alerts[0].events), (1, 1), "the same event twice counts once");
}
