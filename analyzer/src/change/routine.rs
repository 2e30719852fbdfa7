//! What the control plane does all day, each by exact identity, verb and object.
//!
//! A name is no proof: the identity is the proven one (see [`crate::audit::principal`]), and whoever is not proven
//! stays loud.

use crate::audit::AuditEvent;
use crate::audit::principal::Identity;
use crate::kube::ObjectKind;
use crate::kube::patch::Touches;
use crate::memory::{Memory, State};
use crate::rbac::{self, PolicyRule, RoleKind, Scope, Subject, assess, stock};
use crate::severity::Severity;

use super::{Action, BOOTSTRAPPING, Change, Content};

/// Whether a proven part of the control plane did what it always does.
pub(super) fn is_routine(
    event: &AuditEvent<'_>,
    change: &Change,
    account: Option<&str>,
    cluster: &str,
    memory: &Memory,
) -> bool {
    // Acting as somebody else is never routine.
    if event.caller.acting_as.is_some() {
        return false;
    }
    let principal = &event.caller.authenticated;
    if memory.is_minted(cluster, principal.credential_id()) {
        return false;
    }
    match principal.identity(event.origin.peer, account) {
        // Bootstrap and reconciliation of the stock roles, at every start of an API server.
        Identity::ControlPlane => {
            principal.username == "system:apiserver" && (is_stock(change) || is_newer_stock(change))
        }
        Identity::Eks if change.kind == ObjectKind::AwsAuth => only_adds_nodes(change),
        Identity::Eks => change.kind.is_rbac() && is_owned_by_eks(&change.name) && serves_the_system(change),
        Identity::ServiceAccount(_) => match event.controller().unwrap_or_default() {
            // Writes the rules of the labelled roles into the roles that aggregate them; the labelled role is judged.
            "clusterrole-aggregation-controller" => {
                change.kind == ObjectKind::ClusterRole
                    && change.action == Action::Changed
                    && ["admin", "edit", "view"].contains(&change.name.as_str())
                    && !gives_everything(change)
                    && !opens_view(change, cluster, memory)
            }
            "namespace-controller" => change.action == Action::DeletedMany && change.namespace != "kube-system",
            // Deletes what has lost its owner, and takes off what kept it from being deleted.
            "generic-garbage-collector" => {
                change.kind.is_rbac() && (change.action == Action::Deleted || change.touches == Touches::Ownership)
            }
            _ => false,
        },
        Identity::Nobody
        | Identity::Anonymous
        | Identity::Node
        | Identity::Iam
        | Identity::Forged
        | Identity::Other => false,
    }
}

/// EKS maps the node role of a managed node group by itself. Anything else in `aws-auth` is somebody's decision, and so is
/// a write whose content before is not known.
fn only_adds_nodes(change: &Change) -> bool {
    match (&change.before, &change.after) {
        (Some(State::AwsAuth(before)), Content::Known(State::AwsAuth(after))) => {
            before.without(after).is_empty()
                && after.pitfalls == before.pitfalls
                && after.without(before).iter().all(|mapping| mapping.is_for_nodes())
        }
        _ => false,
    }
}

/// Stock objects of a Kubernetes release that came after this table: the API server itself labels them.
fn is_newer_stock(change: &Change) -> bool {
    change.name.starts_with("system:") && change.meta.label(BOOTSTRAPPING) == Some("rbac-defaults")
}

/// What no labelled role has ever to bring into `admin`, `edit` or `view`.
fn gives_everything(change: &Change) -> bool {
    match &change.after {
        Content::Known(State::Role { rules, .. }) => rules.iter().any(|rule| {
            let has = |list: &[String], wanted: &str| list.iter().any(|item| item == wanted);
            has(&rule.resources, "*") && has(&rule.verbs, "*") && has(&rule.api_groups, "*")
                || has(&rule.verbs, "escalate")
                || has(&rule.verbs, "bind")
                || has(&rule.verbs, "impersonate")
                    && ["*", "users", "groups"].iter().any(|who| has(&rule.resources, who))
        }),
        _ => false,
    }
}

/// Whether `view` was given what a reader never has to have, Secrets or commands in pods, by none of the labelled roles that are
/// remembered. The write of a labelled role may have left no event; what the controller made of it is then all there is to see.
pub(crate) fn opens_view(change: &Change, cluster: &str, memory: &Memory) -> bool {
    let Content::Known(State::Role { rules, .. }) = &change.after else {
        return false;
    };
    if change.name != "view" || assess(rules, &Scope::Cluster).severity < Some(Severity::High) {
        return false;
    }
    let label = |labels: &[(String, String)]| {
        labels.iter().any(|(key, value)| key == "rbac.authorization.k8s.io/aggregate-to-view" && value == "true")
    };
    let explained: Vec<PolicyRule> = memory
        .objects(cluster, ObjectKind::ClusterRole)
        .filter_map(|(_, state)| match state {
            State::Role { rules, labels, .. } if label(labels) => Some(rules.iter().cloned()),
            _ => None,
        })
        .flatten()
        .collect();
    assess(&rbac::gained(&explained, rules), &Scope::Cluster).severity >= Some(Severity::High)
}

/// A binding of EKS's is for EKS, for Kubernetes, or for an add-on in `kube-system`.
fn serves_the_system(change: &Change) -> bool {
    match &change.after {
        Content::Known(State::Binding { subjects, .. }) => subjects.iter().all(|subject| match subject {
            Subject::User(name) | Subject::Group(name) => name.starts_with("eks:") || name.starts_with("system:"),
            Subject::ServiceAccount { namespace, .. } => namespace == "kube-system",
            Subject::Other { .. } => false,
        }),
        _ => true,
    }
}

pub(super) fn is_stock(change: &Change) -> bool {
    match change.kind {
        ObjectKind::Role => stock::is_stock_name(RoleKind::Role, &change.name),
        ObjectKind::ClusterRole => stock::is_stock_name(RoleKind::ClusterRole, &change.name),
        ObjectKind::ClusterRoleBinding => stock::binding(None, &change.name).is_some(),
        ObjectKind::RoleBinding => stock::binding(Some(&change.namespace), &change.name).is_some(),
        ObjectKind::AwsAuth | ObjectKind::ServiceAccount => false,
    }
}

/// Names of the RBAC objects that EKS and its managed add-ons bring (EKS user guide, "Default Amazon EKS created RBAC
/// roles and users").
fn is_owned_by_eks(name: &str) -> bool {
    name.starts_with("eks:")
        || matches!(
            name,
            "aws-node" | "vpc-resource-controller-role" | "vpc-resource-controller-rolebinding" | "system:coredns"
        )
}
