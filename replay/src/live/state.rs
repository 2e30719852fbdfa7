//! `--state`: how far a log group was read, so that the next run takes each event once and leaves none out.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rolewatch_analyzer::text::printable;
use serde_json::{Map, Value, json};

use super::seen::Seen;
use crate::error::Error;

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

/// A file that holds a position.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    about: About,
}

impl StateFile {
    /// The file at `path`, and the position in it; none when there is no such file yet.
    pub(super) fn open(path: &Path, about: About) -> Result<(Self, Option<Position>), Error> {
        let file = Self { path: path.to_owned(), about };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Whoever cannot write here is told before an hour of logs is read.
                file.probe().map_err(|source| file.failed(source))?;
                return Ok((file, None));
            }
            Err(source) => return Err(Error::Open { path: file.shown(), source }),
        };
        let document: Value =
            serde_json::from_str(&text).map_err(|_| file.unusable("it is no state of `rolewatch replay`"))?;
        let position = file.position(&document)?;
        Ok((file, Some(position)))
    }

    fn position(&self, document: &Value) -> Result<Position, Error> {
        let unusable = || self.unusable("it is no state of `rolewatch replay`");
        if document.get(VERSION_KEY).and_then(Value::as_u64).ok_or_else(unusable)? != VERSION {
            return Err(self.unusable("another version of rolewatch wrote it"));
        }
        if document.get("about") != Some(&self.about.json()) {
            return Err(self.unusable("it is about another log group, Region or choice of streams"));
        }
        let seen = document.get("seen").and_then(Value::as_object).ok_or_else(unusable)?;
        let seen = seen.iter().map(|(key, time)| Some((key.clone(), time.as_i64()?)));
        Ok(Position {
            start: document.get("start_ms").and_then(Value::as_i64).ok_or_else(unusable)?,
            seen: seen.collect::<Option<Seen>>().ok_or_else(unusable)?,
        })
    }

    /// Writes the position. The file is either the old one or the new one, whatever happens on the way.
    pub(super) fn save(&self, position: &Position) -> Result<(), Error> {
        let seen: Map<String, Value> = position.seen.iter().map(|(key, time)| (key.clone(), json!(time))).collect();
        let document = json!({
            VERSION_KEY: VERSION,
            "about": self.about.json(),
            "start_ms": position.start,
            "seen": seen,
        });
        self.write(document.to_string().as_bytes()).map_err(|source| self.failed(source))
    }

    fn probe(&self) -> io::Result<()> {
        File::create(self.new_path())?;
        fs::remove_file(self.new_path())
    }

    /// Beside the file: a file can only be put in the place of another on one disk.
    fn new_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        PathBuf::from(name)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.new_path();
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.path)
    }

    fn shown(&self) -> String {
        printable(&self.path.to_string_lossy(), 4096)
    }

    fn unusable(&self, reason: &'static str) -> Error {
        Error::StateUnusable { path: self.shown(), reason }
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::State { path: self.shown(), source }
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
