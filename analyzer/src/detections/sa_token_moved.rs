use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::lesson::{How, Moved};
use crate::session::Token;
use crate::severity::Severity;

detection! {
    /// A service-account token was used from a second place
    ///
    /// ## Why it matters
    ///
    /// A pod's token is used by that pod, from its address or its node's. The same credential from the address of another
    /// node, or from outside after inside, means that it was copied.
    ///
    /// ## What it misses
    ///
    /// A copy used on the pod's own node, and a token that was first seen from a public address, such as a trusted NAT gateway.
    /// Addresses whose node has not been seen yet. Everything before the first use that is remembered.
    ///
    /// ## Known benign causes
    ///
    /// An address that moved from one node to another within the hour.
    ///
    /// ## What to do
    ///
    /// Delete the pod: that ends the token. Then look at both places.
    "sa-token-moved", [STEAL_APPLICATION_TOKEN, APPLICATION_ACCESS_TOKEN], since "0.1.0", Session check where &[Facts::SERVICE_ACCOUNT.and(Facts::REMEMBERED)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let peer = case.event.origin.peer?;
    let own = match session.token {
        Token::Pod { node, .. } => node,
        Token::Legacy { .. } | Token::Unbound { .. } => None,
    };
    let cluster = case.cluster().to_owned();
    let credential = (cluster.clone(), session.key.credential.clone());
    let Moved { first, how } = Moved::of(case.memory, &credential, &(cluster, peer), session.external.is_some(), own)?;
    let (severity, why) = match how {
        How::Outside => (Severity::High, "The token was used inside before and is outside now.".to_owned()),
        How::OtherNode(other) => (
            Severity::Medium,
            format!(
                "The token belongs to a pod on node {}, and this address to node {}.",
                crate::text::name(own.unwrap_or_default()),
                crate::text::name(other)
            ),
        ),
    };
    let mut hit = Hit::new(severity, format!("came from {peer}, after {first}"), why);
    hit.changes.push(Delta::Note(format!("first seen from {first}, now from {peer}")));
    Some(hit)
}
