//! What a change of a role or a binding gives, to whom, and how grave that is.
//!
//! Severity comes from the rights that change hands, never from the fact that something changed.

mod asked;
mod granted;

use std::collections::{HashMap, HashSet};

pub use self::asked::{bound, unshown};
use self::granted::Granted;

use crate::audit::principal::Identity;
use crate::case::Case;
use crate::change::{Change, Content, routine};
use crate::detection::{Delta, Object};
use crate::kube::ObjectKind;
use crate::memory::State;
use crate::rbac::{self, Assessment, GrantContext, PolicyRule, RoleRef, Scope, Subject, assess, subject};
use crate::severity::Severity;
use crate::text;

/// A graded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// How grave.
    pub severity: Severity,
    /// What is given, in a few words.
    pub phrase: String,
    /// Why that matters, whole sentences.
    pub reasons: Vec<String>,
    /// What changed, line by line.
    pub deltas: Vec<Delta>,
    /// Who gained.
    pub subjects: Vec<String>,
    /// The same for a headline.
    pub who: String,
}

/// Where the rights of a role or binding hold: in its namespace, or in the whole cluster.
#[must_use]
pub fn scope(kind: ObjectKind, namespace: &str) -> Scope {
    if kind.is_namespaced() { Scope::Namespace(namespace.to_owned()) } else { Scope::Cluster }
}

/// The object of a change, for the alert.
#[must_use]
pub fn object(change: &Change) -> Object {
    Object { kind: change.kind.as_str(), namespace: text::name(&change.namespace), name: text::name(&change.name) }
}

