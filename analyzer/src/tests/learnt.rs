//! What is known of an object after a change is what was seen to be stored: what may have been is no knowledge.

use serde_json::{Value, json};

use super::adversary::grant;
use super::harness::judge;
use crate::kube::ObjectKind;
use crate::memory::{Memory, ObjectKey};
use crate::settings::Settings;

/// What is known of the binding after these events.
fn known(events: &[&Value]) -> &'static str {
    let mut memory = Memory::default();
    for event in events {
        judge(&[event.to_string()], &Settings::default(), &mut memory);
    }
    let key = ObjectKey {
        cluster: String::new(),
        kind: ObjectKind::ClusterRoleBinding,
        namespace: String::new(),
        name: "backup".to_owned(),
    };
    match memory.last(&key) {
        None => "nothing",
        Some(last) if last.deleted => "that it is gone",
        Some(last) if last.unseen => "that it was changed",
        Some(_) => "what it says",
    }
}

/// The same without an answer: it may have been done.
fn unanswered(event: &Value) -> Value {
    let mut event = event.clone();
    event.as_object_mut().unwrap().remove("responseStatus");
    event.as_object_mut().unwrap().remove("responseObject");
    event
}

fn deletion(verb: &str, answer: Value) -> Value {
    let mut event = grant();
    event["verb"] = json!(verb);
    event["responseStatus"]["code"] = json!(200);
    event["requestObject"] = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
    event["responseObject"] = answer;
    event
}

#[test]
fn what_was_stored_is_known_and_what_may_have_been_is_not() {
    let created = grant();
    assert_eq!(known(&[&created]), "what it says");
    assert_eq!(known(&[&unanswered(&created)]), "that it was changed");
    assert_eq!(known(&[&created, &unanswered(&created)]), "that it was changed");
    // The answer is not recorded, and yet nothing was written.
    let mut patched = grant();
    patched["verb"] = json!("patch");
    patched["responseStatus"]["code"] = json!(200);
    patched.as_object_mut().unwrap().remove("responseObject");
    for (body, expected) in [(json!({}), "what it says"), (json!({ "subjects": null }), "that it was changed")] {
        patched["requestObject"] = body;
        assert_eq!(known(&[&created, &patched]), expected);
    }
}

#[test]
fn what_was_deleted_is_gone_and_what_may_have_been_or_is_to_be_is_not() {
    let created = grant();
    let deleted = deletion("delete", json!({ "kind": "Status", "status": "Success" }));
    assert_eq!(known(&[&created, &deleted]), "that it is gone");
    assert_eq!(known(&[&created, &unanswered(&deleted)]), "what it says");
    let kept_by_a_finalizer = deletion("delete", created["responseObject"].clone());
    assert_eq!(known(&[&created, &kept_by_a_finalizer]), "what it says");
    let list = json!({ "kind": "ClusterRoleBindingList", "items": [created["responseObject"]] });
    let all = deletion("deletecollection", list);
    assert_eq!(known(&[&created, &all]), "that it is gone");
    assert_eq!(known(&[&created, &unanswered(&all)]), "what it says");
}

/// The authenticator's reload tells what was in an `aws-auth` that nobody saw; only a creation is waited for.
#[test]
fn only_a_creation_of_aws_auth_whose_content_was_not_recorded_waits_for_the_reload() {
    let waits = |verb: &str, code: Option<u16>, content: Option<Value>| {
        let mut event = grant();
        event["verb"] = json!(verb);
        event["level"] = json!("Metadata");
        event["objectRef"] =
            json!({ "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" });
        event["responseStatus"] = json!({ "code": code });
        for (name, body) in [("requestObject", None), ("responseObject", content)] {
            event.as_object_mut().unwrap().remove(name);
            if let Some(body) = body {
                event[name] = body;
            }
        }
        if code.is_none() {
            event = unanswered(&event);
        }
        let mut memory = Memory::default();
        judge(&[event.to_string()], &Settings::default(), &mut memory);
        memory.unseen("").is_some()
    };
    let content = json!({ "kind": "ConfigMap", "metadata": { "name": "aws-auth" }, "data": { "mapRoles": "[]" } });
    assert!(waits("create", Some(201), None));
    assert!(!waits("create", None, None), "it may not have been created");
    assert!(!waits("create", Some(201), Some(content)), "its content was seen");
    assert!(!waits("create", Some(201), Some(json!("no object"))), "its content is there, and broken");
    assert!(!waits("update", Some(200), None), "it was there before");
}
