//! What an attacker tries, row by row: each test begins with a grant that is told, and lets the attacker work on it.

use serde_json::{Value, json};

mod answers;
mod bodies;
mod crowd;
mod injection;
mod silence;
mod traces;

use super::harness::judge;
use crate::alert::Alert;
use crate::memory::Memory;
use crate::report::Report;
use crate::settings::Settings;
use crate::severity::Severity;

/// Mallory binds cluster-admin to herself.
pub(super) fn grant() -> Value {
    let binding = json!({
        "kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": "backup", "resourceVersion": "5011" },
        "subjects": [{ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory" }],
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
    });
    json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e001",
        "stage": "ResponseComplete",
        "requestURI": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "verb": "create",
        "user": {
            "username": "mallory",
            "uid": "aws-iam-authenticator:111122223333:AIDAEXAMPLE0000000001",
            "groups": ["devs", "system:authenticated"],
            "extra": { "arn": ["arn:aws:iam::111122223333:user/mallory"], "sessionName": [""] },
        },
        "sourceIPs": ["203.0.113.24"],
        "userAgent": "kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
        "objectRef": {
            "resource": "clusterrolebindings",
            "name": "backup",
            "apiGroup": "rbac.authorization.k8s.io",
            "apiVersion": "v1",
        },
        "responseStatus": { "metadata": {}, "code": 201 },
        "requestObject": binding,
        "responseObject": binding,
        "requestReceivedTimestamp": "2026-11-23T08:00:02.100000Z",
        "stageTimestamp": "2026-11-23T08:00:02.200000Z",
        "annotations": { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    })
}

fn grant_with(change: impl FnOnce(&mut Value)) -> Value {
    let mut event = grant();
    change(&mut event);
    event
}

fn report(lines: &[String]) -> Report {
    judge(lines, &Settings::default(), &mut Memory::default())
}

fn alerts(events: &[Value]) -> Vec<Alert> {
    report(&events.iter().map(Value::to_string).collect::<Vec<_>>()).alerts
}

fn is_told(alerts: &[Alert]) -> bool {
    alerts.iter().any(|alert| {
        alert.severity == Severity::Critical
            && alert.findings.iter().any(|finding| {
                finding.detection.id == "rbac-binding-changed" && finding.hit.what.contains("cluster-admin")
            })
    })
}

fn titles(alerts: &[Alert]) -> Vec<String> {
    alerts.iter().map(Alert::title).collect()
}

/// What a client changes of its request.
type Trick = fn(&mut Value);

/// Holds that the grant is told whatever one change makes of it.
fn told_in_spite_of(rows: &[(&str, Trick)]) {
    assert!(is_told(&alerts(&[grant()])), "as it is");
    for (trick, change) in rows {
        assert!(is_told(&alerts(&[grant_with(change)])), "silenced by {trick}");
    }
}
