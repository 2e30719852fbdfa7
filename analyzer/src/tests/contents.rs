//! What a write stored is read from the answer where there is one, from the request where that is the whole object, and is
//! otherwise said not to be known.

use serde_json::{Value, json};

use super::adversary::grant;
use crate::audit::AuditEvent;
use crate::change::{Change, Content};
use crate::memory::{Memory, State};

fn binding(to: &str) -> Value {
    json!({
        "kind": "ClusterRoleBinding",
        "metadata": { "name": format!("of-{to}"), "resourceVersion": "12" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view" },
        "subjects": [{ "kind": "User", "name": to, "apiGroup": "rbac.authorization.k8s.io" }],
    })
}

/// Name, stored version and content of the change that an event is.
fn read(event: &Value) -> String {
    let line = event.to_string();
    let event = AuditEvent::read(&line).unwrap();
    let change = Change::of(&event, "", None, &Memory::default()).unwrap();
    let content = match &change.after {
        Content::Known(State::Binding { subjects, .. }) => {
            subjects.iter().map(ToString::to_string).collect::<Vec<_>>().join("+")
        }
        Content::Known(State::ServiceAccount(annotations)) => format!("{} annotations", annotations.len()),
        other => format!("{other:?}"),
    };
    format!("{} {:?} {content}", change.name, change.version())
}

#[test]
fn the_answer_counts_over_the_request_and_what_is_neither_is_unknown() {
    let (asked, stored) = (binding("asked"), binding("stored"));
    let mut with_items = asked.clone();
    with_items["items"] = json!([]);
    let partial =
        json!({ "kind": "PartialObjectMetadata", "metadata": { "name": "partial", "resourceVersion": "13" } });
    let (status, text) = (json!({ "kind": "Status" }), json!("no object"));
    let none = Value::Null;
    let rows = [
        ("create", &asked, &stored, "of-stored Some(12) User stored"),
        ("patch", &asked, &stored, "of-stored Some(12) User stored"),
        ("create", &asked, &none, "of-asked None User asked"),
        ("update", &asked, &none, "of-asked None User asked"),
        ("patch", &asked, &none, " None NotRecorded"),
        ("create", &asked, &partial, "of-asked Some(13) User asked"),
        ("patch", &asked, &partial, "partial Some(13) NotRecorded"),
        ("create", &asked, &status, "of-asked None User asked"),
        ("patch", &asked, &status, " None NotRecorded"),
        ("create", &text, &none, " None Unreadable"),
        ("patch", &text, &none, " None NotRecorded"),
        ("create", &none, &text, " None Unreadable"),
        ("patch", &asked, &text, " None Unreadable"),
        ("create", &asked, &text, "of-asked None User asked"),
        ("create", &none, &none, " None NotRecorded"),
        // A client may write what a list has; a list it is only by its kind.
        ("create", &with_items, &none, "of-asked None User asked"),
    ];
    for (verb, request, response, expected) in rows {
        let mut event = grant();
        event["verb"] = json!(verb);
        event["objectRef"]["name"] = json!("");
        for (key, body) in [("requestObject", request), ("responseObject", response)] {
            event[key] = body.clone();
            if body.is_null() {
                event.as_object_mut().unwrap().remove(key);
            }
        }
        assert_eq!(read(&event), expected, "{verb} {request} {response}");
    }
}

#[test]
fn a_service_account_is_known_by_its_metadata_and_a_cut_event_not_at_all() {
    let mut event = grant();
    event["objectRef"] =
        json!({ "resource": "serviceaccounts", "namespace": "apps", "name": "web", "apiVersion": "v1" });
    let annotations = json!({ "eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/web" });
    event["responseObject"] =
        json!({ "kind": "PartialObjectMetadata", "metadata": { "name": "web", "annotations": annotations } });
    assert_eq!(read(&event), "web None 1 annotations");
    let mut cut = grant();
    cut["annotations"]["audit.k8s.io/truncated"] = json!("true");
    for key in ["requestObject", "responseObject"] {
        cut.as_object_mut().unwrap().remove(key);
    }
    assert!(read(&cut).ends_with(" Cut"), "{}", read(&cut));
}
