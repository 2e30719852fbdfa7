//! Sifting the entries of a delivery where they lie, their messages still strings of the document around.

use super::scanner::{Careful, Scan, Scanner};
use super::{Sifted, Sifter, What, head};
use crate::envelope::{LINE_BYTES_MAX, LINES_MAX, read_line};
use crate::json::{Fault, JsonError, Reader};
use crate::settings::Settings;
use crate::stream::Source;

/// The entries of one document while they pass by, a block at a time.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// An entry was read, so a comma or the end is next.
    behind: bool,
    /// How many were read.
    read: usize,
}

/// How far a block went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    /// To the end of the text, or to the beginning of an entry that does not end in it.
    Short,
    /// Behind the bracket that closes the list.
    ToTheEnd,
    /// To something that is no entry.
    Astray,
    /// To an entry that is one more than may be.
    TooFar,
}

impl Entries {
    /// Sifts the entries at the beginning of `text`, and tells how many bytes that were.
    pub(crate) fn sift(
        &mut self,
        text: &[u8],
        (source, settings): (&Source, &Settings),
        sifter: &mut Sifter,
        block: &mut Sifted,
    ) -> (usize, Went) {
        let is_audit = sifter.begin(source, settings, block);
        let mut at = 0;
        let went = loop {
            let Some((blank, byte)) = next_token(text.get(at..).unwrap_or_default()) else {
                break Went::Short;
            };
            match byte {
                b']' => {
                    at += blank + 1;
                    break Went::ToTheEnd;
                }
                b',' if self.behind => {
                    self.behind = false;
                    at += blank + 1;
                    continue;
                }
                b',' => break Went::Astray,
                _ if self.behind => break Went::Astray,
                _ if self.read == LINES_MAX => break Went::TooFar,
                _ => {}
            }
            let start = at + blank;
            let usual = if is_audit { usual(text, start, sifter, block).ok() } else { None };
            at = match usual {
                Some(end) => end,
                None => match strange(text, start) {
                    Ok(end) => {
                        block.push(What::Read, start, end);
                        end
                    }
                    Err(Fault::End) => break Went::Short,
                    Err(Fault::Unexpected) => break Went::Astray,
                },
            };
            self.passed();
        };
        sifter.end(block);
        (at, went)
    }

    /// An entry is behind.
    pub(crate) fn passed(&mut self) {
        self.behind = true;
        self.read += 1;
    }
}

/// The first byte that is not white space, and how many bytes that took.
fn next_token(text: &[u8]) -> Option<(usize, u8)> {
    text.iter().copied().enumerate().find(|(_, byte)| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Sifts an entry as CloudWatch Logs writes it, `{"id":"..","timestamp":..,"message":".."}`, and tells where it ends.
fn usual(text: &[u8], start: usize, sifter: &mut Sifter, block: &mut Sifted) -> Scan<usize> {
    let mut outer = Scanner::<false>::new(text, start);
    outer.literal(br#"{"id":"#)?;
    outer.plain()?;
    outer.literal(br#","timestamp":"#)?;
    let timestamp = outer.number()?;
    outer.literal(br#","message":""#)?;
    let mut inner = Scanner::<true>::new(text, outer.offset());
    let head = head::read(&mut inner, &mut sifter.callers, sifter.is_strict)?;
    if inner.offset() - outer.offset() > LINE_BYTES_MAX {
        // Whether it is too long is said by what it is without its escapes.
        return Err(Careful);
    }
    outer.jump(inner.offset());
    outer.literal(br#""}"#)?;
    let end = outer.offset();
    let what = sifter.rules.verdict(head, block)?;
    if block.first.is_none() {
        block.first = i64::try_from(timestamp).ok().map(|timestamp| (block.steps.len(), timestamp));
    }
    if let Some(what) = what {
        block.push(what, start, end);
    }
    Ok(end)
}

/// Where an entry of any form ends.
fn strange(text: &[u8], start: usize) -> Result<usize, Fault> {
    let mut reader = Reader::new(text.get(start..).unwrap_or_default());
    match read_line(&mut reader) {
        Ok(_) => Ok(start + reader.offset()),
        Err(JsonError { fault, .. }) => Err(fault),
    }
}
