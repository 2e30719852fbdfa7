//! What is known from earlier events: a value handed in and handed back.
//!
//! It answers three questions: what did this object look like before, has this session been told already, and who
//! minted this credential. Nothing here is needed to judge an event; with it there is more to say.

mod bounded;
mod fact;
mod grants;
mod ledger;
mod merge;
mod objects;
mod sessions;
mod state;
mod streams;
mod tokens;

use std::net::IpAddr;

use self::bounded::Bounded;
pub use self::fact::{Fact, Key, Place};
pub use self::grants::{GRANTS_MAX, Granted, Grants};
pub use self::ledger::Ask;
use self::ledger::Ledger;
pub use self::objects::{OBJECT_BYTES_MAX, ObjectKey, Remembered};
use self::sessions::SESSION_BYTES_MAX;
pub use self::sessions::{Hour, Login, Seen, SessionKey, SessionMark};
pub use self::state::State;
use self::streams::Streams;
pub use self::streams::{LetIn, Told, TopicKey, Unauthenticated, Unseen};
pub use self::tokens::{ADDRESSES_MAX, Maker, Minted, TOKEN_BYTES_MAX};

/// Memory of earlier events. In this form it lives in the process; every part is bounded, oldest out first.
#[derive(Debug, Clone)]
pub struct Memory {
    objects: Bounded<ObjectKey, Remembered>,
    sessions: Bounded<SessionKey, SessionMark>,
    /// Of each cluster, the hour up to which sessions were closed.
    closed: Bounded<String, Hour>,
    minted: Bounded<(String, String), Minted>,
    credentials: Bounded<(String, String), Vec<IpAddr>>,
    addresses: Bounded<(String, IpAddr), String>,
    secrets: Bounded<(String, String, String), Maker>,
    streams: Streams,
    /// How often something was learnt of tokens and addresses.
    taught: u64,
    ledger: Ledger,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            objects: Bounded::new(OBJECT_BYTES_MAX),
            sessions: Bounded::new(SESSION_BYTES_MAX),
            closed: Bounded::new(TOKEN_BYTES_MAX),
            minted: Bounded::new(TOKEN_BYTES_MAX),
            credentials: Bounded::new(TOKEN_BYTES_MAX),
            addresses: Bounded::new(TOKEN_BYTES_MAX),
            secrets: Bounded::new(TOKEN_BYTES_MAX),
            streams: Streams::default(),
            taught: 0,
            ledger: Ledger::default(),
        }
    }
}

impl Memory {
    /// Gets ready to be copied cheaply: a copy shares what is there now. To be called when no copy is in use.
    pub fn settle(&mut self) {
        self.objects.settle();
        self.sessions.settle();
        self.closed.settle();
        self.minted.settle();
        self.credentials.settle();
        self.addresses.settle();
        self.secrets.settle();
        self.streams.settle();
    }

    /// How many entries were dropped because a part was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.objects.dropped()
            + self.sessions.dropped()
            + self.closed.dropped()
            + self.minted.dropped()
            + self.credentials.dropped()
            + self.addresses.dropped()
            + self.secrets.dropped()
            + self.streams.dropped()
    }
}

#[cfg(test)]
mod tests;
