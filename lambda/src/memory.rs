//! What is remembered between deliveries: in this process, and in a table that all processes share.
//!
//! A delivery is judged on a copy. What the judging asked for and the process does not know for certain is then fetched
//! from the table, and if that was news, the delivery is judged again from the same start. So nobody has to guess
//! beforehand what a detection will want to know. What was learnt is written when every alert was accepted, and not before.

mod homes;
mod item;
mod questions;
mod table;
mod trouble;
mod writing;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use lambda_runtime::tracing;
use rolewatch_analyzer::memory::{Ask, Fact, Key, Memory};

use self::homes::Homes;
use self::item::Revision;
use self::questions::Questions;
use self::table::Table;
pub use self::trouble::Trouble;
pub use self::writing::Writing;
use crate::config::TableName;

/// The memory of the process, and the way to the table if there is one.
#[derive(Debug)]
pub struct Store {
    homes: Mutex<Homes>,
    shared: Option<Shared>,
}

/// The table, and what this process knows about asking it.
#[derive(Debug)]
struct Shared {
    table: Table,
    questions: Mutex<Questions>,
    /// Learnt and not written yet, because the table could not be reached: what was in the table then.
    unsaved: Mutex<HashMap<(String, Key), Option<Fact>>>,
    /// No request before this time, because of this.
    closed: Mutex<Option<(Instant, Trouble)>>,
}

/// What one delivery was judged with, and what it taught.
#[derive(Debug)]
pub struct Learnt {
    /// The memory after it.
    pub memory: Memory,
    /// What became of asking the table; none without a table.
    pub reading: Option<Reading>,
    home: String,
    revisions: HashMap<Key, Revision>,
    /// What the table held of keys that are changed.
    before: HashMap<Key, Option<Fact>>,
    /// What the table holds now of facts that wait to be written: the memory has them put together with it.
    merged: HashMap<Key, Fact>,
}

/// What became of asking the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// Keys that were asked for.
    pub keys: usize,
    /// Items that came.
    pub items: usize,
    /// Items that could not be read: damaged, or written by another version.
    pub ignored: usize,
    /// Why not everything was answered.
    pub trouble: Option<Trouble>,
}

impl Store {
    /// A store that knows nothing yet. No request is made.
    #[must_use]
    pub fn open(aws: &SdkConfig, table: Option<TableName>) -> Self {
        let shared = table.map(|name| Shared::new(Table::connect(aws, name)));
        Self { homes: Mutex::default(), shared }
    }

    /// The memory of one process alone.
    #[must_use]
    pub fn local() -> Self {
        Self { homes: Mutex::default(), shared: None }
    }

    /// Judges with what is known and with what the table adds. `judge` runs once or several times, each time on a fresh
    /// copy; the last result counts. With it `judge` tells the account. Who knows it before says so; otherwise it is
    /// taken to be the one used last, and the delivery is judged again when it was another.
    pub async fn judge<T, E>(
        &self,
        account: Option<String>,
        deadline: Instant,
        mut judge: impl FnMut(&mut Memory) -> Result<(Option<String>, T), E>,
    ) -> Result<(T, Learnt), E> {
        let mut home = account.unwrap_or_else(|| self.homes().latest());
        let mut start = self.start(&home);
        let mut memory = start.clone();
        let (account, mut judged) = judge(&mut memory)?;
        // What names no account is nobody's, and not that of the delivery before.
        let account = account.unwrap_or_default();
        if account != home {
            let fresh = self.start(&account);
            // A new process knows as little of the one as of the other.
            if !self.homes().is_empty() {
                memory = fresh.clone();
                judged = judge(&mut memory)?.1;
            }
            (start, home) = (fresh, account);
        }
        let mut learnt = Learnt::of(home);
        if let Some(shared) = self.shared_for(&learnt.home) {
            let mut reading = Reading::default();
            let mut asked = HashSet::new();
            let until = (Instant::now() + READ_TIMEOUT).min(deadline);
            for round in 0..=ROUNDS_MAX {
                let wanted = shared.wanted(&memory, &learnt.home, &mut asked);
                if wanted.is_empty() {
                    break;
                }
                if round == ROUNDS_MAX {
                    reading.trouble = Some(Trouble::TooMuch);
                    break;
                }
                // Boxed, because the future of an SDK call is deeper than the compiler likes to look.
                let news = Box::pin(shared.fetch(&wanted, &mut start, &mut learnt, &mut reading, until)).await;
                if news {
                    memory = start.clone();
                    judged = judge(&mut memory)?.1;
                }
                if reading.trouble.is_some() {
                    break;
                }
            }
            for key in memory.changed() {
                learnt.before.entry(key.clone()).or_insert_with(|| start.fact(&key));
            }
            learnt.reading = Some(reading);
        }
        learnt.memory = memory;
        Ok((judged, learnt))
    }

    /// What is known of the clusters of an account.
    fn start(&self, home: &str) -> Memory {
        let memory = self.homes().copy(home);
        // Also where no account is known yet: the first delivery of a process is not judged again to learn it.
        if self.shared.is_some() { memory.noting() } else { memory }
    }

    /// The table. What names no account stays in this process: in the table it would be taken for anybody's.
    fn shared_for(&self, home: &str) -> Option<&Shared> {
        self.shared.as_ref().filter(|_| !home.is_empty())
    }

