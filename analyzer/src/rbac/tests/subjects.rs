//! Who receives a right.

use std::collections::BTreeSet;

use crate::rbac::subject::{account_strength, user_strength};
use crate::rbac::{GrantContext, PolicyRule, Scope, StockSubject, Subject, adjust, group_strength, is_discovery_only};
use crate::severity::Severity::{self, Critical, High, Informational, Low, Medium};

use super::{rule, urls};

const NOBODY: GrantContext<'static> = GrantContext {
    scope: &Scope::Cluster,
    discovery_only: false,
    actor_username: "jane",
    actor_groups: &[],
    known_namespaces: None,
    known_accounts: None,
};

fn user(name: &str) -> Subject {
    Subject::User(name.to_owned())
}

fn group(name: &str) -> Subject {
    Subject::Group(name.to_owned())
}

fn account(namespace: &str, name: &str) -> Subject {
    Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
}

/// What a low right becomes, and how many reasons are given.
fn check(subject: &Subject, context: &GrantContext<'_>, expected: Severity, reasons: usize) {
    let adjusted = adjust(Some(Low), subject, context);
    assert_eq!((adjusted.severity, adjusted.reasons.len()), (expected, reasons), "{subject}: {:?}", adjusted.reasons);
    assert_eq!(adjust(None, subject, context), adjusted, "nothing risky counts as low");
}

#[test]
fn each_kind_of_subject_has_its_step() {
    for (subject, expected, reasons) in [
        (group("system:unauthenticated"), Critical, 1),
        (user("system:anonymous"), Critical, 1),
        (group("system:anonymous"), Low, 0),
        (group("system:authenticated"), High, 1),
        (user("system:authenticated"), Low, 0),
        (group("system:serviceaccounts"), High, 1),
        (group("system:serviceaccounts:ci"), Medium, 1),
        (group("system:masters"), Low, 1),
        (group("system:nodes"), Medium, 1),
        (user("system:node:ip-10-0-0-1"), Medium, 1),
        (account("ci", "default"), Medium, 1),
        (account("ci", "deployer"), Low, 0),
        (user("system:serviceaccount:ci:deployer"), Low, 1),
        (user("system:serviceaccount:ci:default"), Medium, 2),
        (user("alice@example.com"), Low, 0),
        (group("developers"), Low, 0),
        (Subject::Other { kind: "Robot".to_owned(), name: "r2".to_owned() }, Low, 1),
    ] {
        check(&subject, &NOBODY, expected, reasons);
    }
    assert_eq!(adjust(Some(High), &group("system:authenticated"), &NOBODY).severity, Critical);
    assert_eq!(adjust(Some(Medium), &group("system:authenticated"), &NOBODY).severity, Critical);
    assert_eq!(adjust(Some(Informational), &user("system:anonymous"), &NOBODY).severity, Critical);
}

#[test]
fn service_accounts_of_other_namespaces_are_a_step() {
    let web = Scope::Namespace("web".to_owned());
    let in_web = GrantContext { scope: &web, ..NOBODY };
    check(&account("ci", "deployer"), &in_web, Medium, 1);
    check(&account("web", "deployer"), &in_web, Low, 0);
    check(&account("ci", "default"), &in_web, High, 2);
}

#[test]
fn dangling_subjects_are_a_step_where_the_cluster_is_known() {
    let namespaces = BTreeSet::from(["ci".to_owned()]);
    let accounts = BTreeSet::from([("ci".to_owned(), "deployer".to_owned())]);
    let known = GrantContext { known_namespaces: Some(&namespaces), known_accounts: Some(&accounts), ..NOBODY };
    check(&account("ci", "deployer"), &known, Low, 0);
    check(&account("ci", "gone"), &known, Medium, 1);
    check(&account("gone", "deployer"), &known, Medium, 1);
    check(&account("gone", "deployer"), &GrantContext { known_accounts: None, ..known }, Medium, 1);
    check(&account("ci", "gone"), &GrantContext { known_accounts: None, ..known }, Low, 0);
}

