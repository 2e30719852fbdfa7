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
    /// Who asked for the token of this credential id, unless that was routine.
    #[must_use]
    pub fn minted(&self, cluster: &str, credential: &str) -> Option<&Minted> {
        let key = (cluster.to_owned(), credential.to_owned());
        let minted = self.minted.get(&key);
        if minted.is_none() {
            // Who minted a token does not change, so only what is not known is asked for.
            self.ledger.ask(|| Ask::One(Key::Minted(key)));
        }
        minted
    }

    /// Keeps who asked for a token.
    pub fn keep_minted(&mut self, cluster: &str, credential: &str, minted: Minted) {
        let key = (cluster.to_owned(), credential.to_owned());
        self.ledger.change(|| Key::Minted(key.clone()));
        self.minted.insert(key, minted);
    }

    /// The addresses a credential was used from, the first one first.
    #[must_use]
    pub fn addresses_of(&self, cluster: &str, credential: &str) -> &[IpAddr] {
        self.credentials.get(&(cluster.to_owned(), credential.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Notes that a credential was used from an address; at most [`ADDRESSES_MAX`] are kept.
    pub fn note_address(&mut self, cluster: &str, credential: &str, peer: IpAddr) {
        let known = self.addresses_of(cluster, credential);
        if !known.contains(&peer) && known.len() < ADDRESSES_MAX {
            let peers = known.iter().copied().chain([peer]).collect();
            self.credentials.insert((cluster.to_owned(), credential.to_owned()), peers);
        }
    }

    /// The node that an address was last seen to belong to.
    #[must_use]
    pub fn node_at(&self, cluster: &str, address: IpAddr) -> Option<&str> {
        self.addresses.get(&(cluster.to_owned(), address)).map(String::as_str)
    }

    /// Notes that an address belongs to a node.
    pub fn note_node(&mut self, cluster: &str, address: IpAddr, node: &str) {
        if self.node_at(cluster, address) != Some(node) {
            self.addresses.insert((cluster.to_owned(), address), node.to_owned());
        }
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

/// Room for each table about tokens: 4 MiB, more than ten thousand entries.
pub const TOKEN_BYTES_MAX: usize = 4 << 20;

/// Addresses kept of one credential: the first ones are what later ones are held against.
pub const ADDRESSES_MAX: usize = 8;
