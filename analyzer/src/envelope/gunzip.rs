//! Inflating gzip as it streams by, giving up every byte before a damage.
//!
//! The readers of `flate2` lose what they inflated in the call that meets the damage. Here it is handed out first:
//! a log file that was cut or hurt in one place still tells what it told before (RFC 1952, RFC 1951).

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// A reader of gzip members, one after the other. Damage ends the text and sets a flag; it is no error.
#[derive(Debug)]
pub struct Gunzip<R> {
    reader: R,
    parts: Parts,
    at: usize,
    filled: usize,
    crc: Crc,
    state: State,
    damaged: bool,
}

/// What inflating takes, to be used again for the next text.
#[derive(Debug)]
pub struct Parts {
    input: Vec<u8>,
    inflate: Decompress,
}

impl Default for Parts {
    fn default() -> Self {
        Self { input: vec![0; INPUT_BYTES], inflate: Decompress::new(false) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Body,
    Done,
}

/// What may follow where a gzip member could begin.
enum Next {
    Member,
    End,
    Damage,
}

impl<R: Read> Gunzip<R> {
    /// A reader of the text inside `reader`, which is at the first byte of a gzip member.
    #[must_use]
    pub fn new(reader: R) -> Self {
        Self::reusing(Parts::default(), reader)
    }

    /// The same, with the parts of an earlier one.
    #[must_use]
    pub fn reusing(mut parts: Parts, reader: R) -> Self {
        parts.inflate.reset(false);
        Self { reader, parts, at: 0, filled: 0, crc: Crc::new(), state: State::Header, damaged: false }
    }

    /// What can be used again.
    #[must_use]
    pub fn into_parts(self) -> Parts {
        self.parts
    }

    /// Whether the text ended in damage.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Makes sure that there is input; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at < self.filled {
            return Ok(true);
        }
        self.at = 0;
        self.filled = loop {
            match self.reader.read(&mut self.parts.input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        Ok(self.filled > 0)
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        if !self.fill()? {
            return Ok(None);
        }
        let byte = self.parts.input.get(self.at).copied();
        self.at += 1;
        Ok(byte)
    }

    /// Steps over `count` bytes; `None` when the file ends before.
    fn skip(&mut self, count: usize) -> io::Result<Option<()>> {
        for _ in 0..count {
            if self.byte()?.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    fn number(&mut self, bytes: u32) -> io::Result<Option<u32>> {
        let mut number = 0;
        for place in 0..bytes {
            let Some(byte) = self.byte()? else { return Ok(None) };
            number |= u32::from(byte) << (8 * place);
        }
        Ok(Some(number))
    }

    /// Reads the header of a member. Zeros after a member are padding, as tape and block devices leave it.
    fn header(&mut self) -> io::Result<Next> {
        let first = loop {
            match self.byte()? {
                None => return Ok(Next::End),
                Some(0) => {}
                Some(byte) => break byte,
            }
        };
        if first != 0x1f || self.byte()? != Some(0x8b) || self.byte()? != Some(8) {
            return Ok(Next::Damage);
        }
        Ok(if self.header_fields()?.is_some() { Next::Member } else { Next::Damage })
    }

    fn header_fields(&mut self) -> io::Result<Option<()>> {
        let Some(flags) = self.byte()? else { return Ok(None) };
        if self.skip(6)?.is_none() {
            return Ok(None);
        }
        if flags & FLAG_EXTRA != 0 {
            let Some(length) = self.number(2)? else { return Ok(None) };
            if self.skip(usize::try_from(length).unwrap_or(usize::MAX))?.is_none() {
                return Ok(None);
            }
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            if flags & flag != 0 {
                loop {
                    match self.byte()? {
                        None => return Ok(None),
                        Some(0) => break,
                        Some(_) => {}
                    }
                }
            }
        }
        if flags & FLAG_HEADER_CRC != 0 { self.skip(2) } else { Ok(Some(())) }
    }

    /// Reads the trailer of a member: whether checksum and length are right.
    fn trailer(&mut self) -> io::Result<bool> {
        Ok(self.number(4)? == Some(self.crc.sum()) && self.number(4)? == Some(self.crc.amount()))
    }

    /// Inflates into `out`; 0 at the end of the member.
    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            self.fill()?;
            let input = self.parts.input.get(self.at..self.filled).unwrap_or_default();
            let (before_in, before_out) = (self.parts.inflate.total_in(), self.parts.inflate.total_out());
            let outcome = self.parts.inflate.decompress(input, out, FlushDecompress::None);
            let used = usize::try_from(self.parts.inflate.total_in() - before_in).unwrap_or_default();
            self.at += used;
            let made = usize::try_from(self.parts.inflate.total_out() - before_out).unwrap_or_default();
            self.crc.update(out.get(..made).unwrap_or_default());
            match outcome {
                Ok(Status::StreamEnd) => {
                    self.state = State::Header;
                    if !self.trailer()? {
                        self.damaged();
                    }
                    self.crc.reset();
                    self.parts.inflate.reset(false);
                    return Ok(made);
                }
                Ok(_) if made > 0 => return Ok(made),
                Ok(_) if used > 0 => {}
                // Wrong, or cut: neither did it make anything of the rest nor is there more.
                _ => {
                    self.damaged();
                    return Ok(made);
                }
            }
        }
    }

    fn damaged(&mut self) {
        self.damaged = true;
        self.state = State::Done;
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Header => match self.header()? {
                    Next::Member => self.state = State::Body,
                    Next::End => self.state = State::Done,
                    Next::Damage => self.damaged(),
                },
                State::Body => {
                    let made = self.body(out)?;
                    if made > 0 {
                        return Ok(made);
                    }
                }
            }
        }
    }
}

