//! Taking off what lies around the text: gzip, gzip over gzip, byte order marks, UTF-16.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rolewatch_analyzer::envelope::Gunzip;

/// Text, and what became known on the way to it.
pub(super) struct Unpacked<'r> {
    /// The text, read as it is asked for.
    pub(super) reader: Box<dyn Read + Send + 'r>,
    /// Set once a gzip layer turned out to be damaged.
    pub(super) damage: Arc<AtomicBool>,
    /// After [`GZIP_LAYERS_MAX`] layers there was still gzip.
    pub(super) nested: bool,
}

/// Takes the wrapping off `raw`, layer by layer.
pub(super) fn unpack<'r>(raw: impl Read + Send + 'r) -> io::Result<Unpacked<'r>> {
    let damage = Arc::new(AtomicBool::new(false));
    let mut reader: Box<dyn Read + Send + 'r> = Box::new(raw);
    for _ in 0..GZIP_LAYERS_MAX {
        let (head, rest) = peek(reader)?;
        if !head.starts_with(&[0x1f, 0x8b, 8]) {
            return Ok(Unpacked { reader: decoded(&head, rest), damage, nested: false });
        }
        reader = Box::new(Layer { gunzip: Gunzip::new(rest), damage: Arc::clone(&damage) });
    }
    let (head, reader) = peek(reader)?;
    Ok(Unpacked { nested: head.starts_with(&[0x1f, 0x8b, 8]), reader, damage })
}

/// One layer of gzip, whose damage is to be known above all the others.
struct Layer<R> {
    gunzip: Gunzip<R>,
    damage: Arc<AtomicBool>,
}

impl<R: Read> Read for Layer<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.gunzip.read(out);
        if self.gunzip.is_damaged() {
            self.damage.store(true, Ordering::Relaxed);
        }
        read
    }
}

/// The first bytes of `reader`, and a reader that still begins with them.
fn peek<'r>(mut reader: Box<dyn Read + Send + 'r>) -> io::Result<(Vec<u8>, Box<dyn Read + Send + 'r>)> {
    let mut head = Vec::with_capacity(3);
    reader.by_ref().take(3).read_to_end(&mut head)?;
    let again = io::Cursor::new(head.clone());
    Ok((head, Box::new(again.chain(reader))))
}

/// The text without its byte order mark, and as UTF-8. `aws logs ... > file` writes UTF-16 in Windows PowerShell 5.
fn decoded<'r>(head: &[u8], reader: Box<dyn Read + Send + 'r>) -> Box<dyn Read + Send + 'r> {
    match head {
        [0xff, 0xfe, ..] => {
            Box::new(Utf16 { reader, decode: u16::from_le_bytes, half: None, ready: Vec::new(), at: 0 })
        }
        [0xfe, 0xff, ..] => {
            Box::new(Utf16 { reader, decode: u16::from_be_bytes, half: None, ready: Vec::new(), at: 0 })
        }
        _ => reader,
    }
}

/// UTF-16 read as UTF-8. What is no UTF-16 becomes U+FFFD; a mark at the start stays and is blank to the reader.
struct Utf16<'r> {
    reader: Box<dyn Read + Send + 'r>,
    decode: fn([u8; 2]) -> u16,
    /// A high surrogate that waits for its partner.
    half: Option<u16>,
    ready: Vec<u8>,
    at: usize,
}

impl Utf16<'_> {
    fn refill(&mut self) -> io::Result<()> {
        let mut block = Vec::with_capacity(UTF16_BLOCK_BYTES);
        let limit = u64::try_from(UTF16_BLOCK_BYTES).unwrap_or(u64::MAX);
        self.reader.by_ref().take(limit).read_to_end(&mut block)?;
        let mut units: Vec<u16> = self.half.take().into_iter().collect();
        units.extend(block.chunks_exact(2).filter_map(|pair| Some((self.decode)(pair.try_into().ok()?))));
        let ended = block.len() < UTF16_BLOCK_BYTES;
        if let Some(high @ 0xd800..0xdc00) = units.last().copied().filter(|_| !ended) {
            units.pop();
            self.half = Some(high);
        }
        let text: String = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        (self.ready, self.at) = (text.into_bytes(), 0);
        Ok(())
    }
}

impl Read for Utf16<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.refill()?;
        }
        let mut rest = self.ready.get(self.at..).unwrap_or_default();
        let read = rest.read(out)?;
        self.at += read;
        Ok(read)
    }
}

/// Gzip over gzip over gzip. Firehose makes two layers: its own over the one of CloudWatch Logs.
const GZIP_LAYERS_MAX: usize = 3;
/// Even, so that no unit is torn.
const UTF16_BLOCK_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::{GZIP_LAYERS_MAX, UTF16_BLOCK_BYTES, unpack};

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text(bytes: &[u8]) -> (String, bool) {
        let mut unpacked = unpack(bytes).unwrap();
        let mut text = Vec::new();
        unpacked.reader.read_to_end(&mut text).unwrap();
        (String::from_utf8_lossy(&text).into_owned(), unpacked.nested)
    }

    #[test]
    fn layers_come_off_up_to_the_limit() {
        let mut bytes = b"plain".to_vec();
        for layers in 0..=GZIP_LAYERS_MAX {
            assert_eq!(text(&bytes), ("plain".to_owned(), false), "{layers} layers");
            bytes = gzip(&bytes);
        }
        assert!(text(&bytes).1);
        assert_eq!(text(b""), (String::new(), false));
    }

    #[test]
    fn utf16_is_read_as_utf8() {
        let long = "x".repeat(UTF16_BLOCK_BYTES / 2 - 2) + "\u{1f600}y";
        for written in ["\u{feff}{\"a\":\"\u{e9}\"}\r\n", &format!("\u{feff}{long}")] {
            let little: Vec<u8> = written.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = written.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(text(&little).0, written);
            assert_eq!(text(&big).0, written);
        }
    }
}
