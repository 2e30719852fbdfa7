use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::memory::State;
use crate::rbac::Subject;
use crate::severity::Severity;

detection! {
    /// A RoleBinding or ClusterRoleBinding was created, changed or deleted
    ///
    /// ## Why it matters
    ///
    /// A binding is the moment when somebody gains rights. The severity is what the role gives, graded by its rules and
    /// not by its name, and adjusted by who receives it: everybody, every service account, a `default` account, the
    /// actor itself.
    ///
    /// ## What it misses
    ///
    /// A custom role whose rules were never seen is taken for a powerful one, so its bindings may be graded too high.
    /// EKS access entries grant rights without any binding; they show in CloudTrail only.
    ///
    /// ## Known benign causes
    ///
    /// Helm, Terraform and GitOps tools; `kubectl auth reconcile`; a platform team that grants access by hand.
    ///
    /// ## What to do
    ///
    /// Ask the named person whether this was meant. If not, delete the binding, then look at what the new subjects did
    /// since.
    "rbac-binding-changed", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| change.kind.is_binding() && change.took_effect())?;
    let object = grant::object(change);
    let mut hit = match (change.action, &change.after) {
        (Action::DeletedMany, _) => return None,
        (Action::Deleted, _) => deleted(change),
        (_, Content::Known(State::Binding { role_ref, subjects })) => {
            let grade = grant::of_binding(case, change, role_ref.as_ref(), subjects);
            let mut hit = Hit::new(grade.severity, what(change, &grade, subjects), grade.reasons.join(" "));
            hit.changes = grade.deltas;
            hit.subjects = grade.subjects;
            hit
        }
        _ => grant::unshown(case, change),
    };
    hit.objects.push(object);
    Some(hit)
}

fn what(change: &Change, grade: &grant::Grade, subjects: &[Subject]) -> String {
    let object = grant::object(change);
    let gained = grade.deltas.iter().any(|delta| matches!(delta, Delta::Gained(_) | Delta::Now(_)));
    match (change.action, change.before.is_some()) {
        _ if change.only_removes() && change.before.is_none() => format!("took subjects away from {object}"),
        (_, true) if !gained && grade.deltas.is_empty() => {
            format!("changed the metadata of {object}: its subjects are as before")
        }
        (_, true) if !gained => format!("took subjects away from {object}"),
        (Action::Created, _) if subjects.is_empty() => format!("created {object} without subjects"),
        _ if change.brings_what_is_new() => format!("gave {} {}", grade.who, grade.phrase),
        _ => format!("changed {object}, which now gives {} {}", grade.who, grade.phrase),
    }
}

fn deleted(change: &Change) -> Hit {
    let object = grant::object(change);
    if change.pending {
        return Hit::new(
            Severity::Low,
            format!("asked to delete {object}, which a finalizer keeps in force"),
            "Its subjects still hold what it grants, although it looks deleted.",
        );
    }
    let mut hit = Hit::new(Severity::Low, format!("deleted {object}"), "Its subjects have lost what it granted.");
    if let Some(State::Binding { role_ref: Some(role), subjects }) = &change.before {
        hit.what = format!("took {} from {}", crate::text::name(&role.name), grant::listed(subjects.iter()));
        hit.subjects = subjects.iter().take(5).map(|subject| crate::text::name(&subject.to_string())).collect();
    }
    if let Some(before) = &change.before {
        hit.changes = grant::lost_lines(change.kind, &change.namespace, before);
    }
    hit
}
