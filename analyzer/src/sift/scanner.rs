//! Reading JSON where it lies, also while it is still a string inside another document.
//!
//! With `ESCAPED` a string opens and closes with `\"`, and an escape inside it begins with `\\`; everything else is the
//! same. The scanner knows what the API server writes and nothing more: whatever else it meets, it gives the line to the
//! careful reader ([`crate::json`]), which it never contradicts. What it takes for well-formed, that reader takes, too.

use crate::audit::tail;
use crate::json;

/// The line has to be read with care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Careful;

pub(super) type Scan<T> = Result<T, Careful>;

/// A position in JSON text.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a, const ESCAPED: bool> {
    text: &'a [u8],
    at: usize,
}

impl<'a, const ESCAPED: bool> Scanner<'a, ESCAPED> {
    /// A scanner at `at`.
    pub(super) fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    /// Bytes from the start of the text.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Goes to a place that is known to stand between two tokens.
    pub(super) fn jump(&mut self, at: usize) {
        self.at = at;
    }

    /// The bytes from `from` up to here.
    pub(super) fn since(&self, from: usize) -> Scan<&'a [u8]> {
        self.text.get(from..self.at).ok_or(Careful)
    }

    /// The bytes from here on.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over `byte`, which has to be the next one.
    pub(super) fn byte(&mut self, byte: u8) -> Scan<()> {
        if self.peek() != Some(byte) {
            return Err(Careful);
        }
        self.at += 1;
        Ok(())
    }

    /// Steps over `bytes`, which have to be the next ones.
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Scan<()> {
        if !self.rest().starts_with(bytes) {
            return Err(Careful);
        }
        self.at += bytes.len();
        Ok(())
    }

    /// Whether `bytes` are the next ones.
    pub(super) fn meets(&self, bytes: &[u8]) -> bool {
        self.rest().starts_with(bytes)
    }

    /// Steps over `bytes` if they are the next ones.
    pub(super) fn has(&mut self, bytes: &[u8]) -> bool {
        let next = self.meets(bytes);
        self.at += if next { bytes.len() } else { 0 };
        next
    }

    /// Goes from the first body to the members behind the bodies, without looking between. They have to be read to their
    /// end, which has to be that of the event.
    pub(super) fn jump_to_tail(&mut self) -> Scan<()> {
        let rest = self.rest();
        // The string of the document around ends there if a brace stands before: inside a string every quote has a backslash
        // before it, and a quote that opens another string never a brace.
        let end = if ESCAPED { json::bare_quote(rest).ok_or(Careful)? } else { rest.len() };
        let start = end.saturating_sub(TAIL_BYTES_MAX);
        let tail = rest.get(start..end).and_then(tail::start::<ESCAPED>).ok_or(Careful)?;
        self.at += start + tail;
        Ok(())
    }

    /// Steps over `byte` if it is the next one.
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Reads an object, calling `member` with each key; `member` must read exactly the value.
    pub(super) fn object(&mut self, mut member: impl FnMut(&'a [u8], &mut Self) -> Scan<()>) -> Scan<()> {
        self.byte(b'{')?;
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            member(key, self)?;
            if !self.takes(b',') {
                return self.byte(b'}');
            }
        }
    }

    /// Reads a key and its colon.
    pub(super) fn key(&mut self) -> Scan<&'a [u8]> {
        let key = self.plain()?;
        self.byte(b':')?;
        Ok(key)
    }

    /// Reads a string without escapes.
    pub(super) fn plain(&mut self) -> Scan<&'a [u8]> {
        self.quote()?;
        let start = self.at;
        self.at = self.stop()?;
        let text = self.since(start)?;
        self.quote()?;
        Ok(text)
    }

    /// Reads a string whose escapes are all of JSON's, and hands it out as it lies there.
    pub(super) fn string(&mut self) -> Scan<&'a [u8]> {
        self.quote()?;
        let start = self.at;
        loop {
            self.at = self.stop()?;
            // The reasons of authorizers hold names in quotes.
            if ESCAPED && self.has(br#"\\\""#) {
                continue;
            }
            let text = self.since(start)?;
            if self.quote().is_ok() {
                return Ok(text);
            }
            self.escape()?;
        }
    }

    /// The same for a string that nearly always has `N` bytes and no escape.
    pub(super) fn string_of<const N: usize>(&mut self) -> Scan<&'a [u8]> {
        let mut ahead = self.clone();
        ahead.quote()?;
        let text = ahead.rest().first_chunk::<N>();
        // Without a way out in the middle: that is done many bytes at a time.
        let stops = |found, byte: &u8| found | u8::from(matches!(byte, b'"' | b'\\'));
        if let Some(text) = text.filter(|text| text.iter().fold(0, stops) == 0) {
            ahead.at += N;
            if ahead.quote().is_ok() {
                self.at = ahead.at;
                return Ok(text);
            }
        }
        self.string()
    }

    /// Reads a whole number without sign.
    pub(super) fn number(&mut self) -> Scan<u64> {
        let start = self.at;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number * 10 + u64::from(digit - b'0');
            self.at += 1;
        }
        let digits = self.at - start;
        let more = matches!(self.peek(), Some(b'.' | b'e' | b'E' | b'+' | b'-' | b'a'..=b'z'));
        if (1..=DIGITS_MAX).contains(&digits) && !more { Ok(number) } else { Err(Careful) }
    }

    /// Steps over the next value, however deep. Brackets are counted, as the careful reader counts them.
    pub(super) fn skip(&mut self) -> Scan<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek().ok_or(Careful)? {
                b',' | b':' | b' ' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b'"' | b'\\' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.skip_word(),
                _ => return Err(Careful),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_word(&mut self) {
        while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') = self.peek() {
            self.at += 1;
        }
    }

    /// Steps over a string that nobody reads, so its escapes may be anything.
    fn skip_string(&mut self) -> Scan<()> {
        self.quote()?;
        loop {
            self.at = self.stop()?;
            if self.quote().is_ok() {
                return Ok(());
            }
            self.backslash()?;
            if !ESCAPED || self.peek() != Some(b'\\') {
                // Also a quote, where it is not the end of the document around.
                if ESCAPED && self.peek() == Some(b'"') {
                    return Err(Careful);
                }
                self.at += 1;
            } else {
                self.escaped_pair()?;
            }
        }
    }

    /// Steps over the quote that opens or closes a string.
    fn quote(&mut self) -> Scan<()> {
        if ESCAPED {
            if self.peek() != Some(b'\\') || self.text.get(self.at + 1) != Some(&b'"') {
                return Err(Careful);
            }
            self.at += 2;
            return Ok(());
        }
        self.byte(b'"')
    }

    /// Steps over the backslash that begins an escape.
    fn backslash(&mut self) -> Scan<()> {
        self.byte(b'\\')?;
        if ESCAPED { self.byte(b'\\') } else { Ok(()) }
    }

    /// A quote or a backslash behind a backslash, both written with one of their own.
    fn escaped_pair(&mut self) -> Scan<()> {
        self.byte(b'\\')?;
        if self.takes(b'"') { Ok(()) } else { self.byte(b'\\') }
    }

    /// Steps over an escape of JSON.
    fn escape(&mut self) -> Scan<()> {
        self.backslash()?;
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'/') => self.at += 1,
            Some(b'u') => {
                let digits = self.text.get(self.at + 1..self.at + 5).ok_or(Careful)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(Careful);
                }
                self.at += 5;
            }
            Some(b'\\') if ESCAPED => return self.escaped_pair(),
            Some(b'\\' | b'"') if !ESCAPED => self.at += 1,
            _ => return Err(Careful),
        }
        Ok(())
    }

    /// Where the next quote or backslash stands.
    fn stop(&self) -> Scan<usize> {
        json::stop(self.text, self.at).ok_or(Careful)
    }
}

