//! What rules permit and what changes, against an authorizer written anew.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{named, rule, urls};
use crate::rbac::{PolicyRule, Request, Scope, covers, gained, lost, normal_form, permits, permits_in};

/// The API server's decision, spelled out request by request.
fn authorizer_says(rules: &[PolicyRule], request: &Request<'_>) -> bool {
    let has = |list: &[String], value: &str| list.contains(&value.to_owned()) || list.contains(&"*".to_owned());
    for rule in rules {
        match request {
            Request::Resource { verb, group, resource, subresource, name, .. } => {
                let mut spellings = vec!["*".to_owned()];
                if subresource.is_empty() {
                    spellings.push((*resource).to_owned());
                } else {
                    spellings.push(format!("{resource}/{subresource}"));
                    spellings.push(format!("*/{subresource}"));
                }
                let resource_granted = spellings.iter().any(|spelling| rule.resources.contains(spelling));
                let name_granted = rule.resource_names.is_empty() || rule.resource_names.contains(&(*name).to_owned());
                if has(&rule.verbs, verb) && has(&rule.api_groups, group) && resource_granted && name_granted {
                    return true;
                }
            }
            Request::Url { verb, url } => {
                for pattern in &rule.non_resource_urls {
                    let mut prefix = pattern.clone();
                    while prefix.ends_with('*') {
                        prefix.pop();
                    }
                    let granted = pattern == url || (prefix.len() < pattern.len() && url.starts_with(&prefix));
                    if granted && has(&rule.verbs, verb) {
                        return true;
                    }
                }
            }
        }
    }
    false
}

/// Every request over the alphabet, with one value per place that no rule names.
fn requests() -> Vec<Request<'static>> {
    let mut requests = Vec::new();
    for verb in ["get", "create", "list", "other"] {
        for group in ["", "apps", "other"] {
            for resource in ["pods", "secrets", "other"] {
                for subresource in ["", "exec", "log", "other"] {
                    for name in ["", "a", "b", "other"] {
                        requests.push(Request::Resource { verb, group, resource, subresource, name, namespace: None });
                    }
                }
            }
        }
        for url in ["/", "/a", "/az", "/ab", "/abz", "/a/z", "/c", "*", "other"] {
            requests.push(Request::Url { verb, url });
        }
    }
    requests
}

const RESOURCES: &[&str] =
    &["pods", "pods/exec", "pods/log", "secrets", "secrets/exec", "*/exec", "*/log", "*", "pods/*"];
const URLS: &[&str] = &["*", "/a", "/a*", "/a**", "/ab*", "/a/*", "/c"];

fn some_of(values: &'static [&'static str], least: usize) -> impl Strategy<Value = Vec<String>> {
    subsequence(values, least..=values.len().min(3)).prop_map(|some| some.into_iter().map(str::to_owned).collect())
}

prop_compose! {
    fn any_rule()(
        api_groups in some_of(&["", "apps", "*"], 0),
        resources in some_of(RESOURCES, 0),
        verbs in some_of(&["get", "create", "list", "*"], 0),
        resource_names in prop_oneof![Just(Vec::new()), some_of(&["a", "b", ""], 0)],
        non_resource_urls in prop_oneof![Just(Vec::new()), some_of(URLS, 0)],
    ) -> PolicyRule {
        PolicyRule { api_groups, resources, verbs, resource_names, non_resource_urls }
    }
}

prop_compose! {
    /// Rules without any wildcard, all of them limited to names or none.
    fn plain_rule(are_named: bool)(
        api_groups in some_of(&["", "apps"], 1),
        resources in some_of(&["pods", "pods/exec", "pods/log", "secrets", "secrets/exec"], 1),
        verbs in some_of(&["get", "create", "list"], 1),
        names in some_of(&["a", "b", ""], 1),
        non_resource_urls in some_of(&["/a", "/ab", "/c"], 0),
    ) -> PolicyRule {
        let resource_names = if are_named { names } else { Vec::new() };
        PolicyRule { api_groups, resources, verbs, resource_names, non_resource_urls }
    }
}

pub(super) fn any_rules() -> impl Strategy<Value = Vec<PolicyRule>> {
    prop::collection::vec(any_rule(), 0..5)
}

