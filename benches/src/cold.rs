//! The rare lines that are judged in full, made large: what a judgement costs must grow no faster than what it judges.

use rolewatch_analyzer::analyze;
use rolewatch_analyzer::envelope::LogLine;
use rolewatch_analyzer::gather::gather;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::stream::Source;
use serde_json::{Value, json};

/// A change whose size can be chosen.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What it is.
    pub name: &'static str,
    /// A size that is large for anybody; twice and four times that is measured, too.
    pub size: usize,
    /// The lines: those that only fill the memory, and the one that is judged.
    lines: fn(usize) -> Vec<String>,
}

/// All there are.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "one rule more in a role of", size: 500, lines: one_rule_more },
    Scenario { name: "every rule of a role changed, of", size: 500, lines: every_rule_changed },
    Scenario { name: "a role first seen, with", size: 500, lines: role_first_seen },
    Scenario { name: "a rule with names, of", size: 500, lines: names },
    Scenario { name: "a binding to a role of", size: 500, lines: binding_to_a_role },
    Scenario { name: "one subject more in a binding of", size: 2500, lines: one_subject_more },
    Scenario { name: "every subject of a binding changed, of", size: 2500, lines: every_subject_changed },
    Scenario { name: "one mapping more in an aws-auth of", size: 250, lines: one_mapping_more },
    Scenario { name: "every mapping of an aws-auth changed, of", size: 250, lines: every_mapping_changed },
    Scenario { name: "mappings to groups, each with a binding, of", size: 250, lines: mappings_to_bound_groups },
    Scenario { name: "a collection deleted, of roles", size: 250, lines: collection_deleted },
    Scenario { name: "changes by one actor in one delivery", size: 250, lines: many_changes },
];

impl Scenario {
    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// The lines at this size.
    #[must_use]
    pub fn lines(&self, size: usize) -> Vec<String> {
        (self.lines)(size)
    }
}

/// Judges lines as one batch and writes every alert in both forms. Bytes written, so that nothing is left out.
#[must_use]
pub fn judge(lines: &[String]) -> usize {
    let source =
        Source { account: Some("111122223333".to_owned()), cluster: Some("shop".to_owned()), ..Source::default() };
    let batch =
        lines.iter().map(|line| Ok(LogLine { timestamp_ms: None, log_stream: None, message: line.as_str().into() }));
    let report = analyze(&source, batch, &Settings::default(), &mut Memory::default());
    assert_eq!(report.skipped_total(), 0, "a scenario is made of lines that can be read");
    gather(report.alerts).iter().map(|alert| alert.text().len() + alert.ocsf().to_string().len()).sum()
}

fn one_rule_more(size: usize) -> Vec<String> {
    let mut more = rules(size, "a");
    more.insert(size / 2, rule("z", "delete"));
    vec![role("create", 1, &rules(size, "a")), role("update", 2, &more)]
}

fn every_rule_changed(size: usize) -> Vec<String> {
    vec![role("create", 1, &rules(size, "a")), role("update", 2, &rules(size, "b"))]
}

fn role_first_seen(size: usize) -> Vec<String> {
    vec![role("update", 2, &rules(size, "a"))]
}

fn names(size: usize) -> Vec<String> {
    let with = |size: usize| {
        let names: Vec<String> = (0..size).map(|number| format!("settings-{number}")).collect();
        vec![json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "update"], "resourceNames": names })]
    };
    vec![role("create", 1, &with(size)), role("update", 2, &with(size + 1))]
}

fn binding_to_a_role(size: usize) -> Vec<String> {
    vec![role("create", 1, &rules(size, "a")), binding("create", 2, &subjects(3, "a"))]
}

fn one_subject_more(size: usize) -> Vec<String> {
    vec![binding("create", 1, &subjects(size, "a")), binding("update", 2, &subjects(size + 1, "a"))]
}

fn every_subject_changed(size: usize) -> Vec<String> {
    vec![binding("create", 1, &subjects(size, "a")), binding("update", 2, &subjects(size, "b"))]
}

fn one_mapping_more(size: usize) -> Vec<String> {
    vec![aws_auth(1, size, "a"), aws_auth(2, size + 1, "a")]
}

fn every_mapping_changed(size: usize) -> Vec<String> {
    vec![aws_auth(1, size, "a"), aws_auth(2, size, "b")]
}

