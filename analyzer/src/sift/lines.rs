//! Sifting audit events that stand one per line.

use super::scanner::{Careful, Scanner};
use super::{Sifted, Sifter, What, head};
use crate::settings::Settings;
use crate::stream::Source;

/// Lines of one file while they pass by.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'s> {
    /// Where they were read, as the settings complete it.
    pub source: &'s Source,
    /// What the operator decided.
    pub settings: &'s Settings,
    /// How many lines there may be.
    pub lines_max: usize,
    /// How many bytes their texts may have together.
    pub bytes_max: usize,
}

impl Lines<'_> {
    /// Sifts the whole lines at the beginning of `text` up to the first that has to be read by whoever knows more about
    /// files, and tells how many bytes and lines that were.
    pub fn sift(self, text: &[u8], sifter: &mut Sifter, block: &mut Sifted) -> (usize, usize) {
        let (mut at, mut lines) = (0, 0);
        if sifter.begin(self.source, self.settings, block) {
            while at < text.len() && lines < self.lines_max {
                let Some(length) = memchr::memchr(b'\n', text.get(at..).unwrap_or_default()) else { break };
                let end = at + length;
                let mut scanner = Scanner::<false>::new(text.get(..end).unwrap_or_default(), at);
                let head = head::read(&mut scanner, &mut sifter.callers, sifter.is_strict);
                let verdict = head.and_then(|head| {
                    if scanner.offset() != end || end - lines > self.bytes_max {
                        return Err(Careful);
                    }
                    sifter.rules.verdict(head, block)
                });
                match verdict {
                    Ok(Some(What::Read)) | Err(_) => break,
                    Ok(what) => {
                        if let Some(what) = what {
                            block.push(what, at, end);
                        }
                        at = end + 1;
                        lines += 1;
                    }
                }
            }
        }
        sifter.end(block);
        (at, lines)
    }
}
