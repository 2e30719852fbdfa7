//! What one event teaches about tokens, for the events that follow, and what the memory has to say about a caller.

use std::net::IpAddr;

use crate::audit::AuditEvent;
use crate::audit::object::Verb;
use crate::audit::origin::is_public;
use crate::audit::outcome::Outcome;
use crate::audit::principal::{Identity, Principal};
use crate::detection::Finding;
use crate::evidence::Evidence;
use crate::interest::{Facts, Interest};
use crate::memory::{Maker, Memory, Minted, Unauthenticated};
use crate::session::{Session, Token};
use crate::severity::Severity;
use crate::stream::Source;
use crate::text;

/// The ordinary lines that the memory learns from, whatever the detections make of them: refused logins and new Secrets.
/// Who comes from where is learnt from every line, through [`Visit`].
pub const INTEREST: Interest = &[Facts::UNAUTHENTICATED, Facts::SECRET.and(Facts::WRITES)];

/// What an event teaches.
#[derive(Debug, Default)]
pub struct Lessons<'e> {
    cluster: &'e str,
    minted: Option<(&'e str, Minted)>,
    sighting: Sighting,
    secret: Option<(&'e str, &'e str, Maker)>,
}

impl<'e> Lessons<'e> {
    /// What is to be learnt of an event once it is known what was found in it.
    #[must_use]
    pub fn of(event: &'e AuditEvent<'_>, findings: &[Finding], source: &'e Source) -> Self {
        let identity = event.caller.authenticated.identity(event.origin.peer, source.account.as_deref());
        let cluster = source.cluster.as_deref().unwrap_or_default();
        let sighting = Sighting::of(event, identity, cluster);
        let mut lessons = Self { cluster, sighting, ..Self::default() };
        if event.outcome() != Outcome::Allowed {
            return lessons;
        }
        let minting = findings.iter().find(|finding| finding.detection.id == "sa-token-minted");
        if let (Some(finding), Some(credential)) = (minting, event.annotations.issued_credential_id()) {
            let minted = Minted { by: maker(event, identity), severity: finding.hit.severity.max(Severity::Medium) };
            lessons.minted = Some((credential, minted));
        }
        let object = event.object.as_ref().filter(|object| object.is("", "secrets") && !object.name.is_empty());
        let created = event.status.as_ref().is_some_and(|status| status.code == 201);
        if let Some(object) = object.filter(|_| event.verb == Verb::Create || created) {
            lessons.secret = Some((&object.namespace, &object.name, maker(event, identity)));
        }
        lessons
    }

    /// Has the memory learn it.
    pub fn teach(self, memory: &mut Memory) {
        if let Some((credential, minted)) = self.minted {
            memory.keep_minted(self.cluster, credential, minted);
        }
        self.sighting.teach(memory);
        if let Some((namespace, name, maker)) = self.secret {
            memory.keep_secret_maker(self.cluster, namespace, name, maker);
        }
    }
}

/// Keeps a request that was refused before it was known who asked, for the line that tells the cause.
pub fn remember_refused(event: &AuditEvent<'_>, source: &Source, memory: &mut Memory) {
    let Some(time) = event.stage_time.or(event.time()).filter(|_| event.outcome() == Outcome::Unauthenticated) else {
        return;
    };
    let evidence = Evidence::of_event(event, Identity::Nobody, None);
    let refused = Unauthenticated {
        time,
        audit_id: evidence.audit_id,
        verb: evidence.verb,
        request_uri: evidence.request_uri,
        peer: evidence.peer,
        claimed: evidence.claimed,
        user_agent: evidence.user_agent,
    };
    memory.note_refused(source.cluster.as_deref().unwrap_or_default(), refused);
}

/// Who was seen where: the part of the lessons that the caller alone teaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sighting {
    used: Option<Use>,
    node: Option<(Address, String)>,
}

/// An address of a cluster.
pub type Address = (String, IpAddr);

/// A credential of a cluster.
pub type Credential = (String, String);

/// One use of a service-account token.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Use {
    credential: Credential,
    address: Address,
    /// The node that the token says its pod runs on.
    node: Option<String>,
}

impl Sighting {
    fn of(event: &AuditEvent<'_>, identity: Identity<'_>, cluster: &str) -> Self {
        let principal = &event.caller.authenticated;
        let Some(address) = event.origin.peer.map(|peer| (cluster.to_owned(), peer)) else {
            return Self::default();
        };
        let used = match (identity, principal.credential_id()) {
            (Identity::ServiceAccount(_), Some(credential)) => Some(Use {
                credential: (cluster.to_owned(), text::name(credential)),
                address: address.clone(),
                node: principal.node().map(ToOwned::to_owned),
            }),
            _ => None,
        };
        Self { used, node: node(principal, identity).map(|node| (address, node)) }
    }

