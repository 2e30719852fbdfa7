//! Every combination: held, and not held without one of its parts.

use crate::rbac::combination::{COMBINATIONS, Combination};
use crate::rbac::{PolicyRule, Scope, assess, assess_many};
use crate::severity::Severity::{self, Critical, High, Low, Medium};

use super::{named, rule};

const RBAC: &str = "rbac.authorization.k8s.io";
const CERTIFICATES: &str = "certificates.k8s.io";

fn web() -> Scope {
    Scope::Namespace("web".to_owned())
}

fn found(rules: &[PolicyRule], scope: &Scope, id: &str) -> Option<Severity> {
    assert!(COMBINATIONS.iter().any(|combination| combination.id == id), "no combination {id}");
    let assessment = assess(rules, scope);
    assessment.combinations.iter().find(|found| found.combination.id == id).map(|found| found.severity)
}

/// Id, the parts, the grade in the cluster, the grade when the parts hold in one namespace.
fn table() -> Vec<(&'static str, Vec<PolicyRule>, Severity, Option<Severity>)> {
    vec![
        (
            "escalate-and-write-roles",
            vec![rule("escalate", RBAC, "roles"), rule("update", RBAC, "roles")],
            Critical,
            Some(Critical),
        ),
        (
            "bind-and-write-bindings",
            vec![rule("bind", RBAC, "clusterroles"), rule("create", RBAC, "rolebindings")],
            Critical,
            Some(Critical),
        ),
        (
            "impersonate-user-and-group",
            vec![rule("impersonate", "", "groups"), rule("impersonate", "", "serviceaccounts")],
            Critical,
            None,
        ),
        ("workloads-in-kube-system", vec![rule("create", "apps", "daemonsets")], Critical, None),
        (
            "secrets-create-and-read",
            vec![rule("create", "", "secrets"), rule("get", "", "secrets")],
            Critical,
            Some(High),
        ),
        (
            "secrets-read-and-accounts-list",
            vec![rule("watch", "", "secrets"), rule("list", "", "serviceaccounts")],
            High,
            Some(High),
        ),
        (
            "csr-create-and-approve",
            vec![
                rule("create", CERTIFICATES, "certificatesigningrequests"),
                rule("update", CERTIFICATES, "certificatesigningrequests/approval"),
                rule("approve", CERTIFICATES, "signers"),
            ],
            High,
            None,
        ),
        (
            "accounts-change-and-pods-create",
            vec![rule("patch", "", "serviceaccounts"), rule("create", "", "pods")],
            High,
            Some(High),
        ),
        (
            "configmaps-replace-in-kube-system",
            vec![rule("delete", "", "configmaps"), rule("create", "", "configmaps")],
            Critical,
            None,
        ),
        (
            "volumes-claims-and-pods-create",
            vec![
                rule("create", "", "persistentvolumes"),
                rule("create", "", "persistentvolumeclaims"),
                rule("create", "", "pods"),
            ],
            Critical,
            None,
        ),
        (
            "nodes-change-and-pods-remove",
            vec![rule("patch", "", "nodes"), rule("create", "", "pods/eviction")],
            High,
            None,
        ),
        (
            "namespaces-change-and-pods-create",
            vec![rule("patch", "", "namespaces"), rule("create", "", "pods")],
            High,
            Some(High),
        ),
        (
            "guard-removed-first",
            vec![
                rule("delete", "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
                rule("update", "", "configmaps"),
            ],
            High,
            None,
        ),
        ("pods-create-and-log", vec![rule("create", "", "pods"), rule("get", "", "pods/log")], High, Some(High)),
    ]
}

#[test]
fn every_combination_needs_all_its_parts() {
    let table = table();
    for (id, parts, cluster, namespace) in &table {
        assert_eq!(found(parts, &Scope::Cluster, id), Some(*cluster), "{id} in the cluster");
        assert_eq!(found(parts, &web(), id), *namespace, "{id} in a namespace");
        for left_out in 0..parts.len() {
            let rest: Vec<PolicyRule> = parts
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != left_out)
                .map(|(_, part)| part.clone())
                .collect();
            assert_eq!(found(&rest, &Scope::Cluster, id), None, "{id} without part {left_out}");
        }
        let scattered: Vec<(Scope, Vec<PolicyRule>)> =
            parts.iter().map(|part| (Scope::Cluster, vec![part.clone()])).collect();
        let whole = assess_many(&scattered);
        assert!(whole.combinations.iter().any(|found| found.combination.id == *id), "{id} over several roles");
    }
    let listed = |one: &&Combination| !table.iter().any(|(id, ..)| *id == one.id);
    assert_eq!(COMBINATIONS.iter().find(listed), None);
}

#[test]
fn kube_system_is_graded_as_the_cluster() {
    let kube_system = Scope::Namespace("kube-system".to_owned());
    let secrets = [rule("create", "", "secrets"), rule("list", "", "secrets")];
    assert_eq!(found(&secrets, &kube_system, "secrets-create-and-read"), Some(Critical));
    assert_eq!(found(&[rule("create", "", "pods")], &kube_system, "workloads-in-kube-system"), Some(Critical));
    assert_eq!(found(&[rule("update", "batch", "jobs")], &kube_system, "workloads-in-kube-system"), None);
    assert_eq!(
        found(&[rule("delete,create", "", "configmaps")], &kube_system, "configmaps-replace-in-kube-system"),
        Some(Critical)
    );
}

