//! The rights of one scope, indexed by what the risk table asks about.

use std::ops::{BitAnd, BitOr, Sub};

use foldhash::{HashMap, HashSet, HashSetExt as _};

use super::PolicyRule;
use super::risk::{ANY_AWS_SERVICE, ANY_EXTRA, ANY_RESOURCE, ANY_UPBOUND_SERVICE};

/// The part of a rule set that may matter, by group and resource as the rules write them, wildcards included.
///
/// What no row and no combination names is left out, so the size is bounded by the tables, but for the names, which
/// stay where they are.
#[derive(Debug, Default)]
pub(super) struct Rights<'a> {
    held: HashMap<(&'a str, &'a str), Held<'a>>,
    /// By group and subresource, what is held on `*/subresource`.
    by_subresource: HashMap<(&'a str, &'a str), Held<'a>>,
    /// URL patterns held with `get` or every verb.
    pub(super) urls: Vec<&'a str>,
    /// The first rule with a verb `impersonate-on:…`, the second half of constrained impersonation.
    pub(super) impersonate_on: Option<&'a PolicyRule>,
}

/// What is held on one resource as rules write it.
#[derive(Debug, Default)]
pub(super) struct Held<'a> {
    /// Groups and resources as written, for display.
    pub(super) written: Vec<(&'a str, &'a str)>,
    all: Verbs,
    /// Verbs held for the empty name, which is the name of a request without one.
    nameless: Verbs,
    named: Vec<(Verbs, &'a [String])>,
}

/// An answer to one question: through which resource expression, which of the verbs asked for, and which names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'r, 'a> {
    pub(super) group: &'r str,
    pub(super) resource: &'r str,
    pub(super) held: &'r Held<'a>,
    /// The verbs held, of those asked for.
    pub(super) verbs: Verbs,
    /// Whether they are held as `*`.
    pub(super) every_verb: bool,
    /// The names, none for all objects.
    pub(super) names: Option<&'a [String]>,
}

impl<'a> Rights<'a> {
    /// Indexes `rules` by what `vocabulary` knows.
    pub(super) fn extend(&mut self, rules: &'a [PolicyRule], vocabulary: &Vocabulary) {
        for rule in rules {
            self.add(rule, vocabulary);
        }
    }

    fn add(&mut self, rule: &'a PolicyRule, vocabulary: &Vocabulary) {
        let verbs = rule.verbs.iter().fold(Verbs::NONE, |verbs, verb| verbs | Verbs::of(verb));
        if verbs.overlaps(Verbs::of("get")) {
            self.urls.extend(rule.non_resource_urls.iter().map(String::as_str));
        }
        let names_a_target = !rule.api_groups.is_empty() && !rule.resources.is_empty();
        if names_a_target && rule.verbs.iter().any(|verb| verb.starts_with(IMPERSONATE_ON)) {
            self.impersonate_on.get_or_insert(rule);
        }
        if verbs == Verbs::NONE {
            return;
        }
        let resources: HashMap<&str, &str> =
            rule.resources.iter().filter_map(|one| Some((vocabulary.resource(one)?, one.as_str()))).collect();
        let groups: HashMap<&str, &str> =
            rule.api_groups.iter().filter_map(|one| Some((vocabulary.group(one)?, one.as_str()))).collect();
        for (group, written_group) in groups {
            for (resource, written) in &resources {
                self.hold((group, resource), (written_group, written), verbs, &rule.resource_names);
            }
            if vocabulary.open_groups.contains(group) {
                for written in rule.resources.iter().filter(|one| *one != "*").take(WRITTEN_MAX) {
                    self.hold((group, ANY_RESOURCE), (written_group, written), verbs, &rule.resource_names);
                }
            }
        }
    }

    fn hold(&mut self, key: (&'a str, &'a str), written: (&'a str, &'a str), verbs: Verbs, names: &'a [String]) {
        let held = match key.1.strip_prefix("*/") {
            Some(subresource) => self.by_subresource.entry((key.0, subresource)).or_default(),
            None => self.held.entry(key).or_default(),
        };
        if held.written.len() < WRITTEN_MAX && !held.written.contains(&written) {
            held.written.push(written);
        }
        if names.is_empty() {
            held.all = held.all | verbs;
        } else {
            held.named.push((verbs, names));
            if names.iter().any(String::is_empty) {
                held.nameless = held.nameless | verbs;
            }
        }
    }

