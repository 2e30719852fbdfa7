//! The built-in roles and bindings.

use crate::rbac::stock::{binding, bindings, grade};
use crate::rbac::{RoleKind, RoleRef, Scope, Subject, assess, is_stock_name, stock_role};
use crate::severity::Severity;

/// Kind, name, grade in the cluster and in a namespace; `-` for none.
const GRADES: &str = "
    ClusterRole cluster-admin critical critical
    ClusterRole admin critical high
    ClusterRole edit critical high
    ClusterRole view medium low
    ClusterRole system:aggregate-to-admin critical high
    ClusterRole system:aggregate-to-edit critical high
    ClusterRole system:aggregate-to-view medium low
    ClusterRole system:kube-controller-manager critical high
    ClusterRole system:controller:clusterrole-aggregation-controller critical -
    ClusterRole system:controller:generic-garbage-collector critical critical
    ClusterRole system:controller:namespace-controller critical high
    ClusterRole system:controller:resourcequota-controller critical high
    ClusterRole system:controller:cronjob-controller critical high
    ClusterRole system:controller:daemon-set-controller critical high
    ClusterRole system:controller:deployment-controller critical high
    ClusterRole system:controller:job-controller critical high
    ClusterRole system:controller:replicaset-controller critical high
    ClusterRole system:controller:replication-controller critical high
    ClusterRole system:controller:statefulset-controller critical high
    ClusterRole system:controller:root-ca-cert-publisher critical medium
    ClusterRole system:controller:service-ca-cert-publisher critical medium
    ClusterRole system:controller:persistent-volume-binder critical high
    ClusterRole system:persistent-volume-provisioner critical -
    ClusterRole system:volume-scheduler critical -
    ClusterRole system:controller:certificate-controller high -
    ClusterRole system:certificates.k8s.io:kube-apiserver-client-approver high -
    ClusterRole system:certificates.k8s.io:legacy-unknown-approver high -
    ClusterRole system:certificates.k8s.io:kube-apiserver-client-kubelet-approver high -
    ClusterRole system:certificates.k8s.io:kubelet-serving-approver high -
    ClusterRole system:certificates.k8s.io:certificatesigningrequests:nodeclient high -
    ClusterRole system:certificates.k8s.io:certificatesigningrequests:selfnodeclient high -
    ClusterRole system:controller:legacy-service-account-token-cleaner critical high
    ClusterRole system:controller:node-controller high medium
    ClusterRole system:controller:ttl-controller high medium
    ClusterRole system:controller:horizontal-pod-autoscaler medium low
    ClusterRole system:kubelet-api-admin critical -
    ClusterRole system:node critical high
    ClusterRole system:kube-scheduler high medium
    ClusterRole system:auth-delegator low -
    ClusterRole system:node-bootstrapper low -
    ClusterRole system:node-proxier informational informational
    ClusterRole system:kube-dns informational informational
    ClusterRole system:heapster informational informational
    ClusterRole system:discovery informational informational
    ClusterRole system:basic-user informational informational
    ClusterRole system:public-info-viewer informational informational
    ClusterRole system:service-account-issuer-discovery informational informational
    Role system:controller:bootstrap-signer critical -
    Role system:controller:token-cleaner critical -
    Role extension-apiserver-authentication-reader low -
";

#[test]
fn every_built_in_role_has_its_grade() {
    for line in GRADES.lines().filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (kind, namespace) = match words[0] {
            "Role" => (RoleKind::Role, Some("kube-system")),
            _ => (RoleKind::ClusterRole, None),
        };
        let role = stock_role(kind, namespace, words[1]).unwrap_or_else(|| panic!("no role {}", words[1]));
        assert_eq!(role.severity_cluster, Severity::parse(words[2]), "{line}");
        assert_eq!(role.severity_namespace, Severity::parse(words[3]), "{line}");
        assert!(!role.why.is_empty() && !role.rules.is_empty(), "{line}");
    }
    // Kubernetes creates this one behind a feature gate that the recording did not have.
    assert_eq!(stock_role(RoleKind::ClusterRole, None, "system:controller:storage-version-migrator-controller"), None);
}

#[test]
fn no_built_in_role_is_graded_below_its_rules() {
    let web = Scope::Namespace("web".to_owned());
    for binding in bindings().iter().filter(|binding| binding.role_kind == RoleKind::ClusterRole) {
        let role = stock_role(RoleKind::ClusterRole, None, binding.role_name).unwrap();
        for (scope, grade) in [(&Scope::Cluster, role.severity_cluster), (&web, role.severity_namespace)] {
            let by_rules = assess(&role.rules, scope).severity.filter(|severity| Severity::Low < *severity);
            assert!(by_rules <= grade, "{} {scope}: {by_rules:?}", binding.role_name);
        }
    }
    let public = stock_role(RoleKind::Role, Some("kube-public"), "system:controller:bootstrap-signer").unwrap();
    assert_eq!((public.severity_cluster, public.severity_namespace), (None, Some(Severity::Low)));
}

