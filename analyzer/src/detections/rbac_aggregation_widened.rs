use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::kube::{Expression, ObjectKind, Selector};
use crate::memory::State;
use crate::rbac::{self, PolicyRule, RoleKind, RoleRef, Scope, Subject, assess, stock};
use crate::severity::Severity;
use crate::text;

detection! {
    /// A ClusterRole now flows into other roles by aggregation
    ///
    /// ## Why it matters
    ///
    /// A ClusterRole with the label `rbac.authorization.k8s.io/aggregate-to-edit` adds its rules to the built-in role
    /// `edit`, and so to everybody who holds it, without touching that role or any binding. The same works for `admin`,
    /// `view` and every role with an aggregation rule.
    ///
    /// The severity is that of the rules that flow, given to all holders at once.
    ///
    /// ## What it misses
    ///
    /// Aggregated roles of somebody's own are known only if they have been seen; their labels may be anything.
    ///
    /// ## Known benign causes
    ///
    /// Operators that add their own custom resources to `admin`, `edit` and `view`.
    ///
    /// ## What to do
    ///
    /// Check that everybody who holds the aggregated role may have these rights. Take the label off to undo it.
    "rbac-aggregation-widened", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind == ObjectKind::ClusterRole
            && change.took_effect()
            && matches!(change.action, Action::Created | Action::Changed)
    })?;
    let Content::Known(State::Role { rules, aggregation, labels }) = &change.after else {
        return None;
    };
    let mut hit = match aggregation {
        Some(selectors)
            if before(change).map_or(!is_own(change, selectors), |(_, old, _)| old.as_ref() != Some(selectors)) =>
        {
            collects(case, change, selectors)
        }
        _ => flows(case, change, rules, labels)?,
    };
    hit.objects.push(grant::object(change));
    Some(hit)
}

/// The rules of a labelled role flow into the roles that collect it.
fn flows(case: &Case<'_>, change: &Change, rules: &[PolicyRule], labels: &[(String, String)]) -> Option<Hit> {
    let into = collectors(case, labels);
    let before = before(change);
    // What flowed already does not flow anew.
    let gained = match before {
        Some((old_rules, _, old_labels)) if into.iter().all(|role| collectors(case, old_labels).contains(role)) => {
            rbac::gained(old_rules, rules)
        }
        _ => rules.to_vec(),
    };
    if into.is_empty() || gained.is_empty() {
        return None;
    }
    let assessment = assess(&gained, &Scope::Cluster);
    let severity = match assessment.severity {
        Some(severity) if severity >= Severity::Medium => severity.raised(1),
        other => other.unwrap_or(Severity::Low),
    };
    let collecting = into.join(", ");
    let phrase = text::name(&rbac::headline(&assessment, &gained, &Scope::Cluster));
    let mut hit = Hit::new(
        severity,
        format!("let {} flow into {collecting}: {phrase}", grant::object(change)),
        format!("Everybody who holds {collecting} gains these rights at once, without any binding being touched."),
    );
    let known = before.is_some() || change.action == Action::Created;
    hit.changes = grant::lines(&gained, &Scope::Cluster, if known { Delta::Gained } else { Delta::Now });
    hit.subjects = into.iter().map(|role| format!("holders of {role}")).collect();
    Some(hit)
}