/// What the API server writes behind the bodies takes a quarter of this.
const TAIL_BYTES_MAX: usize = 4 << 10;

/// Digits of a number that is read: times in milliseconds have thirteen, and eighteen fit.
const DIGITS_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Scanner;
    use crate::json::Reader;

    /// A text as it stands inside a string of another document.
    fn escaped(text: &str) -> Vec<u8> {
        let quoted = serde_json::to_string(text).unwrap();
        quoted.as_bytes()[1..quoted.len() - 1].to_vec()
    }

    #[test]
    fn a_string_is_read_in_both_quotings() {
        for (json, plain) in [(r#""abc""#, true), (r#""""#, true), (r#""a\u0026b\"\\\/\n""#, false)] {
            let bytes = escaped(json);
            let mut inner = Scanner::<true>::new(&bytes, 0);
            assert_eq!(inner.clone().plain().is_ok(), plain);
            assert!(inner.string().is_ok() && inner.rest().is_empty(), "{json}");
            let mut outer = Scanner::<false>::new(json.as_bytes(), 0);
            assert_eq!(outer.clone().plain().is_ok(), plain);
            assert_eq!(outer.string().unwrap(), &json.as_bytes()[1..json.len() - 1]);
        }
        for json in [r#""a\qb""#, r#""\u00g0""#, r#""open"#, r#"open""#] {
            assert!(Scanner::<false>::new(json.as_bytes(), 0).string().is_err());
            assert!(Scanner::<true>::new(&escaped(json), 0).string().is_err());
        }
        assert!(Scanner::<true>::new(br#"\"a"b\""#, 0).string().is_err(), "the document around ends here");
        assert!(Scanner::<true>::new(br#"\"a\u0062\""#, 0).string().is_err(), "an escape of the document around");
    }

    #[test]
    fn numbers_are_whole_and_short() {
        for (text, number) in
            [("200}", Some(200)), ("1.5", None), ("1e3", None), ("-1", None), ("", None), (&"1".repeat(19), None)]
        {
            assert_eq!(Scanner::<false>::new(text.as_bytes(), 0).number().ok(), number);
        }
    }

    proptest! {
        /// What the scanner steps over, the careful reader steps over as far.
        #[test]
        fn it_never_takes_what_the_careful_reader_refuses(text in r#"[ \[\]{},:"\\a0\-ntu/é]{0,24}"#) {
            let mut scanner = Scanner::<false>::new(text.as_bytes(), 0);
            if scanner.skip().is_ok() {
                let mut reader = Reader::new(text.as_bytes());
                prop_assert!(reader.skip().is_ok());
                prop_assert_eq!(reader.offset(), scanner.offset());
            }
            let mut scanner = Scanner::<false>::new(text.as_bytes(), 0);
            if scanner.string().is_ok() {
                let mut reader = Reader::new(text.as_bytes());
                prop_assert!(reader.string().is_ok());
                prop_assert_eq!(reader.offset(), scanner.offset());
            }
        }

        /// It sees the same in both quotings, or gives the escaped one to the careful reader.
        #[test]
        fn both_quotings_say_the_same(text in r#"[ \[\]{},:"\\a0\-ntu/é]{0,24}"#) {
            let inside = escaped(&text);
            let mut inner = Scanner::<true>::new(&inside, 0);
            let mut outer = Scanner::<false>::new(text.as_bytes(), 0);
            if inner.skip().is_ok() {
                prop_assert!(outer.skip().is_ok());
                prop_assert_eq!(escaped(text.get(outer.offset()..).unwrap()), inner.rest());
            }
        }
    }
}
