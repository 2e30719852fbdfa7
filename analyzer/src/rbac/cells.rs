//! Rules taken apart into single rights and put together again.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::PolicyRule;

/// One group, one resource, one verb, and one name or all: the smallest right a rule can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell<'a> {
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) verb: &'a str,
}

impl<'a> Cell<'a> {
    /// Every cell that includes this one, itself among them.
    ///
    /// Groups, resources, verbs and names are open sets, so no union of narrower cells ever includes a wider one: a
    /// cell is included in a set of cells exactly when one of these is in the set.
    fn covers(self) -> impl Iterator<Item = Cell<'a>> {
        let Self { group, resource, name, verb } = self;
        let groups = [Some(group), (group != "*").then_some("*")].into_iter().flatten();
        groups.flat_map(move |group| {
            [Some(verb), (verb != "*").then_some("*")].into_iter().flatten().flat_map(move |verb| {
                [Some(name), name.map(|_| None)].into_iter().flatten().flat_map(move |name| {
                    [Some(resource), (resource != "*").then_some("*")].into_iter().flatten().map(move |resource| Cell {
                        group,
                        resource,
                        name,
                        verb,
                    })
                })
            })
        })
    }
}

/// A URL pattern with one verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct UrlCell<'a> {
    pub(super) url: &'a str,
    pub(super) verb: &'a str,
}

/// A set of rules as cells.
#[derive(Debug, Default)]
pub(super) struct Cells<'a> {
    rights: HashSet<Cell<'a>>,
    /// Subresources some cell grants on every resource (`*/sub`), with the star's own spelling.
    any_resource: HashMap<&'a str, &'a str>,
    urls: HashSet<UrlCell<'a>>,
    /// Per verb, the prefixes of URL patterns, none of them a prefix of another, sorted.
    prefixes: HashMap<&'a str, Vec<&'a str>>,
    /// Rules too large to take apart.
    pub(super) whole: Vec<&'a PolicyRule>,
}

impl<'a> Cells<'a> {
    /// Takes `rules` apart. Rules that would pass [`CELLS_MAX`] are kept in `whole`.
    pub(super) fn of(rules: impl Iterator<Item = &'a PolicyRule>) -> Self {
        let mut own = Self::default();
        let mut room = CELLS_MAX;
        for rule in rules {
            match cell_count(rule).and_then(|cells| room.checked_sub(cells)) {
                Some(left) => {
                    room = left;
                    own.add(rule);
                }
                None => own.whole.push(rule),
            }
        }
        own.sort_prefixes();
        own
    }

    fn add(&mut self, rule: &'a PolicyRule) {
        for resource in &rule.resources {
            if let Some(subresource) = resource.strip_prefix("*/") {
                self.any_resource.insert(subresource, resource);
            }
            for group in &rule.api_groups {
                for verb in &rule.verbs {
                    if rule.resource_names.is_empty() {
                        self.rights.insert(Cell { group, resource, name: None, verb });
                    }
                    for name in &rule.resource_names {
                        self.rights.insert(Cell { group, resource, name: Some(name), verb });
                    }
                }
            }
        }
        for url in &rule.non_resource_urls {
            let url = one_star(url);
            self.urls.extend(rule.verbs.iter().map(|verb| UrlCell { url, verb }));
        }
    }

    fn sort_prefixes(&mut self) {
        let mut patterns: Vec<UrlCell<'a>> = self.urls.iter().copied().filter(|cell| cell.url.ends_with('*')).collect();
        patterns.sort_unstable_by_key(|cell| (cell.url.trim_end_matches('*'), cell.url, cell.verb));
        for UrlCell { url, verb } in patterns {
            let prefix = url.trim_end_matches('*');
            let kept = self.prefixes.entry(verb).or_default();
            if kept.last().is_none_or(|last| !prefix.starts_with(last)) {
                kept.push(prefix);
            }
        }
    }

    /// The cells, in a stable order.
    pub(super) fn sorted(&self) -> (BTreeSet<Cell<'a>>, BTreeSet<UrlCell<'a>>) {
        (self.rights.iter().copied().collect(), self.urls.iter().copied().collect())
    }

    /// Whether `cell` is included.
    pub(super) fn include(&self, cell: Cell<'_>) -> bool {
        cell.covers().any(|wider| self.rights.contains(&wider)) || self.include_by_subresource(cell, |_| true)
    }

    /// Whether `cell` is included in another, wider one.
    pub(super) fn include_more_than(&self, cell: Cell<'_>) -> bool {
        cell.covers().any(|wider| wider != cell && self.rights.contains(&wider))
            || self.include_by_subresource(cell, |wider| wider != cell)
    }

