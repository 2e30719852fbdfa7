use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::severity::Severity;

detection! {
    /// A token that somebody had asked for by hand is in use
    ///
    /// ## Why it matters
    ///
    /// The id of a token is in the log when it is made and every time it is used. Joined, the two say who holds the service
    /// account's rights now, and from where.
    ///
    /// ## What it misses
    ///
    /// API servers before Kubernetes 1.30 log no credential id. A token made before the memory began.
    ///
    /// ## Known benign causes
    ///
    /// An administrator trying something as a service account; controllers that log in for workloads.
    ///
    /// ## What to do
    ///
    /// Ask the one who asked for the token. If the use comes from elsewhere, treat the token as stolen: delete and create the
    /// service account to end it.
    "sa-token-minted-used", [APPLICATION_ACCESS_TOKEN, STEAL_APPLICATION_TOKEN], since "0.1.0", Session check where &[Facts::SERVICE_ACCOUNT.and(Facts::REMEMBERED)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    case.session.as_ref()?;
    let credential = case.event.caller.authenticated.credential_id()?;
    let minted = case.memory.minted(&(case.cluster().to_owned(), credential.to_owned()))?;
    let elsewhere = case.event.origin.peer != minted.by.peer;
    let severity = if elsewhere { minted.severity.max(Severity::High) } else { minted.severity };
    let ago = case.event.time().zip(minted.by.time).map(|(now, then)| {
        match now.as_second().abs_diff(then.as_second()) / 60 {
            0 => " less than a minute ago".to_owned(),
            1 => " a minute ago".to_owned(),
            minutes @ 2..120 => format!(" {minutes} minutes ago"),
            minutes => format!(" {} hours ago", minutes / 60),
        }
    });
    let mut hit = Hit::new(
        severity,
        format!("used a token that {} asked for{}", minted.by.name, ago.unwrap_or_default()),
        if elsewhere {
            "The token is used from another address than it was asked for: it has been passed on."
        } else {
            "Whoever asked for the token acts as the service account now."
        },
    );
    if let Some(peer) = minted.by.peer {
        hit.changes.push(Delta::Note(format!("asked for from {peer}, audit ID {}", minted.by.audit_id)));
    }
    Some(hit)
}
