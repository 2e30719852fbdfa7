use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Hit, detection};
use crate::grant;
use crate::memory::{ObjectKey, Remembered, State};
use crate::severity::Severity;

detection! {
    /// Rights were granted and taken away again within minutes
    ///
    /// ## Why it matters
    ///
    /// Whoever grants, uses and withdraws leaves a cluster that looks untouched. The minutes in between are what to look at.
    ///
    /// ## What it misses
    ///
    /// Withdrawals after more than a quarter of an hour, and grants that were not remembered. The deletion of an object that was
    /// changed just before, where it was not seen what that change brought.
    ///
    /// ## Known benign causes
    ///
    /// Somebody noticing a mistake; a failed roll-out that is rolled back; just-in-time access with short grants.
    ///
    /// ## What to do
    ///
    /// Look at what the subjects did between the two times in this alert.
    "rbac-grant-withdrawn", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| change.took_effect() && !change.pending)?;
    let cluster = case.cluster();
    let (key, remembered) = keys(change, cluster)
        .into_iter()
        .filter_map(|key| case.memory.object(&key).map(|remembered| (key, remembered)))
        .find(|(_, remembered)| is_recent(case, remembered) && takes_away(change, remembered))?;
    let granted = remembered.granted?;
    let minutes = case.event.time()?.as_second().abs_diff(granted.time.as_second()) / 60;
    let ago = match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    let mut target = change.clone();
    target.namespace = key.namespace;
    target.name = key.name;
    let object = grant::object(&target);
    let (severity, since) = (granted.severity, granted.time.strftime("%H:%M:%S UTC"));
    let (what, why) = if granted.certain {
        (
            format!("withdrew {object} {ago} after it granted rights"),
            format!("A grant of severity {severity} held only from {since} until now; what was done with it in between stays done."),
        )
    } else {
        (
            format!("narrowed {object} {ago} after a change that may have granted rights"),
            format!(
                "What is taken away was there after a change at {since}, of severity {severity}. What was there before that is not \
                 known here; if that change brought it, it held only in between, and what was done with it stays done."
            ),
        )
    };
    let mut hit = Hit::new(Severity::Medium, what, why);
    hit.objects.push(object);
    Some(hit)
}

fn keys(change: &Change, cluster: &str) -> Vec<ObjectKey> {
    match change.action {
        Action::DeletedMany => change
            .deleted
            .iter()
            .filter(|gone| !gone.pending)
            .map(|gone| ObjectKey {
                namespace: gone.namespace.clone(),
                name: gone.name.clone(),
                ..change.key(cluster)
            })
            .collect(),
        _ => vec![change.key(cluster)],
    }
}

fn is_recent(case: &Case<'_>, remembered: &Remembered) -> bool {
    match (remembered.granted, case.event.time()) {
        (Some(granted), Some(now)) => {
            now >= granted.time && now.as_second().abs_diff(granted.time.as_second()) <= WITHDRAWN_SECONDS_MAX
        }
        _ => false,
    }
}

/// What was granted is no longer there. A deletion takes back a grant that is known to have been new; what else the object gave may
/// be old.
fn takes_away(change: &Change, remembered: &Remembered) -> bool {
    match (change.action, &change.after, &remembered.state) {
        (Action::Deleted | Action::DeletedMany, ..) => remembered.granted.is_some_and(|granted| granted.certain),
        (Action::Changed, Content::Known(State::Binding { subjects: now, .. }), State::Binding { subjects, .. }) => {
            now.len() < subjects.len() && now.iter().all(|subject| subjects.contains(subject))
        }
        (Action::Changed, Content::Known(State::Role { rules: now, .. }), State::Role { rules, .. }) => {
            crate::rbac::gained(rules, now).is_empty() && !crate::rbac::lost(rules, now).is_empty()
        }
        (Action::Changed, Content::Known(State::AwsAuth(now)), State::AwsAuth(before)) => {
            now.without(before).is_empty() && !before.without(now).is_empty()
        }
        _ => false,
    }
}

/// A grant that held no longer than this was withdrawn again: a quarter of an hour.
pub(crate) const WITHDRAWN_SECONDS_MAX: u64 = 900;
