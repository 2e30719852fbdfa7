use super::access_policy_used::{Policy, is_admin};
use crate::audit::principal::{ServiceAccount, is_reserved};
use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::impersonation::Impersonation;
use crate::rbac::Subject;
use crate::severity::Severity;
use crate::strength;
use crate::text;

detection! {
    /// Somebody acted as another identity, or tried to
    ///
    /// ## Why it matters
    ///
    /// Impersonation lends a caller all rights of another user, group or service account, `system:masters` included, and
    /// hides the caller from every tool that reads only the identity whose rights counted. Here both are named.
    ///
    /// ## What it misses
    ///
    /// What an ordinary identity can do is known from the bindings seen so far; where none was seen, it counts as
    /// ordinary. Who may impersonate without doing so shows when the role is granted.
    ///
    /// ## Known benign causes
    ///
    /// Administrators who check rights with `kubectl --as` (questions about rights count low); GitOps controllers and
    /// login proxies that act as tenants or people. Nothing of the EKS control plane is known to impersonate, so nothing
    /// is left out. A node's agent acting as its own node, which the API server itself verifies, counts low.
    ///
    /// ## What to do
    ///
    /// Ask the named person. If nobody meant it, find the role that allows `impersonate`, and look at everything done
    /// under the other identity.
    "identity-impersonated", [TOKEN_MANIPULATION, CLOUD_ACCOUNTS], since "0.1.0", Session check
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let wanted = case.impersonation.as_ref().filter(|wanted| !is_self(case, wanted))?;
    let group = strongest_group(case, wanted);
    let (strength, why) = worth(case, wanted, group);
    let whom = whom(wanted, group);
    let mut hit = if wanted.refused {
        // Nothing was lent, so `why` does not apply.
        Hit::new(
            strength.lowered(1).clamp(Severity::Low, Severity::High),
            format!("tried to act as {whom} and was refused"),
            "The caller has no right to impersonate it.",
        )
    } else if asks_only(case) {
        Hit::new(Severity::Low, format!("asked what {whom} may do, acting as it"), why)
    } else {
        Hit::new(strength, format!("acted as {whom}"), why)
    };
    if let Some(verb) = &wanted.constraint {
        hit.changes.push(Delta::Note(format!("allowed by the verb {}", text::name(verb))));
    }
    if !wanted.refused && !wanted.groups.is_empty() {
        let groups: Vec<&str> = wanted.groups.iter().map(String::as_str).take(GROUPS_SHOWN).collect();
        hit.changes.push(Delta::Note(format!("groups acted as: {}", text::name(&groups.join(", ")))));
    }
    hit.subjects.push(whom);
    Some(hit)
}

/// Acting as oneself, with no group that one does not have, lends nothing.
fn is_self(case: &Case<'_>, wanted: &Impersonation) -> bool {
    let own = &case.event.caller.authenticated;
    !wanted.refused
        && wanted.username == own.username
        && wanted.groups.iter().all(|group| own.in_group(group))
        && case.event.caller.acting_as.as_ref().is_none_or(|target| target.uid.is_empty() && target.extra.is_empty())
}

/// Only a question about rights: `kubectl auth can-i --as ...`.
fn asks_only(case: &Case<'_>) -> bool {
    case.event.object.as_ref().is_some_and(|object| {
        object.api_group == "authorization.k8s.io"
            && ["selfsubjectaccessreviews", "selfsubjectrulesreviews"].contains(&object.resource.as_ref())
    })
}

/// The identity acted as, with the group that makes it strong.
fn whom(wanted: &Impersonation, group: Option<(Severity, &String)>) -> String {
    let user = match ServiceAccount::of_username(&wanted.username) {
        Some(account) => format!("ServiceAccount {}/{}", text::name(account.namespace), text::name(account.name)),
        None => text::name(text::short(&wanted.username)),
    };
    match (wanted.username.is_empty(), group, wanted.groups.first(), &wanted.other) {
        (false, Some((strength, group)), ..) if strength >= Severity::High => format!("{user} of {}", text::name(group)),
        (false, ..) => user,
        (true, _, Some(group), _) => format!("group {}", text::name(group)),
        (true, _, None, Some(other)) => text::name(other),
        (true, _, None, None) => "somebody".to_owned(),
    }
}

/// The group acted as that is worth most.
fn strongest_group<'w>(case: &Case<'_>, wanted: &'w Impersonation) -> Option<(Severity, &'w String)> {
    wanted
        .groups
        .iter()
        // Held by everybody already.
        .filter(|group| *group != "system:authenticated" && *group != "system:unauthenticated")
        .filter_map(|group| Some((strength::of_subject(case, &Subject::Group(group.clone()))?, group)))
        .max_by_key(|(severity, _)| *severity)
}

/// What acting as this identity is worth, and why.
fn worth(case: &Case<'_>, wanted: &Impersonation, group: Option<(Severity, &String)>) -> (Severity, String) {
    if wanted.constraint.as_deref() == Some("impersonate:associated-node") {
        return (Severity::Low, "The API server verified that the caller runs on the node it acts as.".to_owned());
    }
    if let Some(policy) = used_policy(case).filter(|policy| is_admin(&policy.name)) {
        let why = format!("The request was allowed by the access policy {} of the other.", text::name(&policy.name));
        return (Severity::Critical, why);
    }
    match (group, of_user(case, &wanted.username)) {
        (Some((severity, group)), user) if severity >= Severity::High && user.is_none_or(|user| severity >= user) => (
            severity,
            format!("Members of {} hold strong rights ({severity}), which this lends to the caller.", text::name(group)),
        ),
        (_, Some(severity)) if severity >= Severity::High => (
            severity,
            format!("This identity holds strong rights ({severity}), which this lends to the caller."),
        ),
        _ => (Severity::Low, "Nothing strong is known of this identity; all it may do is lent to the caller.".to_owned()),
    }
}

/// What a user is worth: by its bindings, and at least high for names of the control plane and accounts of kube-system.
fn of_user(case: &Case<'_>, username: &str) -> Option<Severity> {
    let account = ServiceAccount::of_username(username);
    let subject = match account {
        Some(account) => {
            Subject::ServiceAccount { namespace: account.namespace.to_owned(), name: account.name.to_owned() }
        }
        None => Subject::User(username.to_owned()),
    };
    let known = strength::of_subject(case, &subject);
    let privileged = match account {
        Some(account) => account.namespace == "kube-system",
        None => is_reserved(username) && username != "system:anonymous",
    };
    if privileged { known.max(Some(Severity::High)) } else { known }
}

fn used_policy(case: &Case<'_>) -> Option<Policy> {
    case.event.caller.acting_as.as_ref()?;
    Policy::of(case.event.annotations.reason()?)
}

/// Most groups shown.
const GROUPS_SHOWN: usize = 10;
