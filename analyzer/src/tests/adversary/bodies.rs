//! Hiding: in a body that others cannot read, behind a record that is lost or holds too little, behind another name.

use serde_json::{Value, json};

use super::{alerts, grant_with, is_told, report, titles};
use crate::severity::Severity;

/// The grant as a PATCH, recorded with the client's own bytes, which JSON libraries refuse.
fn patch(body: &str, with_response: bool) -> String {
    let line = grant_with(|event| {
        event["verb"] = json!("patch");
        event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup");
        event["responseStatus"]["code"] = json!(200);
        event["requestObject"] = json!("BODY");
        if !with_response {
            event["level"] = json!("Request");
            event.as_object_mut().unwrap().remove("responseObject");
        }
    });
    line.to_string().replace("\"BODY\"", body)
}

#[test]
fn hiding_in_a_body_that_json_libraries_refuse() {
    const SUBJECTS: &str = r#""subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"mallory"}]"#;
    let nested = |depth: usize| format!(r#"{{"junk":{}{},{SUBJECTS}}}"#, "[".repeat(depth), "]".repeat(depth));
    for (trick, body) in [
        ("a lone surrogate", format!(r#"{{"junk":"\ud800",{SUBJECTS}}}"#)),
        ("a lone surrogate in a key", format!(r#"{{"\udfff":1,{SUBJECTS}}}"#)),
        ("a number beyond f64", format!(r#"{{"junk":1e999,{SUBJECTS}}}"#)),
        ("a number of ten thousand digits", format!(r#"{{"junk":{},{SUBJECTS}}}"#, "9".repeat(10_000))),
        ("200 nested arrays", nested(200)),
        ("20,000 nested arrays", nested(20_000)),
        ("a key twice, the harmless one first", format!(r#"{{"subjects":[],{SUBJECTS}}}"#)),
        ("a key twice, the harmless one last", format!(r#"{{{SUBJECTS},"subjects":[]}}"#)),
        ("a character that is none", format!("{{\"junk\":\"\u{fffd}\\u0000\",{SUBJECTS}}}")),
    ] {
        let told = report(&[patch(&body, true)]).alerts;
        assert!(is_told(&told), "{trick}, with what the server answered: {:?}", titles(&told));
        let told = report(&[patch(&body, false)]).alerts;
        assert!(
            told.iter().any(|alert| alert.severity >= Severity::High),
            "{trick}, and no answer recorded: {:?}",
            titles(&told)
        );
    }
}

#[test]
fn hiding_behind_a_record_that_is_lost_for_its_yaml() {
    let lost = |uri: &str| {
        let text = format!(
            "E1123 06:51:05.989157   30538 metrics.go:110] Error in audit plugin 'log' affecting 1 audit events: json: \
             error calling MarshalJSON for type *runtime.Unknown: invalid character 'a' looking for beginning of value\n\
             Impacted events:\n2026-11-23T06:51:05.853328439Z AUDIT: id=\"6e16758b-fb67-4b9d-8998-0475a4434322\" \
             stage=\"ResponseComplete\" ip=\"203.0.113.24\" method=\"patch\" user=\"mallory\" \
             groups=\"\\\"system:authenticated\\\"\" as=\"<self>\" asgroups=\"<lookup>\" user-agent=\"curl/8.5.0\" \
             namespace=\"<none>\" uri=\"{uri}\" response=\"200\""
        );
        let settings = crate::settings::Settings {
            source: crate::stream::Source {
                log_stream: Some("kube-apiserver-0a1b".to_owned()),
                ..crate::stream::Source::default()
            },
            ..crate::settings::Settings::default()
        };
        super::super::harness::judge(&[text], &settings, &mut crate::memory::Memory::default()).alerts
    };
    for uri in [
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup?fieldManager=x",
        "/api/v1/namespaces/kube-system/configmaps/aws-auth?fieldManager=x",
        // Clients may write a path in other ways.
        "/apis/rbac%2Eauthorization.k8s.io/v1/clusterrolebindings/backup?fieldManager=x",
        "/api/v1/namespaces/kube%2dsystem/configmaps/aws%2Dauth?fieldManager=x",
    ] {
        let told = lost(uri);
        assert!(told.iter().any(|alert| alert.severity == Severity::Critical), "{uri}: {:?}", titles(&told));
    }
}

#[test]
fn hiding_aws_auth_behind_delete_and_create() {
    let step = |verb: &str, code: u16, level: &str, second: u8| {
        grant_with(|event| {
            event["auditID"] = json!(format!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e00{second}"));
            event["verb"] = json!(verb);
            event["level"] = json!(level);
            event["responseStatus"]["code"] = json!(code);
            event["stageTimestamp"] = json!(format!("2026-11-23T08:00:0{second}.000000Z"));
            event["requestURI"] = json!("/api/v1/namespaces/kube-system/configmaps/aws-auth");
            event["objectRef"] =
                json!({ "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" });
            for body in ["requestObject", "responseObject"] {
                event.as_object_mut().unwrap().remove(body);
            }
        })
    };
    // EKS records no content of a create.
    let told = alerts(&[step("delete", 200, "RequestResponse", 3), step("create", 201, "Metadata", 5)]);
    for detection in ["aws-auth-deleted", "aws-auth-replaced-unseen"] {
        assert!(
            told.iter().any(|alert| alert.detection_ids().contains(&detection) && alert.severity >= Severity::High),
            "{detection}: {:?}",
            titles(&told)
        );
    }
    // The create alone, its delete in a delivery that never came.
    let told = alerts(&[step("create", 201, "Metadata", 5)]);
    assert!(told.iter().any(|alert| alert.severity >= Severity::High), "{:?}", titles(&told));
}

/// Rules for the stock ClusterRole `edit`, as its own controller writes them every day.
fn widened_edit(event: &mut Value) {
    let role = json!({
        "kind": "ClusterRole",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": "edit", "resourceVersion": "5012" },
        "rules": [{ "apiGroups": [""], "resources": ["secrets", "nodes/proxy"], "verbs": ["get", "create"] }],
    });
    event["verb"] = json!("update");
    event["userAgent"] = json!("kube-controller-manager/v1.36.2 (linux/amd64) kubernetes/8adc0f0");
    event["responseStatus"]["code"] = json!(200);
    event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterroles/edit");
    event["objectRef"]["resource"] = json!("clusterroles");
    event["objectRef"]["name"] = json!("edit");
    event["responseObject"] = role.clone();
    event["requestObject"] = role;
    event["requestObject"]["metadata"] = json!({ "name": "edit", "resourceVersion": "5000" });
}

/// The controller that writes into `edit`.
const CONTROLLER: &str = "system:serviceaccount:kube-system:clusterrole-aggregation-controller";

fn controller() -> Value {
    json!({
        "username": CONTROLLER,
        "uid": "0b8a4bb6-7a4e-4a30-9d4d-3d2f5c9a0b11",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
        "extra": { "authentication.kubernetes.io/credential-id": ["JTI=7e6d1f0a-3f49-4f53-9a20-6a3c1c1f0d01"] },
    })
}

#[test]
fn hiding_behind_an_impersonated_name() {
    // What the controller itself does is routine; what somebody does under its name is not.
    let itself = alerts(&[grant_with(|event| {
        widened_edit(event);
        event["user"] = controller();
        event["sourceIPs"] = json!(["10.0.12.9"]);
    })]);
    assert!(itself.is_empty(), "{:?}", titles(&itself));
    let told = alerts(&[grant_with(|event| {
        widened_edit(event);
        event["impersonatedUser"] = controller();
        event["sourceIPs"] = json!(["10.0.12.9"]);
    })]);
    assert!(told.iter().any(|alert| alert.detection_ids().contains(&"rbac-role-changed")), "{:?}", titles(&told));

    for (name, groups) in [
        ("system:kube-controller-manager", json!(["system:authenticated"])),
        ("system:apiserver", json!(["system:masters", "system:authenticated"])),
        ("eks:addon-manager", json!(["system:masters", "system:authenticated"])),
        ("mallory\u{200b}", Value::Null),
    ] {
        let told = alerts(&[grant_with(|event| {
            event["impersonatedUser"] = json!({ "username": name, "groups": groups });
        })]);
        assert!(is_told(&told), "{name}: {:?}", titles(&told));
        for alert in &told {
            assert!(alert.text().contains("mallory"), "who did it is named: {}", alert.text());
        }
    }
}

#[test]
fn hiding_behind_words_of_a_dry_run_that_was_none() {
    for uri in [
        "?dryRun=",
        "?dryrun=All",
        "?DryRun=All",
        "?dryRun=all",
        "?dryRun=All%00",
        "?fieldManager=a%26dryRun=All",
        "?fieldManager=dryRun=All",
        "?xdryRun=All",
        "?dryRun%5B%5D=All",
        "#dryRun=All",
        "/dryRun=All",
        "?a=1;dryRun=All",
        "?dryRun=All;a=1",
    ] {
        let told = alerts(&[grant_with(|event| {
            event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings{uri}"));
        })]);
        assert!(is_told(&told), "{uri}: {:?}", titles(&told));
    }
    // The server ignores the query of a delete that has a body (`endpoints/handlers/delete.go`).
    let told = alerts(&[grant_with(|event| {
        event["verb"] = json!("delete");
        event["responseStatus"]["code"] = json!(200);
        event["requestURI"] = json!("/api/v1/namespaces/kube-system/configmaps/aws-auth?dryRun=All");
        event["objectRef"] =
            json!({ "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" });
        event["requestObject"] = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
        event.as_object_mut().unwrap().remove("responseObject");
    })]);
    assert!(told.iter().any(|alert| alert.detection_ids().contains(&"aws-auth-deleted")), "{:?}", titles(&told));
}

/// Mallory gives a service account a role of another account of AWS.
fn annotation(answer: &Value) -> Value {
    let metadata = json!({
        "name": "cart",
        "namespace": "checkout",
        "annotations": { "eks.amazonaws.com/role-arn": "arn:aws:iam::999999999999:role/theirs" },
        "resourceVersion": "5012",
    });
    grant_with(|event| {
        event["verb"] = json!("patch");
        event["requestURI"] = json!("/api/v1/namespaces/checkout/serviceaccounts/cart");
        event["objectRef"] =
            json!({ "resource": "serviceaccounts", "namespace": "checkout", "name": "cart", "apiVersion": "v1" });
        event["responseStatus"]["code"] = json!(200);
        event["requestObject"] = json!({ "metadata": { "annotations": metadata["annotations"] } });
        event["responseObject"] = answer.clone();
        if answer["kind"] != "Table" {
            event["responseObject"]["metadata"] = metadata;
        }
    })
}

#[test]
fn hiding_an_iam_role_behind_the_answer_that_was_asked_for() {
    // The Accept header is the client's, and not in the log.
    for (answer, expected) in [
        (json!({ "kind": "ServiceAccount", "apiVersion": "v1" }), "with the IAM role theirs"),
        (json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1" }), "with the IAM role theirs"),
        (json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": [] }), "content unknown"),
    ] {
        let told = alerts(&[annotation(&answer)]);
        let is_told = told.iter().flat_map(|alert| &alert.findings).any(|finding| {
            finding.detection.id == "sa-iam-role-changed"
                && finding.hit.severity >= Severity::Medium
                && finding.hit.what.contains(expected)
        });
        assert!(is_told, "{answer}: {:?}", titles(&told));
    }
}
