//! Reading and inflating ahead of whoever judges, by everybody who has nothing better to do.
//!
//! Lines are judged in one thread and in order: what they teach counts for the next. Inflating is most of the work, and it
//! lies on a desk that all threads share: an input is read a piece at a time by whoever takes it up. The other threads take
//! the first input that has room for one more piece; the thread that judges takes one rather than wait for one. So two cores
//! have work to the end, whichever half is the larger, and no more of a log is in memory than the desk has room for.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Input;
use super::unpack::{self, Unpacked};
use crate::progress::Progress;

/// What is said of an input, in this order: what it is, then its text, to its end.
enum Piece {
    Begins {
        damage: Arc<AtomicBool>,
        nested: bool,
    },
    /// A buffer, and how much of it is text.
    Text(Vec<u8>, usize),
    CannotOpen(io::Error),
    CannotRead(io::Error),
}

/// An input that could not be opened, or not be read.
pub(super) enum Failed {
    Open(io::Error),
    Read(io::Error),
}

/// The inputs of a run as they come, in their order.
pub(crate) struct Ahead<'d> {
    desk: &'d Desk<'d>,
    next: usize,
}

impl<'d> Ahead<'d> {
    /// Has `readers` threads read `inputs`, and `take` judge them meanwhile.
    pub(crate) fn run<T>(
        inputs: &[Input],
        readers: usize,
        progress: &Progress,
        take: impl FnOnce(&mut Ahead<'_>) -> T,
    ) -> T {
        let (progress, over) = progress.until_over();
        let desk = Desk::new(inputs, progress);
        thread::scope(|scope| {
            for _ in 0..readers.min(inputs.len()) {
                scope.spawn(|| desk.read());
            }
            let _end = End { desk: &desk, over };
            take(&mut Ahead { desk: &desk, next: 0 })
        })
    }

    /// The next input.
    pub(super) fn next(&mut self) -> Result<Unpacked<'d>, Failed> {
        let at = self.next;
        self.next += 1;
        self.desk.judge(at);
        match self.desk.next(at, &mut []) {
            Next::Piece(Piece::Begins { damage, nested }) => {
                let reader = Box::new(Pieces { desk: self.desk, input: at, text: Vec::new(), place: 0..0 });
                Ok(Unpacked { reader, damage, nested })
            }
            Next::Piece(Piece::CannotOpen(error)) => Err(Failed::Open(error)),
            Next::Piece(Piece::CannotRead(error)) => Err(Failed::Read(error)),
            Next::Piece(Piece::Text(..)) | Next::Read(_) => Err(Failed::Read(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

/// The text of one input.
struct Pieces<'d> {
    desk: &'d Desk<'d>,
    input: usize,
    text: Vec<u8>,
    /// What of it was not yet asked for.
    place: Range<usize>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.place.is_empty() {
            self.desk.give(std::mem::take(&mut self.text));
            match self.desk.next(self.input, out) {
                Next::Read(read) => return Ok(read),
                Next::Piece(Piece::Text(text, length)) => (self.text, self.place) = (text, 0..length),
                Next::Piece(Piece::CannotOpen(error) | Piece::CannotRead(error)) => return Err(error),
                Next::Piece(Piece::Begins { .. }) => return Ok(0),
            }
        }
        let mut rest = self.text.get(self.place.clone()).unwrap_or_default();
        let read = rest.read(out)?;
        self.place.start += read;
        Ok(read)
    }
}

/// What comes next of an input.
enum Next {
    Piece(Piece),
    /// So much was read; nothing at its end.
    Read(usize),
}

/// What is being read, and what was read and not yet asked for.
struct Desk<'a> {
    state: Mutex<State<'a>>,
    /// For whoever judges: a piece has come.
    came: Condvar,
    /// For the others: there is room again, or nothing more to do.
    freed: Condvar,
    progress: Progress,
}

struct State<'a> {
    inputs: Vec<Pile<'a>>,
    /// The input that is being judged; those before it are done with.
    current: usize,
    /// Pieces of all inputs.
    held: usize,
    /// Buffers that may be filled again: new ones cost more than what is copied into them.
    used: Vec<Vec<u8>>,
    /// Whoever judges waits for a piece.
    is_awaited: bool,
    /// How many of the others wait for room.
    asleep: usize,
    is_over: bool,
}

/// One input: how far it was read, and what waits for its turn.
struct Pile<'a> {
    input: &'a Input,
    /// Nothing while somebody is at it.
    reading: Option<Reading>,
    ready: VecDeque<Piece>,
    ended: bool,
}