// RFC 1952 section 2.3.1.
const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;

/// Read from the file at once: 64 KiB, the size of a pipe on Linux.
const INPUT_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::Gunzip;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn gunzip(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut text = Vec::new();
        let mut gunzip = Gunzip::new(bytes);
        gunzip.read_to_end(&mut text).unwrap();
        (text, gunzip.is_damaged())
    }

    /// Text that deflate cannot shorten to nothing: numbers in words of their own.
    fn log() -> Vec<u8> {
        (0..5_000_u64).flat_map(|n| format!("line {}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes()).collect()
    }

    #[test]
    fn members_padding_and_optional_header_fields_are_read() {
        let text = log();
        let (front, back) = text.split_at(1000);
        assert_eq!(gunzip(&[gzip(front), gzip(b""), gzip(back)].concat()), (text.clone(), false));
        assert_eq!(gunzip(&[gzip(&text), vec![0; 700]].concat()), (text.clone(), false));
        let named = flate2::GzBuilder::new().filename("a").comment("b").extra(vec![1, 2, 3]);
        let mut encoder = named.write(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&text).unwrap();
        assert_eq!(gunzip(&encoder.finish().unwrap()), (text, false));
    }

    #[test]
    fn everything_before_a_damage_is_kept() {
        let text = log();
        let whole = gzip(&text);
        let mut wrong_crc = whole.clone();
        let at = wrong_crc.len() - 6;
        wrong_crc[at] ^= 1;
        for bytes in [&whole[..whole.len() - 8], &wrong_crc, &[whole.as_slice(), b"garbage"].concat()] {
            assert_eq!(gunzip(bytes), (text.clone(), true));
        }
        for place in [whole.len() / 3, whole.len() / 2, whole.len() - 20] {
            let (kept, damaged) = gunzip(&whole[..place]);
            assert!(damaged && text.starts_with(&kept) && kept.len() > text.len() / 4, "cut at {place}");
        }
        let mut hurt = whole.clone();
        let middle = hurt.len() / 2;
        hurt[middle..middle + 40].fill(0xff);
        let (kept, damaged) = gunzip(&hurt);
        assert!(damaged);
        let same = kept.iter().zip(&text).take_while(|(one, other)| one == other).count();
        assert!(same > text.len() / 4, "{same} of {}", text.len());
    }

    #[test]
    fn what_only_begins_like_gzip_is_damage() {
        for bytes in [&b"\x1f\x8b\x08garbage"[..], b"\x1f\x8b", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"] {
            assert_eq!(gunzip(bytes), (Vec::new(), true));
        }
    }
}
