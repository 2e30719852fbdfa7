//! What is exempt is exempt exactly: beside each thing that the control plane does all day stands what is nearly that.

use serde_json::{Value, json};

use super::adversary::grant;
use super::harness::judge;
use crate::audit::AuditEvent;
use crate::change::Change;
use crate::memory::Memory;
use crate::report::Quiet;
use crate::settings::Settings;

const GROUP: &str = "rbac.authorization.k8s.io";

fn is_routine(event: &Value) -> bool {
    let report = judge(&[event.to_string()], &Settings::default(), &mut Memory::default());
    let routine = report.quiet.get(&Quiet::ControlPlaneRoutine).copied() == Some(1);
    assert!(!routine || report.alerts.is_empty(), "{report:?}");
    routine
}

/// A write of one object by a caller, inside the network.
fn write(user: Value, verb: &str, resource: &str, (namespace, name): (&str, &str), object: &Value) -> Value {
    let mut event = grant();
    let group = if resource == "configmaps" { "" } else { GROUP };
    event["verb"] = json!(verb);
    event["user"] = user;
    event["sourceIPs"] = json!(["10.0.12.9"]);
    event["userAgent"] = json!("kube-controller-manager/v1.36.2");
    event["responseStatus"]["code"] = json!(if verb == "create" { 201 } else { 200 });
    event["requestURI"] = json!(format!("/apis/{group}/v1/{resource}/{name}"));
    event["objectRef"] =
        json!({ "resource": resource, "namespace": namespace, "name": name, "apiGroup": group, "apiVersion": "v1" });
    let mut object = object.clone();
    object["metadata"]["name"] = json!(name);
    object["metadata"]["namespace"] = json!(namespace);
    object["metadata"]["resourceVersion"] = json!("5012");
    event["responseObject"] = object.clone();
    object["metadata"]["resourceVersion"] = json!("5000");
    event["requestObject"] = object;
    event
}

fn controller(name: &str) -> Value {
    json!({
        "username": format!("system:serviceaccount:kube-system:{name}"),
        "uid": "0b8a4bb6-7a4e-4a30-9d4d-3d2f5c9a0b11",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
        "extra": { "authentication.kubernetes.io/credential-id": ["JTI=7e6d1f0a-3f49-4f53-9a20-6a3c1c1f0d01"] },
    })
}

fn certificate(name: &str) -> Value {
    json!({
        "username": name,
        "groups": ["system:authenticated"],
        "extra": { "authentication.kubernetes.io/credential-id": ["X509SHA256=00"] },
    })
}

fn role(kind: &str, rule: &Value) -> Value {
    json!({ "kind": kind, "apiVersion": "rbac.authorization.k8s.io/v1", "rules": [rule] })
}

fn binding(subject: &Value) -> Value {
    json!({
        "kind": "ClusterRoleBinding",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "subjects": [subject],
        "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": "view" },
    })
}

