//! Rules in plain words.

use super::cells::verb_rank;
use super::diff::normal_form;
use super::risk::is_cluster_scoped;
use super::{PolicyRule, Scope};

/// What a rule permits, in words: `get, list secrets in every namespace`.
///
/// Resources outside the well-known groups are written `resource.group`, as kubectl does, so that somebody's own
/// `secrets.example.com` never reads like the Secrets of Kubernetes. Names and lists are cut to a bounded length;
/// nothing is made printable here.
#[must_use]
pub fn describe(rule: &PolicyRule, scope: &Scope) -> String {
    let resources = !rule.resources.is_empty() && !rule.api_groups.is_empty();
    let mut parts = Vec::new();
    if resources {
        parts.push(describe_resources(rule, scope));
    }
    if !rule.non_resource_urls.is_empty() {
        parts.push(describe_urls(rule, scope));
    }
    if rule.verbs.is_empty() || parts.is_empty() {
        return "nothing".to_owned();
    }
    parts.join("; ")
}

/// What rules permit, in words, in normal form; at most `limit` entries, the last one then counting the rest.
#[must_use]
pub fn describe_all(rules: &[PolicyRule], scope: &Scope, limit: usize) -> Vec<String> {
    let rules = normal_form(rules);
    if rules.len() <= limit {
        return rules.iter().map(|rule| describe(rule, scope)).collect();
    }
    let Some(shown) = limit.checked_sub(1) else {
        return Vec::new();
    };
    let mut words: Vec<String> = rules.iter().take(shown).map(|rule| describe(rule, scope)).collect();
    words.push(format!("and {} more", rules.len() - shown));
    words
}

fn describe_resources(rule: &PolicyRule, scope: &Scope) -> String {
    let verbs = verb_words(rule);
    let (what, named) = match rule.resource_names.as_slice() {
        [] => (resource_words(rule), String::new()),
        names => {
            (named_words(rule, names.len()), format!(" named {}", list(names.iter().map(|name| name_words(name)))))
        }
    };
    format!("{verbs} {what}{named}{}", scope_words(rule, scope))
}

fn verb_words(rule: &PolicyRule) -> String {
    if rule.verbs.iter().any(|verb| verb == "*") {
        return "every verb on".to_owned();
    }
    let mut sorted: Vec<&str> = rule.verbs.iter().map(String::as_str).collect();
    sorted.sort_unstable_by_key(|verb| verb_rank(verb));
    sorted.dedup();
    let words = list(sorted.iter().map(|verb| clip(verb)));
    // "escalate clusterroles" would read as if something was done to them; "bind the ClusterRole named edit" does not.
    let one_kind = !rule.resource_names.is_empty() && kind_of(rule).is_some();
    if !one_kind && sorted.iter().any(|verb| TAKES_ON.contains(verb)) { words + " on" } else { words }
}

fn resource_words(rule: &PolicyRule) -> String {
    let groups = sorted(&rule.api_groups);
    let resources = sorted(&rule.resources);
    if resources.contains(&"*") {
        return if groups.contains(&"*") {
            "every resource of every API group".to_owned()
        } else {
            every_resource_of(&groups)
        };
    }
    if groups.contains(&"*") {
        return format!("{} of every API group", list(resources.iter().map(|resource| subresource_words(resource))));
    }
    let pairs = resources.iter().flat_map(|resource| groups.iter().map(move |group| one_resource(group, resource)));
    list(pairs)
}

/// Every resource of some groups, the core group first.
fn every_resource_of(groups: &[&str]) -> String {
    let named: Vec<&&str> = groups.iter().filter(|group| !group.is_empty()).collect();
    let core = (named.len() < groups.len()).then(|| "every core resource".to_owned());
    let others =
        (!named.is_empty()).then(|| format!("every resource of {}", list(named.iter().map(|group| clip(group)))));
    core.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

fn subresource_words(resource: &str) -> String {
    match resource.strip_prefix("*/") {
        Some(subresource) => format!("{} of every resource", clip(subresource)),
        None => clip(resource),
    }
}

/// One resource as kubectl writes it, the group left out where there can be no doubt.
fn one_resource(group: &str, resource: &str) -> String {
    if let Some(subresource) = resource.strip_prefix("*/") {
        let of = if group.is_empty() { "core resource".to_owned() } else { format!("resource of {}", clip(group)) };
        return format!("{} of every {of}", clip(subresource));
    }
    let (plain, subresource) = resource.split_once('/').map_or((resource, None), |(of, sub)| (of, Some(sub)));
    let home = home_group(plain);
    let of_group = if home == Some(group) {
        String::new()
    } else if group.is_empty() {
        // A core resource we do not know by name, or a name that belongs to another group and does nothing here.
        if home.is_some() { " of the core group".to_owned() } else { String::new() }
    } else {
        format!(".{}", clip(group))
    };
    match subresource {
        Some(subresource) => format!("{}{of_group}/{}", clip(plain), clip(subresource)),
        None => format!("{}{of_group}", clip(plain)),
    }
}

fn named_words(rule: &PolicyRule, names: usize) -> String {
    match kind_of(rule) {
        Some(kind) => format!("the {kind}{}", if names == 1 { "" } else { "s" }),
        None => resource_words(rule),
    }
}

/// The kind of object a rule about one well-known resource is about.
fn kind_of(rule: &PolicyRule) -> Option<&'static str> {
    let ([group], [resource]) = (rule.api_groups.as_slice(), rule.resources.as_slice()) else { return None };
    KINDS.iter().find(|(of, plural, _)| of == group && plural == resource).map(|(_, _, kind)| *kind)
}

