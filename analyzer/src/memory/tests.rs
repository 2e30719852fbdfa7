//! The memory at its limits: what fits exactly, and what one entry more costs.

use super::bounded::Weight;
use super::sessions::SEEN_MAX;
use super::{
    Login, Maker, Memory, Minted, OBJECT_BYTES_MAX, ObjectKey, Remembered, SESSION_BYTES_MAX, Seen, SessionKey,
    SessionMark, State, TOKEN_BYTES_MAX,
};
use crate::evidence::{AlertId, Evidence};
use crate::kube::ObjectKind;
use crate::rbac::{RoleKind, RoleRef, Subject};
use crate::severity::Severity;
use crate::stream::Source;

/// Entries that fill a part, each with as long a name as that takes.
const ENTRIES: usize = 64;

/// Fills a memory with entries of one part whose keys are all that is long. `weight` is that of an entry with an empty name.
fn fill(part: &str, limit: usize, weight: usize, mut keep: impl FnMut(&mut Memory, String)) {
    let long = |number: usize| {
        let digits = format!("{number:02}");
        let length = limit / ENTRIES - weight - digits.len();
        digits + &"x".repeat(length)
    };
    let mut memory = Memory::default();
    (0..ENTRIES).for_each(|number| keep(&mut memory, long(number)));
    let weighed = |memory: &Memory| memory.weighed().into_iter().find(|(name, ..)| *name == part);
    assert_eq!(weighed(&memory), Some((part, limit, limit)), "full to the last byte");
    assert_eq!((memory.facts().count(), memory.dropped()), (ENTRIES, 0));
    keep(&mut memory, long(ENTRIES));
    assert_eq!((memory.facts().count(), memory.dropped()), (ENTRIES, 1), "the oldest made room");
}

/// How many entries of a part there is room for, each of the same weight.
fn room(limit: usize, weight: usize) -> usize {
    limit / weight
}

fn object(name: String) -> (ObjectKey, Remembered) {
    let key =
        ObjectKey { cluster: "prod".to_owned(), kind: ObjectKind::RoleBinding, namespace: "dev".to_owned(), name };
    let role_ref = Some(RoleRef { kind: RoleKind::ClusterRole, name: "edit".to_owned() });
    let account = Subject::ServiceAccount { namespace: "dev".to_owned(), name: "deployer".to_owned() };
    let state = State::Binding { role_ref, subjects: vec![account] };
    (key, Remembered { state, version: Some(1), time: None, deleted: false, unseen: false, granted: None })
}

#[test]
fn objects_with_long_names_keep_to_their_limit() {
    let (key, value) = object(String::new());
    fill("Object", OBJECT_BYTES_MAX, key.weight() + value.weight(), |memory, name| {
        let (key, value) = object(name);
        memory.keep(key, value);
    });
    let (key, value) = object("deployer-binding".to_owned());
    assert!(room(OBJECT_BYTES_MAX, key.weight() + value.weight()) > 10_000, "what the limit says of itself");
}

fn session(name: String) -> (SessionKey, SessionMark) {
    let key = SessionKey {
        cluster: "prod".to_owned(),
        account: ("payments".to_owned(), name),
        credential: "JTI=7e6d1f0a-0000-4000-8000-000000000000".to_owned(),
        peer: "198.51.100.23".to_owned(),
        family: "kubectl",
        acting_as: String::new(),
        hour: 498_000,
    };
    let evidence = Evidence { verb: "list".to_owned(), ..Evidence::of_entry(None, None) };
    let mut mark = SessionMark { events: 1, counted: 1, ..SessionMark::default() };
    mark.deeds.add(&evidence);
    let login = Login {
        id: AlertId::of(["a"]),
        severity: Severity::High,
        what: "used a service-account token from a public address".to_owned(),
        detection: "sa-token-external-login",
        evidence,
        source: Source::default(),
    };
    (key, SessionMark { login: Some(Box::new(login)), ..mark })
}

#[test]
fn sessions_with_long_names_keep_to_their_limit() {
    let (key, value) = session(String::new());
    fill("Session", SESSION_BYTES_MAX, key.weight() + value.weight(), |memory, name| {
        let (key, value) = session(name);
        memory.mark_session(key, value);
    });
    let (key, value) = session("api".to_owned());
    assert!(room(SESSION_BYTES_MAX, key.weight() + value.weight()) > 20_000, "what the limit says of itself");
}

#[test]
fn tokens_with_long_names_keep_to_their_limit() {
    let maker = || Maker { name: "nina".to_owned(), peer: None, time: None, audit_id: "a".repeat(36) };
    let minted = || Minted { by: maker(), severity: Severity::Medium };
    let cluster = "prod";
    fill("Minted", TOKEN_BYTES_MAX, cluster.len() + minted().weight(), |memory, id| {
        memory.keep_minted(cluster, &id, minted());
    });
    fill("Secret", TOKEN_BYTES_MAX, cluster.len() + maker().weight(), |memory, name| {
        memory.keep_secret_maker(cluster, "", &name, maker());
    });
    let peer = std::net::IpAddr::from([10, 0, 0, 1]);
    fill("Credential", TOKEN_BYTES_MAX, cluster.len() + vec![peer].weight(), |memory, id| {
        memory.note_address(&(cluster.to_owned(), id), peer);
    });
    let mut next = 0_u32;
    fill("Node", TOKEN_BYTES_MAX, cluster.len() + String::new().weight(), |memory, node| {
        next += 1;
        memory.note_node(&(cluster.to_owned(), std::net::IpAddr::from(next.to_be_bytes())), &node);
    });
    let id = "JTI=7e6d1f0a-0000-4000-8000-000000000000".len();
    assert!(room(TOKEN_BYTES_MAX, cluster.len() + id + minted().weight()) > 9_000, "what the limit says of itself");
}

#[test]
fn a_session_knows_its_last_events_again_and_no_more() {
    let id = |number: usize| AlertId::of([number.to_string().as_str()]);
    let mut seen = Seen::default();
    assert!((0..SEEN_MAX).all(|number| seen.add(&id(number))));
    assert!(!seen.add(&id(0)), "at the limit the first is still known");
    assert!(seen.add(&id(SEEN_MAX)), "one past it");
    assert_eq!(seen.events.len(), SEEN_MAX);
    assert!(!seen.add(&id(1)) && seen.add(&id(0)), "the oldest made room");
}