/// Grades the rules a role has now, against those it had before where they are known.
#[must_use]
pub fn of_role(case: &Case<'_>, change: &Change, rules: &[PolicyRule]) -> Grade {
    let scope = scope(change.kind, &change.namespace);
    let before = match &change.before {
        Some(State::Role { rules, .. }) => Some(rules.as_slice()),
        _ => None,
    };
    let gained = before.map_or_else(|| rules.to_vec(), |before| rbac::gained(before, rules));
    let lost = before.map(|before| rbac::lost(before, rules)).unwrap_or_default();
    let assessment = assess(&gained, &scope);
    let mut reasons = reasons(&assessment, "Whoever holds it");
    let mut severity = assessment.severity.unwrap_or(Severity::Low);
    let automatic = automatic(case, change, rules);
    if let Some(reason) = automatic {
        reasons.push(reason.to_owned());
        severity = Severity::Low;
    }
    if gained.is_empty() {
        severity = Severity::Low;
        reasons.push(if rules.is_empty() {
            "It has no rules, so it grants nothing.".to_owned()
        } else {
            "It only lost rights; check that nobody needs them.".to_owned()
        });
    }
    let holders = holders(case, change);
    if !gained.is_empty() && automatic.is_none() {
        // Many holders share few places, and grading a large role is the dear part.
        let mut places: HashMap<&Scope, (Option<Severity>, Context<'_>)> = HashMap::new();
        for (holder, place) in holders.iter().take(HOLDERS_GRADED) {
            if places.len() >= PLACES_GRADED && !places.contains_key(place) {
                continue;
            }
            let (base, context) =
                places.entry(place).or_insert_with(|| (assess(&gained, place).severity, context(case, place, &gained)));
            let adjusted = rbac::adjust(*base, holder, &context.borrow());
            if adjusted.severity > severity {
                severity = adjusted.severity;
                reasons.push(format!(
                    "{} holds it already{}.",
                    text::name(&holder.to_string()),
                    because(&adjusted.reasons)
                ));
            }
        }
    }
    if reasons.is_empty() {
        reasons.push("Nothing in it is known to be dangerous.".to_owned());
    }
    let mut deltas = lines(&gained, &scope, if change.brings_what_is_new() { Delta::Gained } else { Delta::Now });
    deltas.extend(lines(&lost, &scope, Delta::Lost));
    if !holders.is_empty() {
        deltas.push(Delta::Note(format!("held by {}", listed(holders.iter().map(|(holder, _)| holder)))));
    }
    Grade {
        severity,
        phrase: text::name(&rbac::headline(&assessment, &gained, &scope)),
        reasons,
        deltas,
        subjects: holders.iter().take(SUBJECTS_LISTED).map(|(holder, _)| text::name(&holder.to_string())).collect(),
        who: listed(holders.iter().map(|(holder, _)| holder)),
    }
}

/// Why a role's new rules are nobody's decision: the aggregation controller, proven, filled a role that says it collects
/// others; or EKS, proven, wrote the role of an add-on. Neither ever writes everything.
fn automatic(case: &Case<'_>, change: &Change, rules: &[PolicyRule]) -> Option<&'static str> {
    let has = |list: &[String]| list.iter().any(|item| item == "*");
    if rules.iter().any(|rule| has(&rule.verbs) && has(&rule.resources)) {
        return None;
    }
    if case.memory.is_minted(case.cluster(), case.event.caller.authenticated.credential_id()) {
        return None;
    }
    let collects = matches!(&change.after, Content::Known(State::Role { aggregation: Some(_), .. }))
        && !routine::opens_view(change, case.cluster(), case.memory);
    match case.identity() {
        Identity::ServiceAccount(_)
            if collects && case.event.controller() == Some("clusterrole-aggregation-controller") =>
        {
            Some(
                "The controller filled in what it collects: whoever let it collect, or labelled a role for it, decided that.",
            )
        }
        Identity::Eks => Some("EKS wrote it, as it does when a managed add-on is installed or updated."),
        _ => None,
    }
}

/// Grades what the subjects of a binding hold through it, against what they held before where that is known.
#[must_use]
pub fn of_binding(case: &Case<'_>, change: &Change, role: Option<&RoleRef>, subjects: &[Subject]) -> Grade {
    let scope = scope(change.kind, &change.namespace);
    let before: Option<&[Subject]> = match &change.before {
        Some(State::Binding { role_ref, subjects }) if role_ref.as_ref() == role => Some(subjects),
        _ => None,
    };
    let now: HashSet<&Subject> = subjects.iter().collect();
    let then: HashSet<&Subject> = before.unwrap_or_default().iter().collect();
    let gained: Vec<&Subject> = subjects.iter().filter(|subject| !then.contains(subject)).collect();
    let lost: Vec<&Subject> = before.unwrap_or_default().iter().filter(|subject| !now.contains(subject)).collect();
    let Some(role) = role else {
        return Grade {
            severity: Severity::High,
            phrase: "a role of a kind that Kubernetes does not have".to_owned(),
            reasons: vec!["The binding names no Role or ClusterRole, so nobody can tell what it grants.".to_owned()],
            deltas: Vec::new(),
            subjects: Vec::new(),
            who: listed(gained.iter().copied()),
        };
    };
    let granted = Granted::of(case, role, &change.namespace, &scope);
    // Only what everybody has anyway (discovery and health) stays below low.
    let mut severity = if gained.is_empty() || change.only_removes() { Severity::Low } else { Severity::Informational };
    let mut reasons = Vec::new();
    if change.only_removes() && before.is_none() {
        reasons.push("The request only took subjects away.".to_owned());
    } else if gained.is_empty() {
        reasons.push(if subjects.is_empty() {
            "It has no subjects, so it grants nothing until somebody adds one.".to_owned()
        } else {
            "Subjects only lost rights; check that nobody needs them.".to_owned()
        });
    } else {
        let context = context(case, &scope, granted.rules.as_deref().unwrap_or_default());
        reasons.extend(granted.reasons());
        for subject in gained.iter().take(SUBJECTS_GRADED) {
            let base = granted.base(role, subject);
            let adjusted = rbac::adjust(base, subject, &context.borrow());
            severity = severity.max(adjusted.severity);
            for reason in adjusted.reasons {
                let reason = format!("{}: {reason}.", text::name(&subject.to_string()));
                if !reasons.contains(&reason) && reasons.len() < REASONS_MAX {
                    reasons.push(reason);
                }
            }
        }
    }
    let make: fn(String) -> Delta = if change.brings_what_is_new() { Delta::Gained } else { Delta::Now };
    let mut deltas: Vec<Delta> = gained
        .iter()
        .take(SUBJECTS_LISTED)
        .map(|subject| make(format!("{}: {}", text::name(&subject.to_string()), granted.words)))
        .collect();
    if gained.len() > SUBJECTS_LISTED {
        deltas.push(make(format!("and {} more subjects", gained.len() - SUBJECTS_LISTED)));
    }
    deltas.extend(
        lost.iter()
            .take(SUBJECTS_LISTED)
            .map(|subject| Delta::Lost(format!("{}: {}", text::name(&subject.to_string()), granted.words))),
    );
    Grade {
        severity,
        phrase: granted.phrase(&scope),
        reasons,
        deltas,
        subjects: gained.iter().take(SUBJECTS_LISTED).map(|subject| text::name(&subject.to_string())).collect(),
        who: listed(gained.iter().copied()),
    }
}

/// Who holds a role through the bindings that are remembered, and where.
#[must_use]
pub fn holders(case: &Case<'_>, change: &Change) -> Vec<(Subject, Scope)> {
    let role_kind = if change.kind == ObjectKind::Role { rbac::RoleKind::Role } else { rbac::RoleKind::ClusterRole };
    let refers = |role_ref: &Option<RoleRef>| {
        role_ref.as_ref().is_some_and(|role| role.kind == role_kind && role.name == change.name)
    };
    let mut out = Vec::new();
    for kind in [ObjectKind::ClusterRoleBinding, ObjectKind::RoleBinding] {
        for (key, state) in case.memory.objects(case.cluster(), kind) {
            let State::Binding { role_ref, subjects } = state else {
                continue;
            };
            if refers(role_ref) && (role_kind == rbac::RoleKind::ClusterRole || key.namespace == change.namespace) {
                out.extend(subjects.iter().map(|subject| (subject.clone(), scope(kind, &key.namespace))));
            }
        }
    }
    out
}

/// Who made the grant, for the adjustment by subject.
struct Context<'a> {
    scope: &'a Scope,
    discovery_only: bool,
    username: String,
    groups: Vec<String>,
}

impl Context<'_> {
    fn borrow(&self) -> GrantContext<'_> {
        GrantContext {
            scope: self.scope,
            discovery_only: self.discovery_only,
            actor_username: &self.username,
            actor_groups: &self.groups,
            known_namespaces: None,
            known_accounts: None,
        }
    }
}

