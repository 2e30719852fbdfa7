//! Every row of the risk table: that it applies where it should, as gravely as it should, and not elsewhere.

use proptest::prelude::*;

use super::algebra::any_rules;
use super::{named, rule, urls};
use crate::rbac::rights::{Rights, Verbs, Vocabulary};
use crate::rbac::risk::{
    ANY_AWS_SERVICE, ANY_EXTRA, ANY_RESOURCE, ANY_UPBOUND_SERVICE, Named, Risk, Section, risk, risks,
};
use crate::rbac::{Assessment, PolicyRule, Request, Scope, assess, normal_form, permits};
use crate::severity::Severity::{self, Critical, High, Low, Medium};

/// Grade in the cluster and in an ordinary namespace of each row, at its worst. `imp-groups` is high here: alone it is
/// refused.
const GRADES: &str = "
    all-all critical critical
    all-read critical high
    all-write critical critical
    all-delete high high
    core-all critical high
    nru-all medium -
    nru-logs medium -
    rbac-escalate critical high
    rbac-bind critical high
    rbac-crb-write high -
    rbac-rb-write medium medium
    rbac-role-write medium low
    rbac-delete medium medium
    rbac-read low low
    imp-users critical -
    imp-groups high -
    imp-sa critical high
    imp-uid low -
    imp-extra medium -
    imp-constrained critical high
    imp-on medium medium
    sa-token critical high
    sa-write high medium
    sa-delete low low
    sec-read critical high
    sec-create high medium
    sec-write critical high
    sec-delete medium medium
    cm-awsauth critical low
    cm-dns high low
    cm-extauth high low
    cm-read low low
    csr-create low -
    csr-approve high -
    csr-signer high -
    ctb medium -
    pcr low low
    tokenreview low -
    sar low low
    pod-create critical high
    ctl-write critical high
    job-write critical high
    rc-write critical high
    podtemplate low low
    pod-patch critical high
    pod-exec critical high
    pod-attach high high
    pod-ephemeral critical high
    pod-pf medium medium
    pod-proxy medium medium
    pod-log low low
    pod-log-del low low
    pod-delete medium medium
    pod-evict medium medium
    pod-status low low
    pod-bind low low
    pod-resize low low
    scale low low
    ctlrev medium medium
    node-proxy critical -
    node-fine medium -
    node-fine2 low -
    node-ckpt high -
    node-patch high -
    node-status medium -
    node-create medium -
    node-delete high -
    pv-create critical -
    pv-write medium -
    pvc low low
    storage medium -
    csidriver high -
    snapshot medium medium
    dra medium medium
    prio low -
    runtimeclass low -
    psp medium medium
    pdb low low
    mwh critical -
    vwh critical -
    wh-delete high -
    map critical -
    vap high -
    apiservice high -
    apiservice-del medium -
    crd medium -
    crd-del high -
    flow medium -
    ns-patch high medium
    ns-create low -
    ns-delete high high
    ns-final low low
    events low low
    leases medium low
    quota low low
    svm low -
    svc medium medium
    svc-status medium medium
    ep medium medium
    eps medium medium
    netpol medium medium
    ing medium medium
    gw medium medium
    ipalloc low -
    op-argocd critical high
    op-argowf critical high
    op-flux critical high
    op-tekton critical high
    op-eso high high
    op-csi medium medium
    op-velero critical high
    op-kyverno critical high
    op-gk high -
    op-karpenter critical -
    op-ack critical critical
    op-xp critical high
    op-xpobj critical high
    op-xpaws critical high
    op-olm critical high
    op-fluxop critical high
    op-kro high -
    op-meta high -
    op-capi high high
    op-cert medium medium
    op-keda high high
    op-vm high high
    op-jobs high high
    op-prom high medium
    op-mesh medium medium
    op-rbac critical high
    op-eksnet medium medium
    op-scc high high
    read-pods low low
    read-nodes low -
";

fn web() -> Scope {
    Scope::Namespace("web".to_owned())
}

fn severity_of(assessment: &Assessment, id: &str) -> Option<Severity> {
    assert!(risk(id).is_some(), "no row {id}");
    assessment.risks.iter().find(|found| found.risk.id == id).map(|found| found.severity)
}