fn plain_rules() -> impl Strategy<Value = (Vec<PolicyRule>, Vec<PolicyRule>)> {
    select(vec![true, false]).prop_flat_map(|are_named| {
        let rules = || prop::collection::vec(plain_rule(are_named), 0..5);
        (rules(), rules())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn permits_decides_as_the_authorizer_does(rules in any_rules()) {
        for request in requests() {
            prop_assert_eq!(permits(&rules, &request), authorizer_says(&rules, &request), "{:?}", request);
        }
    }

    #[test]
    fn the_normal_form_permits_the_same_and_is_its_own_normal_form(rules in any_rules()) {
        let normal = normal_form(&rules);
        for request in requests() {
            prop_assert_eq!(permits(&normal, &request), permits(&rules, &request), "{:?}", request);
        }
        prop_assert_eq!(normal_form(&normal), normal);
    }

    #[test]
    fn nothing_gained_is_missed_and_nothing_is_invented(before in any_rules(), after in any_rules()) {
        let gain = gained(&before, &after);
        for request in requests() {
            let (was, is, said) = (permits(&before, &request), permits(&after, &request), permits(&gain, &request));
            prop_assert!(!is || was || said, "missed {:?}", request);
            prop_assert!(!said || is, "invented {:?}", request);
        }
        for rule in &gain {
            let new = requests().into_iter().any(|request| {
                permits(std::slice::from_ref(rule), &request) && !permits(&before, &request)
            });
            // A rule that permits no request at all, such as one for `pods/*`, gains nothing anybody could see.
            let means_something = requests().iter().any(|request| permits(std::slice::from_ref(rule), request));
            prop_assert!(new || !means_something, "not gained: {:?}", rule);
        }
        prop_assert_eq!(lost(&after, &before), gain);
    }

    #[test]
    fn without_wildcards_nothing_held_before_is_gained((before, after) in plain_rules()) {
        let gain = gained(&before, &after);
        for request in requests() {
            let expected = permits(&after, &request) && !permits(&before, &request);
            prop_assert_eq!(permits(&gain, &request), expected, "{:?}", request);
        }
    }

    #[test]
    fn rules_gain_nothing_over_themselves(rules in any_rules()) {
        prop_assert_eq!(gained(&rules, &rules), Vec::new());
        prop_assert_eq!(gained(&rules, &normal_form(&rules)), Vec::new());
        prop_assert_eq!(gained(&normal_form(&rules), &rules), Vec::new());
        for rule in &rules {
            prop_assert!(covers(&rules, rule));
        }
    }
}

#[test]
fn a_gain_is_cut_down_to_what_is_new() {
    let check = |before: &[PolicyRule], after: &[PolicyRule], expected: &[PolicyRule]| {
        assert_eq!(gained(before, after), expected);
    };
    let read = || rule("get,list", "", "pods,secrets");
    check(&[rule("get", "", "pods")], &[read()], &[rule("list", "", "pods"), rule("get,list", "", "secrets")]);
    check(&[rule("*", "*", "*")], &[read()], &[]);
    check(&[rule("*", "", "*")], &[rule("get", "apps,", "pods")], &[rule("get", "apps", "pods")]);
    check(
        &[rule("get", "", "*/exec")],
        &[rule("get", "", "pods/exec,pods/log,exec")],
        &[rule("get", "", "exec,pods/log")],
    );
    // `pods/*` is not expanded, neither is `pods` its subresources.
    check(&[rule("create", "", "pods/*,pods")], &[rule("create", "", "pods/exec")], &[rule("create", "", "pods/exec")]);
    // A wildcard cannot be said without what it takes in.
    check(&[rule("get", "", "pods")], &[rule("*", "", "pods")], &[rule("*", "", "pods")]);
    check(&[named("get", "", "secrets", "a")], &[rule("get", "", "secrets")], &[rule("get", "", "secrets")]);
    check(
        &[named("get", "", "secrets", "a")],
        &[named("get", "", "secrets", "a,b")],
        &[named("get", "", "secrets", "b")],
    );
    check(&[rule("get", "", "secrets")], &[named("get", "", "secrets", "a,b")], &[]);
    check(&[urls("get", "/logs/*")], &[urls("get", "/logs/a,/logs,/version")], &[urls("get", "/logs,/version")]);
    check(&[urls("get", "/logs/*")], &[urls("get", "/logs/a,/log*")], &[urls("get", "/log*")]);
    check(&[urls("get", "/logs/*")], &[urls("get,post", "/logs/a")], &[urls("post", "/logs/a")]);
    check(&[], &[PolicyRule::default()], &[]);
}

#[test]
fn the_normal_form_merges_and_sorts() {
    let many = [
        rule("watch", "", "pods"),
        rule("get", "", "pods"),
        rule("list,get", "", "configmaps"),
        rule("watch", "", "configmaps"),
        named("get", "", "pods", "a"),
        rule("get,list", "apps", "deployments"),
        rule("list", "", "pods"),
        rule("get,list", "extensions", "deployments"),
        named("delete", "", "pods", "b"),
        named("delete", "", "pods", "a"),
        urls("get", "/healthz,/healthz/*"),
        urls("get", "/healthz/etcd,/version"),
    ];
    assert_eq!(
        normal_form(&many),
        [
            rule("get,list,watch", "", "configmaps,pods"),
            named("delete", "", "pods", "a,b"),
            rule("get,list", "apps,extensions", "deployments"),
            urls("get", "/healthz,/healthz/*,/version"),
        ]
    );
}

#[test]
fn a_role_binding_reaches_its_namespace_only() {
    let request = |namespace| Request::Resource {
        verb: "get",
        group: "",
        resource: "secrets",
        subresource: "",
        name: "a",
        namespace,
    };
    let grants = [(Scope::Namespace("web".to_owned()), vec![rule("*", "*", "*"), urls("*", "*")])];
    assert!(permits_in(&grants, &request(Some("web"))));
    assert!(!permits_in(&grants, &request(Some("ci"))));
    assert!(!permits_in(&grants, &request(None)));
    assert!(!permits_in(&grants, &Request::Url { verb: "get", url: "/metrics" }));
    let [(_, rules)] = grants;
    let everywhere = [(Scope::Cluster, rules)];
    assert!(permits_in(&everywhere, &request(Some("ci"))) && permits_in(&everywhere, &request(None)));
    assert!(permits_in(&everywhere, &Request::Url { verb: "get", url: "/metrics" }));
}

#[test]
fn rules_cover_what_they_permit_and_nothing_more() {
    let held = [rule("get,list", "", "pods"), named("update", "", "configmaps", "a")];
    for (asked, is_covered) in [
        (rule("get", "", "pods"), true),
        (named("get", "", "pods", "x"), true),
        (named("update", "", "configmaps", "a"), true),
        (rule("get,watch", "", "pods"), false),
        (rule("get", "", "pods/log"), false),
        (rule("update", "", "configmaps"), false),
        (named("update", "", "configmaps", "b"), false),
    ] {
        assert_eq!(covers(&held, &asked), is_covered, "{asked:?}");
    }
}
