use crate::case::Case;
use crate::detection::{Hit, Object, detection};
use crate::interest::Facts;
use crate::session::Token;
use crate::severity::Severity;
use crate::text;

detection! {
    /// A service-account token from a Secret was used
    ///
    /// ## Why it matters
    ///
    /// Tokens kept in Secrets never expire, are bound to no pod and can be read by whoever can read Secrets. Kubernetes
    /// has made none by itself since 1.24.
    ///
    /// ## What it misses
    ///
    /// API servers before Kubernetes 1.28 do not say that a token came from a Secret.
    ///
    /// ## Known benign causes
    ///
    /// Old pipelines, dashboards and monitoring systems outside the cluster.
    ///
    /// ## What to do
    ///
    /// Move the user to the TokenRequest API or to an IAM identity, then delete the Secret: that ends the token.
    "sa-token-legacy-login", [APPLICATION_ACCESS_TOKEN, CONTAINER_API_CREDENTIALS], since "0.1.0", Session check where &[Facts::SERVICE_ACCOUNT.and(Facts::LEGACY_TOKEN)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let Token::Legacy { secret } = &session.token else {
        return None;
    };
    let namespace = session.account.namespace;
    let (what, why) = match secret {
        Some((name, by_hand)) => (
            format!("logged in with the never-expiring token of Secret {}/{}", text::name(namespace), text::name(name)),
            if *by_hand { "Somebody made this Secret by hand." } else { "Kubernetes made this Secret, before 1.24." },
        ),
        None => ("logged in with a never-expiring token from a Secret".to_owned(), "The log does not name the Secret."),
    };
    let mut hit = Hit::new(
        Severity::High,
        what,
        format!("The token never expires and works from anywhere for whoever has read it. {why}"),
    );
    if let Some((name, _)) = secret {
        hit.objects.push(Object { kind: "Secret", namespace: text::name(namespace), name: text::name(name) });
    }
    Some(hit)
}
