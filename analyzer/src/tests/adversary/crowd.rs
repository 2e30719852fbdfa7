//! Hiding in the crowd: among the lines that nobody reads, under a caller who was ordinary a moment ago.
//!
//! The harness judges each batch line by line and as the delivery of production, and wants both to say and learn the same.

use serde_json::{Value, json};

use super::super::harness::document;
use super::{alerts, grant_with, titles};
use crate::alert::Alert;
use crate::gather::gather_at_most;
use crate::sift::Sifter;

const OWN_NODE: &str = "ip-10-0-11-50.eu-central-1.compute.internal";
const OTHER_NODE: &str = "ip-10-0-12-9.eu-central-1.compute.internal";
const CREDENTIAL: &str = "JTI=7e6d1f0a-3f49-4f53-9a20-6a3c1c1f0d01";

/// One request of many: a read of pods, at this second, by this caller.
fn read(second: usize, user: &Value, address: &str) -> Value {
    grant_with(|event| {
        event["auditID"] = json!(format!("0b6f6f0e-5e55-4b7e-9d38-{second:012}"));
        event["level"] = json!("Metadata");
        event["verb"] = json!("list");
        event["requestURI"] = json!("/api/v1/namespaces/payments/pods");
        event["user"] = user.clone();
        event["sourceIPs"] = json!([address]);
        event["userAgent"] = json!("payments-api/1.4");
        event["objectRef"] = json!({ "resource": "pods", "namespace": "payments", "apiVersion": "v1" });
        event["responseStatus"]["code"] = json!(200);
        event["requestReceivedTimestamp"] = json!(format!("2026-11-23T08:00:{second:02}.100000Z"));
        event["stageTimestamp"] = json!(format!("2026-11-23T08:00:{second:02}.200000Z"));
        for body in ["requestObject", "responseObject"] {
            event.as_object_mut().unwrap().remove(body);
        }
    })
}

/// The token of a pod on a node.
fn pod() -> Value {
    json!({
        "username": "system:serviceaccount:payments:payments-api",
        "uid": "0b8a4bb6-7a4e-4a30-9d4d-3d2f5c9a0b11",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:payments", "system:authenticated"],
        "extra": {
            "authentication.kubernetes.io/credential-id": [CREDENTIAL],
            "authentication.kubernetes.io/node-name": [OWN_NODE],
            "authentication.kubernetes.io/pod-name": ["payments-api-7d9c-x2x1z"],
            "authentication.kubernetes.io/pod-uid": ["3c0f3b52-1a66-4a4e-8f0d-2a3d5b1f7c02"],
        },
    })
}

fn kubelet(node: &str) -> Value {
    json!({ "username": format!("system:node:{node}"), "groups": ["system:nodes", "system:authenticated"] })
}

/// Mallory asks for the token that bears this credential.
fn minting(second: usize) -> Value {
    let mut event = read(second, &grant_with(|_| ())["user"], "203.0.113.24");
    event["verb"] = json!("create");
    event["requestURI"] = json!("/api/v1/namespaces/payments/serviceaccounts/payments-api/token");
    event["objectRef"] = json!({
        "resource": "serviceaccounts",
        "subresource": "token",
        "namespace": "payments",
        "name": "payments-api",
        "apiVersion": "v1",
    });
    event["responseStatus"]["code"] = json!(201);
    event["annotations"]["authentication.kubernetes.io/issued-credential-id"] = json!(CREDENTIAL);
    event
}

fn tells(alerts: &[Alert], detection: &str) -> bool {
    alerts.iter().any(|alert| alert.detection_ids().contains(&detection))
}

#[test]
fn hiding_in_the_crowd_by_a_caller_who_was_ordinary_before() {
    // What is known of a caller is asked once and holds until something is learnt. Here it is learnt in between, and the
    // same bytes come again: lines of several API servers arrive out of order.
    let inside = "10.0.11.61";
    let crowd = |from: usize| (from..from + 3).map(|second| read(second, &pod(), inside));
    let quiet: Vec<Value> = crowd(1).chain(crowd(11)).collect();
    assert!(alerts(&quiet).is_empty(), "the crowd itself is quiet");
    let lines: Vec<String> = quiet.iter().map(Value::to_string).collect();
    let document = document(&lines.iter().collect::<Vec<_>>());
    assert_eq!(Sifter::new().count_read(document.as_bytes()), (0, 6), "and nobody reads it");

    let minted: Vec<Value> = crowd(1).chain([minting(5)]).chain(crowd(11)).collect();
    let told = alerts(&minted);
    assert!(tells(&told, "sa-token-minted-used"), "{:?}", titles(&told));

    let elsewhere = "10.0.12.9";
    let stolen: Vec<Value> = crowd(1)
        .chain([read(5, &pod(), elsewhere)])
        .chain([read(6, &kubelet(OTHER_NODE), elsewhere)])
        .chain([read(7, &pod(), elsewhere)])
        .collect();
    let told = alerts(&stolen);
    assert!(tells(&told, "sa-token-moved"), "{:?}", titles(&told));
}

