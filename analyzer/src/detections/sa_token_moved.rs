use std::net::IpAddr;

use crate::audit::origin::is_public;
use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
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
    /// A copy used on the pod's own node. Addresses whose node has not been seen yet. Everything before the first use that is
    /// remembered.
    ///
    /// ## Known benign causes
    ///
    /// An address that moved from one node to another within the hour.
    ///
    /// ## What to do
    ///
    /// Delete the pod: that ends the token. Then look at both places.
    "sa-token-moved", [STEAL_APPLICATION_TOKEN, APPLICATION_ACCESS_TOKEN], since "0.1.0", Session check
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let peer = case.event.origin.peer?;
    // Without an id of its own, many credentials would look like one.
    if matches!(session.key.credential.as_str(), "legacy" | "unknown") {
        return None;
    }
    let first = *case
        .memory
        .addresses_of(case.cluster(), &session.key.credential)
        .iter()
        // The other address family of the same pod is not another place.
        .find(|known| known.is_ipv4() == peer.is_ipv4())?;
    if first == peer {
        return None;
    }
    let (severity, why) = judge(case, &session.token, first, peer)?;
    let mut hit = Hit::new(severity, format!("came from {peer}, after {first}"), why);
    hit.changes.push(Delta::Note(format!("first seen from {first}, now from {peer}")));
    Some(hit)
}

fn judge(case: &Case<'_>, token: &Token<'_>, first: IpAddr, peer: IpAddr) -> Option<(Severity, String)> {
    if !is_public(first) && is_public(peer) {
        return Some((Severity::High, "The token was used inside before and is outside now.".to_owned()));
    }
    let Token::Pod { node: Some(own), .. } = token else {
        return None;
    };
    let other = case.memory.node_at(case.cluster(), peer).filter(|node| node != own)?;
    Some((
        Severity::Medium,
        format!(
            "The token belongs to a pod on node {}, and this address to node {}.",
            crate::text::name(own),
            crate::text::name(other)
        ),
    ))
}
