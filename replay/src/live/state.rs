//! `--state`: how far a log group was read and what was learned, so that the next run goes on as if there had been none.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::wire;
use serde_json::{Map, Value, json};

use super::seen::Seen;
use crate::error::Error;
use crate::files::{self, Readers, shown};

/// Where a log group was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// Everything before was read: milliseconds since 1970.
    pub(super) start: i64,
    /// What was read of the rest.
    pub(super) seen: Seen,
}

/// Which log a state is about. One of another log would leave events out without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) log_group: String,
    pub(super) region: String,
    pub(super) log_streams: Vec<String>,
}

/// What a state file holds.
#[derive(Debug)]
pub(super) struct Left {
    /// How far the log was read.
    pub(super) position: Position,
    /// What is known from it.
    pub(super) memory: Memory,
}

/// A file that holds a position.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    about: About,
    /// No other run may go on from here meanwhile: both would tell the same, and the last would forget what the first
    /// has read.
    _lock: File,
}

impl StateFile {
    /// The file at `path`, and what was left in it; nothing when there is no such file yet.
    pub(super) fn open(path: &Path, about: About) -> Result<(Self, Option<Left>), Error> {
        let failed = |source| Error::State { path: shown(path), source };
        // Whoever cannot write here is told before an hour of logs is read.
        files::probe(path).map_err(failed)?;
        let lock = files::lock(path).map_err(failed)?.ok_or_else(|| Error::StateInUse { path: shown(path) })?;
        let file = Self { path: path.to_owned(), about, _lock: lock };
        let text = match files::read(path, FILE_BYTES_MAX) {
            Ok(Some(text)) => text,
            Ok(None) => return Err(file.unusable("it has more than 512 MiB, more than any state that can be read")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((file, None)),
            Err(source) => return Err(Error::Open { path: shown(path), source }),
        };
        let document: Value =
            serde_json::from_slice(&text).map_err(|_| file.unusable("it is no state of `rolewatch replay`"))?;
        let left = file.left(&document)?;
        Ok((file, Some(left)))
    }

    fn left(&self, document: &Value) -> Result<Left, Error> {
        let unusable = || self.unusable("it is no state of `rolewatch replay`");
        if document.get(VERSION_KEY).and_then(Value::as_u64).ok_or_else(unusable)? != VERSION {
            return Err(self.unusable("another version of rolewatch wrote it"));
        }
        if document.get("about") != Some(&self.about.json()) {
            return Err(self.unusable("it is about another log group, Region or choice of streams"));
        }
        let seen = document.get("seen").and_then(Value::as_object).ok_or_else(unusable)?;
        let seen = seen.iter().map(|(key, time)| Some((key.clone(), time.as_i64()?)));
        let saved = document.get("memory").and_then(Value::as_str).and_then(|text| BASE64.decode(text).ok());
        let mut known = Memory::default();
        // What was told already must not be told again: half a memory is none.
        match wire::load(&saved.ok_or_else(unusable)?, &mut known) {
            Ok(loaded) if loaded.ignored == 0 && !loaded.damaged => {}
            _ => return Err(self.unusable("its memory is damaged, or another version of rolewatch wrote it")),
        }
        let position = Position {
            start: document.get("start_ms").and_then(Value::as_i64).ok_or_else(unusable)?,
            seen: seen.collect::<Option<Seen>>().ok_or_else(unusable)?,
        };
        Ok(Left { position, memory: known })
    }

    /// Writes the position and the memory.
    pub(super) fn save(&self, position: &Position, known: &Memory) -> Result<(), Error> {
        let seen: Map<String, Value> = position.seen.iter().map(|(key, time)| (key.clone(), json!(time))).collect();
        let document = json!({
            VERSION_KEY: VERSION,
            "about": self.about.json(),
            "start_ms": position.start,
            "seen": seen,
            "memory": BASE64.encode(wire::save(known)),
        });
        files::replace(&self.path, document.to_string().as_bytes(), Readers::Owner)
            .map_err(|source| Error::State { path: shown(&self.path), source })
    }

    fn unusable(&self, reason: &'static str) -> Error {
        Error::StateUnusable { path: shown(&self.path), reason }
    }
}

impl About {
    fn json(&self) -> Value {
        json!({"log_group": self.log_group, "region": self.region, "log_streams": self.log_streams})
    }
}

const VERSION_KEY: &str = "rolewatch_state";
/// Counted up when an older command could not read it, or would read it wrongly.
const VERSION: u64 = 1;
/// The largest file read: a full memory in base64, and the events of a busy hour.
const FILE_BYTES_MAX: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::{About, Error, FILE_BYTES_MAX, StateFile};

    #[test]
    fn a_file_at_its_limit_is_read_and_one_past_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let file = File::create(&path).unwrap();
        let refused = |length| {
            // Sparse: it takes no room on the disk.
            file.set_len(length).unwrap();
            let about = About { log_group: String::new(), region: String::new(), log_streams: Vec::new() };
            match StateFile::open(&path, about) {
                Err(Error::StateUnusable { reason, .. }) => reason,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(FILE_BYTES_MAX), "it is no state of `rolewatch replay`");
        assert!(refused(FILE_BYTES_MAX + 1).starts_with("it has more than 512 MiB"));
    }
}