/// The rules a row speaks of, each with one group, one resource, one verb.
fn rules_of(risk: &Risk) -> Vec<PolicyRule> {
    if risk.groups.is_empty() {
        return risk.resources.iter().map(|url| urls(risk.verbs[0], url)).collect();
    }
    let mut rules = Vec::new();
    for group in risk.groups {
        for resource in risk.resources {
            for verb in risk.verbs {
                let group = match *group {
                    ANY_AWS_SERVICE => "s3.services.k8s.aws",
                    ANY_UPBOUND_SERVICE => "s3.aws.m.upbound.io",
                    group => group,
                };
                let resource = match *resource {
                    ANY_RESOURCE => "things",
                    ANY_EXTRA => "userextras/scopes",
                    resource => resource,
                };
                let verb = if *verb == "impersonate-on:" { "impersonate-on:user-info:list" } else { verb };
                rules.push(match risk.id {
                    "cm-dns" => named(verb, group, resource, "coredns"),
                    "cm-extauth" => named(verb, group, resource, "extension-apiserver-authentication"),
                    _ => rule(verb, group, resource),
                });
            }
        }
    }
    rules
}

fn worst(risk: &Risk, scope: &Scope) -> Option<Severity> {
    rules_of(risk).iter().filter_map(|rule| severity_of(&assess(std::slice::from_ref(rule), scope), risk.id)).max()
}

#[test]
fn every_row_applies_with_its_grades() {
    let grades: Vec<Vec<&str>> =
        GRADES.lines().map(|line| line.split_whitespace().collect()).filter(|row: &Vec<_>| !row.is_empty()).collect();
    let kube_system = Scope::Namespace("kube-system".to_owned());
    for row in &grades {
        let (id, cluster, namespace) = (row[0], Severity::parse(row[1]), Severity::parse(row[2]));
        let risk = risk(id).unwrap_or_else(|| panic!("no row {id}"));
        assert_eq!(worst(risk, &Scope::Cluster), cluster, "{id} in the cluster");
        assert_eq!(worst(risk, &web()), namespace, "{id} in a namespace");
        // What needs the cluster has no effect in kube-system either; constrained impersonation of nodes is one such.
        let expected = namespace.and(if id == "imp-constrained" { Some(High) } else { cluster });
        assert_eq!(worst(risk, &kube_system), expected, "{id} in kube-system");
    }
    let ids: Vec<&str> = risks().map(|risk| risk.id).collect();
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id} is there twice");
        assert!(grades.iter().any(|row| row[0] == *id), "{id} is not in the list of grades");
    }
}

#[test]
fn every_group_resource_and_verb_of_a_row_counts() {
    for risk in risks() {
        for rule in rules_of(risk) {
            let (resource, verb) = (rule.resources.first(), rule.verbs.first());
            let is = |place: Option<&String>, words: &[&str]| place.is_some_and(|own| words.contains(&own.as_str()));
            let aside = match risk.id {
                "op-vm" => is(verb, &["get"]) && is(resource, &["virtualmachines", "virtualmachineinstances"]),
                "op-cert" => is(resource, &["signers"]) != is(verb, &["approve"]),
                _ => false,
            };
            let found = severity_of(&assess(std::slice::from_ref(&rule), &Scope::Cluster), risk.id);
            assert_eq!(found.is_none(), aside, "{}: {rule:?}", risk.id);
        }
    }
}