#[test]
fn aggregated_roles_hold_the_rules_of_their_parts() {
    let rules = |name| stock_role(RoleKind::ClusterRole, None, name).unwrap().rules;
    assert_eq!((rules("admin").len(), rules("edit").len(), rules("view").len()), (29, 27, 12));
    assert_eq!(rules("view"), rules("system:aggregate-to-view"));
    let edit = assess(&rules("edit"), &Scope::Cluster);
    for id in ["sec-read", "imp-sa", "sa-token", "pod-exec", "pod-create", "cm-awsauth"] {
        assert!(edit.risks.iter().any(|found| found.risk.id == id), "{id}");
    }
}

#[test]
fn names_of_built_in_roles_are_known_by_kind() {
    assert!(is_stock_name(RoleKind::ClusterRole, "admin"));
    assert!(is_stock_name(RoleKind::ClusterRole, "system:node"));
    assert!(!is_stock_name(RoleKind::Role, "admin"));
    assert!(is_stock_name(RoleKind::Role, "system:controller:token-cleaner"));
    assert!(!is_stock_name(RoleKind::ClusterRole, "system:controller:token-cleaner"));
    assert!(!is_stock_name(RoleKind::ClusterRole, "system:nodes"));
    assert_eq!(stock_role(RoleKind::ClusterRole, Some("kube-system"), "admin"), None);
    assert_eq!(stock_role(RoleKind::Role, Some("web"), "system:controller:token-cleaner"), None);
    assert_eq!(stock_role(RoleKind::Role, None, "system:controller:token-cleaner"), None);
}

#[test]
fn built_in_bindings_refer_to_built_in_roles() {
    for binding in bindings() {
        let namespace = binding.namespace.filter(|_| binding.role_kind == RoleKind::Role);
        assert!(stock_role(binding.role_kind, namespace, binding.role_name).is_some(), "{}", binding.name);
    }
    assert_eq!(bindings().len(), 58);
}

#[test]
fn a_built_in_binding_is_recognised_until_somebody_is_added() {
    let known = binding(None, "system:public-info-viewer").unwrap();
    let both = [Subject::Group("system:unauthenticated".to_owned()), Subject::Group("system:authenticated".to_owned())];
    assert!(known.is_unchanged(&known.role_ref(), &both));
    assert!(!known.is_unchanged(&known.role_ref(), &both[..1]));
    let more = [both.as_slice(), &[Subject::User("jane".to_owned())]].concat();
    assert!(!known.is_unchanged(&known.role_ref(), &more));
    let other = RoleRef { kind: RoleKind::ClusterRole, name: "cluster-admin".to_owned() };
    assert!(!known.is_unchanged(&other, &both));
    let users = both.map(|subject| Subject::User(subject.to_string().replace("Group ", "")));
    assert!(!known.is_unchanged(&known.role_ref(), &users));
    let dns = binding(None, "system:kube-dns").unwrap();
    let account =
        |namespace: &str| [Subject::ServiceAccount { namespace: namespace.to_owned(), name: "kube-dns".to_owned() }];
    assert!(dns.is_unchanged(&dns.role_ref(), &account("kube-system")));
    assert!(!dns.is_unchanged(&dns.role_ref(), &account("web")));
    assert_eq!(binding(Some("web"), "system:kube-dns"), None);
    assert!(binding(Some("kube-system"), "system:controller:token-cleaner").is_some());
}

#[test]
fn binding_a_role_by_name_has_a_grade() {
    let jane = Subject::User("jane".to_owned());
    let check = |kind, name: &str, namespace, subject: &Subject, expected| {
        let role_ref = RoleRef { kind, name: name.to_owned() };
        assert_eq!(grade(&role_ref, namespace, subject), expected, "{role_ref} {namespace:?}");
    };
    check(RoleKind::ClusterRole, "edit", None, &jane, Some(Severity::Critical));
    check(RoleKind::ClusterRole, "edit", Some("web"), &jane, Some(Severity::High));
    check(RoleKind::ClusterRole, "edit", Some("kube-system"), &jane, Some(Severity::Critical));
    check(RoleKind::ClusterRole, "system:volume-scheduler", Some("web"), &jane, Some(Severity::Informational));
    check(RoleKind::Role, "system:controller:token-cleaner", Some("kube-system"), &jane, Some(Severity::Critical));
    check(RoleKind::Role, "edit", Some("web"), &jane, None);
    check(RoleKind::ClusterRole, "ours", None, &jane, None);
    check(RoleKind::ClusterRole, "eks:addon-manager", None, &jane, Some(Severity::High));
    let eks = Subject::User("eks:addon-manager".to_owned());
    check(RoleKind::ClusterRole, "eks:addon-manager", None, &eks, Some(Severity::Informational));
    check(RoleKind::ClusterRole, "edit", None, &eks, Some(Severity::Critical));
}
