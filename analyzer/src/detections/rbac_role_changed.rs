use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::memory::State;
use crate::severity::Severity;

detection! {
    /// A Role or ClusterRole was created, changed or deleted
    ///
    /// ## Why it matters
    ///
    /// Whoever is bound to a role can do what its rules say, from the moment they are written. Widening a role that is
    /// already bound gives rights to people and workloads without touching any binding.
    ///
    /// The severity is that of the most dangerous permission gained, from the risk table, at the scope where the role
    /// can hold; it rises when a remembered binding gives the role to everybody. Without a remembered previous state
    /// the alert says what the role permits now.
    ///
    /// ## What it misses
    ///
    /// A change whose audit event was lost shows as `audit-event-lost`, one whose body was not recorded as a change of
    /// unknown content.
    ///
    /// ## Known benign causes
    ///
    /// Helm, Terraform and GitOps tools installing or upgrading a chart.
    ///
    /// ## What to do
    ///
    /// Ask the named person, or look for the release that brought it. If nobody knows it, put the role back as it was,
    /// then look at what its holders did since.
    "rbac-role-changed", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| change.kind.is_role() && change.took_effect())?;
    let object = grant::object(change);
    let mut hit = match (change.action, &change.after) {
        (Action::DeletedMany, _) => return None,
        (Action::Deleted, _) => deleted(change),
        (_, Content::Known(State::Role { rules, .. })) => written(case, change, rules),
        _ => grant::unshown(case, change),
    };
    hit.objects.push(object);
    Some(hit)
}

fn written(case: &Case<'_>, change: &Change, rules: &[crate::rbac::PolicyRule]) -> Hit {
    let grade = grant::of_role(case, change, rules);
    let object = grant::object(change);
    let known_before = change.before.is_some() && !change.drifted;
    let gains = grade.deltas.iter().any(|delta| matches!(delta, Delta::Gained(_)));
    let what = match change.action {
        Action::Created => format!("created {object}: {}", grade.phrase),
        _ if known_before && gains => format!("widened {object}: {}", grade.phrase),
        _ if known_before && grade.deltas.iter().all(|delta| !matches!(delta, Delta::Lost(_))) => {
            format!("changed the metadata of {object}: its rules are as before")
        }
        _ if known_before => format!("narrowed {object}"),
        _ => format!("changed {object}, now: {}", grade.phrase),
    };
    let mut hit = Hit::new(grade.severity, what, grade.reasons.join(" "));
    hit.changes = grade.deltas;
    hit.subjects = grade.subjects;
    hit
}

fn deleted(change: &Change) -> Hit {
    if change.pending {
        return Hit::new(
            Severity::Low,
            format!("asked to delete {}, which a finalizer keeps in force", grant::object(change)),
            "It still grants what it says, although it looks deleted.",
        );
    }
    let mut hit = Hit::new(
        Severity::Low,
        format!("deleted {}", grant::object(change)),
        "Whoever was bound to it has lost its rights; bindings that still name it come alive again if somebody creates it anew.",
    );
    if let Some(before) = &change.before {
        hit.changes = grant::lost_lines(change.kind, &change.namespace, before);
    }
    hit
}
