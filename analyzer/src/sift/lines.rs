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
                let mut scanner = Scanner::<false>::new(text, at);
                let head = head::read(&mut scanner, &mut sifter.callers);
                let verdict = head.and_then(|head| {
                    scanner.byte(b'\n')?;
                    if scanner.offset() - (lines + 1) > self.bytes_max {
                        return Err(Careful);
                    }
                    sifter.rules.verdict(head, block)
                });
                match verdict {
                    Ok(Some(What::Read)) | Err(_) => break,
                    Ok(what) => {
                        let end = scanner.offset();
                        if let Some(what) = what {
                            block.push(what, at, end - 1);
                        }
                        at = end;
                        lines += 1;
                    }
                }
            }
        }
        sifter.end(block);
        (at, lines)
    }
}