#[test]
fn parts_meet_only_where_both_hold() {
    let read = || vec![rule("get", "", "secrets")];
    let create = || vec![rule("create", "", "secrets")];
    let scope = |name: &str| Scope::Namespace(name.to_owned());
    let meets = |grants: &[(Scope, Vec<PolicyRule>)]| -> Vec<(String, Severity)> {
        let found = assess_many(grants).combinations;
        found.into_iter().map(|one| (one.scope.to_string(), one.severity)).collect()
    };
    assert_eq!(meets(&[(scope("web"), read()), (scope("ci"), create())]), []);
    assert_eq!(meets(&[(scope("web"), read()), (scope("web"), create())]), [("in namespace web".to_owned(), High)]);
    assert_eq!(meets(&[(Scope::Cluster, read()), (scope("web"), create())]), [("in namespace web".to_owned(), High)]);
    assert_eq!(
        meets(&[(Scope::Cluster, [read(), create()].concat()), (scope("web"), [read(), create()].concat())]),
        [("in every namespace".to_owned(), Critical)]
    );
    let volumes = vec![rule("create", "", "persistentvolumes")];
    let rest = vec![rule("create", "", "persistentvolumeclaims,pods")];
    assert_eq!(meets(&[(Scope::Cluster, volumes), (scope("web"), rest)]), [("in namespace web".to_owned(), Critical)]);
}

#[test]
fn names_limit_combinations_too() {
    let bind = |roles: &str| [named("bind", RBAC, "clusterroles", roles), rule("create", RBAC, "clusterrolebindings")];
    let id = "bind-and-write-bindings";
    assert_eq!(found(&bind("view"), &Scope::Cluster, id), Some(Medium));
    assert_eq!(found(&bind("cluster-admin"), &Scope::Cluster, id), Some(Critical));
    let group = |name: &str| [named("impersonate", "", "groups", name), rule("impersonate", "", "users")];
    let id = "impersonate-user-and-group";
    assert_eq!(found(&group("system:masters"), &Scope::Cluster, id), Some(Critical));
    assert_eq!(found(&group("developers"), &Scope::Cluster, id), Some(Medium));
    let escalate = [named("escalate,update", RBAC, "clusterroles", "ours")];
    assert_eq!(found(&escalate, &Scope::Cluster, "escalate-and-write-roles"), Some(Critical));
    // A create limited to names creates nothing.
    let create = [named("create", "", "secrets", "a"), rule("get", "", "secrets")];
    assert_eq!(found(&create, &Scope::Cluster, "secrets-create-and-read"), None);
}

#[test]
fn the_whole_is_as_grave_as_its_worst_part() {
    let assessment = assess(&[rule("get", "", "secrets"), rule("get", "", "pods")], &Scope::Cluster);
    assert_eq!(assessment.severity, Some(Critical));
    let severities: Vec<Severity> = assessment.risks.iter().map(|found| found.severity).collect();
    assert_eq!(severities, [Critical, Low]);
    // Groups alone are high, with users critical: by the combination only.
    let groups = [rule("impersonate", "", "groups"), named("impersonate", "", "users", "jane")];
    assert_eq!(assess(&groups[..1], &Scope::Cluster).severity, Some(High));
    assert_eq!(assess(&groups, &Scope::Cluster).severity, Some(Critical));
    assert!(assess(&[rule("*", "*", "*")], &Scope::Cluster).combinations.is_empty());
    assert_eq!(assess(&[], &Scope::Cluster).severity, None);
    let both = [(Scope::Cluster, vec![rule("*", "*", "*")]), (web(), vec![rule("get", "", "secrets")])];
    assert_eq!(assess_many(&both).risks.len(), 1);
    let known = [(Scope::Cluster, vec![rule("get", "", "secrets")]), (web(), vec![rule("list", "", "secrets")])];
    assert_eq!(assess_many(&known).risks.len(), 1);
    let narrow = [(Scope::Cluster, vec![named("get", "", "secrets", "a")]), (web(), vec![rule("list", "", "secrets")])];
    assert_eq!(assess_many(&narrow).risks.len(), 2);
    let as_grave = [
        (Scope::Cluster, vec![rule("update", RBAC, "rolebindings")]),
        (web(), vec![rule("update", RBAC, "rolebindings")]),
    ];
    assert_eq!(assess_many(&as_grave).risks.len(), 1);
    // One role in the cluster is not every role of the namespace, though no less grave.
    let other =
        [(Scope::Cluster, vec![named("escalate", RBAC, "roles", "a")]), (web(), vec![rule("escalate", RBAC, "roles")])];
    assert_eq!(assess_many(&other).risks.len(), 2);
}

#[test]
fn what_has_no_effect_in_a_namespace_is_no_part_of_a_combination() {
    let nodes = || vec![rule("patch", "", "nodes")];
    let pods = || vec![rule("delete", "", "pods")];
    assert_eq!(assess_many(&[(Scope::Cluster, pods()), (web(), nodes())]).combinations, []);
    assert_eq!(assess_many(&[(Scope::Cluster, nodes()), (web(), pods())]).combinations.len(), 1);
}
