//! Deliveries as CloudWatch Logs makes them, around audit events written here.

use std::io::Write as _;

use base64::Engine as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::runtime::MARKER;

/// The Lambda event of a delivery with these lines of the audit stream.
pub(crate) fn event(lines: &[String]) -> String {
    json!({ "awslogs": { "data": data(lines) } }).to_string()
}

/// The same delivery as the data of a Kinesis record: base64 of gzip.
pub(crate) fn data(lines: &[String]) -> String {
    data_of("111122223333", lines)
}

/// The same of a cluster of this name in another account.
pub(crate) fn event_of(account: &str, lines: &[String]) -> String {
    json!({ "awslogs": { "data": data_of(account, lines) } }).to_string()
}

/// The same of another account.
pub(crate) fn data_of(account: &str, lines: &[String]) -> String {
    let entry =
        |(number, line): (usize, &String)| json!({ "id": number.to_string(), "timestamp": TIME_MS, "message": line });
    let document = json!({
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": "/aws/eks/prod/cluster",
        "logStream": "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
        "subscriptionFilters": ["rolewatch"],
        "logEvents": lines.iter().enumerate().map(entry).collect::<Vec<_>>(),
    });
    pack(document.to_string().as_bytes())
}

/// The probe that CloudWatch Logs sends when a subscription is made.
pub(crate) fn control_message() -> String {
    let document = json!({
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{ "id": "", "timestamp": TIME_MS, "message": "CWL CONTROL MESSAGE: Checking health of destination" }],
    });
    json!({ "awslogs": { "data": pack(document.to_string().as_bytes()) } }).to_string()
}

/// gzip, then base64.
pub(crate) fn pack(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(gzip(bytes))
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A person gives a person of this number cluster-admin: critical or high, so never part of a digest.
pub(crate) fn grant(number: usize) -> String {
    let name = format!("{MARKER}-{number}");
    let object = json!({
        "kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": format!("bob-{number}") }],
    });
    let mut stored = object.clone();
    stored["metadata"]["uid"] = json!(format!("6a0c1d7e-0000-4000-8000-{number:012}"));
    stored["metadata"]["resourceVersion"] = json!((1000 + number).to_string());
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    let mut event = by_alice(number, "create", path, 201);
    event["objectRef"] = json!({ "resource": "clusterrolebindings", "name": name,
        "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1" });
    event["requestObject"] = object;
    event["responseObject"] = stored;
    event.to_string()
}

/// The token of a pod is used from the internet: alerted once, and then only counted for an hour.
pub(crate) fn login(number: usize) -> String {
    let mut event = by_alice(number, "list", "/api/v1/namespaces/ci/pods", 200);
    event["objectRef"] = json!({ "resource": "pods", "namespace": "ci", "apiVersion": "v1" });
    event["sourceIPs"] = json!(["203.0.114.9"]);
    event["user"] = json!({
        "username": "system:serviceaccount:ci:deployer",
        "uid": "7d1f2c30-0000-4000-8000-000000000001",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated"],
        "extra": {
            "authentication.kubernetes.io/credential-id": ["JTI=7d1f2c30-0000-4000-8000-000000000002"],
            "authentication.kubernetes.io/pod-name": [format!("{MARKER}-0")],
            "authentication.kubernetes.io/pod-uid": ["7d1f2c30-0000-4000-8000-000000000003"],
        },
    });
    event.to_string()
}

/// A person sets what a ClusterRole allows on pods and Secrets; the version is the number.
pub(crate) fn role(number: usize, rules: &Value) -> String {
    let name = format!("{MARKER}-role");
    let kind = json!({ "kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1" });
    let (mut sent, mut stored) = (kind.clone(), kind);
    sent["metadata"] = json!({ "name": name });
    stored["metadata"] = json!({ "name": name, "uid": "6a0c1d7e-0000-4000-8000-000000000000",
        "resourceVersion": (1000 + number).to_string() });
    sent["rules"] = rules.clone();
    stored["rules"] = rules.clone();
    let mut event = by_alice(number, "update", "/apis/rbac.authorization.k8s.io/v1/clusterroles/it", 200);
    event["objectRef"] = json!({ "resource": "clusterroles", "name": name, "apiGroup": "rbac.authorization.k8s.io",
        "apiVersion": "v1" });
    event["requestObject"] = sent;
    event["responseObject"] = stored;
    event.to_string()
}

/// A rule for these verbs on this resource.
pub(crate) fn rule(verbs: &[&str], resource: &str) -> Value {
    json!({ "apiGroups": [""], "resources": [resource], "verbs": verbs })
}

/// A person lists pods: nothing to alert on.
pub(crate) fn noise(number: usize) -> String {
    let mut event = by_alice(number, "list", "/api/v1/namespaces/default/pods", 200);
    event["objectRef"] = json!({ "resource": "pods", "namespace": "default", "apiVersion": "v1" });
    event.to_string()
}

/// The audit ID of the event of this number.
pub(crate) fn audit_id(number: usize) -> String {
    format!("0f0e0d0c-0000-4000-8000-{number:012}")
}

fn by_alice(number: usize, verb: &str, path: &str, code: u16) -> Value {
    let time = format!("2026-11-23T08:{:02}:{:02}.000000Z", number / 60 % 60, number % 60);
    json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": audit_id(number),
        "stage": "ResponseComplete",
        "requestURI": format!("{path}?fieldManager=kubectl-create"),
        "verb": verb,
        "user": {
            "username": "alice",
            "uid": "aws-iam-authenticator:111122223333:AROAEXAMPLEEXAMPLE123",
            "groups": ["platform", "system:authenticated"],
            "extra": {
                "accessKeyId": ["ASIAEXAMPLEEXAMPLE12"],
                "arn": ["arn:aws:sts::111122223333:assumed-role/platform/alice@example.com"],
                "canonicalArn": ["arn:aws:iam::111122223333:role/platform"],
                "principalId": ["AROAEXAMPLEEXAMPLE123"],
                "sessionName": ["alice@example.com"],
            },
        },
        "sourceIPs": ["198.51.100.7"],
        "userAgent": format!("kubectl/v1.33.1 {MARKER}"),
        "responseStatus": { "metadata": {}, "code": code },
        "requestReceivedTimestamp": time,
        "stageTimestamp": time,
        "annotations": { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    })
}

/// 2026-11-23T08:00:00Z.
const TIME_MS: i64 = 1_795_420_800_000;
