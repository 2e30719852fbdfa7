//! The text of an `aws-auth` section: read alone, and as a change of the ConfigMap that is judged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolewatch_analyzer::aws_auth::AwsAuth;
use rolewatch_analyzer::memory::Memory;
use rolewatch_fuzz::{hold, judge};
use serde_json::json;

/// An update of `aws-auth` to this data, as EKS records it.
fn update(version: u32, data: &serde_json::Value) -> String {
    let map = json!({
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": { "name": "aws-auth", "namespace": "kube-system", "resourceVersion": version.to_string() },
        "data": data,
    });
    json!({
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": format!("0b6f6f0e-5e55-4b7e-9d38-{version:012}"),
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/kube-system/configmaps/aws-auth",
        "verb": "update",
        "user": {
            "username": "ops",
            "uid": "aws-iam-authenticator:111122223333:AIDAEXAMPLE0000000001",
            "groups": ["ops", "system:authenticated"],
            "extra": { "arn": ["arn:aws:iam::111122223333:user/ops"], "sessionName": [""] },
        },
        "sourceIPs": ["203.0.113.24"],
        "userAgent": "kubectl/v1.33.1",
        "objectRef": { "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" },
        "responseStatus": { "metadata": {}, "code": 200 },
        "responseObject": map,
        "stageTimestamp": "2026-11-23T08:00:02.200000Z",
        "annotations": { "authorization.k8s.io/decision": "allow" },
    })
    .to_string()
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    // Sections are parted by a NUL.
    let texts: Vec<&str> = text.split('\0').collect();
    let sections = ["mapRoles", "mapUsers", "mapAccounts"];
    let pairs = || sections.iter().copied().zip(texts.iter().copied());

    let map = AwsAuth::read(pairs());
    assert!(map.without(&map).is_empty(), "a map holds what it holds");
    assert_eq!(map, AwsAuth::read(pairs()), "read twice alike");
    for mapping in &map.mappings {
        // A group is looked up by its name alone.
        assert!(mapping.groups.iter().all(|group| map.maps_to(group)));
    }

    let before = json!({ "mapRoles": "- rolearn: arn:aws:iam::111122223333:role/nodes\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:bootstrappers, system:nodes]\n" });
    let after = serde_json::Value::Object(pairs().map(|(name, text)| (name.to_owned(), json!(text))).collect());
    let mut memory = Memory::default();
    let report = judge(&[&update(1, &before), &update(2, &after)], None, &mut memory);
    hold(report.alerts, &mut memory);
});