enum Reading {
    Unopened,
    Open(Box<dyn Read + Send>),
}

impl Pile<'_> {
    /// A pipe may have nothing to read for hours.
    fn may_be_silent(&self) -> bool {
        self.input.bytes().is_none()
    }
}

impl<'a> State<'a> {
    /// The first input of which one more piece may be read. Whoever judges must not be kept by an input that is silent.
    fn job(&mut self, is_judge: bool) -> Option<Job<'a>> {
        let (current, has_room) = (self.current, self.held < PIECES_MAX);
        let mut is_first = true;
        for (at, pile) in self.inputs.iter_mut().enumerate().skip(current).filter(|(_, pile)| !pile.ended) {
            let may = if at == current {
                pile.ready.len() < PIECES_MAX
            } else {
                has_room && (!pile.may_be_silent() || is_first && !is_judge)
            };
            if let Some(reading) = pile.reading.take_if(|_| may) {
                return Some(Job { at, input: pile.input, reading });
            }
            if at > current && !has_room {
                return None;
            }
            is_first = false;
        }
        None
    }

    /// Takes what was read.
    fn put(&mut self, at: usize, read: Done) {
        let Some(pile) = self.inputs.get_mut(at).filter(|_| at >= self.current) else { return };
        self.held += usize::from(read.piece.is_some());
        pile.ready.extend(read.piece);
        pile.ended = read.reading.is_none();
        pile.reading = read.reading;
    }

    /// Whether it is worth to wake somebody up who waits for room: for a piece at a time it is not.
    fn has_room(&self) -> bool {
        self.inputs.get(self.current).is_none_or(|pile| pile.ready.len() <= PIECES_MAX / 2)
    }
}

impl<'a> Desk<'a> {
    fn new(inputs: &'a [Input], progress: Progress) -> Self {
        let pile = |input| Pile { input, reading: Some(Reading::Unopened), ready: VecDeque::new(), ended: false };
        let state = State {
            inputs: inputs.iter().map(pile).collect(),
            current: 0,
            held: 0,
            used: Vec::new(),
            is_awaited: false,
            asleep: 0,
            is_over: false,
        };
        Self { state: Mutex::new(state), came: Condvar::new(), freed: Condvar::new(), progress }
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads as long as there is anything to read.
    fn read(&self) {
        let mut state = self.state();
        while !state.is_over && state.inputs.iter().skip(state.current).any(|pile| !pile.ended) {
            if let Some(job) = state.job(false) {
                state = self.work(state, job);
                if state.is_awaited {
                    self.came.notify_one();
                }
            } else {
                state.asleep += 1;
                state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.asleep -= 1;
            }
        }
    }

    /// Does a job, and takes what comes of it.
    fn work<'s>(&'s self, mut state: MutexGuard<'s, State<'a>>, job: Job<'a>) -> MutexGuard<'s, State<'a>> {
        let buffer = state.used.pop().unwrap_or_default();
        drop(state);
        let mut at_work = AtWork { desk: self, job: Some(job.at) };
        let done = job.done(buffer, &self.progress);
        let at = at_work.job.take().unwrap_or_default();
        self.put(at, done)
    }

    /// Takes what came of a job.
    fn put(&self, at: usize, done: Done) -> MutexGuard<'_, State<'a>> {
        let mut state = self.state();
        if done.reading.is_none() && state.asleep > 0 {
            self.freed.notify_all();
        }
        state.put(at, done);
        state
    }

