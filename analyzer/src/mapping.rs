//! What an `aws-auth` mapping is worth: which IAM principal becomes whom, and how grave that is.

use std::collections::HashMap;

use crate::aws_auth::{AwsAuth, IamPrincipal, Mapping, Pitfall};
use crate::case::{Case, rules_of};
use crate::kube::ObjectKind;
use crate::memory::{Memory, State};
use crate::rbac::{Scope, Subject, assess, group_strength};
use crate::severity::Severity;

/// A graded mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// How grave it is that this mapping exists.
    pub severity: Severity,
    /// Why, whole sentences, the gravest first.
    pub reasons: Vec<String>,
}

/// Grades mappings. What is remembered is looked through once for all of them.
#[must_use]
pub fn grades(case: &Case<'_>, mappings: &[&Mapping]) -> Vec<Grade> {
    let people = mappings.iter().filter(|mapping| !mapping.is_for_nodes());
    let worth = groups_worth(case.memory, case.cluster(), people.flat_map(|mapping| &mapping.groups));
    mappings.iter().map(|mapping| grade(case, mapping, &worth)).collect()
}

fn grade(case: &Case<'_>, mapping: &Mapping, worth: &HashMap<&str, Severity>) -> Grade {
    let mut found: Vec<(Severity, String)> = Vec::new();
    let who = crate::text::name(&mapping.principal.to_string());
    if mapping.is_for_nodes() {
        found.push((Severity::Low, format!("{who} is mapped the way EKS maps node roles.")));
    } else {
        found.extend(groups(mapping, worth, &who));
        found.extend(username(mapping, &who));
    }
    found.extend(principal(case, mapping, &who));
    if found.is_empty() {
        found.push((Severity::Low, format!("{who} can log in; nothing known gives its groups any right.")));
    }
    found.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let severity = found.first().map_or(Severity::Low, |(severity, _)| *severity);
    Grade { severity, reasons: found.into_iter().map(|(_, reason)| reason).collect() }
}

fn groups(mapping: &Mapping, worth: &HashMap<&str, Severity>, who: &str) -> Vec<(Severity, String)> {
    let mut found = Vec::new();
    for group in &mapping.groups {
        let shown = crate::text::name(group);
        if group == "system:masters" {
            found.push((
                Severity::Critical,
                format!("{who} is in system:masters: it can do everything, and no RBAC rule can take that away."),
            ));
        } else if group.contains("{{Session") {
            found.push((
                Severity::High,
                format!("Whoever assumes {who} picks a Kubernetes group by naming the session ({shown})."),
            ));
        } else if let Some(strength) = worth.get(group.as_str()) {
            found.push((*strength, format!("{who} is in {shown}, which holds strong rights ({strength}).")));
        } else if group.starts_with("system:") {
            found.push((Severity::High, format!("{who} is in {shown}, a group of the control plane.")));
        }
    }
    found
}

/// What groups are worth, those that are worth more than little: by what is bound to them, remembered or built in. One pass
/// over what is remembered, however many groups are asked for.
#[must_use]
pub fn groups_worth<'g>(
    memory: &Memory,
    cluster: &str,
    groups: impl IntoIterator<Item = &'g String>,
) -> HashMap<&'g str, Severity> {
    let mut worst: HashMap<&str, Option<Severity>> =
        groups.into_iter().map(|group| (group.as_str(), group_strength(group))).collect();
    if worst.is_empty() {
        return HashMap::new();
    }
    for kind in [ObjectKind::ClusterRoleBinding, ObjectKind::RoleBinding] {
        for (key, state) in memory.objects(cluster, kind) {
            let State::Binding { role_ref: Some(role), subjects } = state else {
                continue;
            };
            let named: Vec<&str> = subjects
                .iter()
                .filter_map(|subject| match subject {
                    Subject::Group(name) => Some(name.as_str()),
                    _ => None,
                })
                .filter(|name| worst.contains_key(name))
                .collect();
            if named.is_empty() {
                continue;
            }
            let scope = crate::grant::scope(kind, &key.namespace);
            let rights = rules_of(memory, cluster, role, &key.namespace).map(|rules| assess(&rules, &scope).severity);
            // A bound role whose rules nobody has seen counts as a strong one.
            let unseen = if scope == Scope::Cluster { Severity::High } else { Severity::Medium };
            let severity = rights.unwrap_or(Some(unseen));
            for name in named {
                if let Some(known) = worst.get_mut(name) {
                    *known = severity.max(*known);
                }
            }
        }
    }
    worst
        .into_iter()
        .filter_map(|(group, severity)| severity.filter(|worst| *worst >= Severity::Medium).map(|worst| (group, worst)))
        .collect()
}

fn username(mapping: &Mapping, who: &str) -> Option<(Severity, String)> {
    let name = mapping.username.as_str();
    let shown = crate::text::name(name);
    if name.starts_with("system:") || name.starts_with("eks:") {
        return Some((
            Severity::Critical,
            format!(
                "{who} logs in as {shown}, a name that belongs to the control plane: what it does will look like routine."
            ),
        ));
    }
    if matches!(name.trim(), "{{SessionName}}" | "{{SessionNameRaw}}") {
        return Some((
            Severity::High,
            format!("Whoever assumes {who} picks any Kubernetes username by naming the session."),
        ));
    }
    None
}

fn principal(case: &Case<'_>, mapping: &Mapping, who: &str) -> Vec<(Severity, String)> {
    let mut found = Vec::new();
    let foreign = match (mapping.principal.account(), case.source.account.as_deref()) {
        (Some(theirs), Some(ours)) => theirs != ours,
        _ => false,
    };
    if foreign {
        found.push((Severity::High, format!("{who} belongs to another AWS account.")));
    }
    match &mapping.principal {
        IamPrincipal::Account(_) => found.push((
            Severity::High,
            format!("{who} can log in under its own ARN, with whatever system:authenticated may do."),
        )),
        IamPrincipal::Role(arn) | IamPrincipal::User(arn) if arn.ends_with(":root") => {
            found.push((Severity::High, format!("{who} is an account's root user.")));
        }
        _ => {}
    }
    found
}

/// What will not work, or will lock people out: the pitfalls of a version, and what it lost against the one before.
#[must_use]
pub fn dangers(after: &AwsAuth, before: Option<&AwsAuth>) -> Vec<(Severity, String)> {
    let mut found = Vec::new();
    for pitfall in &after.pitfalls {
        let severity = match pitfall {
            Pitfall::Broken(_) | Pitfall::Lookalike(_) => Severity::High,
            Pitfall::Unusable(..) | Pitfall::SecondDocument(_) => Severity::Medium,
            Pitfall::UnknownSection(_)
            | Pitfall::Invalid(..)
            | Pitfall::Path(_)
            | Pitfall::Wildcard(_)
            | Pitfall::Duplicate(_) => Severity::Low,
        };
        found.push((severity, capital(&pitfall.to_string())));
    }
    if let Some(before) = before {
        if before.maps_nodes() && !after.maps_nodes() {
            found
                .push((Severity::High, "No node role is mapped any more: nodes will fall off the cluster.".to_owned()));
        }
        if before.maps_to("system:masters") && !after.maps_to("system:masters") {
            found.push((
                Severity::High,
                "No mapping leads to system:masters any more: administrators may be locked out.".to_owned(),
            ));
        }
    }
    found
}

fn capital(text: &str) -> String {
    format!("{text}.")
}
