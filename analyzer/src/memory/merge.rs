//! What two processes learnt of the same thing, put together.

use super::{Fact, SessionMark};

impl Fact {
    /// This fact, which was `before` when this process began, together with what another process has kept since. Both are
    /// about the same key; of two that are not, this one stays.
    #[must_use]
    pub fn merged(self, before: Option<&Self>, theirs: Self) -> Self {
        match (self, theirs) {
            (Self::Object(key, ours), Self::Object(_, theirs)) => Self::Object(key, theirs.merged(ours)),
            (Self::Session(key, ours), Self::Session(_, theirs)) => {
                let nothing = SessionMark::default();
                let before = match before {
                    Some(Self::Session(_, before)) => before,
                    _ => &nothing,
                };
                Self::Session(key, ours.merged(before, theirs))
            }
            // Whoever reads the record of the request twice reads the same, so the first stays.
            (Self::Minted(key, _), Self::Minted(_, theirs)) => Self::Minted(key, theirs),
            (Self::Secret(key, ours), Self::Secret(_, theirs)) => {
                Self::Secret(key, if theirs.time > ours.time { theirs } else { ours })
            }
            (Self::Unseen(key, ours), Self::Unseen(_, theirs)) => {
                Self::Unseen(key, if theirs.time > ours.time { theirs } else { ours })
            }
            (ours, _) => ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::evidence::Evidence;
    use crate::kube::ObjectKind;
    use crate::memory::{
        Ask, Fact, Granted, Grants, Key, Memory, ObjectKey, Remembered, SessionKey, SessionMark, State,
    };
    use crate::rbac::Subject;
    use crate::severity::Severity;

    fn key() -> ObjectKey {
        let (cluster, namespace) = ("c".to_owned(), String::new());
        ObjectKey { cluster, kind: ObjectKind::ClusterRoleBinding, namespace, name: "b".to_owned() }
    }

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    fn state(version: u64, second: i64, deleted: bool) -> Remembered {
        let state = State::Binding { role_ref: None, subjects: vec![Subject::User(version.to_string())] };
        Remembered {
            state,
            version: Some(version),
            time: Some(at(second)),
            deleted,
            unseen: false,
            granted: Grants::default(),
        }
    }

    #[test]
    fn of_two_states_the_newer_one_stays_in_whatever_order_they_are_put_together() {
        let deleted = |known: u64, second| state(known, second, true);
        let living = |version, second| state(version, second, false);
        let rows = [
            ("versions count over times", living(9, 1), living(8, 2), living(9, 1)),
            ("a deletion ends the state it saw", deleted(8, 3), living(8, 2), deleted(8, 3)),
            (
                "and a state it did not see",
                deleted(8, 3),
                living(9, 2),
                Remembered { time: Some(at(3)), ..deleted(9, 2) },
            ),
            ("but not what was made after it", deleted(8, 3), living(9, 4), living(9, 4)),
            ("nor can an old state undo it", deleted(8, 3), living(7, 9), deleted(8, 3)),
            (
                "the later of two deletions",
                deleted(8, 3),
                deleted(9, 2),
                Remembered { time: Some(at(3)), ..deleted(9, 2) },
            ),
        ];
        for (what, one, other, expected) in rows {
            let fact = |it: &Remembered| Fact::Object(key(), it.clone());
            assert_eq!(fact(&one).merged(None, fact(&other)), fact(&expected), "{what}");
            assert_eq!(fact(&other).merged(None, fact(&one)), fact(&expected), "{what}, the other way round");
        }
    }

    #[test]
    fn the_last_grant_is_kept_with_the_newer_state() {
        let part = State::Binding { role_ref: None, subjects: vec![Subject::User("ann".to_owned())] };
        let granted: Grants =
            [Granted { time: at(1), severity: Severity::High, certain: true, part }].into_iter().collect();
        let older = Fact::Object(key(), Remembered { granted: granted.clone(), ..state(8, 1, false) });
        let newer = Fact::Object(key(), state(9, 2, false));
        let Fact::Object(_, merged) = newer.merged(None, older) else { panic!("an object") };
        assert_eq!((merged.version, merged.granted), (Some(9), granted));
    }

    fn mark(events: u64, counted: u64, told: &[(&'static str, Severity)]) -> SessionMark {
        let mut mark = SessionMark { events, counted, told: told.to_vec(), ..SessionMark::default() };
        let evidence = Evidence { verb: "get".to_owned(), ..Evidence::of_entry(None, None) };
        (0..events).for_each(|_| mark.deeds.add(&evidence));
        mark
    }

    #[test]
    fn what_two_processes_counted_of_a_session_adds_up() {
        const TOLD: &[(&str, Severity)] = &[("sa-token-moved", Severity::Medium)];
        let session = |mark| {
            let key = SessionKey {
                cluster: "c".to_owned(),
                account: (String::new(), "a".to_owned()),
                credential: String::new(),
                peer: String::new(),
                family: "other",
                acting_as: String::new(),
                hour: 1,
            };
            Fact::Session(key, mark)
        };
        let before = session(mark(2, 1, TOLD));
        let (ours, theirs) = (session(mark(5, 2, TOLD)), session(mark(7, 7, &[("sa-token-moved", Severity::High)])));
        let expected = session(mark(10, 8, &[("sa-token-moved", Severity::High)]));
        assert_eq!(ours.clone().merged(Some(&before), theirs), expected);
        assert_eq!(ours.clone().merged(None, session(mark(0, 0, &[]))), ours, "nothing was there");
        assert_eq!(ours.clone().merged(Some(&before), before.clone()), ours, "nobody else counted");
    }

    #[test]
    fn what_is_taken_in_is_news_or_not_and_never_older() {
        let mut memory = Memory::default();
        assert!(memory.take_in(Fact::Object(key(), state(9, 2, false))));
        assert!(!memory.take_in(Fact::Object(key(), state(9, 2, false))));
        assert!(!memory.take_in(Fact::Object(key(), state(8, 9, false))));
        assert_eq!(memory.object(&key()).and_then(|known| known.version), Some(9));
    }

    #[test]
    fn questions_and_changes_are_noted_by_the_copy_that_they_were_put_to() {
        let memory = Memory::default().noting();
        let mut copy = memory.clone();
        assert!(copy.object(&key()).is_none() && copy.minted(&("c".to_owned(), "id".to_owned())).is_none());
        assert_eq!(copy.objects("c", ObjectKind::Role).count(), 0);
        copy.keep(key(), state(9, 2, false));
        copy.keep(key(), state(8, 2, false));
        let cluster = "c".to_owned();
        let asked = [
            Ask::One(Key::Object(key())),
            Ask::Objects { cluster: cluster.clone(), kind: ObjectKind::Role },
            Ask::One(Key::Minted((cluster, "id".to_owned()))),
        ];
        assert_eq!((copy.asked(), copy.changed()), (asked.to_vec(), vec![Key::Object(key())]));
        assert_eq!((memory.asked(), memory.changed(), copy.clone().asked()), (vec![], vec![], vec![]));
        assert_eq!(Memory::default().asked(), vec![]);
    }

    #[test]
    fn many_tokens_do_not_crowd_out_the_questions_that_severities_rest_on() {
        let memory = Memory::default().noting();
        for number in 0..20_000 {
            let _ = memory.minted(&("c".to_owned(), number.to_string()));
        }
        assert!(memory.object(&key()).is_none());
        let asked = memory.asked();
        assert_eq!(asked.first(), Some(&Ask::One(Key::Object(key()))));
        assert!((1_000..10_000).contains(&asked.len()), "{}", asked.len());
    }

    #[test]
    fn places_of_a_kind_lie_within_its_range() {
        let place = Key::Object(key()).place();
        let range = |kind| Ask::Objects { cluster: "c".to_owned(), kind }.range().unwrap();
        let holds = |kind| {
            let range = range(kind);
            range.cluster == place.cluster && (range.first..=range.last).contains(&place.path)
        };
        assert!(holds(ObjectKind::ClusterRoleBinding) && !holds(ObjectKind::ClusterRole));
        let sessions = Ask::Sessions { cluster: "c".to_owned(), before: 498_712 }.range().unwrap();
        let path = |hour: i64| format!("session/{hour}/0123");
        for (hour, expected) in [(498_699, false), (498_700, true), (498_711, true), (498_712, false), (498_713, false)]
        {
            assert_eq!((sessions.first.clone()..=sessions.last.clone()).contains(&path(hour)), expected, "{hour}");
        }
    }
}
