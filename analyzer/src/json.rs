//! A pull reader for JSON that somebody else may have shaped.
//!
//! General JSON libraries lose a whole audit event over one lone surrogate, a number beyond `f64`, a few hundred
//! nested arrays or a repeated key, and a client of the API server can put each of these into a PATCH body. This
//! reader walks the text, hands out what is asked for, and steps over the rest without recursion: depth costs
//! nothing. Lone surrogates and invalid UTF-8 become U+FFFD. Repeated keys are handed out one by one, so that the
//! caller decides. Where the text ends inside a value the fault is [`Fault::End`], which is how a cut line shows.

mod strings;

use std::borrow::Cow;

pub use self::strings::unescape;
pub(crate) use self::strings::{bare_quote, stop};
use self::strings::{closing_quote, copy_to_stop, lossy, undo};

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
        let stop = stop(self.text, start).ok_or_else(|| self.end())?;
        let plain = self.text.get(start..stop).unwrap_or_default();
        if self.text.get(stop) == Some(&b'\\') {
            return self.escaped_string(start, stop).map(Cow::Owned);
        }
        self.at = stop + 1;
        // Checked first, because the lossy way is several times slower on what is nearly always valid.
        Ok(std::str::from_utf8(plain).map_or_else(|_| String::from_utf8_lossy(plain), Cow::Borrowed))
    }

    /// Reads the rest of a string that began at `start` and whose first backslash stands at `at`.
    fn escaped_string(&mut self, start: usize, mut at: usize) -> Result<String> {
        let rest = self.text.get(at..).unwrap_or_default();
        // The end, but where a backslash stands before it; it is only how much room to make.
        let length = bare_quote(rest).unwrap_or(rest.len()) + at - start;
        let mut bytes = Vec::with_capacity(length + COPIED_BYTES);
        bytes.extend_from_slice(self.text.get(start..at).unwrap_or_default());
        while self.text.get(at) == Some(&b'\\') {
            let escape = self.text.get(at + 1..).unwrap_or_default();
            let Some(escape) = undo(escape, &mut bytes) else {
                let is_whole = closing_quote(self.text, at).is_some();
                return Err(if is_whole { JsonError { fault: Fault::Unexpected, at: start } } else { self.end() });
            };
            at = copy_to_stop(self.text, at + 1 + escape, &mut bytes).ok_or_else(|| self.end())?;
        }
        self.at = at + 1;
        Ok(lossy(bytes))
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
    pub fn strings<C: Default + Extend<Cow<'a, str>>>(&mut self) -> Result<C> {
        let mut out = C::default();
        match self.peek()? {
            Kind::Null => self.skip()?,
            _ => self.array(|reader| {
                out.extend([reader.string()?]);
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

/// A string is copied in pieces of so many bytes, the last of them taken back in part.
const COPIED_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::{Fault, Kind, Reader};

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
