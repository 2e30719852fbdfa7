//! A fact as an item of the table.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use rolewatch_analyzer::memory::{Fact, Place};
use rolewatch_analyzer::wire;

/// The attributes of an item, by name.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// An item as the table gave it.
#[derive(Debug)]
pub(super) struct Item {
    attributes: Attributes,
    home: String,
}

/// Tells one writing of an item from every other, by whatever process.
pub(super) type Revision = u64;

/// Why an item says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ignored {
    /// Its time is over; `DynamoDB` deletes such items within days.
    Expired,
    /// The fact was too large for it; this is the version that it had.
    TooLarge(Option<u64>),
    /// It is damaged, lies in the wrong place, or another version of Rolewatch wrote it.
    Unreadable,
}

impl Ignored {
    /// Whether somebody should know.
    pub(super) const fn counts(self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

impl Item {
    pub(super) const fn new(attributes: Attributes, home: String) -> Self {
        Self { attributes, home }
    }

    /// Whether it lies in a place.
    pub(super) fn is_of(&self, place: &Place) -> bool {
        self.text(PARTITION) == Some(&partition(&self.home, &place.cluster)) && self.text(SORT) == Some(&place.path)
    }

    /// The fact and its revision. An item is believed only in its own place: whatever a name in a log is made of, it
    /// cannot stand for another.
    pub(super) fn read(&self) -> Result<(Fact, Revision), Ignored> {
        if self.number(EXPIRES).is_none_or(|expires| expires <= seconds_now()) {
            return Err(Ignored::Expired);
        }
        let Some(AttributeValue::B(body)) = self.attributes.get(BODY) else {
            return Err(Ignored::TooLarge(self.number(VERSION)));
        };
        let fact = wire::read_fact(body.as_ref()).map_err(|_| Ignored::Unreadable)?;
        let revision = self.revision().ok_or(Ignored::Unreadable)?;
        if self.is_of(&fact.key().place()) { Ok((fact, revision)) } else { Err(Ignored::Unreadable) }
    }

    pub(super) fn revision(&self) -> Option<Revision> {
        self.number(REVISION)
    }

    fn text(&self, name: &str) -> Option<&String> {
        self.attributes.get(name)?.as_s().ok()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.attributes.get(name)?.as_n().ok()?.parse().ok()
    }
}

/// A fact to be written.
pub(super) struct Written {
    pub(super) attributes: Attributes,
    pub(super) revision: Revision,
    /// The fact did not fit: the item says which version it had, and nothing of it.
    pub(super) too_large: bool,
}

/// The item of a fact.
pub(super) fn write(home: &str, fact: &Fact) -> Written {
    let place = fact.key().place();
    let body = wire::write_fact(fact);
    let too_large = body.len() > BODY_BYTES_MAX;
    // Random, so that no two writings have the same, as numbers counted up by several processes would.
    let revision = RandomState::new().build_hasher().finish();
    let expires = seconds_now().saturating_add(fact.lifetime().as_secs());
    let mut attributes = key(home, &place);
    attributes.insert(REVISION.to_owned(), number(revision));
    attributes.insert(EXPIRES.to_owned(), number(expires));
    if let Some(version) = version(fact) {
        attributes.insert(VERSION.to_owned(), number(version));
    }
    if !too_large {
        attributes.insert(BODY.to_owned(), AttributeValue::B(Blob::new(body)));
    }
    Written { attributes, revision, too_large }
}

/// The key of a place.
pub(super) fn key(home: &str, place: &Place) -> Attributes {
    let pairs = [(PARTITION, partition(home, &place.cluster)), (SORT, place.path.clone())];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect()
}

/// Account and cluster. An account is twelve digits, so no name of a cluster can reach into another account.
pub(super) fn partition(home: &str, cluster: &str) -> String {
    format!("{home}/{cluster}")
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// `metadata.resourceVersion` of an object.
pub(super) fn version(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Object(_, remembered) => remembered.version,
        _ => None,
    }
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Account and cluster.
pub(super) const PARTITION: &str = "pk";
/// The path within the cluster.
pub(super) const SORT: &str = "sk";
/// The fact, as `wire` writes it.
const BODY: &str = "body";
/// Another one with every writing, so that nobody writes over what he has not read.
pub(super) const REVISION: &str = "rev";
/// `metadata.resourceVersion`, of objects.
const VERSION: &str = "ver";
/// When it may be deleted, in seconds since 1970: the time-to-live attribute of the table.
const EXPIRES: &str = "exp";
/// `DynamoDB` takes items up to 400 KB, names and keys included (`DynamoDB` developer guide, "Quotas").
const BODY_BYTES_MAX: usize = 390 << 10;

#[cfg(test)]
mod tests {
    use super::{BODY, BODY_BYTES_MAX, EXPIRES, Ignored, Item, PARTITION, REVISION, SORT, VERSION, number, write};
    use aws_sdk_dynamodb::primitives::Blob;
    use aws_sdk_dynamodb::types::AttributeValue;
    use rolewatch_analyzer::kube::ObjectKind;
    use rolewatch_analyzer::memory::{Fact, Grants, ObjectKey, Remembered, State};
    use rolewatch_analyzer::rbac::Subject;

    fn fact(cluster: &str, subjects: usize) -> Fact {
        let key = ObjectKey {
            cluster: cluster.to_owned(),
            kind: ObjectKind::RoleBinding,
            namespace: "ci".to_owned(),
            name: "b".to_owned(),
        };
        // Texts that do not compress: digests of numbers.
        let name = |number: usize| rolewatch_analyzer::text::digest([number.to_string().as_str()]);
        let subjects = (0..subjects).map(|number| Subject::User(name(number))).collect();
        let state = State::Binding { role_ref: None, subjects };
        Fact::Object(
            key,
            Remembered {
                state,
                version: Some(7),
                time: None,
                deleted: false,
                unseen: false,
                granted: Grants::default(),
            },
        )
    }

    fn item(fact: &Fact) -> Item {
        Item::new(write("111122223333", fact).attributes, "111122223333".to_owned())
    }

    #[test]
    fn an_item_is_read_as_it_was_written() {
        let fact = fact("prod", 3);
        let item = item(&fact);
        assert_eq!(item.read(), Ok((fact.clone(), item.revision().unwrap())));
        assert_ne!(item.revision(), super::tests::item(&fact).revision(), "each writing has its own");
        assert_eq!(item.attributes[PARTITION].as_s().unwrap(), "111122223333/prod");
        assert!(item.attributes[SORT].as_s().unwrap().starts_with("object/RoleBinding/"));
        assert_eq!(item.attributes[VERSION].as_n().unwrap(), "7");
        assert!(item.is_of(&fact.key().place()));
    }

    #[test]
    fn an_item_that_is_over_damaged_or_in_the_wrong_place_says_nothing() {
        let change = |name: &str, value: Option<AttributeValue>| {
            let mut item = item(&fact("prod", 3));
            match value {
                Some(value) => item.attributes.insert(name.to_owned(), value),
                None => item.attributes.remove(name),
            };
            item.read().unwrap_err()
        };
        assert_eq!(change(EXPIRES, Some(number(1))), Ignored::Expired);
        assert_eq!(change(EXPIRES, None), Ignored::Expired);
        assert_eq!(change(BODY, Some(AttributeValue::B(Blob::new(b"\x01\x00damage")))), Ignored::Unreadable);
        assert_eq!(change(BODY, Some(AttributeValue::B(Blob::new(b"\x63\x00")))), Ignored::Unreadable);
        assert_eq!(change(REVISION, None), Ignored::Unreadable);
        assert_eq!(change(BODY, None), Ignored::TooLarge(Some(7)));
        for other in ["111122223333/other", "444455556666/prod"] {
            assert_eq!(change(PARTITION, Some(AttributeValue::S(other.to_owned()))), Ignored::Unreadable, "{other}");
        }
        assert_eq!(change(SORT, Some(AttributeValue::S("object/Role/00".to_owned()))), Ignored::Unreadable);
    }

    #[test]
    fn what_does_not_fit_leaves_its_version_behind() {
        let written = write("111122223333", &fact("prod", 40_000));
        assert!(written.too_large && !written.attributes.contains_key(BODY));
        assert_eq!(written.attributes[VERSION].as_n().unwrap(), "7");
        assert!(!write("111122223333", &fact("prod", 4_000)).too_large);
    }

    #[test]
    fn a_fact_at_its_limit_is_written_and_of_one_past_it_only_the_version() {
        let length = |subjects: usize| rolewatch_analyzer::wire::write_fact(&fact("prod", subjects)).len();
        // The most subjects whose fact fits; with one more it is past the limit.
        let (mut fits, mut past) = (1, BODY_BYTES_MAX);
        while past - fits > 1 {
            let middle = usize::midpoint(fits, past);
            if length(middle) <= BODY_BYTES_MAX { fits = middle } else { past = middle }
        }
        let written = |subjects: usize| write("111122223333", &fact("prod", subjects));
        assert!(!written(fits).too_large && written(fits).attributes.contains_key(BODY));
        assert!(written(fits + 1).too_large && !written(fits + 1).attributes.contains_key(BODY));
        assert_eq!(written(fits + 1).attributes[VERSION].as_n().unwrap(), "7");
    }
}
