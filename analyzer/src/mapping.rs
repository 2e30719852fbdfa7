//! What an `aws-auth` mapping is worth: which IAM principal becomes whom, and how grave that is.

use std::collections::HashMap;

use crate::aws_auth::{AwsAuth, IamPrincipal, Mapping, Pitfall};
use crate::case::Case;
use crate::memory::Memory;
use crate::rbac::Subject;
use crate::severity::Severity;
use crate::strength;

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
    let subjects: Vec<Subject> = people.flat_map(|mapping| becomes(&mapping.username, &mapping.groups)).collect();
    let worth = worth(case.memory, case.cluster(), &subjects);
    mappings.iter().map(|mapping| grade(case, mapping, &worth)).collect()
}

fn grade(case: &Case<'_>, mapping: &Mapping, worth: &HashMap<&Subject, Severity>) -> Grade {
    let mut found: Vec<(Severity, String)> = Vec::new();
    let who = crate::text::name(&mapping.principal.to_string());
    if mapping.is_for_nodes() {
        found.push((Severity::Low, format!("{who} is mapped the way EKS maps node roles.")));
        if is_own(case, mapping) {
            found.push((
                Severity::Critical,
                format!(
                    "{who} is the role of whoever did this: it is no node's, and now names its sessions after nodes, whose traffic \
                     looks like routine."
                ),
            ));
        }
    } else {
        found.extend(groups(mapping, worth, &who));
        found.extend(username(mapping, worth, &who));
    }
    found.extend(principal(case, mapping, &who));
    if found.is_empty() {
        found.push((Severity::Low, format!("{who} can log in; nothing known gives its name or its groups any right.")));
    }
    found.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    let severity = found.first().map_or(Severity::Low, |(severity, _)| *severity);
    Grade { severity, reasons: found.into_iter().map(|(_, reason)| reason).collect() }
}

fn groups(mapping: &Mapping, worth: &HashMap<&Subject, Severity>, who: &str) -> Vec<(Severity, String)> {
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
        } else if let Some(strength) = worth.get(&Subject::Group(group.clone())) {
            found.push((*strength, format!("{who} is in {shown}, which holds strong rights ({strength}).")));
        } else if group.starts_with("system:") {
            found.push((Severity::High, format!("{who} is in {shown}, a group of the control plane.")));
        }
    }
    found
}

/// Whether the role that a mapping is about is the one the caller has taken on.
fn is_own(case: &Case<'_>, mapping: &Mapping) -> bool {
    let ours = case.event.caller.authenticated.extra("canonicalArn");
    ours.is_some_and(|ours| matches!(mapping.principal, IamPrincipal::Role(_)) && mapping.is_of(ours))
}

/// The subjects that a login becomes, as far as others may have bound something to them.
pub fn becomes<'n>(username: &'n str, groups: impl IntoIterator<Item = &'n String>) -> impl Iterator<Item = Subject> {
    let user = (!username.is_empty()).then(|| Subject::User(username.to_owned()));
    user.into_iter().chain(groups.into_iter().map(|group| Subject::Group(group.clone())))
}

/// What these subjects are worth, those that are worth more than little.
#[must_use]
pub fn worth<'s>(memory: &Memory, cluster: &str, subjects: &'s [Subject]) -> HashMap<&'s Subject, Severity> {
    let mut worth = strength::of_login(memory, cluster, subjects);
    worth.retain(|_, severity| *severity >= Severity::Medium);
    worth
}

fn username(mapping: &Mapping, worth: &HashMap<&Subject, Severity>, who: &str) -> Option<(Severity, String)> {
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
    let strength = worth.get(&Subject::User(name.to_owned()))?;
    Some((*strength, format!("{who} logs in as {shown}, who holds strong rights ({strength}).")))
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