    /// How any of `verbs` is held on `resource` of `group`: first for all objects, then for named ones.
    ///
    /// A limit to names excludes requests without one: create of a whole object and deletecollection, but not create of
    /// a subresource. List and watch count, since with a field selector on the name they read the named object.
    pub(super) fn find<'r>(&'r self, group: &'r str, resource: &'r str, verbs: Verbs) -> Vec<Found<'r, 'a>> {
        let is_subresource = resource.contains('/');
        let by_name = if is_subresource { verbs } else { verbs - Verbs::of("create") } - Verbs::of("deletecollection");
        let nameless = if is_subresource { Verbs::NONE } else { verbs & Verbs::nameless() };
        let mut found = Vec::new();
        for (group, resource, held) in self.expressions(group, resource) {
            let answer = |held_verbs: Verbs, asked: Verbs, names| Found {
                group,
                resource,
                held,
                verbs: held_verbs & asked,
                every_verb: held_verbs.overlaps(Verbs::STAR),
                names,
            };
            let all = answer(held.all, verbs, None);
            let without_name = answer(held.nameless, nameless, None);
            let named = held.named.iter().map(|(held_verbs, names)| answer(*held_verbs, by_name, Some(*names)));
            found.extend([all, without_name].into_iter().chain(named).filter(|one| one.verbs != Verbs::NONE));
        }
        found
    }

    /// The expressions that match a resource, where something is held by them.
    fn expressions<'r>(&'r self, group: &'r str, resource: &'r str) -> Vec<(&'r str, &'r str, &'r Held<'a>)> {
        let subresource = resource.split_once('/').map(|(_, subresource)| subresource);
        let mut found = Vec::new();
        for group in [Some(group), (group != "*").then_some("*")].into_iter().flatten() {
            for resource in [Some(resource), (resource != "*").then_some("*")].into_iter().flatten() {
                found.extend(self.held.get(&(group, resource)).map(|held| (group, resource, held)));
            }
            let starred = subresource.and_then(|subresource| self.by_subresource.get(&(group, subresource)));
            found.extend(starred.and_then(|held| Some((group, held.written.first()?.1, held))));
        }
        found
    }
}

impl<'a> Found<'_, 'a> {
    /// The right as one rule, for words.
    pub(super) fn as_rule(&self) -> PolicyRule {
        let verbs =
            if self.every_verb { vec!["*".to_owned()] } else { self.verbs.words().map(str::to_owned).collect() };
        let mut api_groups: Vec<String> = self.held.written.iter().map(|(group, _)| (*group).to_owned()).collect();
        let mut resources: Vec<String> = self.held.written.iter().map(|(_, resource)| (*resource).to_owned()).collect();
        api_groups.dedup();
        resources.dedup();
        let resource_names = self.names.unwrap_or_default().iter().take(NAMES_SHOWN_MAX).cloned().collect();
        PolicyRule { api_groups, resources, verbs, resource_names, non_resource_urls: Vec::new() }
    }

    /// Whether every object this right is about is among those of `other`.
    pub(super) fn is_within(&self, other: &Found<'_, 'a>) -> bool {
        let of_every = |subresource: &str| self.resource.split_once('/').is_some_and(|(_, own)| own == subresource);
        (other.group == "*" || other.group == self.group)
            && (other.resource == "*"
                || other.resource == self.resource
                || other.resource.strip_prefix("*/").is_some_and(of_every))
            && (other.names.is_none() || other.names == self.names)
    }
}

/// The groups and resources that are asked about; the rest of a rule is left aside.
#[derive(Debug)]
pub(super) struct Vocabulary {
    groups: HashSet<&'static str>,
    resources: HashSet<&'static str>,
    subresources: HashSet<&'static str>,
    /// Groups of which every resource counts.
    open_groups: HashSet<&'static str>,
}

