//! Strings of JSON by their bytes: where they end, and what their escapes stand for (RFC 8259 section 7).

/// Where the next quote or backslash stands, from `at` on. Eight bytes at a time: strings are too short for more, and a byte at
/// a time takes three times as long.
pub(crate) fn stop(text: &[u8], at: usize) -> Option<usize> {
    let (words, tail) = text.get(at..)?.as_chunks::<8>();
    let mut passed = at;
    for word in words {
        if let Some(found) = stop_in(*word) {
            return Some(passed + found);
        }
        passed += 8;
    }
    tail.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|found| passed + found)
}

/// The same, copying what stands before it: whole words, and what was too much taken back.
pub(super) fn copy_to_stop(text: &[u8], at: usize, bytes: &mut Vec<u8>) -> Option<usize> {
    let (words, tail) = text.get(at..)?.as_chunks::<8>();
    let mut passed = at;
    for word in words {
        bytes.extend_from_slice(word);
        if let Some(found) = stop_in(*word) {
            bytes.truncate(bytes.len() + found - word.len());
            return Some(passed + found);
        }
        passed += 8;
    }
    let found = tail.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    bytes.extend_from_slice(tail.get(..found)?);
    Some(passed + found)
}

fn stop_in(word: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(word);
    let hit = has(word, b'"') | has(word, b'\\');
    (hit != 0).then(|| usize::try_from(hit.trailing_zeros() / 8).unwrap_or_default())
}

/// Where the string ends whose first backslash stands at `at`: at the first quote with an even number of backslashes before
/// it.
pub(super) fn closing_quote(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let ends = |quote: &usize| {
        let before = rest.get(..*quote).unwrap_or_default();
        before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
    };
    memchr::memchr_iter(b'"', rest).find(ends).map(|quote| at + quote)
}

/// Where the first quote stands that has no backslash before it, in a text whose first byte is no quote.
#[expect(clippy::needless_bitwise_bool, reason = "a way out between the two comparisons would keep them one by one")]
pub(crate) fn bare_quote(text: &[u8]) -> Option<usize> {
    let before = text;
    let text = text.get(1..)?;
    let ends = |(byte, before): (&u8, &u8)| (*byte == b'"') & (*before != b'\\');
    let (chunks, blocks) = (text.as_chunks::<64>().0, before.as_chunks::<64>().0);
    // Without a way out of the inner loop it becomes a few instructions for all of them.
    let none = |(chunk, before): &(&[u8; 64], &[u8; 64])| {
        !chunk.iter().zip(before.iter()).fold(false, |found, pair| found | ends(pair))
    };
    let passed = 64 * chunks.iter().zip(blocks).take_while(none).count();
    let found = text.get(passed..)?.iter().zip(before.get(passed..)?).position(ends)?;
    Some(1 + passed + found)
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
        let escape = after.get(1..)?;
        rest = escape.get(undo(escape, &mut bytes)?..)?;
    }
    bytes.extend_from_slice(rest);
    Some(lossy(bytes))
}

/// Undoes the escape whose backslash stands before `escape`, and tells how many bytes it has behind that.
pub(super) fn undo(escape: &[u8], bytes: &mut Vec<u8>) -> Option<usize> {
    bytes.push(match escape.first()? {
        &plain @ (b'"' | b'\\' | b'/') => plain,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            let (character, length) = unicode_escape(escape.get(1..)?)?;
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(1 + length);
        }
        _ => return None,
    });
    Some(1)
}

pub(super) fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
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
    use proptest::prelude::*;

    use super::unescape;
    use crate::json::{Fault, Reader};

    proptest! {
        /// Whatever stands behind it, and wherever it is cut.
        #[test]
        fn a_string_is_read_as_it_was_written(text in r#"[a-z"\\/\n\t\x01é\u{1f600}]{0,40}"#, behind in r#"[a-z"\\]{0,20}"#) {
            let written = serde_json::to_string(&text).unwrap();
            let whole = format!("{written}{behind}");
            let mut reader = Reader::new(whole.as_bytes());
            prop_assert_eq!(reader.string().unwrap(), text.as_str());
            prop_assert_eq!(reader.offset(), written.len());
            for length in 0..written.len() {
                let cut = Reader::new(&written.as_bytes()[..length]).string();
                prop_assert_eq!(cut.unwrap_err().fault, Fault::End, "{} of {}", length, &written);
            }
        }
    }

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
}
