//! What a set of rules is worth to an attacker.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::combination::{COMBINATIONS, Combination};
use super::grade::find_risks;
use super::rights::{Rights, Vocabulary};
use super::risk::{Named, Risk, risks};
use super::{KUBE_SYSTEM, PolicyRule, Scope};
use crate::severity::Severity;

/// The dangerous permissions of a set of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// The worst of the rest; none when nothing of it is in the risk table.
    pub severity: Option<Severity>,
    /// The rows of the risk table that apply, worst first, without those another one says better.
    pub risks: Vec<FoundRisk>,
    /// What some of the permissions give together, worst first.
    pub combinations: Vec<FoundCombination>,
}

/// A row of the risk table that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRisk {
    /// The row.
    pub risk: &'static Risk,
    /// Its grade here.
    pub severity: Severity,
    /// Where it holds.
    pub scope: Scope,
    /// The permission as the rules give it, in words.
    pub permission: String,
    /// Whether it is limited to names.
    pub named: bool,
}

impl FoundRisk {
    /// What the permission gives in a few words that continue "can".
    #[must_use]
    pub fn brief(&self) -> &'static str {
        if self.is_plain_configuration() { PLAIN_CONFIGURATION } else { self.risk.brief }
    }

    /// What the permission gives and why that matters; continues "can".
    #[must_use]
    pub fn gives(&self) -> &'static str {
        if self.is_plain_configuration() { PLAIN_CONFIGURATION } else { self.risk.gives }
    }

    /// The `ConfigMaps` that decide over the cluster lie in `kube-system`; elsewhere they are like all others.
    fn is_plain_configuration(&self) -> bool {
        matches!(self.risk.named, Named::Only(_))
            && matches!(&self.scope, Scope::Namespace(namespace) if namespace != KUBE_SYSTEM)
    }
}

const PLAIN_CONFIGURATION: &str = "change the configuration of workloads";

/// A combination that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCombination {
    /// The combination.
    pub combination: &'static Combination,
    /// Its grade here.
    pub severity: Severity,
    /// Where it holds.
    pub scope: Scope,
}

/// Grades `rules` where they are bound at `scope`.
#[must_use]
pub fn assess(rules: &[PolicyRule], scope: &Scope) -> Assessment {
    assess_parts(&[(scope, rules)])
}

/// Grades the rights of one subject from several bindings, including what they give together.
#[must_use]
pub fn assess_many(grants: &[(Scope, Vec<PolicyRule>)]) -> Assessment {
    let parts: Vec<(&Scope, &[PolicyRule])> = grants.iter().map(|(scope, rules)| (scope, rules.as_slice())).collect();
    assess_parts(&parts)
}

fn assess_parts(parts: &[(&Scope, &[PolicyRule])]) -> Assessment {
    let vocabulary = Vocabulary::of(risks().map(|risk| (risk.groups, risk.resources)));
    let mut namespaces: BTreeMap<&Scope, Rights<'_>> = BTreeMap::new();
    for (scope, rules) in parts {
        namespaces.entry(scope).or_default().extend(rules, &vocabulary);
    }
    let cluster = namespaces.remove(&Scope::Cluster);
    let mut risks = cluster.as_ref().map(|rights| find_risks(rights, &Scope::Cluster)).unwrap_or_default();
    let mut combinations = Vec::new();
    if let Some(rights) = &cluster {
        combinations = find_combinations(&[rights], &Scope::Cluster, &risks, &[]);
    }
    let (cluster_risks, cluster_combinations) = (risks.clone(), combinations.clone());
    for (scope, rights) in &namespaces {
        let found = find_risks(rights, scope);
        let held: Vec<&Rights<'_>> = cluster.iter().chain([rights]).collect();
        let graders: Vec<FoundRisk> = cluster_risks.iter().chain(&found).cloned().collect();
        combinations.extend(find_combinations(&held, scope, &graders, &cluster_combinations));
        risks.extend(found.into_iter().filter(|one| !is_known(one, &cluster_risks)));
    }
    risks.sort_by_key(|found| Reverse(found.severity));
    combinations.sort_by_key(|found| Reverse(found.severity));
    let worst = risks.iter().map(|found| found.severity);
    let severity = worst.chain(combinations.iter().map(|found| found.severity)).max();
    Assessment { severity, risks, combinations }
}

/// Whether the same row applies in the whole cluster at least as gravely, or everything is held there.
fn is_known(found: &FoundRisk, in_cluster: &[FoundRisk]) -> bool {
    in_cluster.iter().any(|known| {
        known.risk.id == EVERYTHING
            || (known.risk.id == found.risk.id && !known.named && known.severity >= found.severity)
    })
}

fn find_combinations(
    held: &[&Rights<'_>],
    scope: &Scope,
    risks: &[FoundRisk],
    known: &[FoundCombination],
) -> Vec<FoundCombination> {
    // Who holds everything gains nothing by a combination.
    if risks.iter().any(|found| found.risk.id == EVERYTHING) {
        return Vec::new();
    }
    let in_cluster = *scope == Scope::Cluster || 1 < held.len();
    let found = COMBINATIONS.iter().filter_map(|combination| {
        let full = match scope {
            Scope::Namespace(namespace) if namespace != KUBE_SYSTEM => combination.namespace?,
            _ => combination.cluster,
        };
        if known.iter().any(|one| one.combination == combination) || !combination.is_held(held, in_cluster) {
            return None;
        }
        let mut graders = risks.iter().filter(|found| Some(found.risk.id) == combination.graded_by);
        let unlimited = graders.clone().any(|found| !found.named);
        let limited = graders.next().filter(|_| !unlimited).map(|found| found.severity.min(full));
        let severity = limited.unwrap_or(full);
        Some(FoundCombination { combination, severity, scope: scope.clone() })
    });
    found.collect()
}

/// The row that makes all others needless.
pub(super) const EVERYTHING: &str = "all-all";