    /// What comes next of the input that is being judged. Where nothing of it waits and nobody is at it, it is read into `out`;
    /// where somebody is, the time is spent on another.
    fn next(&self, input: usize, out: &mut [u8]) -> Next {
        let mut state = self.state();
        loop {
            let Some(pile) = state.inputs.get_mut(input) else { return Next::Read(0) };
            if let Some(piece) = pile.ready.pop_front() {
                state.held -= 1;
                if state.asleep > 0 && state.has_room() {
                    self.freed.notify_all();
                }
                return Next::Piece(piece);
            }
            if pile.ended {
                return Next::Read(0);
            }
            match state.job(true) {
                Some(Job { at, reading: Reading::Open(mut reader), .. }) if at == input && !out.is_empty() => {
                    drop(state);
                    let read = read_some(&mut reader, out);
                    let reading = matches!(read, Ok(1..)).then_some(Reading::Open(reader));
                    drop(self.put(input, Done { piece: None, reading }));
                    return read.map_or_else(|error| Next::Piece(Piece::CannotRead(error)), Next::Read);
                }
                Some(job) => state = self.work(state, job),
                None => {
                    state.is_awaited = true;
                    state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.is_awaited = false;
                }
            }
        }
    }

    /// From now on this input is judged, and what is left of the one before is not asked for any more.
    fn judge(&self, input: usize) {
        let mut state = self.state();
        for pile in state.current..input {
            let left = state.inputs.get_mut(pile).map_or(0, |pile| std::mem::take(&mut pile.ready).len());
            state.held -= left;
        }
        state.current = input;
        self.freed.notify_all();
    }

    /// Takes a buffer back that nobody looks at any more.
    fn give(&self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 {
            self.state().used.push(buffer);
        }
    }
}

/// Somebody who is at work. A panic must not keep the others waiting for what will never come.
struct AtWork<'s, 'a> {
    desk: &'s Desk<'a>,
    /// The input, until the work is done.
    job: Option<usize>,
}

impl Drop for AtWork<'_, '_> {
    fn drop(&mut self) {
        if let Some(at) = self.job {
            let piece = Some(Piece::CannotRead(io::ErrorKind::Other.into()));
            drop(self.desk.put(at, Done { piece, reading: None }));
            self.desk.came.notify_one();
        }
    }
}

/// Whoever judges, for as long as he does. What nobody waits for need not be read, however he ends.
struct End<'s, 'a> {
    desk: &'s Desk<'a>,
    over: Arc<AtomicBool>,
}

impl Drop for End<'_, '_> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.desk.state().is_over = true;
        self.desk.freed.notify_all();
    }
}

/// A piece that is to be read.
struct Job<'a> {
    at: usize,
    input: &'a Input,
    reading: Reading,
}

/// What came of it, and how to go on, if there is more.
struct Done {
    piece: Option<Piece>,
    reading: Option<Reading>,
}

impl Job<'_> {
    fn done(self, mut text: Vec<u8>, progress: &Progress) -> Done {
        let ended = |piece| Done { piece: Some(piece), reading: None };
        let mut reader = match self.reading {
            Reading::Open(reader) => reader,
            Reading::Unopened => {
                let raw = match self.input.open(progress) {
                    Ok(raw) => raw,
                    Err(error) => return ended(Piece::CannotOpen(error)),
                };
                return match unpack::unpack(progress.watch(raw)) {
                    Ok(Unpacked { reader, damage, nested }) => Done {
                        piece: Some(Piece::Begins { damage, nested }),
                        reading: Some(Reading::Open(reader)).filter(|_| !nested),
                    },
                    Err(error) => ended(Piece::CannotRead(error)),
                };
            }
        };
        text.resize(PIECE_BYTES, 0);
        match read_some(&mut reader, &mut text) {
            Ok(0) => Done { piece: None, reading: None },
            Ok(read) => Done { piece: Some(Piece::Text(text, read)), reading: Some(Reading::Open(reader)) },
            Err(error) => ended(Piece::CannotRead(error)),
        }
    }
}

/// Reads as much as comes at once: a pipe must not wait for more than it has.
fn read_some(reader: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Text handed over at once: 512 KiB. With less of it two cores spend a tenth of their time on telling each other.
const PIECE_BYTES: usize = 512 << 10;
/// Pieces that wait for their turn: 6 MiB. Those of the input that is being judged are counted by themselves, since there is no
/// going on without them. With half of that, whoever reads waits for room where files are long.
const PIECES_MAX: usize = 12;

#[cfg(test)]
mod tests;
