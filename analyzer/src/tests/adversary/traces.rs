//! Covering tracks: coming back under a name that is remembered, ending an object where nobody looks, taking a grant back so
//! that it is not seen to have been one.

use serde_json::{Value, json};

use super::super::harness::judge;
use super::{alerts, grant, grant_with, is_told, titles};
use crate::kube::ObjectKind;
use crate::memory::Memory;
use crate::settings::Settings;

const OBJECT: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup";

/// The grant again, as another request on what it made, so many minutes later.
fn then(minute: u8, verb: &str, change: impl FnOnce(&mut Value)) -> Value {
    grant_with(|event| {
        event["auditID"] = json!(format!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e1{minute:02}"));
        event["verb"] = json!(verb);
        event["requestURI"] = json!(OBJECT);
        event["responseStatus"]["code"] = json!(200);
        event["responseObject"]["metadata"]["resourceVersion"] = json!(format!("51{minute:02}"));
        event["requestReceivedTimestamp"] = json!(format!("2026-11-23T08:{minute:02}:02.100000Z"));
        event["stageTimestamp"] = json!(format!("2026-11-23T08:{minute:02}:02.200000Z"));
        change(event);
    })
}

fn table() -> Value {
    json!({ "kind": "Table", "apiVersion": "meta.k8s.io/v1", "rows": [] })
}

fn deletion(minute: u8) -> Value {
    then(minute, "delete", |event| {
        event.as_object_mut().unwrap().remove("requestObject");
        event["responseObject"] = json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" });
    })
}

/// The deletion while a finalizer keeps the object.
fn pending(minute: u8) -> Value {
    then(minute, "delete", |event| {
        event.as_object_mut().unwrap().remove("requestObject");
        event["responseObject"]["metadata"]["deletionTimestamp"] = json!("2026-11-23T08:02:02Z");
        event["responseObject"]["metadata"]["finalizers"] = json!(["example.com/hold"]);
    })
}

fn patch(minute: u8, body: Value, answer: Option<Value>) -> Value {
    then(minute, "patch", |event| {
        event["requestObject"] = body;
        if let Some(answer) = answer {
            event["responseObject"] = answer;
        }
    })
}

fn finalizer_taken_off(minute: u8, answer: Option<Value>) -> Value {
    let mut event = patch(minute, json!({ "metadata": { "finalizers": null } }), answer);
    if event["responseObject"]["kind"] != "Table" {
        event["responseObject"]["metadata"]["deletionTimestamp"] = json!("2026-11-23T08:02:02Z");
    }
    event
}

#[test]
fn silence_by_coming_back_under_a_remembered_name() {
    let again = || {
        then(9, "create", |event| {
            event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings");
            event["responseStatus"]["code"] = json!(201);
        })
    };
    let collection = || {
        then(5, "deletecollection", |event| {
            event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings");
            event["objectRef"].as_object_mut().unwrap().remove("name");
            event.as_object_mut().unwrap().remove("requestObject");
            event["responseObject"] = table();
        })
    };
    for (end, events) in [
        ("that was seen", vec![deletion(5)]),
        ("that no line tells of", vec![]),
        ("by a collection that is answered with a Table", vec![collection()]),
        ("by the last finalizer", vec![pending(4), finalizer_taken_off(5, None)]),
        ("by the last finalizer, answered with a Table", vec![pending(4), finalizer_taken_off(5, Some(table()))]),
    ] {
        let mut told = alerts(&[vec![grant()], events, vec![again()]].concat());
        let last = told.pop().into_iter().collect::<Vec<_>>();
        assert!(is_told(&last), "after an end {end}: {:?}", titles(&last));
    }
}

#[test]
fn hiding_that_a_grant_was_taken_back() {
    let other = json!({ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ann" });
    let exchanged = || patch(5, json!({ "subjects": [other] }), None);
    let exchanged = {
        let mut event = exchanged();
        event["responseObject"]["subjects"] = json!([other]);
        event
    };
    let no_op = {
        let mut event = patch(3, json!({ "metadata": { "finalizers": [] } }), None);
        event["responseObject"]["metadata"]["resourceVersion"] =
            grant()["responseObject"]["metadata"]["resourceVersion"].clone();
        event
    };
    for (trick, events) in [
        ("nothing", vec![deletion(5)]),
        ("a patch that changes nothing", vec![no_op, deletion(5)]),
        (
            "a patch that is answered with a Table",
            vec![patch(3, json!({ "subjects": null }), Some(table())), deletion(5)],
        ),
        ("a finalizer that goes later", vec![pending(4), finalizer_taken_off(5, None)]),
        ("somebody else in the same place", vec![exchanged]),
    ] {
        let told = alerts(&[vec![grant()], events].concat());
        let last = told.last().map(|alert| alert.findings.iter().map(|it| it.detection.id).collect::<Vec<_>>());
        assert!(last.iter().flatten().any(|id| *id == "rbac-grant-withdrawn"), "{trick}: {:?}", titles(&told));
    }
}

#[test]
fn a_lie_about_what_was_taken_back() {
    let (get, list) = (
        json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }),
        json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["list"] }),
    );
    let role = |minute: u8, verb: &str, rules: &[&Value]| {
        then(minute, verb, |event| {
            let version = event["responseObject"]["metadata"]["resourceVersion"].clone();
            let role = json!({
                "kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1",
                "metadata": { "name": "backup", "resourceVersion": version }, "rules": rules,
            });
            event["objectRef"]["resource"] = json!("clusterroles");
            event["responseStatus"]["code"] = json!(if verb == "create" { 201 } else { 200 });
            (event["requestObject"], event["responseObject"]) = (role.clone(), role);
            event["requestObject"]["metadata"]["resourceVersion"] = json!("1");
        })
    };
    for (now, taken_back) in [(vec![&list], false), (vec![&get], true), (vec![], true)] {
        // What was given first has held for too long to be a withdrawal.
        let events = [role(1, "create", &[&get]), role(30, "update", &[&get, &list]), role(35, "update", &now)];
        let told = alerts(&events);
        let says_so = told.iter().flat_map(|alert| &alert.findings).any(|it| it.detection.id == "rbac-grant-withdrawn");
        assert_eq!(says_so, taken_back, "{now:?} is left: {:?}", titles(&told));
    }
}