fn scope_words(rule: &PolicyRule, scope: &Scope) -> String {
    let everything = [&rule.api_groups, &rule.resources].iter().any(|list| list.iter().any(|one| one == "*"));
    let clusterwide = !everything
        && rule.api_groups.iter().all(|group| rule.resources.iter().all(|resource| is_cluster_scoped(group, resource)));
    // Binding is checked where the binding is made.
    let counts = rule.verbs.iter().any(|verb| verb == "bind" || verb == "use" || verb == "*");
    let of_namespaces = rule.api_groups.iter().all(String::is_empty)
        && rule.resources.iter().all(|resource| resource == "namespaces" || resource.starts_with("namespaces/"));
    match scope {
        Scope::Cluster if clusterwide || of_namespaces => String::new(),
        Scope::Namespace(namespace) if of_namespaces => format!(" ({} only)", clip(namespace)),
        Scope::Cluster if rule.resources.iter().any(|resource| resource == "*") => String::new(),
        Scope::Cluster => " in every namespace".to_owned(),
        Scope::Namespace(namespace) if clusterwide && !counts => {
            format!(" (no effect through a RoleBinding in {})", clip(namespace))
        }
        Scope::Namespace(namespace) => format!(" in namespace {}", clip(namespace)),
    }
}

fn describe_urls(rule: &PolicyRule, scope: &Scope) -> String {
    let verbs = if rule.verbs.iter().any(|verb| verb == "*") {
        "every verb on".to_owned()
    } else {
        list(sorted(&rule.verbs).iter().map(|verb| clip(verb).to_ascii_uppercase()))
    };
    let urls = sorted(&rule.non_resource_urls);
    let words =
        if urls.contains(&"*") { "every non-resource URL".to_owned() } else { list(urls.iter().map(|url| clip(url))) };
    match scope {
        Scope::Cluster => format!("{verbs} {words}"),
        Scope::Namespace(_) => format!("{verbs} {words} (no effect through a RoleBinding)"),
    }
}

fn sorted(list: &[String]) -> Vec<&str> {
    let mut sorted: Vec<&str> = list.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

fn list(mut words: impl Iterator<Item = String>) -> String {
    let shown: Vec<String> = words.by_ref().take(LISTED_MAX).collect();
    match words.count() {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

fn name_words(name: &str) -> String {
    if name.is_empty() { "\"\" (requests without a name)".to_owned() } else { clip(name) }
}

/// At most [`WORD_CHARS_MAX`] characters, marked where cut; quotes for the empty word.
pub(super) fn clip(word: &str) -> String {
    if word.is_empty() {
        return "\"\"".to_owned();
    }
    let mut characters = word.chars();
    let mut kept: String = characters.by_ref().take(WORD_CHARS_MAX).collect();
    if characters.next().is_some() {
        kept.push('…');
    }
    kept
}

/// The built-in API group a resource name belongs to.
fn home_group(resource: &str) -> Option<&'static str> {
    HOMES.iter().find(|(_, resources)| resources.contains(&resource)).map(|(group, _)| *group)
}

/// Verbs that are about a permission rather than about the object.
const TAKES_ON: [&str; 6] = ["escalate", "bind", "approve", "sign", "attest", "use"];

/// Entries of a list that are written out; more would not be read.
const LISTED_MAX: usize = 12;

/// Kubernetes allows most objects a name of 253 characters; nearly all have fewer than this.
const WORD_CHARS_MAX: usize = 120;

/// Resources written by their kind when one object is meant.
const KINDS: [(&str, &str, &str); 16] = [
    ("", "configmaps", "ConfigMap"),
    ("", "namespaces", "Namespace"),
    ("", "nodes", "Node"),
    ("", "pods", "Pod"),
    ("", "secrets", "Secret"),
    ("", "serviceaccounts", "ServiceAccount"),
    ("", "services", "Service"),
    ("", "users", "user"),
    ("", "groups", "group"),
    ("apps", "daemonsets", "DaemonSet"),
    ("apps", "deployments", "Deployment"),
    ("coordination.k8s.io", "leases", "Lease"),
    ("rbac.authorization.k8s.io", "clusterroles", "ClusterRole"),
    ("rbac.authorization.k8s.io", "roles", "Role"),
    ("rbac.authorization.k8s.io", "rolebindings", "RoleBinding"),
    ("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding"),
];

/// Well-known resources, whose group goes without saying.
const HOMES: [(&str, &[&str]); 14] = [
    (
        "",
        &[
            "bindings",
            "configmaps",
            "endpoints",
            "events",
            "groups",
            "limitranges",
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "podtemplates",
            "replicationcontrollers",
            "resourcequotas",
            "secrets",
            "serviceaccounts",
            "services",
            "users",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("apps", &["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"]),
    ("authentication.k8s.io", &["selfsubjectreviews", "tokenreviews", "uids", "userextras"]),
    (
        "authorization.k8s.io",
        &["localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"],
    ),
    ("batch", &["cronjobs", "jobs"]),
    (
        "certificates.k8s.io",
        &["certificatesigningrequests", "clustertrustbundles", "podcertificaterequests", "signers"],
    ),
    ("coordination.k8s.io", &["leases"]),
    ("discovery.k8s.io", &["endpointslices"]),
    ("networking.k8s.io", &["ingressclasses", "ingresses", "networkpolicies"]),
    ("rbac.authorization.k8s.io", &["clusterrolebindings", "clusterroles", "rolebindings", "roles"]),
    ("storage.k8s.io", &["csidrivers", "csinodes", "storageclasses", "volumeattachments"]),
];
