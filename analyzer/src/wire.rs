//! The memory as bytes: a fact for a store that is shared, a whole memory for a file.
//!
//! The form is ours, versioned and compact: numbers of variable length, texts with their length, members in the order of
//! `form`. What was written by another version, or is damaged, is left out and counted, as if it had never been known; so
//! nothing has to be trusted to be readable.

mod form;
mod input;
mod words;

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use self::form::Form as _;
use self::input::{Input, put_number};
use crate::memory::{Fact, Memory};

/// Why bytes are no fact, or no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They begin as nothing that Rolewatch writes.
    #[error("it is no memory of Rolewatch")]
    Foreign,
    /// Another version of Rolewatch wrote them.
    #[error("another version of Rolewatch wrote it; let this version write it anew")]
    OtherVersion,
    /// They end too early, go on too long, or say what cannot be.
    #[error("it is damaged")]
    Damaged,
    /// They are larger than is read.
    #[error("it is larger than is read")]
    TooLarge,
}

/// What a file held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Facts that are now remembered.
    pub kept: u64,
    /// Facts that could not be read.
    pub ignored: u64,
    /// The file ends before its end.
    pub damaged: bool,
}

/// A fact as bytes, compressed where that makes it smaller.
#[must_use]
pub fn write_fact(fact: &Fact) -> Vec<u8> {
    let mut plain = Vec::new();
    fact.put(&mut plain);
    if plain.len() >= COMPRESSED_FROM_BYTES {
        let mut bytes = vec![VERSION, COMPRESSED];
        bytes.extend(deflate(&plain));
        if bytes.len() < plain.len() {
            return bytes;
        }
    }
    [&[VERSION, PLAIN], plain.as_slice()].concat()
}

/// The fact that bytes say.
pub fn read_fact(bytes: &[u8]) -> Result<Fact, WireError> {
    match bytes {
        [VERSION, PLAIN, plain @ ..] if plain.len() > FACT_BYTES_MAX => Err(WireError::TooLarge),
        [VERSION, PLAIN, plain @ ..] => whole(plain),
        [VERSION, COMPRESSED, rest @ ..] => whole(&inflate(rest, FACT_BYTES_MAX)?),
        [VERSION, ..] | [] => Err(WireError::Damaged),
        [_, ..] => Err(WireError::OtherVersion),
    }
}

/// A whole memory as bytes.
#[must_use]
pub fn save(memory: &Memory) -> Vec<u8> {
    let mut plain = Vec::new();
    for fact in memory.facts() {
        let mut bytes = Vec::new();
        fact.put(&mut bytes);
        put_number(&mut plain, bytes.len() as u64);
        plain.extend(bytes);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    bytes.extend(deflate(&plain));
    bytes
}

/// Whether bytes begin as [`save`] writes them.
#[must_use]
pub fn is_memory(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Adds what was saved to a memory. A file that is damaged is read up to its damage.
pub fn load(bytes: &[u8], memory: &mut Memory) -> Result<Loaded, WireError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(WireError::Foreign)?;
    let [VERSION, rest @ ..] = rest else {
        return Err(if rest.is_empty() { WireError::Damaged } else { WireError::OtherVersion });
    };
    let mut loaded = Loaded::default();
    let mut plain = Vec::new();
    let mut reader = DeflateDecoder::new(rest).take(MEMORY_BYTES_MAX as u64 + 1);
    loaded.damaged = reader.read_to_end(&mut plain).is_err();
    if plain.len() > MEMORY_BYTES_MAX {
        return Err(WireError::TooLarge);
    }
    let mut input = Input::new(&plain);
    while !input.is_empty() {
        let Ok(fact) = input.number().and_then(|length| input.bytes(length)) else {
            loaded.damaged = true;
            break;
        };
        match whole(fact) {
            Ok(fact) => {
                memory.take_in(fact);
                loaded.kept += 1;
            }
            Err(_) => loaded.ignored += 1,
        }
    }
    Ok(loaded)
}

/// A fact and nothing after it.
fn whole(plain: &[u8]) -> Result<Fact, WireError> {
    let mut input = Input::new(plain);
    let fact = Fact::take(&mut input)?;
    if input.is_empty() { Ok(fact) } else { Err(WireError::Damaged) }
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    // Writing to a Vec cannot fail; were it to, the bytes would be damaged and the fact not known.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}

fn inflate(bytes: &[u8], max: usize) -> Result<Vec<u8>, WireError> {
    let mut plain = Vec::new();
    let read = DeflateDecoder::new(bytes).take(max as u64 + 1).read_to_end(&mut plain);
    read.map_err(|_| WireError::Damaged)?;
    if plain.len() > max { Err(WireError::TooLarge) } else { Ok(plain) }
}

/// The form that is written and read. To be raised with every change of `form`; a test holds the bytes of a fact.
const VERSION: u8 = 4;
/// How a fact goes on after its version.
const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;
/// How a file begins.
const MAGIC: &[u8] = b"rolewatch memory ";
/// Facts from this size on are compressed: below it there is little to win, and `DynamoDB` counts in steps of 1 KB.
const COMPRESSED_FROM_BYTES: usize = 512;
/// Largest fact that is read: etcd holds no object beyond 1.5 MiB, and the form is smaller than JSON.
const FACT_BYTES_MAX: usize = 4 << 20;
/// Largest memory that is read: the parts of a full one weigh less than 128 MiB.
const MEMORY_BYTES_MAX: usize = 256 << 20;

#[cfg(test)]
mod tests;