    fn include_by_subresource(&self, cell: Cell<'_>, counts: impl Fn(Cell<'_>) -> bool) -> bool {
        let subresource = cell.resource.split_once('/').map(|(_, subresource)| subresource);
        let Some(star) = subresource.and_then(|subresource| self.any_resource.get(subresource)) else {
            return false;
        };
        Cell { resource: star, ..cell }.covers().any(|wider| counts(wider) && self.rights.contains(&wider))
    }

    /// Whether the URL cell is included.
    pub(super) fn include_url(&self, cell: UrlCell<'_>) -> bool {
        [cell.verb, "*"].into_iter().any(|verb| {
            self.urls.contains(&UrlCell { url: cell.url, verb }) || self.prefix_of(cell.url, verb).is_some()
        })
    }

    /// Whether the URL cell is included in another, wider one.
    pub(super) fn include_url_more_than(&self, cell: UrlCell<'_>) -> bool {
        let own_prefix = cell.url.strip_suffix('*');
        [cell.verb, "*"].into_iter().any(|verb| {
            let wider_verb = verb != cell.verb;
            (wider_verb && self.urls.contains(&UrlCell { url: cell.url, verb }))
                || self.prefix_of(cell.url, verb).is_some_and(|prefix| wider_verb || own_prefix != Some(prefix))
        })
    }

    /// The URL prefix granted with exactly `verb` under which `url`, itself maybe a pattern, lies.
    fn prefix_of(&self, url: &str, verb: &str) -> Option<&'a str> {
        let url = url.trim_end_matches('*');
        let prefixes = self.prefixes.get(verb)?;
        let after = prefixes.partition_point(|prefix| *prefix <= url);
        // No prefix is the prefix of another, so whatever lies between a prefix of `url` and `url` starts with it too,
        // and only the nearest one before `url` can be it.
        prefixes.get(after.checked_sub(1)?).copied().filter(|prefix| url.starts_with(prefix))
    }
}

/// Puts cells together into few rules: sorted, verbs in the order of [`verb_rank`], nothing twice.
pub(super) fn assemble(cells: &BTreeSet<Cell<'_>>, urls: &BTreeSet<UrlCell<'_>>) -> Vec<PolicyRule> {
    type Words<'a> = Vec<&'a str>;
    let mut verbs: BTreeMap<(&str, &str, Option<&str>), Words<'_>> = BTreeMap::new();
    for cell in cells {
        verbs.entry((cell.group, cell.resource, cell.name)).or_default().push(cell.verb);
    }
    let mut names: BTreeMap<(&str, &str, Words<'_>, bool), Words<'_>> = BTreeMap::new();
    for ((group, resource, name), mut verbs) in verbs {
        verbs.sort_unstable_by_key(|verb| verb_rank(verb));
        names.entry((group, resource, verbs, name.is_some())).or_default().extend(name);
    }
    let mut resources: BTreeMap<(&str, Words<'_>, bool, Words<'_>), Words<'_>> = BTreeMap::new();
    for ((group, resource, verbs, named), names) in names {
        resources.entry((group, verbs, named, names)).or_default().push(resource);
    }
    let mut groups: BTreeMap<[Words<'_>; 3], Words<'_>> = BTreeMap::new();
    for ((group, verbs, _, names), resources) in resources {
        groups.entry([resources, names, verbs]).or_default().push(group);
    }
    let mut rules: Vec<PolicyRule> = groups
        .into_iter()
        .map(|([resources, names, verbs], groups)| PolicyRule {
            api_groups: owned(&groups),
            resources: owned(&resources),
            verbs: owned(&verbs),
            resource_names: owned(&names),
            non_resource_urls: Vec::new(),
        })
        .collect();
    rules.sort_unstable_by(|a, b| {
        (&a.api_groups, &a.resources, &a.resource_names, &a.verbs).cmp(&(
            &b.api_groups,
            &b.resources,
            &b.resource_names,
            &b.verbs,
        ))
    });
    rules.extend(assemble_urls(urls));
    rules
}

fn assemble_urls(urls: &BTreeSet<UrlCell<'_>>) -> Vec<PolicyRule> {
    let mut verbs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for cell in urls {
        verbs.entry(cell.url).or_default().push(cell.verb);
    }
    let mut merged: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (url, mut verbs) in verbs {
        verbs.sort_unstable_by_key(|verb| verb_rank(verb));
        merged.entry(verbs).or_default().push(url);
    }
    merged
        .into_iter()
        .map(|(verbs, urls)| PolicyRule {
            verbs: owned(&verbs),
            non_resource_urls: owned(&urls),
            ..PolicyRule::default()
        })
        .collect()
}

/// The rule with every list sorted and without repetition: equal for rules that say the same in another order.
pub(super) fn tidy(rule: &PolicyRule) -> PolicyRule {
    let sorted = |list: &[String]| list.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect::<Vec<_>>();
    let mut verbs = sorted(&rule.verbs);
    verbs.sort_by(|a, b| verb_rank(a).cmp(&verb_rank(b)));
    PolicyRule {
        api_groups: sorted(&rule.api_groups),
        resources: sorted(&rule.resources),
        verbs,
        resource_names: sorted(&rule.resource_names),
        non_resource_urls: sorted(&rule.non_resource_urls),
    }
}

/// The order verbs are written in: as in the Kubernetes documentation, then the special ones by name.
pub(super) fn verb_rank(verb: &str) -> (usize, &str) {
    const ORDER: [&str; 9] = ["*", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    (ORDER.iter().position(|known| *known == verb).unwrap_or(ORDER.len()), verb)
}

/// A URL pattern with one star at its end where it has several, which mean the same.
fn one_star(url: &str) -> &str {
    let prefix = url.trim_end_matches('*').len();
    url.get(..=prefix).unwrap_or(url)
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn cell_count(rule: &PolicyRule) -> Option<usize> {
    let names = rule.resource_names.len().max(1);
    let resources =
        rule.api_groups.len().checked_mul(rule.resources.len())?.checked_mul(rule.verbs.len())?.checked_mul(names)?;
    resources.checked_add(rule.non_resource_urls.len().checked_mul(rule.verbs.len())?)
}

/// Cells one rule set is taken apart into: some 40 MB at worst. The largest built-in role, `admin`, needs 700.
pub(super) const CELLS_MAX: usize = 1 << 18;