#[test]
fn hiding_in_the_crowd_by_a_request_that_looks_like_the_others() {
    let account = |more: &Value| {
        let mut user = pod();
        user["extra"] = json!({ "authentication.kubernetes.io/credential-id": [CREDENTIAL] });
        user.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        user
    };
    let person = grant_with(|_| ())["user"].clone();
    let inside = "10.0.11.61";
    let with = |change: fn(&mut Value)| {
        let mut event = read(5, &pod(), inside);
        change(&mut event);
        event
    };
    for (detection, event) in [
        ("identity-forged", read(5, &account(&json!({ "uid": "", "groups": ["devs"] })), inside)),
        ("masters-used", read(5, &json!({ "username": "ops", "groups": ["system:masters"] }), inside)),
        ("identity-impersonated", {
            // Where the API server writes it.
            let whom = r#""impersonatedUser":{"username":"root","groups":["system:masters"]},"sourceIPs":"#;
            read(5, &person, inside).to_string().replace(r#""sourceIPs":"#, whom).parse().unwrap()
        }),
        ("anonymous-allowed", {
            let nobody = json!({ "username": "system:anonymous", "groups": ["system:unauthenticated"] });
            read(5, &nobody, "203.0.113.24")
        }),
        ("sa-token-external-login", {
            // Not one that was seen inside: that is asked about for another reason.
            let mut other = pod();
            other["extra"]["authentication.kubernetes.io/credential-id"] = json!(["JTI=1"]);
            read(5, &other, "203.0.113.24")
        }),
        ("sa-token-unbound-login", read(5, &account(&json!({})), inside)),
        ("sa-token-interactive-login", with(|event| event["userAgent"] = json!("curl/8.5.0"))),
        ("sa-token-legacy-login", {
            with(|event| event["annotations"]["authentication.k8s.io/legacy-token"] = json!("system:serviceaccount"))
        }),
        ("access-policy-used", {
            let mut event = read(5, &person, inside);
            event["annotations"]["authorization.k8s.io/reason"] = json!(
                "EKS Access Policy: allowed by ClusterRoleBinding \
                 \"arn:aws:iam::111122223333:user/mallory+arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy\" \
                 of ClusterRole \"arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy\" to User \
                 \"AROAEXAMPLE\""
            );
            event
        }),
        ("sa-self-review", {
            with(|event| {
                event["verb"] = json!("create");
                event["requestURI"] = json!("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews");
                event["objectRef"] = json!({
                    "resource": "selfsubjectrulesreviews",
                    "apiGroup": "authorization.k8s.io",
                    "apiVersion": "v1",
                });
            })
        }),
        ("sa-token-minted", minting(5)),
    ] {
        let mut lines: Vec<Value> = (1..50).map(|second| read(second, &pod(), inside)).collect();
        lines.insert(25, event);
        let told = alerts(&lines);
        assert!(tells(&told, detection), "{detection}: {:?}", titles(&told));
    }
}

#[test]
fn hiding_in_the_crowd_what_the_memory_should_learn() {
    // A Secret made for a token, and a login that was refused: both are ordinary, and later events are held against them.
    let secret = {
        let mut event = read(5, &grant_with(|_| ())["user"], "203.0.113.24");
        event["verb"] = json!("create");
        event["requestURI"] = json!("/api/v1/namespaces/payments/secrets");
        event["objectRef"] =
            json!({ "resource": "secrets", "namespace": "payments", "name": "spare-key", "apiVersion": "v1" });
        event["responseStatus"]["code"] = json!(201);
        event
    };
    let refused = {
        let mut event = read(6, &json!({}), "203.0.113.24");
        event["responseStatus"]["code"] = json!(401);
        event
    };
    let filled = {
        let controller = json!({
            "username": "system:kube-controller-manager",
            "groups": ["system:authenticated"],
            "extra": { "authentication.kubernetes.io/credential-id": ["X509SHA256=00"] },
        });
        let mut event = read(8, &controller, "172.16.88.21");
        event["verb"] = json!("update");
        event["requestURI"] = json!("/api/v1/namespaces/payments/secrets/spare-key");
        event["objectRef"] =
            json!({ "resource": "secrets", "namespace": "payments", "name": "spare-key", "apiVersion": "v1" });
        event
    };
    let crowd = || (1..5).map(|second| read(second, &pod(), "10.0.11.61"));
    let told = alerts(&crowd().chain([secret, refused]).chain(crowd()).chain([filled]).collect::<Vec<_>>());
    let text: String = told.iter().map(Alert::text).collect();
    assert!(text.contains("mallory"), "who made the Secret is named when it is filled: {text}");
}

#[test]
fn crowding_out_what_was_done_by_what_was_refused() {
    // Whoever has no rights may be refused as often as they like.
    let refused = |number: usize| {
        grant_with(|event| {
            event["auditID"] = json!(format!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b9{number:04}"));
            event["verb"] = json!("delete");
            event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/x{number}"));
            event["objectRef"] = json!({
                "resource": "clusterroles", "name": format!("x{number}"), "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1",
            });
            event["user"] = json!({
                "username": "system:serviceaccount:web:default", "uid": "1",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:web", "system:authenticated"],
                "extra": { "authentication.kubernetes.io/pod-name": ["web-0"] },
            });
            event["sourceIPs"] = json!(["10.0.1.9"]);
            event["responseStatus"] = json!({ "code": 403, "reason": "Forbidden" });
            event["annotations"]["authorization.k8s.io/decision"] = json!("forbid");
            event["stageTimestamp"] = json!("2026-11-23T08:00:01.000000Z");
            event.as_object_mut().unwrap().retain(|key, _| !key.ends_with("Object"));
        })
    };
    let done = grant_with(|event| {
        for body in ["requestObject", "responseObject"] {
            event[body]["roleRef"]["name"] = json!("custom");
            event[body]["subjects"][0]["name"] = json!("eve");
        }
    });
    assert_eq!(alerts(&[refused(0)])[0].severity, alerts(std::slice::from_ref(&done))[0].severity);
    let events: Vec<Value> = (0..60).map(refused).chain([done]).collect();
    let told = gather_at_most(alerts(&events), 50);
    let is_done = |alert: &Alert| alert.findings.iter().any(|finding| finding.hit.what.contains("custom"));
    assert_eq!((told.len(), told.iter().filter(|alert| is_done(alert) && alert.events == 1).count()), (50, 1));
}
