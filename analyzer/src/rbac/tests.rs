//! Tests of the whole room; those of one function stand here too, since most need rules written the same way.

mod algebra;
mod combinations;
mod risks;
mod roles;
mod sizes;
mod subjects;
mod wording;

use super::PolicyRule;

/// A rule from words: `"get,list"`, `"apps"`, `"deployments,pods"`; the core group is `""`.
pub(super) fn rule(verbs: &str, groups: &str, resources: &str) -> PolicyRule {
    PolicyRule { api_groups: words(groups), resources: words(resources), verbs: words(verbs), ..PolicyRule::default() }
}

/// The same, limited to names.
pub(super) fn named(verbs: &str, groups: &str, resources: &str, names: &str) -> PolicyRule {
    PolicyRule { resource_names: words(names), ..rule(verbs, groups, resources) }
}

/// A rule about URLs.
pub(super) fn urls(verbs: &str, urls: &str) -> PolicyRule {
    PolicyRule { verbs: words(verbs), non_resource_urls: words(urls), ..PolicyRule::default() }
}

fn words(list: &str) -> Vec<String> {
    list.split(',').map(str::to_owned).collect()
}
