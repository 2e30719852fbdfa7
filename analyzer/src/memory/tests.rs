//! The memory at its limits: what fits exactly, and what one entry more costs.

use super::bounded::Weight;
use super::ledger::ASKED_MAX;
use super::sessions::SEEN_MAX;
use super::streams::{
    ARN_BYTES_MAX, ENTRY_BYTES_MAX, GRANTED_BYTES_MAX, REFUSED_BYTES_MAX, TOPIC_BYTES_MAX, UNSEEN_BYTES_MAX,
};
use super::{
    ADDRESSES_MAX, Grants, LetIn, Login, Maker, Memory, Minted, OBJECT_BYTES_MAX, ObjectKey, Remembered,
    SESSION_BYTES_MAX, Seen, SessionKey, SessionMark, State, TOKEN_BYTES_MAX, Told, TopicKey, Unauthenticated, Unseen,
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
    (key, Remembered { state, version: Some(1), time: None, deleted: false, unseen: false, granted: Grants::default() })
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

#[test]
fn what_streams_tell_keeps_to_its_limits() {
    let cluster = "prod".to_owned();
    let topic = |name: String| TopicKey {
        cluster: "prod".to_owned(),
        detection: "audit-event-lost",
        topic: name,
        severity: Severity::High,
        hour: String::new(),
    };
    fill("Topic", TOPIC_BYTES_MAX, topic(String::new()).weight() + Told.weight(), |memory, name| {
        memory.mark_topic(topic(name));
    });
    let let_in = |groups: String| LetIn { time: None, groups };
    let arn = "arn:aws:iam::1:role/00";
    let mut next = 0_usize;
    fill("LetIn", GRANTED_BYTES_MAX, cluster.len() + arn.len() + let_in(String::new()).weight(), |memory, groups| {
        next += 1;
        memory.note_login("prod", &format!("arn:aws:iam::1:role/{:02}", next % 100), Some(let_in(groups)));
    });
    let time = jiff::Timestamp::UNIX_EPOCH;
    let unseen = |actor: String| Unseen { time, audit_id: String::new(), actor };
    let mut next = 0_usize;
    fill("Unseen", UNSEEN_BYTES_MAX, "00".to_owned().weight() + unseen(String::new()).weight(), |memory, actor| {
        next += 1;
        memory.note_unseen(&format!("{:02}", next % 100), unseen(actor));
    });
    let refused = |second: i64, uri: String| Unauthenticated {
        time: jiff::Timestamp::from_second(second).unwrap(),
        audit_id: String::new(),
        verb: String::new(),
        request_uri: uri,
        peer: None,
        claimed: Vec::new(),
        user_agent: String::new(),
    };
    let mut next = 0;
    fill("Refused", REFUSED_BYTES_MAX, cluster.len() + vec![refused(0, String::new())].weight(), |memory, uri| {
        next += 1;
        memory.note_refused("prod", refused(next, uri));
    });
    // Clusters are as long as it takes: principals have a limit of their own.
    fill("AccessEntry", ENTRY_BYTES_MAX, Some(time).weight(), |memory, cluster| {
        memory.note_entry(&cluster, "", Some(time));
    });
}

#[test]
fn principals_at_their_limit_are_remembered_and_one_past_it_are_not() {
    let mut memory = Memory::default();
    for (length, is_kept) in [(ARN_BYTES_MAX, true), (ARN_BYTES_MAX + 1, false)] {
        let arn = "x".repeat(length);
        memory.note_login("prod", &arn, Some(LetIn { time: None, groups: String::new() }));
        assert_eq!(memory.granted("prod", &arn).is_some(), is_kept, "{length}");
        memory.note_entry("prod", &arn, Some(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(memory.entry_created("prod", &arn).is_some(), is_kept, "{length}");
    }
}

#[test]
fn addresses_of_a_credential_are_kept_to_their_limit_the_first_ones() {
    let mut memory = Memory::default();
    let credential = ("prod".to_owned(), "JTI=a".to_owned());
    let peer = |number: usize| std::net::IpAddr::from([10, 0, 0, u8::try_from(number).unwrap()]);
    for number in 0..=ADDRESSES_MAX {
        memory.note_address(&credential, peer(number));
    }
    let kept: Vec<_> = (0..ADDRESSES_MAX).map(peer).collect();
    assert_eq!(memory.addresses_of(&credential), kept);
}

#[test]
fn questions_are_noted_to_their_limit_and_tokens_to_half_of_it() {
    let asked = |ask: fn(&Memory, String)| {
        let memory = Memory::default().noting();
        (0..=ASKED_MAX).for_each(|number| ask(&memory, number.to_string()));
        memory.asked().len()
    };
    assert_eq!(asked(|memory, cluster| assert!(memory.unseen(&cluster).is_none())), ASKED_MAX);
    // The other half is for what severities rest on.
    assert_eq!(asked(|memory, id| assert!(memory.minted(&(String::new(), id)).is_none())), ASKED_MAX / 2);
}