    /// Has the memory learn it. The second time in a row it changes nothing.
    fn teach(&self, memory: &mut Memory) {
        if let Some(Use { credential, address, node }) = &self.used {
            let first = memory.note_address(credential, address.1);
            // Where a token comes from first is where its pod is; later addresses may be a thief's.
            if let Some(node) = node.as_ref().filter(|_| first == address.1) {
                memory.note_node(address, node);
            }
        }
        if let Some((address, node)) = &self.node {
            memory.note_node(address, node);
        }
    }
}

/// A caller as it comes again and again: what each of its requests teaches, and what the memory may have to say of it.
///
/// It depends on the bytes that tell who asked and on nothing else, so it is made once for all requests that share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    sighting: Sighting,
    watched: Option<Watched>,
}

/// A service account's credential, as the detections that ask the memory look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Watched {
    /// As tokens that were asked for are remembered.
    issued: Option<Credential>,
    /// As addresses are remembered.
    credential: Credential,
    address: Option<Address>,
    external: bool,
    node: Option<String>,
}

impl Visit {
    /// The visit that an event is, whose session is `session`.
    #[must_use]
    pub fn of(event: &AuditEvent<'_>, session: Option<&Session<'_>>, source: &Source) -> Self {
        let cluster = source.cluster.as_deref().unwrap_or_default();
        let principal = &event.caller.authenticated;
        let identity = principal.identity(event.origin.peer, source.account.as_deref());
        let own = |text: &str| (cluster.to_owned(), text.to_owned());
        let watched = session.map(|session| Watched {
            issued: principal.credential_id().map(own),
            credential: own(&session.key.credential),
            address: event.origin.peer.map(|peer| (cluster.to_owned(), peer)),
            external: session.external.is_some(),
            node: match session.token {
                Token::Pod { node, .. } => node.map(ToOwned::to_owned),
                Token::Legacy { .. } | Token::Unbound { .. } => None,
            },
        });
        Self { sighting: Sighting::of(event, identity, cluster), watched }
    }

    /// Whether there is anything to learn or to ask; of most people there is not.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.watched.is_none() && self.sighting == Sighting::default()
    }

    /// Whether the memory has something to say: then the request has to be judged. The fact [`Facts::REMEMBERED`].
    #[must_use]
    pub fn is_remembered(&self, memory: &Memory) -> bool {
        let Some(Watched { issued, credential, address, external, node }) = &self.watched else {
            return false;
        };
        issued.as_ref().is_some_and(|issued| memory.minted(issued).is_some())
            || address
                .as_ref()
                .is_some_and(|address| Moved::of(memory, credential, address, *external, node.as_deref()).is_some())
    }

    /// Has the memory learn what each of these requests teaches. The second time in a row it changes nothing.
    pub fn teach(&self, memory: &mut Memory) {
        self.sighting.teach(memory);
    }
}

/// A credential that is used at another place than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved<'m> {
    /// The address it was first seen from.
    pub first: IpAddr,
    /// What that means.
    pub how: How<'m>,
}

/// What another address means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How<'m> {
    /// Inside before, outside now.
    Outside,
    /// The pod's node is another than the one that the address belongs to, which is this.
    OtherNode(&'m str),
}

impl<'m> Moved<'m> {
    /// What `memory` says of a credential that is used from `address`; `external` says whether that is public and not trusted,
    /// `own` is the node that its token names.
    #[must_use]
    pub fn of(
        memory: &'m Memory,
        credential: &Credential,
        address: &Address,
        external: bool,
        own: Option<&str>,
    ) -> Option<Self> {
        // Without an id of its own, many credentials would look like one.
        if matches!(credential.1.as_str(), "legacy" | "unknown") {
            return None;
        }
        let peer = address.1;
        // The other address family of the same pod is not another place.
        let known = memory.addresses_of(credential);
        let first = *known.iter().find(|known| known.is_ipv4() == peer.is_ipv4())?;
        if first == peer {
            return None;
        }
        if !is_public(first) && external {
            return Some(Self { first, how: How::Outside });
        }
        // Behind a NAT gateway, which is what a trusted public address is, all nodes have one address, or a few by turns.
        if peer.is_ipv4() && is_public(peer) && !external {
            return None;
        }
        let own = own?;
        let other = memory.node_at(address).filter(|node| *node != own)?;
        Some(Self { first, how: How::OtherNode(other) })
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
