//! What judging asks of the memory is all that it needs: whoever fetches just that gets the same alerts.

use std::collections::HashSet;

use super::harness::{cases, judge, said};
use crate::memory::{Ask, Fact, Memory};

/// What only the process itself remembers.
fn is_local(fact: &Fact) -> bool {
    matches!(fact, Fact::Closed(..) | Fact::Credential(..) | Fact::Node(..) | Fact::Refused(..) | Fact::LetIn(..))
}

/// The facts that answer a question, of those that others keep.
fn answers(ask: &Ask, kept: &[Fact]) -> Vec<Fact> {
    let is_meant = |fact: &&Fact| match (ask, ask.range()) {
        (Ask::One(key), _) => fact.key() == *key,
        (_, Some(range)) => {
            let place = fact.key().place();
            place.cluster == range.cluster
                && (range.first.as_str()..=range.last.as_str()).contains(&place.path.as_str())
        }
        (_, None) => false,
    };
    kept.iter().filter(is_meant).cloned().collect()
}

#[test]
fn fetching_what_was_asked_for_gives_the_alerts_of_knowing_everything() {
    let (mut told, mut fetched) = (0, 0);
    for (file, case) in cases() {
        let (local, kept): (Vec<Fact>, Vec<Fact>) = case.memory().facts().partition(is_local);
        let mut start = Memory::default().noting();
        for fact in local {
            start.take_in(fact);
        }
        let mut asked = HashSet::new();
        let report = loop {
            let mut memory = start.clone();
            let report = judge(&case.lines(), &case.settings(), &mut memory);
            let fresh: Vec<Ask> = memory.asked().into_iter().filter(|ask| asked.insert(ask.clone())).collect();
            let mut news = false;
            for fact in fresh.iter().flat_map(|ask| answers(ask, &kept)) {
                fetched += 1;
                news |= start.take_in(fact);
            }
            if !news {
                break report;
            }
        };
        let expected = case.report();
        assert_eq!(said(&report.alerts), said(&expected.alerts), "{file}: {}", case.name());
        assert_eq!((report.quiet, report.skipped), (expected.quiet, expected.skipped), "{file}: {}", case.name());
        told += report.alerts.len();
    }
    assert!(told > 100 && fetched > 50, "{told} alerts, {fetched} facts: too little to prove anything");
}

#[test]
fn what_is_changed_is_noted_unless_it_is_the_process_s_own() {
    let mut noted = 0;
    for (file, case) in cases() {
        let mut memory = Memory::default().noting();
        judge(&case.before(), &case.settings(), &mut memory);
        let changed: HashSet<_> = memory.changed().into_iter().collect();
        for fact in memory.facts() {
            assert_eq!(changed.contains(&fact.key()), !is_local(&fact), "{file}: {}: {fact:?}", case.name());
            noted += usize::from(!is_local(&fact));
        }
    }
    assert!(noted > 50, "{noted}");
}
