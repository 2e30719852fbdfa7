//! What one set of rules permits beyond another.

use std::collections::{BTreeSet, HashSet};

use super::PolicyRule;
use super::cells::{Cell, Cells, UrlCell, assemble, tidy};

/// What `after` permits and `before` does not, as rules in normal form.
///
/// **Complete**: every request that `after` permits and `before` does not is permitted by the result. **Exact** as far
/// as RBAC can say it: the language only adds, so "every verb but get" or "every Secret but one" cannot be written.
/// Where `after` holds a wildcard (or no names) and `before` a part of what it matches, the result holds the right as
/// `after` has it. In all other cases the result permits nothing that `before` permitted.
///
/// Rule sets that multiply out to more than some 260,000 single rights are compared rule by rule beyond that: a rule is
/// then gained unless `before` has the same one, so the result may say too much, never too little.
#[must_use]
pub fn gained(before: &[PolicyRule], after: &[PolicyRule]) -> Vec<PolicyRule> {
    let kept: HashSet<RuleKey> = before.iter().map(RuleKey::of).collect();
    let changed: Vec<&PolicyRule> = after.iter().filter(|rule| !kept.contains(&RuleKey::of(rule))).collect();
    let groups: HashSet<&str> =
        changed.iter().flat_map(|rule| &rule.api_groups).map(String::as_str).chain(["*"]).collect();
    let touched = |rule: &&PolicyRule| {
        !rule.non_resource_urls.is_empty() || rule.api_groups.iter().any(|group| groups.contains(group.as_str()))
    };
    let before = Cells::of(before.iter().filter(touched));
    let after = Cells::of(changed.into_iter());
    put_together(&after, |cells| {
        cells.0.retain(|cell| !before.include(*cell));
        cells.1.retain(|cell| !before.include_url(*cell));
    })
}

/// What `before` permitted and `after` no longer does: [`gained`] with the arguments swapped.
#[must_use]
pub fn lost(before: &[PolicyRule], after: &[PolicyRule]) -> Vec<PolicyRule> {
    gained(after, before)
}

/// Whether `rules` permit everything that `rule` permits: the question escalation prevention asks.
#[must_use]
pub fn covers(rules: &[PolicyRule], rule: &PolicyRule) -> bool {
    gained(rules, std::slice::from_ref(rule)).is_empty()
}

/// The same permissions in fewer and sorted rules: rights included in others dropped, rules that differ in one list
/// merged, verbs in the usual order.
#[must_use]
pub fn normal_form(rules: &[PolicyRule]) -> Vec<PolicyRule> {
    put_together(&Cells::of(rules.iter()), |_| ())
}

type SortedCells<'a> = (BTreeSet<Cell<'a>>, BTreeSet<UrlCell<'a>>);

fn put_together<'a>(cells: &Cells<'a>, select: impl FnOnce(&mut SortedCells<'a>)) -> Vec<PolicyRule> {
    let mut sorted = cells.sorted();
    sorted.0.retain(|cell| !cells.include_more_than(*cell));
    sorted.1.retain(|cell| !cells.include_url_more_than(*cell));
    select(&mut sorted);
    let mut rules = assemble(&sorted.0, &sorted.1);
    let mut seen = HashSet::new();
    rules.extend(cells.whole.iter().filter(|rule| seen.insert(RuleKey::of(rule))).map(|rule| tidy(rule)));
    rules
}

/// Equal for rules that say the same in another order.
#[derive(PartialEq, Eq, Hash)]
struct RuleKey<'a>([Vec<&'a str>; 5]);

impl<'a> RuleKey<'a> {
    fn of(rule: &'a PolicyRule) -> Self {
        let PolicyRule { api_groups, resources, verbs, resource_names, non_resource_urls } = rule;
        Self([api_groups, resources, verbs, resource_names, non_resource_urls].map(|list| {
            let mut sorted: Vec<&str> = list.iter().map(String::as_str).collect();
            sorted.sort_unstable();
            sorted.dedup();
            sorted
        }))
    }
}