#[test]
fn roles_are_aggregated_by_their_controller_into_the_three_that_aggregate_and_never_with_everything() {
    let rule = |groups: &str, resources: &str, verbs: &str| json!({ "apiGroups": [groups], "resources": [resources], "verbs": [verbs] });
    let pods = rule("", "pods", "get");
    let by = |who: &str, verb: &str, resource: &str, name: &str, rule: &Value| {
        let kind = if resource == "roles" { "Role" } else { "ClusterRole" };
        let namespace = if resource == "roles" { "dev" } else { "" };
        is_routine(&write(controller(who), verb, resource, (namespace, name), &role(kind, rule)))
    };
    let itself = "clusterrole-aggregation-controller";
    for name in ["admin", "edit", "view"] {
        assert!(by(itself, "update", "clusterroles", name, &pods), "{name}");
    }
    assert!(by(itself, "patch", "clusterroles", "edit", &rule("apps", "*", "*")), "much, and not everything");
    for much in [rule("*", "pods", "*"), rule("*", "*", "get")] {
        assert!(by(itself, "update", "clusterroles", "edit", &much), "{much}");
    }
    assert!(!by(itself, "update", "clusterroles", "ops", &pods), "another role");
    assert!(!by(itself, "create", "clusterroles", "edit", &pods), "it never creates");
    assert!(!by(itself, "update", "roles", "edit", &pods), "a Role of that name");
    assert!(!by("job-controller", "update", "clusterroles", "edit", &pods), "another controller");
    let mut elsewhere = controller(itself);
    elsewhere["username"] = json!(format!("system:serviceaccount:dev:{itself}"));
    elsewhere["groups"] = json!(["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"]);
    let of_that_name = write(elsewhere, "update", "clusterroles", ("", "edit"), &role("ClusterRole", &pods));
    assert!(!is_routine(&of_that_name), "an account of that name in another namespace");
    // Whatever else is found of it.
    let line = of_that_name.to_string();
    let change = Change::of(&AuditEvent::read(&line).unwrap(), "", None, &Memory::default()).unwrap();
    assert_eq!(change.ordinary, None);
    for everything in
        [rule("*", "*", "*"), rule(GROUP, "clusterroles", "escalate"), rule(GROUP, "clusterroles", "bind")]
    {
        assert!(!by(itself, "update", "clusterroles", "edit", &everything), "{everything}");
    }
}

#[test]
fn what_is_deleted_with_its_namespace_or_owner_is_routine_and_nothing_else() {
    let pods = json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] });
    let gone = |who: &str, verb: &str, resource: &str, namespace: &str, name: &str| {
        let mut event = write(controller(who), verb, resource, (namespace, name), &role("Role", &pods));
        event["requestObject"] = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
        event["responseObject"] = json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" });
        if verb == "deletecollection" {
            event["objectRef"].as_object_mut().unwrap().shift_remove("name");
        }
        is_routine(&event)
    };
    let (spaces, garbage) = ("namespace-controller", "generic-garbage-collector");
    assert!(gone(spaces, "deletecollection", "roles", "dev", ""));
    assert!(gone(spaces, "deletecollection", "rolebindings", "dev", ""));
    assert!(!gone(spaces, "deletecollection", "roles", "kube-system", ""), "kube-system never ends");
    assert!(!gone(spaces, "delete", "roles", "dev", "edit"), "one by one it deletes none");
    assert!(gone(garbage, "delete", "roles", "dev", "edit"));
    assert!(!gone(garbage, "deletecollection", "roles", "dev", ""), "it deletes one by one");
    assert!(!gone(garbage, "delete", "configmaps", "kube-system", "aws-auth"), "aws-auth has no owner");
}

#[test]
fn stock_objects_are_written_by_the_api_server_alone_newer_ones_under_its_own_label() {
    let rule = json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] });
    let by = |user: Value, address: &str, name: &str, labels: Value| {
        let mut event = write(user, "update", "clusterroles", ("", name), &role("ClusterRole", &rule));
        event["sourceIPs"] = json!([address]);
        for body in ["requestObject", "responseObject"] {
            event[body]["metadata"]["labels"] = labels.clone();
        }
        is_routine(&event)
    };
    let itself = || json!({ "username": "system:apiserver", "groups": ["system:masters"] });
    let label = || json!({ "kubernetes.io/bootstrapping": "rbac-defaults" });
    assert!(by(itself(), "::1", "system:discovery", label()));
    assert!(by(itself(), "::1", "view", json!({})), "known without its label");
    assert!(by(itself(), "::1", "system:of-a-later-release", label()));
    assert!(!by(itself(), "::1", "system:of-a-later-release", json!({})), "without the label");
    assert!(!by(itself(), "::1", "of-a-later-release", label()), "without the prefix");
    assert!(!by(certificate("system:kube-controller-manager"), "10.0.12.9", "system:discovery", label()));
    assert!(!by(itself(), "10.0.12.9", "system:discovery", label()), "not over its loopback");
}

