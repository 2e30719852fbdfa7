use super::access_policy_used::{Policy, is_admin};
use crate::audit::principal::{ServiceAccount, is_reserved};
use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::impersonation::Impersonation;
use crate::interest::Facts;
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
    "identity-impersonated", [TOKEN_MANIPULATION, CLOUD_ACCOUNTS], since "0.1.0", Session check where &[Facts::ACTING, Facts::REFUSED.and(Facts::UNDECIDED)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let wanted = case.impersonation.as_ref().filter(|wanted| !is_self(case, wanted))?;
    let target = Target::of(case, wanted);
    let (strength, why) = target.worth(case, wanted);
    let whom = target.name(wanted);
    let mut hit = if wanted.refused {
        let severity = strength.lowered(1).clamp(Severity::Low, Severity::High);
        let mut hit = Hit::new(
            severity,
            format!("tried to act as {whom} and was refused"),
            "The caller has no right to impersonate it; nothing was lent.",
        );
        hit.next = Some("Ask the named person what they wanted to do, and look for what else they tried.".to_owned());
        hit
    } else if asks_only(case) {
        Hit::new(Severity::Low, format!("asked what {whom} may do, acting as it"), why)
    } else {
        Hit::new(strength, format!("acted as {whom}"), why)
    };
    if let Some(verb) = &wanted.constraint {
        hit.changes.push(Delta::Note(format!("allowed by the verb {}", text::name(verb))));
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

/// What is known of the identity acted as.
struct Target {
    /// What the user is worth.
    user: Option<Severity>,
    /// The group that is worth most.
    group: Option<(String, Severity)>,
}

impl Target {
    fn of(case: &Case<'_>, wanted: &Impersonation) -> Self {
        let account = ServiceAccount::of_username(&wanted.username);
        let user = match account {
            Some(ServiceAccount { namespace, name }) => {
                Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }
            }
            None => Subject::User(wanted.username.clone()),
        };
        let everybodys = ["system:authenticated", "system:unauthenticated"];
        let groups = wanted.groups.iter().filter(|group| !everybodys.contains(&group.as_str()));
        let groups: Vec<Subject> = groups.map(|group| Subject::Group(group.clone())).collect();
        let worth = strength::of_each(case.memory, case.cluster(), groups.iter().chain([&user]));
        // Names of the control plane and accounts of kube-system are worth much, whatever is known of them.
        let privileged = match account {
            Some(account) => account.namespace == "kube-system",
            None => is_reserved(&wanted.username) && wanted.username != "system:anonymous",
        };
        Self {
            user: worth.get(&user).copied().max(privileged.then_some(Severity::High)),
            group: worth
                .iter()
                .filter_map(|(subject, severity)| match subject {
                    Subject::Group(name) => Some((name.clone(), *severity)),
                    _ => None,
                })
                .max_by(|(one, worth), (other, than)| worth.cmp(than).then_with(|| other.cmp(one))),
        }
    }

    /// The strong group, if there is one.
    fn strong_group(&self) -> Option<(&str, Severity)> {
        self.group.as_ref().filter(|(_, severity)| *severity >= Severity::High).map(|(name, worth)| (&**name, *worth))
    }

    /// The identity, with the group that makes it strong.
    fn name(&self, wanted: &Impersonation) -> String {
        let user = match ServiceAccount::of_username(&wanted.username) {
            Some(account) => format!("ServiceAccount {}/{}", text::name(account.namespace), text::name(account.name)),
            None => text::name(text::short(&wanted.username)),
        };
        match (wanted.username.is_empty(), self.strong_group(), wanted.groups.first(), &wanted.other) {
            (false, Some((group, _)), ..) => format!("{user} of {}", text::name(group)),
            (false, ..) => user,
            (true, _, Some(group), _) => format!("group {}", text::name(group)),
            (true, _, None, Some(other)) => text::name(other),
            (true, _, None, None) => "somebody".to_owned(),
        }
    }

    /// What acting as this identity is worth, and why.
    fn worth(&self, case: &Case<'_>, wanted: &Impersonation) -> (Severity, String) {
        if wanted.constraint.as_deref() == Some("impersonate:associated-node") {
            return (Severity::Low, "The API server verified that the caller runs on the node it acts as.".to_owned());
        }
        if let Some(policy) = used_policy(case).filter(|policy| is_admin(&policy.name)) {
            let why = format!("The request was allowed by the access policy {} of the other.", text::name(&policy.name));
            return (Severity::Critical, why);
        }
        match (self.strong_group(), self.user.filter(|worth| *worth >= Severity::High)) {
            (Some((group, worth)), user) if user.is_none_or(|user| worth >= user) => {
                (worth, format!("Members of {} hold strong rights ({worth}); this lends them.", text::name(group)))
            }
            (_, Some(worth)) => {
                (worth, format!("This identity holds strong rights ({worth}); acting as it lends them."))
            }
            _ => {
                let why = "Nothing strong is known of this identity; all it may do is lent to the caller.";
                (Severity::Low, why.to_owned())
            }
        }
    }
}

fn used_policy(case: &Case<'_>) -> Option<Policy> {
    case.event.caller.acting_as.as_ref()?;
    Policy::of(case.event.annotations.reason()?)
}
