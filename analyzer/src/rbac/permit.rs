//! Whether rules permit a request, exactly as the API server decides.

use super::{PolicyRule, Scope};

/// What a caller asks of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// A request about a resource.
    Resource {
        /// The verb as authorization sees it.
        verb: &'a str,
        /// The API group, `""` for the core group.
        group: &'a str,
        /// The resource.
        resource: &'a str,
        /// The subresource, `""` for none.
        subresource: &'a str,
        /// The object's name, `""` where the request has none: create, deletecollection, and list or watch without a
        /// field selector on `metadata.name`.
        name: &'a str,
        /// The namespace, none for cluster-scoped resources and for requests over all namespaces.
        namespace: Option<&'a str>,
    },
    /// A request about a path outside the resource API.
    Url {
        /// The HTTP method in lower case.
        verb: &'a str,
        /// The path.
        url: &'a str,
    },
}

/// Whether any of `rules` permits `request`, leaving aside where the rules are bound: see [`Scope::reaches`].
///
/// Follows `RuleAllows` of the Kubernetes RBAC authorizer: `*` matches every verb, group and resource, `*/sub` a
/// subresource of anything, and no other pattern is expanded (`pods/*` matches nothing that exists).
#[must_use]
pub fn permits(rules: &[PolicyRule], request: &Request<'_>) -> bool {
    rules.iter().any(|rule| rule_permits(rule, request))
}

/// Whether rights bound at several scopes permit `request`.
#[must_use]
pub fn permits_in(grants: &[(Scope, Vec<PolicyRule>)], request: &Request<'_>) -> bool {
    grants.iter().any(|(scope, rules)| scope.reaches(request) && permits(rules, request))
}

fn rule_permits(rule: &PolicyRule, request: &Request<'_>) -> bool {
    match *request {
        Request::Resource { verb, group, resource, subresource, name, .. } => {
            any_is(&rule.verbs, verb)
                && any_is(&rule.api_groups, group)
                && rule.resources.iter().any(|pattern| resource_matches(pattern, resource, subresource))
                && (rule.resource_names.is_empty() || rule.resource_names.iter().any(|own| own == name))
        }
        Request::Url { verb, url } => {
            any_is(&rule.verbs, verb) && rule.non_resource_urls.iter().any(|pattern| url_matches(pattern, url))
        }
    }
}

fn any_is(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| pattern == "*" || pattern == value)
}

fn resource_matches(pattern: &str, resource: &str, subresource: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    if subresource.is_empty() {
        return pattern == resource;
    }
    match pattern.split_once('/') {
        Some((of, sub)) => sub == subresource && (of == "*" || of == resource),
        None => false,
    }
}

/// Whether a URL pattern of a rule matches a path: equal, or everything before its trailing stars is a prefix.
pub(super) fn url_matches(pattern: &str, url: &str) -> bool {
    pattern == url || (pattern.ends_with('*') && url.starts_with(pattern.trim_end_matches('*')))
}
