//! Making what was done look undone or somebody else's: by the form of the answer, by a parameter twice, by a key that looks
//! like another, by an account that is lent.

use serde_json::{Value, json};

use super::super::harness::judge;
use super::{alerts, grant, grant_with, is_told, titles};
use crate::audit::query::PARAMETERS_MAX;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::snapshot;
use crate::stream::Source;

/// The grant, stored, and answered with a failure to give the answer the form that was asked for.
fn refused(code: u16, message: Option<&str>, query: &str) -> Value {
    grant_with(|event| {
        event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings{query}"));
        event["responseStatus"] = json!({ "metadata": {}, "status": "Failure", "code": code });
        if let Some(message) = message {
            event["responseStatus"]["message"] = json!(message);
        }
        event.as_object_mut().unwrap().remove("responseObject");
    })
}

#[test]
fn silence_by_the_form_of_the_answer() {
    for (form, event) in [
        (
            "a list of metadata",
            refused(406, Some("you requested PartialObjectMetadataList, but the requested object is not a list"), ""),
        ),
        ("a list of metadata, and nothing the server can write its refusal in", refused(406, None, "")),
        (
            "a Table that holds what no Table holds",
            refused(
                400,
                Some("Unable to convert to Table as requested: includeObject: Invalid value"),
                "?includeObject=x",
            ),
        ),
        ("such a Table, and nothing the server can write its refusal in", refused(400, None, "?includeObject=x")),
    ] {
        let told = alerts(&[event]);
        assert!(is_told(&told), "{form}: {:?}", titles(&told));
    }
    // What is refused before it is stored stays quiet.
    for event in [refused(400, Some("the object provided is unrecognized"), ""), refused(409, None, "?includeObject=x")]
    {
        assert_eq!(titles(&alerts(&[event])), [""; 0]);
    }
}

/// A deletion of ConfigMaps in `kube-system` by collection.
fn config_maps_deleted(query: &str) -> Value {
    grant_with(|event| {
        event["requestURI"] = json!(format!("/api/v1/namespaces/kube-system/configmaps{query}"));
        event["verb"] = json!("deletecollection");
        event["objectRef"] = json!({ "resource": "configmaps", "namespace": "kube-system", "apiVersion": "v1" });
        event["responseStatus"]["code"] = json!(200);
        event["level"] = json!("Metadata");
        event.as_object_mut().unwrap().retain(|key, _| !key.ends_with("Object"));
    })
}

#[test]
fn silence_by_a_selector_that_the_server_does_not_read() {
    for query in [
        "?fieldSelector=metadata.name%3Daws-auth&fieldSelector=metadata.name!%3Daws-auth",
        "?fieldSelector=&fieldSelector=metadata.name!%3Daws-auth",
        "?fieldSelector=&fieldSelector=metadata.name%3Dfoo",
        "?fieldSelector=metadata.name!%3Daws-auth,a;",
        "?fieldSelector=metadata.name!%3Daws-auth,a%zz",
        "?labelSelector=&labelSelector=x",
        "?labelSelector=x;",
        "",
    ] {
        let told = alerts(&[config_maps_deleted(query)]);
        assert!(told.iter().any(|alert| alert.severity >= Severity::High), "{query}: {:?}", titles(&told));
    }
    assert_eq!(titles(&alerts(&[config_maps_deleted("?fieldSelector=metadata.name!%3Daws-auth")])), [""; 0]);
}

#[test]
fn a_query_at_its_limit_is_believed_and_one_past_it_says_nothing() {
    let dry_run = |query: String| {
        alerts(&[grant_with(|event| {
            event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings{query}"));
        })])
    };
    let of = |pairs: usize| format!("?dryRun=All{}", "&".repeat(pairs - 1));
    assert_eq!(titles(&dry_run(of(PARAMETERS_MAX))), [""; 0]);
    assert!(is_told(&dry_run(of(PARAMETERS_MAX + 1))));
    assert_eq!(titles(&dry_run("?dryRun=All&;".to_owned())), [""; 0]);
    for bad in ["?dryRun=All;", "?dryRun%zz=All", "?dryRun=All%"] {
        assert!(is_told(&dry_run(bad.to_owned())), "{bad}");
    }
}

