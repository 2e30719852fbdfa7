use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Hit, Object, detection};
use crate::grant;
use crate::mapping;
use crate::memory::{Granted, ObjectKey, State};
use crate::rbac::assess;
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
    /// Withdrawals after more than a quarter of an hour, and grants that were not remembered: of one object the gravest four are.
    /// The deletion of an object that was changed just before, where it was not seen what that change brought.
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
    keys(change, case.cluster()).into_iter().find_map(|key| withdrawn(case, change, key))
}

fn withdrawn(case: &Case<'_>, change: &Change, key: ObjectKey) -> Option<Hit> {
    let known = case.memory.last(&key).filter(|last| !last.deleted)?;
    let event_time = case.event.time()?;
    let age = |granted: &Granted| event_time.as_second().abs_diff(granted.time.as_second());
    let mut recent = known.granted.iter().filter(|it| event_time >= it.time && age(it) <= WITHDRAWN_SECONDS_MAX).peekable();
    recent.peek()?;
    let now = match (change.action, &change.after) {
        (Action::Deleted | Action::DeletedMany, _) => None,
        (Action::Changed, Content::Known(now)) => Some(now),
        _ => return None,
    };
    let lost = now.map_or_else(|| Some(known.state.clone()), |now| known.state.without(now))?;
    let mut target = change.clone();
    target.namespace = key.namespace;
    target.name = key.name;
    let granted = recent.find(|granted| {
        // A deletion takes away whatever the object gave, old and new alike.
        (granted.certain || now.is_some())
            && granted.part.within(&lost).is_some_and(|back| is_worth_telling(case, &target, &back))
    })?;
    let in_part = now.is_some_and(|now| granted.part.within(now).is_some());
    Some(hit(&grant::object(&target), granted, age(granted) / 60, in_part))
}

fn hit(object: &Object, granted: &Granted, minutes: u64, in_part: bool) -> Hit {
    let ago = match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    let (severity, since) = (granted.severity, granted.time.strftime("%H:%M:%S UTC"));
    let (what, why) = match (granted.certain, in_part) {
        (true, false) => (
            format!("withdrew {object} {ago} after it granted rights"),
            format!(
                "A grant of severity {severity} held only from {since} until now; what was done with it in between stays done."
            ),
        ),
        (true, true) => (
            format!("withdrew a part of {object} {ago} after it granted rights"),
            format!(
                "Part of a grant of severity {severity} held only from {since} until now, and the rest still holds; what was done \
                 with it in between stays done."
            ),
        ),
        (false, _) => (
            format!("narrowed {object} {ago} after a change that may have granted rights"),
            format!(
                "What is taken away was there after a change at {since}, of severity {severity}. What was there before that is not \
                 known here; if that change brought it, it held only in between, and what was done with it stays done."
            ),
        ),
    };
    let mut hit = Hit::new(Severity::Medium, what, why);
    hit.objects.push(object.clone());
    hit
}

/// Whether what is taken back was worth a medium alert by itself. Every subject of a binding holds the whole role.
fn is_worth_telling(case: &Case<'_>, change: &Change, back: &State) -> bool {
    let severity = match back {
        State::Role { rules, .. } => assess(rules, &grant::scope(change.kind, &change.namespace)).severity,
        State::AwsAuth(map) => {
            let mappings: Vec<_> = map.mappings.iter().collect();
            mapping::grades(case, &mappings).into_iter().map(|grade| grade.severity).max()
        }
        State::Binding { .. } => Some(Severity::Medium),
        State::ServiceAccount(_) => None,
    };
    severity >= Some(Severity::Medium)
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

/// A grant that held no longer than this was withdrawn again: a quarter of an hour.
pub(crate) const WITHDRAWN_SECONDS_MAX: u64 = 900;