fn collection_deleted(size: usize) -> Vec<String> {
    let items: Vec<Value> = (0..size).map(|number| role_object(&format!("role-{number}"), 1, &rules(3, "a"))).collect();
    let mut event = event("deletecollection", "roles", "", 2);
    event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles");
    event["objectRef"] = json!({
        "resource": "roles", "namespace": "shop", "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1"
    });
    event["responseObject"] =
        json!({ "kind": "RoleList", "apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {}, "items": items });
    vec![event.to_string()]
}

fn many_changes(size: usize) -> Vec<String> {
    (0..size).map(|number| small_binding(number, &subjects(2, "a"))).collect()
}

fn mappings_to_bound_groups(size: usize) -> Vec<String> {
    let group =
        |number| json!({ "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": format!("team-{number}") });
    let bindings = (0..size).map(|number| small_binding(number, &[group(number)]));
    bindings.chain([aws_auth(1, size, "a")]).collect()
}

fn small_binding(number: usize, subjects: &[Value]) -> String {
    let name = format!("binding-{number}");
    let mut event = event("create", "clusterrolebindings", &name, number);
    event["responseObject"] = json!({
        "kind": "ClusterRoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": name, "resourceVersion": number.to_string() },
        "subjects": subjects,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view" },
    });
    event.to_string()
}

fn rule(group: &str, verb: &str) -> Value {
    json!({ "apiGroups": [format!("{group}.example.com")], "resources": ["widgets"], "verbs": [verb] })
}

fn rules(count: usize, mark: &str) -> Vec<Value> {
    (0..count)
        .map(|number| match number % 4 {
            0 => json!({ "apiGroups": [format!("{mark}{number}.example.com")], "resources": ["*"], "verbs": ["*"] }),
            1 => json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": [format!("{mark}{number}")] }),
            2 => json!({ "nonResourceURLs": [format!("/{mark}{number}/*")], "verbs": ["get"] }),
            _ => json!({ "apiGroups": ["apps"], "resources": [format!("{mark}{number}")], "verbs": ["get", "list", "watch", "update"] }),
        })
        .collect()
}

fn subjects(count: usize, mark: &str) -> Vec<Value> {
    (0..count)
        .map(|number| match number % 3 {
            0 => json!({ "kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": format!("{mark}{number}@example.com") }),
            1 => json!({ "kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": format!("team-{mark}{number}") }),
            _ => json!({ "kind": "ServiceAccount", "namespace": "shop", "name": format!("{mark}{number}") }),
        })
        .collect()
}

fn role(verb: &str, version: usize, rules: &[Value]) -> String {
    let mut event = event(verb, "clusterroles", "large", version);
    event["responseObject"] = role_object("large", version, rules);
    event.to_string()
}

fn role_object(name: &str, version: usize, rules: &[Value]) -> Value {
    json!({
        "kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": name, "resourceVersion": version.to_string() }, "rules": rules,
    })
}

fn binding(verb: &str, version: usize, subjects: &[Value]) -> String {
    let mut event = event(verb, "clusterrolebindings", "large", version);
    event["responseObject"] = json!({
        "kind": "ClusterRoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": "large", "resourceVersion": version.to_string() }, "subjects": subjects,
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "large" },
    });
    event.to_string()
}

fn aws_auth(version: usize, mappings: usize, mark: &str) -> String {
    let mut event = event("update", "configmaps", "aws-auth", version);
    event["requestURI"] = json!("/api/v1/namespaces/kube-system/configmaps/aws-auth");
    event["objectRef"] =
        json!({ "resource": "configmaps", "namespace": "kube-system", "name": "aws-auth", "apiVersion": "v1" });
    let mapping = |number| {
        let arn = format!("arn:aws:iam::111122223333:role/{mark}{number}");
        format!("- rolearn: {arn}\n  username: {mark}{number}\n  groups:\n  - team-{number}\n")
    };
    let roles = (0..mappings).map(mapping).collect::<Vec<_>>().concat();
    event["responseObject"] = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": { "name": "aws-auth", "namespace": "kube-system", "resourceVersion": version.to_string() },
        "data": { "mapRoles": roles },
    });
    event.to_string()
}

/// A write by a person, its answer still to be filled in.
fn event(verb: &str, resource: &str, name: &str, version: usize) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
        "auditID": format!("0b6f6f0e-5e55-4b7e-9d38-{version:012}"), "stage": "ResponseComplete",
        "requestURI": format!("/apis/rbac.authorization.k8s.io/v1/{resource}/{name}"), "verb": verb,
        "user": {
            "username": "arn:aws:sts::111122223333:assumed-role/platform-admin/maria.lopez-example.com",
            "uid": "aws-iam-authenticator:111122223333:AROAEXAMPLEMARIA00001",
            "groups": ["platform:admins", "system:authenticated"],
            "extra": {
                "arn": ["arn:aws:sts::111122223333:assumed-role/platform-admin/maria.lopez@example.com"],
                "sessionName": ["maria.lopez@example.com"],
            },
        },
        "sourceIPs": ["203.0.113.24"], "userAgent": "kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0",
        "objectRef": { "resource": resource, "name": name, "apiGroup": "rbac.authorization.k8s.io", "apiVersion": "v1" },
        "responseStatus": { "metadata": {}, "code": if verb == "create" { 201 } else { 200 } },
        "requestReceivedTimestamp": "2026-11-23T08:00:02.100000Z", "stageTimestamp": "2026-11-23T08:00:02.100000Z",
        "annotations": { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "" },
    })
}