/// `aws-auth` as a PUT leaves it.
fn aws_auth(version: u64, roles: &str) -> Value {
    grant_with(|event| {
        let map = |version: u64| {
            json!({
                "kind": "ConfigMap", "apiVersion": "v1",
                "metadata": { "name": "aws-auth", "namespace": "kube-system", "resourceVersion": version.to_string() },
                "data": { "mapRoles": roles },
            })
        };
        event["auditID"] = json!(format!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e{version:03}"));
        event["requestURI"] = json!("/api/v1/namespaces/kube-system/configmaps/aws-auth");
        event["verb"] = json!("update");
        event["objectRef"] =
            json!({ "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" });
        event["responseStatus"]["code"] = json!(200);
        event["requestObject"] = map(version - 1);
        event["responseObject"] = map(version);
        let time = format!("2026-11-23T08:{:02}:00.000000Z", version - 500);
        event["requestReceivedTimestamp"] = json!(time);
        event["stageTimestamp"] = json!(time);
    })
}

#[test]
fn hiding_a_mapping_from_whoever_reads_other_yaml_than_eks() {
    let plain = "- rolearn: arn:aws:iam::111122223333:role/dev\n  username: dev\n  groups: [viewers]\n";
    for (trick, roles) in [
        ("a long s in groups", format!("{plain}  group\u{17f}: [system:masters]\n")),
        ("a long s in groups, written as an escape", format!("{plain}  \"group\\u017f\": [system:masters]\n")),
        (
            "groups again, with nothing in them",
            format!("{plain}  Groups: [system:masters]\n").replace("[viewers]", "[null]"),
        ),
        ("a comment before the document", format!("  # x\n---\n{}", plain.replace("viewers", "system:masters"))),
        (
            "a line that ends as EKS sees it",
            format!("{}\u{85}  Groups: [system:masters]\n", plain.trim_end()).replace("[viewers]", "[null]"),
        ),
        ("a second document", format!("{}---\nbroken: [\n", plain.replace("viewers", "system:masters"))),
        ("text behind the end of the document", format!("{}...\n\u{1}\n", plain.replace("viewers", "system:masters"))),
    ] {
        let told = alerts(&[aws_auth(510, plain), aws_auth(520, &roles)]);
        let masters = told.iter().any(|alert| {
            alert.severity == Severity::Critical
                && alert.findings.iter().any(|finding| finding.hit.what.contains("system:masters"))
        });
        assert!(masters, "{trick}: {:?}", titles(&told));
    }
}

/// The event by one of the controllers' accounts, with a token that is nobody's or a pod's.
fn by_a_controller(event: &mut Value, name: &str, extra: &Value) {
    event["user"] = json!({
        "username": format!("system:serviceaccount:kube-system:{name}"),
        "uid": "7a1c0c6e-0000-4000-8000-000000000001",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
        "extra": extra,
    });
    event["sourceIPs"] = json!(["10.0.11.7"]);
    event["userAgent"] = json!("kube-controller-manager/v1.36.2");
}

#[test]
fn silence_by_the_account_of_a_controller() {
    let deletion = |extra: &Value| {
        alerts(&[grant_with(|event| {
            by_a_controller(event, "generic-garbage-collector", extra);
            event["verb"] = json!("delete");
            event["responseStatus"]["code"] = json!(200);
            event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup");
            event["responseObject"] = json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" });
            event.as_object_mut().unwrap().remove("requestObject");
        })])
    };
    let token = json!({ "authentication.kubernetes.io/credential-id": ["JTI=1"] });
    assert_eq!(titles(&deletion(&token)), [""; 0], "the controller itself");
    let mut pod = token;
    pod["authentication.kubernetes.io/pod-name"] = json!(["debug"]);
    let told = deletion(&pod);
    let ids: Vec<&str> = told.iter().flat_map(|alert| &alert.findings).map(|finding| finding.detection.id).collect();
    assert!(ids.contains(&"rbac-binding-changed") && ids.contains(&"sa-controller-in-pod"), "{ids:?}");
}

#[test]
fn silence_by_a_later_witness_of_the_same_version() {
    let change = grant_with(|event| {
        event["verb"] = json!("patch");
        event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup");
        event["responseStatus"]["code"] = json!(200);
        event["requestObject"] =
            json!([{ "op": "add", "path": "/subjects/-", "value": { "kind": "User", "name": "mallory" } }]);
    });
    let settings =
        Settings { source: Source { cluster: Some("prod".to_owned()), ..Source::default() }, ..Settings::default() };
    let mut memory = Memory::default();
    // Taken after the change.
    let snapshot = json!({ "kind": "List", "items": [grant()["responseObject"]] }).to_string();
    snapshot::load(snapshot.as_bytes(), "prod", &mut memory).unwrap();
    let told = judge(&[change.to_string()], &settings, &mut memory).alerts;
    assert!(is_told(&told), "a snapshot: {:?}", titles(&told));

    let mut later = change.clone();
    later["auditID"] = json!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e002");
    later["stageTimestamp"] = json!("2026-11-23T08:00:09.000000Z");
    let told = alerts(&[later, change]);
    assert_eq!(told.iter().filter(|alert| alert.severity == Severity::Critical).count(), 2, "{:?}", titles(&told));
}

/// A patch of the binding after a grant that gave it to nobody but the group of operators.
fn patched(body: Value, change: impl FnOnce(&mut Value)) -> [Value; 2] {
    let before = grant_with(|event| {
        event["requestObject"]["subjects"] = json!([{ "kind": "Group", "name": "ops" }]);
        event["responseObject"]["subjects"] = json!([{ "kind": "Group", "name": "ops" }]);
    });
    let patch = grant_with(|event| {
        event["auditID"] = json!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e003");
        event["verb"] = json!("patch");
        event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup");
        event["responseStatus"]["code"] = json!(200);
        event["requestObject"] = body;
        event["responseObject"]["metadata"]["resourceVersion"] = json!("5020");
        event["stageTimestamp"] = json!("2026-11-23T08:00:09.000000Z");
        change(event);
    });
    [before, patch]
}

#[test]
fn silence_by_what_admission_adds_to_a_harmless_patch() {
    const ROUND: &str = "admission.k8s.io/round_0_index_0";
    let label = || json!({ "metadata": { "labels": { "team": "a" } } });
    let [before, mutated] = patched(label(), |_| ());
    let mut told = alerts(&[before, mutated.clone()]);
    assert_eq!(told.len(), 2, "what is remembered tells it: {:?}", titles(&told));
    let last = told.pop().into_iter().collect::<Vec<_>>();
    assert!(is_told(&last) && last[0].summary.contains("now gives mallory"), "{:?}", titles(&last));

    let [_, mutated] = patched(label(), |event| {
        event["annotations"][format!("mutation.webhook.{ROUND}")] =
            json!(r#"{"configuration":"c","webhook":"w","mutated":true}"#);
    });
    assert!(is_told(&alerts(std::slice::from_ref(&mutated))), "an unseen patch of a webhook");
    let with_patch = |path: &str| {
        let mut event = mutated.clone();
        let patch = format!(r#"{{"webhook":"w","patch":[{{"op":"add","path":"{path}","value":{{}}}}]}}"#);
        event["annotations"][format!("patch.webhook.{ROUND}")] = json!(patch);
        alerts(&[event])
    };
    assert!(is_told(&with_patch("/subjects/-")), "a patch of subjects");
    assert_eq!(titles(&with_patch("/metadata/labels/b")), [""; 0], "a patch of labels");
}

#[test]
fn hiding_who_gained_by_the_form_of_the_answer() {
    let mallory = json!({ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mallory" });
    let ops = json!({ "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "ops" });
    for body in [
        json!({ "subjects": [ops, mallory] }),
        json!([{ "op": "add", "path": "/subjects/-", "value": mallory }]),
        json!([{ "op": "replace", "path": "/subjects", "value": [mallory] }]),
    ] {
        for kind in ["Table", "PartialObjectMetadata"] {
            let events = patched(body.clone(), |event| {
                event["responseObject"] = json!({ "kind": kind, "apiVersion": "meta.k8s.io/v1" });
            });
            let told = alerts(&events);
            let named = told.iter().flat_map(|alert| &alert.findings).filter(|it| it.hit.what.contains("mallory"));
            let ids: Vec<&str> =
                named.filter(|it| it.hit.severity == Severity::Critical).map(|it| it.detection.id).collect();
            assert!(ids.contains(&"rbac-binding-changed"), "{body} as {kind}: {:?}", titles(&told));
        }
    }
}
