//! Printable, bounded text: whatever stands in a log line is made harmless here before a person or a machine sees it.

use std::fmt::Write as _;

/// `text` with every character that could deceive a reader or drive a terminal written as a visible escape, cut to
/// about `max` characters. Letters of any script stay as they are.
///
/// Escaped are control characters (line breaks included), bidirectional overrides and isolates, zero-width
/// characters, other invisible format characters, private-use characters and U+FFFD's companions; see Unicode TR #36
/// and #39 for what each is used for.
#[must_use]
pub fn printable(text: &str, max: usize) -> String {
    // Nearly every text is of these characters, none of which deceives.
    if text.len() <= max && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len().min(max.saturating_add(8)));
    for (count, character) in text.chars().enumerate() {
        if count >= max {
            out.push_str("...");
            break;
        }
        if is_deceptive(character) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

/// [`printable`] at the usual length for a name: [`NAME_CHARS_MAX`].
#[must_use]
pub fn name(text: &str) -> String {
    printable(text, NAME_CHARS_MAX)
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffc}'
                | '\u{e0000}'..='\u{e0fff}'
                | '\u{f0000}'..='\u{10ffff}'
        )
}

/// 32 lower-case hex digits that stand for these parts, in this order: the first half of their SHA-256, each part led by
/// its length.
#[must_use]
pub fn digest<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut text = String::with_capacity(32);
    for byte in hasher.finalize().iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// An ARN without the parts that say little: `arn:aws:sts::111122223333:assumed-role/dev/nina` is `dev/nina`. Any other
/// name as it is.
#[must_use]
pub fn short(name: &str) -> &str {
    let resource = name.strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4));
    match resource {
        Some(resource) => {
            ["assumed-role/", "user/", "role/"].iter().find_map(|kind| resource.strip_prefix(kind)).unwrap_or(resource)
        }
        None => name,
    }
}

/// Undoes the `%XX` of a URI (RFC 3986 section 2.1). What is no such escape stays as it is.
#[must_use]
pub fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits
            .filter(|digits| byte == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Breaks `text` at blanks into lines of at most `width` characters. A longer word stays whole, so that an ARN can be
/// copied.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines.push(line);
    lines
}

/// One line of at most [`Headline::CHARS_MAX`] printable ASCII characters, fit for an SNS subject.
///
/// SNS takes fewer than 100 characters without line breaks or control characters (SNS API reference, Publish).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Headline(String);

impl Headline {
    /// The longest headline, in characters (and bytes, since it is ASCII).
    pub const CHARS_MAX: usize = 99;

    /// Makes `text` fit: other characters become `?`, what is too long ends in `...`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut out: String =
            text.chars().map(|character| if matches!(character, ' '..='~') { character } else { '?' }).collect();
        if out.len() > Self::CHARS_MAX {
            out.truncate(Self::CHARS_MAX - 3);
            out.push_str("...");
        }
        Self(out)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Headline {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Longest name copied into an alert, in characters. Kubernetes object names have at most 253; an IAM role session
/// ARN about 200.
pub const NAME_CHARS_MAX: usize = 256;

/// Longest user agent copied into an alert, in characters. The API server keeps 1,024 bytes of it.
pub const AGENT_CHARS_MAX: usize = 160;

#[cfg(test)]
mod tests {
    use super::{Headline, NAME_CHARS_MAX, name, percent_decoded, printable, short, wrap};

    #[test]
    fn arns_are_shown_short() {
        for (name, shown) in [
            ("arn:aws:sts::111122223333:assumed-role/dev/nina", "dev/nina"),
            ("arn:aws:iam::111122223333:user/team/ann", "team/ann"),
            ("arn:aws:iam::111122223333:root", "root"),
            ("arn:aws", "arn:aws"),
            ("dev:engineers", "dev:engineers"),
        ] {
            assert_eq!(short(name), shown);
        }
    }

    #[test]
    fn text_wraps_at_blanks_and_long_words_stay_whole() {
        assert_eq!(wrap("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrap("ab abcdefgh ij", 3), ["ab", "abcdefgh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn what_could_deceive_a_reader_is_written_out() {
        let rows = [
            ("alice", "alice"),
            ("josé Ждан 東京", "josé Ждан 東京"),
            ("a\nb\r\tc", "a\\u{a}b\\u{d}\\u{9}c"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("nimda\u{202e}", "nimda\\u{202e}"),
            ("cluster\u{200b}admin", "cluster\\u{200b}admin"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
        ];
        for (raw, shown) in rows {
            assert_eq!(name(raw), shown);
        }
    }

    #[test]
    fn text_is_cut_at_its_limit() {
        assert_eq!(printable("abcdef", 3), "abc...");
        assert_eq!(printable("abc", 3), "abc");
        let long = |chars: usize| "ж".repeat(chars);
        assert_eq!(name(&long(NAME_CHARS_MAX)), long(NAME_CHARS_MAX));
        assert_eq!(name(&long(NAME_CHARS_MAX + 1)), long(NAME_CHARS_MAX) + "...");
        let headline = |chars: usize| Headline::new(&"x".repeat(chars)).as_str().to_owned();
        assert_eq!(headline(Headline::CHARS_MAX), "x".repeat(Headline::CHARS_MAX));
        let cut = headline(Headline::CHARS_MAX + 1);
        assert!(cut.len() == Headline::CHARS_MAX && cut.ends_with("..."), "{cut}");
    }

    #[test]
    fn a_headline_is_short_printable_ascii_whatever_it_is_made_from() {
        let long = "x".repeat(500);
        for raw in ["", "plain", "new\nline", "Ж", long.as_str(), "\u{1b}[2J"] {
            let headline = Headline::new(raw);
            assert!(headline.as_str().len() <= Headline::CHARS_MAX);
            assert!(headline.as_str().bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{headline:?}");
        }
        assert!(Headline::new(&long).as_str().ends_with("..."));
    }

    #[test]
    fn percent_escapes_are_undone() {
        for (raw, plain) in [("a%3Ab%2Fc", "a:b/c"), ("100%", "100%"), ("%zz%+1", "%zz%+1"), ("%ff", "\u{fffd}")] {
            assert_eq!(percent_decoded(raw), plain);
        }
    }
}
