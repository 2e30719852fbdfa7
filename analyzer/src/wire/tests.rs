//! The bytes are read as they were written, and damage is told from it.

use proptest::prelude::*;

use super::{
    FACT_BYTES_MAX, Loaded, MEMORY_BYTES_MAX, VERSION, WireError, deflate, is_memory, load, read_fact, save, write_fact,
};
use crate::kube::{Expression, ObjectKind, Selector};
use crate::memory::{Fact, Granted, Grants, Memory, ObjectKey, Remembered, State};
use crate::rbac::{PolicyRule, RoleKind, RoleRef, Subject};
use crate::severity::Severity;
use crate::tests::harness;

/// What the samples leave in the memory, each file's cases one after the other.
fn facts() -> Vec<Fact> {
    let mut facts = Vec::new();
    for (_, case) in harness::cases() {
        let mut memory = case.memory();
        harness::judge(&case.lines(), &case.settings(), &mut memory);
        facts.extend(memory.facts());
    }
    facts
}

#[test]
fn whatever_the_samples_leave_is_read_as_it_was_written() {
    let facts = facts();
    for fact in &facts {
        assert_eq!(read_fact(&write_fact(fact)).as_ref(), Ok(fact));
    }
    let kinds: std::collections::HashSet<_> = facts.iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds.len(), 12, "the samples leave facts of every kind");
}

#[test]
fn a_memory_is_loaded_as_it_was_saved() {
    for (_, case) in harness::cases() {
        let mut memory = case.memory();
        harness::judge(&case.lines(), &case.settings(), &mut memory);
        let (bytes, mut again) = (save(&memory), Memory::default());
        assert!(is_memory(&bytes));
        let loaded = load(&bytes, &mut again).unwrap();
        let facts: Vec<Fact> = memory.facts().collect();
        assert_eq!(loaded, Loaded { kept: facts.len() as u64, ignored: 0, damaged: false });
        assert_eq!(again.facts().collect::<Vec<_>>(), facts, "in the same order, so the same makes room first");
    }
}

#[test]
fn what_is_judged_after_loading_is_what_would_have_been() {
    for (_, case) in harness::cases() {
        let mut loaded = Memory::default();
        load(&save(&case.memory()), &mut loaded).unwrap();
        let report = harness::judge(&case.lines(), &case.settings(), &mut loaded);
        assert_eq!(harness::said(&report.alerts), harness::said(&case.report().alerts), "{}", case.name());
    }
}

fn binding() -> Fact {
    let key = ObjectKey {
        cluster: "prod".into(),
        kind: ObjectKind::ClusterRoleBinding,
        namespace: String::new(),
        name: "b".into(),
    };
    let role_ref = Some(RoleRef { kind: RoleKind::ClusterRole, name: "admin".into() });
    let state = State::Binding { role_ref, subjects: vec![Subject::User("ann".into())] };
    let time = "2026-11-23T08:00:00.000001Z".parse().unwrap();
    let part = State::Binding { role_ref: None, subjects: vec![Subject::Group("ops".into())] };
    let granted = [Granted { time, severity: Severity::High, certain: true, part }].into_iter().collect();
    let time = Some(time);
    Fact::Object(key, Remembered { state, version: Some(300), time, deleted: false, unseen: false, granted })
}

/// A role with every part that one may have.
fn aggregated() -> Fact {
    let texts = |text: &str| vec![text.to_owned()];
    let rule = PolicyRule {
        api_groups: texts(""),
        resources: texts("pods"),
        verbs: texts("get"),
        resource_names: texts("a"),
        non_resource_urls: texts("/x"),
    };
    let expression = Expression { key: "team".into(), operator: "In".into(), values: texts("ops") };
    let selector = Selector { labels: vec![("a".into(), "b".into())], expressions: vec![expression] };
    let labels = vec![("c".into(), "d".into())];
    let state = State::Role { rules: vec![rule], aggregation: Some(vec![selector]), labels };
    let key =
        ObjectKey { cluster: "prod".into(), kind: ObjectKind::ClusterRole, namespace: String::new(), name: "r".into() };
    Fact::Object(
        key,
        Remembered { state, version: Some(7), time: None, deleted: false, unseen: false, granted: Grants::default() },
    )
}

