use crate::case::Case;
use crate::detection::{Hit, detection};
use crate::interest::Facts;
use crate::severity::Severity;

detection! {
    /// A service-account token is used long after its intended life
    ///
    /// ## Why it matters
    ///
    /// Pods get tokens for an hour and should read the new one from their file. A client that reads it once goes on with the
    /// old one, which EKS accepts for 90 days. Then it is refused and the workload breaks. A copied token ages in the same
    /// way.
    ///
    /// ## What it misses
    ///
    /// Nothing that the API server notes; it says how old the token is on every use.
    ///
    /// ## Known benign causes
    ///
    /// Old client libraries. That is why this is informational until the end is near.
    ///
    /// ## What to do
    ///
    /// Update the client library. Until then restart the pod before day 90.
    "sa-token-stale-login", [APPLICATION_ACCESS_TOKEN], since "0.1.0", Session check where &[Facts::SERVICE_ACCOUNT.and(Facts::STALE_TOKEN)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    case.session.as_ref()?;
    let seconds = case.event.annotations.stale_seconds()?;
    let days = seconds / DAY_SECONDS;
    let left = REFUSED_SECONDS.saturating_sub(seconds) / DAY_SECONDS;
    let severity = match left {
        0..=7 => Severity::Medium,
        8..=30 => Severity::Low,
        _ => Severity::Informational,
    };
    let age = match days {
        0 => "some hours".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    Some(Hit::new(
        severity,
        format!("logged in with a token {age} past its intended life"),
        format!("EKS refuses the token in about {left} days; then whatever uses it stops working."),
    ))
}

const DAY_SECONDS: u64 = 86_400;

/// EKS refuses an extended token this long after its warning threshold: 90 days (EKS user guide, "Kubernetes service
/// accounts").
const REFUSED_SECONDS: u64 = 90 * DAY_SECONDS;
