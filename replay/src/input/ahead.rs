//! Reading and inflating in threads of their own, ahead of whoever judges.
//!
//! Inflating is most of the work, so with a second core it is done beside the judging, and with more of them of several
//! files at a time. Lines are still judged in one thread and in order: what they teach counts for the next.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Input;
use super::unpack::{self, Unpacked};
use crate::progress::Progress;

/// What a reading thread says of its input, in this order: what it is, then its text, to its end.
enum Piece {
    Begins { damage: Arc<AtomicBool>, nested: bool },
    Text(Vec<u8>),
    CannotOpen(io::Error),
    CannotRead(io::Error),
}

/// An input that could not be opened, or not be read.
pub(super) enum Failed {
    Open(io::Error),
    Read(io::Error),
}

/// The inputs of a run as they come, in their order.
pub(crate) struct Ahead {
    inputs: std::vec::IntoIter<Receiver<Piece>>,
    used: Arc<Used>,
}

/// Buffers that were read to their end and may be filled again: new ones cost more than what is copied into them.
#[derive(Default)]
struct Used(Mutex<Vec<Vec<u8>>>);

impl Used {
    fn give(&self, buffer: Vec<u8>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }

    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }
}

impl Ahead {
    /// Has `threads` threads read `inputs`, and `take` judge them meanwhile.
    pub(crate) fn run<T>(
        inputs: &[Input],
        threads: usize,
        progress: &Progress,
        take: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let most = if inputs.len() > 1 { PIECES_AHEAD_MAX } else { PIECES_MAX };
        let (senders, receivers): (Vec<_>, Vec<_>) = inputs.iter().map(|_| sync_channel(most)).unzip();
        let work = Mutex::new(inputs.iter().zip(senders));
        let (progress, over) = progress.until_over();
        let used = Arc::new(Used::default());
        thread::scope(|scope| {
            for _ in 0..threads.min(inputs.len()) {
                // In the order of the inputs, so that the one which is waited for is always being read.
                scope.spawn(|| {
                    let next = || work.lock().unwrap_or_else(PoisonError::into_inner).next();
                    while let Some((input, sender)) = next().filter(|_| !over.load(Ordering::Relaxed)) {
                        // Whoever listened may have seen enough of this input; the next one is waited for all the same.
                        let _ = send(input, &sender, &used, &progress);
                    }
                });
            }
            let mut ahead = Self { inputs: receivers.into_iter(), used: Arc::clone(&used) };
            let taken = take(&mut ahead);
            // What nobody waits for need not be read.
            over.store(true, Ordering::Relaxed);
            drop(ahead);
            taken
        })
    }

    /// The next input.
    pub(super) fn next(&mut self) -> Result<Unpacked<'static>, Failed> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let receiver = self.inputs.next().ok_or_else(|| Failed::Read(gone()))?;
        match receiver.recv() {
            Ok(Piece::Begins { damage, nested }) => {
                let reader = Box::new(Pieces { receiver, text: Vec::new(), at: 0, used: Arc::clone(&self.used) });
                Ok(Unpacked { reader, damage, nested })
            }
            Ok(Piece::CannotOpen(error)) => Err(Failed::Open(error)),
            Ok(Piece::CannotRead(error)) => Err(Failed::Read(error)),
            Ok(Piece::Text(_)) | Err(_) => Err(Failed::Read(gone())),
        }
    }
}

/// Reads one input to its end; an error says that nobody listens any more.
fn send(input: &Input, sender: &SyncSender<Piece>, used: &Used, progress: &Progress) -> Result<(), SendError<Piece>> {
    let raw = match input.open(progress) {
        Ok(raw) => raw,
        Err(error) => return sender.send(Piece::CannotOpen(error)),
    };
    let mut unpacked = match unpack::unpack(progress.watch(raw)) {
        Ok(unpacked) => unpacked,
        Err(error) => return sender.send(Piece::CannotRead(error)),
    };
    sender.send(Piece::Begins { damage: Arc::clone(&unpacked.damage), nested: unpacked.nested })?;
    while !unpacked.nested {
        let mut text = used.take();
        text.resize(PIECE_BYTES, 0);
        match read_some(&mut unpacked.reader, &mut text) {
            Ok(0) => break,
            Ok(read) => {
                text.truncate(read);
                sender.send(Piece::Text(text))?;
            }
            Err(error) => return sender.send(Piece::CannotRead(error)),
        }
    }
    Ok(())
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

/// The text of one input.
struct Pieces {
    receiver: Receiver<Piece>,
    text: Vec<u8>,
    at: usize,
    used: Arc<Used>,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.text.len() {
            match self.receiver.recv() {
                Ok(Piece::Text(text)) => {
                    self.used.give(std::mem::replace(&mut self.text, text));
                    self.at = 0;
                }
                Ok(Piece::CannotOpen(error) | Piece::CannotRead(error)) => return Err(error),
                // The sender is gone: the input has ended.
                Ok(Piece::Begins { .. }) | Err(_) => return Ok(0),
            }
        }
        let mut rest = self.text.get(self.at..).unwrap_or_default();
        let read = rest.read(out)?;
        self.at += read;
        Ok(read)
    }
}

/// Text handed over at once: 256 KiB, so that it is still in the cache when it is judged.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces of a file alone that wait for their turn: 2 MiB of text.
const PIECES_MAX: usize = 8;
/// The same where other files follow: 6 MiB. Judging is faster than inflating, and the time that it waits is spent on the next
/// file, as far as there is room.
const PIECES_AHEAD_MAX: usize = 24;
