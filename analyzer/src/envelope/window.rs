//! A window on text that moves forward, and grows only as far as one entry needs.

use std::io::{self, Read};

/// Text of a reader, from the first byte not yet consumed.
#[derive(Debug)]
pub(crate) struct Window {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How long it is, unless one entry is longer.
    size: usize,
    ended: bool,
    /// Bytes read so far.
    read: usize,
}

impl Window {
    /// A window of `size` bytes, in a buffer that may have served before.
    pub(crate) fn new(mut buffer: Vec<u8>, size: usize) -> Self {
        buffer.resize(size.max(1), 0);
        Self { buffer, start: 0, end: 0, size: size.max(1), ended: false, read: 0 }
    }

    /// The buffer, to be used again.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// What was read and not yet consumed.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Steps over the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// How many bytes were read so far.
    pub(crate) fn bytes_read(&self) -> usize {
        self.read
    }

    /// Nothing more is to come.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Fills the window from `reader`; `false` when nothing came. What is not consumed stays, and where it is the whole
    /// window, the window grows, up to `max` bytes.
    pub(crate) fn fill(&mut self, reader: &mut impl Read, max: usize) -> io::Result<bool> {
        self.make_room(max);
        let before = self.end;
        while !self.ended && self.end < self.buffer.len() {
            let read = reader.read(self.buffer.get_mut(self.end..).unwrap_or_default())?;
            self.end += read;
            self.ended = read == 0;
        }
        self.read += self.end - before;
        Ok(self.end > before)
    }

    fn make_room(&mut self, max: usize) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let length = self.buffer.len();
        if self.end == length && length < max {
            // By half, not by doubling: the longest entry must not cost twice its length.
            let more = (length / 2).max(self.size).min(max - length);
            self.buffer.reserve_exact(more);
            self.buffer.resize(length + more, 0);
        } else if self.end < self.size && length > self.size {
            // One long entry must not keep its memory for the rest of the delivery.
            self.buffer.truncate(self.size);
            self.buffer.shrink_to_fit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn it_moves_grows_to_its_limit_and_shrinks_again() {
        let text: Vec<u8> = (0..=255).collect();
        let mut reader = text.as_slice();
        let mut window = Window::new(Vec::new(), 16);
        assert!(window.fill(&mut reader, 48).unwrap());
        assert_eq!(window.bytes(), &text[..16]);
        window.consume(10);
        assert!(window.fill(&mut reader, 48).unwrap());
        assert_eq!(window.bytes(), &text[10..26]);
        assert!(window.fill(&mut reader, 48).unwrap());
        assert!(window.fill(&mut reader, 48).unwrap());
        assert_eq!(window.bytes().len(), 48, "as long as it may become");
        assert!(!window.fill(&mut reader, 48).unwrap());
        window.consume(40);
        assert!(window.fill(&mut reader, 48).unwrap());
        assert_eq!((window.bytes(), window.buffer.len()), (&text[50..66], 16));
        while window.fill(&mut reader, 48).unwrap() {
            window.consume(16);
        }
        assert!(window.has_ended());
        assert_eq!(window.bytes_read(), 256);
    }
}
