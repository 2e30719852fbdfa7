//! What one event teaches about tokens, for the events that follow.

use std::net::IpAddr;

use super::audit_lines::Verdict;
use crate::audit::AuditEvent;
use crate::audit::object::Verb;
use crate::audit::outcome::Outcome;
use crate::audit::principal::{Identity, Principal};
use crate::memory::{Maker, Memory, Minted};
use crate::severity::Severity;
use crate::stream::Source;
use crate::text;

/// What an event teaches, free of the event itself.
#[derive(Default)]
pub(super) struct Lessons {
    cluster: String,
    minted: Option<(String, Minted)>,
    used: Option<Use>,
    node: Option<(IpAddr, String)>,
    secret: Option<(String, String, Maker)>,
}

/// One use of a service-account token.
struct Use {
    credential: String,
    peer: IpAddr,
    /// The node that the token says its pod runs on.
    node: Option<String>,
}

impl Lessons {
    pub(super) fn of(event: &AuditEvent<'_>, verdict: &Verdict, source: &Source) -> Self {
        let principal = &event.caller.authenticated;
        let identity = principal.identity(event.origin.peer, source.account.as_deref());
        let mut lessons = Self { cluster: source.cluster.clone().unwrap_or_default(), ..Self::default() };
        if let Some(peer) = event.origin.peer {
            lessons.node = node(principal, identity).map(|node| (peer, node));
            if let (Identity::ServiceAccount(_), Some(credential)) = (identity, principal.credential_id()) {
                let node = principal.node().map(ToOwned::to_owned);
                lessons.used = Some(Use { credential: text::name(credential), peer, node });
            }
        }
        if event.outcome() != Outcome::Allowed {
            return lessons;
        }
        let minting = verdict.findings.iter().find(|finding| finding.detection.id == "sa-token-minted");
        if let (Some(finding), Some(credential)) = (minting, event.annotations.issued_credential_id()) {
            let minted = Minted { by: maker(event, identity), severity: finding.hit.severity.max(Severity::Medium) };
            lessons.minted = Some((credential.to_owned(), minted));
        }
        let object = event.object.as_ref().filter(|object| object.is("", "secrets") && !object.name.is_empty());
        if let (Some(object), Verb::Create) = (object, &event.verb) {
            lessons.secret = Some((object.namespace.to_string(), object.name.to_string(), maker(event, identity)));
        }
        lessons
    }

    pub(super) fn teach(self, memory: &mut Memory) {
        if let Some((credential, minted)) = self.minted {
            memory.keep_minted(&self.cluster, &credential, minted);
        }
        if let Some(Use { credential, peer, node }) = self.used {
            memory.note_address(&self.cluster, &credential, peer);
            // Where a token comes from first is where its pod is; later addresses may be a thief's.
            let first = memory.addresses_of(&self.cluster, &credential).first() == Some(&peer);
            if let Some(node) = node.filter(|_| first) {
                memory.note_node(&self.cluster, peer, &node);
            }
        }
        if let Some((peer, node)) = self.node {
            memory.note_node(&self.cluster, peer, &node);
        }
        if let Some((namespace, name, maker)) = self.secret {
            memory.keep_secret_maker(&self.cluster, &namespace, &name, maker);
        }
    }
}

/// The node that an address belongs to, from the kubelet's own requests.
fn node(principal: &Principal<'_>, identity: Identity<'_>) -> Option<String> {
    match identity {
        Identity::Node => principal.username.strip_prefix("system:node:").map(ToOwned::to_owned),
        _ => None,
    }
}

fn maker(event: &AuditEvent<'_>, identity: Identity<'_>) -> Maker {
    let name = match identity {
        Identity::ServiceAccount(account) => {
            format!("ServiceAccount {}/{}", text::name(account.namespace), text::name(account.name))
        }
        _ => text::name(event.caller.authenticated.display()),
    };
    Maker { name, peer: event.origin.peer, time: event.time(), audit_id: text::name(&event.audit_id) }
}
