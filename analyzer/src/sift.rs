//! Telling lines that nobody needs to read from those that somebody does, without reading them.
//!
//! Nearly every line of an audit log is ordinary, and reading it with care costs more than inflating it. So a scanner looks
//! at it first, where it lies ([`scanner`], [`head`]), and finds the facts that the detections name as their interest
//! ([`crate::interest`]). A line without the facts of any of them is counted as quiet. Every other line, and every line that
//! is in any way unusual, is read as if there were no sifting.
//!
//! What sifting says of a block of text depends on the text and on where it comes from, never on the memory. So blocks can
//! be sifted at the same time and judged one after the other, and the same block can be judged again. Two things that an
//! ordinary line does to the memory are left to whoever judges: learning who came from where, and asking whether the memory
//! has something to say of the caller ([`crate::lesson::Visit`]).

mod callers;
mod entries;
mod head;
mod latest;
mod lines;
mod scanner;

use std::sync::Arc;

use jiff::Timestamp;

use self::callers::Callers;
use self::head::{Head, Stage};
use self::latest::Latest;
use self::scanner::{Careful, Scan};
use crate::detections;
use crate::envelope::Buffers;
use crate::interest::Facts;
use crate::lesson::{self, Visit};
use crate::settings::Settings;
use crate::stream::{Source, Stream};

pub(crate) use self::entries::{Entries, Went};
pub use self::lines::Lines;

/// What sifting needs, and keeps from one text to the next: buffers, and the callers it has met. Nothing in it changes what
/// is found.
#[derive(Debug)]
pub struct Sifter {
    is_on: bool,
    is_strict: bool,
    window_bytes: usize,
    callers: Callers,
    rules: Rules,
    pub(crate) buffers: Buffers,
    pub(crate) sifted: Sifted,
}

/// What decides about a line once its head is read.
#[derive(Debug)]
struct Rules {
    interest: Vec<Facts>,
    latest: Latest,
}

impl Default for Sifter {
    fn default() -> Self {
        Self::new()
    }
}

impl Sifter {
    /// A sifter that has met nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            is_on: true,
            is_strict: false,
            window_bytes: WINDOW_BYTES,
            callers: Callers::default(),
            rules: Rules { interest: interest(), latest: Latest::default() },
            buffers: Buffers::default(),
            sifted: Sifted::default(),
        }
    }

    /// One that lets every line through: for explanations, and for tests that hold one against the other.
    #[must_use]
    pub fn off() -> Self {
        Self { is_on: false, ..Self::new() }
    }

    /// The same, which looks at every byte of every line and so takes nothing for granted that stands behind the bodies.
    #[must_use]
    pub fn strict(self) -> Self {
        Self { is_strict: true, ..self }
    }

    /// The same, with a window of another size.
    #[must_use]
    pub fn with_window(self, bytes: usize) -> Self {
        Self { window_bytes: bytes, ..self }
    }

    /// How much of a delivery is in memory at a time.
    pub(crate) fn window_bytes(&self) -> usize {
        self.window_bytes
    }

    /// Gets ready for a block of lines from `source`, as the settings complete it.
    fn begin(&mut self, source: &Source, settings: &Settings, sifted: &mut Sifted) -> bool {
        sifted.clear();
        self.callers.settle_at(source, settings);
        self.is_on && source.stream().is_none_or(|stream| stream == Stream::Audit)
    }

    fn end(&mut self, sifted: &mut Sifted) {
        sifted.latest = self.rules.latest.take();
    }
}

