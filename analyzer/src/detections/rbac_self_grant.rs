use std::collections::HashSet;

use crate::case::Case;
use crate::change::{self, Action, Change};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::memory::State;
use crate::rbac::Subject;
use crate::severity::Severity;

detection! {
    /// Somebody gave rights to themselves
    ///
    /// ## Why it matters
    ///
    /// The actor, one of its groups, or the service account it runs as is among those who gained. That is how an intruder
    /// keeps what was got once, and how people go round the review that a grant should have.
    ///
    /// ## What it misses
    ///
    /// A grant to another identity of the same person. Groups that everybody is in do not count.
    ///
    /// ## Known benign causes
    ///
    /// A platform team setting up its own access; operators that write roles for their own account.
    ///
    /// ## What to do
    ///
    /// Ask somebody other than the actor whether this was agreed. If not, take the grant back and end the session.
    "rbac-self-grant", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.took_effect() && matches!(change.action, Action::Created | Action::Changed) && !change.only_removes() && !change.drifted
    })?;
    let (severity, phrase, own) = match change.after.known().or(change.asked.as_ref())? {
        State::Binding { role_ref, subjects } => {
            let own = own_subjects(case, subjects, before(change));
            let bound = role_ref.clone().or_else(|| change.asked.as_ref().and_then(|_| grant::bound(case, change)));
            if bound.is_none() && change.asked.is_some() {
                // Asked for in the binding to a role that is not known here: that is told with the change.
                return None;
            }
            let grade = grant::of_binding(case, change, bound.as_ref(), &own);
            (grade.severity, grade.phrase, own)
        }
        State::Role { rules, .. } => {
            let holders: Vec<Subject> = grant::holders(case, change).into_iter().map(|(holder, _)| holder).collect();
            let grade = grant::of_role(case, change, rules);
            let gained = grade.deltas.iter().any(|delta| matches!(delta, Delta::Gained(_) | Delta::Now(_)));
            if !gained {
                return None;
            }
            (grade.severity, grade.phrase, own_subjects(case, &holders, &[]))
        }
        _ => return None,
    };
    let first = own.first()?;
    let whom = match first {
        Subject::Group(_) => format!("their own {}", grant::brief(first)),
        _ if change.kind.is_role() => "they themselves".to_owned(),
        _ => "themselves".to_owned(),
    };
    let what = if change.kind.is_role() {
        format!("widened {}, which {whom} hold: {phrase}", grant::object(change))
    } else {
        format!("gave {whom} {phrase}")
    };
    let mut hit = Hit::new(
        severity.max(Severity::Medium),
        what,
        "The actor is among those who gained, so nobody else has to have agreed.",
    );
    hit.objects.push(grant::object(change));
    hit.subjects = own.iter().map(|subject| crate::text::name(&subject.to_string())).collect();
    Some(hit)
}

fn before(change: &Change) -> &[Subject] {
    match &change.before {
        Some(State::Binding { subjects, .. }) => subjects,
        _ => &[],
    }
}

/// The new subjects that are the actor: by username, by group, by service account.
fn own_subjects(case: &Case<'_>, subjects: &[Subject], before: &[Subject]) -> Vec<Subject> {
    let caller = &case.event.caller;
    let account = case.service_account();
    let before: HashSet<&Subject> = before.iter().collect();
    subjects
        .iter()
        .filter(|subject| !before.contains(subject))
        .filter(|subject| match subject {
            Subject::User(name) => *name == caller.authenticated.username || *name == caller.effective().username,
            Subject::Group(name) => {
                !EVERYBODY.contains(&name.as_str())
                    && !name.starts_with("system:serviceaccounts")
                    && caller.groups().any(|group| group == name)
            }
            Subject::ServiceAccount { namespace, name } => {
                account.is_some_and(|account| account.namespace == namespace && account.name == name)
            }
            Subject::Other { .. } => false,
        })
        .cloned()
        .collect()
}

/// Groups that are no sign of a self-grant, because everybody is in them. Their own adjustment is graver.
const EVERYBODY: &[&str] = &["system:authenticated", "system:unauthenticated"];