#[test]
fn silence_by_what_a_request_says_of_its_own_object() {
    // Whether anything has put a finalizer back, only the answer would tell.
    let put = then(5, "update", |event| {
        event["requestObject"]["metadata"]["deletionTimestamp"] = json!("2026-11-23T08:02:02Z");
        event["responseObject"] = table();
    });
    let mut memory = Memory::default();
    let lines = [grant(), pending(2), put].map(|event| event.to_string());
    judge(&lines, &Settings::default(), &mut memory);
    let held = memory.objects("", ObjectKind::ClusterRoleBinding).map(|(key, _)| key.name.as_str());
    assert_eq!(held.collect::<Vec<_>>(), ["backup"]);
}

#[test]
fn silence_by_forged_times_of_managers() {
    let managed = |times: &[Value]| {
        let entry = |time: &Value| json!({ "manager": "m", "operation": "Update", "time": time, "fieldsV1": { "f:subjects": {} } });
        Value::Array(times.iter().map(entry).collect())
    };
    let (old, now) = (json!("2026-11-20T08:00:00Z"), json!("2026-11-23T08:05:02Z"));
    let put = |asked: &[Value], stored: &[Value]| {
        let event = then(5, "update", |event| {
            event["requestObject"]["metadata"]["managedFields"] = managed(asked);
            event["responseObject"]["metadata"]["managedFields"] = managed(stored);
            event["requestObject"]["metadata"]["resourceVersion"] = json!("");
        });
        alerts(&[event])
    };
    assert_eq!(titles(&put(&[], std::slice::from_ref(&old))), [""; 0], "nothing was set");
    for (what, asked, stored) in [
        ("in the request", vec![old.clone()], vec![now.clone()]),
        ("by another manager", vec![], vec![old.clone(), now]),
        ("by taking one away", vec![], vec![old.clone(), Value::Null]),
        ("by taking all away", vec![], vec![]),
        ("by a time that is none", vec![], vec![json!("2026")]),
    ] {
        assert!(is_told(&put(&asked, &stored)), "{what}");
    }
    // What is remembered counts over it: somebody changed the object before, unseen.
    let mut before = grant();
    before["responseObject"]["subjects"] = json!([{ "kind": "Group", "name": "ops" }]);
    let unseen = then(5, "update", |event| {
        event["responseObject"]["metadata"]["managedFields"] = managed(std::slice::from_ref(&old));
    });
    assert!(is_told(&alerts(&[before, unseen]).split_off(1)));
    // Taking something away leaves no trace.
    let emptied = then(5, "update", |event| {
        event["responseObject"]["metadata"]["managedFields"] = managed(std::slice::from_ref(&old));
        event["responseObject"].as_object_mut().unwrap().remove("subjects");
    });
    assert_eq!(alerts(&[emptied]).len(), 1);
    // Nor is a role that nobody wrote told, nor is aws-auth quiet.
    let of = |kind: &str, resource: &str, part: &str, value: Value| {
        then(5, "update", |event| {
            event["objectRef"]["resource"] = json!(resource);
            event["responseObject"] = json!({
                "kind": kind, "metadata": { "name": "backup", "resourceVersion": "9", "managedFields": managed(std::slice::from_ref(&old)) },
            });
            event["responseObject"][part] = value;
            if kind == "ConfigMap" {
                event["objectRef"] = json!({ "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" });
            }
        })
    };
    let rules = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
    assert_eq!(titles(&alerts(&[of("ClusterRole", "clusterroles", "rules", rules)])), [""; 0]);
    let map = json!({ "mapRoles": "- rolearn: arn:aws:iam::111122223333:role/x\n  groups: [system:masters]\n" });
    assert_eq!(alerts(&[of("ConfigMap", "configmaps", "data", map)]).len(), 1);
}

#[test]
fn a_lie_about_who_gave_what() {
    // The label is read before the change that it came after, or that change was never seen.
    let before = then(1, "create", |event| {
        event["responseStatus"]["code"] = json!(201);
        event["responseObject"]["subjects"] = json!([{ "kind": "Group", "name": "ops" }]);
    });
    let label = {
        let mut event = patch(5, json!({ "metadata": { "labels": { "a": "b" } } }), None);
        event["user"]["username"] = json!("ann");
        event
    };
    let removal = {
        let mut event = patch(7, json!([{ "op": "remove", "path": "/subjects/0" }]), None);
        event["responseObject"]["subjects"] = json!([{ "kind": "Group", "name": "ops" }]);
        event
    };
    let told = titles(&alerts(&[before, label, removal]));
    assert!(told.iter().any(|title| title.contains("ann changed") && title.contains("now gives mallory")), "{told:?}");
    assert!(told.iter().all(|title| !title.contains("ann gave") && !title.contains("withdrew")), "{told:?}");
}
