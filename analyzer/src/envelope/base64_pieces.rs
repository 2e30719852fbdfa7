//! Base64 that is decoded while it is read.

use std::borrow::Cow;
use std::io::{self, Read};

use base64::Engine as _;
use base64_simd::{AsOut as _, STANDARD};

use super::{EnvelopeError, LENIENT, without_blanks};

/// Base64, decoded in pieces.
#[derive(Debug)]
pub(super) struct Base64<'d> {
    data: Cow<'d, str>,
    at: usize,
    /// White space is looked for only where something is wrong: hardly any base64 has some.
    is_without_blanks: bool,
}

impl<'d> Base64<'d> {
    /// From its beginning.
    pub(super) fn new(data: &'d str) -> Self {
        Self { data: Cow::Borrowed(data), at: 0, is_without_blanks: false }
    }

    /// The first bytes, without reading them.
    pub(super) fn start(&self) -> Result<[u8; 3], EnvelopeError> {
        let mut start = [0; 3];
        let mut again = Base64 { data: Cow::Borrowed(self.data.as_ref()), ..*self };
        again.read(&mut start).map_err(|_| EnvelopeError::Base64)?;
        Ok(start)
    }
}

impl Base64<'_> {
    /// Decodes as much of the rest as has room.
    fn piece(&mut self, out: &mut [u8]) -> Option<usize> {
        let rest = self.data.as_bytes().get(self.at..)?;
        let piece = rest.get(..out.len() / 3 * 4).unwrap_or(rest);
        // Padding belongs to the very end. Without room for three bytes there is no piece.
        if piece.len() < rest.len() && (piece.is_empty() || piece.ends_with(b"=")) {
            return None;
        }
        // The quick decoder wants its padding, so it has the first word and not the last.
        let decoded = match STANDARD.decode(piece, out.as_out()) {
            Ok(decoded) => decoded.len(),
            Err(_) => LENIENT.decode_slice(piece, out).ok()?,
        };
        self.at += piece.len();
        Some(decoded)
    }
}

impl Read for Base64<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let decoded = self.piece(out);
        if decoded.is_some() || self.is_without_blanks {
            return decoded.ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        // What was decoded before had no blanks in it, or it would have stopped there.
        let rest = self.data.get(self.at..).unwrap_or_default();
        *self = Self { data: Cow::Owned(without_blanks(rest).into_owned()), at: 0, is_without_blanks: true };
        self.read(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Base64, LENIENT};

    fn read(text: &str) -> Option<Vec<u8>> {
        let (mut reader, mut piece, mut decoded) = (Base64::new(text), [0; 300], Vec::new());
        loop {
            match reader.read(&mut piece).ok()? {
                0 => return Some(decoded),
                read => decoded.extend_from_slice(&piece[..read]),
            }
        }
    }

    #[test]
    fn the_quick_decoder_says_what_the_other_one_says() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 2, 3, 46, 47, 48, 97, 256] {
            let encoded = STANDARD.encode(&bytes[..length]);
            for place in 0..encoded.len() {
                let (front, back) = encoded.split_at(place);
                let (_, behind) = back.split_at(1);
                assert_eq!(read(front), LENIENT.decode(front).ok(), "{front}");
                for other in ('!'..='~').chain(['\u{e9}']) {
                    let text = format!("{front}{other}{behind}");
                    assert_eq!(read(&text), LENIENT.decode(&text).ok(), "{text}");
                }
            }
        }
    }

    #[test]
    fn base64_in_pieces_is_base64_as_a_whole() {
        let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for length in [0, 1, 2, 3, 9_999, 10_000] {
            let encoded = STANDARD.encode(&bytes[..length]);
            let (front, back) = encoded.split_at(encoded.len() / 2);
            let broken = format!("{front}\r\n{back}");
            for text in [encoded.trim_end_matches('='), &encoded, &broken] {
                assert_eq!(read(text).as_deref(), Some(&bytes[..length]));
            }
        }
        let inside = format!("{}{}", STANDARD.encode([7; 100]), STANDARD.encode([7; 100]));
        for size in [99, 102, 300] {
            let mut reader = Base64::new(&inside);
            let mut piece = vec![0; size];
            let wrong = std::iter::repeat_with(|| reader.read(&mut piece)).take(4).any(|read| read.is_err());
            assert!(wrong, "padding in the middle, in pieces of {size}");
        }
    }
}