#[test]
fn the_bytes_of_a_fact_change_only_with_the_version() {
    let expected = "0400 \
         01 04 70726f64 04 00 01 62 \
         02 01 02 05 61646d696e 01 01 03 616e6e \
         01 ac02 01 80ca9fb00d d00f 00 00 \
         01 80ca9fb00d d00f 04 01 02 00 01 02 03 6f7073";
    let digits: Vec<u8> = expected.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    let expected: Vec<u8> = digits.chunks(2).map(byte).collect();
    assert_eq!((VERSION, write_fact(&binding())), (4, expected), "another form is another version");
    // What is longest to say of a role, by its length alone.
    assert_eq!(write_fact(&aggregated()).len(), 66, "another form is another version");
}

#[test]
fn other_versions_and_other_files_are_told_from_damage() {
    let mut bytes = write_fact(&binding());
    bytes[0] = VERSION + 1;
    assert_eq!(read_fact(&bytes), Err(WireError::OtherVersion));
    assert_eq!(read_fact(&[]), Err(WireError::Damaged));
    let mut memory = Memory::default();
    memory.take_in(binding());
    let saved = save(&memory);
    assert_eq!(load(b"{\"kind\":\"List\"}", &mut Memory::default()), Err(WireError::Foreign));
    let mut other = saved.clone();
    other[super::MAGIC.len()] = VERSION + 1;
    assert_eq!(load(&other, &mut Memory::default()), Err(WireError::OtherVersion));
    let cut = load(&saved[..saved.len() - 4], &mut Memory::default()).unwrap();
    assert!(cut.damaged, "{cut:?}");
}

#[test]
fn large_facts_are_compressed() {
    let names = (0..4_000).map(|number| format!("resource-number-{number}")).collect();
    let rules = vec![PolicyRule { resource_names: names, ..PolicyRule::default() }];
    let Fact::Object(key, remembered) = binding() else { unreachable!() };
    let state = State::Role { rules, aggregation: None, labels: Vec::new() };
    let large = Fact::Object(key, Remembered { state, ..remembered });
    let bytes = write_fact(&large);
    assert!(bytes.len() < 20_000, "{}", bytes.len());
    assert_eq!(read_fact(&bytes), Ok(large));
}

#[test]
fn facts_and_memories_at_their_limits_are_read_and_past_them_are_refused() {
    // Zeros are no fact, and are looked at only where they are not too many.
    for (length, expected) in [(FACT_BYTES_MAX, WireError::Damaged), (FACT_BYTES_MAX + 1, WireError::TooLarge)] {
        let zeros = vec![0; length];
        let packed = deflate(&zeros);
        assert!(packed.len() < 10_000);
        assert_eq!(read_fact(&[&[VERSION, super::PLAIN], zeros.as_slice()].concat()), Err(expected));
        assert_eq!(read_fact(&[&[VERSION, super::COMPRESSED], packed.as_slice()].concat()), Err(expected));
    }
    for (length, is_read) in [(MEMORY_BYTES_MAX, true), (MEMORY_BYTES_MAX + 1, false)] {
        // It begins with the length of a fact that is not there.
        let mut plain = vec![0xff; 9];
        plain.resize(length, 0);
        let file = [super::MAGIC, &[VERSION], &deflate(&plain)].concat();
        let loaded = load(&file, &mut Memory::default());
        assert_eq!(loaded.err(), (!is_read).then_some(WireError::TooLarge), "{length}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_fact_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), seed in any::<usize>()) {
        let _ = read_fact(&bytes);
        let _ = read_fact(&[&[VERSION, super::PLAIN], bytes.as_slice()].concat());
        // Damage in the middle of what was whole: where it is read at all, it is read to its end.
        let mut damaged = write_fact(&binding());
        let at = seed % damaged.len();
        damaged.truncate(at);
        prop_assert!(read_fact(&damaged).is_err());
        damaged.extend(bytes);
        if let Ok(fact) = read_fact(&damaged) {
            prop_assert_eq!(read_fact(&write_fact(&fact)), Ok(fact));
        }
    }

    #[test]
    fn numbers_are_read_as_they_were_written(number in any::<u64>(), signed in any::<i64>()) {
        use super::form::Form as _;
        let mut bytes = Vec::new();
        number.put(&mut bytes);
        signed.put(&mut bytes);
        let mut input = super::Input::new(&bytes);
        prop_assert_eq!((u64::take(&mut input), i64::take(&mut input)), (Ok(number), Ok(signed)));
        prop_assert!(input.is_empty());
    }
}
