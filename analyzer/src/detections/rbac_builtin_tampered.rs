use crate::case::Case;
use crate::change::{self, AUTOUPDATE, Action, BOOTSTRAPPING, Change};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::kube::ObjectKind;
use crate::rbac::{RoleKind, stock};
use crate::severity::Severity;

detection! {
    /// A built-in role or binding was changed by somebody else, or something was made to look built-in
    ///
    /// ## Why it matters
    ///
    /// The roles and bindings that Kubernetes and EKS bring are trusted by everybody and looked at by nobody. Changing one
    /// moves many rights at once; a name like `system:something` or the label of the defaults makes a new object pass for
    /// one of them. With `autoupdate` switched off, the API server no longer repairs a stock role.
    ///
    /// ## What it misses
    ///
    /// Built-in objects of Kubernetes versions that came after this release are known by the prefix of their name only.
    ///
    /// ## Known benign causes
    ///
    /// Charts that name their own roles `system:...` (metrics-server does); an administrator who takes
    /// `system:authenticated` out of a stock binding to harden the cluster.
    ///
    /// ## What to do
    ///
    /// Compare the object with the one of a fresh cluster. `kubectl auth reconcile`, or a restart of the API server, puts
    /// stock roles back unless `autoupdate` is off.
    "rbac-builtin-tampered", [ADDITIONAL_CLUSTER_ROLES, MASQUERADE_NAME], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| change.kind.is_rbac() && change.took_effect())?;
    let object = grant::object(change);
    let reserved = (change.name.starts_with("system:") || change.name.starts_with("eks:"))
        && !UPSTREAM_NAMES.contains(&change.name.as_str());
    let mut hit = if is_stock(change) {
        stock_object(change)?
    } else if reserved {
        // What is there under such a name already, Kubernetes or EKS made.
        let severity = if change.action == Action::Created { Severity::Medium } else { Severity::High };
        Hit::new(
            severity,
            format!("{} {object} under a built-in name", change.action.as_str()),
            "Names with this prefix belong to Kubernetes and EKS; an object of somebody else's hides among them.",
        )
    } else if change.meta.label(BOOTSTRAPPING).is_some() {
        Hit::new(
            Severity::Medium,
            format!("labelled {object} as one of the defaults"),
            "The label marks what the API server creates by itself; on anything else it is a disguise.",
        )
    } else {
        return None;
    };
    if change.meta.annotation(AUTOUPDATE) == Some("false") {
        hit.severity = hit.severity.max(Severity::High);
        hit.changes.push(Delta::Note("autoupdate is off: the API server will not repair it".to_owned()));
    }
    hit.objects.push(object);
    Some(hit)
}

fn stock_object(change: &Change) -> Option<Hit> {
    let object = grant::object(change);
    Some(match change.action {
        Action::DeletedMany => return None,
        Action::Deleted => Hit::new(
            Severity::Medium,
            format!("deleted the built-in {object}"),
            "Whatever depends on it stops working until the API server brings it back at its next start.",
        ),
        Action::Created | Action::Changed => Hit::new(
            Severity::High,
            format!("{} the built-in {object}", change.action.as_str()),
            "Everybody who holds it through the built-in bindings holds what it says now; only the API server should write it.",
        ),
    })
}

fn is_stock(change: &Change) -> bool {
    match change.kind {
        ObjectKind::Role => stock::is_stock_name(RoleKind::Role, &change.name) && in_stock_namespace(change),
        ObjectKind::ClusterRole => stock::is_stock_name(RoleKind::ClusterRole, &change.name),
        ObjectKind::ClusterRoleBinding => stock::binding(None, &change.name).is_some(),
        ObjectKind::RoleBinding => stock::binding(Some(&change.namespace), &change.name).is_some(),
        ObjectKind::AwsAuth | ObjectKind::ServiceAccount => false,
    }
}

fn in_stock_namespace(change: &Change) -> bool {
    stock::role(RoleKind::Role, Some(&change.namespace), &change.name).is_some()
}

/// Names with the prefix that widely used projects give their own roles and bindings: metrics-server, `CoreDNS`,
/// Konnectivity. They are judged by what they say.
const UPSTREAM_NAMES: &[&str] =
    &["system:metrics-server", "system:aggregated-metrics-reader", "system:coredns", "system:konnectivity-server"];
