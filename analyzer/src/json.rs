//! A pull reader for JSON that somebody else may have shaped.
//!
//! General JSON libraries lose a whole audit event over one lone surrogate, a number beyond `f64`, a few hundred
//! nested arrays or a repeated key, and a client of the API server can put each of these into a PATCH body. This
//! reader walks the text, hands out what is asked for, and steps over the rest without recursion: depth costs
//! nothing. Lone surrogates and invalid UTF-8 become U+FFFD. Repeated keys are handed out one by one, so that the
//! caller decides. Where the text ends inside a value the fault is [`Fault::End`], which is how a cut line shows.

use std::borrow::Cow;

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The text ended inside a value.
    End,
    /// The text is not JSON here, or not the kind of value that was asked for.
    Unexpected,
}

/// A fault and the byte offset where it was met. It carries no text, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the JSON expected at byte {at}")]
pub struct JsonError {
    /// What is wrong.
    pub fault: Fault,
    /// Byte offset from the start of the text that the reader was made for.
    pub at: usize,
}

/// The kind of the next value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number of any size.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

type Result<T> = std::result::Result<T, JsonError>;

/// A position in JSON text.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `text`.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// What follows, from the next token on.
    pub(crate) fn rest(&mut self) -> Result<&'a [u8]> {
        self.next_token()?;
        Ok(self.text.get(self.at..).unwrap_or_default())
    }

    /// Steps over `count` bytes that are known to be there.
    pub(crate) fn pass(&mut self, count: usize) {
        self.at = self.text.len().min(self.at + count);
    }

    /// The kind of the next value, without reading it.
    pub fn peek(&mut self) -> Result<Kind> {
        match self.next_token()? {
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'"' => Ok(Kind::String),
            b'n' => Ok(Kind::Null),
            b't' | b'f' => Ok(Kind::Bool),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            _ => Err(self.unexpected()),
        }
    }

    /// Reads an object, calling `member` with each key; `member` must read exactly the value.
    pub fn object(&mut self, member: impl FnMut(Cow<'a, str>, &mut Self) -> Result<()>) -> Result<()> {
        self.open(b'{')?;
        if self.next_token()? == b'}' {
            self.at += 1;
            return Ok(());
        }
        self.members(member)
    }

    /// Reads the rest of an object, of which the next member is about to begin.
    pub(crate) fn members(&mut self, mut member: impl FnMut(Cow<'a, str>, &mut Self) -> Result<()>) -> Result<()> {
        loop {
            let key = self.string()?;
            self.open(b':')?;
            member(key, self)?;
            match self.next_token()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Reads an array, calling `element` before each element; `element` must read exactly the value.
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.open(b'[')?;
        if self.next_token()? == b']' {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.next_token()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Reads a string.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        self.open(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = stop(self.text, self.at).ok_or_else(|| self.end())?;
            if self.text.get(self.at) == Some(&b'"') {
                break;
            }
            escaped = true;
            self.at += 2;
        }
        let raw = self.text.get(start..self.at).ok_or_else(|| self.end())?;
        self.at += 1;
        if escaped {
            unescape(raw).map(Cow::Owned).ok_or(JsonError { fault: Fault::Unexpected, at: start })
        } else {
            // Checked first, because the lossy way is several times slower on what is nearly always valid.
            Ok(std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed))
        }
    }

    /// What there is of a string that began at `offset` and was cut off; escapes are undone as far as they are whole.
    #[must_use]
    pub fn unfinished_string(&self, offset: usize) -> Cow<'a, str> {
        let rest = self.text.get(offset..).unwrap_or_default();
        let start = rest.iter().position(|byte| *byte == b'"').map_or(rest.len(), |quote| quote + 1);
        let raw = rest.get(start..).unwrap_or_default();
        // The last escape may be torn.
        let whole = (0..=6).filter_map(|cut| raw.get(..raw.len().checked_sub(cut)?)).find_map(unescape);
        Cow::Owned(whole.unwrap_or_default())
    }

    /// Reads a string; `null` and an absent value are `None`.
    pub fn optional_string(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.peek()? {
            Kind::Null => self.skip().map(|()| None),
            _ => self.string().map(Some),
        }
    }

    /// Reads an array of strings; `null` is empty.
    pub fn strings(&mut self) -> Result<Vec<Cow<'a, str>>> {
        let mut out = Vec::new();
        match self.peek()? {
            Kind::Null => self.skip()?,
            _ => self.array(|reader| {
                out.push(reader.string()?);
                Ok(())
            })?,
        }
        Ok(out)
    }

    /// Reads `true` or `false`.
    pub fn bool(&mut self) -> Result<bool> {
        match self.raw()? {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => Err(self.unexpected()),
        }
    }

    /// Reads a whole number.
    pub fn integer(&mut self) -> Result<i64> {
        let raw = self.raw()?;
        std::str::from_utf8(raw).ok().and_then(|text| text.parse().ok()).ok_or_else(|| self.unexpected())
    }

    /// Steps over the next value and hands out its bytes.
    pub fn raw(&mut self) -> Result<&'a [u8]> {
        self.next_token()?;
        let start = self.at;
        self.skip()?;
        self.text.get(start..self.at).ok_or_else(|| self.end())
    }

    /// Steps over the next value, however deep, in constant space.
    ///
    /// Brackets are counted, not matched by kind: `[}` passes. Whoever reads the inside finds out.
    pub fn skip(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        loop {
            match self.next_token()? {
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b'"' => self.skip_string()?,
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.skip_word(),
                _ => return Err(self.unexpected()),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Nothing but white space is left.
    pub fn finish(&mut self) -> Result<()> {
        match self.next_token() {
            Err(JsonError { fault: Fault::End, .. }) => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    /// A fault of kind [`Fault::Unexpected`] here, for callers that dislike a value.
    #[must_use]
    pub fn unexpected(&self) -> JsonError {
        JsonError { fault: Fault::Unexpected, at: self.at }
    }

    fn end(&self) -> JsonError {
        JsonError { fault: Fault::End, at: self.text.len() }
    }

    fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            self.at = stop(self.text, self.at).ok_or_else(|| self.end())?;
            if self.text.get(self.at) == Some(&b'"') {
                self.at += 1;
                return Ok(());
            }
            self.at += 2;
        }
    }

    fn skip_word(&mut self) {
        while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn open(&mut self, byte: u8) -> Result<()> {
        if self.next_token()? == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn next_token(&mut self) -> Result<u8> {
        loop {
            match self.text.get(self.at) {
                None => return Err(self.end()),
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
            }
        }
    }
}

/// Where the next quote or backslash stands, from `at` on. Eight bytes at a time: strings are too short for more, and a byte at
/// a time takes three times as long.
pub(crate) fn stop(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let hit = has(word, b'"') | has(word, b'\\');
        if hit != 0 {
            return Some(at + usize::try_from(hit.trailing_zeros() / 8).unwrap_or_default());
        }
        at += 8;
    }
    let tail = text.get(at..).unwrap_or_default();
    tail.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|found| at + found)
}

/// The highest bit of each byte of `word` that is `byte`. Bytes behind the first such one may be marked, too (Hacker's
/// Delight, section 6-1).
const fn has(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zero_where_equal = word ^ (ONES * byte as u64);
    zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & (ONES << 7)
}

/// The text that a string's bytes (without the quotes) stand for; `None` for an escape that JSON does not have.
#[must_use]
pub fn unescape(raw: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(plain) = memchr::memchr(b'\\', rest) {
        let (before, after) = rest.split_at(plain);
        bytes.extend_from_slice(before);
        rest = after.get(2..)?;
        match after.get(1)? {
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            &plain @ (b'"' | b'\\' | b'/') => bytes.push(plain),
            b'u' => {
                let (character, length) = unicode_escape(rest)?;
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.get(length..)?;
            }
            _ => return None,
        }
    }
    bytes.extend_from_slice(rest);
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The character of `XXXX` or `XXXX\uXXXX` and how many bytes that took. A surrogate without its partner is U+FFFD.
fn unicode_escape(rest: &[u8]) -> Option<(char, usize)> {
    let unit = hex4(rest.get(..4)?)?;
    if let Some(character) = char::from_u32(unit) {
        return Some((character, 4));
    }
    let low = rest.get(4..10).filter(|pair| pair.starts_with(b"\\u")).and_then(|pair| hex4(pair.get(2..)?));
    match low {
        Some(low @ 0xdc00..=0xdfff) if (0xd800..0xdc00).contains(&unit) => {
            let point = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            Some((char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 10))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, 4)),
    }
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, &digit| Some(value * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::{Fault, Kind, Reader, unescape};

    #[test]
    fn strings_mean_what_json_says_and_broken_ones_stay_readable() {
        let rows: &[(&[u8], Option<&str>)] = &[
            (br"plain", Some("plain")),
            (br#"a\"b\\c\/d"#, Some(r#"a"b\c/d"#)),
            (br"\n\t\r\b\f", Some("\n\t\r\u{8}\u{c}")),
            (br"rul\u0065s", Some("rules")),
            (br"\ud83d\ude00", Some("\u{1f600}")),
            (br"x\ud800y", Some("x\u{fffd}y")),
            (br"\ud800\ud800", Some("\u{fffd}\u{fffd}")),
            (br"\udc00", Some("\u{fffd}")),
            (b"\xff\xfe\\n", Some("\u{fffd}\u{fffd}\n")),
            (br"\x41", None),
            (br"\u00", None),
        ];
        for (raw, text) in rows {
            assert_eq!(unescape(raw).as_deref(), *text, "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("[{}1{}]", "[".repeat(200_000), "]".repeat(200_000));
        let mut reader = Reader::new(deep.as_bytes());
        reader.skip().unwrap();
        reader.finish().unwrap();
    }

    #[test]
    fn text_that_stops_inside_a_value_is_told_from_text_that_is_wrong() {
        for (text, fault) in [
            (r#"{"a":"b"#, Fault::End),
            (r#"{"a":"#, Fault::End),
            (r#"{"a":1"#, Fault::End),
            (r#"{"a""#, Fault::End),
            (r"{", Fault::End),
            (r#""\"#, Fault::End),
            ("", Fault::End),
            (r"{a}", Fault::Unexpected),
            (r#"{"a" 1}"#, Fault::Unexpected),
            (r#"{"a":}"#, Fault::Unexpected),
        ] {
            let mut reader = Reader::new(text.as_bytes());
            let error = if text.starts_with('{') {
                reader.object(|_, reader| reader.skip()).unwrap_err()
            } else {
                reader.skip().unwrap_err()
            };
            assert_eq!(error.fault, fault, "{text}");
        }
    }

    #[test]
    fn members_come_in_order_repeated_keys_included() {
        let mut reader = Reader::new(br#" { "a" : [1, 2] , "b": "x", "a": null } "#);
        let mut keys = Vec::new();
        reader
            .object(|key, reader| {
                keys.push((key.into_owned(), reader.peek()?));
                reader.skip()
            })
            .unwrap();
        reader.finish().unwrap();
        assert_eq!(keys, [("a".to_owned(), Kind::Array), ("b".to_owned(), Kind::String), ("a".to_owned(), Kind::Null)]);
    }

    #[test]
    fn numbers_beyond_f64_are_stepped_over() {
        let mut reader = Reader::new(br"[1e999, -0.5e-3, 12]");
        let mut last = 0;
        reader
            .array(|reader| {
                last = reader.integer().unwrap_or_default();
                Ok(())
            })
            .unwrap();
        assert_eq!(last, 12);
    }
}
