//! Acting as somebody else: `Impersonate-User` and its companions, used or refused.

use crate::audit::AuditEvent;
use crate::audit::outcome::Outcome;
use crate::klog::unquote;
use crate::text;

/// A request that asked to act as somebody else.
///
/// When it was let through, the log holds the whole identity acted as. When it was refused, it holds a message about the
/// first part that the caller may not take on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impersonation {
    /// Username acted as; empty when the refusal is about another part.
    pub username: String,
    /// Groups acted as.
    pub groups: Vec<String>,
    /// What else was refused: a uid, an extra value, a request while impersonating.
    pub other: Option<String>,
    /// The API server did not allow it.
    pub refused: bool,
    /// The verb that allowed it under constrained impersonation (KEP-5284), `impersonate:user-info` for example.
    pub constraint: Option<String>,
}

impl Impersonation {
    /// The impersonation that an event shows; `None` when the caller acted as itself.
    #[must_use]
    pub fn of(event: &AuditEvent<'_>) -> Option<Self> {
        if let Some(target) = &event.caller.acting_as {
            return Some(Self {
                username: target.username.clone().into_owned(),
                groups: target.groups.iter().map(|group| group.clone().into_owned()).collect(),
                other: None,
                refused: false,
                constraint: event.impersonation_constraint.as_ref().map(|verb| verb.clone().into_owned()),
            });
        }
        // The filter refuses before anything is authorized, so there is no decision beside the 403.
        if event.outcome() != Outcome::Denied || event.annotations.decision().is_some() {
            return None;
        }
        Self::of_refusal(&event.status.as_ref()?.message)
    }

    /// Reads `users "a" is forbidden: User "b" cannot impersonate resource "users" in API group "" at the cluster scope`
    /// (Kubernetes source, `pkg/endpoints/filters/impersonation.go` and `handlers/responsewriters`).
    fn of_refusal(message: &str) -> Option<Self> {
        let resource_end = message.find([' ', '.'])?;
        let (resource, rest) = message.split_at_checked(resource_end)?;
        let (name, rest) = match rest.split_once(' ')?.1.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => (String::new(), rest),
        };
        let (_, refusal) = rest.split_once("is forbidden: User \"")?;
        let (_, refusal) = unquote(refusal)?;
        let verb = refusal.strip_prefix(" cannot ")?;
        if !["impersonate ", "impersonate:", "impersonate-on:"].iter().any(|prefix| verb.starts_with(prefix)) {
            return None;
        }
        let namespace = verb.split_once("in the namespace \"").and_then(|(_, rest)| unquote(rest));
        let mut wanted =
            Self { username: String::new(), groups: Vec::new(), other: None, refused: true, constraint: None };
        match (resource, namespace) {
            _ if verb.starts_with("impersonate-on:") => {
                wanted.other = Some(format!("somebody for {resource}"));
            }
            ("users", _) => wanted.username = name,
            ("groups", _) => wanted.groups.push(name),
            ("nodes", _) => wanted.username = format!("system:node:{name}"),
            ("serviceaccounts", Some((namespace, _))) => {
                wanted.username = format!("system:serviceaccount:{namespace}:{name}");
            }
            _ => wanted.other = Some(format!("somebody with {resource} {name}")),
        }
        Some(wanted)
    }

    /// Stands for the identity in a session's key; the same for the same identity.
    #[must_use]
    pub fn digest(&self) -> String {
        let refused = if self.refused { "refused" } else { "" };
        let parts = [refused, self.username.as_str(), self.other.as_deref().unwrap_or_default()];
        text::digest(parts.into_iter().chain(self.groups.iter().map(String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::Impersonation;

    #[test]
    fn a_refusal_says_as_whom() {
        for (message, expected) in [
            (
                r#"users "system:admin" is forbidden: User "tom" cannot impersonate resource "users" in API group "" at the cluster scope"#,
                Some(("system:admin", "", "")),
            ),
            (
                r#"groups "system:masters" is forbidden: User "tom" cannot impersonate resource "groups" in API group "" at the cluster scope"#,
                Some(("", "system:masters", "")),
            ),
            (
                r#"serviceaccounts "default" is forbidden: User "tom" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "kube-system""#,
                Some(("system:serviceaccount:kube-system:default", "", "")),
            ),
            (
                r#"users.authentication.k8s.io "a\"b" is forbidden: User "tom" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope"#,
                Some(("a\"b", "", "")),
            ),
            (
                r#"userextras.authentication.k8s.io "x" is forbidden: User "tom" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope"#,
                Some(("", "", "somebody with userextras x")),
            ),
            (
                r#"pods is forbidden: User "tom" cannot impersonate-on:user-info:list resource "pods" in API group "" at the cluster scope"#,
                Some(("", "", "somebody for pods")),
            ),
            (r#"pods "x" is forbidden: User "tom" cannot get resource "pods" in API group """#, None),
            (r#"pods "cannot impersonate" is forbidden: User " cannot impersonate " cannot get resource "pods""#, None),
            ("Forbidden", None),
            ("", None),
        ] {
            let wanted = Impersonation::of_refusal(message);
            let read = wanted.as_ref().map(|wanted| {
                let group = wanted.groups.first().map_or("", String::as_str);
                (wanted.username.as_str(), group, wanted.other.as_deref().unwrap_or_default())
            });
            assert_eq!(read, expected, "{message}");
        }
    }
}
