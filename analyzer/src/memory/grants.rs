//! What an object gave lately, so that it can be said when it is taken back.

use jiff::Timestamp;

use super::bounded::Weight;
use super::state::State;
use crate::severity::Severity;

/// Rights that one change gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// When.
    pub time: Timestamp,
    /// How grave that was.
    pub severity: Severity,
    /// They were not there before. Of a change whose object had not been seen that is not known.
    pub certain: bool,
    /// What of the object gives them: all of it where it is not known what was there before.
    pub part: State,
}

/// The gravest of the last changes that gave rights worth a medium alert or more, at most [`GRANTS_MAX`], the gravest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(Vec<Granted>);

impl Grants {
    /// Nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was given, what is certain and grave first, then the latest.
    pub fn iter(&self) -> impl Iterator<Item = &Granted> {
        self.0.iter()
    }

    /// These and others. Of what was given at one time only what is certain is kept: the same event may be judged twice, once
    /// without knowing what was before.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        if others.is_empty() {
            return self;
        }
        self.0.into_iter().chain(others.0).collect()
    }
}

impl FromIterator<Granted> for Grants {
    fn from_iter<T: IntoIterator<Item = Granted>>(granted: T) -> Self {
        let mut all: Vec<Granted> = granted.into_iter().collect();
        all.sort_by_key(|it| std::cmp::Reverse((it.certain, it.severity, it.time)));
        let newest = all.iter().map(|it| it.time).max();
        let is_old = |it: &Granted| newest.is_some_and(|newest| newest.as_second() - it.time.as_second() > OLD_SECONDS);
        all.retain(|it| !is_old(it));
        let mut times = std::collections::HashSet::new();
        all.retain(|it| times.insert(it.time));
        all.truncate(GRANTS_MAX);
        Self(all)
    }
}

impl Weight for Grants {
    fn weight(&self) -> usize {
        self.0.iter().map(|granted| 48 + granted.part.weight()).sum()
    }
}

/// What was given so long before something else of the object is forgotten: half an hour, twice what a withdrawal may take.
const OLD_SECONDS: i64 = 1_800;

/// Changes of one object whose grants are remembered. Who withdraws more than that within a quarter of an hour is told of the
/// gravest.
pub const GRANTS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::{GRANTS_MAX, Granted, Grants};
    use crate::memory::State;
    use crate::severity::Severity;

    fn granted(second: i64, severity: Severity, certain: bool) -> Granted {
        let time = jiff::Timestamp::from_second(second).unwrap();
        Granted { time, severity, certain, part: State::ServiceAccount(Vec::new()) }
    }

    fn of(grants: &[Granted]) -> Grants {
        grants.iter().cloned().collect()
    }

    #[test]
    fn what_is_certain_is_never_put_aside_by_what_is_not() {
        let (sure, unsure) = (granted(1, Severity::Medium, true), granted(1, Severity::Critical, false));
        let later = granted(2, Severity::Critical, false);
        for order in [[&sure, &unsure, &later], [&later, &unsure, &sure], [&unsure, &later, &sure]] {
            let all = order.into_iter().fold(Grants::default(), |all, it| all.and(of(std::slice::from_ref(it))));
            assert_eq!(all, of(&[sure.clone(), later.clone()]));
        }
    }

    #[test]
    fn the_gravest_are_kept_up_to_the_limit() {
        let small = (0..).map(|second| granted(second, Severity::Medium, true));
        let at_the_limit: Grants = small.clone().take(GRANTS_MAX).collect();
        assert_eq!(at_the_limit.iter().count(), GRANTS_MAX);
        let past_it: Grants = small.take(GRANTS_MAX + 1).collect();
        assert_eq!(past_it.iter().count(), GRANTS_MAX);
        assert!(past_it.iter().all(|it| it.time.as_second() > 0), "the oldest of equals went");
        let fresh = granted(4_000, Severity::Medium, false);
        assert_eq!(at_the_limit.clone().and(of(std::slice::from_ref(&fresh))), of(&[fresh]), "old ones make room");
        let one_more = at_the_limit.and(of(&[granted(99, Severity::High, true)]));
        assert_eq!(one_more.iter().count(), GRANTS_MAX);
        assert_eq!(one_more.iter().next().map(|it| it.severity), Some(Severity::High));
        assert!(one_more.iter().all(|it| it.time.as_second() > 0), "the oldest of the small ones went");
    }
}
