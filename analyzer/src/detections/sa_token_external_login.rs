use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::session::Token;
use crate::severity::Severity;
use crate::text;

detection! {
    /// A service-account token was used from a public address
    ///
    /// ## Why it matters
    ///
    /// Service accounts are for workloads inside the cluster, and their requests come from pod or node addresses. A token
    /// that arrives from the internet has left the cluster. Only the address that connected counts: the addresses a
    /// client claims in `X-Forwarded-For` are its own word.
    ///
    /// ## What it misses
    ///
    /// A stolen token used from inside the network, or through a trusted one.
    ///
    /// ## Known benign causes
    ///
    /// A cluster whose endpoint is public only: its pods reach the API through a NAT gateway. Name the gateway's addresses
    /// as trusted networks. The same goes for the address range of an IPv6 cluster. Pipelines outside the cluster that
    /// log in with a service-account token.
    ///
    /// ## What to do
    ///
    /// Find out who holds the token. Delete the pod (or the Secret) it is bound to: that ends the token. Then look at what
    /// it was used for.
    "sa-token-external-login", [APPLICATION_ACCESS_TOKEN, STEAL_APPLICATION_TOKEN], since "0.1.0", Session check where &[Facts::EXTERNAL]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let peer = session.external?;
    let claimed = !case.event.origin.claimed.is_empty();
    let (severity, why) = match &session.token {
        Token::Pod { name, .. } => (
            Severity::Critical,
            format!("The token is bound to pod {}: outside the cluster it can only be a copy.", text::name(name)),
        ),
        Token::Legacy { .. } => (
            Severity::High,
            "The token is kept in a Secret and never expires; whoever has read the Secret can use it from anywhere.".to_owned(),
        ),
        Token::Unbound { .. } => (
            Severity::High,
            "The token is bound to no pod: somebody asked for it by hand or a pipeline holds it.".to_owned(),
        ),
    };
    let severity = if claimed { severity.raised(1) } else { severity };
    let client = session.human_client.map(|client| format!(" with {client}")).unwrap_or_default();
    let mut hit = Hit::new(severity, format!("logged in from public address {peer}{client}"), why);
    if claimed {
        hit.changes.push(Delta::Note(
            "the client claimed to come from another address, which hides it from tools that read the first one".to_owned(),
        ));
    }
    Some(hit)
}
