//! The structured style of klog, `"message" key="value" other=3`, taken apart.

use super::{KlogEntry, unquote};
use crate::json::Reader;

/// Message and fields of an entry of either style. One of the older style, free text, has no fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structured<'a> {
    /// The message, its quoting undone.
    pub message: String,
    /// The fields in their order.
    pub fields: Vec<(&'a str, String)>,
}

impl Structured<'_> {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str())
    }
}

impl KlogEntry<'_> {
    /// Message and fields.
    #[must_use]
    pub fn structured(&self) -> Structured<'_> {
        let Some((message, rest)) = self.message.strip_prefix('"').and_then(unquote) else {
            return Structured { message: self.message.clone().into_owned(), fields: Vec::new() };
        };
        Structured { message, fields: fields(rest) }
    }
}

/// `key="value"`, `key=<` with lines up to one that closes it, `key={"json":1}`, `key=bare`. Ends where none follows.
fn fields(text: &str) -> Vec<(&str, String)> {
    let mut out = Vec::new();
    let mut rest = text;
    while out.len() < FIELDS_MAX {
        let Some((key, after)) = rest.trim_start().split_once('=') else {
            break;
        };
        let Some((value, after)) = value(after) else {
            break;
        };
        if key.is_empty() || key.contains([' ', '"', '\n']) {
            break;
        }
        out.push((key, value));
        rest = after;
    }
    out
}

fn value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return unquote(quoted);
    }
    if let Some(block) = text.strip_prefix("<\n") {
        // Every line of the value begins with a tab; the line that closes it does not.
        let (value, after) = block.split_once("\n >").unwrap_or((block, ""));
        let lines: Vec<&str> = value.lines().map(|line| line.strip_prefix('\t').unwrap_or(line)).collect();
        return Some((lines.join("\n"), after));
    }
    if text.starts_with(['{', '[']) {
        let mut reader = Reader::new(text.as_bytes());
        if reader.skip().is_ok()
            && let Some((value, after)) = text.split_at_checked(reader.offset())
        {
            return Some((value.to_owned(), after));
        }
    }
    let (value, after) = text.split_at_checked(text.find([' ', '\n']).unwrap_or(text.len()))?;
    Some((value.to_owned(), after))
}

/// Most fields read from one entry; the API server writes about ten.
const FIELDS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::FIELDS_MAX;
    use crate::klog::entries;

    #[test]
    fn both_styles_and_every_form_of_value_are_read() {
        let line = concat!(
            "E1123 06:52:33.508056   30538 a.go:75] \"A \\\"quoted\\\" message\" err=\"[a, \\\"b\\\"]\" ",
            "config={\"type\":\"a b\",\"n\":[1, 2]} count=3 list=[a b] many=<\n\tline 1\n\tline = 2\n > last=\"x\""
        );
        let entry = &entries([(None, line)])[0];
        let read = entry.structured();
        assert_eq!(read.message, "A \"quoted\" message");
        let rows =
            [("err", "[a, \"b\"]"), ("config", "{\"type\":\"a b\",\"n\":[1, 2]}"), ("count", "3"), ("list", "[a")];
        for (key, value) in rows {
            assert_eq!(read.field(key), Some(value), "{key}");
        }
        let free = &entries([(None, "I1123 06:52:33.508056   30538 a.go:75] FLAG: --x=\"y\"")])[0];
        assert_eq!(free.structured().message, "FLAG: --x=\"y\"");
        assert_eq!(free.structured().field("FLAG: --x"), None);
    }

    #[test]
    fn a_value_of_several_lines_reads_the_same_whole_or_split() {
        let lines = ["E1123 06:52:33.508056   30538 a.go:75] \"m\" err=<", "\tline 1", "\tline 2", " > last=\"x\""];
        let whole = lines.join("\n");
        for entry in [entries([(None, whole.as_str())]), entries(lines.map(|line| (None, line)))] {
            let read = entry[0].structured();
            assert_eq!((read.field("err"), read.field("last")), (Some("line 1\nline 2"), Some("x")));
        }
    }

    #[test]
    fn fields_at_their_limit_are_read_and_one_past_it_is_not() {
        let fields: Vec<String> = (0..=FIELDS_MAX).map(|number| format!("f{number}=x")).collect();
        let line = format!("E1123 06:52:33.508056   30538 a.go:75] \"m\" {}", fields.join(" "));
        let entry = &entries([(None, line.as_str())])[0];
        let read = entry.structured();
        assert_eq!(read.field(&format!("f{}", FIELDS_MAX - 1)), Some("x"), "the last at the limit");
        assert_eq!(read.field(&format!("f{FIELDS_MAX}")), None, "FIELDS_MAX + 1 fields, of which the last is left out");
    }
}