fn context<'a>(case: &Case<'_>, scope: &'a Scope, rules: &[PolicyRule]) -> Context<'a> {
    let caller = &case.event.caller;
    Context {
        scope,
        discovery_only: !rules.is_empty() && subject::is_discovery_only(rules),
        username: caller.authenticated.username.to_string(),
        groups: caller.authenticated.groups.iter().map(ToString::to_string).collect(),
    }
}

/// The worst risks and combinations as sentences.
fn reasons(assessment: &Assessment, who: &str) -> Vec<String> {
    let combinations = assessment.combinations.iter().map(|found| (found.severity, found.combination.gives));
    let risks = assessment.risks.iter().map(|found| (found.severity, found.gives()));
    let mut all: Vec<(Severity, &str)> = risks.chain(combinations).collect();
    all.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    all.into_iter().take(RISKS_TOLD).map(|(_, gives)| format!("{who} can {gives}.")).collect()
}

/// What rules permit, one line each, the most dangerous first.
pub fn lines(rules: &[PolicyRule], scope: &Scope, make: fn(String) -> Delta) -> Vec<Delta> {
    let mut rules = rbac::normal_form(rules);
    if rules.len() <= RULES_SORTED {
        rules.sort_by_cached_key(|rule| std::cmp::Reverse(assess(std::slice::from_ref(rule), scope).severity));
    }
    let mut out: Vec<Delta> = rules
        .iter()
        .take(RULES_LISTED)
        .map(|rule| make(text::printable(&rbac::describe(rule, scope), LINE_CHARS_MAX)))
        .collect();
    if rules.len() > RULES_LISTED {
        out.push(Delta::Note(format!("and {} more rules", rules.len() - RULES_LISTED)));
    }
    out
}

