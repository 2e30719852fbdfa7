//! A window on a file that moves forward and grows only as far as one record needs.

use std::io::{self, Read};

/// Bytes of a reader, from the first one not yet consumed.
pub(super) struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    line: u64,
    bytes_read: u64,
}

impl<R: Read> Window<R> {
    /// A window at the start of `reader`.
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, end: 0, ended: false, line: 1, bytes_read: 0 }
    }

    /// What was read and not yet consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The number of the line that the first of [`Window::bytes`] stands in, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes were read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Steps over the first `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        let passed = self.buffer.get(self.start..self.start + count).unwrap_or_default();
        self.line += u64::try_from(memchr::memchr_iter(b'\n', passed).count()).unwrap_or(u64::MAX);
        self.start += count;
    }

    /// Steps over the first `count` bytes, which are so many whole lines.
    pub(super) fn consume_lines(&mut self, count: usize, lines: usize) {
        self.line += u64::try_from(lines).unwrap_or(u64::MAX);
        self.start += count.min(self.end - self.start);
    }

    /// Reads more; `false` at the end of the input.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.make_room();
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.reader.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        self.end += read;
        self.bytes_read += u64::try_from(read).unwrap_or(u64::MAX);
        self.ended = read == 0;
        Ok(!self.ended)
    }

    /// Reads until `count` bytes are there; `false` when the input ends before.
    pub(super) fn want(&mut self, count: usize) -> io::Result<bool> {
        while self.bytes().len() < count {
            if !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn make_room(&mut self) {
        let kept = self.end - self.start;
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, kept);
        }
        if kept == self.buffer.len() {
            // By a quarter, not by doubling: the longest record must not cost twice its length.
            let more = BLOCK_BYTES.max(kept / 4);
            self.buffer.reserve_exact(more);
            self.buffer.resize(kept + more, 0);
        } else if kept < BLOCK_BYTES && self.buffer.len() > 8 * BLOCK_BYTES {
            // One long record must not keep its memory for the rest of the run.
            self.buffer.truncate(BLOCK_BYTES);
            self.buffer.shrink_to_fit();
        }
    }
}

/// Read at once: 512 KiB. From 64 KiB to 4 MiB it makes no measurable difference.
const BLOCK_BYTES: usize = 512 << 10;
