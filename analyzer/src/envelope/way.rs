//! Stepping over a value that is too long to be looked at as a whole.

use crate::json;

/// The way through a value that is too long to be looked at as a whole.
#[derive(Debug, Default)]
pub(super) struct Way {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Way {
    /// Where in the next piece of text the value ends.
    pub(super) fn end(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.in_string && !self.escaped {
                at = json::stop(text, at)?;
            }
            let byte = *text.get(at)?;
            at += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.in_string,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => continue,
            }
            if self.depth == 0 && !self.in_string {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Way;

    #[test]
    fn a_value_ends_at_the_same_byte_however_the_text_is_cut() {
        let value = r#"{"a":"\\","b":["}",{"c\"]":[]}],"d":"x"}"#;
        let text = format!("{value},{{}}]");
        for size in 1..=text.len() {
            let (mut way, mut passed) = (Way::default(), 0);
            for piece in text.as_bytes().chunks(size) {
                let end = way.end(piece);
                passed += end.unwrap_or(piece.len());
                if end.is_some() {
                    break;
                }
            }
            assert_eq!(passed, value.len(), "in pieces of {size}");
        }
        assert_eq!(Way::default().end(br#""a string alone",1"#), Some(16));
    }
}