#[test]
fn eks_binds_its_own_roles_to_what_is_its_own() {
    let by = |user: &str, name: &str, subject: Value| {
        is_routine(&write(certificate(user), "update", "clusterrolebindings", ("", name), &binding(&subject)))
    };
    let user = |name: &str| json!({ "kind": "User", "apiGroup": GROUP, "name": name });
    let group = |name: &str| json!({ "kind": "Group", "apiGroup": GROUP, "name": name });
    let account = |namespace: &str| json!({ "kind": "ServiceAccount", "namespace": namespace, "name": "a" });
    let eks = "eks:cluster-bootstrap";
    for name in ["eks:node-manager", "aws-node", "vpc-resource-controller-rolebinding", "system:coredns"] {
        assert!(by(eks, name, user("eks:node-manager")), "{name}");
    }
    for subject in [group("system:nodes"), user("system:kube-proxy"), group("eks:x"), account("kube-system")] {
        assert!(by(eks, "eks:extras", subject.clone()), "{subject}");
    }
    assert!(!by(eks, "extras", user("eks:node-manager")), "a name that is not EKS's");
    assert!(!by(eks, "aws-node-2", user("eks:node-manager")), "nearly one of EKS's");
    for subject in [user("mallory"), group("ops"), account("default"), json!({ "kind": "Robot", "name": "eks:x" })] {
        assert!(!by(eks, "eks:extras", subject.clone()), "{subject}");
    }
    assert!(!by("system:kube-scheduler", "eks:extras", user("eks:x")), "not EKS");
}

#[test]
fn eks_adds_nodes_to_aws_auth_and_nothing_else() {
    let nodes = |role: &str| {
        format!(
            "- rolearn: arn:aws:iam::111122223333:role/{role}\n  username: system:node:{{{{EC2PrivateDNSName}}}}\n  groups: [system:bootstrappers, system:nodes]\n"
        )
    };
    let admin = "- rolearn: arn:aws:iam::111122223333:role/ops\n  username: ops\n  groups: [system:masters]\n";
    let manager = || {
        json!({
            "username": "eks:node-manager",
            "uid": "aws-iam-authenticator:999988887777:AROAEXAMPLE0000000001",
            "groups": ["system:authenticated"],
            "extra": {
                "arn": ["arn:aws:sts::999988887777:assumed-role/AWSWesleyClusterManagerLambda-NodeManagerRole-1A/x"],
                "sessionName": ["x"],
            },
        })
    };
    let of = |roles: &str| json!({ "kind": "ConfigMap", "apiVersion": "v1", "data": { "mapRoles": roles } });
    let place = ("kube-system", "aws-auth");
    let is_routine_after = |before: Option<&str>, after: &str| {
        let mut lines = Vec::new();
        if let Some(before) = before {
            let mut event = write(grant()["user"].clone(), "update", "configmaps", place, &of(before));
            event["responseObject"]["metadata"]["resourceVersion"] = json!("4000");
            event["requestObject"]["metadata"]["resourceVersion"] = json!("3000");
            lines.push(event.to_string());
        }
        lines.push(write(manager(), "update", "configmaps", place, &of(after)).to_string());
        let report = judge(&lines, &Settings::default(), &mut Memory::default());
        report.quiet.get(&Quiet::ControlPlaneRoutine).copied() == Some(1)
    };
    let one = nodes("one");
    let two = one.clone() + &nodes("two");
    assert!(is_routine_after(Some(&one), &two), "nodes added");
    assert!(!is_routine_after(None, &two), "added to what nobody has seen");
    assert!(!is_routine_after(Some(&two), &one), "nodes taken away");
    assert!(!is_routine_after(Some(&one), &(one.clone() + admin)), "somebody else added");
    assert!(!is_routine_after(Some(admin), &two), "somebody else taken away");
    let trap = one.clone() + "- rolearn: 7\n";
    assert!(!is_routine_after(Some(&one), &trap), "an entry that means nothing added");
    assert!(!is_routine_after(Some(&one), "- ["), "broken");
}
