//! Rule sets far larger than anybody writes.

use super::{named, rule, urls};
use crate::rbac::cells::{CELLS_MAX, Cells};
use crate::rbac::grade::RIGHTS_MAX;
use crate::rbac::{
    PolicyRule, Request, Scope, assess, assess_many, describe_all, gained, headline, lost, normal_form, permits,
};
use crate::severity::Severity;

fn many(count: usize) -> Vec<PolicyRule> {
    (0..count)
        .map(|number| {
            rule("get,list,watch,update", &format!("g{number}.example.com"), &format!("a{number},b{number},c"))
        })
        .collect()
}

#[test]
fn one_rule_more_among_thousands_is_all_that_is_gained() {
    let before = many(2_000);
    let new = rule("delete", "g7.example.com", "a7");
    let mut after = before.clone();
    after.insert(1_000, new.clone());
    assert_eq!(gained(&before, &after), lost(&after, &before));
    assert_eq!(gained(&before, &after), [new]);
    assert_eq!(lost(&before, &after), []);
    // Every rule written anew, nothing changed.
    let split: Vec<PolicyRule> = before
        .iter()
        .flat_map(|rule| rule.verbs.iter().map(|verb| PolicyRule { verbs: vec![verb.clone()], ..rule.clone() }))
        .collect();
    assert_eq!(gained(&before, &split), []);
    assert_eq!(gained(&split, &before), []);
}

#[test]
fn a_hundred_thousand_rules_are_judged() {
    let mut rules: Vec<PolicyRule> = (0..100_000)
        .map(|number| match number % 4 {
            0 => named("get", "", "secrets", &format!("s{number}")),
            1 => rule("get", "", &format!("r{number}")),
            2 => urls("get", &format!("/u{number}/*")),
            _ => rule("*", &format!("g{number}"), "*"),
        })
        .collect();
    assert_eq!(assess(&rules, &Scope::Cluster).severity, Some(Severity::Medium));
    rules.push(rule("get", "", "secrets"));
    let assessment = assess(&rules, &Scope::Cluster);
    assert_eq!(assessment.severity, Some(Severity::Critical));
    assert_eq!(headline(&assessment, &rules, &Scope::Cluster), "can read every Secret in every namespace");
    // Core resources, every resource of many groups, and URLs.
    assert_eq!(normal_form(&rules).len(), 3);
    assert_eq!(describe_all(&rules, &Scope::Cluster, 2).len(), 2);
    let before = rules.split_off(50_000);
    assert!(!gained(&before, &rules).is_empty());
}

#[test]
fn rules_that_multiply_out_are_compared_whole() {
    let list = |prefix: &str| (0..3_000).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>();
    let huge = PolicyRule {
        api_groups: list("g"),
        resources: list("r"),
        verbs: list("v"),
        resource_names: list("n"),
        non_resource_urls: list("/u"),
    };
    let request =
        Request::Resource { verb: "v7", group: "g8", resource: "r9", subresource: "", name: "n1", namespace: None };
    assert!(permits(std::slice::from_ref(&huge), &request));
    let gain = gained(&[rule("get", "", "pods")], &[huge.clone(), rule("get,list", "", "pods")]);
    assert!(permits(&gain, &request));
    assert_eq!(gain.len(), 2);
    assert_eq!(gain[0], rule("list", "", "pods"));
    let mut turned = huge.clone();
    turned.resources.reverse();
    turned.verbs.push("v0".to_owned());
    assert_eq!(gained(std::slice::from_ref(&huge), &[turned]), []);
    assert_eq!(assess(&[huge], &Scope::Cluster).severity, None);
}

#[test]
fn many_namespaces_are_judged_together() {
    let grants: Vec<(Scope, Vec<PolicyRule>)> = (0..2_000)
        .map(|number| (Scope::Namespace(format!("n{number}")), vec![rule("create,get", "", "secrets")]))
        .chain([(Scope::Cluster, vec![rule("list", "", "serviceaccounts")])])
        .collect();
    let assessment = assess_many(&grants);
    assert_eq!(assessment.severity, Some(Severity::High));
    assert_eq!(assessment.combinations.len(), 4_000);
}

#[test]
fn absurd_text_is_only_text() {
    for text in ["", "\u{202e}", "ä", "*/", "/", "**", "userextras/", "*/*", "<any>", "userextras/<key>", "\0"] {
        let long = text.repeat(10_000);
        for word in [text, long.as_str()] {
            let rules = [rule(word, word, word), named("get", "", "secrets", word), urls("get", word)];
            let assessment = assess(&rules, &Scope::Cluster);
            assert!(assessment.severity <= Some(Severity::Critical));
            assert_eq!(gained(&rules, &normal_form(&rules)), []);
            assert!(headline(&assessment, &rules, &Scope::Cluster).len() < 2_000);
        }
    }
}

#[test]
fn rules_at_the_limit_of_cells_are_taken_apart_and_past_it_are_kept_whole() {
    for (count, kept_whole) in [(CELLS_MAX, 0), (CELLS_MAX + 1, 1)] {
        let names: Vec<String> = (0..count - 1).map(|number| number.to_string()).collect();
        let large = PolicyRule { resource_names: names, ..rule("get", "", "secrets") };
        let rules = [rule("get", "", "pods"), large];
        let cells = Cells::of(rules.iter());
        assert_eq!(cells.whole.len(), kept_whole, "{count} cells");
        let request = |name| {
            let verb = "get";
            Request::Resource { verb, group: "", resource: "secrets", subresource: "", name, namespace: None }
        };
        assert!(permits(&rules, &request("7")) && !permits(&rules, &request("x")), "and judged the same");
        assert_eq!(gained(&rules[..1], &rules).len(), 1);
    }
}

#[test]
fn rights_of_one_row_are_kept_to_their_limit_the_gravest_ones() {
    // Each name is a right of its own, and the one on every Secret is the gravest.
    for count in [RIGHTS_MAX, RIGHTS_MAX + 1] {
        let mut rules: Vec<PolicyRule> =
            (0..count - 1).map(|number| named("get", "", "secrets", &format!("s{number}"))).collect();
        assert_eq!(assess(&rules, &Scope::Cluster).severity, Some(Severity::Medium));
        rules.push(rule("get", "", "secrets"));
        assert_eq!(assess(&rules, &Scope::Cluster).severity, Some(Severity::Critical), "the last of {count}");
    }
}