/// A subject for a headline: users and service accounts by name, groups as such.
#[must_use]
pub fn brief(subject: &Subject) -> String {
    match subject {
        Subject::User(name) => text::name(text::short(name)),
        Subject::Group(name) => format!("group {}", text::name(name)),
        Subject::ServiceAccount { namespace, name } => format!("{}/{}", text::name(namespace), text::name(name)),
        Subject::Other { .. } => text::name(&subject.to_string()),
    }
}

fn because(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

/// A list of subjects for a headline: the first ones by name, the rest counted.
pub fn listed<'s>(subjects: impl Iterator<Item = &'s Subject>) -> String {
    let names: Vec<String> = subjects.map(brief).collect();
    match names.as_slice() {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

/// The lines of a state that is gone.
#[must_use]
pub fn lost_lines(kind: ObjectKind, namespace: &str, state: &State) -> Vec<Delta> {
    let scope = scope(kind, namespace);
    match state {
        State::Role { rules, .. } => lines(rules, &scope, Delta::Lost),
        State::Binding { role_ref, subjects } => {
            let role = role_ref.as_ref().map_or_else(|| "an unknown role".to_owned(), |role| text::name(&role.name));
            subjects
                .iter()
                .take(SUBJECTS_LISTED)
                .map(|subject| Delta::Lost(format!("{}: {role} {scope}", text::name(&subject.to_string()))))
                .collect()
        }
        State::AwsAuth(map) => map
            .mappings
            .iter()
            .take(SUBJECTS_LISTED)
            .map(|mapping| Delta::Lost(text::printable(&mapping.to_string(), LINE_CHARS_MAX)))
            .collect(),
        State::ServiceAccount(_) => Vec::new(),
    }
}

/// What to say of content that the log does not hold.
#[must_use]
pub fn unseen(content: &Content) -> &'static str {
    match content {
        Content::NotRecorded => {
            "The log does not hold the object's content (audit level, or the client asked for an answer without it): read the object itself."
        }
        Content::Cut => {
            "The object's content was cut off in the log, which a very large object does: read the object itself."
        }
        Content::Unreadable => {
            "The object's content is in the log but cannot be read, which takes intent: read the object itself."
        }
        Content::Known(_) | Content::Nothing => "",
    }
}

/// Risks told in the reasons of one finding.
const RISKS_TOLD: usize = 3;
/// Rules listed line by line; normal form merges what can be merged first.
const RULES_LISTED: usize = 20;
/// Rules sorted by danger before they are listed; more than that is a list nobody reads anyway.
const RULES_SORTED: usize = 200;
/// Subjects listed line by line.
const SUBJECTS_LISTED: usize = 20;
/// Subjects graded; the request limit of 1.5 MiB holds about twenty thousand.
const SUBJECTS_GRADED: usize = 50_000;
/// Remembered holders graded when a role changes.
const HOLDERS_GRADED: usize = 1_000;
/// Namespaces in which a widened role is graded; the whole cluster, the gravest, comes first.
const PLACES_GRADED: usize = 20;
/// Reasons given for one grant.
const REASONS_MAX: usize = 6;
/// Longest line of a change, in characters.
pub const LINE_CHARS_MAX: usize = 400;
