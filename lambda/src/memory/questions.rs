//! Which questions are worth a request.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rolewatch_analyzer::memory::{Ask, Key};

use super::item::Item;

/// Tokens of which the table knew nothing, and when to ask again.
///
/// Who minted a token is asked of every token in use, and of almost none there is an answer. A cluster has as many tokens
/// as pods, each used all the time; everything else that is asked for is rare, and asked every time.
#[derive(Debug, Default)]
pub(super) struct Questions {
    unanswered: HashMap<(String, Key), Unanswered>,
}

#[derive(Debug, Clone, Copy)]
struct Unanswered {
    again: Instant,
    pause: Duration,
}

impl Questions {
    pub(super) fn is_due(&self, home: &str, ask: &Ask, now: Instant) -> bool {
        let Ask::One(key @ Key::Minted(_)) = ask else { return true };
        self.unanswered.get(&(home.to_owned(), key.clone())).is_none_or(|unanswered| unanswered.again <= now)
    }

    /// Notes which of these were answered by nothing.
    pub(super) fn answered(&mut self, home: &str, asked: &[Ask], items: &[Item], now: Instant) {
        for ask in asked {
            let Ask::One(key @ Key::Minted(_)) = ask else { continue };
            let place = (home.to_owned(), key.clone());
            if items.iter().any(|item| item.is_of(&key.place())) {
                self.unanswered.remove(&place);
                continue;
            }
            if self.unanswered.len() >= UNANSWERED_MAX {
                self.unanswered.clear();
            }
            let before = self.unanswered.get(&place).map(|unanswered| unanswered.pause);
            let pause = before.map_or(PAUSE_FIRST, |pause| pause.saturating_mul(PAUSE_GROWTH));
            self.unanswered.insert(place, Unanswered { again: now + pause, pause });
        }
    }
}

/// The record of a token may be judged a little after its first use, by another process. So it is asked for again soon,
/// and then ever more seldom: three times in the hour that a pod's token lives.
const PAUSE_FIRST: Duration = Duration::from_mins(1);
const PAUSE_GROWTH: u32 = 8;
/// Tokens remembered as not minted, some 200 bytes each. With more than that in use at a time, all are asked for anew.
const UNANSWERED_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::{PAUSE_FIRST, PAUSE_GROWTH, Questions, UNANSWERED_MAX};
    use rolewatch_analyzer::memory::{Ask, Key};
    use std::time::Instant;

    #[test]
    fn what_was_answered_by_nothing_is_asked_ever_more_seldom() {
        let minted = Ask::One(Key::Minted(("prod".to_owned(), "JTI=1".to_owned())));
        let object = Ask::One(Key::Unseen("prod".to_owned()));
        let (mut questions, start) = (Questions::default(), Instant::now());
        let both = [minted.clone(), object.clone()];
        questions.answered("1", &both, &[], start);
        assert!(!questions.is_due("1", &minted, start) && questions.is_due("1", &object, start));
        assert!(questions.is_due("2", &minted, start), "another account");
        assert!(questions.is_due("1", &minted, start + PAUSE_FIRST));
        questions.answered("1", &both, &[], start + PAUSE_FIRST);
        assert!(!questions.is_due("1", &minted, start + PAUSE_FIRST * PAUSE_GROWTH));
        assert!(questions.is_due("1", &minted, start + PAUSE_FIRST * (PAUSE_GROWTH + 1)));
    }

    #[test]
    fn unanswered_questions_are_remembered_to_their_limit_and_then_put_anew() {
        let minted = |number: usize| Ask::One(Key::Minted(("prod".to_owned(), number.to_string())));
        let (mut questions, now) = (Questions::default(), Instant::now());
        let asked: Vec<Ask> = (0..UNANSWERED_MAX).map(minted).collect();
        questions.answered("1", &asked, &[], now);
        assert!(asked.iter().all(|ask| !questions.is_due("1", ask, now)), "at the limit");
        questions.answered("1", &[minted(UNANSWERED_MAX + 1)], &[], now);
        assert!(asked.iter().all(|ask| questions.is_due("1", ask, now)), "one past it");
    }
}
