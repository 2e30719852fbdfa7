//! Ratios that hold on a busy machine: yardstick and contender run in turn, the ratio is taken round by round, and the
//! median counts.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

/// Somebody who is measured against the yardstick.
pub struct Contender<'w> {
    name: &'static str,
    work: Box<dyn FnMut() + 'w>,
    seconds: Vec<f64>,
    ratios: Vec<f64>,
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'w> Contender<'w> {
    /// Whoever does this work.
    pub fn new<T>(name: &'static str, mut work: impl FnMut() -> T + 'w) -> Self {
        let work = Box::new(move || drop(black_box(work())));
        Self { name, work, seconds: Vec::new(), ratios: Vec::new() }
    }
}

/// What came of one contender.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Who.
    pub name: &'static str,
    /// Its time over the yardstick's: the median of the rounds.
    pub ratio: f64,
    /// The smallest and the largest ratio of any round.
    pub spread: (f64, f64),
    /// CPU seconds of a round: the median.
    pub seconds: f64,
}

/// Runs so many rounds after one that warms up. The first contender is the yardstick.
#[must_use]
pub fn run(rounds: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Measured> {
    for round in 0..=rounds {
        let mut yardstick = None;
        for contender in &mut contenders {
            let start = cpu_seconds();
            (contender.work)();
            let seconds = cpu_seconds() - start;
            if round > 0 {
                contender.seconds.push(seconds);
                contender.ratios.push(seconds / *yardstick.get_or_insert(seconds));
            }
        }
    }
    contenders.into_iter().map(Contender::measured).collect()
}

impl Contender<'_> {
    fn measured(mut self) -> Measured {
        let ratio = median(&mut self.ratios);
        let spread = (self.ratios[0], self.ratios[self.ratios.len() - 1]);
        Measured { name: self.name, ratio, spread, seconds: median(&mut self.seconds) }
    }
}

/// The middle one, after sorting.
pub fn median(numbers: &mut [f64]) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// CPU time that this process has used, in seconds: what a neighbour does counts little.
#[must_use]
pub fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a process does not live for 285 years")]
    let (seconds, nanos) = (time.tv_sec as f64, time.tv_nsec as f64);
    seconds + nanos / 1e9
}
