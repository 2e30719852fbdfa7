//! Finding where a JSON value ends, in text that arrives piece by piece and may break off anywhere.

/// How far the search for the end of a value came. It can be continued when more text is there.
#[derive(Debug)]
pub(super) struct ValueScan {
    at: usize,
    /// One bit per open bracket, 1 for an object, the innermost lowest. Beyond 64 the outer ones are
    /// forgotten and pass for arrays, in which more is allowed.
    kinds: u64,
    depth: usize,
    in_string: bool,
    /// The last byte that is neither white space nor inside a string.
    previous: u8,
    /// Whether a line break inside a string means that the line was cut.
    lines: bool,
}

/// What a search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scanned {
    /// The value ends before this offset.
    Complete(usize),
    /// The text so far is the beginning of a value.
    Partial,
    /// What stands at this offset cannot stand in a value.
    Broken(usize),
}

impl ValueScan {
    /// A scan of text in which each record stands on a line of its own or is laid out over several lines by a
    /// printer, which never breaks a line inside a string.
    pub(super) fn of_lines() -> Self {
        Self { at: 0, kinds: 0, depth: 0, in_string: false, previous: b':', lines: true }
    }

    /// A scan of a value inside a larger document.
    pub(super) fn of_element() -> Self {
        Self { lines: false, ..Self::of_lines() }
    }

    /// A scan for the end of an object of which the beginning was read already.
    pub(super) fn of_open_object() -> Self {
        Self { kinds: 1, depth: 1, previous: b']', ..Self::of_element() }
    }

    /// Goes on with `text`, which begins where it began before and may be longer.
    pub(super) fn advance(&mut self, text: &[u8]) -> Scanned {
        while let Some(&byte) = text.get(self.at) {
            if self.in_string {
                match self.string(text) {
                    Some(Scanned::Complete(end)) if self.depth == 0 => return Scanned::Complete(end),
                    Some(Scanned::Complete(_)) => {}
                    Some(other) => return other,
                    None => return Scanned::Partial,
                }
                continue;
            }
            if let Some(outcome) = self.token(byte) {
                return outcome;
            }
            self.at += 1;
        }
        Scanned::Partial
    }

    /// The text before this offset need not be kept; the next call begins there.
    pub(super) fn rebase(&mut self) -> usize {
        std::mem::take(&mut self.at)
    }

    fn token(&mut self, byte: u8) -> Option<Scanned> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                if self.depth == 0 && self.previous == b'0' {
                    return Some(Scanned::Complete(self.at));
                }
                return None;
            }
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                // Directly inside an object only a key may stand, and a key is a string.
                let follows = if self.kinds & 1 == 1 { b":".as_slice() } else { b":[," };
                if !follows.contains(&self.previous) {
                    return Some(Scanned::Broken(self.at));
                }
                self.kinds = (self.kinds << 1) | u64::from(byte == b'{');
                self.depth += 1;
            }
            b'}' | b']' => {
                if self.depth == 0 {
                    return Some(self.end_of_word());
                }
                self.kinds >>= 1;
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(Scanned::Complete(self.at + 1));
                }
            }
            b',' if self.depth == 0 => return Some(self.end_of_word()),
            b',' | b':' => {}
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E' => {
                self.previous = b'0';
                return None;
            }
            _ => return Some(Scanned::Broken(self.at)),
        }
        self.previous = byte;
        None
    }

    fn end_of_word(&self) -> Scanned {
        if self.previous == b'0' { Scanned::Complete(self.at) } else { Scanned::Broken(self.at) }
    }

    /// Goes on to the end of a string; `None` when the text ends before.
    fn string(&mut self, text: &[u8]) -> Option<Scanned> {
        loop {
            let rest = text.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                self.at = text.len();
                return None;
            };
            match rest.get(found) {
                Some(b'\\') => {
                    // An escape at the very end is looked at again, whole.
                    if rest.len() < found + 2 {
                        self.at += found;
                        return None;
                    }
                    self.at += found + 2;
                }
                Some(b'\n') if self.lines => return Some(Scanned::Broken(self.at + found)),
                Some(b'\n') => self.at += found + 1,
                _ => {
                    self.at += found + 1;
                    self.in_string = false;
                    return Some(Scanned::Complete(self.at));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Scanned, ValueScan};

    fn check(text: &str, expected: Scanned) {
        assert_eq!(ValueScan::of_lines().advance(text.as_bytes()), expected, "{text}");
        // The same when it comes byte by byte.
        let mut scan = ValueScan::of_lines();
        let outcome = (1..=text.len())
            .map(|length| scan.advance(&text.as_bytes()[..length]))
            .find(|outcome| *outcome != Scanned::Partial);
        assert_eq!(outcome.unwrap_or(Scanned::Partial), expected, "{text} byte by byte");
    }

    #[test]
    fn the_end_of_a_value_is_found() {
        for (text, end) in [
            (r#"{"a":1}"#, 7),
            (r#"{"a":1}{"b":2}"#, 7),
            (r#"{"a":"}\"{"} x"#, 12),
            ("{\n \"a\": [1,\n {\"b\": null}]\n}\n", 27),
            (r#"[[],{"a":{}}]"#, 13),
            (r#""a\"b" "#, 6),
            ("12,", 2),
            ("true]", 4),
        ] {
            check(text, Scanned::Complete(end));
        }
    }

    #[test]
    fn text_that_may_go_on_is_told_from_text_that_is_wrong() {
        for text in [r#"{"a":"#, r#"{"a":"b"#, "{", "[1,", r#"{"a":"\"#, "12"] {
            check(text, Scanned::Partial);
        }
        for (text, at) in
            [("{\"a\":\"cut\n{\"b\":1}", 9), ("{\"a\":1,\n{\"b\":1}", 8), ("{\n{\"b\":1}", 2), ("{hello World}", 7)]
        {
            check(text, Scanned::Broken(at));
        }
    }

    #[test]
    fn depth_beyond_what_is_remembered_is_still_counted() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        check_whole(&deep);
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        check_whole(&deep);
    }

    fn check_whole(text: &str) {
        assert_eq!(ValueScan::of_lines().advance(text.as_bytes()), Scanned::Complete(text.len()));
    }
}
