use crate::case::Case;
use crate::change::{self, Action, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::memory::{Remembered, State};
use crate::text;

detection! {
    /// A binding was deleted and created again for another role
    ///
    /// ## Why it matters
    ///
    /// The role of a binding cannot be changed, so exchanging it takes a delete and a create under the same name. Seen apart
    /// they look like a clean-up and a new binding; together they change what the same subjects can do.
    ///
    /// ## What it misses
    ///
    /// Without memory of the binding before, the two halves are told as two changes. A pause of more than an hour between
    /// them makes them two changes as well.
    ///
    /// ## Known benign causes
    ///
    /// `kubectl replace --force`, and charts that moved to another role.
    ///
    /// ## What to do
    ///
    /// Compare the two roles with the person who did it.
    "rbac-role-rebound", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind.is_binding() && change.took_effect() && change.action == Action::Created
    })?;
    let Content::Known(State::Binding { role_ref: Some(now), subjects }) = &change.after else {
        return None;
    };
    // What is made was not there, so whatever is remembered as being there was deleted unseen.
    let is_from_before = |last: &&Remembered| {
        last.deleted || last.version.is_none() || change.version().is_none() || last.version < change.version()
    };
    let last = case.memory.last(&change.key(case.cluster())).filter(is_from_before)?;
    let State::Binding { role_ref: Some(then), .. } = &last.state else {
        return None;
    };
    let pause = case.event.time()?.as_second().abs_diff(last.time?.as_second());
    if now == then || pause > PAUSE_SECONDS_MAX {
        return None;
    }
    let grade = grant::of_binding(case, change, Some(now), subjects);
    let (then, now) = (text::name(&then.name), text::name(&now.name));
    let mut hit = Hit::new(
        grade.severity,
        format!("exchanged the role of {}: {then} became {now}", grant::object(change)),
        "The same binding now gives another role; deleting and creating it made that look like two small things.",
    );
    hit.changes = vec![Delta::Lost(format!("role {then}")), Delta::Gained(format!("role {now}"))];
    hit.objects.push(grant::object(change));
    hit.subjects = grade.subjects;
    Some(hit)
}

/// Longest pause between delete and create, in seconds: an hour.
pub(crate) const PAUSE_SECONDS_MAX: u64 = 3_600;
