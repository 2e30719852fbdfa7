//! How rules read.

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::{named, rule, urls};
use crate::rbac::{PolicyRule, RoleKind, RoleRef, Scope, Subject, assess, describe, describe_all, headline};

const RBAC: &str = "rbac.authorization.k8s.io";

fn check(rules: &[PolicyRule], expected: &Expect) {
    let mut words = String::new();
    for rule in rules {
        writeln!(words, "{}", describe(rule, &Scope::Cluster)).unwrap();
        writeln!(words, "    {}", describe(rule, &Scope::Namespace("payments".to_owned()))).unwrap();
    }
    expected.assert_eq(&words);
}

#[test]
fn rules_read_like_sentences() {
    check(
        &[
            rule("watch,get,list", "", "secrets"),
            rule("*", "*", "*"),
            rule("get", "*", "*"),
            rule("create", "", "pods/exec"),
            rule("*", "", "*"),
            rule("get", "apps,batch", "*"),
            rule("list", "*", "secrets"),
            rule("get,create", "", "configmaps,pods"),
            rule("patch,use,get", "example.com", "things"),
            rule("get", "example.com", "secrets"),
            rule("get", "", "clusterroles"),
            rule("update", "apps", "deployments/scale"),
            rule("update", "example.com", "things/status"),
            rule("get", "*", "*/scale"),
            rule("update", "apps", "*/scale"),
        ],
        &expect![[r"
            get, list, watch secrets in every namespace
                get, list, watch secrets in namespace payments
            every verb on every resource of every API group
                every verb on every resource of every API group in namespace payments
            get every resource of every API group
                get every resource of every API group in namespace payments
            create pods/exec in every namespace
                create pods/exec in namespace payments
            every verb on every core resource
                every verb on every core resource in namespace payments
            get every resource of apps, batch
                get every resource of apps, batch in namespace payments
            list secrets of every API group in every namespace
                list secrets of every API group in namespace payments
            get, create configmaps, pods in every namespace
                get, create configmaps, pods in namespace payments
            get, patch, use on things.example.com in every namespace
                get, patch, use on things.example.com in namespace payments
            get secrets.example.com in every namespace
                get secrets.example.com in namespace payments
            get clusterroles of the core group in every namespace
                get clusterroles of the core group in namespace payments
            update deployments/scale in every namespace
                update deployments/scale in namespace payments
            update things.example.com/status in every namespace
                update things.example.com/status in namespace payments
            get scale of every resource of every API group in every namespace
                get scale of every resource of every API group in namespace payments
            update scale of every resource of apps in every namespace
                update scale of every resource of apps in namespace payments
        "]],
    );
}

#[test]
fn special_verbs_and_names_read_like_sentences() {
    check(
        &[
            rule("escalate", RBAC, "clusterroles"),
            rule("escalate", RBAC, "roles"),
            rule("bind", RBAC, "clusterroles"),
            named("bind", RBAC, "clusterroles", "view,edit"),
            rule("impersonate", "", "users"),
            named("impersonate", "", "groups", "system:masters"),
            rule("create", "", "serviceaccounts/token"),
            named("approve", "certificates.k8s.io", "signers", "kubernetes.io/*"),
            named("get", "", "secrets", "db"),
            named("get,list", "", "secrets", "db,cache"),
            named("get", "", "podtemplates", "a"),
            named("list", "", "secrets", ""),
            named("get", "", "secrets", &(0..30).map(|number| format!("s{number:02}")).collect::<Vec<_>>().join(",")),
            rule("get", "", "nodes"),
            rule("get", "", "namespaces"),
            urls("get", "/metrics"),
            urls("get,post", "/healthz,/logs/*"),
            urls("*", "*"),
            PolicyRule { non_resource_urls: vec!["/metrics".to_owned()], ..rule("get", "", "pods") },
            rule("", "", "pods"),
            PolicyRule { verbs: Vec::new(), ..rule("", "", "pods") },
            PolicyRule::default(),
        ],
        &expect![[r#"
            escalate on clusterroles
                escalate on clusterroles (no effect through a RoleBinding in payments)
            escalate on roles in every namespace
                escalate on roles in namespace payments
            bind on clusterroles
                bind on clusterroles in namespace payments
            bind the ClusterRoles named view, edit
                bind the ClusterRoles named view, edit in namespace payments
            impersonate users
                impersonate users (no effect through a RoleBinding in payments)
            impersonate the group named system:masters
                impersonate the group named system:masters (no effect through a RoleBinding in payments)
            create serviceaccounts/token in every namespace
                create serviceaccounts/token in namespace payments
            approve on signers named kubernetes.io/*
                approve on signers named kubernetes.io/* (no effect through a RoleBinding in payments)
            get the Secret named db in every namespace
                get the Secret named db in namespace payments
            get, list the Secrets named db, cache in every namespace
                get, list the Secrets named db, cache in namespace payments
            get podtemplates named a in every namespace
                get podtemplates named a in namespace payments
            list the Secret named "" (requests without a name) in every namespace
                list the Secret named "" (requests without a name) in namespace payments
            get the Secrets named s00, s01, s02, s03, s04, s05, s06, s07, s08, s09, s10, s11 and 18 more in every namespace
                get the Secrets named s00, s01, s02, s03, s04, s05, s06, s07, s08, s09, s10, s11 and 18 more in namespace payments
            get nodes
                get nodes (no effect through a RoleBinding in payments)
            get namespaces
                get namespaces (payments only)
            GET /metrics
                GET /metrics (no effect through a RoleBinding)
            GET, POST /healthz, /logs/*
                GET, POST /healthz, /logs/* (no effect through a RoleBinding)
            every verb on every non-resource URL
                every verb on every non-resource URL (no effect through a RoleBinding)
            get pods in every namespace; GET /metrics
                get pods in namespace payments; GET /metrics (no effect through a RoleBinding)
            "" pods in every namespace
                "" pods in namespace payments
            nothing
                nothing
            nothing
                nothing
        "#]],
    );
}

#[test]
fn headlines_say_the_worst() {
    let mut words = String::new();
    for rules in [
        vec![rule("*", "*", "*")],
        vec![rule("get", "", "secrets")],
        vec![rule("escalate", RBAC, "clusterroles")],
        vec![rule("escalate,update", RBAC, "roles")],
        vec![rule("*", RBAC, "*")],
        vec![rule("bind", RBAC, "clusterroles")],
        vec![named("bind", RBAC, "clusterroles", "cluster-admin")],
        vec![rule("create", "", "serviceaccounts/token")],
        vec![named("create", "", "serviceaccounts/token", "robot")],
        vec![rule("patch", "", "configmaps")],
        vec![named("patch", "", "configmaps", "aws-auth")],
        vec![rule("get", "", "nodes/proxy")],
        vec![rule("impersonate", "", "groups"), named("impersonate", "", "users", "jane")],
        vec![rule("get,list", "", "pods")],
        vec![rule("get,list", "apps", "deployments")],
        vec![
            rule("get,list", "apps", "deployments"),
            rule("get", "example.com", "a"),
            rule("get", "example.org", "b,c"),
            urls("get", "/x"),
        ],
        vec![rule("create", "iam.services.k8s.aws", "roles")],
        vec![rule("impersonate-on:user-info:list", "", "pods")],
        vec![urls("get", "*")],
        vec![],
    ] {
        for scope in [Scope::Cluster, Scope::Namespace("payments".to_owned())] {
            let assessment = assess(&rules, &scope);
            let severity = assessment.severity.map_or("-", |severity| severity.as_str());
            writeln!(words, "{severity}: {}", headline(&assessment, &rules, &scope)).unwrap();
        }
    }
    expect![[r"
        critical: cluster-admin by another name: every verb on every resource
        critical: every verb on every resource in namespace payments
        critical: can read every Secret in every namespace
        high: can read every Secret in namespace payments
        critical: can grant itself any right (escalate on clusterroles)
        -: escalate on clusterroles (no effect through a RoleBinding in payments)
        critical: can grant itself any right (escalate on roles in every namespace)
        critical: can grant itself any right: it may write roles, and escalate lifts the limit to its own rights (namespace payments)
        critical: can grant itself any right (every verb on every resource of rbac.authorization.k8s.io)
        critical: can grant itself any right: it may write roles, and escalate lifts the limit to its own rights (namespace payments)
        critical: can bind any role to anyone (bind on clusterroles)
        high: can bind any role to anyone (bind on clusterroles in namespace payments)
        critical: can bind the ClusterRole named cluster-admin
        high: can bind the ClusterRole named cluster-admin in namespace payments
        critical: can mint tokens for any service account in every namespace
        high: can mint tokens for any service account in namespace payments
        high: can create serviceaccounts/token named robot in every namespace
        medium: can create serviceaccounts/token named robot in namespace payments
        critical: can rewrite aws-auth and every other ConfigMap in every namespace
        low: can change the configuration of workloads in namespace payments
        critical: can patch the ConfigMap named aws-auth in every namespace
        low: can patch the ConfigMap named aws-auth in namespace payments
        critical: can run commands in every pod through the kubelet
        -: get nodes/proxy (no effect through a RoleBinding in payments)
        critical: can act as a member of system:masters: it may impersonate groups and somebody to be in them
        -: impersonate groups (no effect through a RoleBinding in payments); impersonate the user named jane (no effect through a RoleBinding in payments)
        low: can read pod specifications in every namespace
        low: can read pod specifications in namespace payments
        -: get, list deployments in every namespace
        -: get, list deployments in namespace payments
        -: get, list deployments in every namespace; get a.example.com in every namespace; and 2 more
        -: get, list deployments in namespace payments; get a.example.com in namespace payments; and 2 more
        critical: can change AWS resources with a controller's IAM rights in every namespace
        critical: can change AWS resources with a controller's IAM rights in namespace payments
        medium: can act under an impersonated identity in every namespace
        medium: can act under an impersonated identity in namespace payments
        medium: can read every path of the API server outside the resource API
        -: GET every non-resource URL (no effect through a RoleBinding)
        -: nothing
        -: nothing
    "]].assert_eq(&words);
}

#[test]
fn lists_and_words_are_bounded() {
    let rules: Vec<PolicyRule> =
        (0..50).map(|number| rule("get", &format!("g{number:02}.example.com"), "a,b")).collect();
    // The groups differ and nothing else, so all is one rule in normal form.
    assert_eq!(describe_all(&rules, &Scope::Cluster, 3).len(), 1);
    let rules: Vec<PolicyRule> = (0..50)
        .map(|number| rule("get", "example.com", &format!("r{number:02}")))
        .chain([urls("get", "/a"), rule("list", "", "pods"), rule("watch", "", "secrets")])
        .collect();
    assert_eq!(describe_all(&rules, &Scope::Cluster, 4).len(), 4);
    let two = describe_all(&rules, &Scope::Cluster, 2);
    assert_eq!(two, ["list pods in every namespace", "and 3 more"]);
    assert_eq!(describe_all(&rules, &Scope::Cluster, 0), [""; 0]);
    let long = describe(&rule(&"v".repeat(5_000), &"g".repeat(5_000), &"ä/".repeat(5_000)), &Scope::Cluster);
    assert!(long.chars().count() < 600, "{long}");
}

#[test]
fn roles_and_subjects_read_as_people_name_them() {
    for (kind, expected) in [(RoleKind::Role, "Role admin"), (RoleKind::ClusterRole, "ClusterRole admin")] {
        assert_eq!(RoleRef { kind, name: "admin".to_owned() }.to_string(), expected);
    }
    let own = |text: &str| text.to_owned();
    for (subject, expected) in [
        (Subject::User(own("nina")), "User nina"),
        (Subject::Group(own("ops")), "Group ops"),
        (Subject::ServiceAccount { namespace: own("ci"), name: own("build") }, "ServiceAccount ci/build"),
        (Subject::Other { kind: own("Robot"), name: own("r2") }, "Robot r2"),
    ] {
        assert_eq!(subject.to_string(), expected);
    }
}

#[test]
fn what_a_risk_was_found_in_is_told_in_full() {
    let dev = Scope::Namespace("dev".to_owned());
    let mut words = String::new();
    for (rules, scope) in [
        (vec![urls("get", "/logs/*")], &Scope::Cluster),
        (vec![rule("update", "", "namespaces")], &Scope::Cluster),
        (vec![rule("update", "", "namespaces")], &dev),
        (vec![rule("delete", "", "namespaces")], &dev),
        // Written twice, and more often than is shown.
        (
            vec![
                rule("create", "s3.services.k8s.aws", "buckets,buckets"),
                rule("create", "s3.services.k8s.aws", "buckets"),
            ],
            &dev,
        ),
        (
            vec![rule(
                "create",
                "s3.services.k8s.aws",
                &(0..14).map(|number| format!("kind{number:02}s")).collect::<Vec<_>>().join(","),
            )],
            &dev,
        ),
    ] {
        let assessment = assess(&rules, scope);
        writeln!(words, "{}", headline(&assessment, &rules, scope)).unwrap();
        for risk in &assessment.risks {
            writeln!(words, "    {} {}", risk.severity, risk.permission).unwrap();
        }
    }
    expect![[r"
        can read the API server's logs, profiles or configuration
            medium GET /logs/*
        can relabel namespaces
            high update namespaces
        can relabel namespaces (dev only)
            medium update namespaces (dev only)
        can delete namespaces (dev only)
            high delete namespaces (dev only)
        can change AWS resources with a controller's IAM rights in namespace dev
            high create buckets.s3.services.k8s.aws in namespace dev
        can change AWS resources with a controller's IAM rights in namespace dev
            high create kind00s.s3.services.k8s.aws, kind01s.s3.services.k8s.aws, kind02s.s3.services.k8s.aws, kind03s.s3.services.k8s.aws, kind04s.s3.services.k8s.aws, kind05s.s3.services.k8s.aws, kind06s.s3.services.k8s.aws, kind07s.s3.services.k8s.aws, kind08s.s3.services.k8s.aws, kind09s.s3.services.k8s.aws, kind10s.s3.services.k8s.aws, kind11s.s3.services.k8s.aws in namespace dev
    "]].assert_eq(&words);
}

#[test]
fn a_rule_that_names_no_target_or_no_verb_permits_nothing() {
    for rule in [
        PolicyRule { api_groups: Vec::new(), ..rule("get", "", "secrets") },
        PolicyRule { resources: Vec::new(), ..rule("get", "", "secrets") },
        PolicyRule { verbs: Vec::new(), ..rule("get", "", "secrets") },
        PolicyRule { verbs: Vec::new(), ..urls("get", "/metrics") },
    ] {
        assert_eq!(describe(&rule, &Scope::Cluster), "nothing", "{rule:?}");
    }
}

#[test]
fn a_risk_names_each_resource_once_and_no_more_than_fit() {
    let of = |kinds: &[String]| {
        let rules: Vec<PolicyRule> = kinds.iter().map(|kind| rule("create", "s3.services.k8s.aws", kind)).collect();
        let assessment = assess(&rules, &Scope::Cluster);
        let words = &assessment.risks[0].permission;
        kinds.iter().filter(|kind| words.contains(&format!("{kind}."))).count() + words.matches("aa.").count() * 100
    };
    let kinds = |count: usize| (0..count).map(|number| format!("kind{number:02}s")).collect::<Vec<_>>();
    assert_eq!(of(&["aa".to_owned(), "bb".to_owned(), "aa".to_owned()]), 103, "once, of two rules about it");
    assert_eq!((of(&kinds(12)), of(&kinds(13))), (12, 12));
}
