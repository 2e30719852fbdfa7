//! A change whose outcome the log does not show: what it asked for is told, and graded at least as what nobody has seen.

use super::{Grade, SUBJECTS_LISTED, listed, object, of_binding, of_role, unseen};
use crate::case::Case;
use crate::change::Change;
use crate::detection::{Delta, Hit};
use crate::memory::{Remembered, State};
use crate::rbac::Subject;
use crate::severity::Severity;
use crate::text;

/// The hit for a role or a binding of which the log does not hold what it says now.
#[must_use]
pub fn unshown(case: &Case<'_>, change: &Change) -> Hit {
    let object = object(change);
    let done = change.action.as_str();
    let asked = match &change.asked {
        Some(State::Binding { role_ref, subjects }) => {
            let grade = match role_ref.clone().or_else(|| bound(case, change)) {
                Some(role) => of_binding(case, change, Some(&role), subjects),
                None => of_unknown_role(subjects),
            };
            Some((format!("asking to give {} {}", grade.who, grade.phrase), grade))
        }
        Some(State::Role { rules, .. }) => {
            let grade = of_role(case, change, rules);
            Some((format!("asking for: {}", grade.phrase), grade))
        }
        _ => None,
    };
    let gains = |deltas: &[Delta]| deltas.iter().any(|delta| matches!(delta, Delta::Gained(_) | Delta::Now(_)));
    let Some((what, grade)) = asked.filter(|(_, grade)| gains(&grade.deltas)) else {
        return Hit::new(Severity::High, format!("{done} {object}, content unknown"), unseen(&change.after));
    };
    let Grade { severity, mut reasons, mut deltas, subjects, .. } = grade;
    reasons.push(unseen(&change.after).to_owned());
    // It may hold more than was asked for.
    deltas.retain(|delta| !matches!(delta, Delta::Lost(_)));
    let mut hit = Hit::new(severity.max(Severity::High), format!("{done} {object}, {what}"), reasons.join(" "));
    hit.changes = deltas;
    hit.subjects = subjects;
    hit
}

fn of_unknown_role(subjects: &[Subject]) -> Grade {
    const ROLE: &str = "a role that is not known here";
    let names: Vec<String> = subjects.iter().take(SUBJECTS_LISTED).map(|it| text::name(&it.to_string())).collect();
    Grade {
        severity: Severity::High,
        phrase: ROLE.to_owned(),
        reasons: vec!["The binding was never seen, so nobody can tell here which role it gives.".to_owned()],
        deltas: names.iter().map(|name| Delta::Now(format!("{name}: {ROLE}"))).collect(),
        subjects: names,
        who: listed(subjects.iter()),
    }
}

/// The role that a binding is remembered to refer to; it cannot change while the binding exists.
#[must_use]
pub fn bound(case: &Case<'_>, change: &Change) -> Option<crate::rbac::RoleRef> {
    let is_there = |last: &&Remembered| !last.deleted;
    match &case.memory.last(&change.key(case.cluster())).filter(is_there)?.state {
        State::Binding { role_ref, .. } => role_ref.clone(),
        _ => None,
    }
}