impl Rules {
    /// What is to be done with an event: `Ok(None)` when nothing but counting is left.
    fn verdict(&mut self, head: Head<'_, '_>, sifted: &mut Sifted) -> Scan<Option<What>> {
        let Head { facts, stage, time, caller } = head;
        let why = match stage {
            Stage::Received => {
                self.latest.note(time)?;
                Everyday::count(&mut sifted.quiet, Everyday::OtherStage);
                return Ok(None);
            }
            Stage::Started => Everyday::OtherStage,
            // Counted by another reason, which the status alone does not tell.
            Stage::Complete if facts.meet(Facts::ANONYMOUS.and(Facts::REFUSED)) => return Ok(Some(What::Read)),
            Stage::Complete if facts.meet(Facts::ANONYMOUS) => Everyday::AnonymousOpen,
            Stage::Complete if facts.meet(Facts::SERVICE_ACCOUNT) => Everyday::PodTraffic,
            Stage::Complete => Everyday::NotOfInterest,
        };
        if facts.meet_any(&self.interest) {
            return Ok(Some(What::Read));
        }
        self.latest.note(time)?;
        let Some(visit) = &caller.visit else {
            Everyday::count(&mut sifted.quiet, why);
            return Ok(None);
        };
        if !sifted.visits.get(caller.noted).is_some_and(|noted| Arc::ptr_eq(noted, visit)) {
            caller.noted = sifted.visits.len();
            sifted.visits.push(Arc::clone(visit));
        }
        Ok(Some(What::Visit(u32::try_from(caller.noted).map_err(|_| Careful)?, why)))
    }
}

/// Everything that anybody is interested in.
fn interest() -> Vec<Facts> {
    let mut all: Vec<Facts> = Vec::new();
    let of_detections = detections::ALL.iter().filter_map(|detection| detection.check.interest());
    for wanted in of_detections.chain([lesson::INTEREST]).flatten() {
        if !all.contains(wanted) {
            all.push(*wanted);
        }
    }
    all
}

/// What became of a block of text: a value that does not depend on the memory.
#[derive(Debug, Clone, Default)]
pub struct Sifted {
    /// What is left to do, in the order of the lines.
    pub(crate) steps: Vec<Step>,
    /// The callers whose lines are among the steps, and some from before: what was asked about one need not be asked again.
    pub(crate) visits: Vec<Arc<Visit>>,
    /// Lines that are quiet beyond doubt, by reason.
    pub(crate) quiet: [u64; Everyday::ALL.len()],
    /// When the first of the usual lines was written, in milliseconds since 1970, and how many steps come before it.
    pub(crate) first: Option<(usize, i64)>,
    /// When the latest of the events happened that are not to be read.
    pub(crate) latest: Option<Timestamp>,
}

/// One line that is not done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) what: What,
    /// Where it stands in the text of the block.
    pub(crate) at: (u32, u32),
}

/// What is to be done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// It is to be read.
    Read,
    /// It is quiet for this reason, unless the memory has something to say of its caller.
    Visit(u32, Everyday),
}

/// Why lines are quiet that nobody reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Everyday {
    OtherStage,
    PodTraffic,
    AnonymousOpen,
    NotOfInterest,
}

impl Everyday {
    pub(crate) const ALL: [Self; 4] = [Self::OtherStage, Self::PodTraffic, Self::AnonymousOpen, Self::NotOfInterest];

    /// Counts one more line, in the order of [`Self::ALL`].
    pub(crate) fn count(quiet: &mut [u64; Self::ALL.len()], why: Self) {
        let [other_stage, pod_traffic, anonymous_open, not_of_interest] = quiet;
        *match why {
            Self::OtherStage => other_stage,
            Self::PodTraffic => pod_traffic,
            Self::AnonymousOpen => anonymous_open,
            Self::NotOfInterest => not_of_interest,
        } += 1;
    }
}

impl Sifted {
    fn clear(&mut self) {
        self.steps.clear();
        if self.visits.len() > VISITS_MAX {
            self.visits.clear();
        }
        self.quiet = Default::default();
        (self.first, self.latest) = (None, None);
    }

    /// Forgets the callers from before.
    pub(crate) fn forget_callers(&mut self) {
        self.visits.clear();
    }

    /// Notes what is left to do with the line at `start..end`. A block is far smaller than four gigabytes.
    fn push(&mut self, what: What, start: usize, end: usize) {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.steps.push(Step { what, at: (place(start), place(end)) });
    }
}

/// Callers that are kept from one block to the next, as many as the table of callers has places for.
const VISITS_MAX: usize = 4_096;

/// A delivery is looked at through a window of 256 KiB. Half of that costs a twentieth of the time more, twice as much gains
/// nothing.
const WINDOW_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests;