/// A role that collects others.
fn collects(case: &Case<'_>, change: &Change, selectors: &[Selector]) -> Hit {
    // Nothing asked of labels is met by every role, and what only asks for none by nearly every one.
    let all = selectors.iter().any(|selector| {
        selector.labels.is_empty() && selector.expressions.iter().all(Expression::takes_what_is_not_labelled)
    });
    let expressed = selectors.iter().any(|selector| !selector.expressions.is_empty());
    let at_least = match (all, expressed) {
        (true, _) => Severity::Critical,
        (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    };
    let collected = collected(case, change, selectors);
    let severity = at_least.max(collected.unwrap_or(at_least));
    let mut hit = Hit::new(
        severity,
        format!("made {} collect the rules of other roles", grant::object(change)),
        if all {
            "Its selector takes every ClusterRole, or nearly every one, cluster-admin among them."
        } else if expressed {
            "Its expressions may take any ClusterRole, cluster-admin among them; which ones is not worked out here."
        } else if collected > Some(Severity::Medium) {
            "Its holders get the rules of strong roles at once, and whoever may label a ClusterRole adds to them."
        } else {
            "Whoever may label a ClusterRole now decides what its holders can do."
        },
    );
    for selector in selectors {
        let labels: Vec<String> = selector.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let by_labels = (!labels.is_empty()).then(|| format!("labelled {}", labels.join(", ")));
        let by_expressions = selector.expressions.iter().map(|it| match it.values.as_slice() {
            [] => format!("where {} {}", it.key, it.operator),
            values => format!("where {} {} {}", it.key, it.operator, values.join(", ")),
        });
        let by: Vec<String> = by_labels.into_iter().chain(by_expressions).collect();
        let collected = if by.is_empty() { "every role".to_owned() } else { format!("roles {}", by.join(" and ")) };
        hit.changes.push(Delta::Note(text::name(&format!("collects {collected}"))));
    }
    hit
}

/// A built-in role with the selectors that it is shipped with.
fn is_own(change: &Change, selectors: &[Selector]) -> bool {
    let own = Selector { labels: vec![(label(&change.name), "true".to_owned())], expressions: Vec::new() };
    BUILT_IN.contains(&change.name.as_str()) && selectors.iter().all(|selector| *selector == own)
}

/// The gravest of what these selectors take already: what built-in roles collect, and other roles as far as they are remembered.
fn collected(case: &Case<'_>, change: &Change, selectors: &[Selector]) -> Option<Severity> {
    let by_labels = |selector: &&Selector| selector.expressions.is_empty();
    let takes = |labels: &[(String, String)]| selectors.iter().filter(by_labels).any(|it| it.may_match(labels));
    let others = BUILT_IN.iter().filter(|role| **role != change.name && takes(&[(label(role), "true".to_owned())]));
    // Every role that the API server makes wears this label.
    let all = takes(&[(change::BOOTSTRAPPING.to_owned(), "rbac-defaults".to_owned())]);
    let built_in = others.chain(all.then_some(&"cluster-admin")).filter_map(|role| {
        let role = RoleRef { kind: RoleKind::ClusterRole, name: (*role).to_owned() };
        stock::grade(&role, None, &Subject::User(String::new()))
    });
    let remembered = case.memory.objects(case.cluster(), ObjectKind::ClusterRole).filter_map(|(key, state)| match state {
        State::Role { rules, labels, .. } if key.name != change.name && takes(labels) => {
            assess(rules, &Scope::Cluster).severity
        }
        _ => None,
    });
    built_in.chain(remembered).max()
}

type Role<'c> = (&'c [PolicyRule], &'c Option<Vec<Selector>>, &'c [(String, String)]);

fn before(change: &Change) -> Option<Role<'_>> {
    match &change.before {
        Some(State::Role { rules, aggregation, labels }) => Some((rules, aggregation, labels)),
        _ => None,
    }
}

/// The roles that collect a ClusterRole with these labels: the built-in ones, and those that are remembered.
fn collectors(case: &Case<'_>, labels: &[(String, String)]) -> Vec<String> {
    let mut out: Vec<String> = BUILT_IN
        .iter()
        .filter(|role| {
            let wanted = label(role);
            labels.iter().any(|(key, value)| *key == wanted && value == "true")
        })
        .map(|role| (*role).to_owned())
        .collect();
    for (key, state) in case.memory.objects(case.cluster(), ObjectKind::ClusterRole) {
        if let State::Role { aggregation: Some(selectors), .. } = state
            && selectors.iter().any(|selector| selector.may_match(labels))
            && !out.contains(&key.name)
        {
            out.push(text::name(&key.name));
        }
    }
    out
}

/// The label of the roles that a built-in role collects.
fn label(role: &str) -> String {
    format!("rbac.authorization.k8s.io/aggregate-to-{role}")
}

/// The built-in roles that collect others (Kubernetes documentation, "Aggregated ClusterRoles").
const BUILT_IN: &[&str] = &["admin", "edit", "view"];
