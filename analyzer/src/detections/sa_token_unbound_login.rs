use crate::case::Case;
use crate::detection::{Hit, detection};
use crate::interest::Facts;
use crate::session::Token;
use crate::severity::Severity;

detection! {
    /// A service-account token that is bound to no pod was used
    ///
    /// ## Why it matters
    ///
    /// The tokens of pods are bound to their pod and die with it. A token without that bond was asked for by hand
    /// (`kubectl create token`) or is held by something outside, and deleting pods does not end it.
    ///
    /// ## What it misses
    ///
    /// kube-controller-manager's own controllers use such tokens too. They are quiet by name and private address, so a
    /// stolen token of one of them, used from inside, looks the same.
    ///
    /// ## Known benign causes
    ///
    /// Pipelines and dashboards that were given a token; controllers of other control planes (Argo CD managing several
    /// clusters). Calico's `calico-cni-plugin` on every node, with a token that `calico-node` asks for.
    ///
    /// ## What to do
    ///
    /// Find who asked for the token: the TokenRequest carries the same credential id. Give the user an identity of its
    /// own instead.
    "sa-token-unbound-login", [APPLICATION_ACCESS_TOKEN], since "0.1.0", Session check where &[Facts::UNBOUND]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    if session.token != (Token::Unbound { controller: false }) {
        return None;
    }
    Some(Hit::new(
        Severity::Medium,
        "logged in with a token bound to no pod",
        "Nothing in the cluster holds this token, so deleting a pod does not end it; it lives until it expires.",
    ))
}
