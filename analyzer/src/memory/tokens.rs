//! Tokens and what they were made of: who minted which, where each is used, who made which Secret.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Memory;
use super::bounded::Weight;
use super::fact::Key;
use super::ledger::Ask;
use crate::severity::Severity;

/// A token that somebody asked for by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minted {
    /// Who asked.
    pub by: Maker,
    /// How grave it was.
    pub severity: Severity,
}

/// Who made something, from where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// The name to show.
    pub name: String,
    /// The address that connected.
    pub peer: Option<IpAddr>,
    /// When.
    pub time: Option<Timestamp>,
    /// The audit ID of the request.
    pub audit_id: String,
}

impl Memory {
    /// Whether the token of this credential was asked for by hand: then it is that somebody's, whosever name it bears.
    #[must_use]
    pub fn is_minted(&self, cluster: &str, credential: Option<&str>) -> bool {
        credential.is_some_and(|id| self.minted(&(cluster.to_owned(), id.to_owned())).is_some())
    }

    /// Who asked for the token of this credential (cluster and id), unless that was routine.
    #[must_use]
    pub fn minted(&self, credential: &(String, String)) -> Option<&Minted> {
        let minted = self.minted.get(credential);
        if minted.is_none() {
            // Who minted a token does not change, so only what is not known is asked for.
            self.ledger.ask(|| Ask::One(Key::Minted(credential.clone())));
        }
        minted
    }

    /// Keeps who asked for a token.
    pub fn keep_minted(&mut self, cluster: &str, credential: &str, minted: Minted) {
        let key = (cluster.to_owned(), credential.to_owned());
        self.ledger.change(|| Key::Minted(key.clone()));
        self.taught += 1;
        self.minted.insert(key, minted);
    }

    /// The addresses a credential (cluster and id) was used from, the first one first.
    #[must_use]
    pub fn addresses_of(&self, credential: &(String, String)) -> &[IpAddr] {
        self.credentials.get(credential).map_or(&[], Vec::as_slice)
    }

    /// Notes that a credential was used from an address; at most [`ADDRESSES_MAX`] are kept. Tells which was the first.
    pub fn note_address(&mut self, credential: &(String, String), peer: IpAddr) -> IpAddr {
        let known = self.addresses_of(credential);
        let first = known.first().copied().unwrap_or(peer);
        if !known.contains(&peer) && known.len() < ADDRESSES_MAX {
            let peers = known.iter().copied().chain([peer]).collect();
            self.taught += 1;
            self.credentials.insert(credential.clone(), peers);
        }
        first
    }

    /// The node that an address (of a cluster) was last seen to belong to.
    #[must_use]
    pub fn node_at(&self, address: &(String, IpAddr)) -> Option<&str> {
        self.addresses.get(address).map(String::as_str)
    }

    /// Notes that an address belongs to a node.
    pub fn note_node(&mut self, address: &(String, IpAddr), node: &str) {
        if self.node_at(address) != Some(node) {
            self.taught += 1;
            self.addresses.insert(address.clone(), node.to_owned());
        }
    }

    /// How often something new was learnt of tokens and addresses. While it stays the same, what was asked of them has the
    /// same answer, and what was learnt of them need not be learnt again.
    #[must_use]
    pub fn taught(&self) -> u64 {
        self.taught
    }

    /// Who created a Secret.
    #[must_use]
    pub fn secret_maker(&self, cluster: &str, namespace: &str, name: &str) -> Option<&Maker> {
        let key = (cluster.to_owned(), namespace.to_owned(), name.to_owned());
        self.ledger.ask(|| Ask::One(Key::Secret(key.clone())));
        self.secrets.get(&key)
    }

    /// Keeps who created a Secret.
    pub fn keep_secret_maker(&mut self, cluster: &str, namespace: &str, name: &str, maker: Maker) {
        let key = (cluster.to_owned(), namespace.to_owned(), name.to_owned());
        self.ledger.change(|| Key::Secret(key.clone()));
        self.secrets.insert(key, maker);
    }
}

impl Weight for (String, String) {
    fn weight(&self) -> usize {
        self.0.len() + self.1.len()
    }
}

impl Weight for (String, String, String) {
    fn weight(&self) -> usize {
        self.0.len() + self.1.len() + self.2.len()
    }
}

impl Weight for (String, IpAddr) {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

impl Weight for Minted {
    fn weight(&self) -> usize {
        100 + self.by.weight()
    }
}

impl Weight for Maker {
    fn weight(&self) -> usize {
        250 + self.name.len() + self.audit_id.len()
    }
}

impl Weight for Vec<IpAddr> {
    fn weight(&self) -> usize {
        200 + self.len() * 17
    }
}

impl Weight for String {
    fn weight(&self) -> usize {
        150 + self.len()
    }
}

/// Room for each table about tokens: 4 MiB, about ten thousand entries.
pub const TOKEN_BYTES_MAX: usize = 4 << 20;

/// Addresses kept of one credential: the first ones are what later ones are held against.
pub const ADDRESSES_MAX: usize = 8;
