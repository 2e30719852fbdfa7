//! What a write stored is read from the answer where there is one, from the request where that is the whole object, and is
//! otherwise said not to be known.

use serde_json::{Value, json};

use super::adversary::grant;
use crate::audit::AuditEvent;
use crate::change::{Change, Content, Ordinary};
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

/// Why a patch of a binding with this body is ordinary. The answer has these labels.
fn ordinary(name: &str, query: &str, body: Value, labels: &Value) -> Option<Ordinary> {
    let mut event = grant();
    event["verb"] = json!("patch");
    event["responseStatus"]["code"] = json!(200);
    event["objectRef"]["name"] = json!(name);
    event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}?{query}"));
    event["requestObject"] = body;
    event["responseObject"] = binding("stored");
    event["responseObject"]["metadata"]["name"] = json!(name);
    event["responseObject"]["metadata"]["labels"] = labels.clone();
    let line = event.to_string();
    Change::of(&AuditEvent::read(&line).unwrap(), "", None, &Memory::default()).unwrap().ordinary
}

/// An apply states all that its author wants to have; without rules and subjects it takes theirs away.
#[test]
fn a_patch_of_nothing_changes_nothing_unless_it_may_be_an_apply() {
    let no_op = Some(Ordinary::NoOp);
    let bare = || json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "b" } });
    let rows = [
        ("fieldManager=kubectl", json!({}), no_op),
        ("fieldManager=kubectl", json!([]), no_op),
        ("fieldManager=kubectl", bare(), None),
        ("fieldManager=kubectl&force=true", json!({ "metadata": {} }), None),
        ("", json!({}), no_op),
        ("", bare(), no_op),
    ];
    for (query, body, expected) in rows {
        assert_eq!(ordinary("b", query, body.clone(), &json!({})), expected, "{query} {body}");
    }
}

/// `kubectl label` names a field manager as an apply does, but never a kind.
#[test]
fn an_apply_of_metadata_alone_is_no_patch_of_metadata() {
    let stated = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "b", "labels": { "team": "a" } } });
    let label = json!({ "metadata": { "labels": { "team": "a" } } });
    let metadata_only = Some(Ordinary::MetadataOnly);
    for (query, body, expected) in [
        ("fieldManager=mallory&force=true", &stated, None),
        ("fieldManager=kubectl-label", &label, metadata_only),
        ("", &stated, metadata_only),
    ] {
        assert_eq!(ordinary("b", query, body.clone(), &json!({ "team": "a" })), expected, "{query} {body}");
    }
}

#[test]
fn metadata_is_ordinary_unless_it_stops_repairs_or_poses_as_the_defaults() {
    let label = || json!({ "metadata": { "labels": { "team": "a" } } });
    let defaults = json!({ "kubernetes.io/bootstrapping": "rbac-defaults" });
    let metadata_only = Some(Ordinary::MetadataOnly);
    assert_eq!(ordinary("b", "", label(), &json!({ "team": "a" })), metadata_only);
    assert_eq!(ordinary("b", "", label(), &defaults), None, "poses as one of the defaults");
    assert_eq!(ordinary("system:basic-user", "", label(), &defaults), metadata_only, "is one of them");
}

/// A delete with a body goes by the body; its query counts where the server is known to have been sent none.
#[test]
fn a_delete_is_tried_by_its_query_only_where_no_body_was_sent() {
    let is_dry_run = |verb: &str, level: &str, query: &str, options: Option<Value>| {
        let mut event = grant();
        event["verb"] = json!(verb);
        event["level"] = json!(level);
        event["responseStatus"]["code"] = json!(200);
        event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/b?{query}"));
        for body in ["requestObject", "responseObject"] {
            event.as_object_mut().unwrap().remove(body);
        }
        if let Some(options) = options {
            event["requestObject"] = options;
        }
        let line = event.to_string();
        let change = Change::of(&AuditEvent::read(&line).unwrap(), "", None, &Memory::default()).unwrap();
        change.ordinary == Some(Ordinary::DryRun)
    };
    let options = |dry_run: Value| Some(json!({ "kind": "DeleteOptions", "apiVersion": "v1", "dryRun": dry_run }));
    for verb in ["delete", "deletecollection"] {
        for level in ["Request", "RequestResponse"] {
            assert!(is_dry_run(verb, level, "dryRun=All", None), "{verb} {level}");
            assert!(!is_dry_run(verb, level, "", None), "{verb} {level}");
            assert!(!is_dry_run(verb, level, "dryRun=All", options(json!([]))), "{verb} {level}: a body counts");
        }
        assert!(!is_dry_run(verb, "Metadata", "dryRun=All", None), "{verb}: a body is not recorded at this level");
        assert!(is_dry_run(verb, "RequestResponse", "", options(json!(["All"]))), "{verb}");
    }
}
