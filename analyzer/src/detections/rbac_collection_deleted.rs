use crate::case::Case;
use crate::change::{self, Action};
use crate::detection::{Delta, Hit, Object, detection};
use crate::grant;
use crate::severity::Severity;
use crate::text;

detection! {
    /// Many roles or bindings were deleted at once
    ///
    /// ## Why it matters
    ///
    /// One `deletecollection` can take away every role or binding of a namespace, or of the whole cluster, and lock
    /// people and controllers out. The names are only in the answer, not in the request.
    ///
    /// ## What it misses
    ///
    /// Where the answer is not recorded, the selector in the request is all that tells what was deleted.
    ///
    /// ## Known benign causes
    ///
    /// `kubectl delete roles --all` during a clean-up. Deleting a namespace makes the namespace controller do this; with
    /// its identity proven that stays quiet.
    ///
    /// ## What to do
    ///
    /// Check that nothing needed is gone; the alert lists what was deleted, so it can be put back.
    "rbac-collection-deleted", [ACCOUNT_ACCESS_REMOVAL], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind.is_rbac() && change.action == Action::DeletedMany && change.took_effect()
    })?;
    let kind = change.kind.as_str();
    let place = match change.namespace.as_str() {
        "" if change.kind.is_namespaced() => "in every namespace".to_owned(),
        "" => "of the cluster".to_owned(),
        namespace => format!("in namespace {}", text::name(namespace)),
    };
    let (kept, gone): (Vec<_>, Vec<_>) = change.deleted.iter().partition(|deleted| deleted.pending);
    let count = change.deleted.len();
    // Of a parameter that is there twice the server takes the first.
    let first = |parameter| case.event.query(parameter).next().filter(|selector| !selector.is_empty());
    let selected = first("labelSelector").or_else(|| first("fieldSelector"));
    let what = match count {
        0 => format!("deleted {kind}s {place} by collection"),
        1 => format!("deleted 1 {kind} {place} by collection"),
        count => format!("deleted {count} {kind}s {place} by collection"),
    };
    let severity = if selected.is_none() && !change.kind.is_namespaced() { Severity::High } else { Severity::Medium };
    let mut hit = Hit::new(
        severity,
        what,
        "Whoever depended on them has lost rights; taken together that can lock people and controllers out.",
    );
    if let Some(selector) = selected {
        hit.changes.push(Delta::Note(format!("selected by {}", text::name(&selector))));
    }
    if !kept.is_empty() {
        let which = if kept.len() == 1 { "1 of them is".to_owned() } else { format!("{} of them are", kept.len()) };
        hit.changes.push(Delta::Note(format!("{which} kept by finalizers, and in force until these are gone")));
    }
    for deleted in gone.iter().chain(&kept).take(OBJECTS_LISTED) {
        hit.objects.push(Object { kind, namespace: text::name(&deleted.namespace), name: text::name(&deleted.name) });
        if !deleted.pending {
            hit.changes.extend(grant::lost_lines(change.kind, &deleted.namespace, &deleted.state));
        }
    }
    if hit.objects.is_empty() {
        hit.objects.push(grant::object(change));
        hit.changes.push(Delta::Note("the log does not say which".to_owned()));
    }
    Some(hit)
}

/// Deleted objects listed in one alert.
const OBJECTS_LISTED: usize = 20;
