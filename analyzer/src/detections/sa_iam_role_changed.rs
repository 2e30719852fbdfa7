use crate::audit::object::Verb;
use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::kube::ObjectKind;
use crate::kube::patch::{Touches, touched_by_webhooks, touches, worse};
use crate::memory::State;
use crate::severity::Severity;
use crate::text;

detection! {
    /// The IAM role of a service account was set or changed
    ///
    /// ## Why it matters
    ///
    /// The annotation `eks.amazonaws.com/role-arn` (IAM roles for service accounts) gives every new pod of the account an IAM
    /// role, as far as the role's trust policy agrees. Whoever may write service accounts and start pods can so reach AWS.
    ///
    /// ## What it misses
    ///
    /// EKS Pod Identity associations, which are made through the EKS API. Which role it was, where the client asked for an
    /// answer without the account and the log does not hold it: then the change is told with its content unknown. Whether
    /// the role's trust policy lets the account in.
    ///
    /// ## Known benign causes
    ///
    /// Installing or upgrading a chart whose workload needs AWS; moving to another role.
    ///
    /// ## What to do
    ///
    /// Check that this workload should have this role. The trust policy of the role is the second lock: make it name the
    /// service account.
    "sa-iam-role-changed", [ADDITIONAL_CLOUD_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind == ObjectKind::ServiceAccount
            && change.took_effect()
            && matches!(change.action, Action::Created | Action::Changed)
    })?;
    let Content::Known(State::ServiceAccount(now)) = &change.after else {
        return unseen(case, change);
    };
    let known = match &change.before {
        Some(State::ServiceAccount(before)) => Some(before.as_slice()),
        _ => None,
    };
    let before = known.unwrap_or_default();
    let set: Vec<_> = now.iter().filter(|pair| !before.contains(pair)).collect();
    let role = |pairs: &[(String, String)]| {
        pairs.iter().find(|(key, _)| key == "eks.amazonaws.com/role-arn").map(|(_, arn)| text::name(arn))
    };
    let taken = before.iter().any(|(key, _)| !now.iter().any(|(other, _)| other == key));
    if set.is_empty() && !taken {
        return None;
    }
    let account = format!("{}/{}", text::name(&change.namespace), text::name(&change.name));
    let (severity, what) = match (role(now), role(before)) {
        (Some(arn), old) if old.as_ref() != Some(&arn) => {
            let foreign = arn.split(':').nth(4).zip(case.source.account.as_deref()).is_some_and(|(theirs, ours)| theirs != ours);
            let severity = if foreign { Severity::High } else { Severity::Medium };
            let verb = if known.is_some() || change.action == Action::Created { "gave" } else { "wrote" };
            let with = if verb == "gave" { "the" } else { "with the" };
            (severity, format!("{verb} ServiceAccount {account} {with} IAM role {}", text::short(&arn)))
        }
        (None, Some(_)) => (Severity::Low, format!("took the IAM role from ServiceAccount {account}")),
        _ => (Severity::Low, format!("changed how ServiceAccount {account} reaches IAM")),
    };
    let mut hit = Hit::new(
        severity,
        what,
        "Pods of the account that start from now on get this IAM role, if the role's trust policy agrees.",
    );
    let make: fn(String) -> Delta =
        if known.is_some() || change.action == Action::Created { Delta::Gained } else { Delta::Now };
    hit.changes.extend(set.iter().map(|(key, value)| make(text::name(&format!("{key}: {value}")))));
    hit.changes.extend(
        before
            .iter()
            .filter(|pair| !now.contains(pair))
            .map(|(key, value)| Delta::Lost(text::name(&format!("{key}: {value}")))),
    );
    hit.objects.push(grant::object(change));
    Some(hit)
}

/// What the log does not hold may be a role of anybody's, unless the request shows that it can be none.
fn unseen(case: &Case<'_>, change: &Change) -> Option<Hit> {
    let by_webhooks = || touched_by_webhooks(case.event.annotations.mutations(), change.kind);
    let sets_none = case.event.verb == Verb::Patch
        && case.event.request.bytes().is_some_and(|body| worse(touches(body, change.kind), by_webhooks()) != Touches::Content);
    if sets_none {
        return None;
    }
    let object = grant::object(change);
    let what = format!("{} {object}, content unknown", change.action.as_str());
    let mut hit = Hit::new(Severity::High, what, grant::unseen(&change.after));
    hit.objects.push(object);
    Some(hit)
}