#[test]
fn near_misses_give_nothing() {
    for risk in risks().filter(|risk| !risk.groups.is_empty()) {
        for rule in rules_of(risk) {
            let misses = |rule: &PolicyRule| {
                severity_of(&assess(std::slice::from_ref(rule), &Scope::Cluster), risk.id).is_none()
            };
            let elsewhere = PolicyRule { api_groups: vec!["example.com".to_owned()], ..rule.clone() };
            let harmless = PolicyRule { verbs: vec!["gets".to_owned()], ..rule.clone() };
            let unexpanded = PolicyRule {
                resources: rule.resources.iter().map(|resource| format!("{resource}/*")).collect(),
                ..rule.clone()
            };
            if risk.id != "imp-on" {
                assert!(misses(&elsewhere), "{}: {elsewhere:?}", risk.id);
                assert!(misses(&harmless), "{}: {harmless:?}", risk.id);
            }
            // The key of an extra may hold a slash.
            let any_resource = risk.id == "imp-on"
                || rule.resources[0].starts_with("userextras/")
                || risk.resources.contains(&ANY_RESOURCE);
            assert!(any_resource || misses(&unexpanded), "{}: {unexpanded:?}", risk.id);
            for empty in [
                PolicyRule { api_groups: Vec::new(), ..rule.clone() },
                PolicyRule { resources: Vec::new(), ..rule.clone() },
                PolicyRule { verbs: Vec::new(), ..rule.clone() },
            ] {
                assert_eq!(assess(std::slice::from_ref(&empty), &Scope::Cluster), Assessment::default(), "{empty:?}");
            }
        }
    }
}

/// One permission, where it holds, the row it meets, and the grade of that row there, none when it does not apply.
fn check(rules: &[PolicyRule], scope: &Scope, id: &str, expected: Option<Severity>) {
    assert_eq!(severity_of(&assess(rules, scope), id), expected, "{id} {rules:?} {scope:?}");
}