#[test]
fn a_grant_to_oneself_is_a_step() {
    let groups = ["developers".to_owned(), "system:authenticated".to_owned()];
    let jane = GrantContext { actor_groups: &groups, ..NOBODY };
    check(&user("jane"), &jane, Medium, 1);
    check(&user("joan"), &jane, Low, 0);
    check(&group("developers"), &jane, Medium, 1);
    check(&group("jane"), &jane, Low, 0);
    check(&group("system:authenticated"), &jane, High, 1);
    let robot = GrantContext { actor_username: "system:serviceaccount:ci:deployer", ..NOBODY };
    check(&account("ci", "deployer"), &robot, Medium, 1);
    check(&account("ci", "other"), &robot, Low, 0);
    check(&user("system:serviceaccount:ci:deployer"), &robot, Medium, 2);
}

#[test]
fn discovery_for_everybody_is_as_the_api_server_has_it() {
    let open = GrantContext { discovery_only: true, ..NOBODY };
    for subject in [group("system:unauthenticated"), user("system:anonymous"), group("system:authenticated")] {
        check(&subject, &open, Informational, 0);
    }
    check(&group("system:serviceaccounts"), &open, Informational, 0);
    check(&group("system:nodes"), &open, Medium, 1);
    let is = |rules: &[PolicyRule]| is_discovery_only(rules);
    assert!(is(&[
        urls("get", "/healthz,/apis/apps"),
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews")
    ]));
    assert!(is(&[]));
    assert!(!is(&[urls("get", "/metrics")]));
    assert!(!is(&[urls("get", "*")]));
    assert!(!is(&[urls("get", "/healthz"), rule("get", "", "pods")]));
}

#[test]
fn built_in_names_have_a_strength() {
    for (name, expected) in [
        ("system:masters", Some(Critical)),
        ("system:nodes", Some(High)),
        ("system:authenticated", Some(Informational)),
        ("system:unauthenticated", Some(Informational)),
        ("system:serviceaccounts", Some(Informational)),
        ("system:monitoring", Some(Low)),
        ("developers", None),
    ] {
        assert_eq!(group_strength(name), expected, "{name}");
    }
    assert_eq!(user_strength("system:kube-scheduler"), Some(Critical));
    assert_eq!(user_strength("system:kube-proxy"), Some(Informational));
    assert_eq!(user_strength("system:apiserver"), Some(Critical));
    assert_eq!(user_strength("system:serviceaccount:kube-system:namespace-controller"), Some(Critical));
    assert_eq!(user_strength("system:serviceaccount:ci:namespace-controller"), None);
    assert_eq!(user_strength("jane"), None);
    assert_eq!(account_strength("kube-dns"), Some(Informational));
    assert_eq!(account_strength("deployer"), None);
}

#[test]
fn subjects_read_like_kubectl_writes_them() {
    assert_eq!(user("jane").to_string(), "User jane");
    assert_eq!(group("developers").to_string(), "Group developers");
    assert_eq!(account("ci", "deployer").to_string(), "ServiceAccount ci/deployer");
    assert_eq!(Subject::Other { kind: "Robot".to_owned(), name: "r2".to_owned() }.to_string(), "Robot r2");
}

#[test]
fn names_alone_tell_what_some_are_worth() {
    for (name, expected) in [
        ("kubernetes-admin", Some(Critical)),
        ("system:apiserver", Some(Critical)),
        ("system:node:ip-10-0-0-1.ec2.internal", Some(High)),
        ("system:nodes", None),
        ("jane", None),
    ] {
        assert_eq!(user_strength(name), expected, "{name}");
    }
    for (name, expected) in [("system:masters", Some(Critical)), ("system:nodes", Some(High)), ("ops", None)] {
        assert_eq!(group_strength(name), expected, "{name}");
    }
}

#[test]
fn a_stock_subject_is_itself_and_nobody_of_another_kind_or_place() {
    let asked = [
        user("a"),
        user("b"),
        group("a"),
        group("b"),
        account("kube-system", "a"),
        account("kube-system", "b"),
        account("ci", "a"),
    ];
    for (subject, expected) in
        [(StockSubject::User("a"), 0), (StockSubject::Group("a"), 2), (StockSubject::Account("a"), 4)]
    {
        let same: Vec<usize> = (0..asked.len()).filter(|number| subject.is(&asked[*number])).collect();
        assert_eq!(same, [expected], "{subject:?}");
    }
}
