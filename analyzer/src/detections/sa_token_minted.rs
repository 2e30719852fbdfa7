use crate::audit::outcome::Outcome;
use crate::case::Case;
use crate::detection::{Delta, Hit, Object, detection};
use crate::kube::TokenSpec;
use crate::rbac::Subject;
use crate::severity::Severity;
use crate::strength;
use crate::text;
use crate::token_request;

detection! {
    /// Somebody asked for a token of a service account
    ///
    /// ## Why it matters
    ///
    /// A TokenRequest hands out the service account's rights to whoever asked. Kubelets do it for the pods on their node
    /// and kube-controller-manager for its own controllers; from anybody else it is a person or a workload taking on
    /// another identity. A long life, an audience such as `sts.amazonaws.com` (the account's IAM role) or a strong account
    /// make it worse.
    ///
    /// ## What it misses
    ///
    /// The token itself is never logged, and a token for a pod's own use looks the same when a stolen node identity asks
    /// for it.
    ///
    /// ## Known benign causes
    ///
    /// `kubectl create token` by an administrator; Vault, External Secrets and other controllers that log in for workloads. What a
    /// workload asks for again and again is told once in an hour; an exception with `max_severity: high` silences what you have reviewed.
    ///
    /// ## What to do
    ///
    /// Ask the named person. A token cannot be called back: delete and create the service account to end it, or wait until
    /// it expires (24 hours at most on EKS).
    "sa-token-minted", [STEAL_APPLICATION_TOKEN], since "0.1.0", Repeating check where token_request::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let request = case.token_request.as_ref().filter(|request| request.ordinary.is_none())?;
    let (namespace, name) = (text::name(request.namespace), text::name(request.name));
    let account = format!("ServiceAccount {namespace}/{name}");
    let spec = &request.spec;
    let (mut severity, mut reasons) = (Severity::Medium, Vec::new());
    for (grade, reason) in worries(case, request.namespace, request.name, spec.as_ref()) {
        severity = severity.max(grade);
        reasons.push(reason);
    }
    if reasons.is_empty() {
        reasons.push("Whoever asked now holds the account's rights until the token expires.".to_owned());
    }
    let mut hit = match case.event.outcome() {
        Outcome::Allowed | Outcome::Unknown => Hit::new(severity, format!("got a token of {account}"), reasons.join(" ")),
        Outcome::Denied | Outcome::EscalationRefused | Outcome::Failed if request.refused => Hit::new(
            severity.lowered(1),
            format!("tried to get a token of {account} and was refused"),
            if case.event.outcome() == Outcome::Failed {
                "An admission plugin or policy refused it; by the roles alone the caller would have got it."
            } else {
                "The caller has no right to mint tokens of this account."
            },
        ),
        _ => return None,
    };
    hit.changes = spec.as_ref().map(details).unwrap_or_default();
    hit.objects.push(Object { kind: "ServiceAccount", namespace, name });
    hit.subjects.push(account);
    Some(hit)
}

fn worries(case: &Case<'_>, namespace: &str, name: &str, spec: Option<&TokenSpec<'_>>) -> Vec<(Severity, String)> {
    let mut found = Vec::new();
    if let Some(strength) = of_account(case, namespace, name) {
        found.push((
            strength.min(Severity::High),
            format!("The account holds strong rights ({strength}), and whoever asked now has them too."),
        ));
    } else if namespace == "kube-system" {
        found.push((Severity::High, "The account is of kube-system, where strong rights are the rule.".to_owned()));
    }
    let Some(spec) = spec else {
        found.push((Severity::Medium, "The log does not hold what was asked for.".to_owned()));
        return found;
    };
    for audience in &spec.audiences {
        if ["sts.amazonaws.com", "pods.eks.amazonaws.com"].contains(&audience.as_ref()) {
            found.push((
                Severity::High,
                format!("With audience {audience} the token can be traded for the account's IAM role."),
            ));
        }
    }
    if spec.expiration_seconds.is_some_and(|seconds| seconds > LONG_SECONDS) {
        found.push((
            Severity::High,
            "It was asked to live longer than a day; EKS gives 24 hours at most, but the wish is telling.".to_owned(),
        ));
    }
    found
}

/// What the account can do through remembered or built-in bindings; `None` when that is nothing strong.
fn of_account(case: &Case<'_>, namespace: &str, name: &str) -> Option<Severity> {
    let subject = Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() };
    let worst = strength::of_each(case.memory, case.cluster(), [&subject]).remove(&subject);
    worst.filter(|worst| *worst >= Severity::High)
}

fn details(spec: &TokenSpec<'_>) -> Vec<Delta> {
    let audience = if spec.audiences.is_empty() {
        "the API server".to_owned()
    } else {
        text::name(&spec.audiences.join(", "))
    };
    let mut out = vec![Delta::Note(format!("audience: {audience}"))];
    if let Some(seconds) = spec.expiration_seconds {
        out.push(Delta::Note(format!("lifetime asked for: {}", lifetime(seconds))));
    }
    out.push(Delta::Note(match &spec.bound_to {
        Some((kind, name)) => format!("bound to {} {}", text::name(kind), text::name(name)),
        None => "bound to nothing".to_owned(),
    }));
    out
}

fn lifetime(seconds: i64) -> String {
    match seconds {
        172_800.. => format!("{} days", seconds / 86_400),
        7_200.. => format!("{} hours", seconds / 3_600),
        _ => format!("{} minutes", seconds / 60),
    }
}

/// EKS caps tokens at 24 hours, so a wish for more is a wish to stay.
const LONG_SECONDS: i64 = 86_400;