#[test]
fn names_limit_what_a_permission_is_worth() {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let cluster = |rule: PolicyRule, id, expected| check(&[rule], &Scope::Cluster, id, expected);
    cluster(named("get", "", "secrets", "db"), "sec-read", Some(Medium));
    cluster(named("list", "", "secrets", "db"), "sec-read", Some(Medium));
    cluster(named("update", "", "secrets", "db"), "sec-write", Some(Medium));
    cluster(named("deletecollection", "", "secrets", "db"), "sec-write", None);
    cluster(named("create", "", "secrets", "db"), "sec-create", None);
    cluster(named("create", "", "pods", "db"), "pod-create", None);
    cluster(named("create", "", "pods/exec", "db"), "pod-exec", Some(High));
    cluster(named("patch", "", "configmaps", "aws-auth"), "cm-awsauth", Some(Critical));
    cluster(named("patch", "", "configmaps", "aws-auth"), "cm-dns", None);
    cluster(named("patch", "", "configmaps", "app,aws-auth"), "cm-awsauth", Some(Critical));
    cluster(named("patch", "", "configmaps", "app"), "cm-awsauth", None);
    cluster(named("create", "", "configmaps", "aws-auth"), "cm-awsauth", None);
    cluster(named("delete", "", "configmaps", "aws-auth"), "cm-awsauth", Some(High));
    cluster(named("impersonate", "", "groups", "system:masters"), "imp-groups", Some(Critical));
    cluster(named("impersonate", "", "groups", "developers"), "imp-groups", Some(Medium));
    cluster(named("impersonate", "", "groups", "developers,system:nodes"), "imp-groups", Some(High));
    cluster(named("impersonate", "", "users", "jane"), "imp-users", Some(Medium));
    cluster(named("impersonate", "", "users", "system:kube-controller-manager"), "imp-users", Some(Critical));
    cluster(named("impersonate", "", "users", "kubernetes-admin"), "imp-users", Some(Critical));
    cluster(named("impersonate", "", "users", "system:node:ip-10-0-0-1"), "imp-users", Some(High));
    cluster(named("impersonate", "", "users", "eks:addon-manager"), "imp-users", Some(High));
    cluster(named("impersonate", "", "serviceaccounts", "robot"), "imp-sa", Some(High));
    cluster(named("impersonate", "", "serviceaccounts", "generic-garbage-collector"), "imp-sa", Some(Critical));
    cluster(named("create", "", "serviceaccounts/token", "robot"), "sa-token", Some(High));
    check(&[named("create", "", "serviceaccounts/token", "robot")], &web(), "sa-token", Some(Medium));
    cluster(named("bind", RBAC, "clusterroles", "cluster-admin"), "rbac-bind", Some(Critical));
    cluster(named("bind", RBAC, "clusterroles", "view"), "rbac-bind", Some(Medium));
    cluster(named("bind", RBAC, "clusterroles", "view,edit"), "rbac-bind", Some(Critical));
    cluster(named("bind", RBAC, "clusterroles", "our-own"), "rbac-bind", Some(High));
    check(&[named("bind", RBAC, "clusterroles", "view")], &web(), "rbac-bind", Some(Low));
    check(&[named("bind", RBAC, "clusterroles", "our-own")], &web(), "rbac-bind", Some(Medium));
    cluster(named("escalate", RBAC, "clusterroles", "our-own"), "rbac-escalate", Some(Critical));
    cluster(
        named("approve", "certificates.k8s.io", "signers", "kubernetes.io/kubelet-serving"),
        "csr-signer",
        Some(Medium),
    );
    cluster(named("approve", "certificates.k8s.io", "signers", "kubernetes.io/*"), "csr-signer", Some(High));
    cluster(
        named("patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "x"),
        "mwh",
        Some(Critical),
    );
    cluster(named("update", "apps", "deployments", "x"), "ctl-write", Some(High));
}

#[test]
fn the_empty_name_is_that_of_requests_without_one() {
    check(&[named("list", "", "secrets", "")], &Scope::Cluster, "sec-read", Some(Critical));
    check(&[named("create", "", "pods", "")], &Scope::Cluster, "pod-create", Some(Critical));
    check(&[named("deletecollection", "", "secrets", "")], &Scope::Cluster, "sec-write", Some(Critical));
    check(&[named("get", "", "secrets", "")], &Scope::Cluster, "sec-read", None);
    check(&[named("update", "", "secrets", "")], &Scope::Cluster, "sec-write", None);
    check(&[named("create", "", "pods/exec", "")], &Scope::Cluster, "pod-exec", None);
}

#[test]
fn a_role_binding_does_not_reach_the_cluster() {
    const RBAC: &str = "rbac.authorization.k8s.io";
    check(&[rule("bind", RBAC, "clusterroles")], &web(), "rbac-bind", Some(High));
    check(&[rule("escalate", RBAC, "clusterroles")], &web(), "rbac-escalate", None);
    check(&[rule("escalate", RBAC, "roles")], &web(), "rbac-escalate", Some(High));
    check(&[rule("update", RBAC, "clusterroles")], &web(), "rbac-role-write", None);
    check(&[rule("get", RBAC, "clusterrolebindings")], &web(), "rbac-read", None);
    check(&[rule("impersonate", "", "users")], &web(), "imp-users", None);
    check(&[rule("impersonate", "", "serviceaccounts")], &web(), "imp-sa", Some(High));
    check(&[rule("impersonate:user-info", "", "users")], &web(), "imp-constrained", None);
    check(&[rule("use", "policy", "podsecuritypolicies")], &web(), "psp", Some(Medium));
    check(&[rule("create", "security.openshift.io", "securitycontextconstraints")], &web(), "op-scc", None);
    check(&[rule("create", "networking.k8s.io", "ingressclasses")], &web(), "ing", None);
    check(&[rule("delete", "", "namespaces")], &web(), "ns-delete", Some(High));
    check(&[urls("get", "*")], &web(), "nru-all", None);
}

#[test]
fn some_rows_look_closer() {
    let cluster = |rule: PolicyRule, id, expected| check(&[rule], &Scope::Cluster, id, expected);
    cluster(rule("update", "batch", "jobs"), "job-write", Some(Low));
    cluster(rule("patch", "batch", "jobs"), "job-write", Some(Low));
    cluster(rule("update", "batch", "cronjobs"), "job-write", Some(Critical));
    cluster(rule("update,create", "batch", "jobs"), "job-write", Some(Critical));
    cluster(rule("delete", "", "configmaps"), "cm-awsauth", Some(High));
    cluster(rule("patch", "", "configmaps"), "cm-dns", None);
    cluster(rule("impersonate", "", "groups"), "imp-groups", Some(High));
    cluster(rule("impersonate:user-info", "authentication.k8s.io", "users"), "imp-constrained", Some(High));
    cluster(rule("impersonate:arbitrary-node", "authentication.k8s.io", "nodes"), "imp-constrained", Some(Critical));
    cluster(rule("impersonate", "authentication.k8s.io", "userextras/*"), "imp-extra", None);
    cluster(rule("impersonate", "authentication.k8s.io", "userextras"), "imp-extra", None);
    cluster(rule("create", "iam.services.k8s.aws", "roles"), "op-ack", Some(Critical));
    cluster(rule("create", "s3.services.k8s.aws", "buckets"), "op-ack", Some(High));
    cluster(rule("get", "", "*/exec"), "pod-exec", Some(Critical));
    cluster(rule("patch", "*", "*/scale"), "scale", Some(Low));
    for (namespace, expected) in [("argocd", Critical), ("web", High)] {
        let scope = Scope::Namespace(namespace.to_owned());
        check(&[rule("create", "argoproj.io", "applications")], &scope, "op-argocd", Some(expected));
    }
    check(
        &[rule("update", "coordination.k8s.io", "leases")],
        &Scope::Namespace("kube-node-lease".to_owned()),
        "leases",
        Some(Medium),
    );
}

#[test]
fn wildcards_say_it_once() {
    let ids = |rules: &[PolicyRule], scope: &Scope| -> Vec<&str> {
        assess(rules, scope).risks.iter().map(|found| found.risk.id).collect()
    };
    let cluster = |rules: &[PolicyRule]| ids(rules, &Scope::Cluster);
    assert_eq!(cluster(&[rule("*", "*", "*"), urls("*", "*")]), ["all-all"]);
    assert_eq!(ids(&[rule("*", "*", "*")], &web()), ["all-all"]);
    assert_eq!(cluster(&[rule("get", "*", "*")]), ["all-read"]);
    assert_eq!(cluster(&[rule("get,list,watch", "*", "*"), rule("get", "", "secrets")]), ["all-read"]);
    assert_eq!(cluster(&[rule("get", "", "*")]), ["core-all"]);
    assert_eq!(cluster(&[rule("delete", "*", "*")]), ["all-delete"]);
    assert_eq!(cluster(&[rule("get", "*", "secrets")]), ["sec-read"]);
    assert_eq!(cluster(&[rule("*", "rbac.authorization.k8s.io", "*")]), ["rbac-escalate", "rbac-bind"]);
    assert_eq!(cluster(&[rule("escalate", "*", "*")]), ["rbac-escalate"]);
    assert_eq!(cluster(&[rule("*", "", "secrets")]), ["sec-read", "sec-write"]);
    assert_eq!(cluster(&[urls("get", "/*")]), ["nru-all"]);
    assert_eq!(cluster(&[urls("get", "/debug/pprof/profile")]), ["nru-logs"]);
    assert_eq!(cluster(&[urls("get", "/logs*")]), ["nru-logs"]);
    assert_eq!(cluster(&[urls("get", "/metrics,/healthz/*,/logsx,/log")]), [""; 0]);
    assert_eq!(cluster(&[urls("post", "*")]), [""; 0]);
}

#[test]
fn texts_continue_a_sentence() {
    for risk in risks() {
        assert!(risk.gives.starts_with(risk.brief), "{}", risk.id);
        assert!(risk.brief.len() <= 90 && risk.brief.starts_with(char::is_lowercase), "{}: {}", risk.id, risk.brief);
        assert!(!risk.gives.ends_with('.'), "{}", risk.id);
    }
}

/// The requests a row speaks of, with the names they may have.
fn requests_of(risk: &'static Risk) -> Vec<Request<'static>> {
    let mut requests = Vec::new();
    for group in risk.groups {
        for (resource, subresource) in risk.resources.iter().map(|one| one.split_once('/').unwrap_or((one, ""))) {
            for verb in risk.verbs {
                let names: &[&str] = match (*verb, subresource) {
                    ("create" | "deletecollection", "") => &[""],
                    // No such request exists; a rule permits it when it is not limited to names.
                    ("deletecollection", _) => &["other"],
                    ("list" | "watch" | "escalate", _) => &["", "a", "b", "c"],
                    _ => &["a", "b", "c"],
                };
                requests.extend(names.iter().map(|name| Request::Resource {
                    verb,
                    group,
                    resource,
                    subresource,
                    name,
                    namespace: None,
                }));
            }
        }
    }
    requests
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_risk_is_found_exactly_when_a_request_of_some_row_is_permitted(rules in any_rules()) {
        // Rows over everything, of single names and of custom resources ask about more than a request can hold.
        let plain = |risk: &&Risk| {
            !matches!(risk.section, Section::Everything | Section::Urls | Section::Operators)
                && !matches!(risk.named, Named::Only(_))
                && risk.id != "imp-on"
        };
        let mut requests = risks().filter(plain).flat_map(requests_of);
        let permitted = requests.any(|request| permits(&rules, &request));
        let only_resources: Vec<PolicyRule> =
            rules.iter().map(|rule| PolicyRule { non_resource_urls: Vec::new(), ..rule.clone() }).collect();
        let assessment = assess(&only_resources, &Scope::Cluster);
        prop_assert_eq!(!assessment.risks.is_empty(), permitted, "{:?}", assessment.risks);
        prop_assert_eq!(assessment.severity.is_some(), permitted);
    }

    #[test]
    fn more_rules_are_never_less_grave(rules in any_rules(), more in any_rules()) {
        let both = [rules.clone(), more].concat();
        for scope in [Scope::Cluster, web()] {
            prop_assert!(assess(&rules, &scope).severity <= assess(&both, &scope).severity);
        }
    }

    #[test]
    fn the_normal_form_is_as_grave(rules in any_rules()) {
        for scope in [Scope::Cluster, web()] {
            prop_assert_eq!(assess(&rules, &scope).severity, assess(&normal_form(&rules), &scope).severity);
        }
    }
}

#[test]
fn a_token_of_a_strong_account_is_worth_more_where_that_account_lives() {
    let token = [named("create", "", "serviceaccounts/token", "clusterrole-aggregation-controller")];
    let of = |namespace: &str| assess(&token, &Scope::Namespace(namespace.to_owned())).severity;
    assert_eq!((of("kube-system"), of("dev")), (Some(Critical), Some(Medium)), "the name says nothing elsewhere");
}

#[test]
fn reading_everything_does_not_hide_that_one_thing_may_be_written() {
    let rules = [rule("get", "*", "*"), rule("*", "", "secrets")];
    let assessment = assess(&rules, &Scope::Namespace("dev".to_owned()));
    let found: Vec<&str> = assessment.risks.iter().map(|found| found.risk.id).collect();
    assert!(found.contains(&"sec-write"), "{found:?}");
}

#[test]
fn a_right_is_within_another_of_the_same_or_more_objects_and_within_no_other() {
    let vocabulary = Vocabulary::of([(&["", "apps"][..], &["pods", "secrets", "pods/exec"][..])].into_iter());
    let rules = [
        rule("get", "", "pods"),
        named("get", "", "pods", "a"),
        named("get", "", "pods", "b"),
        rule("get", "", "secrets"),
        rule("get", "apps", "pods"),
        rule("get", "*", "*"),
        rule("get", "", "*/exec"),
        rule("get", "", "pods/exec"),
    ];
    // Each rule is within those of these numbers, itself among them.
    let within: [&[usize]; 8] = [&[0, 5], &[0, 1, 5], &[0, 2, 5], &[3, 5], &[4, 5], &[5], &[5, 6], &[5, 6, 7]];
    let rights = rules.each_ref().map(|rule| {
        let mut rights = Rights::default();
        rights.extend(std::slice::from_ref(rule), &vocabulary);
        rights
    });
    let get = Verbs::of("get");
    let asked = [
        ("", "pods"),
        ("", "pods"),
        ("", "pods"),
        ("", "secrets"),
        ("apps", "pods"),
        ("*", "*"),
        ("", "pods/exec"),
        ("", "pods/exec"),
    ];
    let found: Vec<_> =
        rights.iter().zip(asked).map(|(rights, (group, resource))| rights.find(group, resource, get)).collect();
    for (number, (right, expected)) in found.iter().zip(within).enumerate() {
        let wider: Vec<usize> = (0..found.len()).filter(|other| right[0].is_within(&found[*other][0])).collect();
        assert_eq!(wider, expected, "of {:?}", rules[number]);
    }
}
