//! One remembered thing and what it is remembered under, for whoever keeps it outside the process.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use super::{
    Hour, LetIn, Maker, Memory, Minted, ObjectKey, Remembered, SessionKey, SessionMark, Told, TopicKey,
    Unauthenticated, Unseen,
};

/// The parts of the memory, each once: name, key, value, where it lies.
macro_rules! parts {
    ($($(#[doc = $doc:literal])+ $name:ident: $key:ty => $value:ty, in $($place:ident).+;)+) => {
        /// What something is remembered under.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum Key {
            $($(#[doc = $doc])+ $name($key),)+
        }

        /// One remembered thing.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fact {
            $($(#[doc = $doc])+ $name($key, $value),)+
        }

        impl Fact {
            /// What it is remembered under.
            #[must_use]
            pub fn key(&self) -> Key {
                match self {
                    $(Self::$name(key, _) => Key::$name(key.clone()),)+
                }
            }
        }

        impl Memory {
            /// What is known under a key. Nothing is noted: this is for whoever keeps facts, not for judging.
            #[must_use]
            pub fn fact(&self, key: &Key) -> Option<Fact> {
                match key {
                    $(Key::$name(key) => self.$($place).+.get(key).map(|value| Fact::$name(key.clone(), value.clone())),)+
                }
            }

            /// Everything that is known, part by part, what was written longest ago first.
            pub fn facts(&self) -> impl Iterator<Item = Fact> {
                std::iter::empty()
                    $(.chain(self.$($place).+.iter().map(|(key, value)| Fact::$name(key.clone(), value.clone()))))+
            }

            /// Takes one part in `share` of the room that a memory has, so that several fit where one did.
            pub fn limit_to_share(&mut self, share: usize) {
                $(self.$($place).+.limit_to_share(share);)+
            }

            /// What each part weighs, and its limit.
            #[cfg(test)]
            pub(crate) fn weighed(&self) -> Vec<(&'static str, usize, usize)> {
                vec![$({
                    let (weight, limit) = self.$($place).+.weighed();
                    (stringify!($name), weight, limit)
                }),+]
            }

            fn set(&mut self, fact: Fact) {
                match fact {
                    $(Fact::$name(key, value) => self.$($place).+.insert(key, value),)+
                }
            }
        }
    };
}

parts! {
    /// An object's last state.
    Object: ObjectKey => Remembered, in objects;
    /// A session that was told.
    Session: SessionKey => SessionMark, in sessions;
    /// The hour up to which the sessions of a cluster were closed.
    Closed: String => Hour, in closed;
    /// A token that somebody asked for by hand, by cluster and credential.
    Minted: (String, String) => Minted, in minted;
    /// The addresses a credential was used from, by cluster and credential.
    Credential: (String, String) => Vec<IpAddr>, in credentials;
    /// The node of an address, by cluster and address.
    Node: (String, IpAddr) => String, in addresses;
    /// Who created a Secret, by cluster, namespace and name.
    Secret: (String, String, String) => Maker, in secrets;
    /// A topic of a text stream that was told.
    Topic: TopicKey => Told, in streams.topics;
    /// Requests that were refused before it was known who asked, by cluster and second.
    Refused: (String, i64) => Vec<Unauthenticated>, in streams.refused;
    /// The last login of an IAM principal, by cluster and ARN.
    LetIn: (String, String) => LetIn, in streams.granted;
    /// A creation of `aws-auth` with unseen content, by cluster.
    Unseen: String => Unseen, in streams.unseen;
    /// When an access entry was created, by cluster and principal.
    AccessEntry: (String, String) => Option<Timestamp>, in streams.entries;
}

/// Where a fact lies in a store that is shared: a cluster, and a path of a few ASCII characters within it.
///
/// Names in a log have any length and any characters, so the path holds their digest. Facts of one kind lie together.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Name of the cluster; empty when the input does not say.
    pub cluster: String,
    /// The path.
    pub path: String,
}

impl Place {
    pub(super) fn new<'p>(cluster: &str, folder: &str, parts: impl IntoIterator<Item = &'p str>) -> Self {
        Self { cluster: cluster.to_owned(), path: format!("{folder}/{}", crate::text::digest(parts)) }
    }
}

impl Key {
    /// Where a fact of this key lies in a shared store.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Object(key) => key.place(),
            Self::Session(key) => key.place(),
            Self::Closed(cluster) => Place::new(cluster, "closed", []),
            Self::Minted((cluster, credential)) => Place::new(cluster, "minted", [credential.as_str()]),
            Self::Credential((cluster, credential)) => Place::new(cluster, "credential", [credential.as_str()]),
            Self::Node((cluster, address)) => Place::new(cluster, "node", [address.to_string().as_str()]),
            Self::Secret((cluster, namespace, name)) => Place::new(cluster, "secret", [namespace.as_str(), name]),
            Self::Topic(key) => key.place(),
            Self::Refused((cluster, second)) => Place::new(cluster, "refused", [second.to_string().as_str()]),
            Self::LetIn((cluster, arn)) => Place::new(cluster, "let-in", [arn.as_str()]),
            Self::Unseen(cluster) => Place::new(cluster, "unseen", []),
            Self::AccessEntry((cluster, principal)) => Place::new(cluster, "access-entry", [principal.as_str()]),
        }
    }
}

impl Fact {
    /// How long it is of use after it was written.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        const DAY: Duration = Duration::from_hours(24);
        match self {
            // A role may stay as it is for years; whoever changes one at least every year is told what was gained.
            Self::Object(_, Remembered { deleted: false, .. }) => DAY.saturating_mul(400),
            Self::Object(..) => DAY.saturating_mul(30),
            // EKS limits tokens that are asked for to a day.
            Self::Minted(..) => DAY.saturating_mul(7),
            // Asked for when the token in it is first used.
            Self::Secret(..) => DAY.saturating_mul(90),
            // About one hour, or compared with what happens within it; deliveries may come again within a day.
            Self::Session(..) | Self::Topic(..) | Self::Unseen(_, _) | Self::AccessEntry(..) => DAY.saturating_mul(2),
            Self::Closed(..) | Self::Credential(..) | Self::Node(..) | Self::Refused(..) | Self::LetIn(..) => DAY,
        }
    }
}

impl Memory {
    /// Takes over what another process knows; whether that was news. An older state of an object never replaces a newer
    /// one.
    pub fn take_in(&mut self, fact: Fact) -> bool {
        let known = self.fact(&fact.key());
        let fact = match (known.clone(), fact) {
            (Some(Fact::Object(_, known)), Fact::Object(key, theirs)) => Fact::Object(key, known.merged(theirs)),
            (_, fact) => fact,
        };
        if known.as_ref() == Some(&fact) {
            return false;
        }
        if let Fact::Refused(_, refused) = &fact {
            let latest = refused.iter().map(|refused| refused.time).max();
            self.streams.last_refused = self.streams.last_refused.max(latest);
        }
        self.set(fact);
        true
    }
}