    /// Keeps what a delivery taught, here and in the table. It never fails: what cannot be written now is written with
    /// the next delivery.
    pub async fn keep(&self, mut learnt: Learnt, deadline: Instant) -> Option<Writing> {
        let writing = match self.shared_for(&learnt.home) {
            Some(shared) => {
                let until = (Instant::now() + WRITE_TIMEOUT).min(deadline);
                Some(Box::pin(shared.save(&mut learnt, until)).await)
            }
            None => None,
        };
        let Learnt { home, memory, .. } = learnt;
        self.homes().keep(&home, memory);
        writing
    }

    fn homes(&self) -> MutexGuard<'_, Homes> {
        // It is only ever replaced as a whole, so a panic elsewhere cannot have left it half-written.
        lock(&self.homes)
    }
}

impl Shared {
    fn new(table: Table) -> Self {
        Self { table, questions: Mutex::default(), unsaved: Mutex::default(), closed: Mutex::default() }
    }

    /// What was asked for in this judging and not fetched yet.
    fn wanted(&self, memory: &Memory, home: &str, asked: &mut HashSet<Ask>) -> Vec<Ask> {
        let questions = lock(&self.questions);
        memory
            .asked()
            .into_iter()
            .filter(|ask| asked.insert(ask.clone()) && questions.is_due(home, ask, Instant::now()))
            .collect()
    }

    /// Fetches and takes in; whether anything was news.
    async fn fetch(
        &self,
        wanted: &[Ask],
        start: &mut Memory,
        learnt: &mut Learnt,
        reading: &mut Reading,
        until: Instant,
    ) -> bool {
        reading.keys += wanted.len();
        if let Some(trouble) = self.trouble_before() {
            reading.trouble = Some(trouble);
            return false;
        }
        let wanted = wanted.get(..ASKS_MAX).map_or(wanted, |first| {
            reading.trouble = (wanted.len() > ASKS_MAX).then_some(Trouble::TooMuch);
            first
        });
        let answer = self.table.read(&learnt.home, wanted, until).await;
        self.note(answer.trouble);
        reading.trouble = reading.trouble.or(answer.trouble);
        reading.items += answer.items.len();
        if answer.trouble.is_none() {
            lock(&self.questions).answered(&learnt.home, wanted, &answer.items, Instant::now());
        }
        let mut news = false;
        for item in answer.items {
            let (fact, revision) = match item.read() {
                Ok(read) => read,
                Err(ignored) => {
                    reading.ignored += usize::from(ignored.counts());
                    continue;
                }
            };
            let key = fact.key();
            learnt.revisions.insert(key.clone(), revision);
            news |= self.take_in(fact, start, learnt);
        }
        news
    }

    /// Takes in a fact of the table. To what this process has counted and could not write, it is added.
    fn take_in(&self, fact: Fact, start: &mut Memory, learnt: &mut Learnt) -> bool {
        let key = fact.key();
        let place = (learnt.home.clone(), key.clone());
        let unsaved = lock(&self.unsaved).get(&place).cloned();
        match (unsaved, start.fact(&key)) {
            (Some(before), Some(ours)) => {
                let before = learnt.merged.insert(key, fact.clone()).or(before);
                start.take_in(ours.merged(before.as_ref(), fact))
            }
            _ => start.take_in(fact),
        }
    }

    /// Whether the table was found closed a moment ago. Asking again and again would cost every delivery its time-out.
    fn trouble_before(&self) -> Option<Trouble> {
        lock(&self.closed).filter(|(until, _)| *until > Instant::now()).map(|(_, trouble)| trouble)
    }

    /// Notes how the table answered: to be called after a request, and only then.
    fn note(&self, trouble: Option<Trouble>) {
        let closed = trouble.filter(|trouble| *trouble != Trouble::TooMuch).map(|trouble| {
            tracing::error!(
                error_type = trouble.code(),
                "the table of the memory cannot be used: {}",
                trouble.explain()
            );
            let pause = if trouble.is_passing() { PASSING_PAUSE } else { LASTING_PAUSE };
            (Instant::now() + pause, trouble)
        });
        *lock(&self.closed) = closed;
    }
}

impl Learnt {
    fn of(home: String) -> Self {
        Self {
            memory: Memory::default(),
            reading: None,
            home,
            revisions: HashMap::new(),
            before: HashMap::new(),
            merged: HashMap::new(),
        }
    }
}

/// Nothing behind these locks is ever left half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often a delivery is judged for what the table adds: a binding asks for its role, and that for what collects it.
const ROUNDS_MAX: usize = 6;
/// Questions of one delivery that are put: more tokens than come new in one delivery of a large cluster. The others are put
/// with the next.
const ASKS_MAX: usize = 2_500;
/// `DynamoDB` answers in milliseconds; alerts do not wait longer than this for what was before.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// The alerts are out by then, and what is not written is kept for the next delivery.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a table that was throttled or did not answer is left alone.
const PASSING_PAUSE: Duration = Duration::from_secs(5);
/// How long one that is missing or forbidden is left alone: somebody has to do something first.
const LASTING_PAUSE: Duration = Duration::from_mins(1);