impl Vocabulary {
    /// Collects the questions: groups with resources.
    pub(super) fn of(questions: impl Iterator<Item = (&'static [&'static str], &'static [&'static str])>) -> Self {
        let mut own = Self {
            groups: HashSet::from_iter(["*"]),
            resources: HashSet::from_iter(["*"]),
            subresources: HashSet::new(),
            open_groups: HashSet::new(),
        };
        for (groups, resources) in questions {
            own.groups.extend(groups);
            own.resources.extend(resources);
            own.subresources.extend(resources.iter().filter_map(|one| Some(one.split_once('/')?.1)));
            if resources.contains(&ANY_RESOURCE) {
                own.open_groups.extend(groups);
            }
        }
        own
    }

    fn group<'x>(&self, group: &'x str) -> Option<&'x str> {
        if self.groups.contains(group) {
            return Some(group);
        }
        if group.ends_with(".services.k8s.aws") {
            return Some(ANY_AWS_SERVICE);
        }
        let upbound = group.ends_with(".aws.upbound.io") || group.ends_with(".aws.m.upbound.io");
        upbound.then_some(ANY_UPBOUND_SERVICE)
    }

    fn resource<'x>(&self, resource: &'x str) -> Option<&'x str> {
        match resource.split_once('/') {
            Some(("userextras", key)) => (key != "*" && !key.is_empty()).then_some(ANY_EXTRA),
            Some(("*", subresource)) => self.subresources.contains(subresource).then_some(resource),
            _ => self.resources.contains(resource).then_some(resource),
        }
    }
}

/// A set of the verbs that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Verbs(u32);

impl Verbs {
    pub(super) const NONE: Self = Self(0);
    /// The literal `*`, beyond the verbs it stands for.
    pub(super) const STAR: Self = Self(1 << 31);

    /// The verb as a set: every verb for `*`, nothing for one that does not matter.
    pub(super) fn of(verb: &str) -> Self {
        if verb == "*" {
            return Self(u32::MAX);
        }
        VERBS.iter().zip(0..).find(|(known, _)| **known == verb).map_or(Self::NONE, |(_, bit)| Self(1 << bit))
    }

    /// The union of verbs; `*` is the star alone.
    pub(super) fn asked(verbs: &[&str]) -> Self {
        verbs.iter().fold(Self::NONE, |all, verb| all | if *verb == "*" { Self::STAR } else { Self::of(verb) })
    }

    /// Verbs of requests that may have no name. A create of a role is checked for `escalate` without one.
    fn nameless() -> Self {
        Self::asked(&["create", "list", "watch", "deletecollection", "escalate"])
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self & other != Self::NONE
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        VERBS.iter().copied().filter(move |verb| self.overlaps(Self::of(verb)))
    }
}

impl BitOr for Verbs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Verbs {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Verbs {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// Prefix of the verbs of KEP-5284 that say what may be done as somebody else.
pub(super) const IMPERSONATE_ON: &str = "impersonate-on:";

/// Every verb of the tables but `*`, at most 31.
const VERBS: [&str; 19] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "escalate",
    "bind",
    "impersonate",
    "approve",
    "sign",
    "attest",
    "use",
    "impersonate:user-info",
    "impersonate:serviceaccount",
    "impersonate:arbitrary-node",
    "impersonate:associated-node",
];

/// Resources kept for display of one right.
const WRITTEN_MAX: usize = 12;

/// Names kept for display of one right: one more than words list, so that a cut is seen.
const NAMES_SHOWN_MAX: usize = 13;

#[cfg(test)]
mod tests {
    use super::{Rights, Verbs, WRITTEN_MAX};

    #[test]
    fn of_how_a_right_is_written_each_word_is_kept_once_and_as_many_as_its_limit() {
        let words: Vec<String> = (0..=WRITTEN_MAX).map(|number| number.to_string()).collect();
        let kept = |words: &[&str]| {
            let mut rights = Rights::default();
            for word in words {
                rights.hold(("", "pods"), ("", *word), Verbs::of("get"), &[]);
            }
            rights.held[&("", "pods")].written.len()
        };
        assert_eq!(kept(&["pods", "pods", "*"]), 2);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(kept(&words), WRITTEN_MAX, "and none past it");
    }
}
